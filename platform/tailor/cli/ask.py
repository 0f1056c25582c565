"""``tailor ask``."""

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
from tailor.cli.options import JsonOption, ModelOption, SetOption, WorkspaceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailor.assistant import Answer, Ask, Assistant
    from tailor.explain import Exchange
    from tailor.workspace import Workspace


def command(
    question: Annotated[str, typer.Argument(help="The question.")],
    stage: Annotated[
        str | None, typer.Option("--stage", "-s", help="Row that answers; the winner when absent.")
    ] = None,
    model: ModelOption = None,
    sets: SetOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also the exact prompt and the raw reply.")
    ] = False,
    folder: FolderOption = None,
    language: LanguageOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    document: DocumentOption = None,
    where: WhereOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Answer one question, with the winner or a row of your choice."""
    from tailor import outgoing
    from tailor.assistant import Ask
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.errors import UsageError
    from tailor.explain import exchanges
    from tailor.ladder import assistant_for
    from tailor.models.provider import receiver
    from tailor.scoring.format import seconds
    from tailor.text import words

    if not words(question):
        raise UsageError("Ask a question: tailor ask 'How many days of leave?'")
    admitted = filters(folder, language, since, until, document, where)
    opened = open_workspace(workspace, sets)
    # What a row is made with is paid for in a run, which says what is sent and keeps to a limit.
    opened.builds = not receiver(model or opened.config.model, opened.config)
    chosen = assistant_for(opened, stage, model)
    for reason in chosen.left_out:
        say(reason)
    answer = _answer(opened, chosen.assistant, Ask(question, filters=admitted))
    text = outgoing.shown(answer, opened.config.trusted_hosts)
    made = exchanges(opened, answer) if explain else ()
    if json:
        print_json(
            {
                "schema_version": 1,
                "question": question,
                "row": chosen.row,
                "model": chosen.model,
                "outcome": answer.outcome,
                "answer": text,
                "passages": [
                    {"document": p.document, "start": p.start, "end": p.end, "place": p.place}
                    for p in answer.seen
                ],
                "seconds": answer.seconds,
                "tokens": {"input": answer.input_tokens, "output": answer.output_tokens},
                "cost_usd": answer.cost_usd,
                **({"exchanges": [one.to_json() for one in made]} if explain else {}),
            }
        )
        return
    _show(text, answer, made)
    say(f"Answered by {chosen.row} ({chosen.model}) in {seconds(answer.seconds)}.")


def _answer(workspace: "Workspace", assistant: "Assistant", ask: "Ask") -> "Answer":
    """The answer, after it was said what is sent where."""
    from tailor.cli.common import say, stderr
    from tailor.cli.progress import fetch
    from tailor.errors import TailorError
    from tailor.models.provider import embedder_receiver, receiver
    from tailor.models.retry import error_text

    model = getattr(assistant.model, "name", "shipped")
    if to := receiver(model, workspace.config):
        say(f"Sent to {to}: the question, the instructions, the examples and the passages found.")
    if assistant.retriever is not None and (to := embedder_receiver(workspace.config)):
        say(f"Sent to {to}, which embeds it: the question.")
    fetch(model, workspace)
    try:
        with stderr().status("Answering…"):
            return assistant.answer(ask)
    except TailorError:
        raise
    except Exception as error:  # each provider raises its own
        raise TailorError(f"The model did not answer ({error_text(error)}).") from None


def _show(text: str, answer: "Answer", made: "Sequence[Exchange]") -> None:
    from rich.text import Text

    from tailor.cli.common import say, stdout
    from tailor.cli.explain import told
    from tailor.text import visible

    stdout().print(Text(text), soft_wrap=True)
    if answer.searched:
        say(f"Searched for: {answer.searched}")
    for number, passage in enumerate(answer.seen, 1):
        say(f"[{number}] {passage.source}")
    for part in told(made):
        stdout().print(Text(visible(part)), soft_wrap=True)
