"""Pacing: how fast calls may follow each other, in which order they are made, and which are made ahead."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

__all__ = ["CallQueue", "Pace", "ahead"]

_T = TypeVar("_T")


def ahead(call: Callable[[], _T]) -> Future[_T]:
    """Begin a call in a thread of its own. It is a daemon: if the answer is not needed after all, nobody waits."""
    answer: Future[_T] = Future()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised where the answer is needed
            answer.set_exception(error)

    threading.Thread(target=work, name="cloudseg-aws-ahead", daemon=True).start()
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
                threading.Thread(target=self._work, name=f"cloudseg-aws-{self._threads}", daemon=True).start()
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
