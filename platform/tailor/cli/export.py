"""``tailor export``: what was fitted, in the form that other tools take."""

from tailor.cli import (
    export_adapter,
    export_answers,
    export_job,
    export_jsonl,
    export_langchain,
)
from tailor.cli.common import group

app = group("Write what was fitted in the form that other tools take.")
VERBS = (
    export_adapter.adapter,
    export_adapter.merged,
    export_adapter.safetensors,
    export_jsonl.openai_jsonl,
    export_jsonl.preferences_jsonl,
    export_jsonl.check,
    export_job.job,
    export_langchain.langchain,
    export_answers.answers,
)
for verb in VERBS:
    app.command(verb.__name__.replace("_", "-"))(verb)
