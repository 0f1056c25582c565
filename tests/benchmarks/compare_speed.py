"""How long `tailor compare` takes over eight rows of 1,250 scored test answers each.

    python tests/benchmarks/compare_speed.py [STATE] [--times 5]

The workspace is made through the public functions: documents that are ingested, questions with
evidence, and answers with five passages each (1,250 on test and 250 on dev). It is kept in the
folder STATE where one is given. The first comparison computes the scores of all answers and keeps
them; the following ones, each a process of its own, are measured as a whole, with their start.
"""

import argparse
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tailor.assistant import Answer, Ask
from tailor.documents.passages import Passage
from tailor.run import Run, State, Step
from tailor.workspace import Workspace

LIMIT = 1.5
"""Seconds that a whole process may take."""

TOGETHER = 3
"""Questions about one document."""

NAMES = (
    "baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning",
    "retrieval:2", "few_shot:2",
)  # fmt: skip
TOPICS = (
    "annual leave", "sick leave", "travel costs", "laptops", "the help desk", "refunds",
    "the cold store", "parking permits", "training", "overtime", "nghỉ phép", "công tác phí",
    "bảo hành", "kho lạnh", "lương tháng mười ba",
)  # fmt: skip
PLACES = ("Hải Phòng", "Lyon", "Porto", "Cần Thơ", "Graz", "Leeds", "Đà Nẵng", "Ghent")
SENTENCE = (
    "Rule {n} on {topic}: in {place} the limit is {value} days for every calendar year, and the "
    "department decides on exceptions together with the works council before the month ends."
)


def facts(count: int) -> list[dict[str, str]]:
    """One rule of the company for each question."""
    draw = random.Random(1)
    return [
        {
            "n": str(n),
            "topic": TOPICS[n % len(TOPICS)],
            "place": PLACES[n % len(PLACES)],
            "value": str(draw.randint(2, 99)),
        }
        for n in range(count)
    ]


def prepare(root: Path, rows: int, test: int, dev: int) -> Workspace:
    """Documents, questions and runs."""
    rules = facts(test + dev)
    knowledge = root / "knowledge"
    knowledge.mkdir(parents=True)
    lines = []
    for at in range(0, len(rules), TOGETHER):
        text = "\n\n".join(SENTENCE.format(**rule) for rule in rules[at : at + TOGETHER])
        (knowledge / f"rules-{at // TOGETHER:03}.md").write_text(f"# Rules\n\n{text}\n", "utf-8")
    for n, rule in enumerate(rules):
        line = {
            "id": f"q{n}",
            "question": f"What is the limit for {rule['topic']} in {rule['place']}, rule {n}?",
            "answer": f"{rule['value']} days",
            "evidence": [
                {
                    "document": f"rules-{n // TOGETHER:03}.md",
                    "quote": f"the limit is {rule['value']} days for every calendar year",
                }
            ],
            "split": "test" if n < test else "dev",
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    (knowledge / "benchmark.jsonl").write_text("".join(lines), "utf-8")
    workspace = Workspace(root)
    workspace.ingest()
    for position in range(rows):
        fill(workspace, position, rules)
    return workspace


def fill(workspace: Workspace, position: int, rules: list[dict[str, str]]) -> None:
    """One row with an answer to every question; later rows are right more often."""
    name, draw = NAMES[position % len(NAMES)], random.Random(position)
    fingerprint = f"{position:016x}"
    passages = workspace.index().passages()
    for n, question in enumerate(workspace.benchmark.split("dev", "test")):
        rule = rules[int(question.id[1:])]
        right = draw.random() < 0.3 + 0.05 * position
        value = rule["value"] if right else str(draw.randint(2, 99))
        outcome = "refused" if draw.random() < 0.03 else "ok"
        text = f"The limit in {rule['place']} is {value} days [{draw.randint(1, 5)}]."
        found = draw.sample(passages, 5)
        workspace.answers.keep_answer(
            fingerprint,
            Ask(question.question).key,
            Answer(
                outcome, text if outcome == "ok" else "Not in the documents.",
                tuple(Passage(p.document, p.start, p.end, p.text, p.place, 0.5) for p in found),
                900 + n % 90, 12, 0.2 + draw.random(), 0.0001, call=f"{position:08x}{n:08x}",
            ),
        )  # fmt: skip
    total = len(rules)
    Run(
        id=f"{name.replace(':', '-')}-{position:010x}",
        row=name,
        model="shipped",
        previous=NAMES[(position - 1) % len(NAMES)] if position else None,
        base=f"{position - 1:016x}" if position else None,
        lineage=(Step(name, name.partition(":")[0], {}),),
        fingerprint=fingerprint,
        benchmark=workspace.benchmark.digest,
        generation=workspace.index().generation,
        position=position,
        sequence=position + 1,
        started="2026-01-01T00:00:00+00:00",
        versions={},
        workspace=workspace,
    ).save(State("complete", total, total, 0, 0))


def timed(*words: str) -> tuple[float, float]:
    """Seconds on the clock and of the processor that a command takes, its start included."""
    # Bytecode is kept, as it is where a package is installed.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", "from tailor.cli.main import main; main()", *words]
    began, before = time.monotonic(), os.times()
    subprocess.run(
        command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wall, after = time.monotonic() - began, os.times()
    return wall, after[2] + after[3] - before[2] - before[3]


def measure(root: Path, times: int) -> bool:
    """Print what a comparison takes; whether it keeps to the limit."""
    folder = ("-w", str(root))
    table = Table("command", "wall s", "CPU s", "limit s", "CPU of the limit", "times")
    with closing(sqlite3.connect(root / ".tailor" / "answers.db", isolation_level=None)) as store:
        store.execute("DELETE FROM scores")
    wall, processor = timed("compare", *folder)
    table.add_row("compare, the first time", f"{wall:.2f}", f"{processor:.2f}", "", "", "1")
    kept = True
    for words in (("compare",), ("compare", "--json"), ("compare", NAMES[1], NAMES[3], "--json")):
        seen = [timed(*words, *folder) for _ in range(times)]
        wall, processor = (statistics.median(values) for values in zip(*seen, strict=True))
        share = f"{processor / LIMIT:.0%}"
        shown = (f"{wall:.2f}", f"{processor:.2f}", f"{LIMIT}", share, str(times))
        table.add_row(" ".join(words), *shown)
        kept = kept and (len(words) > 2 or processor <= LIMIT)
    Console().print(table)
    return kept


def main() -> int:
    """1 where the limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path, nargs="?")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--test", type=int, default=1250)
    parser.add_argument("--dev", type=int, default=250)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = given.state or Path(temporary) / "acme"
        if not root.exists():
            began = time.monotonic()
            prepare(root, given.rows, given.test, given.dev)
            Console().print(f"Made {root} in {time.monotonic() - began:.0f} s.")
        return 0 if measure(root, given.times) else 1


if __name__ == "__main__":
    sys.exit(main())
