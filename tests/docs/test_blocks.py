"""What the README and the pages of docs/ show is what runs."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from tailor.benchmark import Benchmark
from tailor.config import Config
from tailor.stage import Stage
from tailor.workspace import Workspace

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.parent.name != "reference"]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]

NOT_RUN = {
    r"tailor (ui|serve)\b": "it stays until it is ended; tests/ui and tests/serving start it",
    r"tailor demo\b": "minutes; .ci/run starts it by the README's own line",
    r"huggingface:|ollama:|\btiktoken:": "a model that is not here",
    r"tailor (run|judge|ingest) .*--on ": "a cluster; tests/scale starts one",
    r"tailor training (pause|resume|cancel|service)\b": "a training that is under way",
    r"tailor (adapters|export (adapter|merged|safetensors)|import adapter)\b": "a trained adapter",
    r"tailor run fine_tuning\b": "a training: tests/training",
    r"tailor (monitor --learn|retrain\b|benchmark approve served-)": "questions that were served",
    r"tailor export job\b": "a model with weights; tests/training/test_job_folder.py",
    r"tailor export preferences-jsonl\b": "votes from the Playground",
    r"tailor benchmark human import\b": "answers of a person",
    r"tailor search .*--where\b": "an enricher's model",
    r"--model shipped --model": "minutes; tests/scoring/test_leaderboard.py",
    r"tailor models --lang": "five seconds of its time; tests/selection/test_facts.py",
    r"tailor models .*--(measure|quantizations)\b": "it loads models in processes of their own",
}
"""Lines of ``tailor`` that cannot run here, and what they need; they are parsed all the same."""

OTHER = {"accelerate", "cp", "curl", "docker", "export", "pip", "python", "python3", "vllm"}
"""Programs of others that lines may begin with."""

IMPORTED_ONLY = {
    r"tailor\.training": "a trained adapter",
    r'on="ray"': "a cluster",
}
"""Python blocks of which only the imports are run, and what the rest needs."""

ENDS = {r"--min-score|--require-gain": 3}
"""Lines that end with another code than 0 on a workspace this small."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, *languages: str) -> list[Block]:
    """The blocks of a page in these languages, or all of them."""
    text = (ROOT / page).read_text("utf-8")
    fences = re.finditer(r"^( *)```([^\n]*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    found = [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence[2], fence[3]) for fence in fences
    ]
    return [block for block in found if not languages or block.language in languages]


def lines(block: Block) -> Iterator[list[str]]:
    """The commands of a block of shell, as words; what goes on in the next line is one."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            yield words[:end]
            words = words[end + 1 :]


@cache
def whole_command() -> Any:
    """``tailor``, as its parser has it."""
    from tailor.cli.main import app

    return typer.main.get_command(app)


def parsed(words: Sequence[str]) -> Any:
    """The innermost context of a line of ``tailor``, as the command's own parser reads it."""
    command = whole_command()
    context = command.make_context("tailor", list(words))
    while rest := [*getattr(context, "_protected_args", ()), *context.args]:
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    return context


def reason(line: str, among: dict[str, Any]) -> Any:
    """What the table says of a line; None where it says nothing."""
    return next((told for pattern, told in among.items() if re.search(pattern, line)), None)


def of_tailor(words: Sequence[str]) -> list[str] | None:
    """What follows the command's name; None for a line of another program."""
    return list(words[1:]) if words and words[0].endswith("tailor") else None


@pytest.mark.parametrize("page", NAMES)
def test_every_line_is_one_the_command_knows(page: str) -> None:
    for block in blocks(page, "sh"):
        for words in lines(block):
            told = of_tailor(words)
            if told is None:
                assert words[0].rsplit("/", 1)[-1] in OTHER, f"{block}: {words}"
                continue
            try:
                parsed(told)
            except Exception as error:
                pytest.fail(f"{block}: {shlex.join(words)}: {error}")


