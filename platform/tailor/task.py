"""What a workspace asks for."""

from typing import Literal

Task = Literal["answer", "number", "label"]
"""An answer from the documents; or a number or one of several labels for the text of an item."""

_NOUNS = {"en": ("question", "item"), "vi": ("câu hỏi", "mục")}


def noun(task: Task, lang: str = "en") -> str:
    """What one entry of the benchmark is called: a question, or an item."""
    return _NOUNS[lang][task != "answer"]


def worded(sentence: str, task: Task, lang: str = "en") -> str:
    """The sentence with that word in place of ``{question}`` and, for several, ``{questions}``."""
    one = noun(task, lang)
    several = f"{one}s" if lang == "en" else one
    return sentence.replace("{question}", one).replace("{questions}", several)
