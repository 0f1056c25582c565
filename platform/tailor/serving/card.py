"""The served model card: what is served, how well it scored, and what it costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailor.run import Run


@dataclass(frozen=True)
class Card:
    """What is known of the assistant that is served; None and empty where it was not run."""

    row: str
    model: str
    fingerprint: str
    """Of the assistant."""
    generation: str | None = None
    """Of the index, where the assistant retrieves."""
    run: str = ""
    benchmark: str = ""
    """Digest of the benchmark it was scored on."""
    split: str = "test"
    metric: str = ""
    """The one rows are compared by."""
    score: float | None = None
    ci95: tuple[float, float] | None = None
    n: int = 0
    """Questions scored."""
    cost_per_1000_usd: float | None = None
    latency_p95_s: float | None = None
    stale: str = ""
    """Why the score is not of today's workspace."""

    def to_json(self) -> dict[str, Any]:
        """As ``/v1/models`` has it."""
        return asdict(self)


def card(row: str, model: str, fingerprint: str, generation: str | None, run: Run | None) -> Card:
    """The card of an assistant, with the scores of its run."""
    from tailor.run import compare

    if run is None:
        return Card(row, model, fingerprint, generation)
    compared = compare([run])
    scored = compared.rows[0].to_json()
    primary = scored["metrics"].get(scored["primary"]) or {}
    interval = primary.get("ci95")
    return Card(
        row,
        model,
        fingerprint,
        generation,
        run=run.id,
        benchmark=compared.digest,
        split=compared.split,
        metric=scored["primary"],
        score=primary.get("mean"),
        ci95=(interval[0], interval[1]) if interval else None,
        n=scored["scored"],
        cost_per_1000_usd=scored["cost_per_1000_usd"],
        latency_p95_s=scored["latency_s"]["p95"],
        stale=run.stale(),
    )
