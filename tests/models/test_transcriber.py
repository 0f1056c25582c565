"""Speech to text: a real (tiny) Whisper, and a server that speaks OpenAI's protocol."""

from __future__ import annotations

import io
import json
import shutil
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tailor.answers import AnswerStore
from tailor.config import Config
from tailor.documents.audio import RATE
from tailor.errors import TailorError, UsageError
from tailor.models.retry import MalformedReply
from tailor.models.transcriber import (
    Segment,
    kept,
    pieces,
    read,
    receiver,
    transcribe,
    transcriber,
)
from tailor.models.whisper import Whisper
from tailor.testing import (
    Fault,
    OpenAIServer,
    Request,
    in_order,
    not_json,
    rate_limited,
    server_error,
    unauthorized,
)

SPOKEN = "Cuộc họp giao ban dời sang thứ năm."  # by the Whisper of conftest.py


def noise(seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    return (np.random.default_rng(0).normal(size=int(seconds * RATE)) * 3000).astype(np.int16)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    opened = AnswerStore(tmp_path / "answers.db")
    yield opened
    opened.close()


def hear(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As verbose_json: one segment per piece, with the length of the sound that came."""
    with wave.open(io.BytesIO(fields["file"])) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE)
        seconds = sound.getnframes() / RATE
    segment = {"id": 0, "start": 0.5, "end": seconds, "text": f" Heard {seconds:.0f} s."}
    return {"text": segment["text"], "language": "english", "segments": [segment]}


def served(server: OpenAIServer, **settings: Any) -> Config:
    return Config(transcriber="openai:whisper-1", transcriber_url=server.url, **settings)


# Whisper


def test_a_local_whisper_gives_times_over_all_windows_and_is_asked_once(
    whisper: Path, store: AnswerStore
) -> None:
    model = transcriber(f"huggingface:{whisper}", Config())
    done: list[tuple[int, int]] = []
    transcript = transcribe(noise(75), "a1", model, store, lambda *told: done.append(told))
    assert [(s.start, s.end, s.text) for s in transcript.segments] == [
        (at, at + 2.0, SPOKEN) for at in (0.0, 30.0, 60.0)
    ]
    assert transcript.seconds == 75
    assert done == [(1, 1)]
    fresh = transcriber(f"huggingface:{whisper}", Config())
    assert kept("a1", fresh, store) == transcript
    assert transcribe(noise(75), "a1", fresh, store) == transcript
    assert getattr(fresh, "_pipeline") is None  # noqa: B009 (not even loaded)


def test_the_language_is_found_out_or_given(whisper: Path) -> None:
    assert Whisper(str(whisper))(noise(3))["language"] == "vietnamese"
    given = Whisper(str(whisper), "vi")
    assert given.fingerprint != Whisper(str(whisper)).fingerprint
    assert SPOKEN in given(noise(3))["text"]
    with pytest.raises(TailorError, match="knows no language 'xx': set transcriber_language"):
        Whisper(str(whisper), "xx")(noise(3))


def test_pickles_other_models_and_broken_ones_are_refused(whisper: Path, tmp_path: Path) -> None:
    with pytest.raises(TailorError, match="There is no folder"):
        Whisper(str(tmp_path / "none"))(noise(1))
    pickled = tmp_path / "pickled"
    shutil.copytree(whisper, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(TailorError, match=r"no \*\.safetensors weights"):
        Whisper(str(pickled))(noise(1))
    other = tmp_path / "other"
    shutil.copytree(whisper, other)
    config = json.loads((other / "config.json").read_text("utf-8"))
    (other / "config.json").write_text(json.dumps({**config, "model_type": "bert"}), "utf-8")
    with pytest.raises(TailorError, match="is of type bert, not whisper"):
        Whisper(str(other))(noise(1))
    (other / "config.json").write_text("{", "utf-8")
    with pytest.raises(TailorError, match="cannot be loaded"):
        Whisper(str(other))(noise(1))


# Pieces


def test_pieces_cover_all_and_end_where_it_is_quiet() -> None:
    samples = noise(50)
    samples[int(19.4 * RATE) : int(19.6 * RATE)] = 0
    cut = list(pieces(samples, 20))
    assert [start for start, _ in cut] == [0, *(end for _, end in cut[:-1])]
    assert cut[-1][1] == len(samples)
    assert all(end - start <= 20 * RATE for start, end in cut)
    assert 19.4 * RATE <= cut[0][1] <= 19.6 * RATE
    assert list(pieces(samples[:100], 20)) == [(0, 100)]


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"text": None},
        {"segments": 3},
        {"segments": [{"text": "Hello", "start": 0}]},
        {"segments": [{"text": 7, "start": 0, "end": 1}]},
        {"segments": [{"text": "Hello", "start": float("nan"), "end": 1}]},
        {"segments": ["Hello"]},
    ],
)
def test_what_is_no_transcription_is_never_read_as_one(reply: dict[str, Any]) -> None:
    with pytest.raises(MalformedReply):
        read(reply, 10)


def test_times_stay_within_the_piece() -> None:
    raw = [
        {"text": " a ", "start": -1, "end": 99},
        {"text": "b", "start": 5, "end": None},
        {"text": "c", "start": 6, "end": 2},
        {"text": "  ", "start": 6, "end": 7},
    ]
    said = [Segment(0, 10, "a"), Segment(5, 10, "b"), Segment(6, 6, "c")]
    assert read({"segments": raw}, 10) == said
    assert read({"text": "All of it."}, 10) == [Segment(0, 10, "All of it.")]


# The endpoint


def test_an_endpoint_is_tried_again_after_429_and_never_asked_twice(store: AnswerStore) -> None:
    fault = in_order(rate_limited(0))
    with OpenAIServer(lambda _: "", fault, transcribe=hear) as server:
        model = transcriber("openai:whisper-1", served(server, transcriber_language="vi"))
        transcript = transcribe(noise(3), "a1", model, store)
        assert transcript.segments == (Segment(0.5, 3.0, "Heard 3 s."),)
        assert server.count == 2
        fields = dict(server.requests[1].body)
        assert len(fields.pop("file")) == 44 + 2 * 3 * RATE
        expected = {"model": "whisper-1", "response_format": "verbose_json", "language": "vi"}
        assert fields == expected
        assert transcribe(noise(3), "a1", model, store) == transcript
        assert kept("a1", model, store) == transcript
        assert server.count == 2
        transcribe(noise(3), "b2", model, store)
        assert server.count == 3


def test_a_long_recording_goes_in_pieces_and_only_missing_ones_are_sent(
    store: AnswerStore,
) -> None:
    samples = np.tile(noise(60), 21)
    fault = in_order(None, server_error())
    with OpenAIServer(lambda _: "", fault, transcribe=hear) as server:
        model = transcriber("openai:whisper-1", served(server, retries=0))
        with pytest.raises(Exception, match="server had an error"):
            transcribe(samples, "a1", model, store)
        assert kept("a1", model, store) is None
        assert (server.count, store.count()[0]) == (2, 1)
        transcript = transcribe(samples, "a1", model, store)
        assert server.count == 4
        assert all(len(request.body["file"]) < 25_000_000 for request in server.requests)
    starts = [segment.start for segment in transcript.segments]
    assert len(starts) == 3
    assert 570 < starts[1] <= 600.5
    assert 1140 < starts[2] <= 1200.5
    assert transcript.segments[-1].end == pytest.approx(1260)


@pytest.mark.parametrize("fault", [not_json(), Fault(body='["a"]'), Fault(body='{"status": "ok"}')])
def test_a_broken_reply_is_not_kept(store: AnswerStore, fault: Fault) -> None:
    with OpenAIServer(lambda _: "", in_order(fault), transcribe=hear) as server:
        model = transcriber("openai:whisper-1", served(server))
        with pytest.raises(MalformedReply):
            transcribe(noise(1), "a1", model, store)
        assert store.count()[0] == 0
        assert transcribe(noise(1), "a1", model, store).segments
        assert server.count == 2


def test_models_without_times_get_short_pieces_and_give_text(store: AnswerStore) -> None:
    def text_only(fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"text": hear(fields)["text"]}

    with OpenAIServer(lambda _: "", transcribe=text_only) as server:
        model = transcriber("openai:gpt-transcribe", served(server))
        found = transcribe(noise(90), "a1", model, store).segments
        assert [request.body["response_format"] for request in server.requests] == ["json"] * 2
    assert [found[0].start, found[-1].end] == [0, 90]
    assert 57 <= found[0].end == found[1].start <= 60


def test_a_server_that_knows_no_verbose_json_is_asked_for_json(store: AnswerStore) -> None:
    def refuse(request: Request) -> Fault | None:
        if request.body["response_format"] == "json":
            return None
        return Fault(400, body='{"error": {"message": "response_format is not supported"}}')

    with OpenAIServer(lambda _: "", refuse, transcribe=hear) as server:
        model = transcriber("openai:local", served(server))
        assert transcribe(noise(1), "a1", model, store).segments
        assert server.count == 2


def test_silence_is_sent_nowhere(store: AnswerStore) -> None:
    with OpenAIServer(lambda _: "", transcribe=hear) as server:
        model = transcriber("openai:whisper-1", served(server))
        silence = np.zeros(5 * RATE, np.int16)
        assert transcribe(silence, "a1", model, store).segments == ()
        found = kept("a1", model, store)
        assert found is not None
        assert (found.seconds, found.segments) == (5, ())
        assert server.count == 0


def test_keys_are_asked_for_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(transcriber="openai:whisper-1")
    with pytest.raises(TailorError, match="set the environment variable OPENAI_API_KEY"):
        transcriber(config.transcriber, config)(noise(1))
    with OpenAIServer(lambda _: "", in_order(unauthorized()), transcribe=hear) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
        model = transcriber("openai:whisper-1", served(server))
        with pytest.raises(Exception, match="Incorrect API key"):
            model(noise(1))
        assert server.requests[0].headers["authorization"] == "Bearer secret-key"
        assert server.count == 1


@pytest.mark.parametrize(
    ("settings", "to"),
    [
        ({}, ""),
        ({"transcriber": "huggingface:openai/whisper-tiny"}, ""),
        ({"transcriber": "openai:whisper-1"}, "openai"),
        ({"transcriber": "openai:w", "base_url": "http://127.0.0.1:1/v1"}, ""),
        ({"transcriber": "openai:w", "base_url": "https://llm.acme.example/v1"},
         "llm.acme.example"),
        ({"transcriber": "openai:w", "base_url": "http://127.0.0.1:1/v1",
          "transcriber_url": "https://speech.example/v1"}, "speech.example"),
    ],
)  # fmt: skip
def test_who_gets_the_recordings(settings: dict[str, Any], to: str) -> None:
    assert receiver(Config(**settings)) == to


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("transcriber", "whisper-1", "transcriber: 'whisper-1' is no transcriber; write hugg"),
        ("transcriber", "huggingface:", "is no transcriber"),
        ("transcriber", "groq:whisper", "is no transcriber"),
        ("transcriber", 3, "transcriber: 3"),
        ("transcriber_url", "speech", "transcriber_url: 'speech' is no address"),
    ],
)
def test_settings_that_name_no_transcriber(key: str, value: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Config().with_values({key: value}, "tailor.toml")


def test_a_name_without_a_known_provider() -> None:
    with pytest.raises(UsageError, match="write `huggingface:PATH-or-ID` of a Whisper model"):
        transcriber("whisper-1", Config())
