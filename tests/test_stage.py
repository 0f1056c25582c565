"""What every stage must keep, whoever wrote it: found by file, checked without a list of names."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

import tailor.stages
from tailor.assistant import Assistant
from tailor.benchmark import Benchmark
from tailor.errors import TailorError, UsageError
from tailor.settings import setting
from tailor.stage import Stage, stage_types
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

TYPES = stage_types()
FOLDER = Path(tailor.stages.__path__[0])
every_stage = pytest.mark.parametrize("name", TYPES)


def test_the_ladder_of_the_design_is_there() -> None:
    wanted = {"baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning"}
    assert wanted <= TYPES.keys()


def test_every_file_is_a_stage() -> None:
    assert TYPES.keys() == {path.stem for path in FOLDER.glob("[!_]*.py")}


@every_stage
def test_a_stage_is_a_frozen_dataclass_named_like_its_file(name: str) -> None:
    kind = TYPES[name]
    assert issubclass(kind, Stage)
    assert kind.__name__ == "".join(part.capitalize() for part in name.split("_"))
    assert kind.name() == name
    assert getattr(tailor.stages, kind.__name__) is kind
    stage = kind()
    first = dataclasses.fields(kind)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(stage, first, None)
    assert kind.starts_from in ("previous", "root")


@every_stage
def test_every_setting_has_a_default_and_a_meaning(name: str) -> None:
    for field in dataclasses.fields(TYPES[name]):
        assert field.default is not dataclasses.MISSING, field.name
        assert field.metadata["meaning"], field.name


@every_stage
def test_a_stage_says_what_it_does(name: str) -> None:
    assert (TYPES[name].__doc__ or "").strip().endswith(".")
    assert not (TYPES[name].__doc__ or "").startswith(f"{TYPES[name].__name__}(")


def _as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _other(kind: Any, value: Any) -> Any:
    """Another valid value of a setting."""
    if typing.get_origin(kind) is Literal:
        return next(choice for choice in typing.get_args(kind) if choice != value)
    if value is None:
        return 64 if int in typing.get_args(kind) else ("x",)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 or 1
    if isinstance(value, tuple):
        return value[:1]
    return f"{value} x"


@every_stage
def test_settings_come_back_from_texts_and_from_json(name: str) -> None:
    kind = TYPES[name]
    kinds = typing.get_type_hints(kind)
    changed = kind(**{k: _other(kinds[k], v) for k, v in kind().__dict__.items()})
    for stage in (kind(), changed):
        settings = stage.settings()
        assert kind.with_settings(json.loads(json.dumps(settings))) == stage
        assert kind.with_settings({k: _as_text(v) for k, v in settings.items()}) == stage
    assert changed != kind() or name == "ensemble"  # its only setting is an empty list


@every_stage
def test_an_unknown_setting_is_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match=f"Stage {name} has no setting 'flavour'; it has "):
        TYPES[name].with_settings({"flavour": "x"})


@every_stage
def test_a_value_that_does_not_fit_is_one_sentence(name: str) -> None:
    kinds = typing.get_type_hints(TYPES[name])
    for field in dataclasses.fields(TYPES[name]):
        if kinds[field.name] is not str:
            free = kinds[field.name] == tuple[str, ...]  # any text is a list of one
            for value in ({"a": 1},) if free else ("nonsense", {"a": 1}):
                with pytest.raises(UsageError, match=rf"^{name}\.{field.name}: .+\.$"):
                    TYPES[name].with_settings({field.name: value})


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("baseline", {"k": 0}, "k: 0 is below 1"),
        ("baseline", {"confidence": 1.5}, "confidence: 1.5 is above 1"),
        ("baseline", {"confidence": -0.1}, "confidence: -0.1 is below 0"),
        ("few_shot", {"shots": -1}, "shots: -1 is below 1"),
        ("retrieval", {"k": 0}, "k: 0 is below 1"),
        ("retrieval", {"k": -3}, "k: -3 is below 1"),
        ("retrieval", {"weight": 7.0}, "weight: 7.0 is above 1"),
        ("fine_tuning", {"epochs": 0}, "epochs: 0 is below 1"),
        ("fine_tuning", {"rank": 0}, "rank: 0 is below 1"),
        ("fine_tuning", {"alpha": 0}, "alpha: 0 is below 1"),
        ("fine_tuning", {"batch": 0}, "batch: 0 is below 1"),
        ("fine_tuning", {"learning_rate": -1.0}, "learning_rate: -1.0 is below 1e-09"),
        ("fine_tuning", {"seed": -1}, "seed: -1 is below 0"),
        ("retrieval_tuning", {"sizes": (400, 0)}, "sizes: 0 is below 1"),
        ("retrieval_tuning", {"ks": (0,)}, "ks: 0 is below 1"),
        ("retrieval_tuning", {"ks": ()}, "ks: name at least one value"),
        ("retrieval_tuning", {"strategies": ()}, "strategies: name at least one value"),
        ("retrieval_tuning", {"weights": (0.5, 1.1)}, "weights: 1.1 is above 1"),
        ("retrieval_tuning", {"weights": (-0.1,)}, "weights: -0.1 is below 0"),
    ],
)
def test_a_setting_out_of_bounds_is_one_sentence(
    name: str, given: dict[str, Any], says: str
) -> None:
    kind = TYPES[name]
    for make in (lambda: kind(**given), lambda: kind.with_settings(given)):
        with pytest.raises(UsageError) as caught:
            make()
        assert str(caught.value) == f"{name}.{says}."


@pytest.mark.parametrize("value", [float("nan"), "much", True])
def test_what_is_no_number_is_refused_in_python_too(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^retrieval\.weight: .+ is not a number\.$"):
        TYPES["retrieval"](**{"weight": value})


@every_stage
def test_every_number_has_a_bound(name: str) -> None:
    for field in dataclasses.fields(TYPES[name]):
        first = (
            next(iter(field.default), None) if isinstance(field.default, tuple) else field.default
        )
        if isinstance(first, int | float) and not isinstance(first, bool):
            assert field.metadata["low"] is not None, field.name


@dataclasses.dataclass(frozen=True)
class Sample(Stage):
    """Settings of every kind."""

    count: int = setting(3, "a whole number")
    share: float = setting(0.5, "a number")
    on: bool = setting(False, "yes or no")
    level: Literal[1, 2] = setting(1, "a choice among numbers")
    limit: int | None = setting(None, "a number or none")
    sizes: tuple[int, ...] = setting((1, 2), "numbers")
    names: tuple[str, ...] = setting((), "words", empty=True)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        return assistant


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"count": "7"}, Sample(count=7)),
        ({"share": "1"}, Sample(share=1.0)),
        ({"share": 1}, Sample(share=1.0)),
        ({"on": "Yes"}, Sample(on=True)),
        ({"on": "0"}, Sample()),
        ({"level": "2"}, Sample(level=2)),
        ({"limit": "4"}, Sample(limit=4)),
        ({"limit": "none"}, Sample()),
        ({"sizes": "400, 700"}, Sample(sizes=(400, 700))),
        ({"sizes": [5]}, Sample(sizes=(5,))),
        ({"names": "hr, it/rules"}, Sample(names=("hr", "it/rules"))),
    ],
)
def test_texts_become_the_types_of_the_settings(given: dict[str, Any], wanted: Sample) -> None:
    assert Sample.with_settings(given) == wanted


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"count": "3.5"}, "not a whole number"),
        ({"count": 3.0}, "not a whole number"),
        ({"count": True}, "not a whole number"),
        ({"share": "nan"}, "not a number"),
        ({"share": "inf"}, "not a number"),
        ({"on": "maybe"}, "not true or false"),
        ({"level": 3}, "not one of 1, 2"),
        ({"sizes": 400}, "not a list"),
        ({"sizes": "1,,2"}, "not a whole number"),
    ],
)
def test_texts_that_do_not_fit_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Sample.with_settings(given)


# --- applying -------------------------------------------------------------------------------


class _Untouched:
    """A model that may be put into an assistant and must not be asked by any stage."""

    fingerprint = "untouched"

    def invoke(self, *_: Any) -> Any:
        raise AssertionError("a stage asked the model")


COSTLY = {"ensemble", "fine_tuning", "retrieval_tuning"}
"""These train, ask the model, or add up other rows: they have tests of their own."""


@pytest.fixture
def ingested(workspace: Workspace) -> Workspace:
    workspace.ingest()
    return workspace


@pytest.mark.parametrize("name", sorted(TYPES.keys() - COSTLY))
def test_apply_returns_a_new_assistant(name: str, ingested: Workspace) -> None:
    before = Assistant(model=_Untouched(), instructions="Start.")  # type: ignore[arg-type]
    fingerprint = before.fingerprint
    stage = TYPES[name]()
    after = stage.apply(before, ingested)
    assert isinstance(after, Assistant)
    assert after is not before
    assert before == Assistant(model=before.model, instructions="Start.")
    assert before.fingerprint == fingerprint
    assert after.fingerprint != fingerprint
    # The same settings over the same data are the same assistant, today and tomorrow.
    assert stage.apply(before, Workspace(ingested.root)).fingerprint == after.fingerprint


@pytest.mark.parametrize("name", ["retrieval", "baseline"])
def test_a_stage_that_searches_needs_an_index(name: str, workspace: Workspace) -> None:
    assistant = Assistant(model=_Untouched())  # type: ignore[arg-type]
    with pytest.raises(TailorError, match="ingest"):
        TYPES[name]().apply(assistant, workspace)


def test_few_shot_shows_train_questions_only(ingested: Workspace) -> None:
    assistant = Assistant(model=_Untouched())  # type: ignore[arg-type]
    for pick in ("nearest", "fixed"):
        after = (
            TYPES["few_shot"].with_settings({"shots": 3, "pick": pick}).apply(assistant, ingested)
        )
        train = {q.question for q in ingested.benchmark.split("train")}
        for question in ingested.benchmark.questions:
            examples = (
                after.examples
                if isinstance(after.examples, tuple)
                else after.examples(question.question)
            )
            shown = {example.question for example in examples}
            assert shown <= train
            assert shown
            if pick == "nearest":
                assert question.question not in shown


def test_few_shot_without_train_questions_is_one_sentence(ingested: Workspace) -> None:
    benchmark = ingested.benchmark
    ingested.__dict__["benchmark"] = Benchmark(benchmark.split("dev", "test"))
    assistant = Assistant(model=_Untouched())  # type: ignore[arg-type]
    with pytest.raises(TailorError, match="has 0 train questions"):
        TYPES["few_shot"]().apply(assistant, ingested)


def test_fine_tuning_of_a_hosted_model_is_one_sentence(hosted: Workspace) -> None:
    with pytest.raises(TailorError, match="weights are on this machine"):
        TYPES["fine_tuning"]().apply(hosted.root_assistant(), hosted)


# --- a new stage is one new file ------------------------------------------------------------

NEW = '''
from __future__ import annotations

from dataclasses import dataclass, replace

from tailor.assistant import Assistant
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class HouseStyle(Stage):
    """Asks for the house style."""

    style: str = setting("plain", "how answers are written")

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        return replace(assistant, instructions=f"Answer in {self.style} style.")
'''


@pytest.fixture
def own_stages(workspace: Workspace) -> Path:
    """The workspace's own stages folder, with one stage in it."""
    folder = workspace.root / "stages"
    folder.mkdir()
    (folder / "house_style.py").write_text(NEW, "utf-8")
    return folder


