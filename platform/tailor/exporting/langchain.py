"""An assistant as a small Python package of plain LangChain, which needs no Tailor.

The package is `tailor.exporting.plain` with the few modules it uses, copied as they are, and a
folder ``data`` with what was fitted. What it cannot carry is refused, not approximated.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.answer_format import AnswerFormat
from tailor.assistant import Ask, Assistant, Prompt
from tailor.errors import NotApplicable, TailorError
from tailor.redaction import address
from tailor.run import write_json
from tailor.whole_folder import written

if TYPE_CHECKING:
    from tailor.ladder import Chosen
    from tailor.models.chat import Chat
    from tailor.retrieval.retriever import Retriever
    from tailor.workspace import Workspace

MODULES: Mapping[str, str] = {
    "tailor.text": "text",
    "tailor.documents.lexical": "lexical",
    "tailor.documents.postings": "postings",
    "tailor.retrieval.ranking": "ranking",
    "tailor.framing": "framing",
    "tailor.prompting.wording": "wording",
    "tailor.models.static_encoder": "encoder",
}
"""What is copied beside the modules of `tailor.exporting.plain`, and its name there."""
_OTHER = {"tailor.documents.passages": "passage", "tailor.errors": "errors"}
CHECKED = 20
"""Dev questions that the exported package can check itself by."""


@dataclass(frozen=True)
class Exported:
    """A package that was written."""

    folder: Path
    row: str
    model: str
    passages: int
    examples: int
    checked: int
    """Questions it can check itself by."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**self.__dict__, "folder": str(self.folder)}


def export(workspace: Workspace, chosen: Chosen, folder: Path) -> Exported:
    """Write the assistant of a row into a new folder, a Python package of that name.

    Raises:
        NotApplicable: it has something that plain LangChain cannot do, or no language model.
        TailorError: the folder is there already, or its name is no package's.
    """
    if not folder.name.isidentifier():
        raise TailorError(
            f"{folder.name!r} cannot be imported as a package: choose a name of letters, digits "
            "and _, as acme_assistant."
        )
    assistant = chosen.assistant
    chat = _chat(assistant, chosen.row)
    retriever = _retriever(assistant, chosen.row)
    _plain(assistant.format, chosen.row)

    def fill(building: Path) -> int:
        data = building / "data"
        data.mkdir()
        _code(building)
        settings = {
            "model": _model(chat, workspace, data),
            "retriever": _index(retriever, workspace, data),
            "examples": _examples(assistant, chosen.row, data),
            "instructions": [assistant.instructions, assistant.format.instruction],
            "placement": assistant.format.placement,
            "reasoning": assistant.format.reasoning,
            "citations": assistant.format.citations,
            "quoted": chat.quotes,
            "order": retriever.order if retriever else "best_first",
        }
        write_json(data / "settings.json", settings)
        _about(building, folder.name, chosen, settings)
        return _check(workspace, assistant, chat, data)

    checked = written(folder, fill)
    count = retriever.index.count if retriever else 0
    examples = (folder / "data" / "examples.jsonl").read_text("utf-8").count("\n")
    return Exported(folder, chosen.row, chosen.model, count, examples, checked)


def _chat(assistant: Assistant, row: str) -> Chat:
    from tailor.models.chat import Chat

    if not isinstance(assistant.model, Chat):
        raise NotApplicable(
            f"Row {row} has no language model that LangChain could ask: choose another one with "
            "--stage."
        )
    return assistant.model


def _retriever(assistant: Assistant, row: str) -> Retriever | None:
    from tailor.retrieval.retriever import Retriever

    found = assistant.retriever
    if found is None:
        return None
    if not isinstance(found, Retriever):
        raise NotApplicable(f"The retriever of row {row} needs Tailor: choose another --stage.")
    how = found.configuration
    special = {
        f"a {how.reranker.partition(':')[0]} reranker": how.reranker,
        f"the rewriting {how.rewriting}": how.rewriting != "none",
        "rearranged passages": how.arranges,
        "a search in headings": how.headings,
        "a relevance floor": found.floor,
        "filters": found.filters,
        "collections": found.collections,
    }
    if has := [name for name, value in special.items() if value]:
        raise NotApplicable(
            f"Row {row} finds passages by {', '.join(has)}, which needs Tailor: export a row with "
            "plain search, as --stage retrieval, or serve this one with `tailor serve`."
        )
    return found


