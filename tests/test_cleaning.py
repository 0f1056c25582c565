"""What ``tailor clean`` drops and keeps; a copy of the folder is a backup."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tailor.documents import generation
from tailor.errors import TailorError
from tailor.workspace import Workspace

QUESTION = "How many days of paid annual leave?"


def change(workspace: Workspace) -> None:
    path = workspace.knowledge / "hr" / "leave.md"
    path.write_text(path.read_text("utf-8") + "\nLeave lapses at the end of March.\n", "utf-8")


def paths(workspace: Workspace, drop: bool = False) -> list[tuple[str, str]]:
    return [(item.kind, item.path) for item in workspace.clean(drop).items]


def test_nothing_to_clean(workspace: Workspace) -> None:
    assert workspace.clean().items == ()
    workspace.ingest()
    assert workspace.clean(drop=True).items == ()
    assert workspace.search(QUESTION)


def test_former_generations_go_and_open_readers_go_on(workspace: Workspace) -> None:
    old = workspace.ingest().generation
    reader = Workspace(workspace.root)
    assert "12 days" in reader.search(QUESTION)[0].text
    change(workspace)
    new = workspace.ingest().generation
    assert new != old
    shown = workspace.clean()
    assert [(item.kind, item.path) for item in shown.items] == [("generation", f"index/{old}")]
    assert shown.bytes > 1000
    assert not shown.dropped
    assert (workspace.state / "index" / old).exists()
    dropped = workspace.clean(drop=True)
    assert dropped.dropped
    assert not (workspace.state / "index" / old).exists()
    assert "12 days" in reader.search(QUESTION)[0].text
    assert "March" in Workspace(workspace.root).search("When does leave lapse?")[0].text
    assert workspace.clean().items == ()


def test_leftovers_of_crashes_and_logs(workspace: Workspace) -> None:
    workspace.ingest()
    for folder in ("index/.building-0123456789abcdef", "artifacts/building-xyz", "logs"):
        (workspace.state / folder).mkdir(parents=True)
        (workspace.state / folder / "file").write_bytes(b"x" * 10)
    found = workspace.clean(drop=True)
    assert [(item.kind, item.path, item.bytes) for item in found.items] == [
        ("leftover", "artifacts/building-xyz", 10),
        ("leftover", "index/.building-0123456789abcdef", 10),
        ("log", "logs/file", 10),
    ]
    assert paths(workspace) == []


def test_artifacts_and_generations_that_rows_use_are_kept(
    configure: Callable[..., Workspace],
) -> None:
    hosted = configure(ladder=["prompting", "retrieval", "retrieval_tuning"])
    hosted.ingest()
    settings = {"sizes": (40, 60), "weights": (0.0, 1.0), "ks": (1, 2)}
    stages = [
        hosted.stage("prompting"),
        hosted.stage("retrieval"),
        hosted.stage("retrieval_tuning", settings),
    ]
    runs = hosted.climb(stages)
    fingerprint = runs[-1].assistant().fingerprint
    used = [path for path in (hosted.state / "artifacts").iterdir() if path.is_dir()]
    assert len(used) == 2  # what was searched, and how many passages were chosen
    (hosted.state / "artifacts" / "adapter-unused").mkdir()
    cleaned = Workspace(hosted.root).clean(drop=True)
    artifacts = [item.path for item in cleaned.items if item.kind == "artifact"]
    assert artifacts == ["artifacts/adapter-unused"]
    assert all(path.is_dir() for path in used)
    assert len(generation.generations(hosted.state)) <= 2
    opened = Workspace(hosted.root)
    assert opened.runs()[-1].assistant().fingerprint == fingerprint
    assert opened.runs()[-1].assistant().retriever.invoke(QUESTION)


def test_a_run_that_goes_on_keeps_artifacts_and_logs(workspace: Workspace) -> None:
    workspace.ingest()
    (workspace.state / "artifacts" / "adapter-abc").mkdir(parents=True)
    with FileLock(workspace.state / "run.lock"):
        cleaned = workspace.clean(drop=True)
    assert cleaned.items == ()
    assert cleaned.kept == ("Artifacts and logs are left alone: a run is going on.",)
    assert paths(workspace) == [("artifact", "artifacts/adapter-abc")]


def test_not_while_documents_are_ingested(workspace: Workspace) -> None:
    workspace.ingest()
    with generation.lock(workspace.state), pytest.raises(TailorError, match="is writing the index"):
        workspace.clean()


def test_a_copy_of_the_folder_is_a_backup(workspace: Workspace, tmp_path: Path) -> None:
    name = workspace.ingest().generation
    backup = tmp_path / "elsewhere" / "backup"
    shutil.copytree(workspace.root, backup)
    shutil.rmtree(workspace.root)
    restored = Workspace(backup)
    assert "12 days" in restored.search(QUESTION)[0].text
    again = restored.ingest()
    assert again.generation == name
    assert again.embedded == 0
    assert {file.status for file in again.files} == {"unchanged"}


def test_without_tailor_the_same_generation_is_built(workspace: Workspace) -> None:
    name = workspace.ingest().generation
    before = [(p.document, p.start, p.end) for p in workspace.index().passages()]
    shutil.rmtree(workspace.state)
    fresh = Workspace(workspace.root)
    assert fresh.ingest().generation == name
    assert [(p.document, p.start, p.end) for p in fresh.index().passages()] == before
