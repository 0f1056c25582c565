"""``tailor export adapter``, ``merged`` and ``safetensors``."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tailor.cli.options import ForceOption, JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.training.exported import Exported
    from tailor.training.gate import Gate

NameArgument = Annotated[
    str, typer.Argument(help="Name of the adapter; the newest without one.", show_default=False)
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The folder to make.", show_default="by its name"),
]


def adapter(
    name: NameArgument = "",
    output: OutputOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write an adapter's folder with a model card; it loads with PEFT."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.training.adapters import adapter as find
    from tailor.training.exported import export_adapter

    found = find(open_workspace(workspace), name)
    written = export_adapter(found, output or Path(found.name))
    if json:
        print_json(written.to_json())
    else:
        say(f"Written: {written.folder}. Its licence is that of the base: {found.licence}.")


def merged(
    name: NameArgument = "",
    output: OutputOption = None,
    quantization: Annotated[
        Literal["none", "8bit", "4bit"],
        typer.Option(help="The gate also scores the merged model in so many bits."),
    ] = "4bit",
    gguf: Annotated[
        Literal["f32", "f16", "bf16", "q8_0"] | None,
        typer.Option(help="Also write a GGUF file, by llama.cpp's converter.", show_default=False),
    ] = None,
    base: Annotated[
        str,
        typer.Option(help="Folder of the base, if not where it was trained.", show_default=False),
    ] = "",
    max_loss: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share that may be lost on dev; merge_loss of tailor.toml.",
            show_default=False,
        ),
    ] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Merge an adapter into its base, and write the model with tokenizer and model card.

    Base, adapter, merged and quantized model answer the dev questions first; exits with 3, and
    writes nothing, where the merged one loses too much.
    """
    from tailor.cli.common import GATE_MISSED, open_workspace, print_json, say
    from tailor.cli.progress import bar
    from tailor.training.adapters import adapter as find
    from tailor.training.exported import export_merged
    from tailor.training.trained import row_below

    opened = open_workspace(workspace)
    found = find(opened, name)
    with bar("export") as told:
        written = export_merged(
            opened, found, output or Path(f"{found.name}-merged"), base=base, bits=quantization,
            as_gguf=gguf, limit=max_loss, force=force, progress=told,
        )  # fmt: skip
    if json:
        print_json(written.to_json())
    else:
        tell(written)
    if written.folder and not json:
        row = row_below(opened)
        option = f"--model {shlex.quote(f'huggingface:{written.folder}')}"
        card = f"{written.folder}/README.md says how to load it."
        say(f"Next: tailor run {row} {option}" if row else card)
    whole = written.folder and (written.gguf or not gguf)
    raise typer.Exit(0 if whole else GATE_MISSED)


def tell(written: "Exported") -> None:
    """Print the gate, and what was written."""
    from tailor.cli.common import say
    from tailor.scoring import format

    gate = written.gate
    if gate is not None:
        show_gate(gate)
    if written.folder is None and gate is not None:
        lost = f"more than {format.points(gate.limit).lstrip('+')} points"
        say(
            f"Not written: merged, {written.adapter} loses {lost} against its adapter or its base. "
            "Train longer or with another rank, allow more with --max-loss, or --force it."
        )
        return
    if gate and "quantized" in gate.blocked:
        say(f"In {gate.bits} it loses too much: serve it unquantized, or in more bits.")
    for path in (written.gguf, written.folder):
        if path:
            say(f"Written: {path}")


def show_gate(gate: "Gate") -> None:
    """Print what each form of the model scored."""
    from rich.table import Table

    from tailor.cli.common import stdout
    from tailor.scoring import format

    table = Table(
        "model", f"{gate.metric} on dev", "95 %", "against adapter", "95 %", "p", "verdict",
        "same answers", title=f"Merge gate of {gate.adapter}",
    )  # fmt: skip
    for one in gate.forms:
        score, paired = one.score, one.against
        name = f"quantized ({gate.bits})" if one.form == "quantized" else one.form
        table.add_row(
            f"{name}, blocked" if one.form in gate.blocked else name,
            format.percent(score.mean if score else None),
            f"{format.percent(score.low)} to {format.percent(score.high)}" if score else "",
            format.points(paired.delta) if paired else "",
            f"{format.points(paired.low)} to {format.points(paired.high)}" if paired else "",
            format.p_value(paired.p) if paired else "",
            one.verdict or "",
            f"{one.same} of {gate.questions}",
        )
    stdout().print(table)


def safetensors(
    folder: Annotated[Path, typer.Argument(help="Folder of a model with pytorch_model.bin.")],
    json: JsonOption = False,
) -> None:
    """Write a model's pickled weights as safetensors beside them; nothing in them is run."""
    from tailor.cli.common import print_json, say
    from tailor.models.folder import converted

    written = converted(folder)
    if json:
        print_json({"schema_version": 1, "files": [str(file) for file in written]})
        return
    for file in written:
        say(f"Written: {file}")
    say(f"Next: tailor run fine_tuning --model {shlex.quote(f'huggingface:{folder}')}")
