"""The shipped sentence encoder: its files, its vocabulary, and what it puts close together."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tailor.models.pretraining import encoder
from tailor.models.pretraining.articles import Passage, read_text
from tailor.models.provider import SHIPPED
from tailor.text import fold

FOLDER = SHIPPED / "encoder"
# question, a passage that answers it, one of the same company that does not
TRIPLES = (
    (
        "How many days of paid leave do new employees get?",
        "Every employee is entitled to 14 days of paid annual leave from the first month.",
        "The warehouse is open from 7:30 to 16:30 on working days.",
    ),
    (
        "Who approves purchases above 200 million dong?",
        "Orders of more than 200 million dong are approved by the chief financial officer.",
        "The temperature logger records a value every five minutes.",
    ),
    (
        "Nhân viên mới được nghỉ phép bao nhiêu ngày?",
        "Mỗi nhân viên được nghỉ phép năm 14 ngày có hưởng lương kể từ tháng đầu tiên.",
        "Kho hàng mở cửa từ 7 giờ 30 đến 16 giờ 30 các ngày làm việc.",
    ),
    (
        "Khách hàng được hoàn tiền trong bao lâu?",
        "Khách hàng có thể trả lại sản phẩm và nhận lại tiền trong vòng 30 ngày.",
        "Cảm biến ghi nhiệt độ năm phút một lần.",
    ),
)


@pytest.fixture(scope="module")
def model() -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(FOLDER), device="cpu", local_files_only=True).float()


def cosines(model: Any, texts: list[str]) -> NDArray[np.float32]:
    vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors @ vectors.T)


def test_ships_only_plain_weights_of_the_agreed_size() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".md"}
    assert sum(path.stat().st_size for path in files) <= 10_000_000


def test_weights_are_finite_half_precision_numbers() -> None:
    from safetensors.numpy import load_file

    (weights,) = load_file(FOLDER / "model.safetensors").values()
    assert weights.dtype == np.float16
    assert weights.shape[1] == 256
    assert np.isfinite(weights).all()


def test_vocabulary_keeps_vietnamese_accents(model: Any) -> None:
    tokens = {
        word: model.tokenizer.encode(word, add_special_tokens=False).tokens
        for word in ("nghỉ", "phép", "thưởng", "được", "Hưởng", "nghi")
    }
    assert tokens == {
        "nghỉ": ["nghỉ"],
        "phép": ["phép"],
        "thưởng": ["thưởng"],
        "được": ["được"],
        "Hưởng": ["hưởng"],
        "nghi": ["nghi"],
    }


def test_decomposed_text_is_the_same_text(model: Any) -> None:
    import unicodedata

    text = "Nhân viên được nghỉ phép năm"
    assert cosines(model, [text, unicodedata.normalize("NFD", text)])[0, 1] > 0.9999


@pytest.mark.parametrize(("question", "related", "unrelated"), TRIPLES)
def test_answer_is_closer_than_another_passage(
    model: Any, question: str, related: str, unrelated: str
) -> None:
    near, far = cosines(model, [question, related, unrelated])[0, 1:]
    assert near > far + 0.1


@pytest.mark.parametrize(("question", "related", "unrelated"), TRIPLES[2:])
def test_unaccented_question_finds_accented_answer(
    model: Any, question: str, related: str, unrelated: str
) -> None:
    near, far = cosines(model, [fold(question), related, unrelated])[0, 1:]
    assert near > far + 0.1


def test_text_without_words_is_no_nan(model: Any) -> None:
    assert np.isfinite(cosines(model, ["", "!?", "price"])).all()


@pytest.fixture(scope="module")
def few_passages() -> list[Passage]:
    return encoder.company_passages(random.Random(3), 12)


def test_training_repeats_exactly_and_learns(few_passages: list[Passage], tmp_path: Path) -> None:
    def trained(seed: int, name: str) -> str:
        settings = encoder.Settings(vocabulary=1500, dimension=16, batch=64, epochs=1, seed=seed)
        encoder.train(few_passages, settings).save(str(tmp_path / name), create_model_card=False)
        return hashlib.sha256((tmp_path / name / "model.safetensors").read_bytes()).hexdigest()

    first = trained(0, "first")
    assert trained(0, "again") == first
    assert trained(1, "other") != first


def test_reads_articles_and_question_pairs(tmp_path: Path) -> None:
    article = {
        "title": "Đà Nẵng",
        "text": "Đà Nẵng là một thành phố lớn ở miền Trung của nước Việt Nam. " * 3
        + "\n\n== Kinh tế ==\n"
        + "Kinh tế của thành phố dựa vào du lịch, cảng biển và nhiều khu công nghiệp mới. " * 3,
        "lang": "vi",
    }
    pair = {"sentence": "the tower was built in 1889 -lrb- paris -rrb- .", "question": "when ?"}
    (tmp_path / "a.jsonl").write_text(json.dumps(article) + "\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps(pair) + "\n", encoding="utf-8")
    passages = read_text([tmp_path])
    assert [passage.headings for passage in passages] == [
        ("Đà Nẵng",),
        ("Đà Nẵng Kinh tế",),
        (),
    ]
    assert passages[2].sentences == ("the tower was built in 1889 (paris).",)
    assert passages[2].questions == ("when?",)


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    from tailor.errors import TailorError

    with pytest.raises(TailorError, match="No training text"):
        read_text([tmp_path])
