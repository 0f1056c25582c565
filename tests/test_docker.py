"""The Dockerfile and the compose file name what is there, and are closed where they should be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from tailor.cli.main import app

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "platform" / "docker"
LINES = (DOCKER / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))


def instructions(name: str) -> list[str]:
    return [line.removeprefix(f"{name} ") for line in LINES if line.startswith(f"{name} ")]


def accepted(words: list[str]) -> None:
    """The command line, parsed as the command itself does, and not run."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("tailor", list(words))
    verb = group.commands[words[0]]
    verb.make_context(words[0], words[1:], parent=context)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = [
        source
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    assert {"platform", "stages", "ui", "knowledge", "pyproject.toml"} <= set(copied)
    kept = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source}" in kept


def test_the_image_runs_as_nobody_special_and_is_asked_how_it_is() -> None:
    assert instructions("USER") == ["tailor"]
    assert instructions("ENTRYPOINT") == ['["tailor"]']
    accepted(json.loads(instructions("CMD")[-1]))
    assert "/health" in instructions("HEALTHCHECK")[0]


@pytest.mark.parametrize("name", ["app", "ui"])
def test_the_services_are_closed(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert re.fullmatch(r"\$\{TAILOR_USER:-10001:10001\}", service["user"])
    assert service["volumes"] == ["${TAILOR_WORKSPACE:-workspace}:/workspace"]
    accepted(service["command"])
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
    assert name == "app" or "0.0.0.0" not in service["command"]


def test_the_server_has_a_token_or_does_not_start() -> None:
    assert COMPOSE["services"]["app"]["environment"]["TAILOR_TOKEN"].startswith("${TAILOR_TOKEN:?")
