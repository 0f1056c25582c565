"""Tables and sentences about models, in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tailor.scoring import format
from tailor.selection.facts import Facts
from tailor.selection.inspected import Inspected
from tailor.selection.measured import Against, Measured
from tailor.selection.memory import PRECISIONS

FEW = 4
"""Models that stand beside each other; more of them stand below each other."""
Lines = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "model": "Model",
        "architecture": "Architecture",
        "parameters": "Parameters",
        "context": "Context",
        "licence": "Licence",
        "revision": "Commit",
        "specials": "Special tokens: {tokens}",
        "rendered": "Chat template:",
        "inputs": "Reads",
        "price": "In / out per million",
        "tokenizer": "Tokenizer",
        "vocabulary": "Vocabulary",
        "template": "Chat template",
        "yes": "yes",
        "no": "no",
        "rate": "Tokens per word, {lang}",
        "passages": "Passages that fit, {lang}",
        "words": "Per million words, {lang}",
        "memory": "Weights and cache, {precision}",
        "fits": "fits",
        "fits_not": "does not fit",
        "bits": "Bits",
        "load": "Load",
        "speed": "Tokens/s",
        "size": "Weights",
        "peak": "Peak memory",
        "score": "Score on dev",
        "difference": "Against the first",
        "perplexity": "Perplexity",
        "en": "English",
        "vi": "Vietnamese",
        "to": "to",
        "none": "full",
        "8bit": "8 bits",
        "4bit": "4 bits",
        "text": "text",
        "image": "images",
        "audio": "sound",
        "video": "video",
        "tokens": "{name}: {count} tokens, {rate} per word; {other} with separate accents (NFD)",
    },
    "vi": {
        "model": "Mô hình",
        "architecture": "Kiến trúc",
        "parameters": "Tham số",
        "context": "Ngữ cảnh",
        "licence": "Giấy phép",
        "revision": "Commit",
        "specials": "Token đặc biệt: {tokens}",
        "rendered": "Khuôn hội thoại:",
        "inputs": "Đọc được",
        "price": "Giá vào / ra mỗi triệu",
        "tokenizer": "Bộ tách token",
        "vocabulary": "Từ vựng",
        "template": "Khuôn hội thoại",
        "yes": "có",
        "no": "không",
        "rate": "Token/từ, {lang}",
        "passages": "Số đoạn vừa, {lang}",
        "words": "Giá/triệu từ, {lang}",
        "memory": "Trọng số và bộ đệm, {precision}",
        "fits": "vừa",
        "fits_not": "không vừa",
        "bits": "Số bit",
        "load": "Nạp",
        "speed": "Token/giây",
        "size": "Trọng số",
        "peak": "Bộ nhớ cao nhất",
        "score": "Điểm trên dev",
        "difference": "So với mô hình đầu",
        "perplexity": "Độ rối",
        "en": "tiếng Anh",
        "vi": "tiếng Việt",
        "to": "đến",
        "none": "đầy đủ",
        "8bit": "8 bit",
        "4bit": "4 bit",
        "text": "chữ",
        "image": "hình",
        "audio": "âm thanh",
        "video": "video",
        "tokens": "{name}: {count} token, {rate} mỗi từ; {other} khi dấu tách rời (NFD)",
    },
}


def tables(known: Sequence[Facts], measured: Sequence[Against], lang: str) -> Iterator[Lines]:
    """What is known, what the workspace's text becomes, what memory it takes, what was measured."""
    yield about(known, lang)
    if any(one.text for one in known):
        yield on_text(known, lang)
    if any(one.memory for one in known):
        yield in_memory(known, lang)
    if measured:
        yield was_measured(measured, lang)


def about(known: Sequence[Facts], lang: str) -> Lines:
    """What each model is."""
    words = WORDS[lang]
    names = (
        "model", "architecture", "parameters", "context", "licence", "inputs", "price",
        "tokenizer", "vocabulary", "template",
    )  # fmt: skip
    lines: list[tuple[str, ...]] = [
        (
            one.name,
            one.architecture or "–",
            format.count(one.parameters, lang),
            format.count(one.context, lang),
            one.licence or "–",
            ", ".join(words[kind] for kind in one.inputs) or "–",
            " / ".join(format.usd(usd, lang) for usd in (one.price.input, one.price.output))
            if one.price
            else "–",
            one.tokenizer or "–",
            format.count(one.vocabulary, lang),
            "–" if one.template is None else words["yes" if one.template else "no"],
        )
        for one in known
    ]
    heads = tuple(words[name] for name in names)
    if any(one.revision for one in known):
        heads = (heads[0], words["revision"], *heads[1:])
        lines = [
            (line[0], one.revision[:12] or "–", *line[1:])
            for one, line in zip(known, lines, strict=True)
        ]
    return _turned(heads, lines)


