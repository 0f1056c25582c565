"""What happened while serving, in Prometheus' form; each server has figures of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from tailor.serving.card import Card

if TYPE_CHECKING:
    from tailor.assistant import Answer

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Metrics:
    """The figures of one server."""

    @cached_property
    def registry(self) -> CollectorRegistry:
        """Where the figures below are, and no others."""
        return CollectorRegistry()

    def __post_init__(self) -> None:
        """Make all figures now, so that those of nothing yet are 0 and not missing."""
        for name in ("requests", "seconds", "answers", "tokens", "cost", "retrieval", "errors"):
            getattr(self, name)
        for name in ("first", "in_flight", "swaps", "feedback", "serving"):
            getattr(self, name)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self.registry)

    def answered(self, answer: Answer) -> None:
        """Count an answer: how it ended, and what it took."""
        self.answers.labels(answer.outcome).inc()
        self.tokens.labels("input").inc(answer.input_tokens)
        self.tokens.labels("output").inc(answer.output_tokens)
        if answer.cost_usd is not None:
            self.cost.inc(answer.cost_usd)
        if answer.passages and answer.passages[0].score is not None:
            self.retrieval.observe(answer.passages[0].score)

    def takes_up(self, card: Card) -> None:
        """Tell which assistant answers from now on; the first one is no exchange."""
        if any(metric.samples for metric in self.serving.collect()):
            self.swaps.inc()
        self.serving.clear()
        self.serving.labels(card.row, card.model, card.run, card.generation or "").set(1)

    @cached_property
    def requests(self) -> Counter:
        """By route and HTTP status."""
        return Counter("tailor_requests", "Requests.", ("route", "status"), registry=self.registry)

    @cached_property
    def seconds(self) -> Histogram:
        """From a request's end to its reply's."""
        return Histogram(
            "tailor_request_seconds",
            "Seconds from a request to the end of its reply.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )

    @cached_property
    def first(self) -> Histogram:
        """Of streams."""
        return Histogram(
            "tailor_first_piece_seconds",
            "Seconds from a request to the first piece of a streamed answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    @cached_property
    def answers(self) -> Counter:
        """Refusals among them."""
        return Counter(
            "tailor_answers",
            "Answers by outcome: ok, refused, unparseable.",
            ("outcome",),
            registry=self.registry,
        )

    @cached_property
    def tokens(self) -> Counter:
        """Of the model."""
        return Counter(
            "tailor_tokens", "Tokens read and written.", ("kind",), registry=self.registry
        )

    @cached_property
    def cost(self) -> Counter:
        """Where the model's price is known."""
        return Counter("tailor_cost_usd", "US dollars that answers cost.", registry=self.registry)

    @cached_property
    def retrieval(self) -> Histogram:
        """Of the best passage."""
        return Histogram(
            "tailor_retrieval_score",
            "Score of the best passage found.",
            buckets=_SCORES,
            registry=self.registry,
        )

    @cached_property
    def errors(self) -> Counter:
        """As the clients were told them."""
        return Counter(
            "tailor_errors", "Requests refused or failed, by code.", ("code",),
            registry=self.registry,
        )  # fmt: skip

    @cached_property
    def in_flight(self) -> Gauge:
        """Answers being made or waiting."""
        return Gauge("tailor_in_flight", "Answers being made, or waiting.", registry=self.registry)

    @cached_property
    def swaps(self) -> Counter:
        """New index generations, winners and configurations."""
        return Counter(
            "tailor_swaps", "Newer assistants taken up while serving.", registry=self.registry
        )

    @cached_property
    def feedback(self) -> Counter:
        """Of people."""
        return Counter(
            "tailor_feedback", "What people said of answers.", ("rating",), registry=self.registry
        )

    @cached_property
    def serving(self) -> Gauge:
        """1 for the one that answers."""
        return Gauge(
            "tailor_serving",
            "The assistant that answers.",
            ("row", "model", "run", "generation"),
            registry=self.registry,
        )
