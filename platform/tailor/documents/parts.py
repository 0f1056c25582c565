"""The parts of an index generation, written piece by piece, so that a killed build goes on.

What stays the same is taken from the generation before. Memory holds some thousands of passages.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.documents import exact
from tailor.documents.passages import Passage
from tailor.documents.store import text_key
from tailor.errors import TailorError
from tailor.fault import hit

if TYPE_CHECKING:
    from tailor.documents.dense import DenseIndex
    from tailor.documents.embedding import Vector
    from tailor.documents.exact import Exact

PASSAGES, VECTORS = "passages.db", "vectors.npy"
_SAMPLE = 20
_UNREACHED = 0.1
"""Share of a sample that queries may miss: the graph is approximate; of many nearly equal texts,
such as filled-in forms, it may lead to all but a few; a damaged one misses more. One may always be
missed: several threads build it, and now and then no path leads to one of a handful."""
_COPIED_FROM = 2000
"""Vectors; fewer are indexed anew within a second or two."""
_DIFFERENCE = 0.3
"""Share of new and dead vectors up to which copying is cheaper, and as good, as building."""
_AT_ONCE = 5000
"""Passages held in memory, and committed, at a time."""
_KEPT_EVERY = 100_000
"""Passages after which the graph is copied. One killed while Chroma writes its files may open no
more, or its file of links grow to terabytes; so a killed build goes on with the copy."""
_KEPT = "kept"
"""The folder of the copy."""

_TABLES = """
CREATE TABLE IF NOT EXISTS passages (number INTEGER PRIMARY KEY, document TEXT, start INTEGER,
    "end" INTEGER, place TEXT, text TEXT, key TEXT);
CREATE TABLE IF NOT EXISTS documents (path TEXT PRIMARY KEY, digest TEXT, first INTEGER,
    count INTEGER);
CREATE TABLE IF NOT EXISTS kept (dead INTEGER, passages INTEGER);
"""
_FIELDS = 'document, start, "end", text, place'

Cut = tuple[str, str, Sequence[Passage]]
"""A document's path and digest, and its passages."""


def vector_key(text: str) -> str:
    """The key of a text's vector: half of the SHA-256."""
    return text_key(text)[:32]


def begun(path: Path) -> int:
    """How many documents have been written into a ``passages.db`` that may be unfinished.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_TABLES)
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
        return int(connection.execute("SELECT COUNT(*) FROM documents").fetchone()[0])


def write_passages(path: Path, cut: Iterable[Cut], keyed: Callable[[Passage], str]) -> None:
    """Write ``passages.db``, or go on: passages by number, and the documents they were cut from.

    ``keyed`` gives the key of a passage's vector.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_TABLES)
        query = "SELECT COALESCE(MAX(number) + 1, 0) FROM passages"
        (number,) = connection.execute(query).fetchone()
        passages: list[tuple[Any, ...]] = []
        documents: list[tuple[str, str, int, int]] = []
        for document, digest, own in cut:
            documents.append((document, digest, number, len(own)))
            for p in own:
                passages.append((number, p.document, p.start, p.end, p.place, p.text, keyed(p)))
                number += 1
            if len(passages) >= _AT_ONCE:
                _commit(connection, passages, documents)
                passages, documents = [], []
        _commit(connection, passages, documents)
        with connection:
            connection.execute("CREATE INDEX IF NOT EXISTS by_key ON passages (key)")


def _commit(
    connection: sqlite3.Connection,
    passages: Sequence[tuple[Any, ...]],
    documents: Sequence[tuple[str, str, int, int]],
) -> None:
    with connection:
        connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)", passages)
        connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?)", documents)
        hit("passages.before", sqlite3.OperationalError)
    hit("passages.after")


def count(path: Path) -> int:
    """How many passages there are."""
    with reading(path) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM passages").fetchone()[0])


def counts(path: Path) -> dict[str, int]:
    """Passages per document."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT path, count FROM documents WHERE count > 0"))


def digests(path: Path) -> dict[str, str]:
    """The digest of each document that passages were cut from."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT path, digest FROM documents"))


def by_document(path: Path) -> Iterator[tuple[str, list[Passage]]]:
    """The passages of each document that has any, in the order of the paths."""
    with reading(path) as connection:
        rows = connection.execute(f"SELECT {_FIELDS} FROM passages ORDER BY number")
        for document, fields in groupby(rows, key=lambda row: str(row[0])):
            yield document, [Passage(*row) for row in fields]


