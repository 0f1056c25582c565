"""Files to train on, in OpenAI's forms: written, and checked before anybody is paid.

A lesson a line, ``{"messages": [{"role": …, "content": …}, …]}``, whose last message is learnt; or
a preference a line, ``{"input": {"messages": […]}, "preferred_output": […],
"non_preferred_output": […]}``, as for OpenAI's DPO.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.benchmarking import file
from tailor.errors import TailorError
from tailor.framing import neutral
from tailor.training.jsonl_problems import Problem
from tailor.training.pairs import Pair, PreferencePair, messages

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.benchmarking.leakage import Guard

Kind = Literal["chat", "preference"]

FEWEST = 10
"""Lessons that the service takes at least."""
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_SYSTEM = ("system", "developer")
_ROW_KEYS = {
    "chat": {"messages", "tools", "functions", "parallel_tool_calls"},
    "preference": {"input", "preferred_output", "non_preferred_output"},
}
_INPUT_KEYS = {"messages", "tools", "parallel_tool_calls"}
_MESSAGE_KEYS = {
    "role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal",
}  # fmt: skip
_LABEL = re.compile(r"^(?:Question|Câu hỏi): ", re.MULTILINE)


def chat_row(pair: Pair) -> dict[str, Any]:
    """A lesson as a line of chat JSONL."""
    return {"messages": messages((*pair.prompt, ("assistant", pair.completion)))}


def preference_row(pair: PreferencePair) -> dict[str, Any]:
    """A preference as a line of OpenAI's preference JSONL."""
    return {
        "input": {"messages": messages(pair.prompt)},
        "preferred_output": messages([("assistant", pair.chosen)]),
        "non_preferred_output": messages([("assistant", pair.rejected)]),
    }


def lines(pairs: Iterable[Pair | PreferencePair]) -> list[str]:
    """The lines of a file, without their ends; one for each pair."""
    rows = (preference_row(p) if isinstance(p, PreferencePair) else chat_row(p) for p in pairs)
    return [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]


def write(path: Path, pairs: Iterable[Pair | PreferencePair]) -> int:
    """Write a file of lessons, the whole of it or nothing; returns how many.

    Raises:
        TailorError: the file cannot be written.
    """
    written = lines(pairs)
    file.write(path, "".join(f"{line}\n" for line in written))
    return len(written)


def check(
    source: Path | Iterable[str],
    kind: Kind = "chat",
    tokens: Callable[[str], int] | None = None,
    most: int = 0,
    guard: Guard | None = None,
    fewest: int = FEWEST,
    known: Iterable[Question] = (),
) -> tuple[Problem, ...]:
    """Everything that is wrong with lessons, by line, then what is wrong with the whole.

    Args:
        source: a file, or its lines.
        kind: which of the two forms they have.
        tokens: counts those of a text; with the tokenizer that comes with Tailor when None.
        most: tokens that a lesson may have; 0 does not look.
        guard: the held-out questions that no lesson may ask, see `Workspace.guard`.
        fewest: lessons there must be; 0 does not look.
        known: questions that a file may hold, with their evidence, which a file does not tell:
            what is asked elsewhere of another document gives nothing away.

    Raises:
        TailorError: the file cannot be read, or the guard cannot do its work.
    """
    found: list[Problem] = []
    texts = list(enumerate(source, 1)) if not isinstance(source, Path) else []
    if isinstance(source, Path):
        texts, found = _read(source)
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, text in texts:
        row = _object(text)
        if isinstance(row, Problem):
            found.append(Problem(row.kind, number, row.values))
            continue
        own = list(_chat(row) if kind == "chat" else _preference(row))
        found += [Problem(one.kind, number, one.values) for one in own]
        if not any(one.level == "error" for one in own):
            rows.append((number, row))
    if most:
        found += _long(rows, tokens, most)
    found += _repeated(rows, kind)
    if guard is not None:
        found += _leaking(rows, kind, guard, {q.question: q for q in known})
    found.sort(key=lambda problem: problem.line or 0)
    if len(texts) < fewest:
        found.append(Problem("few", None, {"n": len(texts), "least": fewest}))
    return tuple(found)


