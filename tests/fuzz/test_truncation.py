"""Every file that Tailor writes, cut off: the right value, none at all, or one sentence.

``TAILOR_FUZZ=1000`` with ``--timeout 0`` cuts at every offset, and databases at every page.
"""

from __future__ import annotations

import json
import os
import runpy
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tailor.documents.activity import activity, last_report
from tailor.errors import TailorError
from tailor.preferences import Choice, prefer, preferences
from tailor.run import Run, all_runs, current_run, unreadable_runs
from tailor.serving.pinned import pin, pinned
from tailor.stages import Prompting, Retrieval
from tailor.testing import OpenAIServer
from tailor.workspace import Workspace

TIMES = int(os.environ.get("TAILOR_FUZZ", "1"))
SHARED = runpy.run_path(str(Path(__file__).parents[1] / "conftest.py"))
Opened = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which everything was used once."""
    root = tmp_path_factory.mktemp("made")
    for name, text in list(SHARED["DOCUMENTS"].items())[:3]:
        (root / "knowledge" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "knowledge" / name).write_text(text, "utf-8")
    lines = [
        {"id": id, "split": split, "question": question, "answer": answer, "evidence": []}
        for id, split, question, answer, _, _ in SHARED["LINES"]
    ]
    (root / "knowledge" / "benchmark.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    with OpenAIServer(SHARED["right"], lambda request: None) as server:
        (root / "tailor.toml").write_text(
            f'model = "openai:double"\nbase_url = "{server.url}"\nretries = 0\n', "utf-8"
        )
        workspace = Workspace(root)
        workspace.ingest()
        workspace.climb([Prompting(), Retrieval(k=2)])
        for answer in ("12 days", "30 days"):
            own = Choice("prompting", "openai:double", answer)
            prefer(workspace.knowledge, "How many?", own, Choice("retrieval", "x", "no"))
        pin(workspace.state, "retrieval", "openai:double")
        workspace.artifact("kept", "key", lambda folder: _kept(folder))
        workspace.answers.close()
        yield root


def _kept(folder: Path) -> None:
    (folder / "kept.json").write_text(json.dumps({"weights": [1, 2, 3]}), "utf-8")


def opened(root: Path) -> Opened:
    """What the whole program reads, by part; a sentence in the place of what it refuses."""
    found: Opened = {}

    def part(name: str, read: Callable[[Workspace], Any]) -> None:
        workspace = Workspace(root)
        try:
            found[name] = read(workspace)
        except TailorError:
            found[name] = TailorError
        finally:
            if "answers" in vars(workspace):
                workspace.answers.close()

    part("runs", lambda ws: [(r.id, r.row, r.state().status) for r in all_runs(ws)])
    part("unreadable", unreadable_runs)
    part("current", current_run)
    part("activity", lambda ws: activity(ws.state))
    part("report", lambda ws: (last_report(ws.state) or {}).get("files"))
    part("pinned", lambda ws: pinned(ws.state))
    part("preferred", lambda ws: [p.chosen.text for p in preferences(ws.knowledge)])
    part("searched", lambda ws: [(p.document, p.text) for p in ws.search("paid leave", 2)])
    part("missing", lambda ws: ws.missing_evidence)
    part("quoted", lambda ws: ws.quoted_questions)
    part("scored", lambda ws: [(r.id, told(r)) for r in all_runs(ws)])
    part("artifact", lambda ws: _weights(ws))
    return found


def told(run: Run) -> list[tuple[str, str]]:
    return sorted((id, answer.text) for id, answer in run.answers("test").items())


def _weights(workspace: Workspace) -> Any:
    folder = workspace.artifact("kept", "key", _kept)
    file = folder / "kept.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def files(root: Path) -> list[Path]:
    """Our own text files."""
    own = [*(root / ".tailor").rglob("*"), root / "knowledge" / "preferences.jsonl"]
    kinds = (".json", ".jsonl", "")
    return sorted(
        path.relative_to(root) for path in own
        if path.is_file() and path.suffix in kinds and path.stat().st_size
        and "chroma" not in str(path)
    )  # fmt: skip


def offsets(size: int) -> list[int]:
    """Both ends, and some between."""
    step = max(1, size // (4 * TIMES))
    return sorted({*range(0, size, step), *range(min(size, 2)), *range(max(0, size - 2), size)})


def test_text_files_cut_anywhere(made: Path, tmp_path: Path) -> None:
    whole = opened(made)
    assert [status for *_, status in whole["runs"]] == ["complete"] * 2
    cuts = refused = missing = 0
    for name in files(made):
        content = (made / name).read_bytes()
        (made / name).unlink()
        without = opened(made)
        for at in offsets(len(content)):
            (made / name).write_bytes(content[:at])
            found = opened(made)
            wrong = {
                part: value for part, value in found.items()
                if value not in (whole[part], without[part], TailorError)
                and not allowed(name, part, value, whole[part])
            }  # fmt: skip
            assert not wrong, f"{name} cut at {at} of {len(content)}: {wrong}"
            cuts += 1
            refused += TailorError in found.values()
            missing += found != whole
        (made / name).write_bytes(content)
    assert opened(made) == whole
    print(f"{cuts} cuts of {len(files(made))} files: {refused} refused, {missing} told")  # noqa: T201
    assert refused > 5
    assert missing > refused


def allowed(name: Path, part: str, value: Any, whole: Any) -> bool:
    """Whether it is less than all, and told as that."""
    if name.suffix == ".jsonl":
        return bool(value == whole[: len(value)])  # the lines before
    if part == "unreadable":
        return set(value) <= {name.parent.name}
    if part in ("runs", "scored"):  # without the run whose record is torn, or as interrupted
        return [one for one in whole if one[0] in {v[0] for v in value}] == value or (
            part == "runs" and [v[:2] for v in value] == [w[:2] for w in whole]
            and {v[2] for v in value} == {"complete", "interrupted"}
        )  # fmt: skip
    return False


def test_databases_cut_at_pages(made: Path) -> None:
    whole = opened(made)
    paths = sorted(path for path in (made / ".tailor").rglob("*.db") if "chroma" not in str(path))
    assert len(paths) > 3
    cuts = refused = 0
    for path in paths:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        content = path.read_bytes()
        pages = range(0, len(content), 4096)
        for at in pages[:: max(1, len(pages) // (4 * TIMES))]:
            for side in ("-wal", "-shm"):
                path.with_name(path.name + side).unlink(missing_ok=True)
            path.write_bytes(content[:at])
            found = opened(made)
            changed = {part: value for part, value in found.items() if value != whole[part]}
            cuts += 1
            refused += TailorError in changed.values()
            wrong = {
                part: value for part, value in changed.items()
                if value is not TailorError and not fewer(part, value, at)
            }  # fmt: skip
            assert not wrong, f"{path.name} cut at {at} of {len(content)}: {wrong}"
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        path.write_bytes(content)
    assert opened(made) == whole
    print(f"{cuts} cuts of {len(paths)} databases: {refused} refused")  # noqa: T201
    assert refused > 3


def fewer(part: str, value: Any, at: int) -> bool:
    """An empty file is a new database: nothing is in it, which is told as missing."""
    return at == 0 and part in ("searched", "scored", "missing", "quoted", "runs")
