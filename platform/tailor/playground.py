"""Questions of a person who waits: put down as files, answered by one process that stays warm.

``.tailor/playground/`` holds a file for each question (``ID.json``), for each row that answers it
(``ID.0.json``, ``ID.1.json``: the reply as far as it is written, then the answer), and in
``waiting/`` the names of those nobody has begun. Whoever asks may go away and come back.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from tailor.assistant import Answer, Ask
from tailor.benchmark import Evidence, Question
from tailor.documents.passages import Passage
from tailor.errors import TailorError, UsageError
from tailor.moment import moment
from tailor.run import alive, write_json

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.ladder import Chosen
    from tailor.workspace import Workspace

Status = Literal["waiting", "preparing", "answering", "done", "failed", "stopped", "interrupted"]
OVER = ("done", "failed", "stopped", "interrupted")

IDLE = 600.0
"""Seconds without a question after which the process that answers ends."""
_LOOK, _TELL = 0.05, 0.1
"""Seconds between two looks for questions, and between two writings of a reply."""
_START = 60.0
"""Seconds after which a question that nobody took up counts as interrupted."""
_KEPT = 200


@dataclass(frozen=True)
class Asked:
    """A question and the rows that are to answer it."""

    id: str
    question: str
    rows: tuple[tuple[str, str], ...]
    """(row, model) each."""
    at: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Side:
    """How far one row has come with a question."""

    status: Status
    text: str = ""
    """The reply so far."""
    answer: Answer | None = None
    first_s: float | None = None
    """From taking the question up to the first piece of the reply; None where none was streamed."""
    total_s: float = 0.0
    """From taking the question up to its end."""
    stored: bool = False
    """The reply had been paid for before, and was taken from the store."""
    message: str = ""
    """Why it failed."""
    left_out: tuple[str, ...] = ()
    """Why stages before the row's could not be applied."""
    pid: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.status in OVER


def put(state: Path, question: str, rows: Sequence[tuple[str, str]]) -> str:
    """Ask; returns the id under which the answers will be found.

    Raises:
        TailorError: the folder cannot be written.
    """
    home = state / "playground"
    id = f"{moment(_ids(home))}-{uuid4().hex[:8]}"
    write_json(home / f"{id}.json", {"question": question, "rows": rows, "at": time.time()})
    write_json(home / "waiting" / id, id)
    return id


