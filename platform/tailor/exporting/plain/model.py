"""The language model: of any provider LangChain knows, or from a folder on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, SimpleChatModel
from langchain_core.messages import BaseMessage, convert_to_openai_messages
from pydantic import PrivateAttr


def load(data: Path, settings: dict[str, Any]) -> BaseChatModel:
    """The model that was measured, with the parameters it was measured with."""
    if settings["provider"] == "local":
        path = str(data / "model") if (data / "model").is_dir() else settings["path"]
        adapter = data / "adapter"
        return LocalModel(
            path=path,
            adapter=str(adapter) if adapter.is_dir() else None,
            max_tokens=settings["max_tokens"],
        )
    from langchain.chat_models import init_chat_model

    asked = {k: settings[k] for k in ("base_url", "temperature", "max_tokens") if k in settings}
    made = init_chat_model(settings["name"], model_provider=settings["provider"], **asked)
    assert isinstance(made, BaseChatModel)
    return made


class LocalModel(SimpleChatModel):
    """Greedy replies of a causal language model in a folder, with its own chat template."""

    path: str
    adapter: str | None = None
    """A LoRA adapter's folder."""
    max_tokens: int = 64
    _loaded: tuple[Any, Any] | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "local"

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            from transformers import AutoModelForCausalLM, AutoTokenizer

            tokenizer: Any = AutoTokenizer.from_pretrained(self.path)
            model: Any = AutoModelForCausalLM.from_pretrained(self.path, use_safetensors=True)
            if self.adapter:
                from peft import PeftModel

                tuned: Any = PeftModel.from_pretrained(model, self.adapter)
                model = tuned.merge_and_unload()
            self._loaded = tokenizer, model.eval()
        return self._loaded

    def fits(self, messages: list[BaseMessage]) -> bool:
        """Whether these messages and a reply fit into the model's context."""
        limit = getattr(self._load()[1].config, "max_position_embeddings", None)
        length = self._given(messages)["input_ids"].shape[1]
        return limit is None or length + self.max_tokens <= limit

    def _given(self, messages: list[BaseMessage]) -> Any:
        tokenizer = self._load()[0]
        text = tokenizer.apply_chat_template(
            convert_to_openai_messages(messages), tokenize=False, add_generation_prompt=True
        )
        return tokenizer(text, return_tensors="pt", add_special_tokens=False)

    def _call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> str:
        (tokenizer, model), given = self._load(), self._given(messages)
        pad = tokenizer.pad_token_id
        made = model.generate(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            max_new_tokens=self.max_tokens,
            do_sample=False,
            pad_token_id=tokenizer.eos_token_id if pad is None else pad,
        )
        reply = tokenizer.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True)
        return str(reply).strip()
