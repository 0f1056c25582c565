"""Why a file does not become a document."""

from typing import Literal


class Refused(Exception):
    """A file that cannot be read as a document; the message says why and what would help."""

    def __init__(self, reason: str, status: Literal["refused", "empty"] = "refused") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status: Literal["refused", "empty"] = status
