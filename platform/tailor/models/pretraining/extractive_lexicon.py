"""Fits the lexicon of the extractive reader: what it knows about words, before any tree grows."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.extractive import pack
from tailor.models.pretraining import articles
from tailor.models.pretraining.extractive_examples import Example, Prepared, prepare
from tailor.models.provider import SHIPPED
from tailor.models.query import ASKS, FUNCTION_WORDS, TOKEN, Lexicon, query, stem
from tailor.models.segments import segments, surroundings
from tailor.models.spans import KINDS, kind_of
from tailor.text import fold

WORDS = 8000
DIMENSION = 32
PAIRS = 4000


def fit_lexicon(
    examples: Sequence[Example], pages: Sequence[articles.Passage], seed: int
) -> dict[str, Any]:
    """All that a `Lexicon` is made of, ready to be stored."""
    texts = [text for example in examples for text in (*example.passages, example.question)]
    weights, rare = word_weights(texts, WORDS)
    arrays = {
        "vectors": np.zeros((len(weights) + 1, DIMENSION), dtype=np.float32),
        "word_kinds": np.zeros((len(weights) + 1, len(KINDS)), dtype=np.float32),
        "ask_kinds": np.zeros((len(ASKS), len(KINDS)), dtype=np.float32),
        "usual_kinds": np.zeros(len(KINDS), dtype=np.float32),
    }
    natural = random.Random(seed).sample(pages, min(len(pages), 20_000))
    bound = bound_pairs([sentence for page in natural for sentence in page.sentences], PAIRS)
    bare = Lexicon(weights, rare, **arrays, bound=frozenset(bound))
    start = starting_vectors(list(weights), texts)
    idf = np.array(list(weights.values()), dtype=np.float32)
    arrays["vectors"] = fit_vectors(
        start, idf, surrounding_triples(examples, pages, bare, seed), seed
    )
    arrays |= fit_kinds(examples, bare)
    arrays["usual_kinds"] = usual_kinds(prepare(bare, examples[:500], lambda: None))
    packed = {name: pack(values) for name, values in arrays.items()}
    return {"weights": weights, "rare": rare, "bound": bound, **packed}


def word_weights(texts: Sequence[str], size: int) -> tuple[dict[str, float], float]:
    """Inverse document frequencies of the most frequent keys, and that of all others.

    Unaccented forms count too, so that unaccented questions are weighted as well.
    """
    frequency: Counter[str] = Counter()
    for text in texts:
        lower = TOKEN.findall(text.casefold())
        keys = {stem(word) for word in lower} | {stem(fold(word)) for word in lower}
        frequency.update(keys)
    weights = {
        key: round(math.log((len(texts) + 1) / (count + 1)), 2)
        for key, count in sorted(frequency.items(), key=lambda item: (-item[1], item[0]))[:size]
    }
    return weights, max(weights.values())


def bound_pairs(texts: Sequence[str], size: int) -> list[str]:
    """Pairs of neighbouring words with the highest normalized pointwise mutual information.

    Bouma (2009); function words and pairs seen fewer than 12 times are left out.
    """
    single: Counter[str] = Counter()
    double: Counter[tuple[str, str]] = Counter()
    for text in texts:
        lower = TOKEN.findall(text.casefold())
        single.update(lower)
        plain = [word if word.isalpha() and word not in FUNCTION_WORDS else "" for word in lower]
        double.update(pair for pair in pairwise(plain) if all(pair))
    total = sum(single.values())

    def information(pair: tuple[str, str]) -> float:
        both = double[pair] / total
        return math.log(both * total * total / (single[pair[0]] * single[pair[1]])) / -math.log(
            both
        )

    common = [pair for pair, count in double.items() if count >= 12]
    common.sort(key=lambda pair: (-information(pair), pair))
    return [" ".join(pair) for pair in common[:size]]


def starting_vectors(keys: Sequence[str], texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of the shipped encoder for each key's most frequent word, reduced to DIMENSION."""
    from sentence_transformers import SentenceTransformer

    surface: dict[str, Counter[str]] = {}
    for text in texts:
        for word in TOKEN.findall(text.casefold()):
            for key in {stem(word), stem(fold(word))}:
                surface.setdefault(key, Counter())[word] += 1
    model = SentenceTransformer(str(SHIPPED / "encoder"), device="cpu", local_files_only=True)
    common = [max(surface[key].items(), key=lambda item: (item[1], item[0]))[0] for key in keys]
    full = np.asarray(model.float().encode(common, normalize_embeddings=True), dtype=np.float64)
    _, _, axes = np.linalg.svd(full - full.mean(axis=0), full_matrices=False)
    reduced = (full - full.mean(axis=0)) @ axes[:DIMENSION].T
    return np.asarray(reduced / np.linalg.norm(reduced, axis=1).mean(), dtype=np.float32)


