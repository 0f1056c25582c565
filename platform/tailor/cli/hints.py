"""Commands that a sentence names, so that they work when they are copied."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

COMMANDS = (
    "adapters", "ask", "benchmark approve", "benchmark check", "benchmark curate",
    "benchmark discard", "benchmark draft", "benchmark human export", "benchmark human import",
    "benchmark import", "benchmark split", "benchmark stats", "clean", "compare", "doctor",
    "explain", "export adapter", "export answers", "export check", "export job",
    "export langchain", "export merged", "export openai-jsonl", "export preferences-jsonl",
    "fine-tune", "import adapter", "import answers", "ingest", "judge", "lessons", "models",
    "monitor", "report", "retrain", "run", "search", "serve", "training cancel", "training pause",
    "training resume", "training service", "training", "ui",
)  # fmt: skip
"""All that work on the workspace of ``-w``; a demo has a folder of its own."""
_END = r"`|[,;:](?:\s|$)| \(|(?<!\.)\.(?:\s|$)|\n|$"
_NAMED = re.compile(rf"\btailor (?:{'|'.join(COMMANDS)})(?![\w-])[^`\n]*?(?={_END})")
"""A command ends with its quotation mark, else where the sentence pauses."""


def with_workspace(sentence: str) -> str:
    """The sentence, its commands with the ``-w`` that this command was given."""
    option = here(_given())

    def named(command: re.Match[str]) -> str:
        return command[0] if " -w " in command[0] else command[0] + option

    return _NAMED.sub(named, sentence) if option else sentence


def here(folder: Path) -> str:
    """The option that names this workspace in a command, quoted for a shell; empty for ``.``."""
    return "" if folder == Path() else f" -w {shlex.quote(str(folder))}"


def with_limit(usd: float) -> str:
    """This very command, with another ``--max-cost``."""
    words: list[str] = []
    given = iter(sys.argv[1:])
    for word in given:
        if word == "--max-cost":
            next(given, None)
        elif not word.startswith("--max-cost="):
            words.append(word)
    return shlex.join(["tailor", *words, "--max-cost", f"{float(f'{usd:.2g}'):.10g}"])


def _given() -> Path:
    import argparse

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-w", "--workspace", type=Path, default=Path())
    try:
        return Path(parser.parse_known_args(sys.argv[1:])[0].workspace)
    except argparse.ArgumentError:  # no folder behind it
        return Path()