def on_text(known: Sequence[Facts], lang: str) -> Lines:
    """What the workspace's own text becomes in each model's tokens."""
    words = WORDS[lang]
    languages = list(dict.fromkeys(name for one in known for name in one.text))
    heads = [words["model"]]
    for name in languages:
        heads += [
            words[key].format(lang=words.get(name, name)) for key in ("rate", "passages", "words")
        ]
    lines = []
    for one in known:
        line = [one.name]
        for name in languages:
            own = one.text.get(name)
            line += (
                ["–"] * 3
                if own is None
                else [
                    format.number(own.tokens_per_word, lang),
                    format.count(own.passages, lang),
                    format.usd(own.usd_per_million_words, lang),
                ]
            )
        lines.append(tuple(line))
    return _turned(tuple(heads), lines)


def _turned(heads: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> Lines:
    """A column for each model, where there are few: so much about one fits no line."""
    if not 0 < len(lines) <= FEW:
        return heads, lines
    names = (line[0] for line in lines)
    facts = [(head, *(line[at] for line in lines)) for at, head in enumerate(heads) if at]
    return (heads[0], *names), facts


def in_memory(known: Sequence[Facts], lang: str) -> Lines:
    """The memory that local models need, and whether it is free here."""
    words = WORDS[lang]
    heads = [
        words["model"],
        *(words["memory"].format(precision=words.get(p, p)) for p in PRECISIONS),
    ]
    lines = [
        (
            one.name,
            *(
                f"{format.memory(one.memory.total(p), lang)}, "
                f"{words['fits' if one.fits.get(p) else 'fits_not']}"
                for p in PRECISIONS
            ),
        )
        for one in known
        if one.memory
    ]
    return tuple(heads), lines


def was_measured(measured: Sequence[Against], lang: str) -> Lines:
    """What loading and asking showed."""
    words = WORDS[lang]
    names = ("model", "bits", "load", "speed", "size", "peak", "score", "difference", "perplexity")
    lines = [_line(one.measured, one, lang) for one in measured if not one.measured.problem]
    heads = tuple(words[name] for name in names)
    if len(lines) > FEW:
        return heads, lines
    short = [(f"{name} · {bits}", *rest) for name, bits, *rest in lines]
    return _turned((heads[0], *heads[2:]), short)


def _line(one: Measured, against: Against, lang: str) -> tuple[str, ...]:
    step = against.paired
    told = "–"
    if step is not None:
        low, high = (format.points(end, lang) for end in (step.low, step.high))
        told = f"{format.points(step.delta, lang)} ({low} {WORDS[lang]['to']} {high})"
    return (
        one.name,
        WORDS[lang][one.quantization],
        format.seconds(one.load_s, lang),
        format.count(None if one.tokens_per_s is None else round(one.tokens_per_s), lang),
        format.memory(one.weights_bytes, lang),
        format.memory(one.peak_bytes, lang),
        _interval(one, lang),
        told,
        format.number(one.perplexity.mean if one.perplexity else None, lang),
    )


def _interval(one: Measured, lang: str) -> str:
    if one.score is None:
        return "–"
    low, high = (format.percent(end, lang) for end in (one.score.low, one.score.high))
    told = f"{low} {WORDS[lang]['to']} {high}; n = {format.count(one.score.n, lang)}"
    return f"{format.percent(one.score.mean, lang)} ({told})"


def inspected(found: Sequence[Inspected], lang: str) -> Iterator[str]:
    """A text in tokens, a tokenizer after the other."""
    for one in found:
        if one.problem:
            yield f"{one.name}: {one.problem}\n"
            continue
        yield tokens(one, lang)
        yield "|".join(piece.text for piece in one.pieces)
        yield WORDS[lang]["specials"].format(tokens=" ".join(one.specials) or "–")
        if one.template:
            yield f"{WORDS[lang]['rendered']}\n{one.template}"
        yield ""


def tokens(one: Inspected, lang: str) -> str:
    """How many tokens the text is, a sentence."""
    return WORDS[lang]["tokens"].format(
        name=one.name,
        count=format.count(len(one.pieces), lang),
        rate=format.number(one.tokens_per_word, lang),
        other=format.count(one.decomposed, lang),
    )


def problems(known: Sequence[Facts], measured: Sequence[Against]) -> Iterator[str]:
    """Why something is not known, a sentence each, once."""
    said = [sentence for one in known for sentence in one.problems]
    said += [one.measured.problem for one in measured if one.measured.problem]
    yield from dict.fromkeys(said)
