"""When to use which technique: the general rule, and what this workspace measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tailor.scoring import format, wording
from tailor.scoring.attribution import NEXT, Attribution
from tailor.scoring.break_even import BreakEven, Costs, break_even, capacity, kept_on
from tailor.scoring.scored import key, labels
from tailor.scoring.technique import Rule, Technique
from tailor.scoring.techniques import rule, techniques
from tailor.task import Task, worded

if TYPE_CHECKING:
    from tailor.scoring.comparison import Comparison, Row

MONTHS = 12.0
"""How long training lasts by default, until it is due again."""

_SAY = {
    "en": {
        "none": "Not measured here yet: tailor run {technique}.",
        "row": "{row}: {score}{step}; {cost} for 1,000 {questions}; {latency} per answer (median); "
        "{tokens} input tokens per {question}.",
        "step": "; against {other}: {step}",
        "once": " Paid once: {once}.",
        "points": "{n} of {wrong} wrong answers point here.",
        "always": "{one} costs less than {other} at any number of {questions}.",
        "never": "{one} never costs less than {other}.",
        "from": "{one} costs less than {other} from {count} {questions} a month on.",
        "until": "{one} costs less than {other} up to {count} {questions} a month.",
        "equal": "{one} costs as much as {other}.",
        "free": "Neither {one} nor {other} costs anything but the time of this machine (priced "
        "with gpu_hour_usd in tailor.toml).",
        "unknown": "Whether {one} costs less than {other} cannot be told: a price or the time of "
        "the training is not known (set prices and gpu_hour_usd in tailor.toml).",
        "kept_on": " ({row} with a machine kept on all month{most})",
        "most": ", which answers up to {n} {questions} one after the other",
    },
    "vi": {
        "none": "Ở đây chưa đo: tailor run {technique}.",
        "row": "{row}: {score}{step}; {cost} cho 1.000 {questions}; {latency} mỗi câu trả lời "
        "(trung vị); {tokens} token đầu vào mỗi {question}.",
        "step": "; so với {other}: {step}",
        "once": " Trả một lần: {once}.",
        "points": "{n} trong {wrong} câu trả lời sai cho thấy nên thử bước này.",
        "always": "{one} rẻ hơn {other} với mọi số {questions}.",
        "never": "{one} không bao giờ rẻ hơn {other}.",
        "from": "{one} rẻ hơn {other} từ {count} {questions} mỗi tháng trở lên.",
        "until": "{one} rẻ hơn {other} khi có không quá {count} {questions} mỗi tháng.",
        "equal": "{one} tốn bằng {other}.",
        "free": "{one} và {other} đều không tốn gì ngoài thời gian của máy này (định giá bằng "
        "gpu_hour_usd trong tailor.toml).",
        "unknown": "Chưa thể nói {one} có rẻ hơn {other} hay không: chưa biết một mức giá hoặc "
        "thời gian huấn luyện (hãy đặt prices và gpu_hour_usd trong tailor.toml).",
        "kept_on": " ({row} với một máy chạy suốt tháng{most})",
        "most": ", trả lời được tối đa {n} {questions} lần lượt",
    },
}


def _say(task: Task, lang: str) -> dict[str, str]:
    return {name: worded(text, task, lang) for name, text in _SAY[lang].items()}


@dataclass(frozen=True)
class Figures:
    """What was measured of one row."""

    row: Row
    name: str
    """The row id, with the model where several models have it."""
    costs: Costs
    """What training and a question cost."""
    input_tokens: float | None
    """Per question."""

    @property
    def per_1000_usd(self) -> float | None:
        """Of 1,000 questions; None where a price is not known."""
        return None if self.costs.question is None else 1000 * self.costs.question

    def sentence(self, lang: str) -> str:
        """The score, the gain over the step before, and what it costs."""
        say = _say(self.row.target.task, lang)
        tokens, step = self.input_tokens, self.row.step
        told = say["row"].format(
            row=self.name,
            score=wording.score(self.row, lang),
            step=say["step"].format(other=step.row, step=wording.step(step, lang)) if step else "",
            cost=format.usd(self.per_1000_usd, lang),
            latency=format.seconds(self.row.p50, lang),
            tokens=format.count(None if tokens is None else round(tokens), lang),
        )
        once = self.costs.once
        return told + (say["once"].format(once=format.usd(once, lang)) if once else "")

    def to_json(self) -> dict[str, Any]:
        """The row as it stands in ``stages``, as far as the guide needs it."""
        row = self.row.to_json()
        return {
            **{name: row[name] for name in ("row", "model")},
            "score": row["metrics"][row["primary"]],
            "vs_previous": row["vs_previous"],
            "per_1000_usd": self.per_1000_usd,
            "once_usd": self.costs.once,
            "latency_s": row["latency_s"],
            "input_tokens_per_question": self.input_tokens,
        }


@dataclass(frozen=True)
class Cheaper:
    """From how many questions a month on one row costs less than another."""

    one: Figures
    other: Figures
    found: BreakEven
    kept_on: Figures | None = None
    """Which of the two is a local model on a machine that is kept on all month."""

    def sentence(self, lang: str) -> str:
        """The number of questions in words."""
        say, local = _say(self.one.row.target.task, lang), self.kept_on
        costs = (self.one.costs, self.other.costs)
        free = local is None and all((c.once, c.month, c.question) == (0, 0, 0) for c in costs)
        told = say["free" if free else self.found.outcome].format(
            one=self.one.name,
            other=self.other.name,
            count=format.count(self.found.questions, lang),
        )
        if local is None:
            return told
        n = capacity(local.row.p50)
        most = "" if n is None else say["most"].format(n=format.count(n, lang))
        return told[:-1] + say["kept_on"].format(row=local.name, most=most) + "."

    def to_json(self) -> dict[str, Any]:
        """Both rows, the outcome, and ``questions`` a month where there is such a number."""
        return {
            **dict(zip(("row", "model"), key(self.one.row), strict=True)),
            "against": dict(zip(("row", "model"), key(self.other.row), strict=True)),
            **asdict(self.found),
            "kept_on": self.kept_on
            and dict(zip(("row", "model"), key(self.kept_on.row), strict=True)),
        }


@dataclass(frozen=True)
class Guideline:
    """One technique: the general rule, the rows that used it here, and what they cost."""

    technique: Technique
    rows: tuple[Figures, ...]
    cheaper: tuple[Cheaper, ...]
    pointing: int | None = None
    """How many wrong answers call for it; None where they were not explained."""
    wrong: int | None = None
    """Of how many."""
    task: Task = "answer"

    def rule(self, lang: str) -> Rule:
        """When to use it and what it needs, whatever was measured here."""
        return rule(self.technique, lang, self.task)

    def here(self, lang: str) -> tuple[str, ...]:
        """What this workspace's own figures say, a sentence each."""
        say = _say(self.task, lang)
        told = [figures.sentence(lang) for figures in self.rows]
        told += [cheaper.sentence(lang) for cheaper in self.cheaper]
        if self.pointing:
            counts = {"n": self.pointing, "wrong": self.wrong}
            shown = {name: format.count(count, lang) for name, count in counts.items()}
            told.append(say["points"].format(**shown))
        return tuple(told if self.rows else [say["none"].format(technique=self.technique), *told])

    def to_json(self) -> dict[str, Any]:
        """An entry of ``guide`` in ``tailor compare --json``; the rule is in English."""
        return {
            "technique": self.technique,
            **asdict(self.rule("en")),
            "pointing": self.pointing,
            "rows": [figures.to_json() for figures in self.rows],
            "break_even": [cheaper.to_json() for cheaper in self.cheaper],
        }


