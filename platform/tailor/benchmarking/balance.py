"""Whether the questions are spread so that their scores mean something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

from tailor.benchmark import Line, Question, Split
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.support import YES_NO
from tailor.scoring import format
from tailor.scoring.statistics import FEWEST
from tailor.text import fold, nfc, words

_APART = 0.1
"""Shares of dev and test that differ by less are even enough."""
_SURE = 2.6
"""Standard errors by which they must differ besides: 99 %."""
_YES_NO_LEAST, _YES_NO_SHARE = 10, 0.7
_SPLITS: tuple[Split, ...] = ("train", "dev", "test")


def balance(questions: Sequence[Question], languages: Mapping[str, str]) -> Iterator[Finding]:
    """Splits, languages, tags, documents and kinds of answers that are missing or uneven.

    ``languages`` are those of the documents, by path.
    """
    by_split = {name: [q for q in questions if q.split == name] for name in _SPLITS}
    for name, own in by_split.items():
        if not own:
            yield Finding("empty_split", values={"split": name})
    test = [traits(q) for q in by_split["test"]]
    dev = [traits(q) for q in by_split["dev"]]
    yield from _few(test)
    yield from _uneven(dev, test)
    asked = {q.lang for q in by_split["test"]}
    for lang, n in Counter(languages.values()).most_common():
        if lang and by_split["test"] and lang not in asked and n >= 2:
            yield Finding("language_missing", values={"lang": lang, "n": n})
    yield from _answers(questions)
    yield from _documents(questions)


def traits(question: Question) -> set[str]:
    """What a question is counted under: its language, its tags, whether it has an answer."""
    return {question.lang, *question.tags, *(() if question.answerable else ("null",))}


def splits(lines: Sequence[Line]) -> Iterator[Finding]:
    """Questions without a recorded split, and documents with questions on both sides."""
    if loose := sum(not line.has_split for line in lines):
        yield Finding("no_split", values={"n": loose})


def shared_documents(questions: Sequence[Question]) -> set[str]:
    """Documents with questions in train and also in dev or test."""
    train, held = (
        {nfc(e.document) for q in questions if (q.split == "train") is own for e in q.evidence}
        for own in (True, False)
    )
    return train & held


def _few(test: Sequence[set[str]]) -> Iterator[Finding]:
    counts = Counter(trait for own in test for trait in own)
    few = [f"{name} ({n})" for name, n in sorted(counts.items()) if n < FEWEST]
    if few:
        yield Finding("few_questions", values={"names": ", ".join(few), "least": FEWEST})


def _uneven(dev: Sequence[set[str]], test: Sequence[set[str]]) -> Iterator[Finding]:
    if not dev or not test:
        return
    for name in sorted(set().union(*dev, *test)):
        a, b = (sum(name in own for own in of) / len(of) for of in (dev, test))
        both = (a * len(dev) + b * len(test)) / (len(dev) + len(test))
        error = sqrt(both * (1 - both) * (1 / len(dev) + 1 / len(test)))
        if abs(a - b) > max(_APART, _SURE * error):
            values = {"name": name, "dev": format.percent(a), "test": format.percent(b)}
            yield Finding("uneven", values=values)


def _answers(questions: Sequence[Question]) -> Iterator[Finding]:
    nulls = sum(not q.answerable for q in questions)
    if questions and not nulls:
        yield Finding("none_unanswerable")
    elif nulls > len(questions) / 2:
        share = format.percent(nulls / len(questions))
        yield Finding("mostly_unanswerable", values={"share": share})
    said = Counter(
        own[0]
        for q in questions
        if q.answerable and len(own := words(fold(q.answers[0]))) == 1 and own[0] in YES_NO
    )
    for answer, n in said.most_common(1):
        most = n / said.total()
        if said.total() >= _YES_NO_LEAST and most >= _YES_NO_SHARE:
            told = {"n": said.total(), "share": format.percent(most), "answer": answer}
            yield Finding("yes_no", values=told)


def _documents(questions: Sequence[Question]) -> Iterator[Finding]:
    shared = shared_documents(questions)
    if shared:
        yield Finding("shared_documents", values={"n": len(shared)})
    counts = Counter(d for q in questions for d in {nfc(e.document) for e in q.evidence})
    for document, n in counts.most_common(1):
        share = n / sum(bool(q.evidence) for q in questions)
        if len(counts) >= 3 and share > 0.5:
            values = {"share": format.percent(share), "document": document}
            yield Finding("one_document", values=values)
