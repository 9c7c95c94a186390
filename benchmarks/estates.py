"""Estates for measuring reachability, straight in the model: applications of several replicas in peered networks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import (
    ANYONE,
    FACETS,
    Addresses,
    Carries,
    Coverage,
    Estate,
    Everyone,
    Gateway,
    Group,
    GroupRef,
    Interface,
    Network,
    Peering,
    Reading,
    Route,
    RouteTable,
    Rule,
    RuleSet,
    ScopeRead,
    Subnet,
)
from cloudseg.providers.aws.translate.pipeline import PIPELINE, VPC
from cloudseg.traffic import AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Direction, Peer

__all__ = ["Shape", "estate_of"]

_SCOPE, _REGION = "111122223333", "eu-west-1"
_ZONES = ("a", "b", "c")


class Shape(msgspec.Struct, frozen=True):
    """How large an estate is.

    Attributes:
        interfaces: how many interfaces.
        rules: how many rules of groups.
        replicas: interfaces of one application, spread over three subnets.
        ranges: distinct ranges that rules name; every tenth is narrower than a subnet.
        ports: distinct ports and port ranges that rules name.
        networks: networks; every one is peered with the first.
    """

    interfaces: int
    rules: int
    replicas: int = 10
    ranges: int = 400
    ports: int = 40
    networks: int = 10


def _id(own: str) -> str:
    return f"aws:{_SCOPE}:{_REGION}:{own}"


def _block(address: int, prefix: int) -> AddressSet:
    return AddressSet(v4=IntervalSet(((address, address + (1 << 32 - prefix) - 1),)))


class _Maker:
    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._random = random.Random(seed)
        self._ports = [self._port(number) for number in range(shape.ports)]
        self._ranges = [Addresses(self._range(number)) for number in range(shape.ranges)]
        self._apps = max(1, shape.interfaces // shape.replicas)
        self._remotes: dict[Peer, tuple[Peer, ...]] = {}

    def _port(self, number: int) -> Traffic:
        first = 1000 + 37 * number
        return Traffic.ports("tcp", first, first + (number % 3) * 10)

    def _range(self, number: int) -> AddressSet:
        network = self._random.randrange(self._shape.networks)
        inside = (10 << 24) + (network << 16)
        kind = number % 10
        if kind == 0:
            return _block(inside + self._random.randrange(1 << 12) * 16, 28)
        if kind < 5:
            return _block(inside + self._random.randrange(16) * 4096, 20)
        if kind < 7:
            return _block(inside, 16)
        return _block((203 << 24) + number * 256, 24)

    def networks(self) -> dict[str, dict[str, object]]:
        """Return the networks, their subnets, routes and peerings."""
        made: dict[str, dict[str, object]] = {
            kind: {} for kind in ("networks", "subnets", "route_tables", "peerings", "gateways")
        }
        for number in range(self._shape.networks):
            base = (10 << 24) + (number << 16)
            network = _id(f"vpc-{number}")
            made["networks"][network] = Network(
                id=network, kind="vpc", region=_REGION, addresses=_block(base, 16), pipeline=PIPELINE
            )
            gateway = _id(f"igw-{number}")
            made["gateways"][gateway] = Gateway(
                id=gateway, kind="internet-gateway", region=_REGION, networks=frozenset({network}), public=True
            )
            others = range(1, self._shape.networks) if number == 0 else range(1)
            routes = [
                Route(destination=Addresses(_block(base, 16)), kind="local", origin="local"),
                Route(destination=Addresses(_block(0, 0)), kind="internet-gateway", target=gateway),
            ]
            for other in others:
                peering = _id(f"pcx-{max(number, other)}")
                there = Addresses(_block((10 << 24) + (other << 16), 16))
                routes.append(Route(destination=there, kind="peering", target=peering))
                made["peerings"][peering] = Peering(
                    id=peering,
                    kind="peering",
                    region=_REGION,
                    networks=(_id("vpc-0"), _id(f"vpc-{max(number, other)}")),
                    regions=(_REGION, _REGION),
                    active=True,
                )
            subnets: list[str] = []
            for place in range(16):
                subnet = _id(f"subnet-{number}-{place}")
                subnets.append(subnet)
                made["subnets"][subnet] = Subnet(
                    id=subnet,
                    kind="subnet",
                    region=_REGION,
                    network=network,
                    addresses=_block(base + place * 4096, 20),
                    zone=_ZONES[place % 3],
                )
            table = _id(f"rtb-{number}")
            made["route_tables"][table] = RouteTable(
                id=table,
                kind="route-table",
                region=_REGION,
                network=network,
                subnets=frozenset(subnets),
                routes=tuple(routes),
            )
        return made

    def groups(self) -> tuple[dict[str, object], dict[str, object]]:
        """Return the groups and their rules: one for each application, and a common one for each network."""
        groups: dict[str, object] = {}
        lists: dict[str, object] = {}
        count = self._apps + self._shape.networks
        for number in range(count):
            name = _id(f"sg-{number}")
            network = _id(f"vpc-{number % self._shape.networks}")
            total = (number + 1) * self._shape.rules // count - number * self._shape.rules // count
            groups[name] = Group(
                id=name, kind="security-group", region=_REGION, selector=Carries(name), networks=(network,)
            )
            lists[name] = RuleSet(
                id=name,
                kind="security-group",
                region=_REGION,
                stage="security-groups",
                applies=Carries(name),
                network=network,
                rules=tuple(self._rule(number, position) for position in range(total)),
            )
        return groups, lists

    def _rule(self, group: int, position: int) -> Rule:
        direction: Direction = "egress" if position % 5 == 0 else "ingress"
        peer: Peer
        if position == 0 and group % 2:
            peer, traffic = Everyone(), Traffic.parse("all")
        else:
            traffic = self._random.choice(self._ports)
            if self._random.random() < 0.6:
                step = self._shape.networks * self._random.randrange(max(1, self._apps // self._shape.networks))
                peer = GroupRef(_id(f"sg-{(group % self._shape.networks + step) % self._apps}"))
            else:
                peer = self._random.choice(self._ranges)
        return Rule(
            id=f"sgr-{group}-{position}",
            direction=direction,
            verdict="next",
            traffic=traffic,
            # Rules with equal ends share them, as translating makes them.
            remote=self._remotes.setdefault(peer, (peer,)),
            local=ANYONE,
            description="for the benchmark",
        )

    def interfaces(self) -> dict[str, object]:
        """Return the interfaces: those of an application stand in three subnets of its network."""
        made: dict[str, object] = {}
        for number in range(self._shape.interfaces):
            app, replica = divmod(number, self._shape.replicas)
            network = app % self._shape.networks
            place = (app // self._shape.networks + replica % 3) % 16
            base = (10 << 24) + (network << 16) + place * 4096
            address = base + 16 + (number * 7919) % 4000
            name = _id(f"eni-{number}")
            made[name] = Interface(
                id=name,
                kind="network-interface",
                region=_REGION,
                network=_id(f"vpc-{network}"),
                subnet=_id(f"subnet-{network}-{place}"),
                addresses=AddressSet(v4=IntervalSet(((address, address),))),
                attached=frozenset((_id(f"sg-{app}"), _id(f"sg-{self._apps + network}"))),
            )
        return made


def estate_of(shape: Shape, seed: int = 7) -> Estate:
    """Return an estate of a shape; equal seeds give equal estates."""
    maker = _Maker(shape, seed)
    groups, lists = maker.groups()
    parts: dict[str, object] = {
        **maker.networks(),
        "groups": groups,
        "rule_sets": lists,
        "interfaces": maker.interfaces(),
    }
    regions: Sequence[str] = (_REGION, "global")
    readings = (Reading("aws", _SCOPE, region, facet, "read") for facet in FACETS for region in regions)
    return Estate(
        scopes=(ScopeRead("aws", _SCOPE, (_REGION,)),),
        pipelines={PIPELINE: VPC},
        coverage=Coverage(readings),
        **parts,  # type: ignore[arg-type]
    )
