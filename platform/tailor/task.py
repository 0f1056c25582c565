"""What a workspace asks for."""

from typing import Literal

Task = Literal["answer", "number", "label"]
"""An answer from the documents; or a number or one of several labels for the text of an item."""
