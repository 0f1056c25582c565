"""ROUGE, BLEU and chrF of a text against its accepted answers, each between 0 and 1.

All of them see the tokens that the other metrics see (:func:`tailor.scoring.tokens.tokens`), so
accents count, and the way a number is written does not; ROUGE's own tokenizer drops letters that
are not ASCII. As accepted answers are alternatives, the best over them counts. ROUGE is counted
here, with the results of `rouge-score`, whose import takes seconds. The library for the others
loads when two texts are partly alike: equal and disjoint ones need no counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from tailor.scoring.tokens import tokens

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

Tokens = tuple[str, ...]


def rouge1(text: str, accepted: Sequence[str], folded: bool = False) -> float:
    """F-measure of words in common (ROUGE-1, Lin 2004)."""
    return _best(lambda a, b: _rouge(a, b)[0], text, accepted, folded)


def rouge2(text: str, accepted: Sequence[str], folded: bool = False) -> float | None:
    """F-measure of pairs of neighbouring words in common (ROUGE-2, Lin 2004).

    None where no accepted answer has two words, as nothing could then be in common.
    """
    pairs = [answer for answer in accepted if len(tokens(answer, folded)) > 1]
    return _best(lambda a, b: _rouge(a, b)[1], text, pairs, folded) if pairs else None


def rouge_l(text: str, accepted: Sequence[str], folded: bool = False) -> float:
    """F-measure of the longest sequence of words in common (ROUGE-L, Lin 2004)."""
    return _best(lambda a, b: _rouge(a, b)[2], text, accepted, folded)


def bleu(text: str, accepted: Sequence[str], folded: bool = False) -> float:
    """BLEU of one sentence (Papineni et al. 2002; Post 2018).

    With exponential smoothing (Chen & Cherry 2014) and no longer n-grams than the answer has.
    """
    return _best(_bleu, text, accepted, folded)


def chrf(text: str, accepted: Sequence[str], folded: bool = False) -> float:
    """chrF2: F-measure of character n-grams up to six letters (Popović 2015)."""
    return _best(_chrf, text, accepted, folded)


def _best(
    measure: Callable[[Tokens, Tokens], float], text: str, accepted: Sequence[str], folded: bool
) -> float:
    own = tokens(text, folded)
    return max((_known(measure, own, tokens(a, folded)) for a in accepted), default=0.0)


def _known(measure: Callable[[Tokens, Tokens], float], text: Tokens, answer: Tokens) -> float:
    if not text or not answer:
        return 0.0
    return 1.0 if text == answer else measure(text, answer)


@lru_cache(maxsize=8192)
def _rouge(text: Tokens, answer: Tokens) -> tuple[float, float, float]:
    if set(text).isdisjoint(answer):
        return 0.0, 0.0, 0.0
    longest = _f_measure(_longest_common(text, answer), len(text), len(answer))
    return _in_common(text, answer, 1), _in_common(text, answer, 2), longest


def _in_common(text: Tokens, answer: Tokens, n: int) -> float:
    """F-measure of n-grams, each as often as both have it."""
    own, wanted = (
        Counter(zip(*(some[at:] for at in range(n)), strict=False)) for some in (text, answer)
    )
    return _f_measure((own & wanted).total(), own.total(), wanted.total())


def _longest_common(text: Tokens, answer: Tokens) -> int:
    """Length of the longest sequence of words that both have in order."""
    row = [0] * (len(answer) + 1)
    for word in text:
        before = 0
        for at, other in enumerate(answer, 1):
            before, row[at] = row[at], before + 1 if word == other else max(row[at], row[at - 1])
    return row[-1]


def _f_measure(common: int, own: int, wanted: int) -> float:
    if not common:
        return 0.0
    precision, recall = common / own, common / wanted
    return 2 * precision * recall / (precision + recall)


@lru_cache(maxsize=8192)
def _bleu(text: Tokens, answer: Tokens) -> float:
    if set(text).isdisjoint(answer):
        return 0.0
    found = _bleu_scorer().sentence_score(" ".join(text), [" ".join(answer)])
    return min(1.0, float(found.score) / 100)


@lru_cache(maxsize=8192)
def _chrf(text: Tokens, answer: Tokens) -> float:
    if set("".join(text)).isdisjoint("".join(answer)):
        return 0.0
    found = _chrf_scorer().sentence_score(" ".join(text), [" ".join(answer)])
    return min(1.0, float(found.score) / 100)


@cache
def _bleu_scorer() -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize="none", smooth_method="exp", effective_order=True)


@cache
def _chrf_scorer() -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()
