"""Sound: the samples of an audio file, decoded in a process of its own within limits."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tailor.documents.refusal import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.int16]

RATE = 16_000
"""Samples per second, one channel: what speech models are given."""
LONGEST_HOURS = 8
DECODING_SECONDS = 600
_MEMORY = 1 << 30
_REFUSED = 3


@contextmanager
def decoded(path: Path) -> Iterator[Samples]:
    """The samples of a wav, mp3, m4a or flac file, whatever its name; on disk, not in memory.

    Raises:
        Refused: the file is none of these, is broken, or has no sound in it.
    """
    import numpy as np

    # On Windows a file that is still mapped cannot be removed.
    with tempfile.TemporaryDirectory(prefix="tailor-", ignore_cleanup_errors=True) as folder:
        target = Path(folder) / "samples"
        command = [sys.executable, "-m", __name__, str(path), str(target)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=DECODING_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Refused(f"not decoded within {DECODING_SECONDS} seconds: split it") from None
        if done.returncode == _REFUSED:
            status, _, reason = done.stdout.decode("utf-8", "replace").strip().partition(" ")
            raise Refused(reason, "empty" if status == "empty" else "refused")
        if done.returncode:
            raise Refused(f"broken: its decoder ended with {done.returncode}")
        if not target.stat().st_size:
            raise Refused("no sound in it", "empty")
        yield np.memmap(target, dtype="<i2", mode="r")


def _format(head: bytes) -> str:
    """The format by the first bytes. It is told to the decoder, which would else also try
    playlists, and these may name other files and addresses."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"fLaC"):
        return "flac"
    if head[4:8] == b"ftyp":
        return "mov"
    frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    if frame and head[1] & 0xF6 == 0xF0:
        return "aac"
    if frame or head.startswith(b"ID3"):
        return "mp3"
    raise Refused("broken: the content is no wav, mp3, m4a or flac sound")


def _decode(source: Path, target: Path) -> None:
    """Write the samples of ``source`` to ``target`` as 16-bit little-endian numbers."""
    import av

    with source.open("rb") as file, target.open("wb") as out:
        head = file.read(16)
        if not head:
            raise Refused("the file is empty", "empty")
        file.seek(0)
        try:
            container = av.open(file, format=_format(head), metadata_errors="ignore")
        except (av.FFmpegError, ValueError) as error:
            raise Refused(f"broken: it cannot be read as sound ({_said(error)})") from error
        with container:
            if not container.streams.audio:
                raise Refused("no sound in it", "empty")
            left = LONGEST_HOURS * 3600 * RATE
            for samples in _samples(container):
                left -= len(samples)
                if left <= 0:
                    raise Refused(f"longer than {LONGEST_HOURS} hours: split it")
                out.write(samples.astype("<i2").tobytes())


def _samples(container: Any) -> Iterator[Samples]:
    """Runs of samples; packets that cannot be decoded are left out where others can."""
    import av

    stream = container.streams.audio[0]
    resampler: Any = None
    shape = None
    damage: Exception | None = None
    some = False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            damage = error
            continue
        for frame in frames:
            if shape != (shape := (frame.sample_rate, frame.format.name, frame.layout.name)):
                resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            frame.pts = None
            for piece in resampler.resample(frame):
                some = some or piece.samples > 0
                yield piece.to_ndarray()[0]
    if resampler is not None:
        for piece in resampler.resample(None):
            yield piece.to_ndarray()[0]
    if damage is not None and not some:
        raise Refused(f"broken: it cannot be decoded ({_said(damage)})")


def _said(error: Exception) -> str:
    """The message alone; as text, the error also gives the path of the file."""
    return str(getattr(error, "strerror", None) or error)[:160]


def _confine(folder: Path) -> None:
    """Like the process that reads documents, but for the size of what it writes."""
    from tailor.documents.confinement import confine

    confine(folder, _MEMORY, may_start=lambda: False)
    with suppress(ImportError):  # Windows has no such limits
        import resource

        for limit, value in (
            (resource.RLIMIT_FSIZE, LONGEST_HOURS * 3600 * RATE * 2),
            (resource.RLIMIT_CPU, DECODING_SECONDS),
        ):
            _, hard = resource.getrlimit(limit)
            resource.setrlimit(limit, (value if hard < 0 else min(value, hard), hard))


if __name__ == "__main__":
    _confine(Path(sys.argv[2]).parent)
    try:
        _decode(Path(sys.argv[1]), Path(sys.argv[2]))
    except Refused as refused:
        sys.stdout.buffer.write(f"{refused.status} {refused.reason}".encode())
        sys.exit(_REFUSED)
