"""A cross-encoder as reranker: a model in a folder that reads question and passage together."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import UsageError
from tailor.models.hub import hub_id

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PREFIX = "cross-encoder:"
_LOADING = threading.Lock()


def path_of(reranker: str) -> str:
    """The folder or hub id that ``cross-encoder:PATH-or-ID`` names.

    Raises:
        UsageError: it is a folder, and there is no model in it.
    """
    path = os.path.expanduser(reranker.removeprefix(PREFIX))
    if hub_id(path) is None and not (Path(path) / "config.json").is_file():
        raise UsageError(
            f"There is no cross-encoder in {path}: name a folder with a sentence-transformers "
            "CrossEncoder, as cross-encoder:PATH, or a hub id."
        )
    return path


def fingerprint(reranker: str) -> str:
    """Content hash of the weights."""
    from tailor.models.local import weights_digest

    return weights_digest(path_of(reranker))


def scores(reranker: str, question: str, texts: Sequence[str]) -> Floats:
    """How well each text answers the question, the higher the better; equal within 1e-5 is equal.

    Raises:
        TailorError: the model cannot be loaded.
    """
    import numpy as np

    path = path_of(reranker)
    with _LOADING:
        model, lock = _loaded(path)
    with lock:
        found = model.predict([(question, text) for text in texts], show_progress_bar=False)
    values = np.asarray(found, dtype=np.float64)
    if values.ndim > 1:  # of several labels the last one is "relevant"
        values = values[:, -1]
    rounded: Floats = np.round(values, 5)
    return rounded


@lru_cache(maxsize=2)
def _loaded(path: str) -> tuple[Any, threading.Lock]:
    from tailor.models.loading import found
    from tailor.models.quiet import quiet_libraries

    quiet_libraries()
    from sentence_transformers import CrossEncoder

    with found(path) as place:
        model = CrossEncoder(
            place.folder,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    return model, threading.Lock()
