"""Collecting Azure: every answer an audit needs, from every subscription, as one snapshot."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from cloudseg.providers.azure.calls import ask
from cloudseg.providers.azure.clients import Clients
from cloudseg.providers.azure.failures import FAILURES, UNREGISTERED, detail_of, error_code, reason_of
from cloudseg.providers.azure.graph import MOST_SUBSCRIPTIONS, resources_of_types
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.providers.azure.operations import Graph, Operation, children_of, resources_of, roots
from cloudseg.providers.azure.options import AzureOptions
from cloudseg.providers.azure.permissions import Permissions, permissions_of
from cloudseg.providers.azure.session import Entry, Subscription, enter, subscriptions_of
from cloudseg.providers.collected import Progress, gap_at, snapshot_of
from cloudseg.providers.pace import CallQueue, Pace
from cloudseg.providers.redaction import Json, without_keys
from cloudseg.snapshot import Part, ScopeRead, Snapshot, SnapshotGap

__all__ = ["AzureOptions", "Progress", "collect"]

_REGION: Final = "global"
"""Azure lists a whole subscription at once; each resource tells its own location."""
_BURST: Final = 250.0
"""Calls that a fresh bucket of a subscription allows at once. Source:
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling"""
_QUERY_BURST: Final = 15.0
"""Queries within five seconds. Source:
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests"""
_DEPTHS: Final = 4
"""Room for the depth of dependent calls: what follows from an answer goes first, for it ends the longest chain."""

_LISTS: Final = {operation.key: operation for operation in roots()}


class _Call(msgspec.Struct, frozen=True):
    subscription: str
    operation: Operation
    resource: str | None = None
    depth: int = 0

    @property
    def part(self) -> Part:
        return _part(self.subscription, self.operation, self.resource)


class _Collection:
    """What has been read so far, and what is still to be asked."""

    def __init__(self, clients: Clients, options: AzureOptions) -> None:
        self._clients = clients
        self._queue = CallQueue(options.max_workers)
        self._pace = Pace(options.calls_per_second, max(_BURST, options.calls_per_second))
        self._query_pace = Pace(options.queries_per_second, max(_QUERY_BURST, options.queries_per_second))
        self._permissions: dict[str, Permissions] = {}
        self._due: set[Part] = set()
        self._lock = threading.Lock()
        self.answers: dict[Part, object] = {}
        self.gaps: list[SnapshotGap] = []

    def run(self, subscriptions: Sequence[str], progress: Progress | None) -> None:
        for operation in roots():
            if not isinstance(operation.asked, Graph):
                for subscription in subscriptions:
                    self._add(_Call(subscription, operation))
        for first in range(0, len(subscriptions), MOST_SUBSCRIPTIONS):
            for batch in _batches():
                query = partial(self._query, subscriptions[first : first + MOST_SUBSCRIPTIONS], batch)
                self._queue.add(_DEPTHS, query)
        for subscription in subscriptions:
            self._queue.add(_DEPTHS, partial(self._ask_permissions, subscription))
        self._queue.run(progress)
        self.gaps += self._lacks()

    def _ask_permissions(self, subscription: str) -> str:
        self._permissions[subscription] = permissions_of(
            self._clients, subscription, partial(self._pace.wait, subscription)
        )
        return f"{subscription} permissions"

    def _lacks(self) -> Iterator[SnapshotGap]:
        """Yield a gap for each list that may leave something out.

        The list stays: the gap is about the subscription, so that nobody takes what was shown for the whole.
        """
        for part in self.answers:
            operation = _LISTS.get((part.service, part.operation)) if part.resource is None else None
            lack = self._permissions[part.scope].lack(operation.action) if operation is not None else ""
            if lack:
                whole = msgspec.structs.replace(part, resource=f"/subscriptions/{part.scope}")
                yield gap_at(whole, "denied", lack)

    def _add(self, call: _Call) -> None:
        part = call.part
        with self._lock:
            known = part in self._due
            self._due.add(part)
        if not known:
            self._queue.add(_DEPTHS - call.depth, partial(self._answer, call))

    def _answer(self, call: _Call) -> str:
        def wait() -> None:
            self._pace.wait(call.subscription)

        try:
            answer = ask(self._clients, call.subscription, call.operation, call.resource, wait)
        except FAILURES as error:
            if error_code(error) == UNREGISTERED:
                self._keep(call, {"value": []})
            else:
                self.gaps.append(gap_at(call.part, reason_of(error), detail_of(error)))
        else:
            self._keep(call, answer)
        return f"{call.subscription} {call.operation.service}"

    def _query(self, subscriptions: Sequence[str], operations: Sequence[Operation]) -> str:
        types = {operation.asked.type: operation for operation in operations if isinstance(operation.asked, Graph)}
        try:
            found = resources_of_types(self._clients, subscriptions, types, partial(self._query_pace.wait, "graph"))
        except FAILURES as error:
            for operation in operations:
                self.gaps += (
                    gap_at(_part(subscription, operation), reason_of(error), detail_of(error))
                    for subscription in subscriptions
                )
        else:
            for subscription in subscriptions:
                for kind, operation in types.items():
                    answer: dict[str, Json] = {"value": found.get((subscription, kind), [])}
                    self._keep(
                        _Call(subscription, operation),
                        without_keys(answer, frozenset(operation.redact)) if operation.redact else answer,
                    )
        return "Resource Graph"

    def _keep(self, call: _Call, answer: object) -> None:
        self.answers[call.part] = answer
        for child in children_of(call.operation):
            if child.per is not None:
                for resource in resources_of(answer, child.per):
                    self._add(_Call(call.subscription, child, resource, call.depth + 1))


def _part(subscription: str, operation: Operation, resource: str | None = None) -> Part:
    return Part(PROVIDER, subscription, _REGION, operation.service, operation.name, resource)


def _batches() -> list[list[Operation]]:
    found: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in roots():
        if isinstance(operation.asked, Graph):
            found[operation.asked.batch].append(operation)
    return list(found.values())


def collect(options: AzureOptions, *, progress: Progress | None = None, taken_at: datetime | None = None) -> Snapshot:
    """Read the subscriptions that the options name; what cannot be read is a gap of the snapshot, and the run goes on.

    Args:
        options: what to read, and how patiently.
        progress: told what was just read, how many calls are done, and how many are known to be due.
        taken_at: the time to write into the snapshot; now without it.

    Raises:
        CollectError: nothing at all can be read: no credentials (``CredentialsError``), no subscription that can be
            seen, no connection.
        ConfigError: the environment names a cloud or an address that is none.
    """
    entry = enter(options)
    try:
        chosen = subscriptions_of(entry.clients, options)
        collection = _Collection(entry.clients, options)
        collection.run([subscription.id for subscription in chosen.subscriptions], progress)
    finally:
        entry.clients.close()
    scopes = [_scope(subscription, entry) for subscription in chosen.subscriptions]
    closed = [ScopeRead(PROVIDER, hidden.id, (), "", hidden.name) for hidden in chosen.hidden]
    gaps = collection.gaps + [_hidden(each) for each in chosen.hidden]
    return snapshot_of(collection.answers, scopes + closed, gaps, taken_at)


def _scope(subscription: Subscription, entry: Entry) -> ScopeRead:
    return ScopeRead(PROVIDER, subscription.id, (), entry.caller, subscription.name)


def _hidden(subscription: Subscription) -> SnapshotGap:
    detail = "the management group holds this subscription, and these credentials may see nothing of it"
    part = Part(PROVIDER, subscription.id, _REGION, "resources", "subscriptions")
    return gap_at(part, "denied", f"{detail}; assign the role on it")
