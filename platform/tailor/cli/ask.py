"""``tailor ask``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import JsonOption, ModelOption, SetOption, WorkspaceOption


def command(
    question: Annotated[str, typer.Argument(help="The question.")],
    stage: Annotated[
        str | None, typer.Option("--stage", "-s", help="Row that answers; the winner when absent.")
    ] = None,
    model: ModelOption = None,
    sets: SetOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Answer one question with the winner, or with the row of your choice."""
    from rich.text import Text

    from tailor.assistant import Ask
    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.errors import TailorError, UsageError
    from tailor.ladder import assistant_for
    from tailor.models.chat import error_text
    from tailor.models.provider import receiver
    from tailor.text import words

    if not words(question):
        raise UsageError("Ask a question: tailor ask 'How many days of leave?'")
    opened = open_workspace(workspace, sets)
    chosen = assistant_for(opened, stage, model)
    for reason in chosen.left_out:
        say(reason)
    answering = getattr(chosen.assistant.model, "name", "shipped")
    if to := receiver(answering, opened.config):
        say(f"Sent to {to}: the question, the instructions, the examples and the passages found.")
    try:
        answer = chosen.assistant.answer(Ask(question))
    except TailorError:
        raise
    except Exception as error:
        raise TailorError(f"The model did not answer ({error_text(error)}).") from None
    shown = answer.passages[: len(answer.passages) - answer.dropped]
    if json:
        print_json(
            {
                "schema_version": 1,
                "question": question,
                "row": chosen.row,
                "model": chosen.model,
                "outcome": answer.outcome,
                "answer": answer.text,
                "passages": [
                    {"document": p.document, "start": p.start, "end": p.end, "place": p.place}
                    for p in shown
                ],
                "seconds": answer.seconds,
                "tokens": {"input": answer.input_tokens, "output": answer.output_tokens},
                "cost_usd": answer.cost_usd,
            }
        )
        return
    stdout().print(Text(answer.text), soft_wrap=True)
    for number, passage in enumerate(shown, 1):
        say(f"[{number}] {passage.source}")
    say(f"Answered by {chosen.row} ({chosen.model}) in {answer.seconds:.2f} s.")
