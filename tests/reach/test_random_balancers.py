"""Random small estates with load balancers, against one packet at a time from an address to an address.

The little model here knows single addresses and ports, rules by range or group, and network ACLs that tell nothing but
addresses apart. It says what passes for sure, and what may.
"""

from __future__ import annotations

from functools import reduce
from random import Random
from typing import NamedTuple

import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Forward, Forwarder, ForwardTarget
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.search import ways_between
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

q = EstateBuilder.id
PORTS = (443, 8443, 8080, 9090, 9000)
RANGES = ("10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.1.0/25", "0.0.0.0/0")
GROUPS = ("sg-0", "sg-1", "sg-2", "sg-3")


class Host(NamedTuple):
    name: str
    address: str
    subnet: str
    groups: frozenset[str]


class Grant(NamedTuple):
    direction: str
    port: int
    peer: str


class Way(NamedTuple):
    """What one listener sends to one target group."""

    listens: int
    port: int
    check: int
    keeps: bool | None
    targets: frozenset[str]


class Town(NamedTuple):
    hosts: dict[str, Host]
    nodes: tuple[str, ...]
    grants: dict[str, frozenset[Grant]]
    denied: dict[str, frozenset[tuple[str, str]]]
    ways: tuple[Way, ...]


def draw(random: Random) -> Town:
    hosts: dict[str, Host] = {}
    nodes = ("node-1", "node-2")
    for number, name in enumerate((*nodes, "t-1", "t-2", "t-3", "c-1", "c-2", "c-3"), start=10):
        third = random.choice((1, 2, 3))
        last = number + random.choice((0, 128))
        groups = frozenset(random.sample(GROUPS, random.choice((1, 1, 2))))
        hosts[name] = Host(name, f"10.0.{third}.{last}", f"subnet-{third}", groups)
    grants = {
        group: frozenset(
            Grant(random.choice(("ingress", "egress")), random.choice(PORTS), random.choice((*RANGES, *GROUPS)))
            for _ in range(14)
        )
        for group in GROUPS
    }
    denied = {
        f"subnet-{third}": frozenset(
            (random.choice(("ingress", "egress")), random.choice(RANGES[1:5])) for _ in range(random.choice((0, 0, 1)))
        )
        for third in (1, 2, 3)
    }
    ways = tuple(
        Way(
            random.choice(PORTS[:2]),
            random.choice(PORTS[2:]),
            random.choice(PORTS[2:]),
            random.choice((True, True, False, None)),
            frozenset(random.sample(("t-1", "t-2", "t-3", "c-1"), 2)),
        )
        for _ in range(random.choice((1, 2, 3)))
    )
    return Town(hosts, nodes, grants, denied, ways)


def built(town: Town, *, public: bool = False) -> Reachability:
    """Return the reachability of a town; with ``public`` the internet addresses the nodes, and nothing else."""
    builder = EstateBuilder()
    for third in (1, 2, 3):
        name = f"subnet-{third}"
        builder.subnet(name, f"10.0.{third}.0/24", zone=f"eu-west-1{'abc'[third - 1]}")
        if public:
            builder.route(f"rtb-{third}", "0.0.0.0/0", "internet-gateway", "igw-1")
        denials = [
            acl_entry("ingress" if side == "ingress" else "egress", number, "all", cidr, deny=True)
            for number, (side, cidr) in enumerate(sorted(town.denied[name]), start=1)
        ]
        both = (acl_entry("ingress", 900, "all", "0.0.0.0/0"), acl_entry("egress", 900, "all", "0.0.0.0/0"))
        builder.acl(f"acl-{third}", [name], (*denials, *both))
    for group, grants in town.grants.items():
        rules = [
            allow("ingress" if grant.direction == "ingress" else "egress", f"tcp/{grant.port}", grant.peer)
            for grant in sorted(grants)
        ]
        builder.group(group, *rules)
    for host in town.hosts.values():
        owner = {"workload": q("lb")} if host.name in town.nodes else {}
        own = f"203.0.113.{town.nodes.index(host.name) + 1}" if public and owner else ""
        builder.interface(host.name, host.subnet, sorted(host.groups), host.address, own, **owner)
    forwards = tuple(
        Forward(
            name=f"tg-{number}",
            listens=tcp({way.listens}),
            traffic=tcp({way.port}),
            checks=tcp({way.check}),
            keeps_client=way.keeps,
            cross_zone=True,
            targets=tuple(ForwardTarget(target=q(name), healthy=True) for name in sorted(way.targets)),
        )
        for number, way in enumerate(town.ways)
    )
    accepts = tcp({way.listens for way in town.ways})
    balancer = {"kind": "network-load-balancer", "region": "eu-west-1", "accepts": accepts, "forwards": forwards}
    builder.put("forwarders", Forwarder(id=q("lb"), **balancer))  # type: ignore[arg-type]
    return Reachability(builder.build())


