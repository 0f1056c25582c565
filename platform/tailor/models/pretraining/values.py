"""Answers and subjects of the synthetic companies: random values, said in both languages."""

from __future__ import annotations

import random
from collections.abc import Callable

from tailor.models.pretraining import vocabulary as v
from tailor.models.pretraining.vocabulary import Said

Maker = Callable[[random.Random, str], Said]


def coined(rng: random.Random, syllables: int = 0) -> str:
    """A made-up name, so that it can only be copied, never known."""
    n = syllables or rng.choice((2, 2, 3))
    return "".join(
        rng.choice(v.ONSETS)
        + rng.choice(v.NUCLEI)
        + (rng.choice(v.CODAS) if i == n - 1 or rng.random() < 0.3 else "")
        for i in range(n)
    ).capitalize()


def _same(text: str) -> Said:
    return Said(text, text)


def person_name(rng: random.Random, language: str) -> str:
    """A person's name as usual in the language of the company."""
    if language == "vi" and rng.random() < 0.85:
        middle = f"{rng.choice(v.VI_MIDDLE)} " if rng.random() < 0.75 else ""
        return f"{rng.choice(v.VI_FAMILY)} {middle}{rng.choice(v.VI_GIVEN)}"
    last = rng.choice(v.LAST_NAMES) if rng.random() < 0.4 else coined(rng)
    return f"{rng.choice(v.FIRST_NAMES)} {last}"


def _person(rng: random.Random, language: str) -> Said:
    name = person_name(rng, language)
    if rng.random() < 0.06:
        other = person_name(rng, language)
        return Said(f"{name} and {other}", f"{name} và {other}")
    title = rng.random()
    if title < 0.05:
        return Said(f"Dr {name}", f"TS. {name}")
    if title < 0.2 and language == "vi":
        polite = rng.choice(("ông", "bà", "anh", "chị"))
        return Said(name, f"{polite} {name}")
    return _same(name)


def _grouped(number: int, language: str) -> str:
    return f"{number:,}" if language == "en" else f"{number:,}".replace(",", ".")


def _money(rng: random.Random, language: str) -> Said:
    kind = rng.random()
    if language == "vi" and kind < 0.75:
        if kind < 0.45:
            currency = rng.choice(("đồng", "đồng", "VND", "đ"))
            amount = rng.randint(1, 999) * rng.choice((500, 1000, 5000, 10000, 50000))
            return _same(f"{_grouped(amount, 'vi')} {currency}")
        unit = rng.choice((Said("million", "triệu"), Said("billion", "tỷ")))
        number = str(rng.randint(1, 900)) if rng.random() < 0.7 else f"{rng.randint(1, 90)},5"
        return Said(f"{number} {unit.en} VND", f"{number} {unit.vi} đồng")
    sign = rng.choice("$€£")
    form = rng.random()
    if form < 0.3:
        return _same(f"{sign}{rng.randint(2, 999)}")
    if form < 0.45:
        return _same(f"{rng.randint(2, 999)} {rng.choice(('EUR', 'USD', 'GBP'))}")
    if form < 0.65:
        return _same(f"{sign}{_grouped(rng.randint(1000, 99999), 'en')}")
    if form < 0.85:
        return _same(f"{sign}{rng.randint(1, 999)}.{rng.randint(0, 99):02d}")
    millions = rng.randint(2, 90)
    return Said(f"{sign}{millions} million", f"{sign}{millions} triệu")


def _duration(rng: random.Random, language: str) -> Said:
    unit = rng.choice(v.DURATION_UNITS)
    kind = rng.random()
    if kind < 0.12:
        number = rng.choice(v.NUMBER_WORDS)
        return Said(f"{number.en} {unit.en}", f"{number.vi} {unit.vi}")
    if kind < 0.17:
        years, months = rng.randint(2, 5), rng.randint(2, 11)
        return Said(f"{years} years and {months} months", f"{years} năm {months} tháng")
    high = 120 if unit.en in ("days", "minutes", "hours") else 30
    count = rng.randint(2, high)
    return Said(f"{count} {unit.en}", f"{count} {unit.vi}")


def _days(rng: random.Random, language: str) -> Said:
    unit = rng.choice(v.DURATION_UNITS[:2] if rng.random() < 0.7 else v.DURATION_UNITS[2:4])
    number = rng.randint(2, 60)
    return Said(f"{number} {unit.en}", f"{number} {unit.vi}")


def _hours(rng: random.Random, language: str) -> Said:
    unit = rng.choice((v.DURATION_UNITS[5], v.DURATION_UNITS[6], v.DURATION_UNITS[0]))
    number = rng.randint(2, 90)
    return Said(f"{number} {unit.en}", f"{number} {unit.vi}")


