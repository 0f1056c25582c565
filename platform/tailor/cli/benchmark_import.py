"""``tailor benchmark import``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.benchmarking.importing import Imported


def import_(
    source: Annotated[
        str,
        typer.Argument(help="CSV, TSV, JSON, JSONL or XLSX file, dataset folder, or owner/name."),
    ],
    append: Annotated[bool, typer.Option("--append", help="Add to the questions there.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the questions there aside.")
    ] = False,
    preset: Annotated[
        str | None, typer.Option(help="squad, xquad, nq, tatqa or columns; told by itself.")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="Which column is what: question=Frage,answer=Antwort."),
    ] = None,
    documents: Annotated[
        bool,
        typer.Option("--documents", help="Write the contexts to knowledge/imported/ as documents."),
    ] = False,
    contexts: Annotated[
        str | None, typer.Option(help="A file with id and text, where contexts are named by id.")
    ] = None,
    split_: Annotated[
        Literal["train", "dev", "test"] | None, typer.Option("--split", help="For all questions.")
    ] = None,
    lang: Annotated[str, typer.Option(help="For all questions: en, vi, …")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Add this tag to all questions.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many rows at most.")] = None,
    revision: Annotated[str | None, typer.Option(help="Of a dataset on the Hub.")] = None,
    config: Annotated[str | None, typer.Option(help="Of a dataset, such as xquad.vi.")] = None,
    dataset_split: Annotated[str | None, typer.Option(help="Of a dataset; else all.")] = None,
    training: Annotated[
        bool, typer.Option("--training", help="To train on: into training.jsonl, never scored.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Bring questions in from a file, a folder or the Hugging Face Hub."""
    from tailor.benchmarking.importing import import_questions
    from tailor.cli.common import open_workspace, print_json
    from tailor.errors import UsageError

    if append and replace:
        raise UsageError("Say --append or --replace, not both.")
    brought = import_questions(
        open_workspace(workspace),
        source,
        mode="append" if append else "replace" if replace else "new",
        preset=preset,
        mapping=_mapping(map_ or []),
        documents=documents,
        contexts=contexts,
        split=split_,
        lang=lang,
        tags=tag or (),
        limit=limit,
        revision=revision,
        config=config,
        hub_split=dataset_split,
        training=training,
    )
    if json:
        print_json(brought.to_json())
    else:
        _show(brought, training)


def _show(brought: "Imported", training: bool) -> None:
    from tailor.cli.common import say, several, stdout

    out = stdout()
    out.print(f"Read as {brought.form}.", markup=False, soft_wrap=True)
    taken, of = several(brought.taken, "question"), several(brought.rows, "row")
    out.print(f"{taken} taken from {of} into {brought.path}.")
    for reason, numbers in brought.dropped.items():
        first = ", ".join(numbers[:5]) + (", …" if len(numbers) > 5 else "")
        out.print(f"dropped {len(numbers)}: {reason} (rows {first})", markup=False, soft_wrap=True)
    if brought.kept_copy:
        say(f"The former questions are in {brought.kept_copy}.")
    if brought.documents:
        say(f"{several(brought.documents, 'document')} written; next: tailor ingest")
    if brought.contexts_left:
        say(
            f"{several(brought.contexts_left, 'question')} came with contexts, not kept; "
            "--documents writes them to knowledge/imported/, so that evidence is found."
        )
    if brought.without_evidence and not training:
        say(
            f"{several(brought.without_evidence, 'question')} without evidence; retrieval is not "
            "scored there."
        )
    if brought.guessed:
        say(
            f"{several(brought.guessed, 'answer')} not word for word in the context; the sentence "
            "most like question and answer was taken as evidence."
        )
    if training:
        if brought.with_context:
            say(
                f"{several(brought.with_context, 'question')} with a context, which the shapes "
                "gold and retrieved show: --set fine_tuning.shapes=gold"
            )
        say("Next, to see what is learnt from them: tailor lessons")
        return
    say("Next: tailor benchmark split, then tailor benchmark check")


def _mapping(items: list[str]) -> dict[str, str]:
    from tailor.errors import UsageError

    found: dict[str, str] = {}
    for item in (part for text in items for part in text.split(",")):
        target, equals, column = item.partition("=")
        if not equals or not column:
            raise UsageError(f"--map {item}: write question=COLUMN,answer=COLUMN.")
        found[target.strip()] = column.strip()
    return found
