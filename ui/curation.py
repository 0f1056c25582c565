"""The curation report on the page Knowledge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from tailor.documents.overview import FileState
from tailor.documents.sensitive import PERSONAL, SECRETS
from tailor.scoring import format
from tailor.ui import opened, started
from tailor.ui.language import Language
from tailor.workspace import Workspace

COLOURS: dict[str, Literal["green", "red", "orange", "gray", "primary"]] = {
    "indexed": "green",
    "holder": "green",
    "refused": "red",
    "empty": "orange",
    "duplicate": "orange",
    "waiting": "primary",
    "new": "primary",
    "changed": "primary",
}


def show(workspace: Workspace, known: Sequence[FileState], say: Language) -> None:
    """What somebody should look at; the report is made when documents are read."""
    st.subheader(say("curation.title"), anchor=False)
    report = current(workspace, known)
    if report is None:
        st.info(say("curation.none"))
        if st.button(say("curation.make"), icon=":material/fact_check:", key="curate"):
            started.ingest(workspace)
            st.rerun()
        return
    totals = report["totals"]
    st.caption(
        say(
            "curation.totals",
            words=format.count(totals["words"], say.code),
            tokens=format.count(totals["tokens"], say.code),
        )
    )
    sections = [
        _sensitive(report, SECRETS, "secrets", say),
        _sensitive(report, PERSONAL, "personal", say),
        _same(report, say),
        _near(report, say),
        _boilerplate(report, say),
        _short(report, say),
    ]
    clean = [name for name, count, _ in sections if not count]
    for name, count, columns in sections:
        if count:
            with st.expander(say(f"curation.{name}", count=format.count(count, say.code))):
                st.caption(say(f"curation.{name}_help"))
                _table(columns)
    if clean:
        st.caption(say("curation.clean", what=", ".join(say(f"clean.{name}") for name in clean)))
    with st.expander(say("curation.ages")):
        _table(_ages(report, say))


def current(workspace: Workspace, known: Sequence[FileState]) -> Mapping[str, Any] | None:
    """The report that was kept, where it is of these files."""
    try:
        text = (workspace.state / "reports" / "curation.json").read_text("utf-8")
        report: Mapping[str, Any] = json.loads(text)
        told = {(f["path"], f["status"], f["reason"], f["modified"]) for f in report["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    now = {(f.path, f.status, f.reason, f.modified) for f in known}
    return report if told == now else None


Section = tuple[str, int, Mapping[str, Sequence[str]]]


def _sensitive(
    report: Mapping[str, Any], kinds: Sequence[str], name: str, say: Language
) -> Section:
    found = [item for item in report["sensitive"] if item["kind"] in kinds]
    return (
        name,
        sum(item["count"] for item in found),
        {
            say("curation.kind"): [say(f"kind.{item['kind']}") for item in found],
            say("curation.document"): [item["document"] for item in found],
            say("curation.count"): [format.count(item["count"], say.code) for item in found],
            say("curation.lines"): [", ".join(map(str, item["lines"])) for item in found],
        },
    )


def _same(report: Mapping[str, Any], say: Language) -> Section:
    groups = report["same"]
    return (
        "same",
        len(groups),
        {
            say("curation.kept"): [group[0] for group in groups],
            say("curation.copies"): [", ".join(group[1:]) for group in groups],
        },
    )


def _near(report: Mapping[str, Any], say: Language) -> Section:
    pairs = report["near"]
    return (
        "near",
        len(pairs),
        {
            say("curation.alike"): [format.percent(p["similarity"], say.code) for p in pairs],
            say("curation.document"): [pair["first"] for pair in pairs],
            say("curation.other"): [pair["second"] for pair in pairs],
        },
    )


def _boilerplate(report: Mapping[str, Any], say: Language) -> Section:
    found = report["boilerplate"]
    return (
        "boilerplate",
        len(found),
        {
            say("curation.documents"): [format.count(b["documents"], say.code) for b in found],
            say("curation.text"): [" ⏎ ".join(b["text"].split("\n")) for b in found],
            say("curation.example"): [f"{b['example']}:{b['line']}" for b in found],
        },
    )


def _short(report: Mapping[str, Any], say: Language) -> Section:
    lengths = {file["path"]: file["words"] for file in report["files"]}
    return (
        "short",
        len(report["short"]),
        {
            say("curation.document"): list(report["short"]),
            say("curation.words"): [
                format.count(lengths[path], say.code) for path in report["short"]
            ],
        },
    )


def _ages(report: Mapping[str, Any], say: Language) -> Mapping[str, Sequence[str]]:
    told = {item["path"] for item in report["oldest"]}
    newest = [item for item in reversed(report["newest"]) if item["path"] not in told]
    aged = [*report["oldest"], *newest]
    return {
        say("curation.modified"): [item["modified"][:10] for item in aged],
        say("curation.document"): [item["path"] for item in aged],
    }


def _table(columns: Mapping[str, Sequence[str]]) -> None:
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        height=min(37 + 35 * max(map(len, columns.values())), 320),
    )
