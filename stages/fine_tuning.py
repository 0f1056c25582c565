"""Trains a LoRA adapter on the train questions, as the assistant itself would be asked them."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

from tailor.assistant import Assistant
from tailor.errors import NotApplicable
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class FineTuning(Stage):
    """Change the model's weights (LoRA, or QLoRA on a quantized model)."""

    trains: ClassVar[bool] = True

    rank: int = setting(8, "size of the adapter's matrices", low=1)
    alpha: int = setting(16, "scale of the adapter; twice the rank is usual", low=1)
    epochs: int = setting(2, "how often each example is seen", low=1)
    learning_rate: float = setting(5e-4, "peak learning rate, decaying to 0", low=1e-9, high=1)
    batch: int = setting(8, "examples per step", low=1)
    quantize: bool = setting(False, "train on 4-bit weights (QLoRA)")
    validation: float = setting(
        0.1, "share of the examples kept back to watch the loss on, 0 to 0.5", low=0, high=0.5
    )
    patience: int = setting(
        0, "stop when the validation loss has not fallen so many times in a row; 0: never", low=0
    )
    seed: int = setting(0, "seed of order and initial values", low=0, high=2**32 - 1)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant over the tuned model."""
        from tailor.models.chat import Chat
        from tailor.models.local import LocalChat, weights_digest
        from tailor.training.lora import train
        from tailor.training.pairs import pairs

        chat = assistant.model
        if not isinstance(chat, Chat) or not isinstance(chat.model, LocalChat):
            raise NotApplicable(
                "fine_tuning needs a model whose weights are on this machine: run it with "
                "`--model shipped` or `--model huggingface:PATH`."
            )
        base = chat.model.path
        lessons = pairs(assistant, chat, workspace)

        def build(folder: Path) -> None:
            train(base, lessons, folder, self, workspace.state / "training", workspace.progress)

        key = [weights_digest(base), asdict(self), [asdict(pair) for pair in lessons]]
        adapter = workspace.artifact("adapter", key, build)
        return replace(assistant, model=workspace.chat(chat.name, adapter=adapter))
