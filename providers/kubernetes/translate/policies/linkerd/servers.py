"""Servers: ports of pods, to which nobody gets whom nothing admits.

Source: https://linkerd.io/2-edge/reference/authorization-policy/#server
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, AllOf, Rule, RuleSet, matches
from cloudseg.providers.kubernetes.translate.labels import (
    NAMESPACE,
    asks_controller,
    in_cluster,
    in_namespace,
    on_port,
    pod_labels,
    port_label,
    requirements,
    surely_required,
    words,
)
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.defaults import ADMITTED, DENIED, access
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import LINKERD, SURELY
from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import ServerSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing, group_of
from cloudseg.providers.kubernetes.translate.wire import Metadata
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Interface, Labelled, Peer, Selector, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.linkerd.clients import Clients
    from cloudseg.providers.kubernetes.translate.policies.linkerd.settings import Settings

__all__ = ["KIND", "Mesh", "Server", "add_servers", "admissions", "put"]

KIND: Final = ("policy.linkerd.io", "Server")

_HIGHEST: Final = 65535
_PROTOCOLS: Final = frozenset(("unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"))
_POLICIES: Final = frozenset(
    ("all-authenticated", "all-unauthenticated", "audit", "cluster-authenticated", "cluster-unauthenticated", "deny")
)


class Mesh(NamedTuple):
    """What all policies share.

    Attributes:
        settings: the settings of the mesh.
        draft: the cluster.
        parts: whether there are pods that surely are part of the mesh, and ones that are so perhaps.
        beyond: whether workloads outside of the cluster may be part of it.
    """

    settings: Settings
    draft: Draft
    parts: tuple[str, ...]
    beyond: bool


class Server(NamedTuple):
    """A port of some pods.

    Attributes:
        name: its name.
        place: its namespace.
        labels: its own labels.
        required: what is required of its pods.
        ports: the ports by number, each with the pods that have it there where it is named; None for all of them.
        protocol: what is spoken there.
        certain: False where another one names the same port of the same pod.
    """

    name: str
    place: str
    labels: dict[str, str]
    required: tuple[Labelled, ...]
    ports: tuple[tuple[int, Labelled | None], ...]
    protocol: str
    certain: bool = True

    @property
    def reads_requests(self) -> bool:
        """Whether its proxies read requests, where there are any."""
        return self.protocol not in {"opaque", "TLS"}

    @property
    def pods(self) -> AllOf:
        """Its pods."""
        return AllOf((in_namespace(self.place), *self.required))

    def selected(self, near: Iterable[Interface]) -> set[tuple[str, int]]:
        """Return its ports, each with the pod of the mesh that has it, out of the pods of its namespace."""
        chosen = [each for each in near if matches(self.pods, each)]
        ports = (
            (each, number) for each in chosen for number, named in self.ports if named is None or matches(named, each)
        )
        return {(each.id, number) for each, number in ports}


class _Spot(NamedTuple):
    """A port of a Server.

    Attributes:
        certain: whether its pods surely are part of the mesh.
        traffic: the port.
        local: the pods that have it.
    """

    certain: bool
    traffic: Traffic
    local: tuple[Peer, ...]


class _Read(NamedTuple):
    item: Object
    spec: ServerSpec
    server: Server


def add_servers(objects: Sequence[Object], mesh: Mesh) -> tuple[Server, ...]:
    """Add a rule set for each Server, and return them."""
    read = [found for item in objects if (item.group, item.kind) == KIND and (found := _read(item, mesh)) is not None]
    pods: defaultdict[str, list[Interface]] = defaultdict(list)
    for interface in mesh.draft.interfaces.values():
        if LINKERD in interface.labels:
            pods[interface.labels[NAMESPACE]].append(interface)
    having: defaultdict[tuple[str, int], list[_Read]] = defaultdict(list)
    for each in read:
        for port in each.server.selected(pods[each.server.place]):
            having[port].append(each)
    shared = [each for each in having.values() if len(each) > 1]
    servers: list[Server] = []
    for each in read:
        rivals = {other.item.name for same in shared if each in same for other in same if other is not each}
        if rivals:
            detail = f"{', '.join(sorted(rivals))} names the same port of the same pods: which one counts is not known"
            mesh.draft.ledger.gap(each.item, "malformed", detail, "groups")
        server = each.server._replace(certain=not rivals)
        servers.append(server)
        _add(each, server, mesh)
    return tuple(servers)


def _read(item: Object, mesh: Mesh) -> _Read | None:
    draft, problem = mesh.draft, item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), ServerSpec)
            required, ports = _checked(spec), _ports(spec, item.place, draft)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            if spec.pod_selector is None:
                draft.ledger.notes.append(f"{item.where}{item.own}: it is about workloads outside of the cluster")
                return None
            unclear = asks_controller(required)
            if not unclear:
                protocol = spec.proxy_protocol or "unknown"
                server = Server(item.name, item.place, _labels(item), required, ports, protocol)
                return _Read(item, spec, server)
            detail = f"its podSelector asks for {words(unclear)}, which no template shows"
            draft.ledger.gap(item, "unsupported", detail, "groups")
            known = (each for each in required if each not in unclear)
            draft.bound(item.place, (*known, bearing(LINKERD)))
            return None
    draft.ledger.gap(item, "malformed", problem, "groups")
    given = () if item.flaw else surely_required(item.part("spec").get("podSelector"), "pods")
    draft.bound(None if item.namespace is None else item.place, (*given, bearing(LINKERD)))
    return None


def _labels(item: Object) -> dict[str, str]:
    given = fields_of(item.part("metadata").get("labels"))
    return {key: value or "" for key, value in given.items() if value is None or isinstance(value, str)}


def _checked(spec: ServerSpec) -> tuple[Labelled, ...]:
    """Return what a Server requires of its pods.

    Raises:
        ParseError: the API server would refuse it.
    """
    if (spec.pod_selector is None) is (spec.external_workload_selector is None):
        raise ParseError("it needs either podSelector or externalWorkloadSelector")
    if spec.proxy_protocol is not None and spec.proxy_protocol not in _PROTOCOLS:
        raise ParseError(f"proxyProtocol {spec.proxy_protocol!r} is none of {', '.join(sorted(_PROTOCOLS))}")
    if spec.access_policy is not None and spec.access_policy not in _POLICIES:
        raise ParseError(f"accessPolicy {spec.access_policy!r} is none of {', '.join(sorted(_POLICIES))}")
    return requirements(spec.pod_selector, "pods")


def _ports(spec: ServerSpec, place: str, draft: Draft) -> tuple[tuple[int, Labelled | None], ...]:
    if isinstance(spec.port, int):
        if not 0 < spec.port <= _HIGHEST:
            raise ParseError(f"port {spec.port} is not within 1 to {_HIGHEST}")
        return ((spec.port, None),)
    if not spec.port or spec.port.isdigit():
        raise ParseError(f"port {spec.port!r} is neither a number nor the name of a port")
    numbers = draft.numbers(place, port_label(spec.port, "TCP"))
    return tuple((number, on_port(spec.port, "TCP", number)) for number in numbers)


def _add(read: _Read, server: Server, mesh: Mesh) -> None:
    policy = read.spec.access_policy or "deny"
    clients = access(policy, mesh.settings)
    admitted = () if clients is None else admissions(read.item, f"accessPolicy {policy}", server, clients, mesh)
    rules: list[Rule] = [*admitted]
    for number, spot in enumerate(_spots(server, mesh)):
        detail = "whom nothing admits to the Server is denied"
        rules.append(_rule(read.item, f"denied#{number}", "deny", spot, ANYONE, exact=spot.certain, description=detail))
    put(read.item, tuple(rules), server.pods, {"access-policy": policy}, mesh)


def _spots(server: Server, mesh: Mesh) -> Iterator[_Spot]:
    for part in mesh.parts:
        for number, named in server.ports:
            required = (*server.required, *(() if named is None else (named,)))
            text = (
                f"pods of the mesh {words(required)} in namespace {server.place}{'' if part == SURELY else ', perhaps'}"
            )
            parts: tuple[Selector, ...] = (in_namespace(server.place), *required, bearing(LINKERD, part))
            local = group_of(mesh.draft, text, *parts, in_cluster(mesh.draft.cluster))
            yield _Spot(part == SURELY, Traffic.ports("tcp", number, number), (local,))


def admissions(
    item: Object, name: str, server: Server, clients: Clients, mesh: Mesh, *, description: str = ""
) -> Iterator[Rule]:
    """Yield what admits some clients to a Server.

    Args:
        item: what admits them.
        name: the beginning of the names of the rules.
        server: the Server.
        clients: whom it admits.
        mesh: the mesh.
        description: what it asks of requests.
    """
    ends = tuple(clients.ends(mesh.draft, beyond=mesh.beyond))
    numbers = iter(range(1 << 30))
    for spot in _spots(server, mesh):
        for end in ends:
            for traffic, shown in clients.shown(spot.traffic, mesh.settings):
                exact = end.exact and server.certain and spot.certain and shown
                at = spot._replace(traffic=traffic)
                own = f"{name}#{next(numbers)}"
                yield _rule(item, own, "next", at, end.remote, exact=exact, description=description)


def _rule(
    item: Object,
    name: str,
    verdict: Verdict,
    spot: _Spot,
    remote: tuple[Peer, ...],
    *,
    exact: bool,
    description: str = "",
) -> Rule:
    return Rule(
        id=name,
        direction="ingress",
        verdict=verdict,
        traffic=spot.traffic,
        remote=remote,
        local=spot.local,
        priority=ADMITTED if verdict == "next" else DENIED,
        exact=exact,
        description=description,
        location=item.location,
    )


def put(item: Object, rules: tuple[Rule, ...], pods: Selector, tags: dict[str, str], mesh: Mesh) -> None:
    """Add the rule set of a policy for some pods of the mesh."""
    identifier = mesh.draft.id(item.own)
    mesh.draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={**_own_labels(item), "namespace": item.place, **tags},
        location=item.location,
        stage=MESH_STAGE,
        rules=rules,
        applies=AllOf((pods, bearing(LINKERD), in_cluster(mesh.draft.cluster))),
        network=pods_of(mesh.draft.cluster),
        isolates=frozenset(("ingress",)),
    )


def _own_labels(item: Object) -> dict[str, str]:
    """Return the labels of a policy itself, as far as they are texts."""
    try:
        metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
    except msgspec.ValidationError:
        return {}
    return pod_labels(metadata.labels)
