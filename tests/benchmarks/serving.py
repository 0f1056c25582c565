"""`tailor serve` under load: many clients, slow clients, hours of use, and a local model.

    python tests/benchmarks/serving.py [load] [slow] [soak] [reader] [--minutes 1] [--seconds 10]

Each part starts the real command on a workspace of its own and asks it over HTTP from this process.

load    64 clients over an engine that takes 50 ms (a LangChain chat model behind Tailor's adapter,
        with BM25 before it; every question is new): requests/s, p50, p99, and what is no 200.
slow    500 clients that never finish their request: how long /health takes meanwhile, and after
        how many seconds the last of them is dropped.
soak    16 clients for so many minutes: growth of the server's memory after the first tenth.
reader  the shipped reader, one client against 16: the ratio of their throughputs.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

STAGE = '''
"""An engine that takes so long for each reply, and no processor."""
import time
from dataclasses import dataclass, replace

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from tailor.models.chat import Chat
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.retriever import Retriever
from tailor.settings import setting
from tailor.stage import Stage


class Engine(BaseChatModel):
    delay: float

    @property
    def _llm_type(self):
        return "stub"

    def _generate(self, messages, stop=None, run_manager=None, **_):
        time.sleep(self.delay)
        used = {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105}
        reply = AIMessage(content="12 days of paid leave", usage_metadata=used)
        return ChatResult(generations=[ChatGeneration(message=reply)])


@dataclass(frozen=True)
class Stub(Stage):
    """A stub."""

    delay: float = setting(0.05, "seconds")

    def apply(self, assistant, workspace):
        """The stub."""
        model = Chat("stub", lambda: Engine(delay=self.delay), f"stub-{self.delay}",
                     workspace.answers, spending=workspace.spending)
        how = Configuration(splitter=workspace.splitter, weight=1.0)
        found = Retriever(index=workspace.index(), configuration=how)
        return replace(assistant, model=model, retriever=found)
'''


@dataclass(frozen=True)
class Server:
    """A running `tailor serve`."""

    host: str
    port: int
    pid: int

    @property
    def memory(self) -> int:
        """Resident bytes."""
        import psutil

        return int(psutil.Process(self.pid).memory_info().rss)


@dataclass(frozen=True)
class Asked:
    """What some clients saw."""

    seconds: tuple[float, ...]
    """Of each request."""
    statuses: Counter[int]
    took: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.took

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return 1000 * quantiles(self.seconds, n=1000, method="inclusive")[round(1000 * share) - 1]


def workspace(folder: Path) -> Path:
    """A workspace with the stub among its own stages, 40 documents, ingested."""
    from tailor import Workspace

    for at in range(40):
        path = folder / "knowledge" / f"rules-{at}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"# Rules {at}\n\nEmployees of site {at} get {at} days of paid leave.\n", "utf-8"
        )
    (folder / "stages").mkdir()
    (folder / "stages" / "stub.py").write_text(STAGE, "utf-8")
    (folder / "tailor.toml").write_text("workspace_stages = true\n", "utf-8")
    Workspace(folder).ingest()
    return folder


@contextmanager
def served(folder: Path, stage: str) -> Iterator[Server]:
    """`tailor serve`, as a process of its own."""
    command = [sys.executable, "-m", "tailor.cli.main", "serve", "--stage", stage, "--json"]
    process = subprocess.Popen(
        [*command, "--port", "0", "-w", str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        parts = urlsplit(told["url"])
        yield Server(str(parts.hostname), int(parts.port or 0), process.pid)
    finally:
        process.terminate()
        process.wait(60)


async def request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: Any
) -> int:
    """One request on an open connection; returns the status, with the body read to its end."""
    raw = json.dumps(body).encode() if body is not None else b""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    )
    writer.write(head.encode() + raw)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(line for line in answer.split("\r\n") if line.startswith("content-length:"))
    await reader.readexactly(int(length.partition(":")[2]))
    return int(answer.split()[1])


async def clients(server: Server, count: int, seconds: float) -> Asked:
    """So many clients that ask without a pause, each question for the first time."""
    took: list[float] = []
    statuses: Counter[int] = Counter()
    numbers = itertools.count()
    end = time.monotonic() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        while time.monotonic() < end:
            question = f"How many days of paid leave has site {next(numbers)}?"
            body = {"model": "tailor", "messages": [{"role": "user", "content": question}]}
            began = time.monotonic()
            status = await request(reader, writer, "POST", "/v1/chat/completions", body)
            took.append(time.monotonic() - began)
            statuses[status] += 1
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(count)))
    return Asked(tuple(took), statuses, time.monotonic() - began)


async def slow_clients(server: Server, count: int, longest: float) -> tuple[float, float]:
    """The slowest /health beside them, and when the last of them was dropped, in seconds."""

    async def dawdle(number: int) -> float:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(server.host, server.port)
        # A third never ends its head, a third its body, a third says nothing.
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        body = head + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        writer.write((head, body, b"")[number % 3])
        while time.monotonic() - began < longest:
            try:
                if await asyncio.wait_for(reader.read(1000), 0.5) == b"":
                    break
            except TimeoutError:
                if number % 3 < 2:
                    writer.write(b"X" if number % 3 else b"X-A: b\r\n")
            except OSError:
                break
        writer.close()
        return time.monotonic() - began

    async def health() -> float:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert await request(reader, writer, "GET", "/health", None) == 200
        writer.close()
        return time.monotonic() - began

    going = [asyncio.create_task(dawdle(number)) for number in range(count)]
    await asyncio.sleep(0.2)
    worst = 0.0
    while not all(task.done() for task in going):
        worst = max(worst, await health())
        await asyncio.sleep(0.1)
    return worst, max(task.result() for task in going)


async def soak(server: Server, minutes: float) -> tuple[Asked, int, int]:
    """Asked for so long; the memory after the first tenth and at the end, in bytes."""
    await clients(server, 16, 6 * minutes)
    before = server.memory
    asked = await clients(server, 16, 54 * minutes)
    return asked, before, server.memory


def tell(line: str) -> None:
    """Print at once."""
    print(line, flush=True)  # noqa: T201


def main() -> None:
    """Run the parts and print what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help="load, slow, soak, reader; all when none is named")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    parts: Sequence[str] = options.parts or ("load", "slow", "soak", "reader")
    os.environ.pop("TAILOR_TOKEN", None)
    with tempfile.TemporaryDirectory() as home:
        folder = workspace(Path(home))
        for part in parts:
            with served(folder, "retrieval" if part == "reader" else "stub") as server:
                report(part, server, options.seconds, options.minutes)


