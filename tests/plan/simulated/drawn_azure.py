"""Drawn subscriptions of Azure: NSGs at subnets and at interfaces, some at several places, and application groups."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import TYPE_CHECKING

import msgspec

from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule, vnet_id
from cloudseg.model import Addresses, InSubnets, Route
from cloudseg.traffic import AddressSet
from tests.plan.simulated.drawing import case_of, one_of

if TYPE_CHECKING:
    from cloudseg.model import Direction, Estate, Rule
    from tests.plan.simulated.drawing import Case

__all__ = ["drawn_azure"]

_ASGS = ("asg-web", "asg-app", "asg-db")
_SUBNETS = {"web": 1, "data": 2}
_SIX = "2603:10::/48"
_TRAFFIC = (("tcp/443", 5), ("tcp/1433", 5), ("tcp/22", 3), ("tcp/8000-8100", 3), ("udp/53", 2), ("all", 2), ("tcp", 1))
_NAMED = {
    "vnet": "10.1.0.0/16",
    "all": "*",
    "inside": "VirtualNetwork",
    "internet": "Internet",
    "six": "2603:10:0:2::/64",
    "site": "10.9.0.0/16",
    "cloud": "AzureCloud",
    "unread": "Storage.Unread",
}


def _remote(random: Random, hosts: list[str]) -> str:
    kind = one_of(
        random, ("subnet", 30), ("host", 18), ("vnet", 12), ("asg", 14), ("all", 6), ("inside", 6), ("internet", 3),
        ("six", 5), ("site", 2), ("cloud", 1), ("unread", 2),
    )  # fmt: skip
    if kind == "host":
        host = random.choice(hosts)
        return f"{host}/{128 if ':' in host else 32}"
    if kind == "asg":
        return random.choice(_ASGS)
    return _NAMED.get(kind, f"10.1.{random.choice((1, 2))}.0/24")


def _rules(random: Random, hosts: list[str], direction: Direction, most: int) -> list[Rule]:
    priorities = random.sample(
        (100, 101, 102, 110, 111, 200, 201, 300, 4000), random.randint(direction == "ingress", most)
    )
    local = ("*", "*", "*", "*", random.choice(_ASGS), f"{random.choice(hosts)}")
    return [
        nsg_rule(
            direction, priority, one_of(random, *_TRAFFIC), _remote(random, hosts),
            local=random.choice(local), deny=random.random() < 0.22,
        )
        for priority in priorities
    ]  # fmt: skip


def _nsg(random: Random, hosts: list[str]) -> tuple[Rule, ...]:
    rules = [*_rules(random, hosts, "ingress", 5), *_rules(random, hosts, "egress", 2)]
    if random.random() < 0.65:
        rules.append(nsg_rule("ingress", 4096, "all", deny=True))
    if random.random() < 0.2:
        rules.append(nsg_rule("egress", 4096, "all", deny=True))
    return tuple(rules)


def _at_both(estate: Estate, name: str, subnets: dict[str, str]) -> Estate:
    """Return the estate with an NSG at every subnet: one of the provider's, and one for each place in the model."""
    rule_sets = dict(estate.rule_sets)
    own = next(rule_sets.pop(key) for key in sorted(rule_sets) if key.endswith(f"/{name}"))
    for subnet, key in subnets.items():
        placed = f"{own.id}@rg/vnet-1/{subnet}"
        rule_sets[placed] = msgspec.structs.replace(own, id=placed, applies=InSubnets(frozenset((key,))))
    return dataclasses.replace(estate, rule_sets=rule_sets)


def _speaking_six(estate: Estate) -> Estate:
    """Return the estate with a second family inside its network."""
    inside = AddressSet.parse(_SIX)
    networks = {
        key: msgspec.structs.replace(each, addresses=each.addresses | inside) for key, each in estate.networks.items()
    }
    route = Route(destination=Addresses(inside), kind="local")
    tables = {
        key: msgspec.structs.replace(each, routes=(*each.routes, route)) for key, each in estate.route_tables.items()
    }
    subnets = {
        key: msgspec.structs.replace(
            each, addresses=each.addresses | AddressSet.parse(f"2603:10:0:{_SUBNETS[each.name]}::/64")
        )
        for key, each in estate.subnets.items()
    }
    return dataclasses.replace(estate, networks=networks, route_tables=tables, subnets=subnets)


def drawn_azure(seed: int) -> Case:
    """Return a subscription with what was seen and meant in it."""
    random = Random(seed)
    b = NsgBuilder()
    six = random.random() < 0.4
    places: list[tuple[str, str]] = []
    for number in range(random.randint(4, 7)):
        subnet = random.choice(tuple(_SUBNETS))
        address = f"10.1.{_SUBNETS[subnet]}.{10 + number}"
        if six and random.random() < 0.5:
            address += f", 2603:10:0:{_SUBNETS[subnet]}::{10 + number:x}"
        places.append((subnet, address))
    hosts = [address for _, both in places for address in both.split(", ")]
    for name in _ASGS:
        b.asg(name)
    both = random.random() < 0.25
    b.nsg("nsg-data", *_nsg(random, hosts), subnet="data")
    if not both and random.random() < 0.5:
        b.nsg("nsg-web", *_nsg(random, hosts), subnet="web")
    if random.random() < 0.6:
        b.nsg("nsg-own", *_nsg(random, hosts))
        own = "nsg-own"
    else:
        own = ""
    for number, (subnet, address) in enumerate(places):
        b.machine(
            f"nic-{number}", subnet, address, f"20.1.2.{number}" if random.random() < 0.2 else "",
            nsg=own if random.random() < 0.35 else "", asgs=random.sample(_ASGS, random.choice((0, 1, 1, 1, 2))),
        )  # fmt: skip
    estate = b.build()
    if both:
        estate = _at_both(estate, "nsg-data", {name: b.subnet(name) for name in _SUBNETS})
    return case_of("azure", seed, random, _speaking_six(estate) if six else estate, vnet_id())
