"""What the extractive reader learns from: questions on passages, with or without their answer.

They come from synthetic companies, from question-sentence pairs whose answer a rule can name
(`pseudo_answer`), and from encyclopedia sentences turned into questions (`cloze`).
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tailor.models.candidates import Candidates, candidates
from tailor.models.pretraining import articles, grammar
from tailor.models.pretraining.natural import span_questions
from tailor.models.pretraining.relations import Language, Split
from tailor.models.query import Lexicon, query
from tailor.text import fold, words

ARTICLES = {"a", "an", "the"}
SPANS = 0.4
"""Share of the sentences of natural text that are asked for any phrase, not for a typed value."""


@dataclass(frozen=True)
class Example:
    """A question on passages with the answer they hold, None where they do not."""

    question: str
    passages: tuple[str, ...]
    answer: str | None
    weight: float = 1.0


@dataclass(frozen=True)
class Amount:
    """How many questions are made per language, on synthetic companies and on natural text."""

    companies: int
    naturals: int


def drawn(
    pages: Sequence[articles.Passage], amount: Amount, split: Split, rng: random.Random
) -> list[Example]:
    """Examples of all sorts in random order."""
    examples: list[Example] = []
    languages: tuple[Language, ...] = ("en", "vi")
    for language in languages:
        examples += company_examples(rng, language, split, amount.companies)
        mine = [page for page in pages if page.language == language]
        examples += natural_examples(mine, rng, language, amount.naturals)
    rng.shuffle(examples)
    return examples


# --- synthetic companies ------------------------------------------------------------------------


def company_examples(
    rng: random.Random, language: Language, split: Split, count: int
) -> Iterator[Example]:
    """Questions on 1 to 5 passages of one synthetic company each; a seventh has no answer."""
    made = 0
    while True:
        owner = grammar.company(rng, language, split, kinds=rng.randint(1, 3))
        written = grammar.passages(rng, owner, rng.randint(2, 6), long=rng.random() < 0.4)
        stated = [(fact, page) for page in written for fact in page.facts]
        for fact, page in rng.sample(stated, min(4, len(stated))):
            others = [p for p in written if fact not in p.facts]
            answered = rng.random() > 0.14
            held = rng.sample(others, min(len(others), rng.randint(0, 4)))
            if answered:
                held.insert(rng.randint(0, len(held)), page)
            if not held:
                continue
            question = varied(grammar.question(fact, rng, language), rng, language)
            texts = tuple(f"{p.header}\n{p.text}" if rng.random() < 0.2 else p.text for p in held)
            yield Example(question, texts, fact.value.into(language) if answered else None)
            made += 1
            if made == count:
                return


def varied(question: str, rng: random.Random, language: str) -> str:
    """The question as some people type it: without accents, capitals or question mark."""
    if language == "vi" and rng.random() < 0.15:
        question = fold(question)
    if rng.random() < 0.1:
        question = question.lower()
    return question.rstrip("?") if rng.random() < 0.1 else question


# --- natural text -------------------------------------------------------------------------------

_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_ENGLISH_DATE = rf"{_MONTH} \d{{1,2}}, \d{{4}}|{_MONTH} \d{{4}}|\b1\d{{3}}\b|\b20[0-2]\d\b"
_ENGLISH_NUMBER = (
    r"\$?\b\d[\d,.]*\d?(?: (?:million|billion|percent|%))?%?|\b(?:one|two|three|four|five|six|seven"
    r"|eight|nine|ten|twelve|hundreds|thousands)\b"
)


def pseudo_answer(question: str, sentence: str) -> str | None:
    """The only date or number of a sentence that fits a question after one, else None."""
    asked = question.casefold()
    if re.search(r"^(in )?when|(what|which) (year|date|month)", asked):
        pattern = _ENGLISH_DATE
    elif re.search(r"how (many|much)|what percent", asked):
        pattern = _ENGLISH_NUMBER
    else:
        return None
    found = {match.strip(" ,.") for match in re.findall(pattern, sentence, re.IGNORECASE)}
    found = {match for match in found if match.casefold() not in asked}
    return found.pop() if len(found) == 1 else None


# Pattern of an answer (group 1) with its cue, and what asks for it; {} is the counted noun.
_NAME_EN = r"[A-Z][\w'’-]+(?: (?:of |de |van )?[A-Z][\w'’-]+){0,3}"
_CAPITAL_VI = "[A-ZĐÁÀẢÃẠÂẤẦẨẪẬĂẮẰẲẴẶÉÈẺẼẸÊẾỀỂỄỆÍÌỈĨỊÓÒỎÕỌÔỐỒỔỖỘƠỚỜỞỠỢÚÙỦŨỤƯỨỪỬỮỰÝỲỶỸỴ]"
_NAME_VI = rf"{_CAPITAL_VI}\w+(?: {_CAPITAL_VI}\w+){{1,3}}"
_CLOZES: dict[str, tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = {
    "en": (
        (re.compile(r"\b[Ii]n ((?:1[5-9]|20)\d\d)\b"), ("In what year", "When")),
        (re.compile(rf"\b[Oo]n ({_MONTH} \d{{1,2}}, \d{{4}})", re.I), ("When", "On what date")),
        (
            re.compile(r"\b(\d[\d,.]*) ([a-z]{4,}s)\b"),
            ("How many {}",),
        ),
        (re.compile(r"(\d[\d.]*(?: percent|%))"), ("What percentage of", "How much of")),
        (re.compile(rf"\bby ({_NAME_EN})(?=[,.; ])"), ("By whom", "Who")),
        (re.compile(rf"\b(?:in|at|near) ({_NAME_EN})(?=[,.; ])"), ("Where", "In which place")),
    ),
    "vi": (
        (re.compile(r"(ngày \d{1,2} tháng \d{1,2}(?: năm \d{4})?)"), ("khi nào", "ngày nào")),
        (re.compile(r"(tháng \d{1,2} năm \d{4})"), ("khi nào", "tháng nào")),
        (re.compile(r"[Nn]ăm (\d{4})\b"), ("năm nào",)),
        (re.compile(r"[Nn]gày (\d{1,2}/\d{1,2}/\d{4})"), ("ngày nào", "khi nào")),
        (
            re.compile(r"(\d[\d.,]*) (người|chiếc|tầng|tỉnh|xã|huyện|loài|bài|trận|bàn|đội)\b"),
            ("bao nhiêu {}", "mấy {}"),
        ),
        (
            re.compile(r"(\d[\d.,]* (?:ngày|tháng|năm|giờ|phút|tuần))\b(?! \d)"),
            ("bao lâu",),
        ),
        (re.compile(r"(\d[\d.,]* (?:km²|km|m|kg|tấn|ha|mét))\b"), ("bao nhiêu",)),
        (
            re.compile(r"(\d[\d.,]*(?: (?:triệu|tỷ|nghìn))? (?:đồng|USD|đô la|euro))"),
            ("bao nhiêu tiền", "bao nhiêu"),
        ),
        (re.compile(r"(\d[\d.,]*%)"), ("bao nhiêu phần trăm", "tỷ lệ bao nhiêu")),
        (re.compile(rf"\b(?:bởi|của|do) (?:ông |bà )?({_NAME_VI})(?=[,.; ])"), ("ai", "bởi ai")),
        (re.compile(rf"\b(?:ở|tại) ({_NAME_VI})(?=[,.; ])"), ("ở đâu", "tại đâu", "nơi nào")),
    ),
}


def cloze(sentence: str, rng: random.Random, language: str) -> tuple[str, str] | None:
    """A question on one sentence and its answer: words of its clause around a question word."""
    kinds = list(_CLOZES[language])
    rng.shuffle(kinds)
    for pattern, ways in kinds:
        matches = list(pattern.finditer(sentence))
        if not matches:
            continue
        match = rng.choice(matches)
        answer = match[1].rstrip(",.")
        if len(re.findall(rf"\b{re.escape(answer)}\b", sentence)) != 1:
            continue
        ask = rng.choice(ways).format(match[2] if match.re.groups > 1 else "")
        before = re.split(r"[,;:()]", sentence[: match.start()])[-1].split()[-14:]
        after = re.split(r"[,;:()]", sentence[match.end() :])[0].rstrip(".").split()[:10]
        share = rng.uniform(0.55, 1)
        before = [word for word in before if rng.random() < share]
        after = [word for word in after if rng.random() < share]
        if len(before) + len(after) < 3:
            continue
        if language == "en" or rng.random() < 0.2:
            asked = [ask, *before, *after]
        else:
            asked = [*before, ask, *after]
        return grammar.capital(" ".join(asked)) + "?", answer
    return None


def natural_examples(
    pages: Sequence[articles.Passage], rng: random.Random, language: Language, count: int
) -> Iterator[Example]:
    """Questions on real text: pseudo-answered where it has questions, clozes elsewhere."""
    made = 0
    for index in rng.sample(range(len(pages)), len(pages)):
        page = pages[index]
        at = rng.randrange(len(page.sentences))
        pair: tuple[str, str] | None
        if page.questions:
            question = page.questions[0]
            asked = set(words(question))
            source = max(page.sentences, key=lambda s: sum(w in asked for w in set(words(s))))
            answer = pseudo_answer(question, source)
            pair = (question, answer) if answer else None
        elif rng.random() < SPANS:
            spans = span_questions(page.sentences[at], language, rng, 1)
            pair = spans[0] if spans else None
        else:
            pair = cloze(page.sentences[at], rng, language)
        if pair is None:
            continue
        text = " ".join(page.sentences)
        near = [pages[i] for i in range(max(index - 6, 0), min(index + 7, len(pages)))]
        others = list({" ".join(p.sentences) for p in near} - {text})
        others = [other for other in sorted(others) if pair[1] not in other]
        held = rng.sample(others, min(len(others), rng.randint(0, 4)))
        answered = rng.random() > 0.14 or not held
        if answered:
            held.insert(rng.randint(0, len(held)), text)
        question = varied(pair[0], rng, language)
        yield Example(question, tuple(held), pair[1] if answered else None, 0.7)
        made += 1
        if made == count:
            return


# --- with candidates ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Prepared:
    """An example with its candidates and which of them are right."""

    example: Example
    found: Candidates
    right: NDArray[np.bool_]


def prepare(
    lexicon: Lexicon, examples: Sequence[Example], tick: Callable[[], object]
) -> list[Prepared]:
    """Candidates of all examples; those without any are left out, as the reader refuses them."""
    result = []
    for example in examples:
        found = candidates(query(example.question, lexicon), example.passages, lexicon)
        tick()
        if found is not None:
            result.append(Prepared(example, found, labels(found, example)))
    return result


def labels(found: Candidates, example: Example) -> NDArray[np.bool_]:
    """Which candidates are the answer."""
    if example.answer is None:
        return np.zeros(len(found.start), dtype=bool)
    wanted = _bare(example.answer)
    return np.array(
        [
            _bare(example.passages[passage][start:end]) == wanted
            for passage, start, end in zip(found.passage, found.start, found.end, strict=True)
        ]
    )


def same(one: str, other: str) -> bool:
    """Whether two answers are equal but for case, punctuation and articles."""
    return _bare(one) == _bare(other)


def _bare(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if word not in ARTICLES)
