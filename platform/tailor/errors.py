"""What goes wrong because of the user's input, said in one sentence.

TailorError            cause and next step; the command exits with 1
└── UsageError         an unknown stage, setting, option or key; exits with 2
"""


class TailorError(Exception):
    """One sentence with the cause and the next step; shown as it is, never as a traceback."""

    exit_code = 1


class UsageError(TailorError):
    """The command, a setting or a configuration key is not one Tailor knows."""

    exit_code = 2
