"""``tailor retrain``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import JsonOption, LangOption, MaxCostOption, WorkspaceOption


def command(
    switch: Annotated[
        bool, typer.Option("--switch", help="Serve the row that was proposed; measures nothing.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Unpin: servers of the best row follow the winner again."),
    ] = False,
    stage: Annotated[
        str | None, typer.Option("--stage", help="The row that is served, where none is known.")
    ] = None,
    max_cost: MaxCostOption = None,
    lang: LangOption = "en",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Repeat the ladder on the grown benchmark, and propose what to serve; switches nothing."""
    from tailor.cli.common import here, open_workspace, paused, print_json, row_bars, say
    from tailor.errors import BudgetReached
    from tailor.monitoring import wording
    from tailor.monitoring.retrained import retrain
    from tailor.monitoring.retrained import switch as switched
    from tailor.serving.pinned import unpin

    opened = open_workspace(workspace)
    if follow:
        unpin(opened.state)
        if json:
            print_json({"schema_version": 1, "pinned": None})
        say(f"Servers of the best row follow the winner again. Next: tailor serve{here(workspace)}")
        return
    if switch:
        done = switched(opened)
        if json:
            print_json(done.to_json())
        say(f"{done.best[0]} of {done.best[1]} is served from now on; running servers take it up.")
        return
    served = (stage, opened.config.model) if stage else None
    try:
        with row_bars() as bars:
            found = retrain(opened, served, bars, max_cost)
    except BudgetReached as error:
        raise paused(error) from None
    except KeyboardInterrupt:
        say("Paused: what was asked is kept. Run the same command again to go on.")
        raise typer.Exit(130) from None
    if json:
        print_json(found.to_json())
    else:
        print(wording.proposal(found, lang))  # noqa: T201
    if found.switch:
        say(f"Nothing was switched. Next: tailor retrain --switch{here(workspace)}")
    else:
        say(f"What is served stays. Next: tailor compare{here(workspace)}")
