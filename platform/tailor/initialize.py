"""A new workspace: its folders, its tailor.toml with every key in a comment, and a sample."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from tailor.prediction.samples.sample import Sample


def initialize(root: Path, sample: Sample | None = None) -> Workspace:
    """Make a new workspace: an empty ``knowledge/`` or one with a sample, and a tailor.toml.

    Raises:
        TailorError: the folder already holds a workspace.
    """
    knowledge = root / "knowledge"
    if knowledge.exists() or (root / "tailor.toml").exists():
        raise TailorError(f"{root} is a workspace already; choose another folder.")
    from tailor.prediction.samples.sample import toml

    root.mkdir(parents=True, exist_ok=True)
    knowledge.mkdir()
    top, end = "", ""
    if sample is None:
        (knowledge / "benchmark.jsonl").touch()
    else:
        top, end = toml(sample)
        _fill(knowledge, sample)
    (root / "tailor.toml").write_text(top + _TOML + end, "utf-8")
    ignored = root / ".gitignore"
    before = ignored.read_bytes() if ignored.exists() else b""
    if b".tailor/" not in (line.strip() for line in before.splitlines()):
        ends = b"" if before.endswith(b"\n") or not before else b"\n"
        ignored.write_bytes(before + ends + b".tailor/\n")
    return Workspace(root)


def copy_sample(workspace: Workspace, sample: Sample = "company") -> None:
    """Fill a workspace that has no documents and questions with a sample, tailor.toml included.

    Raises:
        TailorError: there are files in its ``knowledge/`` already.
    """
    from tailor.config_file import change
    from tailor.prediction.samples.sample import settings

    knowledge = workspace.knowledge
    if any(path.is_file() and path.stat().st_size for path in knowledge.rglob("*")):
        raise TailorError(
            f"{knowledge} holds files already; a sample goes into an empty workspace: make one "
            "with `tailor init DIR --sample`."
        )
    _fill(knowledge, sample)
    if values := settings(sample):
        change(workspace.root / "tailor.toml", values)
    workspace.forget_benchmark()


def _fill(knowledge: Path, sample: Sample) -> None:
    if sample == "company":
        ignored = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(sample_folder(), knowledge, dirs_exist_ok=True, ignore=ignored)
    else:
        from tailor.prediction.samples.sample import write

        write(sample, knowledge / "benchmark.jsonl")


def sample_folder() -> Path:
    """Where the sample company lies: beside this package when installed, else in the repository."""
    package = Path(__file__).parent
    for place in (package / "sample", package.parents[1] / "knowledge"):
        if place.is_dir():
            return place
    raise TailorError("The sample company is missing from this installation: install Tailor again.")


_TOML = """\
# Every key is optional; these are the defaults.
# model = "shipped"            # or "huggingface:PATH", "openai:gpt-5-mini", "ollama:qwen3", ...
# base_url = ""                # of an OpenAI-compatible server, with model = "openai:NAME"
# embedder = "shipped"         # or "huggingface:PATH", "openai:NAME", "ollama:NAME"
# embedder_url = ""            # of an OpenAI-compatible server for it, where not at base_url
# quantization = "none"        # or "8bit", "4bit": weights of huggingface models
# concurrency = 8              # questions in flight at once
# requests_per_minute = 500    # sent to each hosted provider at most; no limit by default
# tokens_per_minute = 200000   # read and written, about; no limit by default
# passage_size = 150           # tokens of the embedder, at most
# passage_overlap = 16
# passage_strategy = "structure"   # or "sentences", "fixed"
# judge = ""                   # for `tailor judge`: any chat model, "openai:gpt-5-mini", ...
# max_cost = 5.0               # US dollars one run or judging may cost; none by default
# gpu_hour_usd = 1.2           # what an hour of this machine costs; none by default
# transcriber = ""             # for recordings: "huggingface:PATH" of a Whisper, or "openai:NAME"
# ladder = ["baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning"]
#                              # a stage that comes again has a label: "fine_tuning:2"

# task = "answer"              # or "number", "label": predicted from the text of items, see [items]

# [items]                      # of tasks number and label
# path = "knowledge/benchmark.jsonl"   # or a CSV file, or dataset = "FOLDER-or-ID"
# text = "question"            # the column with the text, and with the number or label
# answer = "answer"
# currency = "USD"             # or unit = "minutes"

# [sources.wiki]               # other documents, by any loader of langchain-community
# loader = "NotionDirectoryLoader"
# arguments = { path = "./export" }

# [enrich.people]              # pipelines that look into documents: entities, summary, translation,
# task = "entities"            # language, sentiment; see docs/models.md
# model = "huggingface:PATH-or-ID"

# [serve]                      # for `tailor serve`; the token is in TAILOR_TOKEN, never here
# port = 8000
# hosts = ["ask.acme.example"] # names under which others may reach it
# keep_days = 90               # served questions are kept so long; keep = false: none is

# trusted_hosts = ["intranet.acme.example"]   # whose addresses answers may carry as they are

# [collections.rules]          # a part of the documents, for retrieval.collections
# folders = ["hr", "it/rules"]
# quota = 2                    # at most so many of the passages

# [stages.few_shot]
# shots = 4

# [stages."retrieval:wide"]    # of a row, after those of its stage
# k = 8

# [builds_on]                  # the row before, unless it says "best" (by dev) or another row
# "retrieval:wide" = "prompting"

# [prices."openai:gpt-5-mini"] # US dollars per million tokens, in place of Tailor's own table
# input = 0.25
# output = 2.0
# cached_input = 0.025
"""
