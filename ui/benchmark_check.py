"""What the check found, on the page Benchmark."""

from __future__ import annotations

import html

import streamlit as st

from tailor.benchmarking.check import Report, check
from tailor.benchmarking.finding import Finding
from tailor.scoring import format
from tailor.task import worded
from tailor.ui import opened
from tailor.ui.language import Language
from tailor.workspace import Workspace

# Findings that are listed; the command lists all. Streamlit would show a bare string here.
SHOWN = 200


def findings(workspace: Workspace, say: Language) -> None:
    """Errors and warnings with their lines."""
    with st.spinner(say("benchmark.checking")):
        report = _report((opened.stamp(workspace.root), str(workspace.root)), workspace)
    errors, warnings = len(report.errors), len(report.warnings)
    asked = worded("{questions}", workspace.config.task, say.code)
    if not report.findings:
        st.success(say("benchmark.fine", n=format.count(report.questions, say.code), asked=asked))
        return
    box = st.error if errors else st.warning
    counted = (format.count(n, say.code) for n in (errors, warnings, report.questions))
    names = ("errors", "warnings", "n")
    box(say("benchmark.counts", asked=asked, **dict(zip(names, counted, strict=True))))
    listed = sorted(report.findings, key=lambda f: f.level != "error")[:SHOWN]
    table(listed, say)
    if len(report.findings) > SHOWN:
        more = format.count(len(report.findings) - SHOWN, say.code)
        st.caption(say("benchmark.more", count=more))
        st.code(opened.command(workspace, "benchmark", "check", "--all"), language=None)


def table(listed: list[Finding], say: Language, last: int | None = None) -> None:
    """Findings with their lines; lines after the ``last`` one of the file are new."""
    rows = "".join(_row(finding, say, last) for finding in listed)
    heads = "".join(
        f"<th>{html.escape(say(f'benchmark.{name}'))}</th>" for name in ("level", "line", "what")
    )
    st.html(f'<table class="findings"><tr>{heads}</tr>{rows}</table>')


def _row(finding: Finding, say: Language, last: int | None) -> str:
    level = html.escape(say(f"benchmark.{finding.level}"))
    named = f"<b>{html.escape(finding.id)}</b> " if finding.id else ""
    told = named + html.escape(finding.message(say.code))
    new = last is not None and finding.line is not None and finding.line > last
    line = html.escape(say("benchmark.new_row")) if new else finding.line or ""
    return f'<tr class="{finding.level}"><td>{level}</td><td>{line}</td><td>{told}</td></tr>'


@st.cache_resource(max_entries=2, show_spinner=False)
def _report(key: object, _workspace: Workspace) -> Report:
    return check(_workspace)
