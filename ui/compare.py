"""The page Compare: which row to use, every row beside the others, and two of them by question."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.documents.passages import Passage
from tailor.run import Run
from tailor.scoring import comparison as compared
from tailor.scoring import format, wording
from tailor.scoring.comparison import Comparison, SideBySide
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.workspace import Span, Workspace

FILTERS = ("changed", "better", "worse", "all")
MARKS = {"better": "▲", "worse": "▼", "same": "=", "unscored": "–"}


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("compare.title"))
    if not opened.next_step(workspace):
        return
    runs = workspace.runs()
    if not runs:
        st.info(say("compare.none"))
        st.code(opened.command(workspace, "run", "all"), language=None)
        return
    result = opened.comparison(runs)
    verdict(result, say)
    remarks(workspace, runs, say)
    bars(result, say)
    table(result, say)
    if len(runs) > 1:
        questions(workspace, runs, result, say)


def verdict(result: Comparison, say: Language) -> None:
    """The sentence that `tailor compare` ends with."""
    box = {"chosen": st.success, "undecided": st.info}.get(result.winner.status, st.warning)
    box(literal(result.verdict(say.code)))


def remarks(workspace: Workspace, runs: Sequence[Run], say: Language) -> None:
    """Runs that no longer hold, are not complete or are missing, each with the command to type."""
    for kind in ("benchmark", "documents"):
        stale = [run for run in runs if opened.staleness(run) == kind]
        if stale:
            rows = ", ".join(run.row for run in stale)
            st.warning(literal(say(f"compare.stale_{kind}", rows=rows)))
            _commands(workspace, stale)
    for run in runs:
        state = run.state()
        if not run.stale() and state.status not in ("complete", "running"):
            text = say("compare.incomplete", row=run.row, done=state.done, total=state.total)
            st.warning(literal(text))
            _commands(workspace, [run])
    have = {run.stage for run in runs}
    if missing := [name for name in workspace.config.ladder if name not in have]:
        with st.expander(literal(say("compare.missing", rows=", ".join(missing)))):
            st.code(opened.command(workspace, "run", *missing), language=None, wrap_lines=True)


def _commands(workspace: Workspace, runs: Sequence[Run]) -> None:
    """The commands that run these again, one for each model."""
    lines = []
    for model in dict.fromkeys(run.model for run in runs):
        words = list(dict.fromkeys(run.stage for run in runs if run.model == model))
        if model != workspace.config.model:
            words += ["--model", model]
        lines.append(opened.command(workspace, "run", *words))
    st.code("\n".join(lines), language=None, wrap_lines=True)


def bars(result: Comparison, say: Language) -> None:
    """One horizontal bar per row, with its 95 % interval."""
    import altair as alt

    names = compared.labels(result.rows)
    winner = _winner(result)
    values = [
        {
            "row": names[compared.key(row)],
            "score": row.primary.mean,
            "low": row.primary.low,
            "high": row.primary.high,
            "text": format.percent(row.primary.mean, say.code),
            "told": wording.score(row, say.code),
            "winner": compared.key(row) == winner,
        }
        for row in result.rows
        if row.primary
    ]
    st.subheader(say("compare.bars"), anchor=False)
    if not values:
        st.info(say("compare.no_scores"))
        return
    st.caption(literal(say("compare.axis", split=result.split, n=result.n)))
    dark = st.context.theme.type == "dark"
    ink = "#e8eceb" if dark else "#1f2a2a"
    strong, muted = ("#3aa79c", "#43615f") if dark else ("#0f766e", "#a9c6c3")
    y = alt.Y(
        "row:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelFontSize=13, ticks=False)
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=y,
        tooltip=[
            alt.Tooltip("row:N", title=say("compare.row")),
            alt.Tooltip("told:N", title=say("stages.score")),
        ],
    )
    bar = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        x=alt.X(
            "score:Q",
            scale=alt.Scale(domain=[0, 1.08]),
            title=None,
            axis=alt.Axis(format="%", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        ),
        color=alt.condition("datum.winner", alt.value(strong), alt.value(muted)),
    )
    whisker = base.mark_rule(strokeWidth=2, color=ink).encode(x="low:Q", x2="high:Q")
    label = base.mark_text(align="left", dx=8, color=ink, fontSize=13).encode(
        x="high:Q", text="text:N"
    )
    st.altair_chart(
        (bar + whisker + label).properties(height=34 * len(values) + 30),
        alt="; ".join(f"{v['row']}: {v['told']}" for v in values),
        width="stretch",
    )


def table(result: Comparison, say: Language) -> None:
    """All rows with what they score and take."""
    names, lang = compared.labels(result.rows), say.code
    winner = _winner(result)
    recalls = [row.metrics.get("recall@5") for row in result.rows]
    columns = {
        say("compare.row"): [
            ("★ " if compared.key(row) == winner else "") + names[compared.key(row)]
            for row in result.rows
        ],
        say("stages.score"): [wording.score(row, lang) for row in result.rows],
        say("compare.step"): [wording.step(row.step, lang) for row in result.rows],
        "p": [p_value(row.step.paired.p if row.step else None, lang) for row in result.rows],
        "recall@5": [format.percent(r.mean if r else None, lang) for r in recalls],
        say("compare.latency"): [format.seconds(row.p50, lang) for row in result.rows],
        say("compare.tokens"): [
            format.count(row.input_tokens + row.output_tokens, lang) for row in result.rows
        ],
        say("compare.cost"): [format.usd(row.cost_usd, lang) for row in result.rows],
        say("stages.n"): [say("compare.scored", scored=row.scored, n=row.n) for row in result.rows],
        say("stages.errors"): [format.count(row.errors, lang) for row in result.rows],
    }
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        alt=say("compare.table"),
        height="content",
    )
    st.caption(literal(say("compare.legend")))


def _winner(result: Comparison) -> tuple[str | None, str | None]:
    """The key of the row that was chosen; of none where that is undecided."""
    chosen = result.winner.status == "chosen"
    return (result.winner.row, result.winner.model) if chosen else (None, None)


def p_value(p: float | None, lang: str) -> str:
    """A p value with three decimals."""
    if p is None:
        return format.UNKNOWN
    text = "< 0.001" if p < 0.001 else f"{p:.3f}"
    return text.replace(".", ",") if lang == "vi" else text


def questions(workspace: Workspace, runs: Sequence[Run], result: Comparison, say: Language) -> None:
    """Two rows side by side: choose them, choose a question, read both answers."""
    st.subheader(say("compare.questions"), anchor=False)
    names = compared.labels(result.rows)
    by_name = {names[run.row, run.model]: run for run in runs}
    labels = list(by_name)
    won = names.get((result.winner.row or "", result.winner.model or ""), labels[-1])
    before = by_name[won].previous
    earlier = names.get((before or "", by_name[won].model), labels[0])
    if earlier == won:
        earlier = next(label for label in labels if label != won)
    left, right, rest = st.columns([3, 3, 6], vertical_alignment="bottom")
    with left:
        base = choice("base", say("compare.base"), labels, earlier)
    with right:
        candidate = choice("candidate", say("compare.candidate"), labels, won)
    pairs = compared.pair(by_name[base].scored("test"), by_name[candidate].scored("test"))
    kinds = [kind(item) for item in pairs]
    counts = {
        "changed": sum(k in ("better", "worse") for k in kinds),
        "better": kinds.count("better"),
        "worse": kinds.count("worse"),
        "all": len(kinds),
    }
    with rest:
        wanted = st.pills(
            say("compare.show"),
            FILTERS,
            default="changed",
            required=True,
            key="show",
            format_func=lambda name: say(f"compare.show_{name}", count=counts[name]),
            label_visibility="collapsed",
        )
    step = compared.difference(by_name[base].scored("test"), by_name[candidate].scored("test"))
    st.caption(
        literal(
            say(
                "compare.pair",
                base=base,
                candidate=candidate,
                n=step.paired.n if step else 0,
                step=wording.step(step, say.code),
                better=counts["better"],
                worse=counts["worse"],
                same=kinds.count("same"),
                unscored=kinds.count("unscored"),
            )
        )
    )
    shown = [
        item
        for item, k in zip(pairs, kinds, strict=True)
        if wanted == "all" or k == wanted or (wanted == "changed" and k in ("better", "worse"))
    ]
    if not shown:
        st.info(say("compare.nothing"))
        return
    listing, detail = st.columns([5, 7], gap="medium")
    with listing:
        item = shown[chosen_question(shown, say)]
    with detail:
        side_by_side(workspace, item, base, candidate, say)


def choice(key: str, label: str, options: Sequence[str], default: str) -> str:
    """A select box whose value, once chosen, is kept in the URL."""
    asked = st.query_params.get(key)
    current = asked if asked in options else default
    # Another key for each value, so that the box follows the URL when the user goes back.
    value = st.selectbox(label, options, index=options.index(current), key=f"{key} {current}")
    if value != current:
        st.query_params[key] = value
        st.rerun()
    return value


def kind(item: SideBySide) -> str:
    """How the candidate's answer compares with the base's."""
    if item.delta is None:
        return "unscored"
    return "same" if item.delta == 0 else "better" if item.delta > 0 else "worse"


def chosen_question(shown: Sequence[SideBySide], say: Language) -> int:
    """The list of questions; returns the number of the one that the URL names."""
    ids = [item.question.id for item in shown]
    wanted = st.query_params.get("question")
    chosen = ids.index(wanted) if wanted in ids else 0
    columns = {
        "±": [MARKS[kind(item)] for item in shown],
        say("compare.base"): [format.percent(item.base_score, say.code) for item in shown],
        say("compare.candidate"): [
            format.percent(item.candidate_score, say.code) for item in shown
        ],
        say("compare.question"): [item.question.question for item in shown],
    }
    height = min(37 + 35 * len(shown), 600)
    clicked = opened.select(" ".join(ids), columns, chosen, say("compare.list"), height)
    if clicked != chosen:
        st.query_params["question"] = ids[clicked]
        st.rerun()
    return chosen


def side_by_side(
    workspace: Workspace, item: SideBySide, base: str, candidate: str, say: Language
) -> None:
    """One question, the expected answer, and both answers with the passages each one saw."""
    question = item.question
    st.html(f'<p class="question">{html.escape(question.question)}</p>')
    expected = " / ".join(question.answers) or say("answer.none_expected")
    st.html(_labelled(say("answer.expected"), expected))
    spans = workspace.spans.get(question.id, ())
    columns = st.columns(2)
    sides = (
        (base, item.base, item.base_score),
        (candidate, item.candidate, item.candidate_score),
    )
    for column, (name, answer, score) in zip(columns, sides, strict=True):
        with column, st.container(border=True):
            one_side(name, answer, score, spans, question, say)


def one_side(
    name: str,
    answer: Answer | None,
    score: float | None,
    spans: Sequence[Span],
    question: Question,
    say: Language,
) -> None:
    """A row's answer to a question."""
    st.markdown(f"**{literal(name)}**")
    if answer is None:
        st.caption(say("answer.not_asked"))
        return
    said = f"{say(f'outcome.{answer.outcome}')} · {format.percent(score, say.code)} · " + (
        format.seconds(answer.seconds or None, say.code)  # people need not take the time
    )
    st.caption(literal(said))
    st.html(f'<div class="answer">{html.escape(answer.error or answer.text or "–")}</div>')
    if not answer.passages:
        st.caption(say("answer.no_passages"))
        return
    seen = len(answer.passages) - answer.dropped
    with st.expander(say("answer.passages", count=seen), expanded=True):
        for number, passage in enumerate(answer.passages, 1):
            st.html(_passage(number, passage, spans, number > seen, say))


def _passage(
    number: int, passage: Passage, spans: Sequence[Span], dropped: bool, say: Language
) -> str:
    marks = sorted(
        (max(start, passage.start) - passage.start, min(end, passage.end) - passage.start)
        for document, start, end in spans
        if document == passage.document and start < passage.end and end > passage.start
    )
    text, at = "", 0
    for start, end in marks:
        start = max(start, at)
        text += html.escape(passage.text[at:start])
        text += f"<mark>{html.escape(passage.text[start:end])}</mark>"
        at = max(at, end)
    text += html.escape(passage.text[at:])
    flags = f' <b class="evidence">✓ {html.escape(say("answer.evidence"))}</b>' if marks else ""
    flags += f" <i>{html.escape(say('answer.dropped'))}</i>" if dropped else ""
    source = html.escape(passage.source)
    return (
        f'<div class="passage"><b>[{number}]</b> {source}{flags}'
        f"<blockquote>{text}</blockquote></div>"
    )


def _labelled(label: str, text: str) -> str:
    return f'<p class="expected"><span>{html.escape(label)}</span> {html.escape(text)}</p>'


if __name__ == "__main__":
    page()
