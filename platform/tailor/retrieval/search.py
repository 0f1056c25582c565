"""Retrieval search: which configuration ranks the evidence of the dev questions best.

All configurations are measured from score matrices, without asking any model. The choice is the
simplest configuration in a tie with the best: within one standard error of the paired difference
(Breiman et al. 1984), and within one point; and never one that is worse than the plain search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from tailor.documents.lexical import Forms
from tailor.documents.passages import Splitter
from tailor.retrieval.configuration import Configuration, Expansion, Fusion
from tailor.retrieval.matrix import Matrix, WordSearch
from tailor.retrieval.reranker import Reranker, learn
from tailor.scale.mapped import mapped
from tailor.trial import TIE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Chunking = tuple[Splitter, str]
"""How documents are cut, and the embedder, as tailor.toml writes it."""

FORMS: tuple[Forms, ...] = ("both", "written", "folded")
FUSIONS: tuple[Fusion, ...] = ("scores", "ranks")


@dataclass(frozen=True)
class Space:
    """What is tried for every chunking."""

    weights: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    headings: tuple[float, ...] = (0.0, 0.5, 1.0)
    forms: tuple[Forms, ...] = FORMS
    fusions: tuple[Fusion, ...] = FUSIONS
    rerank: bool = True
    """Whether a reranker is trained, for the chunkings that do best without one."""
    diversities: tuple[float, ...] = (0.0, 0.2, 0.4)
    expansions: tuple[Expansion, ...] = ("none", "neighbours", "section")
    compressions: tuple[float, ...] = (0.0, 0.3)
    """These three are tried for the configurations that do best without them."""

    @property
    def searches(self) -> list[WordSearch]:
        """The word searches that score matrices must hold."""
        return list(product(self.forms, self.headings))

    def configurations(self, plain: Configuration) -> Iterator[Configuration]:
        """All ways of searching in the passages of ``plain``, each once."""
        seen = set()
        for weight, headings, forms, fusion in product(
            self.weights, self.headings, self.forms, self.fusions
        ):
            one = replace(plain, weight=weight, headings=headings, forms=forms, fusion=fusion)
            if weight == 0:
                one = replace(one, headings=0.0, forms="both", fusion="scores")
            if weight == 1:
                one = replace(one, fusion="scores")
            if one not in seen:
                seen.add(one)
                yield one

    def arrangements(self, base: Configuration) -> list[list[Configuration]]:
        """The other values of each setting that says what is shown of ``base``'s ranking."""
        return [
            [replace(base, diversity=value) for value in self.diversities if value],
            [replace(base, expansion=value) for value in self.expansions if value != "none"],
            [replace(base, compression=value) for value in self.compressions if value],
        ]


@dataclass(frozen=True, eq=False)
class Tried:
    """A configuration with the quality of each dev question, in order."""

    configuration: Configuration
    values: Floats
    reranker: Reranker | None = None

    @property
    def mean(self) -> float:
        """The mean quality."""
        return float(self.values.mean()) if len(self.values) else 0.0


@dataclass(frozen=True)
class Search:
    """What was tried, and what was chosen."""

    plain: Tried
    chosen: Tried
    best: Tried
    tried: tuple[Tried, ...]
    """The best first."""

    def matters(self) -> dict[str, dict[str, float]]:
        """For each setting the best quality with each of its values, by setting and value."""
        found: dict[str, dict[str, float]] = {}
        for one in self.tried:
            for name, value in _values(one.configuration).items():
                best = found.setdefault(name, {})
                best[value] = max(best.get(value, 0.0), one.mean)
        return {name: values for name, values in found.items() if len(values) > 1}


def _values(configuration: Configuration) -> dict[str, str]:
    splitter = configuration.splitter
    return {
        "size": str(splitter.size),
        "strategy": splitter.strategy,
        "embedder": configuration.embedder,
        "weight": str(configuration.weight),
        "fusion": configuration.fusion,
        "forms": configuration.forms,
        "headings": str(configuration.headings),
        "reranker": configuration.reranker or "none",
        "diversity": str(configuration.diversity),
        "expansion": configuration.expansion,
        "compression": str(configuration.compression),
    }


@dataclass(frozen=True, eq=False)
class Measured:
    """One chunking: its dev and train matrices, and each configuration's quality, (questions,)."""

    dev: Matrix
    train: Matrix | None
    qualities: Sequence[Floats]


def measured(
    pair: tuple[Matrix, Matrix | None], configurations: Sequence[Configuration], budget: int
) -> Measured:
    """The configurations on the dev matrix of the pair."""
    dev, train = pair
    return Measured(dev, train, dev.qualities(configurations, budget))


