"""What a benchmark is made of."""

from __future__ import annotations

from typing import Any

from tailor.benchmarking.stats import stats
from tailor.workspace import Workspace


def test_counts_answers_and_documents(workspace: Workspace) -> None:
    workspace.ingest()
    found = workspace.stats()
    assert found.counts[""] == {"train": 4, "dev": 4, "test": 6}
    assert found.counts["vi"] == {"train": 1, "dev": 2, "test": 2}
    assert found.counts["null"] == {"train": 1, "dev": 1, "test": 1}
    assert found.answer_words == {"median": 2, "longest": 4, "numbers": 7}
    assert found.documents["hr/leave.md"] == 2
    assert list(found.documents.values()) == sorted(found.documents.values(), reverse=True)
    (workspace.knowledge / "more.md").write_text("# More\n\nNobody asks about this.\n", "utf-8")
    workspace.ingest()
    assert stats(workspace).documents["more.md"] == 0
    assert found.difficulty is None


def test_difficulty_by_the_baseline(tailor: Any, workspace: Workspace) -> None:
    workspace.ingest()
    shown = tailor("benchmark", "stats", "--baseline", "-w", workspace.root)
    assert shown.code == 0
    assert "By baseline on 10 dev and test questions" in shown.out
    value = tailor("benchmark", "stats", "-w", workspace.root, "--json").json
    hard = value["difficulty"]
    assert hard["easy"] + hard["middle"] + hard["hard"] == hard["n"] == 10
    assert hard["by"]["all"]["n"] == 10
    assert value["counts"]["all"] == {"train": 4, "dev": 4, "test": 6}
