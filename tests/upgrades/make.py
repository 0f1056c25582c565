"""Makes the workspace that later versions are opened on: `python tests/upgrades/make.py`.

Run once for a version, with that version installed; the archive it writes, ``VERSION.tar.gz``
beside this file, is never changed again: what it holds is what that version left on people's disks.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

HERE = Path(__file__).parent
DOCUMENTS = {
    "hr/leave.md": "# Leave\n\nNew employees get 12 days of paid leave. Ms Alvarez decides.\n",
    "kho/lanh.txt": "Kho lạnh Hải Phòng giữ ở âm 18 độ. Thủ kho là ông Trần Văn Bình.\n",
}
QUESTIONS = (
    ("t1", "train", "Who decides on leave?", "Ms Alvarez", "hr/leave.md", "Ms Alvarez"),
    ("d1", "dev", "How many days of paid leave do new employees get?", "12 days", "hr/leave.md",
     "12 days"),
    ("s1", "test", "Kho lạnh giữ ở bao nhiêu độ?", "âm 18 độ", "kho/lanh.txt", "âm 18 độ"),
    ("s2", "test", "Ai là thủ kho ở Hải Phòng?", "ông Trần Văn Bình", "kho/lanh.txt",
     "Trần Văn Bình"),
)  # fmt: skip
SETTINGS = """\
model = "openai:double"
base_url = "http://127.0.0.1:9/v1"
concurrency = 1
ladder = ["prompting", "few_shot", "retrieval"]
"""


class Canned(BaseChatModel):
    """Knows the answers."""

    @property
    def _llm_type(self) -> str:
        return "canned"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        asked = str(messages[-1].content)
        text = next(answer for _, _, question, answer, *_ in QUESTIONS if question in asked)
        used = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
        message = AIMessage(text, usage_metadata=used)  # type: ignore[arg-type]
        return ChatResult(generations=[ChatGeneration(message=message)])


def make(root: Path) -> None:
    """A workspace that was ingested, run, served, judged by people and trained in."""
    from tailor.models import provider
    from tailor.stages import FewShot, Prompting, Retrieval
    from tailor.workspace import Workspace

    for path, text in DOCUMENTS.items():
        target = root / "knowledge" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    lines = (
        {"id": id, "split": split, "question": question, "answer": answer,
         "evidence": [{"document": document, "quote": quote}]}
        for id, split, question, answer, document, quote in QUESTIONS
    )  # fmt: skip
    (root / "knowledge" / "benchmark.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8"
    )
    (root / "tailor.toml").write_text(SETTINGS, "utf-8")
    provider._hosted = lambda *_: Canned()
    workspace = Workspace(root)
    workspace.ingest()
    workspace.climb([Prompting("Be brief."), FewShot(shots=1, bootstrap=True), Retrieval(k=1)])
    _watched(workspace)
    _trained(workspace)
    _judged(root / "knowledge")
    workspace.answers.close()


def _watched(workspace: Any) -> None:
    """One question that was served, and what a person said of the answer."""
    from tailor.serving import kept
    from tailor.serving.kept import Served

    (passage,) = workspace.search("paid leave", k=1)
    one = Served(
        id="chatcmpl-1", at=1e10, question="How many days?", history=(), text="12 days",
        outcome="ok", error="", row="retrieval", model="openai:double", run="", fingerprint="f",
        generation=workspace.generation, passages=(passage,), searched="", seconds=0.5,
        input_tokens=9, output_tokens=3, cost_usd=None,
    )  # fmt: skip
    kept.keep(workspace, [one])
    kept.feedback(workspace, one.id, "down", "too short", "12 days of paid leave")


def trained(folder: Path, value: float = 1.0) -> Path:
    """A folder with an adapter of a base that has hardly any weights."""
    import numpy as np
    from safetensors.numpy import save_file

    from tailor.training.adapters import describe

    base, made = folder / "base", folder / "trained"
    for place, name in ((base, "model"), (made, "adapter_model")):
        place.mkdir(parents=True)
        save_file({"weight": np.full(2, value, dtype=np.float32)}, place / f"{name}.safetensors")
    (made / "adapter_config.json").write_text('{"r": 4}', "utf-8")
    describe(
        made, base=str(base), data_digest="0123456789abcdef", lessons=1, settings={"rank": 4},
        curve=({"step": 1, "loss": 2.0},),
    )  # fmt: skip
    return made


def _trained(workspace: Any) -> None:
    """An adapter, and a job at a service."""
    from tailor.training.adapters import register
    from tailor.training.hosted.record import begun, keep

    with tempfile.TemporaryDirectory() as folder:
        register(workspace, trained(Path(folder)), "first")
    keep(workspace.state, begun(
        workspace.state, "0123456789abcdef", host="api.example.com", base="model-1",
        method="supervised", epochs=3, lessons=1, held_out=0, tokens=30, cost_usd=None,
        job="job-1", status="succeeded", model="model-1:acme",
    ))  # fmt: skip


def _judged(knowledge: Path) -> None:
    """Which of two answers a person found better, and a question to learn from."""
    from tailor.preferences import Choice, prefer

    sides = (
        Choice("retrieval", "openai:double", "12 days", (("user", "How many days?"),)),
        Choice("prompting", "openai:double", "many"),
    )
    prefer(knowledge, "How many days of leave?", *sides)
    lesson = {"id": "l1", "question": "When is leave asked for?", "answer": "Two weeks before."}
    (knowledge / "training.jsonl").write_text(json.dumps(lesson) + "\n", "utf-8")


def pack(root: Path, archive: Path) -> None:
    """Everything in one file, the databases whole and without logs beside them."""
    for path in root.rglob("*.db"):
        if "index" not in path.parts:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA journal_mode = DELETE")
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(root.rglob("*")):
            if not path.name.endswith((".lock", ".pid", "-wal", "-shm")):
                packed.add(path, path.relative_to(root), recursive=False, filter=_plain)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    """Write the archive of the version that is installed."""
    from importlib.metadata import version

    archive = HERE / f"{sys.argv[1] if len(sys.argv) > 1 else version('llm-tailor')}.tar.gz"
    if archive.exists():
        sys.exit(f"{archive} is there already, and what a version wrote does not change.")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "acme"
        root.mkdir()
        make(root)
        pack(root, archive)
    sys.stdout.write(f"{archive}: {archive.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
