"""Train the shipped extractive reader.

    python -m tailor.models.pretraining.extractive --text FILE_OR_FOLDER ... [-o FOLDER]

Examples come from synthetic companies, from question-sentence pairs whose answer a rule can name
(`pseudo_answer`), and from encyclopedia sentences turned into questions (`cloze`).
"""

import argparse
import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.extractive import (
    CODE_VERSION,
    EVIDENCE,
    ExtractiveReader,
    pack,
    shipped_folder,
)
from tailor.models.pretraining import encoder, grammar
from tailor.models.pretraining.natural import span_questions
from tailor.models.pretraining.relations import Language, Split
from tailor.models.query import ASKS, FUNCTION_WORDS, TOKEN, Lexicon, query, stem
from tailor.models.spans import (
    FEATURES,
    KINDS,
    Candidates,
    candidates,
    kind_of,
    segments,
    surroundings,
)
from tailor.text import fold, words

ARTICLES = {"a", "an", "the"}
WORDS = 8000
DIMENSION = 32
PAIRS = 4000


@dataclass(frozen=True)
class Example:
    """A question on passages with the answer they hold, None where they do not."""

    question: str
    passages: tuple[str, ...]
    answer: str | None
    weight: float = 1.0


# --- synthetic companies ------------------------------------------------------------------------


def company_examples(
    rng: random.Random, language: Language, split: Split, count: int
) -> Iterator[Example]:
    """Questions on 1 to 5 passages of one synthetic company each; a seventh has no answer."""
    made = 0
    while True:
        owner = grammar.company(rng, language, split, kinds=rng.randint(1, 3))
        written = grammar.passages(rng, owner, rng.randint(2, 6), long=rng.random() < 0.4)
        stated = [(fact, page) for page in written for fact in page.facts]
        for fact, page in rng.sample(stated, min(4, len(stated))):
            others = [p for p in written if fact not in p.facts]
            answered = rng.random() > 0.14
            held = rng.sample(others, min(len(others), rng.randint(0, 4)))
            if answered:
                held.insert(rng.randint(0, len(held)), page)
            if not held:
                continue
            question = varied(grammar.question(fact, rng, language), rng, language)
            texts = tuple(f"{p.header}\n{p.text}" if rng.random() < 0.2 else p.text for p in held)
            yield Example(question, texts, fact.value.into(language) if answered else None)
            made += 1
            if made == count:
                return


def varied(question: str, rng: random.Random, language: str) -> str:
    """The question as some people type it: without accents, capitals or question mark."""
    if language == "vi" and rng.random() < 0.15:
        question = fold(question)
    if rng.random() < 0.1:
        question = question.lower()
    return question.rstrip("?") if rng.random() < 0.1 else question


# --- natural text -------------------------------------------------------------------------------

_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_ENGLISH_DATE = rf"{_MONTH} \d{{1,2}}, \d{{4}}|{_MONTH} \d{{4}}|\b1\d{{3}}\b|\b20[0-2]\d\b"
_ENGLISH_NUMBER = (
    r"\$?\b\d[\d,.]*\d?(?: (?:million|billion|percent|%))?%?|\b(?:one|two|three|four|five|six|seven"
    r"|eight|nine|ten|twelve|hundreds|thousands)\b"
)


def pseudo_answer(question: str, sentence: str) -> str | None:
    """The only date or number of a sentence that fits a question after one, else None."""
    asked = question.casefold()
    if re.search(r"^(in )?when|(what|which) (year|date|month)", asked):
        pattern = _ENGLISH_DATE
    elif re.search(r"how (many|much)|what percent", asked):
        pattern = _ENGLISH_NUMBER
    else:
        return None
    found = {match.strip(" ,.") for match in re.findall(pattern, sentence, re.IGNORECASE)}
    found = {match for match in found if match.casefold() not in asked}
    return found.pop() if len(found) == 1 else None


