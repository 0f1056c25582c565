"""Where work is done: in this process, or on the workers of a Ray cluster.

What asks a model, embeds or reads looks here each time, and sends its values away where a cluster
is connected. Only values travel: what a :class:`Job` needs is made on the worker, once. Results
come back to this process, which alone writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tailor.scale.cluster import Cluster


@dataclass(frozen=True, eq=False)
class Job:
    """One kind of work; ``make`` must be something that can be pickled."""

    make: Callable[[], Callable[[Any], Any]]
    """Called once on each worker; gives what is called with each value."""
    kind: Literal["compute", "model", "hosted"] = "compute"
    """``compute`` has a core to itself; ``model`` a GPU, where the cluster has any, else a core;
    ``hosted`` waits for somebody else's server."""
    side_by_side: int = 1
    """Values that a worker takes at once."""
    environment: tuple[str, ...] = ()
    """Names of this process's environment variables that the worker is given."""


class Place:
    """Here, until :meth:`on` connects a cluster."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None

    @contextmanager
    def on(self, address: str, told: Callable[[str], None] | None = None) -> Iterator[None]:
        """Send work to a cluster inside the block: ``ray``, ``ray://HOST:PORT`` or ``HOST:PORT``.

        With ``ray`` a cluster of this machine's cores is started, and ended after the block. An
        empty address changes nothing. ``told`` hears a sentence about the cluster.

        Raises:
            TailorError: Ray is not installed, or the cluster cannot be reached.
        """
        if not address:
            yield
            return
        from tailor.scale.cluster import Cluster

        before = self.cluster
        self.cluster = Cluster(address)
        try:
            if told is not None:
                told(self.cluster.sentence)
            yield
        finally:
            connected, self.cluster = self.cluster, before
            connected.close()

    def away(self, job: Job, value: Any) -> Any:
        """What a worker makes of a value; only where there is a cluster.

        Raises:
            TailorError: no worker can do the job.
            Exception: whatever the work raised there.
        """
        assert self.cluster is not None
        return self.cluster.do(job, value)

    def width(self, job: Job) -> int:
        """How many values the workers take at once; 0 where there is no cluster."""
        return self.cluster.width(job) if self.cluster is not None else 0
