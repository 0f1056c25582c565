"""What goes wrong because of the user's input, said in one sentence.

TailorError            cause and next step; the command exits with 1
├── UsageError         an unknown stage, setting, option or key; exits with 2
└── NotApplicable      a stage cannot be applied here; the ladder goes on without it
"""


class TailorError(Exception):
    """One sentence with the cause and the next step; shown as it is, never as a traceback."""

    exit_code = 1


class UsageError(TailorError):
    """The command, a setting or a configuration key is not one Tailor knows."""

    exit_code = 2


class NotApplicable(TailorError):
    """A stage has nothing to work on here: no train questions, no weights to change."""
