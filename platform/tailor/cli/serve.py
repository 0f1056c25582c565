"""``tailor serve``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import JsonOption, ModelOption, WorkspaceOption


def command(
    stage: Annotated[
        str, typer.Option("--stage", "-s", help="Row that answers; best: the winner.")
    ] = "best",
    model: ModelOption = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen at; outside this machine a token is required.",
            show_default="127.0.0.1",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="0: any that is free.", show_default="8000"),
    ] = None,
    token_env: Annotated[
        str, typer.Option(help="Environment variable that holds the token.")
    ] = "TAILOR_TOKEN",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Serve the winner, or a row of your choice, to clients of OpenAI's API."""
    import gc
    import sys
    from json import dumps

    from tailor.cli.common import open_workspace, say, stderr
    from tailor.models.provider import embedder_receiver, receiver
    from tailor.serving.pinned import pinned
    from tailor.serving.server import Started, curl, serve

    opened = open_workspace(workspace)
    loading = stderr().status("Loading the assistant…")

    def started(found: Started) -> None:
        loading.stop()
        gc.collect()
        gc.freeze()  # what is loaded by now stays: looking through it again holds up answers
        if to := receiver(found.model, opened.config):
            say(f"Sent to {to}: each question, the instructions, examples and passages found.")
        if to := embedder_receiver(opened.config):
            say(f"Sent to {to}, which embeds it: each question.")
        for reason in found.left_out:
            say(reason)
        if stage == "best" and pinned(opened.state):
            follow = "tailor retrain --follow"
            say(f"`tailor retrain` pinned {found.row}. To follow the best row again: {follow}")
        if json:
            sys.stdout.write(dumps(found.to_json(), ensure_ascii=False) + "\n")
            sys.stdout.flush()
            return
        say(f"{found.row} ({found.model}) is served at {found.url}; Ctrl+C ends it. For instance:")
        say(curl(found, "How many days of paid leave are there?"))

    with loading:
        serve(opened, stage, model, host, port, token_env, started)
