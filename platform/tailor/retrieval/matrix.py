"""Score matrices: what both searches say of each question's candidates, computed once a chunking.

Every configuration over the same passages is then a matter of array arithmetic: no question is
searched twice, and no model is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tailor.documents.lexical import Forms, question_tokens
from tailor.documents.passages import Passage
from tailor.retrieval.arrangement import reordered, shown
from tailor.retrieval.corpus import Corpus
from tailor.retrieval.features import features
from tailor.retrieval.ranking import Candidates, top
from tailor.retrieval.reranker import Reranker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.retrieval.configuration import Configuration

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

Span = tuple[str, int, int]
WordSearch = tuple[Forms, float]
"""What the scores of a word search depend on: forms of words, and the weight of headings."""
_Words = tuple[tuple[str, ...], float]


@dataclass(frozen=True)
class Matrix:
    """The candidates of each question in one corpus; rows are questions, padded on the right."""

    corpus: Corpus
    questions: Sequence[str]
    numbers: NDArray[np.int64]
    """(questions, candidates); -1 is padding."""
    cosines: Floats
    near: Flags
    """Which candidates are among the nearest."""
    lexical: Mapping[WordSearch, Floats]
    said: Mapping[WordSearch, Flags]
    """Which are among the best by words."""
    lengths: Floats
    """Characters."""
    asked: NDArray[np.int64]
    """(spans,): the question that each span of evidence answers."""
    holds: Flags
    """(spans, candidates): whether a candidate of that question holds the span."""
    spans: Sequence[Sequence[Span]]
    """The evidence of each question."""

    def candidates(self, configuration: Configuration) -> Candidates:
        """The candidates this configuration would have, (questions, n); others are padding."""
        import numpy as np

        search = (configuration.forms, configuration.headings)
        kept = np.zeros(self.numbers.shape, dtype=bool)
        lexical, cosines = np.zeros(kept.shape), np.full(kept.shape, -1.0)
        if configuration.weight > 0 or configuration.reranker:
            kept |= self.said[search]
        if configuration.weight < 1 or configuration.reranker:
            kept |= self.near
            cosines = np.where(kept, self.cosines, -1.0)
        if configuration.weight > 0 or configuration.reranker:
            lexical = np.where(kept, self.lexical[search], 0.0)
        return Candidates(np.where(kept, self.numbers, -1), lexical, cosines)

    def quality(
        self, configuration: Configuration, budget: int, reranker: Reranker | None = None
    ) -> Floats:
        """How well each question's evidence is ranked, between 0 and 1, (questions,).

        The mean over its pieces of 1 / log2(1 + rank), which is DCG's discount (Järvelin and
        Kekäläinen 2002), 0 for a piece whose passage does not fit into ``budget`` characters
        together with those before it: so chunkings are compared by the same length of text.
        """
        scores = self.scores(configuration, reranker)
        if configuration.arranges:
            return self._arranged(configuration, scores, budget)
        return self._gained(scores, budget)

    def qualities(self, configurations: Sequence[Configuration], budget: int) -> list[Floats]:
        """As :meth:`quality`, of configurations that neither rerank nor arrange, in their order.

        What does not depend on the weight is computed once for all that differ in it alone.
        """
        alike: defaultdict[tuple[object, ...], list[Configuration]] = defaultdict(list)
        for one in configurations:
            both = one.weight > 0, one.weight < 1
            alike[one.forms, one.headings, one.fusion, both].append(one)
        found: dict[Configuration, Floats] = {}
        for own in alike.values():
            weights = [one.weight for one in own]
            rankings = self.candidates(own[0]).rankings(own[0].fusion, weights)
            found |= {
                one: self._gained(scores, budget) for one, scores in zip(own, rankings, strict=True)
            }
        return [found[one] for one in configurations]

    def _gained(self, scores: Floats, budget: int) -> Floats:
        """:meth:`quality` by the candidates' scores: nothing is sorted.

        Of the passages that hold a piece only the best counts, so it is enough to count those
        above it, and their characters.
        """
        import numpy as np

        if not scores.size:
            return np.zeros(len(self.questions))
        columns = np.arange(scores.shape[1])
        every = scores[self.asked]
        holding = np.where(self.holds, every, -1.0)
        best = holding.argmax(axis=1)[:, None]
        own = np.take_along_axis(holding, best, axis=1)
        until = (every > own) | ((every == own) & (columns <= best))
        place = until.sum(axis=1)
        used = (until * self.lengths[self.asked]).sum(axis=1)
        fits = (own[:, 0] >= 0) & ((used <= budget) | (place == 1))
        gains = np.where(fits, 1 / np.log2(1 + place), 0.0)
        total = np.bincount(self.asked, gains, minlength=len(self.questions))
        return np.asarray(total / np.maximum(self.pieces, 1))

    def _arranged(self, configuration: Configuration, scores: Floats, budget: int) -> Floats:
        """As :meth:`quality`, of what is shown of each question's passages."""
        import numpy as np

        out = np.zeros(len(self.questions))
        for row, wanted in enumerate(self.spans):
            gains = dict.fromkeys(wanted, 0.0)
            used = 0
            for place, (_, document, start, end) in enumerate(
                self.shown(row, configuration, scores[row]), 1
            ):
                used += end - start
                if used > budget and place > 1:
                    break
                for span in gains:
                    if not gains[span] and _holds(document, start, end, span):
                        gains[span] = 1 / np.log2(1 + place)
                if all(gains.values()):
                    break
            out[row] = sum(gains.values()) / max(1, len(gains))
        return out

    def shown(
        self, row: int, configuration: Configuration, scores: Floats
    ) -> Iterator[tuple[int, str, int, int]]:
        """Number, document, start and end of what is shown for a question, the best first."""
        import numpy as np

        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= 0]
        numbers = reordered(
            self.numbers[row, order].tolist(),
            scores[order],
            configuration.diversity,
            lambda some: self.corpus.vectors[list(some)],
        )
        corpus = self.corpus
        return shown(
            self.questions[row], numbers, configuration, corpus.around, corpus.lexical.rarity
        )

    @cached_property
    def pieces(self) -> NDArray[np.int64]:
        """How many pieces of evidence each question has."""
        import numpy as np

        return np.bincount(self.asked, minlength=len(self.questions))

    def scores(self, configuration: Configuration, reranker: Reranker | None = None) -> Floats:
        """The score of each candidate, (questions, candidates); below 0 where it is none."""
        import numpy as np

        found = self.candidates(configuration)
        if reranker is None:
            return found.ranked(configuration)
        scores = np.full(self.numbers.shape, -1.0)
        for row, rows in enumerate(self.rows):
            kept = self._reranked[row]
            # Any order-keeping map into 0..1 will do, so that padding stays below.
            scores[row, kept] = 1 / (1 + np.exp(-np.clip(reranker.scores(rows), -30, 30)))
        return scores

    @cached_property
    def _reranked(self) -> Sequence[NDArray[np.int64]]:
        """Which candidates a reranker sees: those of the default search, by question."""
        import numpy as np

        kept = self.said["both", 0.0] | self.near
        return [np.flatnonzero(row) for row in kept]

    @cached_property
    def rows(self) -> Sequence[Floats]:
        """The features of the candidates a reranker sees, by question."""
        lexical = self.lexical["both", 0.0]
        found: list[Floats] = []
        for row, kept in enumerate(self._reranked):
            numbers = self.numbers[row, kept]
            candidates = Candidates(numbers, lexical[row, kept], self.cosines[row, kept])
            words = self.corpus.words(numbers.tolist())
            found.append(
                features(self.questions[row], candidates, words, self.corpus.lexical.rarity)
            )
        return found

    def examples(self) -> list[tuple[Floats, Flags]]:
        """What a reranker learns from: features, and which candidates hold evidence."""
        import numpy as np

        right = np.zeros(self.numbers.shape, dtype=bool)
        np.logical_or.at(right, self.asked, self.holds)
        return [
            (rows, right[row, kept])
            for row, (rows, kept) in enumerate(zip(self.rows, self._reranked, strict=True))
            if len(kept)
        ]

    def part(self, wanted: Sequence[int]) -> Matrix:
        """The same for some of the questions, by number."""
        import numpy as np

        at = np.array(wanted, dtype=np.int64)
        place = {number: row for row, number in enumerate(wanted)}
        kept = np.array([number in place for number in self.asked], dtype=bool)
        return replace(
            self,
            questions=[self.questions[number] for number in wanted],
            numbers=self.numbers[at],
            cosines=self.cosines[at],
            near=self.near[at],
            lexical={key: value[at] for key, value in self.lexical.items()},
            said={key: value[at] for key, value in self.said.items()},
            lengths=self.lengths[at],
            asked=np.array([place[number] for number in self.asked[kept]], dtype=np.int64),
            holds=self.holds[kept],
            spans=[self.spans[number] for number in wanted],
        )


