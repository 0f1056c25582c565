"""Pretrains the shipped reader, a small Llama that answers from passages.

    python -m tailor.models.pretraining.reader --minutes 120 --threads 3 [--text FILE ...]
    python -m tailor.models.pretraining.reader --device cuda --minutes 27 --now 9 [--resume]

Muon for the weight matrices (Jordan et al. 2024), AdamW for the rest; linear decay over the last
half. Muon starts slowly, as fast steps undo the hand-set start. On a CPU each thread is a process
that works on its own batches: on small matrices that is faster than threads within an operation.
For a CUDA device they only write the examples, and a larger network is trained in bfloat16.
Checkpoints make a run resumable, ``--now`` ends it early; with ``--steps`` on a CPU it is
deterministic.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.models.pretraining import natural, network, tokenizer
from tailor.models.pretraining.checkpoint import export, restored, save, trained
from tailor.models.pretraining.encoding import Batch, Encoded, collate, encode, in_batches
from tailor.models.pretraining.episodes import Episode, Mix, episode, mix_at
from tailor.models.pretraining.network import Shape
from tailor.models.pretraining.plan import Plan, State, learning_rates
from tailor.models.pretraining.relations import Split
from tailor.models.provider import SHIPPED

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

EVALUATED_ON = 777_000_000  # seeds of evaluation episodes; training seeds are small


def train_tokenizer(
    seed: int, texts: natural.Texts | None, episodes: int = 16000
) -> PreTrainedTokenizerFast:
    """The tokenizer from synthetic prompts in both languages and, if given, natural text."""

    def corpus() -> Iterator[str]:
        rng = random.Random(f"{seed}-tokenizer")
        for _ in range(episodes):
            example = episode(rng, Mix(copying=0.0, natural=0.0))
            yield example.opening
            for branch in example.branches[:3]:
                yield f"{branch.question}\n{branch.answer}"
        for language, sentences in sorted((texts.sentences if texts else {}).items()):
            wanted = 12000 if language == "vi" else 6000
            yield from rng.sample(sentences, min(wanted, len(sentences)))

    return tokenizer.train(corpus())


def optimizers(model: LlamaForCausalLM, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for hidden weight matrices, AdamW without decay for embeddings, norms and biases."""
    import torch

    from tailor.models.pretraining.muon import Muon  # imports torch

    named = list(model.named_parameters())
    hidden = [p for name, p in named if p.ndim == 2 and "embed" not in name]
    rest = [p for name, p in named if not (p.ndim == 2 and "embed" not in name)]
    return [
        Muon(hidden, lr=plan.matrix_rate, weight_decay=plan.weight_decay),
        torch.optim.AdamW(rest, lr=plan.vector_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def answer_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean cross-entropy of the answer tokens; the vocabulary is scored only there.

    The first token of an answer, which has to be found rather than copied on, counts double.
    """
    import torch
    import torch.nn.functional as functional

    with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=batch.ids.is_cuda):
        hidden = model.model(
            input_ids=batch.ids, attention_mask=batch.visible, position_ids=batch.positions
        ).last_hidden_state[:, :-1]
        learned = batch.learned[:, 1:]
        scores = model.lm_head(hidden[learned])
    first = (learned & ~batch.learned[:, :-1])[learned]
    weights = 1.0 + first.float()
    losses = functional.cross_entropy(scores.float(), batch.ids[:, 1:][learned], reduction="none")
    return (losses * weights).sum() / weights.sum()


def exact_match(model: LlamaForCausalLM, examples: list[Encoded]) -> float:
    """Share of answers whose every token is the most likely one, i.e. greedy exact match."""
    import torch

    right = total = 0
    model.eval()
    with torch.no_grad():
        for rows in in_batches(examples, 8000):
            batch = collate(rows).to(model.device)
            hidden = model.model(
                input_ids=batch.ids, attention_mask=batch.visible, position_ids=batch.positions
            ).last_hidden_state[:, :-1]
            learned = batch.learned[:, 1:]
            hit = torch.zeros_like(learned)
            best = model.lm_head(hidden[learned]).argmax(-1)
            hit[learned] = best == batch.ids[:, 1:][learned]
            segments = batch.segments[:, 1:]
            for i in range(len(rows)):
                for k in range(1, int(segments[i].max()) + 1):
                    place = learned[i] & (segments[i] == k)
                    if place.any():
                        total += 1
                        right += bool(hit[i][place].all())
    model.train()
    return right / total


def _held_back(
    tokens: PreTrainedTokenizerBase, texts: natural.Texts | None
) -> dict[str, list[Encoded]]:
    """Small evaluation sets on companies that training does not see."""
    plain = Mix(
        copying=0, demonstrations=0, no_passage=0, natural=0, unanswerable=0, other_language=0,
        passages=(1.0,),
    )  # fmt: skip
    wanted: dict[str, tuple[Mix, Split]] = {
        "copy": (Mix(copying=1), "train"),
        "1": (plain, "train"),
        "3": (replace(plain, passages=(0.0, 0.0, 1.0)), "train"),
        "held": (plain, "held"),
        "shown": (replace(plain, demonstrations=1), "train"),
        "refuse": (replace(plain, no_passage=0.5, unanswerable=0.5), "train"),
    }
    if texts and texts.items:
        wanted["natural"] = (replace(plain, natural=1), "train")
    sets = {}
    for index, (name, (mix, split)) in enumerate(wanted.items()):
        rng = random.Random(EVALUATED_ON + index)
        examples = [episode(rng, mix, split, texts, branches=3) for _ in range(30)]
        sets[name] = encode(tokens, examples)
    return sets


def _block(
    plan: Plan,
    number: int,
    progress: float,
    tokens: PreTrainedTokenizerBase,
    texts: natural.Texts | None,
) -> list[list[Encoded]]:
    """Batches, a function of the seed, the block's number and the progress alone."""
    rng = random.Random(f"{plan.seed}-{number}")
    mix = mix_at(progress)
    examples: list[Encoded] = []
    total, wanted = 0, plan.batches_per_block * plan.trainers
    while total < plan.batch_tokens * wanted:
        drawn: list[Episode] = [episode(rng, mix, texts=texts) for _ in range(32)]
        fresh = encode(tokens, drawn)
        examples += fresh
        total += sum(len(e.ids) for e in fresh)
    batches = in_batches(examples, plan.batch_tokens, rng)
    return batches[: len(batches) - len(batches) % plan.trainers][:wanted]


def _blocks(
    plan: Plan, state: State, tokens: PreTrainedTokenizerBase, texts: natural.Texts | None
) -> Iterator[list[list[Encoded]]]:
    """Blocks without end: made here, or ahead by ``plan.workers`` processes for a CUDA device."""
    if plan.device == "cpu":
        while True:
            yield _block(plan, state.blocks, state.progress(plan), tokens, texts)
    from torch.utils.data import DataLoader, IterableDataset, get_worker_info

    class Writer(IterableDataset[list[list[Encoded]]]):
        """Every n-th block in each of n processes."""

        def __iter__(self) -> Iterator[list[list[Encoded]]]:
            worker = get_worker_info()
            assert worker is not None
            own, began = replace(state), time.monotonic()
            for number in count(state.blocks + worker.id, worker.num_workers):
                own.seconds = state.seconds + time.monotonic() - began
                own.step = state.step + (number - state.blocks) * plan.batches_per_block
                yield _block(plan, number, own.progress(plan), tokens, texts)

    yield from DataLoader(Writer(), batch_size=None, num_workers=plan.workers)


def train(
    plan: Plan,
    folder: Path,
    tokens: PreTrainedTokenizerBase,
    texts: natural.Texts | None = None,
    resume: bool = False,
    evaluate_every: float = 300.0,
    until_step: int = 0,
    until_seconds: float = 0.0,
    rank: int = 0,
) -> tuple[LlamaForCausalLM, list[float]]:
    """Train to the end of the plan; returns the model and the losses.

    Stops before at ``until_step``, or after ``until_seconds`` of this call.
    Writes ``folder/checkpoint.pt`` after blocks of batches, every ``evaluate_every`` seconds.
    With ``plan.trainers`` > 1 this is one of as many processes, joined by torch.distributed.
    """
    import torch
    import torch.distributed as joined
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    model = network.build(
        plan.shape, plan.seed, pad_id=tokens.pad_token_id, end_id=tokens.eos_token_id
    ).to(plan.device)  # type: ignore[arg-type]
    optimizing = optimizers(model, plan)
    state = State()
    if resume:
        state = restored(folder, plan, model, optimizing)
    model.train()
    reporting = evaluate_every > 0 and rank == 0
    held_back = _held_back(tokens, texts) if reporting else {}
    losses: list[float] = []
    began, before = time.monotonic(), state.seconds
    due = evaluate_every
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, disable=rank > 0 or not sys.stderr.isatty())
    with bar:
        task = bar.add_task("reader", total=1.0)
        blocks = _blocks(plan, state, tokens, texts)
        while (
            state.progress(plan) < 1
            and (not until_step or state.step < until_step)
            and (not until_seconds or state.seconds - before < until_seconds)
        ):
            block = next(blocks)
            for rows in block[rank :: plan.trainers]:
                losses.append(_step(plan, state, model, optimizing, rows))
                state.step += 1
            state.blocks += 1
            state.tokens += sum(len(e.ids) for rows in block for e in rows)
            state.seconds = before + time.monotonic() - began
            if plan.trainers > 1:  # all must agree on the progress, which decides the next block
                clock = torch.tensor([state.seconds], dtype=torch.float64)
                joined.broadcast(clock, 0)
                state.seconds = float(clock)
            recent = sum(losses[-50:]) / len(losses[-50:])
            bar.update(task, completed=state.progress(plan), description=f"loss {recent:.3f}")
            if reporting and time.monotonic() - began >= due:
                due += evaluate_every
                _report(state, recent, model, held_back)
                save(folder, plan, state, model, optimizing)
    if reporting:
        _report(state, sum(losses[-50:]) / max(1, len(losses[-50:])), model, held_back)
    if rank == 0:
        save(folder, plan, state, model, optimizing)
    return model, losses


def _step(
    plan: Plan,
    state: State,
    model: LlamaForCausalLM,
    optimizing: list[torch.optim.Optimizer],
    rows: list[Encoded],
) -> float:
    """Learn from one batch; its loss before that."""
    import torch

    for optimizer, rate in zip(optimizing, learning_rates(plan, state), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
    loss = answer_loss(model, collate(rows).to(plan.device))
    loss.backward()
    if plan.trainers > 1:
        _average_gradients(model, plan.trainers)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizing:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def _average_gradients(model: LlamaForCausalLM, workers: int) -> None:
    import torch
    import torch.distributed as joined

    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    joined.all_reduce(flat)
    flat /= workers
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def _report(
    state: State, loss: float, model: LlamaForCausalLM, sets: dict[str, list[Encoded]]
) -> None:
    scores = " ".join(f"{name} {exact_match(model, rows):.2f}" for name, rows in sets.items())
    sys.stdout.write(
        f"{state.seconds / 60:.1f} min, step {state.step}, {state.tokens / 1e6:.2f}M tokens, "
        f"{state.tokens / max(1.0, state.seconds):.0f} tokens/s, loss {loss:.3f}, "
        f"exact match: {scores}\n"
    )
    sys.stdout.flush()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=120.0, help="of the whole run")
    parser.add_argument("--now", type=float, default=0.0, help="minutes of this call, if fewer")
    parser.add_argument("--steps", type=int, default=0, help="count steps instead of minutes")
    parser.add_argument("--threads", type=int, default=1, help="more pay only on idle cores")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--batch-tokens", type=int, default=Plan.batch_tokens)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text", type=Path, nargs="*", default=[], help="natural text to add")
    parser.add_argument("--run", type=Path, default=Path("reader-run"), help="checkpoints")
    parser.add_argument("--output", type=Path, default=SHIPPED / "reader")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--width", type=int, default=Shape.width, help="a multiple of 64")
    parser.add_argument("--layers", type=int, default=Shape.layers)
    parser.add_argument("--feed-forward", type=int, default=Shape.feed_forward)
    given = parser.parse_args()
    try:
        _run(given)
    except TailorError as error:
        sys.exit(f"{error}")


