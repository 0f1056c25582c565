"""Gives the model the passages, or for numbers and labels the train items, that are closest."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from tailor.assistant import Assistant
from tailor.documents.filters import Filters
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class Retrieval(Stage):
    """Search the index by meaning and by words, and put what is found into the prompt."""

    first: ClassVar[tuple[str, ...]] = (
        "k", "mode", "floor", "citations", "collections", "folders",
    )  # fmt: skip

    k: int = setting(4, "passages put into the prompt", low=1)
    mode: Literal["hybrid", "dense", "lexical"] = setting(
        "hybrid", "how passages are found: by meaning (dense), by words (lexical), or by both"
    )
    weight: float = setting(
        0.5, "share of the word search (BM25); 0 is by meaning alone", low=0, high=1
    )
    candidates: int = setting(
        50, "passages taken from each side before they are ranked together", low=1
    )
    order: Literal["best_first", "best_last", "edges"] = setting(
        "best_first",
        "order in the prompt: best_first, best_last, or edges (the best at both ends)",
    )
    citations: bool = setting(False, "whether the answer must cite its passages by number, as [1]")
    floor: float = setting(
        0.0,
        "relevance below which a passage is left out; with none left it refuses; 0: off",
        low=0, high=1,
    )  # fmt: skip
    rewrite: bool = setting(
        True, "whether a follow-up question is rewritten to stand alone; only in conversations"
    )
    collections: tuple[str, ...] = setting(
        (), "collections of tailor.toml to search together; none: all documents", empty=True
    )
    folders: tuple[str, ...] = setting(
        (), "only documents in these folders, or with paths like hr/*.md", empty=True
    )
    languages: tuple[Literal["en", "vi"], ...] = setting(
        (), "only documents in these languages", empty=True
    )
    since: str = setting("", "only documents of this date or newer, as 2025-01-31")
    until: str = setting("", "only documents of this date or older, as 2025-12-31")
    documents: tuple[str, ...] = setting((), "only these documents, by their paths", empty=True)
    where: tuple[str, ...] = setting(
        (), "only passages in which an enricher found this, as people=Halvorsen", empty=True
    )

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with a retriever over the current index.

        For numbers and labels it finds train items, which are shown with theirs; of the settings
        k, mode, weight and order count.

        Raises:
            UsageError: a date or condition is none, or tailor.toml has no such collection.
            NotApplicable: there are too few train items.
        """
        from tailor.models.chat import Chat
        from tailor.retrieval.configuration import Configuration
        from tailor.retrieval.follow_up import can_rewrite
        from tailor.retrieval.retriever import Retriever

        weight = {"hybrid": self.weight, "dense": 0.0, "lexical": 1.0}[self.mode]
        if workspace.config.task != "answer":
            from tailor.prediction import similar

            found = similar.similar(workspace, "retrieval", self.k, weight, self.order)
            instruction = similar.told(assistant.format.instruction, found.kind)
            form = replace(assistant.format, instruction=instruction)
            return replace(assistant, retriever=found, format=form)
        model = assistant.model
        return replace(
            assistant,
            retriever=Retriever(
                index=workspace.index(),
                configuration=Configuration(
                    splitter=workspace.splitter,
                    weight=weight,
                    k=self.k,
                    candidates=self.candidates,
                ),
                filters=Filters(
                    *(self.folders, self.languages, self.since, self.until),
                    *(self.documents, self.where),
                ),
                collections=workspace.collections(self.collections),
                order=self.order,
                floor=self.floor,
                rewrites=self.rewrite,
                chat=model if isinstance(model, Chat) and can_rewrite(model.name) else None,
            ),
            format=replace(assistant.format, citations=self.citations),
        )
