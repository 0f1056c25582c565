"""``tailor ui``."""

import os
import threading
from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import WorkspaceOption

COLOURS = {
    "light": {
        "primaryColor": "#0f766e",
        "backgroundColor": "#ffffff",
        "secondaryBackgroundColor": "#f3f6f5",
        "textColor": "#1f2a2a",
        "borderColor": "#d9e0de",
        "sidebar.backgroundColor": "#f3f6f5",
    },
    "dark": {
        "primaryColor": "#3aa79c",
        "backgroundColor": "#101415",
        "secondaryBackgroundColor": "#1b2124",
        "textColor": "#e8eceb",
        "borderColor": "#344043",
        "sidebar.backgroundColor": "#1b2124",
    },
}
"""The browser's own preference decides between the two."""


def command(
    workspace: WorkspaceOption = Path(),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open the interface in the browser. Only this machine can reach it."""
    import socket
    from importlib.util import find_spec

    from streamlit.web.cli import main

    from tailor.cli.common import open_workspace, say
    from tailor.errors import TailorError

    opened = open_workspace(workspace)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise TailorError(f"Port {port} is in use: choose another one with --port.")
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    say(f"Tailor shows {opened.root} at http://127.0.0.1:{port} (Ctrl+C ends it).")
    os.environ["TAILOR_WORKSPACE"] = str(opened.root)
    threading.Thread(target=_load, daemon=True).start()
    flags = [f"--{name}={value}" for name, value in options(port, browser).items()]
    main(["run", spec.origin, *flags], standalone_mode=False)


def _load() -> None:
    """Load what the first page with a table or a chart would wait for."""
    import altair  # noqa: F401
    import pandas  # noqa: F401


def options(port: int, browser: bool) -> dict[str, str]:
    """Streamlit's options; given on its command line, as its own file is read from the cwd."""
    colours = {
        f"theme.{kind}.{name}": value
        for kind, values in COLOURS.items()
        for name, value in values.items()
    }
    return {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "server.fileWatcherType": "none",
        "runner.magicEnabled": "false",
        # A whole collection after every run takes longer than the run; Python collects by itself.
        "runner.postScriptGC": "false",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": "true",
        # The font that comes with Streamlit lacks Vietnamese letters.
        "theme.font": "system-ui, 'Segoe UI', 'Noto Sans', Roboto, Arial, sans-serif",
        "theme.baseFontSize": "15",
        "theme.headingFontSizes": "1.9rem,1.3rem,1.1rem",
        **colours,
    }
