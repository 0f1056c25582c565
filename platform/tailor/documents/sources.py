"""Documents from elsewhere, as Notion, Confluence or Slack, through loaders of langchain-community.

In tailor.toml a table ``[sources.NAME]`` names the loader and its arguments. The package is
imported only when such a source is read.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import inspect
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from tailor.documents.document import Document, Unread, clean, joined
from tailor.documents.refusal import Refused
from tailor.errors import TailorError
from tailor.redaction import HIDDEN, SECRET_NAME, redacted

if TYPE_CHECKING:
    from langchain_core.documents import Document as Loaded

KEYS = ("loader", "arguments", "group", "fields")
"""What a table ``[sources.NAME]`` may hold."""

_LOADERS = "langchain_community.document_loaders"
_IDENTITIES = ("source", "file_path", "url", "link", "id")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_INSTALL = re.compile(r"pip3? install (?:-[-\w]+ )*[\"'`]?([\w.-]+)")
_LONGEST = 200


class Source(Protocol):
    """Gives documents whose paths begin with its name."""

    @property
    def name(self) -> str:
        """As it is called in tailor.toml and at the start of its documents' paths."""

    def load(self) -> Iterator[Document | Unread]:
        """All documents there are now.

        Raises:
            TailorError: they cannot be had; the sentence says why and what to do.
        """


