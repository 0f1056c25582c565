"""Items are cleaned and sifted, and whatever is left out is named with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmark import Benchmark
from tailor.prediction.cleaning import clean, tells
from tailor.prediction.curation import Rules, curate, histogram, lines
from tailor.workspace import Workspace

LAMP = "A brass lamp with a paper shade, made by hand in a small workshop near Huế, number "


def workspace(root: Path, rows: list[dict[str, Any]], task: str = "number") -> Workspace:
    (root / "knowledge").mkdir(parents=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")
    (root / "tailor.toml").write_text(f'task = "{task}"\n[items]\ncurrency = "USD"\n', "utf-8")
    return Workspace(root)


def row(id: str, text: str, answer: Any = 20, split: str = "train") -> dict[str, Any]:
    return {"id": id, "question": text, "answer": answer, "split": split}


@pytest.mark.parametrize(
    ("text", "truth", "cleaned", "changes"),
    [
        ("A lamp, now only $29.99!", 29.99, "A lamp,!", ("price",)),
        ("Đèn bàn. Giá: 299.000đ, bộ 2 cái", 299000, "Đèn bàn., bộ 2 cái", ("price",)),
        ("Price: 45 for the 55 inch TV", 45, "for the 55 inch TV", ("price", "spaces")),
        ("bán 1,5 triệu đồng, pin 20 giờ", 1.5e6, ", pin 20 giờ", ("price",)),
        ("USD 1,299.00 for 3 kg", 1299, "for 3 kg", ("price", "spaces")),
        ("weighs 29.99 g", 29.99, "weighs g", ("price", "spaces")),
        ("rated 4.5 stars, 12 V", 29.99, "rated 4.5 stars, 12 V", ()),
        ("see <b>https://shop.example/x</b> &amp; more", None, "see & more",
         ("markup", "addresses", "spaces")),
        ("two  spaces\u200b\nand\tlines", None, "two spaces\nand lines", ("spaces",)),
        ("refund of $29.99 please", None, "refund of $29.99 please", ()),
    ],
)  # fmt: skip
def test_texts_are_cleaned(
    text: str, truth: float | None, cleaned: str, changes: tuple[str, ...]
) -> None:
    assert clean(text, truth) == (cleaned, changes)


def test_whether_a_text_tells_its_number() -> None:
    assert tells("1,299.00 and more", 1299.0)
    assert tells("55 inch", 55)
    assert tells("55.50", 55.5)
    assert tells("55.5 cm", 55.5)
    assert not tells("56 inch", 55)


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    rows = [row(f"p{n}", f"{LAMP}{n} of the {'abcdefghijklmnopqrst'[n]} kind {n * n}", 10 + n)
            for n in range(20)]  # fmt: skip
    rows += [
        row("short", "A lamp"),
        row("long", "lamp " * 700),
        row("dear", "A golden lamp of the emperor", 1_000_000),
        row("none", "A lamp without a price", "on request"),
        row("markup", "A <i>glass</i> lamp for $12.00 only, with a green shade", 12, "test"),
    ]
    found = curate(workspace(tmp_path, rows).benchmark, Rules(alike=1))
    assert found.counts == {"unusable": 1, "short": 1, "long": 1, "outlier": 1}
    assert {one.id: one.reason for one in found.left if one.reason != "unusable"} == {
        "short": "short", "long": "long", "dear": "outlier",
    }  # fmt: skip
    assert "is not a number" in next(one.told for one in found.left if one.reason == "unusable")
    assert len(found.items) == 21
    (cleaned,) = (item for item in found.items if item.id == "markup")
    assert cleaned.question == "A glass lamp only, with a green shade"
    assert found.cleaned == {"markup": 1, "price": 1, "spaces": 1}
    assert curate(workspace(tmp_path / "b", rows).benchmark, Rules(outliers=0, most=25, least=11,
                  longest=800)).counts["bounds"] == 6  # fmt: skip


def test_like_texts_are_kept_once(tmp_path: Path) -> None:
    text = " ".join(f"word{n}" for n in range(60))
    rows = [
        row("a", text), row("b", f"{text} end"), row("c", f"  {text.upper()} </p>"),
        row("d", "quite another thing"),
    ]  # fmt: skip
    found = curate(workspace(tmp_path, rows).benchmark)
    assert [item.id for item in found.items] == ["a", "d"]
    assert {one.id: (one.reason, one.told) for one in found.left} == {
        "b": ("near", "98% like a"), "c": ("duplicate", "like a"),
    }  # fmt: skip


def test_kept_items_are_written_as_they_are_read(tmp_path: Path) -> None:
    rows = [{**row(f"p{n}", f"thing number {n} of many", n + 0.5), "tags": ["x"]}
            for n in range(1, 9)]  # fmt: skip
    found = curate(workspace(tmp_path, rows).benchmark, Rules(alike=1))
    path = tmp_path / "knowledge" / "benchmark.jsonl"
    path.write_text(lines(found), "utf-8")
    again = Workspace(tmp_path).benchmark
    assert isinstance(again, Benchmark)
    assert again.questions == found.items
    assert [(c.name, c.count, c.median) for c in found.categories] == [("x", 8, 5.0)]


def test_bins_hold_every_value() -> None:
    values = [1.0, 2.0, 5.0, 1000.0, 1000.0]
    for bins in (histogram(values), histogram(values, ratio=True)):
        assert sum(one.count for one in bins) == 5
        assert (bins[0].low, bins[-1].high) == pytest.approx((1.0, 1000.0))
    assert histogram([3.0, 3.0])[0].count == 2
    assert histogram([]) == ()


def test_the_command(tailor: Any, tmp_path: Path) -> None:
    rows = [row("l1", "where is my parcel", "delivery"), row("l2", "money back please", "refund"),
            row("l3", "Where is my parcel?", "delivery")]  # fmt: skip
    root = workspace(tmp_path, rows, "label").root
    target = tmp_path / "kept.jsonl"
    value = tailor("benchmark", "curate", "-w", root, "--json", "-o", target).json
    assert (value["kept"], value["left_out"]) == (2, {"near": 1})
    assert [one["name"] for one in value["categories"]] == ["delivery", "refund"]
    assert len(target.read_text("utf-8").splitlines()) == 2
    assert tailor("benchmark", "curate", "-w", root, "-o", target).code == 1
    shown = tailor("benchmark", "curate", "-w", root)
    assert "2 items kept, 1 left out." in shown.out
    (tmp_path / "other" / "knowledge").mkdir(parents=True)
    assert tailor("benchmark", "curate", "-w", tmp_path / "other").code == 2
