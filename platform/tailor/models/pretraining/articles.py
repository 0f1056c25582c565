"""Passages of real text for the encoder and the extractive reader: articles and question pairs."""

import gzip
import io
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tailor.errors import TailorError
from tailor.text import nfc


@dataclass(frozen=True)
class Passage:
    """Consecutive sentences, with what may be asked about them: questions, or title and heading."""

    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    headings: tuple[str, ...]
    article: int
    language: str


def read_lines(file: Path) -> TextIO:
    """Open a text file, compressed or not."""
    if file.suffix == ".gz":
        return io.TextIOWrapper(gzip.GzipFile(file), encoding="utf-8")
    return file.open(encoding="utf-8")


def read_text(paths: Iterable[Path]) -> list[Passage]:
    """Read `.txt`, `.jsonl` and `.jsonl.gz` files; a folder stands for its files.

    Lines of JSON hold `sentence` and `question`, or `title`, `text` and `lang`; every line of a
    text file is one English article. Raises TailorError where nothing usable is found.
    """
    files = sorted(
        file
        for path in paths
        for file in (path.iterdir() if path.is_dir() else [path])
        if file.name.endswith((".txt", ".jsonl", ".jsonl.gz"))
    )
    passages: list[Passage] = []
    for file in files:
        with read_lines(file) as lines:
            number = passages[-1].article + 1 if passages else 0
            if file.suffix == ".txt":
                for offset, line in enumerate(lines):
                    passages += article_passages("", nfc(line), number + offset, "en")
                continue
            records = [json.loads(line) for line in lines]
            passages += question_passages([r for r in records if "question" in r], number)
            for offset, record in enumerate(r for r in records if "text" in r):
                passages += article_passages(
                    nfc(record["title"]), nfc(record["text"]), number + offset, record["lang"]
                )
    if not passages:
        raise TailorError("No training text found: name .txt, .jsonl or .jsonl.gz files.")
    return passages


def thin(passages: Sequence[Passage], per_article: int, rng: random.Random) -> list[Passage]:
    """Keep at most `per_article` passages without questions of each article, in order."""
    by_article: dict[int, list[Passage]] = {}
    for passage in passages:
        by_article.setdefault(passage.article, []).append(passage)
    kept: list[Passage] = []
    for group in by_article.values():
        if len(group) > per_article and not group[0].questions and group[0].language == "vi":
            chosen = sorted(rng.sample(range(len(group)), per_article))
            kept += [group[index] for index in chosen]
        else:
            kept += group
    return kept


def sentences(text: str) -> list[str]:
    """Split running text after sentence ends, also where the following blank is missing."""
    parts = re.split(r"(?<=[.!?])\s+|(?<=[^\W\d_]{2}[.!?])(?=[^\W\d_])|\s*\n\s*", text)
    return [part for part in parts if len(part.split()) >= 4]


def windows(parts: Sequence[str], words: int) -> Iterator[tuple[str, ...]]:
    """Group consecutive sentences into passages of at least `words` words, the last one shorter."""
    held: list[str] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part.split())
        if count >= words:
            yield tuple(held)
            held, count = [], 0
    if held:
        yield tuple(held)


def article_passages(title: str, text: str, number: int, language: str) -> Iterator[Passage]:
    """Passages of one encyclopedia article whose headings stand as `== heading ==`."""
    pieces = re.split(r"\n\s*=+ *([^=\n]+?) *=+ *(?=\n|$)", "\n" + text)
    for heading, body in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        for group in windows(sentences(body), 60):
            if sum(len(part.split()) for part in group) >= 20:
                yield Passage(group, (), (f"{title} {heading}".strip(),), number, language)


def natural(text: str) -> str:
    """Undo the tokenization of treebank text: brackets, quotes, blanks before punctuation."""
    text = nfc(text).replace("-lrb-", "(").replace("-rrb-", ")")
    text = re.sub(r" *``\s*| *\'\'", lambda match: ' "' if "`" in match[0] else '"', text)
    text = re.sub(r" ([,.?!;:)%]|n't\b|'s\b)", r"\1", text)
    return re.sub(r"([($]) ", r"\1", text).strip()


def question_passages(records: Sequence[dict[str, str]], number: int) -> Iterator[Passage]:
    """Passages from question-sentence pairs in the order of their articles; 3 sentences each."""
    asked: dict[str, list[str]] = {}
    for record in records:
        asked.setdefault(natural(record["sentence"]), []).append(natural(record["question"]))
    ordered = list(asked)
    for start in range(0, len(ordered), 3):
        group = tuple(ordered[start : start + 3])
        for sentence in group:
            for question in asked[sentence]:
                yield Passage(group, (question,), (), number + start // 60, "en")
