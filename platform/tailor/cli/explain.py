"""``tailor explain``."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.differences import Difference
    from tailor.explain import Exchange, Explained
    from tailor.run import Run

_TRIED = 10
"""Configurations of a tuning that are listed."""


def command(
    row: Annotated[str, typer.Argument(help="Row that was run, or ROW@MODEL.")],
    question: Annotated[
        str | None, typer.Argument(help="A question of the benchmark: its id or its text.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, help="Which of several answers, where --repeats asked for them.")
    ] = 1,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Say what a row changed, or what led to one of its answers.

    For a question of the benchmark: the exact prompt, the passages and the raw reply.
    """
    from dataclasses import asdict

    from rich.text import Text

    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.explain import changed
    from tailor.run import run_of
    from tailor.text import visible

    run = run_of(open_workspace(workspace).runs(), row)
    if reason := run.stale():
        again = f"tailor run {run.row}"
        say(f"{run.row} is out of date: {reason}; to run it again: {again}")
    if question is not None:
        found = run.explain(question, repeat - 1)
        if json:
            print_json(found.to_json())
            return
        parts = [*settings(found.row, found.builds_on, found.changed), *answered(found)]
    else:
        own = changed(run.lineage)
        if json:
            about = {"row": run.row, "model": run.model, "builds_on": run.previous, "on": run.on}
            tried = {"tuning": asdict(tuning)} if (tuning := run.tuning()) else {}
            if similar := run.similar_tuning():
                tried = {"tuning": similar.to_json()}
            tried |= {"learnt": asdict(learnt)} if (learnt := run.learnt()) else {}
            changes = [asdict(one) for one in own]
            print_json({"schema_version": 1, **about, "changed": changes, **tried})
            return
        parts = [
            *settings(run.row, run.previous, own),
            *tuned(run),
            *similar_tried(run),
            *learned(run),
        ]
    for part in parts:
        stdout().print(Text(visible(part)), soft_wrap=True)
    if question is None:
        say(f"Next, for one of its answers: tailor explain {run.row} QUESTION_ID")


def settings(row: str, builds_on: str | None, changed: "Sequence[Difference]") -> Iterator[str]:
    """What the row changed against the one it builds on."""
    yield f"{row} builds on {builds_on}, and changes:" if builds_on else f"{row} sets:"
    for one in changed:
        before = "" if one.base is None else f"{_shown(one.base)} → "
        yield f"  {one.of}.{one.name}: {before}{_shown(one.candidate)}"
    if not changed:
        yield "  nothing"


def tuned(run: "Run") -> Iterator[str]:
    """What retrieval tuning tried, and what mattered; nothing for other rows."""
    from tailor.scoring.format import percent

    if (found := run.tuning()) is None:
        return
    yield f"\n{found.sentence('en')}"
    yield "\nBest without the model (evidence ranked):"
    for line in found.search["tried"][:_TRIED]:
        told = found.changes(line, "en") or "plain retrieval"
        yield f"  {percent(line['quality'], 'en'):>6}  {told}"
    yield "\nWith the model (score on dev):"
    for line in (found.asked["plain"], *found.asked["tried"]):
        told = found.changes(line, "en") or "plain retrieval"
        yield f"  {percent(line['score'], 'en'):>6}  {told}, {line['n']} questions"
    yield "\nWhat mattered (the best with each value):"
    for name, values in found.search["matters"].items():
        shown = (f"{value or 'own'} {percent(best, 'en')}" for value, best in values.items())
        yield f"  {name}: {', '.join(shown)}"


def similar_tried(run: "Run") -> Iterator[str]:
    """What tuning tried of showing similar train items; nothing for other rows."""
    from tailor.scoring.format import percent

    if (found := run.similar_tuning()) is None:
        return
    target = run.workspace.target
    yield f"\n{found.sentence(target, 'en')}"
    yield "\nBest without the model:"
    for one in found.searched[:_TRIED]:
        yield f"  {one.told('en')}: {one.error_told(target, 'en')}"
    yield "\nWith the model (score on dev):"
    for one in found.tried:
        yield f"  {percent(one.score, 'en'):>9}  {one.told('en')}"


def learned(run: "Run") -> Iterator[str]:
    """What a baseline learnt: features or words with their weights; nothing for other rows."""
    from tailor.scoring.format import count

    if (found := run.learnt()) is None:
        return
    yield f"\n{found.sentence('en')}"
    for one in found.weights:
        yield f"  {found.effect(one, 'en'):>9}  {one.name}"
    for label, words in found.words.items():
        yield f"  {label}: {', '.join(words)}"
    if found.k:
        yield f"  neighbours: {count(found.k, 'en')}; share of words: {found.weight:g}"


def answered(found: "Explained") -> Iterator[str]:
    """The question, every call behind its answer, and how the answer was read."""
    from tailor.scoring import format
    from tailor.scoring.told import item

    question, answer = found.question, found.answer
    expected = " / ".join(question.answers) or "the documents do not say"
    yield f"\nQuestion {question.id} ({question.split}): {question.question}"
    yield f"Expected: {expected}"
    seen = len(answer.passages) - answer.dropped
    for number, passage in enumerate(answer.passages, 1):
        yield f"[{number}] {passage.source}{'' if number <= seen else ' (did not fit)'}"
    yield from told(found.exchanges)
    score = item(found.scores, found.target, "en")
    name = "" if found.target.task == "number" else f"{found.target.primary} "
    yield f"\nAnswer ({answer.outcome}, {name}{score}): {answer.error or answer.text}"
    tokens = f"{format.count(answer.input_tokens, 'en')} tokens in, "
    tokens += f"{format.count(answer.output_tokens, 'en')} out"
    cost = format.usd(answer.cost_usd, "en")
    yield f"It took {format.seconds(answer.seconds, 'en')}, {tokens}, and cost {cost}."


def told(exchanges: "Sequence[Exchange]") -> Iterator[str]:
    """Every call: its messages letter by letter, and its reply as it came."""
    from tailor.scoring import format

    for number, one in enumerate(exchanges, 1):
        took = f"{format.seconds(one.seconds, 'en')}, {format.count(one.input_tokens, 'en')} tokens"
        about = took if one.stored else "not stored: put together again"
        yield f"\nCall {number} of {len(exchanges)} ({about})"
        for message in one.messages:
            yield f"--- {message.role}\n{message.text}"
        yield f"--- reply\n{one.reply}"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value) or "none"
