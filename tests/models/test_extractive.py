"""The shipped extractive reader: answers in both languages, exact offsets, refusals."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from tailor.errors import TailorError
from tailor.models.extractive import ExtractiveReader, pack, unpack
from tailor.models.pretraining.extractive_examples import company_examples, same
from tailor.models.provider import SHIPPED
from tailor.models.segments import segments
from tailor.text import fold

LEAVE = """# Leave policy

Staff in Vietnam get 14 days of paid annual leave. Staff in Rotterdam get 26 days.
Requests go to leave@marlo.example at least 5 working days ahead.

| Product | Price | Warranty |
|---|---|---|
| ColdBox 40 | 690 EUR | 24 months |
| ColdBox 120 | 1,480 EUR | 36 months |
"""
PHEP = """# Quy định nghỉ phép

Nhân viên tại Việt Nam được nghỉ phép năm 14 ngày. Đơn xin nghỉ gửi cho bà Nguyễn Minh Anh.
Ngày hiệu lực: 31/12/2025
Giá bán của ColdBox 120: 52.400.000 VND
"""
OTHER = "The canteen serves soup on Mondays. Smoking is allowed behind the building."


@pytest.fixture(scope="module")
def reader() -> ExtractiveReader:
    return ExtractiveReader.load()


ANSWERED = (
    ("How many days of paid annual leave do staff in Vietnam get?", LEAVE, "14 days"),
    ("How many days do staff in Rotterdam get?", LEAVE, "26 days"),
    ("What is the price of ColdBox 120?", LEAVE, "1,480 EUR"),
    ("How long is the warranty of ColdBox 40?", LEAVE, "24 months"),
    ("What is the email address for leave requests?", LEAVE, "leave@marlo.example"),
    ("Nhân viên tại Việt Nam được nghỉ phép năm bao nhiêu ngày?", PHEP, "14 ngày"),
    ("Đơn xin nghỉ gửi cho ai?", PHEP, "Nguyễn Minh Anh"),
    ("Ngày hiệu lực là ngày nào?", PHEP, "31/12/2025"),
    ("Giá bán của ColdBox 120 là bao nhiêu?", PHEP, "52.400.000 VND"),
)


@pytest.mark.parametrize(("question", "passage", "answer"), ANSWERED)
def test_finds_the_answer_among_other_passages(
    reader: ExtractiveReader, question: str, passage: str, answer: str
) -> None:
    passages = [OTHER, passage]
    span = reader.read(question, passages)
    assert span is not None
    assert answer in span.text
    assert len(span.text) <= len(answer) + 4
    assert passages[span.passage][span.start : span.end] == span.text
    assert 0 <= span.score <= 1


@pytest.mark.parametrize(
    ("question", "answer"), [(fold(case[0]), case[2]) for case in ANSWERED if case[1] is PHEP]
)
def test_unaccented_question_reads_accented_text(
    reader: ExtractiveReader, question: str, answer: str
) -> None:
    span = reader.read(question, [OTHER, PHEP])
    assert span is not None
    assert answer in span.text
    assert len(span.text) <= len(answer) + 4


@pytest.mark.parametrize(
    "question",
    ["How long is the warranty of ColdBox 40?", "Ai quản lý kho hàng Hải Phòng?", "Why?", ""],
)
def test_refuses_on_unrelated_text(reader: ExtractiveReader, question: str) -> None:
    assert reader.read(question, [OTHER]) is None


@pytest.mark.parametrize("passages", [[], [""], ["   \n"], ["| | |\n|---|"]])
def test_refuses_where_there_is_nothing_to_read(
    reader: ExtractiveReader, passages: list[str]
) -> None:
    assert reader.read("What is the price?", passages) is None


def test_reading_repeats_exactly(reader: ExtractiveReader) -> None:
    question = ANSWERED[0][0]
    again = ExtractiveReader.load()
    assert reader.read(question, [LEAVE]) == again.read(question, [LEAVE])
    assert reader.fingerprint == again.fingerprint


def test_fingerprint_follows_the_weights(reader: ExtractiveReader) -> None:
    other = ExtractiveReader({**reader.stored, "threshold": 0.99})
    assert other.fingerprint != reader.fingerprint


def test_ships_one_readable_file_of_the_agreed_size() -> None:
    files = {path.name: path.stat().st_size for path in (SHIPPED / "extractive").iterdir()}
    assert set(files) == {"model.json", "figures.json", "MODEL_CARD.md"}
    assert sum(files.values()) <= 2_000_000


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TailorError, match="No extractive reader"):
        ExtractiveReader.load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"code": 0, "features": []}))
    with pytest.raises(TailorError, match="another version"):
        ExtractiveReader.load(tmp_path)


def test_scores_on_new_synthetic_companies(reader: ExtractiveReader) -> None:
    for language in ("en", "vi"):
        examples = list(company_examples(random.Random(77), language, "held", 60))
        asked = [example for example in examples if example.answer is not None]
        best = [reader.best(example.question, example.passages) for example in asked]
        right = [
            span is not None and same(span.text, example.answer or "")
            for span, example in zip(best, asked, strict=True)
        ]
        assert np.mean(right) >= 0.7


def test_table_rows_know_their_headers_and_lines_their_heading() -> None:
    parts = segments(LEAVE)
    row = parts[-1]
    assert row.headers[row.words.index("36")] == ("warranty",)
    assert parts[1].heading == ("#", "leave", "policy")
    for part in parts:
        for word, start, end in zip(part.words, part.starts, part.ends, strict=True):
            assert LEAVE[start:end] == word


def test_packing_keeps_values_to_the_step() -> None:
    values = np.array([[0.5, -2.0], [1.27, 0.0]], dtype=np.float32)
    assert np.abs(unpack(pack(values)) - values).max() <= 2.0 / 254 + 1e-6
