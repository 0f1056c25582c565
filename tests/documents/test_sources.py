"""Documents from elsewhere, through real loaders of langchain-community."""

from __future__ import annotations

import json
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailor.config import Config
from tailor.documents.document import Document
from tailor.documents.sources import sources
from tailor.errors import TailorError, UsageError


def load(root: Path, **table: Any) -> dict[str, Document]:
    config = Config().with_values({"sources": {"wiki": table}}, "tailor.toml")
    (source,) = sources(config.sources, root)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {found.path: found for found in source.load() if isinstance(found, Document)}


def error(root: Path, **table: Any) -> str:
    with pytest.raises(TailorError) as caught:
        load(root, **table)
    return str(caught.value)


def test_notion_export(tmp_path: Path) -> None:
    (tmp_path / "export" / "Nhân sự").mkdir(parents=True)
    (tmp_path / "export" / "Home.md").write_text("# Home\n\nWelcome.\n\n## Next\n\nMore.", "utf-8")
    (tmp_path / "export" / "Nhân sự" / "Nghỉ phép.md").write_text("12 ngày phép mỗi năm", "utf-8")
    found = load(tmp_path, loader="NotionDirectoryLoader", arguments={"path": "./export"})
    assert set(found) == {"wiki/Home.md", "wiki/Nhân sự/Nghỉ phép.md"}
    assert [place.name for place in found["wiki/Home.md"].places] == ["Home", "Home > Next"]
    assert found["wiki/Nhân sự/Nghỉ phép.md"].language == "vi"


def test_slack_export_by_channel(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "slack.zip", "w") as export:
        export.writestr("channels.json", json.dumps([{"name": "kho", "id": "C1"}]))
        said = [{"user": "An", "text": "Stock is 58.", "ts": "1.0"}, {"user": "Bình", "text": "OK"}]
        export.writestr("kho/2026-03-19.json", json.dumps(said))
        export.writestr("kho/2026-03-20.json", json.dumps([{"user": "An", "text": "Now 60."}]))
    found = load(
        tmp_path,
        loader="SlackDirectoryLoader",
        arguments={"zip_path": "./slack.zip"},
        group="channel",
        fields=["user"],
    )
    assert {path: document.text for path, document in found.items()} == {
        "wiki/kho": "An: Stock is 58.\n\nBình: OK\n\nAn: Now 60."
    }


def test_parts_of_one_file_are_one_document(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Name,Site\nAn,Kho\nChi,Huế\n", "utf-8")
    found = load(tmp_path, loader="CSVLoader", arguments={"file_path": "./people.csv"})
    assert list(found) == ["wiki/people.csv"]
    assert found["wiki/people.csv"].text == "Name: An\nSite: Kho\n\nName: Chi\nSite: Huế"


def test_titles_are_places(tmp_path: Path) -> None:
    (tmp_path / "faq.html").write_text("<title>FAQ</title><p>Ask first.</p>", "utf-8")
    found = load(tmp_path, loader="BSHTMLLoader", arguments={"file_path": "./faq.html"})
    assert [place.name for place in found["wiki/faq.html"].places] == ["FAQ"]


def test_values_come_from_the_environment_and_stay_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("text", "utf-8")
    monkeypatch.setenv("WIKI_FILE", str(tmp_path / "a.txt"))
    found = load(tmp_path, loader="TextLoader", arguments={"file_path": "$WIKI_FILE"})
    assert list(found) == ["wiki/a.txt"]
    monkeypatch.setenv("WIKI_FILE", str(tmp_path / "s3cr3t.txt"))
    said = error(tmp_path, loader="TextLoader", arguments={"file_path": "$WIKI_FILE"})
    assert "$WIKI_FILE" in said
    assert "s3cr3t" not in said
    monkeypatch.delenv("WIKI_FILE")
    said = error(tmp_path, loader="TextLoader", arguments={"file_path": "$WIKI_FILE"})
    assert "no variable WIKI_FILE" in said


def test_what_goes_wrong_is_one_sentence(tmp_path: Path) -> None:
    said = error(tmp_path, loader="NotionDirectoryLoadr")
    assert "did you mean NotionDirectoryLoader" in said
    said = error(tmp_path, loader="NotionDirectoryLoader", arguments={"folder": "x"})
    assert "its arguments are path, encoding" in said
    said = error(tmp_path, loader="TextLoader", arguments={"file_path": "./none.txt"})
    assert said.startswith("[sources.wiki]: TextLoader failed (Error loading")
    assert "No such file" in said


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "atlassian", None)  # as if it were not installed
    said = error(tmp_path, loader="ConfluenceLoader", arguments={"url": "https://x.example"})
    assert "needs the package atlassian-python-api" in said
    assert "pip install atlassian-python-api" in said


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"wiki": {}}, "needs loader"),
        ({"wiki": {"loader": "X", "argument": {}}}, "no key 'argument'"),
        ({"wiki": {"loader": "X", "arguments": []}}, "arguments is not a table"),
        ({"wiki": {"loader": "X", "group": 1}}, "group"),
        ({"wiki": {"loader": "X", "fields": "user"}}, "fields"),
        ({"../wiki": {"loader": "X"}}, "is no name"),
        ({"wiki": "X"}, "write [sources.NAME]"),
    ],
)
def test_tables_are_checked(tables: Mapping[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=r"tailor\.toml: sources: ") as caught:
        Config().with_values({"sources": tables}, "tailor.toml")
    assert said in str(caught.value)


def test_the_package_is_imported_only_when_a_source_is_read(tmp_path: Path) -> None:
    import subprocess

    program = (
        "import sys; from pathlib import Path; from tailor.config import Config\n"
        "from tailor.documents.sources import sources\n"
        "c = Config().with_values({'sources': {'a': {'loader': 'TextLoader'}}}, 'x')\n"
        "sources(c.sources, Path('.'))\n"
        "assert 'langchain_community' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
