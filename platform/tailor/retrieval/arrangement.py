"""Arrangement: which part of the documents is shown for each passage that was found, and which not.

The same functions serve the search over score matrices and the retriever, so that what is served
is what was measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from tailor.documents.lexical import folded
from tailor.retrieval.rarity import weights
from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.documents.passages import Passage
    from tailor.retrieval.configuration import Configuration, Expansion
    from tailor.retrieval.rarity import Rarity

    Floats = NDArray[np.float64]
    Vectors = NDArray[np.float32]

POOL = 20
"""Of the best candidates, so many are put into another order; the others follow as they are."""
LONGEST = 2000
"""Characters of a passage with its neighbours, at most."""
REACH = 12
"""Passages before and after one that may belong to its section."""

Around = Callable[[int], tuple[Sequence["Passage"], int]]
"""The passages around one, by its number, maybe of other documents, and which of them it is."""

_SENTENCES = re.compile(r"[^\n]+?(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|(?=\n|$))")


def diverse(relevance: Floats, vectors: Vectors, diversity: float) -> list[int]:
    """The places of candidates by maximal marginal relevance (Carbonell and Goldstein 1998).

    ``relevance`` (n,) is brought to 0..1; ``vectors`` (n, dimension) are of length 1. Each place
    maximises (1 - diversity) * relevance - diversity * the greatest cosine with those before it.
    """
    import numpy as np

    n = len(relevance)
    if not n:
        return []
    width = float(np.ptp(relevance)) or 1.0
    own = (1 - diversity) * (relevance - relevance.min()) / width
    alike = diversity * np.round(vectors.astype(np.float64) @ vectors.astype(np.float64).T, 5)
    penalty = np.zeros(n)
    out: list[int] = []
    for _ in range(n):
        best = int(np.round(own - penalty, 6).argmax())
        penalty = np.maximum(penalty, alike[best]) if out else alike[best]
        own[best] = -np.inf
        out.append(best)
    return out


def reordered(
    numbers: Sequence[int],
    scores: Floats,
    diversity: float,
    vectors: Callable[[Sequence[int]], Vectors],
) -> list[int]:
    """Passage numbers, the best first, with the first ``POOL`` made diverse."""
    if diversity <= 0:
        return list(numbers)
    pool = list(numbers[:POOL])
    order = diverse(scores[: len(pool)], vectors(pool), diversity)
    return [*(pool[at] for at in order), *numbers[POOL:]]


def shown(
    question: str, numbers: Iterable[int], how: Configuration, around: Around, rarity: Rarity
) -> Iterator[tuple[int, str, int, int]]:
    """Number, document, start and end of what is shown, the best first.

    What lies wholly within something shown before is left out.
    """
    asked = weights(question, rarity) if how.compression else {}
    before: list[tuple[str, int, int]] = []
    for number in numbers:
        near, at = around(number)
        start, end = widened(near, at, how.expansion)
        document = near[at].document
        if how.compression:
            own = [passage for passage in near if passage.document == document]
            start, end = compressed(own, start, end, asked, how.compression)
        if not any(d == document and s <= start and end <= e for d, s, e in before):
            before.append((document, start, end))
            yield number, document, start, end


def widened(near: Sequence[Passage], at: int, expansion: Expansion) -> tuple[int, int]:
    """Start and end of a passage with its neighbours, within ``LONGEST`` characters.

    ``neighbours`` takes one on each side, the following first; ``section`` all of the same place,
    outwards from the passage.
    """
    own = near[at]
    start, end = own.start, own.end
    if expansion == "none":
        return start, end
    open_ends = {1, -1}
    for step in range(1, 2 if expansion == "neighbours" else len(near)):
        for side in sorted(open_ends, reverse=True):
            place = at + side * step
            if not 0 <= place < len(near):
                open_ends.discard(side)
                continue
            other = near[place]
            first, last = min(start, other.start), max(end, other.end)
            inside = other.document == own.document
            inside &= expansion == "neighbours" or other.place == own.place
            if inside and last - first <= LONGEST:
                start, end = first, last
            else:
                open_ends.discard(side)
    return start, end


def compressed(
    near: Sequence[Passage], start: int, end: int, asked: Mapping[str, float], share: float
) -> tuple[int, int]:
    """The span from the first to the last sentence that matches the question.

    ``asked`` holds what its words weigh; see :func:`~tailor.retrieval.rarity.weights`.
    A sentence matches that holds at least this share of the weight, by rarity, of the question's
    words that the best one holds. Without any match it stays as it is. All passages ``near`` are of
    one document.
    """
    text = _text(near, start, end)
    found = [
        (first, last, sum(weight for word, weight in asked.items() if word in sentence))
        for first, last, sentence in _sentences(text)
    ]
    best = max((weight for _, _, weight in found), default=0.0)
    kept = [(first, last) for first, last, weight in found if best and weight >= share * best]
    if not kept:
        return start, end
    first, last = kept[0][0], kept[-1][1]
    piece = text[first:last]
    return start + first + len(piece) - len(piece.lstrip()), start + first + len(piece.rstrip())


def cut_out(passage: Passage, text: str | None, start: int, end: int) -> Passage:
    """The passage with another span of its document; as it was where that has changed since."""
    if (start, end) == (passage.start, passage.end):
        return passage
    if text is None or text[passage.start : passage.end] != passage.text:
        return passage
    return replace(passage, start=start, end=end, text=text[start:end])


@lru_cache(maxsize=2048)  # a search cuts the same passages for many questions
def _sentences(text: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
    """Start, end and folded words of each sentence."""
    return tuple(
        (*match.span(), frozenset(map(folded, words(match[0]))))
        for match in _SENTENCES.finditer(text)
        if match[0].strip()
    )


def _text(near: Sequence[Passage], start: int, end: int) -> str:
    """The text of a span as its passages have it; what lies between them as line ends."""
    out = ["\n"] * (end - start)
    for passage in near:
        first, last = max(start, passage.start), min(end, passage.end)
        if first < last:
            out[first - start : last - start] = passage.text[
                first - passage.start : last - passage.start
            ]
    return "".join(out)
