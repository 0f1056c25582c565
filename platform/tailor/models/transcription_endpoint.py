"""Speech to text by OpenAI's transcription endpoint, or by a server that speaks its protocol."""

from __future__ import annotations

import io
import json
import os
import wave
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tailor.assistant import digest
from tailor.config import Config
from tailor.documents.audio import RATE
from tailor.errors import TailorError
from tailor.models.provider import KEYS
from tailor.models.retry import MalformedReply, retried
from tailor.models.transcriber import endpoint

if TYPE_CHECKING:
    from openai import OpenAI

    from tailor.documents.audio import Samples

_WAIT = 10
"""A piece may take so many times the timeout of a chat reply."""


class TranscriptionEndpoint:
    """Sends a piece as a wav file, which stays below the 25 MB that servers take."""

    def __init__(self, model: str, config: Config) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._config = config
        # OpenAI's newer models give text alone: short pieces take the place of their times.
        self._timed = not model.startswith("gpt-")
        self.piece_seconds = 600 if self._timed else 60
        asked = [self.name, endpoint(config), config.transcriber_language]
        self.fingerprint = digest(asked)

    def __call__(self, samples: Samples) -> dict[str, Any]:
        """The server's reply, with ``segments`` where it gives times.

        Raises:
            TailorError: the key is missing.
            MalformedReply: the reply is no JSON object.
            openai.OpenAIError: any other failure, after the retries.
        """
        client, sound = self._client, _wav(samples)
        return retried(lambda: self._ask(client, sound), self._config.retries)

    @cached_property
    def _client(self) -> OpenAI:
        url = endpoint(self._config)
        key = os.environ.get(KEYS["openai"])
        if not key:
            host = urlsplit(url).hostname if url else "OpenAI"
            if host not in ("127.0.0.1", "localhost", "::1"):
                raise TailorError(
                    f"The transcriber {self.name} needs a key for {host}: set the environment "
                    f"variable {KEYS['openai']}, or name a local Whisper model, "
                    '`transcriber = "huggingface:PATH"`.'
                )
        from openai import OpenAI

        # One retry layer: two would multiply the waiting.
        return OpenAI(
            base_url=url or None,
            api_key=key or "none",
            timeout=self._config.timeout * _WAIT,
            max_retries=0,
        )

    def _ask(self, client: OpenAI, sound: bytes) -> dict[str, Any]:
        from openai import BadRequestError

        if self._timed:
            try:
                return self._once(client, sound, "verbose_json")
            except BadRequestError as error:
                if "response_format" not in str(error):
                    raise
        return self._once(client, sound, "json")

    def _once(self, client: OpenAI, sound: bytes, form: str) -> dict[str, Any]:
        from openai import omit

        language = self._config.transcriber_language
        response = client.audio.transcriptions.with_raw_response.create(
            file=("recording.wav", sound, "audio/wav"),
            model=self._model,
            response_format="verbose_json" if form == "verbose_json" else "json",
            language=language or omit,
        )
        try:
            reply = json.loads(response.content)
        except ValueError as error:
            raise MalformedReply("the reply is no JSON") from error
        if not isinstance(reply, dict):
            raise MalformedReply("the reply is no JSON object")
        return reply


def _wav(samples: Samples) -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return sound.getvalue()
