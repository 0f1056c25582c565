"""The report of a ladder as one HTML file: no script, no request, safe to open anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.fault import hit

if TYPE_CHECKING:
    from tailor.benchmark import Split
    from tailor.run import Run
    from tailor.workspace import Workspace

WORST = 12
"""How many of the worst answers are shown."""

_HERE = Path(__file__).parent


def report(
    workspace: Workspace,
    runs: Sequence[Run] | None = None,
    lang: str = "en",
    split: Split = "test",
    worst: int = WORST,
) -> str:
    """A page of HTML that tells what these runs, or all of the workspace, have measured.

    Args:
        workspace: where the runs are.
        runs: the rows to tell of; the newest of each row and model when None.
        lang: ``en`` or ``vi``; questions, answers and documents stay as they are.
        split: whose scores are told, ``test`` or ``dev``.
        worst: how many of the worst answers are shown.

    Raises:
        TailorError: there is no run yet.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from tailor.reporting.facts import gather
    from tailor.reporting.sections import sections

    runs = workspace.runs() if runs is None else runs
    if not runs:
        raise TailorError(
            "There is nothing to report yet: run a stage first, with `tailor run all`."
        )
    facts = gather(workspace, runs, lang, split)
    style = (_HERE / "report.css").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        lang=lang,
        words=facts.words,
        style=style,
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        **sections(facts, worst),
    )


def write(
    workspace: Workspace,
    path: Path | None = None,
    runs: Sequence[Run] | None = None,
    lang: str = "en",
    split: Split = "test",
) -> Path:
    """Write the report, in place of the one before, and return where it is.

    Without a path it is ``.tailor/reports/report.html``, with ``-vi`` and ``-dev`` in its name
    where it is in Vietnamese or of the dev questions.

    Raises:
        TailorError: there is no run yet, or the file cannot be written.
    """
    page = report(workspace, runs, lang, split)
    if path is None:
        ends = f"{'' if lang == 'en' else '-vi'}{'' if split == 'test' else '-dev'}"
        path = workspace.state / "reports" / f"report{ends}.html"
    part = path.with_name(f"{path.name}.part")
    try:
        hit("report.before")
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # a link would lead what is written elsewhere
        part.write_text(page, "utf-8", errors="replace")  # half a letter pair is not writable
        hit("report.part")
        part.replace(path)
        hit("report.after")
    except OSError as error:
        raise TailorError(
            f"The report {path} cannot be written ({error.strerror}); name another file with -o."
        ) from None
    return path
