"""How often `tailor benchmark check` doubts an answer, rightly and wrongly, on the sample company.

Every answerable question is checked as it is, with a number of its answers changed, and with the
answers of another question of the same language::

    python tests/benchmarks/support_quality.py
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tailor.benchmark import Line, Question, read
from tailor.benchmarking.evidence import evidence
from tailor.documents.corpus import documents
from tailor.initialize import initialize
from tailor.workspace import Workspace


def doubted(workspace: Workspace, lines: Sequence[Line]) -> float:
    """The share of the lines that the check calls unsupported."""
    texts = documents(workspace.state)
    memory = workspace.state / "evidence.json"
    found = [f.kind for f in evidence(lines, texts, workspace.knowledge, memory)]
    return found.count("unsupported") / len(lines)


def changed(question: Question, rng: random.Random) -> Question:
    """The same with another first number in every answer."""

    def other(match: re.Match[str]) -> str:
        value = int(match[0])
        return str(value + 1 + (rng.randint(1, 9) if value > 20 else 0))

    answers = tuple(re.sub(r"\d+", other, answer, count=1) for answer in question.answers[:1])
    return replace(question, answers=answers)


def main() -> None:
    """Print the three shares."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        workspace = initialize(Path(folder) / "company", "company")
        workspace.ingest()
        lines = [
            line
            for line in read(workspace.knowledge / "benchmark.jsonl")[0]
            if line.question.answerable and line.question.evidence
        ]
        numbered = [
            replace(line, question=changed(line.question, rng))
            for line in lines
            if re.search(r"\d", line.question.answers[0])
        ]
        swapped = []
        for line in lines:
            own = set(line.question.answers)
            others = [
                other.question.answers
                for other in lines
                if other.question.lang == line.question.lang and not own & {*other.question.answers}
            ]
            swapped.append(
                replace(line, question=replace(line.question, answers=rng.choice(others)))
            )
        kinds = (("as they are", lines), ("number changed", numbered), ("swapped", swapped))
        for name, some in kinds:
            print(f"{name}: {doubted(workspace, some):.1%} of {len(some)} doubted")  # noqa: T201


if __name__ == "__main__":
    main()
