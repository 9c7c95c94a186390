"""A deterministic generator of AWS accounts of any size.

:func:`describe` gives one description for a size and a seed; ``account_snapshot`` makes a snapshot of it and
``account_api`` fills an API with it. Nothing here knows how either looks.

The account is laid out as many are: a network for each environment, three tiers of subnets over three zones,
applications of five groups (load balancer, web, application, database, operations), and some mistakes.
"""

from __future__ import annotations

import ipaddress
import random
from typing import Literal

import msgspec

__all__ = [
    "LISTS",
    "ZONES",
    "Account",
    "Balancer",
    "Bucket",
    "Database",
    "Function",
    "Group",
    "GroupRule",
    "Instance",
    "Network",
    "Size",
    "Subnet",
    "describe",
]

Tier = Literal["public", "private", "data"]
PeerKind = Literal["ipv4", "ipv6", "group", "list"]
Direction = Literal["ingress", "egress"]

ZONES = ("a", "b", "c")
TIERS: tuple[Tier, ...] = ("public", "private", "data")
ROLES = ("lb", "web", "app", "db", "ops")
ENVIRONMENTS = ("prod", "staging", "dev", "shared")
LISTS = ("corporate", "partners", "monitoring")
"""Names of the customer-managed prefix lists."""

ANYWHERE, ANYWHERE_V6 = "0.0.0.0/0", "::/0"
_TIER_OF: dict[str, Tier] = {"web": "private", "app": "private", "db": "data", "ops": "public"}
_TRAFFIC = (
    ("tcp", 443, 443),
    ("tcp", 80, 80),
    ("tcp", 22, 22),
    ("tcp", 3306, 3306),
    ("tcp", 5432, 5432),
    ("tcp", 6379, 6379),
    ("tcp", 8080, 8080),
    ("tcp", 8443, 8443),
    ("tcp", 9092, 9094),
    ("tcp", 9100, 9100),
    ("tcp", 9200, 9300),
    ("tcp", 1024, 65535),
    ("udp", 53, 53),
    ("udp", 123, 123),
    ("icmp", -1, -1),
)