@dataclass(frozen=True)
class LoaderSource:
    """What a loader of langchain-community gives, by name."""

    name: str
    loader: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Of the loader. A value ``"$NAME"`` is taken from the environment (``"$$"`` is a dollar sign),
    one that begins with ``./`` or ``../`` is a path beside tailor.toml."""
    group: str = ""
    """The metadata that all parts of one document share, as ``channel``; empty: where they came
    from, as the loader says."""
    fields: tuple[str, ...] = ()
    """Metadata written before each part, as who said it."""
    root: Path = Path()
    """The folder of tailor.toml."""

    def load(self) -> Iterator[Document | Unread]:
        """All documents there are now, their paths ``NAME/<where they came from>``."""
        arguments = {key: self._value(value) for key, value in self.arguments.items()}
        groups: dict[str, list[Loaded]] = {}
        for number, found in enumerate(self._loaded(arguments), 1):
            groups.setdefault(self._origin(found, number), []).append(found)
        taken: set[str] = set()
        for origin, parts in groups.items():
            path = _path(self.name, origin, _folders(arguments.values(), self.root))
            if path in taken:
                path = f"{path} ({hashlib.sha256(origin.encode()).hexdigest()[:8]})"
            taken.add(path)
            content = "\n".join(part.page_content for part in parts).encode("utf-8", "replace")
            try:
                yield joined(self._units(path, parts), path, hashlib.sha256(content).hexdigest())
            except Refused as refused:
                yield Unread(path, refused.reason, refused.status)

    def _loaded(self, arguments: Mapping[str, Any]) -> list[Loaded]:
        """What the loader gives; what it prints does not disturb a report on stdout."""
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
                warnings.simplefilter("ignore")
                made = self._type()
                self._check(made, arguments)
                return list(made(**arguments).lazy_load())
        except TailorError:
            raise
        except ImportError as error:
            raise self._missing(error) from None
        except Exception as error:  # every loader has its own
            causes = filter(None, (error, error.__cause__))
            detail = " ".join("; ".join(map(str, causes)).split())
            for secret, shown in self._secrets(self.arguments):
                detail = detail.replace(secret, shown)
            detail = redacted(detail)[:300] or type(error).__name__
            raise self._error(f"{self.loader} failed ({detail}): check its arguments.") from None

    def _type(self) -> Any:
        loaders = import_module(_LOADERS)
        if self.loader not in loaders.__all__:
            near = difflib.get_close_matches(self.loader, loaders.__all__, 3, 0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"see {_LOADERS}."
            raise self._error(f"langchain-community has no loader {self.loader!r}; {hint}")
        return getattr(loaders, self.loader)

    def _check(self, made: Any, arguments: Mapping[str, Any]) -> None:
        signature = inspect.signature(made)
        try:
            signature.bind(**arguments)
        except TypeError as error:
            known = ", ".join(signature.parameters)
            raise self._error(f"{self.loader}: {error}; its arguments are {known}.") from None

    def _missing(self, error: ImportError) -> TailorError:
        named = _INSTALL.search(str(error))
        package = named[1] if named else (error.name or "").split(".")[0] or str(error)
        return self._error(
            f"{self.loader} needs the package {package}, which is not installed: run "
            f"`pip install {package}`, then `tailor ingest` again."
        )

    def _value(self, value: Any) -> Any:
        """An argument with variables and paths put in.

        Raises:
            TailorError: a variable is not set.
        """
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if not isinstance(value, str):
            return value
        if variable := _VARIABLE.fullmatch(value):
            if variable[1] not in os.environ:
                raise self._error(f"the environment has no variable {variable[1]}: set it first.")
            return os.environ[variable[1]]
        if value.startswith(("./", "../")):
            return str((self.root / value).resolve())
        return value[1:] if value.startswith("$$") else value

    def _secrets(self, value: Any, name: str = "") -> Iterator[tuple[str, str]]:
        """Secret values that are in use, and what is told in their place.

        They come from the environment, or stand under a name like ``api_key`` in tailor.toml.
        """
        if isinstance(value, Mapping):
            for key, own in value.items():
                yield from self._secrets(own, key)
        elif isinstance(value, list):
            for own in value:
                yield from self._secrets(own, name)
        elif str(value)[:1] == "$" and (secret := os.environ.get(str(value)[1:])):
            yield secret, str(value)
        elif isinstance(value, str) and value and SECRET_NAME.search(name):
            yield value, HIDDEN

    def _origin(self, found: Loaded, number: int) -> str:
        """What tells the documents apart; parts with the same are one document."""
        names = (self.group,) if self.group else _IDENTITIES
        values = (found.metadata.get(name) for name in names)
        return next((str(value) for value in values if value not in (None, "")), f"{number:04}")

    def _units(self, path: str, parts: list[Loaded]) -> Iterator[Loaded]:
        from tailor.documents.readers.markdown import marked
        from tailor.documents.readers.reader import unit
        from tailor.documents.readers.sections import sections

        if path.endswith((".md", ".markdown", ".mdx")) and len(parts) == 1 and not self.fields:
            yield from sections(marked(parts[0].page_content, path.endswith(".mdx")), joint="\n")
            return
        texts: dict[str, list[str]] = {}
        for part in parts:
            said = [str(part.metadata.get(name, "")) for name in self.fields]
            about = f"{', '.join(filter(None, said))}: " if any(said) else ""
            texts.setdefault(_place(part.metadata), []).append(about + part.page_content)
        for place, lines in texts.items():
            yield unit("\n\n".join(lines), place)

    def _error(self, sentence: str) -> TailorError:
        return TailorError(f"[sources.{self.name}]: {sentence}")


def sources(tables: Mapping[str, Mapping[str, Any]], root: Path) -> tuple[Source, ...]:
    """The sources that tailor.toml names; ``root`` is its folder."""
    return tuple(
        LoaderSource(
            name,
            table["loader"],
            table.get("arguments", {}),
            table.get("group", ""),
            tuple(table.get("fields", ())),
            root,
        )
        for name, table in tables.items()
    )


def checked(tables: Any) -> Mapping[str, Mapping[str, Any]]:
    """The tables ``[sources.NAME]`` if they are well formed.

    Raises:
        ValueError: they are not; the message says what is wrong.
    """
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise ValueError("write [sources.NAME] with loader and arguments")
    for name, table in tables.items():
        if re.fullmatch(r"\w[\w -]{0,60}", name) is None:
            raise ValueError(f"{name!r} is no name; take letters, digits and hyphens")
        if wrong := next((key for key in table if key not in KEYS), None):
            raise ValueError(f"[sources.{name}] has no key {wrong!r}; known are {', '.join(KEYS)}")
        if not isinstance(table.get("loader"), str):
            raise ValueError(f'[sources.{name}] needs loader = "NAME" of langchain-community')
        if not isinstance(table.get("arguments", {}), dict):
            raise ValueError(f"[sources.{name}]: arguments is not a table")
        if not isinstance(table.get("group", ""), str):
            raise ValueError(f"[sources.{name}]: group is not the name of a piece of metadata")
        fields = table.get("fields", [])
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise ValueError(f"[sources.{name}]: fields is not a list of names")
    return tables


def _place(metadata: Mapping[str, Any]) -> str:
    if label := metadata.get("page_label"):
        return f"page {label}"
    named = metadata.get("title") or metadata.get("page_name") or metadata.get("section") or ""
    return str(named)[:_LONGEST]


def _folders(values: Iterable[Any], root: Path) -> list[str]:
    """Folders that the arguments name: where documents lie below them is their path."""
    named = [value for value in values if isinstance(value, str) and os.path.isabs(value)]
    folders = [value if os.path.isdir(value) else os.path.dirname(value) for value in named]
    return [*folders, str(root.resolve())]


def _path(name: str, origin: str, folders: Iterable[str]) -> str:
    """``NAME/...``, without what leads anywhere."""
    below = origin
    if "://" in origin:
        parts = urlsplit(origin)
        below = f"{parts.netloc.rpartition('@')[2]}/{parts.path}" + (
            f" {parts.query}" if parts.query else ""
        )
    elif os.path.isabs(origin):
        inside = (folder for folder in folders if Path(origin).is_relative_to(folder))
        below = os.path.relpath(origin, next(inside, "/"))
    kept = [part.strip() for part in re.split(r"[/\\]", clean(below).replace("\n", " "))]
    path = "/".join(part[:_LONGEST] for part in kept if part not in ("", ".", ".."))
    if not path or len(path) > 4 * _LONGEST:
        path = f"{path[:_LONGEST]}{hashlib.sha256(origin.encode()).hexdigest()[:16]}"
    return f"{name}/{path}"