def guide(
    comparison: Comparison,
    explained: Attribution | None = None,
    gpu_hour_usd: float | None = None,
    months: float = MONTHS,
) -> tuple[Guideline, ...]:
    """Every technique with the rule on it and with this workspace's own figures.

    Each row is held against the row it was built on, the chosen row, and the same row with another
    model, by what they cost (:func:`tailor.scoring.break_even.break_even`). Between a local and a
    hosted model, the local one is taken to run on a machine that is kept on all month. Embedding
    the documents and the judge are not counted. Stale rows are left out.

    Args:
        comparison: The rows with what they spent; where that is missing, the training is unknown.
        explained: Why the answers of one row are wrong, for what to try next; where that row has no
            language model, nothing follows for the techniques.
        gpu_hour_usd: What an hour of this machine costs.
        months: How long training lasts until it is due again, as the documents have changed.
    """
    names = labels(comparison.rows)
    task = comparison.rows[0].target.task
    rows = [
        Figures(row, names[key(row)], _costs(row), _tokens(row))
        for row in comparison.rows
        if not row.stale
    ]
    if explained is not None and explained.stage == "baseline":
        explained = None
    winner = comparison.winner.row, comparison.winner.model
    cheaper = [
        _cheaper(one, other, gpu_hour_usd, months)
        for one in rows
        for other in _others(one, rows, winner)
    ]
    return tuple(
        Guideline(
            technique,
            tuple(own for own in rows if own.row.stage == technique),
            tuple(own for own in cheaper if own.one.row.stage == technique),
            None if explained is None else _pointing(explained, technique),
            None if explained is None else explained.wrong,
            task,
        )
        for technique in techniques(task)
    )


def guide_json(
    comparison: Comparison,
    explained: Attribution | None = None,
    gpu_hour_usd: float | None = None,
    months: float = MONTHS,
) -> list[dict[str, Any]]:
    """``guide`` of ``tailor compare --json``; see :func:`guide`."""
    return [part.to_json() for part in guide(comparison, explained, gpu_hour_usd, months)]


def _pointing(explained: Attribution, technique: Technique) -> int:
    return sum(count for reason, count in explained.counts.items() if technique in NEXT[reason])


def _costs(row: Row) -> Costs:
    per_1000 = row.cost_per_1000_usd
    return Costs(
        once=None if row.spent is None else row.spent.training_usd,
        question=None if per_1000 is None else per_1000 / 1000,
    )


def _tokens(row: Row) -> float | None:
    answered = row.asked - row.errors
    return row.input_tokens / answered if answered else None


def _others(
    one: Figures, rows: Sequence[Figures], winner: tuple[str | None, str | None]
) -> Iterator[Figures]:
    """The rows that a row's costs are held against."""
    row = one.row
    for other in rows:
        before = row.step is not None and key(other.row) == (row.step.row, row.model)
        same = other.row.row == row.row and _local(other.row) < _local(row)
        if key(other.row) != key(row) and (before or same or key(other.row) == winner):
            yield other


def _cheaper(one: Figures, other: Figures, gpu_hour_usd: float | None, months: float) -> Cheaper:
    local = [figures for figures in (one, other) if _local(figures.row)]
    alone = local[0] if len(local) == 1 and _asks(one.row) and _asks(other.row) else None
    costs = [
        kept_on(gpu_hour_usd, figures.costs.once) if figures is alone else figures.costs
        for figures in (one, other)
    ]
    return Cheaper(one, other, break_even(costs[0], costs[1], months), alone)


def _asks(row: Row) -> bool:
    """Whether a language model answers."""
    return row.input_tokens > 0


def _local(row: Row) -> bool:
    from tailor.models.provider import is_local

    return _asks(row) and is_local(row.model)
