"""The forms that question sets come in, each read into the same item."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tailor.benchmarking.rows import Row
from tailor.text import fold


@dataclass(frozen=True)
class Context:
    """A text that an item comes with, and where in it the answer stands, if that is told."""

    text: str
    title: str = ""
    start: int | None = None
    """First character of the answer."""
    end: int | None = None


@dataclass(frozen=True)
class Item:
    """A question as it was found, before it is judged."""

    question: str
    answers: tuple[str, ...]
    """Empty: the source says that there is no answer."""
    contexts: tuple[Context, ...] = ()
    id: str = ""
    lang: str = ""
    tags: tuple[str, ...] = ()
    split: str = ""
    document: str = ""
    quote: str = ""
    format: str = ""


Preset = Callable[[Row], Iterator["Item | ValueError"]]
"""The items of one row; a ValueError instead of an item says why it cannot be one."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "query", "input", "cau hoi"),
    "answer": ("answer", "answers", "output", "response", "ground_truth", "expected", "dap an",
               "tra loi"),
    "context": ("context", "contexts", "passage", "reference_contexts", "source_ids", "ngu canh"),
    "title": ("title", "tieu de"),
    "id": ("id", "question_id", "uid"),
    "lang": ("lang", "language", "ngon ngu"),
    "tags": ("tags", "tag", "category"),
    "split": ("split",),
    "document": ("document", "source", "tai lieu"),
    "quote": ("quote", "evidence", "trich dan"),
    "format": ("format",),
}  # fmt: skip
"""Names of columns, without accents and case, by what they are taken for."""


def detect(row: Row) -> str:
    """The preset whose keys a row has; ``columns`` where it is none of the known sets."""
    keys = set(row)
    if "paragraphs" in keys and "table" in keys:
        return "tatqa"
    if "paragraphs" in keys:
        return "squad"
    if "annotations" in keys and ("document_text" in keys or "document" in keys):
        return "nq"
    if isinstance(row.get("answers"), dict) and "context" in keys:
        return "squad"
    return "columns"


def columns(row: Row, given: Mapping[str, str]) -> dict[str, str]:
    """What each column of a row is taken for: as ``given``, else by its name."""
    by_name = {fold(name).strip(): name for name in row}
    found = {
        target: by_name[name]
        for target, names in COLUMNS.items()
        for name in reversed(names)
        if name in by_name
    }
    return {**found, **given}


def by_columns(mapping: Mapping[str, str]) -> Preset:
    """A preset that takes columns for what ``mapping`` says."""

    def read(row: Row) -> Iterator[Item | ValueError]:
        def cell(target: str) -> Any:
            return _at(row, mapping[target]) if target in mapping else None

        try:
            if mapping["answer"].partition(".")[0] not in row and mapping["answer"] not in row:
                raise ValueError("it has no answer")
            titles = texts(cell("title"))
            contexts = texts(cell("context"))
            yield Item(
                question=text(cell("question")),
                answers=answers(cell("answer")),
                contexts=tuple(
                    Context(c, titles[at] if len(titles) == len(contexts) else "".join(titles[:1]))
                    for at, c in enumerate(contexts)
                ),
                id=text(cell("id")),
                lang=text(cell("lang")),
                tags=tuple(texts(cell("tags"))),
                split=text(cell("split")),
                document=text(cell("document")),
                quote=text(cell("quote")),
                format=text(cell("format")),
            )
        except ValueError as error:
            yield error

    return read


def squad(row: Row) -> Iterator[Item | ValueError]:
    """SQuAD and XQuAD: articles with paragraphs, or one question a row as on the Hub."""
    if "paragraphs" not in row:
        yield from _squad_question(row, text(row.get("context")), text(row.get("title")))
        return
    for paragraph in row["paragraphs"]:
        for asked in paragraph.get("qas", ()):
            yield from _squad_question(
                asked, text(paragraph.get("context")), text(row.get("title"))
            )


def _squad_question(asked: Row, context: str, title: str) -> Iterator[Item | ValueError]:
    given = asked.get("answers") or []
    if isinstance(given, Mapping):
        starts = given.get("answer_start") or []
        given = [
            {"text": said, "answer_start": starts[at] if at < len(starts) else None}
            for at, said in enumerate(given.get("text") or [])
        ]
    said = tuple(
        dict.fromkeys(answer["text"].strip() for answer in given if answer["text"].strip())
    )
    start = given[0].get("answer_start") if given else None
    if start is not None and context[start : start + len(given[0]["text"])] != given[0]["text"]:
        start = None  # some translations have offsets that do not fit
    end = None if start is None else start + len(given[0]["text"])
    yield Item(
        question=text(asked.get("question")),
        answers=said,
        contexts=(Context(context, title.replace("_", " "), start, end),),
        id=text(asked.get("id")),
        split=text(asked.get("split")),
    )


