"""What tuning tried of showing similar train items, as its records say and as it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailor.scoring.target import Target
    from tailor.workspace import Workspace

SEARCHED, TRIED = "similar-search", "similar-tuning"
"""The kinds of the artifacts that hold the records."""
_SENTENCES: Mapping[str, str] = {
    "en": "{count} ways of finding similar items were measured on {n} dev items without the model "
    "(best: {best}; {error}) and {trials} with it; kept: {kept}.",
    "vi": "Đã đo {count} cách tìm mục tương tự trên {n} mục dev mà không hỏi mô hình (tốt nhất: "
    "{best}; {error}) và {trials} cách có hỏi; cách được giữ: {kept}.",
}
_CHOICES: Mapping[str, str] = {
    "en": "k = {k}, share of words {weight}",
    "vi": "k = {k}, tỷ trọng của từ {weight}",
}
_ERRORS: Mapping[str, Mapping[str, str]] = {
    "en": {"number": "off by {} on average", "label": "{} wrong"},
    "vi": {"number": "lệch trung bình {}", "label": "sai {}"},
}


@dataclass(frozen=True)
class Choice:
    """How train items are found, and how well that did on dev."""

    k: int
    weight: float
    embedder: str
    error: float | None
    """Without the model: the mean absolute error of the neighbours' number, or the share of wrong
    labels, on dev. None: not measured."""
    score: float | None = None
    """With the model: the mean of the primary metric on dev. None: not tried."""

    def told(self, code: str) -> str:
        """How they are found: ``k = 5, share of words 60.0%``; ``code`` is ``en`` or ``vi``."""
        from tailor.scoring.format import count, percent

        told = _CHOICES[code].format(k=count(self.k, code), weight=percent(self.weight, code))
        return f"{told}, {self.embedder}" if self.embedder else told

    def error_told(self, target: Target, code: str) -> str:
        """Its error without the model; a dash where it was not measured."""
        from tailor.scoring import format, measures

        if self.error is None:
            return format.UNKNOWN
        number = target.task == "number"
        shown = (
            measures.amount(self.error, target, code)
            if number
            else format.percent(self.error, code)
        )
        return _ERRORS[code][target.task].format(shown)


@dataclass(frozen=True)
class SimilarTuning:
    """What was measured without the model, what was tried with it, and what was kept."""

    searched: tuple[Choice, ...]
    """The best first."""
    tried: tuple[Choice, ...]
    """What was shown before comes first."""
    kept: Choice
    n: int
    """Dev items."""

    def sentence(self, target: Target, code: str) -> str:
        """What came of it, in a sentence; ``code`` is ``en`` or ``vi``."""
        from tailor.scoring.format import count

        best = self.searched[0]
        return _SENTENCES[code].format(
            count=count(len(self.searched), code),
            n=count(self.n, code),
            best=best.told(code),
            error=best.error_told(target, code),
            trials=count(len(self.tried), code),
            kept=self.kept.told(code),
        )

    def to_json(self) -> dict[str, Any]:
        """Every choice with its error and its score on dev."""
        return {
            "n": self.n,
            "searched": [dict(one.__dict__) for one in self.searched],
            "tried": [dict(one.__dict__) for one in self.tried],
            "kept": dict(self.kept.__dict__),
        }

    @classmethod
    def of(cls, searched: Sequence[Choice], record: Mapping[str, Any]) -> SimilarTuning:
        """Of what was measured, and the record of what was tried."""
        tried = tuple(Choice(**one) for one in record["tried"])
        return cls(tuple(searched), tried, tried[record["kept"]], record["n"])


def read(workspace: Workspace, artifacts: Sequence[str]) -> SimilarTuning | None:
    """What the newest tuning among these artifacts recorded; None where there was none."""
    found: dict[str, Any] = {}
    for name in artifacts:
        for kind, file in ((SEARCHED, "search.json"), (TRIED, "trials.json")):
            path = workspace.state / "artifacts" / name / file
            if name.startswith(f"{kind}-") and path.is_file():
                found[kind] = json.loads(path.read_text("utf-8"))
    if len(found) < 2:
        return None
    return SimilarTuning.of([Choice(**one) for one in found[SEARCHED]], found[TRIED])