def test_a_file_in_the_workspace_is_a_stage_when_allowed(
    own_stages: Path, configure: Callable[..., Workspace], model: Any, tailor: Command
) -> None:
    workspace = configure(workspace_stages=True)
    assert workspace.stage("house_style", {"style": "formal"}).settings() == {"style": "formal"}
    ended = tailor(
        "run", "house_style", "-w", workspace.root, "--set", "house_style.style=formal", "--json"
    )
    assert ended.code == 0
    assert [row["row"] for row in ended.json["stages"]] == ["house_style"]
    system = model.server.requests[0].messages[0]
    assert system == {"role": "system", "content": "Answer in formal style."}


def test_a_file_in_the_workspace_is_not_run_unless_allowed(
    own_stages: Path, hosted: Workspace, tailor: Command
) -> None:
    canary = own_stages / "canary"
    (own_stages / "house_style.py").write_text(f"open({str(canary)!r}, 'w').close()", "utf-8")
    ended = tailor("run", "house_style", "-w", hosted.root)
    assert ended.code == 2
    assert "no stage 'house_style'" in ended.sentence
    assert not canary.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_module", "cannot be run .ModuleNotFoundError"),
        ("import sys; sys.exit(0)", "cannot be run .SystemExit"),
        ("def broken(:", "cannot be run .SyntaxError"),
        ("x = 1", "holds no stage: define a frozen dataclass `class HouseStyle"),
        (NEW.replace("HouseStyle", "OtherStyle"), "holds no stage"),
        (NEW.replace("@dataclass(frozen=True)\n", ""), "holds no stage: define a frozen dataclass"),
        (NEW.replace("frozen=True", ""), "cannot be run .TypeError"),
        (
            NEW.replace(' = setting("plain"', '  # ("plain"'),
            "'style' of HouseStyle needs a default",
        ),
        (NEW.replace("def apply(", "def aply("), "HouseStyle does nothing: define its `apply`"),
    ],
    ids=[
        "import",
        "exit",
        "syntax",
        "empty",
        "name",
        "no dataclass",
        "not frozen",
        "no default",
        "no apply",
    ],
)
def test_a_broken_stage_file_is_one_sentence(own_stages: Path, text: str, says: str) -> None:
    (own_stages / "house_style.py").write_text(text, "utf-8")
    with pytest.raises(TailorError, match=says) as caught:
        stage_types(own_stages)
    assert str(own_stages / "house_style.py") in str(caught.value)


