"""``tailor ingest``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import JsonOption, OnOption, SetOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.documents.ingest import IngestReport
    from tailor.workspace import Workspace

_NAMED = 10
"""Files named of those with the same status and reason; ``--json`` names all."""


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Only these files or folders of knowledge/."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would happen; write nothing.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Then show duplicates, boilerplate, secrets and the like."),
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Read refused and empty files again, too.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    sets: SetOption = None,
    on: OnOption = "",
    json: JsonOption = False,
) -> None:
    """Read, split, embed and index the documents in knowledge/. Only what changed costs."""
    from tailor.cli.common import interrupted, open_workspace, print_json, say
    from tailor.cli.progress import bar, fetch
    from tailor.documents.recordings import announcements
    from tailor.errors import UsageError
    from tailor.models.provider import embedder_receiver

    if dry_run and report:
        raise UsageError("--report is of what was ingested: leave out --dry-run, or --report.")
    opened = open_workspace(workspace, sets)
    to = embedder_receiver(opened.config)
    if to and not dry_run:
        say(f"Sent to {to}, which embeds them: all new passages of the documents.")
    for sentence in () if dry_run else announcements(opened.config, opened.knowledge):
        say(sentence)
    if not dry_run:
        fetch(opened.config.embedder, opened)
    try:
        with opened.place.on(on, say), bar("ingest") as told:
            done = opened.ingest(paths or None, told, dry_run=dry_run, retry=retry)
    except KeyboardInterrupt:
        raise interrupted(
            "Stopped: the last finished index stays in use; the same command goes on from there."
        ) from None
    curated = opened.curation() if report else None
    if json:
        print_json(done.to_json() | ({"curation": curated.to_json()} if curated else {}))
        return
    if curated is not None:
        from tailor.cli.curation import show

        show(curated)
    tell(done, opened, dry_run)


def tell(report: "IngestReport", workspace: "Workspace", dry_run: bool) -> None:
    """Say what became of the files, or would, and which questions' evidence is gone."""
    from tailor.cli.common import say, several
    from tailor.text import shown

    quiet = ("unchanged",) if dry_run else ("unchanged", "moved", "removed")
    alike: dict[tuple[str, str], list[str]] = {}
    for file in report.files:
        plain = not dry_run and file.status == "indexed" and not file.reason
        if file.status not in quiet and not plain:
            alike.setdefault((file.status, file.reason), []).append(file.path)
    copied = [key for key in alike if key[0] == "duplicate"][_NAMED:]
    copies = sum(len(alike.pop(key)) for key in copied)
    for (status, reason), files in alike.items():
        named = ", ".join(map(shown, files[:_NAMED])) + (
            f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        )
        say(f"{status}: {named}" + (f": {reason}" if reason else ""))
    if copies:
        more = several(copies, "more file")
        say(f"duplicate: {more}; --report and --json list them with what they repeat.")
    for sentence in report.stale[:10]:
        say(f"stale: {sentence}")
    if len(report.stale) > 10:
        say(f"stale: {several(len(report.stale) - 10, 'more question')}.")
    for sentence in report.quoted:
        say(f"warning: {sentence}")
    for one in report.enriched:
        say(f"enriched by {one.name}: {several(one.done, 'document')} now, {one.known} before")
        for sentence in one.sentences:
            say(f"warning: {shown(sentence)}")
    totals = ", ".join(f"{count} {status}" for status, count in report.totals.items() if count)
    if dry_run:
        say(f"This would happen: {totals}. Nothing was written. Next: tailor ingest")
    else:
        asked = workspace.knowledge / "benchmark.jsonl"
        written = asked.is_file() and asked.stat().st_size > 0
        items = workspace.config.task != "answer"
        then = "tailor run all" if written or items else "for questions, tailor benchmark draft"
        say(f"{totals}. Next: tailor search QUESTION, or {then}")