# Pattern of an answer (group 1) with its cue, and what asks for it; {} is the counted noun.
_NAME_EN = r"[A-Z][\w'’-]+(?: (?:of |de |van )?[A-Z][\w'’-]+){0,3}"
_CAPITAL_VI = "[A-ZĐÁÀẢÃẠÂẤẦẨẪẬĂẮẰẲẴẶÉÈẺẼẸÊẾỀỂỄỆÍÌỈĨỊÓÒỎÕỌÔỐỒỔỖỘƠỚỜỞỠỢÚÙỦŨỤƯỨỪỬỮỰÝỲỶỸỴ]"
_NAME_VI = rf"{_CAPITAL_VI}\w+(?: {_CAPITAL_VI}\w+){{1,3}}"
_CLOZES: dict[str, tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = {
    "en": (
        (re.compile(r"\b[Ii]n ((?:1[5-9]|20)\d\d)\b"), ("In what year", "When")),
        (re.compile(rf"\b[Oo]n ({_MONTH} \d{{1,2}}, \d{{4}})", re.I), ("When", "On what date")),
        (
            re.compile(r"\b(\d[\d,.]*) ([a-z]{4,}s)\b"),
            ("How many {}",),
        ),
        (re.compile(r"(\d[\d.]*(?: percent|%))"), ("What percentage of", "How much of")),
        (re.compile(rf"\bby ({_NAME_EN})(?=[,.; ])"), ("By whom", "Who")),
        (re.compile(rf"\b(?:in|at|near) ({_NAME_EN})(?=[,.; ])"), ("Where", "In which place")),
    ),
    "vi": (
        (re.compile(r"(ngày \d{1,2} tháng \d{1,2}(?: năm \d{4})?)"), ("khi nào", "ngày nào")),
        (re.compile(r"(tháng \d{1,2} năm \d{4})"), ("khi nào", "tháng nào")),
        (re.compile(r"[Nn]ăm (\d{4})\b"), ("năm nào",)),
        (re.compile(r"[Nn]gày (\d{1,2}/\d{1,2}/\d{4})"), ("ngày nào", "khi nào")),
        (
            re.compile(r"(\d[\d.,]*) (người|chiếc|tầng|tỉnh|xã|huyện|loài|bài|trận|bàn|đội)\b"),
            ("bao nhiêu {}", "mấy {}"),
        ),
        (
            re.compile(r"(\d[\d.,]* (?:ngày|tháng|năm|giờ|phút|tuần))\b(?! \d)"),
            ("bao lâu",),
        ),
        (re.compile(r"(\d[\d.,]* (?:km²|km|m|kg|tấn|ha|mét))\b"), ("bao nhiêu",)),
        (
            re.compile(r"(\d[\d.,]*(?: (?:triệu|tỷ|nghìn))? (?:đồng|USD|đô la|euro))"),
            ("bao nhiêu tiền", "bao nhiêu"),
        ),
        (re.compile(r"(\d[\d.,]*%)"), ("bao nhiêu phần trăm", "tỷ lệ bao nhiêu")),
        (re.compile(rf"\b(?:bởi|của|do) (?:ông |bà )?({_NAME_VI})(?=[,.; ])"), ("ai", "bởi ai")),
        (re.compile(rf"\b(?:ở|tại) ({_NAME_VI})(?=[,.; ])"), ("ở đâu", "tại đâu", "nơi nào")),
    ),
}


def cloze(sentence: str, rng: random.Random, language: str) -> tuple[str, str] | None:
    """A question on one sentence and its answer: words of its clause around a question word."""
    kinds = list(_CLOZES[language])
    rng.shuffle(kinds)
    for pattern, ways in kinds:
        matches = list(pattern.finditer(sentence))
        if not matches:
            continue
        match = rng.choice(matches)
        answer = match[1].rstrip(",.")
        if len(re.findall(rf"\b{re.escape(answer)}\b", sentence)) != 1:
            continue
        ask = rng.choice(ways).format(match[2] if match.re.groups > 1 else "")
        before = re.split(r"[,;:()]", sentence[: match.start()])[-1].split()[-14:]
        after = re.split(r"[,;:()]", sentence[match.end() :])[0].rstrip(".").split()[:10]
        share = rng.uniform(0.55, 1)
        before = [word for word in before if rng.random() < share]
        after = [word for word in after if rng.random() < share]
        if len(before) + len(after) < 3:
            continue
        if language == "en" or rng.random() < 0.2:
            asked = [ask, *before, *after]
        else:
            asked = [*before, ask, *after]
        return grammar.capital(" ".join(asked)) + "?", answer
    return None


SPANS = 0.4
"""Share of the sentences of natural text that are asked for any phrase, not for a typed value."""


def natural_examples(
    pages: Sequence[encoder.Passage], rng: random.Random, language: Language, count: int
) -> Iterator[Example]:
    """Questions on real text: pseudo-answered where it has questions, clozes elsewhere."""
    made = 0
    for index in rng.sample(range(len(pages)), len(pages)):
        page = pages[index]
        at = rng.randrange(len(page.sentences))
        pair: tuple[str, str] | None
        if page.questions:
            question = page.questions[0]
            asked = set(words(question))
            source = max(page.sentences, key=lambda s: sum(w in asked for w in set(words(s))))
            answer = pseudo_answer(question, source)
            pair = (question, answer) if answer else None
        elif rng.random() < SPANS:
            spans = span_questions(page.sentences[at], language, rng, 1)
            pair = spans[0] if spans else None
        else:
            pair = cloze(page.sentences[at], rng, language)
        if pair is None:
            continue
        text = " ".join(page.sentences)
        near = [pages[i] for i in range(max(index - 6, 0), min(index + 7, len(pages)))]
        others = list({" ".join(p.sentences) for p in near} - {text})
        others = [other for other in sorted(others) if pair[1] not in other]
        held = rng.sample(others, min(len(others), rng.randint(0, 4)))
        answered = rng.random() > 0.14 or not held
        if answered:
            held.insert(rng.randint(0, len(held)), text)
        question = varied(pair[0], rng, language)
        yield Example(question, tuple(held), pair[1] if answered else None, 0.7)
        made += 1
        if made == count:
            return


# --- fitting ------------------------------------------------------------------------------------


def same(one: str, other: str) -> bool:
    """Whether two answers are equal but for case, punctuation and articles."""
    return _bare(one) == _bare(other)


def _bare(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if word not in ARTICLES)


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


def labels(found: Candidates, example: Example) -> NDArray[np.bool_]:
    """Which candidates are the answer."""
    if example.answer is None:
        return np.zeros(len(found.start), dtype=bool)
    wanted = _bare(example.answer)
    return np.array(
        [
            _bare(example.passages[passage][start:end]) == wanted
            for passage, start, end in zip(found.passage, found.start, found.end, strict=True)
        ]
    )


@dataclass(frozen=True)
class Amount:
    """How many questions are made per language, on synthetic companies and on natural text."""

    companies: int
    naturals: int


@dataclass(frozen=True)
class Prepared:
    """An example with its candidates and which of them are right."""

    example: Example
    found: Candidates
    right: NDArray[np.bool_]


def prepare(
    lexicon: Lexicon, examples: Sequence[Example], tick: Callable[[], object]
) -> list[Prepared]:
    """Candidates of all examples; those without any are left out, as the reader refuses them."""
    result = []
    for example in examples:
        found = candidates(query(example.question, lexicon), example.passages, lexicon)
        tick()
        if found is not None:
            result.append(Prepared(example, found, labels(found, example)))
    return result


def starting_vectors(keys: Sequence[str], texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of the shipped encoder for each key's most frequent word, reduced to DIMENSION."""
    from sentence_transformers import SentenceTransformer

    surface: dict[str, Counter[str]] = {}
    for text in texts:
        for word in TOKEN.findall(text.casefold()):
            for key in {stem(word), stem(fold(word))}:
                surface.setdefault(key, Counter())[word] += 1
    model = SentenceTransformer(str(encoder.shipped_folder()), device="cpu", local_files_only=True)
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
    examples: Sequence[Example], pages: Sequence[encoder.Passage], lexicon: Lexicon, seed: int
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


def drawn(
    pages: Sequence[encoder.Passage], amount: Amount, split: Split, rng: random.Random
) -> list[Example]:
    """Examples of all sorts in random order."""
    examples: list[Example] = []
    languages: tuple[Language, ...] = ("en", "vi")
    for language in languages:
        examples += company_examples(rng, language, split, amount.companies)
        mine = [page for page in pages if page.language == language]
        examples += natural_examples(mine, rng, language, amount.naturals)
    rng.shuffle(examples)
    return examples


def fit_lexicon(
    examples: Sequence[Example], pages: Sequence[encoder.Passage], seed: int
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


def train(
    pages: Sequence[encoder.Passage], amount: Amount, split: Split, seed: int
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
    parser.add_argument("--output", "-o", type=Path, default=shipped_folder())
    parser.add_argument("--companies", type=int, default=3000, help="questions per language")
    parser.add_argument("--naturals", type=int, default=1200, help="questions per language")
    parser.add_argument(
        "--relations", choices=("all", "train"), default="all", help="of the companies"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pages = encoder.thin(encoder.read_text(arguments.text), 8, random.Random(arguments.seed))
    amount = Amount(arguments.companies, arguments.naturals)
    reader = train(pages, amount, arguments.relations, arguments.seed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(reader.stored, ensure_ascii=False, separators=(",", ":"))
    (arguments.output / "model.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
