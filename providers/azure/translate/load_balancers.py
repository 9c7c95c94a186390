"""Load balancers: rewriting of addresses on the way to network interfaces, which see the clients themselves."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Alias, AliasPort, Entrance, Workload
from cloudseg.providers.azure.ids import name_of, parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.interfaces import borne
from cloudseg.providers.azure.translate.parts import Balanced, Frontend, Lent
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["add_load_balancers", "join_load_balancers"]

_WHAT: Final = "network.load_balancers"
_FACET: Final = "load-balancers"
_NUMBERS: Final = {"tcp": (6,), "udp": (17,), "all": (6, 17)}
_TRANSLATED: Final = Traffic.protocol(6) | Traffic.protocol(17)


class _FrontendProperties(msgspec.Struct, rename="camel"):
    private_ip: str | None = msgspec.field(default=None, name="privateIPAddress")
    subnet: Ref | None = None
    public: Ref | None = msgspec.field(default=None, name="publicIPAddress")
    prefix: Ref | None = msgspec.field(default=None, name="publicIPPrefix")


class _Frontend(msgspec.Struct):
    id: str
    properties: _FrontendProperties = msgspec.field(default_factory=_FrontendProperties)


class _PoolAddressProperties(msgspec.Struct, rename="camel"):
    ip_address: str | None = None
    virtual_network: Ref | None = None
    subnet: Ref | None = None
    configuration: Ref | None = msgspec.field(default=None, name="networkInterfaceIPConfiguration")


class _PoolAddress(msgspec.Struct):
    properties: _PoolAddressProperties = msgspec.field(default_factory=_PoolAddressProperties)


class _PoolProperties(msgspec.Struct, rename="camel"):
    addresses: list[_PoolAddress] | None = msgspec.field(default=None, name="loadBalancerBackendAddresses")
    configurations: list[Ref] | None = msgspec.field(default=None, name="backendIPConfigurations")


class _Pool(msgspec.Struct):
    id: str
    properties: _PoolProperties = msgspec.field(default_factory=_PoolProperties)


class _RuleProperties(msgspec.Struct, rename="camel"):
    frontend: Ref | None = msgspec.field(default=None, name="frontendIPConfiguration")
    frontends: list[Ref] | None = msgspec.field(default=None, name="frontendIPConfigurations")
    pool: Ref | None = msgspec.field(default=None, name="backendAddressPool")
    pools: list[Ref] | None = msgspec.field(default=None, name="backendAddressPools")
    configuration: Ref | None = msgspec.field(default=None, name="backendIPConfiguration")
    protocol: str = "Tcp"
    frontend_port: int | None = None
    backend_port: int | None = None
    first: int | None = msgspec.field(default=None, name="frontendPortRangeStart")
    last: int | None = msgspec.field(default=None, name="frontendPortRangeEnd")
    floating: bool | None = msgspec.field(default=None, name="enableFloatingIP")
    disable_outbound_snat: bool | None = None


class _Rule(msgspec.Struct):
    id: str
    name: str = ""
    properties: _RuleProperties = msgspec.field(default_factory=_RuleProperties)


class _Properties(msgspec.Struct, rename="camel"):
    frontends: list[_Frontend] | None = msgspec.field(default=None, name="frontendIPConfigurations")
    pools: list[_Pool] | None = msgspec.field(default=None, name="backendAddressPools")
    balancing: list[_Rule] | None = msgspec.field(default=None, name="loadBalancingRules")
    inbound: list[_Rule] | None = msgspec.field(default=None, name="inboundNatRules")
    outbound: list[_Rule] | None = msgspec.field(default=None, name="outboundRules")


class _Sku(msgspec.Struct):
    name: str = ""


class _LoadBalancer(ArmResource, kw_only=True):
    sku: _Sku | None = None
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_load_balancers(answers: Answers, draft: Draft) -> None:
    """Note the load balancers; what they lead to is worked out once all interfaces are known.

    Source: https://learn.microsoft.com/azure/load-balancer/components
    """
    for wire in answers.listed("network", "load_balancers", _LoadBalancer, _FACET):
        identifier, properties = qualified_id(wire.id), wire.properties
        frontends: dict[str, Frontend] = {}
        for each in properties.frontends or ():
            known = each.properties
            public = borne(draft, ids([*filter(None, (known.public, known.prefix))]))
            inner = answers.addresses(_WHAT, wire.id, (known.private_ip or "",), _FACET)
            network = "" if known.subnet is None else qualified_id(parent_of(known.subnet.id))
            frontends[qualified_id(each.id)] = Frontend(public.addresses, public.unlisted, inner, network)
        facing = any(each.public or each.unlisted for each in frontends.values())
        workload = Workload(
            id=identifier,
            kind="load-balancer",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            internet_facing=facing,
        )
        draft.put(draft.workloads, workload, answers.scope)
        for pool in properties.pools or ():
            draft.pools.setdefault(qualified_id(pool.id), set()).update(_members(answers, draft, pool))
        closed = (wire.sku.name if wire.sku is not None else "Basic").lower() != "basic"
        for kind, rules in (
            ("balancing", properties.balancing),
            ("inbound", properties.inbound),
            ("outbound", properties.outbound),
        ):
            for rule in rules or ():
                draft.balanced.append(_balanced(identifier, kind, rule, frontends, closed=closed))


def _members(answers: Answers, draft: Draft, pool: _Pool) -> Iterator[str]:
    """Yield the interfaces of a pool, by their configurations or by their addresses in a network."""
    for reference in ids(pool.properties.configurations):
        yield qualified_id(parent_of(reference))
    for each in pool.properties.addresses or ():
        properties = each.properties
        if properties.configuration is not None and properties.configuration.id:
            yield qualified_id(parent_of(properties.configuration.id))
            continue
        network = "" if properties.virtual_network is None else qualified_id(properties.virtual_network.id)
        if not network and properties.subnet is not None:
            network = qualified_id(parent_of(properties.subnet.id))
        address = answers.addresses(_WHAT, pool.id, (properties.ip_address or "",), _FACET)
        for interface in draft.interfaces.values():
            if address and interface.network == network and interface.addresses.overlaps(address):
                yield interface.id


def _balanced(balancer: str, kind: str, rule: _Rule, frontends: dict[str, Frontend], *, closed: bool) -> Balanced:
    properties = rule.properties
    named = [qualified_id(each) for each in ids([*filter(None, (properties.frontend,)), *(properties.frontends or ())])]
    pools = [qualified_id(each) for each in ids([*filter(None, (properties.pool,)), *(properties.pools or ())])]
    target = properties.configuration
    interface = "" if target is None or not target.id else qualified_id(parent_of(target.id))
    numbers = _NUMBERS.get(properties.protocol.lower(), (6, 17))
    port = properties.frontend_port
    back = port if properties.floating or not properties.backend_port else properties.backend_port
    every = port == 0 or (port is None and properties.first is None)
    listens = ALL_TRAFFIC if every and len(numbers) > 1 else _traffic(numbers, port, properties.first, properties.last)
    arrives = listens if every else _traffic(numbers, back, properties.backend_port, properties.backend_port)
    snat = kind == "outbound" or (kind == "balancing" and not properties.disable_outbound_snat)
    return Balanced(
        id=qualified_id(rule.id),
        name=rule.name or name_of(rule.id),
        kind=kind,
        balancer=balancer,
        frontends=tuple(frontends[each] for each in named if each in frontends),
        pools=tuple(pools),
        interface=interface,
        listens=listens,
        arrives=arrives,
        snat=snat,
        # A Basic load balancer does not tell protocols apart on the way out.
        carries=_traffic(numbers, None, None, None) if closed else _TRANSLATED,
        closed=closed,
        floating=bool(properties.floating),
    )


def _traffic(numbers: Iterable[int], port: int | None, first: int | None, last: int | None) -> Traffic:
    low, high = (first, last) if port is None else (port, port)
    found = Traffic()
    for number in numbers:
        if low is None or high is None or not 0 < low <= high <= 65535:
            found |= Traffic.protocol(number)
        else:
            found |= Traffic.ports(number, low, high)
    return found


def join_load_balancers(draft: Draft) -> None:
    """Add what load balancers lead to: ways in from the internet, names inside, and addresses to leave under.

    A load balancer has no interface of its own. Who is behind it sees the client's address and its own port. Sources:
    https://learn.microsoft.com/azure/load-balancer/load-balancer-overview and
    https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections
    """
    for identifier, backing in draft.backings.items():
        for pool in backing.pools:
            draft.pools.setdefault(pool, set()).add(identifier)
    by_rule: defaultdict[str, set[str]] = defaultdict(set)
    for identifier, backing in draft.backings.items():
        for each in backing.nat_rules:
            by_rule[each].add(identifier)
    ports: defaultdict[tuple[str, AddressSet, str], list[AliasPort]] = defaultdict(list)
    led: list[tuple[Balanced, frozenset[str]]] = []
    for rule in sorted(draft.balanced, key=lambda one: one.id):
        members = {one for pool in rule.pools for one in draft.pools.get(pool, ())} | by_rule[rule.id]
        known = frozenset(member for member in members | {rule.interface} if member in draft.interfaces)
        led.append((rule, known))
        if rule.closed:
            draft.standard_pools |= known
        if rule.kind == "outbound":
            continue
        _reach(draft, rule, known)
        for frontend in rule.frontends:
            if frontend.inner:
                ports[rule.balancer, frontend.inner, frontend.network].append(_port(rule, known))
                _lead(draft, frontend, rule, known)
    _lend(draft, led)
    for (balancer, address, network), found in ports.items():
        workload = draft.workloads[balancer]
        identifier = f"{balancer}/{address}"
        draft.aliases[identifier] = Alias(
            id=identifier,
            kind="load-balancer",
            name=workload.name,
            region=workload.region,
            tags=workload.tags,
            words=(workload.name,),
            addresses=address,
            ports=tuple(found),
            network=network,
        )


def _lend(draft: Draft, led: list[tuple[Balanced, frozenset[str]]]) -> None:
    """Note under which addresses members leave for the internet, and what does: what some rule translates.

    Source: https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections#outboundrules
    """
    for rule, members in led:
        for frontend in rule.public if rule.snat else ():
            for member in members:
                known = draft.balanced_out.get(member, Lent())
                draft.balanced_out[member] = Lent(
                    known.addresses | frontend.public,
                    unlisted=known.unlisted or frontend.unlisted,
                    carries=known.carries | rule.carries,
                )


def _port(rule: Balanced, members: frozenset[str]) -> AliasPort:
    every = rule.listens == ALL_TRAFFIC
    return AliasPort(listens=None if every else rule.listens, sends=None if every else rule.arrives, targets=members)


def _reach(draft: Draft, rule: Balanced, members: frozenset[str]) -> None:
    if rule.floating:
        _float(draft, rule, members)
    if rule.public and members:
        _enter(draft, rule, members)


def _float(draft: Draft, rule: Balanced, members: frozenset[str]) -> None:
    """Let rules see those behind a frontend under its addresses as well.

    Source: https://learn.microsoft.com/azure/load-balancer/load-balancer-floating-ip
    """
    for frontend in rule.frontends:
        for member in members:
            interface = draft.interfaces[member]
            called = interface.called | frontend.public | frontend.inner
            draft.interfaces[member] = msgspec.structs.replace(interface, called=called)


def _enter(draft: Draft, rule: Balanced, members: frozenset[str]) -> None:
    if rule.closed:
        draft.standard |= members
    else:
        draft.basic |= members
    public = NO_ADDRESSES
    for frontend in rule.public:
        public |= frontend.public
    draft.entrances[rule.id] = Entrance(
        id=rule.id,
        kind="load-balancing-rule" if rule.kind == "balancing" else "inbound-nat-rule",
        name=rule.name,
        region=draft.workloads[rule.balancer].region,
        targets=members,
        traffic=rule.arrives,
        listens=rule.listens,
        straight=True,
        addresses=public,
        unlisted=any(each.unlisted for each in rule.public),
    )


def _lead(draft: Draft, frontend: Frontend, rule: Balanced, members: frozenset[str]) -> None:
    """Note whom routes to an inner frontend lead to, where every port leads to one interface."""
    if len(members) == 1 and rule.kind == "balancing":
        draft.frontends[frontend.inner, frontend.network] = next(iter(members))
