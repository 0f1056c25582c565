"""A comparison in words, English and Vietnamese: the table and whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tailor.scoring import format, measures, told
from tailor.task import worded

if TYPE_CHECKING:
    from rich.table import Table

    from tailor.scoring.comparison import Comparison, Row, Step
    from tailor.scoring.statistics import Interval
    from tailor.task import Task

NAMED = 3
"""Rows that a sentence names; of the others it says how many there are."""

_WORDS = {
    "en": {
        "row": "Row", "score": "Score (95 %)", "step": "Against the step before, points",
        "recall": "Recall@5", "latency": "Latency p50", "tokens": "Tokens", "cost": "Cost",
        "per 1000": "Per 1,000 {questions}", "errors": "Errors", "unparseable": "Unparseable",
        "flicker": "Flicker", "builds on": "Builds on", "stale": "stale", "to": " to ",
        "better": "better", "worse": "worse", "tie": "tie", "undecided": "undecided",
    },
    "vi": {
        "row": "Dòng", "score": "Điểm (95 %)", "step": "So với bước trước, điểm phần trăm",
        "recall": "Recall@5", "latency": "Độ trễ p50", "tokens": "Token", "cost": "Chi phí",
        "per 1000": "Mỗi 1.000 {questions}", "errors": "Lỗi", "unparseable": "Không đọc được",
        "flicker": "Dao động", "builds on": "Dựa trên", "stale": "đã cũ", "to": " đến ",
        "better": "tốt hơn", "worse": "kém hơn", "tie": "ngang nhau", "undecided": "chưa rõ",
    },
}  # fmt: skip

_SENTENCES = {
    "en": {
        "no dev questions": "No row can be recommended: the benchmark has no dev {questions} to "
        "choose by, so give some with `tailor benchmark split` (--reassign where all have a split) "
        "and run the stages again.",
        "no dev answers": "No row can be recommended yet: too few dev {questions} have a score to "
        "choose by, so run the stages again, which asks only what is missing.",
        "stale": "No row can be recommended: the benchmark or the documents changed since the "
        "runs, so run the stages again.",
        "chosen": "Use {row}: it {scores}{against}{rivals}.",
        "alone": "{row} {scores}; compare it with other rows before you choose it.",
        "undecided": "Undecided: {row} leads on dev and {scores}{against}{rivals}.",
        "rivals": "; on dev it cannot be told from {rivals}",
        "more dev": " (about {more} more dev {questions} would tell)",
        "and": " and ",
        "others": "{count} more",
    },
    "vi": {
        "no dev questions": "Chưa thể khuyên dùng dòng nào: bộ câu hỏi không có {questions} nào "
        "thuộc tập dev để chọn, hãy chia bằng `tailor benchmark split` (thêm --reassign nếu "
        "{questions} nào cũng đã có tập) rồi chạy lại các bước.",
        "no dev answers": "Chưa thể khuyên dùng dòng nào: còn quá ít {questions} dev có điểm để "
        "chọn, hãy chạy lại các bước, chỉ những câu còn thiếu được hỏi.",
        "stale": "Chưa thể khuyên dùng dòng nào: bộ câu hỏi hoặc tài liệu đã thay đổi sau các lần "
        "chạy, hãy chạy lại các bước.",
        "chosen": "Nên dùng {row}: {scores}{against}{rivals}.",
        "alone": "{row} {scores}; hãy so sánh với các dòng khác trước khi chọn.",
        "undecided": "Chưa thể kết luận: {row} dẫn đầu trên tập dev và {scores}{against}{rivals}.",
        "rivals": "; trên tập dev chưa phân biệt được với {rivals}",
        "more dev": " (cần thêm khoảng {more} {questions} dev)",
        "and": " và ",
        "others": "{count} dòng khác",
    },
}

_AGAINST = {
    "en": {
        "better": ", better than {other} by {delta} points ({interval})",
        "worse": ", although there it is worse than {other} ({delta} points, {interval})",
        "tie": ", as good as {other} ({delta} points, {interval})",
        "undecided": ", but whether it beats {other} is undecided ({delta} points, {interval}"
        "{more})",
        "more": "; about {more} more {questions} would tell",
    },
    "vi": {
        "better": ", hơn {other} {delta} điểm phần trăm ({interval})",
        "worse": ", tuy ở đây kém {other} ({delta} điểm phần trăm, {interval})",
        "tie": ", ngang với {other} ({delta} điểm phần trăm, {interval})",
        "undecided": ", nhưng chưa rõ có hơn {other} hay không ({delta} điểm phần trăm, "
        "{interval}{more})",
        "more": "; cần thêm khoảng {more} {questions}",
    },
}


_PAYS = {
    "en": {
        "better": "{row} paid: {delta} points over {other} ({interval}).",
        "worse": "{row} did not pay: it is worse than {other} ({delta} points, {interval}).",
        "tie": "{row} did not pay: it is only as good as {other} ({delta} points, {interval}).",
        "undecided": "Whether {row} paid is undecided: {delta} points against {other} ({interval}; "
        "p = {p}{more}).",
        "stale": "{row} is not compared: its run no longer holds, so run it again.",
        "more": "; about {more} more {questions} would tell",
        "made": " Making it cost {usd}.",
    },
    "vi": {
        "better": "{row} có hiệu quả: {delta} điểm phần trăm so với {other} ({interval}).",
        "worse": "{row} không có hiệu quả: kém {other} ({delta} điểm phần trăm, {interval}).",
        "tie": "{row} không có hiệu quả: chỉ ngang với {other} ({delta} điểm phần trăm, "
        "{interval}).",
        "undecided": "Chưa rõ {row} có hiệu quả hay không: {delta} điểm phần trăm so với {other} "
        "({interval}; p = {p}{more}).",
        "stale": "{row} không được so sánh: lần chạy không còn hợp lệ, hãy chạy lại.",
        "more": "; cần thêm khoảng {more} {questions}",
        "made": " Chi phí tạo ra là {usd}.",
    },
}

_OUTCOMES = {
    "en": {
        "scored": "{count} of {of} {questions} scored",
        "asked": "{count} of {of} answers there so far",
        "error": "{count} of {of} answers are errors",
        "unparseable": "{count} of {of} could not be read",
        "refused": "{count} of {of} are refusals",
        "rightly": "refuses {share} ({interval}) of the {n} questions that the documents do not "
        "answer",
        "wrongly": "wrongly refuses {share} ({interval}) of the {n} that they do",
        "flicker": "answers {share} of the {questions} differently when asked again",
    },
    "vi": {
        "scored": "chấm điểm được {count} trên {of} {questions}",
        "asked": "đến nay có {count} trên {of} câu trả lời",
        "error": "{count} trên {of} câu trả lời bị lỗi",
        "unparseable": "{count} trên {of} không đọc được",
        "refused": "{count} trên {of} là từ chối",
        "rightly": "từ chối {share} ({interval}) trong {n} câu hỏi mà tài liệu không trả lời",
        "wrongly": "từ chối nhầm {share} ({interval}) trong {n} câu mà tài liệu có trả lời",
        "flicker": "trả lời khác đi ở {share} số {questions} khi được hỏi lại",
    },
}


def table(comparison: Comparison, lang: str) -> Table:
    """The rows for a terminal; some columns only where there is something to tell."""
    from rich.table import Table
    from rich.text import Text

    rows = comparison.rows
    words = {**_WORDS[lang], **told.columns(rows[0].target, lang)}
    words["score"] = score_head(comparison, lang)
    words["per 1000"] = worded(words["per 1000"], comparison.task, lang)
    columns = {"row": _names(comparison, lang)}
    if branches(rows):
        columns["builds on"] = [row.builds_on or format.UNKNOWN for row in rows]
    columns |= {
        "score": [score(row, lang) for row in rows],
    }
    if rows[0].target.task == "answer" or any(row.step for row in rows):
        columns["step"] = [step(row.step, lang) for row in rows]
    further = told.columns(rows[0].target, lang)
    columns |= {name: [told.cell(row, name, lang) for row in rows] for name in further}
    if not further:
        columns["recall"] = [_mean(row.metrics.get("recall@5"), lang) for row in rows]
    columns |= {
        "latency": [format.seconds(row.p50, lang) for row in rows],
        "tokens": [format.count(row.input_tokens + row.output_tokens, lang) for row in rows],
    }
    if any(row.cost_usd != 0 for row in rows):
        columns["cost"] = [format.usd(row.cost_usd, lang) for row in rows]
    if any(row.cost_per_1000_usd for row in rows):
        columns["per 1000"] = [format.usd(row.cost_per_1000_usd, lang) for row in rows]
    if any(row.flicker is not None for row in rows):
        columns["flicker"] = [format.percent(row.flicker, lang) for row in rows]
    if any(row.unparseable for row in rows):
        columns["unparseable"] = [format.count(row.unparseable, lang) for row in rows]
    if any(row.errors for row in rows):
        columns["errors"] = [format.count(row.errors, lang) for row in rows]
    out = Table(title=f"{comparison.split}, n = {format.count(comparison.n, lang)}")
    for name in columns:
        side: Literal["left", "right"] = "left" if name in ("row", "builds on") else "right"
        red = "red" if name == "errors" else None
        out.add_column(words[name], justify=side, overflow="fold", style=red)
    for cells in zip(*columns.values(), strict=True):
        out.add_row(*map(Text, cells))
    return out


def score_head(comparison: Comparison, lang: str) -> str:
    """What the column with the score is called: by task."""
    target = comparison.rows[0].target
    if target.task == "answer":
        return _WORDS[lang]["score"]
    return f"{measures.label(target.primary, target, lang)} (95 %)"


def branches(rows: Sequence[Row]) -> bool:
    """Whether a row builds on another one than that before it."""
    before: dict[str, str] = {}
    for row in rows:
        if row.builds_on and row.builds_on != before.get(row.model, row.builds_on):
            return True
        before[row.model] = row.row
    return False


def _names(comparison: Comparison, lang: str) -> list[str]:
    """The rows' names, the winner with a star, stale ones marked."""
    from tailor.scoring.comparison import key, labels

    names, winner = labels(comparison.rows), comparison.winner
    out = []
    for row in comparison.rows:
        won = winner.status == "chosen" and key(row) == (winner.row, winner.model)
        stale = f" ({_WORDS[lang]['stale']})" if row.stale else ""
        out.append(("★ " if won else "") + names[key(row)] + stale)
    return out


