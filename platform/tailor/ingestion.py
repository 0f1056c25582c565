"""An ingestion: the documents of a workspace read and indexed, and what follows from that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.benchmark import Benchmark
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.documents.enriching import Enriched
    from tailor.documents.ingest import IngestReport
    from tailor.scale.reading import FarBox
    from tailor.workspace import Workspace

Told = Callable[[str, int, int], None]
"""Told how far it has come: what, done, total."""


def ingest(
    workspace: Workspace,
    paths: Sequence[Path] | None,
    progress: Told | None,
    dry_run: bool,
    retry: bool,
) -> IngestReport:
    """Ingest what changed; see `tailor.workspace.Workspace.ingest`."""
    from tailor.documents.activity import announced, keep_report
    from tailor.documents.ingest import forget_refused
    from tailor.models.embedder import parted

    parted(workspace.config.embedder)  # a wrong name is told before anything is read
    state = workspace.state
    if dry_run:
        planned = _read(workspace, paths, progress, dry_run=True)
        ingested = (state / "documents.db").exists()
        return replace(planned, quoted=quoted(workspace)) if ingested else planned
    if retry:
        forget_refused(state)
    with announced(state, progress) as told:
        report = _read(workspace, paths, told)
        workspace.forget_documents()
        stale = _stale(workspace)
        report = replace(report, stale=stale, quoted=quoted(workspace, keep=True))
        keep_report(state, report.to_json())
        if enriched := _enriched(workspace, paths, told):
            report = replace(report, enriched=enriched)
            keep_report(state, report.to_json())
    workspace.forget_documents()
    return report


def quoted(workspace: Workspace, keep: bool = False) -> tuple[str, ...]:
    """A sentence for each ingested document that holds test questions word for word.

    With ``keep`` it is noted which, so that only new texts are looked through the next time.
    """
    from tailor.benchmarking.quoting import quoted
    from tailor.documents.corpus import documents

    if not (questions := _questions(workspace)):
        return ()
    file = workspace.state / "reports" / "quoted.json"
    return quoted(questions, documents(workspace.state), file, keep)


def _read(
    workspace: Workspace, paths: Sequence[Path] | None, told: Told | None, dry_run: bool = False
) -> IngestReport:
    from tailor.benchmarking.quoting import copy_check
    from tailor.documents.ingest import ingest
    from tailor.documents.recordings import recordings
    from tailor.documents.sources import sources

    config, questions = workspace.config, _questions(workspace)
    return ingest(
        workspace.knowledge,
        workspace.state,
        lambda: workspace.embeddings,
        config.embedder,
        workspace.splitter,
        paths=paths,
        progress=told,
        withheld=copy_check(questions) if questions else None,
        recordings=recordings(config, lambda: workspace.answers, told),
        sources=sources(config.sources, workspace.root),
        dry_run=dry_run,
        box=_far_box(workspace),
        server=config.chroma_url,
    )


def _far_box(workspace: Workspace) -> FarBox | None:
    """What parses files on the workers of the cluster that is connected."""
    if workspace.place.cluster is None:
        return None
    from tailor.scale.reading import FarBox

    return FarBox(workspace.place)


def _enriched(
    workspace: Workspace, paths: Sequence[Path] | None, told: Told
) -> tuple[Enriched, ...]:
    """Have the enrichers of tailor.toml go through what is indexed by now."""
    wanted, state = workspace.config.enrich, workspace.state
    if not wanted and not (state / "enrichments.db").exists():
        return ()
    from tailor.documents.enrichers.enricher import enrichers
    from tailor.documents.enriching import enrich
    from tailor.documents.walk import below

    only = None if paths is None else [below(workspace.knowledge, path) for path in paths]
    return enrich(state, enrichers(wanted), only, told)


def _stale(workspace: Workspace) -> tuple[str, ...]:
    """A sentence for each question whose evidence is gone; none where there is no benchmark."""
    try:
        return workspace.missing_evidence
    except TailorError:
        return ()


def _questions(workspace: Workspace) -> tuple[Question, ...]:
    """The questions as the file has them now; none where it cannot be read."""
    try:
        return Benchmark.load(workspace.knowledge / "benchmark.jsonl").questions
    except TailorError:
        return ()
