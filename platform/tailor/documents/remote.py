"""Vectors of generations on a Chroma server, which somebody else runs; one collection for each.

``server-<token>.json`` in a generation's folder says where its collection is, and is there before
the collection, so that none is lost sight of.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tailor.documents.dense import DenseIndex, made
from tailor.errors import TailorError
from tailor.redaction import address, redacted
from tailor.text import fold

TOKEN = "CHROMA_TOKEN"
"""The environment variable with the server's token."""
_FILES = "server-*.json"
_WAITS = 1.0, 4.0
"""Seconds before a call is tried again over which the connection was lost."""
_CONNECT, _REPLY = 10.0, 120.0
"""Seconds to wait for a connection, and for a reply."""
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class Unreachable(TailorError):
    """The server cannot be reached, or refuses; nothing is wrong with the index."""


def server_address(url: str) -> str:
    """The address, where keys and vectors may travel to it.

    Raises:
        ValueError: they may not, or it holds a name or password; the message says why.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address; write one like https://chroma.example.com")
    if parts.username is not None or parts.query:
        raise ValueError(f"the address holds more than a server; give its token as {TOKEN}")
    if parts.scheme == "http" and not _here(parts.hostname):
        raise ValueError(
            f"anybody on the way to {parts.hostname} could read the token and the vectors, from "
            "which texts can be guessed, and change them; write https://, or lead a tunnel to "
            "http://127.0.0.1"
        )
    return url


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def begun(folder: Path, url: str, current: str = "") -> tuple[str, DenseIndex]:
    """The collection that a generation's vectors go to, perhaps begun before.

    Returns:
        The name of the file that says where it is, and the collection, opened.

    Raises:
        Unreachable: as it says.
    """
    for file in sorted(folder.glob(_FILES)):
        if file.name != current:
            if _where(file)[0] == url:
                return file.name, _opened(file, create=True)
            _drop(file)
    generation = folder.name.removeprefix(".building-")
    workspace = re.sub("[^a-z0-9]+", "-", fold(folder.absolute().parents[2].name)).strip("-")[:40]
    token = secrets.token_hex(4)
    file = folder / f"server-{token}.json"
    name = f"tailor-{workspace or 'workspace'}-{token}-{generation}"
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"url": url, "collection": name}), "utf-8")
    os.replace(part, file)
    return file.name, _opened(file, create=True)


def opened(file: Path) -> DenseIndex:
    """The collection that a file names.

    Raises:
        Unreachable: as it says.
        Exception: the file is damaged, or the collection is not there.
    """
    return _opened(file, create=False)


def place(vectors: Path) -> str:
    """The server that vectors are on; empty for a folder of this machine."""
    if not vectors.is_file():
        return ""
    try:
        return _where(vectors)[0]
    except (OSError, ValueError, KeyError):
        return "?"  # wherever they were, they have to be written again


def drop(folder: Path, current: str = "") -> None:
    """Delete the collections of a generation, but for the current one.

    Raises:
        Unreachable: as it says; what was not deleted can be, later.
    """
    for file in folder.glob(_FILES):
        if file.name != current:
            _drop(file)


def removed(folder: Path) -> None:
    """Delete a folder with its collections; left alone where their server cannot be reached."""
    with suppress(Unreachable):
        drop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _drop(file: Path) -> None:
    from chromadb.errors import NotFoundError

    try:
        url, name = _where(file)
        client = _client(url)
        with suppress(NotFoundError):
            _asked(url, client.delete_collection, name)
        client.close()
    except (ValueError, KeyError):
        pass  # damaged: it names nothing
    file.unlink(missing_ok=True)


def _where(file: Path) -> tuple[str, str]:
    told = json.loads(file.read_text("utf-8"))
    return server_address(str(told["url"])), str(told["collection"])


def _opened(file: Path, create: bool) -> DenseIndex:
    from chromadb.errors import NotFoundError

    url, name = _where(file)
    client = _client(url)
    try:
        try:
            found = _asked(url, client.get_collection, name, embedding_function=None)
        except NotFoundError:
            if not create:
                raise
            found = _asked(url, made, client, name)
    except Exception:  # passed on; the client must not stay open
        client.close()
        raise
    return RemoteIndex(client, _Collection(url, found))


class RemoteIndex(DenseIndex):
    """The vectors of a generation on a server."""

    def give_up(self) -> None:
        """Delete the collection."""
        self._client.delete_collection(self._collection.name)


class _Collection:
    """A collection whose server may be away for a moment."""

    def __init__(self, url: str, collection: Any) -> None:
        self._url = url
        self._collection = collection

    @property
    def name(self) -> str:
        """Of the collection."""
        return str(self._collection.name)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(_asked, self._url, getattr(self._collection, name))


def _asked(url: str, call: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """What the server replies; all that it is asked may be asked twice."""
    import httpx
    from chromadb.errors import NotFoundError

    for wait in (*_WAITS, None):
        try:
            return call(*values, **named)
        except NotFoundError:
            raise
        except Exception as error:  # the client raises bare ones over many statuses
            response = getattr(error, "response", getattr(error.__context__, "response", None))
            lost = isinstance(error, httpx.TransportError)
            again = lost or getattr(response, "status_code", None) in _AGAIN
            if wait is None or not again:
                raise Unreachable(
                    f"The Chroma server {address(url)} cannot be used ({_reason(error)}): see that "
                    f"it runs and that {TOKEN} is its token, then run the same command again, "
                    "which goes on from what is there; searching by words alone needs no server."
                ) from None
        time.sleep(wait)
    raise AssertionError


def _reason(error: Exception) -> str:
    said = " ".join(redacted(str(error)).split())[:200]
    return said or type(error).__name__


def _client(url: str) -> Any:
    """A client of the server; the token goes along, and nothing else of the environment."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    token = os.environ.get(TOKEN, "")
    # One for servers behind a proxy that checks it, the other for Chroma's own.
    headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token} if token else {}

    def connected() -> Any:
        reply = httpx.get(
            f"{url.rstrip('/').removesuffix('/api/v2')}/api/v2/heartbeat",
            headers=headers,
            timeout=_CONNECT,
        )
        reply.raise_for_status()
        given = Settings(
            anonymized_telemetry=False, chroma_server_host=url, chroma_server_http_port=_port(url)
        )
        return chromadb.HttpClient(url, _port(url), headers=headers, settings=given)

    client = _asked(url, connected)
    # It would wait for ever: https://github.com/chroma-core/chroma has no setting for it.
    client._server._session.timeout = httpx.Timeout(_REPLY, connect=_CONNECT)
    return client


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
