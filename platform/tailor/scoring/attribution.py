"""Why an answer is wrong: the first broken link between the documents and the reply.

The links, in this order: the documents hold the evidence, the assistant is given documents, it
retrieves the evidence, the evidence fits into the prompt, the model uses it, the reply has the
wanted form. Evidence is a span of a document, so nothing here changes with the chunking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from tailor.assistant import Answer
from tailor.benchmark import Question, Split
from tailor.documents.passages import Passage
from tailor.scoring import format, links, metrics, misses
from tailor.scoring.links import Broken
from tailor.scoring.retrieval import Span, found_at
from tailor.scoring.target import PRIMARY
from tailor.scoring.tokens import tokens
from tailor.task import Task
from tailor.text import fold, words

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.scoring.scored import Scored

Why = Broken | misses.Miss
"""``right``, or what is wrong: with an answer (see :func:`why`), or with a number or label."""

WHYS: tuple[Broken, ...] = get_args(Broken)
EVERY: tuple[Why, ...] = tuple(dict.fromkeys((*WHYS, *misses.MISSES)))

NEXT: Mapping[str, tuple[str, ...]] = {**misses.NEXT, **links.NEXT}
"""The stages to try next; none where no stage mends it. :func:`advice` says it in words."""
ENOUGH = 0.8
"""An answer with this F1 is right whatever its other words are."""
LEAST = 0.5
"""One that holds an accepted answer is right from this F1 on."""

_DISTINCT = 4
"""Characters of a one-word answer from which on its mention in a text says something."""
_YES_NO = {"yes", "no", "có", "không", "đúng", "sai", "true", "false"}

_SENTENCES = {
    "en": {
        "empty": "There is no answer to explain: the row is stale or was not asked yet.",
        "none": "None of the {n} answers is wrong.",
        "errors": "All {n} questions ended in errors, so there is no answer to explain: run the "
        "same command again, which asks only what is missing.",
        "main": "{wrong} of {n} answers are wrong. Most frequent reason ({count}): {advice}",
    },
    "vi": {
        "empty": "Chưa có câu trả lời nào để giải thích: dòng này đã cũ hoặc chưa được hỏi.",
        "none": "Không có câu nào sai trong {n} câu trả lời.",
        "errors": "Cả {n} câu hỏi đều bị lỗi nên chưa có câu trả lời nào để giải thích: hãy chạy "
        "lại đúng lệnh đó, chỉ những câu còn thiếu được hỏi.",
        "main": "{wrong} trong {n} câu trả lời sai. Nguyên nhân thường gặp nhất ({count} câu): "
        "{advice}",
    },
}


@dataclass(frozen=True)
class Attribution:
    """How the answers of one row on one split ended, and what to try next."""

    by_question: Mapping[str, Why]
    """Of every question that was asked, in file order."""
    stage: str = ""
    """Of the row."""
    task: Task = "answer"

    @property
    def n(self) -> int:
        """How many questions were asked."""
        return len(self.by_question)

    @property
    def counts(self) -> dict[Why, int]:
        """How many answers have each reason; all are named, in the order of the links."""
        times = Counter(self.by_question.values())
        reasons: tuple[Why, ...] = WHYS if self.task == "answer" else misses.MISSES
        return {reason: times[reason] for reason in reasons}

    @property
    def wrong(self) -> int:
        """How many answers are wrong; an error is no answer, and not among them."""
        counts = self.counts
        return self.n - counts["right"] - counts["error"]

    @property
    def main(self) -> Why | None:
        """The most frequent reason of a wrong answer, the earlier link in a tie; None: none."""
        counts = {r: c for r, c in self.counts.items() if c and r not in ("right", "error")}
        return Counter(counts).most_common(1)[0][0] if counts else None

    def share(self, reason: Why) -> float | None:
        """Of all questions that were asked, between 0 and 1; None when none was."""
        return self.counts[reason] / self.n if self.n else None

    def to_json(self) -> dict[str, Any]:
        """``attribution`` of an entry of ``stages`` in ``tailor compare --json``."""
        return {
            "n": self.n,
            "wrong": self.wrong,
            "counts": {
                reason: {"n": count, "share": self.share(reason)}
                for reason, count in self.counts.items()
            },
            "main": self.main,
            "next": list(NEXT[self.main]) if self.main else [],
        }


def attribute(run: Run, split: Split = "test") -> Attribution:
    """Why each answer of a run is right or wrong; the first answer where it was asked repeatedly.

    Reads the full answers. Nothing is told of a stale run. Most mistakes of imported answers are
    ``unknown``: they do not show what their author had read.
    """
    from tailor.documents.corpus import documents

    workspace = run.workspace
    return attribute_scored(
        run.scored(split), workspace.spans, lambda: documents(workspace.state).values()
    )


def attribute_scored(
    scored: Scored,
    spans: Mapping[str, tuple[Span, ...]],
    texts: Callable[[], Iterable[str]] = tuple,
) -> Attribution:
    """:func:`attribute` on values; ``texts`` reads the documents, when they are needed."""
    answers = {} if scored.stale else scored.read()
    retrieves = any(answer.passages for answer in answers.values())

    @cache
    def searched() -> list[str]:
        return [_words_of(text) for text in texts()]

    found: dict[str, Why] = {}
    for q in scored.questions:
        if q.id not in answers or q.id not in scored.answers:
            continue
        scores = scored.answers[q.id].scores
        if scored.target.task != "answer":
            found[q.id] = misses.miss(scored.target.task, answers[q.id].outcome, scores)
            continue
        place = spans.get(q.id, ())
        reason = why(q, answers[q.id], place, scores, retrieves, lambda q: _told(q, searched()))
        found[q.id] = "unknown" if scored.imported and reason == "no_documents" else reason
    return Attribution(found, scored.stage, scored.target.task)


def why(
    question: Question,
    answer: Answer,
    spans: Sequence[Span],
    scores: Mapping[str, float | None],
    retrieves: bool | None = None,
    said: Callable[[Question], bool] | None = None,
) -> Why:
    """The first broken link of one answer.

    ``error``: there is no answer. Where the documents do not say, a refusal is ``right``, an
    answer is ``answered_unanswerable``, and a reply that could not be read is ``format``.

    Where they do say, an answer is ``right`` with an F1 of ``ENOUGH``, or of ``LEAST`` when it
    holds an accepted answer, or when it is half of one or more, with all its numbers; but not if
    it misses the pattern it should keep. It is ``format`` when it holds an accepted answer (for
    yes and no: begins with it) and yet misses the pattern, could not be read, or says too much
    for that; naming the right one among others counts so, too.

    Every other answer is wrong, or a refusal, because of the first of these that holds:

    - ``not_in_documents``: some of the question's evidence is not in the ingested text;
    - ``no_documents``: the assistant has no retriever;
    - ``not_retrieved``: the passages do not hold the evidence;
    - ``dropped``: they do, but not without those that did not fit into the model's context;
    - ``refused_wrongly``: the evidence was in the prompt, the model refused;
    - ``format``: it was, and the reply could not be read;
    - ``not_used``: it was, and the answer is wrong.

    Passages hold the evidence when each of its spans is found in them as recall counts it (half of
    its characters), or one span and an accepted answer word for word. The same fact in a document
    that the benchmark does not name is not seen.

    A question without evidence is ``unknown`` unless an accepted answer of at least two words, or
    one of four characters, stands word for word in the passages (which then count as holding the
    evidence) or else in the documents (``not_retrieved``). Another mention can be mistaken for it.

    Args:
        question: With the accepted answers and the evidence as it is written.
        answer: With the passages it was given.
        spans: Where the evidence stands; fewer than ``question.evidence`` where some is missing.
        scores: Of this answer; ``f1`` and, if there is a pattern, ``format_ok`` are read.
        retrieves: Whether the assistant has a retriever; by default when there are passages.
        said: Whether the documents hold an accepted answer; asked only where there is no evidence.
    """
    if answer.outcome == "error":
        return "error"
    if not question.answerable:
        return _of_unanswerable(answer)
    content = _content(question, answer, scores)
    if content == "right":
        return "format" if scores.get("format_ok") == 0 else "right"
    if content == "held":
        return "format"
    if _hold(answer.seen, question, spans):
        return _of_seen(answer)
    if len(spans) < len(question.evidence):
        return "not_in_documents"
    if not (bool(answer.passages) if retrieves is None else retrieves):
        return "no_documents"
    if _hold(answer.passages, question, spans):
        return "dropped"
    if question.evidence or (said is not None and said(question)):
        return "not_retrieved"
    return "unknown"


def label(reason: Why, lang: str) -> str:
    """The reason in a few words, for tables and charts; ``en`` or ``vi``."""
    return {**misses.LABELS[lang], **links.LABELS[lang]}[reason]


def advice(reason: Why, lang: str) -> str:
    """One sentence: what is wrong and what to try next; ``en`` or ``vi``."""
    return {**misses.ADVICE[lang], **links.ADVICE[lang]}[reason]


def occurring(found: Iterable[Attribution]) -> list[Why]:
    """The reasons that answers of these rows have, in the order of the links."""
    times: Counter[Why] = Counter()
    for own in found:
        times.update(own.counts)
    return [reason for reason, count in times.items() if count]


def sentence(found: Attribution, lang: str) -> str:
    """How many answers are wrong, the most frequent reason, and what to try next."""
    say, main, answered = _SENTENCES[lang], found.main, found.n - found.counts["error"]
    if main is None:
        kind = "none" if answered else "errors" if found.n else "empty"
        return say[kind].format(n=format.count(answered or found.n, lang))
    main_say = say["main"] if found.task == "answer" else misses.MAIN[lang][found.task]
    return main_say.format(
        n=format.count(found.n, lang),
        wrong=format.count(found.wrong, lang),
        count=format.count(found.counts[main], lang),
        advice=advice(main, lang),
    )


def _of_unanswerable(answer: Answer) -> Why:
    if answer.outcome == "refused":
        return "right"
    return "format" if answer.outcome == "unparseable" else "answered_unanswerable"


def _of_seen(answer: Answer) -> Why:
    if answer.outcome == "refused":
        return "refused_wrongly"
    return "format" if answer.outcome == "unparseable" else "not_used"


def _content(
    question: Question, answer: Answer, scores: Mapping[str, float | None]
) -> Literal["right", "held", "wrong"]:
    """Whether a reply says what is wanted: as it should, or among more, or not."""
    if answer.outcome == "refused":
        return "wrong"
    value = scores.get(PRIMARY["answer"]) or 0.0
    if answer.outcome == "ok" and value >= ENOUGH:
        return "right"
    held = any(_holds(answer.text, accepted) for accepted in question.answers)
    part = any(_part(answer.text, accepted) for accepted in question.answers)
    if answer.outcome == "ok" and (part or (held and value >= LEAST)):
        return "right"
    return "held" if held else "wrong"


def _holds(text: str, accepted: str) -> bool:
    """Whether a reply holds an accepted answer; yes and no must be its first word."""
    wanted = tokens(accepted)
    if len(wanted) == 1 and wanted[0] in _YES_NO:
        return tokens(text)[:1] == wanted
    return bool(metrics.contains(text, [accepted]))


def _part(text: str, accepted: str) -> bool:
    """Whether a reply is half of an accepted answer, or more, with all of its numbers."""
    said, wanted = tokens(text), tokens(accepted)
    numbers = {token for token in wanted if any(c.isdigit() for c in token)}
    enough = bool(said) and 2 * len(said) >= len(wanted) and numbers <= set(said)
    return enough and bool(metrics.contains(accepted, [text]))


def _hold(passages: Sequence[Passage], question: Question, spans: Sequence[Span]) -> bool:
    """Whether passages hold a question's evidence; see :func:`why`."""
    found = [rank is not None for rank in found_at(passages, spans)]
    if found and all(found) and len(spans) == len(question.evidence):
        return True
    return (any(found) or not question.evidence) and _told(
        question, (_words_of(passage.text) for passage in passages)
    )


def _told(question: Question, texts: Iterable[str]) -> bool:
    """Whether an accepted answer that is no mere short word stands in one of the texts."""
    wanted = [words(fold(accepted)) for accepted in question.answers]
    wanted = [own for own in wanted if len(own) > 1 or (own and len(own[0]) >= _DISTINCT)]
    return any(_spaced(own) in text for text in texts for own in wanted) if wanted else False


def _words_of(text: str) -> str:
    return _spaced(words(fold(text)))


def _spaced(own: Sequence[str]) -> str:
    return f" {' '.join(own)} "
