"""The lessons of a preference tuning: answers that people found better, beside worse ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tailor.assistant import Ask, Assistant, digest, is_refusal
from tailor.benchmark import Question
from tailor.benchmarking.leakage import found_leaks
from tailor.errors import NotApplicable
from tailor.example import Example
from tailor.preferences import Preference, preferences, unreadable
from tailor.text import fold, language, words
from tailor.training.lessons_report import LeftOut
from tailor.training.lessons_shapes import context
from tailor.training.lessons_split import groups, held_out
from tailor.training.pairs import Message, PreferencePair

if TYPE_CHECKING:
    from tailor.models.chat import Chat
    from tailor.training.lessons_settings import LessonSettings
    from tailor.workspace import Workspace

FEWEST = 8
"""Below this many preferences a tuning would only memorize."""
USER = "preference tuning"


@dataclass(frozen=True)
class PreferenceLessons:
    """What is learnt from, and what is kept back; in the order the preferences were given."""

    train: tuple[PreferencePair, ...]
    validation: tuple[PreferencePair, ...]
    found: int
    """Preferences before anything was left out."""
    left_out: tuple[LeftOut, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Content hash of all lessons and of which are kept back."""
        return digest([[asdict(pair) for pair in side] for side in (self.train, self.validation)])

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many were left out, by reason, the most frequent first."""
        return dict(Counter(one.reason for one in self.left_out).most_common())

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "schema_version": 1,
            "digest": self.digest,
            "found": self.found,
            "train": len(self.train),
            "validation": len(self.validation),
            "reasons": dict(self.reasons),
            "left_out": [one.to_json() for one in self.left_out],
        }


def preference_lessons(
    assistant: Assistant,
    chat: Chat,
    workspace: Workspace,
    settings: LessonSettings,
    fewest: int | None = None,
) -> PreferenceLessons:
    """The lessons that ``knowledge/preferences.jsonl`` gives.

    A prompt is what both models were given when the person chose, if that was the same; else what
    the assistant would be given for the question now. Left out are dev and test questions and what
    gives one away, empty and equal answers, repeated votes, too long ones; where somebody later
    preferred the opposite, only the later vote counts. Votes on one question are on one side of
    the validation.

    Raises:
        NotApplicable: there are too few preferences.
        TailorError: the leakage guard cannot do its work, or the file cannot be read.
    """
    given = preferences(workspace.knowledge)
    if workspace.note and (torn := unreadable(workspace.knowledge)):
        lines = ", ".join(map(str, torn))
        workspace.note(f"Left out of preferences.jsonl, which cannot be read there: line {lines}.")
    asked = [_question(vote, number) for number, vote in enumerate(given, 1)]
    out: dict[str, LeftOut] = {}
    for leak in found_leaks(workspace, USER, asked, "dev", "test"):
        values = {"split": leak.held.split, "other": leak.held.id, "how": leak.kind}
        out[leak.item.id] = _left(leak.item, "leak", values)
    for one in _unfit(given, asked):
        out.setdefault(one.id, one)
    most = settings.max_length or context(chat.name)
    made: dict[str, PreferencePair] = {}
    for vote, question in zip(given, asked, strict=True):
        if question.id in out:
            continue
        pair = _pair(vote, assistant, chat)
        tokens = _tokens(pair, chat.name)
        if most and tokens > most:
            told = {"shape": "preference", "tokens": tokens, "most": most}
            out[question.id] = _left(question, "long", told)
        else:
            made[question.id] = pair
    wanted = FEWEST if fewest is None else fewest
    if len(made) < wanted:
        raise NotApplicable(
            f"Preference tuning needs at least {wanted} preferences and the workspace has "
            f"{len(made)} that can be learnt from (of {len(given)}): compare two answers in the "
            "playground of `tailor ui` and choose the better one."
        )
    left = tuple(out[q.id] for q in asked if q.id in out)
    return _parted(made, [q for q in asked if q.id in made], len(given), left, settings)


def _parted(
    made: Mapping[str, PreferencePair],
    questions: Sequence[Question],
    found: int,
    left: tuple[LeftOut, ...],
    settings: LessonSettings,
) -> PreferenceLessons:
    names = groups([replace(q, id=" ".join(words(fold(q.question)))) for q in questions])
    kept = held_out(names, settings.validation, settings.seed)
    sides: tuple[list[PreferencePair], list[PreferencePair]] = ([], [])
    for question, name in zip(questions, names, strict=True):
        sides[name in kept].append(made[question.id])
    return PreferenceLessons(tuple(sides[0]), tuple(sides[1]), found, left)


def _question(vote: Preference, number: int) -> Question:
    said = vote.chosen.text.strip()
    answers = (said,) if said and not is_refusal(said) else ()
    return Question(f"vote-{number}", vote.question, answers, lang=language(vote.question))


def _left(question: Question, reason: Any, values: Mapping[str, Any]) -> LeftOut:
    return LeftOut(question.id, question.question, "preferences", reason, values)


def _unfit(given: Sequence[Preference], asked: Sequence[Question]) -> Iterator[LeftOut]:
    """Votes that teach nothing, and all but the last of those on the same two answers."""
    last: dict[tuple[str, frozenset[str]], int] = {}
    for at, vote in enumerate(given):
        last[_matter(vote)] = at
    for at, (vote, question) in enumerate(zip(given, asked, strict=True)):
        sides = [side.text.strip() for side in (vote.chosen, vote.rejected)]
        if not all(sides):
            yield _left(question, "empty", {"answer": ""})
        elif sides[0] == sides[1]:
            yield _left(question, "same_answers", {})
        elif (newest := last[_matter(vote)]) != at:
            changed = given[newest].chosen.text.strip() != sides[0]
            values = {"other": asked[newest].id}
            yield _left(question, "revoked" if changed else "voted_again", values)


def _matter(vote: Preference) -> tuple[str, frozenset[str]]:
    sides = frozenset((vote.chosen.text.strip(), vote.rejected.text.strip()))
    return " ".join(words(fold(vote.question))), sides


def _pair(vote: Preference, assistant: Assistant, chat: Chat) -> PreferencePair:
    prompt = vote.chosen.prompt
    better, worse = vote.chosen.text.strip(), vote.rejected.text.strip()
    if not prompt or prompt != vote.rejected.prompt:
        prompt = _prompt(vote.question, assistant, chat)
        better, worse = (
            assistant.format.shown(Example(vote.question, text)) for text in (better, worse)
        )
    return PreferencePair(prompt, better, worse, vote.question)


def _prompt(question: str, assistant: Assistant, chat: Chat) -> tuple[Message, ...]:
    from langchain_core.messages import convert_to_openai_messages

    prompt = replace(assistant.prompt(Ask(question)), seconds=0.0)
    found = convert_to_openai_messages(chat.fitted(prompt).messages())
    assert isinstance(found, list)
    return tuple((m["role"], m["content"]) for m in found)


def _tokens(pair: PreferencePair, model: str) -> int:
    from tailor.models.usage import OVERHEAD, text_tokens

    replies = (text_tokens(side, model) for side in (pair.chosen, pair.rejected))
    told = sum(text_tokens(content, model) + OVERHEAD for _, content in pair.prompt)
    return told + max(replies) + OVERHEAD
