"""The check of a benchmark: everything that is wrong with it, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.benchmark import Line, Problem, read
from tailor.benchmarking.accepted import accepted
from tailor.benchmarking.balance import balance, splits
from tailor.benchmarking.duplicates import alike, repeated, unrepeated
from tailor.benchmarking.evidence import evidence
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.power import Power, power
from tailor.benchmarking.splitting import draw, shares_of

if TYPE_CHECKING:
    from tailor.documents.store import Record
    from tailor.task import Task
    from tailor.workspace import Workspace


@dataclass(frozen=True)
class Report:
    """What a check found."""

    path: Path
    questions: int
    """That count; drafts and lines that cannot be read do not."""
    drafts: int
    findings: tuple[Finding, ...]
    """Errors and warnings by line, then those about the whole benchmark."""
    power: Power

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What makes scores wrong."""
        return tuple(f for f in self.findings if f.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a person should look at."""
        return tuple(f for f in self.findings if f.level == "warning")

    def told(self, finding: Finding, lang: str = "en") -> str:
        """A finding with file and line, as compilers write it."""
        where = f"{self.path}:{finding.line}" if finding.line else str(self.path)
        named = f"{finding.id} " if finding.id and finding.kind not in _OWN_SUBJECT else ""
        return f"{where}: {named}{finding.message(lang)}"

    def to_json(self) -> dict[str, Any]:
        """What ``tailor benchmark check --json`` prints."""
        return {
            "schema_version": 1,
            "path": str(self.path),
            "questions": self.questions,
            "drafts": self.drafts,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "power": self.power.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
        }


_OWN_SUBJECT = {"no_quote", "stale", "unsupported", "answer_in_question", "leak", "leak_meaning"}


def check(
    workspace: Workspace,
    ask: bool = False,
    model: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Everything that is wrong with the workspace's benchmark, and what its questions buy.

    Args:
        workspace: whose benchmark and documents are compared.
        ask: also ask the model every question without documents, to see which it knows.
        model: that is asked; the workspace's own when None.
        progress: told how far the asking has come.

    Raises:
        TailorError: there is no benchmark file or it is not UTF-8, or the model refuses the calls.
    """
    path, lines, problems = _read(workspace)
    task = workspace.config.task
    found = [
        Finding("syntax", problem.line, values={"message": problem.message}) for problem in problems
    ]
    found += by_line(workspace, lines)
    counted = counted_of(lines, task)
    if counted:
        found += splits(counted)
        questions = [line.question for line in counted]
        if task == "answer":
            read_ones = {p: r.language for p, r in _records(workspace).items() if r.status == "ok"}
            found += balance(questions, read_ones)
        else:
            found += (f for f in balance(questions, {}) if f.kind != "none_unanswerable")
        if ask:
            from tailor.benchmarking.blind import answered_blind

            found += answered_blind(workspace, counted, model, progress)
    else:
        found.append(Finding("empty"))
    found.sort(key=lambda f: (f.line is None, f.line or 0))
    return Report(
        path=path,
        questions=len(counted),
        drafts=sum(line.draft for line in lines),
        findings=tuple(replace(finding, task=task) for finding in found),
        power=power(sum(line.question.split == "test" for line in counted), task),
    )


def _read(workspace: Workspace) -> tuple[Path, list[Line], list[Problem]]:
    """The lines of the benchmark, or the items that tailor.toml names."""
    if workspace.config.task == "answer":
        path = workspace.knowledge / "benchmark.jsonl"
        return path, *read(path)
    from tailor.prediction import items

    return items.read(workspace.root, workspace.config.task, workspace.config.items)


def by_line(
    workspace: Workspace, lines: Sequence[Line], of: Collection[int] | None = None
) -> list[Finding]:
    """What is wrong with single lines, with two that do not go together, and with their evidence.

    With ``of`` only what one of the lines of these numbers has to do with. Items have no evidence,
    and a number or a label is no answer that documents could hold.
    """
    task = workspace.config.task
    own = [line for line in lines if of is None or line.number in of]
    found = [f for f in (*repeated(lines), *alike(lines)) if of is None or _of(f, of)]
    if task == "answer":
        found += accepted(own)
        found += _against_documents(workspace, own)
    if counted := counted_of(lines, task):
        from tailor.benchmarking.leaks import leaks

        found += leaks(counted, of, items=task != "answer")
    return found


def _of(finding: Finding, of: Collection[int]) -> bool:
    return finding.line in of or finding.values.get("other") in of


def counted_of(lines: Sequence[Line], task: Task = "answer") -> list[Line]:
    """The lines that are scored, each with the split it is scored in."""
    kept = [line for line in unrepeated(lines) if not line.draft]
    loose = {line.question.id for line in kept if not line.has_split}
    drawn = draw((line.question for line in kept), loose, shares=shares_of(task))
    return [replace(line, question=q) for line, q in zip(kept, drawn, strict=True)]


def _against_documents(workspace: Workspace, lines: Sequence[Line]) -> Iterator[Finding]:
    from tailor.documents.corpus import documents

    if not (workspace.state / "documents.db").exists():
        if any(line.question.evidence for line in lines):
            yield Finding("not_ingested")
        return
    records = _records(workspace)
    if changed := [path for path in records if _differs(workspace.knowledge / path, records[path])]:
        names = ", ".join(changed[:3]) + (", …" if len(changed) > 3 else "")
        yield Finding("changed_documents", values={"n": len(changed), "names": names})
    memory = workspace.state / "evidence.json"
    yield from evidence(lines, documents(workspace.state), workspace.knowledge, memory)


def _records(workspace: Workspace) -> dict[str, Record]:
    """What was read, by path; nothing before the first ingestion."""
    from tailor.documents.store import DocumentStore, database

    if not (workspace.state / "documents.db").exists():
        return {}
    with database(workspace.state / "documents.db") as connection:
        return DocumentStore(connection).records()


def _differs(path: Path, read: Record) -> bool:
    """Whether a file has another content; one that is gone or inside another is left to others."""
    import hashlib

    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (read.size, read.mtime_ns):
            return False
        return (
            stat.st_size != read.size
            or hashlib.sha256(path.read_bytes()).hexdigest() != read.sha256
        )
    except OSError:
        return False
