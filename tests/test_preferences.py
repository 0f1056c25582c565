"""Better and worse answers, kept beside the benchmark."""

from __future__ import annotations

from pathlib import Path

from tailor.preferences import FILE, Choice, prefer, preferences, unreadable
from tailor.workspace import Workspace

ONE = Choice("prompting", "shipped", "3 ngày", (("user", "Nghỉ bao lâu?"),))
OTHER = Choice("baseline", "shipped", "14 ngày\nmột năm")


def test_preferences_are_kept_and_never_read_as_documents(tmp_path: Path) -> None:
    knowledge = tmp_path / "knowledge"
    assert preferences(knowledge) == ()
    first = prefer(knowledge, "Nghỉ bao lâu?", OTHER, ONE)
    with (knowledge / FILE).open("a", encoding="utf-8") as file:
        file.write('{"question": "half wri')
    second = prefer(knowledge, "Nghỉ bao lâu?", ONE, OTHER)
    assert preferences(knowledge) == (first, second)
    assert unreadable(knowledge) == (2,)
    assert first.chosen.text == "14 ngày\nmột năm"
    assert first.at.startswith("20")
    (knowledge / "a.md").write_text("A day.", "utf-8")
    assert [file.path for file in Workspace(tmp_path).ingest().files] == ["a.md"]
