"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's folder.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="shipped, huggingface:PATH or provider:name.", show_default=False
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="shipped, huggingface:PATH or provider:name; several climb the same ladder in turn.",
        show_default=False,
    ),
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        min=0,
        help="US dollars that new model calls may cost; pauses before it would pass them.",
        show_default=False,
    ),
]
OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="CLUSTER",
        help="Do the work on Ray: ray (this machine's cores), HOST:PORT or ray://HOST:PORT.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="key=value of tailor.toml, or stage.setting=value; builds_on.row=base.",
        show_default=False,
    ),
]
Lang = Literal["en", "vi"]
LangOption = Annotated[Lang, typer.Option(help="Language of what is told.")]
SplitOption = Annotated[
    Literal["dev", "test"], typer.Option(help="Whose questions and scores are told.")
]
TrainingRowOption = Annotated[str, typer.Option("--row", help="Row that would train.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Write it whatever the merge gate says.")
]
