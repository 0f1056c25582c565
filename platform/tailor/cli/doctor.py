"""``tailor doctor``."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer

from tailor.cli.options import JsonOption, WorkspaceOption

PACKAGES = (
    "langchain", "langchain-community", "langchain-openai", "chromadb", "sentence-transformers",
    "transformers", "peft", "trl", "bitsandbytes", "torch", "openai", "streamlit",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "absent", "problem"]
    detail: str
    remedy: str = ""


def command(workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """Say what is installed, and what to do about what is not."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import print_json, say, stdout

    found = list(examine(workspace))
    broken = any(finding.state == "problem" for finding in found)
    if json:
        print_json({"schema_version": 1, "findings": [asdict(finding) for finding in found]})
    else:
        signs = {"ok": "✓ ok", "absent": "– absent", "problem": "✗ problem"}
        table = Table("what", "state", "found", "what to do")
        for f in found:
            table.add_row(f.name, signs[f.state], Text(f.detail), Text(f.remedy))
        stdout().print(table)
        say("Something needs mending (see above)." if broken else "Ready. Next: tailor demo")
    raise typer.Exit(1 if broken else 0)


def examine(folder: Path) -> Iterator[Finding]:
    """Look at Python, packages, models, programs, GPU, keys and the workspace; changes nothing."""
    import platform
    import shutil
    import sqlite3

    yield Finding("Python", "ok", f"{platform.python_version()}, {platform.system()}")
    yield Finding("SQLite", "ok", sqlite3.sqlite_version)
    yield from _packages()
    yield from _plugins()
    yield from _models()
    yield from _programs()
    yield _gpu()
    yield from _keys()
    yield _workspace(folder)
    free = shutil.disk_usage(folder if folder.exists() else Path()).free / 2**30
    yield Finding(
        "Disk",
        "ok" if free >= 1 else "problem",
        f"free: {free:.1f} GiB",
        "" if free >= 1 else "free at least 1 GiB: answers and indexes are written here",
    )


def _packages() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    for name in PACKAGES:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "problem", "not installed", "install Tailor again")


def _plugins() -> Iterator[Finding]:
    from tailor.stage import broken_plugins

    for name, reason in broken_plugins().items():
        yield Finding(f"stage {name}", "problem", reason, "mend or uninstall the package")


def _models() -> Iterator[Finding]:
    from tailor.models.provider import SHIPPED

    for name in ("reader", "encoder", "extractive"):
        folder = SHIPPED / name
        size = sum(f.stat().st_size for f in folder.glob("**/*") if f.is_file()) / 1e6
        if size:
            yield Finding(f"shipped {name}", "ok", f"{size:.1f} MB")
        else:
            yield Finding(f"shipped {name}", "problem", "missing", "install Tailor again")


def _programs() -> Iterator[Finding]:
    from tailor.documents.readers import converted, ocr

    tesseract = ocr.program()
    known = ocr.installed(tesseract) if tesseract else ()
    lacking = " and ".join(name for name in ocr.LANGUAGES if name not in known)
    yield Finding(
        "tesseract",
        "absent" if lacking else "ok",
        f"reads {', '.join(known)}" if known else "",
        f"install it with its language data {lacking} to read scans and pictures"
        if lacking
        else "",
    )
    office = converted.program()
    yield Finding(
        "LibreOffice",
        "ok" if office else "absent",
        office or "",
        "" if office else "install it to read old doc and ppt files",
    )


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return Finding("GPU", "ok", f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
    return Finding(
        "GPU",
        "absent",
        "the processor is used",
        "only needed to fine-tune or run models of a billion parameters and more",
    )


def _keys() -> Iterator[Finding]:
    from tailor.models.provider import KEYS

    for provider, variable in KEYS.items():
        if os.environ.get(variable):
            yield Finding(f"{provider} key", "ok", variable)
        else:
            yield Finding(
                f"{provider} key", "absent", "", f"set {variable} to use models of {provider}"
            )


def _workspace(folder: Path) -> Finding:
    from tailor.errors import TailorError
    from tailor.workspace import Workspace

    if not (folder / "knowledge").is_dir() and not (folder / "tailor.toml").exists():
        return Finding("workspace", "absent", str(folder.resolve()), "make one: tailor init DIR")
    try:
        workspace = Workspace(folder)
        questions = workspace.benchmark.questions
    except TailorError as error:
        return Finding("workspace", "problem", str(folder.resolve()), str(error))
    if not os.access(workspace.root, os.W_OK):
        return Finding("workspace", "problem", str(workspace.root), "make the folder writable")
    return Finding("workspace", "ok", f"{workspace.root}: {len(questions)} questions")
