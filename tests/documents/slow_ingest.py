"""A child process that ingests slowly, to be killed in the middle of it."""

import sys
import time
from pathlib import Path

from conftest import HashedWords

from tailor.documents.ingest import ingest
from tailor.documents.passages import Splitter


class Slow(HashedWords):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        time.sleep(0.5 if len(texts) > 1 else 0)
        return super().embed_documents(texts)


ingest(Path(sys.argv[1]), Path(sys.argv[2]), Slow(), "hashed", Splitter())
