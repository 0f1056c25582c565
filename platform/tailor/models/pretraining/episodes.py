"""Training examples: a shared beginning (instructions, demonstrations, passages) and questions.

Several questions share one beginning and do not see one another; each of them, put after the
beginning, is exactly the prompt that the reader gets later.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tailor.models.pretraining import grammar, natural, values
from tailor.models.pretraining.answer_formats import (
    PLAIN,
    AnswerFormat,
    asked,
    first_number,
    shown,
)
from tailor.models.pretraining.grammar import Company, Fact, Passage
from tailor.models.pretraining.relations import LANGUAGES, Language, Split
from tailor.models.pretraining.tokenizer import Turn
from tailor.models.pretraining.vocabulary import Said

REFUSAL = Said("Not in the documents.", "Không có trong tài liệu.")
QUESTION = Said("Question: ", "Câu hỏi: ")

# What stage `prompting` says by default, in whatever language the question is.
_DEFAULT = (
    "Answer from the documents only, as briefly as possible, in the language of the question. "
    "If the documents do not say, reply: Not in the documents. "
    "(in Vietnamese: Không có trong tài liệu.)"
)
_INSTRUCTIONS = {
    "en": (
        *(_DEFAULT,) * 4,
        "Answer from the documents only, as briefly as possible. If the documents do not say, "
        "reply: {r}",
        "Answer from the documents only, as briefly as possible. If the documents do not say, "
        "reply: {r}",
        "Answer the question using only the documents. If the answer is not there, say: {r}",
        "You answer questions about {c}. Use only the passages. Unknown: {r}",
        "Use the passages to answer briefly. If they do not contain the answer, reply: {r}",
        "Give the shortest possible answer from the context. Otherwise write: {r}",
        "You are a helpful assistant of {c}. Reply with the short answer only.",
        "Read the documents and answer.",
        "Be brief. Do not guess. When in doubt reply: {r}",
        "Answer with a short phrase copied from the documents. No answer there: {r}",
        "Answer the user's question.",
    ),
    "vi": (
        *(_DEFAULT,) * 4,
        "Chỉ trả lời theo tài liệu, thật ngắn gọn. Nếu tài liệu không nói, hãy trả lời: {r}",
        "Chỉ trả lời theo tài liệu, thật ngắn gọn. Nếu tài liệu không nói, hãy trả lời: {r}",
        "Chỉ dùng tài liệu để trả lời. Nếu không có câu trả lời, hãy nói: {r}",
        "Bạn trả lời câu hỏi về {c}. Chỉ dùng các đoạn văn. Không rõ: {r}",
        "Dùng các đoạn văn để trả lời ngắn gọn. Nếu không có, hãy trả lời: {r}",
        "Đưa ra câu trả lời ngắn nhất có thể từ ngữ cảnh. Nếu không thì viết: {r}",
        "Bạn là trợ lý của {c}. Chỉ trả lời ngắn gọn.",
        "Đọc tài liệu và trả lời.",
        "Trả lời ngắn. Đừng đoán. Khi không chắc hãy trả lời: {r}",
        "Trả lời bằng một cụm từ ngắn lấy từ tài liệu. Không có thì ghi: {r}",
        "Trả lời câu hỏi của người dùng.",
    ),
}
_ODD_REFUSALS = (
    Said("I do not know.", "Tôi không biết."), Said("Unknown", "Không rõ"), Said("N/A", "N/A"),
    Said("No information found.", "Không tìm thấy thông tin."), Said("?", "?"),
    Said("The documents do not say.", "Tài liệu không nói."),
)  # fmt: skip
_POLITE = {
    "en": (
        "Please tell me: {q}", "Hi, {q}", "Quick question: {q}", "{q} Thanks!",
        "I need to know: {q}",
    ),
    "vi": ("Cho tôi hỏi: {q}", "Xin hỏi {q}", "Cho hỏi {q}", "{q} Cảm ơn!", "Tôi muốn biết: {q}"),
}  # fmt: skip


class Branch(NamedTuple):
    """A question after the shared beginning, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Episode:
    """``turns``, then a user turn: ``opening`` and the question of one of the branches."""

    turns: tuple[Turn, ...]
    opening: str
    branches: tuple[Branch, ...]

    def chat(self, branch: Branch) -> list[Turn]:
        """One branch as the chat that the reader would see, answer included."""
        return [
            *self.turns,
            Turn("user", self.opening + branch.question),
            Turn("assistant", branch.answer),
        ]


