"""``tailor compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailor.cli.options import JsonOption, Lang, LangOption, SplitOption, WorkspaceOption

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table as Grid

    from tailor.benchmark import Split
    from tailor.reporting.facts import Facts
    from tailor.run import Run
    from tailor.scoring.export import Table
    from tailor.scoring.slices import By
    from tailor.workspace import Workspace

    Made = str | list[RenderableType]

Format = Literal["table", "json", "csv", "markdown"]


def command(
    base: Annotated[str | None, typer.Argument(help="Row to compare with, or ROW@MODEL.")] = None,
    candidate: Annotated[str | None, typer.Argument(help="Row that should be better.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Of two rows, show unchanged questions too.")
    ] = False,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Also all metrics, tags, languages, and why answers are wrong."
        ),
    ] = False,
    answers: Annotated[
        bool, typer.Option("--answers", help="Every answer of every row, for csv, markdown, json.")
    ] = False,
    metrics: Annotated[
        str, typer.Option(help="Measure these too, with commas: similarity,perplexity.")
    ] = "",
    split: SplitOption = "test",
    stale: Annotated[
        bool, typer.Option("--stale", help="Compare two rows although one is out of date.")
    ] = False,
    format: Annotated[
        Format | None,
        typer.Option(help="Default: table, or what the ending of the -o FILE says."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file.", show_default=False)
    ] = None,
    lang: LangOption = "en",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compare all rows, or two of them question by question."""
    from tailor.cli.common import name_problems, name_unreadable, open_workspace, say, use_one_core
    from tailor.errors import TailorError, UsageError
    from tailor.run import run_of

    use_one_core()
    wanted = _format("json" if json else format, output)
    if base and not candidate:
        raise UsageError("Name two rows, BASE and CANDIDATE, or none.")
    if answers and (wanted == "table" or base):
        raise UsageError("--answers is of all rows: name none, and add --format csv, for example.")
    opened = open_workspace(workspace)
    name_problems(opened.benchmark)
    name_unreadable(opened)
    runs = opened.runs()
    if not runs:
        raise TailorError("There is no run to compare yet: tailor run all")
    if metrics:
        _measure(runs, metrics)
    made: Made
    if base and candidate:
        one, other = run_of(runs, base), run_of(runs, candidate)
        _stale([one, other], stale)
        made = _pair(opened, one, other, wanted, split, lang, every)
    elif answers:
        from tailor.scoring import export

        lines = export.answers(runs, split)
        made = _as_json({"answers": lines}) if wanted == "json" else _exported(lines, wanted)
    else:
        made = _ladder(opened, runs, wanted, split, lang, details, bool(metrics))
    _put(made, output)
    if output:
        say(f"The comparison is in {output}. Next: tailor report")


def _format(named: Format | None, output: Path | None) -> Format:
    if named or output is None:
        return named or "table"
    endings: dict[str, Format] = {".json": "json", ".csv": "csv", ".md": "markdown"}
    return endings.get(output.suffix.lower(), "table")


def _measure(runs: list[Run], metrics: str) -> None:
    """Measure what needs a model; it is kept, and shown from then on."""
    from tailor.cli.progress import bar
    from tailor.scoring.extra import measure

    names = [name.strip() for name in metrics.split(",") if name.strip()]
    with bar("compare") as told:
        measure(runs, names, told=told)


def _stale(runs: list[Run], wanted: bool) -> None:
    """Say which rows no longer hold; unless that is wanted, go no further.

    Raises:
        TailorError: one does not, and it was not asked for.
    """
    from tailor.cli.common import say
    from tailor.errors import TailorError

    for run in runs:
        if reason := run.stale():
            if not wanted:
                raise TailorError(
                    f"{run.row} is not comparable: {reason}; run it again with `tailor run "
                    f"{run.row}`, or compare it as it is with --stale."
                )
            say(f"{run.row} is out of date: {reason}; to run it again: tailor run {run.row}")


def _ladder(
    workspace: Workspace,
    runs: list[Run],
    wanted: Format,
    split: Split,
    lang: Lang,
    details: bool,
    metrics: bool,
) -> Made:
    """All rows; those that no longer hold are listed, and said to be left out."""
    from tailor.cli.common import say
    from tailor.reporting.facts import gather
    from tailor.scoring import goal
    from tailor.scoring.leaderboard import leaderboard
    from tailor.scoring.wording import remarks

    facts = gather(workspace, runs, lang, split)
    for run in runs:
        if reason := run.stale():
            say(f"{run.row}: {reason}; run it again: tailor run {run.row}")
    board = leaderboard(facts.result)
    if wanted == "json":
        more = _details_json(facts) if details else {}
        if board:
            more = {**more, "leaderboard": board.to_json()}
        return _as_json({**facts.result.to_json(), **more})
    if wanted == "csv":
        return facts.result.to_csv()
    if wanted == "markdown":
        return facts.result.to_markdown(lang)
    told = [*remarks(facts.result, lang), facts.result.verdict(lang)]
    told += filter(None, [facts.result.caution(lang)])
    if reached := goal.sentence(facts.result.rows, workspace.config.goal, lang):
        told.append(reached)
    every = [board.table(lang)] if board else []
    every += [_metrics(facts)] if details or metrics else []
    return [facts.result.table(lang), *every, *(_details(facts) if details else ()), *told]


