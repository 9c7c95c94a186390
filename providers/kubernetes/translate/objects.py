"""The objects of one cluster as they were written, with what each needs before it can be read: kind, names, place.

Nothing here fails: what is no object, or has no usable name, is an object with a flaw, and whoever reads it says what
that leaves open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.model import Gap, GapReason, SourceLocation
from cloudseg.providers.kubernetes.kinds import WITHIN_NAMESPACES, lists_deciders, lists_entrances
from cloudseg.providers.kubernetes.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.snapshot import Part, Snapshot

__all__ = ["LOCATION", "PROVIDER", "Ledger", "Object", "fields_of", "read_objects"]

PROVIDER: Final = "kubernetes"
LOCATION: Final = "cloudseg.io/location"
"""The annotation by which the reader of files tells where an object is written: path, colon, line."""

FILES: Final = "files"
"""The operation under which the reader of files keeps what it could not read: some objects, of any kind."""

_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
"""What an object's name is made of; a template that was not rendered is none. Source:
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""
_CLUSTERED: Final = re.compile(r"Node$|Namespace$|Tier$|(?:Cilium)?Cluster|Global|Admin|Baseline|\w+Class$")
"""How the kinds begin or are called whose objects are in no namespace."""
_SHOWN: Final = 200
_KEPT: Final = 1 << 14
"""What is told of so many texts is kept: thousands of objects are in few namespaces."""

_KINDS: Final = {
    "namespaces": "Namespace",
    "pods": "Pod",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "replicasets": "ReplicaSet",
    "replicationcontrollers": "ReplicationController",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "networkpolicies": "NetworkPolicy",
    "nodes": "Node",
    "services": "Service",
    "endpoints": "Endpoints",
    "endpointslices": "EndpointSlice",
    "ingresses": "Ingress",
    "ingressclasses": "IngressClass",
    "gatewayclasses": "GatewayClass",
    "gateways": "Gateway",
    "httproutes": "HTTPRoute",
    "grpcroutes": "GRPCRoute",
    "tlsroutes": "TLSRoute",
    "tcproutes": "TCPRoute",
    "udproutes": "UDPRoute",
    "referencegrants": "ReferenceGrant",
    "virtualservices": "VirtualService",
}
"""The kinds of lists whose items do not name theirs."""


class Object(NamedTuple):
    """One object.

    Attributes:
        group: the API group; empty for the core.
        kind: the kind.
        namespace: as written, empty where it is not; None where it cannot be read.
        name: its name; empty where it cannot be read.
        content: its fields.
        location: where it is written.
        flaw: why it cannot be read at all, in words; empty where it may.
    """

    group: str
    kind: str
    namespace: str | None
    name: str
    content: dict[str, object]
    location: SourceLocation | None
    flaw: str = ""

    @property
    def place(self) -> str:
        """The namespace that it is in: one that names none is in ``default``."""
        return self.namespace or "default"

    @property
    def own(self) -> str:
        """Its name in words: ``shop/NetworkPolicy/web``, or ``Node/a`` where it is in no namespace."""
        place = "" if not self.namespace and _CLUSTERED.match(self.kind) else f"{self.place}/"
        return f"{place}{self.kind}/{self.name or '?'}"

    @property
    def where(self) -> str:
        """Where it is written, for the beginning of a sentence; empty where that is not known."""
        return "" if self.location is None else f"{self.location.file}:{self.location.line}: "

    def part(self, key: str) -> dict[str, object]:
        """Return one of its fields that holds fields; nothing where it does not."""
        return fields_of(self.content.get(key))


def fields_of(value: object) -> dict[str, object]:
    """Return a value as fields; none where it is anything else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


class Ledger:
    """Collects the gaps and notes of one cluster, and what they leave open."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.gaps: list[Gap] = []
        self.notes: list[str] = []
        self.partly: dict[str, str] = {}
        """The facets that were not read in full, each with the reason."""
        self.partly_in: dict[str, str] = {}
        """The namespaces, in words, whose policies alone were not read in full, each with the reason."""
        self.unread: set[str] = set()
        """Objects that are asked for by name and could not be read: ``configmaps kube-system/cilium-config``."""
        self.open_in: list[Places | None] = []
        """The namespaces of whose pods a list of policies may decide that was not read; None for all of them."""
        self.unlisted: dict[str, str] = {}
        """Lists that were not read in full, by the plurals of their kinds, each with where and why, in words."""

    def gap(self, what: Object, reason: GapReason, detail: str, facet: str) -> None:
        """Note an object that could not be read or judged; what it may concern is bounded by who says so."""
        self._gap(f"{what.group or 'core'}.{what.kind}", what.own, reason, f"{what.where}{detail}", (facet,))

    def lost(self, what: str, operation: str, reason: GapReason, detail: str, resource: str = "") -> None:
        """Note a list of which not even the names are known: what it would show was not read in full.

        Args:
            what: the list.
            operation: the plural of its kind.
            reason: why it was not read.
            detail: why, in words.
            resource: the one object that was asked for, or the namespaces in which the list was not read; empty for
                the whole list.
        """
        if operation == FILES:
            # The reader of files says the place in the detail.
            resource = ""
        facets = facets_of(operation)
        places = Places.read(resource)
        if places is not None or not resource:
            self.unlisted.setdefault(operation, f"{what}{f' of {places.words}' if places else ''} ({reason})")
        if resource and places is None:
            self.unread.add(f"{operation} {resource}")
        within = places if (what.rpartition(".")[0], operation) in WITHIN_NAMESPACES else None
        if "groups" in facets:
            self.open_in.append(within)
        for facet in facets:
            # Where it is known whose policies are missing, these pods are open and no others.
            if facet == "groups" and within is not None:
                self.partly_in.setdefault(within.words, f"{what}: {reason}")
            else:
                self.partly.setdefault(facet, f"{what}: {reason}")
        if within is None:
            self._gap(what, resource, reason, detail, facets)
        else:
            self.gaps.append(Gap(PROVIDER, self.cluster, within.words, what, "", reason, detail, facets))

    def _gap(self, what: str, resource: str, reason: GapReason, detail: str, facets: tuple[str, ...]) -> None:
        self.gaps.append(Gap(PROVIDER, self.cluster, "global", what, resource, reason, detail, facets))


