"""Whisper models that run here, through the speech recognition pipeline of transformers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tailor.assistant import digest
from tailor.errors import TailorError
from tailor.models.loading import found
from tailor.models.local import weights_digest
from tailor.models.quiet import quiet_transformers

if TYPE_CHECKING:
    from tailor.documents.audio import Samples

_LONG_FORM: dict[str, Any] = {
    "num_beams": 1,
    "condition_on_prev_tokens": False,
    "temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "compression_ratio_threshold": 1.35,
    "logprob_threshold": -1.0,
    "no_speech_threshold": 0.6,
}
"""Whisper paper, section 4.5: a window that repeats itself or is unsure is tried again warmer, and
one without speech is left out. (Radford et al., 2022, https://arxiv.org/abs/2212.04356)"""


class Whisper:
    """A Whisper model in safetensors, from a directory or the hub, loaded when first needed.

    Args:
        path: directory or hub id.
        language: of the speech, as ``vi`` or ``vietnamese``; empty: the model finds out.
    """

    piece_seconds = 300
    """The model itself goes through a piece in windows of 30 seconds."""

    def __init__(self, path: str, language: str = "") -> None:
        self.name = f"huggingface:{path}"
        self.fingerprint = digest([weights_digest(path), language])
        self._path = path
        self._language = language
        self._lock = threading.Lock()
        self._pipeline: Any = None

    def __call__(self, samples: Samples) -> dict[str, Any]:
        """Text, segments with times, and the language that was heard.

        Raises:
            TailorError: there is no such model, it is no Whisper, or it knows no such language.
        """
        with self._lock:
            if self._pipeline is None:
                self._pipeline = _load(self._path)
            heard = self._heard(samples)
        chunks = heard["chunks"]
        segments = [
            {"start": chunk["timestamp"][0], "end": chunk["timestamp"][1], "text": chunk["text"]}
            for chunk in chunks
        ]
        language = next((c["language"] for c in chunks if c["language"]), self._language)
        return {"text": heard["text"], "language": language, "segments": segments}

    def _heard(self, samples: Samples) -> dict[str, Any]:
        import numpy as np

        spoken: dict[str, Any] = {}
        # English-only models refuse to be told a language or a task.
        if getattr(self._pipeline.model.generation_config, "is_multilingual", False):
            spoken = {"task": "transcribe"}
            if self._language:
                spoken["language"] = self._language
        try:
            heard: dict[str, Any] = self._pipeline(
                samples.astype(np.float32) / 32768,
                return_timestamps=True,
                return_language=True,
                generate_kwargs={**_LONG_FORM, **spoken},
            )
        except ValueError as error:
            if "language" not in str(error).lower():
                raise
            raise TailorError(
                f"The transcriber {self.name} knows no language {self._language!r}: set "
                "transcriber_language to a code such as en or vi, or leave it out."
            ) from None
        return heard


def _load(path: str) -> Any:
    quiet_transformers()
    import torch
    from transformers import (
        AutomaticSpeechRecognitionPipeline,
        WhisperConfig,
        WhisperForConditionalGeneration,
        WhisperProcessor,
    )

    cuda = torch.cuda.is_available()
    with found(path) as place:
        kind = WhisperConfig.get_config_dict(place.folder)[0].get("model_type")
        if kind != "whisper":
            raise TailorError(f"The model {path} is of type {kind}, not whisper: name a Whisper.")
        processor = WhisperProcessor.from_pretrained(place.folder)
        model: Any = WhisperForConditionalGeneration.from_pretrained(
            place.folder, use_safetensors=True, dtype=torch.float16 if cuda else torch.float32
        )
    return AutomaticSpeechRecognitionPipeline(
        model=model.eval(),
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
        device=torch.device("cuda" if cuda else "cpu"),
    )
