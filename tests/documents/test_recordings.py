"""Recordings of meetings: transcript and minutes, kept, paid for once, and nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tailor.answers import AnswerStore
from tailor.config import Config
from tailor.documents.document import Document, Unread
from tailor.documents.ingest import IngestReport
from tailor.documents.meeting import transcript_document
from tailor.documents.minutes import SCHEMA, Action, Decision, Minutes, NoMinutes, Writer
from tailor.documents.recordings import Recordings, Unfinished, announcements, recordings
from tailor.documents.refusal import Refused
from tailor.models.transcriber import Segment, Transcript
from tailor.testing import (
    Fault,
    Messages,
    OpenAIServer,
    Request,
    rate_limited,
    server_error,
    slow,
    unauthorized,
)
from tailor.workspace import Workspace

Command = Callable[..., Any]

RATE = 16_000
SAID = {
    "en": (
        "Good morning, this is Lan Tran, with Peter Holm.",
        "We decided to move the launch to the fifth of May.",
        "Peter sends the offer to Isfold by Friday.",
    ),
    "vi": (
        "Chào cả nhà, tôi là Trần Thị Lan.",
        "Chúng ta chốt dời ngày ra mắt sang mồng năm tháng năm.",
        "Anh Bình gửi báo giá trước thứ sáu.",
    ),
}
MINUTES = {
    "en": {
        "subject": "Launch of Frostbox",
        "summary": "The launch moves to May.",
        "participants": ["Lan Tran", "Peter Holm"],
        "decisions": [{"decision": "The launch moves to the fifth of May.", "time": "00:01:10"}],
        "actions": [
            {"task": "Send the offer to Isfold", "owner": "Peter Holm", "due": "Friday",
             "time": "00:02:20"}
        ],
    },
    "vi": {
        "subject": "Ngày ra mắt",
        "summary": "Dời ngày ra mắt.",
        "participants": ["Trần Thị Lan"],
        "decisions": [{"decision": "Ra mắt ngày mồng năm tháng năm.", "time": "00:01:10"}],
        "actions": [
            {"task": "Gửi báo giá", "owner": "anh Bình", "due": "thứ sáu", "time": ""}
        ],
    },
}  # fmt: skip


class Office:
    """A server that hears and writes minutes, and counts both."""

    def __init__(self) -> None:
        self.language = "en"
        self.reply: str | None = None
        self.server = OpenAIServer(self._write, self._fault, self._hear)
        self.faults: list[tuple[str, Fault]] = []

    def _hear(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        seconds = (len(fields["file"]) - 44) / 2 / RATE
        segments = [
            {"start": at * 70.0, "end": at * 70.0 + 4, "text": f" {text}"}
            for at, text in enumerate(SAID[self.language])
            if at * 70 < seconds
        ]
        return {"language": self.language, "text": "", "segments": segments}

    def _write(self, messages: Messages) -> str:
        said = json.dumps(MINUTES[self.language], ensure_ascii=False)
        return said if self.reply is None else self.reply

    def _fault(self, request: Request) -> Fault | None:
        if self.faults and request.path.endswith(self.faults[0][0]):
            return self.faults.pop(0)[1]
        return None

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.server.requests if request.path.endswith(path)]

    @property
    def heard(self) -> int:
        return len(self.asked("transcriptions"))

    @property
    def written(self) -> int:
        return len(self.asked("completions"))

    def config(self, **settings: Any) -> Config:
        values = {
            "model": "openai:double",
            "base_url": self.server.url,
            "transcriber": "openai:whisper-1",
            "retries": 1,
            **settings,
        }
        return Config(**values)


@pytest.fixture
def office() -> Iterator[Office]:
    opened = Office()
    with opened.server:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    opened = AnswerStore(tmp_path / "answers.db")
    yield opened
    opened.close()


def record(path: Path, seconds: float = 210, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = np.random.default_rng(seed).normal(size=int(seconds * RATE)) * 3000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    return path


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return record(tmp_path / "talk.wav")


def made(config: Config, store: AnswerStore) -> Recordings:
    found = recordings(config, lambda: store)
    assert found is not None
    return found


def both(found: Sequence[Document | Unread]) -> tuple[Document, Document]:
    transcript, minutes = found
    assert isinstance(transcript, Document)
    assert isinstance(minutes, Document)
    return transcript, minutes


def sections(document: Document) -> dict[str, str]:
    return {place.name: document.text[place.start : place.end] for place in document.places}


def test_a_meeting_gives_two_documents_linked_to_the_recording(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    office.faults = [("transcriptions", rate_limited(0)), ("completions", rate_limited(0))]
    transcript, minutes = both(made(office.config(), store)(talk, "meetings/talk.wav"))
    assert transcript.path == "meetings/talk.wav/transcript"
    assert sections(transcript) == {
        "00:00:00": SAID["en"][0],
        "00:01:10": SAID["en"][1],
        "00:02:20": SAID["en"][2],
    }
    assert transcript.language == "en"
    assert transcript.note == "transcribed by openai:whisper-1"
    assert minutes.path == "meetings/talk.wav/minutes"
    assert minutes.sha256 == transcript.sha256
    assert minutes.text == (
        "# Minutes: Launch of Frostbox\n\n"
        "Written by openai:double from the transcript of a recording of 00:03:30; what was said "
        "counts.\n\n"
        "## Summary\n\nThe launch moves to May.\n\n"
        "## Participants\n\n- Lan Tran\n- Peter Holm\n\n"
        "## Decisions\n\n- The launch moves to the fifth of May. (00:01:10)\n\n"
        "## Actions\n\n- Send the offer to Isfold (owner: Peter Holm; due: Friday; 00:02:20)"
    )
    assert list(sections(minutes)) == ["Minutes", "Summary", "Participants", "Decisions", "Actions"]
    assert (office.heard, office.written) == (2, 2)


def test_the_model_is_given_times_and_held_to_a_form(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    both(made(office.config(), store)(talk, "talk.wav"))
    (request,) = office.asked("completions")
    assert request.question.splitlines()[1] == f"[00:01:10] {SAID['en'][1]}"
    schema = request.body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == list(SCHEMA["properties"])
    instructions = str(request.messages[0]["content"])
    assert instructions.startswith("You write the minutes")
    json.loads(instructions.partition("\n")[2])


def test_a_vietnamese_meeting_is_minuted_in_vietnamese(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    office.language = "vi"
    transcript, minutes = both(made(office.config(), store)(talk, "talk.wav"))
    assert (transcript.language, minutes.language) == ("vi", "vi")
    assert minutes.text.startswith("# Biên bản: Ngày ra mắt\n\nDo openai:double viết")
    assert "- Gửi báo giá (phụ trách: anh Bình; hạn: thứ sáu)" in minutes.text
    instructions = str(office.asked("completions")[0].messages[0]["content"])
    assert instructions.startswith("Bạn viết biên bản cuộc họp")
    json.loads(instructions.partition("\n")[2])


def test_nothing_is_paid_for_twice(office: Office, store: AnswerStore, talk: Path) -> None:
    first = both(made(office.config(), store)(talk, "talk.wav"))
    assert both(made(office.config(), store)(talk, "talk.wav")) == first
    moved = both(made(office.config(), store)(talk.rename(talk.with_name("b.wav")), "b/b.wav"))
    assert [d.text for d in moved] == [d.text for d in first]
    assert [d.path for d in moved] == ["b/b.wav/transcript", "b/b.wav/minutes"]
    assert (office.heard, office.written) == (1, 1)


def test_documents_do_not_change_with_the_model_that_is_measured(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    first = made(office.config(), store)
    written = both(first(talk, "talk.wav"))
    other = made(office.config(model="openai:other"), store)
    assert other.fingerprint == first.fingerprint
    assert both(other(talk, "talk.wav")) == written
    assert both(made(office.config(model="shipped"), store)(talk, "talk.wav")) == written
    assert (office.heard, office.written) == (1, 1)
    louder = made(office.config(transcriber="openai:other"), store)
    assert louder.fingerprint != first.fingerprint


def test_a_model_that_cannot_write_leaves_the_minutes_out_and_says_so(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    weak = made(office.config(model="shipped"), store)
    (transcript,) = weak(talk, "talk.wav")
    assert isinstance(transcript, Document)
    assert transcript.note == (
        "transcribed by openai:whisper-1; for minutes, set model in tailor.toml to one that can "
        "write them"
    )
    able = made(office.config(), store)
    assert able.fingerprint != weak.fingerprint
    both(able(talk, "talk.wav"))
    assert (office.heard, office.written) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "says"), [(server_error(), "server: "), (unauthorized(), "auth: ")]
)
def test_failed_minutes_keep_the_transcript_and_are_tried_again(
    office: Office, store: AnswerStore, talk: Path, fault: Fault, says: str
) -> None:
    office.faults = [("completions", fault)] * 2
    with pytest.raises(Unfinished) as unfinished:
        made(office.config(), store)(talk, "talk.wav")
    transcript, minutes = unfinished.value.documents
    assert isinstance(transcript, Document)
    assert isinstance(minutes, Unread)
    assert SAID["en"][0] in transcript.text
    assert minutes.path == "talk.wav/minutes"
    assert says in minutes.reason
    assert minutes.reason.endswith("it is tried again at the next `tailor ingest`")
    office.faults = []
    both(made(office.config(), store)(talk, "talk.wav"))
    assert office.heard == 1


def test_a_failed_transcription_is_told_and_tried_again(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    office.faults = [("transcriptions", server_error())] * 2
    meetings = made(office.config(), store)
    with pytest.raises(Unfinished, match=r"not transcribed: server: .*tried again") as unfinished:
        meetings(talk, "talk.wav")
    assert unfinished.value.documents == ()
    both(meetings(talk, "talk.wav"))


def test_a_wrong_key_is_tried_once_and_not_with_every_recording(
    office: Office, store: AnswerStore, talk: Path, tmp_path: Path
) -> None:
    office.faults = [("transcriptions", unauthorized())]
    meetings = made(office.config(), store)
    for path in (talk, record(tmp_path / "b.wav", 1, seed=1)):
        with pytest.raises(Unfinished, match="auth: "):
            meetings(path, path.name)
    assert office.heard == 1
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF....WAVE")
    with pytest.raises(Refused, match="broken"):
        meetings(broken, "broken.wav")


@pytest.mark.parametrize("reply", ["I am sorry.", "{}", '{"decisions": [3]}', '{"actions": 3}'])
def test_a_reply_that_is_no_minutes_is_never_taken_for_one(
    office: Office, store: AnswerStore, talk: Path, reply: str
) -> None:
    office.reply = reply
    for _ in range(2):
        with pytest.raises(Unfinished, match=r"the minutes were not written: .*the reply"):
            made(office.config(), store)(talk, "talk.wav")
    assert office.written == 2  # held to the form, then not; both replies are kept


def test_a_server_that_cannot_hold_to_a_form_is_asked_plainly(
    office: Office, store: AnswerStore, talk: Path
) -> None:
    office.faults = [("completions", Fault(400, body='{"error": {"message": "no such form"}}'))]
    office.reply = f"Here they are:\n```json\n{json.dumps(MINUTES['en'])}\n```"
    both(made(office.config(), store)(talk, "talk.wav"))
    first, second = office.asked("completions")
    assert "response_format" in first.body
    assert "response_format" not in second.body


def test_a_long_transcript_is_read_in_parts_and_put_together(
    office: Office, store: AnswerStore
) -> None:
    wrote = Writer.of(office.config(), store)
    lines = [f"[00:{at // 60:02}:{at % 60:02}] {'word ' * 20}{at}" for at in range(600)]
    assert wrote.write(lines, "en") == Minutes.read(MINUTES["en"])
    *parts, last = office.asked("completions")
    assert len(parts) == 8
    given = [line for part in parts for line in part.question.splitlines()[1:]]
    assert given == lines
    assert parts[1].question.startswith("Part 2 of 8 of the transcript.")
    assert str(last.messages[0]["content"]).startswith("You are given the minutes of")
    assert len(last.question.splitlines()) == 8
    assert max(len(request.question) for request in office.server.requests) < 17_000


def test_nobody_speaks_and_broken_files_are_refused_by_reason(
    office: Office, store: AnswerStore, tmp_path: Path
) -> None:
    meetings = made(office.config(), store)
    silent = tmp_path / "silent.wav"
    with wave.open(str(silent), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(RATE))
    with pytest.raises(Refused, match="nobody speaks in it") as refused:
        meetings(silent, "silent.wav")
    assert refused.value.status == "empty"
    assert office.server.count == 0


def test_places_are_at_most_a_minute_and_end_at_pauses() -> None:
    times = [(0, 8), (8, 30), (34, 50), (50, 70), (70, 95), (95, 130), (130, 210)]
    said = tuple(Segment(start, end, f"Sentence {start}.") for start, end in times)
    document = transcript_document(Transcript(210, said), "a.mp3", "")
    assert sections(document) == {
        "00:00:00": "Sentence 0.\nSentence 8.",
        "00:00:34": "Sentence 34.\nSentence 50.",
        "00:01:10": "Sentence 70.\nSentence 95.",
        "00:02:10": "Sentence 130.",
    }


def test_the_minutes_that_a_reply_holds() -> None:
    minutes = Minutes.read({"summary": "A  b", "participants": [" Lan ", ""], "actions": None})
    assert minutes == Minutes(summary="A b", participants=("Lan",))
    bare = Minutes.read({"decisions": ["Go"], "actions": [{"task": "Go", "owner": ["A", "B"]}]})
    assert bare == Minutes(decisions=(Decision("Go"),), actions=(Action("Go", "A, B"),))
    assert Minutes.read({"subject": "", "decisions": []}) == Minutes()
    with pytest.raises(NoMinutes):
        Minutes.read([MINUTES["en"]])


def test_what_is_said_before(tmp_path: Path) -> None:
    hosted = Config(model="openai:gpt", transcriber="openai:whisper-1")
    assert announcements(hosted, tmp_path) == ()
    (tmp_path / "b").mkdir()
    for name in ("a.pdf", "b/Talk.MP3", "c.wav"):
        (tmp_path / name).touch()
    assert announcements(hosted, tmp_path) == (
        "Sent to openai, which writes them down, where new or changed: b/Talk.MP3, c.wav.",
        "Sent to openai, which writes minutes: the transcripts of new recordings.",
    )
    assert announcements(Config(transcriber="huggingface:x"), tmp_path) == (
        "Minutes are left out: set model in tailor.toml to one that can write them.",
    )
    assert announcements(Config(model="openai:gpt"), tmp_path) == ()


# In a workspace


@pytest.fixture
def company(workspace: Workspace, office: Office) -> Workspace:
    """The workspace of conftest.py with two recordings and an office to write them down."""
    record(workspace.knowledge / "meetings" / "talk.wav")
    record(workspace.knowledge / "loud.mp3", 30, seed=1)  # a wav file, whatever its name
    values = {
        "model": "openai:double",
        "base_url": office.server.url,
        "transcriber": "openai:whisper-1",
        "retries": 0,
    }
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in values.items()]
    (workspace.root / "tailor.toml").write_text("".join(lines), "utf-8")
    return Workspace(workspace.root)


def statuses(report: IngestReport) -> dict[str, str]:
    inside = ("meetings/talk.wav", "loud.mp3", "broken.wav")
    return {file.path: file.status for file in report.files if file.path.startswith(inside)}


def reasons(ended: Any) -> dict[str, tuple[str, str]]:
    assert ended.code == 0
    return {file["path"]: (file["status"], file["reason"]) for file in ended.json["files"]}


ALL = (
    *("loud.mp3", "loud.mp3/minutes", "loud.mp3/transcript"),
    *("meetings/talk.wav", "meetings/talk.wav/minutes", "meetings/talk.wav/transcript"),
)


def test_ingested_meetings_are_found_with_their_times_and_cost_once(
    company: Workspace, office: Office
) -> None:
    told: list[tuple[str, int, int]] = []
    report = company.ingest(progress=lambda *now: told.append(now))
    assert statuses(report) == dict.fromkeys(ALL, "indexed")
    assert told.count(("transcribing", 1, 1)) == 2
    found = company.search("When does the launch move?", k=3)
    said = next(p for p in found if p.document.endswith("/transcript"))
    assert said.place == "00:01:10"
    assert (office.heard, office.written) == (2, 2)
    again = Workspace(company.root).ingest()
    assert statuses(again) == dict.fromkeys(ALL, "unchanged")
    assert again.generation == report.generation
    assert again.embedded == 0
    assert (office.heard, office.written) == (2, 2)


def test_a_moved_recording_costs_nothing(company: Workspace, office: Office) -> None:
    company.ingest()
    asked = office.server.count
    talk = company.knowledge / "meetings" / "talk.wav"
    talk.rename(company.knowledge / "moved.wav")
    report = Workspace(company.root).ingest()
    assert {f.path for f in report.files if f.status == "moved"} >= {"moved.wav/minutes"}
    assert (report.embedded, office.server.count) == (0, asked)


def test_one_broken_recording_does_not_keep_the_others_out(company: Workspace) -> None:
    (company.knowledge / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    report = company.ingest()
    assert statuses(report)["broken.wav"] == "refused"
    assert statuses(report)["loud.mp3/minutes"] == "indexed"


def test_minutes_that_failed_come_with_the_next_ingest(company: Workspace, office: Office) -> None:
    office.faults = [("completions", unauthorized())]
    report = company.ingest()
    assert statuses(report)["loud.mp3/transcript"] == "indexed"
    assert statuses(report)["loud.mp3/minutes"] == "refused"
    places = {passage.place for passage in company.search("When does the launch move?", k=3)}
    assert "00:01:10" in places
    report = Workspace(company.root).ingest()
    assert statuses(report)["loud.mp3/minutes"] == "indexed"
    assert office.heard == 2


def test_without_a_transcriber_recordings_are_named(company: Workspace, tailor: Command) -> None:
    (company.root / "tailor.toml").unlink()
    files = reasons(tailor("ingest", "--json", "-w", company.root))
    for path in ("loud.mp3", "meetings/talk.wav"):
        why = "a recording: set transcriber in tailor.toml to have it written down"
        assert files[path] == ("refused", why)


def test_a_dry_run_sends_and_writes_nothing(
    company: Workspace, office: Office, tailor: Command
) -> None:
    files = reasons(tailor("ingest", "--dry-run", "--json", "-w", company.root))
    assert files["loud.mp3"] == ("indexed", "a recording, which would be written down")
    assert office.server.count == 0
    assert not company.state.exists()


def test_a_local_whisper_writes_down_what_search_finds(
    workspace: Workspace, whisper: Path, tailor: Command
) -> None:
    record(workspace.knowledge / "giao-ban.wav", 5)
    (workspace.root / "tailor.toml").write_text(f'transcriber = "huggingface:{whisper}"\n', "utf-8")
    ended = tailor("ingest", "-w", workspace.root)
    assert ended.code == 0
    assert "Minutes are left out: set model in tailor.toml" in ended.err
    assert "Sent to" not in ended.err
    (found, *_) = Workspace(workspace.root).search("Cuộc họp giao ban dời sang ngày nào?")
    assert found.document == "giao-ban.wav/transcript"
    assert (found.place, found.text) == ("00:00:00", "Cuộc họp giao ban dời sang thứ năm.")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_killed_while_it_transcribes_it_sends_only_the_pieces_that_are_missing(
    company: Workspace, office: Office
) -> None:
    record(company.knowledge / "long.wav", 130, seed=2)
    for path in ("loud.mp3", "meetings/talk.wav"):
        (company.knowledge / path).unlink()
    office.faults = [("transcriptions", slow(0)), ("transcriptions", slow(60))]
    code = "from tailor.cli.main import main; main()"
    short = ("--set", "transcriber=openai:gpt-transcribe")  # in pieces of a minute
    command = [sys.executable, "-c", code, "ingest", "-w", str(company.root), *short]
    child = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        office.server.wait_for(2, timeout=90)
    finally:
        child.kill()
        child.wait(20)
    assert company.answers.count()[0] == 1
    report = Workspace(company.root, {"transcriber": "openai:gpt-transcribe"}).ingest()
    assert {f.path: f.status for f in report.files}["long.wav/minutes"] == "indexed"
    assert office.heard == 4  # three pieces, and the one that was under way
    assert office.written == 1
