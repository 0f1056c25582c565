"""Questions from elsewhere: every form, what is dropped and why, and a file that stays whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmark import Benchmark
from tailor.benchmarking import contexts
from tailor.benchmarking.importing import import_questions
from tailor.benchmarking.support import support
from tailor.errors import TailorError, UsageError
from tailor.workspace import Workspace


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    (tmp_path / "ws" / "knowledge").mkdir(parents=True)
    return Workspace(tmp_path / "ws")


def written(workspace: Workspace) -> list[dict[str, Any]]:
    path = workspace.knowledge / "benchmark.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def source(folder: Path, name: str, value: object) -> str:
    path = folder / name
    if isinstance(value, str):
        path.write_bytes(value.encode())
    elif name.endswith(".jsonl"):
        assert isinstance(value, list)
        path.write_text("".join(json.dumps(line) + "\n" for line in value), "utf-8")
    else:
        path.write_text(json.dumps(value), "utf-8")
    return str(path)


SQUAD = {
    "data": [
        {
            "title": "Cold_store",
            "paragraphs": [
                {
                    "context": "The store is old. It is kept at 4 degrees by two machines. "
                    "Nobody knows why.",
                    "qas": [
                        {
                            "id": "s1",
                            "question": "How cold is the store?",
                            "answers": [
                                {"text": "4 degrees", "answer_start": 32},
                                {"text": "4", "answer_start": 32},
                            ],
                        },
                        {"id": "s2", "question": "Who built it?", "answers": [],
                         "is_impossible": True},
                    ],
                }
            ],
        }
    ]
}  # fmt: skip


def test_squad_with_its_contexts_as_documents(empty: Workspace, tmp_path: Path) -> None:
    brought = import_questions(empty, source(tmp_path, "squad.json", SQUAD), documents=True)
    assert (brought.form, brought.taken, brought.documents) == ("squad", 2, 1)
    first, second = written(empty)
    assert first["answer"] == ["4 degrees", "4"]
    assert first["evidence"][0]["quote"] == "It is kept at 4 degrees by two machines."
    assert second["answer"] is None
    assert second["evidence"] == []
    empty.ingest()
    report = empty.check()
    assert [f for f in report.findings if f.line] == []
    again = import_questions(
        empty, str(tmp_path / "squad.json"), mode="replace", documents=True, split="test"
    )
    assert again.documents == 0  # the same text is there already
    assert again.kept_copy is not None
    assert len(again.kept_copy.read_text("utf-8").splitlines()) == 2


def test_squad_as_on_the_hub_with_offsets_that_do_not_fit(empty: Workspace, tmp_path: Path) -> None:
    row = {"id": "x", "title": "Kho", "context": "Kho lạnh giữ ở âm 18 độ quanh năm.",
           "question": "Kho lạnh giữ ở bao nhiêu độ?",
           "answers": {"text": ["âm 18 độ"], "answer_start": [99]}}  # fmt: skip
    import_questions(empty, source(tmp_path, "xquad.jsonl", [row]), documents=True)
    (line,) = written(empty)
    assert line["evidence"][0]["quote"] == "Kho lạnh giữ ở âm 18 độ quanh năm."
    assert line["lang"] == "vi"


def test_natural_questions_in_both_forms(empty: Workspace, tmp_path: Path) -> None:
    words = "<P> The first prize went to Wilhelm Röntgen in 1901 . </P>".split(" ")
    simplified = {
        "document_text": " ".join(words), "question_text": "who got the first prize",
        "example_id": 7,
        "annotations": [{"long_answer": {"start_token": 0, "end_token": 12},
                         "short_answers": [{"start_token": 6, "end_token": 8}],
                         "yes_no_answer": "NONE"}],
    }  # fmt: skip
    long_only = {**simplified, "example_id": 8, "question_text": "what is told of the prize",
                 "annotations": [{"long_answer": {"start_token": 0, "end_token": 12},
                                  "short_answers": [], "yes_no_answer": "NONE"}]}  # fmt: skip
    hub = {
        "id": "9", "question": {"text": "was it given in 1901"},
        "document": {"title": "Prize", "tokens": {"token": words, "is_html":
                     [w.startswith("<") for w in words]}},
        "annotations": {"long_answer": [{"start_token": 0, "end_token": 12}],
                        "short_answers": [{"start_token": [], "end_token": [], "text": []}],
                        "yes_no_answer": [1]},
    }  # fmt: skip
    brought = import_questions(
        empty, source(tmp_path, "nq.jsonl", [simplified, long_only, hub]), documents=True
    )
    assert brought.form == "nq"
    assert dict(brought.dropped) == {"it has a long answer only": ["2"]}
    first, second = written(empty)
    assert first["question"] == "Who got the first prize?"
    assert first["answer"] == "Wilhelm Röntgen"
    assert "Wilhelm Röntgen" in first["evidence"][0]["quote"]
    assert second["answer"] == "yes"


def test_tatqa_with_scales(empty: Workspace, tmp_path: Path) -> None:
    entry = {
        "table": {"table": [["", "2019", "2018"], ["Sales", "1,496.5", "1,202.9"]]},
        "paragraphs": [{"text": "Sales grew in both regions."}],
        "questions": [
            {"uid": "a", "question": "What are the sales in 2019?", "answer": ["1,496.5"],
             "scale": "million", "answer_type": "span", "answer_from": "table"},
            {"uid": "b", "question": "By how much did sales grow?", "answer": 24.41,
             "scale": "percent", "answer_type": "arithmetic", "answer_from": "table"},
            {"uid": "c", "question": "Which years are told of?", "answer": ["2019", "2018"],
             "scale": "", "answer_type": "multi-span", "answer_from": "table"},
        ],
    }  # fmt: skip
    import_questions(empty, source(tmp_path, "tatqa.json", [entry]), documents=True)
    lines = {line["id"]: line for line in written(empty)}
    assert lines["a"]["answer"] == ["1,496.5 million", "1,496.5"]
    assert lines["b"]["answer"] == ["24.41%", "24.41"]
    assert lines["c"]["answer"] == "2019, 2018"
    assert "1,496.5" in lines["b"]["evidence"][0]["quote"]
    empty.ingest()
    assert [f.kind for f in empty.check().findings if f.line] == []


def test_input_output_context(empty: Workspace, tmp_path: Path) -> None:
    rows = [
        {"input": "When is it open?", "output": "From 8 to 17",
         "context": ["The shop is red.", "It is open from 8 to 17 on all days."]},
        {"input": "Who owns it?", "output": "I do not know", "context": []},
    ]  # fmt: skip
    brought = import_questions(empty, source(tmp_path, "rag.jsonl", rows))
    assert brought.contexts_left == 1
    assert brought.without_evidence == 1
    assert [line["answer"] for line in written(empty)] == ["From 8 to 17", None]


def test_contexts_that_stand_in_the_companys_documents_become_evidence(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.ingest()
    row = {"input": "Where do requests go?", "output": "Ms Alvarez",
           "context": "Requests for leave go to Ms Alvarez."}  # fmt: skip
    import_questions(workspace, source(tmp_path, "x.jsonl", [row]), mode="append")
    last = written(workspace)[-1]
    assert last["evidence"] == [
        {"document": "hr/leave.md", "quote": "Requests for leave go to Ms Alvarez."}
    ]
    assert workspace.benchmark.questions[-1].question == "Where do requests go?"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_other_columns(
    empty: Workspace, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    path = tmp_path / "fragen.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.writer(file, delimiter=delimiter)
        table.writerow(["Frage", "Antwort", "Sprache"])
        table.writerow(["Wie viele Tage, bitte?", "12; nicht 14", "de"])
        table.writerow(["Nghỉ phép mấy ngày?", "", ""])
        table.writerow(["Nghỉ phép bao lâu?", "12 ngày", ""])
    mapping = {"question": "Frage", "answer": "Antwort", "lang": "Sprache"}
    brought = import_questions(empty, str(path), mapping=mapping, tags=("import",))
    assert dict(brought.dropped) == {"it has no answer": ["3"]}
    assert [(x["answer"], x["lang"], x["tags"]) for x in written(empty)] == [
        ("12; nicht 14", "de", ["import"]),
        ("12 ngày", "vi", ["import"]),
    ]


def test_xlsx(empty: Workspace, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ([None, None], ["Câu hỏi", "Đáp án"], ["Bao nhiêu ngày?", 12.0], ["Ai?", None]):
        sheet.append(row)
    book.save(tmp_path / "hoi.xlsx")
    brought = import_questions(empty, str(tmp_path / "hoi.xlsx"))
    assert written(empty)[0]["answer"] == "12"
    assert dict(brought.dropped) == {"it has no answer": ["4"]}


def test_a_dataset_of_hugging_face_in_a_folder(empty: Workspace, tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    rows = {"query": ["Who?", "When?"], "response": ["Ann", "at noon"]}
    DatasetDict(
        {"train": Dataset.from_dict(rows),
         "validation": Dataset.from_dict({"query": ["Why?"], "response": ["because"]})}
    ).save_to_disk(str(tmp_path / "set"))  # fmt: skip
    import_questions(empty, str(tmp_path / "set"))
    assert [(x["question"], x["split"]) for x in written(empty)] == [
        ("Who?", "train"), ("When?", "train"), ("Why?", "dev"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="has no split 'tset'; it has train, validation"):
        import_questions(empty, str(tmp_path / "set"), mode="append", hub_split="tset")


def test_contexts_by_id_of_a_second_file(empty: Workspace, tmp_path: Path) -> None:
    corpus = source(tmp_path, "corpus.jsonl", [{"_id": "d1", "title": "Hours",
                                                "text": "Open from 8 to 17."}])  # fmt: skip
    rows = [{"question": "When?", "answers": ["8 to 17"], "source_ids": ["d1"]},
            {"question": "Where?", "answers": ["here"], "source_ids": ["d2"]}]  # fmt: skip
    brought = import_questions(
        empty, source(tmp_path, "q.jsonl", rows), contexts=corpus, documents=True
    )
    assert dict(brought.dropped) == {'there is no context "d2"': ["2"]}
    assert written(empty)[0]["evidence"][0]["quote"] == "Open from 8 to 17."


def test_only_the_sentences_most_like_the_answer_are_tried(
    empty: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def counted(answers: Sequence[str], quotes: str) -> str:
        tried.append(quotes)
        return support(answers, quotes)

    monkeypatch.setattr(contexts, "support", counted)
    long = " ".join(f"Shelf {n} of the hall holds pumps from 2024." for n in range(2000))
    sold = "The hall sold 40 pumps in May and 62 pumps in June."
    corpus = source(tmp_path, "c.jsonl", [{"id": "d", "text": f"{long} {sold}"}])
    rows = [{"question": "How many pumps were sold in May and June?", "answers": ["102 pumps"],
             "source_ids": ["d"]},
            {"question": "Which colour do pumps of the hall have?", "answers": ["red lacquer"],
             "source_ids": ["d"]}]  # fmt: skip
    import_questions(empty, source(tmp_path, "q.jsonl", rows), contexts=corpus, documents=True)
    assert written(empty)[0]["evidence"][0]["quote"] == sold
    assert len(tried) <= 102  # not 2,000 for what no sentence says


def test_duplicates_and_ids(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        {"id": "s1", "question": "WITHIN how many days may goods be returned?", "answer": "30"},
        {"id": "s2", "question": "Anything new?", "answer": "yes"},
        {"id": "s2", "question": "anything new", "answer": "no"},
    ]
    path = workspace.knowledge / "benchmark.jsonl"
    before = path.read_text("utf-8")
    brought = import_questions(workspace, source(tmp_path, "x.jsonl", rows), mode="append")
    assert brought.taken == 1
    assert dict(brought.dropped) == {
        "its question is asked already": ["1 as line 9 of benchmark.jsonl", "3 as 2"]
    }
    assert path.read_text("utf-8").startswith(before)
    assert Benchmark.load(path).questions[-1].id == "s2~2"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", "question,answer\nWho?,Ann,too,many\n", r"x\.csv:2: more cells than columns"),
        ("x.jsonl", '{"question": "a", "answer": "b"}\n{"question"\n', r"x\.jsonl:2: not JSON"),
        ("x.jsonl", "[1]\n", r"x\.jsonl:1: not a JSON object"),
        ("x.json", '{"a": [1, 2]', r"x\.json:1: not JSON"),
        ("x.json", "[1, 2]", "holds no list of entries"),
        ("x.xlsx", "no workbook", "is not an XLSX file"),
        ("x.csv", "", "holds no rows"),
        ("x.csv", "alone\nWho?\n", "No column is the question; there are alone"),
        ("x.jsonl", '{"question": "a", "answer": NaN}', r"\(1: it has no answer\)"),
        ("x.csv", "question,answer\nWho?,\n", r"no question that can be taken \(1: it has no ans"),
    ],
)
def test_a_broken_source_is_one_sentence_and_the_benchmark_stays(
    workspace: Workspace, tmp_path: Path, name: str, content: str, says: str
) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    before = path.read_bytes()
    for mode in ("append", "replace"):
        with pytest.raises(TailorError, match=says):
            import_questions(workspace, source(tmp_path, name, content), mode=mode)  # type: ignore[arg-type]
    assert path.read_bytes() == before


def test_wrong_use(workspace: Workspace, tmp_path: Path) -> None:
    there = source(tmp_path, "x.csv", "Frage,Antwort\nWer?,Ann\n")
    with pytest.raises(TailorError, match=r"--append .* or --replace"):
        import_questions(workspace, there)
    for options, says in (
        ({}, "No column is the question; there are Frage, Antwort"),
        ({"mapping": {"question": "Fragen", "answer": "Antwort"}}, "no column 'Fragen'"),
        ({"mapping": {"quest": "Frage"}}, "there is no 'quest'"),
        ({"preset": "sqad"}, "must be one of squad"),
    ):
        with pytest.raises(UsageError, match=says):
            import_questions(workspace, there, mode="append", **options)  # type: ignore[arg-type]
    with pytest.raises(TailorError, match="There is no file"):
        import_questions(workspace, str(tmp_path / "y.csv"), mode="append")
    with pytest.raises(UsageError, match="is no file"):
        import_questions(workspace, "what is this", mode="append")


def test_the_command(tailor: Any, empty: Workspace, tmp_path: Path) -> None:
    there = source(tmp_path, "x.csv", "Frage,Antwort\nWer?,Ann\nWann?,\n")
    done = tailor("benchmark", "import", there, "--map", "question=Frage,answer=Antwort",
                  "-w", empty.root)  # fmt: skip
    assert done.code == 0
    assert "1 question taken from 2 rows" in done.out
    assert "dropped 1: it has no answer (rows 3)" in done.out
    refused = tailor("benchmark", "import", there, "--map", "question=Frage,answer=Antwort",
                     "-w", empty.root)  # fmt: skip
    assert refused.code == 1
    both = tailor("benchmark", "import", there, "--append", "--replace", "-w", empty.root)
    assert both.code == 2
    value = tailor("benchmark", "import", there, "--map", "question=Frage,answer=Antwort",
                   "--replace", "-w", empty.root, "--json").json  # fmt: skip
    assert (value["schema_version"], value["taken"], value["rows"]) == (1, 1, 2)


def test_every_former_file_is_kept(empty: Workspace, tmp_path: Path) -> None:
    copies = []
    for number in range(3):
        text = f"question,answer\nWhat is number {number}?,{number}\n"
        brought = import_questions(empty, source(tmp_path, "q.csv", text), mode="replace")
        copies.append(brought.kept_copy)
    first, second = copies[1:]
    assert first is not None
    assert second is not None
    assert "number 0" in first.read_text("utf-8")
    assert "number 1" in second.read_text("utf-8")


@pytest.mark.parametrize("broken", ['"Where is it?,here', '"Where is it?" or so,here'])
def test_an_open_quote_swallows_nothing(empty: Workspace, tmp_path: Path, broken: str) -> None:
    text = f"question,answer\nHow old is it?,9 years\n{broken}\nWho has it?,Ann\n"
    with pytest.raises(TailorError, match=r"q\.csv:3: not CSV from here on"):
        import_questions(empty, source(tmp_path, "q.csv", text))


def test_a_missing_file_is_not_looked_for_on_the_hub(empty: Workspace) -> None:
    with pytest.raises(TailorError, match=r"There is no file questions\.txt"):
        import_questions(empty, "questions.txt")


def test_splits_are_known_in_any_case(empty: Workspace, tmp_path: Path) -> None:
    text = "question,answer,split\nHow old is it?,9 years,Test\n"
    import_questions(empty, source(tmp_path, "q.csv", text))
    assert written(empty)[0]["split"] == "test"


def test_lessons_are_imported_with_their_contexts(hosted: Workspace, tmp_path: Path) -> None:
    """The two forms of walk-throughs: {question, answer}, and {input, output, context}."""
    plain, reading = tmp_path / "faq.jsonl", tmp_path / "reading.jsonl"
    plain.write_text(
        '{"question": "Who waters the plants?", "answer": "the night guard", "split": "train"}\n'
        '{"question": "Who waters the plants?", "answer": "nobody"}\n'
        '{"question": "who waters the plants", "answer": "The night guard."}\n'
        '{"question": "", "answer": "x"}\n{"question": "Who sings?", "answer": " "}\n'
        '{"question": "Who tests?", "answer": "we do", "split": "test"}\n',
        "utf-8",
    )
    reading.write_text(
        '{"input": "Ai mở cổng?", "output": "ông Ba", "context": "Ông Ba mở cổng lúc 6 giờ."}\n'
        '{"input": "What opens at 7?", "output": "the canteen", "context": ""}\n',
        "utf-8",
    )
    first = import_questions(hosted, str(plain), training=True)
    assert (first.taken, first.path.name) == (2, "training.jsonl")
    assert first.dropped == {
        "its question is asked already": ["3 as 1"],
        "it has no question": ["4"],
        "it has no answer": ["5"],
        "its split is test, which is not trained on": ["6"],
    }
    second = import_questions(hosted, str(reading), mode="append", training=True)
    assert (second.taken, second.contexts_left, second.documents) == (2, 0, 0)
    *_, gate, canteen = hosted.training
    assert gate.answers == ("ông Ba",)
    assert gate.lang == "vi"
    assert [(e.document, e.quote) for e in gate.evidence] == [
        ("reading.jsonl", "Ông Ba mở cổng lúc 6 giờ.")
    ]
    assert canteen.evidence == ()
    with pytest.raises(TailorError, match="holds questions already"):
        import_questions(hosted, str(plain), training=True)
    with pytest.raises(UsageError, match="have no split"):
        import_questions(hosted, str(plain), training=True, split="dev")
    assert len(Workspace(hosted.root).benchmark.questions) == 14