def _weekly_hours(rng: random.Random, language: str) -> Said:
    number = f"{rng.randint(10, 48)}{rng.choice(('', '', '.5'))}"
    return Said(f"{number} hours", f"{number.replace('.', ',')} giờ")


def _date(rng: random.Random, language: str) -> Said:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1990, 2028)
    name = v.MONTHS[month - 1]
    form = rng.random()
    if form < 0.35:
        return Said(f"{day} {name} {year}", f"ngày {day} tháng {month} năm {year}")
    if form < 0.55:
        return Said(f"{name} {day}, {year}", f"ngày {day}/{month}/{year}")
    if form < 0.7:
        return Said(f"{day} {name}", f"ngày {day} tháng {month}")
    if form < 0.85:
        return Said(f"{name} {year}", f"tháng {month} năm {year}")
    if form < 0.93:
        return _same(f"{year}-{month:02d}-{day:02d}")
    return _same(f"{day:02d}/{month:02d}/{year}")


def _clock(rng: random.Random, language: str) -> Said:
    hour, minute = rng.randint(5, 22), rng.choice((0, 0, 15, 30, 45))
    if language == "vi":
        form = rng.choice(("{h}:{m:02d}", "{h}h{m:02d}", "{h} giờ {m:02d}"))
        return Said(f"{hour}:{minute:02d}", form.format(h=hour, m=minute))
    if rng.random() < 0.3:
        return _same(f"{(hour - 1) % 12 + 1}:{minute:02d} {'am' if hour < 12 else 'pm'}")
    return _same(f"{hour}:{minute:02d}")


def _percent(rng: random.Random, language: str) -> Said:
    number = str(rng.randint(1, 99)) if rng.random() < 0.75 else f"{rng.randint(1, 30)}.5"
    vi_number = number.replace(".", ",")
    if rng.random() < 0.8:
        return Said(f"{number}%", f"{vi_number}%")
    return Said(f"{number} percent", f"{vi_number} phần trăm")


def _count(rng: random.Random, language: str) -> Said:
    if rng.random() < 0.1:
        return rng.choice(v.NUMBER_WORDS)
    number = rng.randint(3, 999) if rng.random() < 0.7 else rng.randint(1000, 90000)
    return _same(_grouped(number, language) if rng.random() < 0.7 else str(number))


def _code(rng: random.Random, language: str) -> Said:
    letters = "".join(rng.choice("ABCDEFGHKLMNPQRSTVXZ") for _ in range(rng.randint(1, 3)))
    form = rng.choice(("{l}-{n}", "{l}{n}", "{l}-{n}-{k}", "{l}.{n}", "{n}/{l}", "{l}/{n}/{k}"))
    return _same(form.format(l=letters, n=rng.randint(2, 9999), k=rng.randint(10, 99)))


def _digits(rng: random.Random, language: str) -> Said:
    return _same("".join(str(rng.randint(0, 9)) for _ in range(rng.randint(6, 12))))


def _version(rng: random.Random, language: str) -> Said:
    return _same(".".join(str(rng.randint(0, 20)) for _ in range(rng.choice((2, 2, 3)))))


def _email(rng: random.Random, language: str) -> Said:
    box = rng.choice(
        (coined(rng, 1).lower(), "info", "help", f"{coined(rng, 1)}.{coined(rng)}".lower())
    )
    end = rng.choice(("com", "vn", "org", "example", "com.vn", "net"))
    return _same(f"{box}@{coined(rng).lower()}.{end}")


def _phone(rng: random.Random, language: str) -> Said:
    form = rng.random()
    if form < 0.3:
        number = rng.randint(100, 9999)
        return Said(f"extension {number}", f"máy lẻ {number}")
    if form < 0.6:
        return _same(f"0{rng.randint(20, 99)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}")
    if form < 0.8:
        return _same(f"1{rng.choice('89')}00 {rng.randint(1000, 9999)}")
    return _same(f"+{rng.randint(1, 99)} {rng.randint(20, 99)} {rng.randint(10000, 9999999)}")


def _place(rng: random.Random, language: str) -> Said:
    form = rng.random()
    if form < 0.3:
        number = f"{rng.randint(1, 9)}{rng.randint(0, 30):02d}"
        return Said(f"room {number}", f"phòng {number}")
    if form < 0.5:
        floor = rng.randint(1, 30)
        return Said(f"floor {floor}", f"tầng {floor}")
    if form < 0.65:
        block = rng.choice("ABCDEFGH")
        return Said(f"building {block}", f"tòa nhà {block}")
    if form < 0.75:
        name = coined(rng)
        return Said(f"the {name} room", f"phòng {name}")
    return rng.choice(v.PLACES)


