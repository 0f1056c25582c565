"""The shipped reader on the sample company: many questions at once against one by one.

    OMP_NUM_THREADS=1 python tests/benchmarks/local_batching.py [--questions 64] [--rounds 3]
        [--rows prompting,few_shot,retrieval] [--few-shot-stays]

generate    one prompt after the other to transformers' own ``generate``, prompts ready made:
            no chain, no search, nothing stored.
one by one  the assistant's chain, one question after the other: search, prompt, reply, the call
            stored.
at once     the same chain as a run asks it, as many questions at once as the model takes.

CPU-seconds of the process (user and system), so that other work on the machine matters less; the
three follow one another in each round, and the median round is told with the least and the most.
Retrieval stands behind prompting, with --few-shot-stays behind few_shot. Replies are
compared with those of ``generate``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tailor.assistant import Answer, Ask, Assistant, Prompt
from tailor.initialize import initialize
from tailor.models.chat import Chat
from tailor.models.local import LocalChat
from tailor.stages.few_shot import FewShot
from tailor.stages.prompting import Prompting
from tailor.stages.retrieval import Retrieval
from tailor.workspace import Workspace

WAYS = ("generate", "one by one", "at once")


@dataclass
class Seen:
    """What the rounds of one row took, and what was replied."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    differ: int = 0
    asked: int = 0

    def per_question(self, way: str, questions: int) -> float:
        """CPU-milliseconds, of the median round."""
        return 1000 * median(self.seconds[way]) / questions


def assistants(workspace: Workspace, rows: Sequence[str], stays: bool) -> dict[str, Assistant]:
    """The rows by name."""
    prompting = Prompting().apply(workspace.root_assistant("shipped"), workspace)
    few_shot = FewShot().apply(prompting, workspace)
    before = few_shot if stays else prompting
    made = {"prompting": prompting, "few_shot": few_shot}
    if "retrieval" in rows:
        made["retrieval"] = Retrieval().apply(before, workspace)
    return {row: made[row] for row in rows}


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU-seconds, and what came of it."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def texts(local: LocalChat, prompts: Sequence[Prompt]) -> list[str]:
    """The replies of ``generate``, prompt by prompt."""
    return [str(local._complete([prompt.messages()])[0].text) for prompt in prompts]


def measure(assistant: Assistant, questions: Sequence[str], rounds: int) -> Seen:
    """Ask in all three ways, so many times; no call is taken from the store."""
    chat = assistant.model
    assert isinstance(chat, Chat)
    local = chat.model
    assert isinstance(local, LocalChat)
    prompts = [chat.fitted(assistant.prompt(Ask(question))) for question in questions]
    texts(local, prompts[:2])
    chain, seen = assistant.chain(), Seen()

    def one_by_one(repeat: int) -> list[Answer]:
        return [chain.invoke(Ask(question, repeat=repeat)) for question in questions]

    def at_once(repeat: int) -> list[Answer]:
        asks = [Ask(question, repeat=repeat) for question in questions]
        return chain.batch(asks, config={"max_concurrency": chat.concurrency})

    for number in range(rounds):
        took, wanted = spent(lambda: texts(local, prompts))
        seen.seconds["generate"].append(took)
        for way, ask in (("one by one", one_by_one), ("at once", at_once)):
            repeat = 2 * number + (way == "at once")
            took, answers = spent(lambda ask=ask, repeat=repeat: ask(repeat))
            seen.seconds[way].append(took)
            calls = [chat.store.call(call) for answer in answers for call in answer.calls]
            replies = [call.reply["data"]["content"] for call in calls if call is not None]
            seen.asked += len(replies)
            seen.differ += sum(a != b for a, b in zip(replies, wanted, strict=True))
    return seen


def tell(line: str) -> None:
    """Print at once."""
    print(line, flush=True)  # noqa: T201


def main() -> None:
    """Measure the rows and print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", default="prompting,few_shot,retrieval")
    parser.add_argument("--few-shot-stays", action="store_true")
    given = parser.parse_args()
    rows = given.rows.split(",")
    totals = dict.fromkeys(WAYS, 0.0)
    with tempfile.TemporaryDirectory() as home:
        workspace = initialize(Path(home) / "company", "company")
        workspace.ingest()
        chosen = workspace.benchmark.split("dev", "test")[: given.questions]
        questions = [question.question for question in chosen]
        for row, assistant in assistants(workspace, rows, given.few_shot_stays).items():
            seen = measure(assistant, questions, given.rounds)
            each = {way: seen.per_question(way, len(questions)) for way in WAYS}
            for way in WAYS:
                totals[way] += each[way]
            told = ", ".join(
                f"{way} {each[way]:.1f} ms [{1000 * min(took) / len(questions):.1f}, "
                f"{1000 * max(took) / len(questions):.1f}]"
                for way, took in seen.seconds.items()
            )
            tell(
                f"{row}: n={len(questions)}, {given.rounds} rounds, CPU each: {told}; ratio "
                f"{each['generate'] / each['at once']:.2f} to generate, "
                f"{each['one by one'] / each['at once']:.2f} to one by one (goal 3); "
                f"{seen.differ} of {seen.asked} replies differ"
            )
    tell(
        f"all rows: questions per CPU-second {len(rows) * 1000 / totals['at once']:.1f} at once; "
        f"ratio {totals['generate'] / totals['at once']:.2f} to generate, "
        f"{totals['one by one'] / totals['at once']:.2f} to one by one (goal 3)"
    )


if __name__ == "__main__":
    main()
