"""What runs on a cluster: a worker that makes what a job needs once, and does its values."""

from __future__ import annotations

import os
import pickle
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from tailor.scale.carried import Carried

_MADE = 3
"""Models, readers and the like that a worker keeps."""


@dataclass(frozen=True)
class Hello:
    """What a worker says of itself."""

    version: str
    """Of Tailor."""
    host: str
    pid: int


@dataclass(frozen=True)
class Done:
    """What the work returned, or what it raised."""

    value: Any = None
    failed: Carried | None = None


class Worker:
    """A Ray actor; ``do`` is called from several threads."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, Callable[[Any], Any]] = OrderedDict()
        self._lock = threading.Lock()

    def hello(self, environment: Mapping[str, str]) -> Hello:
        """Take over environment variables, and say who this is.

        They come as an argument: Ray writes a ``runtime_env`` into its log files.
        """
        os.environ.update(environment)
        return Hello(version("llm-tailor"), socket.gethostname(), os.getpid())

    def do(self, key: str, packed: Sequence[Any], value: Any) -> Done:
        """What the job of this key makes of the value; ``packed`` holds where the job lies."""
        try:
            return Done(self._job(key, packed)(value))
        except Exception as error:  # whatever it is, it is the caller's to judge
            return Done(failed=Carried.of(error))

    def _job(self, key: str, packed: Sequence[Any]) -> Callable[[Any], Any]:
        with self._lock:
            if key not in self._made:
                import ray

                self._made[key] = pickle.loads(ray.get(packed[0]))()
                while len(self._made) > _MADE:
                    self._made.popitem(last=False)
            self._made.move_to_end(key)
            return self._made[key]
