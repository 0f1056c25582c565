"""From questions and answers to a tuned model in one go: train, save, merge, ask again.

The same parts as the ladder's: stage ``fine_tuning``, the registry of adapters, the merge gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.benchmark import Split
from tailor.errors import NotApplicable, TailorError
from tailor.training.before_after import BeforeAfter, again, local_of
from tailor.training.before_after import read as measured
from tailor.training.exported import Exported, export_merged

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.training.adapters import Adapter
    from tailor.workspace import Workspace

Progress = Callable[[str, int, int], None]
SHARES: Mapping[Split, float] = {"train": 0.8, "dev": 0.1, "test": 0.1}
"""How questions without a split are dealt out here: most of them are to be learnt from."""


@dataclass(frozen=True)
class Asked:
    """A question asked of the base, and of the merged model as it lies on the disk."""

    question: str
    before: str
    after: str


@dataclass(frozen=True)
class FineTuned:
    """What came of it."""

    adapter: Adapter
    measured: BeforeAfter
    exported: Exported
    asked: tuple[Asked, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            "schema_version": 1,
            "adapter": self.adapter.to_json(),
            "before_after": self.measured.to_json(),
            "exported": self.exported.to_json(),
            "asked": [asdict(one) for one in self.asked],
        }


def prepare(
    root: Path, questions: Path, model: str, note: Callable[[str], None] | None = None
) -> Workspace:
    """The workspace at ``root`` with these questions; a new one has ``fine_tuning`` alone.

    Questions that name no split are dealt out to train, dev and test. A workspace that has
    questions keeps them, which ``note`` is told, so that the same command goes on where it was.

    Raises:
        TailorError: the model's weights are not here, or the questions cannot be read.
    """
    from tailor.benchmarking.importing import import_questions
    from tailor.config_file import change
    from tailor.initialize import initialize
    from tailor.workspace import Workspace

    _check(questions, model)
    if not (root / "knowledge").is_dir():
        initialize(root)
        change(root / "tailor.toml", {"model": model or "shipped", "ladder": ["fine_tuning"]})
    workspace = Workspace(root)
    file = workspace.knowledge / "benchmark.jsonl"
    if not file.exists() or not file.read_bytes().strip():
        import_questions(workspace, str(questions))
        workspace.forget_benchmark()
        workspace.split(SHARES)
    elif note:
        note(f"{root} has questions already, which are kept; {questions} is not read again.")
    return workspace


def _check(questions: Path, model: str) -> None:
    """Refuse what could only fail after a workspace was made for it."""
    from tailor.models.folder import check_weights
    from tailor.models.provider import is_local, local_path

    if not questions.is_file():
        raise TailorError(f"There is no file {questions}; see to its path.")
    if model and not is_local(model):
        raise TailorError(
            f"The weights of {model} are not on this machine: name a model whose are with "
            "`--model huggingface:PATH`."
        )
    if model:
        check_weights(local_path(model))


def keep_settings(workspace: Workspace) -> None:
    """Write what ``fine_tuning`` is set to here into tailor.toml, where it is not the default.

    Raises:
        TailorError: the file cannot be written.
    """
    from tailor.config_file import change

    stage = workspace.stage("fine_tuning")
    plain = type(stage)().settings()
    own = {name: value for name, value in stage.settings().items() if value != plain[name]}
    if own:
        change(workspace.root / "tailor.toml", {"stages": {"fine_tuning": own}})


def fine_tune(
    workspace: Workspace,
    target: Path,
    ask: Sequence[str] = (),
    *,
    model: str = "",
    force: bool = False,
    progress: Progress | None = None,
) -> FineTuned:
    """Train an adapter as ``fine_tuning`` of the ladder would, merge it into ``target``, and ask.

    What is there is not made again: the adapter of the same lessons and settings, its measures.

    Raises:
        TailorError: the model's weights are not here, there are too few questions, or whatever
            training, merging and exporting raise.
    """
    from tailor.running import only_run
    from tailor.training.adapters import register
    from tailor.training.trained import STAGE, below

    if target.exists():
        raise TailorError(f"{target} is there already: name another folder.")
    workspace.progress = progress
    with only_run(workspace, [STAGE]):
        stage, base = below(workspace, model or workspace.config.model)
        try:
            tuned = stage.apply(base, workspace)
        except NotApplicable as error:
            raise TailorError(str(error)) from None
        adapter = register(workspace, Path(local_of(tuned)[1].adapter or ""))
        found = measured(adapter) or again(workspace, adapter)
        for assistant in (base, tuned):  # merging and the gate load one model at a time
            local_of(assistant)[1].unload()
        exported = export_merged(
            workspace, adapter, target, force=force, bits="4bit", progress=progress
        )
    asked: tuple[Asked, ...] = ()
    if exported.folder:
        before, after = (
            _answers(workspace, adapter, base, folder, ask)
            for folder in (adapter.base, str(exported.folder))
        )
        asked = tuple(map(Asked, ask, before, after))
    return FineTuned(adapter, found, exported, asked)


def _answers(
    workspace: Workspace, adapter: Adapter, base: Assistant, folder: str, ask: Sequence[str]
) -> list[str]:
    from tailor.training.trained import chat

    made, local = chat(workspace, adapter, folder)
    assistant = replace(base, model=made)
    texts = [assistant.answer(question).text for question in ask]
    local.unload()
    return texts
