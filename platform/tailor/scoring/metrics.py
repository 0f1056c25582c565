"""Metrics of a text against its accepted answers, each between 0 and 1.

The best over the accepted answers, comparing tokens (see :func:`tailor.scoring.tokens.tokens`):
case, punctuation, English articles and the way a number is written make no difference, accents
and the number itself do. With ``folded`` accents make none either, for people who type without.
"""

from collections import Counter
from collections.abc import Iterable

from tailor.scoring.tokens import tokens
from tailor.text import nfc


def exact_match(text: str, accepted: Iterable[str], folded: bool = False) -> float:
    """1 when the text is an accepted answer, else 0."""
    return max((_equal(text, answer, folded) for answer in accepted), default=0.0)


def f1(text: str, accepted: Iterable[str], folded: bool = False) -> float:
    """Harmonic mean of token precision and recall (as in SQuAD, Rajpurkar et al. 2016).

    As in DROP (Dua et al. 2019), a contradicting number makes it 0: both texts hold digits and
    have no number, code or date part in common ("14 days" for "12 days").
    """
    return max((_f1(text, answer, folded) for answer in accepted), default=0.0)


def contains(text: str, accepted: Iterable[str], folded: bool = False) -> float:
    """1 when the tokens of an accepted answer stand next to each other in the text, else 0."""
    return max((_contains(text, answer, folded) for answer in accepted), default=0.0)


def _equal(text: str, answer: str, folded: bool) -> float:
    left, right = tokens(text, folded), tokens(answer, folded)
    if left or right:
        return float(left == right)
    # Nothing but punctuation on both sides: compared as it is.
    return float(nfc(text).strip() == nfc(answer).strip() != "")


def _f1(text: str, answer: str, folded: bool) -> float:
    left, right = tokens(text, folded), tokens(answer, folded)
    shared = (Counter(left) & Counter(right)).total()
    if not shared:
        return _equal(text, answer, folded)
    left_numbers, right_numbers = _with_digits(left), _with_digits(right)
    if left_numbers and right_numbers and left_numbers.isdisjoint(right_numbers):
        return 0.0
    return 2 * shared / (len(left) + len(right))


def _contains(text: str, answer: str, folded: bool) -> float:
    whole, part = tokens(text, folded), tokens(answer, folded)
    if not part:
        return _equal(text, answer, folded)
    starts = range(len(whole) - len(part) + 1)
    return float(any(whole[i : i + len(part)] == part for i in starts))


def _with_digits(of: tuple[str, ...]) -> set[str]:
    return {token for token in of if any(c.isdigit() for c in token)}
