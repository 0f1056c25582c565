"""``provider:name`` to a chat model in the assistant's model slot."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tailor.answers import AnswerStore
from tailor.assistant import digest
from tailor.config import Config, Price
from tailor.errors import TailorError, UsageError
from tailor.redaction import redacted

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from tailor.models.chat import Chat
    from tailor.models.limiter import Limiter
    from tailor.scale.place import Place
    from tailor.spending import Spending

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
    "deepseek": "DEEPSEEK_API_KEY",
    "xai": "XAI_API_KEY",
    "together": "TOGETHER_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
}
"""The environment variable that holds each provider's key; named in messages, never printed."""


def environment(model: str) -> tuple[str, ...]:
    """Names of the variables that a provider's package reads: its key, and where its server is."""
    provider = model.partition(":")[0]
    if is_local(model):
        return ()
    prefix = "AWS_" if provider.startswith("bedrock") else f"{provider.partition('_')[0].upper()}_"
    named = {KEYS.get(provider, ""), *(("GEMINI_API_KEY",) if prefix == "GOOGLE_" else ())}
    return tuple(sorted(n for n in os.environ if n.startswith(prefix) or n in named))


def is_local(model: str) -> bool:
    """Whether the model's weights run in this process, so that no text leaves the machine."""
    return model == "shipped" or model.startswith("huggingface:")


def receiver(model: str, config: Config) -> str:
    """Who gets the texts a model is sent: a host or a provider; empty when none leaves."""
    if is_local(model):
        return ""
    provider = model.partition(":")[0]
    if provider == "ollama":
        # Models whose name ends so run at Ollama's, passed on by the server on this machine.
        return "ollama.com" if model.endswith("-cloud") else _away(_ollama_url())
    if provider == "openai" and config.base_url:
        return _away(config.base_url)
    return provider


def embedder_url(config: Config) -> str:
    """Where the server with the embedder listens; empty: at its provider's own place."""
    return config.embedder_url or config.base_url


def embedder_receiver(config: Config) -> str:
    """Who gets the texts to embed: a host or a provider; empty when none leaves the machine."""
    return receiver(config.embedder, replace(config, base_url=embedder_url(config)))


def _away(url: str) -> str:
    """The host in an address; empty where that is this machine."""
    host = urlsplit(url).hostname or url
    return "" if host in ("", "127.0.0.1", "localhost", "::1", "0.0.0.0") else host


def _ollama_url() -> str:
    """Where Ollama's own package looks for the server, as the environment says."""
    named = os.environ.get("OLLAMA_HOST", "")
    return named if "://" in named or not named else f"http://{named}"


def local_path(model: str) -> str:
    """The directory or hub id of a local model."""
    if model == "shipped":
        return str(SHIPPED / "reader")
    return os.path.expanduser(model.removeprefix("huggingface:"))


def chat(
    model: str,
    config: Config,
    store: AnswerStore,
    adapter: Path | None = None,
    spending: Spending | None = None,
    limiter: Limiter | None = None,
    place: Place | None = None,
) -> Chat:
    """The model in the form an assistant takes it, every call kept in ``store``.

    What calls cost is added up in ``spending``, whose limit they keep to; ``limiter`` holds back
    what a hosted provider is sent; ``place`` says where the model is asked.

    Raises:
        UsageError: the name has no provider Tailor or LangChain knows.
        TailorError: the provider's package or key is missing.
    """
    from tailor.models.chat import Chat
    from tailor.prices import price

    cost = price(model, config)
    if is_local(model):
        return _local(model, config, store, adapter, cost, spending, place)
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
        cost,
        config.retries,
        config.concurrency,
        config.max_tokens or HOSTED_TOKENS,
        spending,
        limiter,
        # The packages of other providers are asked themselves what they lack.
        (lambda: _openai(model, config)) if provider == "openai" else None,
        place=place,
    )


def _local(
    model: str,
    config: Config,
    store: AnswerStore,
    adapter: Path | None,
    cost: Price | None,
    spending: Spending | None,
    place: Place | None,
) -> Chat:
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat, weights_digest

    path, longest = local_path(model), config.max_tokens or LOCAL_TOKENS
    quantization = "none" if model == "shipped" else config.quantization
    identity = {
        "weights": weights_digest(path),
        "adapter": weights_digest(adapter) if adapter else None,
        "max_tokens": longest,
    }
    if quantization != "none":
        identity["quantization"] = quantization
    local = LocalChat(
        path=path,
        adapter=str(adapter) if adapter else None,
        max_tokens=longest,
        quantization=quantization,
        trusted_code=dict(config.trusted_code),
    )
    return Chat(
        model,
        lambda: local,
        digest(identity),
        store,
        cost,
        config.retries,
        # What waits together is answered together.
        max(config.concurrency, local.concurrency),
        longest,
        spending,
        fits=local.fits,
        place=place,
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


def _openai(model: str, config: Config) -> dict[str, Any]:
    """What OpenAI's package is told besides; quick, and refuses a missing key."""
    # Else a streamed reply comes without its tokens.
    return {"stream_usage": True, **openai_access(model, config)}


def openai_access(model: str, config: Config) -> dict[str, str]:
    """Where OpenAI's package finds the server, and with which key.

    Raises:
        TailorError: the key is missing.
    """
    if not config.base_url:
        _need_key("openai", model)
        return {}
    told = {"base_url": config.base_url}
    if not os.environ.get(KEYS["openai"]):
        if host := _away(config.base_url):
            raise TailorError(
                f"The server at {host} needs a key: set the environment variable "
                "OPENAI_API_KEY (any text for servers that ask for none)."
            )
        told["api_key"] = "none"
    return told


def _need_key(provider: str, model: str) -> None:
    other = "GEMINI_API_KEY" if provider == "google_genai" else ""
    if provider in KEYS and not (os.environ.get(KEYS[provider]) or os.environ.get(other)):
        raise TailorError(
            f"{model} needs a key: set the environment variable {KEYS[provider]}, or use "
            "`--model shipped`, which needs none."
        )


def _hosted(provider: str, name: str, config: Config) -> BaseChatModel:
    model = f"{provider}:{name}"
    parameters = _parameters(provider, config)
    if provider == "openai":
        parameters |= _openai(model, config)
    else:
        _need_key(provider, model)
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
        said = redacted(" ".join(str(error).split()))[:300]
        raise UsageError(f"Model {model!r} cannot be used: {said}") from None
