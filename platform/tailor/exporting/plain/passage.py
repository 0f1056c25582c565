"""A passage of a document: what is found, read and cited."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """A run of characters of one document."""

    document: str
    start: int
    end: int
    text: str
    place: str = ""
    """Where in the document: ``page 3``, ``sheet EUR``."""

    @property
    def source(self) -> str:
        """The document and, where known, the place in it."""
        return f"{self.document}, {self.place}" if self.place else self.document
