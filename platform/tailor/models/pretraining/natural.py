"""Questions about natural text that a user brings: exact pairs where given, gap questions else.

Vietnamese asks in place ("được thành lập năm nào?"), so a sentence becomes a question when a
span is replaced by its question word; English sentences are asked the same way.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tailor.errors import TailorError
from tailor.models.pretraining.relations import Language
from tailor.text import language as language_of
from tailor.text import nfc

WORDS = 110  # a passage of natural text
LETTERS_LIMIT = 20_000_000  # characters read from one file


@dataclass(frozen=True)
class Item:
    """A passage with question-answer pairs, or none; answers occur in the text."""

    language: Language
    text: str
    questions: tuple[tuple[str, str], ...]


@dataclass
class Texts:
    """Natural passages with questions, and plain sentences by language."""

    items: list[Item] = field(default_factory=list)
    _split: dict[str, list[Item]] = field(default_factory=dict)
    sentences: dict[str, list[str]] = field(default_factory=dict)

    def by_language(self, language: Language) -> list[Item]:
        """The items in that language, or all if there is none."""
        if not self._split:
            for item in self.items:
                self._split.setdefault(item.language, []).append(item)
        return self._split.get(language, self.items)


_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_NAME = r"(?:[A-ZĐÀ-Ỵ][\w’'-]*)(?: (?:[A-ZĐÀ-Ỵ][\w’'-]*))*"
_NOT_DATED = r"(?<![\d.,£$€\w-])(?<!năm )(?<!tháng )(?<!ngày )(?<!ber )(?<!ary )"
# pattern with the answer as group 1, question word put in its place
_GAPS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "vi": (
        (re.compile(r"(?:vào |từ )?(ngày \d{1,2} tháng \d{1,2}(?: năm \d{4})?)"), "ngày nào"),
        (re.compile(r"(?<!\d )(tháng \d{1,2} năm \d{4})"), "khi nào"),
        (re.compile(r"năm (\d{4})\b"), "nào"),
        (re.compile(rf"(?:bởi|do) ({_NAME} {_NAME})"), "ai"),
        (re.compile(rf"(?<=ở )({_NAME})"), "đâu"),
        (re.compile(rf"(?<=tại )({_NAME})"), "đâu"),
        (re.compile(rf"{_NOT_DATED}(\d[\d.,]*\d|\d)(?= [a-zà-ỹ])"), "bao nhiêu"),
        (re.compile(r"(\d[\d.,]*%)"), "bao nhiêu phần trăm"),
        (re.compile(rf"(?<=tên là )({_NAME})"), "gì"),
    ),
    "en": (
        (re.compile(rf"\b(\d{{1,2}} {_MONTH} \d{{4}}|{_MONTH} \d{{1,2}}, \d{{4}})"), "what date"),
        (re.compile(r"\bin (\d{4})\b"), "what year"),
        (re.compile(rf"\bby ({_NAME} {_NAME})"), "whom"),
        (re.compile(rf"\bin ({_NAME})(?=[,.;) ])"), "which place"),
        (
            re.compile(rf"(?<!in ){_NOT_DATED}(\d[\d.,]*\d|\d)(?= (?!film|play|novel)[a-z])"),
            "how many",
        ),
        (re.compile(r"(\d[\d.,]* ?(?:%|percent))"), "what percentage"),
    ),
}  # fmt: skip
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZĐÀ-Ỵ0-9\"“])")


def gap_questions(text: str, language: Language) -> tuple[tuple[str, str], ...]:
    """Questions whose answer is a date, number, name or place that occurs once in the text."""
    found: list[tuple[str, str]] = []
    for sentence in _SENTENCE_END.split(text):
        for pattern, word in _GAPS[language]:
            for match in pattern.finditer(sentence):
                answer = match.group(1).rstrip(".,")
                if text.count(answer) != 1:
                    continue
                start, end = match.span(1)
                before = _tail(sentence[:start])
                after = _head(sentence[start + len(answer) : end] + sentence[end:])
                if len((before + after).split()) < 4:
                    continue
                asked = f"{before}{word}{after}".strip(" ,;:.-–")
                found.append((asked[:1].upper() + asked[1:] + "?", answer))
                break
    return tuple(found)


# A span begins after one of these and ends before one of them or a punctuation mark.
_LINKS = {
    "en": frozenset(
        "a an the of in on at by for from to with into as is are was were be been has have had "
        "and or but that which who than about under over between after before its their his her "
        "called named using through during".split()
    ),
    "vi": frozenset(
        "là của ở tại bởi do cho với vào có bằng từ đến và hoặc các một những được bị trong trên "
        "dưới về theo khi mà này đó như nhưng gồm tên gọi ra lên cùng qua trước sau".split()
    ),
}
_ASKING = {"en": ("what", "what", "which", "what exactly"), "vi": ("gì", "gì", "nào", "cái gì")}


def span_questions(
    text: str, language: Language, rng: random.Random, count: int
) -> list[tuple[str, str]]:
    """Questions that leave a phrase out of a sentence: any phrase of one to five words.

    The rest of the sentence is shortened and loses some words, so that a question is found by
    what it shares with the text rather than by its exact wording.
    """
    links = _LINKS[language]
    found: list[tuple[str, str]] = []
    sentences = [s.split() for s in re.split(r"(?<=[.!?])\s+(?=\D)", text)]
    sentences = [s for s in sentences if len(s) >= 8]
    for sentence in rng.sample(sentences, min(count, len(sentences))):
        starts = [i for i in range(1, len(sentence)) if sentence[i - 1].lower() in links]
        rng.shuffle(starts)
        for start in starts:
            end = start
            while end < len(sentence) and end - start < 5 and sentence[end].lower() not in links:
                end += 1
                if sentence[end - 1][-1] in ".,;:)!?":
                    break
            answer = " ".join(sentence[start:end]).strip('.,;:!?()"“”')
            if len(answer) < 2 or text.count(answer) != 1:
                continue
            before = sentence[max(0, start - rng.randint(5, 12)) : start]
            after = sentence[end : end + rng.randint(0, 8)]
            kept = [w for w in before if rng.random() > 0.12]
            kept += [rng.choice(_ASKING[language])] + [w for w in after if rng.random() > 0.12]
            asked = " ".join(kept).strip(" ,;:.-–()")
            if len(kept) >= 5:
                found.append((asked[:1].upper() + asked[1:] + "?", answer))
                break
    return found


def _tail(text: str) -> str:
    clause = re.split(r"[,;:(]\s", text)
    kept = clause[-1] if len(clause[-1].split()) >= 4 else ", ".join(clause[-2:])
    words = kept.split()[-14:]
    return " ".join(words) + (" " if text.endswith(" ") and words else "")


def _head(text: str) -> str:
    words = re.split(r"[,;:.)]\s|[.)]$", text)[0].split()[:8]
    return (" " if text.startswith(" ") else "") + " ".join(words)


def load(paths: Iterable[Path]) -> Texts:
    """Read ``.jsonl``, ``.jsonl.gz`` and ``.txt`` files, or folders of them.

    Lines hold ``text`` (plain), ``sentence`` and ``question``, or ``context``, ``question`` and
    ``answer``. Raises TailorError for a file that is missing, unreadable or of another shape.
    """
    texts = Texts(sentences={"en": [], "vi": []})
    for path in paths:
        if not path.exists():
            raise TailorError(f"There is no {path}: pass an existing text file or folder.")
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            _add(texts, file)
    return texts


def _add(texts: Texts, file: Path) -> None:
    name = file.name.removesuffix(".gz")
    if name.endswith(".txt"):
        for block in _lines(file):
            _add_text(texts, block)
    elif name.endswith(".jsonl"):
        rows = []
        for line in _lines(file):
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise TailorError(
                    f"{file} is not JSON lines ({error}): repair that line."
                ) from None
        _add_rows(texts, rows, file)
    else:
        raise TailorError(f"{file} is neither .jsonl, .jsonl.gz nor .txt: convert or leave it out.")


def _lines(file: Path) -> Iterator[str]:
    read = 0
    with (
        gzip.open(file, "rt", encoding="utf-8")
        if file.suffix == ".gz"
        else file.open(encoding="utf-8")
    ) as stream:
        for line in stream:
            read += len(line)
            if read > LETTERS_LIMIT:
                return
            if line.strip():
                yield nfc(line.strip())


def _add_rows(texts: Texts, rows: list[dict[str, Any]], file: Path) -> None:
    for index, row in enumerate(rows):
        if "sentence" in row and "question" in row:
            _add_pair(texts, rows, index)
        elif {"context", "question", "answer"} <= row.keys():
            if row["answer"] in row["context"]:
                pair = ((row["question"], row["answer"]),)
                language: Language = "vi" if language_of(row["question"]) == "vi" else "en"
                texts.items.append(Item(language, row["context"], pair))
        elif "text" in row:
            for block in re.split(r"[\r\n]+", row["text"]):
                _add_text(texts, block)
        else:
            raise TailorError(
                f"Line {index + 1} of {file} has neither text, nor sentence and question, nor "
                "context, question and answer: rename its keys."
            )


def _add_text(texts: Texts, block: str) -> None:
    if len(block) < 120 or block.startswith("=="):
        return
    language: Language = "vi" if language_of(block) == "vi" else "en"
    words = block.split()
    for start in range(0, min(len(words), 4 * WORDS), WORDS):
        part = " ".join(words[start : start + WORDS])
        pairs = gap_questions(part, language)
        if len(pairs) >= 2 or (language == "en" and len(part.split()) >= 40):
            texts.items.append(Item(language, part, pairs))
    sentences = _SENTENCE_END.split(block)
    texts.sentences[language].extend(s for s in sentences[:2] if 6 <= len(s.split()) <= 30)


# --- sentence-question pairs without answers: keep those whose answer is certain -------------

_AMOUNT = (
    r"(?:\$?\d[\d,.]*(?: (?:million|billion|percent|%))?|one|two|three|four|five|six|seven|eight|"
    r"nine|ten)"
)
_WHEN = (
    rf"(?:{_MONTH.lower()} \d{{1,2}}, \d{{4}}|{_MONTH.lower()} \d{{4}}|\b1\d{{3}}\b|\b20[0-2]\d\b)"
)


def _answer(sentence: str, question: str) -> str | None:
    if re.match(r"(in )?(when|what year|which year|what date|what month)|.*in what year", question):
        pattern = _WHEN
    elif re.search(r"how (many|much)|what percent", question):
        pattern = rf"\b{_AMOUNT}\b"
    else:
        return None
    found = {hit.strip(" ,.") for hit in re.findall(pattern, sentence)}
    found = {hit for hit in found if hit and hit not in question}
    return found.pop() if len(found) == 1 else None


def _untokenised(text: str) -> str:
    text = text.replace("-lrb-", "(").replace("-rrb-", ")").replace("``", '"').replace("''", '"')
    text = re.sub(r" ([,.?!;:')%])", r"\1", text)
    return re.sub(r" (n't|'s)", r"\1", re.sub(r"([($]) ", r"\1", text)).strip()


def _add_pair(texts: Texts, rows: list[dict[str, Any]], index: int) -> None:
    sentence, question = (_untokenised(rows[index][key]) for key in ("sentence", "question"))
    near = rows[max(0, index - 3) : index + 4]
    around = dict.fromkeys(_untokenised(row.get("sentence", "")) for row in near)
    text = " ".join(around)
    answer = _answer(sentence, question)
    if answer and text.count(answer) == 1:
        texts.items.append(Item("en", text, ((question, answer),)))
    elif index % 4 == 0:  # neighbouring rows share their surroundings
        texts.items.append(Item("en", text, ()))
