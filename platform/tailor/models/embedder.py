"""``provider:name`` to an object that turns texts into vectors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tailor.config import Config
from tailor.errors import TailorError, UsageError, first_line
from tailor.models.limiter import Limiter
from tailor.models.provider import KEYS, SHIPPED

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.scale.place import Place


def embeddings(
    name: str,
    base_url: str = "",
    config: Config | None = None,
    limiter: Limiter | None = None,
    place: Place | None = None,
) -> Embeddings:
    """The embedder of this name; nothing is loaded or called before the first text.

    ``shipped``, ``huggingface:PATH-or-ID`` or ``provider:name`` of a provider LangChain knows.
    ``base_url`` is for OpenAI-compatible servers. A hosted one is asked as often and as fast as
    ``config`` and ``limiter`` say; ``place`` says where texts are embedded.

    Raises:
        UsageError: the name has no provider.
    """
    provider, model = parted(name)
    from tailor.models.lazy_embeddings import LazyEmbeddings

    known = config or Config()
    hosted = name != "shipped" and provider != "huggingface"
    return LazyEmbeddings(
        name,
        lambda: _load(name, provider, model, base_url, known),
        (limiter or Limiter()) if hosted else None,
        known.retries,
        place,
    )


def parted(name: str) -> tuple[str, str]:
    """The provider and the model in an embedder's name.

    Raises:
        UsageError: the name has no provider.
    """
    provider, _, model = name.partition(":")
    if name != "shipped" and not model:
        raise UsageError(
            f"Embedder {name!r} has no provider: write `shipped`, `huggingface:PATH` or "
            "`provider:name`, for example `openai:text-embedding-3-small`."
        )
    return provider, model


def _load(name: str, provider: str, model: str, base_url: str, config: Config) -> Embeddings:
    if name == "shipped":
        from tailor.models.static_encoder import StaticEncoder

        return StaticEncoder.load(SHIPPED / "encoder")
    if provider == "huggingface":
        from tailor.models.sentence_encoder import SentenceEncoder

        return SentenceEncoder.load(model, config.trusted_code)
    return _hosted(name, provider, model, base_url, config.timeout)


def _hosted(name: str, provider: str, model: str, base_url: str, timeout: float) -> Embeddings:
    from langchain.embeddings import init_embeddings

    parameters: dict[str, object] = {}
    if provider == "openai":
        parameters = {"timeout": timeout, "max_retries": 0}  # one retry layer, around it
    elif provider == "ollama":
        parameters = {"client_kwargs": {"timeout": timeout}}
    api_key = None
    if base_url and provider == "openai":
        # Servers other than OpenAI's own know no token numbers: texts are sent as texts.
        parameters |= {"base_url": base_url, "check_embedding_ctx_length": False}
        api_key = os.environ.get(KEYS["openai"]) or "none"
    if api_key:
        parameters["api_key"] = api_key
    elif provider in KEYS and not os.environ.get(KEYS[provider]):
        raise TailorError(
            f"The embedder {name} needs a key: set the environment variable {KEYS[provider]}, "
            'or use `embedder = "shipped"`, which needs none.'
        )
    try:
        return init_embeddings(model, provider=provider, **parameters)
    except (ImportError, AttributeError) as error:
        raise TailorError(
            f"The embedder {name} needs a package that is not installed: "
            f"{' '.join(str(error).split())}"
        ) from None
    except ValueError as error:
        first = first_line(error)
        raise UsageError(f"Embedder {name!r} cannot be used: {first}") from None
