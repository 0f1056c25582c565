"""The shipped weights give the figures of their cards on the sample company."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tailor.models.extraction import Extraction
from tailor.models.provider import SHIPPED
from tailor.stages.baseline import Baseline
from tailor.stages.prompting import INSTRUCTIONS

NOISE = 0.03
"""Replies near a tie between two tokens may differ from one processor to another."""


def program(name: str) -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


quality = program("reader_quality")


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return quality.Exam.prepare(tmp_path_factory.mktemp("exam") / "company", "test")


def carded(model: str, setting: str, metric: str = "exact_match") -> dict[str, Any]:
    """The figure kept beside the card for both languages together."""
    figures = json.loads((SHIPPED / model / "figures.json").read_text("utf-8"))
    found = [f for f in figures if (f["setting"], f["metric"]) == (setting, metric)]
    return next(f for f in found if f["language"] == "both")


@pytest.mark.parametrize("model", ["reader", "extractive"])
def test_a_card_shows_every_figure_kept_beside_it(model: str) -> None:
    card = (SHIPPED / model / "MODEL_CARD.md").read_text("utf-8")
    cells = re.findall(r"\d?\.\d\d \[\d?\.\d\d, \d?\.\d\d\]", card)
    for figure in json.loads((SHIPPED / model / "figures.json").read_text("utf-8")):
        shown = f"{figure['mean']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"
        assert shown in cells, figure


def test_the_reader_reads_the_sample_as_its_card_says(exam: Any) -> None:
    model = exam.workspace.root_assistant("shipped")
    assistant = replace(model, instructions=INSTRUCTIONS, retriever=exam.gold)
    values = quality.exact(exam.questions, quality.ask(assistant, exam.questions))
    wanted = carded("reader", "gold passage")
    assert len(values) == wanted["n"]
    assert sum(values) / len(values) == pytest.approx(wanted["mean"], abs=NOISE)


@pytest.mark.parametrize("setting", ["gold passage", "three passages"])
def test_the_extractive_reader_reads_the_sample_as_its_card_says(exam: Any, setting: str) -> None:
    retriever = exam.gold if setting == "gold passage" else exam.top
    reader = Extraction(Baseline().confidence)
    assistant = replace(exam.workspace.root_assistant(), model=reader, retriever=retriever)
    values = quality.exact(exam.questions, quality.ask(assistant, exam.questions))
    wanted = carded("extractive", setting)
    assert len(values) == wanted["n"]
    assert sum(values) / len(values) == pytest.approx(wanted["mean"], abs=NOISE)


def test_the_encoder_finds_the_sample_as_its_card_says(tmp_path: Path) -> None:
    search = program("retrieval_quality")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(SHIPPED / "encoder"), device="cpu", local_files_only=True)
    sample = search.sample_company(tmp_path)
    dense = search.dense_scores(model.float(), sample.documents, sample.questions)
    found = search.quality(dense, sample.gold).split()[0].split("/")
    card = (SHIPPED / "encoder" / "MODEL_CARD.md").read_text("utf-8")
    row = next(line for line in card.splitlines() if line.startswith("| sample company"))
    wanted = row.split("|")[2].split()[0].split("/")
    for measured, told in zip(found, wanted, strict=True):
        assert float(measured) == pytest.approx(float(told), abs=NOISE)
