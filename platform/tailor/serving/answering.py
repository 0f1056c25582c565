"""One request for answers: asked of the assistant in threads, told whole or as it is written."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tailor.assistant import Answer
from tailor.serving import asked, kept, told
from tailor.serving.problem import Problem, noted
from tailor.serving.told import Pieces, Told

if TYPE_CHECKING:
    from tailor.serving.engine import Engine, Serving
    from tailor.serving.keeper import Keeper
    from tailor.serving.metrics import Metrics


class _Away(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, eq=False)
class Answering:
    """Answers to one request."""

    engine: Engine
    metrics: Metrics
    keeper: Keeper
    wanted: asked.Chat
    id: str
    """Of the reply."""
    timeout: float
    """Seconds."""
    at: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)
    halt: threading.Event = field(default_factory=threading.Event)
    """Set when nobody waits any more."""

    async def whole(self, gone: Callable[[], Awaitable[None]]) -> dict[str, Any]:
        """The reply in one piece; what ``gone`` makes is over when the client is gone.

        Raises:
            Problem: there is no room for it, it failed or took too long, or the client went away.
        """
        works = [partial(self._answer, at, None) for at in range(self.wanted.n)]
        futures = self.engine.submit(works)
        leaving = asyncio.ensure_future(gone())
        made = asyncio.gather(*map(asyncio.wrap_future, futures))
        # Where nobody waits any more, asyncio would tell of it on standard error.
        made.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait(
                (made, leaving), timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if made.done():
                return told.completion(self.id, int(self.at), self.wanted, made.result())
            raise self._given_up() if leaving.done() else self._late()
        finally:
            leaving.cancel()
            made.cancel()
            self._stop(futures)

    async def stream(self, gone: Callable[[], Awaitable[None]]) -> AsyncIterator[str]:
        """The reply as server-sent events; begun once there is something to tell.

        Raises:
            Problem: there is no room for it, it failed before a word was written, or the client
                went away by then.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[int, object]] = asyncio.Queue()

        def tell(index: int, news: object) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, (index, news))

        works = [partial(self._answer, at, partial(tell, at)) for at in range(self.wanted.n)]
        futures = self.engine.submit(works)
        leaving = asyncio.ensure_future(gone())
        coming = asyncio.ensure_future(self._next(queue))
        try:
            await asyncio.wait((coming, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise self._given_up()
            first = coming.result()
            if isinstance(first[1], Problem):
                raise first[1]
        except BaseException:
            self._stop(futures)
            raise
        finally:
            leaving.cancel()
            coming.cancel()
        self.metrics.first.observe(time.monotonic() - self.began)
        return self._events(first, queue, futures)

    async def _events(
        self,
        first: tuple[int, object],
        queue: asyncio.Queue[tuple[int, object]],
        futures: list[Future[Told]],
    ) -> AsyncIterator[str]:
        found: dict[int, Told] = {}
        chunk = partial(told.chunk, self.id, int(self.at))
        try:
            for index in range(self.wanted.n):
                yield _event(chunk(index, {"role": "assistant", "content": ""}))
            sent = dict.fromkeys(range(self.wanted.n), "")
            index, news = first
            while True:
                if isinstance(news, Problem):
                    raise news
                if isinstance(news, Told):
                    found[index] = news
                    rest = self._rest(news, sent[index])
                    if rest:
                        yield _event(chunk(index, {"content": rest}))
                    yield _event(chunk(index, {}, news.extension(self.wanted.ignored)))
                else:
                    sent[index] += str(news)
                    yield _event(chunk(index, {"content": str(news)}))
                if len(found) == self.wanted.n:
                    break
                index, news = await self._next(queue)
            if self.wanted.include_usage:
                used = told.usage(list(found.values()))
                yield _event({**chunk(0, {}), "choices": [], "usage": used})
            yield "data: [DONE]\n\n"
        except Problem as problem:
            self.metrics.errors.labels(problem.code).inc()
            yield _event(problem.body)
        finally:
            self._stop(futures)

    async def _next(self, queue: asyncio.Queue[tuple[int, object]]) -> tuple[int, object]:
        try:
            async with asyncio.timeout(self.timeout - (time.monotonic() - self.began)):
                return await queue.get()
        except TimeoutError:
            raise self._late() from None

    def _rest(self, news: Told, sent: str) -> str:
        """What is to be sent after the pieces of an answer that was streamed."""
        text = news.text
        if not text.startswith(sent):  # the model was asked again in the middle of its reply
            said = "The model began its answer anew: ask again."
            raise Problem(503, said, "answer_began_anew")
        return told.content(self.wanted, news)[len(sent) :]

    def _answer(self, index: int, tell: Callable[[object], None] | None) -> Told:
        """Make one answer, in a thread; what there is to tell is told as it comes."""
        try:
            if self.halt.is_set():
                raise _Away
            with self.engine.using() as serving:
                made = self._asked(serving, index, tell)
        except Exception as error:
            problem = self._problem(error)
            if tell is not None:
                tell(problem)
            raise problem from None
        if tell is not None:
            tell(made)
        return made

    def _asked(self, serving: Serving, index: int, tell: Callable[[object], None] | None) -> Told:
        from tailor.models.chat import HALT, TOLD

        pieces = Pieces(serving.assistant.format)

        def written(text: str) -> None:
            if self.halt.is_set():
                raise _Away
            if tell is not None and (piece := pieces.more(text)):
                tell(piece)

        configurable: dict[str, Any] = {HALT: self.halt}
        if tell is not None:
            configurable[TOLD] = written
        ask = replace(self.wanted.ask, repeat=index)
        try:
            answer = serving.chain.invoke(ask, {"configurable": configurable})
        except _Away:
            raise
        except Exception as error:
            self._keep(serving, index, None, error)
            raise
        self.metrics.answered(answer)
        self._keep(serving, index, answer, None)
        made = Told(answer, serving.card, serving.workspace.config.trusted_hosts)
        told.content(self.wanted, made)  # worked out here, and not while others are heard
        return made

    def _keep(
        self, serving: Serving, index: int, answer: Answer | None, error: Exception | None
    ) -> None:
        from tailor.models.retry import error_text

        card, ask = serving.card, self.wanted.ask
        known = answer or Answer("error", error=error_text(error) if error else "")
        self.keeper.put(
            kept.Served(
                id=self.id if index == 0 else f"{self.id}-{index}",
                at=self.at,
                question=ask.question,
                history=ask.history,
                text=known.text,
                outcome=known.outcome,
                error=known.error,
                row=card.row,
                model=card.model,
                run=card.run,
                fingerprint=card.fingerprint,
                generation=card.generation or "",
                passages=known.seen,
                searched=known.searched,
                seconds=time.monotonic() - self.began,
                input_tokens=known.input_tokens,
                output_tokens=known.output_tokens,
                cost_usd=known.cost_usd,
            )
        )

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, _Away):
            return self._given_up()
        return noted(error)

    def _given_up(self) -> Problem:
        return Problem(499, "The client went away.", "given_up")

    def _late(self) -> Problem:
        return Problem(504, f"No answer within {self.timeout:g} seconds.", "timeout")

    def _stop(self, futures: list[Future[Told]]) -> None:
        """Let go of what nobody waits for; where all is done, that is nothing."""
        self.halt.set()
        for future in futures:
            future.cancel()


def _event(value: object) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n\n"
