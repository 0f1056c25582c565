"""Tells the model what is wanted of it."""

from dataclasses import dataclass, replace

from tailor.assistant import Assistant
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace

INSTRUCTIONS = (
    "Answer from the documents only, as briefly as possible, in the language of the question. "
    "If the documents do not say, reply: Not in the documents. "
    "(in Vietnamese: Không có trong tài liệu.)"
)


@dataclass(frozen=True)
class Prompting(Stage):
    """Give the model instructions."""

    instructions: str = setting(INSTRUCTIONS, "what the model is told before every question")

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant under these instructions."""
        return replace(assistant, instructions=self.instructions)
