import random
import unicodedata

import pytest

from tailor.errors import TailorError
from tailor.models.pretraining import evaluate, grammar, natural, network, reader, relations
from tailor.models.pretraining.encoding import LONGEST, collate, encode
from tailor.models.pretraining.episodes import (
    QUESTION,
    REFUSAL,
    Branch,
    Episode,
    Mix,
    episode,
    mix_at,
    unaccented,
)
from tailor.models.pretraining.plan import Plan
from tailor.models.pretraining.tokenizer import Turn, render
from tailor.models.provider import SHIPPED
from tailor.text import language

PLAIN = Mix(copying=0, demonstrations=0, no_passage=0, natural=0, unanswerable=0, other_language=0)
TINY = network.Shape(width=64, layers=2, heads=1, feed_forward=96)


@pytest.fixture(scope="module")
def tokens():
    return reader.train_tokenizer(0, None, episodes=60)


def _episodes(mix=PLAIN, n=60, seed=0, split="train"):
    rng = random.Random(seed)
    return [episode(rng, mix, split) for _ in range(n)]


def test_there_are_enough_relations_and_wordings_in_both_languages():
    written = relations.written()
    assert len(written) >= 150
    for relation in written:
        for code in relations.LANGUAGES:
            phrases = relation.phrases(code)
            assert len({*phrases.statements, *phrases.questions}) >= 10, relation.id
            assert len(phrases.questions) >= 4, relation.id
            assert all("{s}" in q for q in phrases.questions), relation.id
            assert all("{s}" in s and "{x}" in s for s in phrases.statements), relation.id
    assert sum(relations.is_held(i) for i in range(len(written))) == pytest.approx(
        len(written) / 5, abs=1
    )


def test_both_languages_are_asked():
    asked = [e.branches[0].question for e in _episodes()]
    english = [q for q in asked if q.startswith(QUESTION.en)]
    vietnamese = [q for q in asked if q.startswith(QUESTION.vi)]
    assert len(english) + len(vietnamese) == len(asked)
    assert min(len(english), len(vietnamese)) > len(asked) / 4


def test_answers_stand_in_the_passages():
    for example in _episodes(n=150):
        for branch in example.branches:
            assert branch.answer.casefold() in example.opening.casefold()


def test_answers_without_passages_are_refusals():
    mix = Mix(copying=0, demonstrations=0, no_passage=1, natural=0, other_language=0)
    answers = {b.answer for e in _episodes(mix, 80) if not e.opening for b in e.branches}
    assert set(REFUSAL) <= answers
    assert not any(any(c.isdigit() for c in answer) for answer in answers)


def test_unanswerable_questions_have_no_passage():
    example = _episodes(Mix(copying=0, natural=0, unanswerable=1.0, no_passage=0), 80)
    refused = [b for e in example for b in e.branches if b.answer in REFUSAL]
    assert len(refused) > 30


@pytest.mark.parametrize("code", relations.LANGUAGES)
def test_held_out_relations_never_occur_in_training(code):
    held = {r.id for i, r in enumerate(relations.written()) if relations.is_held(i)}
    composed = set()
    for seed in range(150):
        rng = random.Random(seed)
        trained = {f.relation.id for f in grammar.company(rng, code, "train").facts}
        unseen = {f.relation.id for f in grammar.company(rng, code, "held").facts}
        assert not trained & held
        composed |= trained & unseen
    assert not composed


def test_the_seed_decides_everything():
    assert _episodes(Mix(), 30, seed=4) == _episodes(Mix(), 30, seed=4)
    assert _episodes(Mix(), 30, seed=4) != _episodes(Mix(), 30, seed=5)


def test_demonstrations_show_the_format_that_the_answer_has():
    mix = Mix(copying=0, demonstrations=1, no_passage=0, natural=0, unanswerable=0)
    shown = [e for e in _episodes(mix, 200) if any(t.role == "assistant" for t in e.turns)]
    arrows = [
        e
        for e in shown
        if all(t.content.startswith("**") for t in e.turns if t.role == "assistant")
    ]
    assert len(shown) > 150
    assert all(b.answer.startswith("**") for e in arrows for b in e.branches)


def test_unaccented_questions_keep_letters_and_case():
    assert unaccented("Ai đứng đầu phòng Kế toán?") == "Ai dung dau phong Ke toan?"


def test_curriculum_ends_with_several_passages_and_refusals():
    first, last = mix_at(0.0), mix_at(1.0)
    assert last == Mix()
    assert len(last.passages) == 5 > len(first.passages)
    assert first.copying > last.copying
    assert first.side_by_side < last.side_by_side
    assert first.unanswerable < last.unanswerable


def test_vietnamese_survives_the_tokenizer(tokens):
    text = "Nhân viên được nghỉ 12 ngày phép năm; giá 1.250.000 đồng, liên hệ Nguyễn Thị Thủy."
    decomposed = unicodedata.normalize("NFD", text)
    assert tokens.decode(tokens(text, add_special_tokens=False)["input_ids"]) == text
    assert tokens(text)["input_ids"] == tokens(decomposed)["input_ids"]


def test_digits_are_single_tokens(tokens):
    pieces = tokens.tokenize("2026")
    assert pieces == ["2", "0", "2", "6"]


