"""Tuning of the similar items that are shown: what is shown already counts as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tailor.assistant import Assistant
from tailor.initialize import initialize
from tailor.prediction.similar import Similar, similar
from tailor.prediction.similar_tuning import _showing, _shown_already


def test_what_is_shown_already_keeps_its_embedder(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "prices", "prices")
    shown = similar(workspace, "retrieval", k=3, weight=0.25, embedder="shipped")
    assistant = Assistant(model=None, retriever=shown)  # type: ignore[arg-type]  # the rest of it is not asked
    own, here = _shown_already(workspace, assistant)
    assert (own.k, own.weight, own.embedder) == (3, 0.25, "shipped")
    again, other = (
        _showing(workspace, assistant, here, one).retriever
        for one in (own, replace(own, embedder=""))
    )
    assert isinstance(again, Similar)
    assert isinstance(other, Similar)
    assert (again.known.embedder, other.known.embedder) == ("shipped", "")
    assert again.fingerprint == shown.fingerprint
