"""The samples are the same every time, believable, and hold no answer in their own texts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tailor.config import ladder_for
from tailor.errors import TailorError
from tailor.initialize import copy_sample, initialize
from tailor.prediction.cleaning import tells
from tailor.prediction.samples.prices import prices
from tailor.prediction.samples.sample import items
from tailor.prediction.samples.tickets import tickets
from tailor.text import fold
from tailor.workspace import Workspace

Item = dict[str, Any]


@pytest.fixture(scope="module")
def products() -> list[Item]:
    return prices()


@pytest.fixture(scope="module")
def requests() -> list[Item]:
    return tickets()


def digest(items: list[Item]) -> str:
    text = json.dumps(items, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_they_are_the_same_every_time(products: list[Item], requests: list[Item]) -> None:
    assert digest(products) == "e9b11ed37bc558eb"
    assert digest(requests) == "738702dba2c93073"
    assert products != prices(seed=1)


def test_products_are_many_in_both_languages_and_long_tailed(products: list[Item]) -> None:
    assert len(products) >= 1500
    assert Counter(item["split"] for item in products) == {"train": 1400, "dev": 150, "test": 250}
    languages = Counter(item["lang"] for item in products)
    assert min(languages.values()) > 0.45 * len(products)
    assert len({item["tags"][0] for item in products}) == 12
    numbers = sorted(item["answer"] for item in products)
    assert numbers[0] > 0
    assert sum(numbers) / len(numbers) > 1.5 * median(numbers)
    assert numbers[-1] > 10 * median(numbers)


def test_no_description_tells_its_price_or_comes_twice(products: list[Item]) -> None:
    assert not [item["id"] for item in products if tells(item["question"], item["answer"])]
    assert len({fold(item["question"]) for item in products}) == len(products)
    assert not [item for item in products if "{" in item["question"] or "  " in item["question"]]


def test_prices_can_be_learnt_but_not_all_of_them(products: list[Item]) -> None:
    """A leather bag costs more than a canvas one; the same words still cost now more, now less."""

    def middle(*words: str) -> float:
        return median(
            item["answer"] for item in products
            if all(word in item["question"].lower() for word in words)
        )  # fmt: skip

    assert middle("full-grain leather") > 1.5 * middle("canvas")
    assert middle("18-carat gold") > 2 * middle("sterling silver")
    assert middle("maison orly") > 1.5 * middle("lotus mart")
    assert middle("digital piano") > 5 * middle("bamboo flute")


def test_requests_are_many_with_ten_labels(requests: list[Item]) -> None:
    assert len(requests) >= 800
    labels = Counter(item["answer"] for item in requests)
    assert len(labels) == 10
    assert min(labels.values()) > 60
    assert len({fold(item["question"]) for item in requests}) == len(requests)
    assert not [item for item in requests if set("{}[]|") & set(item["question"])]
    for split in ("train", "dev", "test"):
        assert {item["answer"] for item in requests if item["split"] == split} == set(labels)


def test_some_wordings_stand_only_in_dev_and_test(requests: list[Item]) -> None:
    def said(split: str) -> str:
        return " ".join(fold(item["question"]) for item in requests if item["split"] == split)

    for split, words in (("dev", "six digits"), ("test", "nguoi goi")):
        assert words in said(split)
        assert words not in said("train")


@pytest.mark.parametrize(("sample", "task"), [("prices", "number"), ("tickets", "label")])
def test_a_workspace_with_a_sample_is_ready(sample: Any, task: Any, tmp_path: Path) -> None:
    made = initialize(tmp_path / "made", sample)
    assert made.config.task == task
    assert made.config.ladder == ladder_for(task)
    assert made.benchmark.task == task
    assert not made.benchmark.problems
    assert len(made.benchmark.questions) == len(items(sample))
    assert made.config.items.currency == ("USD" if task == "number" else "")
    loaded = Workspace(tmp_path)
    loaded.knowledge.mkdir()
    copy_sample(loaded, sample)
    again = Workspace(tmp_path)
    assert again.benchmark.digest == made.benchmark.digest
    assert (again.config.task, again.config.ladder) == (task, made.config.ladder)
    with pytest.raises(TailorError, match="holds files already"):
        copy_sample(again, sample)


def test_the_command_takes_a_sample_by_name_or_without(tailor: Any, tmp_path: Path) -> None:
    for words in (["a", "--sample", "prices"], ["--sample=tickets", "b"], ["--sample", "c"]):
        words = [word if word.startswith("--") or word == "prices" else str(tmp_path / word)
                 for word in words]  # fmt: skip
        assert tailor("init", *words).code == 0
    assert Workspace(tmp_path / "a").config.task == "number"
    assert Workspace(tmp_path / "b").config.task == "label"
    assert (tmp_path / "c" / "knowledge" / "hr").is_dir()
    done = tailor("init", tmp_path / "d", "--sample", "nope")
    assert done.code == 2
    assert "'company', 'prices', 'tickets'" in done.err
    assert not (tmp_path / "d").exists()
