"""Options that say which documents a command searches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tailor.documents.filters import Filters

FolderOption = Annotated[
    list[str] | None,
    typer.Option("--folder", help="Only documents in this folder, or with paths like 'hr/*.md'."),
]
LanguageOption = Annotated[
    list[str] | None, typer.Option("--language", help="Only documents in this language: en or vi.")
]
SinceOption = Annotated[
    str, typer.Option("--since", help="Only documents of this date or newer, as 2025-01-31.")
]
UntilOption = Annotated[
    str, typer.Option("--until", help="Only documents of this date or older, as 2025-12-31.")
]
DocumentOption = Annotated[
    list[str] | None, typer.Option("--document", help="Only this document, by its path.")
]

WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where", help="Only passages in which an enricher found this, as people=Halvorsen."
    ),
]


def filters(
    folders: Sequence[str] | None,
    languages: Sequence[str] | None,
    since: str,
    until: str,
    documents: Sequence[str] | None,
    where: Sequence[str] | None,
) -> "Filters | None":
    """What the options say; None where none is given.

    Raises:
        UsageError: a date or condition is none, or a language is not one Tailor tells apart.
    """
    from tailor.documents.filters import Filters
    from tailor.errors import UsageError

    for code in languages or ():
        if code not in ("en", "vi"):
            raise UsageError(f"--language {code!r} is not one Tailor tells apart: en or vi.")
    made = Filters(
        *(tuple(folders or ()), tuple(languages or ()), since, until),
        *(tuple(documents or ()), tuple(where or ())),
    )
    return made or None