def nq(row: Row) -> Iterator[Item | ValueError]:
    """Natural Questions: the simplified form, the Hub's, and NQ-open's question with answers."""
    note = row.get("annotations")
    note = note[0] if isinstance(note, list) and note else note or {}
    asked = row.get("question_text") or row.get("question")
    question = text(asked.get("text") if isinstance(asked, Mapping) else asked)
    whole = row.get("document")
    document = whole if isinstance(whole, Mapping) else {}
    tokens = document.get("tokens")
    title = text(row.get("document_title"))
    if isinstance(tokens, Mapping):
        title = title or text(document["title"])
        words = [
            "" if html else word
            for word, html in zip(tokens["token"], tokens["is_html"], strict=True)
        ]
    else:
        raw = str(row.get("document_text") or "").split(" ")
        words = ["" if word.startswith("<") and word.endswith(">") else word for word in raw]
    long = _first(note.get("long_answer"))
    passage = _span(words, long)
    short = note.get("short_answers")
    listed = _columns_to_rows(short) if isinstance(short, Mapping) else list(short or ())
    said = [_span(words, one) or text(_first_of(one.get("text"))) for one in listed]
    yes_no = _first_of(note.get("yes_no_answer"))
    if not any(said) and str(yes_no).upper() in ("YES", "NO", "1", "0"):
        said = ["yes" if str(yes_no).upper() in ("YES", "1") else "no"]
    if not any(said) and passage:
        yield ValueError("it has a long answer only")
        return
    kept = tuple(dict.fromkeys(one for one in said if one))
    yield Item(
        question=question[:1].upper() + question[1:].rstrip("? ") + "?" if question else "",
        answers=kept,
        contexts=(Context(passage, title),) if passage else (),
        id=text(row.get("example_id") or row.get("id")),
        lang="en",
    )


def tatqa(row: Row) -> Iterator[Item | ValueError]:
    """TAT-QA: a table and paragraphs with questions; a scale belongs to the answer."""
    cells = row.get("table", {}).get("table") or []
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in cells)
    paragraphs = [text(p.get("text")) for p in row.get("paragraphs", ())]
    context = Context("\n\n".join([*paragraphs, table]).strip())
    for asked in row.get("questions", ()):
        scale = text(asked.get("scale"))
        given = asked.get("answer")
        if isinstance(given, list):
            given = ", ".join(texts(given))  # all of them together are the answer
        try:
            said = answers(given, scale)
        except ValueError as error:
            yield error
            continue
        yield Item(
            question=text(asked.get("question")),
            answers=said,
            contexts=(context,),
            id=text(asked.get("uid")),
            lang="en",
            tags=tuple(
                filter(None, (text(asked.get("answer_type")), text(asked.get("answer_from"))))
            ),
        )


PRESETS: Mapping[str, Preset] = {"squad": squad, "xquad": squad, "nq": nq, "tatqa": tatqa}


def text(value: Any) -> str:
    """A cell as text; nothing for an empty one."""
    if value is None or value != value:  # NaN is how some tables write an empty cell
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # spreadsheets hold whole numbers as 12.0
    return str(value).strip()


def texts(value: Any) -> list[str]:
    """A cell as texts: a list, a list written as JSON, or one text."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [text(value)]
    if isinstance(value, Mapping):
        value = value.get("text", [])
    if hasattr(value, "tolist"):
        value = value.tolist()
    parts = value if isinstance(value, list | tuple) else [value]
    return [part for part in map(text, parts) if part]


def answers(value: Any, scale: str = "") -> tuple[str, ...]:
    """A cell as accepted answers; with a scale also as ``12 million`` or ``12%``.

    Raises:
        ValueError: it is empty, which is not the same as an answer that there is not.
    """
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    said = texts(value)
    if not said and not (isinstance(value, list | Mapping) and not value):
        raise ValueError("it has no answer")
    if not scale:
        return tuple(dict.fromkeys(said))
    join = "%" if scale == "percent" else f" {scale}"
    return tuple(dict.fromkeys([*(f"{one}{join}" for one in said), *said]))


def _at(row: Row, path: str) -> Any:
    """The value of a column, or of ``outer.inner``."""
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _first(value: Any) -> Row:
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, dict) else {}


def _first_of(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _columns_to_rows(table: Mapping[str, Any]) -> list[Row]:
    size = max((len(v) for v in table.values() if isinstance(v, list)), default=0)
    return [{k: v[at] for k, v in table.items() if isinstance(v, list)} for at in range(size)]


def _span(words: list[str], of: Mapping[str, Any]) -> str:
    start, end = _first_of(of.get("start_token")), _first_of(of.get("end_token"))
    if not isinstance(start, int) or not isinstance(end, int) or start < 0:
        return ""
    return " ".join(word for word in words[start:end] if word)
