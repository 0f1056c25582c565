"""Train items like the one that is asked about, with their numbers or labels, as passages."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, InstanceOf

from tailor.assistant import Ask, Found, digest
from tailor.documents.passages import Passage
from tailor.framing import Order
from tailor.prediction.neighbours import Neighbours, neighbours
from tailor.prompting import wording

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from tailor.benchmark import Question
    from tailor.workspace import Workspace

_SHOWN: Mapping[str, Mapping[str, str]] = {
    "money": {"en": "Price: {0} {1}", "vi": "Giá: {0} {1}"},
    "number": {"en": "Number: {0} {1}", "vi": "Con số: {0} {1}"},
    "label": {"en": "Label: {0}", "vi": "Nhãn: {0}"},
}
TOLD: Mapping[wording.Language, str] = {
    "en": "The passages are other items that are alike, each with its {what}: judge by them.",
    "vi": "Các đoạn là những mục tương tự, mỗi mục kèm {what}: hãy căn cứ vào đó.",
}
_WHAT: Mapping[str, Mapping[str, str]] = {
    "money": {"en": "price", "vi": "giá"},
    "number": {"en": "number", "vi": "con số"},
    "label": {"en": "label", "vi": "nhãn"},
}


class Similar(BaseRetriever):
    """Finds train items by words and meaning; the item that is asked about is never among them."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    known: InstanceOf[Neighbours]
    k: int
    """Items that are shown."""
    weight: float
    """Share of the words (BM25) in finding them; the rest is by meaning."""
    order: Order = "best_first"
    currency: str = ""
    unit: str = ""
    label: bool = False
    """Items have labels, not numbers."""
    longest: int = 150
    """Words of an item's text that are shown, at most."""

    @property
    def fingerprint(self) -> str:
        """Content hash of the items with what they stand for, and of all settings."""
        answers = [item.answers for item in self.known.items]
        own = [self.k, self.weight, self.order, self.currency, self.unit, self.label, self.longest]
        return digest([self.known.fingerprint, answers, own])

    @property
    def kind(self) -> str:
        """What items stand for: ``money``, ``number`` or ``label``."""
        return "label" if self.label else "money" if self.currency else "number"

    def find(self, ask: Ask, config: RunnableConfig | None = None) -> Found:
        """The items most like the question's text, the best first."""
        started = time.monotonic()
        nearest = self.known.nearest(ask.question, self.k, self.weight)
        found = tuple(self._passage(self.known.items[at], score) for at, score in nearest)
        return Found(found, seconds=time.monotonic() - started, order=self.order)

    def _passage(self, item: Question, score: float) -> Passage:
        lang = "vi" if item.lang == "vi" else "en"
        stands = _SHOWN[self.kind][lang].format(item.answers[0], self.currency or self.unit)
        text = f"{_cut(item.question, self.longest)}\n{stands.strip()}"
        return Passage(item.id, 0, len(text), text, score=round(score, 4))

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [
            Document(
                page_content=passage.text,
                metadata={k: v for k, v in asdict(passage).items() if k != "text"},
            )
            for passage in self.find(Ask(query)).passages
        ]


def similar(
    workspace: Workspace,
    user: str,
    k: int,
    weight: float,
    order: Order = "best_first",
    embedder: str = "",
) -> Similar:
    """A retriever over the train items that give no dev or test item away.

    Raises:
        NotApplicable: there are too few of them.
    """
    from tailor.prediction.learning import train_items

    config = workspace.config
    return Similar(
        known=neighbours(workspace, train_items(workspace, user), embedder),
        k=k,
        weight=weight,
        order=order,
        currency=config.items.currency,
        unit=config.items.unit,
        label=config.task == "label",
        longest=config.passage_size,
    )


def _cut(text: str, longest: int) -> str:
    """The text as far as so many words; what is cut off is shown by an ellipsis."""
    end = next((m.end() for n, m in enumerate(re.finditer(r"\S+", text), 1) if n == longest), None)
    return text if end is None or not text[end:].strip() else f"{text[:end]} …"


def told(instruction: str, kind: str) -> str:
    """An instruction of either language with what is said of the items shown, said once."""
    each: dict[wording.Language, str] = {}
    for lang in wording.LANGUAGES:
        more = TOLD[lang].format(what=_WHAT[kind][lang])
        before = wording.in_language(instruction, lang)
        each[lang] = before if more in before else f"{before} {more}".strip()
    return wording.both(each)