def _pair(
    workspace: Workspace,
    base: Run,
    candidate: Run,
    wanted: Format,
    split: Split,
    lang: Lang,
    every: bool,
) -> Made:
    """Two rows question by question; files hold every question, the table those that changed."""
    from dataclasses import replace

    from tailor.reporting.pair import told
    from tailor.scoring import comparison, export
    from tailor.scoring.changes import change, counted
    from tailor.scoring.gains import gains as gained
    from tailor.scoring.step import Aligned
    from tailor.scoring.told import gains as lines

    one = replace(base.scored(split), previous=None, base=None, stale="")
    # Whatever the candidate was built on, here it stands against the base.
    other = replace(candidate.scored(split), previous=base.row, base=None, stale="")
    items, step = comparison.pair(one, other), comparison.difference(one, other)
    names = base.row, candidate.row
    if base.row == candidate.row:
        names = f"{base.row}@{base.model}", f"{candidate.row}@{candidate.model}"
    if wanted == "table":
        gains = {} if step is None else gained([other], [one], Aligned.of([one, other]))[0]
        more = [f"  {line}" for line in lines(gains, other.target, lang)]
        return [*told(items, step, *names, lang=lang, every=every), *more]
    if wanted != "json":
        return _exported(export.pairs(items, *names), wanted)
    dev = [base.scored("dev"), candidate.scored("dev")]
    both = comparison.compare([one, other], dev, benchmark=workspace.benchmark).to_json()
    both["stages"][1]["vs_previous"] = step and step.to_json()
    return _as_json(
        {
            **both,
            "counts": counted(items),
            "stale": {run.row: run.stale() for run in (base, candidate) if run.stale()},
            "questions": [{**item.to_json(), "change": change(item)} for item in items],
        }
    )


def _metrics(facts: Facts) -> Grid:
    """The mean of every metric in each row."""
    from rich.table import Table

    from tailor.reporting.sections import metrics

    names = map(facts.name, facts.result.rows)
    table = Table(facts.words["measure"], *names, title=facts.words["metrics"])
    for name, means in metrics(facts):
        table.add_row(name, *means)
    return table


def _details(facts: Facts) -> list[RenderableType]:
    """Slices by language and tag, and why answers are wrong."""
    from rich.table import Table
    from rich.text import Text

    from tailor.reporting import reasons

    say = facts.words
    out: list[RenderableType] = []
    kinds: tuple[tuple[By, str], ...] = (("lang", "slices_lang"), ("tag", "slices_tag"))
    for kind, title in kinds:
        part = reasons.by(facts, kind)
        table = Table(say["slice"], "n", *part["names"], title=say[title])
        for row in part["slices"]:
            cells = [f"{cell['score']} ({cell['interval']})" for cell in row["cells"]]
            table.add_row(Text(row["name"]), row["n"], *cells)
        out += [table] if part["slices"] else []
    causes = reasons.causes(facts, reasons.found(facts))
    table = Table(say["cause"], *causes["names"], title=say["why"])
    for row in causes["kinds"]:
        table.add_row(row["label"], *(f"{c['count']} ({c['share']})" for c in row["cells"]))
    out += [table] if causes["kinds"] else []
    tuned = [(run, found) for run in facts.runs if run.stage == "retrieval_tuning"
             and (found := run.tuning())]  # fmt: skip
    told = [f"{facts.name(run)}: {found.sentence(facts.lang)}" for run, found in tuned]
    told += [f"{facts.name(run)}: {own.sentence(run.workspace.target, facts.lang)}"
             for run in facts.runs if run.stage == "retrieval_tuning"
             and (own := run.similar_tuning())]  # fmt: skip
    return [*out, f"{causes['row']}: {causes['sentence']}", *told]


def _details_json(facts: Facts) -> dict[str, Any]:
    from tailor.reporting import reasons
    from tailor.scoring.guide import guide_json
    from tailor.scoring.slices import slices_json

    found = reasons.found(facts)
    best = found[facts.name(facts.best)]
    stages = [
        {**row.to_json(), "attribution": found[facts.name(row)].to_json()}
        for row in facts.result.rows
    ]
    return {
        "stages": stages,
        "slices": slices_json(facts.scored),
        "guide": guide_json(facts.result, best, facts.workspace.config.gpu_hour_usd),
    }


def _as_json(value: dict[str, Any]) -> str:
    import json

    return json.dumps({"schema_version": 1, **value}, ensure_ascii=False, indent=2, allow_nan=False)


def _exported(table: Table, wanted: Format) -> str:
    from tailor.scoring.export import to_csv, to_markdown

    return to_csv(table) if wanted == "csv" else to_markdown(table)


def _put(made: Made, output: Path | None) -> None:
    """Write a text as it is, or print tables; to standard output or into a file."""
    import sys
    from io import StringIO

    from tailor.cli.common import stdout
    from tailor.cli.hints import with_workspace
    from tailor.cli.terminal import Terminal

    text = made if isinstance(made, str) else ""
    if not isinstance(made, str):
        into = StringIO()
        console = Terminal(file=into, width=140) if output else stdout()
        for part in made:
            told = with_workspace(part) if isinstance(part, str) else part
            console.print(told, soft_wrap=isinstance(part, str), markup=False)
        text = into.getvalue()
    if output is None:
        sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
    else:
        _save(text, output)


def _save(text: str, path: Path) -> None:
    from tailor.errors import TailorError

    # Spreadsheets take a CSV for UTF-8 only behind a byte order mark.
    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding=encoding, errors="replace", newline="") as file:
            file.write(text)
    except OSError as error:
        raise TailorError(
            f"{path} cannot be written ({error.strerror}); name another file with -o."
        ) from None