def test_files_that_begin_with_an_underscore_are_left_alone(own_stages: Path) -> None:
    (own_stages / "__init__.py").write_text("raise SystemError", "utf-8")
    (own_stages / "_shared.py").write_text("x = 1", "utf-8")
    assert stage_types(own_stages).keys() == TYPES.keys() | {"house_style"}


@pytest.fixture
def new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of the package, in a second folder of it: other tests read the first one."""
    import tailor.stages

    path = tmp_path / "more" / "house_style.py"
    path.parent.mkdir()
    path.write_text(NEW, "utf-8")
    monkeypatch.setattr(tailor.stages, "__path__", [*tailor.stages.__path__, str(path.parent)])
    importlib.invalidate_caches()
    yield path
    sys.modules.pop("tailor.stages.house_style", None)


def test_a_file_dropped_into_the_package_is_a_stage(
    new_file: Path, hosted: Workspace, tailor: Command
) -> None:
    assert stage_types().keys() == TYPES.keys() | {"house_style"}
    assert hosted.stage("house_style").name() == "house_style"
    ended = tailor("run", "house_styles", "-w", hosted.root)
    assert "did you mean 'house_style'" in ended.sentence
    ended = tailor("run", "house_style", "-w", hosted.root, "--json")
    assert [row["row"] for row in ended.json["stages"]] == ["house_style"]
