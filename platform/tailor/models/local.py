"""Local Hugging Face models as a LangChain chat model that answers waiting prompts together."""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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
from pydantic import PrivateAttr

from tailor.errors import TailorError
from tailor.models.quantized import Quantization, not_quantized, quantized

_GATHER_SECONDS = 0.01
_LOOK_AHEAD = 4
"""Batches of prompts that wait, from which those of like length are answered together."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A prompt, its stop sequences, and who waits for the reply."""

    messages: list[BaseMessage]
    stop: list[str] | None
    future: Future[AIMessage]

    @property
    def length(self) -> int:
        """Characters of the prompt."""
        return sum(len(str(message.text)) for message in self.messages)


class LocalChat(BaseChatModel):
    """A causal language model from a directory (or the hub) with its own chat template.

    Prompts of like length that wait at the same time are generated in one batch; replies are
    greedy, so the same prompt gives the same reply. transformers' own ``ChatHuggingFace`` answers
    one by one and has no asynchronous calls, which is why this class exists.
    """

    path: str
    """Directory or hub id."""
    adapter: str | None = None
    """Directory of a LoRA adapter, merged into the weights in memory."""
    quantization: Quantization = "none"
    """Bits of the weights in memory, through bitsandbytes; an adapter stays beside them."""
    max_tokens: int = 64
    max_batch: int = 16
    """Larger batches copy more memory than they save (950-token prompts: 16 beats 32 by 18 %)."""
    _waiting: queue.Queue[_Waiting] = PrivateAttr(default_factory=queue.Queue)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _worker: threading.Thread | None = PrivateAttr(default=None)
    _loaded: tuple[Any, Any] | None = PrivateAttr(default=None)

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
            "quantization": self.quantization,
            "max_tokens": self.max_tokens,
        }

    def load(self) -> tuple[Any, Any]:
        """The tokenizer and the model, loaded once.

        Raises:
            TailorError: there is no such model, it cannot be read, or it has no chat template.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self.path, self.adapter, self.quantization)
            return self._loaded

    def fits(self, messages: list[BaseMessage]) -> bool:
        """Whether these messages and an answer fit into the model's context."""
        tokenizer, model = self.load()
        limit = getattr(model.config, "max_position_embeddings", None)
        if limit is None:
            return True
        rendered = _render(tokenizer, [messages])[0]
        length = len(tokenizer(rendered, add_special_tokens=False)["input_ids"])
        return length + self.max_tokens <= int(limit)

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
        from transformers import TextIteratorStreamer

        tokenizer, model = self.load()
        encoded = _encode(tokenizer, [messages], model.device)
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)

        def generate() -> list[AIMessage]:
            try:
                return self._generated(tokenizer, model, encoded, streamer)
            except BaseException:
                streamer.end()  # else the loop below waits for ever
                raise

        with ThreadPoolExecutor(1) as pool:
            whole = pool.submit(generate)
            for piece in _settled(streamer, stop):
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager:
                    run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk
            reply = whole.result()[0]
        last = AIMessageChunk(
            content="",
            usage_metadata=reply.usage_metadata,
            response_metadata=reply.response_metadata,
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _submit(self, messages: list[BaseMessage], stop: list[str] | None) -> Future[AIMessage]:
        self.load()
        with self._lock:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()
        future: Future[AIMessage] = Future()
        self._waiting.put(_Waiting(messages, stop, future))
        return future

    def _work(self) -> None:
        backlog: list[_Waiting] = []
        while True:
            if not backlog:
                backlog.append(self._waiting.get())
            try:
                while len(backlog) < _LOOK_AHEAD * self.max_batch:
                    backlog.append(self._waiting.get(timeout=_GATHER_SECONDS))
            except queue.Empty:
                pass
            batch = _alike(backlog, self.max_batch)
            backlog = [item for item in backlog if not any(item is taken for taken in batch)]
            # A caller that no longer waits has cancelled its future, which cannot be set then.
            batch = [item for item in batch if item.future.set_running_or_notify_cancel()]
            if batch:
                self._answer(batch)

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            replies = self._complete([item.messages for item in batch])
        except Exception as error:
            # One prompt must not take the others down with it.
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for item in batch:
                self._answer([item])
            return
        for item, reply in zip(batch, replies, strict=True):
            item.future.set_result(_stopped(reply, item.stop))

    def _complete(self, conversations: list[list[BaseMessage]]) -> list[AIMessage]:
        tokenizer, model = self.load()
        return self._generated(tokenizer, model, _encode(tokenizer, conversations, model.device))

    def _generated(
        self, tokenizer: Any, model: Any, encoded: Any, streamer: Any = None
    ) -> list[AIMessage]:
        import torch

        ids, mask = encoded["input_ids"], encoded["attention_mask"]
        with torch.inference_mode():
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=self.max_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
                streamer=streamer,
            )
        replies: list[AIMessage] = []
        for row, used in zip(output[:, ids.shape[1] :], mask.sum(dim=1).tolist(), strict=True):
            written = int((row != tokenizer.pad_token_id).sum())
            replies.append(
                AIMessage(
                    content=tokenizer.decode(row, skip_special_tokens=True).strip(),
                    usage_metadata={
                        "input_tokens": used,
                        "output_tokens": written,
                        "total_tokens": used + written,
                    },
                    response_metadata={"model_name": self.path},
                )
            )
        return replies


