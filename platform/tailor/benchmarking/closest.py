"""The passage of a text that is closest to a quote it does not hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tailor.text import fold, nfc, words

_LEAST = 0.4
"""Share of the quote's words that a passage must hold to be worth offering."""
_LONGEST = 200
_MORE = 40
"""Characters of the same sentence that are shown on either side."""


def closest(quote: str, text: str) -> str | None:
    """The shortest stretch with most of the quote's words, not much longer than it; None if few."""
    wanted = Counter(words(fold(quote)))
    size = wanted.total() + wanted.total() // 3 + 1
    text = nfc(text)
    places = [(m.start(), m.end(), fold(m[0])) for m in re.finditer(r"\w+", text)]
    window: Counter[str] = Counter()
    shared = 0
    best = (0, 0)  # words in common, and how many fewer words lie between the first and last one
    span = (0, 0)
    for at, (_, end, word) in enumerate(places):
        if window[word] < wanted[word]:
            shared += 1
        window[word] += 1
        if at >= size:
            gone = places[at - size][2]
            window[gone] -= 1
            if window[gone] < wanted[gone]:
                shared -= 1
        if word in wanted and shared >= max(1, best[0]):
            first = next(i for i in range(max(0, at - size + 1), at + 1) if places[i][2] in wanted)
            if (shared, first - at) > best:
                best, span = (shared, first - at), (places[first][0], end)
    if not wanted or best[0] < _LEAST * wanted.total():
        return None
    start, end = span
    before = re.split(r"[.!?…]\s|\n", text[max(0, start - _MORE) : start])[-1]
    after = re.split(r"[.!?…](?:\s|$)|\n", text[end : end + _MORE])[0]
    found = " ".join(text[start - len(before) : end + len(after)].split())
    return found if len(found) <= _LONGEST else f"{found[: _LONGEST - 1]}…"


def closest_name(name: str, names: Iterable[str]) -> str | None:
    """The document whose path is most like this one."""
    from difflib import get_close_matches

    known = list(names)
    by_file = [other for other in known if other.rpartition("/")[2] == name.rpartition("/")[2]]
    return next(iter(by_file or get_close_matches(name, known, 1)), None)
