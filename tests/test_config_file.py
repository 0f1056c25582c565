"""tailor.toml changed in place."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tailor.config import Config, Goal
from tailor.config_file import change, meanings
from tailor.errors import TailorError, UsageError
from tailor.initialize import initialize

OWN = """\
# our settings
model = "openai:ours"   # the one we pay for
ladder = [
    "baseline",  # by words
    "prompting",
]

[stages.few_shot]
shots = 3   # enough

[goal]
score = 0.7
"""


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    file = tmp_path / "tailor.toml"
    file.write_text(OWN, "utf-8")
    config = change(file, {"model": "openai:ours", "timeout": 30.0, "goal": {"score": 0.8}})
    assert config == Config.load(file)
    assert (config.timeout, config.goal) == (30.0, Goal(score=0.8))
    expected = OWN.replace("score = 0.7", "score = 0.8").replace(
        "]\n\n[st", "]\ntimeout = 30.0\n\n[st"
    )
    assert file.read_text("utf-8") == expected


def test_what_is_the_same_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "tailor.toml"
    file.write_bytes(OWN.replace("\n", "\r\n").encode())
    before = file.stat().st_mtime_ns
    change(file, {"ladder": ("baseline", "prompting"), "goal": {"score": 0.7, "purpose": None}})
    assert file.stat().st_mtime_ns == before


def test_a_key_is_taken_out_and_a_table_made(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "new")
    file = workspace.root / "tailor.toml"
    text = file.read_text("utf-8")
    goal = {"purpose": "Trả lời nhân viên", "score": 0.75, "latency_s": None}
    config = change(file, {"goal": goal, "max_tokens": 12})
    assert config.goal == Goal("Trả lời nhân viên", 0.75)
    assert file.read_text("utf-8").startswith(text)
    config = change(file, {"goal": dict.fromkeys(goal), "max_tokens": None})
    assert (config.goal, config.max_tokens) == (Goal(), None)


def test_a_file_is_made_where_there_is_none_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "tailor.toml"
    assert change(file, {"retries": 2}).retries == 2
    file.chmod(0o600)
    change(file, {"retries": 3})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["tailor.toml"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"passage_size": -1}, "is below 0"),
        ({"goal": {"score": 70}}, "is above 1"),
        ({"goal": {"speed": 1}}, "unknown key 'speed'"),
        ({"modell": "x"}, "did you mean 'model'"),
        ({"passage_overlap": 500}, "is not below passage_size"),
    ],
)
def test_what_config_refuses_is_not_written(
    values: dict[str, object], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "tailor.toml"
    file.write_text(OWN, "utf-8")
    with pytest.raises(UsageError, match=said):
        change(file, values)
    assert file.read_text("utf-8") == OWN


@pytest.mark.parametrize(
    "secret",
    ["sk-proj-Zx9Qk2Lr7Tv4Wm1Yb8Nc5Hd3Jf6Gp0SaUeIoRtXcVzQwErTy", "https://me:hunter22@host/v1"],
)
def test_secrets_are_not_written(secret: str, tmp_path: Path) -> None:
    with pytest.raises(TailorError, match="looks like a secret") as refused:
        change(tmp_path / "tailor.toml", {"base_url": secret})
    assert secret not in str(refused.value)
    assert not (tmp_path / "tailor.toml").exists()


def test_every_key_says_what_it_means() -> None:
    from dataclasses import fields

    names = {field.name for field in fields(Config)} | {f"goal.{f.name}" for f in fields(Goal)}
    assert meanings().keys() == names
