"""The shipped readers on the sample company, question by question as the stages ask them.

    python tests/benchmarks/reader_quality.py [--split dev] [--reader FOLDER] [--lora] [--json FILE]

Settings: the passage that holds the evidence; the three best passages of the hybrid search; none;
questions the documents do not answer; an answer format that was never trained, without and with
two examples, and after a LoRA on the train questions. Exact match as in ``tailor.scoring``, with
95 % intervals; English and Vietnamese apart. Beside the language model, the extractive reader.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from rich.console import Console
from rich.table import Table

from tailor.assistant import Answer, Ask, Assistant
from tailor.benchmark import Question
from tailor.documents.passages import Passage
from tailor.example import Example
from tailor.initialize import initialize
from tailor.models.extraction import Extraction
from tailor.models.provider import SHIPPED
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.retriever import Retriever
from tailor.scoring.score import score
from tailor.scoring.statistics import interval
from tailor.stages.baseline import Baseline
from tailor.stages.fine_tuning import FineTuning
from tailor.stages.prompting import INSTRUCTIONS
from tailor.training.lessons import lessons
from tailor.training.local import Rows, adapter
from tailor.training.pairs import Pair, conversational
from tailor.workspace import Span, Workspace

HOUSE = ("» ", " (house style)")
"""Put around an answer; nothing like it is in the reader's training data."""
PATTERN = re.escape(HOUSE[0]) + r".+" + re.escape(HOUSE[1])


class Given(BaseRetriever):
    """Returns the passages that were given for a question."""

    passages: Mapping[str, Sequence[Passage]]
    fingerprint: str

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [
            Document(
                page_content=p.text, metadata={k: v for k, v in asdict(p).items() if k != "text"}
            )
            for p in self.passages.get(query, ())
        ]


@dataclass(frozen=True)
class Figure:
    """A share of questions with its 95 % interval."""

    reader: str
    setting: str
    language: str
    metric: str
    mean: float
    low: float
    high: float
    n: int


def ask(assistant: Assistant, questions: Sequence[Question]) -> list[Answer]:
    """The answers, in order; many questions at once, as local models answer in batches."""
    asks = [Ask(q.question) for q in questions]
    return assistant.chain().batch(asks, config={"max_concurrency": 64})


def figures(
    reader: str, setting: str, metric: str, questions: Sequence[Question], values: Sequence[float]
) -> list[Figure]:
    """The mean over both languages and over each."""
    found = []
    for language in ("both", "en", "vi"):
        mine = [v for q, v in zip(questions, values, strict=True) if language in ("both", q.lang)]
        if known := interval(mine):
            found.append(
                Figure(reader, setting, language, metric, known.mean, known.low, known.high,
                       known.n)
            )  # fmt: skip
    return found


def exact(questions: Sequence[Question], answers: Sequence[Answer]) -> list[float]:
    """Exact match of each answer, whatever house format it may have."""
    begin, end = HOUSE
    bare = [replace(a, text=a.text.removeprefix(begin).removesuffix(end)) for a in answers]
    return [float(score(q, a)["exact_match"] or 0.0) for q, a in zip(questions, bare, strict=True)]


def refused(answers: Sequence[Answer]) -> list[float]:
    """1 for each answer that says that the documents do not say."""
    return [float(a.outcome == "refused") for a in answers]


def kept(answers: Sequence[Answer]) -> list[float]:
    """1 for each answer in the house format."""
    return [float(re.fullmatch(PATTERN, a.text) is not None) for a in answers]


def holds(passages: Sequence[Passage], spans: Sequence[Span]) -> bool:
    """Whether each piece of evidence stands whole in one of the passages."""
    return bool(spans) and all(
        any(p.document == document and p.start <= start and end <= p.end for p in passages)
        for document, start, end in spans
    )


@dataclass(frozen=True)
class Exam:
    """The sample company with the passages for each question."""

    workspace: Workspace
    questions: tuple[Question, ...]
    """Answerable, and the evidence lies whole in passages of the index."""
    unanswerable: tuple[Question, ...]
    gold: Given
    top: Retriever

    @classmethod
    def prepare(cls, root: Path, split: str) -> "Exam":
        """Ingest the sample company and find the passages of the questions of a split."""
        workspace = initialize(root, "company")
        workspace.ingest()
        passages = workspace.index().passages()
        gold: dict[str, list[Passage]] = {}
        for question in workspace.benchmark.questions:
            spans = workspace.spans[question.id]
            found = [p for p in passages if any(holds([p], [span]) for span in spans)]
            if holds(found, spans):
                gold[question.question] = found[: len(spans)]
        asked = [q for q in workspace.benchmark.questions if q.split == split]
        return cls(
            workspace,
            tuple(q for q in asked if q.answerable and q.question in gold),
            tuple(q for q in asked if not q.answerable),
            Given(passages=gold, fingerprint="gold"),
            Retriever(index=workspace.index(), configuration=Configuration(k=3)),
        )


