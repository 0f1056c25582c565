"""What a file's refusal comes down to, and what helps; one sentence each."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """Why a file is not in the index as it should be, and what to do; both empty where it is."""

    cause: str = ""
    remedy: str = ""


_EMPTY = Advice("There is no text in it.", "Write the text into it, or take it away.")
_REASONS = (
    (r"password|encrypt", Advice(
        "It is protected by a password.", "Put a copy without a password in its place.")),
    (r"DRM", Advice(
        "It is protected by its seller.", "Put a copy without protection in its place.")),
    (r"^broken|\bbroken:|damaged", Advice(
        "It is damaged, or not what its name says.",
        "Open it in its own program and save it again.")),
    (r"not installed", Advice("A part of Tailor is missing.", "Install Tailor again.")),
    (r"scanned|text recognition|OCR|tesseract", Advice(
        "It holds pictures of text, not text.",
        "Install tesseract and read it again, or put a copy with recognised text in its place.")),
    (r"it is tried again at the next", Advice(
        "A model that it needs failed.", "Mend what it says, then ingest again.")),
    (r"transcri|a recording", Advice(
        "It is a recording that was not written down.",
        "Set transcriber in tailor.toml, then read it again.")),
    (r"^no text in it(?!, only pictures)", _EMPTY),
    (r"nobody speaks|no sound", Advice("Nobody speaks in it.", "Take it away.")),
    (r"LibreOffice|soffice|before 1997", Advice(
        "It is in an old Office format.",
        "Save it in the new format (.docx, .pptx, .xlsx), or install LibreOffice.")),
    (r"pack it\b|AppleSingle|compressed file", Advice(
        "It is an archive that Tailor does not open.", "Unpack it.")),
    (r"is a copy of the benchmark|benchmark", Advice(
        "It holds the benchmark's questions and answers.", "Take it away from the documents.")),
    (r"database|Parquet|Outlook data|export", Advice(
        "It is a database, not a document.", "Export what is in it as CSV or text.")),
    (r"make it smaller", Advice(
        "It is larger or deeper than a document should be.", "Split it.")),
    (r"not a document|a picture|only pictures|an archive without", Advice(
        "It is no document: there is nothing in it to read.",
        "Leave it out, or write what it shows into a document.")),
    (r"unknown format|not supported|unsupported|save it as", Advice(
        "Tailor does not read this format.", "Save it as PDF, Word, HTML or text.")),
    (r"took|seconds|time limit|memory|was ended", Advice(
        "Reading it took too much time or memory.", "Split it, then read it again.")),
    (r"larger than|unpacks to|[Ss]plit it|too deep|more than|longer than|in a mail", Advice(
        "It is larger or deeper than a document should be.", "Split it.")),
    (r"decodable|encoding", Advice("Its letters cannot be made out.", "Save it as UTF-8.")),
    (r"a link\b|leads out", Advice(
        "It leads out of the knowledge folder.", "Put the file itself into the folder.")),
    (r"not a regular file", Advice(
        "It is a device or a pipe, not a file.", "Put the file itself into the folder.")),
    (r"cannot be (?:opened|listed)", Advice(
        "It cannot be opened now.", "Allow reading it, then read it again.")),
    (r"rename it|same name|its name", Advice("Its name cannot be used.", "Rename it.")),
    (r"source", Advice(
        "The source it comes from failed.", "Mend the source in tailor.toml, then read it again.")),
)  # fmt: skip
_DUPLICATE = Advice("It says the same as another document.", "Keep one of them.")
_GUESSED = Advice("Its encoding was guessed.", "Look at its text; save it as UTF-8 to be sure.")
_NOTED = Advice("Something had to be assumed when it was read.", "Look at its text.")
_NO_MINUTES = Advice(
    "Its minutes were not written.", "Set model in tailor.toml to one that can write them."
)
_OTHER = Advice("It could not be read.", "See what its reader says.")

_ALONE = (_EMPTY, _DUPLICATE, _GUESSED, _NOTED, _NO_MINUTES, _OTHER)

ALL = (*(advice for _, advice in _REASONS), *_ALONE)


def advice(status: str, reason: str) -> Advice:
    """The advice for a file of this status (of the report or the store) and reason."""
    if status == "empty" and not re.search(r"scanned|speaks|sound", reason):
        return _EMPTY
    if status == "duplicate":
        return _DUPLICATE
    if status in ("refused", "empty"):
        found = (given for pattern, given in _REASONS if re.search(pattern, reason))
        return next(found, _OTHER)
    if status not in ("ok", "indexed", "waiting", "unchanged") or not reason:
        return Advice()
    if reason.startswith("transcribed by"):
        return _NO_MINUTES if "for minutes" in reason else Advice()
    return _GUESSED if re.search(r"UTF-8|encoding|byte order", reason) else _NOTED
