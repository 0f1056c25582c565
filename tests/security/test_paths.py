"""Names and links of strangers lead nowhere: nothing is read or written elsewhere."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.benchmarking import file as benchmark_file
from tailor.benchmarking.importing import import_questions
from tailor.config_file import change
from tailor.errors import TailorError
from tailor.models import loading
from tailor.run import write_json
from tailor.training import adapters
from tailor.training.job_result import bring_back
from tailor.ui.upload import save
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
PARTS = st.sampled_from(
    ["..", ".", "", "/", "\\", "a", "b.md", "C:", "\0", "\n", "\u202e", "~", "...", "x" * 260, "é"]
)
NAMES = st.one_of(
    st.text(max_size=40),
    st.lists(PARTS, max_size=6).map("/".join),
    st.lists(PARTS, max_size=6).map("\\".join),
)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@given(name=NAMES, folders=st.booleans())
def test_no_uploaded_name_leaves_the_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str, folders: bool
) -> None:
    around = tmp_path_factory.mktemp("around")
    knowledge = around / "acme" / "knowledge"
    knowledge.mkdir(parents=True)
    try:
        outcome = save(knowledge, name, b"text", folders).outcome
        found = [path for path in around.rglob("*") if path.is_file()]
        assert all(path.is_relative_to(knowledge) for path in found)
        assert len(found) == (outcome == "added")
        assert not any(unicodedata.category(c) in ("Cc", "Cf") for path in found for c in path.name)
    finally:
        shutil.rmtree(around)


def test_uploads_go_through_no_link(tmp_path: Path) -> None:
    outside, knowledge = tmp_path / "outside", tmp_path / "knowledge"
    outside.mkdir()
    knowledge.mkdir()
    (outside / "kept.md").write_text("kept", "utf-8")
    (knowledge / "folder").symlink_to(outside)
    (knowledge / "file.md").symlink_to(outside / "kept.md")
    (knowledge / "new.md").symlink_to(outside / "new.md")
    save(knowledge, "folder/kept.md", b"evil", folders=True)
    save(knowledge, "file.md", b"evil")
    save(knowledge, "new.md", b"evil")
    assert tree(outside) == {"kept.md": b"kept"}
    assert [(knowledge / name).read_bytes() for name in ("file.md", "new.md")] == [b"evil"] * 2


def test_writing_a_file_follows_no_link_that_lies_in_its_way(
    workspace: Workspace, tmp_path: Path
) -> None:
    """A workspace from elsewhere may hold links under the names that are written to."""
    victim = tmp_path / "victim"
    victim.write_text("kept", "utf-8")
    root, state = workspace.root, workspace.state
    state.mkdir(exist_ok=True)
    for name in (".tailor.toml.part", ".drafts.jsonl.part", "one.json.part", "one.json"):
        where = {".t": root, ".d": workspace.knowledge}.get(name[:2], state)
        (where / name).symlink_to(victim)
    change(root / "tailor.toml", {"concurrency": 3})
    benchmark_file.write(workspace.knowledge / "drafts.jsonl", "{}\n")
    write_json(state / "one.json", {"a": 1})
    assert victim.read_text("utf-8") == "kept"
    for path in (root / "tailor.toml", workspace.knowledge / "drafts.jsonl", state / "one.json"):
        assert not path.is_symlink()
        assert path.is_file()


def test_a_report_takes_the_place_of_a_link(hosted: Workspace, tailor: Command) -> None:
    victim = hosted.root.parent / "victim"
    victim.write_text("kept", "utf-8")
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    reports = hosted.state / "reports"
    reports.mkdir(exist_ok=True)
    for name in ("report.html", "report.html.part"):
        (reports / name).unlink(missing_ok=True)
        (reports / name).symlink_to(victim)
    assert tailor("report", "-w", hosted.root).code == 0
    assert victim.read_text("utf-8") == "kept"
    assert "<!doctype html>" in (reports / "report.html").read_text("utf-8")


def test_names_in_a_benchmark_file_are_not_paths(workspace: Workspace, tmp_path: Path) -> None:
    """Titles and contexts become documents below knowledge/imported, whatever they are called."""
    (workspace.knowledge / "benchmark.jsonl").unlink()
    titles = ("../../escaped", "/etc/escaped", "..", "a/../../b", "\0\n", "C:\\escaped", "x" * 300)
    data = [
        {
            "title": title,
            "paragraphs": [{
                "context": f"Item {n} costs {n} euro.",
                "qas": [{"id": f"{title}{n}", "question": f"What does item {n} cost?",
                         "answers": [{"text": f"{n} euro", "answer_start": 14}]}],
            }],
        }
        for n, title in enumerate(titles)
    ]  # fmt: skip
    source = tmp_path / "squad.json"
    source.write_text(json.dumps({"data": data}), "utf-8")
    before = tree(tmp_path)
    done = import_questions(workspace, str(source), documents=True)
    assert done.taken == len(titles)
    new = set(tree(tmp_path)) - set(before)
    assert len(new) == len(titles) + 1
    home = f"{workspace.root.name}/knowledge"
    assert all(path.startswith((f"{home}/imported/", f"{home}/benchmark.jsonl")) for path in new)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("adapter")
    made: Path = TINY["save_adapter"](TINY["build"](place / "base"), place / "adapter", (), steps=1)
    return made


def test_an_adapter_brings_no_file_from_elsewhere(
    workspace: Workspace, adapter: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "id_rsa"
    secret.write_text("PRIVATE", "utf-8")
    given_ = shutil.copytree(adapter, tmp_path / "given")
    (given_ / "notes.txt").symlink_to(secret)
    with pytest.raises(TailorError, match="is a link to"):
        adapters.register(workspace, given_)
    assert not any(b"PRIVATE" in content for content in tree(workspace.root).values())
    (given_ / "notes.txt").unlink()
    (given_ / "canary.py").write_text("", "utf-8")
    taken = adapters.register(workspace, given_)
    assert "canary.py" not in os.listdir(taken.folder)


@pytest.mark.parametrize("job", ["../../elsewhere", "{there}", "..", "a/b", ""])
def test_a_result_names_no_job_elsewhere(workspace: Workspace, tmp_path: Path, job: str) -> None:
    """Else it could bring along what it is checked against."""
    there = tmp_path / "elsewhere"
    there.mkdir()
    for name in ("job.json", "settings.json"):
        (there / name).write_text('{"files": {}, "base_path": "evil/base"}', "utf-8")
    told = {"job": job.format(there=there), "files": {}, "data": {}, "settings": {}, "curve": []}
    (there / "result.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(TailorError, match="no name of a job"):
        bring_back(workspace, there)


@pytest.mark.parametrize("shard", ["../outside.safetensors", "/etc/passwd", "evil.bin"])
def test_an_index_of_weights_names_files_beside_it(tmp_path: Path, shard: str) -> None:
    base: Path = TINY["build"](tmp_path / "base")
    (base / "model.safetensors").rename(tmp_path / "outside.safetensors")
    shutil.copyfile(tmp_path / "outside.safetensors", base / "other.safetensors")
    (base / "evil.bin").write_bytes(b"x")
    index: dict[str, Any] = {"weight_map": {"transformer.word_embeddings.weight": shard}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    with pytest.raises(TailorError, match="broken or cut short"):
        loading.causal_model(str(base))


def test_a_curated_file_is_not_written_through_a_link(
    workspace: Workspace, tailor: Command, tmp_path: Path
) -> None:
    from tailor.cli.benchmark_curate import _write

    (tmp_path / "out.jsonl").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="exists"):
        _write(tmp_path / "out.jsonl", "{}")
    assert not (tmp_path / "victim").exists()
