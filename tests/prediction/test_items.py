"""Items out of files and datasets, and what a workspace of numbers or labels makes of them."""

import csv
import json

import pytest

from tailor import Workspace
from tailor.assistant import Ask, Reply
from tailor.config import Config, Items, ladder_for
from tailor.errors import TailorError, UsageError
from tailor.prediction.items import load
from tailor.rows import rows_for

ROWS = [
    {
        "id": "a",
        "text": "an oak table",
        "price": "1.299.000 ₫",
        "category": "home",
        "part": "train",
    },
    {"id": "b", "text": "một cái ghế", "price": "350k", "category": "home", "part": "validation"},
    {"id": "c", "text": "a lamp", "price": 250000, "category": "light", "part": "test"},
    {"id": "d", "text": "a thing", "price": "ask us", "category": "home", "part": "test"},
    {"id": "e", "text": "another", "price": 5, "category": "home", "part": "holdout"},
]
VND = Items(path="items.csv", answer="price", split="part", currency="VND")


def written(path, rows):
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, rows[0])
            out.writeheader()
            out.writerows(rows)
    else:
        path.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8"
        )


@pytest.mark.parametrize("name", ["items.csv", "items.jsonl"])
def test_rows_are_questions_with_a_number(tmp_path, name):
    written(tmp_path / name, ROWS)
    found = load(tmp_path, "number", Items(**{**vars(VND), "path": name}))
    assert [(q.id, q.answers, q.split, q.tags) for q in found.questions] == [
        ("a", ("1299000",), "train", ("home",)),
        ("b", ("350000",), "dev", ("home",)),
        ("c", ("250000",), "test", ("light",)),
    ]
    assert [q.lang for q in found.questions] == ["en", "vi", "en"]
    told = [problem.message for problem in found.problems]
    assert told == [
        "'ask us' is not a number",
        "\"part\" is 'holdout'; it must be train, dev or test",
    ]


def test_items_without_a_split_are_given_one_mostly_to_learn_from(tmp_path):
    written(tmp_path / "x.jsonl", [{"text": f"thing {n} {n * 7}", "number": n} for n in range(200)])
    found = load(tmp_path, "number", Items(path="x.jsonl"))
    sizes = {name: len(found.split(name)) for name in ("train", "dev", "test")}
    assert sum(sizes.values()) == 200
    assert 110 < sizes["train"] < 170
    assert found == load(tmp_path, "number", Items(path="x.jsonl"))


def test_a_dataset_folder_is_read_with_its_own_splits(tmp_path):
    import datasets

    names = datasets.ClassLabel(names=["refund", "login", "billing"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})

    def part(split, *labels):
        texts = [f"{split} request {label} {at}" for at, label in enumerate(labels)]
        return datasets.Dataset.from_dict({"text": texts, "label": labels}, features)

    sizes = {"train": (2, 1), "validation": (1,), "test": (0, 2)}
    parts = {split: part(split, *labels) for split, labels in sizes.items()}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "set"))
    found = load(tmp_path, "label", Items(dataset=str(tmp_path / "set")))
    assert found.labels == ("billing", "login", "refund")
    assert [(q.answers[0], q.split) for q in found.questions] == [
        ("billing", "train"), ("login", "train"), ("login", "dev"), ("refund", "test"),
        ("billing", "test"),
    ]  # fmt: skip


def test_a_missing_column_is_one_sentence(tmp_path):
    written(tmp_path / "items.csv", ROWS)
    with pytest.raises(
        TailorError, match=r"no column 'cost'; it has id, text, price.*items\.answer"
    ):
        load(tmp_path, "number", Items(path="items.csv", answer="cost"))
    with pytest.raises(TailorError, match="There is no file"):
        load(tmp_path, "number", Items(path="none.csv"))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"task": "price"}, "'price' is not one of answer, number, label"),
        ({"items": {"column": "x"}}, "unknown key 'column'"),
        ({"items": {"good_within": [40]}}, "good_within is two numbers"),
        ({"items": {"good_within": [90, 0.2]}}, "good_within is above fair_within"),
        ({"items": 3}, r"write \[items\]"),
    ],
)
def test_wrong_settings_are_one_sentence(values, says):
    with pytest.raises(UsageError, match=says):
        Config().with_values(values, "x")


def test_the_ladder_follows_the_task_unless_it_is_set():
    assert Config().with_values({"task": "number"}, "x").ladder == ladder_for("number")
    assert Config().with_values({"task": "label"}, "x").ladder == ladder_for("label")
    own = {"task": "number", "ladder": ["baseline:mean", "prompting"]}
    assert Config().with_values(own, "x").ladder == ("baseline:mean", "prompting")
    assert Config().ladder == ladder_for("answer")


