import pytest

from tailor.documents.passages import Passage
from tailor.scoring.grounding import citations_resolved, cited, supported

LEAVE = Passage("hr/leave.md", 0, 60, "New employees get 12 days of paid annual leave.", "Leave")
KHO = Passage("kho/lạnh.txt", 0, 60, "Kho lạnh Hải Phòng giữ ở âm 18 độ. Thủ kho là ông Bình.")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("12 days", None),
        ("12 days [1]", 1),
        ("12 days [1, 2]", 1),
        ("12 days [1][3]", 0.5),
        ("12 days [0]", 0),
        ("in [2026]", None),
        ("12 days (leave.md)", 1),
        ("12 days, see hr/leave.md.", 1),
        ("12 days (hr/holidays.md) [1]", 0.5),
        ("âm 18 độ (kho/lạnh.txt)", 1),
        ("âm 18 độ (kho/la\u0323nh.txt)", 1),
    ],
)
def test_citations(text, share):
    assert citations_resolved(text, [LEAVE, KHO]) == share


def test_each_number_is_found_where_it_stands():
    text = "12 days [1, 12], see [3]."
    assert [(text[start:end], number) for start, end, number in cited(text)] == [
        ("1", 1),
        ("12", 12),
        ("3", 3),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 days", 1),
        ("New employees get 12 days of paid leave. [1]", 1),
        ("14 days", 0),
        ("12 days and a company car with a driver", 0),
        ("They get 12 days of annual leave. The chief pays for a trip to Rome.", 0),
        ("âm 18 độ", 1),
        ("thu kho la ong Binh", 1),
        ("-18 độ", 1),
        ("âm 20 độ", 0),
        ("ông Bình", 1),
        ("Rex", 0),
        ("Yes.", None),
        ("Không", None),
        ("", None),
    ],
)
def test_support(text, expected):
    assert supported(text, [LEAVE, KHO]) == expected


def test_words_cannot_tell_across_languages():
    assert supported("paid annual leave", [KHO]) is None
    assert supported("nghỉ phép có lương", [LEAVE]) is None
    assert supported("30 days", [KHO]) == 0
    assert supported("Maria Alvarez", [KHO]) == 0
    assert supported("12 days", []) is None
