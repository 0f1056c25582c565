"""The curation report, its parts, and the overview of files."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from tailor.documents.advice import ALL, Advice, advice
from tailor.documents.boilerplate import boilerplate
from tailor.documents.curation import CurationReport, curate
from tailor.documents.duplicates import near_duplicates
from tailor.documents.overview import pending, preview, stored

LONG = "The cold box keeps vaccines between two and eight degrees for five days on the road. "
FOOTER = "Marlen Cold Chain confidential, do not copy, page {} of 9"


def report(company: Any) -> CurationReport:
    company.ingest()
    return curate(company.state, lambda text: len(text.split()))


def test_what_somebody_should_look_at(company: Any) -> None:
    drawn = random.Random(2)
    for n in range(4):
        text = " ".join(f"w{chr(97 + drawn.randrange(26))}{drawn.randrange(9)}" for _ in range(60))
        company.write(f"trips/{n}.md", f"# Trip {n}\n\n{text}\n\n{FOOTER.format(n)}\n")
    company.write("a.md", f"{LONG}\n\nWi-Fi password: BlueHeron2024\nLan: 0912 345 678\n")
    company.write("b.md", f"{LONG}\n\nWi-Fi password: BlueHeron2024\nLan: 0912 345 678\n")
    company.write("vi.md", "Nhân viên mới được nghỉ phép mười hai ngày mỗi năm.\n")
    company.write("broken.pdf", "%PDF-1.7 and nothing")
    company.write("void.txt", "")
    os.utime(company.knowledge / "vi.md", (1e9, 1e9))

    found = report(company)
    by_path = {entry.path: entry for entry in found.entries}
    assert by_path["broken.pdf"].status == "refused"
    assert by_path["broken.pdf"].what_to_do == "Open it in its own program and save it again."
    assert by_path["void.txt"].status == "empty"
    assert by_path["b.md"].status == "duplicate"
    assert by_path["a.md"].passages > 0
    assert by_path["vi.md"].language == "vi"
    assert by_path["vi.md"].tokens == 11
    assert found.same == (("a.md", "b.md"),)
    assert [entry.path for entry in found.short] == ["vi.md"]
    assert found.oldest[0].path == "vi.md"
    assert found.oldest[0].modified == "2001-09-09T01:46:40+00:00"
    assert found.newest[0].path != "vi.md"
    (footer,) = [item for item in found.repeated if "confidential" in item.text]
    assert (footer.documents, footer.example) == (4, "trips/0.md")
    located = [(item.kind, item.document, item.count, item.lines) for item in found.sensitive]
    assert located == [("password", "a.md", 1, (3,)), ("phone", "a.md", 1, (4,))]
    totals = found.totals
    assert (totals["indexed"], totals["duplicate"], totals["refused"]) == (6, 1, 1)
    assert totals["languages"] == {"en": 5, "vi": 1}

    told = json.dumps(found.to_json(), ensure_ascii=False)
    assert json.loads(told)["schema_version"] == 1
    assert "BlueHeron2024" not in told
    assert "0912" not in told


def test_nothing_was_ingested(company: Any) -> None:
    assert curate(company.state, len).entries == ()


def test_near_duplicates_have_their_exact_similarity() -> None:
    words = random.Random(1)
    base = [f"w{words.randrange(500)}" for _ in range(400)]
    texts = {"base": " ".join(base)}
    for name, changed in (("close", 1), ("less", 8), ("far", 200)):
        other = list(base)
        for at in range(0, 400, 400 // changed):
            other[at] = f"x{at}"
        texts[name] = " ".join(other)
    texts["else"] = " ".join(f"v{words.randrange(500)}" for _ in range(400))
    pairs = near_duplicates(texts, least=0.7)
    runs = {
        name: {tuple(text.split()[i : i + 5]) for i in range(len(text.split()) - 4)}
        for name, text in texts.items()
    }
    assert sorted((p.first, p.second) for p in pairs) == [
        ("base", "close"), ("base", "less"), ("close", "less"),
    ]  # fmt: skip
    for pair in pairs:
        one, other = runs[pair.first], runs[pair.second]
        assert pair.similarity == pytest.approx(len(one & other) / len(one | other), abs=1e-3)


def test_a_form_filled_in_a_thousand_times() -> None:
    form = "Employee {} asks for leave and signs the paper at the end of the page, " * 3
    texts = {f"{n:04}": form.format(n, n, n) + " ".join(["x"] * 60) for n in range(1000)}
    pairs = near_duplicates(texts, least=0.2)
    assert 0 < len(pairs) <= 5000
    assert near_duplicates({}) == ()
    assert near_duplicates({"a": "one", "b": "two", "c": ""}) == ()


def test_boilerplate_joins_neighbours_and_ignores_numbers() -> None:
    texts = {
        f"{n}.md": f"Own line number {n} about something else entirely {n * 'x'}\n\n"
        f"Page {n} of all pages\nSent from my company phone\n"
        for n in range(5)
    }
    texts["other.md"] = "Nothing of the kind stands in here at all.\n"
    (found,) = boilerplate(texts)
    assert found.text == "Page 0 of all pages\nSent from my company phone"
    assert (found.documents, found.example, found.line) == (5, "0.md", 3)


def test_every_refusal_of_the_code_has_advice() -> None:
    """Reasons as they are written in the readers; parts in braces stand for anything."""
    import tailor.documents

    folder = Path(tailor.documents.__path__[0])
    source = "\n".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    reasons = set(re.findall(r'Refused\(\s*f?"([^"]{8,})"', source))
    assert len(reasons) > 20
    empty = {"the file is empty", "no text in it"}
    unknown = {r for r in reasons - empty if advice("refused", r) in (Advice(), ALL[-1])}
    assert {r for r in unknown if "{INSTALL}" not in r and "{ocr.INSTALL}" not in r} == set()


@pytest.mark.parametrize(
    ("status", "reason", "cause"),
    [
        ("refused", "password-protected: save a copy without password", "password"),
        ("empty", "scanned, no text: run text recognition (OCR) on it first", "pictures of text"),
        ("empty", "the file is empty", "no text"),
        ("refused", "unknown format .yml; if it is plain text, rename it to .txt", "format"),
        ("refused", "larger than 100 MB: split it", "larger"),
        ("refused", "a recording: set transcriber in tailor.toml", "a recording"),
        ("refused", "a link that leaves the knowledge folder", "leads out"),
        ("duplicate", "same content as a.md", "same as another"),
        ("indexed", "not UTF-8; read as windows-1258 by its bytes", "encoding"),
    ],
)  # fmt: skip
def test_advice(status: str, reason: str, cause: str) -> None:
    assert cause in advice(status, reason).cause


def test_what_waits_to_be_read(company: Any) -> None:
    company.write("a.md", "One document about leave.\n")
    company.write("b.md", "Another document about pay.\n")
    assert [s.status for s in pending(company.knowledge, stored(company.state))] == ["new", "new"]
    company.ingest()
    known = stored(company.state)
    assert [(s.path, s.status) for s in known] == [("a.md", "indexed"), ("b.md", "indexed")]
    assert pending(company.knowledge, known) == ()
    company.write("a.md", "One document about leave, changed.\n")
    (company.knowledge / "b.md").unlink()
    company.write("c.md", "A third one.\n")
    waiting = pending(company.knowledge, known)
    assert [(s.path, s.status) for s in waiting] == [
        ("a.md", "changed"), ("b.md", "removed"), ("c.md", "new"),
    ]  # fmt: skip


def test_what_was_read_before_the_ingestion_stopped(company: Any) -> None:
    company.write("a.md", "One document about leave.\n")
    company.embeddings.embed_documents = lambda texts: 1 / 0
    with pytest.raises(ZeroDivisionError):
        company.ingest()
    known = stored(company.state)
    assert [state.status for state in known] == ["waiting"]
    assert [state.status for state in pending(company.knowledge, known)] == ["waiting"]


def test_a_preview_is_the_text_and_its_passages(company: Any) -> None:
    company.write("a.md", "# Leave\n\nTwelve days of leave.\n")
    company.ingest()
    document, passages = preview(company.state, "a.md")
    assert document is not None
    assert passages
    assert all(document.text[p.start : p.end] == p.text for p in passages)
    assert preview(company.state, "nowhere.md") == (None, ())