def _read(path: Path) -> tuple[list[tuple[int, str]], list[Problem]]:
    """The lines that are text, with their numbers, and what is wrong with the others."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TailorError(
            f"{path} cannot be read ({error.strerror}); see to its path and permissions."
        ) from None
    found = [Problem("bom", 1)] if raw.startswith(b"\xef\xbb\xbf") else []
    parts = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not parts[-1].strip():
        parts.pop()
    texts: list[tuple[int, str]] = []
    for number, part in enumerate(parts, 1):
        try:
            texts.append((number, part.decode("utf-8")))
        except UnicodeDecodeError:
            found.append(Problem("not_utf8", number))
    return texts, found


def _object(text: str) -> dict[str, Any] | Problem:
    """A line's object, or what is wrong with the line."""
    if not text.strip():
        return Problem("blank")
    try:
        row = json.loads(text, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        told = f"{error.msg.removesuffix(' at')}, column {error.colno}"
        return Problem("not_json", values={"message": told})
    except (ValueError, RecursionError) as error:
        return Problem("not_json", values={"message": str(error) or "nested too deeply"})
    return row if isinstance(row, dict) else Problem("not_object")


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _chat(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _unknown(row, _ROW_KEYS["chat"])
    given = row.get("messages")
    if not isinstance(given, list) or not given:
        yield Problem("missing", values={"key": "messages"})
        return
    yield from _messages(given)
    last = _role(given[-1])
    learnt = [m for m in given if _role(m) == "assistant" and m.get("weight", 1) != 0]
    if last != "assistant":
        yield Problem("last", values={"role": last})
    elif not learnt:
        yield Problem("weightless")


def _preference(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _unknown(row, _ROW_KEYS["preference"])
    given = row.get("input")
    asked = given.get("messages") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(asked, list) or not asked:
        yield Problem("missing", values={"key": "input.messages"})
    else:
        yield from _unknown(given, _INPUT_KEYS)
        yield from _messages(asked)
        if (last := _role(asked[-1])) not in ("user", "tool"):
            yield Problem("input_last", values={"role": last})
    outputs = []
    for key in ("preferred_output", "non_preferred_output"):
        output = row.get(key)
        one = output[0] if isinstance(output, list) and len(output) == 1 else None
        if one is None or _role(one) != "assistant" or not _filled(one):
            yield Problem("output", values={"key": key})
        else:
            outputs.append(_text(one).strip())
    if len(outputs) == 2 and outputs[0] == outputs[1]:
        yield Problem("same_outputs")


def _messages(given: Sequence[Any]) -> Iterator[Problem]:
    for number, message in enumerate(given, 1):
        at = {"number": number}
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            yield Problem("not_message", values=at)
            continue
        role = message["role"]
        yield from _unknown(message, _MESSAGE_KEYS)
        if role not in _ROLES:
            yield Problem("role", values={**at, "role": role, "roles": ", ".join(_ROLES)})
        elif not _filled(message):
            yield Problem("empty", values={**at, "role": role})
        weight = message.get("weight")
        if "weight" in message and (role != "assistant" or weight not in (0, 1)):
            yield Problem("weight", values={**at, "weight": weight})
        if role in _SYSTEM and number > 1:
            yield Problem("late_system", values=at)
        if neutral(_text(message)) != _text(message):
            yield Problem("signs", values=at)
    if not any(_role(message) == "user" for message in given):
        yield Problem("no_user")


def _unknown(value: Mapping[str, Any], known: set[str]) -> Iterator[Problem]:
    for key in sorted(value.keys() - known):
        yield Problem("unknown_key", values={"key": key})


def _role(message: Any) -> str:
    return str(message.get("role")) if isinstance(message, dict) else "–"


def _filled(message: Mapping[str, Any]) -> bool:
    """Whether a message says something, or calls something in place of it."""
    calls = message.get("tool_calls") or message.get("function_call")
    content = message.get("content")
    pictured = isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") not in (None, "text") for part in content
    )
    called = bool(calls) and message.get("role") == "assistant" and content in (None, "", [])
    return bool(_text(message).strip()) or pictured or called


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _parts(row: Mapping[str, Any], kind: Kind) -> tuple[list[dict[str, Any]], list[Any]]:
    """What a lesson is asked, and what is learnt of it."""
    if kind == "chat":
        return row["messages"][:-1], [row["messages"][-1]]
    outputs = [row["preferred_output"][0], row["non_preferred_output"][0]]
    return row["input"]["messages"], outputs


def _long(
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    tokens: Callable[[str], int] | None,
    most: int,
) -> Iterator[Problem]:
    from tailor.models.usage import OVERHEAD, text_tokens

    count = tokens or text_tokens
    for number, row in rows:
        asked, learnt = _parts(row, "chat" if "messages" in row else "preference")
        sizes = [[count(_text(m)) + OVERHEAD for m in side] for side in (asked, learnt)]
        total = sum(sizes[0]) + max(sizes[1])
        if total > most:
            yield Problem("long", number, {"tokens": total, "most": most})


def _repeated(rows: Sequence[tuple[int, Mapping[str, Any]]], kind: Kind) -> Iterator[Problem]:
    """Lessons that stand on an earlier line already, and such as say something else than it."""
    known: dict[str, dict[str, int]] = {}
    for number, row in rows:
        asked, learnt = _parts(row, kind)
        prompt = json.dumps([_said(message) for message in asked])
        reply = json.dumps([_said(message) for message in learnt])
        replies = known.setdefault(prompt, {})
        if reply in replies:
            yield Problem("duplicate", number, {"other": replies[reply]})
            continue
        opposite = json.dumps([_said(message) for message in reversed(learnt)])
        others = [opposite] if kind == "preference" else list(replies)
        if other := next((replies[one] for one in others if one in replies), 0):
            yield Problem("contradiction", number, {"other": other})
        replies[reply] = number


def _said(message: Mapping[str, Any]) -> list[Any]:
    calls = message.get("tool_calls") or message.get("function_call")
    return [message.get("role"), " ".join(_text(message).split()), calls]


def _leaking(
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    kind: Kind,
    guard: Guard,
    known: Mapping[str, Question],
) -> Iterator[Problem]:
    """Lines of which a message asks a held-out question; passages before it give nothing away."""
    items: list[Question] = []
    numbers: list[int] = []
    for number, row in rows:
        asked, learnt = _parts(row, kind)
        turns = [*asked, learnt[0]]
        for at, message in enumerate(asked):
            if _role(message) == "user" and (question := _question(_text(message))):
                reply = next((_text(m) for m in turns[at + 1 :] if _role(m) == "assistant"), "")
                items.append(_asked(f"{number}.{at}", question, reply, known))
                numbers.append(number)
    lines_of = {item.id: number for item, number in zip(items, numbers, strict=True)}
    told: set[int] = set()
    try:
        leaks = guard.leaks(items)
    except Exception as error:  # whatever it is, the guard fails closed
        raise TailorError(
            f"The leakage guard cannot compare the lessons with the held-out questions "
            f"({' '.join(str(error).split())})."
        ) from error
    for leak in leaks:
        number = lines_of[leak.item.id]
        if number not in told:
            told.add(number)
            values = {"split": leak.held.split, "id": leak.held.id, "how": leak.kind}
            # By meaning alone a question is only suspected: without its evidence nobody can tell.
            yield Problem("leak_meaning" if leak.kind == "meaning" else "leak", number, values)


def _asked(id: str, question: str, reply: str, known: Mapping[str, Question]) -> Question:
    """What a message asks; with answers and evidence where the question is known."""
    from tailor.assistant import is_refusal
    from tailor.benchmark import Question

    if question in known:
        return replace(known[question], id=id)
    return Question(id, question, (reply,) if reply and not is_refusal(reply) else ())


def _question(text: str) -> str:
    """The question in a user turn, which stands behind the passages where there are any."""
    found = list(_LABEL.finditer(text))
    return text[found[-1].end() :].strip() if found else text.strip()