@dataclass(frozen=True)
class Mix:
    """What a batch is made of: shares of episodes, and of unanswerable questions within them."""

    copying: float = 0.05
    demonstrations: float = 0.2
    no_passage: float = 0.04
    natural: float = 0.2
    unanswerable: float = 0.15
    other_language: float = 0.06
    passages: tuple[float, ...] = (0.3, 0.2, 0.35, 0.1, 0.05)  # weights of 1, 2, ... passages
    side_by_side: float = 0.45  # passages about several subjects
    subjects: int = 4  # of one kind in a company
    keys: int = 12  # at most, in a copying exercise


# The curriculum, by the share of training that is done: short lookups and passages about one
# subject, then several passages and subjects side by side; refusals late. Look-alike subjects from
# the start kept a run from learning to look up: after 8M tokens it knew the kinds of values but
# not which one was asked for (lists of keys: 1% exact), after 1.5M of the first stage 25%.
_STAGES = (
    (
        0.25,
        Mix(
            copying=0.2,
            demonstrations=0.05,
            no_passage=0.02,
            natural=0.05,
            unanswerable=0.03,
            other_language=0.0,
            passages=(0.9, 0.1),
            side_by_side=0.05,
            subjects=2,
            keys=5,
        ),
    ),
    (
        0.45,
        Mix(
            copying=0.1,
            demonstrations=0.1,
            no_passage=0.02,
            natural=0.08,
            unanswerable=0.03,
            other_language=0.03,
            passages=(0.6, 0.25, 0.15),
            side_by_side=0.3,
            subjects=3,
            keys=8,
        ),
    ),
    (
        0.85,
        Mix(
            copying=0.1,
            demonstrations=0.15,
            no_passage=0.03,
            natural=0.15,
            unanswerable=0.1,
            other_language=0.04,
            passages=(0.5, 0.25, 0.2, 0.03, 0.02),
            side_by_side=0.5,
            subjects=3,
        ),
    ),
    (1.01, Mix()),
)


def mix_at(progress: float) -> Mix:
    """The mix at this share of training, 0 to 1."""
    return next(mix for end, mix in _STAGES if progress < end)


def unaccented(text: str) -> str:
    """Vietnamese as typed without accents."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("đ", "d").replace("Đ", "D")


def context(passages: Sequence[Passage]) -> str:
    """Numbered passages, each under its document's path, then a blank line."""
    return "".join(f"[{i + 1}] {p.header}\n{p.text}\n\n" for i, p in enumerate(passages))


def as_typed(rng: random.Random, question: str, language: str) -> str:
    """The question as people type it: polite, lower-case, without question mark or accents."""
    if rng.random() < 0.1:
        first = question[:1].lower() + question[1:] if language == "vi" else question
        question = rng.choice(_POLITE[language]).format(q=first)
    kind = rng.random()
    if kind < 0.08:
        question = question.lower()
    elif kind < 0.14:
        question = question.rstrip("?.")
    if language == "vi" and rng.random() < 0.12:
        question = unaccented(question)
    return question


def episode(
    rng: random.Random,
    mix: Mix,
    split: Split = "train",
    texts: natural.Texts | None = None,
    branches: int = 8,
) -> Episode:
    """One training example; the language is drawn evenly."""
    language = rng.choice(LANGUAGES)
    draw = rng.random()
    if draw < mix.copying:
        return _copying(rng, language, mix.keys)
    if texts and texts.items and draw < mix.copying + mix.natural:
        return _natural(rng, mix, texts, language, branches)
    return _company(rng, mix, language, split, texts, branches)


