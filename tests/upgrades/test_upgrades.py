"""What an earlier version wrote opens, is brought up beside a copy, or is refused by a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor import answers, schema
from tailor import run as runs
from tailor.answers import AnswerStore, Call, Fact
from tailor.assistant import Answer, Ask, Turn
from tailor.documents import enrichments, generation, store
from tailor.documents.corpus import documents
from tailor.documents.document import Place
from tailor.documents.enrichers.enricher import Finding
from tailor.documents.generation import Manifest
from tailor.documents.passages import Passage, Splitter
from tailor.documents.store import EmbeddingCache, database
from tailor.errors import NewerVersion, TailorError, UsageError
from tailor.preferences import preferences
from tailor.run import Run, State, Step, newest_runs, unreadable_runs
from tailor.schema import Schema
from tailor.serving import kept
from tailor.serving.kept import Served
from tailor.stages import Prompting
from tailor.training import adapters, before_after, gate, job
from tailor.training.adapters import Adapter
from tailor.training.hosted import record
from tailor.training.hosted.record import Event, HostedJob, hosted_jobs
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

VERSIONS = sorted(p.name.removesuffix(".tar.gz") for p in Path(__file__).parent.glob("*.tar.gz"))
SCHEMAS: Mapping[str, Schema] = {
    "answers.db": answers.SCHEMA,
    "documents.db": store.DOCUMENTS,
    "embeddings.db": store.EMBEDDINGS,
    "enrichments.db": enrichments.SCHEMA,
    "served.db": kept.SCHEMA,
}
OLDER = {
    "answers.db": "DROP TABLE facts; DROP TABLE scores; DROP TRIGGER answers_INSERT; "
    "DROP TRIGGER answers_UPDATE; DROP TRIGGER answers_DELETE;",
    "documents.db": "CREATE TABLE old (path TEXT PRIMARY KEY, sha256 TEXT, size INTEGER, "
    "mtime_ns INTEGER, status TEXT, reason TEXT, text TEXT, places TEXT, language TEXT, "
    "version INTEGER) WITHOUT ROWID; INSERT INTO old SELECT path, sha256, size, mtime_ns, status, "
    "reason, text, places, language, version FROM documents; DROP TABLE documents; "
    "ALTER TABLE old RENAME TO documents;",
    "served.db": "DROP TABLE feedback;",
}
"""What makes of a store of today one as it was before it had all its tables and columns."""


def use(workspace: Workspace, name: str) -> object:
    """Whatever reads this store first."""
    if name == "answers.db":
        with closing(AnswerStore(workspace.state / name)) as found:
            return found.count()
    if name == "documents.db":
        return documents(workspace.state)
    if name == "served.db":
        return kept.served(workspace)
    made = {"embeddings.db": EmbeddingCache, "enrichments.db": enrichments.EnrichmentStore}
    with database(workspace.state / name) as connection:
        return made[name](connection) and name


def change(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


@pytest.mark.parametrize("name", VERSIONS)
def test_what_a_version_left_is_all_there(left: Callable[[str], Workspace], name: str) -> None:
    workspace = left(name)
    assert workspace.ingest().embedded == 0
    rows = newest_runs(workspace)
    assert [run.row for run in rows] == ["prompting", "few_shot", "retrieval"]
    assert [run.state().status for run in rows] == ["complete"] * 3
    assert [run.scored("test").values("exact_match") for run in rows] == [{"s1": 1, "s2": 1}] * 3
    # The server is not there: what is asked again would be an error.
    (again,) = workspace.climb([Prompting("Be brief.")])
    assert (again.id, again.state().errors) == (rows[0].id, 0)
    assert again.answers() == rows[0].answers()
    assert workspace.search("paid leave", k=1)[0].document == "hr/leave.md"
    assert workspace.search("thủ kho là ai", k=1)[0].document == "kho/lanh.txt"
    assert [(one.question, one.text) for one in kept.served(workspace)] == [
        ("How many days?", "12 days")
    ]
    assert [one.correction for one in kept.feedbacks(workspace)] == ["12 days of paid leave"]
    assert [(one.chosen.text, one.rejected.text) for one in preferences(workspace.knowledge)] == [
        ("12 days", "many")
    ]
    assert [one.name for one in adapters.adapters(workspace)] == ["first"]
    assert [one.model for one in hosted_jobs(workspace.state)] == ["model-1:acme"]
    assert [question.id for question in workspace.training] == ["l1"]
    assert not list(workspace.state.glob("*.db.v*"))  # nothing in them had to be changed


@pytest.mark.parametrize("name", VERSIONS)
def test_a_row_that_retrieves_is_put_together_again(
    left: Callable[[str], Workspace], name: str
) -> None:
    workspace = left(name)
    workspace.ingest()
    run = newest_runs(workspace)[-1]
    prompt = run.assistant().prompt(Ask("Ai là thủ kho ở Hải Phòng?"))
    assert [passage.document for passage in prompt.passages] == ["kho/lanh.txt"]


@pytest.mark.parametrize("name", sorted(OLDER))
def test_an_older_store_is_copied_and_brought_up(old: Workspace, name: str) -> None:
    path = old.state / name
    before = use(old, name)
    change(path, f"{OLDER[name]} PRAGMA user_version = 0;")
    older = dump(path)
    assert use(old, name) == before
    assert version(path) == SCHEMAS[name].version
    copy = path.with_name(f"{name}.v0")
    assert dump(copy) == older
    taken = copy.stat().st_mtime_ns
    use(old, name)
    assert copy.stat().st_mtime_ns == taken


def test_facts_and_scores_of_an_older_store_are_made_again(old: Workspace) -> None:
    change(old.state / "answers.db", f"{OLDER['answers.db']} PRAGMA user_version = 0;")
    run = newest_runs(old)[0]
    assert {id: fact.outcome for id, fact in run.facts("test").items()} == {"s1": "ok", "s2": "ok"}
    assert run.scored("test").values("f1") == {"s1": 1, "s2": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_killed_while_it_is_brought_up_it_is_brought_up_next_time(old: Workspace) -> None:
    path = old.state / "documents.db"
    before = use(old, "documents.db")
    change(path, f"{OLDER['documents.db']} PRAGMA user_version = 0;")
    process = os.fork()
    if not process:
        with closing(sqlite3.connect(path)) as connection:
            connection.set_trace_callback(
                lambda sql: os.kill(os.getpid(), 9) if "user_version = 1" in sql else None
            )
            store.DOCUMENTS.prepare(connection)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    assert path.with_name("documents.db.v0").exists()
    assert version(path) == 0
    assert use(old, "documents.db") == before
    assert version(path) == 1


def test_without_room_for_the_copy_nothing_is_changed(old: Workspace) -> None:
    path = old.state / "documents.db"
    change(path, f"{OLDER['documents.db']} PRAGMA user_version = 0;")
    path.with_name("documents.db.v0.part").mkdir()
    before = dump(path)
    with pytest.raises(TailorError, match=r"documents\.db is of an older version and cannot be"):
        documents(old.state)
    assert (dump(path), version(path)) == (before, 0)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_newer_store_is_refused_and_left_alone(old: Workspace, name: str) -> None:
    use(old, name)
    path = old.state / name
    change(path, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 99;")
    change(path, "PRAGMA wal_checkpoint(TRUNCATE);")
    before = path.read_bytes()
    with pytest.raises(NewerVersion, match=rf"{name} was written by a newer version .*format 99"):
        use(old, name)
    assert path.read_bytes() == before
    assert not path.with_name(f"{name}.v99").exists()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("answers.db", ("run", "prompting")),
        ("answers.db", ("compare",)),
        ("documents.db", ("ingest",)),
        ("embeddings.db", ("ingest",)),
        ("served.db", ("monitor",)),
    ],
)
def test_the_command_says_what_to_do(
    old: Workspace, tailor: Command, name: str, command: tuple[str, ...]
) -> None:
    change(old.state / name, "PRAGMA user_version = 99;")
    (old.knowledge / "new.md").write_text("# New\n\nSomething to embed.\n", "utf-8")
    ended = tailor(*command, "-w", old.root)
    assert ended.code == 1
    assert f"{name} was written by a newer version of Tailor" in ended.sentence


def test_another_programs_database_is_no_store(tmp_path: Path) -> None:
    change(tmp_path / "answers.db", "CREATE TABLE songs (name TEXT);")
    with pytest.raises(TailorError, match=r"damaged .*holds other tables: songs"):
        AnswerStore(tmp_path / "answers.db")
    change(tmp_path / "answers.db", "DROP TABLE songs; CREATE TABLE calls (key TEXT);")
    with pytest.raises(TailorError, match=r"damaged .*lacks calls\.reply, calls\.request"):
        AnswerStore(tmp_path / "answers.db")


# files in JSON


def newer(path: Path, name: str = "schema_version") -> None:
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**told, name: 99, "hue": "blue"}), "utf-8")


def test_a_newer_record_is_named_and_nothing_of_it_is_dropped(
    old: Workspace, tailor: Command
) -> None:
    old.ingest()
    few_shot = next(run for run in newest_runs(old) if run.row == "few_shot")
    newer(old.state / "runs" / few_shot.id / "record.json")
    assert unreadable_runs(old) == (few_shot.id,)
    assert [run.row for run in newest_runs(old)] == ["prompting", "retrieval"]
    shown = tailor("compare", "-w", old.root)
    assert f"left out: {few_shot.id}: record.json" in shown.err
    assert "newer version of Tailor" in shown.err
    cleaned = old.clean()
    assert not [item for item in cleaned.items if item.kind == "artifact"]
    assert few_shot.id in cleaned.kept[0]


def test_newer_files_of_trainings_are_refused(old: Workspace) -> None:
    (adapter,) = adapters.adapters(old)
    for file, read in (
        (adapter.place / gate.FILE, lambda: gate.read(adapter)),
        (adapter.place / before_after.FILE, lambda: before_after.read(adapter)),
        (adapter.folder / adapters.DESCRIPTION, lambda: adapters.adapters(old)),
        (old.state / "training" / "new" / "job.json",
         lambda: job.opened(old.state / "training" / "new")),
        (next((old.state / "training" / "hosted").glob("*.json")), lambda: hosted_jobs(old.state)),
    ):  # fmt: skip
        newer(file)
        with pytest.raises(NewerVersion, match=f"{file.name} was written by a newer version"):
            read()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("format", [1, 99])
def test_an_index_of_another_format_is_built_anew(old: Workspace, format: int) -> None:
    old.ingest()
    folder = generation.current(old.state)
    assert folder is not None
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": format}), "utf-8")
    with pytest.raises(TailorError, match=rf"another version of Tailor \(format {format}"):
        Workspace(old.root).search("paid leave")
    assert old.ingest().embedded == 0
    assert Workspace(old.root).search("paid leave", k=1)[0].document == "hr/leave.md"


def test_a_setting_of_a_newer_version_is_refused_by_name(old: Workspace) -> None:
    with (old.root / "tailor.toml").open("a", encoding="utf-8") as file:
        file.write("[stages.prompting]\nclairvoyance = true\n")
    with pytest.raises(UsageError, match="clairvoyance"):
        Workspace(old.root).stage("prompting")
    (old.root / "tailor.toml").write_text('oracle = "yes"\n', "utf-8")
    with pytest.raises(TailorError, match="oracle"):
        Workspace(old.root)


# what later changes must not forget


def shape(*parts: object) -> str:
    """A short digest of tables and of the fields of what is kept as JSON."""
    told = [part if isinstance(part, str) else [f.name for f in fields(part)] for part in parts]  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


def shapes() -> dict[str, tuple[int, str]]:
    table = {name: sql.tables + sql.derived for name, sql in SCHEMAS.items()}
    kinds: dict[str, tuple[object, ...]] = {
        "answers.db": (Call, Answer, Passage, Fact),
        "documents.db": (Place,),
        "enrichments.db": (Finding,),
        "served.db": (Served, Turn, Passage),
    }
    found = {
        name: (own.version, shape(table[name], *kinds.get(name, ())))
        for name, own in SCHEMAS.items()
    }
    return found | {
        "record.json": (runs.RECORD_VERSION, shape(Run, Step, State)),
        "adapter.json": (adapters.VERSION, shape(Adapter)),
        "hosted": (record.VERSION, shape(HostedJob, Event)),
        "manifest.json": (generation.FORMAT, shape(Manifest, Splitter)),
    }


def test_what_is_written_otherwise_has_another_version() -> None:
    """Where this fails: raise that version, bring older stores up, keep a fixture, then pin it."""
    pinned = json.loads(Path(__file__).with_name("shapes.json").read_text("utf-8"))
    assert {name: list(pair) for name, pair in shapes().items()} == pinned


def test_the_statements_of_a_script_are_all_found() -> None:
    for own in SCHEMAS.values():
        with (
            closing(sqlite3.connect(":memory:")) as whole,
            closing(sqlite3.connect(":memory:")) as one,
        ):
            whole.executescript(own.tables)
            for statement in schema._statements(own.tables):
                one.execute(statement)
            assert list(one.iterdump()) == list(whole.iterdump())
