"""A regression head: a number from what a local model makes of a text, in place of its words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import NotApplicable
from tailor.prediction import heads
from tailor.prediction.estimation import Estimation
from tailor.prediction.items import truth
from tailor.prediction.learning import train_items
from tailor.prediction.scale import Scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.assistant import Assistant
    from tailor.models.local import LocalChat
    from tailor.workspace import Workspace

    Floats = NDArray[np.float64]

LONGEST = 512
"""Tokens of a text that are read, at most."""
BATCH = 8


@dataclass(frozen=True)
class HeadedModel:
    """Ridge regression on the mean of the last hidden layer over a text's tokens."""

    model: LocalChat = field(repr=False)
    head: heads.Linear
    scale: Scale
    mean: Floats
    spread: Floats

    def numbers(self, texts: Sequence[str]) -> Floats:
        """(n,)."""
        rows = (states(self.model, texts) - self.mean) / self.spread
        return self.scale.numbers(self.head.values(rows))

    def save(self, folder: Path) -> None:
        """Write all but the model as arrays and JSON."""
        import numpy as np

        self.head.save(folder)
        np.savez(folder / "states.npz", mean=self.mean, spread=self.spread)
        (folder / "scale.json").write_text(json.dumps(asdict(self.scale)), "utf-8")

    @classmethod
    def load(cls, folder: Path, model: LocalChat) -> HeadedModel:
        """Read what :meth:`save` wrote."""
        import numpy as np

        scale = Scale(**json.loads((folder / "scale.json").read_text("utf-8")))
        with np.load(folder / "states.npz", allow_pickle=False) as kept:
            return cls(model, heads.Linear.load(folder), scale, kept["mean"], kept["spread"])


def states(model: LocalChat, texts: Sequence[str]) -> Floats:
    """The mean of the last hidden layer over the tokens of each text, (n, hidden)."""
    import numpy as np
    import torch

    tokenizer, loaded = model.load()
    parts = []
    for first in range(0, len(texts), BATCH):
        encoded = tokenizer(
            list(texts[first : first + BATCH]), return_tensors="pt", padding=True, truncation=True,
            max_length=LONGEST,
        )  # fmt: skip
        ids, mask = encoded["input_ids"], encoded["attention_mask"]
        with torch.inference_mode():
            found = loaded(
                input_ids=ids.to(loaded.device), attention_mask=mask.to(loaded.device),
                output_hidden_states=True,
            )  # fmt: skip
        last = found.hidden_states[-1].float().cpu()
        weights = mask.unsqueeze(-1).float()
        means = (last * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
        parts.append(means.double().numpy())
    return np.concatenate(parts)


def with_head(assistant: Assistant, workspace: Workspace) -> Assistant:
    """The assistant whose local model gives numbers through a head fitted on the train items.

    It looks at the text of an item alone: instructions, examples and passages are not used.

    Raises:
        NotApplicable: the task has no numbers, the model is not on this machine, or there are too
            few train items.
    """
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat, weights_digest
    from tailor.models.provider import is_local

    chat = assistant.model
    model = chat.model if isinstance(chat, Chat) and is_local(chat.name) else None
    if workspace.config.task != "number" or not isinstance(model, LocalChat):
        raise NotApplicable(
            "fine_tuning.head: regression gives numbers, from a model on this machine; set it to "
            "words."
        )
    items = train_items(workspace, "fine_tuning")
    texts, numbers = [item.question for item in items], [truth(item) for item in items]

    def build(folder: Path) -> None:
        raw = states(model, texts)
        mean, spread = raw.mean(axis=0), raw.std(axis=0) + 1e-9
        scale = Scale.of(numbers)
        head = heads.ridge((raw - mean) / spread, numbers, scale, 0)
        HeadedModel(model, head, scale, mean, spread).save(folder)

    digests = [weights_digest(one) for one in (model.path, model.adapter) if one]
    key = [1, digests, model.quantization, texts, numbers]
    folder = workspace.artifact("regression-head", key, build)
    made = partial(HeadedModel.load, folder, model)
    return replace(assistant, model=Estimation(made, folder.name))
