"""The chat template of base models that come without one: ``Human: ... Assistant: ...``."""

from __future__ import annotations

from typing import Any

HUMAN_ASSISTANT = (
    "{% for message in messages %}"
    "{% if not loop.first %}{{ '\\n\\n' }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ 'Human: ' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ 'Assistant: ' + message['content'] + (eos_token or '') }}"
    "{% else %}{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n\\nAssistant:' }}{% endif %}"
)
"""``Human: QUESTION``, an empty line, ``Assistant: ANSWER`` and the end token; a system message
stands before them without a name. The prompt is the beginning of the whole, as training needs."""


def templated(tokenizer: Any) -> bool:
    """Give the tokenizer this template where it has none of its own; whether it was given.

    It has to be saved with whatever is trained under it: ``tokenizer.save_pretrained(folder)``.
    """
    if tokenizer.chat_template is not None:
        return False
    tokenizer.chat_template = HUMAN_ASSISTANT
    return True