def _plain(format: AnswerFormat, row: str) -> None:
    if format.converses:
        raise NotApplicable(
            f"Row {row} replies by tools or JSON, which needs Tailor: export a row without, or "
            "serve this one with `tailor serve`."
        )


def _code(package: Path) -> None:
    """Copy the modules; what they import of one another becomes relative."""
    import tailor

    home = Path(tailor.__file__).parent
    here = Path(__file__).parent / "plain"
    sources = {path.name: path for path in here.glob("*.py")}
    sources |= {f"{name}.py": _source(home, module) for module, name in MODULES.items()}
    for name, path in sources.items():
        (package / name).write_text(_relative(path.read_text("utf-8")), "utf-8")


def _source(home: Path, module: str) -> Path:
    return home.joinpath(*module.split(".")[1:]).with_suffix(".py")


def _relative(code: str) -> str:
    out = []
    for line in code.splitlines(keepends=True):
        words = line.split()
        if words[:1] == ["from"] and words[1].startswith("tailor"):
            name = MODULES.get(words[1]) or _OTHER.get(words[1])
            if words[1] == "tailor.exporting.plain":
                line = line.replace(words[1], ".", 1)
            elif words[1].startswith("tailor.exporting.plain."):
                line = line.replace(words[1], f".{words[1].rpartition('.')[2]}", 1)
            elif name is None:
                continue  # needed by type checkers alone
            else:
                line = line.replace(words[1], f".{name}", 1)
        out.append(line)
    return "".join(out)


def _model(chat: Chat, workspace: Workspace, data: Path) -> dict[str, Any]:
    from tailor.models.local import LocalChat
    from tailor.models.provider import SHIPPED, is_local

    config, (provider, _, name) = workspace.config, chat.name.partition(":")
    if not is_local(chat.name):
        asked: dict[str, Any] = {"provider": provider, "name": name, "max_tokens": chat.longest}
        if config.temperature is not None:
            asked["temperature"] = config.temperature
        if provider == "openai" and config.base_url:
            asked["base_url"] = address(config.base_url)
        return asked
    local = chat.model
    assert isinstance(local, LocalChat)
    if local.quantization != "none":
        raise NotApplicable(
            f"The model is used in {local.quantization}, which the export does not carry: merge "
            'the adapter with `tailor export merged`, or set quantization = "none".'
        )
    if Path(local.path) == SHIPPED / "reader":
        shutil.copytree(local.path, data / "model")
    if local.adapter:
        shutil.copytree(local.adapter, data / "adapter")
    return {"provider": "local", "path": local.path, "max_tokens": local.max_tokens}


def _index(retriever: Retriever | None, workspace: Workspace, data: Path) -> dict[str, Any] | None:
    import numpy as np

    from tailor.models.embedder import parted
    from tailor.models.provider import SHIPPED, embedder_url

    if retriever is None:
        return None
    how, index = retriever.configuration, retriever.index
    embedder = how.embedder or workspace.config.embedder
    with (data / "passages.jsonl").open("w", encoding="utf-8") as file:
        for p in index.passages():
            shown = {k: getattr(p, k) for k in ("document", "start", "end", "text", "place")}
            file.write(json.dumps(shown, ensure_ascii=False) + "\n")
    if how.weight < 1:
        np.save(data / "vectors.npy", index.vectors(range(index.count)))
        if embedder == "shipped":
            shutil.copytree(SHIPPED / "encoder", data / "encoder")
    if how.weight:
        shutil.copytree(index.lexical_folder, data / "lexical")
    provider, name = ("shipped", "") if embedder == "shipped" else parted(embedder)
    url = address(embedder_url(workspace.config)) if provider == "openai" else ""
    return {
        "weight": how.weight,
        "fusion": how.fusion,
        "forms": how.forms,
        "k": how.k,
        "candidates": how.candidates,
        "embedder": {"provider": provider, "name": name, "base_url": url},
    }


