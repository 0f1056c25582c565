"""Questions from elsewhere, brought into the benchmark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.benchmark import Split, read
from tailor.benchmarking.contexts import Documents
from tailor.benchmarking.file import edit, write
from tailor.benchmarking.presets import (
    COLUMNS,
    PRESETS,
    Context,
    Preset,
    by_columns,
    columns,
    detect,
    text,
)
from tailor.benchmarking.rows import Row, rows
from tailor.benchmarking.taking import Taking, key_of
from tailor.benchmarking.waiting import BENCHMARK, TRAINING
from tailor.errors import TailorError, UsageError

if TYPE_CHECKING:
    from tailor.workspace import Workspace

Mode = Literal["new", "append", "replace"]


@dataclass(frozen=True)
class Imported:
    """What an import brought, and what it left."""

    source: str
    form: str
    """The preset, or the columns that were taken."""
    rows: int
    taken: int
    dropped: Mapping[str, Sequence[str]]
    """Numbers of the rows or lines that were left out, by reason."""
    without_evidence: int
    guessed: int
    """Quotes that do not hold the answer: the sentence of the context that is most like it."""
    documents: int
    """Files written to ``knowledge/imported/``."""
    contexts_left: int
    """Questions whose contexts were not written to documents."""
    with_context: int
    """Questions to train on that came with a context."""
    path: Path
    kept_copy: Path | None = None
    """Where the former file lies, if it was replaced."""

    def to_json(self) -> dict[str, Any]:
        """What ``tailor benchmark import --json`` prints."""
        return {
            "schema_version": 1,
            "source": self.source,
            "form": self.form,
            "rows": self.rows,
            "taken": self.taken,
            "dropped": {reason: list(at) for reason, at in self.dropped.items()},
            "without_evidence": self.without_evidence,
            "guessed": self.guessed,
            "documents": self.documents,
            "contexts_left": self.contexts_left,
            "path": str(self.path),
            "former": str(self.kept_copy) if self.kept_copy else None,
        }


def import_questions(
    workspace: Workspace,
    source: str,
    mode: Mode = "new",
    preset: str | None = None,
    mapping: Mapping[str, str] | None = None,
    documents: bool = False,
    split: Split | None = None,
    lang: str = "",
    tags: Sequence[str] = (),
    limit: int | None = None,
    contexts: str | None = None,
    revision: str | None = None,
    config: str | None = None,
    hub_split: str | None = None,
    training: bool = False,
) -> Imported:
    """Read questions from a file, a folder or the Hugging Face Hub into the benchmark.

    Args:
        workspace: whose benchmark gets them.
        source: a CSV, TSV, JSON, JSONL or XLSX file, a dataset's folder, or ``owner/name``.
        mode: ``new`` refuses where there are questions already; ``append`` adds to them;
            ``replace`` puts them aside.
        preset: the form the source has; told by its keys when None.
        mapping: which column is taken for what, ``{"question": "Frage"}``.
        documents: write the contexts that come with the questions to ``knowledge/imported/``.
        split: for all questions, whatever the source says.
        lang: the language of all questions; told by their letters when empty.
        tags: added to every question.
        limit: how many rows to read at most.
        contexts: a second source with the columns id and text, where contexts are named by id.
        revision, config, hub_split: of a dataset on the Hub, or in a folder.
        training: into ``training.jsonl``, to learn from, not into the benchmark. A context that is
            in no document is kept with its question. The same question with another answer is
            taken, too: what contradicts what is told when lessons are made.

    Raises:
        TailorError: the source cannot be read or holds no question, there is a benchmark already,
            or it cannot be written. The benchmark then is what it was.
        UsageError: a preset, a mapping or a column is not known, or the split of questions to
            learn from is named.
    """
    if training and split:
        raise UsageError("Questions to train on have no split: leave out --split or --training.")
    path = workspace.knowledge / (TRAINING if training else BENCHMARK)
    if mode == "new" and path.exists() and path.read_bytes().strip():
        raise TailorError(
            f"{path} holds questions already: say --append to add to them or --replace to put "
            "them aside."
        )
    kept = read(path)[0] if mode == "append" and path.exists() else []
    found = rows(source, revision, config, hub_split)
    first = next(found, None)
    if first is None:
        raise TailorError(f"{source} holds no rows.")
    form, take_apart = _form(first[1], preset, mapping or {})
    taking = Taking(
        known={
            key_of(x.question.question, x.question.answers if training else ()): (
                f"line {x.number} of {path.name}"
            )
            for x in kept
        },
        ids={line.question.id for line in kept}
        | _ids(workspace.knowledge / (BENCHMARK if training else TRAINING)),
        documents=Documents.of(workspace, Path(source.rstrip("/")).stem, write=documents),
        by_id=_by_id(contexts) if contexts else None,
        split=split or "",
        lang=lang,
        tags=tags,
        trained=Path(source.rstrip("/")).name if training else "",
    )
    for number, row in islice(chain([first], found), limit):
        taking.take_all(take_apart(row), number)
    if not taking.items:
        raise TailorError(f"{source} holds no question that can be taken{_why(taking.dropped)}.")
    written = taking.documents.save()
    copy = _put(workspace, path, taking.items, mode)
    return Imported(
        source=source,
        form=form,
        rows=taking.rows,
        taken=len(taking.items),
        dropped=dict(taking.dropped),
        without_evidence=taking.without_evidence,
        guessed=taking.guessed,
        documents=written,
        contexts_left=0 if documents or training else taking.with_contexts,
        with_context=taking.with_contexts if training else 0,
        path=path,
        kept_copy=copy,
    )


@dataclass(frozen=True)
class Preview:
    """What a source looks like before anything is taken from it."""

    form: str
    """The preset that its keys tell, or ``columns``."""
    columns: tuple[str, ...]
    guessed: Mapping[str, str]
    """Which column is taken for what when nothing else is said."""
    rows: tuple[Row, ...]
    """The first ones."""


def preview(source: str, n: int = 5) -> Preview:
    """The columns of a file and its first rows.

    Raises:
        TailorError: it cannot be read, or holds no rows.
        UsageError: it is of no kind that can be imported.
    """
    first = tuple(row for _, row in islice(rows(source), n))
    if not first:
        raise TailorError(f"{source} holds no rows.")
    names = tuple(dict.fromkeys(name for row in first for name in row))
    return Preview(detect(first[0]), names, columns(first[0], {}), first)


def _ids(path: Path) -> set[str]:
    return {line.question.id for line in read(path)[0]} if path.exists() else set()


def _by_id(source: str) -> dict[str, Context]:
    """Contexts by id, of a source with the columns id and text, and maybe title."""
    found = {
        text(row.get("id") or row.get("_id")): Context(
            text(row.get("text")), text(row.get("title"))
        )
        for _, row in rows(source)
    }
    if not any(context.text for context in found.values()):
        raise TailorError(f"{source} holds no contexts: it needs the columns id and text.")
    return found


def _form(row: Row, preset: str | None, given: Mapping[str, str]) -> tuple[str, Preset]:
    """What the source is read as, in words, and how."""
    if unknown := sorted(given.keys() - COLUMNS.keys()):
        raise UsageError(
            f"--map {unknown[0]}=…: there is no {unknown[0]!r}; there are {', '.join(COLUMNS)}."
        )
    preset = preset or ("columns" if given else detect(row))
    if preset in PRESETS:
        return preset, PRESETS[preset]
    if preset != "columns":
        known = ", ".join((*PRESETS, "columns"))
        raise UsageError(f"--preset is {preset!r}; it must be one of {known}.")
    mapping = columns(row, given)
    for target, column in given.items():
        if column.partition(".")[0] not in row and column not in row:
            raise UsageError(
                f"--map {target}={column}: there is no column {column!r}; there are "
                f"{', '.join(row)}."
            )
    missing = [target for target in ("question", "answer") if target not in mapping]
    if missing:
        raise UsageError(
            f"No column is the {missing[0]}; there are {', '.join(row)}: say "
            f"--map {missing[0]}=COLUMN."
        )
    told = ", ".join(f"{column} as {target}" for target, column in mapping.items())
    return told, by_columns(mapping)


def _put(
    workspace: Workspace, path: Path, items: Sequence[Mapping[str, Any]], mode: Mode
) -> Path | None:
    copy = None
    if mode == "replace" and path.exists():
        copy = _free(workspace.state, path.stem)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        write(path, "".join(_lines(items)))
    else:
        edit(path, added=items)
    workspace.forget_benchmark()
    return copy


def _free(folder: Path, stem: str) -> Path:
    """Where the former file is kept; those of earlier imports stay."""
    numbers = chain([""], (f"-{number}" for number in count(2)))
    names = (folder / f"{stem}-former{number}.jsonl" for number in numbers)
    return next(name for name in names if not name.exists())


def _lines(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    import json

    for item in items:
        yield json.dumps(item, ensure_ascii=False) + "\n"


def _why(dropped: Mapping[str, Sequence[str]]) -> str:
    told = [f"{len(at)}: {reason}" for reason, at in list(dropped.items())[:3]]
    return f" ({'; '.join(told)})" if told else ""