class Size(msgspec.Struct, frozen=True):
    """How large an account is: rules of its groups, groups, instances, networks, and distinct ranges in the rules."""

    rules: int
    groups: int
    instances: int
    networks: int
    ranges: int = 400

    @staticmethod
    def of_rules(rules: int) -> Size:
        """An account with that many rules: 50 a group, 5 instances a group, 100 groups a network."""
        groups = max(10, rules // 50)
        return Size(rules, groups, groups * 5, max(2, min(200, groups // 100)))


class Subnet(msgspec.Struct, frozen=True):
    """A subnet: of which network, tier and zone."""

    name: str
    network: str
    tier: Tier
    zone: str
    cidr: str


class Network(msgspec.Struct, frozen=True):
    """A VPC with internet and NAT gateway; some have no flow logs, some no ACL of their own before the data tier."""

    name: str
    environment: str
    cidr: str
    subnets: tuple[Subnet, ...]
    flow_logs: bool
    data_acl: bool


class GroupRule(msgspec.Struct, frozen=True, order=True):
    """One rule. ``peer`` is a range, the name of a group or of a prefix list; ports as the API takes them."""

    direction: Direction
    protocol: str
    first: int
    last: int
    kind: PeerKind
    peer: str
    description: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells rules of a group apart: everything but the description."""
        return (self.direction, self.protocol, str(self.first), str(self.last), self.kind, self.peer)


_ROLE_RULES = {
    "lb": (
        GroupRule("ingress", "tcp", 443, 443, "ipv4", ANYWHERE, "public site"),
        GroupRule("ingress", "tcp", 443, 443, "ipv6", ANYWHERE_V6, "public site"),
        GroupRule("ingress", "tcp", 80, 80, "ipv4", ANYWHERE, "redirect"),
    ),
    "ops": (GroupRule("ingress", "tcp", 22, 22, "list", "corporate", "operators"),),
}
_BEFORE = {"web": ("lb", 8080), "app": ("web", 8443), "db": ("app", 5432)}
"""The tier that a tier is called from, and on which port."""
_MISTAKES = {
    "lb": (0.05, GroupRule("ingress", "tcp", 22, 22, "ipv4", ANYWHERE)),
    "web": (0.1, GroupRule("ingress", "tcp", 0, 65535, "ipv4", ANYWHERE)),
    "app": (0.2, GroupRule("ingress", "-1", -1, -1, "ipv4", "10.0.0.0/8", "cluster")),
    "db": (0.2, GroupRule("ingress", "tcp", 5432, 5432, "ipv4", "10.0.0.0/8")),
    "ops": (0.3, GroupRule("ingress", "tcp", 22, 22, "ipv4", ANYWHERE, "temporary")),
}
"""How often a mistake is made in a tier, and which."""


class Group(msgspec.Struct, frozen=True):
    """A security group of an application."""

    name: str
    network: str
    application: str
    role: str
    rules: tuple[GroupRule, ...]


class Instance(msgspec.Struct, frozen=True):
    """An instance with one interface."""

    name: str
    subnet: Subnet
    groups: tuple[str, ...]
    address: str
    public: str
    application: str
    role: str


class Balancer(msgspec.Struct, frozen=True):
    """A load balancer over the three zones of its tier."""

    name: str
    network: str
    group: str
    internal: bool


class Database(msgspec.Struct, frozen=True):
    """A database instance in the data tier."""

    name: str
    network: str
    group: str
    engine: str
    public: bool


class Function(msgspec.Struct, frozen=True):
    """A function in the private tier; one with a URL is on the internet."""

    name: str
    network: str
    group: str
    url: bool


class Bucket(msgspec.Struct, frozen=True):
    """A bucket; one that is not blocked has a public policy."""

    name: str
    blocked: bool


class Account(msgspec.Struct, frozen=True):
    """Everything of one account in one region, by names."""

    size: Size
    networks: tuple[Network, ...]
    groups: tuple[Group, ...]
    instances: tuple[Instance, ...]
    balancers: tuple[Balancer, ...]
    databases: tuple[Database, ...]
    functions: tuple[Function, ...]
    buckets: tuple[Bucket, ...]
    lists: dict[str, tuple[str, ...]]


def describe(size: Size, seed: int = 1) -> Account:
    """Return the account of a size; the same size and seed give the same account."""
    chance = random.Random(seed)
    networks = tuple(_network(number) for number in range(size.networks))
    names = _group_names(size, networks)
    ranges = _ranges(chance, size.ranges, networks)
    groups = _groups(chance, size, names, ranges)
    leaders = [group for group in groups if group.role == "lb"]
    stores = [group for group in groups if group.role == "db"] or list(groups)
    workers = [group for group in groups if group.role == "app"] or list(groups)
    return Account(
        size=size,
        networks=networks,
        groups=groups,
        instances=tuple(_instances(chance, size, networks, groups)),
        balancers=tuple(
            Balancer(f"{group.application}-lb", group.network, group.name, internal=number % 3 == 2)
            for number, group in enumerate(leaders[::2])
        ),
        databases=tuple(
            Database(
                f"{group.application}-db", group.network, group.name, chance.choice(("postgres", "mysql")),
                public=number % 10 == 9,
            )
            for number, group in enumerate(stores[::4])
        ),
        functions=tuple(
            Function(f"{group.application}-worker", group.network, group.name, url=number % 5 == 0)
            for number, group in enumerate(workers[::10])
        ),
        buckets=tuple(Bucket(f"benchmark-{number:04}", blocked=number % 7 != 6) for number in range(size.groups // 25)),
        lists={name: tuple(chance.sample([r for r in ranges if ":" not in r], 12)) for name in LISTS},
    )  # fmt: skip


def _network(number: int) -> Network:
    environment = ENVIRONMENTS[number % len(ENVIRONMENTS)]
    name = f"{environment}-{number // len(ENVIRONMENTS) + 1}"
    block = ipaddress.ip_network(f"10.{number}.0.0/16")
    places: list[tuple[Tier, str]] = [(tier, zone) for tier in TIERS for zone in ZONES]
    subnets = tuple(
        Subnet(f"{name}-{tier}-{zone}", name, tier, zone, str(part))
        for (tier, zone), part in zip(places, block.subnets(new_prefix=20), strict=False)
    )
    return Network(name, environment, str(block), subnets, flow_logs=number % 3 != 2, data_acl=number % 2 == 0)


def _group_names(size: Size, networks: tuple[Network, ...]) -> list[tuple[str, Network, str]]:
    """Name, network and role of each group: whole applications, dealt out to the networks in turn."""
    found: list[tuple[str, Network, str]] = []
    for number in range(size.groups):
        application, role = divmod(number, len(ROLES))
        found.append((f"app{application:05}-{ROLES[role]}", networks[application % len(networks)], ROLES[role]))
    return found


def _ranges(chance: random.Random, count: int, networks: tuple[Network, ...]) -> list[str]:
    """Distinct ranges as they stand in rules: parts of the networks, of the premises, of partners, some IPv6."""
    found: dict[str, None] = {}
    while len(found) < count:
        draw = chance.random()
        if draw < 0.5:
            base = int(ipaddress.ip_network(chance.choice(networks).cidr).network_address)
            length = chance.choice((16, 20, 24, 24, 28, 32))
            address = base + chance.getrandbits(16)
        elif draw < 0.8:
            base = int(ipaddress.ip_address("172.16.0.0"))
            length = chance.choice((16, 20, 24, 24))
            address = base + chance.getrandbits(20)
        elif draw < 0.95:
            base = int(ipaddress.ip_address("20.0.0.0"))
            length = chance.choice((22, 24, 28, 29, 32, 32, 32))
            address = base + chance.getrandbits(26)
        else:
            found[f"2a05:{chance.getrandbits(15):x}:{chance.getrandbits(15):x}::/48"] = None
            continue
        found[str(ipaddress.ip_network((address, length), strict=False))] = None
    return list(found)


def _groups(
    chance: random.Random, size: Size, names: list[tuple[str, Network, str]], ranges: list[str]
) -> tuple[Group, ...]:
    in_network: dict[str, list[str]] = {}
    for name, network, _ in names:
        in_network.setdefault(network.name, []).append(name)
    known = {name for name, _, _ in names}
    quota, rest = divmod(size.rules, size.groups)
    found: list[Group] = []
    for number, (name, network, role) in enumerate(names):
        application = name.rsplit("-", 1)[0]
        # Two rules that differ in their description only are one to the API.
        rules = {rule.identity: rule for rule in _purpose(chance, application, role, known)}
        wanted = quota + (number < rest)
        while len(rules) < wanted:
            rule = _further(chance, ranges, in_network[network.name])
            rules.setdefault(rule.identity, rule)
        found.append(Group(name, network.name, application, role, tuple(rules.values())[:wanted]))
    return tuple(found)


def _purpose(chance: random.Random, application: str, role: str, known: set[str]) -> list[GroupRule]:
    """What the role of a group is for, what mistakes are made there, and how it leaves."""
    rules = list(_ROLE_RULES.get(role, ()))
    if role in _BEFORE:
        previous, port = _BEFORE[role]
        rules.append(_from(application, previous, port, known))
        if role != "db":
            rules.append(_from(application, "ops", 22, known))
    often, mistake = _MISTAKES[role]
    if chance.random() < often:
        rules.append(mistake)
    if chance.random() < 0.8:
        rules.append(GroupRule("egress", "-1", -1, -1, "ipv4", ANYWHERE))
    else:
        rules.append(GroupRule("egress", "tcp", 443, 443, "ipv4", ANYWHERE, "updates"))
    return rules


def _from(application: str, previous: str, port: int, known: set[str]) -> GroupRule:
    peer = f"{application}-{previous}"
    if peer in known:
        return GroupRule("ingress", "tcp", port, port, "group", peer, f"from the {previous} tier")
    return GroupRule("ingress", "tcp", port, port, "ipv4", "10.0.0.0/8")


def _further(chance: random.Random, ranges: list[str], siblings: list[str]) -> GroupRule:
    direction: Direction = "ingress" if chance.random() < 0.85 else "egress"
    protocol, first, last = chance.choice(_TRAFFIC)
    description = f"ticket {chance.randrange(100, 10000)}" if chance.random() < 0.7 else ""
    draw = chance.random()
    kind: PeerKind
    if draw < 0.25:
        kind, peer = "group", chance.choice(siblings)
    elif draw < 0.28:
        kind, peer = "list", chance.choice(LISTS)
    else:
        peer = chance.choice(ranges)
        kind = "ipv6" if ":" in peer else "ipv4"
    return GroupRule(direction, protocol, first, last, kind, peer, description)


def _instances(
    chance: random.Random, size: Size, networks: tuple[Network, ...], groups: tuple[Group, ...]
) -> list[Instance]:
    by_name = {network.name: network for network in networks}
    hosting = [group for group in groups if group.role != "lb"]
    weights = [{"web": 4, "app": 4, "db": 1, "ops": 1}[group.role] for group in hosting]
    used: dict[str, int] = {}
    found: list[Instance] = []
    for number, group in enumerate(chance.choices(hosting, weights, k=size.instances)):
        tier = _TIER_OF[group.role]
        if tier == "private" and chance.random() < 0.05:
            tier = "public"
        subnet = chance.choice([each for each in by_name[group.network].subnets if each.tier == tier])
        host = used[subnet.name] = used.get(subnet.name, 9) + 1
        network = ipaddress.ip_network(subnet.cidr)
        carried = [group.name]
        if group.role != "ops" and chance.random() < 0.2:
            carried.append(
                chance.choice([each.name for each in hosting[:50] if each.network == group.network] or carried)
            )
        public = str(ipaddress.ip_address("3.64.0.0") + number) if tier == "public" else ""
        found.append(
            Instance(
                f"{group.name}-{number}", subnet, tuple(dict.fromkeys(carried)), str(network[host]), public,
                group.application, group.role,
            )
        )  # fmt: skip
    return found
