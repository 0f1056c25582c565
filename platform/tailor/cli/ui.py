"""``tailor ui``."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import WorkspaceOption


def command(
    workspace: WorkspaceOption = Path(),
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open the interface in the browser; only this machine can reach it."""
    from importlib.util import find_spec

    from tailor.cli.common import open_workspace, say

    opened = open_workspace(workspace)
    spec = find_spec("tailor.ui.app")
    assert spec and spec.origin
    say(f"Tailor shows {opened.root} at http://127.0.0.1:{port} (Ctrl+C ends it).")
    options = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": str(not browser).lower(),
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "server.fileWatcherType": "none",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, "TAILOR_WORKSPACE": str(opened.root)}
    raise typer.Exit(
        subprocess.call(
            [sys.executable, "-m", "streamlit", "run", spec.origin, *flags], env=environment
        )
    )