class Says:
    """A model that always says the same."""

    fingerprint = "says"
    concurrency = 1

    def __init__(self, text):
        self.text = text

    def invoke(self, prompt, config=None):
        self.prompt = prompt
        return Reply(self.text)


@pytest.fixture
def prices(tmp_path):
    written(tmp_path / "items.csv", ROWS)
    (tmp_path / "tailor.toml").write_text(
        'task = "number"\n[items]\npath = "items.csv"\nanswer = "price"\nsplit = "part"\n'
        'currency = "VND"\n'
    )
    return Workspace(tmp_path)


def answered(workspace, text, row="prompting", question="a lamp"):
    from dataclasses import replace

    model = Says(text)
    assistant = replace(workspace.root_assistant(), model=model)
    assistant = workspace.stage(row).apply(assistant, workspace)
    prompt = assistant.prompt(Ask(question))
    return assistant._answer(prompt, Reply(text)), prompt


def test_a_reply_is_read_as_a_number(prices):
    answer, _ = answered(prices, "Khoảng 250.000đ nhé")
    assert (answer.outcome, answer.text) == ("ok", "250000")
    answer, _ = answered(prices, "It is a nice lamp.")
    assert answer.outcome == "unparseable"


def test_the_prompt_asks_for_a_number_alone_in_both_languages(prices):
    _, prompt = answered(prices, "1")
    assert "Estimate the price in VND" in prompt.told()
    assert prompt.messages()[-1].content.startswith("Item: a lamp")
    stage = prices.stage("prompting", {"language": "question"})
    told = stage.apply(prices.root_assistant(), prices).prompt(Ask("một cái đèn bàn")).told()
    assert told.startswith("Hãy ước lượng giá bằng VND")


def test_labels_are_read_among_words_and_abstention_is_a_refusal(tmp_path):
    rows = [{"text": f"request {n}", "label": name, "split": part} for n, (name, part) in enumerate(
        [("billing", "train"), ("Log in", "train"), ("billing", "dev"), ("billing", "test")]
    )]  # fmt: skip
    written(tmp_path / "items.jsonl", rows)
    (tmp_path / "tailor.toml").write_text('task = "label"\n[items]\npath = "items.jsonl"\n')
    workspace = Workspace(tmp_path)
    said = {
        "billing": ("ok", "billing"),
        "**Billing**.": ("ok", "billing"),
        "The label is: log in": ("ok", "Log in"),
        "billing or log in": ("unparseable", "billing or log in"),
        "shipping": ("unparseable", "shipping"),
        "Unsure.": ("refused", "Unsure."),
        "Không rõ": ("refused", "Không rõ"),
    }
    for text, wanted in said.items():
        answer, prompt = answered(workspace, text)
        assert (answer.outcome, answer.text) == wanted
    assert "Log in, billing" in prompt.told()


def test_the_label_of_a_row_is_a_setting_of_its_stage(prices):
    stage = prices.stage("baseline:median")
    assert stage.settings()["kind"] == "median"
    assert prices.stage("baseline:2").settings()["kind"] == "auto"
    assert [row.id for row in rows_for(prices, ["baseline:median"])] == ["baseline:median"]
    with pytest.raises(UsageError, match="no row 'baseline:medium'"):
        rows_for(prices, ["baseline:medium"])


def test_scores_are_taken_again_when_the_train_items_change(prices, tmp_path):
    from tailor.ladder import climb
    from tailor.rows import Row

    rows = [Row("baseline:median", prices.stage("baseline:median"))]
    (run,) = climb(prices, rows)
    before = run.scored("test").values()["c"]
    assert before == pytest.approx(0.0)  # the constant is the only train item
    more = {**ROWS[0], "id": "f", "text": "an oak chair", "price": 250000, "part": "train"}
    written(tmp_path / "items.csv", [*ROWS, more])
    opened = Workspace(tmp_path)
    (again,) = opened.runs()
    assert again.changed() == "benchmark"
    assert again.scored("test").values()["c"] != before


def test_answers_keep_their_fingerprints(tmp_path):
    (tmp_path / "knowledge").mkdir()
    root = Workspace(tmp_path).root_assistant("openai:gpt-x")
    assert "currency" not in root.format.recorded()
    assert set(root.format.recorded()) == {
        "kind", "pattern", "labels", "instruction", "citations", "placement", "reasoning",
        "structured", "tools", "rounds",
    }  # fmt: skip
