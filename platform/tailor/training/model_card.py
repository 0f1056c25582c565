"""The model card of what is exported: where it comes from, how it was measured, how to load it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.scoring import format

if TYPE_CHECKING:
    from tailor.training.adapters import Adapter
    from tailor.training.before_after import BeforeAfter
    from tailor.training.gate import Gate, Scored

FILE = "README.md"
"""As the hub calls it."""

_MERGED = """\
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
asked = [{"role": "user", "content": "..."}]
prompt = tokenizer.apply_chat_template(
    asked, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
reply = model.generate(**prompt, max_new_tokens=64)[0, prompt["input_ids"].shape[1]:]
print(tokenizer.decode(reply, skip_special_tokens=True))
```
"""
_ADAPTER = """\
```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = BASE
tokenizer = AutoTokenizer.from_pretrained(".")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), ".")
```
"""


def write(
    folder: Path,
    adapter: Adapter,
    *,
    merged: bool,
    gate: Gate | None = None,
    measured: BeforeAfter | None = None,
    forced: bool = False,
) -> Path:
    """Write the card of an exported adapter, or of the model it was merged into."""
    load = _MERGED if merged else _ADAPTER.replace("BASE", json.dumps(_base(adapter)))
    parts = [
        _front(adapter, merged),
        f"# {adapter.name}\n",
        _what(adapter, merged),
        "## Use\n",
        load,
        "## Training\n",
        _training(adapter),
    ]
    if measured is not None and measured.before and measured.after:
        parts += ["## Before and after\n", _before_after(measured)]
    if gate is not None:
        parts += ["## Merge gate\n", _gate(gate, forced)]
    file = folder / FILE
    file.write_text("\n".join(parts), "utf-8")
    return file


def _base(adapter: Adapter) -> str:
    """A hub id, or the folder's name: where it lies here is nobody else's business."""
    base = Path(adapter.base)
    lies_here = base.is_absolute() or base.is_dir() or adapter.base.startswith((".", "~"))
    return base.name if lies_here else adapter.base


def _front(adapter: Adapter, merged: bool) -> str:
    lines = [
        "---",
        f"license: {json.dumps(adapter.licence)}",
        f"base_model: {json.dumps(_base(adapter))}",
        f"library_name: {'transformers' if merged else 'peft'}",
        "pipeline_tag: text-generation",
        f"tags: [{'' if merged else 'lora, '}{adapter.method}, tailor]",
        "---\n",
    ]
    return "\n".join(lines)


def _what(adapter: Adapter, merged: bool) -> str:
    kind = "A model: the base with a LoRA adapter merged into it" if merged else "A LoRA adapter"
    return (
        f"{kind}, tuned with Tailor {adapter.versions.get('llm-tailor', '')} on "
        f"{format.count(adapter.lessons)} lessons.\n\n"
        f"- Base: `{_base(adapter)}` (digest `{adapter.base_digest}`)\n"
        f"- Licence of the base: {adapter.licence}; it holds for what is made of it\n"
        f"- Lessons: digest `{adapter.data_digest}`\n"
        f"- Adapter: digest `{adapter.digest}`, made {adapter.created}\n"
    )


def _training(adapter: Adapter) -> str:
    losses = [point["loss"] for point in adapter.curve if "loss" in point]
    held = [point["validation_loss"] for point in adapter.curve if "validation_loss" in point]
    told = [f"| {name} | {value} |" for name, value in adapter.settings.items()]
    for name, values in (("loss", losses), ("validation loss", held)):
        if values:
            first, last = (format.number(value) for value in (values[0], values[-1]))
            told.append(f"| {name}, first and last | {first} → {last} nats per token |")
    told += [f"| {name} | {value} |" for name, value in adapter.versions.items()]
    return "\n".join(["| | |", "|---|---|", *told]) + "\n"


def _before_after(measured: BeforeAfter) -> str:
    assert measured.before
    assert measured.after
    one, other = (format.number(side.mean) for side in (measured.before, measured.after))
    return (
        f"Perplexity of the reference answers to {measured.before.n} dev questions: {one} without "
        f"the adapter, {other} with it.\n"
    )


def _gate(gate: Gate, forced: bool) -> str:
    lines = [
        f"{gate.questions} dev questions, {gate.metric}; a loss of more than "
        f"{format.points(gate.limit).lstrip('+')} points against the adapter or the base blocks "
        "the export.\n",
        "| | score | 95 % | against the adapter | 95 % | p | verdict |",
        "|---|---|---|---|---|---|---|",
        *(_line(one, gate) for one in gate.forms),
    ]
    if forced and gate.blocked:
        lines.append(f"\nExported all the same (`--force`): {', '.join(gate.blocked)} lost more.")
    return "\n".join(lines) + "\n"


def _line(one: Scored, gate: Gate) -> str:
    name = f"quantized ({gate.bits})" if one.form == "quantized" else one.form
    score, paired = one.score, one.against
    cells = [name, format.percent(score.mean if score else None)]
    cells.append(f"{format.percent(score.low)} to {format.percent(score.high)}" if score else "")
    if paired is None:
        return "| " + " | ".join([*cells, "", "", "", ""]) + " |"
    span = f"{format.points(paired.low)} to {format.points(paired.high)}"
    cells += [format.points(paired.delta), span, format.p_value(paired.p), one.verdict or ""]
    return "| " + " | ".join(cells) + " |"
