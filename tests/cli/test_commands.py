"""The commands as a user types them: results, JSON, exit codes and sentences."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from tailor.workspace import Workspace


def test_a_workspace_from_nothing(tailor, tmp_path: Path) -> None:
    root = tmp_path / "acme"
    assert tailor("init", root).code == 0
    assert "already" in tailor("init", root).sentence
    empty = tailor("ingest", "-w", root)
    assert empty.code == 1
    assert "documents" in empty.sentence
    (root / "knowledge" / "leave.md").write_text("# Leave\n\nTwelve days of leave.\n", "utf-8")
    ingested = tailor("ingest", "-w", root, "--json")
    assert ingested.code == 0
    assert ingested.json["schema_version"] == 1
    assert [(f["path"], f["status"]) for f in ingested.json["files"]] == [("leave.md", "indexed")]
    again = tailor("ingest", "-w", root, "--json").json
    assert [f["status"] for f in again["files"]] == ["unchanged"]
    assert again["generation"] == ingested.json["generation"]
    found = tailor("search", "How many days of leave?", "-w", root, "--json").json
    assert found["passages"][0]["document"] == "leave.md"
    assert set(found["passages"][0]) == {
        "document", "start", "end", "place", "text", "score", "dense_rank", "lexical_rank",
    }  # fmt: skip
    missing = tailor("run", "prompting", "-w", root)
    assert missing.code == 1
    assert "benchmark" in missing.sentence


def test_the_version_is_that_of_the_package(tailor) -> None:
    assert tailor("--version").out == f"tailor {metadata.version('llm-tailor')}\n"


def test_missing_folders(tailor, tmp_path: Path) -> None:
    assert "tailor init" in tailor("search", "x", "-w", tmp_path / "nowhere").sentence
    assert "knowledge" in tailor("ingest", "-w", tmp_path).sentence


def test_search_before_ingest(tailor, workspace: Workspace) -> None:
    assert "tailor ingest" in tailor("search", "leave", "-w", workspace.root).sentence


def test_a_document_that_cannot_be_read(tailor, workspace: Workspace) -> None:
    (workspace.knowledge / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    (workspace.knowledge / "photo.xyz").write_bytes(b"\x00\x01")
    ended = tailor("ingest", "-w", workspace.root)
    assert ended.code == 0
    assert "broken.pdf" in ended.err
    assert "photo.xyz" in ended.err
    files = {f["path"]: f for f in tailor("ingest", "-w", workspace.root, "--json").json["files"]}
    assert files["broken.pdf"]["status"] == "refused"
    assert files["broken.pdf"]["reason"]
    assert files["hr/leave.md"]["status"] == "unchanged"


def test_a_broken_configuration(tailor, workspace: Workspace) -> None:
    toml = workspace.root / "tailor.toml"
    toml.write_text("model = \n", "utf-8")
    ended = tailor("search", "x", "-w", workspace.root)
    assert ended.code == 1
    assert str(toml) in ended.sentence
    assert "line 1" in ended.sentence
    toml.write_text('modle = "shipped"\n', "utf-8")
    ended = tailor("search", "x", "-w", workspace.root)
    assert ended.code == 2
    assert "'model'" in ended.sentence


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["run", "retreival"], "'retrieval'"),
        (["run", "few_shot", "--set", "few_shot.shts=3"], "shots"),
        (["run", "few_shot", "--set", "few_shot.shots=many"], "whole number"),
        (["run", "few_shot", "--set", "few_shot"], "key=value"),
        (["run", "few_shot", "--set", "concurrncy=3"], "'concurrency'"),
        (["run", "prompting", "--carry", "worst"], "previous or best"),
        (["run", "prompting", "--model", "gpt"], "provider"),
        (["compare", "prompting"], "two rows"),
    ],
)
def test_wrong_usage_exits_with_2(tailor, hosted: Workspace, arguments, hint) -> None:
    if arguments[0] == "compare":
        assert tailor("run", "prompting", "-w", hosted.root).code == 0
    ended = tailor(*arguments, "-w", hosted.root)
    assert ended.code == 2
    assert hint in ended.sentence


def test_a_benchmark_line_that_does_not_parse(tailor, hosted: Workspace, model) -> None:
    path = hosted.knowledge / "benchmark.jsonl"
    path.write_text('{"question": "half a li\n' + path.read_text("utf-8"), "utf-8")
    ended = tailor("run", "prompting", "-w", hosted.root)
    assert ended.code == 0
    assert f"{path}:1: not JSON" in ended.err
    assert len(set(model.questions())) == 10


def test_run_compare_and_ask(tailor, hosted: Workspace, model) -> None:
    assert tailor("ingest", "-w", hosted.root).code == 0
    ended = tailor("run", "prompting", "few_shot", "-w", hosted.root, "--json")
    assert ended.code == 0
    asked = len(model.questions())
    assert asked == 20
    result = ended.json
    assert [s["row"] for s in result["stages"]] == ["prompting", "few_shot"]
    assert result["stages"][1]["vs_previous"]["row"] == "prompting"
    compared = tailor("compare", "-w", hosted.root, "--json").json
    assert compared == result
    pairwise = tailor("compare", "prompting", "few_shot", "-w", hosted.root)
    assert pairwise.code == 0
    assert "few_shot" in pairwise.out
    assert len(model.questions()) == asked
    answered = tailor("ask", "How are refunds paid?", "-s", "few_shot", "-w", hosted.root, "--json")
    assert answered.json["answer"] == "by bank transfer"
    assert answered.json["row"] == "few_shot"


def test_the_stages_are_listed_with_their_settings(tailor, workspace: Workspace) -> None:
    (workspace.root / "stages").mkdir()
    (workspace.root / "stages" / "shout.py").write_text(
        "from dataclasses import dataclass\nfrom tailor import Stage, setting\n\n"
        "@dataclass(frozen=True)\nclass Shout(Stage):\n    'Say it loudly.'\n"
        "    volume: int = setting(11, 'how loudly')\n"
        "    def apply(self, assistant, workspace):\n        return assistant\n",
        "utf-8",
    )
    (workspace.root / "tailor.toml").write_text("workspace_stages = true\n", "utf-8")
    listed = tailor("run", "-w", workspace.root)
    assert listed.code == 0
    for shown in ("few_shot", "shots", "examples shown", "shout", "volume", "how loudly"):
        assert shown in listed.out
    stages = {s["row"]: s for s in tailor("run", "-w", workspace.root, "--json").json["stages"]}
    assert stages["shout"] == {
        "row": "shout",
        "meaning": "Say it loudly.",
        "settings": [{"name": "volume", "value": 11, "meaning": "how loudly"}],
    }


def test_gates(tailor, hosted: Workspace) -> None:
    assert tailor("run", "prompting", "--min-score", "0.5", "-w", hosted.root).code == 0
    missed = tailor("run", "few_shot", "--require-gain", "-w", hosted.root)
    assert missed.code == 3
    assert "Gate missed" in missed.err


def test_a_stage_that_cannot_be_applied_is_left_out_of_all(tailor, configure) -> None:
    hosted = configure(ladder=["prompting", "fine_tuning"])
    ended = tailor("run", "all", "-w", hosted.root, "--json")
    assert ended.code == 0
    assert "fine_tuning: left out. fine_tuning needs a model whose weights" in ended.err
    assert [s["row"] for s in ended.json["stages"]] == ["prompting"]
    alone = tailor("run", "fine_tuning", "-w", hosted.root)
    assert alone.code == 1
    assert "--model shipped" in alone.sentence


def test_doctor(tailor, workspace: Workspace) -> None:
    ended = tailor("doctor", "-w", workspace.root, "--json")
    assert ended.code == 0
    states = {f["name"]: f["state"] for f in ended.json["findings"]}
    assert states["torch"] == states["shipped reader"] == states["workspace"] == "ok"
    assert states["openai key"] == "absent"


def test_doctor_names_the_programs_that_documents_need(
    tailor, workspace: Workspace, tmp_path: Path, monkeypatch
) -> None:
    def findings() -> dict[str, dict[str, str]]:
        found = tailor("doctor", "-w", workspace.root, "--json").json["findings"]
        return {f["name"]: f for f in found}

    monkeypatch.setenv("PATH", str(tmp_path))
    assert findings()["tesseract"]["state"] == "absent"
    assert "vie and eng" in findings()["tesseract"]["remedy"]
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho 'List of languages:'\necho eng\n", "utf-8")
    program.chmod(0o755)
    assert findings()["tesseract"]["detail"] == "reads eng"
    assert findings()["tesseract"]["remedy"].count("vie") == 1


def test_who_gets_the_texts() -> None:
    from tailor.config import Config
    from tailor.models.provider import receiver

    here = Config(base_url="http://127.0.0.1:8000/v1")
    away = Config(base_url="https://models.example/v1")
    assert receiver("openai:double", here) == ""
    assert receiver("openai:double", away) == "models.example"
    assert receiver("openai:double", Config()) == "openai"
    assert receiver("anthropic:some-model", here) == "anthropic"
    assert receiver("shipped", away) == receiver("huggingface:x", away) == ""


def test_the_receiver_is_named_before_the_first_text_leaves(tailor, workspace: Workspace) -> None:
    ended = tailor("run", "prompting", "-w", workspace.root, "-m", "openai:x")
    assert ended.code == 1  # there is no key
    assert ended.err.index("Sent to openai") < ended.err.index("OPENAI_API_KEY")


@pytest.mark.parametrize("question", ["", "  ", "?!"])
def test_an_empty_question(tailor, hosted: Workspace, model, question: str) -> None:
    assert tailor("search", question, "-w", hosted.root).code == 2
    assert tailor("ask", question, "-w", hosted.root).code == 2
    assert not model.questions()


def test_ask_before_there_is_a_benchmark(tailor, hosted: Workspace) -> None:
    assert tailor("ingest", "-w", hosted.root).code == 0
    (hosted.knowledge / "benchmark.jsonl").unlink()
    answered = tailor("ask", "How are refunds paid?", "-w", hosted.root)
    assert answered.code == 0
    assert answered.out.strip() == "by bank transfer"


def test_two_rows_that_are_no_neighbours(tailor, configure) -> None:
    hosted = configure(ladder=["prompting", "few_shot", "retrieval"])
    assert tailor("ingest", "-w", hosted.root).code == 0
    assert tailor("run", "all", "-w", hosted.root, "--set", "few_shot.shots=2").code == 0
    pair = tailor("compare", "prompting", "retrieval", "-w", hosted.root, "--json").json
    assert pair["stages"][1]["vs_previous"]["row"] == "prompting"
    assert len(pair["questions"]) == 6


def test_a_step_is_only_told_against_the_row_it_was_built_on(tailor, configure) -> None:
    hosted = configure(ladder=["prompting", "few_shot", "retrieval"])
    assert tailor("ingest", "-w", hosted.root).code == 0
    assert tailor("run", "all", "-w", hosted.root, "--set", "few_shot.shots=2").code == 0
    other = tailor("run", "few_shot", "--set", "few_shot.shots=1", "-w", hosted.root)
    assert other.code == 0
    stages = tailor("compare", "-w", hosted.root, "--json").json["stages"]
    assert [s["vs_previous"] and s["vs_previous"]["row"] for s in stages] == [
        None, "prompting", None,
    ]  # fmt: skip


def test_evidence_that_is_not_in_the_documents_is_named(tailor, workspace: Workspace) -> None:
    path = workspace.knowledge / "hr" / "leave.md"
    path.write_text(path.read_text("utf-8").replace("12 days", "15 days"), "utf-8")
    ended = tailor("ingest", "-w", workspace.root)
    assert ended.code == 0
    assert "stale: d1" in ended.err


def test_standard_output_is_json_and_nothing_else(workspace: Workspace) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tailor.cli.main", "ingest", "-w", workspace.root, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ended.stdout)["totals"]


def test_one_question_makes_no_row_with_a_hosted_model(
    tailor, configure: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying prompts is paid for in a run, which says before what is sent where."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    away = configure(base_url="http://192.0.2.1/v1", timeout=1, retries=0)
    variants = "prompting.variants=style=steps"
    ended = tailor("ask", "Refunds?", "-s", "prompting", "--set", variants, "-w", away.root)
    assert (ended.code, "run the row first" in ended.sentence) == (1, True)


@pytest.mark.parametrize("port", ["0", "99999"])
def test_a_port_that_there_is_not_is_refused(tailor, workspace: Workspace, port: str) -> None:
    ended = tailor("ui", "--port", port, "--no-browser", "-w", workspace.root)
    assert (ended.code, "Traceback" in ended.err) == (2, False)
