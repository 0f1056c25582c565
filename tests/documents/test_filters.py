"""Filters admit exactly what they say, and a filtered search still finds k passages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailor.documents.dated import day
from tailor.documents.filters import Filters
from tailor.documents.index import Index, open_index
from tailor.errors import UsageError

if TYPE_CHECKING:
    from conftest import Company

NOON = 1_700_000_000 * 10**9  # 2023-11-14


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("title: Leave\ndate: 2025-03-02\n\nText", "2025-03-02"),
        ("From: a@b.example\nDate: Mon, 5 Feb 2024 10:00:00 +0700\n\nHi", "2024-02-05"),
        ("Ngày ban hành: 31/01/2025\n", "2025-01-31"),
        ("Cập nhật: 2024/7/9", "2024-07-09"),
        ("date: soon\n", "2023-11-14"),
        ("date: 2025-13-45\n", "2023-11-14"),
        ("A story.\n" * 40 + "date: 2020-01-01\n", "2023-11-14"),
    ],
)
def test_a_document_tells_its_date_at_its_beginning(head: str, expected: str) -> None:
    assert day(head, NOON) == expected


def test_without_a_file_there_may_be_no_date() -> None:
    assert day("text", 0) == ""


@pytest.mark.parametrize(
    ("filters", "admitted"),
    [
        (Filters(), {"hr/a.md", "hr/vn/b.md", "hrx/c.md", "d.txt"}),
        (Filters(folders=("hr",)), {"hr/a.md", "hr/vn/b.md"}),
        (Filters(folders=("./hr/",)), {"hr/a.md", "hr/vn/b.md"}),
        (Filters(folders=("hr/vn", "hrx")), {"hr/vn/b.md", "hrx/c.md"}),
        (Filters(folders=("*.txt",)), {"d.txt"}),
        (Filters(documents=("hr/a.md",)), {"hr/a.md"}),
        (Filters(folders=("hr",), documents=("d.txt",)), set()),
    ],
)
def test_paths(filters: Filters, admitted: set[str]) -> None:
    paths = ("hr/a.md", "hr/vn/b.md", "hrx/c.md", "d.txt")
    assert {path for path in paths if filters.admits(path)} == admitted


def test_dates_and_languages() -> None:
    last = Filters(languages=("vi",), since="2025-01-01", until="2025-12-31")
    assert last.admits("a", "vi", "2025-01-01")
    assert last.admits("a", "vi", "2025-12-31")
    assert not last.admits("a", "vi", "2024-12-31")
    assert not last.admits("a", "vi", "2026-01-01")
    assert not last.admits("a", "en", "2025-06-01")
    assert not last.admits("a", "vi", "")
    assert not Filters()
    assert last


@pytest.mark.parametrize(
    ("since", "until"), [("yesterday", ""), ("", "2025-02-30"), ("2025-02-01", "2025-01-01")]
)
def test_a_wrong_date_is_one_sentence(since: str, until: str) -> None:
    with pytest.raises(UsageError, match=r"date.*\.$"):
        Filters(since=since, until=until)


@pytest.fixture(scope="module")
def many(shared_company: Company) -> Index:
    company = shared_company
    for n in range(60):
        company.write(f"en/{n}.txt", f"Leave rule {n}: employees of team {n} get leave days.")
    for n in range(6):
        path = company.write(f"vi/{n}.txt", f"Quy định nghỉ phép {n}: nhóm {n} được leave rule.")
        os.utime(path, (1_700_000_000 + n * 86400,) * 2)
    company.ingest()
    return open_index(company.state, company.embeddings, "hashed")


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_a_filtered_search_finds_all_k(many: Index, weight: float) -> None:
    question = "leave rule of employees in team 7"
    found = many.search(question, 6, weight, candidates=6, filters=Filters(folders=("vi",)))
    assert len(found) == 6
    assert {p.document.partition("/")[0] for p in found} == {"vi"}
    by_language = many.search(question, 6, weight, 6, Filters(languages=("vi",)))
    assert by_language == found


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_filtered_search_ranks_like_the_whole_one(many: Index, weight: float) -> None:
    question = "nhóm 3 leave"
    whole = [p.document for p in many.search(question, 66, weight) if p.document[:2] == "vi"]
    within = many.search(question, 66, weight, filters=Filters(folders=("vi",)))
    assert [p.document for p in within] == whole


def test_dates_of_files(many: Index) -> None:
    since = Filters(folders=("vi",), since="2023-11-17", until="2023-11-18")
    assert {p.document for p in many.search("leave", 9, filters=since)} == {"vi/3.txt", "vi/4.txt"}


def test_nothing_admitted_finds_nothing(many: Index) -> None:
    assert many.search("leave", 5, filters=Filters(folders=("no",))) == []
    assert not many.within(Filters(folders=("no",))).any()
    assert int(many.within(Filters(folders=("vi",))).sum()) == 6


def test_a_mask_is_of_every_filter(many: Index) -> None:
    mask = many.within(Filters(folders=("vi",)), Filters(documents=("vi/2.txt", "en/2.txt")))
    assert [many.passages()[int(n)].document for n in np.flatnonzero(mask)] == ["vi/2.txt"]
