"""People's verdicts beside the judge's: sheets to fill in, and how far both agree."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.assistant import digest
from tailor.errors import TailorError
from tailor.scoring.judge_prompts import BEST, NOT_SAID, SCALES, Language, Scale
from tailor.scoring.judging import Case, cases

if TYPE_CHECKING:
    from tailor.benchmark import Split
    from tailor.run import Run
    from tailor.scoring.judge import Vote

HEAD = ("item", "question", "accepted", "passages", "answer")


@dataclass(frozen=True)
class Agreement:
    """How far the judge and a person agree on one scale."""

    scale: Scale
    n: int
    same: float
    """The share of answers with the same score."""
    kappa: float | None
    """Cohen's kappa (1960); None where all scores are one and the same, and chance is certain."""
    weighted: float | None
    """With quadratic weights (Cohen 1968): a score of 1 is nearer to 2 than 0 is."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor judge --labels --json`` prints it."""
        return dict(self.__dict__)


def sheet(runs: Sequence[Run], split: Split, path: Path, n: int = 50, seed: int = 0) -> int:
    """Write answers for people to judge, without their rows and in random order.

    Returns how many.

    Raises:
        TailorError: there is no answer to judge, or the file is there already.
    """
    from tailor.benchmarking.file import write
    from tailor.scoring.export import harmless

    every = cases(runs, split)
    if not every:
        raise TailorError("There is no answer to judge: run a stage first, with `tailor run all`.")
    if path.exists():
        raise TailorError(f"{path} is there already, maybe with labels; choose another name.")
    drawn = random.Random(seed).sample(every, min(n, len(every)))
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow([*HEAD, *SCALES])
    for question, answer in drawn:
        lang: Language = "vi" if question.lang == "vi" else "en"
        accepted = "\n".join(question.answers) or NOT_SAID[lang]
        shown = (f"[{i}] {p.source}\n{p.text}" for i, p in enumerate(answer.passages, 1))
        passages = "\n\n".join(shown)
        row = (item((question, answer)), question.question, accepted, passages, answer.text)
        table.writerow([*map(harmless, row), *("" for _ in SCALES)])
    write(path, "\ufeff" + out.getvalue())  # the mark makes spreadsheets read it as UTF-8
    return len(drawn)


def read(path: Path) -> dict[str, dict[Scale, int]]:
    """The scores in a filled-in sheet, by item; empty cells are left out.

    Raises:
        TailorError: the file cannot be read, lacks a column, or holds another score than 0, 1, 2.
    """
    from tailor.benchmarking.rows import rows

    found: dict[str, dict[Scale, int]] = {}
    for number, row in rows(str(path)):
        if "item" not in row or not set(SCALES) & row.keys():
            raise TailorError(
                f"{path}: the column item and at least one of {', '.join(SCALES)} are needed; "
                "fill in the file that `tailor judge --sheet` wrote."
            )
        for scale in SCALES:
            cell = str(row.get(scale) or "").strip().removesuffix(".0")
            if cell and cell not in map(str, range(BEST + 1)):
                raise TailorError(f"{path}:{number}: {scale} is {cell!r}; write 0, 1 or 2.")
            if cell:
                found.setdefault(str(row["item"]).strip(), {})[scale] = int(cell)
    return found


def agreement(
    labels: Mapping[str, Mapping[Scale, int]], votes: Mapping[Case, Vote]
) -> list[Agreement]:
    """The judge against the labels, on the answers that both have a score for."""
    said = {item(case): vote.verdict.scores for case, vote in votes.items() if vote.verdict}
    found = []
    for scale in SCALES:
        pairs = [
            (own[scale], said[name][scale])
            for name, own in labels.items()
            if scale in own and scale in said.get(name, {})
        ]
        if pairs:
            found.append(
                Agreement(
                    scale,
                    len(pairs),
                    sum(a == b for a, b in pairs) / len(pairs),
                    kappa(pairs),
                    kappa(pairs, power=2),
                )
            )
    return found


def kappa(pairs: Sequence[tuple[int, int]], power: int = 0) -> float | None:
    """Cohen's kappa of two raters' scores: 1 - observed / expected disagreement.

    A disagreement weighs |a - b| to the ``power``; with 0 every one weighs the same.
    """

    def apart(a: int, b: int) -> float:
        return float((a != b) * abs(a - b) ** power)

    observed = sum(apart(a, b) for a, b in pairs) / len(pairs)
    expected = sum(apart(a, b) for a, _ in pairs for _, b in pairs) / len(pairs) ** 2
    return 1 - observed / expected if expected else None


def item(case: Case) -> str:
    """The name an answer has in a sheet, which tells nothing of its row."""
    question, answer = case
    passages = [[p.document, p.start, p.end] for p in answer.passages]
    return f"a-{digest([question.id, answer.text, passages])}"
