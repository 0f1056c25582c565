"""Prompts as files of the workspace, which people edit with any editor."""

from __future__ import annotations

from pathlib import Path

from tailor.errors import UsageError
from tailor.text import nfc

MARK = "file:"
LARGEST = 100_000
"""Bytes of a prompt file."""


def prompt_text(root: Path, text: str) -> str:
    """The text itself, or what the file it names holds: ``file:prompts/NAME.md``.

    Raises:
        UsageError: there is no such file in the workspace, or it cannot be read as text.
    """
    if not text.startswith(MARK):
        return text
    named = text.removeprefix(MARK).strip()
    path = (root / named).resolve()
    if not path.is_relative_to(root.resolve()) or path.suffix not in (".md", ".txt"):
        raise UsageError(
            f"The prompt file {named} is no .md or .txt file of the workspace: put it into "
            f"{root / 'prompts'}."
        )
    try:
        raw = path.read_bytes()
    except OSError:
        raise UsageError(
            f"There is no prompt file {path}: write it, or leave the setting empty for Tailor's "
            "own instructions."
        ) from None
    try:
        found = nfc(raw.decode("utf-8-sig")).strip()
    except UnicodeDecodeError:
        raise UsageError(f"The prompt file {path} is not UTF-8: save it as UTF-8.") from None
    if not found or len(raw) > LARGEST:
        raise UsageError(
            f"The prompt file {path} is empty or larger than {LARGEST // 1000} kB: write into it "
            "what the model is to be told."
        )
    return found
