"""Runs started as processes of their own, without a page."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tailor.run import current_run
from tailor.ui import job, opened
from tailor.workspace import Workspace


def until(what: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_of_two_runs_one_is_refused_with_its_sentence(
    company: Workspace, slowly: Callable[[float], None]
) -> None:
    slowly(0.3)
    jobs = [job.run(company, ["prompting"]) for _ in range(2)]
    try:
        until(lambda: any(not j.alive for j in jobs))
        refused, other = sorted(jobs, key=lambda j: j.alive)
        assert refused.failure().startswith("Another run is going on")
        assert f"process {other.process.pid}" in refused.failure()
        until(lambda: refused.rival)
        assert refused.rival == other.process.pid
        live = job.live(company, jobs)
        assert live
        assert (live.pid, live.rows) == (other.process.pid, ("prompting",))

        until(company.runs)
        job.cancel(other.process.pid)
        until(lambda: not other.alive)
        assert other.failure() == ""
        assert current_run(company) is None
        assert job.live(company, jobs) is None
        assert company.runs()[0].state().status == "cancelled"
    finally:
        for started in jobs:
            if started.alive:
                os.kill(started.process.pid, signal.SIGKILL)


def test_the_command_is_what_a_person_would_type(company: Workspace) -> None:
    typed = opened.command(company, "run", "few_shot")
    assert typed == f"tailor run few_shot -w '{company.root}'"
