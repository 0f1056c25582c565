"""A comparison in words, English and Vietnamese: the table and the one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailor.scoring import format

if TYPE_CHECKING:
    from rich.table import Table

    from tailor.scoring.comparison import Comparison, Row, Step

_WORDS = {
    "en": {
        "row": "Row", "score": "Score (95 %)", "step": "Against the step before, points",
        "recall": "Recall@5", "latency": "Latency p50", "tokens": "Tokens", "cost": "Cost",
        "errors": "Errors", "stale": "stale", "to": " to ",
        "better": "better", "worse": "worse", "tie": "tie", "undecided": "undecided",
    },
    "vi": {
        "row": "Dòng", "score": "Điểm (95 %)", "step": "So với bước trước, điểm phần trăm",
        "recall": "Recall@5", "latency": "Độ trễ p50", "tokens": "Token", "cost": "Chi phí",
        "errors": "Lỗi", "stale": "đã cũ", "to": " đến ",
        "better": "tốt hơn", "worse": "kém hơn", "tie": "ngang nhau", "undecided": "chưa rõ",
    },
}  # fmt: skip

_SENTENCES = {
    "en": {
        "no dev answers": "No row can be recommended yet: there are too few dev answers to choose "
        "by, so run the stages on the dev questions first.",
        "stale": "No row can be recommended: the benchmark or the documents changed since the "
        "runs, so run the stages again.",
        "chosen": "Use {row}: it scores {mean} (95% interval {interval}) on {n} {split} "
        "questions{against}{rivals}.",
        "undecided": "Undecided: {row} leads on dev and scores {mean} (95% interval {interval}) "
        "on {n} {split} questions{against}{rivals}.",
        "rivals": "; on dev it cannot be told from {rivals}",
        "more dev": " (about {more} more dev questions would tell)",
        "and": " and ",
    },
    "vi": {
        "no dev answers": "Chưa thể khuyên dùng dòng nào: còn quá ít câu trả lời trên tập dev để "
        "chọn, hãy chạy các bước trên tập dev trước.",
        "stale": "Chưa thể khuyên dùng dòng nào: bộ câu hỏi hoặc tài liệu đã thay đổi sau các lần "
        "chạy, hãy chạy lại các bước.",
        "chosen": "Nên dùng {row}: đạt {mean} (khoảng tin cậy 95%: {interval}) trên {n} câu hỏi "
        "của tập {split}{against}{rivals}.",
        "undecided": "Chưa thể kết luận: {row} dẫn đầu trên tập dev và đạt {mean} (khoảng tin cậy "
        "95%: {interval}) trên {n} câu hỏi của tập {split}{against}{rivals}.",
        "rivals": "; trên tập dev chưa phân biệt được với {rivals}",
        "more dev": " (cần thêm khoảng {more} câu hỏi dev)",
        "and": " và ",
    },
}

_AGAINST = {
    "en": {
        "better": ", better than {other} by {delta} points ({interval})",
        "worse": ", although there it is worse than {other} ({delta} points, {interval})",
        "tie": ", as good as {other} ({delta} points, {interval})",
        "undecided": ", but whether it beats {other} is undecided ({delta} points, {interval}"
        "{more})",
        "more": "; about {more} more questions would tell",
    },
    "vi": {
        "better": ", hơn {other} {delta} điểm phần trăm ({interval})",
        "worse": ", tuy ở đây kém {other} ({delta} điểm phần trăm, {interval})",
        "tie": ", ngang với {other} ({delta} điểm phần trăm, {interval})",
        "undecided": ", nhưng chưa rõ có hơn {other} hay không ({delta} điểm phần trăm, "
        "{interval}{more})",
        "more": "; cần thêm khoảng {more} câu hỏi",
    },
}


def table(comparison: Comparison, lang: str) -> Table:
    """The rows for a terminal; a column of errors only where there are any."""
    from rich.table import Table
    from rich.text import Text

    from tailor.scoring.comparison import key, labels

    words = _WORDS[lang]
    rows, winner = comparison.rows, comparison.winner
    names = labels(rows)
    with_errors = any(row.errors for row in rows)
    out = Table(title=f"{comparison.split}, n = {format.count(comparison.n, lang)}")
    out.add_column(words["row"], overflow="fold")
    for name in ("score", "step", "recall", "latency", "tokens", "cost"):
        out.add_column(words[name], justify="right")
    if with_errors:
        out.add_column(words["errors"], justify="right", style="red")
    for row in rows:
        won = winner.status == "chosen" and key(row) == (winner.row, winner.model)
        stale = f" ({words['stale']})" if row.stale else ""
        recall = row.metrics.get("recall@5")
        cells = [
            ("★ " if won else "") + names[key(row)] + stale,
            score(row, lang),
            step(row.step, lang),
            format.percent(recall.mean if recall else None, lang),
            format.seconds(row.p50, lang),
            format.count(row.input_tokens + row.output_tokens, lang),
            format.usd(row.cost_usd, lang),
            *([format.count(row.errors, lang)] if with_errors else []),
        ]
        out.add_row(*map(Text, cells))
    return out


def sentence(comparison: Comparison, lang: str) -> str:
    """Which row to use, how much better it is than plain prompting, and what is not told yet."""
    from tailor.scoring.comparison import key, labels

    say, winner = _SENTENCES[lang], comparison.winner
    if winner.row is None:
        return say[winner.status]
    row = next(row for row in comparison.rows if key(row) == (winner.row, winner.model))
    rivals = ""
    if winner.rivals:
        named = [rival.row for rival in winner.rivals]
        listed = say["and"].join(filter(None, (", ".join(named[:-1]), named[-1])))
        rivals = say["rivals"].format(rivals=listed)
        if winner.more:
            rivals += say["more dev"].format(more=format.count(winner.more, lang))
    return say[winner.status].format(
        row=labels(comparison.rows)[key(row)],
        mean=format.percent(row.primary.mean if row.primary else None, lang),
        interval=_score_interval(row, lang),
        n=format.count(row.scored, lang),
        split=row.split,
        against=_against(comparison.reference, lang),
        rivals=rivals,
    )


def score(row: Row, lang: str) -> str:
    """The score with its 95 % interval: ``61.3% (52.0% to 70.1%)``."""
    if row.primary is None:
        return format.UNKNOWN
    return f"{format.percent(row.primary.mean, lang)} ({_score_interval(row, lang)})"


def _score_interval(row: Row, lang: str) -> str:
    if row.primary is None:
        return format.UNKNOWN
    low, high = (format.percent(x, lang) for x in (row.primary.low, row.primary.high))
    return f"{low}{_WORDS[lang]['to']}{high}"


def step(step: Step | None, lang: str) -> str:
    """A difference with its interval and verdict: ``+31.0 (+22.0 to +40.0) better``."""
    if step is None:
        return format.UNKNOWN
    delta = format.points(step.paired.delta, lang)
    return f"{delta} ({_interval(step, lang)}) {_WORDS[lang][step.verdict]}"


def _interval(step: Step, lang: str) -> str:
    low, high = (format.points(x, lang) for x in (step.paired.low, step.paired.high))
    return f"{low}{_WORDS[lang]['to']}{high}"


def _against(step: Step | None, lang: str) -> str:
    if step is None:
        return ""
    say = _AGAINST[lang]
    return say[step.verdict].format(
        other=step.row,
        delta=format.points(step.paired.delta, lang),
        interval=_interval(step, lang),
        more=say["more"].format(more=format.count(step.more, lang)) if step.more else "",
    )
