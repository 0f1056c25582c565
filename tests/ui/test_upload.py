"""What becomes of uploaded files, without a page."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from tailor.ui.upload import save


def test_names_are_kept_in_one_form(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    decomposed = unicodedata.normalize("NFD", "hợp đồng.md")
    saved = save(folder, decomposed, b"text")
    assert (saved.name, saved.outcome) == ("hợp đồng.md", "added")
    assert os.listdir(folder) == ["hợp đồng.md"]
    assert save(folder, "hợp đồng.md", b"text").outcome == "same"
    assert save(folder, decomposed, b"other").outcome == "replaced"
    assert (folder / "hợp đồng.md").read_bytes() == b"other"
    assert os.listdir(folder) == ["hợp đồng.md"]


def test_a_file_that_lies_there_in_another_form_is_replaced(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "lịch.md")
    (tmp_path / decomposed).write_bytes(b"old")
    assert save(tmp_path, "lịch.md", b"new").outcome == "replaced"
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"new"]


@pytest.mark.parametrize(
    ("name", "content", "outcome"),
    [
        ("../../etc/passwd.md", b"x", "added"),
        ("..\\..\\x.md", b"x", "added"),
        ("", b"x", "no_name"),
        ("..", b"x", "hidden"),
        (".hidden.md", b"x", "hidden"),
        ("~$letter.docx", b"x", "hidden"),
        ("a" * 260 + ".md", b"x", "no_name"),
        ("benchmark.jsonl", b"{}", "reserved"),
        ("setup.exe", b"MZ\x90\x00\x03", "no_document"),
        ("letter.docx", b"plain text", "other_kind"),
        ("broken.pdf", b"%PDF-1.7 nothing", "added"),
        ("empty.txt", b"", "added"),
        ("note\n\u202ecod.md", b"x", "added"),
    ],
)
def test_names_and_kinds(tmp_path: Path, name: str, content: bytes, outcome: str) -> None:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    assert save(folder, name, content).outcome == outcome
    assert [p.name for p in tmp_path.iterdir()] == ["knowledge"]
    there = [p.name for p in folder.iterdir()]
    assert len(there) == (outcome == "added")
    assert all(name.isprintable() and "/" not in name for name in there)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailor.ui.upload.LARGEST", 3)
    assert save(tmp_path, "a.md", b"1234").outcome == "too_large"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert save(tmp_path, "a.md", b"1").outcome == "unwritable"


@pytest.mark.parametrize(
    ("name", "outcome", "shown"),
    [
        ("hồ sơ/luật/a.md", "added", "hồ sơ/luật/a.md"),
        (unicodedata.normalize("NFD", "hồ sơ/b.md"), "added", "hồ sơ/b.md"),
        ("x\\y\\c.md", "added", "x/y/c.md"),
        ("x//d.md", "added", "x/d.md"),
        ("/etc/e.md", "added", "etc/e.md"),
        ("../f.md", "hidden", "../f.md"),
        ("x/../../g.md", "hidden", "x/../../g.md"),
        (".git/config", "hidden", ".git/config"),
        ("x/benchmark.jsonl", "added", "x/benchmark.jsonl"),
        ("benchmark.jsonl", "reserved", "benchmark.jsonl"),
        ("a" * 260 + "/h.md", "no_name", "a" * 260 + "/h.md"),
        ("link/i.md", "unwritable", "link/i.md"),
        ("file.md/j.md", "unwritable", "file.md/j.md"),
    ],
)
def test_folders_are_kept_and_none_leads_out(
    tmp_path: Path, name: str, outcome: str, shown: str
) -> None:
    knowledge = tmp_path / "knowledge"
    (tmp_path / "outside").mkdir()
    knowledge.mkdir()
    (knowledge / "link").symlink_to(tmp_path / "outside")
    (knowledge / "file.md").write_bytes(b"x")
    saved = save(knowledge, name, b"text", folders=True)
    assert (saved.outcome, saved.name) == (outcome, shown)
    written = sorted(path for path in knowledge.rglob("*") if path.is_file())
    assert written == sorted([knowledge / "file.md", *([knowledge / shown] * (outcome == "added"))])
    assert not list((tmp_path / "outside").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["knowledge", "outside"]


def test_a_folder_that_lies_there_in_another_form_is_used(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "hồ sơ")
    (tmp_path / decomposed).mkdir()
    assert save(tmp_path, "hồ sơ/a.md", b"text", folders=True).outcome == "added"
    assert [path.name for path in tmp_path.iterdir()] == [decomposed]
