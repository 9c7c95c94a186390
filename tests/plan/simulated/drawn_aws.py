"""Drawn accounts of AWS: groups and their rules over three subnets, two of which speak IPv6."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Network, Template
from cloudseg.traffic import AddressSet
from tests.plan.simulated.drawing import case_of, one_of

if TYPE_CHECKING:
    from cloudseg.model import Rule
    from tests.plan.simulated.drawing import Case

__all__ = ["drawn_aws"]

_REGION = "eu-west-1"
_GROUPS = ("sg-web", "sg-app", "sg-db", "sg-ops")
_SUBNETS = {"subnet-public": "1", "subnet-private": "2", "subnet-data": "3"}
_RANGES = {"v4": "10.0.0.0/16", "v6": "2600:1f18:0:1000::/56"}
_TRAFFIC = (("tcp/443", 5), ("tcp/5432", 5), ("tcp/22", 3), ("tcp/8000-8100", 3), ("udp/53", 2), ("all", 2),
            ("tcp/0-65535", 1), ("icmp/8", 0.5))  # fmt: skip


def _six(number: int, host: int) -> str:
    return f"2600:1f18:0:100{number}::{host:x}"


def _network(random: Random, b: EstateBuilder) -> None:
    addresses = AddressSet.parse(", ".join(_RANGES.values()))
    b.put("networks", Network(id=b.id("vpc-1"), kind="vpc", region=_REGION, pipeline="aws", addresses=addresses))
    for name, number in _SUBNETS.items():
        six = "" if name == "subnet-data" else f", 2600:1f18:0:100{number}::/64"
        b.subnet(name, f"10.0.{number}.0/24{six}")
    b.route("rtb-public", "0.0.0.0/0", "internet-gateway", "igw-1")
    b.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    if random.random() < 0.3:
        b.route("rtb-private", "0.0.0.0/0", "nat-gateway", "nat-1")
    entries = [
        acl_entry(direction, number, "all", cidr)
        for direction in ("ingress", "egress")
        for number, cidr in ((100, "0.0.0.0/0"), (110, "::/0"))
    ]
    if random.random() < 0.15:
        entries.append(acl_entry("ingress", 90, "tcp/22", "10.0.2.0/24", deny=True))
    b.acl("acl-1", _SUBNETS, tuple(entries))


def _remote(random: Random, hosts: list[str]) -> str:
    kind = one_of(
        random, ("subnet", 30), ("host", 16), ("vpc", 12), ("six", 12), ("group", 14), ("list", 6), ("any", 5),
        ("any6", 2), ("wide", 4), ("site", 2),
    )  # fmt: skip
    subnet = random.choice("123")
    match kind:
        case "subnet":
            return f"10.0.{subnet}.0/24"
        case "host":
            host = random.choice(hosts)
            return f"{host}/128" if ":" in host else f"{host}/32"
        case "six":
            return random.choice((f"2600:1f18:0:100{random.choice('12')}::/64", _RANGES["v6"]))
        case "group":
            return random.choice(_GROUPS)
        case "list":
            return random.choice(("pl-read", "pl-unread"))
        case _:
            return {"vpc": _RANGES["v4"], "any": "0.0.0.0/0", "any6": "::/0", "wide": "10.0.0.0/8",
                    "site": "10.9.0.0/16"}[kind]  # fmt: skip


def _rules(random: Random, hosts: list[str]) -> tuple[Rule, ...]:
    found = [
        allow("ingress", one_of(random, *_TRAFFIC), _remote(random, hosts))
        for _ in range(random.choice((0, 1, 1, 2, 3)))
    ]
    if random.random() < 0.85:
        found.append(allow("egress", "all", "0.0.0.0/0"))
        if random.random() < 0.6:
            found.append(allow("egress", "all", "::/0"))
    else:
        found += [
            allow("egress", one_of(random, *_TRAFFIC), _remote(random, hosts)) for _ in range(random.randint(0, 3))
        ]
    return tuple({rule.id: rule for rule in found}.values())


def drawn_aws(seed: int) -> Case:
    """Return an account with what was seen and meant in it."""
    random = Random(seed)
    b = EstateBuilder(unread=("groups",) if random.random() < 0.01 else ())
    _network(random, b)
    places: list[tuple[str, str]] = []
    for number in range(random.randint(4, 6)):
        subnet = random.choice(tuple(_SUBNETS))
        host = 10 + number
        address = f"10.0.{_SUBNETS[subnet]}.{host}"
        if subnet != "subnet-data" and random.random() < 0.45:
            address += f", {_six(int(_SUBNETS[subnet]), host)}"
        places.append((subnet, address))
    hosts = [address for _, both in places for address in both.split(", ")]
    for name in _GROUPS:
        managed = "an operator" if random.random() < 0.06 else ""
        b.group(name, *_rules(random, hosts), name=name.removeprefix("sg-"), managed_by=managed)
    has_default = random.random() < 0.3
    if has_default:
        b.group(
            "sg-default", allow("ingress", "all", "sg-default"), allow("egress", "all", "0.0.0.0/0"), is_default=True
        )
    b.prefix_list("pl-read", *(f"{host}/32" for host in hosts[:2] if ":" not in host), "10.9.0.0/16")
    b.prefix_list("pl-unread", read=False)
    for number, (subnet, address) in enumerate(places):
        groups = random.sample(_GROUPS, random.choice((1, 1, 1, 2)))
        if has_default and random.random() < 0.2:
            groups = ["sg-default"]
        public = f"203.0.113.{100 + number}" if subnet == "subnet-public" and random.random() < 0.5 else ""
        unread = random.random() < 0.015
        b.interface(f"eni-{number}", subnet, groups, address, public, attached_unread=unread)
    if random.random() < 0.1:
        chosen = frozenset((b.id(random.choice(_GROUPS)),))
        b.put("templates", Template(id=b.id("lt-1"), kind="launch-template", region=_REGION, groups=chosen))
    return case_of("aws", seed, random, b.build(), "vpc-1")