def tcp(ports: set[int]) -> Traffic:
    return Traffic.parse(", ".join(f"tcp/{port}" for port in sorted(ports)) or "none")


def within(address: str, cidr: str) -> bool:
    return AddressSet.parse(address) <= AddressSet.parse(cidr)


def granted(town: Town, own: Host, direction: str, port: int, address: str, groups: frozenset[str]) -> bool:
    return any(
        grant.direction == direction
        and grant.port == port
        and (grant.peer in groups or ("/" in grant.peer and within(address, grant.peer)))
        for group in own.groups
        for grant in town.grants[group]
    )


def listed(town: Town, subnet: str, direction: str, address: str) -> bool:
    """Whether the network ACL of a subnet lets packets from or to an address through."""
    return not any(side == direction and within(address, cidr) for side, cidr in town.denied[subnet])


def both_ways(town: Town, subnet: str, address: str) -> bool:
    return listed(town, subnet, "ingress", address) and listed(town, subnet, "egress", address)


def reaches(town: Town, source: Host, target: Host, port: int) -> bool:
    """Whether a packet under the source's own address passes."""
    near = source.subnet == target.subnet
    return (
        granted(town, source, "egress", port, target.address, target.groups)
        and granted(town, target, "ingress", port, source.address, source.groups)
        and (
            near or (both_ways(town, source.subnet, target.address) and both_ways(town, target.subnet, source.address))
        )
    )


def handed(town: Town, node: Host, target: Host, way: Way, *, sure: bool) -> bool:
    """Whether a node hands on what some client asks for, under the client's address."""
    near = node.subnet == target.subnet
    if not granted(town, node, "egress", way.port, target.address, target.groups):
        return False
    if sure and not (near or both_ways(town, node.subnet, target.address)):
        return False
    return any(
        client.name not in town.nodes
        and not (sure and client == target)
        and reaches(town, client, node, way.listens)
        # Of the client nothing but its address matters, and of the node its groups.
        and granted(town, target, "ingress", way.port, client.address, node.groups)
        and (near or both_ways(town, target.subnet, client.address) or (not sure and client.subnet == target.subnet))
        for client in town.hosts.values()
    )


def expected(town: Town, node: Host, target: Host, *, sure: bool) -> Traffic:
    passing: set[int] = set()
    # That a node may ask for a port by itself does not show that clients who are told from it get through to that port.
    told_apart = {way.port for way in town.ways if way.keeps is not False}
    for way in town.ways:
        if target.name not in way.targets:
            continue
        if reaches(town, node, target, way.check) and not (sure and way.check in told_apart):
            passing.add(way.check)
        shown = reaches(town, node, target, way.port)
        kept = handed(town, node, target, way, sure=sure)
        either = (shown and kept) if sure else (shown or kept)
        if either if way.keeps is None else kept if way.keeps else shown:
            passing.add(way.port)
    return tcp(passing)


