"""``tailor search``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import JsonOption, WorkspaceOption


def command(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages.")] = 5,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show the passages closest to a question; asks no model and costs nothing."""
    from rich.text import Text

    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.errors import UsageError
    from tailor.models.provider import receiver
    from tailor.text import words

    if not words(question):
        raise UsageError("Search for something: tailor search 'paid leave'")
    opened = open_workspace(workspace)
    if to := receiver(opened.config.embedder, opened.config):
        say(f"Sent to {to}, which embeds it: the question.")
    found = opened.search(question, k)
    if json:
        passages = [
            {
                "document": p.document, "start": p.start, "end": p.end, "place": p.place,
                "text": p.text, "score": p.score, "dense_rank": p.dense_rank,
                "lexical_rank": p.lexical_rank,
            }
            for p in found
        ]  # fmt: skip
        print_json({"schema_version": 1, "question": question, "passages": passages})
        return
    console = stdout()
    for number, passage in enumerate(found, 1):
        ranks = ", ".join(
            f"{name} {rank}"
            for name, rank in (("meaning", passage.dense_rank), ("words", passage.lexical_rank))
            if rank is not None
        )
        console.print(Text(f"[{number}] {passage.source}  ({ranks})", "bold"), soft_wrap=True)
        console.print(Text(passage.text + "\n"), soft_wrap=True)
