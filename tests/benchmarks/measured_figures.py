"""What figures.py measures: one function for each part of the table."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
from figure import TAILOR, Figure, Took, beside_limit, process
from peers import Peer

if TYPE_CHECKING:
    from serving import Server

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    passages: int
    """Of the generated documents that are ingested."""
    corpus: Path | None
    """A folder of Markdown files instead of them."""
    questions: int
    searched: int
    """Passages of the retrieval search."""
    latency: tuple[int, ...]
    """Passages that questions are timed over."""
    kept: Path
    """Keeps what is dear to build for a next time."""
    tokens: int
    """Of the lessons of a training."""
    runs: int
    """Of 1,000 questions each behind the interface."""
    seconds: float
    """Of load on a server."""


def ingestion(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P1 to P3."""
    from generated_texts import SECTIONS, write
    from ingestion import change, workshop

    took: dict[tuple[str, str], list[Took]] = {}
    with tempfile.TemporaryDirectory() as made:
        if size.corpus is None:
            write(Path(made), size.passages // SECTIONS)
        with workshop(size.corpus or Path(made)) as folder:
            for number in range(size.rounds):
                for state in (".tailor", "rebuild", "index", "llama"):
                    shutil.rmtree(folder / state, ignore_errors=True)
                for case in ("P1 first ingestion", "P2 1 % changed", "P3 unchanged"):
                    if case.startswith("P2"):
                        change(folder / "knowledge", number)
                    ways = ingesting(folder, peers)
                    if not case.startswith("P1"):
                        del ways["LangChain alone"]
                    for name in list(ways)[:: 1 if number % 2 else -1]:
                        took.setdefault((case, name), []).append(ways[name]())
    for (case, name), theirs in sorted(took.items()):
        if name != "Tailor":
            mine = took[case, "Tailor"]
            own, other = json.loads(mine[-1].said)["totals"], json.loads(theirs[-1].said)
            note = (
                f"{own['passages']} and {other['passages']} passages, of the last round "
                f"{own['embedded']} and {other['embedded']} embedded"
            )
            yield Figure(case, "wall s", mine, name, theirs, note)


def ingesting(folder: Path, peers: Mapping[str, Peer]) -> dict[str, Callable[[], Took]]:
    """Whole processes that ingest the folder's knowledge; texts and vectors go into Chroma."""
    from tailor.models.provider import SHIPPED

    def langchain(how: str) -> Took:
        (folder / how).mkdir(exist_ok=True)
        script = HERE / "plain_langchain.py"
        return process(sys.executable, script, how, folder / "knowledge", folder / how)

    found: dict[str, Callable[[], Took]] = {
        "Tailor": partial(process, *TAILOR, "ingest", "--json", "-w", folder),
        "LangChain alone": partial(langchain, "rebuild"),
        "LangChain index()": partial(langchain, "index"),
    }
    if "llama_index" in peers:
        script = (HERE / "plain_llama_index.py", folder / "knowledge", folder / "llama")
        found["LlamaIndex"] = partial(
            process, peers["llama_index"].command, *script, "--encoder", SHIPPED / "encoder",
            environment={"PYTHONPATH": str(SHIPPED.parents[2])},
        )  # fmt: skip
    return found


@contextmanager
def answering(delay: float = 0.3) -> Iterator[str]:
    """The address of a server that takes so long for a completion, a process of its own."""
    from multiprocessing import get_context

    from concurrency import serve

    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(delay, there), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        server.terminate()


def questions(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P4 and P5."""
    from concurrency import asked, bare, measured, ours, workspace

    flight = 50
    took: dict[tuple[str, str], list[Took]] = {}
    calls: dict[tuple[str, str], int] = {}

    def note(case: str, name: str, one: Took, url: str, before: int) -> None:
        took.setdefault((case, name), []).append(one)
        calls[case, name] = asked(url) - before

    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as loop, answering() as url:
        warm = workspace(Path(folder) / "warm", url, flight, flight)
        bare(warm, url, flight, loop)
        ours(warm)
        for number in range(size.rounds):
            alone, whole = (
                workspace(Path(folder) / f"{kind}-{number}", url, size.questions, flight)
                for kind in ("alone", "whole")
            )
            work = {"Tailor": partial(ours, alone)}
            work["LangChain abatch"] = partial(bare, alone, url, flight, loop)
            for name in list(work)[:: 1 if number % 2 else -1]:
                before, one = asked(url), measured(work[name], url)
                note("P4 questions, the work alone", name, Took(one.wall, one.cpu), url, before)
            commands = asking(whole, url, flight, peers)
            for case in ("P4 questions, whole process", "P5 asked again, whole process"):
                for name, command in commands.items():
                    before = asked(url)
                    note(case, name, command(), url, before)
    for (case, name), theirs in took.items():
        if name == "Tailor":
            if case.startswith("P5"):
                said = f"{calls[case, name]} calls"
                yield beside_limit(case, "wall s", theirs, 1.5, said)
            continue
        said = f"{calls[case, 'Tailor']} and {calls[case, name]} calls in the last round"
        yield Figure(case, "wall s", took[case, "Tailor"], name, theirs, said)


def asking(
    root: Path, url: str, flight: int, peers: Mapping[str, Peer]
) -> dict[str, Callable[[], Took]]:
    """Whole processes that ask the workspace's questions."""
    benchmark = root / "knowledge" / "benchmark.jsonl"
    found: dict[str, Callable[[], Took]] = {
        "Tailor": partial(process, *TAILOR, "run", "prompting", "-w", root)
    }
    if "inspect_ai" in peers:
        script = (HERE / "plain_inspect_ai.py", url, benchmark, root / "inspect")
        found["inspect_ai"] = partial(process, peers["inspect_ai"].command, *script)
    if "promptfoo" in peers:
        lines = [json.loads(line) for line in benchmark.read_text("utf-8").splitlines()]
        (root / "promptfoo.json").write_text(json.dumps(promptfoo(lines, url)), "utf-8")
        found["promptfoo"] = partial(
            process, peers["promptfoo"].command, "eval", "-c", root / "promptfoo.json",
            "-j", str(flight), "--no-table", "--no-progress-bar",
            environment={
                "PROMPTFOO_CONFIG_DIR": str(root / "promptfoo"),
                "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1",
                # A write to its log files after their end once ended the process with an error.
                "PROMPTFOO_DISABLE_DEBUG_LOG": "1", "PROMPTFOO_DISABLE_ERROR_LOG": "1",
            },
        )  # fmt: skip
    return found


def promptfoo(lines: Sequence[Mapping[str, str]], url: str) -> dict[str, Any]:
    """Its configuration: the same questions, and whether the answer holds the expected one."""
    config = {"apiBaseUrl": url, "apiKey": "none", "temperature": 0}
    tests = [
        {
            "vars": {"question": line["question"]},
            "assert": [{"type": "contains", "value": line["answer"]}],
        }
        for line in lines
    ]
    provider = {"id": "openai:chat:double", "config": config}
    return {"prompts": ["{{question}}"], "providers": [provider], "tests": tests}


def retrieval(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P6."""
    from retrieval_search import LIMITS, enlarge

    from tailor.initialize import initialize

    with tempfile.TemporaryDirectory() as folder:
        workspace = initialize(Path(folder) / "company", "company")
        have = enlarge(workspace, size.searched)
        script = (HERE / "retrieval_search.py", "--searched", workspace.root)
        took = [process(sys.executable, *script) for _ in range(size.rounds + 1)]
    tried = json.loads(took[-1].said.splitlines()[-1])["tried"]
    note = f"{tried} configurations, {have} passages, 200 questions; the first run left out"
    case = "P6 retrieval configurations, whole process"
    yield beside_limit(case, "wall s", took[1:], LIMITS["seconds"], note)


def search(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P7."""
    import million

    for passages in size.latency:
        home = size.kept / "search" / str(passages)
        home.mkdir(parents=True, exist_ok=True)
        (home / "tailor.toml").touch()
        million.ingested(home, passages)
        said = json.loads(process(sys.executable, HERE / "million.py", home, "--search").said)
        case = f"P7 hybrid question at {said['count']:,} passages, {{}}"
        note = f"recall of the exact ten best {said['hybrid']:.3f}; CPU-s of 1,000 questions"
        took = [Took(*each) for each in zip(said["p50"], said["cpu"], strict=True)]
        yield beside_limit(case.format("p50"), "ms", took, 20.0, note)
        slowest = [Took(value) for value in said["p99"]]
        yield beside_limit(case.format("p99"), "ms", slowest, 20.0, "the limit is meant for p50")


def start(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P8."""
    commands: dict[str, tuple[str | Path, ...]] = {"Tailor": (*TAILOR, "--help")}
    for name, command in (("inspect_ai", "inspect"), ("promptfoo", "promptfoo")):
        if name in peers:
            commands[name] = (peers[name].command.with_name(command), "--help")
    took: dict[str, list[Took]] = {name: [] for name in commands}
    for command in commands.values():
        process(*command)
    for _ in range(size.rounds):
        for name, command in commands.items():
            took[name].append(process(*command))
    yield beside_limit("P8 --help", "wall s", took["Tailor"], 0.5)
    for name in list(commands)[1:]:
        yield Figure("P8 --help", "wall s", took["Tailor"], name, took[name])
    yield from paints(size)


def paints(size: Size) -> Iterator[Figure]:
    """The first paint of two pages of the interface."""
    import interface_speed as interface
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        root = Path(folder) / "acme"
        interface.make(root, size.runs, 1000)
        with interface.served(root) as url:
            arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = driver.chromium.launch(executable_path=interface.CHROMIUM, args=arguments)
            interface.paint(browser, url, "compare")
            for page in ("overview", "compare"):
                took = []
                for _ in range(size.rounds):
                    interface.paint(browser, url, page)
                    took.append(Took(interface.clock.taken, interface.clock.worked))
                note = f"{size.runs} runs of 1,000 questions; CPU-s of the server"
                case = f"P8 first paint of {page}"
                yield beside_limit(case, "wall s", took, interface.PAINT, note)
            browser.close()


def training(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P9."""
    import training_speed as train

    from tailor.models.quiet import quiet_libraries

    quiet_libraries()
    tokenizer = train.tokenizer_of(str(train.SHIPPED / "reader"))
    rows = train.lessons(size.tokens, tokenizer)
    tokens = sum(len(train.encoded(tokenizer, row)["input_ids"]) for row in rows)
    ways = {"Tailor": train.ours, "plain loop": train.loop, "TRL defaults": train.trl_defaults}
    took: dict[str, list[Took]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        base = train.model_folder(Path(folder) / "model", tokenizer)
        for each in range(size.rounds):
            for name, way in ways.items():
                cpu = way(base, rows, tokenizer, Path(folder) / f"{name}-{each}")
                took[name].append(Took(tokens / cpu, cpu))
    note = f"{len(rows)} lessons, {tokens} tokens without padding; a random Llama, 4 layers"
    for name in ("plain loop", "TRL defaults"):
        case = "P9 fine-tuning, tokens per CPU-s (more is better)"
        yield Figure(case, "tokens", took["Tailor"], name, took[name], note)


def serving(size: Size, peers: Mapping[str, Peer]) -> Iterator[Figure]:
    """P10."""
    import serving as served

    took: dict[str, list[tuple[Took, Took, Took]]] = {"Tailor": [], "FastAPI alone": []}
    with tempfile.TemporaryDirectory() as home:
        folder = served.workspace(Path(home))
        with served.served(folder, "stub") as ours, fastapi() as theirs:
            for server in (ours, theirs):
                asyncio.run(served.clients(server, 64, 1))
            for number in range(size.rounds):
                both = {"Tailor": ours, "FastAPI alone": theirs}
                for name in list(both)[:: 1 if number % 2 else -1]:
                    took[name].append(loaded(both[name], size.seconds))
    units = ("requests/s (more is better)", "p50 ms", "p99 ms")
    for at, unit in enumerate(units):
        ours_, theirs_ = ([one[at] for one in took[name]] for name in took)
        note = "64 clients, 50 ms engine; CPU-s of the server for 1,000 requests" if not at else ""
        yield Figure("P10 serving", unit, ours_, "FastAPI alone", theirs_, note)
    yield beside_limit("P10 serving", units[0], [one[0] for one in took["Tailor"]], 300)
    yield beside_limit("P10 serving", units[2], [one[2] for one in took["Tailor"]], 250)


def loaded(server: Server, seconds: float) -> tuple[Took, Took, Took]:
    """Requests/s with CPU-s for 1,000 of them, p50 and p99."""
    import serving as served

    its = psutil.Process(server.pid)
    before = sum(its.cpu_times()[:2])
    seen = asyncio.run(served.clients(server, 64, seconds))
    cpu = 1000 * (sum(its.cpu_times()[:2]) - before) / len(seen.seconds)
    if set(seen.statuses) != {200}:
        raise SystemExit(f"Not every request was answered: {dict(seen.statuses)}")
    return Took(seen.rate, cpu), Took(seen.percentile(0.5)), Took(seen.percentile(0.99))


@contextmanager
def fastapi() -> Iterator[Server]:
    """The bare app."""
    import serving as served

    command = [sys.executable, str(HERE / "plain_fastapi.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            url = urlsplit(json.loads(child.stdout.readline())["url"])
            yield served.Server(str(url.hostname), int(url.port or 0), child.pid)
        finally:
            child.terminate()


PARTS = {
    "ingestion": ingestion, "questions": questions, "retrieval": retrieval, "search": search,
    "start": start, "training": training, "serving": serving,
}  # fmt: skip