def weights_digest(path: str | Path) -> str:
    """Content hash of a model or adapter directory; a hub id stands for itself.

    Weight files above 64 MB count by size and time of change, so that a hash stays quick.
    """
    folder = Path(path)
    if not folder.is_dir():
        return str(path)
    hasher = hashlib.sha256()
    for file in sorted(folder.glob("*")):
        if file.suffix in (".json", ".safetensors", ".jinja", ".txt", ".model"):
            hasher.update(file.name.encode())
            status = file.stat()
            if status.st_size > 64 * 2**20:
                hasher.update(f"{status.st_size} {status.st_mtime_ns}".encode())
            else:
                hasher.update(file.read_bytes())
    return hasher.hexdigest()[:16]


def quiet_libraries() -> None:
    """Keep harmless notices of model libraries off the user's screen; set before they load."""
    import os

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    for name in ("bitsandbytes", "transformers", "peft", "trl", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)


def check_weights(path: str) -> None:
    """Refuse a folder without safetensors, and a path that is no folder, before anything is loaded.

    Raises:
        TailorError: weights are missing or could run code.
    """
    if Path(path).is_dir() and not list(Path(path).glob("*.safetensors")):
        raise TailorError(
            f"{path} holds no *.safetensors weights; pickled weights are not loaded because "
            "they can run code: convert the model with save_pretrained first."
        )
    if not Path(path).exists() and path.startswith(("/", "./", "../", "~")):
        raise TailorError(f"There is no folder {path}: give one written by save_pretrained.")


def _load(path: str, adapter: str | None, quantization: Quantization) -> tuple[Any, Any]:
    quiet_libraries()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for folder in filter(None, (path, adapter)):
        check_weights(folder)
    cuda = torch.cuda.is_available()
    bits = quantized(quantization, path, cuda)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            path, padding_side="left", trust_remote_code=False
        )
        model: Any = AutoModelForCausalLM.from_pretrained(
            path,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.bfloat16 if cuda else torch.float32,
            **bits,
        )
    except Exception as error:  # over a broken file, these libraries raise about anything
        if bits:
            raise not_quantized(quantization, path, error) from None
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TailorError(
            f"The model {path} cannot be loaded ({first}): give a folder written by "
            "save_pretrained, or a hub id while the network is up."
        ) from None
    if tokenizer.chat_template is None:
        raise TailorError(
            f"The model {path} has no chat template: choose its instruct version, or add a "
            "chat_template to tokenizer_config.json."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if adapter is not None:
        model = _adapted(model, adapter, merged=not bits)
    if model.num_parameters() < 100_000_000:
        # More threads than two only wait for one another on matrices this small.
        torch.set_num_threads(min(2, torch.get_num_threads()))
    if not bits:  # those are where they belong, and may not be moved
        model = model.to("cuda" if cuda else "cpu")
    return tokenizer, model.eval()


def _adapted(model: Any, adapter: str, merged: bool) -> Any:
    """The model with a LoRA adapter; merging into few bits would round the adapter away."""
    from peft import PeftModel

    with warnings.catch_warnings():
        # peft still calls transformers by a name that the next major version will drop.
        warnings.simplefilter("ignore", FutureWarning)
        adapted: Any = PeftModel.from_pretrained(model, adapter)
        return adapted.merge_and_unload() if merged else adapted


def _alike(waiting: list[_Waiting], most: int) -> list[_Waiting]:
    """The prompt that waits longest and those nearest to it in length, so that few are padded."""
    order = sorted(waiting, key=lambda item: item.length)
    place = next(i for i, item in enumerate(order) if item is waiting[0])
    start = max(0, min(place - most // 2, len(order) - most))
    return order[start : start + most]


def _render(tokenizer: Any, conversations: list[list[BaseMessage]]) -> list[str]:
    return [
        tokenizer.apply_chat_template(
            convert_to_openai_messages(messages), tokenize=False, add_generation_prompt=True
        )
        for messages in conversations
    ]


def _encode(tokenizer: Any, conversations: list[list[BaseMessage]], device: Any) -> Any:
    return tokenizer(
        _render(tokenizer, conversations),
        return_tensors="pt",
        padding=True,
        add_special_tokens=False,  # the chat template has written them
    ).to(device)


def _settled(pieces: Iterable[str], stop: list[str] | None) -> Iterator[str]:
    """The pieces of a stripped text up to a stop sequence; what may still be cut is held back."""
    hold = max((len(s) for s in stop or ()), default=1) - 1
    written, given = "", 0
    for piece in pieces:
        written = (written + piece).lstrip() if not given else written + piece
        if (cut := _cut(written, stop)) is not None:
            yield written[:cut].rstrip()[given:]
            return
        sure = len(written[: len(written) - hold].rstrip())
        if sure > given:
            yield written[given:sure]
            given = sure
    yield written.rstrip()[given:]


def _cut(text: str, stop: list[str] | None) -> int | None:
    return min((at for s in stop or () if (at := text.find(s)) >= 0), default=None)


def _stopped(reply: AIMessage, stop: list[str] | None) -> AIMessage:
    text = str(reply.text)
    cut = _cut(text, stop)
    return reply if cut is None else reply.model_copy(update={"content": text[:cut].rstrip()})


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])
