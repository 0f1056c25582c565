"""Vectors in a folder of Chroma's, as parts of an index use them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from chromadb.errors import NotFoundError

from tailor.documents.dense import DenseIndex

ROWS = np.eye(8, dtype=np.float32)


def test_a_copy_holds_what_was_added_and_not_what_was_removed(tmp_path: Path) -> None:
    with closing(DenseIndex.create(tmp_path / "graph")) as index:
        assert index.add({f"{n}": row for n, row in enumerate(ROWS)}) == list("01234567")
        assert index.add({"1": ROWS[2]}) == []
        index.remove(["7"])
    with closing(DenseIndex.copy(tmp_path / "graph", tmp_path / "copy")) as index:
        assert (index.count, index.keys()) == (7, set("0123456"))
        assert index.nearest(ROWS[3] + ROWS[4] / 2, 2)[0][0] == "3"
        assert index.nearest(ROWS[1], 1) == [("1", pytest.approx(1))]
        found = index.vectors(["5", "7"])
        assert list(found) == ["5"]
        assert np.array_equal(found["5"], ROWS[5])
        assert index.add({"7": ROWS[7]}) == ["7"]
        assert index.count == 8


def test_a_folder_without_a_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        DenseIndex.open(tmp_path / "none")
