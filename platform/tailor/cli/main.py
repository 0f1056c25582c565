"""The command ``tailor``: assembles the verbs, and turns errors into a sentence and a code."""

import sys
from typing import Annotated

import typer

from tailor.cli import (
    adapters,
    ask,
    benchmark,
    clean,
    compare,
    demo,
    doctor,
    explain,
    export,
    fine_tune,
    imported,
    ingest,
    init,
    judge,
    lessons,
    models,
    monitor,
    playground,
    report,
    retrain,
    run,
    search,
    serve,
    training,
    ui,
)
from tailor.cli.common import INTERRUPTED
from tailor.cli.hints import with_workspace
from tailor.errors import TailorError
from tailor.redaction import redact_tracebacks
from tailor.text import visible

app = typer.Typer(
    name="tailor",
    help="Fit a language model to your own documents, one measured stage at a time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"tailor {version('llm-tailor')}")
        raise typer.Exit


@app.callback()
def _tailor(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show it and exit."),
    ] = False,
) -> None: ...


VERBS = (
    demo, init, ingest, search, models, run, lessons, fine_tune, adapters, judge, compare,
    explain, report, ask, serve, monitor, retrain, ui, clean, doctor,
)  # fmt: skip
for verb in VERBS:
    name = verb.__name__.rsplit(".", 1)[-1].replace("_", "-")
    app.command(name, cls=getattr(verb, "Command", None), help=verb.command.__doc__)(verb.command)
app.command("playground", hidden=True)(playground.command)
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(training.app, name="training")
app.add_typer(export.app, name="export")
app.add_typer(imported.app, name="import")


def main() -> None:
    """Entry point; never shows a traceback for what a user can cause."""
    try:
        code = app(standalone_mode=False)
    except TailorError as error:
        print(f"tailor: {visible(with_workspace(str(error)))}", file=sys.stderr)  # noqa: T201  # no rich yet
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        print(  # noqa: T201
            f"tailor: {visible(str(error.filename or 'A file'))} cannot be used "
            f"({error.strerror or error}); "
            "see to the disk or the permissions, then run the same command again.",
            file=sys.stderr,
        )
        code = TailorError.exit_code
    except Exception as error:
        code = _usage(error)
    sys.exit(code or 0)


def _usage(error: Exception) -> int:
    """Show what the command-line parser says about a wrong call; anything else is our defect."""
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    show = getattr(error, "show", None)
    if show is None:
        redact_tracebacks()
        raise error
    show()
    return int(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    main()