def batches(path: Path, first: int = 0) -> Iterator[list[Passage]]:
    """All passages from this number on, some thousands at a time.

    Between them the database is not read, so that it can be written.
    """
    query = f"SELECT {_FIELDS} FROM passages WHERE number >= ? ORDER BY number LIMIT {_AT_ONCE}"
    while True:
        with reading(path) as connection:
            some = [Passage(*fields) for fields in connection.execute(query, [first])]
        if not some:
            return
        yield some
        first += len(some)


def vector_keys(path: Path) -> set[str]:
    """The keys of the passages' vectors."""
    with reading(path) as connection:
        return {key for (key,) in connection.execute("SELECT DISTINCT key FROM passages")}


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A ``passages.db`` whose passages are all there."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        yield connection


def write_vectors(
    folder: Path,
    texts: Callable[[Passage], str],
    fetch: Callable[[Sequence[str]], Mapping[str, Vector]],
    dimension: int,
    former: tuple[Path, Path, int] | None,
    done: Callable[[int], None],
    server: str = "",
) -> tuple[str, int, int]:
    """Write the vectors of all passages, or go on, as rows and as a graph, and check the graph.

    ``fetch`` knows the vectors of all ``texts``. Where little changed since the ``former``
    generation, given by its passages, its graph and how many vectors are dead in that, the graph
    is copied and the difference applied. Deleted vectors stay in it, so it is built anew before
    they become many. On a Chroma ``server`` nothing can be copied: there it is always built anew.
    ``done`` is told how many passages are through.

    Returns:
        The name of the graph's folder, how many vectors live in it, and how many are dead.
    """
    passages, file = folder / PASSAGES, folder / VECTORS
    total = count(passages)
    name, index, dead, position = _graph(folder, former, server)
    new: list[str] = []
    with closing(index):
        position = exact.rows(file, dimension, position)
        each = max(1, _SAMPLE * _AT_ONCE // total)
        for some in batches(passages, position):
            own = [texts(passage) for passage in some]
            known = fetch(own)
            added = index.add({vector_key(t): known[t] for t in own if known[t].any()})
            new += _some(added, each)
            exact.append(file, [known[text] for text in own], total)
            before, position = position, position + len(some)
            kept = position // _KEPT_EVERY > before // _KEPT_EVERY and position < total
            if kept and not server:
                _keep(folder, name, dead, position)
            done(position)
        directions = _checked(index, folder, new)
    for copy in folder.glob(f"{_KEPT}*"):
        shutil.rmtree(copy)
    return name, directions, dead


def move(
    folder: Path,
    current: str,
    server: str,
    texts: Callable[[Passage], str],
    done: Callable[[int], None],
) -> str:
    """Write the vectors of a finished generation elsewhere, or go on, and check them.

    Returns:
        The name of what holds them, beside the ``current`` one.
    """
    passages = folder / PASSAGES
    for unfinished in folder.glob("chroma-*"):
        if unfinished.name != current:
            shutil.rmtree(unfinished)
    name, index = _begun(folder, server, current)
    rows = exact.Exact.open(folder / VECTORS)
    position = 0
    new: list[str] = []
    with closing(index):
        for some in batches(passages):
            vectors = zip(some, rows.vectors[position : position + len(some)], strict=True)
            added = index.add(
                {vector_key(texts(p)): vector for p, vector in vectors if vector.any()}
            )
            new += _some(added, max(1, _SAMPLE * _AT_ONCE // len(rows.vectors)))
            position += len(some)
            done(position)
        _checked(index, folder, new)
    return name


def _checked(index: DenseIndex, folder: Path, new: Sequence[str]) -> int:
    """How many vectors the graph holds, once that is known to be all of them."""
    passages, rows = folder / PASSAGES, exact.Exact.open(folder / VECTORS)
    directions = _directions(passages, rows)
    lost, asked = _unreached(index, passages, rows, new)
    if index.count != directions or lost > max(1, _UNREACHED * asked):
        index.give_up()
        raise TailorError(
            f"The new index holds {index.count} of {directions} vectors and misses {lost} "
            "of a sample: run `tailor ingest` again; the old index stays."
        )
    return directions


def _begun(folder: Path, server: str, current: str = "") -> tuple[str, DenseIndex]:
    """A graph in a folder of its own, or the one that was begun on a server; and its name."""
    from tailor.documents.dense import DenseIndex
    from tailor.documents.remote import begun

    if server:
        return begun(folder, server, current)
    name = f"chroma-{secrets.token_hex(4)}"
    return name, DenseIndex.create(folder / name)


def _graph(
    folder: Path, former: tuple[Path, Path, int] | None, server: str
) -> tuple[str, DenseIndex, int, int]:
    """The name of the graph to which vectors are to be added, and the graph.

    With it, how many vectors are dead in it, and up to which passage it is whole.
    """
    from tailor.documents.dense import DenseIndex

    for unfinished in folder.glob("chroma-*"):
        shutil.rmtree(unfinished)
    if server:
        return *_begun(folder, server), 0, 0
    name = f"chroma-{secrets.token_hex(4)}"
    uri = (folder / PASSAGES).absolute().as_uri()
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        kept = connection.execute("SELECT dead, passages FROM kept").fetchone()
        if kept and (folder / _KEPT).exists():
            return name, DenseIndex.copy(folder / _KEPT, folder / name), *kept
        gone = None if former is None else _gone(connection, former[0], former[2])
    if former is None or gone is None or former[1].is_file():
        return *_begun(folder, ""), 0, 0
    index = DenseIndex.copy(former[1], folder / name)
    index.remove(gone)
    return name, index, former[2] + len(gone), 0


def _keep(folder: Path, name: str, dead: int, position: int) -> None:
    """Copy the graph, which is whole up to this passage."""
    part = folder / f"{_KEPT}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(folder / name, part)
    shutil.rmtree(folder / _KEPT, ignore_errors=True)
    os.rename(part, folder / _KEPT)
    with closing(sqlite3.connect(folder / PASSAGES)) as connection, connection:
        connection.execute("DELETE FROM kept")
        connection.execute("INSERT INTO kept VALUES (?, ?)", [dead, position])


def _gone(connection: sqlite3.Connection, former: Path, dead: int) -> list[str] | None:
    """The keys that are not there any more; None where so much changed that nothing is copied."""
    connection.execute("ATTACH ? AS former", [f"{former.absolute().as_uri()}?mode=ro"])
    try:
        (total,) = connection.execute("SELECT COUNT(DISTINCT key) FROM passages").fetchone()
        if total < _COPIED_FROM:
            return None
        query = (
            "SELECT DISTINCT key FROM {}.passages one WHERE NOT EXISTS "
            "(SELECT 1 FROM {}.passages other WHERE other.key = one.key)"
        )
        new = connection.execute(
            f"SELECT COUNT(*) FROM ({query.format('main', 'former')})"
        ).fetchone()[0]
        if dead + new >= _DIFFERENCE * total:
            return None
        gone = [key for (key,) in connection.execute(query.format("former", "main"))]
        return gone if dead + new + len(gone) < _DIFFERENCE * total else None
    finally:
        connection.execute("DETACH former")


def _some(keys: Sequence[str], n: int) -> Sequence[str]:
    return keys[:: max(1, len(keys) // n)]


def _directions(passages: Path, rows: Exact) -> int:
    """How many different vectors there are.

    A text without any word the embedder knows has none: it is found by words alone.
    """
    import numpy as np

    with reading(passages) as connection:
        every = connection.execute("SELECT COUNT(DISTINCT key) FROM passages").fetchone()[0]
        without = {
            connection.execute("SELECT key FROM passages WHERE number = ?", [int(n)]).fetchone()[0]
            for n in np.flatnonzero(~rows.directed)
        }
    return int(every) - len(without)


def _unreached(
    index: DenseIndex, passages: Path, rows: Exact, new: Sequence[str]
) -> tuple[int, int]:
    """How many of a sample of vectors, the new ones with them, no query finds; and its size.

    Texts of equal words have equal vectors, so the nearest may be a twin as near as it.
    """
    numbers = set(range(0, len(rows.vectors), max(1, len(rows.vectors) // _SAMPLE)))
    with reading(passages) as connection:
        query = "SELECT MIN(number) FROM passages WHERE key = ?"
        numbers |= {connection.execute(query, [key]).fetchone()[0] for key in new}
    asked = [rows.vectors[number] for number in sorted(numbers)]
    lost = sum(
        bool(vector.any()) and not any(near > 0.999 for _, near in index.nearest(vector, 1))
        for vector in asked
    )
    return lost, len(asked)
