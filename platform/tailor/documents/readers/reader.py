"""What all readers share: the bytes of one file in, LangChain documents out."""

import re
from typing import Literal

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document


class FileReader(BaseLoader):
    """A LangChain loader over the bytes of one file; subclasses are named ``Reader``."""

    def __init__(self, content: bytes, name: str = "") -> None:
        self.content = content
        self.name = name


def whole(text: str, otherwise: int) -> int:
    """The whole number from 0 that a text says; other signs and absurd sizes say ``otherwise``."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else otherwise


def unit(
    text: str, place: str = "", rows: bool = False, note: str = "", member: str = ""
) -> Document:
    """One page, sheet, slide or section; ``rows``: each line is a table row, never torn.

    ``member`` names a document inside the file, as ``inner/prices.csv`` in an archive; units
    without one belong to the file itself.
    """
    metadata = {"place": place, "rows": rows, "note": note, "member": member}
    return Document(page_content=text, metadata=metadata)


def refused(member: str, reason: str, status: Literal["refused", "empty"] = "refused") -> Document:
    """A document inside the file that cannot be read, and why; the others go on."""
    metadata = {"place": "", "rows": False, "note": "", "member": member}
    return Document(page_content="", metadata={**metadata, "refusal": reason, "status": status})
