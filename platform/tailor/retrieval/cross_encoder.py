"""A cross-encoder as reranker: a model in a folder that reads question and passage together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PREFIX = "cross-encoder:"
_LOADING = threading.Lock()


def folder_of(reranker: str) -> Path:
    """The folder that ``cross-encoder:PATH`` names.

    Raises:
        UsageError: there is no model in it.
    """
    folder = Path(reranker.removeprefix(PREFIX)).expanduser()
    if not (folder / "config.json").is_file():
        raise UsageError(
            f"There is no cross-encoder in {folder}: name a folder with a sentence-transformers "
            "CrossEncoder, as cross-encoder:PATH."
        )
    return folder


def fingerprint(reranker: str) -> str:
    """Content hash of the weights."""
    from tailor.models.local import weights_digest

    return weights_digest(str(folder_of(reranker)))


def scores(reranker: str, question: str, texts: Sequence[str]) -> Floats:
    """How well each text answers the question, the higher the better; equal within 1e-5 is equal.

    Raises:
        TailorError: the model cannot be loaded.
    """
    import numpy as np

    folder = folder_of(reranker)
    with _LOADING:
        model, lock = _loaded(folder)
    with lock:
        found = model.predict([(question, text) for text in texts], show_progress_bar=False)
    values = np.asarray(found, dtype=np.float64)
    if values.ndim > 1:  # of several labels the last one is "relevant"
        values = values[:, -1]
    rounded: Floats = np.round(values, 5)
    return rounded


@lru_cache(maxsize=2)
def _loaded(folder: Path) -> tuple[Any, threading.Lock]:
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever a broken folder makes the libraries raise
        said = " ".join(str(error).split())[:200]
        raise TailorError(f"The cross-encoder in {folder} cannot be loaded: {said}.") from None
    return model, threading.Lock()