def _system(
    rng: random.Random, language: Language, company: str, refusal: str, form: AnswerFormat
) -> tuple[Turn, ...]:
    """The system turn, or none; ``form`` is added in words where it has words."""
    if form.asked is None and rng.random() < 0.15:
        return ()
    text = rng.choice(_INSTRUCTIONS[language]).format(c=company, r=refusal)
    if form.asked is not None:
        added = form.asked.into(language)
        text = f"{text} {added}" if rng.random() < 0.8 else f"{added} {text}"
    return (Turn("system", text),)


def _company(
    rng: random.Random,
    mix: Mix,
    language: Language,
    split: Split,
    texts: natural.Texts | None,
    limit: int,
) -> Episode:
    count = rng.choices(range(1, len(mix.passages) + 1), mix.passages)[0]
    kinds = 1 if count == 1 else 2
    owner = grammar.company(rng, language, split, kinds, mix.subjects)
    asking: Language = language
    if rng.random() < mix.other_language:
        asking = "en" if language == "vi" else "vi"
    extra: tuple[str, ...] = ()
    if texts and texts.sentences.get(language) and rng.random() < 0.1:
        extra = (rng.choice(texts.sentences[language]),)
    long = rng.random() < (0.15 if count < 4 else 0.08)
    shown_passages = grammar.passages(rng, owner, count, long, extra, mix.side_by_side)
    rng.shuffle(shown_passages)

    with_demonstrations = rng.random() < mix.demonstrations
    form = PLAIN
    if with_demonstrations:
        form = shown(rng)
    elif rng.random() < 0.4 * mix.demonstrations:
        form = asked(rng)
    refusal = REFUSAL.into(asking)
    odd = rng.random() < 0.05
    if odd:
        refusal = rng.choice(_ODD_REFUSALS).into(asking)
    instructed: Language = asking if rng.random() < 0.85 else rng.choice(LANGUAGES)
    # An unusual refusal must have been asked for; a shown format needs no words.
    named = AnswerFormat(form.apply) if with_demonstrations else form
    system = _system(rng, instructed, owner.name.into(instructed), refusal, named)
    if not system or refusal not in system[0].content:
        refusal = REFUSAL.into(asking)

    visible = {(f.subject, f.relation.id) for p in shown_passages for f in p.facts}
    hidden = [f for f in owner.facts if (f.subject, f.relation.id) not in visible]
    demonstrations: list[Turn] = []
    if with_demonstrations:
        demonstrations = _demonstrations(rng, owner, hidden, asking, form, refusal)

    questions: list[Branch] = []
    if rng.random() < mix.no_passage:
        for fact in rng.sample(owner.facts, min(2, len(owner.facts))):
            typed = as_typed(rng, grammar.question(fact, rng, asking), asking)
            questions.append(Branch(QUESTION.into(asking) + typed, refusal))
        return Episode((*system, *demonstrations), "", tuple(questions))
    stated = [
        (number + 1, fact, said)
        for number, p in enumerate(shown_passages)
        for fact, said in zip(p.facts, p.said, strict=True)
    ]
    for number, fact, said in rng.sample(stated, min(limit, len(stated))):
        answer = fact.value.into(asking)
        if form.numeric and not first_number(answer):
            continue
        whole = said if said and asking == language else grammar.sentence(fact, rng, asking)
        typed = as_typed(rng, grammar.question(fact, rng, asking), asking)
        questions.append(Branch(QUESTION.into(asking) + typed, form.apply(answer, whole, number)))
    wanted = sum(rng.random() < mix.unanswerable for _ in range(limit))
    for fact in rng.sample(hidden, min(wanted, len(hidden))):
        typed = as_typed(rng, grammar.question(fact, rng, asking), asking)
        questions.append(Branch(QUESTION.into(asking) + typed, refusal))
    if not questions:
        return _company(rng, mix, language, split, texts, limit)
    rng.shuffle(questions)
    return Episode((*system, *demonstrations), context(shown_passages), tuple(questions[:limit]))


