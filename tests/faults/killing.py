"""Processes that are killed on purpose, forked from one that is warm and has one thread.

A `Scenario` is work on a workspace that is told again and again, killed each time at another point
of `tailor.fault`, and in the end left to finish; it says what became of what was acknowledged.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tailor import fault

LONGEST = 120
"""Seconds after which a process is taken to hang."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    """Negative: the signal that ended it."""
    hits: tuple[str, ...]
    """The points it came to, in order."""
    said: Any
    """What its function returned; None where it did not come to that."""
    printed: str
    """All it wrote on stdout and stderr."""
    cpu: float
    """Seconds."""

    @property
    def acknowledged(self) -> int:
        """How many steps it had done for good."""
        return sum(name.endswith(".after") for name in self.hits)


def forked(do: Callable[[], Any], armed: str = "") -> Ended:
    """Run a function in a process of its own, armed by a fault or by none."""
    folder = Path(tempfile.mkdtemp(prefix="killed-"))
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if not process:
        _child(do, armed, folder)
    _, status, used = os.wait4(process, 0)
    said = folder / "said"
    ended = Ended(
        os.waitstatus_to_exitcode(status),
        tuple((folder / "hits").read_text("utf-8").split()),
        json.loads(said.read_text("utf-8")) if said.exists() else None,
        (folder / "printed").read_text("utf-8", errors="replace"),
        used.ru_utime + used.ru_stime,
    )
    shutil.rmtree(folder)
    return ended


def _child(do: Callable[[], Any], armed: str, folder: Path) -> None:
    made = os.O_CREAT | os.O_WRONLY | os.O_APPEND
    hits, printed = (os.open(folder / name, made) for name in ("hits", "printed"))
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST)
    code = 1
    try:
        fault.arm(armed, lambda name: void(os.write(hits, f"{name}\n".encode())))
        said = do()
        fault.arm("")
        (folder / "said").write_text(json.dumps(said), "utf-8")
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def void(_: object) -> None:
    """Nothing."""


@dataclass(frozen=True)
class Shared:
    """What all scenarios use."""

    url: str
    """Of the counting model."""
    log: Path
    """Its questions, a line each."""
    base: Path
    """A tiny language model."""
    kind: str = "kill"
    """What happens at a point: ``kill``, or ``enospc`` or ``eio`` where a disk can fail."""

    @property
    def workers(self) -> int:
        """Calls at a time; one where the disk fails, so that no other write is made with it."""
        return 2 if self.kind == "kill" else 1


@dataclass
class Figures:
    """What came of all kills of a scenario."""

    kills: int = 0
    unreached: int = 0
    """Processes that ended before they came to their point."""
    acknowledged: int = 0
    """Steps that the killed processes had done for good."""
    silent: Counter[str] = field(default_factory=Counter)
    """Kills before the process had done anything for good, by point."""
    by_point: Counter[str] = field(default_factory=Counter)
    found: int = 0
    """Passages, answers, lines, weights that were looked for afterwards and found."""
    again: int = 0
    """Calls that were made once more than once."""
    again_most: int = 0
    """As many of them as is allowed: the workers of every kill."""
    opened: int = 0
    """Stores that were opened and checked."""
    lost: list[str] = field(default_factory=list)
    """What was acknowledged, or there before, and is not there any more; or is there twice."""
    cpu: float = 0.0

    @property
    def sound(self) -> bool:
        """Nothing lost or doubled, nothing bought more often than is allowed."""
        return not self.lost and self.again <= self.again_most


class Scenario(ABC):
    """Work on a workspace in ``home``, which each round begins anew."""

    name: ClassVar[str]
    points: ClassVar[tuple[str, ...]]
    round: ClassVar[int] = 8
    """Kills before it is left to finish."""
    derived: ClassVar[tuple[str, ...]] = ()
    """Points at which a failing disk may be kept silent: what is lost there is computed again."""

    def __init__(self, home: Path, chance: random.Random, shared: Shared) -> None:
        self.home = home
        self.chance = chance
        self.shared = shared
        self.prepare()

    @property
    def again(self) -> int:
        """Calls that one kill may cause to be made again."""
        return 0

    @abstractmethod
    def prepare(self) -> None:
        """Write what the company has, in this process."""

    @abstractmethod
    def change(self) -> None:
        """Give the next process something to do."""

    @abstractmethod
    def act(self) -> Any:
        """Do it; in a process of its own."""

    @abstractmethod
    def before(self) -> None:
        """Remember what is there, in the process that forks."""

    @abstractmethod
    def look(self, ended: Ended) -> list[str]:
        """What a killed process has lost, as far as it is cheap to see."""

    @abstractmethod
    def finish(self, kills: int) -> dict[str, Any]:
        """Look at all of it: ``found``, ``opened``, ``again`` and ``lost``; in a process."""


def play(
    kind: type[Scenario],
    plan: Sequence[str],
    chance: random.Random,
    shared: Shared,
) -> Figures:
    """Kill a process at each of these points, in this order; some rounds, each in a new folder."""
    figures = Figures()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="killed-") as first:
        warm(commanded(kind(Path(first), chance, shared).act))
    gc.freeze()  # the processes that are forked need not copy what is imported
    for start in range(0, len(plan), kind.round):
        home = Path(tempfile.mkdtemp(prefix=f"killed-{kind.name}-"))
        scenario = kind(home, chance, shared)
        _whole(scenario, figures)
        if figures.lost:
            return figures  # where even that fails, kills tell nothing
        if not counts:
            scenario.change()
            counts = _whole(scenario, figures)
        some = plan[start : start + kind.round]
        for point in some:
            _kill(scenario, point, counts, figures)
        scenario.change()
        _whole(scenario, figures)
        _finish(scenario, len(some), figures)
        shutil.rmtree(home, ignore_errors=True)
    return figures


def _kill(scenario: Scenario, point: str, counts: Counter[str], figures: Figures) -> None:
    """Kill at the n-th hit; where there are not so many of them, at the first one after that."""
    most = max(1, min(counts[point], 8))
    for nth in (scenario.chance.randint(min(2, most), most), 1):
        scenario.change()
        scenario.before()
        ended = forked(commanded(scenario.act), f"{point}:{nth}:{scenario.shared.kind}")
        figures.cpu += ended.cpu
        if ended.hits.count(point) >= nth:
            break
    where = f"{scenario.name}, {point}:{nth}: "
    if ended.hits.count(point) < nth:
        figures.unreached += 1
    elif _as_it_should(ended, point, scenario):
        figures.kills += 1
        figures.by_point[point] += 1
        figures.acknowledged += ended.acknowledged
        figures.silent[point] += not ended.acknowledged
    else:
        figures.lost.append(f"{where}ended with {ended.code}: {ended.printed[-2000:]}")
    figures.lost += [where + lost for lost in scenario.look(ended)]


def _as_it_should(ended: Ended, point: str, scenario: Scenario) -> bool:
    """Killed at the point; or, where the disk failed, ended with one sentence."""
    if scenario.shared.kind == "kill":
        return ended.code == -signal.SIGKILL and ended.hits[-1:] == (point,)
    said = [line for line in ended.printed.splitlines() if line.startswith("tailor: ")]
    quiet = point in scenario.derived and ended.code == 0 and not said
    whole = ended.code == 1 and len(said) == 1 and "Traceback" not in ended.printed
    return quiet or whole


def commanded(do: Callable[[], Any]) -> Callable[[], None]:
    """The function as a command of `tailor`: what goes wrong is said as there."""

    def command() -> None:
        from tailor.cli import main

        main.app = lambda standalone_mode: void(do())  # type: ignore[assignment]
        main.main()

    return command


def _whole(scenario: Scenario, figures: Figures) -> Counter[str]:
    """Let a process work to its end; gives how often it came to each point."""
    ended = forked(commanded(scenario.act))
    figures.cpu += ended.cpu
    if ended.code:
        figures.lost.append(f"{scenario.name}: ended with {ended.code}: {ended.printed[-2000:]}")
    return Counter(ended.hits)


def _finish(scenario: Scenario, kills: int, figures: Figures) -> None:
    ended = forked(lambda: scenario.finish(kills))
    figures.cpu += ended.cpu
    if ended.said is None:
        figures.lost.append(f"{scenario.name}: {ended.printed[-2000:]}")
        return
    figures.found += ended.said["found"]
    figures.opened += ended.said["opened"]
    figures.again += ended.said["again"]
    figures.again_most += kills * scenario.again
    figures.lost += [f"{scenario.name}, in the end: {lost}" for lost in ended.said["lost"]]


def warm(do: Callable[[], Any]) -> Ended:
    """Import here what a function imports in a process of its own."""

    def told() -> list[str]:
        with suppress(SystemExit):
            do()
        return sorted(sys.modules)

    ended = forked(told)
    for name in ended.said or ():
        if name not in sys.modules and name != "__main__":
            try:
                importlib.import_module(name)
            except Exception:  # made up by a library, or not for importing
                continue
    return ended
