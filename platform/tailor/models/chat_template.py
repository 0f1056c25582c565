"""The chat template of base models that come without one: ``Human: ... Assistant: ...``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tailor.errors import TailorError, first_line

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


def rendered(tokenizer: Any, messages: Sequence[Mapping[str, Any]], reply: bool) -> str:
    """The messages in the tokenizer's template; with ``reply``, up to where a reply begins.

    The template is a stranger's program, which transformers runs in Jinja's sandbox.

    Raises:
        TailorError: it fails, or does what the sandbox does not let it do.
    """
    try:
        text: str = tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=reply
        )
        return text
    except Exception as error:  # a template can raise what it likes
        reason = first_line(error)[:200]
        raise TailorError(
            f"The chat template of {tokenizer.name_or_path} cannot be used ({reason}): mend "
            "chat_template in its tokenizer_config.json, or take it out to use Tailor's own."
        ) from None
