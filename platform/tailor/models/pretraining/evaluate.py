"""Measures a reader on companies it has never seen, English and Vietnamese apart.

    python -m tailor.models.pretraining.evaluate [FOLDER] [--questions 100] [--qa FOLDER ...]

Settings: gold passage, three passages by BM25, no passage, questions the documents do not answer,
relations held out of training, formats shown by two demonstrations. ``--qa`` adds question sets
with ``corpus.jsonl`` and ``benchmark.jsonl`` (gold paragraph, reporting only); ``--lora`` adds a
fine-tuning check. Prints one JSON object per figure.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tailor.errors import TailorError
from tailor.models.pretraining import grammar
from tailor.models.pretraining.answer_formats import HELD_OUT_SHOWN
from tailor.models.pretraining.encoding import collate, encode
from tailor.models.pretraining.episodes import QUESTION, REFUSAL, Branch, Episode, context
from tailor.models.pretraining.grammar import Company, Fact, Passage
from tailor.models.pretraining.relations import LANGUAGES, Language, Split
from tailor.models.pretraining.tokenizer import Turn
from tailor.models.provider import SHIPPED
from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

INSTRUCTIONS = {
    "en": "Answer from the documents only, as briefly as possible. If the documents do not say, "
    "reply: Not in the documents.",
    "vi": "Chỉ trả lời theo tài liệu, thật ngắn gọn. Nếu tài liệu không nói, hãy trả lời: "
    "Không có trong tài liệu.",
}
SEED = 20_261_121
KNOWN_FORMATS = ("ANSWER: {a}", "**{a}**", "{a} [1]", '{{"answer": "{a}"}}')
LORA_BATCH = 4
HOUSE_FORMAT = "» {a} (house style)"


class Case(NamedTuple):
    """A fact to ask for, the question, and the place of its passage."""

    fact: Fact
    question: str
    answer: str
    passage: int


@dataclass(frozen=True)
class Library:
    """A company's passages with questions they answer, and questions they do not."""

    owner: Company
    passages: tuple[Passage, ...]
    cases: tuple[Case, ...]
    unanswerable: tuple[str, ...]


def library(language: Language, split: Split, seed: int = SEED, size: int = 40) -> Library:
    """A never-seen company with ``size`` passages."""
    rng = random.Random(f"evaluation-{seed}-{language}-{split}")
    owner = grammar.company(rng, language, split, kinds=12)
    passages = grammar.passages(rng, owner, size)
    asked: dict[tuple[str, str], Case] = {}
    for place, passage in enumerate(passages):
        for fact in passage.facts:
            asked.setdefault(
                (fact.subject.name.en, fact.relation.id),
                Case(
                    fact,
                    grammar.question(fact, rng, language),
                    fact.value.into(language),
                    place,
                ),
            )
    cases = list(asked.values())
    rng.shuffle(cases)
    hidden = [f for f in owner.facts if (f.subject.name.en, f.relation.id) not in asked]
    rng.shuffle(hidden)
    unanswerable = tuple(grammar.question(f, rng, language) for f in hidden)
    return Library(owner, tuple(passages), tuple(cases), unanswerable)


def prompt(
    language: Language,
    passages: Sequence[Passage],
    question: str,
    demonstrations: Sequence[Turn] = (),
) -> list[Turn]:
    """The chat up to the question."""
    return [
        Turn("system", INSTRUCTIONS[language]),
        *demonstrations,
        Turn("user", context(passages) + QUESTION.into(language) + question),
    ]


def generate(
    model: PreTrainedModel | PeftModel,
    tokens: PreTrainedTokenizerBase,
    chats: Sequence[Sequence[Turn]],
    most: int = 40,
    at_once: int = 16,
) -> list[str]:
    """Greedy replies, in order."""
    import torch

    texts = [
        str(
            tokens.apply_chat_template(
                [turn._asdict() for turn in chat], tokenize=False, add_generation_prompt=True
            )
        )
        for chat in chats
    ]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    replies = [""] * len(texts)
    for start in range(0, len(order), at_once):
        group = order[start : start + at_once]
        batch = tokens(
            [texts[i] for i in group], return_tensors="pt", padding=True, add_special_tokens=False
        )
        room = 1024 - most
        with torch.no_grad():
            out = model.generate(  # type: ignore[operator]
                input_ids=batch["input_ids"][:, -room:],
                attention_mask=batch["attention_mask"][:, -room:],
                max_new_tokens=most,
                do_sample=False,
            )
        length = min(room, batch["input_ids"].shape[1])
        for i, row in zip(group, out, strict=True):
            replies[i] = str(tokens.decode(row[length:], skip_special_tokens=True)).strip()
    return replies


def exact(reply: str, answer: str) -> float:
    """1 if the words agree, case and punctuation aside."""
    return float(words(reply) == words(answer))