def pays(row: Row, lang: str, name: str = "") -> str:
    """One sentence: whether a stage paid against the row it was built on; empty without one.

    ``name`` is what the row is called where its own name could be that of another one, too.
    """
    say, name = _PAYS[lang], name or row.row
    if row.stale:
        return say["stale"].format(row=name)
    if row.step is None:
        return ""
    made = row.spent.training_usd if row.spent else None
    return say[row.step.verdict].format(
        row=name,
        other=row.step.row,
        delta=format.points(row.step.paired.delta, lang),
        interval=_interval(row.step, lang),
        p=format.p_value(row.step.paired.p, lang),
        more=_more(row.step, say["more"], row.target.task, lang),
    ) + (say["made"].format(usd=format.usd(made, lang)) if made else "")


def remarks(comparison: Comparison, lang: str) -> list[str]:
    """Sentences to read below the table: whether each stage paid, and how the answers ended."""
    from tailor.scoring.comparison import key, labels

    names = labels(comparison.rows)
    named = [(row, names[key(row)]) for row in comparison.rows]
    paid = [pays(row, lang, name) for row, name in named]
    return [*filter(None, paid), *(outcomes(row, lang, name) for row, name in named)]


def outcomes(row: Row, lang: str, name: str = "") -> str:
    """One sentence: how many answers ended how, each count with what it is out of."""
    parts = []
    say = {kind: worded(text, row.target.task, lang) for kind, text in _OUTCOMES[lang].items()}
    for kind in ("scored", "asked", "error", "unparseable", "refused"):
        count, of = row.outcomes[kind]
        if kind == "scored" or (count and kind != "asked") or (kind == "asked" and count < of):
            parts.append(
                say[kind].format(count=format.count(count, lang), of=format.count(of, lang))
            )
    for kind, share in (("rightly", row.rightly), ("wrongly", row.wrongly)):
        if share is not None and row.rightly is not None:
            parts.append(
                say[kind].format(
                    share=format.percent(share.mean, lang),
                    interval=_range(share, lang),
                    n=format.count(share.n, lang),
                )
            )
    if row.flicker is not None:
        parts.append(say["flicker"].format(share=format.percent(row.flicker, lang)))
    return f"{name or row.row}: {'; '.join(parts)}."


