"""A workspace in which nothing is made: what rows would build, train or search for is foreseen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.answers import AnswerStore
from tailor.errors import NotApplicable
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from tailor.documents.index import Index
    from tailor.documents.passages import Splitter


class NotMade(NotApplicable):
    """Something would have to be built, trained or searched for first."""


class Planned(Workspace):
    """The workspace, in which nothing is made."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace.root)
        self.config = workspace.config
        self.foreseen = []
        self.forecasts = []
        self.__dict__["benchmark"] = workspace.benchmark

    @cached_property
    def answers(self) -> AnswerStore:
        """The store; an empty one in memory where there is none yet."""
        path = self.state / "answers.db"
        return AnswerStore(path if path.exists() else Path(":memory:"))

    def artifact(self, kind: str, key: object, build: Callable[[Path], None]) -> Path:
        """The folder, if it is there."""
        folder = self.artifact_folder(kind, key)
        if not folder.is_dir():
            raise NotMade(f"{kind} is not made yet")
        return folder

    def index(self, splitter: Splitter | None = None, embedder: str = "") -> Index:
        """The generation, if it is there."""
        from tailor.documents import generation

        name = embedder or self.config.embedder
        other = splitter or self.splitter
        if generation.current(self.state) is not None:
            known = generation.current_name(self.state, name, other)
            if known and not (self.state / "index" / known / "manifest.json").exists():
                raise NotMade("the index is not built yet")
            if known is None and name != self.config.embedder:
                raise NotMade("the index is not built yet")
        return super().index(splitter, embedder)
