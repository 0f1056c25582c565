"""Models of the Hugging Face hub, at one commit each: ``ORG/NAME`` or ``ORG/NAME@REVISION``.

Without a revision it is the commit that this machine's cache of the hub has, or else the newest
one; from then on that one is used, until a name says another. What is downloaded is kept in the
cache that all programs of Hugging Face share (``HF_HOME``). A connection that breaks is taken up
where it was; a command that was ended goes on with the files that are missing.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailor.errors import TailorError

Told = Callable[[int, int], None]
"""Told how many bytes have come, of how many, as far as is known."""

_NAME = re.compile(r"([A-Za-z0-9][\w.-]*(?:/[\w.-]+)?)(?:@([\w./-]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TEXTS = ("*.json", "*.txt", "*.model", "*.jinja", "*.bpe", "*.tiktoken", "README.md")
_WEIGHTS, _CODE = ("*.safetensors",), ("*.py",)
_LEFT_OUT = ("original/*", "consolidated*", "onnx/*", "openvino/*", "*.fp16.*", "*.fp32.*")
"""The same weights again, in other forms."""
_SECONDS = 10
"""How long the hub may take to name a commit."""


@dataclass(frozen=True)
class HubId:
    """A repository and what it is asked at."""

    repository: str
    revision: str = "main"
    """A branch, a tag or a commit."""

    def at(self, commit: str) -> str:
        """The name that means this commit for ever."""
        return f"{self.repository}@{commit}"

    def commit(self) -> str:
        """The commit that is meant: the one named, the one in the cache, or what the hub says.

        Raises:
            TailorError: it is not in the cache, and the hub cannot be asked or does not know it.
        """
        if _COMMIT.fullmatch(self.revision):
            return self.revision
        reference = _cache(self) / "refs" / self.revision
        with suppress(OSError):
            if _COMMIT.fullmatch(known := reference.read_text("utf-8").strip()):
                return known
        if offline():
            raise _not_in_cache(self)
        from huggingface_hub import HfApi

        try:
            with _quiet():
                said = HfApi(endpoint=_endpoint()).model_info(
                    self.repository, revision=self.revision, timeout=_SECONDS
                )
        except Exception as error:  # the client, its transport and the hub each have their own
            raise _problem(self, error) from None
        found = str(said.sha)
        with suppress(OSError):  # a cache that cannot be written is told by the download
            reference.parent.mkdir(parents=True, exist_ok=True)
            part = reference.with_name(f"{reference.name}.{os.getpid()}-{threading.get_ident()}")
            part.write_text(found, "utf-8")
            part.replace(reference)
        return found


def hub_id(path: str) -> HubId | None:
    """The repository that a model's path means; None where it means a folder here."""
    if path.startswith((".", "~")) or ".." in path or Path(path).exists():
        return None
    found = _NAME.fullmatch(path)
    return HubId(found[1], found[2] or "main") if found else None


def pinned(path: str) -> str:
    """``ORG/NAME@COMMIT`` as far as the commit can be known now; a folder stands for itself."""
    named = hub_id(path)
    known = commit(path)
    return named.at(known) if named and known else path


def commit(path: str) -> str:
    """The commit that a hub id means, as far as it can be known now; empty for a folder."""
    named = hub_id(path)
    try:
        return named.commit() if named else ""
    except TailorError:  # told when it is loaded
        return ""


def commits(*models: str) -> dict[str, str]:
    """The commit of each of these models that is of the hub, by repository, for a record."""
    found = {}
    for model in models:
        provider, _, path = model.partition(":")
        named = hub_id(path) if provider == "huggingface" and path else None
        if named is not None and (known := commit(path)):
            found[named.repository] = known
    return found


