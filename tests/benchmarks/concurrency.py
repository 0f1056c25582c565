"""500 questions, 50 in flight, against a server that takes 300 ms: our chain beside bare LangChain.

    python tests/benchmarks/concurrency.py [--questions 500] [--flight 50] [--delay 0.3] [-n 5]

Alternating in one process, n times each: (a) `ChatOpenAI.abatch(max_concurrency=50)` over the
messages, nothing kept; (b) `climb()` over a workspace with as many questions: the chain, every call
and every answer committed with `synchronous=FULL`, scored, and the run's state on disk. The server
is a process of its own and counts what it is asked. Then `tailor run` asks the same again, as a
whole process: no call is made. Prints medians with CPU-seconds, and the ratio b / a.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

MODEL = "openai:double"


class Answering(asyncio.Protocol):
    """One kept-alive connection: a chat completion for each POST, the count for each GET."""

    count = 0
    delay = 0.3

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Answer when a request is whole."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        if not end or len(body) < length:
            return
        self.received = b""
        if head.startswith(b"GET"):
            self.send({"count": Answering.count})
            return
        Answering.count += 1
        asyncio.get_running_loop().call_later(Answering.delay, self.send, _COMPLETION)

    def send(self, value: object) -> None:
        """One reply."""
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + b"\r\n\r\n" + body)


_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "double",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "12 days of paid leave"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45},
}


def serve(delay: float, port: Connection) -> None:
    """The server's process: tells its port, then answers until it is ended."""

    async def run() -> None:
        Answering.delay = delay
        server = await asyncio.get_running_loop().create_server(
            Answering, "127.0.0.1", 0, backlog=512
        )
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def asked(url: str) -> int:
    """How many completions the server was asked for."""
    import urllib.request

    with urllib.request.urlopen(url, timeout=10) as reply:
        return int(json.load(reply)["count"])


@dataclass(frozen=True)
class Took:
    """One measurement."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of this process, user and system."""
    calls: int


def measured(work: Callable[[], object], url: str) -> Took:
    """What one piece of work took."""
    calls, started, cpu = asked(url), time.perf_counter(), _cpu()
    work()
    return Took(time.perf_counter() - started, _cpu() - cpu, asked(url) - calls)


def _cpu(whose: int = resource.RUSAGE_SELF) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def workspace(root: Path, url: str, questions: int, flight: int) -> Path:
    """A folder with as many questions and a tailor.toml that names the server."""
    (root / "knowledge").mkdir(parents=True)
    lines = [
        {
            "id": f"q{n}",
            "question": f"How many days of paid leave does group {n} of the employees get?",
            "answer": "12 days",
            "split": "test" if n % 2 else "dev",
        }
        for n in range(questions)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")
    (root / "tailor.toml").write_text(
        f'model = "{MODEL}"\nbase_url = "{url}"\nconcurrency = {flight}\nladder = ["prompting"]\n',
        "utf-8",
    )
    return root


def bare(root: Path, url: str, flight: int, loop: asyncio.Runner) -> None:
    """LangChain alone; in one event loop, as langchain-openai shares its client among them."""
    from langchain_openai import ChatOpenAI

    from tailor.assistant import Ask
    from tailor.stages import Prompting
    from tailor.workspace import Workspace

    opened = Workspace(root)
    assistant = Prompting().apply(opened.root_assistant(), opened)

    inputs = [assistant.prompt(Ask(q.question)).messages() for q in opened.benchmark.questions]
    model = ChatOpenAI(
        model="double", base_url=url, api_key="none", max_retries=0, timeout=60, temperature=0
    )
    replies = loop.run(model.abatch(inputs, {"max_concurrency": flight}))
    assert all(reply.text == "12 days of paid leave" for reply in replies)


def ours(root: Path) -> None:
    """The chain, stored and scored."""
    from tailor.ladder import climb
    from tailor.stages import Prompting
    from tailor.workspace import Workspace

    opened = Workspace(root)
    climb(opened, [Prompting()])
    calls, answers = opened.answers.count()
    assert calls == answers == len(opened.benchmark.questions)
    opened.answers.close()


def again(root: Path) -> tuple[float, float]:
    """Seconds and CPU-seconds of the whole process that asks the same again."""
    command = [sys.executable, "-m", "tailor.cli.main", "run", "prompting", "-w", str(root)]
    started, cpu = time.perf_counter(), _cpu(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started, _cpu(resource.RUSAGE_CHILDREN) - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--flight", type=int, default=50)
    parser.add_argument("--delay", type=float, default=0.3)
    parser.add_argument("-n", type=int, default=5)
    options = parser.parse_args()
    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(options.delay, there), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}/v1"
    sizes = options.questions, options.flight
    with tempfile.TemporaryDirectory() as scratch, asyncio.Runner() as loop:
        folder = Path(scratch)
        warm = workspace(folder / "warm", url, options.flight, options.flight)
        bare(warm, url, options.flight, loop)
        ours(warm)
        took: dict[str, list[Took]] = {"bare abatch": [], "our climb": []}
        for n in range(options.n):
            root = workspace(folder / str(n), url, *sizes)
            ways = {
                "bare abatch": partial(bare, root, url, options.flight, loop),
                "our climb": partial(ours, root),
            }
            for name in list(ways)[:: 1 if n % 2 else -1]:
                took[name].append(measured(ways[name], url))
        calls = asked(url)
        repeated = [again(folder / "0") for _ in range(options.n)]
        calls = asked(url) - calls
    server.terminate()
    ideal = options.delay * -(-options.questions // options.flight)
    load = os.getloadavg()[0]
    say(f"ideal {ideal:.2f} s, load {load:.1f} on {os.cpu_count()} cores, n = {options.n}")
    for name, each in took.items():
        wall, cpu = median([one.wall for one in each]), median([one.cpu for one in each])
        walls = " ".join(f"{one.wall:.2f}" for one in each)
        say(f"{name}: {wall:.2f} s wall ({walls}), {cpu:.2f} s CPU, {each[-1].calls} calls")
    pairs = list(zip(took["our climb"], took["bare abatch"], strict=True))
    wall, cpu = (
        median([b.wall / a.wall for b, a in pairs]),
        median([b.cpu / a.cpu for b, a in pairs]),
    )
    say(f"ours / bare, median of pairs: {wall:.3f} wall (goal 1.1), {cpu:.3f} CPU")
    walls, cpus = zip(*repeated, strict=True)
    say(
        f"asked again: {median(walls):.2f} s wall, {median(cpus):.2f} s CPU, whole process "
        f"(goal 1.5), {calls} calls"
    )


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
