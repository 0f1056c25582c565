"""tailor.toml: every key has a default; what is unknown or does not fit is one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.config import LADDER, Config, Price
from tailor.errors import TailorError, UsageError
from tailor.initialize import initialize
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command


def load(folder: Path, text: str | bytes) -> Config:
    path = folder / "tailor.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Config.load(path)


def test_a_missing_or_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert Config.load(tmp_path / "tailor.toml") == Config()
    assert load(tmp_path, "") == Config()
    assert Config().model == Config().embedder == "shipped"
    assert Config().ladder == LADDER


def test_a_full_file(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        b"\xef\xbb\xbf"
        + """
model = "openai:gpt-5-mini"
base_url = "http://127.0.0.1:8000/v1"
max_tokens = 100
temperature = "none"
timeout = 30
workspace_stages = true
ladder = ["prompting", "retrieval"]
answer_pattern = "Mã: .*"

[prices."openai:gpt-5-mini"]
input = 0.25
output = 2
cached_input = 0.025

[stages.few_shot]
shots = 2
""".encode(),
    )
    assert config == Config(
        model="openai:gpt-5-mini",
        base_url="http://127.0.0.1:8000/v1",
        max_tokens=100,
        temperature=None,
        timeout=30.0,
        workspace_stages=True,
        ladder=("prompting", "retrieval"),
        answer_pattern="Mã: .*",
        prices={"openai:gpt-5-mini": Price(0.25, 2.0, 0.025)},
        stages={"few_shot": {"shots": 2}},
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('modle = "x"', "unknown key 'modle'; did you mean 'model'"),
        ("zzz = 1", "unknown key 'zzz'; known are model"),
        ("model = 3", "model: 3 is not a text"),
        ("max_tokens = 'many'", "max_tokens: 'many' is not a whole number"),
        ("max_tokens = 0", "max_tokens: 0 is too small"),
        ("concurrency = 2.5", "concurrency: 2.5 is not a whole number"),
        ("concurrency = true", "concurrency: True is not a whole number"),
        ("concurrency = [1]", "concurrency: .* is not a whole number"),
        ("retries = -1", "retries: -1 is below 0"),
        ("timeout = nan", "timeout: nan is not a number"),
        ("timeout = inf", "timeout: inf is not a number"),
        ("timeout = 0", "timeout: 0 is too small"),
        ("temperature = 'hot'", "temperature: 'hot' is not a number"),
        ("temperature = -0.5", "temperature: -0.5 is below 0"),
        ("workspace_stages = 1", "workspace_stages: 1 is not true or false"),
        ("ladder = 3", "ladder: 3 is not a list"),
        ("ladder = [1]", "ladder: 1 is not a text"),
        ("ladder = []", "ladder: name at least one stage"),
        ("passage_size = 16", "passage_overlap: 16 is not below passage_size, which is 16"),
        ("passage_strategy = 'clever'", "'clever' is not one of structure, sentences, fixed"),
        ("passage_overlap = 9000", "passage_overlap: 9000 is not below passage_size, .* 150"),
        ("answer_pattern = '('", "answer_pattern: '.' is not a regular expression .*unterminated"),
        ("answer_pattern = 'a{99999999999}'", "answer_pattern: .* is not a regular expression"),
        ("base_url = 'localhost:8000/v1'", "base_url: 'localhost:8000/v1' is no address"),
        ("base_url = 'ftp://localhost'", "base_url: 'ftp://localhost' is no address"),
        ("base_url = 'http://'", "base_url: 'http://' is no address"),
        ("base_url = 'http://host:80x/v1'", "base_url: .* is no address"),
        ("base_url = 'http://[::1/v1'", "base_url: .* is no address"),
        ("base_url = ' http://host/v1'", "base_url: .* is no address"),
        ("prices = 3", "prices: write"),
        ("[prices.'openai:x']\ninput = 1", "openai:x.* needs input and output"),
        ("[prices.'openai:x']\ninput = 'a'\noutput = 1", "'a' is not a number"),
        ("[prices]\n'openai:x' = 3", "openai:x.* needs input and output"),
        ("[prices.'openai:x']\ninput = -1\noutput = 1", "-1.0 is below 0"),
        ("[prices.'openai:x']\ninput = 1\noutput = 1\ncache = 1", "may have cached_input"),
        ("max_cost = -1", "max_cost: -1 is below 0"),
        ("gpu_hour_usd = 'dear'", "gpu_hour_usd: 'dear' is not a number"),
        ("[stages]\nfew_shot = 3", "stages: write"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "tailor.toml"))


@pytest.mark.parametrize("text", ["model = ", "= 3", b"model = '\xff'", "a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_one_sentence(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(TailorError, match="is not valid TOML"):
        load(tmp_path, text)


def test_the_home_of_somebody_unknown_is_one_sentence() -> None:
    with pytest.raises(TailorError, match=r"There is no folder .*~nosuchuser"):
        Workspace("~nosuchuser/acme")


def test_a_folder_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tailor.toml").mkdir()
    with pytest.raises(TailorError, match="cannot be read"):
        Config.load(tmp_path / "tailor.toml")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"max_tokens": "12"}, {"max_tokens": 12}),
        ({"timeout": "0.5"}, {"timeout": 0.5}),
        ({"temperature": "none"}, {"temperature": None}),
        ({"temperature": "0.7"}, {"temperature": 0.7}),
        ({"workspace_stages": "true"}, {"workspace_stages": True}),
        ({"model": "shipped"}, {}),
    ],
)
def test_texts_from_the_command_line_are_converted(
    values: dict[str, str], wanted: dict[str, Any]
) -> None:
    assert Config().with_values(values, "--set") == Config(**wanted)


def test_set_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "tailor.toml").write_text("max_tokens = 5\nretries = 1\n", "utf-8")
    config = Workspace(tmp_path, {"max_tokens": "7"}).config
    assert (config.max_tokens, config.retries) == (7, 1)


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1:8000/v1", "https://models.example/v1", "http://[::1]:8000"]
)
def test_an_address_of_a_server(url: str) -> None:
    assert Config().with_values({"base_url": url}, "--set").base_url == url


def test_size_and_overlap_are_read_together() -> None:
    config = Config().with_values({"passage_size": "60", "passage_overlap": "59"}, "--set")
    assert (config.passage_size, config.passage_overlap) == (60, 59)
    with pytest.raises(UsageError, match="--set: passage_overlap: 59 is not below"):
        config.with_values({"passage_size": "59"}, "--set")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[stages.nonsense]\nx = 1",
            r"\[stages.nonsense\]: there is no stage 'nonsense'; there are",
        ),
        ("[stages.retreival]\nk = 1", r"\[stages.retreival\]: .*; did you mean 'retrieval'"),
        ("ladder = ['prompting', 'fewshot']", "ladder: .* 'fewshot'; did you mean 'few_shot'"),
    ],
)
def test_a_stage_that_there_is_not_is_one_sentence(
    workspace: Workspace, tailor: Command, text: str, says: str
) -> None:
    file = workspace.root / "tailor.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=says) as caught:
        Workspace(workspace.root).stage("prompting")
    assert str(caught.value).startswith(str(file))
    ended = tailor("run", "prompting", "-w", workspace.root)
    assert ended.code == 2
    assert "tailor.toml" in ended.sentence


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b".tailor/\n"),
        (b"", b".tailor/\n"),
        (b"*.log\n", b"*.log\n.tailor/\n"),
        (b"*.log", b"*.log\n.tailor/\n"),
        (b"caf\xe9\r\n.tailor/\r\n", b"caf\xe9\r\n.tailor/\r\n"),
    ],
)
def test_init_keeps_what_git_ignores_already(
    tmp_path: Path, before: bytes | None, after: bytes
) -> None:
    if before is not None:
        (tmp_path / ".gitignore").write_bytes(before)
    initialize(tmp_path)
    assert (tmp_path / ".gitignore").read_bytes() == after


def test_settings_of_stages_reach_the_stage(tmp_path: Path) -> None:
    (tmp_path / "tailor.toml").write_text("[stages.few_shot]\nshots = 2\npick = 'fixed'\n", "utf-8")
    workspace = Workspace(tmp_path)
    settings = workspace.stage("few_shot").settings()
    assert (settings["shots"], settings["pick"]) == (2, "fixed")
    assert workspace.stage("few_shot", {"shots": "9"}).settings()["shots"] == 9


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("modle=x", "--set: unknown key 'modle'; did you mean 'model'"),
        ("max_tokens", "--set max_tokens: write key=value"),
        ("few_shot.shot=3", "few_shot has no setting 'shot'; it has shots"),
        ("few_shot.shots=-1", "few_shot.shots: -1 is below 1"),
        ("few_shot.shots=many", "few_shot.shots: 'many' is not a whole number"),
        ("fewshot.shots=3", "no stage 'fewshot'; did you mean 'few_shot'"),
    ],
)
def test_a_wrong_set_is_one_sentence_and_code_2(
    workspace: Workspace, tailor: Command, given: str, says: str
) -> None:
    ended = tailor("run", "prompting", "-w", workspace.root, "--set", given)
    assert ended.code == 2
    assert says in ended.sentence
    assert not workspace.state.exists()