def _demonstrations(
    rng: random.Random,
    owner: Company,
    hidden: Sequence[Fact],
    asking: Language,
    form: AnswerFormat,
    refusal: str,
) -> list[Turn]:
    """1-4 question-answer turns; a quarter with their own passage, most without."""
    pool = [f for f in hidden or owner.facts if not form.numeric or first_number(f.value.en)]
    turns: list[Turn] = []
    for fact in rng.sample(pool, min(rng.randint(1, 4), len(pool))):
        said = grammar.sentence(fact, rng, asking)
        opening = ""
        if rng.random() < 0.25 and asking == owner.language:
            shown_passage = grammar.passage(rng, owner, [fact])
            said = shown_passage.said[0] or said
            opening = context([shown_passage])
        answer = form.apply(fact.value.into(asking), said, rng.randint(1, 3) if not opening else 1)
        if not opening and rng.random() < 0.06:
            answer = refusal
        asked_for = QUESTION.into(asking) + grammar.question(fact, rng, asking)
        turns += [Turn("user", opening + asked_for), Turn("assistant", answer)]
    return turns


def _thing(rng: random.Random, language: Language) -> str:
    maker = values.VALUES[rng.choice(("person", "code", "money", "date", "place", "email", "city"))]
    return maker(rng, language).into(language) if rng.random() < 0.6 else values.coined(rng)


def _copying(rng: random.Random, language: Language, most: int) -> Episode:
    """Keys with values, or a text to repeat: exercises in looking up and copying."""
    if rng.random() < 0.4:
        text = " ".join(_thing(rng, language) for _ in range(rng.randint(3, 9)))
        wish = Said("Repeat the passage.", "Chép lại đoạn văn.").into(language)
        return Episode((), f"[1] {text}\n\n", (Branch(QUESTION.into(language) + wish, text),))
    keys = list(dict.fromkeys(_thing(rng, language) for _ in range(rng.randint(2, most))))
    cells = [_thing(rng, language) for _ in keys]
    middle = rng.choice((": ", " = ", " -> ", " | ", " là " if language == "vi" else " is "))
    lines = rng.choice(("\n", "; ", ". ")).join(
        key + middle + cell for key, cell in zip(keys, cells, strict=True)
    )
    ask = rng.choice(("{}?", "{}", "What is {}?" if language == "en" else "{} là gì?"))
    chosen = rng.sample(range(len(keys)), min(6, len(keys)))
    return Episode(
        (),
        f"[1] {rng.choice(('list.csv', 'notes.md', 'bang.xlsx'))}\n{lines}\n\n",
        tuple(Branch(QUESTION.into(language) + ask.format(keys[i]), cells[i]) for i in chosen),
    )


def _natural(
    rng: random.Random, mix: Mix, texts: natural.Texts, language: Language, limit: int
) -> Episode:
    """Questions about natural text, among passages of the same article or another one."""
    item = rng.choice(texts.by_language(language))
    language = item.language
    blocks = [item.text]
    count = rng.choices(range(1, len(mix.passages) + 1), mix.passages)[0]
    blocks += [rng.choice(texts.items).text for _ in range(min(count, 3) - 1)]
    blocks = [
        " ".join(block.split()[:110]) if block is not item.text else block for block in blocks
    ]
    rng.shuffle(blocks)
    stem = rng.choice(("wiki", "docs", "notes", "tai-lieu"))
    opening = "".join(
        f"[{i + 1}] {stem}/{rng.randint(1, 99)}.md\n{block}\n\n" for i, block in enumerate(blocks)
    )
    refusal = REFUSAL.into(language)
    system = _system(rng, language, "Wiki", refusal, PLAIN)
    pairs = rng.sample(item.questions, min(limit // 2, len(item.questions)))
    pairs += natural.span_questions(item.text, language, rng, limit - len(pairs))
    branches = [
        Branch(QUESTION.into(language) + as_typed(rng, q, language), answer) for q, answer in pairs
    ]
    if rng.random() < mix.unanswerable * 2:
        other = grammar.company(rng, language, kinds=1)
        asked_for = grammar.question(rng.choice(other.facts), rng, language)
        branches.append(Branch(QUESTION.into(language) + asked_for, refusal))
    if not branches:
        return _natural(rng, mix, texts, language, limit)
    return Episode(system, opening, tuple(branches))
