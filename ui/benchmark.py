"""The page Benchmark: what is wrong with the questions, their split, drafts, and what they hold."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.benchmark import Question
from tailor.benchmarking import assignment
from tailor.benchmarking.check import Report, check
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.splitting import SHARES, By
from tailor.benchmarking.stats import Stats, stats
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.workspace import Workspace

# Findings that are listed; the command lists all. Streamlit would show a bare string here.
SHOWN = 200
GROUPS: tuple[By, ...] = ("document", "quote")


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("benchmark.title"))
    path = workspace.knowledge / "benchmark.jsonl"
    if not path.exists() or not path.read_bytes().strip():
        st.info(literal(say("benchmark.none", file=path)))
        for words in (("draft",), ("import", "FILE")):
            st.code(opened.command(workspace, "benchmark", *words), language=None)
        drafts(workspace, say)
        return
    with st.spinner(say("benchmark.checking")):
        report = _report((opened.stamp(workspace.root), str(workspace.root)), workspace)
    st.info(literal(report.power.sentence(say.code)))
    problems(report, workspace, say)
    drafts(workspace, say)
    if report.questions:
        found = stats(workspace)
        left, right = st.columns([5, 4], gap="large")
        with left:
            made_of(found, say)
        with right:
            split(workspace, found, say)
            people(workspace, found, say)


def problems(report: Report, workspace: Workspace, say: Language) -> None:
    """Errors and warnings with their lines."""
    st.subheader(say("benchmark.found"), anchor=False)
    errors, warnings = len(report.errors), len(report.warnings)
    if not report.findings:
        st.success(say("benchmark.fine", n=format.count(report.questions, say.code)))
        return
    box = st.error if errors else st.warning
    box(say("benchmark.counts", errors=errors, warnings=warnings, n=report.questions))
    listed = sorted(report.findings, key=lambda f: f.level != "error")[:SHOWN]
    rows = "".join(_row(finding, say) for finding in listed)
    heads = "".join(
        f"<th>{html.escape(say(f'benchmark.{name}'))}</th>" for name in ("level", "line", "what")
    )
    st.html(f'<table class="findings"><tr>{heads}</tr>{rows}</table>')
    if len(report.findings) > SHOWN:
        st.caption(say("benchmark.more", count=len(report.findings) - SHOWN))
        st.code(opened.command(workspace, "benchmark", "check", "--all"), language=None)


def _row(finding: Finding, say: Language) -> str:
    level = html.escape(say(f"benchmark.{finding.level}"))
    named = f"<b>{html.escape(finding.id)}</b> " if finding.id else ""
    told = named + html.escape(finding.message(say.code))
    line = finding.line or ""
    return f'<tr class="{finding.level}"><td>{level}</td><td>{line}</td><td>{told}</td></tr>'


def split(workspace: Workspace, found: Stats, say: Language) -> None:
    """How questions are shared out, and a form to do it anew."""
    st.subheader(say("split.title"), anchor=False)
    counts = found.counts[""]
    n = sum(counts.values())
    st.dataframe(
        {
            say("split.name"): list(counts),
            say("split.questions"): [format.count(own, say.code) for own in counts.values()],
            say("split.share"): [format.percent(own / n, say.code) for own in counts.values()],
        },
        hide_index=True,
        alt=say("split.title"),
    )
    with st.expander(say("split.anew")), st.form("split", border=False):
        parts = [
            column.number_input(name, 0, 100, round(100 * share), key=f"share {name}")
            for column, (name, share) in zip(st.columns(len(SHARES)), SHARES.items(), strict=True)
        ]
        seed = st.number_input(say("split.seed"), 0, 1_000_000, 0)
        by: Any = st.radio(
            say("split.by"), GROUPS, format_func=lambda name: say(f"split.by_{name}")
        )
        reassign = st.checkbox(say("split.reassign"))
        if st.form_submit_button(say("split.do")):
            shares = dict(zip(SHARES, map(float, parts), strict=True))
            try:
                done = assignment.split(workspace, shares, int(seed), reassign, by)
            except TailorError as error:
                st.error(literal(str(error)))
                return
            st.session_state["split done"] = done.changed
            st.rerun()
    if (changed := st.session_state.pop("split done", None)) is not None:
        st.success(say("split.done", count=changed))


def drafts(workspace: Workspace, say: Language) -> None:
    """Drafts one by one, to approve or discard."""
    waits = workspace.drafts()
    if not waits:
        return
    st.subheader(say("draft.title", count=len(waits)), anchor=False)
    st.caption(say("draft.help"))
    at = min(int(st.session_state.get("draft", 0)), len(waits) - 1)
    with st.container(border=True):
        _draft(waits[at], at, len(waits), say)
        buttons = st.container(horizontal=True)
        id = waits[at].id
        if buttons.button(say("draft.approve"), type="primary", key=f"approve {id}"):
            workspace.approve([id])
            st.rerun()
        if buttons.button(say("draft.discard"), key=f"discard {id}"):
            workspace.discard([id])
            st.rerun()
        if buttons.button(say("draft.skip"), key=f"skip {id}"):
            st.session_state["draft"] = (at + 1) % len(waits)
            st.rerun()


def _draft(question: Question, at: int, of: int, say: Language) -> None:
    st.caption(literal(say("draft.of", at=at + 1, of=of, tags=", ".join(question.tags))))
    st.html(f'<p class="question">{html.escape(question.question)}</p>')
    answer = html.escape(" / ".join(question.answers) or say("answer.none_expected"))
    st.html(f'<p class="expected"><span>{html.escape(say("answer.expected"))}</span> {answer}</p>')
    for item in question.evidence:
        st.html(
            f'<div class="passage"><b>{html.escape(item.document)}</b>'
            f"<blockquote>{html.escape(item.quote)}</blockquote></div>"
        )


def made_of(found: Stats, say: Language) -> None:
    """Questions by language and tag, and documents by question."""
    st.subheader(say("stats.title"), anchor=False)
    hard, lang = found.difficulty, say.code
    names = {"": say("stats.all"), "null": say("stats.null")}
    columns = {say("stats.trait"): [names.get(name, name) for name in found.counts]}
    for name in ("train", "dev", "test"):
        columns[name] = [format.count(own[name], lang) for own in found.counts.values()]
    if hard:
        means = [hard.by_trait.get(name) for name in found.counts]
        columns[say("stats.baseline")] = [format.percent(m[0] if m else None, lang) for m in means]
    st.dataframe(columns, hide_index=True, alt=say("stats.title"), height=300)
    words = found.answer_words
    st.caption(
        say(
            "stats.answers",
            median=format.count(round(words["median"]), lang),
            longest=format.count(int(words["longest"]), lang),
            numbers=format.count(int(words["numbers"]), lang),
        )
    )
    if hard:
        st.caption(say("stats.hard", easy=hard.easy, middle=hard.middle, hard=hard.hard, n=hard.n))
    asked = sum(n > 0 for n in found.documents.values())
    st.caption(say("stats.documents", asked=asked, silent=len(found.documents) - asked))
    _documents(found.documents.items(), say)


def _documents(documents: Any, say: Language) -> None:
    listed: Sequence[tuple[str, int]] = list(documents)
    with st.expander(say("stats.by_document")):
        columns = {
            say("stats.questions"): [format.count(n, say.code) for _, n in listed],
            say("stats.document"): [name for name, _ in listed],
        }
        st.dataframe(columns, hide_index=True, alt=say("stats.by_document"), height=300)


def people(workspace: Workspace, found: Stats, say: Language) -> None:
    """How people's answers become a row, and how far those who answered agree."""
    st.subheader(say("people.title"), anchor=False)
    st.caption(say("people.help"))
    human = ("benchmark", "human")
    lines = [
        opened.command(workspace, *human, "export", "-o", "blind.csv"),
        opened.command(workspace, *human, "import", "blind.csv", "--name", "Ann"),
    ]
    st.code("\n".join(lines), language=None, wrap_lines=True)
    for pair in found.agreement:
        low, high = (format.percent(x, say.code) for x in (pair.f1.low, pair.f1.high))
        mean = format.percent(pair.f1.mean, say.code)
        told = say("people.agree", one=pair.one, other=pair.other, mean=mean, low=low, high=high)
        st.markdown(literal(told))


@st.cache_resource(max_entries=2, show_spinner=False)
def _report(key: object, _workspace: Workspace) -> Report:
    return check(_workspace)


if __name__ == "__main__":
    page()
