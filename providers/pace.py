"""Pacing: how fast calls may follow each other, in which order they are made, and which are made ahead."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator, Hashable
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

__all__ = ["TURN", "CallQueue", "Pace", "Turn", "ahead"]

_T = TypeVar("_T")


def ahead(call: Callable[[], _T]) -> Future[_T]:
    """Begin a call in a thread of its own. It is a daemon: if the answer is not needed after all, nobody waits."""
    answer: Future[_T] = Future()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised where the answer is needed
            answer.set_exception(error)

    threading.Thread(target=work, name="cloudseg-ahead", daemon=True).start()
    return answer


class Pace:
    """A token bucket for each key: ``rate`` calls a second, after a first burst of ``burst``.

    AWS throttles by account, region and service in the same way:
    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def wait(self, key: Hashable) -> None:
        """Return when the next call with this key may be made."""
        with self._lock:
            now = self._clock()
            tokens, since = self._buckets.get(key, (self._burst, now))
            # A negative count is a queue: each waiting call has taken its token in advance.
            left = min(self._burst, tokens + (now - since) * self._rate) - 1
            self._buckets[key] = (left, now)
        if left < 0:
            self._sleep(-left / self._rate)


class _Own(threading.local):
    """What a thread knows of itself: whether it takes turns, whether it has its turn, and how urgent it is."""

    works = False
    holds = False
    rank = 0


class Turn:
    """Lets one thread at a time work on its request or answer, the most urgent first; none waits for the network in it.

    Python runs one thread at a time anyhow. Left to itself it gives each of them a little time in turn, so that while
    there is much to do the next page of the longest list, for which the whole run waits, is asked for late.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[int, int, threading.Lock]] = []
        self._number = itertools.count()
        self._own = _Own()

    @property
    def queue(self) -> int:
        """How many threads wait for their turn."""
        return len(self._waiting)

    @contextmanager
    def working(self, rank: int) -> Generator[None]:
        """Take turns as long as the block runs; within another such block, nothing changes."""
        if self._own.works:
            yield
            return
        self._own.works = True
        try:
            self.take(rank)
            yield
        finally:
            self.leave()
            self._own.works = False

    def take(self, rank: int) -> None:
        """Return when it is this thread's turn: the lowest rank comes first. Work goes on with this rank."""
        self._own.rank = rank
        self.go_on()

    def go_on(self) -> None:
        """Return when it is this thread's turn again; at once where the thread has it, or takes no turns."""
        own = self._own
        if own.holds or not own.works:
            return
        gate: threading.Lock | None = None
        with self._lock:
            if self._taken:
                gate = threading.Lock()
                gate.acquire()
                heapq.heappush(self._waiting, (own.rank, next(self._number), gate))
            self._taken = True
        if gate is not None:
            gate.acquire()
        own.holds = True

    def leave(self) -> None:
        """Let the next thread have its turn; nothing if it is not this thread's."""
        if not self._own.holds:
            return
        self._own.holds = False
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._taken = False

    def sleep(self, seconds: float) -> None:
        """Let others have their turns for a time, in seconds."""
        self.leave()
        time.sleep(seconds)


TURN = Turn()
"""The turns of this process, as there is one interpreter in it."""


class CallQueue:
    """A pool of threads that works the most urgent call first; a call may add further ones.

    The lowest ``rank`` comes first. What follows from an answer should be more urgent than what does not: it ends the
    longest chain. An interrupt ends the wait at once: the threads are daemons, which nobody waits for, because a call
    under way may take minutes to give up.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._threads = 0
        self._idle = 0
        self._closed = False
        self._changed = threading.Condition()
        self._finished: SimpleQueue[str | BaseException] = SimpleQueue()
        self._waiting: list[tuple[int, int, Callable[[], str]]] = []
        self._number = itertools.count()
        self._added = 0

    def add(self, rank: int, call: Callable[[], str]) -> None:
        """Queue a call, which returns the text to show when it is done."""
        with self._changed:
            if self._closed:
                return
            self._added += 1
            heapq.heappush(self._waiting, (rank, next(self._number), call))
            if self._threads < self._workers and len(self._waiting) > self._idle:
                self._threads += 1
                threading.Thread(target=self._work, name=f"cloudseg-{self._threads}", daemon=True).start()
            self._changed.notify()

    def _work(self) -> None:
        while (call := self._most_urgent()) is not None:
            try:
                self._finished.put(call())
            except BaseException as error:  # noqa: BLE001 - raised where the calls are waited for
                self._finished.put(error)

    def _most_urgent(self) -> Callable[[], str] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._idle -= 1
            return None if self._closed else heapq.heappop(self._waiting)[2]

    def run(self, progress: Callable[[str, int, int], None] | None) -> None:
        """Wait until every call is done, those included that calls added; what a call raises is raised here.

        Whatever ends the wait early drops the calls that have not begun, and does not wait for those that have.
        """
        try:
            # A call adds what follows from it before it is done itself, so the two counts meet only at the end.
            for done in itertools.count(1):
                if done > self._added:
                    break
                text = self._finished.get()
                if isinstance(text, BaseException):
                    raise text
                if progress is not None:
                    progress(text, done, self._added)
        finally:
            with self._changed:
                self._closed = True
                self._waiting.clear()
                self._changed.notify_all()
