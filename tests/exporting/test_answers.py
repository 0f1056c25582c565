"""Two machines' rows meet in one comparison: digests are checked, and nothing is asked again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.errors import NotApplicable, TailorError, UsageError
from tailor.ladder import climb
from tailor.run import compare
from tailor.stages import Prompting, Retrieval
from tailor.testing import Messages, OpenAIServer
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

Make = Callable[[Path], Workspace]
Here = tuple[Workspace, OpenAIServer]


def _ready(root: Path, make: Make, url: str, model: str) -> Workspace:
    make(root)
    (root / "tailor.toml").write_text(f'model = "{model}"\nbase_url = "{url}"\n', "utf-8")
    workspace = Workspace(root)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory,
    company: tuple[Make, Callable[[Messages], str]],
) -> Path:
    """What another machine has exported: two rows of a model that it alone has."""
    home = tmp_path_factory.mktemp("there")
    make, right = company
    with OpenAIServer(right) as server:
        os.environ["OPENAI_API_KEY"] = "sk-proj-" + "a1B2" * 10
        try:
            workspace = _ready(home / "acme", make, server.url, "openai:large")
            climb(workspace, [Prompting(), Retrieval(k=2)])
            workspace.export_answers(home / "answers.jsonl", name="gpu-box")
        finally:
            del os.environ["OPENAI_API_KEY"]
    return home / "answers.jsonl"


@pytest.fixture
def here(tmp_path: Path, company: tuple[Make, Callable[[Messages], str]]) -> Iterator[Here]:
    """A workspace with the same questions and documents, which has answered nothing."""
    with OpenAIServer(lambda messages: "Blue Heron") as server:
        yield _ready(tmp_path / "here", company[0], server.url, "openai:small"), server


@pytest.fixture
def bare(tmp_path: Path, company: tuple[Make, Callable[[Messages], str]]) -> Workspace:
    """The same questions; nothing is ingested."""
    return company[0](tmp_path / "bare")


def _rewritten(file: Path, to: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """The file with other values, whole and with the right digest at its end."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()][:-1]
    change(lines)
    raw = "".join(json.dumps(line) + "\n" for line in lines)
    end = {"kind": "end", "sha256": hashlib.sha256(raw.encode()).hexdigest()}
    to.write_text(raw + json.dumps(end) + "\n", "utf-8")
    return to


def test_rows_of_two_machines_stand_in_one_comparison(
    exported: Path, here: Here, tailor: Command
) -> None:
    workspace, server = here
    climb(workspace, [Prompting()])
    asked = len(server.requests)
    assert asked == 10

    done = tailor("import", "answers", exported, "-w", workspace.root, "--json").json
    assert done["rows"] == ["prompting@openai:large@gpu-box", "retrieval@openai:large@gpu-box"]
    assert (done["origin"], done["answers"], done["new"]) == ("gpu-box", 20, 20)

    workspace = Workspace(workspace.root)
    result = compare(workspace.runs())
    told = {(row.row, row.model): row for row in result.rows}
    theirs = told["prompting", "openai:large@gpu-box"]
    assert told.keys() == {
        ("prompting", "openai:small"),
        ("prompting", "openai:large@gpu-box"),
        ("retrieval", "openai:large@gpu-box"),
    }
    ours = told["prompting", "openai:small"]
    assert theirs.primary
    assert ours.primary
    assert theirs.primary.mean == 1.0 > ours.primary.mean
    assert theirs.input_tokens > 0
    step = told["retrieval", "openai:large@gpu-box"].step
    assert step
    assert step.row == "prompting"
    assert len(server.requests) == asked  # nothing was asked again
    pair = tailor("compare", "prompting@openai:small", "prompting@openai:large@gpu-box",
                  "-w", workspace.root)  # fmt: skip
    assert pair.code == 0, pair.err

    imported = next(run for run in workspace.runs() if run.row == "retrieval")
    assert (imported.origin, imported.stale()) == ("gpu-box", "")
    assert imported.answers("test")["s5"].passages[0].document
    assert result.winner.model == "openai:small"  # what cannot be served here is not chosen
    with pytest.raises(NotApplicable, match="has answers only"):
        imported.assistant()
    (workspace.knowledge / "new.txt").write_text("The canteen opens at noon.", "utf-8")
    workspace.ingest()
    assert "documents" in Workspace(workspace.root).runs()[-1].stale()


def test_imported_twice_is_the_same_once(exported: Path, bare: Workspace) -> None:
    bare.ingest()
    first = bare.import_answers(exported)
    before = {p: p.read_bytes() for p in sorted((bare.state / "runs").rglob("*.json"))}
    again = bare.import_answers(exported)
    assert (first.new, again.new, again.answers) == (20, 0, 20)
    assert {p: p.read_bytes() for p in sorted((bare.state / "runs").rglob("*.json"))} == before
    assert bare.answers.count() == (0, 20)
    other = bare.import_answers(exported, name="another box")
    assert (other.new, len(bare.runs())) == (20, 4)
    left = bare.root / "again.jsonl"
    with pytest.raises(TailorError, match=r"came from gpu-box: export it there"):
        bare.export_answers(left, ["prompting@openai:large@gpu-box"])
    with pytest.raises(TailorError, match="no row to export"):
        bare.export_answers(left)
    assert not left.exists()


