"""Decoding: every format, whatever the name says; broken and hostile files by name."""

import random
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tailor.documents import audio
from tailor.documents.audio import RATE, decoded
from tailor.documents.refusal import Refused

FORMATS = {
    "talk.wav": ("wav", "pcm_s16le"),
    "talk.flac": ("flac", "flac"),
    "talk.mp3": ("mp3", "libmp3lame"),
    "talk.m4a": ("ipod", "aac"),
}
_RANDOM = random.Random(0).randbytes(9000)
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a stereo tone of 440 Hz, 44.1 kHz, in the format of the name."""

    def write(name: str, seconds: float = 2) -> Path:
        form, codec = FORMATS[name]
        tone = np.sin(2 * np.pi * 440 * np.arange(int(seconds * 44100)) / 44100) * 8000
        both = np.repeat(tone.astype("<i2"), 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate = 44100
        with av.open(str(tmp_path / name), "w", format=form) as container:
            stream = container.add_stream(codec, rate=44100, layout="stereo")
            resampler = av.AudioResampler(stream.format.name, "stereo", 44100)
            for piece in (*resampler.resample(frame), None):
                container.mux(stream.encode(piece))
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_becomes_16_khz_mono(write: Write, name: str) -> None:
    with decoded(write(name)) as samples:
        assert len(samples) == pytest.approx(2 * RATE, abs=RATE * 0.1)
        spectrum = np.abs(np.fft.rfft(samples[:RATE].astype(float)))
        assert spectrum.argmax() == 440
        assert np.abs(samples.astype(int)).max() == pytest.approx(8000, rel=0.1)


def test_the_content_decides_not_the_name(write: Write) -> None:
    with decoded(write("talk.wav").rename(write("talk.mp3"))) as samples:
        assert len(samples) == 2 * RATE


def test_what_is_left_of_a_cut_or_damaged_recording_is_heard(write: Write) -> None:
    path = write("talk.mp3")
    content = bytearray(path.read_bytes())
    content[9000:12000] = bytes(3000)
    path.write_bytes(content[:-5000])
    with decoded(path) as samples:
        assert RATE < len(samples) < 2 * RATE


def _no_frames(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))


def _picture(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width = stream.height = 16
        for frame in (av.VideoFrame(16, 16, "yuv420p"), None):
            container.mux(stream.encode(frame))


@pytest.mark.parametrize(
    ("spoil", "status", "says"),
    [
        (lambda p: p.write_bytes(b""), "empty", "the file is empty"),
        (_no_frames, "empty", "no sound in it"),
        (lambda p: p.write_bytes(p.read_bytes()[:20] + b"\xff" * 400), "refused", "broken"),
        (lambda p: p.write_text("no sound at all"), "refused", "no wav, mp3, m4a or flac"),
        (lambda p: p.write_bytes(b"\xff\xfb" + _RANDOM), "refused", "broken"),
        (_picture, "empty", "no sound in it"),
    ],
)
def test_what_is_no_sound_is_refused_with_the_reason(
    write: Write, spoil: Callable[[Path], None], status: str, says: str
) -> None:
    path = write("talk.wav")
    spoil(path)
    with pytest.raises(Refused, match=says) as refused, decoded(path):
        pass
    assert refused.value.status == status
    assert str(path) not in refused.value.reason


def test_a_playlist_opens_no_other_file(write: Write, tmp_path: Path) -> None:
    secret = write("talk.mp3")
    playlist = tmp_path / "meeting.m4a"
    playlist.write_text(f"#EXTM3U\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n", "utf-8")
    with pytest.raises(Refused, match="no wav, mp3, m4a or flac"), decoded(playlist):
        pass


def test_a_decoder_that_does_not_end_is_ended(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "DECODING_SECONDS", 0.01)
    with pytest.raises(Refused, match="split it"), decoded(write("talk.wav")):
        pass


def test_nothing_is_left_behind(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("talk.flac")
    monkeypatch.setattr(audio.tempfile, "tempdir", str(path.parent))
    with decoded(path) as samples:
        assert len(list(path.parent.iterdir())) == 2
        assert len(samples)
    assert list(path.parent.iterdir()) == [path]
