"""An exported assistant answers as the row it was written from, where Tailor is not installed."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tailor.assistant import Ask
from tailor.errors import NotApplicable, TailorError
from tailor.exporting.langchain import export
from tailor.ladder import Chosen, assistant_for
from tailor.retrieval.configuration import Configuration
from tailor.workspace import Workspace

# Refuses to import tailor, as if it were not there, and runs the package as `python -m` does.
_WITHOUT = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tailor":
            raise ModuleNotFoundError("tailor is not here")

sys.meta_path.insert(0, Absent())
sys.path.insert(0, ".")
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def without_tailor(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *command],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def chosen(workspace: Workspace, row: str) -> Chosen:
    return assistant_for(workspace, row)


def test_passages_prompts_and_answers_are_those_of_the_row(workspace: Workspace) -> None:
    # Ends of lines that JSON keeps as they are, as texts of PDF and HTML files hold them.
    odd = "The gate\u2028opens at\u0085seven,\u2029and closes at nine."
    (workspace.knowledge / "gate.md").write_text(odd, "utf-8")
    workspace.ingest()
    few = {"few_shot": {"shots": 2, "order": "closest_first"}, "retrieval": {"k": 2}}
    workspace = Workspace(workspace.root, settings={"stages": few, "max_tokens": 12})
    row = chosen(workspace, "retrieval")
    for question in workspace.benchmark.split("dev"):
        answer = row.assistant.answer(question.question)
        workspace.answers.keep_answer(row.assistant.fingerprint, Ask(question.question).key, answer)
    done = export(workspace, row, workspace.root / "acme_assistant")
    assert done.examples == 4
    said = json.loads(without_tailor(workspace.root, "acme_assistant.check", "--ask"))
    assert said == dict.fromkeys(("questions", "passages", "prompts", "answers"), 4)
    sources = "".join(path.read_text("utf-8") for path in done.folder.glob("*.py"))
    assert "from tailor" not in sources
    assert "import tailor" not in sources


def test_what_plain_langchain_cannot_do_is_refused(workspace: Workspace) -> None:
    workspace.ingest()
    target = workspace.root / "acme_assistant"
    with pytest.raises(NotApplicable, match="no language model"):
        export(workspace, chosen(workspace, "baseline"), target)
    row = chosen(workspace, "retrieval")
    retriever = row.assistant.retriever
    assert retriever is not None
    learned = retriever.model_copy(update={"configuration": Configuration(reranker="learned")})
    with pytest.raises(NotApplicable, match="a learned reranker"):
        export(workspace, replace(row, assistant=replace(row.assistant, retriever=learned)), target)
    with pytest.raises(TailorError, match="cannot be imported as a package"):
        export(workspace, row, workspace.root / "acme-assistant")
    with pytest.raises(TailorError, match="there already"):
        export(workspace, row, workspace.knowledge.rename(workspace.root / "things"))
    assert not target.exists()
