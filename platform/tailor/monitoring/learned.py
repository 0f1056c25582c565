"""What is learned from served questions: drafts, questions to train on, and preferences.

Nothing is learned by itself: a person chooses each question and what it is for. Drafts wait in the
benchmark for one more look, as all drafts do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

from tailor.benchmark import Question
from tailor.errors import TailorError, UsageError

if TYPE_CHECKING:
    from tailor.serving.kept import Feedback, Served
    from tailor.workspace import Workspace

Purpose = Literal["benchmark", "training", "preference"]
"""A draft for the benchmark, a draft to train on, or a pair of a better and a worse answer."""

TAG = "served"
"""Of drafts that were served questions."""


def learn(workspace: Workspace, ids: Sequence[str], purpose: Purpose) -> tuple[str, ...]:
    """Learn from served questions, by their ids; those that were learned for it stay as they are.

    The wanted answer is the correction somebody gave, or the answer where somebody liked it; else
    a draft says that the documents do not, which whoever approves it may change. A preference
    needs a correction: it is the better answer, what was served the worse one.

    Returns:
        The ids of new drafts, or of the served questions that became preferences.

    Raises:
        UsageError: there is no such question or purpose, none of them has a correction, or the
            number or label of one is not known.
        TailorError: a file cannot be written.
    """
    from tailor.serving import kept

    if purpose not in get_args(Purpose):
        raise UsageError(f"{purpose!r} is no purpose; it is one of {', '.join(get_args(Purpose))}.")
    served = kept.named(workspace, ids)
    if missing := [id for id in ids if id not in served]:
        raise UsageError(
            f"There is no served question {missing[0]}; `tailor monitor --json` lists their ids."
        )
    said = {one.id: one for one in kept.feedbacks(workspace)}
    chosen = [served[id] for id in dict.fromkeys(ids)]
    if purpose == "preference":
        return _preferences(workspace, chosen, said)
    drafts = [_draft(workspace, one, said.get(one.id), purpose) for one in chosen]
    task = workspace.config.task
    if task != "answer" and (without := [d.question for d in drafts if not d.answers]):
        raise UsageError(
            f"The {task} of {without[0]!r} is not known: say what is right, with POST /v1/feedback "
            "or on the page Monitor, and learn from it then."
        )
    known = {q.id for q in (*workspace.drafts(), *_approved(workspace))}
    new = [draft for draft in drafts if draft.id not in known]
    workspace.add_drafts(new)
    return tuple(draft.id for draft in new)


def _approved(workspace: Workspace) -> tuple[Question, ...]:
    try:
        return (*workspace.benchmark.questions, *workspace.training)
    except TailorError:  # there is no benchmark yet
        return ()


def _draft(workspace: Workspace, one: Served, said: Feedback | None, purpose: Purpose) -> Question:
    from tailor.assistant import digest
    from tailor.benchmarking.waiting import FOR_TRAINING
    from tailor.playground import evidence
    from tailor.text import language

    answer = _wanted(workspace, one, said)
    training = (FOR_TRAINING,) if purpose == "training" else ()
    return Question(
        id=f"{TAG}-{digest(one.id)[:12]}" + ("-training" if training else ""),
        question=one.question,
        answers=(answer,) if answer else (),
        # What was masked stands in no document as it does here.
        evidence=tuple(e for e in evidence(answer, one.passages) if not set(e.quote) & {"…", "•"}),
        lang=language(one.question),
        tags=(TAG, *training),
    )


def _wanted(workspace: Workspace, one: Served, said: Feedback | None) -> str:
    from tailor.monitoring.wanted import wanted

    liked = said is not None and said.rating == "up" and one.outcome == "ok"
    text = said.correction if said and said.correction else one.text if liked else ""
    try:
        return wanted(text, workspace.target) or ""
    except TailorError:  # there is no benchmark yet, or none that could be
        return text


def _preferences(
    workspace: Workspace, chosen: Sequence[Served], said: Mapping[str, Feedback]
) -> tuple[str, ...]:
    from tailor.preferences import Choice, prefer, preferences

    known = {(p.question, p.chosen.text, p.rejected.text) for p in preferences(workspace.knowledge)}
    made: list[str] = []
    corrected = [(one, said[one.id].correction) for one in chosen if _corrected(one, said)]
    if not corrected:
        raise UsageError(
            "None of these answers was corrected, so there is no better one to prefer: send the "
            "answer as it should be with POST /v1/feedback, or write it on the page Monitor."
        )
    for one, better in corrected:
        if (one.question, better, one.text) in known:
            continue
        worse = Choice(one.row, one.model, one.text, _prompt(workspace, one))
        prefer(workspace.knowledge, one.question, Choice("", "", better, worse.prompt), worse)
        made.append(one.id)
    return tuple(made)


def _corrected(one: Served, said: Mapping[str, Feedback]) -> bool:
    better = said[one.id].correction if one.id in said else ""
    return bool(better) and better != one.text


def _prompt(workspace: Workspace, one: Served) -> tuple[tuple[str, str], ...]:
    """What the model is given for the question by the row as it is now; empty without a run."""
    from langchain_core.messages import convert_to_openai_messages

    from tailor.assistant import Ask
    from tailor.models.chat import Chat
    from tailor.run import all_runs

    run = next((run for run in all_runs(workspace) if run.id == one.run), None)
    assistant = run.assistant() if run else None
    if assistant is None or not isinstance(assistant.model, Chat):
        return ()
    prompt = assistant.model.fitted(assistant.prompt(Ask(one.question, history=one.history)))
    messages = convert_to_openai_messages(prompt.messages())
    assert isinstance(messages, list)
    return tuple((m["role"], str(m["content"])) for m in messages)
