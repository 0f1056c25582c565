"""The commands around documents: ingest with its options, search, clean."""

from __future__ import annotations

import json
import re

import pytest

from tailor.cli.clean import size
from tailor.cli.search import marked
from tailor.workspace import Workspace

SECRET = "Wi-Fi password: BlueHeron2024\n"


def test_a_dry_run_writes_nothing(tailor, workspace: Workspace) -> None:
    (workspace.knowledge / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    planned = tailor("ingest", "--dry-run", "-w", workspace.root, "--json").json
    statuses = {file["path"]: file["status"] for file in planned["files"]}
    assert statuses["hr/leave.md"] == "indexed"
    assert statuses["broken.pdf"] == "refused"
    assert not (workspace.state / "documents.db").exists()
    assert not (workspace.state / "index" / "current").exists()
    told = tailor("ingest", "--dry-run", "-w", workspace.root)
    assert told.code == 0
    assert "indexed: hr/leave.md" in told.err
    assert "Nothing was written" in told.err
    done = tailor("ingest", "-w", workspace.root, "--json").json
    assert {file["path"]: file["status"] for file in done["files"]} == statuses
    again = tailor("ingest", "--dry-run", "-w", workspace.root)
    assert "indexed:" not in again.err
    assert tailor("ingest", "--dry-run", "--report", "-w", workspace.root).code == 2


def test_the_report_on_screen_and_as_json(tailor, workspace: Workspace) -> None:
    (workspace.knowledge / "it" / "wifi.md").write_text(SECRET, "utf-8")
    (workspace.knowledge / "hr" / "copy.md").write_bytes(
        (workspace.knowledge / "hr" / "leave.md").read_bytes()
    )
    (workspace.knowledge / "void.txt").touch()
    shown = tailor("ingest", "--report", "-w", workspace.root)
    assert shown.code == 0
    for text in ("Likely secrets: 1 passwords", "it/wifi.md", "The same text", "hr/copy.md",
                 "void.txt", "Write the text into it", "Languages: 4 en, 2 vi"):  # fmt: skip
        assert text in shown.out
    assert "BlueHeron2024" not in shown.out + shown.err
    report = tailor("ingest", "--report", "-w", workspace.root, "--json").json
    assert report["curation"]["schema_version"] == 1
    assert report["curation"]["totals"]["sensitive"] == {"password": 1}
    kept = json.loads((workspace.state / "reports" / "curation.json").read_text("utf-8"))
    assert kept == report["curation"]
    assert "curation" not in tailor("ingest", "-w", workspace.root, "--json").json


def test_refused_files_are_read_again_when_asked_to(tailor, workspace: Workspace) -> None:
    path = workspace.knowledge / "broken.pdf"
    path.write_bytes(b"%PDF-1.7 and then nothing")
    assert tailor("ingest", "-w", workspace.root).code == 0
    retried = tailor("ingest", "--retry", "-w", workspace.root, "--json").json
    statuses = {file["path"]: file["status"] for file in retried["files"]}
    assert statuses["broken.pdf"] == "refused"
    assert statuses["hr/leave.md"] == "unchanged"


def test_files_of_one_reason_are_told_together(tailor, workspace: Workspace) -> None:
    for number in range(12):
        (workspace.knowledge / f"program-{number:02}.exe").write_bytes(b"MZ\x00\x01\x02")
    told = tailor("ingest", "-w", workspace.root)
    (line,) = [line for line in told.err.splitlines() if "program-00.exe" in line]
    assert line.startswith("refused: ")
    assert "program-09.exe and 2 more: " in line


def test_of_many_duplicates_the_first_are_named(tailor, workspace: Workspace) -> None:
    for number in range(13):
        for copy in ("a", "b"):
            name = workspace.knowledge / f"twin-{number:02}{copy}.txt"
            name.write_text(f"Shelf number {number} holds the pumps of the year {1990 + number}.")
    lines = tailor("ingest", "-w", workspace.root).err.splitlines()
    told = [line for line in lines if line.startswith("duplicate: ")]
    assert told[0] == "duplicate: twin-00b.txt: same content as twin-00a.txt"
    assert len(told) == 11
    assert told[-1].startswith("duplicate: 3 more files; --report and --json list them")


def test_stale_questions_are_in_the_report(tailor, workspace: Workspace) -> None:
    path = workspace.knowledge / "hr" / "leave.md"
    path.write_text(path.read_text("utf-8").replace("12 days", "15 days"), "utf-8")
    report = tailor("ingest", "-w", workspace.root, "--json").json
    assert report["stale"] == ['d1: hr/leave.md does not say "12 days of paid annual leave".']


def test_search_shows_place_ranks_and_plain_text_in_a_pipe(tailor, workspace: Workspace) -> None:
    assert tailor("ingest", "-w", workspace.root).code == 0
    found = tailor("search", "nghi phep may ngay", "-k", 2, "-w", workspace.root)
    assert re.search(r"^\[1\] hr/nghi-phep\.md, .*\(meaning \d+, words 1\)$", found.out, re.M)
    assert "nghỉ phép 12 ngày" in found.out
    assert "\x1b" not in found.out


def test_a_terminal_shows_the_words_of_the_question() -> None:
    from rich.console import Console

    console = Console(force_terminal=True, color_system="standard", width=80)
    with console.capture() as capture:
        console.print(marked("nghi phep", "được nghỉ phép 12 ngày"))
    shown = capture.get()
    assert re.search("\x1b\\[[0-9;]+mnghỉ phép\x1b\\[0m", shown)


def test_clean_shows_asks_and_drops(
    tailor, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nothing to delete" in tailor("clean", "-w", workspace.root).err
    old = workspace.ingest().generation
    (workspace.knowledge / "new.md").write_text("Lunch is at noon.\n", "utf-8")
    workspace.ingest()
    shown = tailor("clean", "-w", workspace.root)
    assert shown.code == 0
    assert f"index/{old}" in shown.out
    assert "--yes" in shown.err
    listed = tailor("clean", "-w", workspace.root, "--json").json
    assert [item["path"] for item in listed["items"]] == [f"index/{old}"]
    assert listed["dropped"] is False
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert "Nothing was deleted" in tailor("clean", "-w", workspace.root).err
    assert (workspace.state / "index" / old).exists()
    dropped = tailor("clean", "-w", workspace.root, "--yes", "--json").json
    assert dropped["dropped"] is True
    assert not (workspace.state / "index" / old).exists()
    assert tailor("search", "lunch", "-w", workspace.root).code == 0


def test_sizes() -> None:
    assert [size(n) for n in (0, 1023, 2048, 5 << 20, 3 << 30)] == [
        "0 bytes", "1023 bytes", "2.0 KB", "5.0 MB", "3.0 GB",
    ]  # fmt: skip
