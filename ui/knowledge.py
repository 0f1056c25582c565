"""The page Knowledge: the company's documents, what became of each, and search in them."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from tailor.documents.activity import Activity, last_report
from tailor.documents.overview import FileState, pending
from tailor.documents.passages import Passage
from tailor.documents.recordings import can_write
from tailor.errors import TailorError
from tailor.models import transcriber
from tailor.models.provider import embedder_receiver, receiver
from tailor.scoring import format
from tailor.ui import cluster, curation, enriched, job, knowledge_upload, opened, started
from tailor.ui.language import Language, literal
from tailor.ui.marks import quote
from tailor.ui.refusal import refusal
from tailor.ui.search import search
from tailor.workspace import Workspace

SIGNS = {
    "indexed": "✓",
    "duplicate": "=",
    "holder": "▸",
    "refused": "✗",
    "empty": "!",
    "waiting": "◔",
    "new": "+",
    "changed": "↻",
    "removed": "−",
}
FILTERS = ("all", "attention", "pending")
ATTENTION = ("refused", "empty", "duplicate")
PENDING = ("waiting", "new", "changed", "removed")
# Passages shown at once of a document, and characters of its text; Streamlit would show a bare
# string here.
PER_PAGE = 10
SHOWN = 20_000


def page() -> None:
    """Show the page; it looks for news every second while documents are being read."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("knowledge.title"))
    reading = started.ingestion(workspace) is not None
    at = opened.stamp(workspace.root)
    st.fragment(top, run_every=1 if reading else 4)(reading, at)
    knowledge_upload.uploader(workspace, say)
    states = listed(workspace)
    if states:
        files(workspace, states, say)
    if (workspace.state / "index" / "current").exists():
        st.fragment(search)(workspace, say)
        curation.show(workspace, opened.stored(workspace), say)


def listed(workspace: Workspace) -> list[FileState]:
    """Every file as it was read, or as it waits to be, in the order of paths."""
    known = opened.stored(workspace)
    waiting = {state.path: state for state in waited(workspace, known)}
    both = {state.path: state for state in known} | waiting
    return [both[path] for path in sorted(both)]


def waited(workspace: Workspace, known: Sequence[FileState]) -> tuple[FileState, ...]:
    """Files that the next ingestion would look at; none where there is no folder."""
    return pending(workspace.knowledge, known) if workspace.knowledge.is_dir() else ()


def top(reading: bool, at: opened.Stamp) -> None:
    """Counters and progress; ``reading`` and ``at`` are what the page knew when it was drawn."""
    try:
        workspace, say = opened.workspace(), opened.spoken()
        now = started.ingestion(workspace)
        known = opened.stored(workspace)
        waiting = waited(workspace, known)
        there = bool(known or waiting or workspace.config.sources)
        if there:
            counters(known, waiting, say)
        else:
            needed = workspace.config.task == "answer"
            key = "knowledge.none" if needed else "knowledge.none_needed"
            st.info(literal(say(key, folder=workspace.knowledge)))
        if now is not None:
            progress(now, say)
        elif there:
            actions(workspace, known, waiting, say)
        # At the end: drawn anew before its button is, a press would be lost.
        if (now is not None) != reading or opened.stamp(workspace.root) != at:
            st.rerun()
    except TailorError as error:
        refusal(error)


def counters(known: Sequence[FileState], waiting: Sequence[FileState], say: Language) -> None:
    """How much there is, and how much needs somebody's attention."""
    statuses = Counter[str](state.status for state in known)
    languages = Counter(state.language for state in known if state.status == "indexed")
    wrong = [(name, statuses[name]) for name in ATTENTION if statuses[name]]
    spoken = [
        say(f"language.{code}", count=format.count(number, say.code))
        for code, number in languages.most_common()
    ]
    opened.tiles(
        [
            (
                say("knowledge.documents"),
                format.count(statuses["indexed"], say.code),
                ", ".join(spoken),
            ),
            (
                say("knowledge.passages"),
                format.count(sum(s.passages for s in known), say.code),
            ),
            (
                say("knowledge.attention"),
                format.count(sum(number for _, number in wrong), say.code),
                ", ".join(say(f"files.{name}", count=number) for name, number in wrong),
            ),
            (
                say("knowledge.waiting"),
                format.count(len(waiting), say.code),
                said(waiting, say),
            ),
        ]
    )


