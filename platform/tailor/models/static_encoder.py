"""Static token vectors without PyTorch: a text's vector is the mean of its tokens' vectors.

Reads what `StaticEmbedding` of sentence-transformers writes and gives the same vectors; loading
takes a fraction of a second where importing sentence-transformers takes many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from string import punctuation
from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings

from tailor.errors import TailorError
from tailor.text import nfc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_KEPT = 500_000
"""Words whose tokens are remembered, some 100 MB; then it starts anew."""


class StaticEncoder(Embeddings):
    """Unit vectors from a tokenizer and a table of token vectors, (tokens, dimension)."""

    def __init__(self, tokenizer: Tokenizer, table: NDArray[np.float32]) -> None:
        self._tokenizer = tokenizer
        self._table = table
        self._ids: dict[str, Sequence[int]] = {}

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

        split = [nfc(text).split() for text in texts]
        ids = self._token_ids({word for words in split for word in words})
        rows: list[list[float]] = []
        for words in split:
            numbers = list(chain.from_iterable(map(ids.__getitem__, words)))
            if not numbers:
                rows.append([0.0] * self._table.shape[1])
                continue
            mean = np.add.reduce(self._table.take(numbers, axis=0)) / np.float32(len(numbers))
            rows.append((mean / (np.sqrt(mean.dot(mean)) or np.float32(1.0))).tolist())
        return rows

    def count_tokens(self, words: list[str]) -> list[int]:
        """How many tokens each word becomes."""
        ids = self._token_ids(set(words))
        return [len(ids[word]) for word in words]

    def _token_ids(self, words: set[str]) -> Mapping[str, Sequence[int]]:
        """The tokens of each word; this tokenizer parts texts at white space, so they are kept."""
        if len(self._ids) > _KEPT:
            self._ids = {}
        known = self._ids
        # Neither case nor punctuation around a word makes a difference to the tokens.
        new = {word: word.strip(punctuation) for word in words if word not in known}
        new = {word: bare.lower() if bare.isascii() else bare for word, bare in new.items()}
        if different := sorted(set(new.values())):
            encodings = self._tokenizer.encode_batch_fast(different, add_special_tokens=False)
            ids = dict(zip(different, (tuple(e.ids) for e in encodings), strict=True))
            known.update((word, ids[bare]) for word, bare in new.items())
        return known

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        return self.embed_documents([text])[0]
