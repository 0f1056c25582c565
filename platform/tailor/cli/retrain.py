"""``tailor retrain``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import JsonOption, LangOption, MaxCostOption, WorkspaceOption


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
    from tailor.cli.common import interrupted, open_workspace, paused, print_json, say, stdout
    from tailor.cli.progress import row_bars
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
        say("Servers of the best row follow the winner again. Next: tailor serve")
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
        raise interrupted(
            "Paused: what was asked is kept. Run the same command again to go on."
        ) from None
    if json:
        print_json(found.to_json())
    else:
        stdout().print(wording.proposal(found, lang), soft_wrap=True)
    if found.switch:
        say("Nothing was switched. Next: tailor retrain --switch")
    else:
        say("What is served stays. Next: tailor compare")
