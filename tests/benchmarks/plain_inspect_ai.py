"""The same questions asked by inspect_ai, for Tailor's figures to be measured against.

    python tests/benchmarks/plain_inspect_ai.py URL BENCHMARK STATE [--flight 50]

One task: every question of the file is a sample, generated with inspect's cache, scored by whether
the answer includes the expected one, logged as inspect logs. Runs in an environment of its own that
has `inspect-ai` and `openai`. Prints one line of JSON.
"""

import argparse
import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Ask once."""
    parser = argparse.ArgumentParser(description="Ask with inspect_ai.")
    parser.add_argument("url")
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--flight", type=int, default=50)
    given = parser.parse_args()
    os.environ |= {
        "OPENAI_API_KEY": "none",
        "INSPECT_CACHE_DIR": str(given.state / "cache"),
        "XDG_DATA_HOME": str(given.state / "data"),
    }
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    lines = [json.loads(line) for line in given.benchmark.read_text("utf-8").splitlines()]
    task = Task(
        dataset=[
            Sample(id=line["id"], input=line["question"], target=line["answer"]) for line in lines
        ],
        solver=generate(cache=True),
        scorer=includes(),
    )
    log = eval(
        task,
        model="openai/double",
        model_base_url=given.url,
        model_args={"responses_api": False},
        max_connections=given.flight,
        max_samples=given.flight,
        temperature=0,
        display="none",
        log_dir=str(given.state / "logs"),
    )[0]
    if log.status != "success" or log.results is None:
        raise SystemExit(f"inspect_ai ended with {log.status}: {log.error}")
    accuracy = log.results.scores[0].metrics["accuracy"].value
    said = {"answers": log.results.completed_samples, "accuracy": accuracy}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