def reading(exam: Exam, name: str, assistant: Assistant) -> list[Figure]:
    """What both readers are asked: gold, three passages, none, not in the documents."""
    questions = exam.questions
    settings: dict[str, BaseRetriever | None] = {
        "gold passage": exam.gold, "three passages": exam.top, "no passage": None,
    }  # fmt: skip
    found: list[Figure] = []
    for setting, retriever in settings.items():
        answers = ask(replace(assistant, retriever=retriever), questions)
        found += figures(name, setting, "exact_match", questions, exact(questions, answers))
        if setting == "three passages":
            there = [holds(a.passages, exam.workspace.spans[q.id])
                     for q, a in zip(questions, answers, strict=True)]  # fmt: skip
            seen = [q for q, yes in zip(questions, there, strict=True) if yes]
            shares = [r for r, yes in zip(refused(answers), there, strict=True) if yes]
            found += figures(name, "three passages that say it", "refused", seen, shares)
    answers = ask(replace(assistant, retriever=exam.top), exam.unanswerable)
    found += figures(name, "not in the documents", "refused", exam.unanswerable, refused(answers))
    return found


def formats(exam: Exam, name: str, assistant: Assistant) -> list[Figure]:
    """The house format without and with two examples, over the gold passage."""
    lessons = {
        language: tuple(
            Example(q.question, q.answers[0].join(HOUSE))
            for q in exam.workspace.benchmark.split("train")
            if q.answerable and q.lang == language
        )[:2]
        for language in ("en", "vi")
    }
    found: list[Figure] = []
    for setting in ("no example", "two examples"):
        answers: dict[str, Answer] = {}
        for language, examples in lessons.items():
            mine = [q for q in exam.questions if q.lang == language]
            shown = examples if setting == "two examples" else ()
            given = replace(assistant, retriever=exam.gold, examples=shown)
            answers |= dict(zip((q.id for q in mine), ask(given, mine), strict=True))
        ordered = [answers[q.id] for q in exam.questions]
        found += figures(name, setting, "format_ok", exam.questions, kept(ordered))
        matched = exact(exam.questions, ordered)
        found += figures(name, setting, "exact_match", exam.questions, matched)
    return found


def tuned(
    exam: Exam, name: str, model: str, assistant: Assistant, settings: FineTuning
) -> list[Figure]:
    """The house format after a LoRA on the train questions over their gold passages."""
    chat = exam.workspace.chat(model)
    given = replace(assistant, retriever=exam.gold)
    found = lessons(given, chat, exam.workspace, settings)

    def styled(side: Sequence[Pair]) -> list[dict[str, Any]]:
        lessons = [replace(pair, completion=pair.completion.join(HOUSE)) for pair in side]
        return conversational(lessons)

    sides = Rows(styled(found.train), styled(found.validation))
    began = time.monotonic()
    folder = adapter(exam.workspace, chat.model.path, sides, settings)
    seconds = time.monotonic() - began
    setting = f"LoRA, {len(sides.train)} questions"
    after = replace(given, model=exam.workspace.chat(model, adapter=folder))
    answers = ask(after, exam.questions)
    matched = exact(exam.questions, answers)
    Console(stderr=True).print(f"{setting}: {settings}, {seconds:.0f} s")
    return [
        *figures(name, setting, "format_ok", exam.questions, kept(answers)),
        *figures(name, setting, "exact_match", exam.questions, matched),
    ]


def shown(found: Sequence[Figure]) -> Table:
    """The figures, a row for each setting and metric, a column for each language."""
    table = Table("reader", "setting", "metric", "both", "en", "vi")
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for f in found:
        cell = f"{f.mean:.2f} [{f.low:.2f}, {f.high:.2f}] n={f.n}"
        rows.setdefault((f.reader, f.setting, f.metric), {})[f.language] = cell
    for key, cells in rows.items():
        table.add_row(*key, *(cells.get(language, "–") for language in ("both", "en", "vi")))
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the shipped readers on the sample.")
    parser.add_argument("--split", choices=("train", "dev", "test"), default="dev")
    parser.add_argument("--reader", type=Path, default=SHIPPED / "reader")
    parser.add_argument("--lora", action="store_true", help="train a LoRA too (minutes)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate of the LoRA")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    found: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        exam = Exam.prepare(Path(folder) / "company", given.split)
        model = f"huggingface:{given.reader.resolve()}"
        assistant = replace(exam.workspace.root_assistant(model), instructions=INSTRUCTIONS)
        began = time.process_time()
        found += reading(exam, "language model", assistant)
        spent = time.process_time() - began
        found += formats(exam, "language model", assistant)
        if given.lora:
            settings = FineTuning(learning_rate=given.rate, epochs=given.epochs, batch=given.batch)
            found += tuned(exam, "language model", model, assistant, settings)
        extractive = replace(assistant, model=Extraction(Baseline().confidence))
        found += reading(exam, "extractive", extractive)
    Console(width=150).print(shown(found))
    Console().print(f"{spent:.0f} CPU-seconds for the language model's readings")
    if given.json:
        given.json.write_text(json.dumps([asdict(f) for f in found], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
