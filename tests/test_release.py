"""What the release program checks before it installs anything: each check can fail."""

from __future__ import annotations

import io
import runpy
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
release = runpy.run_path(str(ROOT / ".ci" / "release"))
Failed = release["Failed"]
ABOUT = ("LICENSE", "README.md", "pyproject.toml")


def wheel(at: Path, files: Mapping[str, bytes]) -> Path:
    path = at / f"{len(list(at.iterdir()))}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def sdist(at: Path, *names: str, data: bytes = b"", account: str = "") -> Path:
    path = at / f"{len(list(at.iterdir()))}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"llm_tailor-0.1.0/{name}")
            member.size, member.uname = len(data), account
            archive.addfile(member, io.BytesIO(data))
    return path


def refused(check: Callable[..., str], *given: Any) -> str:
    with pytest.raises(Failed) as caught:
        check(*given)
    return str(caught.value)


def test_a_wheel_holds_every_source_file_as_it_is(tmp_path: Path) -> None:
    check, whole = release["same_files"], release["packaged"](ROOT)
    weights = "tailor/models/shipped/reader/model.safetensors"
    assert {weights, "tailor/stages/baseline.py", "tailor/ui/vi.json"} <= whole.keys()
    assert check(wheel(tmp_path, whole), ROOT).startswith(f"{len(whole)} files, ")
    for change in ({weights: whole[weights][:-9]}, {"tailor/other.py": b""}):
        assert next(iter(change)) in refused(check, wheel(tmp_path, whole | change), ROOT)
    left = {name: data for name, data in whole.items() if name != "tailor/ui/vi.json"}
    assert "tailor/ui/vi.json" in refused(check, wheel(tmp_path, left), ROOT)


def test_no_file_tells_where_it_was_made(tmp_path: Path) -> None:
    check, plain = release["no_paths"], wheel(tmp_path, {"tailor/a.py": b"~/notes/a.txt"})
    assert check(plain, sdist(tmp_path, *ABOUT)) == "4 files"
    for place in (ROOT, Path.home(), Path(tempfile.gettempdir())):
        told = f'path = "{place}/notes/a.txt"'.encode()
        telling = wheel(tmp_path, {"tailor/a.py": told})
        assert "tailor/a.py" in refused(check, telling, sdist(tmp_path, *ABOUT))
        assert "README.md" in refused(check, plain, sdist(tmp_path, "README.md", data=told))
    assert "ann" in refused(check, plain, sdist(tmp_path, *ABOUT, account="ann"))


def test_an_sdist_has_no_tests_and_all_it_is_built_from(tmp_path: Path) -> None:
    check = release["no_tests"]
    assert check(sdist(tmp_path, *ABOUT)).endswith(" MB")
    assert "tests/test_a.py" in refused(check, sdist(tmp_path, *ABOUT, "tests/test_a.py"))
    assert "no LICENSE" in refused(check, sdist(tmp_path, "README.md", "pyproject.toml"))


def test_two_wheels_are_compared_by_their_files(tmp_path: Path) -> None:
    one = wheel(tmp_path, {"tailor/a.py": b"1", "llm_tailor-0.1.0.dist-info/RECORD": b"x"})
    assert release["equal"](one, wheel(tmp_path, {"tailor/a.py": b"1"})) == "1 files"
    assert "tailor/a.py" in refused(release["equal"], one, wheel(tmp_path, {"tailor/a.py": b"2"}))


def test_a_command_that_fails_or_does_not_end_is_a_sentence() -> None:
    said = release["said"]
    assert said(["sh", "-c", "echo well"], 60) == "well\n"
    assert "ended with 3:\nbad" in refused(said, ["sh", "-c", "echo bad >&2; exit 3"], 60)
    assert "more than 0.2 s" in refused(said, ["sleep", "60"], 0.2)


def test_the_version_has_its_notes() -> None:
    assert release["notes"]().startswith(f"{release['PROJECT']['project']['version']}, ")
