"""Writes the pages of the reference out of the code itself: run it after changing either.

    python docs/reference/write.py

The pages are command.md (every ``--help``), settings.md (every key of tailor.toml) and python.md
(the public names with their docstrings); each page in stages/ ends in the settings of its stage.
tests/docs/test_reference.py fails when one of them is not what this writes.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

import tailor
from tailor.cli.main import app
from tailor.config import Config
from tailor.stage import stage_types

MADE = "<!-- Written by docs/reference/write.py; change the code, then run that. -->\n\n"


DOCS = Path(__file__).parents[1]
MARK = "<!-- settings -->"


def pages() -> dict[str, str]:
    """The text of each page by its path in docs/."""
    found = {
        "reference/command.md": command(),
        "reference/settings.md": settings(),
        "reference/python.md": python(),
    }
    for name, kind in stage_types(None).items():
        page = f"stages/{name}.md"
        told = (DOCS / page).read_text("utf-8").partition(MARK)[0]
        found[page] = f"{told}{MARK}\n\n{stage_settings(name, kind)}"
    return found


def command() -> str:
    """Every command with its ``--help``."""
    parts = [f"# The command\n\n{MADE}"]
    for path, helped in helps(typer.main.get_command(app), None, "tailor"):
        parts.append(f"## {path}\n\n```text\n{helped}\n```\n\n")
    return "".join(parts).rstrip() + "\n"


def helps(one: Any, parent: Any, name: str) -> Iterator[tuple[str, str]]:
    """The path and the help of a command and of those below it."""
    context = type(one).context_class(
        one, info_name=name, parent=parent, terminal_width=100, max_content_width=100,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    lines = one.get_help(context).splitlines()
    yield context.command_path, "\n".join(line.rstrip() for line in lines).strip()
    for below in one.list_commands(context) if hasattr(one, "list_commands") else ():
        found = one.get_command(context, below)
        if not found.hidden:
            yield from helps(found, context, below)


def settings() -> str:
    """The settings of the stages and the keys of tailor.toml."""
    parts = [f"# Settings\n\n{MADE}## Of the stages\n\n| stage | what it does |\n|---|---|\n"]
    for name, kind in sorted(stage_types(None).items()):
        about = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
        parts.append(f"| [{name}](../stages/{name}.md#settings) | {escaped(about)} |\n")
    parts.append("\n## Of the workspace\n\nKeys of `tailor.toml`; every one is optional.\n\n")
    parts.append("| key | default | meaning |\n|---|---|---|\n")
    parts += keys(Config)
    for f in fields(Config):
        if dataclasses.is_dataclass(inner := default(f)):
            parts.append(f"\n### [{f.name}]\n\n| key | default | meaning |\n|---|---|---|\n")
            parts += keys(type(inner))
    return "".join(parts)


def stage_settings(name: str, kind: Any) -> str:
    """The settings of a stage, and how they are set."""
    parts = [
        f"`tailor run {name} --set {name}.SETTING=VALUE`, `[stages.{name}]` in `tailor.toml`, "
        "or the form on the page Stages.\n\n| setting | default | meaning |\n|---|---|---|\n"
    ]
    parts += [
        f"| `{f.name}` | {cell(f.default)} | {escaped(f.metadata.get('meaning', ''))} |\n"
        for f in fields(kind)
    ]
    return "".join(parts)


def keys(kind: Any) -> list[str]:
    """A line for each field of a class, with the text that stands below it."""
    told = attribute_docs(kind)
    return [
        f"| `{f.name}` | {cell(default(f))} | {escaped(told.get(f.name, ''))} |\n"
        for f in fields(kind)
    ]


def default(field: Any) -> object:
    """What a field has unless it is given."""
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else ""


def cell(value: object) -> str:
    """A value in a table."""
    if value in (None, "", ()) or value == {} or dataclasses.is_dataclass(value):
        return "–"
    return f"`{escaped(str(list(value) if isinstance(value, tuple) else value))}`"


def escaped(text: str) -> str:
    """A text in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def attribute_docs(kind: type) -> dict[str, str]:
    """The strings below a class's fields."""
    import ast
    import textwrap

    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for line, below in zip(body.body, body.body[1:], strict=False):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and is_text:
            assert isinstance(below, ast.Expr)
            assert isinstance(below.value, ast.Constant)
            found[line.target.id] = str(below.value.value)
    return found


def python() -> str:
    """The public names with their signatures and docstrings."""
    parts = [f"# From Python\n\n{MADE}```python\nimport tailor\n```\n\n"]
    for name in tailor.__all__:
        found = getattr(tailor, name)
        parts.append(f"## {name}\n\n{documented(name, found)}")
        if inspect.isclass(found):
            for member, value in public(found):
                parts.append(f"### {name}.{member}\n\n{documented(member, value)}")
    return "".join(parts).rstrip() + "\n"


def public(kind: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties of a class that it defines itself, in their order."""
    for name, value in vars(kind).items():
        if name.startswith("_"):
            continue
        value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        value = getattr(value, "func", value)  # of a cached property
        if (inspect.isfunction(value) or isinstance(value, property)) and inspect.getdoc(value):
            yield name, value


def documented(name: str, found: Any) -> str:
    """The signature and the docstring."""
    text = re.sub(r":[a-z]+:`", "`", (inspect.getdoc(found) or "").replace("``", "`"))
    signature = "" if isinstance(found, property) else f"```python\n{signed(name, found)}\n```\n\n"
    return f"{signature}{text}\n\n"


def signed(name: str, found: Any) -> str:
    """A function with its parameters, a line each where there are many."""
    told = inspect.signature(found)
    parameters = [
        str(p).replace(repr(p.annotation), str(p.annotation)) for p in told.parameters.values()
    ]
    parameters = [re.sub(r"<function .* at 0x\w+>", "...", told) for told in parameters]
    back = "" if inspect.isclass(found) else f" -> {told.return_annotation}"
    line = f"{name}({', '.join(parameters)}){back}"
    if len(line) <= 100:
        return line
    return f"{name}(\n" + "".join(f"    {p},\n" for p in parameters) + f"){back}"


if __name__ == "__main__":
    for page, text in pages().items():
        (DOCS / page).write_text(text, "utf-8")
