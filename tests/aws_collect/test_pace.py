import threading

import pytest

from cloudseg.providers.pace import CallQueue, Pace, ahead


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_burst_is_free_and_the_rest_comes_at_the_rate() -> None:
    clock = Clock()
    pace = Pace(10, 3, lambda: clock.now, clock.sleep)
    for _ in range(6):
        pace.wait("ec2")
    assert clock.slept == pytest.approx([0.1, 0.1, 0.1])
    assert clock.now == pytest.approx(0.3)


def test_a_pause_refills_the_bucket_but_not_beyond_the_burst() -> None:
    clock = Clock()
    pace = Pace(10, 2, lambda: clock.now, clock.sleep)
    pace.wait("ec2")
    clock.now += 100
    for _ in range(3):
        pace.wait("ec2")
    assert clock.slept == pytest.approx([0.1])


def test_each_service_has_its_own_bucket() -> None:
    clock = Clock()
    pace = Pace(1, 1, lambda: clock.now, clock.sleep)
    pace.wait("ec2")
    pace.wait("rds")
    assert clock.slept == []


def test_calls_that_wait_at_once_are_spaced_out() -> None:
    slept: list[float] = []
    pace = Pace(10, 1, lambda: 0.0, slept.append)
    for _ in range(4):
        pace.wait("ec2")
    assert slept == pytest.approx([0.1, 0.2, 0.3])


def test_what_follows_is_worked_before_what_waits() -> None:
    order: list[str] = []
    queue = CallQueue(1)
    free = threading.Event()

    def parent() -> str:
        free.wait()
        queue.add(0, lambda: order.append("child") or "child")
        order.append("parent")
        return "parent"

    queue.add(5, parent)
    queue.add(7, lambda: order.append("late") or "late")
    queue.add(6, lambda: order.append("early") or "early")
    free.set()
    queue.run(None)
    assert order == ["parent", "child", "early", "late"]


def test_what_a_call_raises_reaches_the_caller() -> None:
    queue = CallQueue(2)

    def broken() -> str:
        raise ZeroDivisionError

    queue.add(0, broken)
    with pytest.raises(ZeroDivisionError):
        queue.run(None)


def test_an_empty_queue_is_done_and_reports_nothing() -> None:
    told: list[tuple[str, int, int]] = []
    CallQueue(1).run(lambda text, done, total: told.append((text, done, total)))
    assert told == []


def test_what_is_asked_ahead_is_under_way_before_its_answer_is_needed() -> None:
    begun = threading.Event()

    def call() -> str:
        begun.set()
        return "answer"

    answer = ahead(call)
    assert begun.wait(10)
    assert answer.result(10) == "answer"


def test_what_a_call_ahead_raises_is_raised_where_its_answer_is_needed() -> None:
    def call() -> str:
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"):
        ahead(call).result(10)
