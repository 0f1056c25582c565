"""Benchmark files, tables to import and tailor.toml, made wrong: one sentence, or right.

``TAILOR_FUZZ=50`` tries 50 times as many.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutation import changed, mutated
from seeds import Seed

from tailor.benchmark import Benchmark, read
from tailor.benchmarking.importing import import_questions, preview
from tailor.config import Config
from tailor.config_file import change
from tailor.errors import TailorError
from tailor.workspace import Workspace

TIMES = int(os.environ.get("TAILOR_FUZZ", "1"))
quick = settings(max_examples=150 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))

LINES = "".join(
    json.dumps(line, ensure_ascii=False) + "\n"
    for line in (
        {
            "id": "a",
            "question": "How many days of leave?",
            "answer": "12 days",
            "split": "dev",
            "evidence": [{"document": "hr/leave.md", "quote": "12 days"}],
            "tags": ["hr"],
        },
        {"id": 7, "question": "Nghỉ mấy ngày?", "answer": ["12", "12 ngày"], "lang": "vi"},
        {"question": "Is there a dog?", "answer": None, "status": "draft", "format": "[a-z]+"},
        {"id": "d", "question": "What does it cost?", "answer": 1480.5, "split": "test"},
    )
)
SQUAD = {
    "data": [
        {
            "title": "Cold_store",
            "paragraphs": [
                {
                    "context": "The store is old. It is kept at 4 degrees.",
                    "qas": [
                        {
                            "id": "s1",
                            "question": "How cold?",
                            "answers": [{"text": "4 degrees", "answer_start": 32}],
                        },
                        {"id": "s2", "question": "Who built it?", "answers": []},
                    ],
                }
            ],
        }
    ]
}
NQ = {
    "annotations": [
        {
            "long_answer": {"start_token": 0, "end_token": 3},
            "short_answers": [{"start_token": 1, "end_token": 2}],
            "yes_no_answer": "NO",
        }
    ],
    "question_text": "who wrote it",
    "document_text": "<P> Anh wrote it </P>",
    "example_id": 5,
    "document": {"tokens": {"token": ["Anh"], "is_html": [False]}, "title": "T"},
}
TATQA = {
    "table": {"table": [["", "2026"], ["Sales", "12"]]},
    "paragraphs": [{"text": "In millions."}],
    "questions": [
        {
            "uid": "q",
            "question": "Sales?",
            "answer": ["12"],
            "scale": "million",
            "answer_type": "span",
            "answer_from": "table",
        }
    ],
}
COLUMNS = [
    {"question": "How cold?", "answer": "4", "context": "It is 4.", "split": "dev", "tags": "a"},
    {"question": "Mấy ngày?", "answer": '["12", "12 ngày"]', "context": "", "split": "train"},
]
TABLES = {
    "a.json": json.dumps(SQUAD).encode(),
    "nq.jsonl": f"{json.dumps(NQ)}\n".encode() * 2,
    "tat.json": json.dumps([TATQA]).encode(),
    "b.json": json.dumps({"data": COLUMNS}).encode(),
    "b.jsonl": "".join(json.dumps(one) + "\n" for one in COLUMNS).encode(),
    "b.csv": b'question,answer,split\nHow cold?,4,dev\n"Who, then?","An ""B""",test\n',
    "b.tsv": b"question\tanswer\nHow cold?\t4\n",
}
TOML = b"""
model = "openai:double"
base_url = "http://127.0.0.1:8000/v1"
temperature = 0.5
concurrency = 4
passage_size = 400
passage_overlap = 40
max_cost = 1.5
ladder = ["prompting", "few_shot:2", "retrieval"]
answer_pattern = "[0-9]+ days"
trusted_hosts = ["acme.example"]
[stages.retrieval]
k = 5
[goal]
purpose = "Answer"
score = 0.8
[serve]
port = 8000
hosts = ["ask.acme.example"]
timeout = 1e3
[prices."openai:double"]
input = 1
output = 2.5
[collections.hr]
folders = ["hr"]
since = "2026-01-01"
weight = 2
[builds_on]
retrieval = "best"
[items]
good_within = [40, 0.2]
[trusted_code]
"org/name" = "0123456789012345678901234567890123456789"
[enrich.people]
task = "entities"
model = "org/name"
[sources.wiki]
loader = "NotionDirectoryLoader"
arguments = { path = "./x" }
"""


def sentence(error: TailorError) -> None:
    """What people read: one paragraph, no traceback, not the whole file."""
    said = str(error)
    assert said.strip()
    assert "Traceback" not in said
    assert len(said) < 3000, said[:300]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("ws")
    (root / "knowledge").mkdir()
    return Workspace(root)


def taken(path: Path) -> None:
    """A benchmark file is read, its lines named where they are no questions."""
    try:
        lines, problems = read(path)
        assert all(problem.message for problem in problems)
        benchmark = Benchmark.of(path, lines, problems)
        assert all(
            q.question and isinstance(a, str) for q in benchmark.questions for a in q.answers
        )
        assert len(benchmark.digest) > 8
    except TailorError as error:
        sentence(error)