def sentence(comparison: Comparison, lang: str) -> str:
    """Which row to use, how much better it is than plain prompting, and what is not told yet."""
    from tailor.scoring.comparison import key, labels

    winner = comparison.winner
    say = {kind: worded(text, comparison.task, lang) for kind, text in _SENTENCES[lang].items()}
    if winner.row is None:
        return say[winner.status]
    row = next(row for row in comparison.rows if key(row) == (winner.row, winner.model))
    rivals = ""
    if winner.rivals:
        rivals = say["rivals"].format(rivals=_listed([r.row for r in winner.rivals], lang))
        if winner.more:
            rivals += say["more dev"].format(more=format.count(winner.more, lang))
    alone = sum(not row.stale for row in comparison.rows) == 1
    return say["alone" if alone else winner.status].format(
        row=labels(comparison.rows)[key(row)],
        scores=told.scores(row, lang),
        against=_against(comparison.reference, comparison.task, lang),
        rivals=rivals,
    )


def _listed(names: Sequence[str], lang: str) -> str:
    """``a, b and c``; of more than three, those that fit and how many more there are."""
    say, last = _SENTENCES[lang], names[-1]
    if len(names) > NAMED + 1:
        last = say["others"].format(count=format.count(len(names) - NAMED, lang))
        names = [*names[:NAMED], last]
    return say["and"].join(filter(None, (", ".join(names[:-1]), last)))


