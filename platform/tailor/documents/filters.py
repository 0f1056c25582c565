"""Filters: which of the documents a question is asked of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from tailor.errors import UsageError
from tailor.text import nfc


@dataclass(frozen=True)
class Filters:
    """What a document must be to be searched; what is empty admits every document.

    Raises:
        UsageError: a date is none, the first comes after the last, or ``where`` is not well formed.
    """

    folders: tuple[str, ...] = ()
    """Folders below ``knowledge/``, or patterns of paths as ``hr/*.md``, where ``*`` stands for
    anything; one of them must fit."""
    languages: tuple[str, ...] = ()
    """``en``, ``vi``: the main language must be one of them."""
    since: str = ""
    """``2025-01-31``: the document must not be older; one without a date is left out."""
    until: str = ""
    """The document must not be newer."""
    documents: tuple[str, ...] = ()
    """Paths below ``knowledge/``; it must be one of them."""
    where: tuple[str, ...] = ()
    """``people=Halvorsen``: what the enricher of this name found in a passage must hold these
    words one after the other; of several values of one name, one must fit."""

    def __post_init__(self) -> None:
        """Bring paths into one form, and check the dates."""
        for name in ("folders", "documents"):
            paths = tuple(nfc(path).strip().strip("/") for path in getattr(self, name))
            object.__setattr__(self, name, tuple(path.removeprefix("./") for path in paths))
        object.__setattr__(self, "where", tuple(map(_condition, self.where)))
        for given in filter(None, (self.since, self.until)):
            try:
                date.fromisoformat(given)
            except ValueError:
                raise UsageError(
                    f"{given!r} is no date: write year, month and day, as in 2025-01-31."
                ) from None
        if self.since and self.until and self.since > self.until:
            raise UsageError(f"No date is both since {self.since} and until {self.until}.")

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return self != Filters()

    @property
    def by_path(self) -> bool:
        """Whether paths alone decide."""
        return not (self.languages or self.since or self.until or self.where)

    def to_json(self) -> dict[str, Any]:
        """All fields; ``where`` only if something is in it, so that former hashes stay."""
        fields = asdict(self)
        return fields if self.where else {k: v for k, v in fields.items() if k != "where"}

    def admits(self, path: str, language: str = "", day: str = "") -> bool:
        """Whether a document is to be searched; ``day`` is its date, empty where not known.

        ``where`` is not asked here: it is of passages.
        """
        return (
            (not self.folders or any(_below(path, folder) for folder in self.folders))
            and (not self.documents or path in self.documents)
            and (not self.languages or language in self.languages)
            and (not self.since or (day != "" and day >= self.since))
            and (not self.until or (day != "" and day <= self.until))
        )


def _condition(given: str) -> str:
    name, sign, value = (part.strip() for part in nfc(given).partition("="))
    if not (name and sign and value):
        raise UsageError(
            f"{given!r} is no condition: write the name of an enricher and what it found, as in "
            "people=Halvorsen."
        )
    return f"{name}={value}"


def _below(path: str, folder: str) -> bool:
    if any(sign in folder for sign in "*?["):
        return fnmatchcase(path, folder)
    return folder in ("", ".") or path == folder or path.startswith(f"{folder}/")