def imported(workspace: Workspace, path: Path, n: int) -> bool:
    """A table is taken into the benchmark, which is whole before and after."""
    preset = (None, "squad", "nq", "tatqa")[n % 7 % 4]
    try:
        preview(str(path))
        import_questions(workspace, str(path), mode="replace", preset=preset, documents=n % 3 == 0)
    except TailorError as error:
        sentence(error)
        return False
    lines, problems = read(workspace.knowledge / "benchmark.jsonl")
    assert lines
    assert not problems
    return True


def test_benchmark_files(tmp_path: Path) -> None:
    path = tmp_path / "benchmark.jsonl"
    for n in range(300 * TIMES):
        path.write_bytes(changed(LINES.encode(), [TOML], Random(f"benchmark-{n}")))
        told(taken, n, path)


def test_tables_to_import(empty: Workspace, tmp_path: Path) -> None:
    names = sorted(TABLES)
    others = [*TABLES.values()]
    brought = 0
    for n in range(300 * TIMES):
        random = Random(f"table-{n}")
        name = names[n % len(names)]
        path = tmp_path / name
        path.write_bytes(changed(TABLES[name], [random.choice(others)], random))
        brought += told(imported, n, empty, path, n)
    assert brought > 30  # most damage is small


def test_workbooks_to_import(empty: Workspace, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["question", "answer"], ["How cold?", 4], ["When?", datetime.date(2026, 1, 1)]):
        book.active.append(row)  # type: ignore[union-attr]
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        seed = Seed("a.xlsx", stream.getvalue(), {n: archive.read(n) for n in archive.namelist()})
    for n in range(100 * TIMES):
        (tmp_path / "a.xlsx").write_bytes(mutated(seed, [seed], Random(f"book-{n}")))
        told(imported, n, empty, tmp_path / "a.xlsx", 1)


def test_settings_mutated(tmp_path: Path) -> None:
    path = tmp_path / "tailor.toml"
    for n in range(400 * TIMES):
        path.write_bytes(changed(TOML, [LINES.encode()], Random(f"toml-{n}")))
        told(configured, n, path)


def configured(path: Path) -> None:
    """The settings are read or refused; what the page of settings writes keeps them."""
    before = path.read_bytes()
    try:
        config = Config.load(path)
    except TailorError as error:
        sentence(error)
        return
    assert change(path, {"concurrency": config.concurrency + 1}).concurrency == (
        config.concurrency + 1
    )
    assert replace(Config.load(path), concurrency=config.concurrency) == config
    assert path.read_bytes() != before


def told(call: Callable[..., Any], n: int, *given: Any) -> Any:
    """Name the number that makes the same input again, where one fails."""
    try:
        return call(*given)
    except Exception as error:
        raise AssertionError(f"input {n}: {type(error).__name__}: {error}") from error


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "shipped", "x:y", "1e999", "9" * 5000, 10**400, -0.0, "²", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from([field.name for field in fields(Config)])
INNER = st.sampled_from(
    [
        "k",
        "score",
        "path",
        "text",
        "port",
        "hosts",
        "timeout",
        "folders",
        "since",
        "weight",
        "task",
        "model",
        "loader",
        "arguments",
        "good_within",
        "input",
        "output",
        "purpose",
        "fields",
        "labels",
        "size",
    ]
)


@quick
@given(
    st.dictionaries(
        KEYS,
        VALUES
        | st.dictionaries(INNER, VALUES)
        | st.dictionaries(
            st.text(max_size=5), st.dictionaries(INNER, VALUES, max_size=3), max_size=2
        ),
        max_size=4,
    )
)
def test_settings_of_any_kind(values: dict[str, Any]) -> None:
    try:
        config = Config().with_values(values, "tailor.toml")
    except TailorError as error:
        sentence(error)
    else:
        assert Config().with_values(values, "tailor.toml") == config or "nan" in repr(values)


LINE = st.fixed_dictionaries(
    {},
    optional={
        key: VALUES | st.sampled_from(["a", "What is it?", ["x"], "dev", "[a"])
        for key in (
            "id",
            "question",
            "answer",
            "evidence",
            "lang",
            "tags",
            "split",
            "format",
            "status",
        )
    },
)


@quick
@given(line=LINE)
def test_lines_of_any_kind(line: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "line.jsonl"
    given = {"question": "Who?", "answer": "An", **line}
    path.write_text(f"{json.dumps(given)}\n{json.dumps(line)}\n", "utf-8")
    taken(path)


ENTRY = st.dictionaries(
    st.sampled_from(
        [
            "question",
            "answer",
            "answers",
            "context",
            "paragraphs",
            "qas",
            "text",
            "table",
            "annotations",
            "document",
            "questions",
            "title",
            "id",
            "split",
            "tags",
            "short_answers",
            "long_answer",
            "yes_no_answer",
            "answer_start",
            "tokens",
        ]
    ),
    VALUES | st.sampled_from([[SQUAD], SQUAD["data"][0]["paragraphs"], [TATQA], NQ["annotations"]]),
    max_size=5,
)


@quick
@given(entries=st.lists(ENTRY, min_size=1, max_size=3), preset=st.integers(0, 6))
def test_entries_of_any_kind(entries: list[dict[str, Any]], preset: int, empty: Workspace) -> None:
    path = empty.root / "entries.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    imported(empty, path, preset)
