"""Local Hugging Face models as a LangChain chat model that answers waiting prompts together."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    convert_to_openai_messages,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from tailor.errors import TailorError
from tailor.models.chat_template import rendered, templated
from tailor.models.continuous import Continuous, Row
from tailor.models.hub import pinned
from tailor.models.loading import base_of
from tailor.models.packed import is_packable
from tailor.models.quantized import Quantization
from tailor.models.stopping import settled, stopped
from tailor.models.trusted_code import Trusted
from tailor.models.waiting import Waiting, WaitingRoom

_SMALL = 100_000_000
"""Parameters."""
_LOOK_AHEAD = 4
"""Batches of prompts that wait, from which those of like length are answered together."""


class LocalChat(BaseChatModel):
    """A causal language model from a directory (or the hub) with its own chat template.

    What waits at the same time is answered together: a Llama on a processor by
    :class:`Continuous`, others by ``generate`` in batches of like length. Replies are greedy, so
    the same prompt gives the same reply. transformers' own ``ChatHuggingFace`` answers one by one
    and has no asynchronous calls, which is why this class exists.
    """

    path: str
    """Directory, or ``ORG/NAME`` or ``ORG/NAME@REVISION`` of the hub."""
    adapter: str | None = None
    """Directory of a LoRA adapter, with the tokenizer it was trained with where it has one."""
    merged: bool = True
    """Whether the adapter is added to the weights in memory, which answers faster."""
    quantization: Quantization = "none"
    """Bits of the weights in memory, through bitsandbytes; an adapter stays beside them."""
    trusted_code: Trusted = Field(default_factory=dict)
    """By repository of the hub, the commit whose own code may be run."""
    max_tokens: int = 64
    max_batch: int = 16
    """Larger batches copy more memory than they save (950-token prompts: 16 beats 32 by 18 %)."""
    workers: int = 1
    """Batches generated at once; see :meth:`at_once`."""
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _loaded: tuple[Any, Any] | None = PrivateAttr(default=None)
    _room: WaitingRoom | None = PrivateAttr(default=None)
    _writers: dict[int, Continuous[Waiting]] = PrivateAttr(default_factory=dict)
    """By worker, with what it has read."""
    _known: dict[str, list[int]] = PrivateAttr(default_factory=dict)
    """Tokens by rendered prompt."""

    def __reduce__(self) -> tuple[Callable[..., LocalChat], tuple[Any, ...]]:
        """It travels as its settings; the weights are loaded where it arrives."""
        from tailor.models.travelling import arrived, digests

        own = {n: getattr(self, n) for n in type(self).model_fields if n != "path"}
        return arrived, (own, digests(filter(None, (self.path, self.adapter))))

    @property
    def concurrency(self) -> int:
        """How many prompts should wait at once."""
        return _LOOK_AHEAD * self.max_batch

    @property
    def _llm_type(self) -> str:
        return "local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "adapter": self.adapter,
            "merged": self.merged,
            "quantization": self.quantization,
            "max_tokens": self.max_tokens,
        }

    def load(self) -> tuple[Any, Any]:
        """The tokenizer and the model, loaded once.

        Raises:
            TailorError: there is no such model, or it cannot be read.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(
                    self.path, self.adapter, self.quantization, self.merged, self.trusted_code
                )
            return self._loaded

    def unload(self) -> None:
        """Give the memory back; what is asked next loads the weights again."""
        with self._lock:
            self._loaded = None
            self._writers.clear()

    def at_once(self) -> int:
        """How many batches pay at once: one, but for a small model on many cores.

        Its matrices are too small to occupy more than two threads. To be set as ``workers``
        before the first prompt comes.
        """
        import torch

        _, model = self.load()
        if model.device.type != "cpu" or model.num_parameters() >= _SMALL:
            return 1
        return max(1, min(4, (os.cpu_count() or 1) // torch.get_num_threads()))

    def fits(self, messages: list[BaseMessage]) -> bool:
        """Whether these messages and an answer fit into the model's context."""
        tokenizer, model = self.load()
        limit = getattr(model.config, "max_position_embeddings", None)
        if limit is None:
            return True
        return len(self._ids(tokenizer, messages)) + self.max_tokens <= int(limit)

    def _ids(self, tokenizer: Any, messages: list[BaseMessage]) -> list[int]:
        """The tokens of a prompt; of those asked last they are remembered."""
        text = rendered(tokenizer, convert_to_openai_messages(messages), reply=True)
        ids = self._known.get(text)
        if ids is None:
            # The chat template has written the special tokens.
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            with self._lock:
                while len(self._known) >= self.concurrency:
                    del self._known[next(iter(self._known))]
                self._known[text] = ids
        return ids

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(self._submit(messages, stop).result())

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        import asyncio

        return _result(await asyncio.wrap_future(self._submit(messages, stop)))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        future = self._submit(messages, stop, pieces.put)
        future.add_done_callback(lambda _: pieces.put(None))
        sent = ""
        try:
            for piece in settled(iter(pieces.get, None), stop):
                sent += piece
                yield _chunk(piece, run_manager)
            reply = future.result()
        finally:
            future.cancel()  # where nobody reads on before it was begun
        if rest := str(reply.text)[len(sent) :]:  # written a second time, after another one failed
            yield _chunk(rest, run_manager)
        last = AIMessageChunk(
            content="",
            usage_metadata=reply.usage_metadata,
            response_metadata=reply.response_metadata,
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _submit(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        told: Callable[[str], None] | None = None,
    ) -> Future[AIMessage]:
        tokenizer, model = self.load()
        ids = self._ids(tokenizer, messages)
        with self._lock:
            if self._room is None:
                self._room = WaitingRoom(self.concurrency)
                told_to = (self._room, is_packable(model))
                for _ in range(self.workers):
                    threading.Thread(target=self._work, args=told_to, daemon=True).start()
            room = self._room
        future: Future[AIMessage] = Future()
        room.add(Waiting(messages, ids, stop, future, told))
        return future

    def _work(self, room: WaitingRoom, packable: bool) -> None:
        while True:
            if packable:
                self._write(room, room.part(self.workers))
                continue
            batch = room.alike(self.workers, self.max_batch)
            # A caller that no longer waits has cancelled its future, which cannot be set then.
            batch = [item for item in batch if item.future.set_running_or_notify_cancel()]
            if batch:
                self._answer(batch)

    def _write(self, room: WaitingRoom, first: list[Waiting]) -> None:
        """Answer these, and what comes meanwhile."""
        from tailor.models.streams import Stream

        tokenizer, model = self.load()
        key = threading.get_ident()
        with self._lock:
            if key not in self._writers:
                self._writers[key] = Continuous(model, self.max_batch, self.max_tokens)
            writer = self._writers[key]
        streams: dict[Waiting, Stream] = {}
        groups = [first]

        def more() -> list[Row[Waiting]]:
            rows = []
            for item in groups.pop() if groups else room.part_now(self.workers):
                row = Row(item, item.ids, item.future.set_running_or_notify_cancel)
                if item.told is not None:
                    streams[item] = Stream(tokenizer, item.told)
                    row.told = streams[item].put
                rows.append(row)
            return rows

        try:
            for row in writer.replies(more):
                if row.of in streams:
                    streams.pop(row.of).end()
                reply = self._reply(tokenizer, row.written, len(row.ids))
                row.of.future.set_result(stopped(reply, row.of.stop))
        except Exception:  # the one it comes from is told; the others are answered
            writer.forget()
            for row in writer.left():
                if row.of.future.running() or row.begins():
                    self._answer([replace(row.of, told=None)])

    def _answer(self, batch: list[Waiting]) -> None:
        conversations, told = [item.messages for item in batch], [item.told for item in batch]
        try:
            replies = self._complete(conversations, *([told] if any(told) else []))
        except Exception as error:  # each caller is told its own
            # One prompt must not take the others down with it.
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for item in batch:
                self._answer([replace(item, told=None)])
            return
        for item, reply in zip(batch, replies, strict=True):
            item.future.set_result(stopped(reply, item.stop))

    def _complete(
        self,
        conversations: list[list[BaseMessage]],
        told: Sequence[Callable[[str], None] | None] = (),
    ) -> list[AIMessage]:
        from tailor.models.streams import Streams

        tokenizer, model = self.load()
        prompts = [self._ids(tokenizer, messages) for messages in conversations]
        streamer = Streams(tokenizer, told) if told else None
        return self._generated(tokenizer, model, prompts, streamer)

    def _generated(
        self, tokenizer: Any, model: Any, prompts: list[list[int]], streamer: Any = None
    ) -> list[AIMessage]:
        import torch

        ids, mask = _padded(prompts, tokenizer.pad_token_id)
        with torch.inference_mode():
            output = model.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                max_new_tokens=self.max_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
                streamer=streamer,
            )
        rows = output[:, ids.shape[1] :].tolist()
        return [
            self._reply(tokenizer, row, len(own)) for row, own in zip(rows, prompts, strict=True)
        ]

    def _reply(self, tokenizer: Any, written: list[int], used: int) -> AIMessage:
        """The message of these tokens, to a prompt of so many."""
        count = sum(token != tokenizer.pad_token_id for token in written)
        return AIMessage(
            content=tokenizer.decode(written, skip_special_tokens=True).strip(),
            usage_metadata={
                "input_tokens": used,
                "output_tokens": count,
                "total_tokens": used + count,
            },
            response_metadata={"model_name": self.path},
        )


def weights_digest(path: str | Path) -> str:
    """Content hash of a model or adapter directory; of the hub, ``ORG/NAME@COMMIT``.

    Weight files above 64 MB count by size and time of change, so that a hash stays quick. A
    directory that is an adapter alone counts with its base.
    """
    folder = Path(path)
    if not folder.is_dir():
        return pinned(str(path))
    hasher = hashlib.sha256()
    if base := _base(str(path)):
        hasher.update(weights_digest(base).encode())
    for file in sorted(folder.glob("*")):
        if file.suffix in (".json", ".safetensors", ".jinja", ".txt", ".model"):
            hasher.update(file.name.encode())
            status = file.stat()
            if status.st_size > 64 * 2**20:
                hasher.update(f"{status.st_size} {status.st_mtime_ns}".encode())
            else:
                hasher.update(file.read_bytes())
    return hasher.hexdigest()[:16]


def _base(path: str) -> str:
    try:
        return base_of(path)
    except TailorError:  # told when it is loaded
        return ""


def _load(
    path: str, adapter: str | None, quantization: Quantization, merged: bool, trusted: Trusted
) -> tuple[Any, Any]:
    import torch

    from tailor.models import loading

    tokenizer = loading.tokenizer(path, trusted, own=adapter or "")
    model = loading.causal_model(path, quantization, trusted=trusted, merged=merged)
    templated(tokenizer)
    tokenizer("")  # sets it to neither cut nor fill up, which it cannot while other threads read
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if adapter is not None:
        model = loading.adapted(model, adapter, merged and quantization == "none")
    if model.num_parameters() < _SMALL:
        # More threads than two only wait for one another on matrices this small.
        torch.set_num_threads(min(2, torch.get_num_threads()))
    if quantization == "none":  # those in few bits are where they belong, and may not be moved
        model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    return tokenizer, model.eval()


def _padded(prompts: list[list[int]], pad: int) -> tuple[Any, Any]:
    """Tokens and mask, filled up on the left.

    Not by the tokenizer, which would be set to fill up while other threads read with it.
    """
    import torch

    width = max(map(len, prompts))
    ids = torch.tensor([[pad] * (width - len(own)) + own for own in prompts])
    mask = torch.tensor([[0] * (width - len(own)) + [1] * len(own) for own in prompts])
    return ids, mask


def _chunk(piece: str, run_manager: CallbackManagerForLLMRun | None) -> ChatGenerationChunk:
    chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
    if run_manager:
        run_manager.on_llm_new_token(piece, chunk=chunk)
    return chunk


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])
