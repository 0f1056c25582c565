"""Many questions at once, and how that stops."""

import threading

import pytest

from tailor.asking import asking


def test_every_item_comes_back_with_its_result() -> None:
    with asking(lambda item, halt: item * 2, range(20), 4) as answered:
        assert dict(answered) == {n: 2 * n for n in range(20)}


def test_the_first_failure_is_raised_and_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def ask(item: int, halt: threading.Event) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        halt.wait(0.05)
        return item

    with pytest.raises(ValueError, match="three"), asking(ask, range(100), 2) as answered:
        list(answered)
    assert len(begun) <= 6


def test_leaving_early_lets_what_is_in_flight_finish() -> None:
    finished: list[int] = []

    def ask(item: int, halt: threading.Event) -> int:
        if item:
            halt.wait(60)
        finished.append(item)
        return item

    def leave() -> None:
        with asking(ask, range(10), 3) as answered:
            next(answered)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert 0 in finished
    assert len(finished) <= 4
