import unicodedata

from tailor.scoring.similarity import embedder, similarity


def test_accents_meaning_and_alternatives(workspace):
    embed = embedder(workspace)
    right, wrong = "nhân viên được nghỉ phép", "nhẫn viện đuọc nghĩ phèp"
    texts = [right, wrong, "kho lạnh âm 18 độ", unicodedata.normalize("NFD", right)]
    same, other, far, decomposed = similarity(embed, texts, [[right]] * 4)
    assert same > 0.999
    assert decomposed == same
    assert other < 0.5, "wrong accents are other words"
    assert far < 0.3
    assert min(similarity(embed, texts[:2], [[right]] * 2, folded=True)) > 0.999
    assert similarity(embed, [right], [["kho lạnh", right]]) == [same]
    assert similarity(embed, [], []) == []
    assert similarity(embed, ["x"], [[]]) == [0]


def test_no_text_is_embedded_twice(workspace, monkeypatch):
    embed = embedder(workspace)
    first = similarity(embed, ["12 days"], [["12 days", "twelve days"]])
    asked = []
    real = workspace.embeddings.embed_documents
    monkeypatch.setattr(
        type(workspace.embeddings),
        "embed_documents",
        lambda self, texts: asked.extend(texts) or real(texts),
    )
    assert similarity(embedder(workspace), ["12 days"], [["12 days", "twelve days"]]) == first
    assert not {"12 days", "twelve days"} & set(asked)
