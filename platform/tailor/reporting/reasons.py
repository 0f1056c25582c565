"""Where the rows are right and wrong, and why: slices, causes and the guide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tailor.reporting.facts import Facts
from tailor.scoring import attribution, format
from tailor.scoring.guide import guide
from tailor.scoring.scored import key
from tailor.scoring.slices import By, Slice, slices
from tailor.scoring.statistics import Interval

_MOST = 15
"""Slices that are shown of a kind, the largest first."""
_COLUMNS = 6
"""Rows that are shown for each slice, those with the highest scores."""


def by(facts: Facts, kind: By) -> dict[str, Any]:
    """The score of the best rows on each slice; no slice where there is only one."""
    means = {
        key(row): row.primary.mean for row in facts.result.rows if row.primary and not row.stale
    }
    best = sorted(means, key=lambda name: -means[name])[:_COLUMNS]
    found = slices(facts.scored, kind)
    return {
        "names": [facts.names[name] for name in means if name in best],
        "slices": [_slice(facts, part, best) for part in found[:_MOST]] if len(found) > 1 else [],
    }


def _slice(facts: Facts, part: Slice, rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    lang = facts.lang
    return {
        "name": part.label(lang),
        "n": format.count(part.n, lang),
        "small": part.small,
        "cells": [
            {
                "score": format.percent(cell.score.mean if cell.score else None, lang),
                "interval": _interval(facts, cell.score),
            }
            for cell in part.cells
            if key(cell) in rows
        ],
    }


def _interval(facts: Facts, score: Interval | None) -> str:
    if score is None:
        return ""
    low, high = (format.percent(x, facts.lang) for x in (score.low, score.high))
    return f"{low}{facts.words['to']}{high}"


def found(facts: Facts) -> dict[str, attribution.Attribution]:
    """Why each answer of each row is right or wrong, by the row's name."""
    return {facts.name(run): attribution.attribute(run, facts.split) for run in facts.runs}


def causes(facts: Facts, found: Mapping[str, attribution.Attribution]) -> dict[str, Any]:
    """How the answers of each row ended, by cause, with advice for the best row."""
    lang = facts.lang
    kinds = attribution.occurring(found.values())
    main = found[facts.name(facts.best)]
    return {
        "row": facts.name(facts.best),
        "sentence": attribution.sentence(main, lang),
        "names": list(found),
        "kinds": [
            {
                "label": attribution.label(kind, lang),
                "wrong": kind != "right",
                "advice": attribution.advice(kind, lang),
                "cells": [
                    {
                        "count": format.count(item.counts[kind], lang),
                        "share": format.percent(item.share(kind), lang),
                    }
                    for item in found.values()
                ],
            }
            for kind in kinds
        ],
    }


def guidelines(facts: Facts, explained: attribution.Attribution) -> list[dict[str, Any]]:
    """Each technique: the rule, what the figures here say, and how many mistakes point there."""
    lang = facts.lang
    return [
        {"rule": part.rule(lang), "here": part.here(lang), "run": bool(part.rows)}
        for part in guide(facts.result, explained, facts.workspace.config.gpu_hour_usd)
    ]
