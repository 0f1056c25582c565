"""A bare FastAPI app that waits as the engine of serving.py does, for `tailor serve` to stand by.

    python tests/benchmarks/plain_fastapi.py [--delay 0.05]

No retrieval, no checks, no records, no streaming: a coroutine that sleeps and replies in OpenAI's
form. Prints its address as JSON, then serves until it is ended.
"""

import argparse
import asyncio
import json
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "tailor",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "12 days of paid leave"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
}


def app(delay: float) -> FastAPI:
    """One path."""
    made = FastAPI()

    @made.post("/v1/chat/completions")
    async def complete(body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(delay)
        return REPLY

    return made


def main() -> None:
    """Serve on a free port."""
    parser = argparse.ArgumentParser(description="Serve with FastAPI alone.")
    parser.add_argument("--delay", type=float, default=0.05)
    given = parser.parse_args()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
        sys.stdout.flush()
        config = uvicorn.Config(app(given.delay), log_level="error", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
