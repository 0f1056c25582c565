"""The served app under requests that schemathesis makes of its own OpenAPI document.

``TAILOR_FUZZ=50`` tries 50 times as many.
"""

from __future__ import annotations

import json
import os
import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tailor.serving.openapi import openapi

TIMES = int(os.environ.get("TAILOR_FUZZ", "1"))
SERVING = runpy.run_path(str(Path(__file__).parents[1] / "serving" / "conftest.py"))
schema = schemathesis.openapi.from_dict(openapi())
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
ROUTES = [found.ok() for found in schema.get_all_operations()]
CHECKS = (
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
)
statuses: Counter[int] = Counter()
"""Of all requests that were made; filled by the first test, looked at by the next one."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The assistant of row prompting over an engine that always answers."""
    root = tmp_path_factory.mktemp("served")
    (root / "knowledge").mkdir()
    (root / "knowledge" / "leave.md").write_text(SERVING["LEAVE"], "utf-8")
    engine = SERVING["Engine"]()
    with engine.server:
        one = SERVING["start"](root, engine, "prompting")
        yield one
        one.end()


# Not schema.parametrize(): its tests are all of one name, of which pytest-xdist runs only one.
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
def test_every_route(route: Any, mode: GenerationMode, served: Any) -> None:
    address = served.url.removesuffix("/v1")
    headers = {"Authorization": f"Bearer {served.token}"}

    @given(route.as_strategy(generation_mode=mode))
    @settings(max_examples=6 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
    def asked(case: Any) -> None:
        response = case.call(base_url=address, headers=headers, timeout=20)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        asked()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing can be wrong where nothing is sent


def test_the_document_is_served_and_answers_were_given(served: Any) -> None:
    assert served.ask("GET", "/v1/openapi.json").json == json.loads(json.dumps(openapi()))
    assert served.ask("GET", "/v1/openapi.json", token=None).status == 401
    assert statuses[200] > 5
    assert sum(statuses[code] for code in (400, 404, 415)) > 5


def test_headers_and_lines_of_any_kind(served: Any) -> None:
    """What no client sends: the answer is an error of the client's, or none."""
    for head in (
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5\r\nContent-Length: 7\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Host: [::1\r\n",
        b"Origin: http://[\r\n",
        b"Origin: \xff\r\n",
        b"Authorization: Bearer\r\n",
        b"Content-Type: application/json; charset=x\r\n",
        b"X: " + b"a" * 70000 + b"\r\n",
        b"\x00: 1\r\n",
    ):
        start = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        token = f"Authorization: Bearer {served.token}\r\n".encode()
        raw = served.raw(start + token + head + b"\r\n{}")
        assert not raw or b" 4" in raw.split(b"\r\n")[0], (head[:40], raw[:100])
    for path in (
        "/v1/models/%00",
        "/v1/models/%ff%fe",
        "/v1/models/../../x",
        "/%2e%2e/x",
        "//",
        "/*",
    ):
        assert served.ask("GET", path).status in (400, 404), path
