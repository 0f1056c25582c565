"""The merge gate: base, adapter, merged and quantized model scored on the same dev questions.

A merged model can be worse than the adapter it was made of: merged onto quantized weights, onto
another base, or rounded to few bits. So each form answers the dev questions as the adapter's row
asks them, and what loses more than a set share against the adapter, or falls below the base by
more than that, is not exported unless that is forced. Test is never looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.errors import TailorError
from tailor.models.quantized import Quantization
from tailor.newer import of_json
from tailor.scoring.statistics import Interval, Paired, Verdict

if TYPE_CHECKING:
    from tailor.assistant import Answer
    from tailor.benchmark import Question
    from tailor.training.adapters import Adapter
    from tailor.workspace import Workspace

Form = Literal["base", "adapter", "merged", "quantized"]
"""``base`` without the adapter, ``adapter`` beside the base's weights as it was trained,
``merged`` into them, ``quantized`` the merged one in few bits."""

FILE = "gate.json"
VERSION = 1
"""Of that file; raised when an older Tailor would misread it."""
_BUT = 1e-9
"""A loss of exactly the limit is none."""


@dataclass(frozen=True)
class Scored:
    """How one form of the model did."""

    form: Form
    score: Interval | None
    """The mean of the task's primary metric; None where nothing is scored."""
    errors: int
    """Questions whose call failed; they count in nothing."""
    same: int
    """Questions answered with the same text as by the adapter."""
    against: Paired | None
    """This form minus the adapter, question by question; None for the adapter itself."""
    verdict: Verdict | None
    """What that difference says."""


