"""2,000 mutated documents; ``documents.py`` here reads as many more as are wanted."""

from __future__ import annotations

import os
from random import Random

import documents
import pytest
from seeds import Seed, seeds

from tailor.documents.document import document
from tailor.documents.refusal import Refused


def test_mutated_documents_are_read_or_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another seed each time; it is printed, and makes the same documents again."""
    monkeypatch.setenv("PATH", os.environ["PATH"])  # the program changes it
    seed = Random().randrange(1 << 32)
    failed = documents.main(["--documents", "2000", "--directly", "8", "--seed", str(seed)])
    said = capsys.readouterr().out
    assert not failed, said
    read = int(said.rpartition(" documents, ")[2].split()[0])
    assert 600 < read < 1900, said  # damage that is read past, and damage that is refused
    assert said.count("broken: ") > 10, said


def test_a_failure_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader may not do is a failure, although a refusal is made of it."""
    monkeypatch.setattr("tailor.documents.readers.csv._SIGNS", None)
    assert documents.directly("a.csv", b"a,b\n1,2\n").startswith("own code: TypeError in csv.py")
    monkeypatch.undo()
    assert documents.directly("a.csv", b"a,b\n1,2\n") == ""
    with pytest.raises(Refused):
        document(b"\x00\x01\x02" * 9, "a.csv")
    assert documents.directly("a.csv", b"\x00\x01\x02" * 9) == ""


def test_the_same_seed_makes_the_same_documents() -> None:
    whole: dict[str, list[Seed]] = seeds()
    assert len(whole) == 16
    one, again = (documents.made(3, 5, whole) for _ in range(2))
    assert one[2] == again[2]
    assert documents.made(3, 6, whole)[2] != one[2]
