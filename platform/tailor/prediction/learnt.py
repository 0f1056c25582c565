"""What a baseline learnt, as it is kept beside it and shown: features and words with weights."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.prediction.estimators import Weight

if TYPE_CHECKING:
    from tailor.workspace import Workspace

_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "weights": {
        "en": "Fitted on {n} train items. What each feature (by one standard deviation) or word "
        "(by standing there) adds to the number, those that matter most first:",
        "vi": "Khớp trên {n} mục train. Mỗi đặc trưng (thêm một độ lệch chuẩn) hay từ (khi có mặt) "
        "làm con số thay đổi bao nhiêu, quan trọng nhất trước:",
    },
    "gains": {
        "en": "Fitted on {n} train items. How much of what the trees' splits gain each word gives:",
        "vi": "Khớp trên {n} mục train. Mỗi từ đóng góp bao nhiêu vào phần các nhánh cây đạt được:",
    },
    "labels": {
        "en": "Fitted on {n} train items. The words that speak most for each label:",
        "vi": "Khớp trên {n} mục train. Những từ ủng hộ mỗi nhãn nhiều nhất:",
    },
    "neighbours": {
        "en": "It looks at the nearest of {n} train items; how many was chosen on these alone:",
        "vi": "Xem những mục gần nhất trong {n} mục train; số lượng chỉ được chọn trên các mục đó:",
    },
    "none": {
        "en": "Fitted on {n} train items. Its columns are dimensions of vectors, whose weights say "
        "nothing one by one.",
        "vi": "Khớp trên {n} mục train. Các cột là chiều của vectơ, từng trọng số riêng lẻ không "
        "nói lên điều gì.",
    },
}
ARTIFACT = "estimator"
"""The kind of the artifacts that hold one."""


@dataclass(frozen=True)
class Learnt:
    """What an estimator took from the train items."""

    kind: str
    n: int
    """Train items."""
    log: bool = False
    """Effects are of logarithms: 0.1 is about 10 % more."""
    weights: tuple[Weight, ...] = ()
    """The features or words that matter most, first; none where a weight says nothing."""
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each label the words that speak for it most."""
    k: int = 0
    """Neighbours that are looked at; 0 for other kinds."""
    weight: float = 0.0
    """Share of the words in finding them."""

    def sentence(self, code: str) -> str:
        """What its weights are, in a sentence; ``code`` is ``en`` or ``vi``."""
        from tailor.scoring.format import count

        how = "labels" if self.words else "neighbours" if self.k else self._weighted
        return _SENTENCES[how][code].format(n=count(self.n, code))

    @property
    def _weighted(self) -> str:
        if not self.weights:
            return "none"
        return "gains" if self.weights[0].effect is None else "weights"

    def name(self, one: Weight, code: str) -> str:
        """What a weight is of; features have a name in either language, words are as they are."""
        from tailor.prediction.features import VIETNAMESE

        own = self.kind == "features" and code == "vi"
        return VIETNAMESE.get(one.name, one.name) if own else one.name

    def effect(self, one: Weight, code: str) -> str:
        """A weight as it is shown: per cent of the number, its own unit, or its share."""
        from tailor.scoring.format import number, percent

        if one.effect is None:
            return percent(one.share, code)
        sign = "+" if one.effect > 0 else ""
        return sign + (
            percent(math.expm1(one.effect), code) if self.log else number(one.effect, code)
        )

    def save(self, folder: Path) -> None:
        """Write it as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)
        (folder / "learnt.json").write_text(text, "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Learnt:
        """Read what :meth:`save` wrote."""
        value = json.loads((folder / "learnt.json").read_text("utf-8"))
        return cls(**{**value, "weights": tuple(Weight(**one) for one in value["weights"])})


def read(workspace: Workspace, artifacts: Sequence[str]) -> Learnt | None:
    """What the last estimator among these artifacts learnt; None where there is none."""
    for name in reversed(artifacts):
        folder = workspace.state / "artifacts" / name
        if name.startswith(f"{ARTIFACT}-") and (folder / "learnt.json").exists():
            return Learnt.load(folder)
    return None