def asked(state: Path, id: str) -> Asked | None:
    """What was asked under this id; None where nothing was."""
    try:
        item = json.loads((state / "playground" / f"{Path(id).name}.json").read_text("utf-8"))
        rows = tuple((str(row), str(model)) for row, model in item["rows"])
        return Asked(id, str(item["question"]), rows, float(item["at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def recent(state: Path, count: int) -> tuple[Asked, ...]:
    """What was asked last, the newest first."""
    found = (asked(state, id) for id in sorted(_ids(state / "playground"), reverse=True)[:count])
    return tuple(each for each in found if each is not None)


def sides(state: Path, asked: Asked) -> tuple[Side, ...]:
    """How far each row has come; a row whose process is gone is ``interrupted``."""
    return tuple(_side(state, asked, at) for at in range(len(asked.rows)))


def prompt(workspace: Workspace, answer: Answer) -> tuple[tuple[str, str], ...]:
    """What the model was given, letter by letter, as (role, content) in OpenAI's form.

    Empty where no chat model was asked.
    """
    from langchain_core.messages import convert_to_openai_messages, messages_from_dict

    call = workspace.answers.call(answer.call) if answer.call else None
    if call is None:
        return ()
    messages = convert_to_openai_messages(messages_from_dict(call.request["messages"]))
    assert isinstance(messages, list)
    return tuple((m["role"], str(m["content"])) for m in messages)


def to_benchmark(
    workspace: Workspace, question: str, answer: str, passages: Sequence[Passage]
) -> Question:
    """Let a question with the answer a person wrote wait for approval, as a draft.

    Evidence is the line of the first passage that says the answer; without an answer the documents
    do not say.

    Raises:
        UsageError: the question is empty.
        TailorError: the file cannot be written.
    """
    from tailor.text import language, nfc, words

    question, answer = nfc(question).strip(), nfc(answer).strip()
    if not words(question):
        raise UsageError("The question is empty: write one, then add it.")
    added = Question(
        id=f"asked-{uuid4().hex[:8]}",
        question=question,
        answers=(answer,) if answer else (),
        evidence=evidence(answer, passages),
        lang=language(question),
        tags=("playground",),
    )
    workspace.add_drafts([added])
    return added


def evidence(answer: str, passages: Sequence[Passage]) -> tuple[Evidence, ...]:
    """The line of the first passage that says the answer; nothing where none does."""
    for passage in passages if answer else ():
        for line in passage.text.splitlines():
            if answer.casefold() in line.casefold():
                return (Evidence(passage.document, line.strip()),)
    return ()


def stop(state: Path, id: str) -> None:
    """Let the rows that still answer stop."""
    write_json(state / "playground" / f"{id}.stop", id)


def answering(state: Path) -> int:
    """The process that takes questions up; 0 where none does."""
    try:
        pid = int(json.loads((state / "playground" / "process").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return 0
    return pid if alive(pid) else 0


def serve(root: Path, idle: float = IDLE) -> None:
    """Answer what is put down, until nothing was asked for ``idle`` seconds.

    Returns at once where another process does so already.
    """
    from tailor.workspace import Workspace

    state = Workspace(root).state
    home = state / "playground"
    (home / "waiting").mkdir(parents=True, exist_ok=True)
    assistants = _Assistants(root)
    # A question put down while this process was about to end starts another round.
    while any((home / "waiting").iterdir()):
        with _only(home) as free:
            if not free:
                return
            with ThreadPoolExecutor(4) as pool:
                last = time.monotonic()
                going: list[Future[None]] = []
                while time.monotonic() - last < idle and home.is_dir():
                    for taken in _taken(state):
                        rows = range(len(taken.rows))
                        going += [pool.submit(assistants.answer, taken, at) for at in rows]
                    going = [future for future in going if not future.done()]
                    if going:
                        last = time.monotonic()
                    time.sleep(_LOOK)


class _Assistants:
    """The assistants of one workspace, put together once and kept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._stamp: object = None
        self._workspace: Workspace | None = None
        self._chosen: dict[tuple[str, str], Chosen] = {}
        self._models: dict[str, Any] = {}

    def answer(self, asked: Asked, at: int) -> None:
        """Answer as one of the rows; how it goes stands in the row's file."""
        from tailor.models.retry import error_text

        began = time.monotonic()
        home = self.root / ".tailor" / "playground"
        side = Side("preparing", pid=os.getpid())

        def tell(news: Side) -> None:
            nonlocal side
            side = replace(news, total_s=time.monotonic() - began)
            write_json(home / f"{asked.id}.{at}.json", asdict(side))

        try:
            tell(side)
            chosen = self.assistant(*asked.rows[at])
            tell(replace(side, status="answering", left_out=chosen.left_out))
            answer, first = _answer(
                chosen.assistant, asked.question, home / f"{asked.id}.stop",
                lambda text: tell(replace(side, text=text)), began,
            )  # fmt: skip
            stored = bool(answer.call) and first is None
            tell(replace(side, status="done", answer=answer, first_s=first, stored=stored))
        except _Stopped:
            tell(replace(side, status="stopped"))
        except TailorError as error:
            tell(replace(side, status="failed", message=str(error)))
        except Exception as error:  # a provider's own errors, told as they are
            tell(replace(side, status="failed", message=error_text(error)))

    def assistant(self, row: str, model: str) -> Chosen:
        """The assistant of a row; nothing is trained or searched for it."""
        from tailor.ladder import assistant_for
        from tailor.workspace import Workspace

        with self._lock:
            if self._workspace is None or self._stamp != _stamp(self.root):
                self._stamp = _stamp(self.root)
                self._workspace = Workspace(self.root)
                self._workspace.builds = False
                self._chosen.clear()
            if (row, model) not in self._chosen:
                chosen = assistant_for(self._workspace, row, model)
                same = self._models.setdefault(
                    _fingerprint(chosen.assistant), chosen.assistant.model
                )
                _load(same)
                assistant = replace(chosen.assistant, model=same)
                self._chosen[row, model] = replace(chosen, assistant=assistant)
            return self._chosen[row, model]


def _load(model: Any) -> None:
    """Load a local model's weights now: libraries that two threads load at once fail."""
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat

    if isinstance(model, Chat) and isinstance(model.model, LocalChat):
        model.model.load()


class _Stopped(Exception):
    """The person does not wait any longer."""


def _answer(
    assistant: Assistant, question: str, stop: Path, tell: Callable[[str], None], began: float
) -> tuple[Answer, float | None]:
    from tailor.models.chat import TOLD

    first: float | None = None
    written = 0.0

    def told(text: str) -> None:
        nonlocal first, written
        now = time.monotonic()
        if text and first is None:
            first = now - began
        if now - written > _TELL:
            written = now
            if stop.exists():
                raise _Stopped
            tell(text)

    answer = assistant.chain().invoke(Ask(question), {"configurable": {TOLD: told}})
    if stop.exists():
        raise _Stopped
    return answer, first


def _side(state: Path, asked: Asked, at: int) -> Side:
    try:
        item = json.loads((state / "playground" / f"{asked.id}.{at}.json").read_text("utf-8"))
        answer = Answer.of(item["answer"]) if item["answer"] else None
        side = Side(**{**item, "answer": answer, "left_out": tuple(item["left_out"])})
    except (OSError, ValueError, TypeError, KeyError):
        late = time.time() - asked.at > _START
        return Side("interrupted" if late and not answering(state) else "waiting")
    if not side.over and (state / "playground" / f"{asked.id}.stop").exists():
        return replace(side, status="stopped")  # at once, though a call may still be in flight
    if not side.over and not alive(side.pid):
        return replace(side, status="interrupted")
    return side


def _taken(state: Path) -> Iterator[Asked]:
    """The questions that wait, taken off the list, the oldest first."""
    waiting = state / "playground" / "waiting"
    for name in sorted(p.name for p in waiting.iterdir() if not p.name.endswith(".part")):
        (waiting / name).unlink(missing_ok=True)
        if found := asked(state, name):
            yield found


@contextmanager
def _only(home: Path) -> Iterator[bool]:
    """Be the one process that answers; yields whether it is."""
    from filelock import FileLock, Timeout

    lock = FileLock(home / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        _drop_old(home)
        write_json(home / "process", os.getpid())
        yield True
    finally:
        (home / "process").unlink(missing_ok=True)
        lock.release()


def _drop_old(home: Path) -> None:
    for id in sorted(_ids(home))[:-_KEPT]:
        for path in home.glob(f"{id}.*"):
            path.unlink(missing_ok=True)


def _ids(home: Path) -> list[str]:
    return [path.stem for path in home.glob("*.json") if "." not in path.stem]


def _fingerprint(assistant: Assistant) -> str:
    return str(getattr(assistant.model, "fingerprint", id(assistant.model)))


def _stamp(root: Path) -> tuple[object, ...]:
    """Changes with all that an assistant is put together from."""
    names = (
        "tailor.toml", "knowledge/benchmark.jsonl", "knowledge/training.jsonl",
        ".tailor/index/current", ".tailor/runs",
    )  # fmt: skip
    found: list[object] = []
    for name in names:
        path = root / name
        found.append(path.stat().st_mtime_ns if path.exists() else None)
    return tuple(found)