def fit_vectors(
    start: NDArray[np.float32],
    weights: NDArray[np.float32],
    triples: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
    seed: int,
) -> NDArray[np.float32]:
    """Move vectors so that questions are closer to their answers' surroundings than to others'.

    A triple holds the rows of the question's keys, of the right and of a wrong surrounding; the
    loss is that of in-batch negatives. Rows without words are left as they are.
    """
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    bag = torch.nn.EmbeddingBag.from_pretrained(
        torch.from_numpy(np.vstack([start, np.zeros((1, start.shape[1]), dtype=np.float32)])),
        mode="sum",
        freeze=False,
    )
    scale = torch.from_numpy(np.append(weights, np.float32(0)))
    optimizer = torch.optim.Adam(bag.parameters(), lr=0.005)

    def embed(texts: Sequence[NDArray[np.int64]]) -> torch.Tensor:
        rows = torch.from_numpy(np.concatenate(texts))
        offsets = torch.from_numpy(np.cumsum([0, *(len(text) for text in texts[:-1])]))
        return torch.nn.functional.normalize(
            bag(rows, offsets, per_sample_weights=scale[rows]), dim=1
        )

    for _ in range(8):
        order = rng.permutation(len(triples))
        for begin in range(0, len(order), 512):
            chosen = [triples[index] for index in order[begin : begin + 512]]
            asked, right, wrong = (embed(list(part)) for part in zip(*chosen, strict=True))
            scores = 12 * asked @ torch.cat([right, wrong]).T
            loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(chosen)))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    trained: NDArray[np.float32] = bag.weight.detach().numpy()
    trained[-1] = 0
    return trained


def surrounding_triples(
    examples: Sequence[Example], pages: Sequence[articles.Passage], lexicon: Lexicon, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Questions with the surroundings of their answers, and wrong ones of the same passages."""
    rng = random.Random(seed)
    pairs: list[tuple[str, Sequence[str], Sequence[str]]] = []
    for example in examples:
        places = [
            (passage, passage.find(example.answer))
            for passage in example.passages
            if example.answer is not None and example.answer in passage
        ]
        parts = [part for passage in example.passages for part in segments(passage)]
        if len(places) == 1 and len(parts) > 1:
            right = surroundings(*places[0])
            wrong = rng.choice(parts)
            if set(wrong.lower) - set(right):
                pairs.append((example.question, right, (*wrong.lower, *wrong.heading)))
    for page in pages:
        for question in page.questions:
            texts = [TOKEN.findall(sentence.casefold()) for sentence in page.sentences]
            shared = set(TOKEN.findall(question.casefold()))
            texts.sort(key=lambda text: -len(shared.intersection(text)))
            if len(texts) > 1:
                pairs.append((question, texts[0], texts[1]))
    triples = []
    for question, *around in pairs:
        asked = query(question, lexicon)
        near, far = (lexicon.rows_of(asked.key(word) for word in part) for part in around)
        if asked.weights:
            triples.append((lexicon.rows_of(asked.weights), near, far))
    return triples


def usual_kinds(prepared: Sequence[Prepared]) -> NDArray[np.float32]:
    """Log probabilities of the kinds of spans among all candidates."""
    counts = np.ones(len(KINDS))
    for one in prepared:
        counts += np.bincount(one.found.kind, minlength=len(KINDS)) / len(one.found.kind)
    return np.asarray(np.log(counts / counts.sum()), dtype=np.float32)


def fit_kinds(examples: Sequence[Example], lexicon: Lexicon) -> dict[str, NDArray[np.float32]]:
    """Logistic regression from a question's words to the kind of span that answers it."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    columns: list[NDArray[np.int64]] = []
    targets: list[int] = []
    known = len(lexicon.rows)
    for example in examples:
        places = [
            (passage, at)
            for passage in example.passages
            if example.answer and (at := passage.find(example.answer)) >= 0
        ]
        kind = kind_of(*places[0], places[0][1] + len(example.answer or "")) if places else None
        if kind is not None:
            asked = query(example.question, lexicon)
            rows = lexicon.rows_of(asked.weights)
            columns.append(np.append(rows[rows < known], known + asked.asks))
            targets.append(kind)
    ends = np.cumsum([0, *(len(column) for column in columns)])
    data = np.ones(ends[-1])
    table = csr_matrix(
        (data, np.concatenate(columns), ends), shape=(len(columns), known + len(ASKS))
    )
    model = LogisticRegression(C=1.0, max_iter=200).fit(table, targets)
    logits = np.full((known + len(ASKS), len(KINDS)), 0.0)
    logits[:, model.classes_] = model.coef_.T
    asks = logits[known:]
    asks[:, model.classes_] += model.intercept_
    absent = [kind for kind in range(len(KINDS)) if kind not in model.classes_]
    asks[:, absent] = -8
    return {
        "word_kinds": np.vstack([logits[:known], np.zeros((1, len(KINDS)))]).astype(np.float32),
        "ask_kinds": asks.astype(np.float32),
    }
