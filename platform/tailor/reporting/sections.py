"""What each part of the report shows, as texts and numbers already written for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from tailor.differences import differences
from tailor.prices import shipped_prices
from tailor.reporting.charts import bar, scatter
from tailor.reporting.facts import Facts
from tailor.run import Run
from tailor.scoring import format, goal, measures, told, wording
from tailor.scoring.comparison import Row
from tailor.scoring.statistics import Interval

_LONG = 200
"""Characters of a setting that are shown."""


def sections(facts: Facts, worst: int) -> dict[str, Any]:
    """All values of the template, by name."""
    from tailor.reporting.measured import measured
    from tailor.reporting.pictures import pictures
    from tailor.reporting.questions import questions
    from tailor.reporting.reasons import by, causes, found, guidelines

    attributed = found(facts)
    return {
        "head": head(facts),
        "verdict": verdict(facts),
        "remarks": remarks(facts),
        "bars": bars(facts),
        "tradeoffs": tradeoffs(facts),
        "table": table(facts),
        "outcomes": outcomes(facts),
        "pictures": pictures(facts),
        "metrics": metrics(facts),
        "steps": steps(facts),
        "by_lang": by(facts, "lang"),
        "by_tag": by(facts, "tag"),
        "causes": causes(facts, attributed),
        "guide": guidelines(facts, attributed[facts.name(facts.best)]),
        "cost": cost(facts),
        "worst": questions(facts, attributed[facts.name(facts.best)], worst),
        "measured": measured(facts),
    }


def head(facts: Facts) -> dict[str, str]:
    """The title and what the report is of."""
    result, lang = facts.result, facts.lang
    moment = datetime.now(UTC)
    subtitle = facts.words["subtitle"].format(
        workspace=facts.workspace.root.name,
        n=format.count(result.n, lang),
        split=result.split,
        date=format.day(moment, lang),
    )
    n = format.count(result.n, lang)
    note = facts.words["bars_note" if result.task == "answer" else f"bars_note_{result.task}"]
    note = note.format(n=n, split=result.split)
    return {
        "subtitle": subtitle,
        "made": when(moment, lang),
        "n": n,
        "split": result.split,
        "bars_note": note,
    }


def when(moment: datetime, lang: str) -> str:
    """A day and its time, in UTC."""
    return f"{format.day(moment, lang)} {moment:%H:%M} UTC"


def verdict(facts: Facts) -> dict[str, Any]:
    """The sentence that the command ends with, and whether rows reach the goal."""
    result, lang = facts.result, facts.lang
    reached = goal.sentence(result.rows, facts.workspace.config.goal, lang)
    return {
        "status": result.winner.status.replace(" ", "-"),
        "sentences": [
            text for text in (result.verdict(lang), result.caution(lang), reached) if text
        ],
        "paid": [text for row in result.rows if (text := wording.pays(row, lang, facts.name(row)))],
    }


def remarks(facts: Facts) -> dict[str, list[str]]:
    """Rows that no longer hold, and rows that are not complete."""
    words, lang = facts.words, facts.lang
    stale = [f"{facts.name(run)}: {state(facts, run)}" for run in facts.runs if run.changed()]
    incomplete = []
    for run in facts.runs:
        at = run.state()
        if not run.imported and not run.changed() and at.done < at.total:
            done, total = (format.count(n, lang) for n in (at.done, at.total))
            incomplete.append(f"{facts.name(run)}: {words['fewer'].format(done=done, total=total)}")
    return {"stale": stale, "incomplete": incomplete}


def state(facts: Facts, run: Run) -> str:
    """Whether a run holds, or what changed since."""
    changed = run.changed()
    return facts.words[f"stale_{changed}" if changed else "holds"]


def bars(facts: Facts) -> list[dict[str, Any]]:
    """The score of each row with its interval."""
    return [
        {
            "name": facts.name(row),
            "won": facts.won(row),
            "stale": bool(row.stale),
            "told": wording.score(row, facts.lang),
            "bar": bar(row.primary.mean, row.primary.low, row.primary.high)
            if row.primary
            else None,
        }
        for row in facts.result.rows
    ]


def tradeoffs(facts: Facts) -> list[dict[str, Any]]:
    """Score against cost and against time, of the rows for which both are known."""
    words, lang = facts.words, facts.lang
    rows = [row for row in facts.result.rows if row.primary and not row.stale]
    costs = {row.cost_per_1000_usd for row in rows}
    told = ""
    if costs <= {None}:
        told = words["cost_unknown"]
    elif len(costs) == 1:
        told = words["cost_equal"].format(cost=format.usd(next(iter(costs)), lang))
    cost = _tradeoff(
        facts, [] if told else [(row, row.cost_per_1000_usd) for row in rows], format.usd
    )
    time = _tradeoff(facts, [(row, row.p50) for row in rows], format.seconds)
    return [
        {"title": words["by_cost"], "axis": words["cost_axis"], "told": told, **cost},
        {"title": words["by_latency"], "axis": words["latency_axis"], "told": "", **time},
    ]


def _tradeoff(
    facts: Facts,
    prices: Sequence[tuple[Row, float | None]],
    write: Callable[[float | None, str], str],
) -> dict[str, Any]:
    """The picture and the table beside it."""
    lang = facts.lang
    known = [(row, p, row.primary.mean) for row, p in prices if p is not None and row.primary]
    chart = scatter(
        [(price, score) for _, price, score in known],
        lambda x: write(x, lang),
        lambda y: f"{format.count(round(100 * y), lang)}%",
    )
    rows = [
        {
            "number": number,
            "name": facts.name(row),
            "won": facts.won(row),
            "best": number in chart.best,
            "price": write(price, lang),
            "score": format.percent(score, lang),
        }
        for number, (row, price, score) in enumerate(known, 1)
    ]
    return {"chart": chart if known else None, "rows": rows}


def table(facts: Facts) -> dict[str, Any]:
    """The table that the command prints: the same columns, words and digits."""
    shown = facts.result.table(facts.lang)
    columns = [[str(cell) for cell in column.cells] for column in shown.columns]
    stale = [bool(row.stale) for row in facts.result.rows]
    return {
        "title": str(shown.title or ""),
        "head": [
            {"text": str(column.header), "right": column.justify == "right"}
            for column in shown.columns
        ],
        "rows": list(zip(stale, zip(*columns, strict=True), strict=True)),
    }


def metrics(facts: Facts) -> list[tuple[str, list[str]]]:
    """The mean of every metric in each row; forms without accents are left to the JSON.

    Those of numbers and labels with their intervals.
    """
    rows, pooled = facts.result.rows, {name for one in facts.scored for name in one.pooled}
    names = dict.fromkeys(name for row in rows for name in row.metrics)
    target, lang = facts.workspace.target, facts.lang

    def shown(name: str, of: Interval | None) -> str:
        if target.task != "answer" and measures.known(name):
            return told.with_interval(name, of, target, lang)
        value = of.mean if of else None
        return (format.number if name in pooled else format.percent)(value, lang)

    return [
        (
            name if target.task == "answer" else measures.label(name, target, lang),
            [shown(name, row.metrics.get(name)) for row in rows],
        )
        for name in names
        if not name.endswith("_folded")
    ]


def outcomes(facts: Facts) -> list[str]:
    """How the answers of each row ended, a sentence each."""
    return [wording.outcomes(row, facts.lang, facts.name(row)) for row in facts.result.rows]


def steps(facts: Facts) -> list[dict[str, Any]]:
    """For each row the settings that differ from the row it was built on."""
    words = facts.words
    rows = {facts.name(row): row for row in facts.result.rows}
    out = []
    for run in facts.runs:
        before, row = facts.before(run), rows[facts.name(run)]
        changed = _added(run) if before is None else _changed(before, run)
        out.append(
            {
                "name": facts.name(run),
                "from": words["from"].format(row=facts.name(before)) if before else words["root"],
                "score": wording.score(row, facts.lang),
                "changed": [
                    (name, _shown(old, words), _shown(new, words)) for name, old, new in changed
                ],
                "replaces": any(old is not None for _, old, _ in changed),
                "notes": run.notes,
            }
        )
    return out


def _added(run: Run) -> list[tuple[str, object, object]]:
    return [
        (f"{step.row}.{name}", None, value)
        for step in run.lineage
        for name, value in step.settings.items()
    ]


def _changed(before: Run, run: Run) -> list[tuple[str, object, object]]:
    return [
        (d.name if d.of == "run" else f"{d.of}.{d.name}", d.base, d.candidate)
        for d in differences(before, run)
        if d.name != "stage"
    ]


def _shown(value: object, words: Mapping[str, str]) -> str:
    if value is None:
        return words["none"]
    text = str(value) or "“”"
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def cost(facts: Facts) -> dict[str, Any]:
    """What each row cost: its answers, its judge, and what was made for it."""
    words, lang = facts.words, facts.lang
    columns = ("row", "n_answers", "input", "output", "answers_usd", "per_1000", "judge",
               "training", "training_usd", "total")  # fmt: skip
    rows = [[facts.name(row), *_spent(row, lang)] for row in facts.result.rows]
    day = format.day(date.fromisoformat(shipped_prices().date), lang)
    note = words["cost_note"].format(date=day)
    return {"note": note, "head": [words[name] for name in columns], "rows": rows}


def _spent(row: Row, lang: str) -> list[str]:
    per_1000 = format.usd(row.cost_per_1000_usd, lang)
    one = row.spent
    if one is None:
        unknown = format.UNKNOWN
        return [*(unknown,) * 4, per_1000, *(unknown,) * 4]
    return [
        format.count(one.answers, lang),
        format.count(one.input_tokens, lang),
        format.count(one.output_tokens, lang),
        format.usd(one.answers_usd, lang),
        per_1000,
        format.usd(one.judge_usd, lang),
        _hours(one.training_hours, lang),
        format.usd(one.training_usd, lang),
        format.usd(one.total_usd, lang),
    ]


def _hours(hours: float | None, lang: str) -> str:
    return format.seconds(None if hours is None else 3600 * hours, lang)
