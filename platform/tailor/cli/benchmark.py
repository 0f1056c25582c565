"""``tailor benchmark``: check, import, curate, split and describe; people's answers."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailor.cli import benchmark_curate, benchmark_draft, benchmark_import
from tailor.cli.common import group
from tailor.cli.human import app as human
from tailor.cli.options import JsonOption, ModelOption, StrictOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.benchmarking.check import Report
    from tailor.benchmarking.stats import Stats

SHOWN = 10
"""Warnings of one kind that are listed; ``--all`` lists every one."""

app = group("Check, import, split and describe the questions.")
app.add_typer(human, name="human")
for verb in (
    benchmark_draft.draft, benchmark_draft.approve, benchmark_draft.discard,
    benchmark_curate.curate,
):  # fmt: skip
    app.command(verb.__name__)(verb)
app.command("import")(benchmark_import.import_)


@app.command()
def check(
    ask: Annotated[
        bool, typer.Option("--ask", help="Also ask the model every question without documents.")
    ] = False,
    strict: StrictOption = False,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List all warnings, not {SHOWN} of a kind.")
    ] = False,
    model: ModelOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Name everything that is wrong with the benchmark. Exits with 1 on errors."""
    from tailor.benchmarking.check import check as check_benchmark
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.cli.progress import bar
    from tailor.models.provider import receiver
    from tailor.task import noun

    opened = open_workspace(workspace)
    if ask and (to := receiver(model or opened.config.model, opened.config)):
        say(f"Sent to {to}: the benchmark's {noun(opened.config.task)}s.")
    with bar("benchmark") as told:
        report = check_benchmark(opened, ask, model, told)
    if json:
        print_json(report.to_json())
    else:
        _show_report(report, noun(opened.config.task), everything)
        say(f"Next: {_next(report)}")
    raise typer.Exit(1 if report.errors or (strict and report.warnings) else 0)


def _show_report(report: "Report", asked: str, everything: bool) -> None:
    from tailor.cli.common import say, several, stdout
    from tailor.cli.hints import with_workspace

    out = stdout()
    listed: Counter[str] = Counter()
    for finding in report.findings:
        listed[finding.kind] += 1
        if everything or finding.level == "error" or listed[finding.kind] <= SHOWN:
            told = report.told(finding).replace(": ", f": {finding.level}: ", 1)
            out.print(with_workspace(told), markup=False, soft_wrap=True)
    left = 0 if everything else sum(max(0, n - SHOWN) for n in _warnings(report).values())
    if left:
        say(f"{several(left, 'more warning')} of these kinds: --all")
    drafts = f", {several(report.drafts, 'draft')}" if report.drafts else ""
    out.print(
        f"{several(report.questions, asked)}{drafts}; errors: {len(report.errors)}, "
        f"warnings: {len(report.warnings)}."
    )
    out.print(report.power.sentence(), soft_wrap=True)


def _next(report: "Report") -> str:
    """The command that comes after a check."""
    if report.errors:
        return "mend the errors, in the file or in tailor ui, then tailor benchmark check"
    unrecorded = any(finding.kind == "no_split" for finding in report.warnings)
    return "tailor benchmark split" if unrecorded else "tailor run all"


def _warnings(report: "Report") -> "Counter[str]":
    return Counter(finding.kind for finding in report.warnings)


@app.command()
def split(
    shares: Annotated[
        str,
        typer.Option(
            help="Parts of train, dev and test.", show_default="30,20,50; of items 70,10,20"
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="Another seed gives another split.")] = 0,
    reassign: Annotated[
        bool, typer.Option("--reassign", help="Also move questions that have a split.")
    ] = False,
    by: Annotated[
        Literal["document", "quote"],
        typer.Option(help="What stays on one side: whole documents, or each quoted fact."),
    ] = "document",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Share the questions out to train, dev and test, in the file."""
    from rich.table import Table

    from tailor.benchmarking import assignment
    from tailor.cli.common import open_workspace, print_json, say, several, stdout
    from tailor.scoring import format
    from tailor.task import noun

    opened = open_workspace(workspace)
    wanted = assignment.shares(shares) if shares else None
    done = assignment.split(opened, wanted, seed, reassign, by)
    asked = noun(opened.config.task)
    if json:
        print_json(done.to_json())
        return
    n = sum(done.counts.values())
    table = Table("split", f"{asked}s", "share", "wanted", "languages")
    for name, count in done.counts.items():
        languages = ", ".join(f"{lang} {m}" for lang, m in sorted(done.languages[name].items()))
        shown = (format.percent(count / n), format.percent(done.shares[name]))
        table.add_row(name, str(count), *shown, languages)
    stdout().print(table)
    if not done.loose:
        say(f"All {several(n, asked)} have a split already; --reassign shares them out anew.")
    elif done.off > 0.05:
        more = " or --by quote, which keeps each fact on one side" if by == "document" else ""
        say(
            f"The shares are off by {format.percent(done.off)}: the {done.groups} groups of "
            f"{asked}s that belong together hold up to {done.largest}. More documents would "
            f"help{more}; so would --reassign, where {asked}s had a split."
        )
    changed = several(done.changed, "line")
    say(f"{changed} changed in {done.path}. Next: tailor benchmark check")


@app.command()
def stats(
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Run the baseline first, to tell hard from easy.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show languages, tags, answers, evidence and difficulty."""
    from tailor.benchmarking.stats import stats as describe
    from tailor.cli.common import name_problems, open_workspace, print_json, say
    from tailor.task import noun

    opened = open_workspace(workspace)
    name_problems(opened.benchmark)
    if baseline:
        from tailor.cli.run import climb
        from tailor.rows import rows_for

        climb(opened, rows_for(opened, ["baseline"]), None)
    found = describe(opened)
    if json:
        print_json(found.to_json())
        return
    _show_stats(found, noun(opened.config.task))
    if found.difficulty is None:
        say("Not known how hard they are: --baseline runs the baseline, which asks no model.")


def _show_stats(found: "Stats", asked: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import several, stdout
    from tailor.scoring import format

    out, hard = stdout(), found.difficulty
    names: Any = {"": "all", "null": "not in the documents"}
    table = Table(f"{asked}s", "train", "dev", "test", *(("baseline",) if hard else ()))
    for name, own in found.counts.items():
        cells = [str(own[split]) for split in ("train", "dev", "test")]
        mean = hard.by_trait.get(name) if hard else None
        shown = [format.percent(mean[0] if mean else None)] if hard else []
        table.add_row(Text(names.get(name, name)), *cells, *shown)
    out.print(table)
    words = found.answer_words
    out.print(
        f"Answers: {words['median']:g} words in the middle, {words['longest']:g} at most; "
        f"{words['numbers']:g} hold a number."
    )
    told = {name: n for name, n in found.documents.items() if n}
    silent = len(found.documents) - len(told)
    if found.documents:
        out.print(f"Documents with evidence: {len(told)}; without a question: {silent}.")
    for name, n in list(told.items())[:5]:
        out.print(f"  {n:4} {name}", markup=False)
    if hard:
        out.print(
            f"By {hard.row} on {several(hard.n, f'dev and test {asked}')}: {hard.easy} easy, "
            f"{hard.middle} in the middle, {hard.hard} hard."
        )
    for pair in found.agreement:
        out.print(pair.sentence(), markup=False)
    out.print(found.power.sentence(), soft_wrap=True)
