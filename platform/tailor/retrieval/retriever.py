"""The index as a LangChain retriever, under one configuration."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from tailor.assistant import Ask, Found, digest
from tailor.documents.filters import Filters
from tailor.documents.index import Index
from tailor.documents.passages import Passage
from tailor.errors import TailorError
from tailor.framing import Order
from tailor.models.chat import Chat
from tailor.retrieval import follow_up, rewriting
from tailor.retrieval.arrangement import reordered, shown
from tailor.retrieval.collection import Collection, joined
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.features import features
from tailor.retrieval.relevance import relevance
from tailor.retrieval.reranker import Reranker
from tailor.retrieval.reranking import asked_by, placed, ranked, reranked
from tailor.retrieval.took import Took
from tailor.spending import Use

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.runnables import RunnableConfig
    from numpy.typing import NDArray

    from tailor.retrieval.ranking import Candidates

    Mask = NDArray[np.bool_]
    Floats = NDArray[np.float64]


class Retriever(BaseRetriever):
    """Finds passages as a configuration says; metadata holds all fields of ``Passage`` but text.

    Where enrichers are on, its ``enriched`` holds what they found in the passage, by their names.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    configuration: Configuration = Configuration()
    reranker: Reranker | None = None
    """For a configuration with a ``learned`` reranker."""
    filters: Filters = Filters()
    """For every question; those of a question come on top."""
    collections: tuple[Collection, ...] = ()
    """Searched beside one another; none: all documents as one."""
    order: Order = "best_first"
    """In which the passages stand in the prompt; they keep the numbers of their ranks."""
    floor: float = 0.0
    """The relevance a passage must have; where none has it, the question is refused. 0: any."""
    rewrites: bool = False
    """Whether a follow-up question is searched for as one that stands alone."""
    chat: Chat | None = None
    """The model that rewrites it; without one it is joined with the questions before it."""

    @property
    def fingerprint(self) -> str:
        """Content hash of the generation, of all settings, and of what was learned."""
        learned = self.reranker.to_json() if self.reranker else None
        value: list[object] = [self.index.generation, self.configuration.to_json(), learned]
        # Dates and languages may change under the same generation.
        fixed = [one for one in (self.filters, *(c.filters for c in self.collections)) if one]
        moving = [self.index.within(one).tolist() for one in fixed if not one.by_path]
        parts = [{**asdict(c), "filters": c.filters.to_json()} for c in self.collections]
        value += [self.filters.to_json(), parts, digest(moving)]
        value += [self.order, self.floor]
        value.append(asked_by(self.configuration, self.chat))
        if self.rewrites:
            value.append([follow_up.VERSION, self.chat.fingerprint if self.chat else None])
        return digest(value)

    def find(self, ask: Ask, config: RunnableConfig | None = None) -> Found:
        """The passages for a question, its earlier turns and filters; the best first."""
        asked = follow_up.Standalone(ask.question)
        if self.rewrites:
            asked = follow_up.standalone(ask, self.chat, config)
        started = time.monotonic()
        how = self.configuration
        if not self.index.count:
            self.index.search(asked.question, how.k)  # says what to do
        took = [Took(asked.used, asked.calls, asked.seconds)]
        queries: tuple[str, ...] = (asked.question,)
        if how.rewriting != "none":
            rewritten = rewriting.rewritten(
                asked.question, how.rewriting, self._asked, self.index.languages, config
            )
            queries = rewritten.queries
            took.append(rewritten.took)
        passages = self._searched(queries, ask.filters, took, config)
        waited = sum(one.clock for one in took)
        return Found(
            tuple(passages),
            used=sum((one.used for one in took), Use()),
            calls=tuple(key for one in took for key in one.calls),
            seconds=sum(one.seconds for one in took) + time.monotonic() - started - waited,
            order=self.order,
            searched="\n".join(queries) if queries != (ask.question,) else "",
            declined=self.floor > 0 and not passages,
            fell_back=tuple(one.fell_back for one in took if one.fell_back),
        )

    def passages(self, question: str, filters: Filters | None = None) -> list[Passage]:
        """The passages for a question that stands alone, the best first."""
        return list(self.find(Ask(question, filters=filters or Filters())).passages)

    @property
    def _asked(self) -> Chat:
        if self.chat is None:
            raise TailorError(
                "This way of finding passages asks a chat model, and there is none: choose a "
                "model with --model, or set rewritings and rerankers without it."
            )
        return self.chat

    def _searched(
        self,
        queries: Sequence[str],
        filters: Filters | None,
        took: list[Took],
        config: RunnableConfig | None,
    ) -> list[Passage]:
        """The best passages of all collections; what is asked for it is added to ``took``."""
        fixed = [one for one in (self.filters, filters) if one]
        if not self.collections:
            return self._found(queries, fixed, took, config)
        found = [
            (c, self._found(queries, [*fixed, c.filters], took, config)) for c in self.collections
        ]
        return list(joined(found, self.configuration.k))

    def _found(
        self,
        queries: Sequence[str],
        filters: Sequence[Filters],
        took: list[Took],
        config: RunnableConfig | None,
    ) -> list[Passage]:
        """The best passages of the documents that all these filters admit."""
        import numpy as np

        how, index, question = self.configuration, self.index, queries[0]
        within = index.within(*filters) if any(filters) else None
        found, scores = self._ranked(question, within)
        if how.plainly and len(queries) == 1:
            return index.best(found, scores, how.k)
        ranking = ranked(found, scores)
        if len(queries) > 1:
            further = [ranked(*self._ranked(query, within)) for query in queries[1:]]
            ranking = rewriting.joined([[n for n, _ in one] for one in (ranking, *further)])
        chat = self._asked if how.reranker == "llm" else None
        ranking, asked = reranked(question, ranking, index, how, chat, config)
        took.append(asked)
        numbers = reordered(
            [number for number, _ in ranking],
            np.array([score for _, score in ranking]),
            how.diversity,
            index.vectors,
        )
        parts = shown(question, numbers, how, index.around, index.rarity)
        best = list(islice(parts, how.k))
        return placed(best, dict(ranking), found, index)

    def _ranked(self, question: str, within: Mask | None) -> tuple[Candidates, Floats]:
        """The candidates with their scores."""
        how, index = self.configuration, self.index
        n = max(how.k, how.candidates)
        if self.reranker is None:
            found = index.candidates(question, how.weight, how.forms, how.headings, n, within)
            found = self._relevant(question, found)
            return found, found.ranked(how)
        found = self._relevant(question, index.candidates(question, n=n, within=within))
        if not len(found.numbers):
            return found, found.cosines
        words = index.words(found.numbers.tolist())
        rows = features(question, found, words, index.rarity)
        return found, self.reranker.scores(rows)

    def _relevant(self, question: str, found: Candidates) -> Candidates:
        """The candidates that reach the floor."""
        if not self.floor or not len(found.numbers):
            return found
        words = self.index.words(found.numbers.tolist())
        weight = self.configuration.weight
        kept = relevance(question, found, words, self.index.rarity, weight) >= self.floor
        return replace(
            found,
            numbers=found.numbers[kept],
            lexical=found.lexical[kept],
            cosines=found.cosines[kept],
        )

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [
            Document(page_content=passage.text, metadata=self._metadata(passage))
            for passage in self.passages(query)
        ]

    def _metadata(self, passage: Passage) -> dict[str, object]:
        found = self.index.enrichments.of(passage)
        known = {k: v for k, v in asdict(passage).items() if k != "text"}
        return known if found is None else {**known, "enriched": found}
