"""Train the shipped sentence encoder: static token vectors, English and Vietnamese.

    python -m tailor.models.pretraining.encoder --text FILE_OR_FOLDER ... [-o FOLDER]

A text's embedding is the mean of its tokens' vectors (`StaticEmbedding` of sentence-transformers),
so encoding needs no neural network and runs at tokenizer speed. Vectors start as random directions
scaled by inverse document frequency, which already is a random projection of TF-IDF, and are then
trained with in-batch negatives (van den Oord et al. 2018, arXiv:1807.03748) on question-sentence
pairs, on questions on synthetic companies, and on the inverse cloze task (Lee et al. 2019,
arXiv:1906.00300).
"""

import argparse
import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.pretraining import grammar
from tailor.models.pretraining.articles import Passage, read_text, thin
from tailor.models.pretraining.relations import Language
from tailor.models.provider import SHIPPED
from tailor.text import fold, nfc

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = NDArray[np.int64]

ALPHABET = 300
_WORD = re.compile(r"[^\W_]+")
QUESTION_WORDS = {
    "en": "what which who whom whose when where why how many much is are was were does did do the",
    "vi": "ai gì nào đâu là khi bao nhiêu mấy ở tại sao như thế có không được vào của ngày",
}


@dataclass(frozen=True)
class Settings:
    """What training depends on besides its text."""

    vocabulary: int = 18_000
    dimension: int = 256
    batch: int = 2048
    epochs: int = 24
    learning_rate: float = 0.02
    scale: float = 20.0
    shared_accents: float = 0.5
    unaccented: float = 0.25
    seed: int = 0


def company_passages(rng: random.Random, companies: int) -> list[Passage]:
    """Passages of synthetic companies in both languages, once for each question they answer."""
    result: list[Passage] = []
    languages: tuple[Language, ...] = ("en", "vi")
    for language in languages:
        for number in range(companies):
            owner = grammar.company(rng, language, "train", kinds=2)
            for page in grammar.passages(rng, owner, 6, long=rng.random() < 0.4):
                lines = tuple(line for line in page.text.split("\n") if line.strip())
                for fact in rng.sample(page.facts, min(len(page.facts), 3)):
                    question = grammar.question(fact, rng, language)
                    result.append(Passage(lines, (question,), (), -1 - number, language))
    return result


