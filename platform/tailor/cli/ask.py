"""``tailor ask``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import JsonOption, ModelOption, SetOption, WorkspaceOption
from tailor.cli.filters import (
    DocumentOption,
    FolderOption,
    LanguageOption,
    SinceOption,
    UntilOption,
    WhereOption,
    filters,
)


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
    from rich.text import Text

    from tailor import outgoing
    from tailor.assistant import Ask
    from tailor.cli.common import fetch, open_workspace, print_json, say, stdout
    from tailor.cli.explain import told
    from tailor.errors import TailorError, UsageError
    from tailor.explain import exchanges
    from tailor.ladder import assistant_for
    from tailor.models.provider import embedder_receiver, receiver
    from tailor.models.retry import error_text
    from tailor.text import visible, words

    if not words(question):
        raise UsageError("Ask a question: tailor ask 'How many days of leave?'")
    admitted = filters(folder, language, since, until, document, where)
    opened = open_workspace(workspace, sets)
    # What a row is made with is paid for in a run, which says what is sent and keeps to a limit.
    opened.builds = not receiver(model or opened.config.model, opened.config)
    chosen = assistant_for(opened, stage, model)
    for reason in chosen.left_out:
        say(reason)
    answering = getattr(chosen.assistant.model, "name", "shipped")
    if to := receiver(answering, opened.config):
        say(f"Sent to {to}: the question, the instructions, the examples and the passages found.")
    if chosen.assistant.retriever is not None and (to := embedder_receiver(opened.config)):
        say(f"Sent to {to}, which embeds it: the question.")
    fetch(answering, opened)
    try:
        answer = chosen.assistant.answer(Ask(question, filters=admitted))
    except TailorError:
        raise
    except Exception as error:  # each provider raises its own
        raise TailorError(f"The model did not answer ({error_text(error)}).") from None
    text = outgoing.shown(answer, opened.config.trusted_hosts)
    made = exchanges(opened, answer) if explain else ()
    shown = answer.passages[: len(answer.passages) - answer.dropped]
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
                    for p in shown
                ],
                "seconds": answer.seconds,
                "tokens": {"input": answer.input_tokens, "output": answer.output_tokens},
                "cost_usd": answer.cost_usd,
                **({"exchanges": [one.to_json() for one in made]} if explain else {}),
            }
        )
        return
    stdout().print(Text(text), soft_wrap=True)
    if answer.searched:
        say(f"Searched for: {answer.searched}")
    for number, passage in enumerate(shown, 1):
        say(f"[{number}] {passage.source}")
    for part in told(made):
        stdout().print(Text(visible(part)), soft_wrap=True)
    say(f"Answered by {chosen.row} ({chosen.model}) in {answer.seconds:.2f} s.")
