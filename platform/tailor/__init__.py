"""Tailor fits a language model to a company's own documents, one measured stage at a time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailor.answer_format import AnswerFormat
    from tailor.answers import AnswerStore
    from tailor.assistant import Answer, Ask, Assistant, Prompt, Reply, Turn
    from tailor.benchmark import Benchmark, Evidence, Question
    from tailor.documents.filters import Filters
    from tailor.documents.passages import Passage
    from tailor.errors import TailorError, UsageError
    from tailor.example import Example
    from tailor.ladder import climb
    from tailor.reporting.report import report
    from tailor.rows import Row, rows_for
    from tailor.run import Run, compare
    from tailor.scoring.comparison import Comparison
    from tailor.serving.server import serve
    from tailor.settings import setting
    from tailor.stage import Stage
    from tailor.workspace import Workspace

__all__ = [
    "Answer",
    "AnswerFormat",
    "AnswerStore",
    "Ask",
    "Assistant",
    "Benchmark",
    "Comparison",
    "Evidence",
    "Example",
    "Filters",
    "Passage",
    "Prompt",
    "Question",
    "Reply",
    "Row",
    "Run",
    "Stage",
    "TailorError",
    "Turn",
    "UsageError",
    "Workspace",
    "climb",
    "compare",
    "report",
    "rows_for",
    "serve",
    "setting",
]

_HOME = {
    "AnswerFormat": "answer_format",
    "AnswerStore": "answers",
    "Benchmark": "benchmark",
    "Comparison": "scoring.comparison",
    "Evidence": "benchmark",
    "Example": "example",
    "Filters": "documents.filters",
    "Passage": "documents.passages",
    "Question": "benchmark",
    "Row": "rows",
    "Run": "run",
    "Stage": "stage",
    "TailorError": "errors",
    "UsageError": "errors",
    "Workspace": "workspace",
    "climb": "ladder",
    "compare": "run",
    "report": "reporting.report",
    "rows_for": "rows",
    "serve": "serving.server",
    "setting": "settings",
}


def __getattr__(name: str) -> object:
    """Names are imported when first used, so that ``tailor --help`` stays quick."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'assistant')}"), name)