def read_objects(snapshot: Snapshot, cluster: str, ledger: Ledger) -> list[Object]:
    """Return every object of a cluster; what stands in place of a list or of an object becomes a gap."""
    found: list[Object] = []
    for part in snapshot.parts():
        if part.provider == PROVIDER and part.scope == cluster:
            found.extend(_in_part(snapshot.read(part), part, ledger))
    return list(_once(found))


def facets_of(operation: str) -> tuple[str, ...]:
    """Return what is left open by a list that was not read, by the plural of its kind; by a file, whatever it held."""
    if operation == FILES:
        return ("groups", "interfaces", "workloads", "entrances")
    if lists_deciders(operation):
        return ("groups",)
    if lists_entrances(operation):
        return ("entrances",)
    return ("interfaces", "workloads") if operation in _KINDS and operation not in {"namespaces", "nodes"} else ()


def _in_part(payload: object, part: Part, ledger: Ledger) -> Iterator[Object]:
    whole = fields_of(payload)
    listed: object = cast("object", payload) if isinstance(payload, list) else whole.get("items")
    own = _text(whole.get("kind")).removesuffix("List")
    kind = own or _KINDS.get(part.operation, part.operation)
    if isinstance(payload, dict) and "items" not in whole and "metadata" in whole and own:
        listed = [whole]
    if not isinstance(listed, list):
        ledger.lost(part.path, part.operation, "malformed", f"items is {type(listed).__name__}, expected a list")
        return
    for item in cast("list[object]", listed):
        yield _object(item, part, kind)


def _object(item: object, part: Part, kind: str) -> Object:
    content = fields_of(item)
    metadata = fields_of(content.get("metadata"))
    name, namespace = _text(metadata.get("name")), metadata.get("namespace")
    name = name or _text(metadata.get("generateName")).rstrip("-.")
    flaw = ""
    if not isinstance(item, dict):
        flaw = f"it is {type(item).__name__}, expected an object"
    elif not _NAME.fullmatch(name):
        flaw, name = f"metadata.name is {_shown(metadata.get('name'))}, which is no name", ""
    if namespace and not (isinstance(namespace, str) and _is_name(namespace)):
        flaw, namespace = f"metadata.namespace is {_shown(namespace)}, which is no name", None
    elif not namespace:
        namespace = None if namespace is None and not isinstance(item, dict) else ""
    return Object(
        _group(_text(content.get("apiVersion")), part.service),
        _text(content.get("kind")) or kind,
        cast("str | None", namespace),
        name,
        content,
        _location(fields_of(metadata.get("annotations")).get(LOCATION)),
        flaw,
    )


@lru_cache(_KEPT)
def _group(version: str, service: str) -> str:
    """Return the API group of an object by its ``apiVersion``, or by the place of the list that it stands in."""
    group, slash, _ = version.partition("/")
    return group if slash else "" if version or service == "core" else service


@lru_cache(_KEPT)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _once(objects: Iterable[Object]) -> Iterator[Object]:
    """Yield each object once; of one that is written several times, differently, nobody knows which counts."""
    together: defaultdict[tuple[object, ...], list[Object]] = defaultdict(list)
    for number, each in enumerate(objects):
        # Kinds are written differently where they come from, names of objects are unique by group and kind.
        known = (each.group, each.kind, each.place, each.name)
        together[known if each.name and each.namespace is not None else (number,)].append(each)
    for same in together.values():
        first = same[0]
        if len(same) > 1 and any(_plain(each) != _plain(first) for each in same[1:]):
            places = " and ".join(dict.fromkeys(each.where.removesuffix(": ") or "here" for each in same))
            flaw = f"it is written {len(same)} times, and not alike ({places}): which one counts is not known"
            first = first._replace(flaw=first.flaw or flaw)
        yield first


def _plain(item: Object) -> dict[str, object]:
    """Return the fields of an object without where it is written."""
    metadata = item.part("metadata")
    annotations = {key: value for key, value in fields_of(metadata.get("annotations")).items() if key != LOCATION}
    return {**item.content, "metadata": {**metadata, "annotations": annotations}}


def _location(value: object) -> SourceLocation | None:
    file, colon, line = _text(value).rpartition(":")
    if not colon or not line.isascii() or not line.isdigit() or len(line) > 9:
        return None
    return SourceLocation(file, int(line))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    text = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
