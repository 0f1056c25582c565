"""Mutated documents of 16 formats, read through the parser box and by the readers themselves.

    python tests/fuzz/documents.py [--documents N] [--seed S] [--first I] [--directly D]
                                   [--processes P] [--keep DIR]

Every document is read or refused by a sentence: no exception but the readers' own refusal, no
crash, none beyond the time and memory of the box. Which one is document I of seed S depends on
nothing else, so that ``--seed S --first I --documents 1`` makes it again; ``--keep`` writes those
that failed to a folder. All go through the box, and every D-th to the readers themselves. The exit
status is 1 where one failed.

Text recognition is left out: it is another program.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath
from random import Random

from mutation import mutated
from rich.console import Console
from seeds import Seed, seeds

from tailor.documents.box import Box
from tailor.documents.document import Document, Unread, documents
from tailor.documents.refusal import Refused

console = Console(markup=False, highlight=False, soft_wrap=True)
_LIMITS = re.compile(r"took longer than|needs more than|the parser crashed|cannot be read \(\w+\)$")
"""What the box says where a reader did what none may do."""
_OWN = str(Path("tailor", "documents"))


@dataclass(frozen=True)
class Result:
    """What became of one document."""

    number: int
    form: str
    name: str
    said: str
    """Why it was refused, "" where it was read."""
    seconds: float
    failure: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became of them; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--directly", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args(arguments)
    os.environ["PATH"] = str(Path(sys.executable).parent)
    whole = seeds()
    began = time.monotonic()
    with Box(processes=given.processes) as box, ThreadPoolExecutor(given.processes) as pool:
        for own in (seed for found in whole.values() for seed in found):
            box.read(own.name, own.content)  # a refusal here is a broken seed
        numbers = range(given.first, given.first + given.documents)
        results = list(pool.map(lambda n: one(n, given, whole, box), numbers))
        box.close()
        told(results, given.seed, time.monotonic() - began, box.peak)
    return int(any(result.failure for result in results))


def one(
    number: int, given: argparse.Namespace, whole: Mapping[str, Sequence[Seed]], box: Box
) -> Result:
    """Make document ``number`` and read it, maybe twice."""
    seed, keep = given.seed, given.keep
    name, form, content = made(number, seed, whole)
    began = time.monotonic()
    said, failure = "", ""
    try:
        box.read(name, content)
    except Refused as refused:
        said = refused.reason
        failure = said if _LIMITS.search(said) else ""
    seconds = time.monotonic() - began
    if not failure and number % given.directly == 0:
        failure = directly(name, content)
    if failure:
        console.print(f"seed {seed}, document {number}, {name}: {failure}")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{number}-{PurePath(name).name}").write_bytes(content)
    return Result(number, form, name, said, seconds, failure)


def made(number: int, seed: int, whole: Mapping[str, Sequence[Seed]]) -> tuple[str, str, bytes]:
    """The name, format and content of a mutated document."""
    random = Random(f"{seed}-{number}")
    forms = sorted(whole)
    form = forms[number % len(forms)]
    own = random.choice(whole[form])
    others = [random.choice(whole[form]), random.choice(whole[random.choice(forms)])]
    return own.name, form, mutated(own, others, random)


def directly(name: str, content: bytes) -> str:
    """What the readers did, without a box, that none may do: "" where nothing.

    That a library raised over a broken file is no failure, that our own code did is one, although
    `tailor.documents.readers.read` makes a refusal of both.
    """
    try:
        found = documents(content, name)
    except Refused as refused:
        cause = refused.__cause__
        return _fault(cause) if cause is not None else ""
    except Exception:
        return f"not a refusal: {traceback.format_exc().splitlines()[-1]}"
    bad = [one for one in found if not isinstance(one, Document | Unread) or not whole_text(one)]
    return f"not a document: {bad[0].path}" if bad else ""


def whole_text(found: Document | Unread) -> bool:
    """Whether the places lie in the text, in order."""
    if isinstance(found, Unread):
        return bool(found.reason)
    ends = [0, *(end for place in found.places for end in (place.start, place.end))]
    return ends == sorted(ends) and ends[-1] == len(found.text) and "\0" not in found.text


def _fault(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    own = _OWN in frame.filename
    return (
        f"own code: {type(error).__name__} in {Path(frame.filename).name}:{frame.lineno} ({error})"
        if own
        else ""
    )


def told(results: Sequence[Result], seed: int, took: float, peak: int) -> None:
    """Print the table."""
    console.print(f"{'format':8}{'documents':>10}{'read':>8}{'refused':>9}  most frequent reasons")
    for form in sorted({result.form for result in results}):
        own = [result for result in results if result.form == form]
        read = sum(not result.said for result in own)
        reasons = Counter(_short(result.said) for result in own if result.said)
        often = "; ".join(f"{n} {reason}" for reason, n in reasons.most_common(3))
        console.print(f"{form:8}{len(own):>10}{read:>8}{len(own) - read:>9}  {often}")
    slowest = max(results, key=lambda result: result.seconds)
    kinds = len({_short(result.said) for result in results})
    console.print(
        f"seed {seed}: {len(results)} documents, "
        f"{sum(not result.said for result in results)} read, {kinds} kinds of reasons, "
        f"{sum(bool(result.failure) for result in results)} failed; {took:.0f} s, slowest "
        f"{slowest.seconds:.2f} s (document {slowest.number}), {peak >> 20} MB at most"
    )


def _short(reason: str) -> str:
    return re.sub(r"\d+", "n", reason)[:60]


if __name__ == "__main__":
    sys.exit(main())
