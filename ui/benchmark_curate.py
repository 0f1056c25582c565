"""What the items of tasks number and label are like, and what somebody should look at."""

from __future__ import annotations

import streamlit as st

from tailor.prediction.curation import Bin, Curated, curate
from tailor.scoring import format
from tailor.ui import colours, opened, picture_charts
from tailor.ui.language import Language, literal
from tailor.workspace import Workspace

# Items that are listed; the command lists all. Streamlit would show a bare string here.
SHOWN = 200


def curated(workspace: Workspace, say: Language) -> None:
    """What would be left out and taken out, and pictures of what would be kept."""
    with st.spinner(say("curate.looking")):
        found = _curated((opened.stamp(workspace.root), str(workspace.root)), workspace)
    kept, left = (format.count(len(x), say.code) for x in (found.items, found.left))
    box = st.warning if found.left else st.success
    box(say("curate.counts", kept=kept, left=left))
    if found.cleaned:
        told = ", ".join(
            say(f"curate.{change}", count=format.count(n, say.code))
            for change, n in found.cleaned.items()
        )
        st.caption(literal(say("curate.cleaned", changes=told)))
    if found.telling:
        count, ids = format.count(len(found.telling), say.code), ", ".join(found.telling[:10])
        st.caption(literal(say("curate.telling", count=count, ids=ids)))
    _left(found, say)
    st.code(opened.command(workspace, "benchmark", "curate", "-o", "curated.jsonl"), language=None)
    _pictures(workspace, found, say)


def _left(found: Curated, say: Language) -> None:
    for reason, count in found.counts.items():
        with st.expander(say(f"curate.{reason}", count=format.count(count, say.code))):
            own = [one for one in found.left if one.reason == reason][:SHOWN]
            columns = {
                say("curate.item"): [one.id for one in own],
                say("curate.told"): [one.told for one in own],
            }
            st.dataframe(columns, hide_index=True, column_config=opened.widths(columns))


def _pictures(workspace: Workspace, found: Curated, say: Language) -> None:
    dark, items = colours.dark(), workspace.config.items
    pictures = [("lengths", found.lengths, False)]
    if found.numbers:
        pictures.append(("numbers", found.numbers, found.numbers[0].low > 0))
    for column, (name, bins, ratio) in zip(st.columns(2, gap="large"), pictures, strict=False):
        with column:
            st.subheader(say(f"curate.{name}"), anchor=False)
            title = say("pictures.words") if name == "lengths" else items.currency or items.unit
            opened.chart(
                picture_charts.histogram, [_bar(one, say) for one in bins], title, ratio,
                say.code, dark, alt=_told(bins, say),
            )  # fmt: skip
    if not found.categories:
        return
    st.subheader(say("curate.labels" if found.task == "label" else "curate.tags"), anchor=False)
    lines = [
        {
            "name": one.name,
            "count": one.count,
            "text": format.count(one.count, say.code)
            if one.median is None
            else say(
                "curate.median",
                count=format.count(one.count, say.code),
                median=format.amount(one.median, items.currency, items.unit, say.code),
            ),
        }
        for one in found.categories[:30]
    ]
    told = "; ".join(f"{line['name']}: {line['text']}" for line in lines)
    opened.chart(picture_charts.categories, lines, say.code, dark, alt=told)


def _bar(one: Bin, say: Language) -> dict[str, object]:
    low, high = (format.amount(edge, lang=say.code) for edge in (one.low, one.high))
    return {**vars(one), "range": f"{low} – {high}", "text": format.count(one.count, say.code)}


def _told(bins: tuple[Bin, ...], say: Language) -> str:
    return "; ".join(f"{bar['range']}: {bar['text']}" for bar in (_bar(b, say) for b in bins))


@st.cache_resource(max_entries=2, show_spinner=False)
def _curated(key: object, _workspace: Workspace) -> Curated:
    return curate(_workspace.benchmark)