def _quantity(rng: random.Random, language: str) -> Said:
    unit = rng.choice(v.QUANTITY_UNITS)
    number = rng.randint(2, 900) if rng.random() < 0.8 else rng.randint(1, 90) * 1000
    return Said(f"{_grouped(number, 'en')} {unit.en}", f"{_grouped(number, 'vi')} {unit.vi}")


def _measure(units: tuple[str, ...], low: int, high: int) -> Maker:
    def make(rng: random.Random, language: str) -> Said:
        number = str(rng.randint(low, high))
        if rng.random() < 0.25:
            number += f".{rng.randint(1, 9)}"
        unit = rng.choice(units)
        return Said(f"{number} {unit}", f"{number.replace('.', ',')} {unit}")

    return make


def _year(rng: random.Random, language: str) -> Said:
    return _same(str(rng.randint(1890, 2025)))


def _month_bonus(rng: random.Random, language: str) -> Said:
    if rng.random() < 0.5:
        number = rng.randint(1, 4)
        return Said(f"{number}.5 months of salary", f"{number},5 tháng lương")
    return _percent(rng, language) if rng.random() < 0.5 else _money(rng, language)


def _characters(rng: random.Random, language: str) -> Said:
    number = rng.randint(6, 40)
    return Said(f"{number} characters", f"{number} ký tự")


def _score(rng: random.Random, language: str) -> Said:
    number = f"{rng.randint(1, 9)}.{rng.randint(0, 9)}"
    top = rng.choice((5, 10))
    return Said(f"{number} out of {top}", f"{number.replace('.', ',')} trên {top}")


def _form(rng: random.Random, language: str) -> Said:
    code = _code(rng, language).en
    name = coined(rng)
    return rng.choice(
        (Said(f"form {code}", f"mẫu {code}"), Said(f"the {name} form", f"phiếu {name}"))
    )


def _network(rng: random.Random, language: str) -> Said:
    return _same(coined(rng) + rng.choice(("", "-Guest", "Net", "_5G", f"-{rng.randint(1, 99)}")))


def _company(rng: random.Random, language: str) -> Said:
    if language == "vi" and rng.random() < 0.6:
        words = " ".join(rng.sample(v.VI_COMPANY_WORDS, 2))
        return Said(words, f"{rng.choice(('', 'công ty '))}{words}")
    suffix = rng.choice(v.COMPANY_SUFFIXES)
    name = coined(rng)
    return _same(name) if rng.random() < 0.4 else Said(f"{name} {suffix.en}", f"{name} {suffix.en}")


def _team(rng: random.Random, language: str) -> Said:
    name = rng.choice(v.TEAMS)
    return Said(
        rng.choice((f"the {name.en} team", f"the {name.en} department")), f"phòng {name.vi}"
    )


def _holder(rng: random.Random, language: str) -> Said:
    form = rng.random()
    if form < 0.45:
        return _person(rng, language)
    if form < 0.8:
        return _team(rng, language)
    title = rng.choice(v.TITLES)
    return Said(f"the {title.en}", title.vi)


def _pick(words: tuple[Said, ...]) -> Maker:
    def make(rng: random.Random, language: str) -> Said:
        return rng.choice(words)

    return make


VALUES: dict[str, Maker] = {
    "money": _money, "duration": _duration, "days": _days, "hours": _hours,
    "weekly_hours": _weekly_hours, "date": _date, "clock": _clock, "percent": _percent,
    "count": _count, "code": _code, "digits": _digits, "version": _version, "email": _email,
    "phone": _phone, "place": _place, "quantity": _quantity, "year": _year,
    "bonus": _month_bonus, "characters": _characters, "score": _score, "form": _form,
    "network": _network, "company": _company, "holder": _holder, "person": _person,
    "weight": _measure(("kg", "g"), 1, 900), "power": _measure(("W", "kW", "kWh"), 1, 900),
    "speed": _measure(("km/h", "m/s", "rpm"), 2, 900), "degrees": _measure(("°C",), 1, 90),
    "noise": _measure(("dB", "dB(A)"), 28, 110),
    "length": _measure(("m", "cm", "mm"), 2, 900), "area": _measure(("m²", "ha"), 20, 9000),
    "data": _measure(("GB", "TB", "MB"), 1, 900),
    "city": _pick(v.CITIES), "weekday": _pick(v.WEEKDAYS), "colour": _pick(v.COLOURS),
    "material": _pick(v.MATERIALS), "frequency": _pick(v.FREQUENCIES), "goal": _pick(v.GOALS),
    "reason": _pick(v.REASONS), "step": _pick(v.STEPS), "login": _pick(v.LOGINS),
    "equipment": _pick(v.EQUIPMENT), "payday": _pick(v.PAYDAYS), "remote": _pick(v.REMOTE),
    "language": _pick(v.LANGUAGES), "phase": _pick(v.PHASES), "priority": _pick(v.PRIORITIES),
    "travel_class": _pick(v.TRAVEL_CLASSES), "title": _pick(v.TITLES), "group": _pick(v.GROUPS),
    "bank": lambda rng, language: _same(rng.choice(v.BANKS)),
}  # fmt: skip