def test_the_file_holds_no_key_call_or_place_of_its_machine(exported: Path) -> None:
    text = exported.read_text("utf-8")
    assert "Blue Heron" in text
    home = exported.parent
    assert not [x for x in ("sk-proj", str(home), "127.0.0.1", '"call": "', "messages")
                if x in text.replace('"call": ""', "")]  # fmt: skip


def test_other_questions_and_other_documents_are_refused(exported: Path, bare: Workspace) -> None:
    with pytest.raises(TailorError, match="none are ingested here: run `tailor ingest`"):
        bare.import_answers(exported)
    (bare.knowledge / "new.txt").write_text("The canteen opens at noon.", "utf-8")
    bare.ingest()
    with pytest.raises(TailorError, match="searched other documents"):
        bare.import_answers(exported)
    file = bare.knowledge / "benchmark.jsonl"
    file.write_text(file.read_text("utf-8").replace("Blue Heron", "Grey Heron"), "utf-8")
    with pytest.raises(TailorError, match="answers to another benchmark"):
        Workspace(bare.root).import_answers(exported)
    assert Workspace(bare.root).runs() == []


def _first(kind: str, **values: Any) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        next(line for line in lines if line["kind"] == kind).update(values)

    return change


def _answer(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        next(line for line in lines if line["kind"] == "answer")["answer"].update(values)

    return change


HOSTILE: dict[str, Callable[[list[dict[str, Any]]], None]] = {
    "a row that leads elsewhere": _first("row", row="../../evil"),
    "a previous row that leads elsewhere": _first("row", previous="../evil"),
    "a fingerprint that leads elsewhere": _first("row", fingerprint="../../../etc/passwd"),
    "no lineage": _first("row", lineage=[]),
    "a stage that is code": _first(
        "row", lineage=[{"row": "x", "stage": "os.system('x')", "settings": {}}]
    ),
    "a model that steers the terminal": _first("row", model="\x1b[2Jopenai:large"),
    "an unknown key": _first("row", artifacts=["../../x"]),
    "a billion repeats": _first("row", repeats=10**9),
    "a number of a thousand digits": _first("row", seconds=10**400),
    "a negative cost": _answer(cost_usd=-1.0),
    "a cost that is a text": _answer(cost_usd="free"),
    "no outcome": _answer(outcome="great"),
    "half a character": _answer(text="\ud800"),
    "passages that are none": _answer(passages=[{"document": "x"}]),
    "a passage that runs backwards": _answer(
        passages=[{"document": "x", "start": 9, "end": 1, "text": ""}]
    ),
    "a question that is not there": _first("answer", question="s99"),
    "a repeat that was not asked": _first("answer", repeat=3),
    "an answer too few": lambda lines: lines.pop(),
    "an answer twice": lambda lines: lines.append(lines[-1]),
    "a name that steers the terminal": _first("head", origin="\x1b[2J"),
    "no head": lambda lines: lines.pop(0),
    "two heads": lambda lines: lines.append(lines[0]),
    "no row": lambda lines: lines.__delitem__(slice(1, None)),
    "a newer version": _first("head", schema_version=99),
    "documents that are not said": _first("head", documents=None),
}


def test_hostile_files_are_refused_by_a_sentence(
    exported: Path, bare: Workspace, tmp_path: Path
) -> None:
    bare.ingest()
    for name, change in HOSTILE.items():
        file = _rewritten(exported, tmp_path / "hostile.jsonl", change)
        with pytest.raises(TailorError) as refused:
            bare.import_answers(file)
        assert str(refused.value).isprintable(), name
    whole = exported.read_bytes()
    lines = whole.splitlines(keepends=True)
    for raw in (b"", whole[:200], whole[: len(whole) // 2], b"".join(lines[:-1]), lines[-1],
                whole.replace(b"Blue Heron", b"Grey Heron"), whole + b"{}\n", b"\x00" * 99,
                b"[" * 100_000 + b"\n", b'{"kind": ["head"]}\n', b"PK\x03\x04\n"):  # fmt: skip
        (tmp_path / "cut.jsonl").write_bytes(raw)
        with pytest.raises(TailorError, match=r"no answers that|ends in the middle"):
            bare.import_answers(tmp_path / "cut.jsonl")
    with pytest.raises(TailorError, match="see to its path"):
        bare.import_answers(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="cannot mark rows"):
        bare.import_answers(exported, name="a@b")
    assert not list((bare.state / "runs").glob("*"))
    assert bare.answers.count() == (0, 0)


def test_what_an_import_says_never_counts_as_an_answer_of_this_machine(
    exported: Path, here: Here
) -> None:
    """A file that names the very assistant of this workspace does not spare it a question."""
    workspace, server = here
    workspace.import_answers(exported)
    fingerprints = {run.fingerprint for run in workspace.runs()}
    workspace.config = workspace.config.with_values({"model": "openai:large"}, "test")
    own = climb(workspace, [Prompting()])[0]
    assert len(server.requests) == 10
    assert own.fingerprint not in fingerprints
    assert len(workspace.runs()) == 3
