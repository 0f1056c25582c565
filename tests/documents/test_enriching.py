"""Pipelines look into ingested documents: once each, whatever fails, and what they find is used."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailor.documents.document import Document, Place, main_language
from tailor.documents.enrichers.enricher import Finding, enrichers
from tailor.documents.enrichers.loading import Kind, Loaded, load
from tailor.documents.enriching import Enriched, enrich
from tailor.documents.enrichments import says
from tailor.documents.filters import Filters
from tailor.errors import TailorError, UsageError
from tailor.retrieval.collection import collections
from tailor.retrieval.retriever import Retriever
from tailor.workspace import Workspace

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_pipelines.py"))
VISIT = (
    "# Report\n\nHalvorsen visited the cold store in Oslo. It was very good.\n\n"
    "Then Nordlys wrote an invoice. It was very bad.\n"
)
LEAVE = "# Nghỉ phép\n\nNhân viên được nghỉ phép tại Huế, và Nguyễn làm việc rất tốt.\n"
PASSAGES = "passage_size = 16\npassage_overlap = 4\n"


def about(text: str) -> Document:
    return Document("a.md", text, (Place("", 0, len(text)),), main_language(text), "0" * 64)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    TINY["tagger"](root / "names")
    tones = {"LABEL_0": ("very bad", "it was poor"), "LABEL_1": ("very good", "it was great")}
    TINY["classifier"](root / "tone", tones)
    TINY["writer"](root / "gist", "Summary of the report")
    TINY["writer"](root / "to_vi", "nhân viên được nghỉ phép", "vie_Latn")
    TINY["chat"](root / "chat", "you work in the cold store")
    return root


def applied(models: Path, folder: str, document: Document, **table: Any) -> tuple[Finding, ...]:
    """What the pipeline of a task finds, loaded as ingestion loads it."""
    from tailor.documents.enriching import pipeline

    table = {"model": f"huggingface:{models / folder}", **table}
    return pipeline(enrichers({"one": table})[0])(document)


def test_names_stand_where_they_are_found(models: Path) -> None:
    long = about("\n\n".join([VISIT] * 6))  # several times what the model takes at once
    found = applied(models, "names", long, task="entities")
    assert [(one.value, one.label) for one in found] == [
        ("Halvorsen", "PER"), ("Oslo", "LOC"), ("Nordlys", "ORG"),
    ] * 6  # fmt: skip
    assert all(long.text[one.start : one.end] == one.value for one in found)
    kept = {"only": ["place"], "labels": {"LOC": "place"}}
    places = applied(models, "names", long, task="entities", **kept)
    assert {(one.value, one.label) for one in places} == {("Oslo", "place")}
    assert applied(models, "names", long, task="entities", least=1.0) == ()


def test_a_name_is_found_once_where_a_tokenizer_parts_letters(tmp_path: Path) -> None:
    folder = TINY["byte_tagger"](tmp_path / "bytes")
    document = about("Ông Đặng\nở Huế.")
    found = applied(tmp_path, folder.name, document, task="entities")
    assert [(one.value, one.label) for one in found] == [
        (word, "PER") for word in ("Ông", "Đặng", "ở", "Huế")
    ]


def test_each_part_of_a_document_has_its_own_tone(models: Path) -> None:
    better = {"LABEL_0": "negative", "LABEL_1": "positive"}
    text = "It was very good.\n\nIt was very bad."
    found = applied(models, "tone", about(text), task="sentiment", labels=better, tokens=8)
    assert [(text[one.start : one.end], one.value) for one in found] == [
        ("It was very good.", "positive"), ("It was very bad.", "negative"),
    ]  # fmt: skip
    assert all(one.score is not None and one.score > 0.9 for one in found)


def test_a_language_is_a_label_too(models: Path, tmp_path: Path) -> None:
    said = {"en": ("we leave the store", "it is in the report"), "vi": ("một năm", "rất tốt")}
    TINY["classifier"](tmp_path / "language", said)
    found = applied(tmp_path, "language", about("rất tốt\n\nin the report"), task="language")
    assert [(one.start, one.end, one.value) for one in found] == [(0, 7, "vi"), (9, 22, "en")]


@pytest.mark.parametrize("times", [1, 12])
def test_a_summary_is_of_the_whole_document(models: Path, times: int) -> None:
    document = about("\n\n".join([VISIT] * times))
    found = applied(models, "gist", document, task="summary")
    assert found == (Finding(0, len(document.text), "Summary of the report"),)


def test_a_text_that_was_cut_says_so(models: Path) -> None:
    (found,) = applied(models, "gist", about(VISIT), task="summary", max_tokens=3)
    assert found.value == "Summary of the …"


def test_translation_by_a_model_that_is_told_the_language(models: Path) -> None:
    mixed = about(f"{VISIT}\n{LEAVE}")
    found = applied(models, "to_vi", mixed, task="translation", to="vi")
    assert {one.value for one in found} == {"nhân viên được nghỉ phép"}
    assert max(one.end for one in found) <= len(VISIT)  # the rest is Vietnamese already
    # Told another language, this model ends at once: the token is what makes it write.
    assert applied(models, "to_vi", about(LEAVE), task="translation", to="en") == ()


def test_translation_by_a_chat_model(models: Path) -> None:
    found = applied(models, "chat", about(LEAVE), task="translation", to="en")
    assert {one.value for one in found} == {"you work in the cold store"}
    assert applied(models, "chat", about(VISIT), task="translation", to="en") == ()


def test_models_for_something_else_are_refused(models: Path, tmp_path: Path) -> None:
    wrong: list[tuple[str, Kind, str]] = [
        ("tone", "TokenClassification", "is BertForSequenceClassification"),
        ("names", "writing", "a model that writes"),
        ("nowhere", "SequenceClassification", "There is no folder"),
    ]
    for folder, kind, sentence in wrong:
        with pytest.raises(TailorError, match=sentence):
            load(str(models / folder), kind)
    headless = tmp_path / "headless"
    shutil.copytree(models / "tone", headless)
    config = json.loads((headless / "config.json").read_text("utf-8"))
    config["architectures"] = None
    (headless / "config.json").write_text(json.dumps(config), "utf-8")
    assert isinstance(load(str(headless), "SequenceClassification"), Loaded)
    with pytest.raises(TailorError, match="lacks the weights"):
        load(str(headless), "writing")


def test_a_model_that_is_too_large_is_not_loaded(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailor.training import forecast

    monkeypatch.setattr(forecast, "free", lambda cuda: 1000)
    with pytest.raises(TailorError, match="are free: name a smaller one"):
        load(str(models / "tone"), "SequenceClassification")


def test_neither_pickled_weights_nor_code_are_run(models: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    shutil.copytree(models / "tone", pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(TailorError, match="pickled"):
        load(str(pickled), "SequenceClassification")
    coded = tmp_path / "coded"
    shutil.copytree(models / "tone", coded)
    config = json.loads((coded / "config.json").read_text("utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}
    (coded / "config.json").write_text(json.dumps(config), "utf-8")
    (coded / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", "utf-8")
    with pytest.raises(TailorError, match="code"):
        load(str(coded), "SequenceClassification")
    assert not (tmp_path / "ran").exists()


WRONG: Mapping[str, Mapping[str, Any]] = {
    "needs task": {"model": "huggingface:x"},
    "needs model": {"task": "summary"},
    "not one of": {"task": "poem", "model": "huggingface:x"},
    "is no model": {"task": "summary", "model": "openai:gpt"},
    "no key 'modle'": {"task": "summary", "modle": "x"},
    "needs to": {"task": "translation", "model": "huggingface:x"},
    "no use for to": {"task": "summary", "model": "huggingface:x", "to": "vi"},
    "no use for prompt": {"task": "entities", "model": "huggingface:x", "prompt": "{text}"},
    "no use for only": {"task": "summary", "model": "huggingface:x", "only": ["PER"]},
    "no {text}": {"task": "summary", "model": "huggingface:x", "prompt": "sum"},
    "above 1": {"task": "entities", "model": "huggingface:x", "least": 2},
    "below 8": {"task": "entities", "model": "huggingface:x", "tokens": 3},
    "for each label": {"task": "entities", "model": "huggingface:x", "labels": "PER"},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_table_is_one_sentence(sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        Workspace(tmp_path, {"enrich": {"one": WRONG[sentence]}})
    assert sentence in str(told.value)
    assert "enrich" in str(told.value)


@pytest.mark.parametrize(
    ("value", "phrase", "expected"),
    [
        ("Ingrid Halvorsen", "halvorsen", True),
        ("Ingrid Halvorsen", "Ingrid HALVORSEN", True),
        ("Ingrid Halvorsen", "Halvor", False),
        ("Nguyễn Văn An", "văn an", True),
        ("Nguyễn Văn An", "Nguyen", False),
        ("Ingrid B. Halvorsen", "Ingrid Halvorsen", False),
        ("positive", "positive", True),
    ],
)
def test_a_condition_asks_for_whole_words(value: str, phrase: str, expected: bool) -> None:
    assert says(value, phrase.casefold().split()) is expected


@pytest.mark.parametrize("where", ["people", "people=", "=Halvorsen", " = "])
def test_a_condition_that_is_none(where: str) -> None:
    with pytest.raises(UsageError, match="is no condition"):
        Filters(where=(where,))


def test_filters_without_conditions_hash_as_ever() -> None:
    assert "where" not in Filters(folders=("hr",)).to_json()
    assert Filters(where=("a=b",)).to_json()["where"] == ("a=b",)


class Enrichable:
    """A workspace with two documents and a tagger."""

    def __init__(self, root: Path, models: Path) -> None:
        self.root, self.models = root, models
        (root / "knowledge").mkdir(parents=True)
        self.write("visit.md", VISIT)
        self.write("hr/nghi-phep.md", LEAVE)

    def write(self, name: str, text: str) -> None:
        path = self.root / "knowledge" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    def toml(self, folder: str = "names") -> Workspace:
        text = f'[enrich.people]\ntask = "entities"\nmodel = "huggingface:{self.models / folder}"\n'
        (self.root / "tailor.toml").write_text(PASSAGES + text, "utf-8")
        return Workspace(self.root)

    def ingest(self) -> Enriched:
        (one,) = Workspace(self.root).ingest().enriched
        return one


@pytest.fixture
def company_of(tmp_path: Path, models: Path) -> Enrichable:
    made = Enrichable(tmp_path / "acme", models)
    made.toml()
    return made


def test_a_document_is_gone_through_once_for_each_model(company_of: Enrichable) -> None:
    first = company_of.ingest()
    assert (first.done, first.known, first.failed) == (2, 0, ())
    again = company_of.ingest()
    assert (again.done, again.known) == (0, 2)
    company_of.write("visit.md", VISIT + "\nHalvorsen works in Huế.\n")
    shutil.move(company_of.root / "knowledge/hr", company_of.root / "knowledge/moved")
    edited = company_of.ingest()
    assert (edited.done, edited.known) == (1, 1)
    shutil.copytree(company_of.models / "names", company_of.root / "copy")
    company_of.models = company_of.root
    company_of.toml("copy")
    assert company_of.ingest().done == 0  # the same weights at another place
    asked = Filters(where=("people=visited",))
    assert not Workspace(company_of.root).search("report", 9, asked)
    TINY["byte_tagger"](company_of.root / "other")
    company_of.toml("other")
    other = company_of.ingest()
    assert (other.done, other.known) == (2, 0)
    assert Workspace(company_of.root).search("report", 9, asked)


def test_what_was_found_filters_passages(company_of: Enrichable) -> None:
    company_of.ingest()
    workspace = Workspace(company_of.root)

    def found(*where: str, **other: Any) -> set[str]:
        passages = workspace.search("report", 9, Filters(where=where, **other))
        return {passage.text for passage in passages}

    everything = {passage.text for passage in workspace.index().passages()}
    assert len(everything) > 2
    assert found("people=halvorsen") == {text for text in everything if "Halvorsen" in text}
    assert found("people=Oslo", "people=Huế") == {
        text for text in everything if "Oslo" in text or "Huế" in text
    }
    assert found("people=Huế", folders=("visit.md",)) == set()
    assert found("people=Nobody") == set()
    part = collections({"oslo": {"where": ["people=Oslo"]}})["oslo"]
    joint = Retriever(index=workspace.index(), collections=(part,)).passages("report")
    assert {passage.text for passage in joint} == found("people=Oslo")
    with pytest.raises(UsageError, match="no enricher 'tone', there are people"):
        found("tone=positive")


def test_enrichers_that_are_off_cannot_be_asked(company_of: Enrichable) -> None:
    company_of.ingest()
    (company_of.root / "tailor.toml").write_text(PASSAGES, "utf-8")
    workspace = Workspace(company_of.root)
    assert workspace.ingest().enriched == ()
    with pytest.raises(UsageError, match="none is on"):
        workspace.search("report", 3, Filters(where=("people=Oslo",)))
    company_of.toml()
    assert company_of.ingest().known == 2  # what it had found was kept


def test_passages_carry_what_was_found(company_of: Enrichable) -> None:
    company_of.ingest()
    workspace = Workspace(company_of.root)
    documents = Retriever(index=workspace.index()).invoke("Halvorsen cold store")
    best = documents[0]
    assert "Halvorsen" in best.page_content
    assert best.metadata["enriched"] == {"people": ("Halvorsen", "Oslo")}
    plain = Retriever(index=workspace.index()).fingerprint
    fixed = Retriever(index=workspace.index(), filters=Filters(where=("people=Oslo",)))
    assert fixed.fingerprint != plain
    assert {"Oslo" in one.page_content for one in fixed.invoke("report")} == {True}


def test_a_failing_model_refuses_nothing(company_of: Enrichable) -> None:
    company_of.toml("nowhere")
    report = Workspace(company_of.root).ingest()
    assert {file.status for file in report.files} == {"indexed"}
    (one,) = report.enriched
    assert [path for path, _ in one.failed] == ["hr/nghi-phep.md", "visit.md"]
    (sentence,) = one.sentences
    assert sentence.startswith("Enricher people (entities) failed for hr/nghi-phep.md, visit.md; ")
    assert "There is no folder" in sentence
    assert Workspace(company_of.root).search("report", 3)
    company_of.toml()
    assert company_of.ingest().done == 2


def test_a_failing_document_is_named_and_tried_again(
    company_of: Enrichable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailor.documents.enrichers import entities

    true = entities.pieces

    def some(document: Document, most: int, count: Any) -> Any:
        if document.path == "visit.md":
            raise RuntimeError("out of memory\nin a hundred lines")
        return true(document, most, count)

    with monkeypatch.context() as patched:
        patched.setattr(entities, "pieces", some)
        failed = company_of.ingest()
    assert (failed.done, failed.failed) == (
        1, (("visit.md", "the model failed (out of memory)."),)
    )  # fmt: skip
    assert (company_of.ingest().done, company_of.ingest().known) == (1, 2)


def test_an_interruption_costs_one_document(
    company_of: Enrichable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailor.documents.enrichers import entities

    true = entities.pieces

    def stopped(document: Document, most: int, count: Any) -> Any:
        if document.path == "visit.md":
            raise KeyboardInterrupt
        return true(document, most, count)

    with monkeypatch.context() as patched:
        patched.setattr(entities, "pieces", stopped)
        with pytest.raises(KeyboardInterrupt):
            company_of.ingest()
    assert len(Workspace(company_of.root).search("report", 3)) > 0
    after = company_of.ingest()
    assert (after.done, after.known) == (1, 1)


def test_only_some_files(company_of: Enrichable) -> None:
    Workspace(company_of.root, {"enrich": {}}).ingest()
    workspace = Workspace(company_of.root)
    (one,) = workspace.ingest([workspace.knowledge / "hr"]).enriched
    assert (one.done, one.known) == (1, 0)


def test_commands_show_what_was_found(tailor: Any, company_of: Enrichable) -> None:
    ended = tailor("ingest", "-w", company_of.root, "--json")
    assert ended.json["enriched"] == [
        {
            "name": "people", "task": "entities", "done": 2, "known": 0, "failed": [],
            "model": f"huggingface:{company_of.models / 'names'}",
        }
    ]  # fmt: skip
    command = ("search", "Halvorsen cold store", "-w", company_of.root)
    found = tailor(*command, "--where", "people=Oslo", "--json").json["passages"]
    assert [passage["enriched"] for passage in found] == [{"people": ["Halvorsen", "Oslo"]}]
    assert "people: Halvorsen | Oslo" in tailor(*command).out
    assert "add [enrich.tone]" in tailor(*command, "--where", "tone=good").sentence
    company_of.toml("nowhere")
    told = tailor("ingest", "-w", company_of.root)
    assert told.code == 0
    assert "Enricher people (entities) failed for hr/nghi-phep.md, visit.md" in told.err


def test_without_enrichers_nothing_is_loaded_and_nothing_written(company_of: Enrichable) -> None:
    (company_of.root / "tailor.toml").unlink()
    code = (
        "import sys; from tailor.workspace import Workspace; "
        f"Workspace({str(company_of.root)!r}).ingest(); "
        "print([m for m in ('torch', 'transformers', 'tailor.documents.enriching') "
        "if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
    assert not (company_of.root / ".tailor" / "enrichments.db").exists()
    assert enrich(company_of.root / ".tailor", ()) == ()
