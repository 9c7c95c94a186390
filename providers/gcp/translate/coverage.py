"""Which parts of each project were read: in full, in part, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloudseg.model import Coverage, Reading
from cloudseg.providers.coverage import ReadParts, gaps_of, unused
from cloudseg.providers.gcp.ids import PROVIDER
from cloudseg.providers.gcp.operations import OPERATIONS
from cloudseg.providers.gcp.translate.unread_hosts import readings_of_hosts
from cloudseg.snapshot import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Gap
    from cloudseg.providers.gcp.subjects import Held, Key
    from cloudseg.providers.redaction import Json
    from cloudseg.snapshot import Snapshot

__all__ = ["coverage_of", "not_used", "scopes_of", "unread"]

_REGION: Final = "global"
_FRONTS: Final = ("compute", "forwarding_rules")
_ALSO: Final = frozenset((("compute", "effective_firewalls"),))
"""Answers that a snapshot may hold besides."""
_SUPPLEMENTARY: Final = frozenset(
    (
        # What only an organisation knows, or says more about what is listed elsewhere.
        ("cloudresourcemanager", "projects"),
        ("compute", "xpn_host"),
        ("compute", "network_profiles"),
        ("compute", "external_vpn_gateways"),
        ("compute", "backend_buckets"),
        ("compute", "security_policies"),
        ("cloudresourcemanager", "tag_keys"),
        ("cloudresourcemanager", "tag_values"),
        ("cloudresourcemanager", "tag_bindings"),
        ("networkconnectivity", "policy_based_routes"),
        ("vpcaccess", "connectors"),
        ("accesscontextmanager", "access_policies"),
        ("accesscontextmanager", "access_levels"),
        ("accesscontextmanager", "service_perimeters"),
    )
)
_PARTS: Final = ReadParts(PROVIDER, OPERATIONS, _SUPPLEMENTARY)


def scopes_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the projects that a snapshot speaks of, sorted."""
    return _PARTS.scopes(snapshot)


def unread(snapshot: Snapshot) -> list[Gap]:
    """Return what the collector could not read, with the parts of the estate that it leaves open."""
    return gaps_of(snapshot, PROVIDER, {operation.key: operation.facets for operation in OPERATIONS})


def not_used(snapshot: Snapshot, asked: set[Key]) -> list[str]:
    """Return a note for each kind of answer that nothing here reads."""
    return unused(snapshot, PROVIDER, asked | _ALSO | {operation.key for operation in OPERATIONS})


def coverage_of(snapshot: Snapshot, scopes: Sequence[str], gaps: Iterable[Gap]) -> Coverage:
    """Return how completely each part of each project was read; its load balancers are all its ways in."""
    found = tuple(gaps)
    unasked = {(scope, facet): why for scope in scopes for facet, why in _unasked(snapshot, scope).items()}
    listed = _PARTS.coverage(snapshot, scopes, found, unasked).readings
    ways_in = (_ways_in(snapshot, scope, found) for scope in scopes)
    return Coverage((*listed, *ways_in, *readings_of_hosts(found, scopes)))


def _ways_in(snapshot: Snapshot, scope: str, gaps: Iterable[Gap]) -> Reading:
    """Return how completely the forwarding rules of a project were read: by one, any machine may be reached.

    What one of them that was read leads to is told by itself.
    """
    there = any(
        (part.provider, part.scope, part.service, part.operation) == (PROVIDER, scope, *_FRONTS)
        for part in snapshot.parts()
    )
    broken = any(
        gap.scope == scope and (gap.what.endswith("compute/forwarding_rules.json") or _is_of_list(gap)) for gap in gaps
    )
    if there and not broken:
        return Reading(PROVIDER, scope, _REGION, "entrances", "read")
    return Reading(PROVIDER, scope, _REGION, "entrances", "unread", "compute.forwarding_rules was not read in full")


def _is_of_list(gap: Gap) -> bool:
    return gap.what == ".".join(_FRONTS) and not gap.resource


def _unasked(snapshot: Snapshot, scope: str) -> dict[str, str]:
    """Return the parts of a project of which something is listed about which no answer is there, and what."""
    held = _held(snapshot, scope)
    answered = {
        (part.service, part.operation, part.resource or "")
        for part in snapshot.parts()
        if part.provider == PROVIDER and part.scope == scope
    }
    found: dict[str, str] = {}
    for operation in OPERATIONS:
        for subject in operation.per.pick(held) if operation.per is not None else ():
            key = (operation.service, operation.name)
            # Names that are too long for a path are shortened alike.
            part = Part(PROVIDER, scope, _REGION, *key, subject.resource)
            if (*key, part.resource or "") not in answered and (*key, "") not in answered:
                missing = f"{operation.service}.{operation.name} of {subject.resource} is not in the snapshot"
                for facet in operation.facets:
                    found.setdefault(facet, missing)
    return found


def _held(snapshot: Snapshot, scope: str) -> Held:
    """Return the resources of a project by operation, from whatever places."""
    found: dict[Key, list[dict[str, Json]]] = {}
    for part in snapshot.parts():
        if (part.provider, part.scope, part.resource) != (PROVIDER, scope, None):
            continue
        kept = found.setdefault((part.service, part.operation), [])
        kept.extend(_tables(snapshot.read(part)))
    return found


def _tables(answer: object) -> Iterable[dict[str, Json]]:
    """Yield the resources of an answer: a list, an aggregated one by place, or a bare one."""
    items = cast("dict[str, object]", answer).get("items") if isinstance(answer, dict) else answer
    if isinstance(items, dict):
        for place in cast("dict[str, object]", items).values():
            for value in cast("dict[str, object]", place).values() if isinstance(place, dict) else ():
                yield from _tables(value)
    for item in cast("list[object]", items) if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield cast("dict[str, Json]", item)