def search(
    matrices: Mapping[Chunking, Callable[[], Any]],
    plain: Configuration,
    space: Space,
    budget: int,
    rerankers: int = 2,
    finalists: int = 3,
    told: Callable[[str, int, int], None] | None = None,
    measure: Callable[[Any, Sequence[Configuration], int], Measured] = measured,
    width: int = 1,
) -> Search:
    """Try every configuration of the space on every chunking.

    Args:
        matrices: what makes the dev and the train matrix of a chunking; that of ``plain`` is among
            them. Without a train matrix no reranker is learnt.
        plain: the configuration that is replaced only by a better one.
        space: what is tried.
        budget: characters of passages by which rankings are compared.
        rerankers: how many chunkings, the best ones, a reranker is trained for.
        finalists: how many configurations, the best ones, other arrangements are tried for.
        told: hears what is done, how much of it, and of how much.
        measure: takes what ``matrices`` made, the configurations and the budget.
        width: how many chunkings are measured side by side.
    """
    tried: list[Tried] = []
    made: dict[Chunking, tuple[Matrix, Matrix | None]] = {}
    wanted = {
        chunking: [
            *space.configurations(replace(plain, splitter=chunking[0], embedder=chunking[1]))
        ]
        for chunking in matrices
    }
    pairs = ((chunking, make()) for chunking, make in matrices.items())
    found = mapped(lambda own: measure(own[1], wanted[own[0]], budget), pairs, width)
    for n, ((chunking, _), own) in enumerate(found, 1):
        made[chunking] = own.dev, own.train
        tried += map(Tried, wanted[chunking], own.qualities)
        if told:
            told("search", n, len(matrices))
    first = next((one for one in tried if one.configuration == plain), None)
    if first is None:  # its weight need not be among those tried
        dev, _ = made[plain.splitter, plain.embedder]
        first = Tried(plain, dev.quality(plain, budget))
        tried.append(first)
    if space.rerank:
        best = sorted(made, key=lambda chunking: -_best_of(tried, chunking))[:rerankers]
        for n, chunking in enumerate(best, 1):
            tried += _reranked(chunking, *made[chunking], plain, budget)
            if told:
                told("rerank", n, len(best))
    _sort(tried, plain)
    # The plain search is among them, so that one setting more can be the simplest that is better.
    leading = list(dict.fromkeys([*tried[:finalists], choose(tried, first), first]))
    for n, one in enumerate(leading, 1):
        dev = made[one.configuration.splitter, one.configuration.embedder][0]
        tried += _arranged(one, dev, space, budget)
        if told:
            told("arrange", n, len(leading))
    _sort(tried, plain)
    return Search(first, choose(tried, first), tried[0], tuple(tried))


def _sort(tried: list[Tried], plain: Configuration) -> None:
    tried.sort(key=lambda one: (-round(one.mean, 9), _complexity(one.configuration, plain)))


def _arranged(base: Tried, dev: Matrix, space: Space, budget: int) -> list[Tried]:
    """Each arrangement alone, then the best of each setting together where it helps."""

    def tried(how: Configuration) -> Tried:
        return Tried(how, dev.quality(how, budget, base.reranker), base.reranker)

    out: list[Tried] = []
    joined = base.configuration
    helping = 0
    for values in space.arrangements(base.configuration):
        own = [tried(how) for how in values]
        out += own
        best = max(own, key=lambda one: one.mean, default=base)
        if best.mean > base.mean:
            how, helping = best.configuration, helping + 1
            changes = how.changes(base.configuration)
            joined = replace(joined, **changes)
    return [*out, tried(joined)] if helping > 1 else out


def _best_of(tried: Sequence[Tried], chunking: Chunking) -> float:
    return max(
        one.mean
        for one in tried
        if (one.configuration.splitter, one.configuration.embedder) == chunking
    )


def _reranked(
    chunking: Chunking, dev: Matrix, train: Matrix | None, plain: Configuration, budget: int
) -> Iterator[Tried]:
    reranker = learn(train.examples()) if train is not None else None
    if reranker is not None:
        one = replace(plain, splitter=chunking[0], embedder=chunking[1], reranker="learned")
        yield Tried(one, dev.quality(one, budget, reranker), reranker)


def choose(tried: Sequence[Tried], plain: Tried) -> Tried:
    """The simplest of those in a tie with the best; ``plain`` unless that is better."""
    best = tried[0]
    close = [one for one in tried if best.mean - one.mean <= min(TIE, _error(best, one)) + 1e-12]
    chosen = min(
        close, key=lambda one: (_complexity(one.configuration, plain.configuration), -one.mean)
    )
    return chosen if chosen.mean >= plain.mean else plain


def _error(one: Tried, other: Tried) -> float:
    """The standard error of the mean paired difference."""
    difference = one.values - other.values
    n = len(difference)
    return float(difference.std(ddof=1) / n**0.5) if n > 1 else 0.0


def _complexity(configuration: Configuration, plain: Configuration) -> int:
    """How many settings differ from the plain search; what is learnt or asked counts as two."""
    changes: dict[str, Any] = configuration.changes(plain)
    return len(changes) + ("reranker" in changes) + ("rewriting" in changes)
