"""`tailor compare` as a user types it: two rows by question, files, languages, stale rows."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tailor.ladder import climb
from tailor.reporting.words import WORDS
from tailor.rows import rows_for
from tailor.testing import Messages
from tailor.workspace import Workspace


@pytest.fixture
def ladder(configure, model) -> Workspace:
    """Two rows; the second one answers s1 otherwise, s2 wrongly, and s5 with more words."""
    hosted: Workspace = configure(ladder=["prompting", "retrieval"])
    right = model.gate.reply

    def reply(messages: Messages) -> str:
        answer = right(messages)
        text = str(messages[-1]["content"])
        if "Passage" not in text and "[1]" not in text:
            return {"30 days": "31 days", "Blue Heron": "=Blue Heron"}.get(answer, answer)
        return {"by bank transfer": "by cheque | in\x1b[2J cash"}.get(answer, answer)

    model.gate.reply = reply
    hosted.ingest()
    climb(hosted, rows_for(hosted, ["all"]))
    return hosted


def _changed(workspace: Workspace) -> None:
    """Change an accepted answer, so that no run holds any more."""
    path = workspace.knowledge / "benchmark.jsonl"
    path.write_text(path.read_text("utf-8").replace('"30 days"', '"thirty days"'), "utf-8")


def test_only_changed_questions_are_shown(tailor, ladder: Workspace) -> None:
    shown = tailor("compare", "prompting", "retrieval", "-w", ladder.root)
    assert shown.code == 0
    assert "[-31-]{+30+} days" in shown.out
    assert "by [-bank transfer-]{+cheque | in\\x1b[2J cash+}" in shown.out
    assert "Nghỉ cưới" not in shown.out
    assert "▲ 1 better, ▼ 1 worse, 4 the same, 0 not scored" in shown.out
    assert "Not shown, as their score is the same: 4 questions" in shown.out
    every = tailor("compare", "prompting", "retrieval", "--all", "-w", ladder.root).out
    assert "Nghỉ cưới" in every
    assert "--all" not in every


def test_both_languages(tailor, ladder: Workspace) -> None:
    pair = tailor("compare", "prompting", "retrieval", "--lang", "vi", "-w", ladder.root).out
    assert "▼ kém hơn" in pair
    assert WORDS["vi"]["expected"] in pair
    rows = tailor("compare", "--lang", "vi", "-w", ladder.root).out
    assert "So với bước trước" in rows
    assert tailor("compare", "--lang", "fr", "-w", ladder.root).code == 2


def test_the_table_and_json_say_the_same(tailor, ladder: Workspace) -> None:
    rows = tailor("compare", "-w", ladder.root, "--json").json
    table = tailor("compare", "-w", ladder.root).out
    for row in rows["stages"]:
        assert f"{100 * row['metrics']['f1']['mean']:.1f}%" in table
    again = tailor("compare", "-w", ladder.root, "--format", "json").json
    assert again == rows
    dev = tailor("compare", "-w", ladder.root, "--json", "--split", "dev").json
    assert dev["benchmark"]["split"] == "dev"
    assert dev["benchmark"]["n"] == 4


def test_two_rows_as_json(tailor, ladder: Workspace) -> None:
    pair = tailor("compare", "prompting", "retrieval", "-w", ladder.root, "--json").json
    assert pair["counts"] == {"better": 1, "worse": 1, "same": 4, "unscored": 0}
    changes = {q["id"]: q["change"] for q in pair["questions"]}
    assert (changes["s1"], changes["s2"], len(changes)) == ("better", "worse", 6)
    assert pair["stale"] == {}
    assert pair["stages"][1]["vs_previous"]["row"] == "prompting"


def test_metrics_asked_for_are_shown(tailor, ladder: Workspace) -> None:
    shown = tailor("compare", "--metrics", "similarity", "-w", ladder.root)
    assert shown.code == 0
    row = next(line for line in shown.out.splitlines() if "similarity" in line)
    stages = tailor("compare", "--json", "-w", ladder.root).json["stages"]
    for stage in stages:
        assert f"{100 * stage['metrics']['similarity']['mean']:.1f}%" in row
    vietnamese = tailor("compare", "--details", "--lang", "vi", "-w", ladder.root).out
    assert WORDS["vi"]["metrics"] in vietnamese
    assert "similarity" in vietnamese


def test_details(tailor, ladder: Workspace) -> None:
    value = tailor("compare", "--details", "--json", "-w", ladder.root).json
    assert {part["slice"] for part in value["slices"]["lang"]} == {"en", "vi"}
    assert value["stages"][1]["attribution"]["counts"]["not_used"]["n"] == 1
    assert {part["technique"] for part in value["guide"]} >= {"retrieval", "fine_tuning"}
    shown = tailor("compare", "--details", "-w", ladder.root).out
    for key in ("slices_lang", "why"):
        assert WORDS["en"][key] in shown


def test_stale_rows_are_never_compared_silently(tailor, ladder: Workspace) -> None:
    _changed(ladder)
    refused = tailor("compare", "prompting", "retrieval", "-w", ladder.root)
    assert refused.code == 1
    assert "the benchmark changed" in refused.sentence
    assert "--stale" in refused.sentence
    asked = tailor("compare", "prompting", "retrieval", "--stale", "--json", "-w", ladder.root)
    assert set(asked.json["stale"]) == {"prompting", "retrieval"}
    told = tailor("compare", "prompting", "retrieval", "--stale", "-w", ladder.root)
    assert "the benchmark changed" in told.err
    rows = tailor("compare", "--json", "-w", ladder.root)
    assert "the benchmark changed" in rows.err
    assert rows.json["winner"]["row"] is None
    assert [row["vs_previous"] for row in rows.json["stages"]] == [None, None]


def test_files(tailor, ladder: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    ended = tailor("compare", "-o", table, "-w", ladder.root)
    assert ended.code == 0
    assert ended.out == ""
    assert str(table) in ended.err
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    stages = tailor("compare", "--json", "-w", ladder.root).json["stages"]
    assert [float(line["f1"]) for line in lines] == [s["metrics"]["f1"]["mean"] for s in stages]
    assert [line["row"] for line in lines] == ["prompting", "retrieval"]
    pair = tailor("compare", "prompting", "retrieval", "--format", "csv", "-w", ladder.root).out
    cells = {line["id"]: line for line in csv.DictReader(io.StringIO(pair))}
    assert cells["s5"]["prompting answer"] == "'=Blue Heron"
    assert cells["s1"]["change"] == "better"
    for name, start in (("pair.md", "| id "), ("pair.json", "{"), ("pair.txt", "▲")):
        path = tmp_path / name
        assert tailor("compare", "prompting", "retrieval", "-o", path, "-w", ladder.root).code == 0
        assert path.read_text("utf-8").startswith(start)
    assert r"cheque \| in" in (tmp_path / "pair.md").read_text("utf-8")
    missing = tailor("compare", "-o", "/proc/no/rows.csv", "-w", ladder.root)
    assert missing.code == 1
    assert "-o" in missing.sentence


def test_every_answer_of_every_row(tailor, ladder: Workspace) -> None:
    told = tailor("compare", "--answers", "--format", "csv", "-w", ladder.root).out
    lines = list(csv.DictReader(io.StringIO(told)))
    assert len(lines) == 12
    assert {line["row"] for line in lines} == {"prompting", "retrieval"}
    found = next(line for line in lines if line["row"] == "retrieval" and line["id"] == "s1")
    assert found["answer"] == "30 days"
    assert float(found["f1"]) == 1.0
    assert "sales/refunds.md" in found["sources"]
    value = json.loads(tailor("compare", "--answers", "--json", "-w", ladder.root).out)
    assert value["schema_version"] == 1
    assert value["answers"][4]["answer"] == "=Blue Heron"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--answers"],
        ["--answers", "prompting", "retrieval", "--json"],
        ["prompting", "nothing"],
        ["--format", "xml"],
        ["--split", "train"],
    ],
)
def test_wrong_usage(tailor, ladder: Workspace, arguments: list[str]) -> None:
    assert tailor("compare", *arguments, "-w", ladder.root).code == 2


def test_one_row_with_two_models(tailor, ladder: Workspace) -> None:
    assert tailor("run", "prompting", "-m", "openai:other", "-w", ladder.root).code == 0
    both = ("compare", "prompting@openai:double", "prompting@openai:other", "-w", ladder.root)
    assert "prompting@openai:other against prompting@openai:double on 6" in tailor(*both).out
    value = tailor(*both, "--json").json
    assert [row["model"] for row in value["stages"]] == ["openai:double", "openai:other"]
    assert value["stages"][1]["vs_previous"]["delta"] == 0
    header = tailor(*both, "--format", "csv").out.splitlines()[0]
    assert "prompting@openai:other answer" in header
