"""The leakage guard: whether a question to learn from gives away one that scores are told on.

A leak is near-identical text, or the same question with the same answer or evidence. Train and
test may well ask alike of different documents: what the FrostBox 40 weighs gives nothing away
about the FrostBox 120.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tailor.benchmarking.alike import Alike, Match
from tailor.benchmarking.facts import Shared, shared
from tailor.benchmarking.finding import HOW
from tailor.errors import TailorError
from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    from tailor.benchmark import Question, Split
    from tailor.workspace import Workspace

Kind = Literal[
    "exact", "unicode", "case", "spacing", "accents", "order", "overlap", "near", "fact", "meaning"
]
FORMS: dict[Kind, Callable[[str], object]] = {
    "exact": lambda text: text,
    "unicode": nfc,
    "case": lambda text: nfc(text).casefold(),
    "spacing": lambda text: tuple(words(text)),
    "accents": lambda text: tuple(words(fold(text))),
    "order": lambda text: tuple(sorted(words(fold(text)))),
}
"""By which form two texts are the same, the strictest first."""

LONG_RUN, SHORT_RUN = 13, 8
"""Shared words in a row: 13 as in lm-evaluation-harness, 8 where the question is shorter."""
NEAR, NEAR_ALONE = 0.5, 0.9
"""Share of letter 4-grams that is a leak with the same answer, and whatever the answer."""
MEANING, MEANING_ELSEWHERE, MEANING_ALONE = 0.4, 0.65, 0.8
"""Cosine that is a leak with the same answer; with the same answer and evidence of their own; and
where the answers say nothing, since the documents hold none or since it is a frequent one."""
FREQUENT = 0.01
"""Share of the held-out questions from which their answer says nothing, as with yes or a label."""


@dataclass(frozen=True)
class Leak:
    """An item that gives away a held-out question, and how."""

    item: Question
    held: Question
    kind: Kind

    def __str__(self) -> str:
        return f"{self.item.id} asks {self.held.split} question {self.held.id} {HOW[self.kind][0]}"


class Guard:
    """Held-out questions, and what would give them away; safe to use from several threads.

    ``items`` says that they stand for numbers or labels: many are alike without giving one another
    away, and that their answers are the same says little.

    Raises:
        TailorError: the shipped encoder cannot be loaded.
    """

    def __init__(self, held: Iterable[Question], items: bool = False) -> None:
        self.held = tuple(held)
        self.items = items
        self._told: dict[tuple[Question, ...], list[Leak | None]] = {}
        self._alike = Alike([q.question for q in self.held])
        self._forms: dict[Kind, dict[object, int]] = {
            kind: {form(q.question): at for at, q in enumerate(self.held)}
            for kind, form in FORMS.items()
        }
        self._asked = [words(fold(q.question)) for q in self.held]
        self._runs: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, asked in enumerate(self._asked):
            for run in _runs(asked, _length(asked)):
                self._runs[run].append(at)
        self._about: defaultdict[str, set[int]] = defaultdict(set)
        for at, q in enumerate(self.held):
            for evidence in q.evidence:
                self._about[nfc(evidence.document)].add(at)
        self._frequent = _frequent(self.held)
        self._lengths = sorted({len(run) for run in self._runs}, reverse=True)

    def leaks(self, items: Sequence[Question]) -> list[Leak]:
        """The plainest leak of each item that has one, in the items' order."""
        if not self.held or not items:
            return []
        if tuple(items) not in self._told:  # several stages learn from the same items
            meaning = self._alike.by_meaning([item.question for item in items], MEANING)
            self._told[tuple(items)] = [
                self._leak(item, alike) for item, alike in zip(items, meaning, strict=True)
            ]
        found = zip(items, self._told[tuple(items)], strict=True)
        return [replace(leak, item=item) for item, leak in found if leak is not None]

    def _leak(self, item: Question, meaning: Sequence[Match]) -> Leak | None:
        checks = (self._by_form, self._by_run, self._by_letters, self._by_fact)
        leak = next((leak for check in checks if (leak := check(item))), None)
        return leak or self._by_meaning(item, meaning)

    def _by_form(self, item: Question) -> Leak | None:
        for kind, known in self._forms.items():
            if (at := known.get(FORMS[kind](item.question))) is not None:
                return Leak(item, self.held[at], kind)
        return None

    def _by_run(self, item: Question) -> Leak | None:
        said = words(fold(" ".join((item.question, *item.answers))))
        for length in self._lengths:
            for at in (at for run in _runs(said, length) for at in self._runs.get(run, ())):
                asked = self._asked[at]
                whole = len(asked) >= SHORT_RUN and tuple(asked) in _runs(said, len(asked))
                if whole or self._shared(item, at) in ("fact", "answer"):
                    return Leak(item, self.held[at], "overlap")
        return None

    def _by_letters(self, item: Question) -> Leak | None:
        for at, similarity in self._alike.by_letters(item.question, NEAR):
            held = self.held[at]
            alone = similarity >= NEAR_ALONE and _same_numbers(item, held)
            if alone or self._shared(item, at) in ("fact", "answer"):
                return Leak(item, held, "near")
        return None

    def _by_fact(self, item: Question) -> Leak | None:
        about = {at for e in item.evidence for at in self._about.get(nfc(e.document), ())}
        for at in sorted(about):
            if self._shared(item, at) == "fact":
                return Leak(item, self.held[at], "fact")
        return None

    def _by_meaning(self, item: Question, alike: Sequence[Match]) -> Leak | None:
        for at, cosine in alike:
            held = self.held[at]
            if item.answerable != held.answerable:
                continue
            common = self._shared(item, at) if held.answerable else "nothing"
            if self.items and common is not None:
                common = "nothing"
            if common is None or cosine < _LEAST[common]:
                continue
            if common != "nothing" or _same_numbers(item, held):
                return Leak(item, held, "meaning")
        return None

    def _shared(self, item: Question, at: int) -> Shared | Literal["nothing"] | None:
        """What an item and a held-out question have in common that could give it away."""
        held = self.held[at]
        found = shared(item, held)
        if found in (None, "fact") or _plain(held.answers[0]) not in self._frequent:
            return found
        return "nothing"


