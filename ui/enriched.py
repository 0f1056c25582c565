"""What enrichers found in documents, on the page Knowledge."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from tailor.documents import overview
from tailor.documents.activity import last_report
from tailor.documents.enrichers.enricher import Finding, enrichers
from tailor.documents.enrichments import On, overlapping, values
from tailor.scoring import format
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import told
from tailor.workspace import Workspace

Found = Sequence[tuple[On, tuple[Finding, ...] | None]]
"""Each enricher that is on, with what it found in a document; None before it went through it."""
LONGEST = 20_000
"""Characters shown of what a model wrote."""


def found(workspace: Workspace, path: str) -> Found:
    """What enrichers found in a stored document; looked up again when something was read."""
    return _found(str(workspace.state), path, opened.stamp(workspace.root))


@st.cache_resource(max_entries=4, show_spinner=False)
def _found(state: str, path: str, at: opened.Stamp) -> Found:
    return overview.enriched(Path(state), path)


def on(workspace: Workspace, say: Language) -> None:
    """Which enrichers tailor.toml names, and for which documents they failed last time."""
    set_on = enrichers(workspace.config.enrich)
    if not set_on:
        return
    named = [f"{one.name} ({say(f'enrich.task_{one.task}')}, {one.path})" for one in set_on]
    st.caption(literal(say("enrich.on", names=", ".join(named))))
    report = last_report(workspace.state) or {}
    for one in report.get("enriched", ()):
        if one["failed"]:
            failed(one, say)


def failed(one: Mapping[str, Any], say: Language) -> None:
    """The documents that an enricher failed for, with the reasons."""
    count = format.count(len(one["failed"]), say.code)
    with st.expander(literal(say("enrich.failed", name=one["name"], count=count))):
        columns = {
            say("file.path"): [each["path"] for each in one["failed"]],
            say("enrich.reason"): [
                told(each["reason"], say) or each["reason"] for each in one["failed"]
            ],
        }
        st.dataframe(columns, hide_index=True, column_config=opened.widths(columns))


def show(about: Found, say: Language) -> None:
    """Everything that was found in a document, by enricher."""
    for one, findings in about:
        task = say(f"enrich.task_{one.task}")
        st.markdown(f"**{literal(one.name)}** · {task} · {literal(one.model)}")
        if findings is None:
            st.caption(say("enrich.waiting"))
        elif not findings:
            st.caption(say("enrich.nothing"))
        elif one.task in ("summary", "translation"):
            text = "\n\n".join(finding.value for finding in findings)
            st.html(f'<pre class="document">{html.escape(text[:LONGEST])}</pre>')
        else:
            counted(findings, say)


def counted(findings: Sequence[Finding], say: Language) -> None:
    """Names by kind, or labels, with how often each was found."""
    kinds: dict[str, Counter[str]] = {}
    for finding in findings:
        kinds.setdefault(finding.label, Counter())[finding.value] += 1
    for kind, times in kinds.items():
        parts = [
            say("enrich.times", value=value, count=format.count(n, say.code)) if n > 1 else value
            for value, n in times.most_common()
        ]
        shown = html.escape(", ".join(parts))
        st.html(f'<p class="expected"><span>{html.escape(kind)}</span> {shown}</p>')


def of(about: Found, start: int, end: int) -> str:
    """What was found in a passage, but for what models wrote, in one line; empty: nothing."""
    parts = [
        f"{one.name}: {', '.join(values(here))}"
        for one, findings in about
        if one.task not in ("summary", "translation")
        and (here := overlapping(findings or (), start, end))
    ]
    return " · ".join(parts)
