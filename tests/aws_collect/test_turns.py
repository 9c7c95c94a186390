import threading

import pytest

from cloudseg.providers.pace import Turn

SECONDS = 10


def test_the_most_urgent_of_those_who_wait_goes_first() -> None:
    turn, done = Turn(), list[int]()

    def work(rank: int) -> None:
        with turn.working(rank):
            done.append(rank)

    threads: list[threading.Thread] = []
    with turn.working(0):
        for waiting, rank in enumerate((1, 0, -7, -2), 1):
            threads.append(threading.Thread(target=work, args=(rank,)))
            threads[-1].start()
            while turn.queue < waiting:
                threading.Event().wait(0.001)
        assert done == []
    for thread in threads:
        thread.join(SECONDS)
    assert done == [-7, -2, 0, 1]


def test_who_waits_for_the_network_lets_others_work() -> None:
    turn, other = Turn(), threading.Event()

    def work() -> None:
        with turn.working(0):
            other.set()

    with turn.working(0):
        threading.Thread(target=work).start()
        turn.leave()
        assert other.wait(SECONDS)
        turn.go_on()


def test_an_error_ends_a_turn() -> None:
    turn, other = Turn(), threading.Event()

    def work() -> None:
        with turn.working(0):
            other.set()

    with pytest.raises(ValueError, match="invalid literal"), turn.working(0):
        int("no number")
    threading.Thread(target=work).start()
    assert other.wait(SECONDS)


def test_a_thread_that_takes_no_turns_never_holds_one() -> None:
    turn, other = Turn(), threading.Event()

    def work() -> None:
        with turn.working(0):
            other.set()

    # Such as a client of whoever lists an organization: its answers are parsed under the same events.
    turn.go_on()
    threading.Thread(target=work).start()
    assert other.wait(SECONDS)


def test_a_block_within_a_block_keeps_the_turn() -> None:
    turn, other = Turn(), threading.Event()

    def work() -> None:
        with turn.working(-1):
            other.set()

    with turn.working(0):
        threading.Thread(target=work).start()
        with turn.working(5):
            pass
        while not turn.queue:
            threading.Event().wait(0.001)
        assert not other.is_set()
    assert other.wait(SECONDS)
