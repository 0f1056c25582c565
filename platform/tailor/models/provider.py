"""``provider:name`` to a chat model in the assistant's model slot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tailor.answers import AnswerStore
from tailor.assistant import digest
from tailor.config import Config, Price
from tailor.errors import TailorError, UsageError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from tailor.models.chat import Chat

SHIPPED = Path(__file__).parent / "shipped"
"""Where the models that come with Tailor lie: ``reader``, ``encoder``, ``extractive``."""

LOCAL_TOKENS, HOSTED_TOKENS = 64, 1024
"""Longest answers where tailor.toml names none."""

KEYS = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
}
"""The environment variable that holds each provider's key; named in messages, never printed."""


def without_keys(text: str) -> str:
    """The text with the value of every known key replaced, should a server have quoted it."""
    for value in filter(None, map(os.environ.get, KEYS.values())):
        text = text.replace(value, "[key]")
    return text


def is_local(model: str) -> bool:
    """Whether the model's weights run in this process, so that no text leaves the machine."""
    return model == "shipped" or model.startswith("huggingface:")


def receiver(model: str, config: Config) -> str:
    """Who gets the texts a model is sent: a host or a provider; empty when none leaves."""
    if is_local(model) or model.startswith("ollama:"):
        return ""
    provider = model.partition(":")[0]
    if provider == "openai" and config.base_url:
        host = urlsplit(config.base_url).hostname or config.base_url
        return "" if host in ("127.0.0.1", "localhost", "::1") else host
    return provider


def local_path(model: str) -> str:
    """The directory or hub id of a local model."""
    return str(SHIPPED / "reader") if model == "shipped" else model.removeprefix("huggingface:")


def chat(model: str, config: Config, store: AnswerStore, adapter: Path | None = None) -> Chat:
    """The model in the form an assistant takes it, every call kept in ``store``.

    Raises:
        UsageError: the name has no provider Tailor or LangChain knows.
        TailorError: the provider's package or key is missing.
    """
    from tailor.models.chat import Chat

    price = config.prices.get(model)
    if is_local(model):
        from tailor.models.local import LocalChat, weights_digest

        path = local_path(model)
        identity = {
            "weights": weights_digest(path),
            "adapter": weights_digest(adapter) if adapter else None,
            "max_tokens": config.max_tokens or LOCAL_TOKENS,
        }
        local = LocalChat(
            path=path,
            adapter=str(adapter) if adapter else None,
            max_tokens=config.max_tokens or LOCAL_TOKENS,
        )
        return Chat(
            model,
            lambda: local,
            digest(identity),
            store,
            price or Price(0, 0),
            config.retries,
            # What waits together is answered together.
            max(config.concurrency, local.concurrency),
        )
    provider, _, name = model.partition(":")
    if not name:
        raise UsageError(
            f"Model {model!r} has no provider: write `shipped`, `huggingface:PATH` or "
            "`provider:name`, for example `openai:gpt-5-mini`."
        )
    asked: dict[str, object] = {
        "model": model,
        "base_url": config.base_url if provider == "openai" else "",
        "max_tokens": config.max_tokens or HOSTED_TOKENS,
        "temperature": config.temperature,
    }
    return Chat(
        model,
        lambda: _hosted(provider, name, config),
        digest(asked),
        store,
        price,
        config.retries,
        config.concurrency,
    )


def _parameters(provider: str, config: Config) -> dict[str, Any]:
    """The settings under the names that the provider's LangChain class has for them."""
    longest = config.max_tokens or HOSTED_TOKENS
    if provider == "ollama":
        # It takes no notice of names it does not know, the usual ones among them.
        named: dict[str, Any] = {
            "num_predict": longest,
            "client_kwargs": {"timeout": config.timeout},
        }
    else:
        # One retry layer, in Chat: two would multiply the waiting.
        named = {"max_tokens": longest, "timeout": config.timeout, "max_retries": 0}
    return named if config.temperature is None else {**named, "temperature": config.temperature}


def _hosted(provider: str, name: str, config: Config) -> BaseChatModel:
    model = f"{provider}:{name}"
    parameters = _parameters(provider, config)
    if config.base_url and provider == "openai":
        parameters["base_url"] = config.base_url
        if not os.environ.get("OPENAI_API_KEY"):
            host = urlsplit(config.base_url).hostname
            if host not in ("127.0.0.1", "localhost", "::1"):
                raise TailorError(
                    f"The server at {host} needs a key: set the environment variable "
                    "OPENAI_API_KEY (any text for servers that ask for none)."
                )
            parameters["api_key"] = "none"
    elif provider in KEYS and not os.environ.get(KEYS[provider]):
        raise TailorError(
            f"{model} needs a key: set the environment variable {KEYS[provider]}, or use "
            "`--model shipped`, which needs none."
        )
    from langchain.chat_models import init_chat_model

    try:
        made: BaseChatModel = init_chat_model(name, model_provider=provider, **parameters)
        return made
    except (ImportError, AttributeError) as error:
        # AttributeError: without langchain-ollama, LangChain looks for it in the archived package.
        quoted = str(error).split("`")
        line = quoted[1] if len(quoted) > 1 else f"pip install langchain-{provider}"
        raise TailorError(
            f"Provider {provider} needs a package that is not installed: "
            f"`{line.replace('_', '-')}`."
        ) from None
    except Exception as error:  # each provider's package has its own for a missing key or setting
        said = without_keys(" ".join(str(error).split()))[:300]
        raise UsageError(f"Model {model!r} cannot be used: {said}") from None
