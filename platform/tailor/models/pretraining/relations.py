"""What documents state about their subjects: relations with phrasings in both languages.

Hand-written ones stand in ``relations_en.txt`` and ``relations_vi.txt``
(``id | labels | statements | questions``); compositional ones ("storage fee") are put together
from heads and topics. A fifth of both is held out of training, so that reading is measured on
relations the model has never met.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from tailor.models.pretraining import vocabulary as v
from tailor.models.pretraining.vocabulary import Said

Language = Literal["en", "vi"]
Split = Literal["train", "held", "all"]
LANGUAGES: tuple[Language, ...] = ("en", "vi")

# id: kinds of subject > kind of value
_KINDS = """
price product plan course > money; warranty product machine > duration; launch product plan > date;
colour product > colour; material product > material; designer product > person;
capacity machine system > quantity; weight product machine > weight; sku product > code;
made_in product > city; battery product > hours; manager project team office > person;
refund product plan > duration; discount plan product > percent; founded company supplier > year;
founder company supplier > person; headquarters company supplier > city;
ceo company supplier > person; employees company office team > count;
revenue company office > money; annual_leave group > days; sick_leave group > days;
parental_leave group > duration; email team office supplier > email;
phone team office person > phone; opens office > clock; closes office > clock;
location team event machine > place; meeting_day team project > weekday;
budget project team event > money; deadline project > date; goal project > goal;
retention policy > duration; owner policy system machine > holder; approver policy > holder;
effective policy contract > date; limit policy > money; form policy > form;
penalty policy contract > money; notice contract plan > duration;
review policy project > frequency; job_title person > title; reports_to person > person;
joined person > date; workplace person > city; deputy person > person; mentor person > person;
supplier product machine > company; contract_value contract > money; contract_end contract > date;
signed contract > date; signatory contract > person; payment_terms supplier contract > days;
delivery_time product supplier > days; shipping_fee region > money; shipping_time region > days;
free_shipping region > money; sales_tax region > percent; minimum_order product > quantity;
training_hours course event > hours; teacher course > person; starts course event > date;
room course event > place; seats course event > count; language course event > language;
organiser event > holder; clock event course > clock; entry_fee event > money;
register_by event course > date; password_length system > characters;
password_change system > duration; administrator system > holder; version system > version;
maintenance_window system > weekday; backup system > frequency;
response_time team plan > hours; uptime system plan > percent; storage plan system > data;
users plan system > count; login system > login; probation group > duration;
overtime group > percent; bonus group > bonus; payday group > payday; meal_allowance group > money;
travel_allowance group > money; hotel_limit group > money; equipment group > equipment;
remote_days group > remote; working_hours group > weekly_hours; lunch_break office > hours;
parking_fee office > money; parking_spaces office > count; wifi office > network;
badge group > colour; first_aider office > person; assembly_point office > place;
floor_area office > area; rent office > money; opened office > date; inspection machine > date;
speed machine > speed; power machine product > power; temperature product machine > degrees;
operator machine > person; spare_part machine > code; maintenance_interval machine > duration;
serial machine > code; market_share product company > percent; units_sold product > count;
growth company product > percent; profit company > money; rating product supplier > score;
complaints product team > count; main_customer company supplier > company;
policy_number policy > code; exempt policy > group; insurance group > money;
insurer group > company; bank company supplier > bank; tax_code company supplier > digits;
sponsor project event > person; phase project > phase; risk project > reason;
priority project > priority; travel_class group > travel_class; shelf_life product > duration;
per_box product > quantity; steps machine system > step; reason project contract > reason;
interpreter event course > person; catering event office > company; photographer event project >
person; driver office team > person; key_holder office machine > person; cleaning_day office >
weekday; audit company supplier > date; auditor company supplier > company; certificate product
company supplier > code; noise machine product > noise; height machine product > length; stock
product > quantity; bay product machine > place; import_duty product region > percent; commission
group > percent; study_leave group > days; clothing group > money; shift group > hours; newsletter
team company > weekday; backup_site system company > city; hotline_hours product system > hours;
testers product system > count; recycling product > percent
"""


@dataclass(frozen=True)
class Phrases:
    """Wordings with ``{s}`` for the subject and ``{x}`` for the value; labels are noun phrases."""

    labels: tuple[str, ...]
    statements: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """One thing that can be said of subjects of some kinds."""

    id: str
    kinds: tuple[str, ...]
    value: str
    en: Phrases
    vi: Phrases

    def phrases(self, language: str) -> Phrases:
        """The wordings in one language."""
        return self.vi if language == "vi" else self.en


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


def _read(language: Language) -> dict[str, Phrases]:
    source = resources.files(__package__).joinpath(f"relations_{language}.txt")
    rows = (line.split("|") for line in source.read_text(encoding="utf-8").splitlines())
    return {
        key.strip(): Phrases(_split(labels), _split(statements), _split(questions))
        for key, labels, statements, questions in rows
    }


# Ways to say and ask for any labelled value; they also vary the hand-written relations.
GENERIC: dict[str, Phrases] = {
    "en": Phrases(
        (),
        (
            "the {l} of {s} is {x}", "the {l} for {s} is {x}", "for {s}, the {l} is {x}",
            "the {l} of {s}: {x}", "as to {s}, the {l} comes to {x}", "{x} is the {l} of {s}",
            "with {s}, the {l} is now {x}", "the {l} of {s} has been set to {x}",
        ),
        (
            "What is the {l} of {s}?", "What is the {l} for {s}?", "Which {l} applies to {s}?",
            "{l} of {s}?", "Tell me the {l} of {s}.", "{s}: {l}?", "What {l} does {s} have?",
        ),
    ),
    "vi": Phrases(
        (),
        (
            "{l} của {s} là {x}", "{l} áp dụng cho {s} là {x}", "đối với {s}, {l} là {x}",
            "{l} của {s}: {x}", "về {s}, {l} hiện nay là {x}", "{x} là {l} của {s}",
            "{s} có {l} là {x}", "{l} dành cho {s} được ấn định là {x}",
        ),
        (
            "{l} của {s} là gì?", "{l} đối với {s} là gì?", "{s} có {l} là gì?", "{l} của {s}?",
            "Cho biết {l} của {s}.", "{s}: {l}?", "{l} áp dụng cho {s} thế nào?",
        ),
    ),
}  # fmt: skip
# Question words that fit the kind of value.
_ASK: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "money": ("How much is the {l} of {s}?", "How high is the {l} for {s}?"),
        "quantity": ("How large is the {l} of {s}?", "How much is the {l} of {s}?"),
        "percent": ("How high is the {l} of {s}?",),
        "count": ("How large is the {l} of {s}?",),
        "duration": ("How long is the {l} of {s}?", "How long is the {l} for {s}?"),
        "date": ("When is the {l} of {s}?", "On what date is the {l} of {s}?"),
        "weekday": ("When is the {l} of {s}?", "On which day is the {l} of {s}?"),
        "person": ("Who is the {l} of {s}?", "Who is the {l} for {s}?"),
        "company": ("Who is the {l} of {s}?", "Which company is the {l} of {s}?"),
        "place": ("Where is the {l} of {s}?",),
        "city": ("Where is the {l} of {s}?", "In which city is the {l} of {s}?"),
    },
    "vi": {
        "money": ("{l} của {s} là bao nhiêu?", "{l} đối với {s} bao nhiêu tiền?"),
        "quantity": ("{l} của {s} là bao nhiêu?", "{s} có {l} bao nhiêu?"),
        "percent": ("{l} của {s} là bao nhiêu?", "{l} của {s} bao nhiêu phần trăm?"),
        "count": ("{l} của {s} là bao nhiêu?",),
        "duration": ("{l} của {s} là bao lâu?", "{l} đối với {s} kéo dài bao lâu?"),
        "date": ("{l} của {s} là khi nào?", "{l} của {s} là ngày nào?"),
        "weekday": ("{l} của {s} là thứ mấy?", "{l} của {s} là khi nào?"),
        "person": ("{l} của {s} là ai?", "Ai là {l} của {s}?"),
        "company": ("{l} của {s} là ai?", "{l} của {s} là công ty nào?"),
        "place": ("{l} của {s} ở đâu?",),
        "city": ("{l} của {s} ở đâu?", "{l} của {s} ở thành phố nào?"),
    },
}
_ANY_SUBJECT = (
    "product plan project team office policy group company supplier course event machine system "
    "region contract"
).split()


@cache
def written() -> tuple[Relation, ...]:
    """The hand-written relations, in file order."""
    phrases = {language: _read(language) for language in LANGUAGES}
    found = []
    for entry in _KINDS.replace("\n", " ").split(";"):
        left, value = entry.split(">")
        key, *kinds = left.split()
        found.append(
            Relation(key, tuple(kinds), value.strip(), phrases["en"][key], phrases["vi"][key])
        )
    return tuple(found)


def is_held(index: int) -> bool:
    """Whether the relation at this place of its list is kept out of training (a fifth)."""
    return index % 5 == 3


@cache
def written_for(kind: str, split: Split) -> tuple[Relation, ...]:
    """The hand-written relations that a subject of this kind can have."""
    return tuple(
        relation
        for index, relation in enumerate(written())
        if kind in relation.kinds and (split == "all" or is_held(index) == (split == "held"))
    )


def composed(rng: random.Random, split: Split) -> Relation:
    """A relation made of a head and a topic, e.g. ``storage fee`` | ``phí lưu kho``."""
    while True:
        h, t = rng.randrange(len(v.HEADS)), rng.randrange(len(v.TOPICS))
        if split == "all" or is_held(3 * h + t) == (split == "held"):
            break
    en_head, vi_head, value = v.HEADS[h]
    topic = v.TOPICS[t]
    label = Said(f"{topic.en} {en_head}", f"{vi_head} {topic.vi}")
    return Relation(
        f"{topic.en}_{en_head}",
        tuple(_ANY_SUBJECT),
        value,
        *(_labelled(label.into(language), value, language) for language in LANGUAGES),
    )


def _labelled(label: str, value: str, language: Language) -> Phrases:
    generic = GENERIC[language]
    asked = _ASK[language].get(value, ())
    return Phrases(
        (label,),
        tuple(s.replace("{l}", label) for s in generic.statements),
        tuple(q.replace("{l}", label) for q in (*generic.questions[:4], *asked, *asked)),
    )


def statement(relation: Relation, rng: random.Random, language: str) -> str:
    """A wording of the relation as a statement, with ``{s}`` and ``{x}`` left open."""
    phrases = relation.phrases(language)
    if rng.random() < 0.25:
        generic = rng.choice(GENERIC[language].statements)
        return generic.replace("{l}", phrases.labels[0])
    return rng.choice(phrases.statements)


def question(relation: Relation, rng: random.Random, language: str) -> str:
    """A wording of the relation as a question, with ``{s}`` left open."""
    phrases = relation.phrases(language)
    if rng.random() < 0.15:
        generic = rng.choice(GENERIC[language].questions)
        return generic.replace("{l}", rng.choice(phrases.labels))
    return rng.choice(phrases.questions)
