"""Synthetic companies: their facts, and documents that state them, in English or Vietnamese.

Everything follows from a ``random.Random``; names and numbers are made up, so an answer can only
come from the document.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tailor.models.pretraining import relations, values
from tailor.models.pretraining.grammar_text import BOILERPLATE, FILLERS, FOLDERS, PLACES_IN, STEMS
from tailor.models.pretraining.relations import Language, Relation, Split
from tailor.models.pretraining.vocabulary import Said
from tailor.text import fold

COMPOSED_SHARE = 0.3


@dataclass(frozen=True)
class Subject:
    """Someone or something that documents speak about."""

    kind: str
    name: Said


@dataclass(frozen=True)
class Fact:
    """A relation of a subject has a value."""

    relation: Relation
    subject: Subject
    value: Said


@dataclass(frozen=True)
class Company:
    """A made-up company; ``facts`` share subjects and relations, so they are easily mixed up."""

    language: Language
    name: Said
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Passage:
    """A piece of a document; ``said[i]`` is the wording of ``facts[i]`` in it, if a sentence."""

    header: str
    text: str
    facts: tuple[Fact, ...]
    said: tuple[str, ...]


def company(
    rng: random.Random, language: Language, split: Split = "train", kinds: int = 2, size: int = 4
) -> Company:
    """A company with ``size`` subjects of each of ``kinds`` kinds and 3-6 relations per kind."""
    name = values.SUBJECTS["company"](rng, language)
    facts: list[Fact] = []
    used: set[str] = {name.en}
    pool = [k for k in values.SUBJECTS if relations.written_for(k, split)]
    for kind in rng.sample(pool, min(kinds, len(pool))):
        subjects = []
        for _ in range(30):
            subject = Subject(kind, values.SUBJECTS[kind](rng, language))
            if subject.name.en not in used and subject.name.vi not in used:
                used.update(subject.name)
                subjects.append(subject)
            if len(subjects) == size:
                break
        chosen = _relations(rng, kind, split)
        for subject in subjects:
            taken: set[str] = set()
            for relation in chosen:
                if len(chosen) > 3 and rng.random() < 0.15:
                    continue
                value = _fresh(rng, relation, language, taken | set(subject.name))
                taken.add(value.into(language))
                facts.append(Fact(relation, subject, value))
    return Company(language, name, tuple(facts))


def _relations(rng: random.Random, kind: str, split: Split) -> list[Relation]:
    available = relations.written_for(kind, split)
    wanted = rng.randint(3, 6)
    chosen: dict[str, Relation] = {}
    for _ in range(40):
        if rng.random() < COMPOSED_SHARE and kind != "person":
            relation = relations.composed(rng, split)
        else:
            relation = rng.choice(available)
        chosen.setdefault(relation.id, relation)
        if len(chosen) == wanted:
            break
    return list(chosen.values())


def _fresh(rng: random.Random, relation: Relation, language: Language, taken: set[str]) -> Said:
    for _ in range(8):
        value = values.VALUES[relation.value](rng, language)
        if value.into(language) not in taken:
            return value
    return value


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def sentence(fact: Fact, rng: random.Random, language: str, subject: str | None = None) -> str:
    """The fact as a sentence without its full stop."""
    wording = relations.statement(fact.relation, rng, language)
    name = fact.subject.name.into(language) if subject is None else subject
    return capital(wording.replace("{s}", name).replace("{x}", fact.value.into(language)))


def question(fact: Fact, rng: random.Random, language: str) -> str:
    """A question for the value of the fact."""
    wording = relations.question(fact.relation, rng, language)
    return capital(wording.replace("{s}", fact.subject.name.into(language)))


def label(fact: Fact, rng: random.Random, language: str) -> str:
    """The relation as a noun phrase, as in a column head."""
    return capital(rng.choice(fact.relation.phrases(language).labels))


# --- document styles: facts of one or several subjects -> (text, wording of each fact) ---------

Styled = tuple[str, tuple[str, ...]]


def _prose(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    language = owner.language
    said, out, last = [], [], None
    for fact in facts:
        if fact.subject == last and rng.random() < 0.6:
            again = values.AGAIN[fact.subject.kind][0].into(language)
            if rng.random() < 0.3 and fact.subject.kind not in ("group", "person"):
                again = "it" if language == "en" else "nó"
            written = sentence(fact, rng, language, again)
        else:
            written = sentence(fact, rng, language)
        last = fact.subject
        said.append(written)
        if rng.random() < 0.25:
            out.append(filler(rng, owner))
        out.append(written + ".")
    return " ".join(out), tuple(said)


def _bullets(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    said = tuple(sentence(fact, rng, owner.language) for fact in facts)
    mark = rng.choice(("- ", "* ", "• ", "{n}. ", "{n}) "))
    end = rng.choice((".", "", ";"))
    lines = [mark.format(n=i + 1) + s + end for i, s in enumerate(said)]
    return "\n".join(lines), said


def _keys(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    language = owner.language
    form = rng.choice(
        ("{l}: {x}", "{l}: {x}", "- {l}: {x}", "**{l}:** {x}", "{l} = {x}", "{l} – {x}")
    )
    lines: list[str] = []
    last = None
    for fact in facts:
        if fact.subject != last:
            head = capital(fact.subject.name.into(language))
            lines.append(rng.choice(("## {}", "{}", "**{}**", "{}:")).format(head))
            last = fact.subject
        lines.append(form.format(l=label(fact, rng, language), x=fact.value.into(language)))
    return "\n".join(lines), ("",) * len(facts)


def _table(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    language = owner.language
    subjects = list(dict.fromkeys(fact.subject for fact in facts))
    heads: dict[str, str] = {}
    for fact in facts:
        heads.setdefault(fact.relation.id, label(fact, rng, language))
    cells = {(f.subject, f.relation.id): f.value.into(language) for f in facts}
    first = values.AGAIN[subjects[0].kind][1].into(language)
    rows = [[first, *heads.values()]]
    for subject in subjects:
        name = capital(_bare(subject.name.into(language)))
        rows.append([name, *(cells.get((subject, key), "–") for key in heads)])
    if len(subjects) == 1 and rng.random() < 0.5:
        rows = [list(column) for column in zip(*rows, strict=True)]
    return _rows(rng, rows), ("",) * len(facts)


def _rows(rng: random.Random, rows: list[list[str]]) -> str:
    form = rng.random()
    if form < 0.6:
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        if rng.random() < 0.6:
            lines.insert(1, "|" + "---|" * len(rows[0]))
    elif form < 0.75:
        lines = [" | ".join(row) for row in rows]
    elif form < 0.85:
        lines = ["; ".join(row) for row in rows]
    else:
        lines = [
            "; ".join(f"{head}: {cell}" for head, cell in zip(rows[0], row, strict=True))
            for row in rows[1:]
        ]
    return "\n".join(lines)


def _bare(name: str) -> str:
    return re.sub(r"^the ", "", name)


def _questions(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    language = owner.language
    said = tuple(sentence(fact, rng, language) for fact in facts)
    ask, reply = rng.choice((("", ""), ("Q: ", "A: "), ("**", ""), ("### ", "")))
    lines = []
    for fact, answer in zip(facts, said, strict=True):
        close = "**" if ask == "**" else ""
        lines.append(f"{ask}{question(fact, rng, language)}{close}\n{reply}{answer}.")
    return "\n".join(lines), said


def _mail(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    body, said = _prose(rng, facts, owner)
    who = [values.person_name(rng, owner.language) for _ in range(2)]
    text = rng.choice(BOILERPLATE[owner.language]["mail"])
    subject = capital(_bare(facts[0].subject.name.into(owner.language)))
    return text.format(a=who[0], b=who[1], subject=subject, body=body), said


def _minutes(rng: random.Random, facts: Sequence[Fact], owner: Company) -> Styled:
    body, said = _bullets(rng, facts, owner)
    who = ", ".join(values.person_name(rng, owner.language) for _ in range(rng.randint(2, 3)))
    date = values.VALUES["date"](rng, owner.language).into(owner.language)
    text = rng.choice(BOILERPLATE[owner.language]["minutes"])
    return text.format(who=who, date=date, body=body), said


STYLES: tuple[tuple[Callable[[random.Random, Sequence[Fact], Company], Styled], float], ...] = (
    (_prose, 0.36), (_bullets, 0.13), (_keys, 0.14), (_table, 0.2), (_questions, 0.05),
    (_mail, 0.06), (_minutes, 0.06),
)  # fmt: skip


def filler(rng: random.Random, owner: Company) -> str:
    """A sentence that states none of the facts."""
    text = rng.choice(FILLERS[owner.language])
    return text.replace("{c}", owner.name.into(owner.language))


def header(rng: random.Random, subject: Subject, language: Language) -> str:
    """A document's path, sometimes with the place in it: ``hr/leave-policy.md, page 3``."""
    if rng.random() < 0.5:
        stem = rng.choice(STEMS[language])
    else:
        stem = re.sub(r"[^a-z0-9]+", "-", fold(_bare(subject.name.into(language)))).strip("-")
    folder = rng.choice(FOLDERS[language])
    end = rng.choice(("md", "md", "docx", "pdf", "txt", "xlsx", "html", "csv", "eml", "pptx"))
    path = f"{folder}/{stem}.{end}" if rng.random() < 0.85 else f"{stem}.{end}"
    if rng.random() < 0.5:
        return path
    place = rng.choice(PLACES_IN[language])
    name = capital(_bare(subject.name.into(language)))
    return f"{path}, {place.format(n=rng.randint(1, 30), name=name)}"


