"""AuthorizationPolicy and ServerAuthorization: whom Servers admit.

Policies add up; each admits its clients to the Servers that it is about. One that is about a route admits requests and
no others, so that their connection is admitted where the proxy reads requests at all. Sources:
https://linkerd.io/2-edge/reference/authorization-policy/#authorizationpolicy,
https://linkerd.io/2-edge/reference/authorization-policy/#serverauthorization and
https://linkerd.io/2-edge/features/server-policy/#policy-rejections
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import AnyOf
from cloudseg.providers.kubernetes.translate.labels import requirements
from cloudseg.providers.kubernetes.translate.policies.linkerd.authentications import GROUP, is_kind
from cloudseg.providers.kubernetes.translate.policies.linkerd.clients import (
    ANY_IDENTITY,
    Clients,
    account,
    identity,
    networks_of,
    of_cluster,
    some_of,
)
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import LINKERD
from cloudseg.providers.kubernetes.translate.policies.linkerd.routes import ROUTES, hangs_on, matches_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.servers import KIND as SERVER
from cloudseg.providers.kubernetes.translate.policies.linkerd.servers import admissions, put
from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import AuthorizationSpec, ServerAuthorizationSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Rule
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.linkerd.authentications import Authentications
    from cloudseg.providers.kubernetes.translate.policies.linkerd.servers import Mesh, Server
    from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import Client, Reference, ServerRef
    from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = ["KINDS", "add_authorizations"]

_POLICY: Final = (GROUP, "AuthorizationPolicy")
_OF_SERVERS: Final = (GROUP, "ServerAuthorization")
KINDS: Final = (_POLICY, _OF_SERVERS)


class _Target(NamedTuple):
    """A Server that a policy is about.

    Attributes:
        server: the Server.
        requests: the requests that it is about, in words; empty for all.
        certain: False where the route was not read, so that it may be about this Server or not.
    """

    server: Server
    requests: str = ""
    certain: bool = True


def add_authorizations(
    objects: Sequence[Object], servers: Sequence[Server], authentications: Authentications, mesh: Mesh
) -> None:
    """Add a rule set for each policy."""
    routes = [item for item in objects if (item.group, item.kind) in ROUTES and not item.flaw]
    for item in objects:
        own = (item.group, item.kind)
        if own not in KINDS:
            continue
        problem = item.flaw
        if not problem:
            try:
                if own == _POLICY:
                    _add_policy(item, routes, servers, authentications, mesh)
                else:
                    _add_of_servers(item, servers, mesh)
                continue
            except (msgspec.ValidationError, ParseError) as error:
                problem = str(error)
        mesh.draft.ledger.gap(item, "malformed", problem, "groups")
        _leave_open(item, mesh)


def _leave_open(item: Object, mesh: Mesh) -> None:
    mesh.draft.bound(None if item.namespace is None else item.place, (bearing(LINKERD),))


def _add_policy(
    item: Object, routes: Sequence[Object], servers: Sequence[Server], authentications: Authentications, mesh: Mesh
) -> None:
    spec = msgspec.convert(item.content.get("spec"), AuthorizationSpec)
    targets = tuple(_targets(item, spec.target_ref, routes, servers))
    clients = authentications.clients(spec.required_authentication_refs, item.place)
    notes = mesh.draft.ledger.notes
    if clients is None:
        detail = "an authentication that it requires could not be read: whom it admits is not known"
        mesh.draft.ledger.gap(item, "unsupported", detail, "groups")
        _leave_open(item, mesh)
        return
    if not targets:
        reference = spec.target_ref
        notes.append(
            f"{item.where}{item.own}: it admits nobody: no Server is there for {reference.kind} {reference.name}"
        )
    if isinstance(clients, str):
        notes.append(f"{item.where}{item.own}: {clients}")
        targets, clients = (), Clients()
    _put(item, targets, clients, {"target": spec.target_ref.kind}, mesh)


def _targets(
    item: Object, reference: Reference, routes: Sequence[Object], servers: Sequence[Server]
) -> Iterator[_Target]:
    near = [server for server in servers if server.place == item.place]
    if reference.namespace not in (None, item.place):
        raise ParseError("targetRef names another namespace")
    if is_kind(reference, "", "Namespace"):
        if reference.name != item.place:
            raise ParseError(f"targetRef names namespace {reference.name!r}, and may only name its own")
        yield from map(_Target, near)
    elif is_kind(reference, *SERVER):
        yield from (_Target(server) for server in near if server.name == reference.name)
    elif any(is_kind(reference, *kind) for kind in ROUTES):
        yield from _of_route(item, reference, routes, [server for server in near if server.reads_requests])
    else:
        raise ParseError(f"{reference.kind} ({reference.group or 'core'}) is no target of an AuthorizationPolicy")


def _of_route(
    item: Object, reference: Reference, routes: Sequence[Object], servers: Sequence[Server]
) -> Iterator[_Target]:
    named = [
        each
        for each in routes
        if is_kind(reference, each.group, each.kind) and (each.place, each.name) == (item.place, reference.name)
    ]
    for server in servers:
        # gRPC is read by the routes of its own kind alone, where the Server says that it is spoken.
        certain = (server.protocol == "gRPC") is (reference.kind == "GRPCRoute")
        words = f"HTTP: requests of {reference.kind} {reference.name}"
        if not named:
            yield _Target(server, f"{words}, which was not read", certain=False)
        elif hangs_on(named[0], server):
            asked = matches_of(named[0])
            yield _Target(server, f"{words}{asked and f' ({asked})'} only", certain=certain)


def _add_of_servers(item: Object, servers: Sequence[Server], mesh: Mesh) -> None:
    spec = msgspec.convert(item.content.get("spec"), ServerAuthorizationSpec)
    if (spec.server.name is None) is (spec.server.selector is None):
        raise ParseError("server needs either name or selector")
    requirements(spec.server.selector, "pods")
    clients = _clients(spec.client, item, mesh)
    near = [server for server in servers if server.place == item.place and _chosen(spec.server, server)]
    if not near:
        mesh.draft.ledger.notes.append(f"{item.where}{item.own}: it admits nobody: no such Server is there")
    _put(item, tuple(map(_Target, near)), clients, {"target": "Server"}, mesh)


def _chosen(reference: ServerRef, server: Server) -> bool:
    if reference.name is not None:
        return reference.name == server.name
    return reference.selector is not None and _meets(reference.selector, server.labels)


def _meets(selector: LabelSelector, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != (value or "") for key, value in (selector.match_labels or {}).items()):
        return False
    for each in selector.match_expressions or ():
        inside = labels.get(each.key) in (each.values or ())
        there = each.key in labels
        fits = {"In": inside, "NotIn": not inside, "Exists": there, "DoesNotExist": not there}
        if not fits[each.operator]:
            return False
    return True


def _clients(client: Client, item: Object, mesh: Mesh) -> Clients:
    """Return whom a ServerAuthorization admits.

    Without networks the policy controller chooses them: all addresses, or those of the cluster.

    Raises:
        ParseError: the policy controller would refuse it.
    """
    networks = of_cluster(mesh.settings, widest=ALL_ADDRESSES)
    if client.networks:
        networks = networks_of(client.networks)
    if client.unauthenticated:
        return Clients(networks)
    if client.mesh_tls is None:
        raise ParseError("client needs either unauthenticated or meshTLS")
    if client.mesh_tls.unauthenticated:
        return Clients(networks, ANY_IDENTITY, strangers=True)
    named = [identity(each, mesh.settings, mesh.draft) for each in client.mesh_tls.identities or ()]
    named += [account(each.namespace or item.place, each.name) for each in client.mesh_tls.accounts or ()]
    if not named:
        raise ParseError("meshTLS names no clients")
    return Clients(networks, some_of(named))


def _put(item: Object, targets: Sequence[_Target], clients: Clients, tags: dict[str, str], mesh: Mesh) -> None:
    rules: list[Rule] = []
    for target in targets:
        whom = clients if target.certain else clients._replace(certain=False)
        rules += admissions(item, target.server.name, target.server, whom, mesh, description=target.requests)
    pods = AnyOf(tuple(target.server.pods for target in targets))
    put(item, tuple(rules), pods, {"action": "ALLOW", **tags}, mesh)