def f1(reply: str, answer: str) -> float:
    """Word overlap, as in SQuAD."""
    got, wanted = words(reply), words(answer)
    common = sum((Counter(got) & Counter(wanted)).values())
    if not common:
        return float(got == wanted)
    precision, recall = common / len(got), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def is_refusal(reply: str) -> bool:
    """Whether the reply is a canonical refusal in either language."""
    return fold(reply).strip(" .") in {fold(r).strip(" .") for r in REFUSAL}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3)


def _scored(
    name: str, language: str, replies: Sequence[str], answers: Sequence[str], **more: float
) -> dict[str, Any]:
    return {
        "setting": name,
        "language": language,
        "n": len(replies),
        "exact_match": _mean([exact(r, a) for r, a in zip(replies, answers, strict=True)]),
        "f1": _mean([f1(r, a) for r, a in zip(replies, answers, strict=True)]),
        "refused": _mean([is_refusal(r) for r in replies]),
        **more,
    }


def top_passages(shelf: Library, questions: Sequence[str], k: int = 3) -> list[list[int]]:
    """The places of the best passages by BM25."""
    import bm25s

    index = bm25s.BM25()
    index.index([words(f"{p.header} {p.text}") for p in shelf.passages], show_progress=False)
    found = index.retrieve([words(q) for q in questions], k=k, show_progress=False)
    return [[int(place) for place in row] for row in found.documents]


def synthetic(
    model: PreTrainedModel, tokens: PreTrainedTokenizerBase, language: Language, n: int
) -> list[dict[str, Any]]:
    """All settings on one never-seen company."""
    shelf = library(language, "train")
    cases = shelf.cases[:n]
    answers = [case.answer for case in cases]
    gold = [[shelf.passages[case.passage]] for case in cases]
    places = top_passages(shelf, [case.question for case in cases])
    top = [[shelf.passages[i] for i in row] for row in places]
    recall = _mean([case.passage in row for case, row in zip(cases, places, strict=True)])
    out = []

    def ask(contexts: Sequence[Sequence[Passage]]) -> list[str]:
        chats = [
            prompt(language, c, case.question) for c, case in zip(contexts, cases, strict=True)
        ]
        return generate(model, tokens, chats)

    began = time.monotonic()
    out.append(_scored("gold passage", language, ask(gold), answers))
    out[-1]["questions_per_s"] = round(len(cases) / (time.monotonic() - began), 1)
    out.append(_scored("three by BM25", language, ask(top), answers, recall=recall))
    replies = ask([[] for _ in cases])
    out.append(_scored("no passage", language, replies, answers))
    missing = list(shelf.unanswerable[:n])
    around = top_passages(shelf, missing)
    chats = [
        prompt(language, [shelf.passages[i] for i in row], question)
        for question, row in zip(missing, around, strict=True)
    ]
    replies = generate(model, tokens, chats)
    refusal = REFUSAL.into(language)
    out.append(_scored("unanswerable", language, replies, [refusal] * len(missing)))

    other = library(language, "held")
    held = other.cases[:n]
    chats = [prompt(language, [other.passages[c.passage]], c.question) for c in held]
    replies = generate(model, tokens, chats)
    out.append(_scored("held-out relations", language, replies, [c.answer for c in held]))
    for name, formats in (("shown format", KNOWN_FORMATS), ("unseen format", HELD_OUT_SHOWN)):
        out.append(_shown(model, tokens, language, shelf, name, formats, n))
    return out


def _shown(
    model: PreTrainedModel,
    tokens: PreTrainedTokenizerBase,
    language: Language,
    shelf: Library,
    name: str,
    formats: Sequence[str],
    n: int,
) -> dict[str, Any]:
    chats, wanted, plain = [], [], []
    for number, case in enumerate(shelf.cases[:n]):
        form = formats[number % len(formats)].replace("{{", "{").replace("}}", "}")
        turns: list[Turn] = []
        for other in shelf.cases[-2:]:
            turns.append(Turn("user", QUESTION.into(language) + other.question))
            turns.append(Turn("assistant", form.replace("{a}", other.answer)))
        chats.append(prompt(language, [shelf.passages[case.passage]], case.question, turns))
        wanted.append(form.replace("{a}", case.answer))
        plain.append(form.split("{a}"))
    replies = generate(model, tokens, chats)
    kept = [r.startswith(a) and r.endswith(b) for r, (a, b) in zip(replies, plain, strict=True)]
    strict = [nfc(r) == nfc(w) for r, w in zip(replies, wanted, strict=True)]
    return _scored(
        f"2-shot, {name}", language, replies, wanted, strict=_mean(strict), format=_mean(kept)
    )


