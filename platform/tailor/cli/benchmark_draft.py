"""``tailor benchmark draft``, ``approve`` and ``discard``: questions written for you to judge."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tailor.cli.options import JsonOption, ModelOption, WorkspaceOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailor.benchmark import Question
    from tailor.workspace import Workspace

IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Of drafts; without any, those waiting are shown."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Every draft that waits.")]


def draft(
    n: Annotated[int, typer.Option("--n", min=1, help="How many to keep.")] = 80,
    model: ModelOption = None,
    language: Annotated[
        Literal["en", "vi", "auto"], typer.Option(help="auto: that of each document.")
    ] = "auto",
    kinds: Annotated[
        str, typer.Option(help="Some of them, with commas: direct,table,number; else all.")
    ] = "",
    training: Annotated[
        bool, typer.Option("--training", help="To train on, kept apart from the benchmark.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another seed takes other passages.")] = 0,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Draft questions from the documents. They count nowhere until they are approved.

    A chat model writes them and tries each: understandable by itself, the quote in the document,
    the same answer when read again, no answer without the passage. The shipped model cannot; with
    it, questions are made from tables, entries, FAQs and definitions.
    """
    from tailor.benchmarking.drafting import summary
    from tailor.cli.common import interrupted, open_workspace, print_json, say, several
    from tailor.cli.progress import bar
    from tailor.models.provider import receiver

    opened = open_workspace(workspace)
    name = model or opened.config.model
    if to := receiver(name, opened.config):
        say(f"Sent to {to}: passages of the documents and the questions drafted from them.")
    if name == "shipped" and not json:
        say(
            "Without a chat model: made from the form of the documents (tables, entries, FAQs, "
            "definitions). Name one with --model for questions as people ask them."
        )
    chosen = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    own = None if language == "auto" else language
    try:
        with bar("benchmark") as told:
            done = opened.draft(n, model, own, chosen, training, seed, told)
    except KeyboardInterrupt:
        raise interrupted(
            "Stopped: what was drafted waits, and every model call is kept; run it again."
        ) from None
    if json:
        print_json(done.to_json())
        return
    _show(done.questions)
    dropped = f"; dropped: {summary(done.dropped)}" if any(done.dropped.values()) else ""
    calls = several(done.calls, "model call")
    say(f"{len(done.questions)} of {n} drafted, {calls}{dropped}.")
    if not done.questions:
        say("Nothing new to judge: try another --model, other --kinds or another --seed.")
        return
    say(
        f"They wait in {opened.knowledge / 'drafts.jsonl'}. Next: tailor benchmark approve ID... "
        "(or --all), tailor benchmark discard ID..."
    )


def approve(
    ids: IdsArgument = None,
    everything: AllOption = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Let drafts count. Without an id, show those that wait with their evidence."""
    from tailor.benchmarking.waiting import FOR_TRAINING
    from tailor.cli.common import open_workspace, say

    opened = open_workspace(workspace)
    chosen = _chosen(opened, ids, everything, json)
    if chosen is None:
        return
    done = opened.approve(chosen)
    if json:
        _print(done)
        return
    trained = sum(FOR_TRAINING in q.tags for q in done)
    kept = [
        f"{count} in {opened.knowledge / name}"
        for count, name in ((len(done) - trained, "benchmark.jsonl"), (trained, "training.jsonl"))
        if count
    ]
    say(f"Approved: {', '.join(kept) or 'none'}. Next: tailor benchmark check")


def discard(
    ids: IdsArgument = None,
    everything: AllOption = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Delete drafts; without an id, show those that wait."""
    from tailor.cli.common import open_workspace, say

    opened = open_workspace(workspace)
    chosen = _chosen(opened, ids, everything, json)
    if chosen is None:
        return
    done = opened.discard(chosen)
    if json:
        _print(done)
    else:
        say(f"Discarded: {len(done)}. Waiting: {len(opened.drafts())}.")


def _chosen(
    opened: "Workspace", ids: list[str] | None, everything: bool, json: bool
) -> list[str] | None:
    """The ids that are meant; None where the drafts were shown instead."""
    from tailor.cli.common import say, several
    from tailor.errors import UsageError

    if ids and everything:
        raise UsageError("Name drafts or write --all, not both.")
    waiting = opened.drafts()
    if ids or everything:
        return ids or [q.id for q in waiting]
    if json:
        _print(waiting)
    else:
        _show(waiting)
        say(f"{several(len(waiting), 'draft')} waiting.")
    return None


def _show(questions: "Iterable[Question]") -> None:
    """Each draft with what bears it out."""
    from tailor.cli.common import stdout

    out = stdout()
    for q in questions:
        answer = q.answers[0] if q.answerable else "(not in the documents)"
        out.print(f"{q.id}  {q.question}\n    → {answer}", markup=False, soft_wrap=True)
        for e in q.evidence:
            quote = " ".join(e.quote.split())
            shown = quote if len(quote) <= 100 else f"{quote[:97]}..."
            out.print(f"    {e.document}: {shown}", markup=False, soft_wrap=True)


def _print(questions: "Iterable[Question]") -> None:
    from tailor.benchmarking.waiting import item
    from tailor.cli.common import print_json

    print_json({"schema_version": 1, "drafts": [item(q) for q in questions]})