def _examples(assistant: Assistant, row: str, data: Path) -> dict[str, Any]:
    from tailor.prompting.shots import ByWords, SameForAll, Shots

    given = assistant.examples
    if isinstance(given, tuple):
        pool, settings = list(given), {"shots": len(given), "nearest": False, "order": ""}
    elif (
        isinstance(given, Shots)
        and isinstance(given.ranking, ByWords | SameForAll)
        and given.order != "random"
        and not given.budget
    ):
        nearest = isinstance(given.ranking, ByWords)
        pool = list(given.pool) if nearest else [given.pool[at] for at in given.ranking("")]
        settings = {"shots": given.shots, "nearest": nearest, "order": given.order}
    else:
        raise NotApplicable(
            f"The examples of row {row} are picked in a way that needs Tailor: set few_shot.pick "
            'to "nearest", "fixed", "diverse" or "balanced" without a random order or a budget, '
            "and run it again."
        )
    if any(example.shows for example in pool):
        raise NotApplicable(
            f"The examples of row {row} show passages, which needs Tailor: set "
            "few_shot.passages = 0, and run it again."
        )
    with (data / "examples.jsonl").open("w", encoding="utf-8") as file:
        for example in pool:
            line = {"question": example.question, "reply": assistant.format.shown(example)}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return settings


def _check(workspace: Workspace, assistant: Assistant, chat: Chat, data: Path) -> int:
    """Keep what some dev questions find, and what the model is then asked and replied."""
    from langchain_core.messages import convert_to_openai_messages

    questions = workspace.benchmark.split("dev")[:CHECKED]
    known = workspace.answers.answers(assistant.fingerprint)
    with (data / "check.jsonl").open("w", encoding="utf-8") as file:
        for q in questions:
            prompt: Prompt = assistant.prompt(Ask(q.question))
            answer = known.get(Ask(q.question).key)
            line = {
                "question": q.question,
                "passages": [[p.document, p.start, p.end] for p in prompt.passages],
                "messages": convert_to_openai_messages(chat.fitted(prompt).messages()),
                "answer": answer.text if answer else None,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(questions)


def _about(package: Path, name: str, chosen: Chosen, settings: dict[str, Any]) -> None:
    needs = ["langchain>=1.4,<2", "langchain-core>=1.7,<2", "numpy>=2"]
    model, retriever = settings["model"], settings["retriever"]
    if model["provider"] == "local":
        needs += ["torch>=2.6", "transformers>=5,<6"]
        needs += ["peft>=0.21,<0.22"] if (package / "data" / "adapter").is_dir() else []
    else:
        needs.append(f"langchain-{model['provider'].replace('_', '-')}")
    if retriever:
        provider = retriever["embedder"]["provider"]
        own = {"shipped": ["safetensors", "tokenizers"], "huggingface": ["langchain-huggingface"]}
        needs += own.get(provider, [f"langchain-{provider.replace('_', '-')}"])
    (package / "requirements.txt").write_text("\n".join(dict.fromkeys(needs)) + "\n", "utf-8")
    (package / "README.md").write_text(
        f"# {name}\n\n"
        f"The assistant of row `{chosen.row}` with the model `{chosen.model}`, in plain LangChain: "
        "read `chain.py` first. `data/` holds what was fitted: instructions, examples, passages "
        "and their vectors.\n\n"
        "```\n"
        f"pip install -r {name}/requirements.txt\n"
        f'python -m {name} "your question"\n'
        f"python -m {name}.check          # same passages and prompts as when it was written?\n"
        "```\n\n"
        "From Python:\n\n"
        "```python\n"
        f"from {name}.chain import build\n\n"
        'found = build().invoke({"question": "your question"})\n'
        'print(found["answer"], found["passages"])\n'
        "```\n\n"
        "Not carried: the answer store, conversations, the check that a format is kept, and the "
        "disarming of addresses in answers.\n",
        "utf-8",
    )