def said(states: Sequence[FileState], say: Language) -> str:
    """How many files there are of each status."""
    counted = Counter(state.status for state in states)
    return ", ".join(say(f"files.{name}", count=number) for name, number in counted.items())


def progress(now: Activity, say: Language) -> None:
    """How far the ingestion has come, and a button that stops it."""
    counted = {
        "done": format.count(now.done, say.code),
        "total": format.count(now.total, say.code),
    }
    known = now.step in ("reading", "transcribing", "embedding", "indexing", "enriching")
    text = say(f"ingest.{now.step if known else 'starting'}", **counted)
    st.progress(min(1.0, now.done / now.total) if now.total else 0.0, text=literal(text))
    stopping = any(one.process.pid == now.pid and one.cancelled for one in started.ingestions())
    if st.button(
        say("ingest.stopping" if stopping else "ingest.stop"),
        icon=":material/stop:",
        disabled=stopping,
        key="stop",
    ):
        for one in started.ingestions():
            one.cancelled = one.cancelled or one.process.pid == now.pid
        job.cancel(now.pid)
        st.rerun()


def actions(
    workspace: Workspace,
    known: Sequence[FileState],
    waiting: Sequence[FileState],
    say: Language,
) -> None:
    """What became of the last ingestion, and the buttons that start the next one."""
    outcome(say)
    wrong = sum(state.status in ("refused", "empty") for state in known)
    with st.popover(say("ingest.options"), icon=":material/tune:", type="tertiary"):
        on = cluster.chosen(say, "ingest_on")
    with st.container(horizontal=True):
        if st.button(
            say("ingest.start", count=len(waiting)) if waiting else say("ingest.again"),
            type="primary" if waiting else "secondary",
            icon=":material/play_arrow:",
            key="read",
        ):
            started.ingest(workspace, *on)
            st.rerun()
        if wrong and st.button(
            say("ingest.retry", count=wrong),
            icon=":material/refresh:",
            help=say("ingest.retry_help"),
            key="retry",
        ):
            started.ingest(workspace, "--retry", *on)
            st.rerun()
    st.code(opened.command(workspace, "ingest", *on), language=None, wrap_lines=True)
    receivers(workspace, say)
    enriched.on(workspace, say)
    changes(workspace, say)


def receivers(workspace: Workspace, say: Language) -> None:
    """Who would get texts or recordings."""
    config = workspace.config
    told = [
        ("ingest.sent", embedder_receiver(config)),
        ("ingest.sent_recordings", transcriber.receiver(config)),
    ]
    if config.transcriber and can_write(config.model):
        told.append(("ingest.sent_transcripts", receiver(config.model, config)))
    for key, to in told:
        if to:
            st.caption(literal(say(key, to=to)))


def outcome(say: Language) -> None:
    """Why the last ingestion started here did not come to its end."""
    last = started.ingestions()[-1] if started.ingestions() else None
    if last is None or last.alive:
        return
    if failure := last.failure():
        st.error(literal(failure))
        st.caption(literal(say("run.log", file=last.log)))
    elif last.process.returncode == job.INTERRUPTED or last.process.returncode < 0:
        st.warning(say("ingest.stopped"))


def changes(workspace: Workspace, say: Language) -> None:
    """What the last ingestion found new, changed or gone, whoever started it."""
    report = last_report(workspace.state)
    if report is None:
        return
    counted = Counter(file["status"] for file in report["files"])
    ended = datetime.fromisoformat(report["at"]).astimezone().strftime("%Y-%m-%d %H:%M")
    parts = [
        say(f"changes.{status}", count=format.count(counted[status], say.code))
        for status in ("indexed", "moved", "removed", "unchanged")
        if counted[status]
    ]
    parts += [
        say(f"files.{status}", count=format.count(counted[status], say.code))
        for status in ATTENTION
        if counted[status]
    ]
    st.caption(literal(say("changes.last", time=ended, what=", ".join(parts) or "–")))
    news = [f for f in report["files"] if f["status"] in ("indexed", "moved", "removed")]
    if news and len(news) < len(report["files"]):
        with st.expander(say("changes.list", count=format.count(len(news), say.code))):
            columns = {
                say("file.path"): [file["path"] for file in news],
                say("file.status"): [say(f"change.{file['status']}") for file in news],
            }
            st.dataframe(columns, hide_index=True, column_config=opened.widths(columns))
    if stale := report.get("stale"):
        with st.expander(say("changes.stale", count=format.count(len(stale), say.code))):
            st.code("\n".join(stale), language=None, wrap_lines=True)


