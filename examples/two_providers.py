"""Two providers on the same questions, with intervals; here both are stand-ins on this machine.

For real ones leave out the servers and ``base_url``, set their keys, and name them as in
``MODELS = ("openai:gpt-5-mini", "anthropic:claude-haiku-4-5")``.
"""

from tailor import Workspace, compare
from tailor.stages import Prompting, Retrieval
from tailor.testing import Messages, OpenAIServer

MODELS = ("openai:copies-a-line", "openai:knows-one-answer")


def closest_line(messages: Messages) -> str:
    """Reply with the line of the prompt that has most words of the question."""
    *lines, question = str(messages[-1]["content"]).splitlines()
    words = set(question.lower().split())
    return max(lines, key=lambda line: len(words & set(line.lower().split())), default="?")


with OpenAIServer(closest_line) as one, OpenAIServer(lambda messages: "30 days") as other:
    runs = []
    for model, server in zip(MODELS, (one, other), strict=True):
        workspace = Workspace("acme", {"base_url": server.url})
        workspace.ingest()  # one index for both: what has not changed costs nothing
        runs += workspace.climb([Prompting(), Retrieval(k=2)], model=model)
    comparison = compare(runs)
    print(comparison.to_markdown())
    print(comparison.verdict())
