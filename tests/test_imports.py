"""Directions of imports, names, and what a light command must not load."""

from __future__ import annotations

import ast
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tailor

ROOT = Path(__file__).resolve().parents[1]
CORE, STAGES, UI = ROOT / "platform" / "tailor", ROOT / "stages", ROOT / "ui"

HEAVY = (
    "torch", "transformers", "sentence_transformers", "peft", "trl", "bitsandbytes", "datasets",
    "chromadb", "langchain", "langchain_core", "langchain_openai", "langchain_community",
    "langchain_text_splitters", "openai", "streamlit", "pandas", "scipy", "sklearn", "numpy",
    "altair", "psutil", "sqlite3",
)  # fmt: skip

LAYERS = (
    ("errors", "text"),
    ("documents.passages",),
    ("assistant",),
    ("benchmark", "answers", "config"),
    ("run",),
    ("workspace",),
    ("stage",),
    ("rows",),
    ("ladder",),
    ("cli",),
)
"""From the core outwards: when it is loaded, a module imports only from layers before its own."""


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py") if "__pycache__" not in p.parts)


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        if node.level:
            yield "." * node.level + node.module
        else:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _all_imports(path: Path) -> set[str]:
    """Everything imported anywhere in the file, also inside functions."""
    tree = ast.parse(path.read_text("utf-8"))
    return {name for node in ast.walk(tree) for name in _imported(node)}


def _imports_at_load(path: Path) -> set[str]:
    """What is imported when the file is loaded: not in functions, not for type checkers only."""
    found: set[str] = set()

    def visit(nodes: list[ast.stmt]) -> None:
        for node in nodes:
            found.update(_imported(node))
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                visit(node.orelse)
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                visit(
                    [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
                )

    visit(ast.parse(path.read_text("utf-8")).body)
    return found


def _name(path: Path) -> str:
    return ".".join(path.relative_to(CORE).with_suffix("").parts).removesuffix(".__init__")


def test_the_helpers_see_imports() -> None:
    assert "tailor.documents.passages" in _imports_at_load(CORE / "assistant.py")
    assert "langchain_core.messages" not in _imports_at_load(CORE / "assistant.py")
    assert "langchain_core.messages" in _all_imports(CORE / "assistant.py")


def _offenders(paths: list[Path], banned: Callable[[str], bool]) -> set[str]:
    return {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in _all_imports(path)
        if banned(name)
    }


def test_the_core_knows_neither_stages_nor_interface() -> None:
    outside = ("tailor.stages", "tailor.ui", "tailor.sample")
    assert not _offenders(_files(CORE), lambda name: name.startswith(outside))


def test_streamlit_is_started_by_its_verb_alone() -> None:
    found = _offenders(_files(CORE), lambda name: name.startswith("streamlit"))
    assert {line.partition(":")[0] for line in found} <= {"platform/tailor/cli/ui.py"}


def test_stages_know_the_core_and_not_each_other() -> None:
    outside = (".", "tailor.stages", "tailor.ui", "tailor.cli")
    assert not _offenders(_files(STAGES), lambda name: name.startswith(outside))


def test_nobody_imports_a_top_level_folder_by_its_bare_name() -> None:
    everything = [path for folder in (CORE, STAGES, UI, ROOT / "tests") for path in _files(folder)]
    assert not _offenders(
        everything, lambda name: name.partition(".")[0] in ("stages", "ui", "knowledge")
    )


def test_layers_point_to_the_core() -> None:
    order = {name: at for at, names in enumerate(LAYERS) for name in names}
    for path in _files(CORE):
        name = _name(path)
        own = next((at for layer, at in order.items() if _within(name, layer)), None)
        if own is None:
            continue
        for imported in _imports_at_load(path):
            target = imported.removeprefix("tailor.")
            for layer, at in order.items():
                if imported.startswith("tailor.") and _within(target, layer):
                    assert at < own or _within(name, layer), (
                        f"{name} imports {imported} when it is loaded"
                    )


def _within(name: str, layer: str) -> bool:
    return name == layer or name.startswith(f"{layer}.")


def test_documents_scoring_and_models_stay_below_workspace_and_ladder() -> None:
    for folder in ("documents", "scoring", "models", "training"):
        for path in _files(CORE / folder):
            above = {
                name
                for name in _imports_at_load(path)
                if name.startswith(("tailor.workspace", "tailor.ladder", "tailor.stage"))
                or name.startswith("tailor.cli")
            }
            assert not above, path


def test_platform_is_no_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_platform_is_pythons_own_in_this_run() -> None:
    assert ROOT not in Path(platform.__file__).parents
    assert platform.python_version() == sys.version.split()[0]


@pytest.mark.parametrize("how", ["-c", "python -m pytest", "pytest"])
def test_platform_is_pythons_own(tmp_path: Path, how: str) -> None:
    assert "platform" in {path.name for path in ROOT.iterdir()}
    check = "import platform; assert platform.python_version(), platform"
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {check}\n", "utf-8")
    quiet = ["-p", "no:cacheprovider", "-q", f"--rootdir={tmp_path}", str(tmp_path / "test_it.py")]
    command = {
        "-c": [sys.executable, "-c", check],
        "python -m pytest": [sys.executable, "-m", "pytest", *quiet],
        "pytest": [str(Path(sys.executable).with_name("pytest")), *quiet],
    }[how]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=alone)
    assert done.returncode == 0, done.stdout + done.stderr


def _loaded(code: str) -> set[str]:
    """The packages a fresh process has loaded after running this."""
    code += "\nimport json, sys; print(json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    loaded = _loaded(
        "import sys\n"
        "from tailor.cli.main import main\n"
        "sys.argv = ['tailor', '--help']\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
    )
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


def test_opening_a_workspace_and_the_test_double_load_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    loaded = _loaded(
        f"import tailor\nfrom tailor.testing import OpenAIServer\n"
        f"tailor.Workspace({str(tmp_path)!r}).stage('prompting')"
    )
    assert not loaded & (set(HEAVY) - {"sqlite3"})


def test_public_names_are_sorted_and_there() -> None:
    assert list(tailor.__all__) == sorted(tailor.__all__)
    assert len(set(tailor.__all__)) == len(tailor.__all__)
    for name in tailor.__all__:
        value = getattr(tailor, name)
        assert value.__name__ == name
        assert value.__module__.startswith("tailor.")
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        tailor.Nonsense  # noqa: B018


def test_public_names_are_told_to_type_checkers() -> None:
    tree = ast.parse((CORE / "__init__.py").read_text("utf-8"))
    told = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tailor.")
        for alias in node.names
    }
    assert told == set(tailor.__all__)


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    heavy = {"torch", "transformers", "chromadb", "sentence_transformers", "peft", "trl", "pandas"}
    early = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in _files(CORE) + _files(STAGES)
        for name in _imports_at_load(path)
        if name.partition(".")[0] in heavy and "pretraining" not in path.parts
    }
    assert not early
