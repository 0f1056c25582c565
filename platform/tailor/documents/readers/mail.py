"""What mails of all formats have in common: headers, a text, and attachments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from langchain_core.documents import Document

from tailor.documents.readers.reader import unit
from tailor.documents.readers.rows import one_line
from tailor.documents.refusal import Refused

NO_MAIL = "broken: no From, To, Date or Subject; not a mail"
ENCRYPTED = "an encrypted mail: open it and save a copy without encryption"


@dataclass(frozen=True)
class Attachment:
    """A file in a mail."""

    name: str
    read: Callable[[], Iterable[Document]]
    """Gives its units or raises ``Refused``."""


@dataclass(frozen=True)
class Mail:
    """One mail as its reader found it."""

    headers: Sequence[tuple[str, str]]
    text: str
    attachments: Sequence[Attachment] = ()
    note: str = ""

    def units(self) -> Iterator[Document]:
        """The mail without a place; attachments as ``attachment prices.xlsx, sheet EUR``.

        Raises:
            Refused: there are no headers, so it is no mail.
        """
        lines = [f"{name}: {one_line(value)}" for name, value in self.headers if value.strip()]
        if not lines:
            raise Refused(NO_MAIL)
        names = [f"Attachment: {one_line(attachment.name)}" for attachment in self.attachments]
        inner, notes = attached_units(self.attachments)
        told = "; ".join(filter(None, [self.note, *notes]))
        yield unit("\n".join(lines + names) + "\n\n" + self.text, note=told)
        yield from inner


def attached_units(attachments: Iterable[Attachment]) -> tuple[list[Document], list[str]]:
    """The units of attachments, placed as ``attachment prices.xlsx, sheet EUR``; unread ones."""
    inner: list[Document] = []
    notes: list[str] = []
    for attachment in attachments:
        name = one_line(attachment.name)
        try:
            found = list(attachment.read())
        except Refused as refused:
            notes.append(f"attachment {name} not read: {refused.reason}")
            continue
        for document in found:
            data = document.metadata
            if "refusal" in data:
                notes.append(f"attachment {name}/{data['member']} not read: {data['refusal']}")
                continue
            steps = [f"attachment {name}", data.get("member", ""), data["place"]]
            data |= {"place": ", ".join(filter(None, steps)), "member": ""}
            inner.append(document)
    return inner, notes
