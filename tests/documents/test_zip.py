"""ZIP archives as folders, friendly and hostile."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Mapping

import pytest

from tailor.documents.document import Document, Unread, documents
from tailor.documents.readers import zip as archives
from tailor.documents.refusal import Refused


def packed(files: Mapping[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def read(content: bytes) -> dict[str, Document | Unread]:
    return {found.path: found for found in documents(content, "a.zip")}


def refusal(content: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read(content)
    return caught.value


def reasons(content: bytes) -> dict[str, str]:
    return {p: f.reason for p, f in read(content).items() if isinstance(f, Unread)}


def texts(content: bytes) -> dict[str, str]:
    return {p: f.text for p, f in read(content).items() if isinstance(f, Document)}


def test_each_file_is_a_document_of_its_own() -> None:
    content = packed(
        {
            "hr/": "",
            "hr/leave.md": "# Leave\n\n12 days.",
            "hr/prices.csv": "Box,Rent\nA,5\n",
            "inner.zip": packed({"data.json": json.dumps({"a": 1}), "b.txt": "in the archive"}),
            "__MACOSX/hr/._leave.md": "x",
            "hr/.DS_Store": "x",
            "empty.txt": "",
            "film.xyz": "what is this",
        }
    )
    assert texts(content) == {
        "a.zip/hr/leave.md": "# Leave\n\n12 days.",
        "a.zip/hr/prices.csv": "Box: A; Rent: 5",
        "a.zip/inner.zip/data.json": "a: 1",
        "a.zip/inner.zip/b.txt": "in the archive",
    }
    told = reasons(content)
    assert set(told) == {"a.zip/empty.txt", "a.zip/film.xyz"}
    assert told["a.zip/empty.txt"] == "the file is empty"
    assert "unknown format .xyz" in told["a.zip/film.xyz"]
    place = read(content)["a.zip/hr/leave.md"]
    assert isinstance(place, Document)
    assert [p.name for p in place.places] == ["Leave"]


def test_names_that_lead_out_are_refused() -> None:
    names = ("../../etc/cron.txt", "/etc/passwd.txt", "C:\\Windows\\a.txt", "hr\\..\\..\\b.txt")
    content = packed({**dict.fromkeys(names, "text"), "good\\plan.txt": "fine"})
    assert texts(content) == {"a.zip/good/plan.txt": "fine"}
    told = reasons(content)
    assert len(told) == 4
    assert set(told.values()) == {"its name leads out of the archive"}
    assert all(".." not in path.split("/") for path in told)


def test_links_and_repeated_names_are_refused() -> None:
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    content = packed({link: "/etc/passwd", "a.txt": "one"})
    with (
        zipfile.ZipFile(stream := io.BytesIO(content), "a") as archive,
        pytest.warns(UserWarning, match="Dup"),
    ):
        archive.writestr("a.txt", "two")
    assert texts(stream.getvalue()) == {"a.zip/a.txt": "one"}
    assert sorted(reasons(stream.getvalue()).values()) == [
        "a link or device in an archive",
        "another file in the archive has the same name",
    ]


def test_a_third_archive_inside_is_not_opened() -> None:
    third = packed({"deep.txt": "deep"})
    content = packed({"2.zip": packed({"3.zip": third, "ok.txt": "ok"})})
    assert texts(content) == {"a.zip/2.zip/ok.txt": "ok"}
    assert "archive in an archive" in reasons(content)["a.zip/2.zip/3.zip"]


def test_an_archive_that_holds_itself_ends() -> None:
    content = packed({"a.txt": "text"})
    for _ in range(50):
        content = packed({"a.zip": content})
    assert not texts(content)
    assert len(reasons(content)) == 1


def test_bombs_are_refused_before_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> bytes:
        raise AssertionError("unpacked")

    bomb = packed({f"{n}.txt": bytes(12 << 20) for n in range(3)})
    assert len(bomb) < 1 << 20
    many = packed({f"{n}.txt": b"" for n in range(50)})
    with monkeypatch.context() as patch:
        patch.setattr(archives, "_unpacked", opened)
        assert "times its size" in refusal(bomb).reason
        patch.setattr(archives, "LARGEST", 30 << 20)
        assert "unpacks to 36 MB in 3 files" in refusal(bomb).reason
        patch.setattr(archives, "MOST_ENTRIES", 49)
        assert "in 50 files" in refusal(many).reason
    patch = monkeypatch
    patch.setattr(archives, "LARGEST_MEMBER", 1000)
    assert "larger than" in reasons(packed({"a.txt": "x" * 1001}))["a.zip/a.txt"]


def test_archives_inside_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST", 5000)
    inner = [packed({"a.txt": f"text {n} " * 250}) for n in range(4)]
    content = packed({f"{n}.zip": data for n, data in enumerate(inner)})
    assert 1 <= len(texts(content)) < 4
    assert "more than is opened at once" in " ".join(reasons(content).values())


def test_a_size_that_is_a_lie_is_not_believed() -> None:
    content = packed({"a.txt": "x" * 5000})
    lie = content.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lie != content
    assert "damaged in the archive" in reasons(lie)["a.zip/a.txt"]


def test_encrypted_and_damaged_files_are_named_and_the_others_read() -> None:
    content = bytearray(packed({"secret.txt": "s" * 99, "ok.txt": "fine"}))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        central = content.index(b"PK\x01\x02")
        local = archive.getinfo("secret.txt").header_offset
    content[local + 6] |= 1
    content[central + 8] |= 1
    assert texts(bytes(content)) == {"a.zip/ok.txt": "fine"}
    assert "password-protected" in reasons(bytes(content))["a.zip/secret.txt"]
    whole = packed({"a.txt": "some text " * 50})
    start = whole.index(b"a.txt") + 5
    torn = whole[:start] + b"\xff" * 5 + whole[start + 5 :]
    assert "damaged in the archive" in reasons(torn)["a.zip/a.txt"]
    assert "damaged or cut off" in refusal(whole[: len(whole) // 2]).reason
    assert refusal(packed({})).status == "empty"


def test_names_in_old_encodings() -> None:
    entry = zipfile.ZipInfo("quy-chÕ-l\xadng.txt")
    raw = "Quy chÕ l­¬ng, nghØ phÐp ®­îc h­ëng.txt".encode("cp1252")
    entry.filename = raw.decode("cp437")
    content = bytearray(packed({entry: "text"}))
    # zipfile marks a name beyond ASCII as UTF-8; old programs wrote the bytes alone.
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = archive.infolist()[0].filename.encode()
    old = bytes(content).replace(name, raw.ljust(len(name), b"_"))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = old.index(signature) + flags
        old = old[: at + 1] + bytes([old[at + 1] & ~0x08]) + old[at + 2 :]
    (path,) = [*texts(old), *reasons(old)]
    assert path.startswith("a.zip/Quy chế lương, nghỉ phép được hưởng")


def test_cut_anywhere_it_is_read_or_refused() -> None:
    whole = packed({"a.txt": "some text", "b.zip": packed({"c.md": "# C\n\ntext"})})
    for cut in range(0, len(whole), 7):
        for content in (whole[:cut], whole[:cut] + b"\xff\x00" + whole[cut + 2 :]):
            with contextlib.suppress(Refused):
                read(content)
