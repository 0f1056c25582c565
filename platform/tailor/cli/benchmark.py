"""``tailor benchmark``: check, import, curate, split and describe; people's answers."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailor.cli import benchmark_curate, benchmark_draft
from tailor.cli.common import JsonOption, ModelOption, WorkspaceOption
from tailor.cli.human import app as human

if TYPE_CHECKING:
    from tailor.benchmarking.check import Report
    from tailor.benchmarking.importing import Imported
    from tailor.benchmarking.stats import Stats

SHOWN = 10
"""Warnings of one kind that are listed; ``--all`` lists every one."""

app = typer.Typer(
    help="Check, import, split and describe the questions.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(human, name="human")
for verb in (
    benchmark_draft.draft, benchmark_draft.approve, benchmark_draft.discard,
    benchmark_curate.curate,
):  # fmt: skip
    app.command(verb.__name__)(verb)


@app.command()
def check(
    ask: Annotated[
        bool, typer.Option("--ask", help="Also ask the model every question without documents.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List all warnings, not {SHOWN} of a kind.")
    ] = False,
    model: ModelOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Name everything that is wrong with the benchmark. Exits with 1 on errors."""
    from tailor.benchmarking.check import check as check_benchmark
    from tailor.cli.common import here, one_bar, open_workspace, print_json, say
    from tailor.models.provider import receiver

    opened = open_workspace(workspace)
    if ask and (to := receiver(model or opened.config.model, opened.config)):
        say(f"Sent to {to}: the benchmark's questions.")
    if ask:
        with one_bar() as bar:
            report = check_benchmark(opened, True, model, bar)
    else:
        report = check_benchmark(opened)
    if json:
        print_json(report.to_json())
    else:
        _show_report(report, everything)
        say(f"Next: {_next(report)}{here(workspace)}")
    raise typer.Exit(1 if report.errors or (strict and report.warnings) else 0)


