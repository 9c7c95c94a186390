"""Collecting AWS: every answer an audit needs, from every account and region, as one snapshot."""

import threading
from datetime import datetime
from functools import partial

import msgspec

from cloudseg.errors import CollectError
from cloudseg.providers.aws.calls import Answer, UnsupportedByEndpointError, ask, merged
from cloudseg.providers.aws.clients import Clients
from cloudseg.providers.aws.failures import FAILURES, detail_of, error_code, reason_of
from cloudseg.providers.aws.operations import Json, Operation, children_of, items_of, roots
from cloudseg.providers.aws.options import AwsOptions
from cloudseg.providers.aws.regions import Choice, choose_regions, list_regions
from cloudseg.providers.aws.session import Caller, Login, assume, identify, logins
from cloudseg.providers.collected import Progress, gap_at, snapshot_of
from cloudseg.providers.pace import TURN, CallQueue, Pace, ahead
from cloudseg.snapshot import Part, ScopeRead, Snapshot, SnapshotGap

__all__ = ["AwsOptions", "Progress", "collect"]

BURST = 100.0
"""Calls that a fresh bucket of the service allows at once."""
_RANKS = 8
"""Room for the depth of dependent calls between the ranks of two accounts."""


class _Account:
    """One account while it is being read; its clients are let go with its last call."""

    def __init__(self, login: Login, clients: Clients, caller: Caller, regions: tuple[str, ...], rank: int) -> None:
        self.scope = ScopeRead("aws", caller.account, regions, caller.arn, login.name)
        self.clients = clients
        self.rank = rank
        self._open = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        with self._lock:
            self._open += 1

    def end(self) -> None:
        with self._lock:
            self._open -= 1
            last = self._open == 0
        if last:
            self.clients.close()


