"""The tools that Tailor's figures stand beside, each in an environment of its own.

What is needed is installed once, below a folder, by pip into a virtual environment or by npm; our
own environment is never touched. A peer that cannot be installed is told with its reason.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGES = {
    "llama_index": (
        "llama-index-core", "llama-index-vector-stores-chroma", "langchain-core", "safetensors",
    ),
    "inspect_ai": ("inspect-ai", "openai"),
    "promptfoo": ("promptfoo@0.121.20",),
}  # fmt: skip
"""LangChain needs none: it is in Tailor's own `test` extra."""
NODE = 20
LIMIT = 900
"""Seconds that an installation may take."""


@dataclass(frozen=True)
class Peer:
    """A tool that is there, or why it is not."""

    name: str
    program: Path | None
    """Its Python, or for promptfoo its command."""
    version: str = ""
    reason: str = ""

    @property
    def command(self) -> Path:
        """The program of a peer that is there."""
        assert self.program is not None
        return self.program


def peer(name: str, home: Path) -> Peer:
    """Install it below the folder where it is not there yet."""
    folder = home / name
    npm = name == "promptfoo"
    program = folder / ("node_modules/.bin/promptfoo" if npm else "bin/python")
    try:
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for command in _npm(folder) if npm else _pip(folder, name):
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT)
            (folder / "complete").touch()
        return Peer(name, program, _version(name, folder))
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout or "no message").strip().splitlines()
        return Peer(name, None, reason=lines[-1])
    except (OSError, subprocess.TimeoutExpired) as error:
        return Peer(name, None, reason=str(error))


def _pip(folder: Path, name: str) -> list[list[str]]:
    python = str(folder / "bin" / "python")
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--quiet", *PACKAGES[name]],
    ]


def _npm(folder: Path) -> list[list[str]]:
    said = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    if int(said[1:].partition(".")[0]) < NODE:
        raise OSError(f"Node {NODE} is needed and {said.strip()} is here")
    install = ["npm", "install", "--silent", "--prefix", str(folder), *PACKAGES["promptfoo"]]
    return [install]


def _version(name: str, folder: Path) -> str:
    package = PACKAGES[name][0].partition("@")[0]
    if name == "promptfoo":
        manifest = folder / "node_modules" / package / "package.json"
        return str(json.loads(manifest.read_text("utf-8"))["version"])
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    command = [str(folder / "bin" / "python"), "-c", asked]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