@dataclass(frozen=True)
class Gate:
    """What the forms of one adapter's model scored, and which of them may not be exported."""

    adapter: str
    metric: str
    limit: float
    """The most that a form may lose on average, as a share."""
    questions: int
    """Dev questions that were asked."""
    bits: Quantization
    """Of the quantized form; ``none`` where there is none."""
    forms: tuple[Scored, ...]
    blocked: tuple[Form, ...]
    """Of ``merged`` and ``quantized``, those that lose more than the limit."""

    def of(self, form: Form) -> Scored | None:
        """The scores of a form; None where it was not asked."""
        return next((one for one in self.forms if one.form == form), None)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def gate(
    workspace: Workspace,
    adapter: Adapter,
    merged: Path,
    *,
    bits: Quantization = "none",
    base: str = "",
    limit: float | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Gate:
    """Score each form of an adapter's model on dev, and keep the result beside the adapter.

    Args:
        workspace: where the questions are.
        adapter: a registered one.
        merged: the folder that `tailor.training.merge` made of it.
        bits: of the quantized form, which is the merged one quantized in memory; ``none``: none.
        base: where the base lies, if not where it was trained.
        limit: the most that may be lost, as a share; tailor.toml's ``merge_loss`` when None.
        progress: told which form is asked.

    Raises:
        TailorError: there are no dev questions, or a form cannot be loaded.
    """
    from tailor.run import write_json
    from tailor.training.trained import before, chat
    from tailor.trial import answered

    questions = workspace.benchmark.split("dev")
    if not questions:
        raise TailorError(
            "The merge gate scores on dev questions, and there are none: give some questions "
            '"split": "dev", run `tailor benchmark split`, or export with --force.'
        )
    asked, path = before(workspace, adapter), base or adapter.base
    answers: dict[Form, list[Answer | Exception]] = {}
    forms = _forms(adapter, path, str(merged), bits)
    for at, (form, folder, tuned, quantization) in enumerate(forms):
        if progress:
            progress(f"gate: {form}", at, len(forms))
        made, local = chat(workspace, adapter, folder, tuned=tuned, quantization=quantization)
        answers[form] = answered(replace(asked, model=made), questions, f"The {form} model")
        local.unload()
    told = judged(workspace, adapter.name, questions, answers, bits, limit)
    write_json(adapter.place / FILE, {"schema_version": VERSION, **told.to_json()})
    return told


def read(adapter: Adapter) -> Gate | None:
    """What the gate found last; None where it was never asked."""
    try:
        file = adapter.place / FILE
        told = of_json(json.loads(file.read_text("utf-8")), VERSION, file)
        told["forms"] = tuple(
            Scored(
                **one
                | {
                    "score": one["score"] and Interval(**one["score"]),
                    "against": one["against"] and Paired(**one["against"]),
                }
            )
            for one in told["forms"]
        )
        return Gate(**told | {"blocked": tuple(told["blocked"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def judged(
    workspace: Workspace,
    name: str,
    questions: Sequence[Question],
    answers: Mapping[Form, Sequence[Answer | Exception]],
    bits: Quantization = "none",
    limit: float | None = None,
) -> Gate:
    """The gate's judgement of answers that are there, in the questions' order."""
    from tailor.scoring.groups import groups

    target = workspace.target
    limit = workspace.config.merge_loss if limit is None else limit
    drawn = groups(questions)
    scores = {form: _scores(workspace, questions, own) for form, own in answers.items()}
    texts = {form: [_text(answer) for answer in own] for form, own in answers.items()}
    free = (0,) if target.task == "number" else ()
    forms = tuple(_scored(form, scores, texts, answers[form], drawn, free) for form in answers)
    blocked = tuple(
        form
        for form in answers
        if form in ("merged", "quantized")
        and any(_loses(scores[form], scores[other], limit) for other in ("adapter", "base"))
    )
    return Gate(name, target.primary, limit, len(questions), bits, forms, blocked)


def _forms(
    adapter: Adapter, base: str, merged: str, bits: Quantization
) -> list[tuple[Form, str, bool, Quantization]]:
    """Each form with its folder, whether the adapter is put beside it, and the bits in memory."""
    forms: list[tuple[Form, str, bool, Quantization]] = [
        ("base", base, False, "none"),
        ("adapter", base, True, _trained(adapter)),
        ("merged", merged, False, "none"),
    ]
    return forms if bits == "none" else [*forms, ("quantized", merged, False, bits)]


def _trained(adapter: Adapter) -> Quantization:
    """The bits of the weights that the adapter was trained over."""
    bits = adapter.settings.get("quantization", "none")
    return bits if bits in ("8bit", "4bit") else "none"


def _scores(
    workspace: Workspace,
    questions: Sequence[Question],
    answers: Sequence[Answer | Exception],
) -> list[float | None]:
    from tailor.assistant import Answer
    from tailor.scoring.score import score

    target = workspace.target
    return [
        score(question, answer, target=target)[target.primary]
        if isinstance(answer, Answer)
        else None
        for question, answer in zip(questions, answers, strict=True)
    ]


def _text(answer: Answer | Exception) -> str | None:
    return None if isinstance(answer, Exception) else f"{answer.outcome} {answer.text}"


def _scored(
    form: Form,
    scores: Mapping[Form, Sequence[float | None]],
    texts: Mapping[Form, Sequence[str | None]],
    answers: Sequence[Answer | Exception],
    drawn: Sequence[int],
    free: Sequence[int],
) -> Scored:
    import numpy as np

    from tailor.scoring.statistics import differences, intervals, verdict

    own, its = (np.array([scores[f]], dtype=float).T for f in (form, "adapter"))
    against = None if form == "adapter" else differences(its, own, drawn, free=free)[0]
    pairs = zip(texts[form], texts["adapter"], strict=True)
    return Scored(
        form=form,
        score=intervals(own, drawn, free=free)[0],
        errors=sum(isinstance(answer, Exception) for answer in answers),
        same=sum(one is not None and one == other for one, other in pairs),
        against=against,
        verdict=verdict(against) if against else None,
    )


def _loses(scores: Sequence[float | None], other: Sequence[float | None], limit: float) -> bool:
    """Whether the first loses more than the limit on the questions that both have scored."""
    pairs = [(a, b) for a, b in zip(scores, other, strict=True) if a is not None and b is not None]
    if not pairs:
        return True  # what cannot be shown to hold is not let through
    return sum(b - a for a, b in pairs) / len(pairs) > limit + _BUT