def _product(rng: random.Random, language: str) -> Said:
    kind = rng.choice(v.PRODUCT_TYPES)
    name = coined(rng) + rng.choice(("", "", f" {rng.randint(2, 990)}", " Pro", " Mini", " Plus"))
    form = rng.random()
    if form < 0.35:
        return _same(name)
    if form < 0.8:
        return Said(f"the {name} {kind.en}", f"{kind.vi} {name}")
    colour = rng.choice(v.COLOURS)
    return Said(f"the {colour.en} {kind.en}", f"{kind.vi} {colour.vi}")


def _named(kinds: tuple[Said, ...], bare: float = 0.35) -> Maker:
    """``the Zantrel press`` | ``máy ép Zantrel``; sometimes only ``the press`` | ``máy ép``."""

    def make(rng: random.Random, language: str) -> Said:
        kind = rng.choice(kinds)
        if rng.random() < bare:
            return Said(f"the {kind.en}", kind.vi)
        name = coined(rng) if rng.random() < 0.7 else _code(rng, language).en
        return Said(f"the {name} {kind.en}", f"{kind.vi} {name}")

    return make


def _project(rng: random.Random, language: str) -> Said:
    name = coined(rng)
    return Said(rng.choice((f"project {name}", f"the {name} project")), f"dự án {name}")


def _office(rng: random.Random, language: str) -> Said:
    kind, city = rng.choice(v.OFFICES), rng.choice(v.CITIES)
    return Said(f"the {city.en} {kind.en}", f"{kind.vi} {city.vi}")


def _policy(rng: random.Random, language: str) -> Said:
    policy = rng.choice(v.POLICIES)
    return Said(f"the {policy.en}", policy.vi)


SUBJECTS: dict[str, Maker] = {
    "product": _product, "plan": _named(v.PLANS, bare=0.0), "project": _project, "team": _team,
    "office": _office, "policy": _policy, "group": _pick(v.GROUPS), "company": _company,
    "person": lambda rng, language: _same(person_name(rng, language)), "supplier": _company,
    "course": _named(v.COURSES, bare=0.8), "event": _named(v.EVENTS, bare=0.8),
    "machine": _named(v.MACHINES), "system": _named(v.SYSTEMS, bare=0.6),
    "region": _pick(v.REGIONS), "contract": _named(v.CONTRACTS, bare=0.5),
}  # fmt: skip

# How a text takes a subject up again, and how a table heads its column of subjects.
AGAIN: dict[str, tuple[Said, Said]] = {
    "product": (Said("this product", "sản phẩm này"), Said("Product", "Sản phẩm")),
    "plan": (Said("this plan", "gói này"), Said("Plan", "Gói")),
    "project": (Said("the project", "dự án này"), Said("Project", "Dự án")),
    "team": (Said("the team", "phòng này"), Said("Team", "Phòng")),
    "office": (Said("this site", "cơ sở này"), Said("Site", "Cơ sở")),
    "policy": (Said("this policy", "quy định này"), Said("Policy", "Quy định")),
    "group": (Said("they", "họ"), Said("Group", "Đối tượng")),
    "company": (Said("the company", "công ty"), Said("Company", "Công ty")),
    "person": (Said("this colleague", "người này"), Said("Name", "Họ tên")),
    "supplier": (Said("this supplier", "nhà cung cấp này"), Said("Supplier", "Nhà cung cấp")),
    "course": (Said("this course", "khóa này"), Said("Course", "Khóa học")),
    "event": (Said("the event", "sự kiện này"), Said("Event", "Sự kiện")),
    "machine": (Said("this machine", "máy này"), Said("Machine", "Máy")),
    "system": (Said("the system", "hệ thống này"), Said("System", "Hệ thống")),
    "region": (Said("this region", "nơi này"), Said("Region", "Khu vực")),
    "contract": (Said("the contract", "hợp đồng này"), Said("Contract", "Hợp đồng")),
}
