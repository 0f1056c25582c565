"""Folders of models from strangers: no code of theirs runs, and no pickled object is made."""

from __future__ import annotations

import contextlib
import json
import pickle
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from tailor.documents.enrichers import loading as enrichers
from tailor.errors import TailorError
from tailor.models import folder as folders
from tailor.models import loading
from tailor.models.chat_template import HUMAN_ASSISTANT
from tailor.models.local import LocalChat
from tailor.models.sentence_encoder import SentenceEncoder
from tailor.models.whisper import Whisper
from tailor.retrieval import cross_encoder

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
ASKED = [HumanMessage("Which printer takes A3 paper?")]


def _heard(path: str) -> object:
    return Whisper(path)(np.zeros(16_000, np.int16))


def _told(path: str) -> object:
    return LocalChat(path=path, max_tokens=4).invoke(ASKED)


LOADERS: dict[str, Callable[[str], object]] = {
    "chat": _told,
    "weights": loading.causal_model,
    "shape": loading.empty_model,
    "settings": loading.settings,
    "tokenizer": loading.tokenizer,
    "embedder": SentenceEncoder.load,
    "reranker": lambda path: cross_encoder.scores(f"cross-encoder:{path}", "a?", ["b"]),
    "whisper": _heard,
    "tags": lambda path: enrichers.load(path, "TokenClassification"),
    "classes": lambda path: enrichers.load(path, "SequenceClassification"),
    "writer": lambda path: enrichers.load(path, "writing"),
}
"""All that reads a folder of a model; what trains and merges reads it through ``weights``."""


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = TINY["build"](tmp_path_factory.mktemp("bloom"))
    return made


@pytest.fixture
def model(bloom: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bloom, tmp_path / "model")


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that any code of the model would make; no test may find it."""
    path = tmp_path / "canary"
    module = f"from pathlib import Path\ndef touch(*_, **__): Path({str(path)!r}).touch()\n"
    importable = tmp_path / "importable"
    importable.mkdir()
    (importable / "canary_of_tailor.py").write_text(f"{module}touch()\n", "utf-8")
    monkeypatch.syspath_prepend(str(importable))
    yield path
    sys.modules.pop("canary_of_tailor", None)
    assert not path.exists(), "code of the model has run"


class Touch:
    """Makes the canary when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path(self.path),)


def _set(file: Path, **values: Any) -> None:
    told = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({**told, **values}), "utf-8")


def _only_pickled(model: Path, canary: Path) -> None:
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Touch(canary)}))


def _fake_safetensors(model: Path, canary: Path) -> None:
    (model / "model.safetensors").write_bytes(pickle.dumps({"weight": Touch(canary)}))


def _archive_as_safetensors(model: Path, canary: Path) -> None:
    import torch

    torch.save({"weight": Touch(canary)}, model / "model.safetensors")


