"""Static token vectors without PyTorch: a text's vector is the mean of its tokens' vectors.

Reads what `StaticEmbedding` of sentence-transformers writes and gives the same vectors; loading
takes a fraction of a second where importing sentence-transformers takes many.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings

from tailor.errors import TailorError
from tailor.text import nfc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer


class StaticEncoder(Embeddings):
    """Unit vectors from a tokenizer and a table of token vectors, (tokens, dimension)."""

    def __init__(self, tokenizer: Tokenizer, table: NDArray[np.float32]) -> None:
        self._tokenizer = tokenizer
        self._table = table

    @classmethod
    def load(cls, folder: Path) -> StaticEncoder:
        """Read ``tokenizer.json`` and ``model.safetensors``.

        Raises:
            TailorError: a file is missing or damaged.
        """
        import numpy as np
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            if not (folder / "tokenizer.json").is_file():
                raise OSError("tokenizer.json is missing")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            table = load_file(folder / "model.safetensors")["embedding.weight"]
        except (OSError, SafetensorError, KeyError) as error:
            raise TailorError(
                f"The encoder in {folder} cannot be loaded ({error}): install Tailor again."
            ) from None
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(tokenizer, table.astype(np.float32))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector per text; zeros for a text without any token."""
        import numpy as np

        encodings = self._tokenizer.encode_batch(
            [nfc(text) for text in texts], add_special_tokens=False
        )
        rows: list[list[float]] = []
        for encoding in encodings:
            if not encoding.ids:
                rows.append([0.0] * self._table.shape[1])
                continue
            mean = self._table[encoding.ids].mean(axis=0)
            rows.append((mean / (np.linalg.norm(mean) or 1.0)).tolist())
        return rows

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        return self.embed_documents([text])[0]
