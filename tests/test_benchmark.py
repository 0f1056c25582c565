"""Reading the benchmark: what is a question, what is refused and why, and how splits are made."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmark import Benchmark, Evidence, Question, Split
from tailor.benchmarking.splitting import SHARES, draw
from tailor.errors import TailorError


def load(folder: Path, *lines: object, raw: bytes | None = None) -> Benchmark:
    path = folder / "benchmark.jsonl"
    texts = [
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    ]
    path.write_bytes("\n".join(texts).encode() if raw is None else raw)
    return Benchmark.load(path)


GOOD = {"question": "How many days?", "answer": "12 days", "split": "test"}


def test_a_full_line(tmp_path: Path) -> None:
    line = {
        "id": "leave-01",
        "question": "Nghỉ phép mấy ngày?",
        "answer": ["12 ngày", "12"],
        "evidence": [{"document": "hr/a.md", "quote": "12 ngày"}],
        "lang": "vi",
        "tags": ["hr"],
        "split": "dev",
        "format": r"\d+.*",
    }
    assert load(tmp_path, line).questions == (
        Question(
            id="leave-01",
            question="Nghỉ phép mấy ngày?",
            answers=("12 ngày", "12"),
            evidence=(Evidence("hr/a.md", "12 ngày"),),
            lang="vi",
            tags=("hr",),
            split="dev",
            format=r"\d+.*",
        ),
    )


def test_the_least_line(tmp_path: Path) -> None:
    benchmark = load(tmp_path, "", {"question": "Nghỉ phép mấy ngày?", "answer": 12})
    (question,) = benchmark.questions
    assert (question.id, question.answers, question.lang) == ("line-2", ("12",), "vi")
    assert question.answerable
    assert benchmark.problems == ()


def test_null_means_that_the_documents_do_not_say(tmp_path: Path) -> None:
    (question,) = load(tmp_path, {"question": "Who?", "answer": None}).questions
    assert question.answers == ()
    assert not question.answerable


def test_texts_are_composed(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Nghỉ phép mấy ngày?")
    line = {"question": decomposed, "answer": unicodedata.normalize("NFD", "mười hai ngày")}
    (question,) = load(tmp_path, line).questions
    assert question.question == "Nghỉ phép mấy ngày?"
    assert question.answers == ("mười hai ngày",)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_a_line_ends_only_where_a_line_ends(tmp_path: Path, mark: str) -> None:
    if ord(mark) < 32:
        mark = json.dumps(mark)[1:-1]
    benchmark = load(tmp_path, '{"question": "Who' + mark + ' is it?", "answer": "x"}', GOOD)
    assert len(benchmark.questions) == 2
    assert benchmark.problems == ()


def test_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + (json.dumps(GOOD) + "\r\n\r\n").encode() * 1
    assert len(load(tmp_path, raw=raw).questions) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"question": "a b", "answer": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ({**GOOD, "anwser": "x"}, "unknown key 'anwser'"),
        ({"answer": "x"}, '"question" must be a text'),
        ({**GOOD, "question": 7}, '"question" must be a text'),
        ({**GOOD, "question": " ?! "}, '"question" must be a text'),
        ({"question": "Who?"}, '"answer" is missing'),
        ({**GOOD, "answer": ""}, '"answer" must be'),
        ({**GOOD, "answer": []}, '"answer" must be'),
        ({**GOOD, "answer": ["x", None]}, '"answer" must be'),
        ({**GOOD, "answer": True}, '"answer" must be'),
        ({**GOOD, "answer": {"text": "x"}}, '"answer" must be'),
        ({**GOOD, "split": "tset"}, "must be train, dev or test"),
        ({**GOOD, "tags": "hr"}, '"tags" must be a list'),
        ({**GOOD, "evidence": "hr/a.md"}, '"evidence" must be a list'),
        ({**GOOD, "evidence": [{"document": "a"}]}, '"evidence" must be a list'),
        ({**GOOD, "id": ["a"]}, '"id" must be'),
        ({**GOOD, "id": ""}, '"id" must be'),
        ({**GOOD, "format": "("}, '"format" is not a regular expression'),
        ({**GOOD, "format": 3}, '"format" is not a regular expression'),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_rest_is_read(
    tmp_path: Path, line: Any, says: str
) -> None:
    benchmark = load(tmp_path, {**GOOD, "question": "First?"}, line, {**GOOD, "question": "Last?"})
    assert [q.question for q in benchmark.questions] == ["First?", "Last?"]
    (problem,) = benchmark.problems
    assert problem.line == 2
    assert says in problem.message
    assert str(problem) == f"{tmp_path / 'benchmark.jsonl'}:2: {problem.message}"


def test_a_second_question_alike_is_named(tmp_path: Path) -> None:
    benchmark = load(
        tmp_path,
        {"id": "a", "question": "Nghỉ phép mấy ngày?", "answer": "x"},
        {"id": "a", "question": "Another?", "answer": "x"},
        {"id": "b", "question": "nghi phep may ngay?", "answer": "x"},
        {"id": "c", "question": "A third?", "answer": "x"},
    )
    assert [q.id for q in benchmark.questions] == ["a", "c"]
    assert [(p.line, p.message) for p in benchmark.problems] == [
        (2, "the same id as line 1; change or delete one"),
        (3, "the same question as line 1; change or delete one"),
    ]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TailorError, match="There is no benchmark at"):
        Benchmark.load(tmp_path / "benchmark.jsonl")


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"{}\n"])
def test_a_file_without_a_question_is_one_sentence(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(TailorError, match="holds no usable question"):
        load(tmp_path, raw=raw)


def test_a_file_that_is_not_utf8_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    raw = (json.dumps(GOOD) + "\n").encode() + "Nghỉ".encode("utf-16")
    with pytest.raises(TailorError, match=r"benchmark\.jsonl:2: not UTF-8"):
        load(tmp_path, raw=raw)


def test_the_digest_follows_everything_that_can_change_a_score(tmp_path: Path) -> None:
    base = load(tmp_path, GOOD).digest
    assert load(tmp_path, GOOD, "").digest == base
    for change in (
        {"answer": "13 days"},
        {"split": "dev"},
        {"format": "x"},
        {"evidence": [{"document": "a.md", "quote": "12"}]},
        {"question": "How many nights?"},
    ):
        assert load(tmp_path, {**GOOD, **change}).digest != base


def _loose(count: int, documents: int = 0) -> list[Question]:
    return [
        Question(
            id=f"q{at}",
            question=f"Question {at}?",
            answers=("x",),
            evidence=(Evidence(f"{at % documents}.md", "x"),) if documents else (),
        )
        for at in range(count)
    ]


def _splits(questions: list[Question], *given: str) -> dict[str, str]:
    """The splits by question; those in ``given`` keep what they have."""
    assigned = draw(questions, {q.id for q in questions} - set(given))
    return {q.id: q.split for q in assigned}


def _about(id: str, *documents: str, split: Split = "test") -> Question:
    evidence = tuple(Evidence(name, "x") for name in documents)
    return Question(id=id, question=f"{id}?", answers=("x",), evidence=evidence, split=split)


def test_questions_without_a_split_are_shared_out() -> None:
    questions = _loose(2000)
    assigned = draw(questions, {q.id for q in questions})
    for name, share in SHARES.items():
        # Each is drawn on its own: 60 are 2.7 standard deviations of the largest share.
        assert sum(q.split == name for q in assigned) == pytest.approx(2000 * share, abs=60)
    assert assigned == draw(questions, {q.id for q in questions})
    assert assigned != draw(questions, {q.id for q in questions}, seed=1)


@pytest.mark.parametrize("documents", [0, 40])
def test_new_questions_move_no_other(documents: int) -> None:
    before, after = _splits(_loose(100, documents)), _splits(_loose(130, documents))
    assert before.items() <= after.items()
    assert _splits(_loose(100, documents)[::-1]) == before


def test_a_new_line_moves_no_question_without_an_id(tmp_path: Path) -> None:
    lines = [{"question": f"Question {at}?", "answer": "x"} for at in range(50)]
    before = {q.question: q.split for q in load(tmp_path, *lines).questions}
    first = {"question": "A new one?", "answer": "x"}
    after = {q.question: q.split for q in load(tmp_path, first, *lines).questions}
    assert before.items() <= after.items()
    assert set(before.values()) == {"train", "dev", "test"}


def test_documents_joined_by_a_question_stay_together() -> None:
    for at in range(20):
        a, b, c = (f"{at}-{letter}.md" for letter in "abc")
        questions = [_about("1", a), _about("2", b), _about("3", c), _about("4", b, a)]
        splits = _splits([*questions, _about("5", c, b)])
        assert len(set(splits.values())) == 1
        # The document that comes first by name decides, so its questions stay where they were.
        assert splits["1"] == _splits(questions[:1])["1"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("train",), "train"),
        (("dev",), "dev"),
        (("train", "dev"), "dev"),
        (("train", "dev", "test"), "test"),
    ],
)
def test_questions_with_a_split_pull_those_on_their_documents(
    given: tuple[Split, ...], wanted: str
) -> None:
    fixed = [_about(f"given {split}", f"{split}.md", split=split) for split in given]
    names = [f"{split}.md" for split in given]
    loose = [_about("joins", "other.md", *names), _about("far", "other.md")]
    for questions in ([*fixed, *loose], [*loose, *fixed[::-1]]):
        splits = _splits(questions, *(q.id for q in fixed))
        assert splits["joins"] == splits["far"] == wanted
        assert [splits[q.id] for q in fixed] == list(given)


def test_questions_on_the_same_document_stay_together() -> None:
    questions = _loose(60, documents=12)
    assigned = draw(questions, {q.id for q in questions})
    splits: dict[str, set[str]] = {}
    for question in assigned:
        splits.setdefault(question.evidence[0].document, set()).add(question.split)
    assert all(len(names) == 1 for names in splits.values())
    assert {q.split for q in assigned} == {"train", "dev", "test"}


def test_a_given_split_stays(tmp_path: Path) -> None:
    lines = [{"question": f"Question {at}?", "answer": "x", "split": "dev"} for at in range(20)]
    benchmark = load(tmp_path, *lines, {"question": "Loose?", "answer": "x"})
    assert sum(q.split == "dev" for q in benchmark.questions) >= 20
    assert len(benchmark.split("train", "dev", "test")) == 21
    assert benchmark.split("dev", "test") == tuple(
        q for q in benchmark.questions if q.split != "train"
    )
