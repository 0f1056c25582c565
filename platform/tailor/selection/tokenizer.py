"""Tokenizers: from a model's folder, the hub or tiktoken, and what they make of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from tailor.errors import TailorError
from tailor.models import loading
from tailor.text import nfc

SAMPLE = "How many days of annual leave do I get?"
"""The question in the chat template that is shown."""


@dataclass(frozen=True)
class Piece:
    """One token of a text."""

    id: int
    text: str
    """The characters it stands for; where it is a part of one, its bytes, as ``<E1 BB>``."""
    special: bool = False


class Tokenizer(Protocol):
    """What is asked of a tokenizer here."""

    name: str
    kind: str
    """``BPE``, ``Unigram``, ``WordPiece``."""
    vocabulary: int
    specials: tuple[str, ...]
    template: bool | None
    """Whether it has a chat template; None for tokenizers of hosted models, which hide theirs."""

    def pieces(self, text: str) -> list[Piece]:
        """The tokens of a text, without special ones before and after it."""

    def count(self, texts: Sequence[str]) -> int:
        """How many tokens these texts have together."""

    def rendered(self) -> str:
        """The chat template with a sample question; empty where there is none."""


@cache
def tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a model: ``shipped``, ``huggingface:PATH-or-ID``, ``tiktoken:ENCODING``, or
    a hosted model of OpenAI's.

    Raises:
        TailorError: it cannot be had here.
    """
    from tailor.models.provider import is_local, local_path

    if is_local(name):
        return _Local(name, local_path(name))
    provider, _, model = name.partition(":")
    if provider in ("openai", "tiktoken"):
        return _Tiktoken(name, model, provider == "tiktoken")
    raise TailorError(
        f"The tokenizer of {name} is not published: compare it by one that is, as "
        "huggingface:PATH-or-ID or tiktoken:o200k_base."
    )


class _Local:
    """A tokenizer of a folder or the hub."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self._all = loading.tokenizer(path)
        backend = getattr(self._all, "backend_tokenizer", None)
        kind = type(backend.model).__name__ if backend is not None else type(self._all).__name__
        self.kind = kind
        self.vocabulary = len(self._all)
        named = self._all.special_tokens_map.values()
        flat = [one for value in named for one in (value if isinstance(value, list) else [value])]
        self.specials = tuple(dict.fromkeys(map(str, flat)))
        self.template: bool | None = bool(self._all.chat_template)

    def pieces(self, text: str) -> list[Piece]:
        special = set(self._all.all_special_ids)
        encoded = self._encoded(text)
        raw = list(encoded["input_ids"])
        spans = encoded.get("offset_mapping") or [(0, 0)] * len(raw)
        pieces = []
        for at, (id, (start, end)) in enumerate(zip(raw, spans, strict=True)):
            shared = any(
                s < end and start < e for s, e in (*spans[at - 1 : at], *spans[at + 1 : at + 2])
            )
            shown = text[start:end] if end > start and not shared else self._bytes(id)
            pieces.append(Piece(id, shown, id in special))
        return pieces

    def _encoded(self, text: str) -> Any:
        fast = bool(getattr(self._all, "is_fast", False))
        return self._all(text, add_special_tokens=False, return_offsets_mapping=fast)

    def _bytes(self, id: int) -> str:
        """A token that is a part of a character, as bytes; else as the tokenizer writes it."""
        token = str(self._all.convert_ids_to_tokens(id))
        raw = bytes(_BYTES[c] for c in token) if all(c in _BYTES for c in token) else b""
        try:
            return raw.decode() if raw else token
        except UnicodeDecodeError:
            return f"<{raw.hex(' ').upper()}>"

    def count(self, texts: Sequence[str]) -> int:
        found = self._all(list(texts), add_special_tokens=False)["input_ids"] if texts else []
        return sum(map(len, found))

    def rendered(self) -> str:
        if not self._all.chat_template:
            return ""
        messages = [{"role": "user", "content": SAMPLE}]
        shown: str = self._all.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return shown


class _Tiktoken:
    """A tokenizer of OpenAI's."""

    def __init__(self, name: str, model: str, encoding: bool) -> None:
        import tiktoken

        self.name = name
        try:
            if encoding:
                self._encoding = tiktoken.get_encoding(model)
            else:
                self._encoding = tiktoken.encoding_for_model(model)
        except (KeyError, ValueError):
            known = ", ".join(tiktoken.list_encoding_names())
            raise TailorError(
                f"tiktoken knows no tokenizer of {name}; name one yourself, as tiktoken: and one "
                f"of {known}."
            ) from None
        except Exception as error:  # requests raises its own when the file cannot be fetched
            raise TailorError(
                f"The tokenizer of {name} cannot be fetched ({type(error).__name__}): tiktoken "
                "downloads it once from OpenAI; connect for that, or set TIKTOKEN_CACHE_DIR to a "
                "folder that has it."
            ) from None
        self.kind = "BPE"
        self.vocabulary = self._encoding.n_vocab
        self.specials = tuple(sorted(self._encoding.special_tokens_set))
        self.template: bool | None = None

    def pieces(self, text: str) -> list[Piece]:
        pieces = []
        for id in self._encoding.encode(text, disallowed_special=()):
            raw = self._encoding.decode_single_token_bytes(id)
            try:
                shown = raw.decode()
            except UnicodeDecodeError:
                shown = f"<{raw.hex(' ').upper()}>"
            pieces.append(Piece(id, shown))
        return pieces

    def count(self, texts: Sequence[str]) -> int:
        return sum(map(len, self._encoding.encode_ordinary_batch(list(texts), num_threads=2)))

    def rendered(self) -> str:
        return ""


def _byte_letters() -> dict[str, int]:
    """The letters by which byte-level BPE writes bytes (Radford et al. 2019, GPT-2's encoder)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(byte): byte for byte in plain}
    rest = [byte for byte in range(256) if byte not in plain]
    return letters | {chr(256 + at): byte for at, byte in enumerate(rest)}


_BYTES = _byte_letters()


def decomposed(text: str) -> str:
    """The same text with accents as signs of their own (NFD), as some systems write it."""
    import unicodedata

    return unicodedata.normalize("NFD", nfc(text))