def passage(
    rng: random.Random,
    owner: Company,
    facts: Sequence[Fact],
    long: bool = False,
    extra: Sequence[str] = (),
) -> Passage:
    """A passage that states the facts; ``long`` pads it towards 120 words, ``extra`` adds text."""
    style = rng.choices([s for s, _ in STYLES], [w for _, w in STYLES])[0]
    text, said = style(rng, facts, owner)
    padding = list(extra)
    if long or rng.random() < 0.2:
        wanted = rng.randint(2, 5) if long else 1
        padding += list(dict.fromkeys(filler(rng, owner) for _ in range(wanted)))
    if padding:
        cut = rng.randint(0, len(padding))
        gap = rng.choice(("\n", "\n\n", " ")) if style is _prose else "\n\n"
        parts = (" ".join(padding[:cut]), text, " ".join(padding[cut:]))
        text = gap.join(part for part in parts if part)
    return Passage(header(rng, facts[0].subject, owner.language), text, tuple(facts), said)


def passages(
    rng: random.Random,
    owner: Company,
    count: int,
    long: bool = False,
    extra: Sequence[str] = (),
    side_by_side: float = 0.45,
) -> list[Passage]:
    """``count`` passages: one subject each, or (a share ``side_by_side``) several of one kind."""
    groups: list[list[Fact]] = []
    by_subject: dict[Subject, list[Fact]] = {}
    by_kind: dict[str, list[Fact]] = {}
    for fact in owner.facts:
        by_subject.setdefault(fact.subject, []).append(fact)
        by_kind.setdefault(fact.subject.kind, []).append(fact)
    for _ in range(count):
        if rng.random() >= side_by_side:
            facts = rng.choice(list(by_subject.values()))
            facts = rng.sample(facts, min(len(facts), rng.randint(2, 5)))
        else:
            kind = rng.choice(list(by_kind.values()))
            ids = sorted({f.relation.id for f in kind})
            wanted = set(rng.sample(ids, min(2, len(ids))))
            if rng.random() < 0.4:
                wanted = {next(iter(sorted(wanted)))}
            facts = [f for f in kind if f.relation.id in wanted]
            if rng.random() < 0.3:
                rng.shuffle(facts)
        groups.append(facts)
    seen: set[int] = set()
    out: list[Passage] = []
    for facts in groups:
        fresh = [f for f in facts if id(f) not in seen] or facts[:1]
        seen.update(id(f) for f in fresh)
        out.append(passage(rng, owner, fresh, long, extra if not out else ()))
    return out
