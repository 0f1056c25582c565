"""Whether this assistant still does what was measured: `python -m PACKAGE.check`.

Asks the questions in ``data/check.jsonl`` and counts where passages, prompts and replies are those
that were kept with them. A hosted model is not asked unless ``--ask`` says so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from langchain_core.messages import convert_to_openai_messages

from tailor.exporting.plain import chain, model
from tailor.exporting.plain.json_lines import read_lines
from tailor.exporting.plain.search import Search


def check(data: Path = chain.DATA, ask: bool = False) -> dict[str, int]:
    """How many of the questions have the same passages, prompt and answer as when exported."""
    settings = json.loads((data / "settings.json").read_text("utf-8"))
    lines = read_lines(data / "check.jsonl")
    search = Search.load(data, settings["retriever"]) if settings["retriever"] else None
    llm = model.load(data, settings["model"])
    prompted, built = chain.prompt(data, settings, llm), chain.build(data)
    same = {"questions": len(lines), "passages": 0, "prompts": 0}
    if ask:
        same["answers"] = 0
    for item in lines:
        question = {"question": item["question"]}
        found = search.invoke(item["question"]) if search else []
        places = [[d.metadata["document"], d.metadata["start"], d.metadata["end"]] for d in found]
        messages: Any = convert_to_openai_messages(prompted.invoke({**question, "passages": found}))
        same["passages"] += places == item["passages"]
        same["prompts"] += messages == item["messages"]
        if ask:
            same["answers"] += built.invoke(question)["answer"] == item["answer"]
    return same


if __name__ == "__main__":
    counted = check(ask="--ask" in sys.argv)
    print(json.dumps(counted))  # noqa: T201
    sys.exit(0 if counted["prompts"] == counted["questions"] else 1)
