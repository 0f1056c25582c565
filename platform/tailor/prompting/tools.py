"""The two tools a model may use before it answers: a calculator, and a look-up in tables.

They compute from the question's own passages alone: nothing is fetched, written or run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from tailor.documents.passages import Passage
from tailor.prompting.calculator import CalculationError, calculate, written
from tailor.prompting.table import Condition, How, LookUp, Operator, TableError, look_up, read

_CONDITION = {
    "type": "object",
    "properties": {
        "column": {"type": "string"},
        "operator": {"type": "string", "enum": list(get_args(Operator))},
        "value": {"type": "string"},
    },
    "required": ["column", "operator", "value"],
}
SCHEMAS: Sequence[Mapping[str, Any]] = (
    {
        "type": "function",
        "function": {
            "name": "calculate",
            "description": "The value of an arithmetic expression. Numbers have no units and no "
            "thousands separators, and a decimal point; + - * / ^ % and parentheses.",
            "parameters": {
                "type": "object",
                "properties": {"expression": {"type": "string"}},
                "required": ["expression"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": "Picks the rows of the tables in the passages that meet all conditions, "
            "and lists them, counts them, or puts the numbers of one column together.",
            "parameters": {
                "type": "object",
                "properties": {
                    "how": {"type": "string", "enum": list(get_args(How))},
                    "column": {"type": "string", "description": "not needed to count or list"},
                    "where": {"type": "array", "items": _CONDITION},
                },
                "required": ["how"],
            },
        },
    },
)
"""As OpenAI writes them, which LangChain turns into any provider's form."""

_LINE = re.compile(
    r"^[ \t\r\f\v\xa0*#>`-]*(?:(?P<calculate>calculate|tính)|table|bảng)[*`]*\s*:"
    r"[*`]*\s*(?P<text>[^\n]+)",
    re.IGNORECASE | re.MULTILINE,
)


class ToolUse(NamedTuple):
    """A tool with what it is given."""

    name: str
    text: str


def asked_for(reply: str) -> ToolUse | None:
    """The tool that a reply asks for in words, after ``CALCULATE:`` or ``TABLE:``."""
    found = _LINE.search(reply)
    if found is None:
        return None
    return ToolUse("calculate" if found["calculate"] else "look_up", found["text"].strip(" `*"))


def in_words(use: ToolUse, passages: Sequence[Passage], language: str) -> str:
    """The result of a tool that was asked for in words, or a sentence that says what is wrong."""
    try:
        if use.name == "calculate":
            return written(calculate(use.text.rstrip("=? "), language), language)
        return look_up(passages, read(use.text), language)
    except (CalculationError, TableError) as error:
        return str(error)


def called(name: str, given: Mapping[str, Any], passages: Sequence[Passage], language: str) -> str:
    """The result of a tool called by a model, or a sentence that says what is wrong."""
    try:
        if name == "calculate":
            return written(calculate(str(given.get("expression", ""))))
        if name == "look_up":
            return look_up(passages, _wanted(given), language)
    except (CalculationError, TableError) as error:
        return str(error)
    return f"There is no tool {name!r}; there are calculate and look_up."


def _wanted(given: Mapping[str, Any]) -> LookUp:
    how: Any = given.get("how")
    conditions = given.get("where") or ()
    if how not in get_args(How) or not isinstance(conditions, list | tuple):
        raise TableError(f"how is one of {', '.join(get_args(How))}, where a list of conditions.")
    where = []
    for one in conditions:
        if not isinstance(one, Mapping) or one.get("operator") not in get_args(Operator):
            raise TableError(
                f"A condition has a column, a value, and one of {' '.join(get_args(Operator))}."
            )
        where.append(
            Condition(str(one.get("column", "")), one["operator"], str(one.get("value", "")))
        )
    return LookUp(how, str(given.get("column") or ""), tuple(where))
