"""``tailor export``: what was fitted, in the form that other tools take."""

import typer

from tailor.cli import (
    export_adapter,
    export_answers,
    export_job,
    export_jsonl,
    export_langchain,
)

app = typer.Typer(
    help="Write what was fitted in the form that other tools take.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
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
