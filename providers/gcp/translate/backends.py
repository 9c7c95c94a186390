"""Who is behind load balancers: instance groups, endpoint groups, target pools, and how they fare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANY_ZONE, ForwardTarget, own_id, scope_of
from cloudseg.providers.gcp.ids import name_of, region_of
from cloudseg.providers.gcp.translate.balancing_parts import FACET
from cloudseg.providers.gcp.translate.machines import Machines
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.balancing_wire import Backend, BackendService, Endpoint, InstanceGroup
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["Backends", "Behind", "Member"]

_NUMBERS: Final = {"TCP": 6, "SSL": 6, "HTTP": 6, "HTTPS": 6, "HTTP2": 6, "H2C": 6, "GRPC": 6, "UDP": 17}
_OUTSIDE: Final = frozenset(("INTERNET_FQDN_PORT", "INTERNET_IP_PORT", "SERVERLESS", "PRIVATE_SERVICE_CONNECT"))
"""Endpoint groups that hold no machine of a network. Source:
https://cloud.google.com/load-balancing/docs/negs#overview-neg-types"""


class Member(NamedTuple):
    """One backend.

    Attributes:
        interface: qualified id of the interface; empty where none that was read bears its address.
        target: how the model names it; it is healthy where it surely takes new connections.
        traffic: what a proxy sends to it.
    """

    interface: str
    target: ForwardTarget
    traffic: Traffic


class Behind(NamedTuple):
    """Who is behind something.

    Attributes:
        members: the backends that were read.
        maybe: the interfaces among which there may be others, of which it was not read.
        services: the managed services among them, by qualified id.
        others: what else there is, in words.
        complete: all of it was read.
    """

    members: tuple[Member, ...] = ()
    maybe: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()
    complete: bool = True

    def __or__(self, other: Behind) -> Behind:
        """Return who is behind either."""
        return Behind(
            (*self.members, *other.members),
            self.maybe | other.maybe,
            self.services | other.services,
            (*self.others, *other.others),
            complete=self.complete and other.complete,
        )


