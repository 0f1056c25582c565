"""How it was measured: all that one needs to measure it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from tailor.benchmark import Split
from tailor.reporting.facts import Facts
from tailor.reporting.sections import state, when
from tailor.run import Run
from tailor.scoring import format
from tailor.scoring.score import METRIC_VERSION
from tailor.scoring.statistics import MARGIN


def measured(facts: Facts) -> dict[str, Any]:
    """Digests, generations, versions and seeds; the runs one by one."""
    words, result, lang = facts.words, facts.result, facts.lang
    benchmark, splits = facts.workspace.benchmark, get_args(Split)
    counts = ", ".join(
        f"{format.count(len(benchmark.split(name)), lang)} {name}" for name in splits
    )
    margin = format.points(MARGIN, lang).lstrip("+")
    return {
        "facts": [
            (words["folder"], facts.workspace.root.name),
            (words["benchmark"], result.digest),
            (words["task"], result.task),
            (words["questions"], counts),
            (words["metric"], facts.workspace.target.primary),
            (words["metric_version"], str(METRIC_VERSION)),
            (words["statistics"], words["statistics_how"].format(margin=margin)),
        ],
        "runs": [_run(facts, run) for run in facts.runs],
    }


def _run(facts: Facts, run: Run) -> dict[str, str]:
    seeds = [
        f"{step.row} {value}"
        for step in run.lineage
        for name, value in step.settings.items()
        if name == "seed"
    ]
    return {
        "name": facts.name(run),
        "model": run.model,
        "run": run.id,
        "started": when(datetime.fromisoformat(run.started), facts.lang),
        "fingerprint": run.fingerprint,
        "generation": run.generation or format.UNKNOWN,
        "seeds": ", ".join(seeds) or format.UNKNOWN,
        "versions": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
        "state": state(facts, run),
    }
