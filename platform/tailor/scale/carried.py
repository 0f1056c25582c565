"""Errors on their way from a worker: with their kind, text, status and headers, without secrets.

Providers' errors cannot be pickled as they are: they are made from a response, which holds the
request with its key.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

_LEFT = ("request", "_request", "response", "__notes__")


@dataclass(frozen=True)
class Carried:
    """An error as plain values."""

    module: str
    name: str
    arguments: tuple[Any, ...]
    attributes: Mapping[str, Any]
    status: int | None = None
    """Of the HTTP response, where there is one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    cause: Carried | None = None

    @classmethod
    def of(cls, error: BaseException) -> Carried:
        """The error, with what caused it."""
        response = getattr(error, "response", None)
        headers = getattr(response, "headers", None)
        kept = {name: value for name, value in vars(error).items() if name not in _LEFT}
        if isinstance(response, dict):  # of Amazon's package
            kept["response"] = response
        return cls(
            type(error).__module__,
            type(error).__qualname__,
            tuple(one if _plain(one) else str(one) for one in error.args),
            {name: value for name, value in kept.items() if _plain(value)},
            getattr(response, "status_code", None),
            {str(k).lower(): str(v) for k, v in headers.items()}
            if isinstance(headers, Mapping)
            else {},
            None if error.__cause__ is None else cls.of(error.__cause__),
        )

    def error(self) -> BaseException:
        """The error again; of a class that is not known here, one of the same name."""
        kind: Any = None
        with suppress(ImportError):
            kind = getattr(importlib.import_module(self.module), self.name, None)
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            kind = type(self.name, (Exception,), {})
        made: BaseException = kind.__new__(kind, *self.arguments)
        made.args = self.arguments
        for name, value in self.attributes.items():
            made.__dict__[name] = value
        if self.status is not None:
            response = SimpleNamespace(status_code=self.status, headers=dict(self.headers))
            made.__dict__["response"] = response
        made.__cause__ = None if self.cause is None else self.cause.error()
        return made


def _plain(value: object) -> bool:
    """Whether a value is made of what JSON can hold."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _plain(own) for key, own in value.items())
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return value is None or isinstance(value, str | int | float | bool)