def train_tokenizer(passages: Sequence[Passage], size: int) -> "Tokenizer":
    """Train lower-cased word pieces on balanced shares of both languages; accents are kept.

    A part of the Vietnamese text is seen without its accents too, as many people type it. Pieces
    are found by byte-pair merges of marked words and used by longest match: unlike the library's
    own training of word pieces, this gives the same pieces each time.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    texts: list[list[str]] = []
    for index, passage in enumerate(passages):
        text = _WORD.findall(
            nfc(" ".join((*passage.sentences, *passage.questions, *passage.headings))).lower()
        )
        if passage.language == "en":
            texts += [text, text]
        elif index % 4 == 0:
            texts.append(text)
            if index % 12 == 0:
                texts.append([fold(word) for word in text])
    letters = Counter(letter for text in texts for word in text for letter in word)
    alphabet = sorted(letters, key=lambda letter: (-letters[letter], letter))[:ALPHABET]
    known = set(alphabet)
    merged = Tokenizer(models.BPE())
    merged.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    merged.train_from_iterator(
        (" ".join("▁" + word for word in text if known.issuperset(word)) for text in texts),
        trainers.BpeTrainer(vocab_size=size - ALPHABET - 2, show_progress=False),
    )
    merges = sorted(merged.get_vocab().items(), key=lambda item: item[1])
    pieces = [piece[1:] if piece[0] == "▁" else f"##{piece}" for piece, _ in merges]
    pieces = ["[PAD]", "[UNK]", *alphabet, *(f"##{letter}" for letter in alphabet), *pieces]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(filter(None, pieces)))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\p{L}\p{M}\p{N}]+"), "removed")
    tokenizer.add_special_tokens(["[PAD]", "[UNK]"])
    return tokenizer


@dataclass(frozen=True)
class Encoded:
    """A passage as token ids: what may serve as anchor, and the sentences it is found by."""

    sentences: tuple[Ids, ...]
    asked: tuple[Ids, ...]
    plain_sentences: tuple[Ids, ...]
    plain_asked: tuple[Ids, ...]
    number: int
    language: str
    is_question: bool


def encode(passages: Sequence[Passage], tokenizer: "Tokenizer") -> list[Encoded]:
    """Turn passages into token ids, with an accent-free copy of everything Vietnamese."""

    def ids(groups: Sequence[Sequence[str]]) -> list[tuple[Ids, ...]]:
        encodings = iter(
            tokenizer.encode_batch([t for group in groups for t in group], add_special_tokens=False)
        )
        return [tuple(np.array(next(encodings).ids, dtype=np.int64) for _ in g) for g in groups]

    def plain(group: Sequence[str], language: str) -> list[str]:
        return [fold(text) for text in group] if language == "vi" else []

    asked = [passage.questions or passage.headings for passage in passages]
    columns = zip(
        passages,
        ids([passage.sentences for passage in passages]),
        ids(asked),
        ids([plain(passage.sentences, passage.language) for passage in passages]),
        ids([plain(a, passage.language) for a, passage in zip(asked, passages, strict=True)]),
        strict=True,
    )
    numbers: dict[tuple[str, ...], int] = {}
    result = []
    for passage, text, questions, plain_text, plain_questions in columns:
        number = numbers.setdefault(passage.sentences, len(numbers))
        asks = bool(passage.questions)
        result.append(
            Encoded(text, questions, plain_text, plain_questions, number, passage.language, asks)
        )
    return result


def initial_vectors(
    encoded: Sequence[Encoded], tokenizer: "Tokenizer", settings: Settings
) -> NDArray[np.float32]:
    """Random directions times inverse document frequency.

    Tokens that differ by accents only share a part of their direction, so that unaccented
    Vietnamese starts close to its accented form.
    """
    rng = np.random.default_rng(settings.seed)
    size = tokenizer.get_vocab_size()
    frequency = np.zeros(size)
    for passage in encoded:
        for group in (passage.sentences, passage.plain_sentences):
            if group:
                frequency[np.unique(np.concatenate(group))] += 1
    idf = np.log((len(encoded) + 1) / (frequency + 1))
    own = rng.normal(size=(size, settings.dimension))
    tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    folded: dict[str, int] = {}
    family = np.array([folded.setdefault(fold(token), len(folded)) for token, _ in tokens])
    shared = rng.normal(size=(len(folded), settings.dimension))[family]
    part = settings.shared_accents
    vectors = math.sqrt(1 - part) * own + math.sqrt(part) * shared
    scaled = vectors * idf[:, None] / math.sqrt(settings.dimension)
    return np.asarray(scaled, dtype=np.float32)


def anchor_and_positive(
    passage: Encoded, words: Ids, settings: Settings, rng: np.random.Generator
) -> tuple[Ids, Ids]:
    """Draw one training pair from a passage.

    The anchor is a question or heading, or words of one sentence among question words; that
    sentence stays in the positive half of the time.
    """
    plain = passage.language == "vi" and rng.random() < settings.unaccented
    if rng.random() < (0.85 if passage.is_question else 0.15):
        choices = passage.plain_asked if plain else passage.asked
        return choices[rng.integers(len(choices))], np.concatenate(passage.sentences)
    index = int(rng.integers(len(passage.sentences)))
    anchor = (passage.plain_sentences if plain else passage.sentences)[index]
    kept = anchor[rng.random(len(anchor)) < rng.uniform(0.3, 1.0)]
    anchor = np.concatenate([kept if len(kept) else anchor, rng.choice(words, rng.integers(4))])
    rest = passage.sentences
    if len(rest) > 1 and rng.random() < 0.5:
        rest = rest[:index] + rest[index + 1 :]
    return anchor, np.concatenate(rest)


def batches(
    encoded: Sequence[Encoded], settings: Settings, rng: np.random.Generator
) -> list[list[int]]:
    """Batches of one language in blocks of neighbours, so that negatives share their topic."""
    result = []
    for language in sorted({passage.language for passage in encoded}):
        members = [i for i, passage in enumerate(encoded) if passage.language == language]
        blocks = [members[start : start + 8] for start in range(0, len(members), 8)]
        order = [index for block in rng.permutation(len(blocks)) for index in blocks[block]]
        result += [
            order[start : start + settings.batch] for start in range(0, len(order), settings.batch)
        ]
    return [result[index] for index in rng.permutation(len(result))]


def train(passages: Sequence[Passage], settings: Settings) -> Any:
    """Return a trained `SentenceTransformer` on the CPU; equal settings give equal weights."""
    import torch
    from rich.console import Console
    from rich.progress import Progress
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    tokenizer = train_tokenizer(passages, settings.vocabulary)
    encoded = encode(passages, tokenizer)
    words = {
        language: np.array(tokenizer.encode(text, add_special_tokens=False).ids)
        for language, text in QUESTION_WORDS.items()
    }
    module = StaticEmbedding(tokenizer, initial_vectors(encoded, tokenizer, settings))
    bag = module.embedding
    optimizer = torch.optim.Adam(bag.parameters(), lr=settings.learning_rate)

    def embed(texts: Sequence[Ids]) -> torch.Tensor:
        offsets = np.cumsum([0, *(len(text) for text in texts[:-1])])
        mean = bag(torch.from_numpy(np.concatenate(texts)), torch.from_numpy(offsets))
        return torch.nn.functional.normalize(mean, dim=1)

    per_epoch = len(batches(encoded, settings, np.random.default_rng(0)))
    total = per_epoch * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.05 * total), 1 - step / total)
    )
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("encoder", total=total)
        for _ in range(settings.epochs):
            for members in batches(encoded, settings, rng):
                chosen = [encoded[index] for index in members]
                pairs = [
                    anchor_and_positive(passage, words[passage.language], settings, rng)
                    for passage in chosen
                ]
                scores = settings.scale * (
                    embed([anchor for anchor, _ in pairs]) @ embed([text for _, text in pairs]).T
                )
                numbers = torch.tensor([passage.number for passage in chosen])
                same = (numbers[:, None] == numbers[None]).fill_diagonal_(False)
                scores = scores.masked_fill(same, -math.inf)
                target = torch.arange(len(chosen))
                loss = torch.nn.functional.cross_entropy(scores, target)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
                progress.update(task, advance=1, description=f"encoder, loss {loss.item():.2f}")
    return SentenceTransformer(modules=[module], device="cpu")


def main() -> None:
    """Train from the command line and save the model."""
    import torch

    parser = argparse.ArgumentParser(description="Train the shipped sentence encoder.")
    parser.add_argument("--text", type=Path, nargs="+", required=True, metavar="FILE_OR_FOLDER")
    parser.add_argument("--output", "-o", type=Path, default=SHIPPED / "encoder")
    parser.add_argument("--companies", type=int, default=1500, help="synthetic, per language")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rng = random.Random(arguments.seed)
    passages = thin(read_text(arguments.text), 8, rng)
    passages += company_passages(rng, arguments.companies)
    model = train(passages, Settings(seed=arguments.seed)).half()
    model.save(str(arguments.output), create_model_card=False)


if __name__ == "__main__":
    main()