def sift(
    workspace: Workspace, user: str, items: Sequence[Question], *against: Split
) -> tuple[Question, ...]:
    """The items that give away no question of these splits; the others are named in a note.

    Whatever is learned or tuned from goes through here.

    Raises:
        TailorError: the guard cannot do its work, so that nothing may be used.
    """
    leaking = {id(leak.item) for leak in found_leaks(workspace, user, items, *against)}
    return tuple(item for item in items if id(item) not in leaking)


def found_leaks(
    workspace: Workspace, user: str, items: Sequence[Question], *against: Split
) -> list[Leak]:
    """The leaks that :func:`sift` leaves out, each named in a note.

    Raises:
        TailorError: the guard cannot do its work, so that nothing may be used.
    """
    try:
        leaks = workspace.guard(*against).leaks(items)
    except Exception as error:  # whatever it is, the guard fails closed
        raise TailorError(
            f"{user} stops: the leakage guard cannot compare its questions with the "
            f"{' and '.join(against)} questions ({' '.join(str(error).split())})."
        ) from error
    if workspace.note is not None:
        alone = workspace.config.task == "answer" or len(leaks) <= 1
        for leak in leaks if alone else ():
            workspace.note(f"left out of {user}: {leak}.")
        if not alone:
            workspace.note(
                f"left out of {user}: {len(leaks)} items that give others away, the first of them: "
                f"{leaks[0]}."
            )
    return leaks


_LEAST: dict[Shared | Literal["nothing"], float] = {
    "fact": MEANING,
    "answer": MEANING,
    "elsewhere": MEANING_ELSEWHERE,
    "nothing": MEANING_ALONE,
}


def _frequent(held: Sequence[Question]) -> frozenset[str]:
    counts = Counter(_plain(q.answers[0]) for q in held if q.answerable)
    return frozenset(a for a, n in counts.items() if n > max(4, FREQUENT * len(held)))


def _plain(answer: str) -> str:
    return " ".join(words(fold(answer)))


def _length(asked: Sequence[str]) -> int:
    """How many words in a row give the question away; all of them, where there are few."""
    return LONG_RUN if len(asked) >= LONG_RUN else min(SHORT_RUN, len(asked))


def _runs(of: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(of[at : at + length]) for at in range(len(of) - length + 1))


def _same_numbers(a: Question, b: Question) -> bool:
    left, right = ([w for w in words(q.question) if any(map(str.isdigit, w))] for q in (a, b))
    return sorted(left) == sorted(right)
