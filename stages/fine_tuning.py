"""Trains an adapter on the train questions, as the assistant itself would be asked them."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from tailor.assistant import Assistant
from tailor.errors import NotApplicable
from tailor.settings import setting
from tailor.stage import Stage
from tailor.training.lessons_settings import Shapes
from tailor.training.settings import Settings
from tailor.workspace import Workspace


@dataclass(frozen=True)
class FineTuning(Settings, Shapes, Stage):
    """Change the model's weights (LoRA, or QLoRA on a quantized model)."""

    trains: ClassVar[bool] = True
    first: ClassVar[tuple[str, ...]] = (
        "method", "shapes", "rank", "epochs", "learning_rate", "batch", "quantization", "where",
        "adapter",
    )  # fmt: skip

    adapter: str = setting("", "name of an adapter that is there already; nothing is trained")
    where: Literal["here", "openai"] = setting(
        "here", "train on this machine, or have a service do it (OpenAI, or a server like it)"
    )

    head: Literal["words", "regression"] = setting(
        "words",
        "how the tuned model gives a number: written in words, or by a regression on what it makes "
        "of a text; then instructions, examples and passages are not used",
    )

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant over the tuned model."""
        tuned = self._tuned(assistant, workspace)
        if self.head == "words":
            return tuned
        from tailor.prediction.regression_head import with_head

        return with_head(tuned, workspace)

    def _tuned(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        from tailor.models.chat import Chat
        from tailor.models.local import LocalChat
        from tailor.training import adapters, before_after, local
        from tailor.training.hosted.training import trained
        from tailor.training.lessons import lessons
        from tailor.training.preference_lessons import preference_lessons

        chat = assistant.model
        model = chat.model if isinstance(chat, Chat) else None
        here = self.where == "here"
        if not isinstance(chat, Chat) or (here and not isinstance(model, LocalChat)):
            raise NotApplicable(
                "fine_tuning needs a model whose weights are on this machine: run it with "
                "`--model shipped` or `--model huggingface:PATH`."
            )
        if here and self.adapter:
            assert isinstance(model, LocalChat)
            folder = adapters.fitting(workspace, self.adapter, model.path).folder
            tuned = replace(assistant, model=workspace.chat(chat.name, adapter=folder))
            before_after.keep(workspace, folder, assistant, tuned)
            return tuned
        prepare = lessons if self.method == "sft" else preference_lessons
        given = prepare(assistant, chat, workspace, self)
        if not here:
            name = trained(workspace, chat.name, given.train, given.validation, self)
            return replace(assistant, model=workspace.chat(name))
        assert isinstance(model, LocalChat)
        folder = local.adapter(workspace, model.path, local.rows(given), self)
        tuned = replace(assistant, model=workspace.chat(chat.name, adapter=folder))
        before_after.keep(workspace, folder, assistant, tuned)
        return tuned
