"""``tailor search``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.filters import (
    DocumentOption,
    FolderOption,
    LanguageOption,
    SinceOption,
    UntilOption,
    WhereOption,
    filters,
)
from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from rich.text import Text

    from tailor.documents.passages import Passage
    from tailor.workspace import Workspace


def command(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages.")] = 5,
    folder: FolderOption = None,
    language: LanguageOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    document: DocumentOption = None,
    where: WhereOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show the passages closest to a question. Asks no model and costs nothing."""
    from rich.text import Text

    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.errors import UsageError
    from tailor.models.provider import embedder_receiver
    from tailor.text import words

    if not words(question):
        raise UsageError("Search for something: tailor search 'paid leave'")
    admitted = filters(folder, language, since, until, document, where)
    opened = open_workspace(workspace)
    if to := embedder_receiver(opened.config):
        say(f"Sent to {to}, which embeds it: the question.")
    found = opened.search(question, k, admitted)
    if json:
        passages = [
            {
                "document": p.document, "start": p.start, "end": p.end, "place": p.place,
                "text": p.text, "score": p.score, "dense_rank": p.dense_rank,
                "lexical_rank": p.lexical_rank,
                **enriched(opened, p),
            }
            for p in found
        ]  # fmt: skip
        print_json({"schema_version": 1, "question": question, "passages": passages})
        return
    if not found and admitted:
        say("No document that the filters admit holds such a passage.")
    console = stdout()
    for number, passage in enumerate(found, 1):
        heading = f"[{number}] {passage.source}  ({ranks(passage)})"
        console.print(Text(heading, "bold"), soft_wrap=True)
        console.print(marked(question, passage.text), soft_wrap=True)
        for name, values in enriched(opened, passage).get("enriched", {}).items():
            console.print(Text(f"{name}: {' | '.join(values) or '–'}", "italic"), soft_wrap=True)
        console.print()


def enriched(workspace: "Workspace", passage: "Passage") -> "dict[str, dict[str, tuple[str, ...]]]":
    """What enrichers found in a passage, under one key; nothing where none is on."""
    found = workspace.index().enrichments.of(passage)
    return {} if found is None else {"enriched": found}


def ranks(passage: "Passage") -> str:
    """Its places in the search by meaning and in that by words; a dash where it is in neither."""
    return f"meaning {passage.dense_rank or '–'}, words {passage.lexical_rank or '–'}"


def marked(question: str, text: str) -> "Text":
    """The text with the question's words highlighted; a terminal shows it, a file stays plain."""
    from rich.text import Text

    from tailor.documents.highlight import highlights

    shown = Text(text)
    for start, end in highlights(question, text):
        shown.stylize("bold black on yellow", start, end)
    return shown
