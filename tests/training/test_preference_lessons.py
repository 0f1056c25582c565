"""What a preference tuning learns from: people's votes, curated."""

from __future__ import annotations

import pytest

from tailor.errors import NotApplicable
from tailor.models.chat import Chat
from tailor.preferences import Choice, prefer, preferences, unreadable
from tailor.stages import FineTuning
from tailor.training.pairs import preferential
from tailor.training.preference_lessons import PreferenceLessons, preference_lessons
from tailor.workspace import Workspace

ASKED = (("user", "Question: Who waters the plants?"),)


def choice(text: str, prompt: tuple[tuple[str, str], ...] = ()) -> Choice:
    return Choice("prompting", "openai:double", text, prompt)


def learnt(workspace: Workspace, fewest: int | None = 0, **settings: float) -> PreferenceLessons:
    assistant = workspace.root_assistant()
    assert isinstance(assistant.model, Chat)
    own = FineTuning(**{"validation": 0, **settings})  # type: ignore[arg-type]
    return preference_lessons(assistant, assistant.model, workspace, own, fewest)


def test_votes_that_teach_nothing_are_named(hosted: Workspace) -> None:
    votes = [
        ("Who waters the plants?", choice("the guard", ASKED), choice("nobody", ASKED)),
        ("Where do visitors park?", choice("in the yard", ASKED), choice("anywhere")),
        ("What is the guest network called?", choice("Blue Heron"), choice("Heron")),
        ("Who sings?", choice("nobody"), choice(" nobody ")),
        ("Who sings?", choice(""), choice("all")),
        ("Who cooks?", choice("Ann"), choice("Bob")),
        ("Who cooks?", choice("Bob"), choice("Ann")),
        ("Who cooks?", choice("Bob"), choice("Ann")),
    ]
    for question, better, worse in votes:
        prefer(hosted.knowledge, question, better, worse)
    found = learnt(hosted)
    assert [(one.id, one.reason) for one in found.left_out] == [
        ("vote-3", "leak"), ("vote-4", "same_answers"), ("vote-5", "empty"),
        ("vote-6", "revoked"), ("vote-7", "voted_again"),
    ]  # fmt: skip
    assert [(p.chosen, p.rejected) for p in found.train] == [
        ("the guard", "nobody"), ("in the yard", "anywhere"), ("Bob", "Ann"),
    ]  # fmt: skip
    assert found.train[0].prompt == ASKED
    # The two were given something else: the question is put as the assistant would be asked now.
    assert found.train[1].prompt[-1] == ("user", "Question: Where do visitors park?")
    row = preferential(found.train)[0]
    assert row["chosen"] == [{"role": "assistant", "content": "the guard"}]
    assert found.to_json()["reasons"] == {
        "leak": 1, "same_answers": 1, "empty": 1, "revoked": 1, "voted_again": 1,
    }  # fmt: skip


def test_a_vote_cut_anywhere_is_left_out_and_told(hosted: Workspace) -> None:
    for question in ("Who waters the plants?", "Who sings?"):
        prefer(hosted.knowledge, question, choice("the guard"), choice("nobody"))
    path = hosted.knowledge / "preferences.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        path.write_bytes(whole[:end])
        kept = preferences(hosted.knowledge)
        assert [one.question for one in kept[:1]] == ["Who waters the plants?"]
        torn = end not in (first, len(whole) - 1)  # all of it but the end of its line is all
        assert (len(kept), unreadable(hosted.knowledge)) == (
            1 + (end > first and not torn),
            (2,) * torn,
        )
    path.write_bytes(whole[:-9])
    told: list[str] = []
    hosted.note = told.append
    assert len(learnt(hosted).train) == 1
    assert told == ["Left out of preferences.jsonl, which cannot be read there: line 2."]


def test_votes_on_one_question_are_on_one_side(hosted: Workspace) -> None:
    for n in range(12):
        for worse in ("x", "y"):
            prefer(hosted.knowledge, f"Who opens door {n}?", choice(f"Ann {n}"), choice(worse))
    found = learnt(hosted, validation=0.25)
    assert len(found.validation) == 6
    assert not {p.source for p in found.validation} & {p.source for p in found.train}


def test_too_few_votes(hosted: Workspace) -> None:
    with pytest.raises(NotApplicable, match="at least 8 preferences and the workspace has 0"):
        learnt(hosted, fewest=None)
