from tailor.benchmark import Evidence, Question
from tailor.scoring.groups import groups


def asking(*evidence):
    """Questions, each with evidence in these documents; "a:x" is the quote x of document a."""
    return [
        Question(
            f"q{i}", f"Question {i}?", ("yes",),
            tuple(Evidence(*(name.split(":") if ":" in name else (name, "quote"))) for name in of),
        )
        for i, of in enumerate(evidence)
    ]  # fmt: skip


def test_questions_about_one_document_belong_together():
    others = [[f"other{i}"] for i in range(40)]
    found = groups(asking(["a"], ["b"], ["a"], [], [], *others))
    assert found[:5] == (0, 1, 0, 2, 3)
    assert len(set(found)) == 44


def test_a_question_over_two_documents_joins_their_questions():
    found = groups(asking(["a"], ["b"], ["b", "a"], *([f"other{i}"] for i in range(40))))
    assert found[:3] == (0, 0, 0)


def test_a_chain_through_everything_is_cut():
    chained = asking(*([f"d{i}", f"d{i + 1}"] for i in range(30)))
    found = groups(chained)
    assert found == tuple(range(30)), "each counts with the document it names first"


def test_of_few_documents_the_quotes_are_the_groups():
    found = groups(asking(["a:x"], ["a:y"], ["a:x"], ["b:x"], []))
    assert found == (0, 1, 0, 2, 3)
    assert groups([]) == ()


def test_a_large_document_is_no_chain():
    found = groups(asking(*(["a"] for _ in range(30)), *([f"d{i}"] for i in range(15))))
    assert found[:30] == (0,) * 30
