"""Greedy replies of many prompts, written side by side: who is done makes room for the next.

What a prompt begins with like another one that still lies in memory is not read again: the
instructions and examples of a benchmark run are read once. Prompts are taken in the order of
their tokens, so that those with the same beginning follow one another. A reply is written several
tokens at a time where it repeats what was written before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

from tailor.models.packed import Packed
from tailor.models.prompt_lookup import Lookup

T = TypeVar("T")

_MEMORY = 2**30
"""Bytes for keys and values."""
_AT_ONCE = 1024
"""Prompt tokens that are read before those come in that begin alike, and find them read."""
_SHARE = 4
"""The part of the rows that has to be free before prompts are read beside those being answered."""
_WORTH = 16
"""Tokens; where two new prompts share fewer, the second does not wait for the first."""


@dataclass(eq=False)
class Row(Generic[T]):
    """A prompt, and what is written to it."""

    of: T
    ids: Sequence[int]
    """The prompt's tokens."""
    begins: Callable[[], bool] = lambda: True
    """Asked once, before it is read; False: nobody waits for it any more."""
    told: Callable[[int], None] = lambda token: None
    """Called with each token of the reply."""
    written: list[int] = field(default_factory=list)
    """The reply's tokens, with the one that ends it."""


class Continuous(Generic[T]):
    """Writes the replies of a Llama for which :func:`tailor.models.packed.is_packable` holds.

    Args:
        model: the Llama.
        rows: how many replies are written side by side, at most.
        longest: tokens of a reply, at most.
    """

    def __init__(self, model: Any, rows: int, longest: int) -> None:
        ends = model.generation_config.eos_token_id
        self._ends = set(ends) if isinstance(ends, list) else {ends}
        self._longest = longest
        self._packed = Packed(model, rows, _MEMORY)
        self._active: dict[int, Row[T]] = {}
        self._lookups: dict[int, Lookup] = {}
        self._waiting: list[Row[T]] = []

    def replies(self, more: Callable[[], Sequence[Row[T]]]) -> Iterator[Row[T]]:
        """Rows as they are done, until none is left and ``more`` has none either.

        ``more`` is asked when all it gave is begun, so that no prompt waits for ever.
        """
        self._active, self._waiting = {}, []
        while True:
            if not self._waiting:
                self._waiting = sorted(more(), key=lambda row: list(row.ids), reverse=True)
            if not self._waiting and not self._active:
                return
            yield from self._begun()
            yield from self._continued()

    def left(self) -> list[Row[T]]:
        """The rows that were begun or waited when an error came."""
        return [*self._active.values(), *self._waiting]

    def forget(self) -> None:
        """Take nothing for read, as after an error that came while it was."""
        self._packed.held = [[] for _ in range(self._packed.rows)]

    def _begun(self) -> Iterator[Row[T]]:
        """Read prompts that wait, as far as there is room; rows that are done with one token."""
        while self._waiting and self._has_room():
            begun = self._taken()
            rows = [row for row, _ in begun]
            if rows:
                yield from self._written(rows, [new for _, new in begun], [[]] * len(rows))

    def _has_room(self) -> bool:
        """Whether prompts that wait should be read now: some at once, which costs less."""
        packed = self._packed
        need = max(len(row.ids) for row in self._waiting) + self._longest
        if need > packed.room:
            if self._active:
                return False
            packed.reserve(need)
        free = packed.rows - len(self._active)
        return free >= max(1, packed.rows // _SHARE) if self._active else True

    def _taken(self) -> list[tuple[int, Sequence[int]]]:
        """Memory rows for the next prompts, and what of these has to be read."""
        packed = self._packed
        taken: list[tuple[int, Sequence[int]]] = []
        before: Sequence[int] = ()
        while self._waiting and len(self._active) < packed.rows:
            ids = self._waiting[-1].ids
            shared, source = max(
                (_alike(ids[:-1], held), row) for row, held in enumerate(packed.held)
            )
            tokens = sum(len(new) for _, new in taken) + len(ids) - shared
            if taken and (tokens > _AT_ONCE or _alike(ids, before) > shared + _WORTH):
                break
            item = self._waiting.pop()
            if not item.begins():
                continue
            free = [row for row in range(packed.rows) if row not in self._active]
            row = source if source in free else free[0]
            self._active[row] = item
            self._lookups[row] = Lookup(ids)
            packed.copy(source, row, shared)
            taken.append((row, ids[shared:]))
            # What is read now is only there for those that come later.
            before = ids
        return taken

    def _continued(self) -> Iterator[Row[T]]:
        """Write the next token to every reply, and those guessed that the model writes, too."""
        if rows := list(self._active):
            active = [self._active[row] for row in rows]
            left = [self._longest - len(item.written) - 1 for item in active]
            guesses = [self._lookups[row].guess(n) for row, n in zip(rows, left, strict=True)]
            new = [[item.written[-1], *guess] for item, guess in zip(active, guesses, strict=True)]
            yield from self._written(rows, new, guesses)

    def _written(
        self, rows: Sequence[int], new: Sequence[Sequence[int]], guesses: Sequence[Sequence[int]]
    ) -> Iterator[Row[T]]:
        """Read what is new in these rows, guesses last, and write what follows; rows that are done.

        A guess is right as far as the model would have written the same.
        """
        logits = self._packed.read(rows, new, [len(guess) + 1 for guess in guesses])
        tokens = iter(logits.argmax(dim=-1).tolist())
        for row, guess in zip(rows, guesses, strict=True):
            follow = list(islice(tokens, len(guess) + 1))
            right = _alike(guess, follow)
            self._packed.forget(row, len(guess) - right)
            if guess:
                self._lookups[row].judged(right > 0)
            if self._ended(row, follow[: right + 1]):
                yield self._active.pop(row)

    def _ended(self, row: int, tokens: Sequence[int]) -> bool:
        """Whether the reply of this row is whole with these tokens, or a part of them."""
        item = self._active[row]
        for token in tokens:
            item.written.append(token)
            item.told(token)
            self._lookups[row].add(token)
            if token in self._ends or len(item.written) >= self._longest:
                return True
        return False


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))
