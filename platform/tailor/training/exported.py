"""An adapter as others take it: PEFT's folder, or one model with the adapter merged into it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError
from tailor.models.quantized import Quantization
from tailor.training import gguf, model_card
from tailor.training.before_after import read as measured
from tailor.training.gate import Gate, gate
from tailor.training.merge import merge
from tailor.whole_folder import written

if TYPE_CHECKING:
    from tailor.training.adapters import Adapter
    from tailor.workspace import Workspace


@dataclass(frozen=True)
class Exported:
    """What was written, and what the gate said."""

    adapter: str
    folder: Path | None
    """None where the gate blocked it."""
    gguf: Path | None = None
    gate: Gate | None = None
    forced: bool = False
    """The gate blocked it, and it was written all the same."""

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        paths = {name: value and str(value) for name in ("folder", "gguf")
                 for value in (getattr(self, name),)}  # fmt: skip
        return {"schema_version": 1, **asdict(self), **paths}


def export_adapter(adapter: Adapter, target: Path) -> Exported:
    """Write an adapter's folder with a model card; it loads with PEFT.

    Raises:
        TailorError: there is something at ``target`` already, or it cannot be written.
    """

    def fill(part: Path) -> None:
        for file in adapter.folder.iterdir():
            shutil.copy2(file, part / file.name)
        _with_base(part / "adapter_config.json", adapter.base)
        model_card.write(part, adapter, merged=False, measured=measured(adapter))

    written(target, fill)
    return Exported(adapter.name, target)


def export_merged(
    workspace: Workspace,
    adapter: Adapter,
    target: Path,
    *,
    base: str = "",
    bits: Quantization = "none",
    as_gguf: gguf.Kind | None = None,
    limit: float | None = None,
    force: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Exported:
    """Merge an adapter, ask the merge gate, and write the model with its card into ``target``.

    Args:
        workspace: where the gate's questions are.
        adapter: a registered one.
        target: the folder to make; safetensors, tokenizer, model card and ``gate.json``.
        base: where the base lies, if not where it was trained.
        bits: the gate scores the model in so many bits, too; the folder itself is not quantized.
        as_gguf: also write ``target``.gguf, with weights of this kind; for ``q8_0`` the gate
            scores 8 bits, and where those lose too much only the folder is written.
        limit: see `tailor.training.gate.gate`.
        force: write it whatever the gate says, also without dev questions.
        progress: told what is done.

    Returns:
        What was written; ``folder`` is None where the gate blocked it.

    Raises:
        TailorError: see `tailor.training.merge.merge`; or no converter for GGUF is installed.
    """
    if as_gguf:
        gguf.converter()  # told before an hour is spent
    bits = "8bit" if as_gguf == "q8_0" else bits
    asked: list[Gate] = []

    def fill(part: Path) -> None:
        if progress:
            progress("merge", 0, 1)
        merge(adapter, part, base)
        if not force or _dev(workspace):
            asked.append(
                gate(workspace, adapter, part, bits=bits, base=base, limit=limit, progress=progress)
            )
        _let_through(asked, part, force)
        model_card.write(
            part, adapter, merged=True, gate=asked[0] if asked else None,
            measured=measured(adapter), forced=force,
        )  # fmt: skip

    try:
        written(target, fill)
    except _Blocked:
        return Exported(adapter.name, None, gate=asked[0])
    blocked = asked[0].blocked if asked else ()
    file = None
    if as_gguf and (force or as_gguf != "q8_0" or "quantized" not in blocked):
        file = gguf.write(target, target.with_name(f"{target.name}.gguf"), as_gguf)
    return Exported(adapter.name, target, file, asked[0] if asked else None, "merged" in blocked)


class _Blocked(Exception):
    """The gate says no."""


def _let_through(asked: list[Gate], part: Path, force: bool) -> None:
    """Keep what the gate said in the folder, or stop there."""
    for told in asked:
        if "merged" in told.blocked and not force:
            raise _Blocked
        text = json.dumps(told.to_json(), ensure_ascii=False, indent=1)
        (part / "gate.json").write_text(text, "utf-8")


def _dev(workspace: Workspace) -> bool:
    """Whether there are dev questions; also without any benchmark."""
    try:
        return bool(workspace.benchmark.split("dev"))
    except TailorError:
        return False


def _with_base(file: Path, base: str) -> None:
    """Let PEFT find the base where it was trained; what a loader linked for itself is gone."""
    told = json.loads(file.read_text("utf-8"))
    told["base_model_name_or_path"] = base
    file.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
