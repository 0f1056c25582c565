"""Text recognition (OCR) by the program tesseract, where it is installed."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

from tailor.documents.converter import converter
from tailor.documents.refusal import Refused

INSTALL = "install tesseract (with its language data `vie` and `eng`) to have its text recognised"
LANGUAGES = ("vie", "eng")
_PAGE_SECONDS = 120.0


class TooSlow(Exception):
    """The time that converters have for one file is used up."""


def program() -> str | None:
    """Where tesseract is, None where it is not installed."""
    return shutil.which("tesseract")


def note() -> str:
    """What readers say about recognised text."""
    found = program()
    languages = "+".join(installed(found)) if found else ""
    return f"text recognised by tesseract ({languages}); check letters and numbers"


def recognised(picture: Path, dpi: int | None = None) -> str:
    """The text in a picture file; its pages are parted by a form feed.

    Raises:
        Refused: tesseract is not installed, or cannot read the picture.
        TooSlow: it took too long.
    """
    found = program()
    if found is None:
        raise Refused(f"a picture: {INSTALL}")
    # One thread: several make a page no faster and slow down what runs beside.
    single = ["env", "OMP_THREAD_LIMIT=1"] if shutil.which("env") else []
    command = [*single, found, str(picture), "stdout", "-l", "+".join(installed(found))]
    if dpi is not None:
        command += ["--dpi", str(dpi)]
    try:
        done = converter(command, _PAGE_SECONDS)
    except subprocess.TimeoutExpired:
        raise TooSlow from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise Refused(f"broken: tesseract cannot read it ({lines[-1][:160]})")
    return done.stdout.decode("utf-8", "replace")


@functools.cache
def installed(found: str) -> tuple[str, ...]:
    """Vietnamese and English where their data is there, else what is."""
    done = converter([found, "--list-langs"], _PAGE_SECONDS)
    known = done.stdout.decode("utf-8", "replace").split()
    wanted = tuple(name for name in LANGUAGES if name in known)
    return wanted or tuple(name for name in known[-1:] if name.isalpha()) or ("eng",)
