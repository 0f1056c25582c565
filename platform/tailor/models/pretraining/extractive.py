"""Train the shipped extractive reader.

python -m tailor.models.pretraining.extractive --text FILE_OR_FOLDER ... [-o FOLDER]
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.candidates import FEATURES
from tailor.models.extractive import (
    CODE_VERSION,
    EVIDENCE,
    ExtractiveReader,
)
from tailor.models.pretraining import articles
from tailor.models.pretraining.extractive_examples import Amount, Prepared, drawn, prepare
from tailor.models.pretraining.extractive_lexicon import fit_lexicon
from tailor.models.pretraining.relations import Split
from tailor.models.provider import SHIPPED


def fit_trees(
    prepared: Sequence[Prepared], negatives: Sequence[NDArray[np.int64]], settings: dict[str, Any]
) -> dict[str, Any]:
    """Train on the right spans and the chosen wrong ones; returns what `Trees` is made of."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, targets, weights = [], [], []
    for one, wrong in zip(prepared, negatives, strict=True):
        chosen = np.concatenate([np.nonzero(one.right)[0], wrong])
        rows.append(one.found.features[chosen])
        targets.append(one.right[chosen])
        weights.append(np.full(len(chosen), one.example.weight))
    model = HistGradientBoostingClassifier(
        early_stopping=False, random_state=0, validation_fraction=None, **settings
    )
    model.fit(np.concatenate(rows), np.concatenate(targets), np.concatenate(weights))
    return trees_of(model)


def trees_of(model: Any) -> dict[str, Any]:
    """The trees of a fitted `HistGradientBoostingClassifier` as plain lists."""
    stored: dict[str, Any] = {
        name: [] for name in ("roots", "feature", "threshold", "left", "right", "value")
    }
    depth = 0
    for (tree,) in model._predictors:
        offset = len(stored["feature"])
        stored["roots"].append(offset)
        for index, node in enumerate(tree.nodes):
            leaf = bool(node["is_leaf"])
            here = offset + index
            stored["feature"].append(int(node["feature_idx"]))
            stored["threshold"].append(0 if leaf else float(f"{node['num_threshold']:.6g}"))
            stored["left"].append(here if leaf else offset + int(node["left"]))
            stored["right"].append(here if leaf else offset + int(node["right"]))
            stored["value"].append(float(f"{node['value']:.4g}") if leaf else 0)
            depth = max(depth, int(node["depth"]))
    return {**stored, "depth": depth, "base": float(np.ravel(model._baseline_prediction)[0])}


def fit_confidence(reader: ExtractiveReader, prepared: Sequence[Prepared]) -> tuple[Any, float]:
    """Logistic weights of the evidence, and a threshold.

    The threshold keeps 90% of the right answers on synthetic companies, whose passages without the
    answer are about the same things.
    """
    from sklearn.linear_model import LogisticRegression

    rows, right = [], []
    for one in prepared:
        ratings = reader.trees(one.found.features)
        rows.append(reader.evidence(one.found, ratings, one.example.passages))
        right.append(bool(one.right[ratings.argmax()]))
    evidence, correct = np.array(rows), np.array(right)
    spread = evidence.std(axis=0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=1000).fit(evidence / spread, correct)
    weights = [*(model.coef_[0] / spread).round(5).tolist(), round(float(model.intercept_[0]), 5)]
    scores = model.predict_proba(evidence / spread)[:, 1]
    company = np.array([one.example.weight == 1 for one in prepared])
    return weights, round(float(np.quantile(scores[correct & company], 0.1)), 4)


def hardest(
    reader: ExtractiveReader, one: Prepared, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Half the highest-rated wrong spans, half random ones."""
    wrong = np.nonzero(~one.right)[0]
    ratings = reader.trees(one.found.features[wrong])
    top = wrong[np.argsort(-ratings, kind="stable")[: count // 2]]
    return np.union1d(top, rng.permutation(wrong)[: count // 2])


def train(
    pages: Sequence[articles.Passage], amount: Amount, split: Split, seed: int
) -> ExtractiveReader:
    """Train a reader; equal arguments give equal weights.

    The lexicon is learnt from other examples than the trees, which would trust it too much
    otherwise; another tenth is kept for the confidence.
    """
    from rich.console import Console
    from rich.progress import Progress

    rng = random.Random(seed)
    even, odd = ([page for page in pages if page.article % 2 == half] for half in (0, 1))
    reader = ExtractiveReader(
        {
            "code": CODE_VERSION,
            "features": list(FEATURES),
            "evidence": list(EVIDENCE),
            "lexicon": fit_lexicon(drawn(even, amount, split, rng), even, seed),
        }
    )
    examples = drawn(odd, amount, split, rng)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("extractive", total=len(examples))
        prepared = prepare(reader.lexicon, examples, lambda: progress.advance(task))
    kept = len(prepared) // 10
    held, learnt = prepared[:kept], prepared[kept:]
    chance = np.random.default_rng(seed)
    negatives = [chance.permutation(np.nonzero(~one.right)[0])[:20] for one in learnt]
    settings = {"max_iter": 60, "learning_rate": 0.15, "max_leaf_nodes": 31, "max_depth": 8}
    first = fit_trees(learnt, negatives, settings)
    reader = ExtractiveReader({**reader.stored, "trees": first})
    negatives = [hardest(reader, one, 30, chance) for one in learnt]
    settings = {"max_iter": 250, "learning_rate": 0.08, "max_leaf_nodes": 31, "max_depth": 8}
    final = fit_trees(learnt, negatives, settings)
    reader = ExtractiveReader({**reader.stored, "trees": final})
    confidence, threshold = fit_confidence(reader, held)
    return ExtractiveReader({**reader.stored, "confidence": confidence, "threshold": threshold})


def main() -> None:
    """Train from the command line and save the reader as JSON."""
    parser = argparse.ArgumentParser(description="Train the shipped extractive reader.")
    parser.add_argument("--text", type=Path, nargs="+", required=True, metavar="FILE_OR_FOLDER")
    parser.add_argument("--output", "-o", type=Path, default=SHIPPED / "extractive")
    parser.add_argument("--companies", type=int, default=3000, help="questions per language")
    parser.add_argument("--naturals", type=int, default=1200, help="questions per language")
    parser.add_argument(
        "--relations", choices=("all", "train"), default="all", help="of the companies"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pages = articles.thin(articles.read_text(arguments.text), 8, random.Random(arguments.seed))
    amount = Amount(arguments.companies, arguments.naturals)
    reader = train(pages, amount, arguments.relations, arguments.seed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(reader.stored, ensure_ascii=False, separators=(",", ":"))
    (arguments.output / "model.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