def matrix(
    corpus: Corpus,
    questions: Sequence[str],
    vectors: NDArray[np.float32],
    spans: Sequence[Sequence[Span]],
    searches: Sequence[WordSearch] = (("both", 0.0),),
    n: int = 50,
) -> Matrix:
    """Score every question against every passage once, and keep the ``n`` best of each search.

    ``vectors`` are the questions' unit vectors, (questions, dimension).
    """
    import numpy as np

    searches = list(dict.fromkeys([("both", 0.0), *searches]))
    # One product for all questions: one for each would wait for its threads every time.
    cosines = np.asarray(vectors, dtype=np.float32) @ corpus.vectors.T
    found = [
        _row(corpus, question, near if vector.any() else None, searches, n)
        for question, vector, near in zip(questions, vectors, cosines, strict=True)
    ]
    width = max((len(row.numbers) for row in found), default=0)

    def padded(values: Sequence[NDArray[Any]], fill: float) -> Floats:
        out = np.full((len(found), width), fill)
        for row, value in enumerate(values):
            out[row, : len(value)] = value
        return out

    numbers = padded([row.numbers for row in found], -1).astype(np.int64)
    sizes = np.array([len(passage.text) for passage in corpus.passages])
    asked, holds = _holding(corpus.passages, numbers, spans)
    return Matrix(
        corpus=corpus,
        questions=questions,
        numbers=numbers,
        cosines=padded([row.cosines for row in found], -1.0),
        near=padded([row.near for row in found], 0).astype(bool),
        lexical={s: padded([row.lexical[s] for row in found], 0.0) for s in searches},
        said={s: padded([row.said[s] for row in found], 0).astype(bool) for s in searches},
        lengths=np.where(numbers < 0, 0, sizes[numbers]).astype(np.float64),
        asked=asked,
        holds=holds,
        spans=spans,
    )


