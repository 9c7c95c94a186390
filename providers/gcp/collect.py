"""Collecting Google Cloud: every answer an audit needs, from every project, as one snapshot.

Each project is asked at Compute, and the asset inventory once for all projects below a folder or an organisation, or
for each project that is named alone; ``operations`` says which answers come from where, and why.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

import msgspec

from cloudseg.errors import CollectError
from cloudseg.providers.collected import Progress, gap_at, snapshot_of
from cloudseg.providers.gcp.assets import Found, Question, list_assets, questions, resource_of
from cloudseg.providers.gcp.calls import ask
from cloudseg.providers.gcp.clients import Clients
from cloudseg.providers.gcp.failures import (
    FAILURES,
    MalformedAnswerError,
    detail_of,
    reason_of,
    status_of,
    told_by,
    way_to_enable,
)
from cloudseg.providers.gcp.ids import PROVIDER
from cloudseg.providers.gcp.operations import GATE, WITNESS, Assets, Operation, children_of, roots
from cloudseg.providers.gcp.options import GcpOptions
from cloudseg.providers.gcp.session import Project, closed, enter, projects_of
from cloudseg.providers.gcp.shares import Shares, encloses
from cloudseg.providers.gcp.subjects import Key, Resource, Subject
from cloudseg.providers.pace import CallQueue, Pace
from cloudseg.snapshot import Part, ScopeRead, Snapshot, SnapshotGap

__all__ = ["GcpOptions", "Progress", "collect"]

_REGION: Final = "global"
"""A project is listed at once, over all zones and regions; each resource tells its own."""
_BURST: Final = 250.0
"""Calls that may be made at once: a tenth of what a project allows in a minute. Source:
https://cloud.google.com/compute/api-quota"""
_ASSET_BURST: Final = 50.0
"""Half of what the inventory allows in a minute. Source: https://cloud.google.com/asset-inventory/docs/quota"""
_DEPTHS: Final = 4
"""Room for the depth of dependent calls: what follows from an answer goes first, for it ends the longest chain."""
_ABSENT: Final = "CONSUMER_INVALID"
"""Source: https://cloud.google.com/service-infrastructure/docs/service-control/reference/rest/v1/services/check"""
_PERIMETERS: Final = "service_perimeters"


class _Call(NamedTuple):
    project: str
    operation: Operation
    subject: Subject | None = None
    depth: int = 1

    @property
    def part(self) -> Part:
        return _part(self.project, self.operation, self.subject.resource if self.subject is not None else None)


