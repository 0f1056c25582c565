"""A retriever of LangChain's, or your own, as a stage: copy this file into stages/ of a workspace.

Once tailor.toml there says ``workspace_stages = true``, ``tailor run own_retriever`` runs it, and
the interface shows its settings. As a script it is compared with Tailor's own search.
"""

from dataclasses import dataclass, replace

from langchain_core.vectorstores import InMemoryVectorStore, VectorStoreRetriever

from tailor import Assistant, Stage, Workspace, compare, setting
from tailor.assistant import digest
from tailor.stages import Prompting, Retrieval


class Retriever(VectorStoreRetriever):
    """LangChain's retriever, with what Tailor asks of everything in an assistant."""

    fingerprint: str  # answers are kept under it: it must change with all that can change them


@dataclass(frozen=True)
class OwnRetriever(Stage):
    """Search in a vector store of LangChain's."""

    k: int = setting(4, "passages put into the prompt", low=1)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with another retriever."""
        store = InMemoryVectorStore(workspace.embeddings)
        passages = workspace.index().passages()
        # With document, start and end, it is known which evidence a passage holds: recall@k.
        known = [{"document": p.document, "start": p.start, "end": p.end} for p in passages]
        store.add_texts([p.text for p in passages], known)
        retriever = Retriever(
            vectorstore=store,
            search_kwargs={"k": self.k},
            fingerprint=digest(["own_retriever", workspace.generation, self.k]),
        )
        return replace(assistant, retriever=retriever)


if __name__ == "__main__":
    acme = Workspace("acme")
    acme.ingest()
    print(compare(acme.climb([Prompting(), Retrieval(k=3), OwnRetriever(k=3)])).to_markdown())
