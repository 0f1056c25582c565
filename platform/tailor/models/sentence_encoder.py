"""Any encoder that sentence-transformers reads, from a folder or the Hugging Face hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings

from tailor.models.loading import found
from tailor.models.quiet import quiet_libraries
from tailor.models.token_counts import count_with
from tailor.models.trusted_code import NOTHING, Trusted

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceEncoder(Embeddings):
    """Unit vectors from a `SentenceTransformer`, which knows its prompts for either side."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model

    @classmethod
    def load(cls, path: str, trusted: Trusted = NOTHING) -> SentenceEncoder:
        """Load from a folder, or by its name from the hub or its local cache.

        Raises:
            TailorError: there is no such model, or it brings its own code or pickled weights.
        """
        quiet_libraries()  # their import prints about a missing kernel that is not used here
        from sentence_transformers import SentenceTransformer

        with found(path, trusted) as place:
            model = SentenceTransformer(
                place.folder,
                trust_remote_code=place.code,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        # Half-precision tables would give NaN for a text without a known word.
        return cls(model.float())

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector per text."""
        rows: list[list[float]] = self._model.encode_document(
            texts, normalize_embeddings=True, show_progress_bar=False
        ).tolist()
        return rows

    def count_tokens(self, words: list[str]) -> list[int]:
        """How many tokens each word becomes."""
        from tokenizers import Tokenizer

        tokenizer = self._model.tokenizer
        if isinstance(tokenizer, Tokenizer):
            return count_with(tokenizer, words)
        found = tokenizer(words, add_special_tokens=False, padding=False)["input_ids"]
        return [len(ids) for ids in found]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        row: list[float] = self._model.encode_query(
            text, normalize_embeddings=True, show_progress_bar=False
        ).tolist()
        return row