def fetch(
    named: HubId, *, weights: bool = True, code: bool = False, told: Told | None = None
) -> Path:
    """The folder of a repository at its commit, downloaded as far as it is not here.

    Of weights only safetensors; of code nothing, unless it is asked for.

    Raises:
        TailorError: there is no such repository or revision, it is gated, or the hub cannot be
            reached; one sentence each.
    """
    from huggingface_hub import snapshot_download

    patterns = [*_TEXTS, *(_WEIGHTS if weights else ()), *(_CODE if code else ())]
    known = named.commit()
    try:
        with _quiet():
            return Path(
                snapshot_download(
                    named.repository,
                    revision=known,
                    endpoint=_endpoint(),
                    local_files_only=offline(),
                    allow_patterns=patterns,
                    ignore_patterns=list(_LEFT_OUT),
                    tqdm_class=_bar(told),
                )
            )
    except Exception as error:  # the client, its transport and the hub each have their own
        raise _problem(named, error) from None


def offline() -> bool:
    """Whether the hub may not be asked: ``HF_HUB_OFFLINE``."""
    from huggingface_hub import constants

    said = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    return said or bool(constants.HF_HUB_OFFLINE)


def _endpoint() -> str | None:
    """Another server with the hub's interface; the package reads it only when it is imported."""
    return os.environ.get("HF_ENDPOINT") or None


def _cache(named: HubId) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = repo_folder_name(repo_id=named.repository, repo_type="model")
    return Path(constants.HF_HUB_CACHE).expanduser() / folder


class _quiet:
    """Keeps the package's warnings off the screen: what matters of them is our own sentence."""

    def __enter__(self) -> None:
        self._level = logging.getLogger("huggingface_hub").level
        logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("huggingface_hub").setLevel(self._level)


def _bar(told: Told | None) -> Any:
    """A progress bar as the package wants one, which shows nothing and tells ``told``."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # Of its bars, one counts files, one bytes on the wire and one bytes that are kept.
            self._counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
            self._come = 0
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total: Any = kwargs.get("total")

        def update(self, n: float | None = 1) -> bool | None:
            self._come += int(n or 0)
            self._tell()
            return None

        def refresh(self, *args: Any, **kwargs: Any) -> None:
            self._tell()

        def _tell(self) -> None:
            if told is not None and self._counts and self.total:
                told(min(self._come, int(self.total)), int(self.total))

    return Bar


def _not_in_cache(named: HubId) -> TailorError:
    return TailorError(
        f"The model {named.repository} is not whole in this machine's cache of the hub, and "
        "HF_HUB_OFFLINE forbids to ask for it: unset that once, or name a folder with a copy."
    )


def _problem(named: HubId, error: Exception) -> TailorError:
    """What went wrong at the hub, a sentence."""
    from huggingface_hub import errors

    name, chain = named.repository, _chain(error)
    if any(isinstance(one, errors.GatedRepoError) for one in chain):
        return TailorError(
            f"The model {name} is gated: accept its terms at https://huggingface.co/{name}, then "
            "set HF_TOKEN to a token of that account."
        )
    if any(isinstance(one, errors.RevisionNotFoundError) for one in chain):
        return TailorError(
            f"The model {name} has no revision {named.revision}: name a branch, a tag or a commit "
            "of it, or leave it out."
        )
    if any(isinstance(one, errors.RepositoryNotFoundError) for one in chain):
        return TailorError(
            f"There is no folder {name} here, and the hub knows no such repository: check the "
            "name; if it is private, set HF_TOKEN to a token that may read it."
        )
    if offline():
        return _not_in_cache(named)
    if any(isinstance(one, OSError) and one.errno == errno.ENOSPC for one in chain):
        return TailorError(
            f"The disk is full, so that {name} is not whole: free some, then run the same command "
            "again, which fetches only the files that are missing."
        )
    cause = chain[-1]
    said = (str(cause).strip() or "no message").splitlines()[0][:200]
    return TailorError(
        f"The model {name} cannot be had from the hub ({type(cause).__name__}: {said}): check the "
        "network, then run the same command again, which fetches only the files that are missing; "
        "or name a folder with a copy."
    )


def _chain(error: BaseException) -> list[BaseException]:
    found = [error]
    while (cause := found[-1].__cause__) is not None and cause not in found:
        found.append(cause)
    return found