class Backends:
    """Looks up who is behind services; instances have to be there already.

    Args:
        answers: where what cannot be read becomes a gap.
        draft: where parts and interfaces are looked up.
    """

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self._answers = answers
        self._draft = draft
        self._parts = draft.balancing
        if draft.balancing.machines is None:
            draft.balancing.machines = Machines(draft.interfaces)
        self._machines = draft.balancing.machines

    def of(self, service_id: str, *, proxied: bool) -> Behind:
        """Return who is behind a backend service.

        Args:
            service_id: its qualified id.
            proxied: a proxy opens connections to a port of theirs; otherwise packets come as they are.
        """
        service = self._parts.services.get(service_id)
        if service is None:
            return self.unread(service_id)
        found = Behind()
        for backend in service.backends or ():
            found |= self._in_group(service_id, service, backend, proxied=proxied)
        return found

    def of_pool(self, pool_id: str) -> Behind:
        """Return who is in a target pool; its backup stands in where too few of them are well.

        Source: https://cloud.google.com/load-balancing/docs/target-pools
        """
        found = Behind()
        seen: set[str] = set()
        while pool_id and pool_id not in seen:
            pool = self._parts.pools.get(pool_id)
            if pool is None:
                return found | self.unread(pool_id)
            instances = tuple(self._draft.named(each, self._answers.scope) for each in pool.instances or ())
            # Where no check looks at them all are well; the answers of checks are not read.
            healthy = None if pool.health_checks and len(instances) > 1 else True
            members = tuple(self._instance(each, None, NO_TRAFFIC, healthy) for each in instances)
            found |= Behind(tuple(map(_at_most, members)) if seen else members)
            seen.add(pool_id)
            pool_id = self._draft.named(pool.backup_pool, self._answers.scope) if pool.backup_pool else ""
        return found

    def of_instance(self, target_id: str) -> Behind:
        """Return the machine behind a target instance."""
        target = self._parts.targets.get(target_id)
        if target is None:
            return self.unread(target_id)
        instance = self._draft.named(target.instance, self._answers.scope)
        network = self._draft.named(target.network, self._answers.scope) if target.network else None
        return Behind((self._instance(instance, network, NO_TRAFFIC, healthy=True),))

    def unread(self, what: str) -> Behind:
        """Return whom something may lead to that was not read: any machine of its project, in its region if it has one.

        Backends stand in the project of what names them. Source:
        https://cloud.google.com/load-balancing/docs/backend-service#backends
        """
        project, region = scope_of(what), region_of(own_id(what))
        return Behind(maybe=self._machines.placed(project, region), complete=False)

    def _in_group(self, service_id: str, service: BackendService, backend: Backend, *, proxied: bool) -> Behind:
        parts, scope = self._parts, self._answers.scope
        group = self._draft.named(backend.group, scope)
        states = parts.health.get((service_id, group), parts.health.get((service_id, "")))
        if group in parts.endpoint_groups:
            found = self._endpoints(service, group, states)
        elif group in parts.groups and group in parts.members:
            known = parts.groups[group]
            # Packets that are passed on as they came may be for another interface than the group's.
            named = service.network or known.network
            network = self._draft.named(named, scope) if named else None
            traffic, sure = self._traffic(service, known)
            members = [
                self._instance(each, network, traffic, _health(service, states, each)) for each in parts.members[group]
            ]
            found = Behind(tuple(members if sure or not proxied else map(_at_most, members)))
        else:
            found = self.unread(group)
        if group in parts.partial:
            found |= self.unread(group)
        if backend.capacity_scaler == 0 or backend.failover:
            # It gets nothing, or only what the others cannot take.
            found = found._replace(members=tuple(map(_at_most, found.members)))
        return found

    def _endpoints(self, service: BackendService, group: str, states: dict[str, bool] | None) -> Behind:
        known = self._parts.endpoint_groups[group]
        kind = known.network_endpoint_type.upper()
        if kind in _OUTSIDE:
            return self._outside(group)
        if group not in self._parts.endpoints:
            return self.unread(group)
        network = self._draft.named(known.network, self._answers.scope) if known.network else None
        return Behind(
            tuple(self._at(each, network, service, known.default_port, states) for each in self._parts.endpoints[group])
        )

    def _outside(self, group: str) -> Behind:
        """Return what a group stands for that holds no machine: a managed service, or names elsewhere."""
        known = self._parts.endpoint_groups[group]
        place = f"locations/{region_of(known.region or own_id(group))}"
        services: set[str] = set()
        if known.cloud_run is not None and known.cloud_run.service:
            services.add(f"gcp:{scope_of(group)}:run/{place}/services/{known.cloud_run.service}")
        if known.cloud_function is not None and known.cloud_function.function:
            services.add(f"gcp:{scope_of(group)}:cloudfunctions/{place}/functions/{known.cloud_function.function}")
        what = known.psc_target_service or known.network_endpoint_type
        others = () if services else (f"{own_id(group)} ({what})",)
        return Behind(services=frozenset(services), others=others)

    def _instance(
        self, instance: str, network: str | None, traffic: Traffic, healthy: bool | None  # noqa: FBT001 - a state
    ) -> Member:  # fmt: skip
        interface = self._interface_of(instance, network)
        machine = self._draft.workloads.get(instance)
        if machine is not None and not machine.running:
            healthy = False
        return Member(interface, ForwardTarget(target=interface or instance, zone=ANY_ZONE, healthy=healthy), traffic)

    def _at(
        self, endpoint: Endpoint, network: str | None, service: BackendService, port: int | None,
        states: dict[str, bool] | None,
    ) -> Member:  # fmt: skip
        texts = (endpoint.ip_address, endpoint.ipv6_address)
        address = self._answers.addresses("compute.network_endpoints", name_of(service.name), texts, FACET)
        instance = self._draft.named(endpoint.instance, self._answers.scope) if endpoint.instance else ""
        interface = self._machines.bearing(network, address)
        if not interface and instance:
            interface = self._interface_of(instance, network)
        healthy = _health(service, states, endpoint.ip_address or "", instance)
        traffic, _ = _of_port(service, endpoint.port or port or service.port)
        # Pods of a cluster may take the place of a range.
        if interface and self._draft.interfaces[interface].role == "interface":
            return Member(interface, ForwardTarget(target=interface, zone=ANY_ZONE, healthy=healthy), traffic)
        target = ForwardTarget(address=address or NO_ADDRESSES, network=network, zone=ANY_ZONE, healthy=healthy)
        return Member("", target, traffic)

    def _interface_of(self, instance: str, network: str | None) -> str:
        """Return the interface of an instance in a network, whose health is checked there; empty for none."""
        found = self._machines.of(instance, network)
        if found is None:
            return ""
        if found.network is not None:
            self._parts.checked.add(found.network)
        return found.id

    def _traffic(self, service: BackendService, group: InstanceGroup) -> tuple[Traffic, bool]:
        """Return what a proxy sends, to the port that the group calls as the service does, and whether that is known.

        Source: https://cloud.google.com/load-balancing/docs/backend-service#named_ports
        """
        ports = [each.port for each in group.named_ports or () if each.name == (service.port_name or "http")]
        found, sure = NO_TRAFFIC, True
        for port in ports or (service.port,):
            traffic, known = _of_port(service, port)
            found, sure = found | traffic, sure and known
        return found, sure


def _of_port(service: BackendService, port: int | None) -> tuple[Traffic, bool]:
    number = _NUMBERS.get(service.protocol.upper(), 6)
    if port and 0 < port < 65536:
        return Traffic.ports(number, port, port), True
    return Traffic.protocol(number), False


def _health(service: BackendService, states: dict[str, bool] | None, *names: str) -> bool | None:
    """Tell whether a backend takes new connections; None where that was not read.

    Without a check all do. Source: https://cloud.google.com/load-balancing/docs/health-check-concepts
    """
    if states is None:
        return None if service.health_checks else True
    return next((states[name] for name in names if name in states), None)


def _at_most(member: Member) -> Member:
    """Return a backend that is not sure to get anything."""
    healthy = False if member.target.healthy is True else member.target.healthy
    return member._replace(target=msgspec.structs.replace(member.target, healthy=healthy))