class _Collection:
    """What has been read so far, and what is still to be asked."""

    def __init__(self, clients: Clients, options: GcpOptions) -> None:
        self._clients = clients
        self._queue = CallQueue(options.max_workers)
        self._pace = Pace(options.calls_per_second, max(_BURST, options.calls_per_second))
        self._asset_pace = Pace(options.asset_calls_per_second, max(_ASSET_BURST, options.asset_calls_per_second))
        self._lock = threading.Lock()
        self._held: defaultdict[str, dict[Key, list[Resource]]] = defaultdict(dict)
        self._over: defaultdict[str, set[Key]] = defaultdict(set)
        self._unused: dict[str, str] = {}
        self._counted: set[str] = set()
        self._witnessed: set[str] = set()
        self.answers: dict[Part, object] = {}
        self.gaps: list[SnapshotGap] = []

    def wait_for_asset(self) -> None:
        """Return when the inventory may be asked."""
        self._asset_pace.wait("inventory")

    def run(self, projects: Sequence[Project], progress: Progress | None) -> None:
        """Read projects.

        Raises:
            CollectError: one that was named is not there, the credentials are not accepted, or nothing can be read.
        """
        members: defaultdict[str, list[Project]] = defaultdict(list)
        for project in projects:
            members[project.parent].append(project)
            self._queue.add(_DEPTHS, partial(self._gate, project))
        for parent, within in members.items():
            for question in questions(organization=parent.startswith("organizations/")):
                self._queue.add(_DEPTHS, partial(self._inventory, parent, within, question))
        self._queue.run(progress)
        self._settle_unused()
        if not self.answers:
            problem = self.gaps[0].detail if self.gaps else "no project was named"
            raise CollectError(
                f"nothing can be read of {', '.join(project.id for project in projects[:5])} ({problem}); grant a role"
                " there (terraform/modules/gcp-audit-role has the least)"
            )

    def _gate(self, project: Project) -> str:
        """Ask whether a project is there and uses Compute, and what Compute holds if it does."""
        call = _Call(project.id, GATE)
        try:
            items, _ = ask(self._clients, project.id, GATE, None, partial(self._pace.wait, project.id))
        except FAILURES as error:
            if not self._goes_on(project, error):
                return f"{project.id} compute"
            self._over_with(call, None)
        else:
            self._keep(call, items)
            self._over_with(call, items)
        for operation in roots():
            self._add(_Call(project.id, operation))
        return f"{project.id} compute"

    def _goes_on(self, project: Project, error: BaseException) -> bool:
        """Tell whether a project is worth asking further, of which the first question failed.

        Raises:
            CollectError: it was named and is not there; or nobody will be answered.
        """
        told, status = told_by(error), status_of(error)
        if told.disabled:
            self._unused[project.id] = f"{told.reasons[0]}: {way_to_enable(told, project.id)}"
            return False
        if status == 401 or (reason_of(error) == "denied" and not status):
            raise closed(error) from error
        absent = status in {400, 404} or _ABSENT in told.reasons
        denied = status == 403 and not absent
        if project.asked and absent and told.message:
            raise CollectError(
                f"there is no project {project.id!r}, or these credentials may see nothing of it ({detail_of(error)});"
                " name it by its id (`gcloud projects list` shows them), and grant a role on it"
                " (terraform/modules/gcp-audit-role has the least)"
            ) from error
        if project.asked and not denied:
            raise closed(error) from error
        self.gaps.append(gap_at(_part(project.id, GATE), reason_of(error), detail_of(error)))
        return denied

    def _settle_unused(self) -> None:
        """Take a project without Compute for empty where the inventory knows of no network there; else it is a gap.

        Nothing of Compute can be without one: even an instance needs it, and each network is an asset.
        """
        for project, detail in self._unused.items():
            if project in self._counted - self._witnessed:
                for operation in (GATE, *roots()):
                    self.answers[_part(project, operation)] = {"items": []}
            else:
                self.gaps.append(gap_at(_part(project, GATE), "unsupported", detail))

    def _add(self, call: _Call) -> None:
        self._queue.add(_DEPTHS - call.depth, partial(self._answer, call))

    def _answer(self, call: _Call) -> str:
        try:
            items, missed = ask(
                self._clients, call.project, call.operation, call.subject, partial(self._pace.wait, call.project)
            )
        except FAILURES as error:
            self.gaps.append(gap_at(call.part, reason_of(error), detail_of(error)))
            self._over_with(call, None)
        else:
            self._keep(call, items)
            for place, detail in missed:
                about = f"projects/{call.project}/{place}".rstrip("/")
                part = msgspec.structs.replace(call.part, resource=about)
                self.gaps.append(gap_at(part, "unreachable", detail))
            self._over_with(call, items)
        return f"{call.project} {call.operation.service}"

    def _keep(self, call: _Call, items: list[Resource]) -> None:
        # A long name is shortened in the path: the answer holds it in full.
        about = {"about": call.subject.resource} if call.subject is not None else {}
        self.answers[call.part] = {**about, "items": items}

    def _over_with(self, call: _Call, items: list[Resource] | None) -> None:
        """Ask what follows from an answer, once everything that it follows from is there."""
        if call.subject is not None:
            return
        key = call.operation.key
        with self._lock:
            over, held = self._over[call.project], self._held[call.project]
            over.add(key)
            if items is not None:
                held[key] = items
            due = [child for child in children_of(key) if child.per is not None and over.issuperset(child.per.of)]
        for child in due:
            for subject in child.per.pick(held) if child.per is not None else ():
                self._add(_Call(call.project, child, subject, call.depth + 1))

    def _inventory(self, parent: str, members: Sequence[Project], question: Question) -> str:
        try:
            found = list_assets(self._clients, parent, question.content, question.types, self.wait_for_asset)
        except FAILURES as error:
            self.gaps += (
                gap_at(_part(project.id, operation), reason_of(error), detail_of(error))
                for operation in question.operations
                for project in members
            )
            return f"{parent} assets"
        shares = Shares(parent, members)
        if set(WITNESS.types) <= set(question.types) - found.failed.keys():
            self._counted.update(project.id for project in members)
            networks = [asset for asset in found.assets if asset.get("assetType") in WITNESS.types]
            self._witnessed.update(project.id for asset in networks for project in shares.of(asset))
        for operation in question.operations:
            self._share(operation, found, members, shares)
        return f"{parent} assets"

    def _share(self, operation: Operation, found: Found, members: Sequence[Project], shares: Shares) -> None:
        """Keep what the inventory holds for an operation, by the projects that it concerns."""
        asked = operation.asked.types if isinstance(operation.asked, Assets) else ()
        items: dict[str, list[Resource]] = {project.id: [] for project in members}
        if asked and found.failed.keys() >= set(asked):
            items = {}
        for kind in found.failed.keys() & set(asked):
            error = found.failed[kind]
            # The inventory refuses a type that it does not know as it does any wrong word.
            reason = "unsupported" if status_of(error) == 400 else reason_of(error)
            about = kind if items else None
            self.gaps += (gap_at(_part(each.id, operation, about), reason, detail_of(error)) for each in members)
        for asset in found.assets:
            concerned = shares.of(asset)
            try:
                resource = resource_of(asset, operation)
            except MalformedAnswerError as error:
                self.gaps += (
                    gap_at(_part(project.id, operation, str(asset.get("name"))), "malformed", detail_of(error))
                    for project in concerned
                )
                continue
            if resource is not None:
                for project in concerned:
                    if operation.name != _PERIMETERS or encloses(resource, project):
                        items[project.id].append(resource)
        for identifier, held in items.items():
            self.answers[_part(identifier, operation)] = {"items": held}


