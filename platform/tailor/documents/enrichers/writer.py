"""Models that write a text about a text.

transformers 5 has no pipelines ``summarization``, ``translation`` and ``text2text-generation`` any
more. An encoder-decoder writes through its own ``generate``, a chat model through the text
generation pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tailor.documents.document import clean
from tailor.models.chat_template import templated

if TYPE_CHECKING:
    from tailor.documents.enrichers.loading import Loaded

CODES = {
    "en": ("eng_Latn", "en_XX", "__en__"),
    "vi": ("vie_Latn", "vi_VN", "__vi__"),
}
"""Tokens for languages in NLLB, mBART and M2M100, by the language."""
CUT = " …"
"""Ends a text that was longer than the model might write."""


class Writer:
    """Writes texts with one model, a few at a time and always the likeliest words."""

    def __init__(self, loaded: Loaded, prompt: str, instruction: str, max_tokens: int) -> None:
        self._loaded = loaded
        self._max_tokens = max_tokens
        self._chats = not loaded.model.config.is_encoder_decoder
        self._prompt = prompt or (f"{instruction}\n\n{{text}}" if self._chats else "{text}")
        if self._chats:
            templated(loaded.tokenizer)
            if loaded.tokenizer.pad_token_id is None:
                loaded.tokenizer.pad_token = loaded.tokenizer.eos_token
            loaded.tokenizer.padding_side = "left"

    @property
    def room(self) -> int:
        """Tokens of a text that fit beside the prompt, and beside the reply of a chat model."""
        taken = self._loaded.count(self._prompt.replace("{text}", ""))
        if self._chats:
            taken += self._max_tokens + 32  # the chat template's own
        return max(8, self._loaded.longest - taken)

    def write(self, texts: Sequence[str], source: str = "", to: str = "") -> list[str]:
        """A text about each text; ``source`` and ``to`` are languages of a translation."""
        asked = [self._prompt.replace("{text}", text) for text in texts]
        if self._chats and asked:
            return self._replies(asked)
        written: list[str] = []
        batch = self._loaded.batch
        for first in range(0, len(asked), batch):
            written += self._generated(asked[first : first + batch], source, to)
        return written

    def _replies(self, asked: Sequence[str]) -> list[str]:
        from transformers import TextGenerationPipeline

        model, tokenizer = self._loaded.model, self._loaded.tokenizer
        pipeline: Any = TextGenerationPipeline(  # type: ignore[no-untyped-call]
            model=model, tokenizer=tokenizer, device=model.device, batch_size=self._loaded.batch
        )
        chats = [[{"role": "user", "content": text}] for text in asked]
        replies = pipeline(
            chats, max_new_tokens=self._max_tokens, do_sample=False, return_full_text=False
        )
        texts = [clean(str(reply[0]["generated_text"])).strip() for reply in replies]
        most = self._max_tokens - 1
        return [_ended(text, self._loaded.count(text) < most) for text in texts]

    def _generated(self, asked: Sequence[str], source: str, to: str) -> list[str]:
        import torch

        model, tokenizer = self._loaded.model, self._loaded.tokenizer
        forced: dict[str, Any] = {}
        if own := _code(tokenizer, source):
            tokenizer.src_lang = own.strip("_") if own.startswith("__") else own
        if code := _code(tokenizer, to):
            forced["forced_bos_token_id"] = tokenizer.convert_tokens_to_ids(code)
        batch = tokenizer(list(asked), return_tensors="pt", padding=len(asked) > 1)
        names = ("input_ids", "attention_mask")
        given = {name: batch[name].to(model.device) for name in names if name in batch}
        with torch.inference_mode():
            output = model.generate(
                **given, max_new_tokens=self._max_tokens, do_sample=False, **forced
            )
        end = model.generation_config.eos_token_id
        ends = {tokenizer.eos_token_id, *(end if isinstance(end, list) else [end])}
        texts = [clean(tokenizer.decode(row, skip_special_tokens=True)).strip() for row in output]
        return [
            _ended(text, bool(ends & set(row.tolist()[1:])))
            for text, row in zip(texts, output, strict=True)
        ]


def _ended(text: str, whole: bool) -> str:
    """The text, with a mark where it was cut."""
    return text if whole or not text else text + CUT


def _code(tokenizer: Any, language: str) -> str:
    """The tokenizer's own token for a language; empty where it has none."""
    known = tokenizer.get_vocab() if language else {}
    return next((code for code in CODES.get(language, ()) if code in known), "")