def score(row: Row, lang: str) -> str:
    """The score with its 95 % interval: ``61.3% (52.0% to 70.1%)``."""
    if row.primary is None:
        return format.UNKNOWN
    return f"{format.percent(row.primary.mean, lang)} ({_range(row.primary, lang)})"


def _range(i: Interval, lang: str) -> str:
    return _WORDS[lang]["to"].join(format.percent(x, lang) for x in (i.low, i.high))


def _mean(i: Interval | None, lang: str) -> str:
    return format.percent(i.mean if i else None, lang)


def step(step: Step | None, lang: str) -> str:
    """A difference with its interval and verdict: ``+31.0 (+22.0 to +40.0) better``."""
    if step is None:
        return format.UNKNOWN
    delta = format.points(step.paired.delta, lang)
    return f"{delta} ({_interval(step, lang)}) {_WORDS[lang][step.verdict]}"


def _interval(step: Step, lang: str) -> str:
    low, high = (format.points(x, lang) for x in (step.paired.low, step.paired.high))
    return f"{low}{_WORDS[lang]['to']}{high}"


def _against(step: Step | None, task: Task, lang: str) -> str:
    if step is None:
        return ""
    say = _AGAINST[lang]
    return say[step.verdict].format(
        other=step.row,
        delta=format.points(step.paired.delta, lang),
        interval=_interval(step, lang),
        more=_more(step, say["more"], task, lang),
    )


def _more(step: Step, say: str, task: Task, lang: str) -> str:
    return worded(say, task, lang).format(more=format.count(step.more, lang)) if step.more else ""
