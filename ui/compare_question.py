"""Two rows question by question, on the page Compare: the list left, both answers right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from tailor.benchmark import Question
from tailor.scoring import format, wording
from tailor.scoring.attribution import EVERY, Why, label
from tailor.scoring.changes import MARKS, change, counted
from tailor.scoring.comparison import Comparison, SideBySide, Step, key
from tailor.ui import address, compare_answer, compared, opened
from tailor.ui.compare_sides import Sides
from tailor.ui.language import Language, literal
from tailor.ui.verdict import SIGNS
from tailor.workspace import Workspace

FILTERS = ("changed", "better", "worse", "same", "unscored", "all")
# Questions in one list; Streamlit would show a bare string here.
PER_PAGE = 200
ALL = "all"


def questions(workspace: Workspace, result: Comparison, sides: Sides, say: Language) -> None:
    """The questions that the filters leave, and the answers to the chosen one."""
    pairs, step = compared.pairs(sides.base, sides.candidate)
    step = _of_ladder(result, sides) or step
    if sides.stale and not sides.one:
        rows = ", ".join(sides.stale)
        st.warning(literal(say("compare.stale_pair", rows=rows, n=len(pairs))))
    if not sides.one:
        st.caption(literal(_against(sides, step, pairs, say)))
    shown = _filtered(pairs, sides, say)
    if not shown:
        st.info(say("compare.nothing"))
        return
    chosen = _chosen(shown)
    listing, detail = st.columns([5, 7], gap="medium")
    with listing:
        _list(shown, chosen, sides.one, say)
    with detail:
        compare_answer.side_by_side(workspace, shown[chosen], sides, say)


def _of_ladder(result: Comparison, sides: Sides) -> Step | None:
    """The difference as the table of all rows has it, where these two are one of its steps."""
    wanted = (sides.candidate.row, sides.candidate.model)
    step = next((row.step for row in result.rows if key(row) == wanted), None)
    own = sides.base.model == sides.candidate.model
    return step if step and own and step.row == sides.base.row else None


def _against(sides: Sides, step: Step | None, pairs: Sequence[SideBySide], say: Language) -> str:
    """The paired difference in words, with what would tell where it is not told."""
    counts = counted(pairs)
    holds = step is not None and not sides.stale
    delta = step.paired.delta if step else None
    mark = f"{SIGNS[step.verdict]} " if step and holds else ""
    told = wording.step(step, say.code) if holds else format.points(delta, say.code)
    text = say(
        "compare.pair",
        base=sides.base_name,
        candidate=sides.candidate_name,
        n=format.count(step.paired.n if step else 0, say.code),
        step=mark + told,
        **{name: format.count(number, say.code) for name, number in counts.items()},
    )
    if step and step.more and holds:
        text += " " + say("compare.more", more=format.count(step.more, say.code))
    return text


def _filtered(pairs: Sequence[SideBySide], sides: Sides, say: Language) -> list[SideBySide]:
    """The pairs that the pills and the box leave."""
    whys = compared.attributed(sides.candidate).by_question
    traits = [
        ALL,
        *(f"lang:{lang}" for lang in sorted({pair.question.lang for pair in pairs})),
        *(f"why:{why}" for why in EVERY if why != "right" and why in whys.values()),
        *(f"tag:{tag}" for tag in sorted({tag for pair in pairs for tag in pair.question.tags})),
    ]
    pills, slice = st.columns([7, 3], vertical_alignment="bottom")
    with slice:
        trait = address.box(
            "only", say("compare.only"), traits, ALL, lambda name: _trait(name, sides, say)
        )
    within = [pair for pair in pairs if _has(pair.question, trait, whys)]
    if sides.one:
        return within
    counts = counted(within)
    numbers: dict[str, int] = dict(counts.items())
    numbers |= {"changed": counts["better"] + counts["worse"], "all": len(within)}
    with pills:
        wanted = address.pills(
            "show",
            say("compare.show"),
            [name for name in FILTERS if name != "unscored" or counts["unscored"]],
            "changed",
            lambda name: say(f"compare.show_{name}", count=format.count(numbers[name], say.code)),
        )
    sets: dict[str, tuple[str, ...]] = {"changed": ("better", "worse"), "all": tuple(counts)}
    kinds = sets.get(wanted, (wanted,))
    return [pair for pair in within if change(pair) in kinds]


def _has(question: Question, trait: str, whys: Mapping[str, Why]) -> bool:
    kind, _, value = trait.partition(":")
    if kind == "lang":
        return question.lang == value
    if kind == "why":
        return whys.get(question.id) == value
    return trait == ALL or value in question.tags


def _trait(trait: str, sides: Sides, say: Language) -> str:
    kind, _, value = trait.partition(":")
    if kind == "lang":
        return say(f"spoken.{value}") if value in ("en", "vi") else value
    if kind == "why":
        why = next(why for why in EVERY if why == value)
        return f"{sides.candidate_name}: {label(why, say.code)}"
    return value or say("compare.all_questions")


def _chosen(shown: Sequence[SideBySide]) -> int:
    """The number of the question that the URL names, else of the first one."""
    ids = [item.question.id for item in shown]
    wanted = st.query_params.get("question")
    return ids.index(wanted) if wanted in ids else 0


def _list(shown: Sequence[SideBySide], chosen: int, one: bool, say: Language) -> None:
    """The questions with both scores, and buttons for those who use no mouse."""
    ids = [item.question.id for item in shown]
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, at, shortcut in (("previous", chosen - 1, "K"), ("next", chosen + 1, "J")):
            st.button(
                say(f"compare.{name}"),
                key=f"{name} question",
                disabled=not 0 <= at < len(ids),
                shortcut=shortcut,
                on_click=address.keep,
                args=("question", ids[min(max(at, 0), len(ids) - 1)]),
            )
        now, of = (format.count(number, say.code) for number in (chosen + 1, len(ids)))
        st.caption(say("compare.at", at=now, of=of), width="content")
    first = chosen // PER_PAGE * PER_PAGE
    page = shown[first : first + PER_PAGE]
    columns = {
        "±": [MARKS[change(item)] for item in page],
        say("compare.base"): [item.told("base", say.code) for item in page],
        say("compare.candidate"): [item.told("candidate", say.code) for item in page],
        say("compare.question"): [item.question.question for item in page],
    }
    if one:
        del columns["±"], columns[say("compare.base")]
    height = min(37 + 35 * len(page), 620)
    name = f"questions {hash(tuple(ids))} {first}"
    clicked = opened.select(name, columns, chosen - first, say("compare.list"), height)
    if clicked != chosen - first:
        address.keep("question", ids[first + clicked])
        st.rerun()
    if len(shown) > PER_PAGE:
        numbers = (first + 1, first + len(page), len(shown))
        left, right, of = (format.count(number, say.code) for number in numbers)
        st.caption(say("compare.page", first=left, last=right, of=of))
