"""Searches passage size, search weights and number of passages for those that serve best on dev."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tailor.assistant import Assistant
from tailor.benchmarking.leakage import sift
from tailor.documents.passages import Splitter, Strategy
from tailor.errors import NotApplicable
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class RetrievalTuning(Stage):
    """Try retrieval configurations on the dev questions and keep the best."""

    sizes: tuple[int, ...] = setting((90, 150, 220), "passage sizes to try, in tokens", low=1)
    strategies: tuple[Strategy, ...] = setting(
        ("structure",), "ways of cutting to try: structure, sentences, fixed"
    )
    weights: tuple[float, ...] = setting(
        (0.0, 0.3, 0.5, 0.7, 0.85, 1.0), "shares of the word search to try", low=0, high=1
    )
    ks: tuple[int, ...] = setting((1, 2, 3, 5), "numbers of passages to try with the model", low=1)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with the retriever that did best on the dev questions.

        A dev question that gives a test question away is left out.
        """
        from tailor.documents.retriever import HybridRetriever
        from tailor.scoring.tuning import best_k, best_search

        dev = sift(workspace, "retrieval_tuning", workspace.benchmark.split("dev"), "test")
        if not any(q.evidence for q in dev):
            raise NotApplicable(
                "retrieval_tuning chooses on dev questions with evidence, and the benchmark has "
                'none: add "evidence" to questions with "split": "dev".'
            )
        splitters = [
            Splitter(size, min(workspace.splitter.overlap, size // 4), strategy)
            for strategy in self.strategies
            for size in self.sizes
        ]

        def build(folder: Path) -> None:
            splitter, weight = best_search(workspace, dev, splitters, self.weights)
            k = best_k(workspace, dev, assistant, splitter, weight, self.ks)
            found = {"splitter": asdict(splitter), "weight": weight, "k": k}
            (folder / "best.json").write_text(json.dumps(found), "utf-8")

        key = [
            asdict(self),
            [q.id for q in dev],
            workspace.index().generation,
            workspace.benchmark.digest,
            assistant.fingerprint,
        ]
        best = json.loads((workspace.artifact("search", key, build) / "best.json").read_text())
        index = workspace.index(Splitter(**best["splitter"]))
        retriever = HybridRetriever(index=index, k=best["k"], weight=best["weight"])
        return replace(assistant, retriever=retriever)