def _show_report(report: "Report", everything: bool) -> None:
    from tailor.cli.common import say, stdout

    out = stdout()
    listed: Counter[str] = Counter()
    for finding in report.findings:
        listed[finding.kind] += 1
        if everything or finding.level == "error" or listed[finding.kind] <= SHOWN:
            told = report.told(finding).replace(": ", f": {finding.level}: ", 1)
            out.print(told, markup=False, soft_wrap=True)
    left = 0 if everything else sum(max(0, n - SHOWN) for n in _warnings(report).values())
    if left:
        say(f"{left} more warnings of these kinds: --all")
    drafts = f", {report.drafts} drafts" if report.drafts else ""
    out.print(
        f"{report.questions} questions{drafts}; errors: {len(report.errors)}, "
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


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(help="CSV, TSV, JSON, JSONL or XLSX file, dataset folder, or owner/name."),
    ],
    append: Annotated[bool, typer.Option("--append", help="Add to the questions there.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the questions there aside.")
    ] = False,
    preset: Annotated[
        str | None, typer.Option(help="squad, xquad, nq, tatqa or columns; told by itself.")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="Which column is what: question=Frage,answer=Antwort."),
    ] = None,
    documents: Annotated[
        bool,
        typer.Option("--documents", help="Write the contexts to knowledge/imported/ as documents."),
    ] = False,
    contexts: Annotated[
        str | None, typer.Option(help="A file with id and text, where contexts are named by id.")
    ] = None,
    split_: Annotated[
        Literal["train", "dev", "test"] | None, typer.Option("--split", help="For all questions.")
    ] = None,
    lang: Annotated[str, typer.Option(help="For all questions: en, vi, …")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Add this tag to all questions.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many rows at most.")] = None,
    revision: Annotated[str | None, typer.Option(help="Of a dataset on the Hub.")] = None,
    config: Annotated[str | None, typer.Option(help="Of a dataset, such as xquad.vi.")] = None,
    dataset_split: Annotated[str | None, typer.Option(help="Of a dataset; else all.")] = None,
    training: Annotated[
        bool, typer.Option("--training", help="To train on: into training.jsonl, never scored.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Bring questions in from a file, a folder or the Hugging Face Hub."""
    from tailor.benchmarking.importing import import_questions
    from tailor.cli.common import open_workspace, print_json
    from tailor.errors import UsageError

    if append and replace:
        raise UsageError("Say --append or --replace, not both.")
    brought = import_questions(
        open_workspace(workspace),
        source,
        mode="append" if append else "replace" if replace else "new",
        preset=preset,
        mapping=_mapping(map_ or []),
        documents=documents,
        contexts=contexts,
        split=split_,
        lang=lang,
        tags=tag or (),
        limit=limit,
        revision=revision,
        config=config,
        hub_split=dataset_split,
        training=training,
    )
    if json:
        print_json(brought.to_json())
    else:
        _show_import(brought, workspace, training)


def _show_import(brought: "Imported", workspace: Path, training: bool) -> None:
    from tailor.cli.common import here, say, stdout

    out = stdout()
    out.print(f"Read as {brought.form}.", markup=False, soft_wrap=True)
    out.print(f"{brought.taken} questions taken from {brought.rows} rows into {brought.path}.")
    for reason, numbers in brought.dropped.items():
        first = ", ".join(numbers[:5]) + (", …" if len(numbers) > 5 else "")
        out.print(f"dropped {len(numbers)}: {reason} (rows {first})", markup=False, soft_wrap=True)
    if brought.kept_copy:
        say(f"The former questions are in {brought.kept_copy}.")
    if brought.documents:
        say(f"{brought.documents} documents written; next: tailor ingest{here(workspace)}")
    if brought.contexts_left:
        say(
            f"{brought.contexts_left} questions came with contexts that were not kept; "
            "--documents writes them to knowledge/imported/, so that evidence is found."
        )
    if brought.without_evidence and not training:
        say(
            f"{brought.without_evidence} questions have no evidence; retrieval is not scored there."
        )
    if brought.guessed:
        say(
            f"{brought.guessed} answers are not in their context word for word; the sentence most "
            "like question and answer was taken as evidence."
        )
    at = here(workspace)
    if training:
        if brought.with_context:
            say(
                f"{brought.with_context} come with a context, which the shapes gold and retrieved "
                "show: --set fine_tuning.shapes=gold"
            )
        say(f"Next, to see what is learnt from them: tailor lessons{at}")
        return
    say(f"Next: tailor benchmark split{at}, then tailor benchmark check{at}")


def _mapping(items: list[str]) -> dict[str, str]:
    from tailor.errors import UsageError

    found: dict[str, str] = {}
    for item in (part for text in items for part in text.split(",")):
        target, equals, column = item.partition("=")
        if not equals or not column:
            raise UsageError(f"--map {item}: write question=COLUMN,answer=COLUMN.")
        found[target.strip()] = column.strip()
    return found


@app.command()
def split(
    shares: Annotated[str, typer.Option(help="Parts of train, dev and test.")] = "30,20,50",
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
    from tailor.cli.common import here, open_workspace, print_json, say, stdout
    from tailor.scoring import format

    wanted = assignment.shares(shares)
    done = assignment.split(open_workspace(workspace), wanted, seed, reassign, by)
    if json:
        print_json(done.to_json())
        return
    n = sum(done.counts.values())
    table = Table("split", "questions", "share", "wanted", "languages")
    for name, count in done.counts.items():
        languages = ", ".join(f"{lang} {m}" for lang, m in sorted(done.languages[name].items()))
        shown = (format.percent(count / n), format.percent(done.shares[name]))
        table.add_row(name, str(count), *shown, languages)
    stdout().print(table)
    if not done.loose:
        say(f"All {n} questions have a split already; --reassign shares them out anew.")
    elif done.off > 0.05:
        more = " or --by quote, which keeps each fact on one side" if by == "document" else ""
        say(
            f"The shares are off by {format.percent(done.off)}: the {done.groups} groups of "
            f"questions on the same documents hold up to {done.largest} questions. More documents "
            f"would help{more}; so would --reassign, where questions had a split."
        )
    say(
        f"{done.changed} lines changed in {done.path}. "
        f"Next: tailor benchmark check{here(workspace)}"
    )


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
    _show_stats(found)
    if found.difficulty is None:
        say("Not known how hard they are: --baseline runs the baseline, which asks no model.")


def _show_stats(found: "Stats") -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.scoring import format

    out, hard = stdout(), found.difficulty
    names: Any = {"": "all", "null": "not in the documents"}
    table = Table("questions", "train", "dev", "test", *(("baseline",) if hard else ()))
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
    asked = {name: n for name, n in found.documents.items() if n}
    silent = len(found.documents) - len(asked)
    if found.documents:
        out.print(f"Evidence from {len(asked)} documents; {silent} documents have no question.")
    for name, n in list(asked.items())[:5]:
        out.print(f"  {n:4} {name}", markup=False)
    if hard:
        out.print(
            f"By {hard.row} on {hard.n} dev and test questions: {hard.easy} easy, {hard.middle} in "
            f"the middle, {hard.hard} hard."
        )
    for pair in found.agreement:
        out.print(pair.sentence(), markup=False)
    out.print(found.power.sentence(), soft_wrap=True)