def question_set(
    model: PreTrainedModel, tokens: PreTrainedTokenizerBase, folder: Path, n: int
) -> dict[str, Any]:
    """F1 with the gold paragraph on ``n`` random questions of a public set."""
    if not (folder / "benchmark.jsonl").exists():
        raise TailorError(f"{folder} has no benchmark.jsonl: pass a folder with a question set.")

    def rows(name: str) -> list[dict[str, Any]]:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        return [json.loads(nfc(line)) for line in lines]

    texts = {row["id"]: row for row in rows("corpus.jsonl")}
    chosen = random.Random(SEED).sample(rows("benchmark.jsonl"), n)
    language: Language = "vi" if chosen[0].get("lang") == "vi" else "en"
    chats = []
    for row in chosen:
        gold = texts[row["source_ids"][0]]
        passage = Passage(f"docs/{gold['title']}.md", gold["text"], (), ())
        chats.append(prompt(language, [passage], row["question"]))
    replies = generate(model, tokens, chats)
    best = [
        (max(exact(r, a) for a in row["answers"]), max(f1(r, a) for a in row["answers"]))
        for r, row in zip(replies, chosen, strict=True)
    ]
    return {
        "setting": folder.name,
        "language": language,
        "n": n,
        "exact_match": _mean([e for e, _ in best]),
        "f1": _mean([f for _, f in best]),
        "refused": _mean([is_refusal(r) for r in replies]),
    }


def fine_tuning(
    folder: Path,
    tokens: PreTrainedTokenizerBase,
    language: Language,
    n: int,
    rate: float = 1e-3,
    epochs: int = 3,
    pairs: int = 100,
) -> list[dict[str, Any]]:
    """Whether LoRA (r=8) learns a house format from ``pairs`` pairs without losing answers."""
    import torch
    import torch.nn.functional as functional
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    shelf = library(language, "train", size=120)
    cases, training = shelf.cases[:n], shelf.cases[n : n + pairs]
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj"]
    model = get_peft_model(
        base, LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM")
    )
    examples = encode(
        tokens,
        [
            Episode(
                (Turn("system", INSTRUCTIONS[language]),),
                context([shelf.passages[case.passage]]),
                (
                    Branch(
                        QUESTION.into(language) + case.question,
                        HOUSE_FORMAT.replace("{a}", case.answer),
                    ),
                ),
            )
            for case in training
        ],
    )
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=rate, weight_decay=0.0)
    rng, steps = random.Random(0), 0
    total = epochs * (len(examples) // LORA_BATCH)
    began = time.monotonic()
    model.train()
    for _ in range(epochs):
        rng.shuffle(examples)
        for start in range(0, len(examples) - LORA_BATCH + 1, LORA_BATCH):
            batch = collate(examples[start : start + LORA_BATCH])
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1, (steps + 1) / 5) * max(0.02, 1 - steps / total)
            logits = model(
                input_ids=batch.ids, attention_mask=batch.visible, position_ids=batch.positions
            ).logits[:, :-1]
            known = batch.learned[:, 1:]
            loss = functional.cross_entropy(logits[known], batch.ids[:, 1:][known])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            steps += 1
    seconds = time.monotonic() - began
    model.eval()
    chats = [prompt(language, [shelf.passages[c.passage]], c.question) for c in cases]
    wanted = [HOUSE_FORMAT.replace("{a}", c.answer) for c in cases]
    replies = generate(model, tokens, chats)
    before, after = HOUSE_FORMAT.split("{a}")
    bare = [r.removeprefix(before).removesuffix(after) for r in replies]
    kept = _mean([r.startswith(before) and r.endswith(after) for r in replies])
    strict = _mean([r == w for r, w in zip(replies, wanted, strict=True)])
    name = f"LoRA r=8, lr {rate:g}, {epochs} epochs, {len(examples)} pairs"
    return [
        _scored(
            name, language, bare, [c.answer for c in cases], strict=strict, format=kept,
            seconds=round(seconds, 1), last_loss=round(loss.item(), 3),
        )
    ]  # fmt: skip


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?", default=SHIPPED / "reader")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--languages", choices=LANGUAGES, nargs="*", default=LANGUAGES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--qa", type=Path, nargs="*", default=[])
    parser.add_argument("--qa-questions", type=int, default=200)
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--lora-rate", type=float, default=1e-3)
    given = parser.parse_args()
    try:
        _run(given)
    except TailorError as error:
        sys.exit(f"{error}")


def _run(given: argparse.Namespace) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)
    tokens = AutoTokenizer.from_pretrained(given.folder)
    model = AutoModelForCausalLM.from_pretrained(given.folder, dtype=torch.float32).eval()

    def show(figures: Sequence[dict[str, Any]]) -> None:
        for figure in figures:
            sys.stdout.write(json.dumps(figure, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    for language in given.languages:
        show(synthetic(model, tokens, language, given.questions))
    for folder in given.qa:
        show([question_set(model, tokens, folder, given.qa_questions)])
    if given.lora:
        for language in given.languages:
            show(fine_tuning(given.folder, tokens, language, given.questions, given.lora_rate))


if __name__ == "__main__":
    main()
