"""The API: the routes of OpenAI's that an assistant has, with health, figures and feedback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from tailor.serving import asked, kept, told
from tailor.serving.answering import Answering
from tailor.serving.guard import HEALTH, App, Message, Receive, Scope, Send
from tailor.serving.openapi import PATH, openapi
from tailor.serving.problem import Problem, noted

if TYPE_CHECKING:
    from tailor.serving.engine import Engine
    from tailor.serving.keeper import Keeper
    from tailor.serving.metrics import Metrics

ROUTES = (
    "/v1/chat/completions", "/v1/models", "/v1/models/{id}", "/v1/embeddings", "/v1/feedback",
    "/metrics", HEALTH, PATH,
)  # fmt: skip


@dataclass(frozen=True)
class Api:
    """What the routes share."""

    engine: Engine
    metrics: Metrics
    keeper: Keeper

    async def chat(self, request: Request) -> Response:
        """``POST /v1/chat/completions``."""
        limits = self.engine.workspace.config.serve
        wanted = asked.chat(await _json(request), limits)
        self._known(wanted.model)
        id = self.engine.next_id()
        answering = Answering(self.engine, self.metrics, self.keeper, wanted, id, limits.timeout)
        if wanted.stream:
            events = await answering.stream(partial(_gone, request))
            return StreamingResponse(
                events,
                media_type="text/event-stream",
                headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            )
        return _sent(await answering.whole(partial(_gone, request)))

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``."""
        return _sent({"object": "list", "data": self._models()})

    async def one_model(self, request: Request, id: str) -> Response:
        """``GET /v1/models/{id}``."""
        for model in self._models():
            if id in (model["id"], model.get("card", {}).get("row")):
                return _sent(model)
        raise Problem(404, "There is no such model; see /v1/models.", "model_not_found", "model")

    async def embeddings(self, request: Request) -> Response:
        """``POST /v1/embeddings``."""
        from tailor.models.usage import text_tokens

        workspace = self.engine.workspace
        wanted = asked.embed(await _json(request), workspace.config.serve)
        name = workspace.config.embedder
        if wanted.model not in (asked.MODEL, name):
            said = "There is no such model; see /v1/models."
            raise Problem(404, said, "model_not_found", "model")

        def work() -> dict[str, Any]:
            found = workspace.embeddings.embed_documents(list(wanted.texts))
            tokens = sum(map(text_tokens, wanted.texts))
            return told.vectors(name, found, wanted.base64, tokens)

        (future,) = self.engine.submit([work])
        try:
            async with asyncio.timeout(workspace.config.serve.timeout):
                made = await asyncio.wrap_future(future)
        except TimeoutError:
            raise Problem(504, "The embedder did not answer in time.", "timeout") from None
        except Exception as error:
            raise noted(error) from None
        return _sent(made)

    async def feedback(self, request: Request) -> Response:
        """``POST /v1/feedback``."""
        said = asked.rating(await _json(request))

        def work() -> bool:
            self.keeper.flush()
            return kept.feedback(
                self.engine.workspace, said.id, said.rating, said.comment, said.correction
            )

        (future,) = self.engine.submit([work])
        if not await asyncio.wrap_future(future):
            raise Problem(404, "No answer with this id is kept.", "answer_not_found", "id")
        self.metrics.feedback.labels(said.rating).inc()
        return _sent({"id": said.id, "status": "kept"})

    async def figures(self, request: Request) -> Response:
        """``GET /metrics``."""
        from tailor.serving.metrics import TYPE

        self.metrics.in_flight.set(self.engine.in_flight)
        return Response(self.metrics.text(), media_type=TYPE)

    async def described(self, request: Request) -> Response:
        """``GET /v1/openapi.json``."""
        return _sent(openapi())

    async def health(self, request: Request) -> Response:
        """``GET /health``: alive; more only for who has the token."""
        if not request.state.authorized:
            return _sent({"status": "ok"})
        card = self.engine.card
        return _sent(
            {
                "status": "ok",
                "row": card.row,
                "model": card.model,
                "run": card.run,
                "generation": card.generation,
                "in_flight": self.engine.in_flight,
                "swaps": self.engine.swaps,
                "not_taken_up": self.engine.failure or None,
                "left_out": list(self.engine.left_out),
            }
        )

    def _models(self) -> list[dict[str, Any]]:
        workspace, card = self.engine.workspace, self.engine.card
        common = {"object": "model", "created": self.engine.since, "owned_by": "tailor"}
        return [
            {"id": asked.MODEL, **common, "card": card.to_json()},
            {"id": workspace.config.embedder, **common, "embeddings": True},
        ]

    def _known(self, model: str) -> None:
        if model not in (asked.MODEL, self.engine.card.row):
            said = f"There is no such model; the assistant's name is {asked.MODEL}."
            raise Problem(404, said, "model_not_found", "model")


def app(engine: Engine, metrics: Metrics, keeper: Keeper) -> App:
    """The application; a guard belongs before it."""
    api = Api(engine, metrics, keeper)
    fast = FastAPI(
        title="Tailor", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        # /metrics tells it; FastAPI would look for an OpenTelemetry collector at every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )  # fmt: skip
    handlers: dict[str, tuple[str, Callable[..., Awaitable[Response]]]] = {
        "/v1/chat/completions": ("POST", api.chat),
        "/v1/models": ("GET", api.models),
        # Names may hold slashes, as huggingface:org/name does.
        "/v1/models/{id:path}": ("GET", api.one_model),
        "/v1/embeddings": ("POST", api.embeddings),
        "/v1/feedback": ("POST", api.feedback),
        "/metrics": ("GET", api.figures),
        HEALTH: ("GET", api.health),
        PATH: ("GET", api.described),
    }
    for path, (method, handler) in handlers.items():
        fast.add_route(path, _route(handler), methods=[method])

    async def problem(request: Request, error: Exception) -> Response:
        found = error if isinstance(error, Problem) else _http(error)
        metrics.errors.labels(found.code).inc()
        return JSONResponse(found.body, found.status, found.headers)

    for kind in (Problem, HTTPException):
        fast.add_exception_handler(kind, problem)
    return _measured(fast, metrics)


def _route(handler: Callable[..., Awaitable[Response]]) -> Callable[[Request], Any]:
    async def route(request: Request) -> Response:
        try:
            return await handler(request, **request.path_params)
        except Problem:
            raise
        except Exception as error:
            raise noted(error) from None

    return route


def _measured(inner: App, metrics: Metrics) -> App:
    """Counts requests by route and status, and how long each took."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        began, status = time.monotonic(), 500
        path = scope["path"]
        route = path if path in ROUTES else "/v1/models/{id}" if _one(path) else "other"

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await inner(scope, receive, sent)
        finally:
            metrics.requests.labels(route, str(status)).inc()
            metrics.seconds.labels(route).observe(time.monotonic() - began)

    return measured


def _one(path: str) -> bool:
    return path.startswith("/v1/models/")


def _http(error: Exception) -> Problem:
    status = getattr(error, "status_code", 400)
    said = {404: "There is no such path.", 405: "This path does not take this method."}
    return Problem(status, said.get(status, "The request cannot be read."), f"http_{status}")


async def _json(request: Request) -> bytes:
    """The body of a request that says it is JSON, which a page of another site cannot send."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "Send JSON, with Content-Type: application/json.", "not_json")
    return await request.body()


async def _gone(request: Request) -> None:
    """Waits until the client of a request that was read goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _sent(value: object) -> Response:
    raw = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return Response(raw, media_type="application/json")
