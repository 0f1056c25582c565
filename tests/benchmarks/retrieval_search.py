"""What the retrieval search costs: configurations tried on 3,000 passages and 200 questions.

    python tests/benchmarks/retrieval_search.py [--passages 3000] [--questions 200]

The passages are those of the sample company, repeated with other numbers until there are enough,
and cut in three ways; questions are its own. The index is made first; then a process of its own,
imports and reading included, searches it, trains the reranker and prints what it tried. The limits
are 400 configurations, 15 s and 1.5 GiB.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from tailor.documents.passages import Splitter
from tailor.initialize import initialize
from tailor.workspace import Workspace

LIMITS = {"configurations": 400, "seconds": 15.0, "gib": 1.5}
SIZES = (90, 150, 220)


def enlarge(workspace: Workspace, wanted: int) -> int:
    """Add copies of the Markdown documents, with other numbers, until there are enough passages."""
    originals = sorted(workspace.knowledge.rglob("*.md"))
    for copy in count(1):
        workspace.ingest()
        have = workspace.index().count
        if have >= wanted:
            return have
        for path in originals:
            text = renumbered(path.read_text("utf-8"), 7 * copy)
            more = workspace.knowledge / f"branch-{copy}" / path.name
            more.parent.mkdir(exist_ok=True)
            for part in range(12):
                target = more.with_stem(f"{more.stem}-{part}")
                target.write_text(f"# Branch {copy}.{part}\n\n{text}", "utf-8")
    raise AssertionError


def renumbered(text: str, more: int) -> str:
    """The text with larger numbers."""
    return re.sub(r"\d+", lambda found: str(int(found[0]) + more), text)


def searched(folder: Path, questions: int) -> None:
    """Search, and print what was tried as JSON; this is the process that is measured."""
    import resource

    from tailor.retrieval.configuration import Configuration
    from tailor.retrieval.search import Space
    from tailor.retrieval.tuning import tune

    workspace = Workspace(folder)
    known = [q for q in workspace.benchmark.questions if workspace.spans.get(q.id)]
    dev = (known * 2)[:questions]
    train = known[: questions // 2]
    chunkings = [(Splitter(size, 16), "") for size in SIZES]
    plain = Configuration(splitter=workspace.splitter)
    space = Space()
    found = tune(workspace, dev, train, plain, chunkings, space, 3000)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"tried": len(found.tried), "gib": memory, "best": found.best.mean}))  # noqa: T201


def main() -> None:
    """Make the workspace, search it in a process, and print figures beside their limits."""
    parser = argparse.ArgumentParser(description="Measure the retrieval search.")
    parser.add_argument("--passages", type=int, default=3000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--searched", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.searched:
        searched(arguments.searched, arguments.questions)
        return
    with tempfile.TemporaryDirectory() as folder:
        workspace = initialize(Path(folder) / "company", "company")
        have = enlarge(workspace, arguments.passages)
        command = [sys.executable, __file__, "--searched", str(workspace.root)]
        for n in (1, 2):  # at first the other chunkings' passages are embedded, too
            started = time.monotonic()
            said = subprocess.run(
                [*command, "--questions", str(arguments.questions)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            seconds = time.monotonic() - started
            told = json.loads(said.stdout.splitlines()[-1])
            sys.stdout.write(
                f"run {n}: {have} passages, {arguments.questions} questions, {told['tried']} "
                f"configurations (limit {LIMITS['configurations']}) in {seconds:.1f} s whole "
                f"process (ratio to limit {seconds / LIMITS['seconds']:.2f}), {told['gib']:.2f} "
                f"GiB (ratio {told['gib'] / LIMITS['gib']:.2f})\n"
            )


if __name__ == "__main__":
    main()