def test_training_encodes_what_the_chat_template_gives(tokens):
    for example in _episodes(Mix(), 40):
        for branch in example.branches[:3]:
            chat = example.chat(branch)
            text = tokens.apply_chat_template([t._asdict() for t in chat], tokenize=False)
            assert text == render(chat)
            wanted = tokens(text, add_special_tokens=False)["input_ids"]
            encoded = encode(tokens, [Episode(example.turns, example.opening, (branch,))])
            if len(wanted) <= LONGEST:
                assert encoded[0].ids == wanted


def test_questions_do_not_see_one_another(tokens):
    import torch

    beginning = Episode(
        (),
        "[1] a.md\nThe fee is 5.\n\n",
        (Branch("Question: fee?", "5"), Branch("Question: x?", "6")),
    )
    alone = Episode((), beginning.opening, beginning.branches[1:])
    model = network.build(TINY, 0).eval()
    both, one = (encode(tokens, [e])[0] for e in (beginning, alone))
    with torch.no_grad():
        states = []
        for rows in (both, one):
            batch = collate([rows])
            states.append(
                model.model(
                    input_ids=batch.ids,
                    attention_mask=batch.visible,
                    position_ids=batch.positions,
                ).last_hidden_state[0, -1]
            )
    assert torch.allclose(states[0], states[1], atol=1e-5)


def test_copying_works_before_training():
    import torch

    model = network.build(network.Shape(), 0).eval()
    ids = torch.randint(5, 4096, (8, 20), generator=torch.Generator().manual_seed(0))
    twice = torch.cat([ids, ids], 1)
    with torch.no_grad():
        best = model(twice).logits[:, 20:-1].argmax(-1)
    assert (best == twice[:, 21:]).float().mean() > 0.8


def test_a_resumed_run_repeats_the_same_losses(tmp_path, tokens):
    plan = Plan(steps=3, batch_tokens=800, batches_per_block=1, shape=TINY)
    _, straight = reader.train(plan, tmp_path / "a", tokens, evaluate_every=0)
    _, first = reader.train(plan, tmp_path / "b", tokens, evaluate_every=0, until_step=1)
    _, rest = reader.train(plan, tmp_path / "b", tokens, evaluate_every=0, resume=True)
    assert len(straight) == 3
    assert straight == first + rest


def test_resuming_without_a_checkpoint_says_what_to_do(tmp_path, tokens):
    with pytest.raises(TailorError, match="without --resume"):
        reader.train(Plan(steps=1, shape=TINY), tmp_path, tokens, resume=True)


def test_natural_text_becomes_questions(tmp_path):
    text = (
        "Sân vận động được xây vào ngày 3 tháng 5 năm 1998 tại Cần Thơ và có sức chứa 84.490 người "
        "hâm mộ bóng đá. Công trình do Trần Văn Hùng thiết kế cho thành phố trong nhiều tháng liền."
    )
    file = tmp_path / "a.txt"
    file.write_text(text, encoding="utf-8")
    (item,) = natural.load([tmp_path]).items
    assert item.language == "vi"
    answers = dict(item.questions).values()
    assert "84.490" in answers
    assert all(text.count(answer) == 1 for answer in answers)


def test_a_file_of_another_shape_is_refused(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"body": "x"}\n')
    with pytest.raises(TailorError, match="rename its keys"):
        natural.load([tmp_path])
    with pytest.raises(TailorError, match="There is no"):
        natural.load([tmp_path / "missing"])


def test_evaluation_asks_what_its_passages_answer():
    shelf = evaluate.library("vi", "train", size=12)
    for case in shelf.cases:
        assert case.answer.casefold() in shelf.passages[case.passage].text.casefold()
        assert language(case.question) == "vi"
    assert evaluate.exact("12 Days.", "12 days") == 1
    assert evaluate.f1("12 days", "12") == pytest.approx(2 / 3)
    assert evaluate.is_refusal("Không có trong tài liệu")


def test_the_shipped_reader_loads_and_answers(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    files = {p.name for p in (SHIPPED / "reader").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json"} <= files
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in files)
    assert (SHIPPED / "reader" / "model.safetensors").stat().st_size <= 16 * 2**20
    tokens = AutoTokenizer.from_pretrained(SHIPPED / "reader")
    model = AutoModelForCausalLM.from_pretrained(SHIPPED / "reader", dtype=torch.float32).eval()
    for example in _episodes(Mix(), 20, seed=9):
        chat = example.chat(example.branches[0])
        text = tokens.apply_chat_template([t._asdict() for t in chat], tokenize=False)
        single = encode(tokens, [Episode(example.turns, example.opening, example.branches[:1])])
        assert single[0].ids == tokens(text, add_special_tokens=False)["input_ids"]
    chats = [
        [
            Turn("system", evaluate.INSTRUCTIONS[code]),
            Turn("user", QUESTION.into(code) + asked),
        ]
        for code, asked in (
            ("en", "How much does the Zantrel 300 cost?"),
            ("vi", "Ai quản lý dự án Zantrel?"),
        )
    ]
    replies = evaluate.generate(model, tokens, chats)
    assert replies == list(REFUSAL)