@dataclass(frozen=True)
class _Row:
    """One question's candidates."""

    numbers: NDArray[np.int64]
    cosines: Floats
    near: Flags
    lexical: Mapping[WordSearch, Floats]
    said: Mapping[WordSearch, Flags]


def _row(
    corpus: Corpus,
    question: str,
    nearness: NDArray[np.float32] | None,
    searches: Sequence[WordSearch],
    n: int,
) -> _Row:
    """``nearness`` are the cosines of all passages; None: the question has no direction."""
    import numpy as np

    cosines = np.full(len(corpus.passages), -1.0)
    near = np.empty(0, dtype=np.int64)
    if nearness is not None:
        cosines = nearness.astype(np.float64)
        near = top(np.round(cosines, 6) + 1 + 1e-12, n)
    keys, lexical = _by_words(corpus, question, searches)
    said = {key: top(scores, n) for key, scores in lexical.items()}
    kept = np.zeros(len(cosines), dtype=bool)
    for best in (near, *said.values()):
        kept[best] = True
    numbers = np.flatnonzero(kept)

    def among(best: NDArray[np.int64]) -> Flags:
        flags = np.zeros(len(numbers), dtype=bool)
        flags[np.searchsorted(numbers, best)] = True
        return flags

    scores = {key: every[numbers] for key, every in lexical.items()}
    flags = {key: among(best) for key, best in said.items()}
    return _Row(
        numbers,
        cosines[numbers],
        among(near),
        {search: scores[key] for search, key in keys.items()},
        {search: flags[key] for search, key in keys.items()},
    )


def _by_words(
    corpus: Corpus, question: str, searches: Sequence[WordSearch]
) -> tuple[dict[WordSearch, _Words], dict[_Words, Floats]]:
    """Each search's words with their weight in headings, and what these say of every passage.

    Without accents in the question two forms of its words are the same search.
    """
    import numpy as np

    words = {forms: tuple(question_tokens(question, forms)) for forms, _ in searches}
    keys = {(forms, weight): (words[forms], weight) for forms, weight in searches}
    forms_of = {own: forms for forms, own in words.items()}
    text = {
        own: corpus.lexical.scores(question, forms).astype(np.float64)
        for own, forms in forms_of.items()
    }
    weighs = any(weight for _, weight in searches)
    named = {
        own: corpus.headings.scores(question, forms) for own, forms in forms_of.items() if weighs
    }
    lexical = {
        (own, weight): text[own] + weight * named[own] if weight else text[own]
        for own, weight in dict.fromkeys(keys.values())
    }
    return keys, lexical


def _holding(
    passages: Sequence[Passage], numbers: NDArray[np.int64], spans: Sequence[Sequence[Span]]
) -> tuple[NDArray[np.int64], Flags]:
    """The question of each span, and which candidates hold at least half of it by themselves."""
    import numpy as np

    of_document: dict[str, list[int]] = defaultdict(list)
    for number, passage in enumerate(passages):
        of_document[passage.document].append(number)
    asked: list[int] = []
    holds: list[Flags] = []
    for row, own in enumerate(spans):
        for span in dict.fromkeys(own):
            document = span[0]
            holding = [
                number
                for number in of_document[document]
                if _holds(document, passages[number].start, passages[number].end, span)
            ]
            asked.append(row)
            holds.append(np.isin(numbers[row], holding))
    shape = (len(holds), numbers.shape[1])
    return np.array(asked, dtype=np.int64), np.array(holds, dtype=bool).reshape(shape)


def _holds(document: str, start: int, end: int, span: Span) -> bool:
    """Whether a stretch of a document holds at least half of a span."""
    where, first, last = span
    return document == where and 2 * (min(end, last) - max(start, first)) >= max(1, last - first)