def _run(given: argparse.Namespace) -> None:
    from torch.multiprocessing.spawn import start_processes
    from transformers import AutoTokenizer

    vocabulary = given.run / "tokenizer"
    if not (given.resume and vocabulary.exists()):
        texts = natural.load(given.text) if given.text else None
        train_tokenizer(given.seed, texts).save_pretrained(vocabulary)
    meeting = given.run / "meeting"
    meeting.unlink(missing_ok=True)
    if given.threads > 1 and given.device == "cpu":
        start_processes(
            _work, (given, vocabulary, meeting), nprocs=given.threads, start_method="spawn"
        )
    else:
        _work(0, given, vocabulary, meeting)
    tokens = AutoTokenizer.from_pretrained(vocabulary)
    # A run that is not over is exported too: it may be measured, and resumed.
    export(trained(given.run, tokens), tokens, given.output)
    sys.stdout.write(
        f"The reader is in {given.output}; next: python -m tailor.models.pretraining.evaluate\n"
    )


def _work(rank: int, given: argparse.Namespace, vocabulary: Path, meeting: Path) -> None:
    import torch
    import torch.distributed as joined
    from transformers import AutoTokenizer

    torch.set_num_threads(1)
    # State of the whole process, so it is set in this one only, never in train().
    torch.set_flush_denormal(True)
    together = given.threads > 1 and given.device == "cpu"
    if together:
        joined.init_process_group(
            "gloo",
            init_method=f"file://{meeting.resolve()}",
            rank=rank,
            world_size=given.threads,
        )
    tokens = AutoTokenizer.from_pretrained(vocabulary)
    texts = natural.load(given.text) if given.text else None
    shape = Shape(
        width=given.width,
        layers=given.layers,
        heads=given.width // 64,
        feed_forward=given.feed_forward,
        vocabulary=len(tokens),
    )
    plan = Plan(
        minutes=given.minutes,
        steps=given.steps,
        seed=given.seed,
        batch_tokens=given.batch_tokens,
        workers=given.threads,
        device=given.device,
        shape=shape,
    )
    seconds = 60 * given.now
    train(plan, given.run, tokens, texts, given.resume, until_seconds=seconds, rank=rank)
    if together:
        joined.destroy_process_group()


if __name__ == "__main__":
    main()
