"""What the API takes and gives, as an OpenAPI document, made of the models that read requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from tailor.serving import asked
from tailor.serving.guard import HEALTH

PATH = "/v1/openapi.json"

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": {"type": ["string", "null"]},
                "code": _TEXT,
            },
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
}
_REFUSALS = {
    "400": "The request cannot be read, or asks for what there is not.",
    "401": "The token is missing or wrong.",
    "403": "It comes from the page of another site.",
    "404": "There is no such model, answer or path.",
    "405": "The path does not take this method.",
    "408": "The request came too slowly.",
    "413": "The request is too large.",
    "415": "The body is not sent as JSON.",
    "421": "It is sent to a host that is not served here.",
    "429": "There are too many requests.",
    "500": "The answer could not be made.",
    "502": "The model's provider refuses.",
    "503": "There is no room, or the model's provider cannot be reached.",
    "504": "The model did not answer in time.",
}


def openapi() -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    model = _object(id=_TEXT, object={"const": "model"}, created=_COUNT, owned_by=_TEXT)
    choice = _object(
        index=_COUNT,
        message=_object(role={"const": "assistant"}, content=_TEXT),
        finish_reason=_TEXT,
        tailor=_object(outcome=_TEXT, citations={"type": "array"}),
    )
    usage = _object(prompt_tokens=_COUNT, total_tokens=_COUNT)
    answer = _object(
        id=_TEXT, object={"const": "chat.completion"}, created=_COUNT, model=_TEXT,
        choices={"type": "array", "items": choice, "minItems": 1}, usage=usage,
    )  # fmt: skip
    vector = _object(index=_COUNT, object=_TEXT, embedding={"type": ["array", "string"]})
    vectors = _object(
        object={"const": "list"}, model=_TEXT, data={"type": "array", "items": vector}, usage=usage
    )
    id = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
    models = _object(object={"const": "list"}, data={"type": "array", "items": model})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tailor", "version": "1"},
        "paths": {
            "/v1/chat/completions": {
                "post": _route("An answer", answer, asked.Conversation, stream=True)
            },
            "/v1/models": {"get": _route("What can be asked", models)},
            "/v1/models/{id}": {"get": _route("One of them", model, parameters=[id])},
            "/v1/embeddings": {"post": _route("Vectors of texts", vectors, asked.Texts)},
            "/v1/feedback": {
                "post": _route(
                    "What somebody says of an answer", _object(id=_TEXT, status=_TEXT), asked.Rating
                )
            },
            "/metrics": {"get": _route("Figures", _TEXT, kind="text/plain")},
            HEALTH: {"get": _route("Whether it is alive", _object(status={"const": "ok"}))},
            PATH: {"get": _route("This document", _object(openapi=_TEXT, paths={}))},
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def _object(**properties: Any) -> dict[str, Any]:
    """Of what is told, these are always there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _route(
    summary: str,
    given: Mapping[str, Any],
    taken: type[BaseModel] | None = None,
    parameters: Sequence[Mapping[str, Any]] = (),
    kind: str = "application/json",
    stream: bool = False,
) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {"schema": given}}
    if stream:
        content["text/event-stream"] = {"schema": _TEXT}
    refused = {"application/json": {"schema": _ERROR}}
    route: dict[str, Any] = {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "OK", "content": content},
            **{code: {"description": why, "content": refused} for code, why in _REFUSALS.items()},
        },
    }
    if taken is not None:
        # References stand within the schema itself, so it needs no place of its own.
        schema = _inlined(taken.model_json_schema())
        body = {"application/json": {"schema": schema}}
        route["requestBody"] = {"required": True, "content": body}
    return route


def _inlined(schema: dict[str, Any]) -> Any:
    """A schema with its definitions in the place of the references to them; none is recursive."""
    known = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(one) for one in value]
        if not isinstance(value, dict):
            return value
        if name := str(value.get("$ref", "")).rpartition("/")[2]:
            return put(known[name])
        return {key: put(one) for key, one in value.items()}

    return put(schema)
