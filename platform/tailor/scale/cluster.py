"""A connection to Ray: which workers there are, who is free, and what to do when one is lost."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from tailor.errors import TailorError, UsageError, first_line
from tailor.scale.carried import Carried
from tailor.scale.place import Job
from tailor.scale.worker import Done, Hello, Worker

_TRIES = 3
"""Workers that one value may lose before it is held to be what ends them."""
_START = 180.0
"""Seconds in which a first worker must have started."""
_AT_ONCE = 64
"""Values that a worker can have in hand."""
_HOSTED = 8
"""Workers that wait for hosted models at most; each waits for many replies."""


class LostWorker(ConnectionError):
    """Every worker that a value was given to was lost with it."""


class Cluster:
    """Workers of a Ray cluster; safe to use from several threads.

    Each value is done by one worker. Where that is lost, with its machine or alone, another one
    takes its place and what it had in hand is done again.

    Raises:
        TailorError: Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(self, address: str) -> None:
        self._own = address == "ray"
        self._ray = _connected(address)
        total: Mapping[str, float] = self._ray.cluster_resources()
        self._cores = max(1, int(total.get("CPU", 1)))
        self._gpus = int(total.get("GPU", 0))
        self._address = address
        self._crews: dict[tuple[str, tuple[str, ...]], _Crew] = {}
        self._jobs: dict[Job, tuple[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def sentence(self) -> str:
        """What it is."""
        with_gpus = f" and {self._gpus} GPUs" if self._gpus else ""
        where = "started for this command" if self._own else f"at {self._address}"
        return f"Ray {where}: {self._cores} cores{with_gpus}."

    def width(self, job: Job) -> int:
        """How many values of a job are taken at once by all workers together."""
        return self._count(job) * min(job.side_by_side, _AT_ONCE)

    def do(self, job: Job, value: Any) -> Any:
        """What a worker makes of a value.

        Raises:
            TailorError: no worker starts.
            LostWorker: several workers in turn were lost over it.
            Exception: whatever the work raised.
        """
        key, packed = self._packed(job)
        crew = self._crew(job)
        lost: list[str] = []
        while len(lost) < _TRIES:
            seat = crew.take(min(job.side_by_side, _AT_ONCE))
            try:
                done: Done = self._ray.get(seat.actor.do.remote(key, [packed], value))
            except self._ray.exceptions.RayTaskError as error:
                crew.give(seat)
                raise _broken(self._address, error) from None
            except self._ray.exceptions.RayError:  # the worker, its machine or its reply is gone
                crew.lose(seat)
                lost.append(seat.hello.host if seat.hello else "?")
                continue
            except BaseException:
                crew.give(seat)
                raise
            crew.give(seat)
            if isinstance(done.failed, Carried):
                raise done.failed.error()
            return done.value
        raise LostWorker(f"{_TRIES} workers in turn were lost over it, on {', '.join(lost)}")

    def close(self) -> None:
        """End the workers, and the cluster where it was started for this."""
        for crew in self._crews.values():
            crew.close()
        self._jobs.clear()
        self._ray.shutdown()

    def _packed(self, job: Job) -> tuple[str, Any]:
        """The job's key and where it lies, put there once."""
        with self._lock:
            if job not in self._jobs:
                raw = self._ray.cloudpickle.dumps(job.make)
                self._jobs[job] = hashlib.sha256(raw).hexdigest(), self._ray.put(raw)
            return self._jobs[job]

    def _count(self, job: Job) -> int:
        if job.kind == "hosted":
            return min(self._cores, _HOSTED)
        return self._gpus if job.kind == "model" and self._gpus else self._cores

    def _crew(self, job: Job) -> _Crew:
        gpu = job.kind == "model" and self._gpus > 0
        kind = "hosted" if job.kind == "hosted" else "gpu" if gpu else "core"
        needs = {"hosted": (0, 0), "gpu": (0, 1), "core": (1, 0)}[kind]
        with self._lock:
            own = kind, job.environment
            if own not in self._crews:
                given = {n: os.environ[n] for n in job.environment if n in os.environ}
                self._crews[own] = _Crew(self._ray, self._address, self._count(job), needs, given)
            return self._crews[own]


class _Seat:
    """One worker."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.busy = 0
        self.hello: Hello | None = None


class _Crew:
    """Workers of one kind, as many as there is room for; one that is lost is replaced."""

    def __init__(
        self,
        ray: Any,
        address: str,
        count: int,
        needs: tuple[int, int],
        environment: Mapping[str, str],
    ) -> None:
        self._ray, self._address, self._environment = ray, address, dict(environment)
        cores, gpus = needs
        self._kind = ray.remote(Worker).options(
            num_cpus=cores, num_gpus=gpus, max_concurrency=_AT_ONCE
        )
        self._starting: dict[Any, _Seat] = {}
        """By what the worker will say of itself."""
        self._ready: set[_Seat] = set()
        self._failed: TailorError | None = None
        self._closed = False
        self._changed = threading.Condition()
        with self._changed:
            for _ in range(count):
                self._start()
        self._receiving = threading.Thread(target=self._receive, name="ray-workers", daemon=True)
        self._receiving.start()

    def take(self, at_once: int) -> _Seat:
        """The worker with the least in hand, as soon as one has less than ``at_once`` values.

        Raises:
            TailorError: none starts.
        """
        latest = time.monotonic() + _START
        with self._changed:
            while True:
                free = [seat for seat in self._ready if seat.busy < at_once]
                if free:
                    seat = min(free, key=lambda one: one.busy)
                    seat.busy += 1
                    return seat
                none = not self._ready and not self._starting
                if none or (not self._ready and time.monotonic() > latest):
                    raise self._failed or _no_room(self._address)
                self._changed.wait(1.0)  # woken now and then, so that Ctrl+C is never overheard

    def give(self, seat: _Seat) -> None:
        """Its value is done."""
        with self._changed:
            seat.busy -= 1
            self._changed.notify()

    def lose(self, seat: _Seat) -> None:
        """It is gone; the first that finds out starts another one."""
        with self._changed:
            if seat not in self._ready:
                return
            self._ready.remove(seat)
            self._start()
        self._ray.kill(seat.actor)  # should it only be out of reach

    def close(self) -> None:
        """End them all."""
        with self._changed:
            seats, self._closed = [*self._ready, *self._starting.values()], True
            self._ready, self._starting = set(), {}
            self._changed.notify_all()
        self._receiving.join()  # nobody may use Ray once it is shut down
        for seat in seats:
            self._ray.kill(seat.actor)

    def _start(self) -> None:
        seat = _Seat(self._kind.remote())
        self._starting[seat.actor.hello.remote(self._environment)] = seat
        self._changed.notify_all()

    def _receive(self) -> None:
        """Let workers in as they come up; in a thread of its own, until all is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._starting)
                if self._closed:
                    return
                coming = list(self._starting)
            try:
                came = self._ray.wait(coming, num_returns=1, timeout=0.5)[0]
            except Exception:  # the connection is gone
                return
            for greeting in came:
                self._let_in(greeting)

    def _let_in(self, greeting: Any) -> None:
        problem: TailorError | None = None
        try:
            hello: Hello = self._ray.get(greeting)
            own = version("llm-tailor")
            if hello.version != own:
                problem = UsageError(
                    f"A worker on {hello.host} has llm-tailor {hello.version}, and this machine "
                    f"{own}: install the same version on all machines of {self._address}."
                )
        except Exception as error:  # Ray has many kinds of its own
            problem = _broken(self._address, error)
        with self._changed:
            seat = self._starting.pop(greeting, None)
            if problem is not None:
                self._failed = problem
            elif seat is not None:
                seat.hello = hello
                self._ready.add(seat)
            self._changed.notify_all()


def _connected(address: str) -> Any:
    """Ray, connected.

    Raises:
        TailorError: it is not installed, or cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.cloudpickle
    except ImportError:
        raise TailorError(
            "Work on a cluster needs Ray: pip install 'llm-tailor[scale]', then run the command "
            "again."
        ) from None
    if ray.is_initialized():
        raise UsageError(
            "This process is connected to Ray already: end that with ray.shutdown(), and let "
            "Tailor connect by itself."
        )
    told: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "ray":
        told |= {"address": "local", "include_dashboard": False}
    else:
        told["address"] = address
    try:
        _reach(address)
        ray.init(**told)
    except (Exception, SystemExit) as error:  # of many kinds, one for each way to reach it
        said = first_line(error)[:200]
        raise TailorError(
            f"The Ray cluster {address} cannot be reached ({said}): see that it runs, with the "
            "same versions of Python and Ray as here, and that RAY_AUTH_MODE and RAY_AUTH_TOKEN "
            "are the same."
        ) from None
    return ray


def _reach(address: str) -> None:
    """Find out quickly that nobody listens there: Ray tries for minutes, and ends the process.

    Raises:
        OSError: nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _broken(address: str, error: BaseException) -> TailorError:
    """For workers that cannot start, or cannot take what they are sent."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = (lines[-1] if lines else type(error).__name__)[:200]
    return TailorError(
        f"The workers of {address} cannot do the work ({said}): install llm-tailor[scale] in the "
        "same version on every machine of the cluster."
    )


def _no_room(address: str) -> TailorError:
    return TailorError(
        f"No worker of {address} started in {_START:.0f} s: its cores are taken by others, or "
        "their machines are gone (`ray status` there says so); try again later."
    )
