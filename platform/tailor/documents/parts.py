"""The parts of an index generation, written anew or taken from the generation before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents.passages import Passage
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.documents.dense import DenseIndex
    from tailor.documents.embedding import Vector

_SAMPLE = 20
_UNREACHED = 0.1
"""Share of a sample that queries may miss: the graph is approximate; of many nearly equal texts,
such as filled-in forms, it may lead to all but a few; a damaged one misses more."""
_COPIED_FROM = 2000
"""Vectors; fewer are indexed anew within a second or two."""
_DIFFERENCE = 0.3
"""Share of new and dead vectors up to which copying is cheaper, and as good, as building."""
_AT_ONCE = 5000
"""Vectors held in memory at a time."""


def write_passages(
    path: Path, passages: Sequence[Passage], keys: Sequence[str], digests: Mapping[str, str]
) -> None:
    """Write ``passages.db``: the passages by number, and the documents they were cut from."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE passages (number INTEGER PRIMARY KEY, document TEXT, start INTEGER, "
            '"end" INTEGER, place TEXT, text TEXT, key TEXT)'
        )
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (number, p.document, p.start, p.end, p.place, p.text, key)
                for number, (p, key) in enumerate(zip(passages, keys, strict=True))
            ),
        )
        connection.execute("CREATE TABLE documents (path TEXT PRIMARY KEY, digest TEXT)")
        connection.executemany("INSERT INTO documents VALUES (?, ?)", digests.items())


def counts(path: Path) -> dict[str, int]:
    """Passages per document."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT document, COUNT(*) FROM passages GROUP BY document"))


def digests(path: Path) -> dict[str, str]:
    """The digest of each document that passages were cut from."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT path, digest FROM documents"))


def unchanged(path: Path, digests: Mapping[str, str]) -> dict[str, list[Passage]]:
    """The passages of the documents that have the same digest here."""
    with reading(path) as connection:
        same: dict[str, list[Passage]] = {
            document: []
            for document, digest in connection.execute("SELECT path, digest FROM documents")
            if digests.get(document) == digest
        }
        query = 'SELECT document, start, "end", text, place FROM passages ORDER BY number'
        for fields in connection.execute(query):
            if fields[0] in same:
                same[fields[0]].append(Passage(*fields))
    return same


def vector_keys(path: Path) -> set[str]:
    """The keys of the passages' vectors."""
    with reading(path) as connection:
        return {key for (key,) in connection.execute("SELECT DISTINCT key FROM passages")}


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A ``passages.db`` that is finished, and so changes no more."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        yield connection


def write_vectors(
    folder: Path,
    texts: Mapping[str, str],
    fetch: Callable[[Sequence[str]], Mapping[str, Vector]],
    former: Path | None,
    held: set[str],
    dead: int,
) -> tuple[int, int]:
    """Write the dense index and check it; returns its vectors and the dead ones in its graph.

    ``texts`` are by key, and ``fetch`` knows the vectors of all of them. Where little changed
    since the ``former`` index, which holds the keys ``held`` and ``dead`` vectors, it is copied
    and the difference applied. Deleted vectors stay in the graph, so it is built anew before they
    become many.
    """
    from tailor.documents.dense import DenseIndex

    gone = held - texts.keys()
    different = dead + len(gone) + len(texts.keys() - held)
    if former and len(texts) >= _COPIED_FROM and different < _DIFFERENCE * len(texts):
        index = DenseIndex.copy(former, folder)
        held = index.keys()
        gone = held - texts.keys()
        index.remove(gone)
        dead += len(gone)
    else:
        index = DenseIndex.create(folder)
        held, gone, dead = set(), set(), 0
    with closing(index):
        new = sorted(texts.keys() - held)
        added = _add(index, new, texts, fetch)
        directions = len(held) - len(gone) + added
        everything = sorted(texts)
        sample = {*_some(everything), *_some(new)}
        found = fetch([texts[key] for key in sample])
        # Texts of equal words have equal vectors, so the nearest may be a twin as near as it.
        lost = sum(
            vector.any() and not any(near > 0.999 for _, near in index.nearest(vector, 1))
            for vector in found.values()
        )
        if index.count != directions or lost > _UNREACHED * len(found):
            raise TailorError(
                f"The new index holds {index.count} of {directions} vectors and misses {lost} "
                "of a sample: run `tailor ingest` again; the old index stays."
            )
    return directions, dead


def _some(keys: Sequence[str]) -> Sequence[str]:
    return keys[:: max(1, len(keys) // _SAMPLE)]


def _add(
    index: DenseIndex,
    keys: Sequence[str],
    texts: Mapping[str, str],
    fetch: Callable[[Sequence[str]], Mapping[str, Vector]],
) -> int:
    """Add the vectors of these keys; returns how many there are.

    A text without any word the embedder knows has no direction: it is found by words alone.
    """
    added = 0
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        known = fetch([texts[key] for key in some])
        vectors = {key: known[texts[key]] for key in some}
        directed = {key: vector for key, vector in vectors.items() if vector.any()}
        index.add(directed)
        added += len(directed)
    return added
