"""What an adapter was trained for: the assistant it was put into, and its model with and without.

So that what is measured of an adapter is asked as its row asks: with the same instructions,
examples and passages, and only other weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import NotApplicable, TailorError
from tailor.models.quantized import Quantization
from tailor.training.adapters import Adapter, read

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat
    from tailor.run import Run
    from tailor.stage import Stage
    from tailor.workspace import Workspace

STAGE = "fine_tuning"


def before(workspace: Workspace, adapter: Adapter) -> Assistant:
    """The assistant that the adapter's row builds on.

    That of the newest run that used the adapter; of an adapter no row has used yet, what
    ``fine_tuning`` would build on in the ladder.

    Raises:
        TailorError: what it builds on cannot be applied here.
    """
    from tailor.run import all_runs

    for run in reversed(all_runs(workspace)):
        if not run.imported and (at := _place(run, adapter)) is not None:
            return replace(run, lineage=run.lineage[:at]).assistant()
    return below(workspace, model_of(workspace, adapter))[1]


def below(workspace: Workspace, model: str) -> tuple[Stage, Assistant]:
    """The first stage ``fine_tuning`` of the ladder, and the assistant that it builds on there.

    Raises:
        TailorError: a row before it cannot be applied; one that has nothing to work on is left out.
    """
    from tailor.ladder import dev_score
    from tailor.rows import Bases, rows_for

    root = workspace.root_assistant(model)
    bases = Bases(root, lambda own: dev_score(workspace, own.fingerprint))
    *earlier, last = rows_for(workspace, [_row(workspace)])
    for row in earlier:
        try:
            bases.add(row, row.stage.apply(bases.of(row)[1], workspace))
        except NotApplicable:
            continue  # as the ladder does: it goes on without the row
    return last.stage, bases.of(last)[1]


def row_below(workspace: Workspace) -> str:
    """The row that ``fine_tuning`` of the ladder builds on; empty where it builds on none.

    A merged model is asked by that row as the adapter was, without being trained again.
    """
    from tailor.rows import path, rows_for

    named = _row(workspace)
    lineage = path(rows_for(workspace, [named]), named)
    return lineage[-2].id if len(lineage) > 1 else ""


def _row(workspace: Workspace) -> str:
    """The first row of stage ``fine_tuning`` in the ladder."""
    return next((row for row in workspace.config.ladder if row.partition(":")[0] == STAGE), STAGE)


def chat(
    workspace: Workspace,
    adapter: Adapter,
    path: str,
    *,
    tuned: bool = False,
    quantization: Quantization = "none",
) -> tuple[Chat, LocalChat]:
    """The weights at ``path``, under the name of the adapter's base; ``tuned`` with the adapter.

    The adapter stays beside the weights, as it was trained. Prompts are the same for all, as
    they depend on the name.
    """
    from tailor.assistant import digest
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat, weights_digest
    from tailor.models.provider import LOCAL_TOKENS
    from tailor.prices import price

    own = str(adapter.folder)
    longest = workspace.config.max_tokens or LOCAL_TOKENS
    local = LocalChat(
        path=path,
        adapter=own if tuned else None,
        merged=False,
        quantization=quantization,
        max_tokens=longest,
    )
    identity = {
        "weights": weights_digest(path),
        "adapter": weights_digest(own) if tuned else None,
        "merged": False,
        "quantization": quantization,
        "max_tokens": longest,
    }
    name = model_of(workspace, adapter)
    made = Chat(
        name,
        lambda: local,
        digest(identity),
        workspace.answers,
        price(name, workspace.config),
        retries=0,
        concurrency=local.concurrency,
        longest=longest,
        fits=local.fits,
    )
    return made, local


def model_of(workspace: Workspace, adapter: Adapter) -> str:
    """The name of the adapter's base, as tailor.toml has it where it is the workspace's model."""
    from tailor.models.provider import local_path

    model = workspace.config.model
    return model if local_path(model) == adapter.base else f"huggingface:{adapter.base}"


def _place(run: Run, adapter: Adapter) -> int | None:
    """Where in the run's lineage the adapter was put in; None: nowhere."""
    steps = [at for at, step in enumerate(run.lineage) if step.stage == STAGE]
    made = [name for name in run.artifacts or () if name.startswith("adapter-")]
    for at in steps:
        if run.lineage[at].settings.get("adapter") == adapter.name:
            return at
    for at, name in enumerate(made if steps else ()):
        if _digest(run.workspace.state / "artifacts" / name) == adapter.digest:
            return steps[min(at, len(steps) - 1)]
    return None


def _digest(folder: Path) -> str | None:
    try:
        return read(folder).digest
    except TailorError:
        return None
