"""Rows of a comparison made by hand, for the tests of comparing, choosing and telling."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tailor.answers import Fact
from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.scoring.comparison import Graded, Scored
from tailor.scoring.score import score

RIGHT, WRONG = Answer("ok", "yes", seconds=0.1, input_tokens=10), Answer("ok", "no", seconds=0.1)
N = 40


def questions(split, n=N):
    return tuple(
        Question(f"{split}-{i}", f"Question {i}?", ("yes",), split=split) for i in range(n)
    )


def graded(asked, answers, spans):
    """The answers with their scores, as a run makes them."""
    found = {q.id: q for q in asked}
    retrieves = any(answer.passages for answer in answers.values())
    return {
        id: Graded(
            Fact.of(answer), score(found[id], answer, spans.get(id, ()), retrieves=retrieves)
        )
        for id, answer in answers.items()
    }


def scored(answers, asked, *, again=(), spans=None, **fields):
    return Scored(
        questions=asked,
        answers=graded(asked, answers, spans or {}),
        again=tuple(graded(asked, repeat, spans or {}) for repeat in again),
        read=lambda: answers,
        **fields,
    )


def run(row, right, split="test", previous=None, n=N, answer=RIGHT, **fields):
    """A row that answers its first ``right`` questions rightly and the others wrongly."""
    asked = fields.pop("asked", None) or questions(split, n)
    wrong = Answer("ok", "no", seconds=answer.seconds, cost_usd=answer.cost_usd)
    answers = {q.id: answer if i < right else wrong for i, q in enumerate(asked)}
    return scored(
        **{
            "answers": answers,
            "asked": asked,
            "row": row,
            "stage": row.partition(":")[0],
            "model": "shipped",
            "run": f"run-{row}",
            "split": split,
            "previous": previous,
            **fields,
        }
    )


def ladder(*rights, split="test", **fields):
    names = ("baseline", "prompting", "few_shot", "retrieval")
    previous = (None, None, "prompting", "few_shot")
    return [
        run(name, right, split, before, **fields)
        for name, before, right in zip(names, previous, rights, strict=False)
    ]


def with_answers(before, spans=None, again=(), **answers):
    """Some answers replaced: ``q3`` is the answer to the fourth question."""
    asked = {before.questions[int(key[1:])].id: answer for key, answer in answers.items()}
    full = {**before.read(), **asked}
    return replace(
        before,
        answers=graded(before.questions, full, spans or {}),
        again=tuple(graded(before.questions, {**full, **repeat}, {}) for repeat in again),
        read=lambda: full,
    )


def text_of(comparison, lang="en"):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(comparison.table(lang))
    return console.export_text()


@pytest.fixture(name="questions")
def questions_() -> object:
    return questions


@pytest.fixture(name="scored")
def scored_() -> object:
    return scored


@pytest.fixture(name="run")
def run_() -> object:
    return run


@pytest.fixture(name="ladder")
def ladder_() -> object:
    return ladder


@pytest.fixture(name="with_answers")
def with_answers_() -> object:
    return with_answers


@pytest.fixture(name="text_of")
def text_of_() -> object:
    return text_of
