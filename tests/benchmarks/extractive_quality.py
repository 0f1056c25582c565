"""Answer quality of the shipped extractive reader, with and without refusals.

    python tests/benchmarks/extractive_quality.py [DATA_FOLDER] [--questions 400]

Measures questions on new synthetic companies (the relations of the `held` split are unseen by a
reader trained with `--relations train`; the shipped one knows them), and with DATA_FOLDER those of
`xquad_en` and `xquad_vi` on their own paragraph, and among five paragraphs with as many questions
whose paragraph is taken away.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tailor.models.extractive import ExtractiveReader
from tailor.models.pretraining.extractive_examples import company_examples
from tailor.models.pretraining.relations import Language, Split
from tailor.scoring.metrics import exact_match, f1
from tailor.text import fold


@dataclass(frozen=True)
class Case:
    """A question on passages; no accepted answer where they hold none."""

    question: str
    passages: tuple[str, ...]
    answers: tuple[str, ...]


def companies(language: Language, split: Split, count: int) -> list[Case]:
    """Questions on new synthetic companies."""
    examples = company_examples(random.Random(991), language, split, count)
    return [
        Case(one.question, one.passages, (one.answer,) if one.answer else ()) for one in examples
    ]


def paragraphs(folder: Path, count: int) -> list[Case]:
    """Questions on the paragraph that answers them."""

    def lines(name: str) -> Iterator[dict[str, object]]:
        return map(json.loads, (folder / name).read_text(encoding="utf-8").splitlines())

    texts = {record["id"]: str(record["text"]) for record in lines("corpus.jsonl")}
    cases = [
        Case(str(record["question"]), (texts[record["source_ids"][0]],), tuple(record["answers"]))  # type: ignore[index,arg-type]
        for record in lines("benchmark.jsonl")
    ]
    return random.Random(5).sample(cases, min(count, len(cases)))


def among_others(cases: list[Case]) -> list[Case]:
    """Each question on five paragraphs, once with and once without the right one."""
    rng = random.Random(6)
    pool = sorted({case.passages[0] for case in cases})
    result = []
    for case in cases:
        others = rng.sample([text for text in pool if text != case.passages[0]], 5)
        held = [case.passages[0], *others[:4]]
        rng.shuffle(held)
        result.append(replace(case, passages=tuple(held)))
        result.append(Case(case.question, tuple(others), ()))
    return result


def measured(reader: ExtractiveReader, cases: list[Case]) -> list[str]:
    """The cells of one row."""
    started = time.process_time()
    spans = [reader.best(case.question, case.passages) for case in cases]
    speed = len(cases) / (time.process_time() - started)
    threshold = reader.stored["threshold"]
    kept = np.array([span is not None and span.score >= threshold for span in spans])
    asked = np.array([bool(case.answers) for case in cases])
    texts = [span.text if span else "" for span in spans]
    pairs = list(zip(texts, cases, strict=True))
    right = np.array([exact_match(text, case.answers) for text, case in pairs])
    close = np.array([f1(text, case.answers) for text, case in pairs])

    def mean(values: np.ndarray, where: np.ndarray) -> str:
        return f"{values[where].mean():.2f}" if where.any() else "–"

    return [
        f"{asked.sum()} + {(~asked).sum()}",
        mean(right, asked),
        mean(close, asked),
        mean(kept, asked),
        mean(right, asked & kept),
        mean(close, asked & kept),
        mean(~kept, ~asked),
        f"{speed:.0f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the extractive reader.")
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA_FOLDER")
    parser.add_argument("--reader", type=Path, help="folder of another reader")
    parser.add_argument("--questions", type=int, default=400)
    arguments = parser.parse_args()
    reader = ExtractiveReader.load(arguments.reader)
    sets: dict[str, list[Case]] = {}
    languages: tuple[Language, ...] = ("en", "vi")
    for language in languages:
        sets[f"companies {language}"] = companies(language, "train", arguments.questions)
        sets[f"companies {language}, held split"] = companies(language, "held", arguments.questions)
    vietnamese = sets["companies vi"]
    sets["companies vi, unaccented questions"] = [
        replace(case, question=fold(case.question)) for case in vietnamese
    ]
    if arguments.data:
        for language in languages:
            cases = paragraphs(arguments.data / f"xquad_{language}", arguments.questions)
            sets[f"xquad_{language}, its paragraph"] = cases
            sets[f"xquad_{language}, five paragraphs"] = among_others(cases)
    columns = "answerable + not|EM|F1|answered|EM answered|F1 answered|refused|questions/CPU-s"
    table = Table("set", *columns.split("|"))
    for name, cases in sets.items():
        table.add_row(name, *measured(reader, cases))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
