"""The lessons of a fine-tuning: train questions and approved drafts, curated and shaped.

Dev and test questions are never used, nor is what gives one of them away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

from tailor.assistant import REFUSAL, Assistant, digest
from tailor.errors import NotApplicable
from tailor.training.lessons_curation import Curated, curated
from tailor.training.lessons_report import LeftOut, Lengths, LessonsReport
from tailor.training.lessons_shapes import NEEDS_EVIDENCE, Shaping
from tailor.training.lessons_split import groups, held_out
from tailor.training.pairs import Pair

if TYPE_CHECKING:
    from tailor.models.chat import Chat
    from tailor.training.lessons_settings import LessonSettings
    from tailor.workspace import Workspace

FEWEST = 8
"""Below this many train questions a fine-tuning would only memorize."""
USER = "fine_tuning"
"""For whom things are left out, in notes."""


@dataclass(frozen=True)
class Lessons:
    """What is learnt from, and what is kept back to watch the loss on; in the questions' order."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    report: LessonsReport

    @cached_property
    def digest(self) -> str:
        """Content hash of all lessons and of which are kept back."""
        return digest([[asdict(pair) for pair in side] for side in (self.train, self.validation)])

    def examples(self, most: int = 12) -> tuple[Pair, ...]:
        """Some lessons to look at: of each shape in turn, refusals among them."""
        by_kind: dict[tuple[str, bool], list[Pair]] = {}
        for pair in (*self.train, *self.validation):
            by_kind.setdefault((pair.shape, refuses(pair)), []).append(pair)
        rounds = max((len(own) for own in by_kind.values()), default=0)
        turns = (own[at] for at in range(rounds) for own in by_kind.values() if at < len(own))
        return tuple(pair for pair, _ in zip(turns, range(most), strict=False))

    def to_json(self) -> dict[str, Any]:
        """As ``tailor lessons --json`` prints it."""
        shown = [asdict(pair) for pair in self.examples()]
        return {"schema_version": 1, "digest": self.digest, **self.report.to_json(),
                "examples": shown}  # fmt: skip


def lessons(
    assistant: Assistant,
    chat: Chat,
    workspace: Workspace,
    settings: LessonSettings,
    fewest: int | None = None,
) -> Lessons:
    """The lessons that train questions, then those of ``training.jsonl``, give in file order.

    What is left out is named in the report, leaks also in notes; all lessons of one question, and
    of questions on one fact or worded alike, are on one side of the validation.

    Args:
        assistant: whose prompts the lessons have: what the stage before has made.
        chat: the model that is trained, or would be.
        workspace: whose questions are learnt from.
        settings: the shapes of the lessons, and how many are kept back.
        fewest: fewer questions are refused; `FEWEST` when None.

    Raises:
        NotApplicable: there are too few train questions.
        TailorError: the leakage guard cannot do its work, or ``training.jsonl`` is broken.
    """
    reading = all(shape in NEEDS_EVIDENCE for shape in settings.shapes)
    found = curated(workspace, USER, reading)
    _enough(found, FEWEST if fewest is None else fewest)
    if workspace.note is not None and (others := _summary(found)):
        workspace.note(others)
    shaping = Shaping(assistant, chat, workspace, settings, found.questions)
    made = [shaping.pairs(question) for question in found.questions]
    left = [*found.left_out, *(one for each in made for one in each.left_out)]
    sides = groups(found.questions, workspace.config.task)
    names = {q.id: name for q, name in zip(found.questions, sides, strict=True)}
    pairs = list(dict.fromkeys(pair for each in made for pair in each.pairs))
    kept = held_out([names[pair.source] for pair in pairs], settings.validation, settings.seed)
    train = tuple(pair for pair in pairs if names[pair.source] not in kept)
    validation = tuple(pair for pair in pairs if names[pair.source] in kept)
    return Lessons(train, validation, _report(found, left, train, validation, names, shaping))


def refuses(pair: Pair) -> bool:
    """Whether a lesson's reply is that the documents do not say."""
    return any(refusal in pair.completion for refusal in REFUSAL.values())


def _enough(found: Curated, fewest: int) -> None:
    if len(found.questions) >= fewest:
        return
    raise NotApplicable(
        f"fine_tuning needs at least {fewest} train questions and the workspace has "
        f"{len(found.questions)} that give no other away: share the questions out evenly with "
        '`tailor benchmark split`, add some with "split": "train" to the benchmark, draft some '
        "with `tailor benchmark draft --training`, or import them with `tailor benchmark import "
        "FILE --training`."
    )


def _summary(found: Curated) -> str:
    """A note on what else than leaks is left out; empty where nothing is."""
    reasons = Counter(one.reason for one in found.left_out if one.reason != "leak")
    if not reasons:
        return ""
    told = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in reasons.most_common())
    return f"left out of {USER}: {told}; `tailor lessons` names them."


def _report(
    found: Curated,
    left: Sequence[LeftOut],
    train: Sequence[Pair],
    validation: Sequence[Pair],
    names: dict[str, str],
    shaping: Shaping,
) -> LessonsReport:
    pairs = [*train, *validation]
    langs = {q.id: q.lang for q in found.questions}
    used = {pair.source for pair in pairs}
    sizes = [shaping.tokens(pair) for pair in pairs]
    return LessonsReport(
        found=found.found,
        questions=len(used),
        shapes=dict(Counter(pair.shape for pair in pairs)),
        refusals=sum(map(refuses, pairs)),
        languages=dict(Counter(langs[pair.source] for pair in pairs).most_common()),
        prompts=_lengths([prompt for prompt, _ in sizes]),
        completions=_lengths([completion for _, completion in sizes]),
        train=len(train),
        validation=len(validation),
        groups=len({names[id] for id in used}),
        left_out=tuple(left),
    )


def _lengths(of: Sequence[int]) -> Lengths:
    return Lengths(sum(of), int(median(of)) if of else 0, max(of, default=0))
