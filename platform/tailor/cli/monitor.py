"""``tailor monitor``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tailor.cli.options import JsonOption, LangOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.monitoring.monitored import Monitored


def command(
    days: Annotated[float, typer.Option(min=0.01, help="Days to look back.")] = 30.0,
    learn: Annotated[
        list[str] | None,
        typer.Option("--learn", metavar="ID", help="A served question to learn from."),
    ] = None,
    purpose: Annotated[
        Literal["benchmark", "training", "preference"],
        typer.Option("--for", help="What it is learned for."),
    ] = "benchmark",
    lang: LangOption = "en",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Say what was asked of the served assistant, how it did, and what nobody could answer."""
    from tailor.cli.common import open_workspace, print_json, say, several
    from tailor.monitoring.learned import learn as learned
    from tailor.monitoring.monitored import monitor

    opened = open_workspace(workspace)
    if learn:
        made = learned(opened, learn, purpose)
        if json:
            print_json({"schema_version": 1, "for": purpose, "learned": list(made)})
        there = len(set(learn)) - len(made)
        before = f"; learned before: {there}" if there else ""
        if purpose == "preference":
            train = "tailor run fine_tuning --set fine_tuning.method=dpo"
            say(f"{several(len(made), 'preference')} kept{before}. Next: {train}")
        elif made:
            waiting = f"{several(len(made), 'draft')} waiting for approval"
            say(f"{waiting}{before}: {', '.join(made)}. Next: tailor benchmark approve {made[0]}")
        else:
            say(f"Nothing new to learn{before}. Next: tailor benchmark approve ID")
        return
    found = monitor(opened, days)
    if json:
        print_json(found.to_json())
    else:
        _show(found, lang)
    if not found.served:
        say(f"Nothing was served lately ({days:g} days looked back). Next: tailor serve")
    elif found.unanswered:
        first = found.served[found.unanswered[0].questions[0]].id
        say(f"Next: tailor monitor --learn {first}, to have it in the benchmark.")
    else:
        say("Next: tailor retrain")


def _show(found: "Monitored", lang: Literal["en", "vi"]) -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.monitoring import wording
    from tailor.text import visible

    out, words = stdout(), wording.WORDS[lang]
    if not found.served:
        return
    table = Table(*(words[name] for name in wording.COLUMNS))
    for day in (*found.by_day, found.all):
        table.add_row(*map(Text, wording.traffic(day, lang)))
    out.print(table)
    beside = Table(words["measure"], words["benchmark"], words["online"], "")
    for measure in found.measures:
        beside.add_row(*map(Text, wording.measure(measure, lang)))
    if found.measures:
        out.print(beside)
    for _, sentence in wording.sentences(found, lang):
        out.print(Text(sentence))
    for topic in found.unanswered:
        out.print(Text(f"\n{' · '.join(map(visible, topic.words))} ({len(topic.questions)})"))
        asked = {found.served[at].question: found.served[at].id for at in topic.questions}
        for question, id in list(asked.items())[: wording.SHOWN]:
            out.print(Text(f"  {id}  {visible(question)}"))
