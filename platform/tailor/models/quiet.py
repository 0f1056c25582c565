"""Harmless notices and progress bars of model libraries, kept off the user's screen."""

from __future__ import annotations

import logging
import os


def quiet_libraries() -> None:
    """Say before they load that they are to be quiet."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    for name in ("bitsandbytes", "transformers", "peft", "trl", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)


def quiet_transformers() -> None:
    """The same, and transformers' own bars."""
    quiet_libraries()
    from transformers.utils import logging as own

    own.set_verbosity_error()
    own.disable_progress_bar()
