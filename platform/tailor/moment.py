"""Names that say when a thing was begun, and sort in the order in which things were begun."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_FORM = "%Y%m%dT%H%M%S%f"


def moment(known: Iterable[str]) -> str:
    """Now, as ``20260131T235959000000``; later than the moments that known names begin with.

    So what is new sorts last also where the clock was put back.
    """
    now = datetime.now(UTC)
    latest = max(filter(None, map(_moment, known)), default=now)
    return f"{max(now, latest + timedelta(microseconds=1)):{_FORM}}"


def _moment(name: str) -> datetime | None:
    found = re.match(r"(\d{8}T\d{6})(\d{6})?", name)
    if found is None:
        return None
    try:
        return datetime.strptime(f"{found[1]}{found[2] or '000000'}", _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