def files(workspace: Workspace, states: Sequence[FileState], say: Language) -> None:
    """The table of files, and the chosen one below it."""
    groups: Mapping[str, list[FileState]] = {
        "all": list(states),
        "attention": [state for state in states if state.status in ATTENTION],
        "pending": [state for state in states if state.status in PENDING],
    }
    wanted = st.pills(
        say("knowledge.show"),
        FILTERS,
        default="all",
        required=True,
        key="files",
        format_func=lambda name: say(f"knowledge.show_{name}", count=len(groups[name])),
        label_visibility="collapsed",
    )
    shown = groups[wanted]
    if not shown:
        st.info(say("knowledge.nothing"))
        return
    chosen = shown[choose(shown, say)]
    with st.container(border=True):
        one_file(workspace, chosen, say)


def choose(shown: Sequence[FileState], say: Language) -> int:
    """The table; returns the number of the line that the URL names."""
    paths = [state.path for state in shown]
    wanted = st.query_params.get("file")
    chosen = paths.index(wanted) if wanted in paths else 0
    columns = {
        say("file.status"): [status(state, say) for state in shown],
        say("file.path"): paths,
        say("file.what_to_do"): [say.meaning(state.what_to_do) for state in shown],
        say("file.language"): [language(state, say) for state in shown],
        say("file.passages"): [
            format.count(state.passages, say.code) if state.passages else "" for state in shown
        ],
    }
    name = f"files {len(paths)} {hash(tuple(paths))}"
    height = min(37 + 35 * len(shown), 460)
    clicked = opened.select(name, columns, chosen, say("file.table"), height, widest=370)
    if clicked != chosen:
        st.query_params["file"] = paths[clicked]
        st.rerun()
    return chosen


def status(state: FileState, say: Language) -> str:
    """A sign and a word."""
    return f"{SIGNS[state.status]} {say(f'standing.{state.status}')}"


def language(state: FileState, say: Language) -> str:
    """The language of a document that was read."""
    return say(f"spoken.{state.language}") if state.language else ""


def one_file(workspace: Workspace, state: FileState, say: Language) -> None:
    """Where the file stands and why, its text and its passages."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<p class="question">{html.escape(state.path)}</p>')
        st.badge(status(state, say), color=curation.COLOURS.get(state.status, "gray"))
    for sentence in (state.cause, state.what_to_do):
        if sentence:
            st.markdown(literal(say.meaning(sentence)))
    if state.status in PENDING:
        st.markdown(say(f"standing.{state.status}_help"))
    if state.reason:
        st.html(
            f'<p class="expected"><span>{html.escape(say("file.reason"))}</span> '
            f"{html.escape(state.reason)}</p>"
        )
    document, passages = opened.preview(workspace, state.path)
    if document is None:
        return
    about = enriched.found(workspace, state.path)
    names = [
        say("file.text"), say("file.passages_of", count=format.count(len(passages), say.code)),
        *([say("enrich.tab")] if about else []),
    ]  # fmt: skip
    text, cut, *further = st.tabs(names)
    with text:
        shown = document.text[:SHOWN]
        st.html(f'<pre class="document">{html.escape(shown)}</pre>')
        if len(shown) < len(document.text):
            counted = [format.count(len(one), say.code) for one in (shown, document.text)]
            st.caption(say("file.cut", shown=counted[0], total=counted[1]))
    with cut:
        some(passages, about, say)
    for tab in further:
        with tab:
            enriched.show(about, say)


def some(passages: Sequence[Passage], about: enriched.Found, say: Language) -> None:
    """The passages of a document, ten at a time."""
    if not passages:
        st.caption(say("file.no_passages"))
        return
    pages = -(-len(passages) // PER_PAGE)
    first = 0
    if pages > 1:
        first = (int(st.pagination(pages, key=f"page {passages[0].document}")) - 1) * PER_PAGE
    for number, passage in enumerate(passages[first : first + PER_PAGE], first + 1):
        st.html(quote(number, passage.place, html.escape(passage.text)))
        if here := enriched.of(about, passage.start, passage.end):
            st.caption(literal(here))


if __name__ == "__main__":
    page()