@pytest.mark.parametrize("page", NAMES)
def test_the_lines_run(
    page: str, place: Any, tailor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = []
    for block in blocks(page, "sh"):
        for words in lines(block):
            told, line = of_tailor(words), shlex.join(words)
            if told is None or reason(line, NOT_RUN):
                continue
            told = [word.replace("http://127.0.0.1:8000/v1", place.url) for word in told]
            monkeypatch.chdir(home(place.folder, told))
            ended = tailor(*told)
            if ended.code != (reason(line, ENDS) or 0):
                failed.append(f"{block}: {line}: {ended.code}\n{ended.err}")
    assert not failed, "\n".join(failed)


def home(folder: Path, words: Sequence[str]) -> Path:
    """Where a line runs: beside the workspace, in it where it names none, or where it is new."""
    if words[0] == "init":
        empty = folder / "empty"
        shutil.rmtree(empty, ignore_errors=True)
        empty.mkdir()
        return empty
    named = parsed(words).params.get("workspace", Path("acme"))
    return folder if named != Path() else folder / "acme"


@pytest.mark.parametrize("page", NAMES)
def test_the_python_runs(
    page: str, place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in blocks(page, "python"):
        monkeypatch.chdir(place.folder)
        names: dict[str, Any] = {"__name__": "__main__"}
        run_python(block, place, names)
        for name, found in names.items():
            if isinstance(found, type) and found.__module__ == "__main__":
                assert issubclass(found, Stage)
                of_ones_own(name, block, place)
    if page == "README.md":
        said = capsys.readouterr().out.replace("\\_", "_")  # Markdown
        for shown in ("hr/leave.md", "prompting", "few_shot", "retrieval"):
            assert shown in said


def run_python(block: Block, place: Any, names: dict[str, Any]) -> None:
    """Run the block, or its imports where it needs what is not here."""
    text = block.text.replace("http://127.0.0.1:8000/v1", place.url)
    if reason(text, IMPORTED_ONLY):
        body = [one for one in ast.parse(text).body if isinstance(one, ast.Import | ast.ImportFrom)]
        text = ast.unparse(ast.Module(body, []))
    exec(compile(text, str(block), "exec"), names)


def of_ones_own(name: str, block: Block, place: Any) -> None:
    """A stage that is shown works as a file of the workspace."""
    file = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    stages = place.folder / "acme" / "stages"
    stages.mkdir(exist_ok=True)
    (stages / f"{file}.py").write_text(block.text, "utf-8")
    opened = Workspace(place.folder / "acme", {"workspace_stages": True})
    before = opened.root_assistant()
    assert opened.stage(file).apply(before, opened).fingerprint != before.fingerprint


@pytest.mark.parametrize("page", NAMES)
def test_the_data_is_what_the_readers_take(page: str, tmp_path: Path) -> None:
    path = tmp_path / "shown"
    for block in blocks(page, "toml"):
        if "[project" in block.text:
            tomllib.loads(block.text)  # of somebody's package
            continue
        path.write_text(block.text, "utf-8")
        Config.load(path)
    for block in blocks(page, "json", "jsonl"):
        values = (
            [json.loads(one) for one in block.text.splitlines()]
            if (block.language == "jsonl" or "\n{" in block.text)
            else [json.loads(block.text)]
        )
        for value in values:
            if "split" in value:
                path.write_text(json.dumps(value) + "\n", "utf-8")
                assert not Benchmark.load(path).problems, block


@pytest.mark.parametrize("page", NAMES)
def test_every_block_says_what_it_is(page: str) -> None:
    known = {"sh", "python", "toml", "json", "jsonl", "text", "nginx", "yaml", "md"}
    for block in blocks(page):
        if block.language:
            assert block.language in known, block
        else:  # shown as it stands
            assert not re.search(r"^(tailor|curl|pip) ", block.text, re.MULTILINE), block


def test_the_defaults_that_are_shown() -> None:
    shown = tomllib.loads(blocks("docs/knowledge.md", "toml")[0].text)
    for key in ("passage_size", "passage_overlap", "passage_strategy"):
        assert shown[key] == getattr(Config(), key)


def test_no_reason_has_outlived_its_lines() -> None:
    told = [
        shlex.join(words) for page in NAMES for block in blocks(page, "sh")
        for words in lines(block) if of_tailor(words) is not None
    ]  # fmt: skip
    code = [block.text for page in NAMES for block in blocks(page, "python")]
    for among, texts in ((NOT_RUN, told), (ENDS, told), (IMPORTED_ONLY, code)):
        for pattern in among:
            assert any(re.search(pattern, text) for text in texts), pattern
