"""Answers a question on the command line."""

import sys

from tailor.exporting.plain.chain import build

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('Give one question: python -m PACKAGE "How many days of leave?"')
    found = build().invoke({"question": sys.argv[1]})
    print(found["answer"])  # noqa: T201
    for number, document in enumerate(found["passages"], 1):
        print(f"[{number}] {document.metadata['document']} {document.metadata['place']}")  # noqa: T201
