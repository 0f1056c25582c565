"""The one place through which errors and logs pass, so that no key or password leaves by them.

Documents, questions and answers are not changed: what they hold is theirs; `documents.sensitive`
finds and masks it where it would be shown besides.
"""

from __future__ import annotations

import os
import re
import sys
from types import TracebackType

HIDDEN = "[hidden]"

SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$", re.IGNORECASE)
"""How variables and arguments that hold a secret are named."""
_SHORTEST = 6
"""Shorter values, as ``none``, are what servers without keys are given."""
_PATTERNS = (
    # An address with a name, a password or a token before its host; a port is no password.
    re.compile(r"(?<=://)(?:[^\s/@]*@|[^\s/@:]+:(?!\d{1,5}(?:[/?#\s]|$))[^\s@]*@)"),
    re.compile(
        r"(?i)(?<=[?&;])((?:[\w-]*[_-])?(?:key|token|secret|password|passwd|pwd|sig|signature)=)"
        r"[^&\s\"'<>)\[\]]+"
    ),
    re.compile(
        r"(?i)\b((?:[\w-]*authorization|(?:set-)?cookie|[\w-]*(?:api|access)[_-]?key"
        r"|[\w-]*-token)[\"']?\s*[:=]\s*[\"']?)(?:(?:Bearer|Basic|Token|Digest)\s+)?"
        # A word is what is said of a key, not the key.
        r"(?=[^\s\"',;}\]]*\d|[^\s\"',;}\]]{16})[^\s\"',;}\[\]]{6,}"
    ),
    re.compile(r"\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}"),
)


def redacted(text: str) -> str:
    """The text without any secret that is known or looks like one.

    Gone are the values of variables of the environment that are named like a key, what stands
    before the host in an address, keys in its query and in headers, and what has the form of a key,
    a token or a password.
    """
    from tailor.documents.sensitive import SECRETS, sensitive

    for value in sorted(_known(), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    text = _PATTERNS[0].sub(f"{HIDDEN}@", text)
    for pattern in _PATTERNS[1:]:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    for found in reversed(sensitive(text)):
        if found.kind in SECRETS and HIDDEN not in text[found.start : found.end]:
            text = text[: found.start] + HIDDEN + text[found.end :]
    return text


def address(url: str) -> str:
    """An address without the name and password in it, for files that are given to others."""
    return _PATTERNS[0].sub("", url)


def redact_tracebacks() -> None:
    """Let what this process tells of a defect of ours, on standard error, be redacted too."""
    sys.excepthook = _told


def _known() -> set[str]:
    """Values of the environment that are secret."""
    return {v for k, v in os.environ.items() if len(v) >= _SHORTEST and SECRET_NAME.search(k)}


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from traceback import format_exception

    sys.stderr.write(redacted("".join(format_exception(kind, error, trace))))