class _Batch:
    """Answers of several calls that make one part: it is kept when all of them are there."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._answers: dict[int, Answer] = {}
        self._lock = threading.Lock()

    def add(self, index: int, answer: Answer) -> Answer | None:
        with self._lock:
            self._answers[index] = answer
            self._left -= 1
            if self._left:
                return None
        whole: Answer = {}
        for number in sorted(self._answers):
            whole = merged(whole, self._answers[number])
        return whole


class _Call(msgspec.Struct, frozen=True):
    account: _Account
    operation: Operation
    region: str
    arguments: dict[str, Json] = {}
    resource: str | None = None
    batch: tuple[_Batch, int] | None = None
    depth: int = 0

    @property
    def part(self) -> Part:
        region = self.region if self.operation.region == "regional" else "global"
        return Part("aws", self.account.scope.scope, region, self.operation.service, self.operation.name, self.resource)


class _Collection:
    """What has been read so far, and what is still to be asked."""

    def __init__(self, options: AwsOptions) -> None:
        self._options = options
        self._queue = CallQueue(options.max_workers)
        self._pace = Pace(options.calls_per_second, max(BURST, options.calls_per_second), sleep=TURN.sleep)
        self._due: set[Part] = set()
        self._lock = threading.Lock()
        self.answers: dict[Part, object] = {}
        self.gaps: list[SnapshotGap] = []

    def run(self, accounts: list[_Account], progress: Progress | None) -> None:
        for account in accounts:
            self._add_account(account)
        self._queue.run(progress)

    def _add_account(self, account: _Account) -> None:
        def start() -> str:
            for operation in roots():
                for region in _places(account, operation):
                    arguments: dict[str, Json] = {}
                    if operation.service == "s3control":
                        arguments["AccountId"] = account.scope.scope
                    self._add(_Call(account, operation, region, arguments))
            account.end()
            return account.scope.scope

        account.begin()
        # Least urgent of its account's calls: the next account starts when workers are left over.
        self._queue.add(account.rank + _RANKS - 1, start)

    def _add(self, call: _Call) -> None:
        def answer() -> str:
            try:
                self._answer(call)
            finally:
                call.account.end()
            return f"{call.account.scope.scope} {call.region} {call.operation.service}"

        call.account.begin()
        self._queue.add(call.account.rank + _RANKS - 2 - call.depth, answer)

    def _answer(self, call: _Call) -> None:
        operation, account = call.operation, call.account
        pace = (account.scope.scope, call.region, operation.service)
        try:
            client = account.clients.get(operation.service, call.region)
            if client is None:
                if call.depth:
                    self.gaps.append(_gap(call.part, UnsupportedByEndpointError(f"no endpoint in {call.region}")))
                return
            answer = ask(client, operation, call.arguments, lambda: self._pace.wait(pace))
        except FAILURES as error:
            if error_code(error) not in operation.none:
                self.gaps.append(_gap(call.part, error))
                return
            answer = {}
        if call.batch is not None:
            batch, index = call.batch
            whole = batch.add(index, answer)
            if whole is None:
                return
            answer = whole
        self.answers[call.part] = answer
        for child in children_of(operation):
            self._follow(call, child, answer)

    def _follow(self, parent: _Call, child: Operation, answer: Answer) -> None:
        per = child.per
        if per is None:
            return
        items = items_of(answer, per)
        carried = {name: parent.arguments[name] for name in per.carry}
        if per.batch:
            groups = [items[start : start + per.batch] for start in range(0, len(items), per.batch)]
            batch = _Batch(len(groups))
            for index, group in enumerate(groups):
                arguments: dict[str, Json] = {
                    name: [_value(item, key) for item in group] for name, key in per.arguments
                }
                self._add(
                    _Call(
                        parent.account, child, parent.region, {**arguments, **carried}, parent.resource,
                        (batch, index), parent.depth + 1,
                    )
                )  # fmt: skip
            return
        for item in items:
            arguments = {name: _value(item, key) for name, key in per.arguments}
            region = str(_value(item, per.region) or parent.region) if per.region else parent.region
            resource = str(_value(item, per.resource))
            call = _Call(parent.account, child, region, {**arguments, **carried}, resource, depth=parent.depth + 1)
            with self._lock:
                known = call.part in self._due
                self._due.add(call.part)
            if not known:
                self._add(call)


def _value(item: Json, key: str) -> Json:
    if not key:
        return item
    return item.get(key) if isinstance(item, dict) else None


def _places(account: _Account, operation: Operation) -> tuple[str, ...]:
    if operation.region == "regional":
        return account.scope.regions
    if operation.region == "global":
        return (account.clients.home,)
    # A service that lives in one place of the commercial partition does not exist in the others.
    return (operation.region,) if account.clients.partition == "aws" else ()


def _gap(part: Part, error: Exception) -> SnapshotGap:
    return gap_at(part, reason_of(error), detail_of(error))


def collect(options: AwsOptions, *, progress: Progress | None = None, taken_at: datetime | None = None) -> Snapshot:
    """Read the accounts that the options name; what cannot be read is a gap of the snapshot, and the run goes on.

    ``taken_at`` is the time to write into the snapshot, now unless given.

    Raises:
        CollectError: nothing at all can be read: no credentials (``CredentialsError``), no account that can be entered,
            no connection, an unknown region.
        ConfigError: the options contradict each other.
    """
    collection = _Collection(options)
    accounts, closed = _enter(options, collection)
    collection.run(accounts, progress)
    scopes = [account.scope for account in accounts] + closed
    return snapshot_of(collection.answers, scopes, collection.gaps, taken_at)


def _enter(options: AwsOptions, collection: _Collection) -> tuple[list[_Account], list[ScopeRead]]:
    """Enter every account at once; those that cannot be entered are gaps, unless there are no others."""
    accounts: dict[str, _Account] = {}
    closed: list[ScopeRead] = []
    first: CollectError | None = None
    for login, own, entry in _entries(logins(options), options):
        if isinstance(entry, CollectError):
            first = first or entry
            scope = login.account or login.label
            closed.append(ScopeRead("aws", scope, (), "", login.name))
            collection.gaps.append(
                SnapshotGap("aws", scope, "global", "sts", "get_caller_identity", None, "denied", str(entry))
            )
            continue
        who, choice = entry
        if who.account not in accounts:
            accounts[who.account] = _Account(login, own, who, choice.regions, len(accounts) * _RANKS)
            collection.gaps.extend(
                SnapshotGap("aws", who.account, p.region, "ec2", "describe_regions", None, p.reason, p.detail)
                for p in choice.problems
            )
    if not accounts:
        raise first or CollectError("the organization has no active account; nothing can be read")
    return list(accounts.values()), closed


def _entries(
    found: tuple[Login, ...], options: AwsOptions
) -> list[tuple[Login, Clients, tuple[Caller, Choice] | CollectError]]:
    clients = [Clients(login.session, login.credentials, login.home, options) for login in found]
    entries: dict[int, tuple[Caller, Choice] | CollectError] = {}
    queue = CallQueue(options.max_workers)

    def enter(index: int) -> str:
        login, own = found[index], clients[index]
        try:
            # Before two calls need it: a role that is refused is asked for once.
            assume(login)
            regions = ahead(partial(list_regions, own))
            who = identify(login, own)
        except CollectError as error:
            entries[index] = error
        else:
            entries[index] = (who, choose_regions(own, options, regions))
        return login.label

    for index in range(len(found)):
        queue.add(0, partial(enter, index))
    queue.run(None)
    return [(login, clients[index], entries[index]) for index, login in enumerate(found)]
