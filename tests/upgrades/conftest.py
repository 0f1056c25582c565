"""Workspaces that earlier versions left."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tailor.workspace import Workspace

Left = Callable[[str], Workspace]


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Left:
    """Unpacks the workspace that a version left, and opens it."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")

    def unpacked(version: str) -> Workspace:
        root = tmp_path / "acme"
        with tarfile.open(Path(__file__).with_name(f"{version}.tar.gz")) as packed:
            packed.extractall(root, filter="data")
        return Workspace(root)

    return unpacked


@pytest.fixture
def old(left: Left) -> Workspace:
    """The workspace from before stores had versions."""
    return left("0.1.0-before")