def _index_to_pickle(model: Path, canary: Path) -> None:
    """Safetensors are there, and the index says that the weights are in a pickled file."""
    (model / "model.safetensors").rename(model / "other.safetensors")
    (model / "evil.bin").write_bytes(pickle.dumps({"weight": Touch(canary)}))
    index = {"metadata": {}, "weight_map": {"transformer.word_embeddings.weight": "evil.bin"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")


def _own_kind(model: Path, canary: Path) -> None:
    auto = dict.fromkeys(("AutoConfig", "AutoModelForCausalLM", "AutoModel"), "code.M")
    _set(model / "config.json", model_type="strange", auto_map=auto)


def _own_kind_inside(model: Path, canary: Path) -> None:
    inside = {"model_type": "strange", "auto_map": {"AutoConfig": "code.M"}}
    _set(model / "config.json", text_config=inside)


def _claims_trust(model: Path, canary: Path) -> None:
    _set(model / "generation_config.json", assistant={"trust_remote_code": True})


def _own_module(model: Path, canary: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": "canary_of_tailor.Transformer"}]
    (model / "modules.json").write_text(json.dumps(modules), "utf-8")


def _own_kernel(model: Path, canary: Path) -> None:
    """Transformers fetches compiled code for such a name from the hub."""
    _set(model / "config.json", _attn_implementation="evil/kernel")


def _own_kernel_inside(model: Path, canary: Path) -> None:
    _set(model / "config.json", text_config={"attn_implementation": "evil/kernel"})


REFUSED = [
    _only_pickled, _fake_safetensors, _archive_as_safetensors, _index_to_pickle, _own_kind,
    _own_kind_inside, _claims_trust, _own_module, _own_kernel, _own_kernel_inside,
]  # fmt: skip
WITHOUT_WEIGHTS = ("settings", "tokenizer", "shape")


@pytest.mark.parametrize("spoil", REFUSED)
def test_refused_by_everything_that_reads_a_model(
    model: Path, canary: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(model, canary)
    (model / "code.py").write_text("import canary_of_tailor\n", "utf-8")
    weights = spoil in REFUSED[:4]
    for name, load in LOADERS.items():
        if weights and name in WITHOUT_WEIGHTS:
            load(str(model))
        else:
            with pytest.raises(TailorError) as raised:
                load(str(model))
            assert "\n" not in str(raised.value), name
        assert not canary.exists(), name


def _beside(model: Path, canary: Path) -> None:
    """Pickled files that others would open: weights, and what trainers leave."""
    evil = pickle.dumps({"weight": Touch(canary)})
    for name in (
        "pytorch_model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth",
        "adapter_model.bin", "sentencepiece.bpe.pkl", "model.pkl", "model.joblib",
    ):  # fmt: skip
        (model / name).write_bytes(evil)


def _known_kind(model: Path, canary: Path) -> None:
    """Transformers has the kind itself, and takes its own class."""
    _set(model / "config.json", auto_map={"AutoModelForCausalLM": "code.M", "AutoConfig": "code.M"})


def _own_generation(model: Path, canary: Path) -> None:
    (model / "custom_generate").mkdir()
    (model / "custom_generate" / "generate.py").write_text("import canary_of_tailor\n", "utf-8")
    _set(model / "generation_config.json", custom_generate="code")


def _own_tokenizer(model: Path, canary: Path) -> None:
    _set(model / "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.M", "code.M"]})


def _own_processor(model: Path, canary: Path) -> None:
    for name in ("processor_config.json", "preprocessor_config.json"):
        auto = {"AutoProcessor": "code.M", "AutoFeatureExtractor": "code.M"}
        _set(model / name, auto_map=auto, processor_class="M")


@pytest.mark.parametrize(
    "spoil", [_beside, _known_kind, _own_generation, _own_tokenizer, _own_processor]
)
def test_not_touched_by_anything_that_reads_a_model(
    model: Path, canary: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(model, canary)
    (model / "code.py").write_text("import canary_of_tailor\n", "utf-8")
    read = 0
    for load in LOADERS.values():
        with contextlib.suppress(TailorError):
            load(str(model))
            read += 1
        assert not canary.exists()
    assert read >= 4, "else nothing was tried"


def test_modules_of_an_embedder_neither_unpickle_nor_import(model: Path, canary: Path) -> None:
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense"}
    modules = [
        {"idx": n, "name": str(n), "path": at, "type": f"sentence_transformers.models.{kind}"}
        for n, (at, kind) in enumerate(kinds.items())
    ]
    (model / "modules.json").write_text(json.dumps(modules), "utf-8")
    _set(model / "1_Pooling" / "config.json", word_embedding_dimension=32)
    dense = model / "2_Dense"
    _set(
        dense / "config.json", in_features=32, out_features=8, bias=True,
        activation_function="canary_of_tailor.touch",
    )  # fmt: skip
    (dense / "pytorch_model.bin").write_bytes(pickle.dumps({"linear.weight": Touch(canary)}))
    with pytest.raises(TailorError):
        SentenceEncoder.load(str(model))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("megatron", {"megatron_config": {"a": 1}, "megatron_core": "canary_of_tailor"}),
        ("mapping", {"auto_mapping": {"parent_library": "canary_of_tailor",
                                      "base_model_class": "M"}}),
        ("prompt", {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 1,
                    "prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "x",
                    "tokenizer_kwargs": {"trust_remote_code": True}}),
    ],
)  # fmt: skip
def test_an_adapter_imports_nothing(
    bloom: Path, tmp_path: Path, canary: Path, name: str, values: dict[str, Any]
) -> None:
    pairs = [("Which printer takes A3 paper?", "the blue one")]
    adapter: Path = TINY["save_adapter"](bloom, tmp_path / "adapter", pairs)
    _set(adapter / "adapter_config.json", **values)
    (adapter / "code.py").write_text("import canary_of_tailor\n", "utf-8")
    with contextlib.suppress(TailorError):
        loading.causal_model(str(adapter))


def test_the_tokenizer_of_an_adapter_gets_no_trust_from_its_base(
    bloom: Path, tmp_path: Path, canary: Path
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    _set(
        adapter / "tokenizer_config.json",
        tokenizer_class="M",
        auto_map={"AutoTokenizer": ["code.M", "code.M"]},
    )
    (adapter / "code.py").write_text("import canary_of_tailor\n", "utf-8")
    with pytest.raises(TailorError, match="code of its own"):
        loading.tokenizer(str(bloom), own=str(adapter))


ESCAPES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('touch CANARY').read() }}",
    "{{ self.__init__.__globals__.__builtins__.open('CANARY', 'w') }}",
    "{{ namespace.__init__.__globals__['os'].system('touch CANARY') }}",
    "{{ raise_exception.__globals__['__builtins__']['open']('CANARY', 'w') }}",
    "{{ strftime_now.__globals__['__builtins__']['open']('CANARY', 'w') }}",
    "{{ ('%c%c' % (95, 95))|attr('class') }}{{ ''|attr('__class__') }}",
    "{% set f = '{0.__class__.__mro__}'.format %}{{ f('') }}",
    "{{ ''|map(attribute='__class__')|list }}{{ messages|map('attr', '__class__')|list }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os.system('touch CANARY') }}",
    "{{ messages.append({'role': 'user', 'content': 'x'}) }}",
)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("where", ["chat_template.jinja", "tokenizer_config.json"])
def test_a_chat_template_stays_in_its_sandbox(
    model: Path, canary: Path, escape: str, where: str
) -> None:
    template = escape.replace("CANARY", str(canary)) + HUMAN_ASSISTANT
    if where.endswith("jinja"):
        (model / where).write_text(template, "utf-8")
    else:
        _set(model / where, chat_template=template)
    tokenizer = loading.tokenizer(str(model))
    said = [{"role": "user", "content": "One?"}]
    try:
        whole = tokenizer.apply_chat_template(said, tokenize=False)
    except Exception as error:  # of Jinja or transformers
        whole = str(error)
    assert "<class" not in whole
    assert "root:" not in whole
    assert len(said) == 1
    with contextlib.suppress(TailorError):
        _told(str(model))


def test_pickles_are_converted_as_tensors_only(model: Path, canary: Path) -> None:
    _only_pickled(model, canary)
    with pytest.raises(TailorError, match="tensors only"):
        folders.converted(model)
