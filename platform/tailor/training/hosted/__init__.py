"""Fine-tuning jobs of hosted providers: OpenAI, and any server with the same API.

:func:`trained` takes lessons to the name of a tuned model, ``openai:…``, for ``workspace.chat``;
``training.cancel`` ends a job, ``record.hosted_jobs`` lists them. Another provider is one more
class like `openai.OpenAIJobs`.
"""

from tailor.training.hosted.training import trained

__all__ = ["trained"]
