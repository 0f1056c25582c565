"""From a sample to the whole table, by the commands of the documentation, on fewer items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tailor.config import ladder_for
from tailor.prediction.samples.prices import prices
from tailor.prediction.samples.tickets import tickets


def fewer(root: Path, items: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")


def test_rows_without_a_model_on_the_prices(tailor: Any, tmp_path: Path) -> None:
    root = tmp_path / "prices"
    assert tailor("init", root, "--sample", "prices").code == 0
    fewer(root, prices(sizes={"train": 700, "dev": 24, "test": 60}))
    kinds = ("random", "mean", "median", "bag_of_words", "neighbours")
    rows = [f"baseline:{kind}" for kind in kinds]
    done = tailor("run", *rows, "ensemble", "-w", root)
    assert done.code == 0, done.err
    value = tailor("compare", "-w", root, "--json").json
    assert [stage["row"] for stage in value["stages"]] == [*rows, "ensemble"]
    skill = {stage["row"]: stage["metrics"]["skill"]["mean"] for stage in value["stages"]}
    assert skill["baseline:median"] == pytest.approx(0, abs=1e-3)
    assert skill["baseline:random"] < skill["baseline:mean"] < 0.05
    assert skill["baseline:bag_of_words"] > 0.05
    assert all(stage["scored"] == 60 for stage in value["stages"])


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["prices", "tickets"])
def test_the_whole_ladder(sample: str, tailor: Any, tmp_path: Path) -> None:
    root = tmp_path / sample
    assert tailor("init", root, "--sample", sample).code == 0
    sizes = {"train": 120, "dev": 20, "test": 12}
    fewer(root, prices(sizes=sizes) if sample == "prices" else tickets(sizes=sizes))
    done = tailor("run", "all", "-w", root)
    assert done.code == 0, done.err
    value = tailor("compare", "-w", root, "--json").json
    task = "number" if sample == "prices" else "label"
    assert [stage["row"] for stage in value["stages"]] == list(ladder_for(task))
    assert all(stage["errors"] == 0 for stage in value["stages"])
    assert tailor("report", "-w", root).code == 0