@pytest.mark.semantics(42)
@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_load_balancers_send_what_single_packets_do(start: int) -> None:
    sending = 0
    for seed in range(start, start + 20):
        town = draw(Random(seed))
        reach = built(town)
        for node in (town.hosts[name] for name in town.nodes):
            for other in town.hosts.values():
                if other != node:
                    found = reach.between(q(node.name), q(other.name))
                    assert found.lower == expected(town, node, other, sure=True), (seed, node, other)
                    assert found.upper == expected(town, node, other, sure=False), (seed, node, other)
                    sending += bool(found.lower)
            for client in town.hosts.values():
                ports = {way.listens for way in town.ways if reaches(town, client, node, way.listens)}
                heard = tcp(set() if client.name in town.nodes else ports)
                assert reach.between(q(client.name), q(node.name)).upper == heard, (seed, client, node)
    assert sending > 5


def opened(town: Town, random: Random) -> Town:
    """Return a town of which many rules admit everybody, or everybody of some part of the internet."""
    everybody = ("0.0.0.0/0", "198.51.100.0/24", "")
    grants = {
        group: frozenset(each._replace(peer=random.choice(everybody) or each.peer) for each in sorted(grants))
        for group, grants in town.grants.items()
    }
    denied: dict[str, frozenset[tuple[str, str]]] = {}
    for subnet, denials in town.denied.items():
        more = {(random.choice(("ingress", "egress")), "198.51.100.0/24")} if random.random() < 0.2 else ()
        denied[subnet] = denials.union(more)
    return town._replace(grants=grants, denied=denied)


def shown(town: Town, node: Host, target: Host, way: Way, client: str, *, sure: bool) -> bool:
    """Whether a node hands on what a client outside asks for, under the client's address."""
    near, nobody = node.subnet == target.subnet, frozenset[str]()
    return (
        target.name in way.targets
        and (way.keeps is True or (way.keeps is None and not sure))
        # To the node, by what clients send there.
        and granted(town, node, "ingress", way.listens, client, nobody)
        and both_ways(town, node.subnet, client)
        # From the node to the target, by what the target gets, of which the rules see the client.
        and granted(town, node, "egress", way.port, target.address, target.groups)
        and (near or not sure or both_ways(town, node.subnet, target.address))
        and granted(town, target, "ingress", way.port, client, node.groups)
        and (near or both_ways(town, target.subnet, client))
    )


@pytest.mark.semantics(42)
@pytest.mark.parametrize("start", range(0, 90, 30))
def test_random_load_balancers_show_their_targets_the_clients_outside(start: int) -> None:
    client, arriving = "198.51.100.7", 0
    for seed in range(start, start + 30):
        town = opened(draw(Random(seed)), Random(seed))
        reach = built(town, public=True)
        outside = AddressSet.parse(client)
        for target in (host for host in town.hosts.values() if host.name not in town.nodes):
            found = reach.delivered(outside, q(target.name))
            for sure, bound in ((True, found.lower), (False, found.upper)):
                ports = {
                    way.port
                    for way in town.ways
                    for name in town.nodes
                    if shown(town, town.hosts[name], target, way, client, sure=sure)
                }
                assert bound == tcp(ports), (seed, target, sure)
            arriving += bool(found.lower)
            told = explain(reach, outside, q(target.name), ALL_TRAFFIC)
            assert (told.lower, told.upper) == (str(found.lower), str(found.upper)), (seed, target)
            assert not [note for note in told.notes if "do not account for" in note], (seed, target)
            ways = ways_between(reach, outside, q(target.name), ALL_TRAFFIC)
            walks = [walk for way in ways.direct for walk in way(ALL_TRAFFIC)]
            assert reduce(Traffic.__or__, (walk.lower for walk in walks), tcp(set())) == found.lower, (seed, target)
            assert reduce(Traffic.__or__, (walk.upper for walk in walks), tcp(set())) == found.upper, (seed, target)
    assert arriving > 3