def report(part: str, server: Server, seconds: float, minutes: float) -> None:
    """Run one part."""
    if part == "load":
        asyncio.run(clients(server, 64, 1))
        seen = asyncio.run(clients(server, 64, seconds))
        tell(
            f"load: 64 clients, {len(seen.seconds)} requests, {seen.rate:.0f} requests/s "
            f"(goal 300), p50 {seen.percentile(0.5):.0f} ms, p99 {seen.percentile(0.99):.0f} ms "
            f"(goal 250), statuses {dict(seen.statuses)}; ratio {seen.rate / 300:.2f}"
        )
    elif part == "slow":
        worst, last = asyncio.run(slow_clients(server, 500, 30))
        tell(
            f"slow: 500 clients, slowest /health {worst:.2f} s (goal 1), last dropped {last:.1f} s"
        )
    elif part == "soak":
        seen, before, after = asyncio.run(soak(server, minutes))
        tell(
            f"soak: {minutes:g} min, {len(seen.seconds)} requests, statuses {dict(seen.statuses)}, "
            f"memory {before / 2**20:.0f} -> {after / 2**20:.0f} MiB, "
            f"growth {100 * (after / before - 1):.1f}% (goal 5)"
        )
    elif part == "reader":
        asyncio.run(clients(server, 1, 1))
        one = asyncio.run(clients(server, 1, seconds))
        many = asyncio.run(clients(server, 16, seconds))
        tell(
            f"reader: 1 client {one.rate:.1f} requests/s, 16 clients {many.rate:.1f} requests/s; "
            f"ratio {many.rate / one.rate:.2f} (goal 3)"
        )


if __name__ == "__main__":
    main()