def _part(project: str, operation: Operation, resource: str | None = None) -> Part:
    return Part(PROVIDER, project, _REGION, operation.service, operation.name, resource)


def collect(options: GcpOptions, *, progress: Progress | None = None, taken_at: datetime | None = None) -> Snapshot:
    """Read the projects that the options name; what cannot be read is a gap of the snapshot, and the run goes on.

    Args:
        options: what to read, and how patiently.
        progress: told what was just read, how many calls are done, and how many are known to be due.
        taken_at: the time to write into the snapshot; now without it.

    Raises:
        CollectError: nothing at all can be read: no credentials (``CredentialsError``), no such project, no connection.
        ConfigError: the environment names an address that is none.
    """
    entry = enter(options)
    try:
        collection = _Collection(entry.clients, options)
        projects = projects_of(entry, options, collection.wait_for_asset)
        collection.run(projects, progress)
    finally:
        entry.clients.close()
    scopes = [
        ScopeRead(PROVIDER, project.id, (), entry.caller, project.name or _name_in(collection.answers, project.id))
        for project in projects
    ]
    return snapshot_of(collection.answers, scopes, collection.gaps, taken_at)


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class _Projects(msgspec.Struct, frozen=True):
    items: list[_Named] = []


def _name_in(answers: Mapping[Part, object], project: str) -> str:
    """Return the display name that the inventory tells of a project; empty where it tells none."""
    answer = answers.get(Part(PROVIDER, project, _REGION, "cloudresourcemanager", "projects"))
    try:
        return next((each.name for each in msgspec.convert(answer or {}, _Projects).items), "")
    except msgspec.ValidationError:
        return ""
