"""What goes wrong because of the user's input, said in one sentence.

TailorError            cause and next step; the command exits with 1
├── UsageError         an unknown stage, setting, option or key; exits with 2
├── NewerVersion       a file was written by a newer version of Tailor
├── NotApplicable      a stage cannot be applied here; the ladder goes on without it
└── BudgetReached      a further model call could pass --max-cost; paused, exits with 130
"""

from __future__ import annotations

_LONGEST = 2000
"""Characters of a sentence; a key or a cell that it quotes may have millions."""


class TailorError(Exception):
    """One sentence with the cause and the next step; shown as it is, never as a traceback.

    What it quotes of servers, settings and libraries loses its secrets here, and where it is very
    long its middle.
    """

    exit_code = 1

    def __init__(self, sentence: str = "") -> None:
        from tailor.redaction import redacted

        super().__init__(_shorter(redacted(_shorter(sentence, 3 * _LONGEST)), _LONGEST))


class UsageError(TailorError):
    """The command, a setting or a configuration key is not one Tailor knows."""

    exit_code = 2


class NewerVersion(TailorError):
    """A newer version of Tailor wrote it; what it means is not guessed at."""


class NotApplicable(TailorError):
    """A stage has nothing to work on here: no train questions, no weights to change."""


class RowsMissing(NotApplicable):
    """A stage needs rows that were not run yet; a plan may hold them."""


class BudgetReached(TailorError):
    """A further model call could cost more than is left of the limit; all is kept."""

    exit_code = 130

    def __init__(self, spent: float, limit: float, most: float, left: str = "") -> None:
        from tailor.scoring.format import usd

        self.spent, self.limit, self.most = spent, limit, most
        """US dollars: what this command spent, may spend, and what the next call may cost."""
        super().__init__(
            f"Paused: this command spent {usd(spent)} of --max-cost {usd(limit)}, and the next "
            f"call may cost up to {usd(most)}. {left}The same command with a higher --max-cost "
            "goes on from there; only what is missing is asked and paid for."
        )

    def with_left(self, left: str) -> BudgetReached:
        """The same, saying what is left to do: a sentence."""
        return BudgetReached(self.spent, self.limit, self.most, f"{left} ")


def _shorter(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most * 3 // 4]} … {text[-most // 4 :]}"


def first_line(error: BaseException) -> str:
    """What an exception says in its first line; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
