"""Random small Google Cloud estates, as raw answers: the same number gives the same estate.

Two or three networks in one or two projects, one of which may be a Shared VPC, joined by peerings that lack a half now
and then; machines with one interface or two.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.gcp.drawn_rules import ACCOUNTS, TAGS, Names, policy_rules, some, vpc_rules
from tests.gcp.raw import PROJECT, REGION, Raw
from tests.gcp.raw_more import group, nat, secure_tag, six_of, tunnel
from tests.gcp.raw_parts import Card

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HOST", "OUTSIDE", "TEAM", "Drawn", "Place", "drawn"]

HOST, TEAM = "host", "team"
OUTSIDE = (
    "8.8.8.8", "8.8.8.0", "8.8.8.255", "9.9.9.9", "9.9.9.9", "128.0.0.1", "172.16.8.9", "172.16.9.9", "192.168.7.7",
    "35.235.240.7", "2620:fe::9", "2620:fe::9", "3000::7",
)  # fmt: skip
"""Addresses of nobody in an estate: on the internet, at home, and those of Identity-Aware Proxy."""
_REGIONS = (REGION, "europe-west1")
_LISTED = "LIST_OF_SUBNETWORKS"
_SCOPES = ("ALL_SUBNETWORKS_ALL_IP_RANGES", "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES", _LISTED)


class Place(NamedTuple):
    """An interface with the addresses that it sends from, and the one-to-one address."""

    own: str
    machine: str
    internal: list[str]
    public: str


class Sub(NamedTuple):
    """A subnet while it is drawn; ``stem`` is its range without the last number and ``six`` its IPv6 range."""

    name: str
    region: str
    stem: str
    six: str


class Net(NamedTuple):
    """A network while it is drawn."""

    number: int
    name: str
    project: str
    subnets: list[Sub]


class Drawn(NamedTuple):
    """Raw answers, and the places that packets are drawn from."""

    raw: Raw
    places: list[Place]


def drawn(seed: int) -> Drawn:
    """Draw an estate."""
    random = Random(seed)
    raw = Raw()
    raw.project(HOST, "2002")
    raw.project(TEAM, "2003", host=HOST)
    nets = [_net(random, raw, number) for number in range(1, random.choice((2, 2, 3)) + 1)]
    secure = [
        secure_tag(raw, str(number), "" if number == 3 else net.name, numbered=some(random, 0.5), project=net.project)
        for number, net in enumerate((*nets[:2], nets[0]), start=1)
    ]
    places = _machines(random, raw, nets, secure)
    _peerings(random, raw, nets)
    groups = [group(raw, "known", "8.8.8.0/25", "10.1.1.0/25"), group(raw, "six", "2620:fe::/32")]
    groups.append("projects/elsewhere/locations/global/addressGroups/unread" if some(random, 0.5) else groups[0])
    for net in nets:
        names = _names(raw, net, nets, secure, groups)
        raw.firewall(net.name, *vpc_rules(random, names))
        _policies(random, raw, net, names)
        _ways(random, raw, net, places)
    return Drawn(raw, places)


def _net(random: Random, raw: Raw, number: int) -> Net:
    """A network with one to three subnets, some of which are dual-stack."""
    project = random.choice((PROJECT, PROJECT, HOST)) if number < 3 else random.choice((TEAM, HOST, PROJECT))
    name = f"n{number}"
    raw.network(name, project=project, before=random.choice((None, False, True, True)))
    subnets: list[Sub] = []
    for each in range(1, random.choice((1, 2, 2, 3)) + 1):
        odd = each == 3 and some(random, 0.5)
        stem = f"51.10.{number}" if odd else f"10.{1 if number == 3 and some(random, 0.1) else number}.{each}"
        external = some(random, 0.5)
        six = f"2600:1900:{number}:{each}::/64" if external else f"fd20:{number}:0:{each}::/64"
        six = six if some(random, 0.5) else ""
        sub = Sub(f"s{number}{each}", random.choice(_REGIONS), stem, six)
        raw.subnet(
            name, sub.name, f"{stem}.0/24", region=sub.region, six=six, external=external,
            secondary={f"pods-{number}{each}": f"10.{100 + number}.{each}.0/24"} if some(random, 0.5) else {},
            google_access=some(random, 0.05),
        )  # fmt: skip
        subnets.append(sub)
    return Net(number, name, project, subnets)


def _names(raw: Raw, net: Net, nets: list[Net], secure: list[str], groups: list[str]) -> Names:
    four: list[str] = []
    six: list[str] = []
    for each in nets:
        for sub in each.subnets[:2]:
            four += [f"{sub.stem}.0/24", f"{sub.stem}.2/32", f"{sub.stem}.2/31"]
            six += [sub.six, f"{six_of(sub.six, 2)}/96"] if sub.six else []
        four += [f"10.{each.number}.0.0/16", f"10.{100 + each.number}.0.0/16", f"34.1.{each.number}.0/24"]
    four += [f"{sub.stem}.3/32" for sub in net.subnets]
    return Names(four, six, secure, groups, [raw.link(each.name) for each in nets])


def _machines(random: Random, raw: Raw, nets: list[Net], secure: Sequence[str]) -> list[Place]:
    """One to three machines in every subnet, of the network's project or of a service project."""
    places: list[Place] = []
    owners = {sub.name: net for net in nets for sub in net.subnets}
    for sub in [sub for net in nets for sub in net.subnets]:
        net = owners[sub.name]
        for host in range(2, random.choice((3, 4, 4))):
            name = f"vm-{sub.name}-{host}"
            beside = [other for other in nets if other is not net and other.project == net.project]
            second = [one for other in beside for one in other.subnets if one.region == sub.region]
            inside = [sub, *(random.sample(second, 1) if second and some(random, 0.25) else [])]
            cards = [_card(random, raw, one, host if one is sub else 100 + len(places)) for one in inside]
            shared = net.project == HOST and len(inside) == 1 and some(random, 0.5)
            raw.vm(
                name, *cards, project=TEAM if shared else net.project, forwards=some(random, 0.3),
                tags=[tag for tag in TAGS if some(random, 0.4)], account=random.choice((*ACCOUNTS, *ACCOUNTS, "")),
                secure=[tag for tag in secure if some(random, 0.35)],
            )  # fmt: skip
            for index, card in enumerate(cards):
                aliases = [each.removesuffix("/32") for each in card.aliases]
                internal = [card.address, *aliases, *([card.six] if card.six else [])]
                places.append(Place(raw.own(name, index), name, internal, card.public))
    return places


def _card(random: Random, raw: Raw, sub: Sub, host: int) -> Card:
    """An interface; its external address is 34.1 with the numbers of its internal one."""
    item = raw.item(sub.name, "subnetworks")
    pods = item["secondaryIpRanges"]
    number, each = sub.name[1], sub.name[2]
    alias: tuple[str, ...] = ()
    if some(random, 0.3):
        alias = (f"10.{100 + int(number)}.{each}.{host}/32",) if pods else (f"{sub.stem}.{host + 50}/32",)
    return Card(
        sub.name, f"{sub.stem}.{host}", f"34.1.{number}.{int(each) * 50 + host % 50}" if some(random, 0.5) else "",
        alias, six_of(sub.six, host) if sub.six and some(random, 0.85) else "",
    )  # fmt: skip


def _peerings(random: Random, raw: Raw, nets: list[Net]) -> None:
    """Peerings between networks that do not overlap, with each other or with the peers of either."""
    stems = {net.name: {sub.stem for sub in net.subnets} for net in nets}
    near = {net.name: set(stems[net.name]) for net in nets}
    for index, one in enumerate(nets):
        for two in nets[index + 1 :]:
            if near[one.name] & near[two.name] or not some(random, 0.85):
                continue
            near[one.name] |= stems[two.name]
            near[two.name] |= stems[one.name]
            pick = random.random()
            if pick > 0.95:
                raw.peering(one.name, two.name, active=False)
                continue
            dual = some(random, 0.6)
            exports = [some(random, 0.6), some(random, 0.6)]
            for own, far, export in ((one, two, exports[0]), (two, one, exports[1])):
                raw.peering(
                    own.name, far.name, active=pick < 0.9, dual=dual and some(random, 0.9), export=export,
                    imports=some(random, 0.6), public=(some(random, 0.8), some(random, 0.5)),
                )  # fmt: skip


def _policies(random: Random, raw: Raw, net: Net, names: Names) -> None:
    """What stands above a network, Google's own policies, and the network's."""
    if some(random, 0.45):
        levels = random.choice((1, 1, 2))
        raw.above(net.name, *(policy_rules(random, names, above=True) for _ in range(levels)))
    for region in _REGIONS:
        if region in {sub.region for sub in net.subnets} and some(random, 0.25):
            for _ in range(random.choice((1, 1, 2))):
                raw.system(net.name, region, *policy_rules(random, names, plain=True))
        if some(random, 0.4):
            rules = policy_rules(random, names)
            raw.policy(f"near-{net.name}-{region}", [net.name], *rules, region=region, project=net.project)
    if some(random, 0.55):
        associated = [net.name] if some(random, 0.95) else []
        raw.policy(f"world-{net.name}", associated, *policy_rules(random, names), project=net.project)
    if some(random, 0.01):
        raw.unread("network_effective_firewalls", net.name)
    if some(random, 0.01):
        raw.unread("region_effective_firewalls", net.name, net.subnets[0].region)


def _ways(random: Random, raw: Raw, net: Net, places: list[Place]) -> None:
    """Routes, a tunnel and Cloud NAT."""
    if some(random, 0.85):
        tags = [random.choice(TAGS)] if some(random, 0.15) else []
        raw.route(net.name, f"out-{net.name}", "0.0.0.0/0", "gateway", tags=tags)
    if some(random, 0.85):
        raw.route(net.name, f"out-six-{net.name}", "::/0", "gateway")
    if some(random, 0.35):
        home = f"home-{net.name}"
        tunnel(raw, net.name, home, region=net.subnets[0].region)
        prefix = random.choice(("172.16.8.0/24", "172.16.0.0/12", "192.168.0.0/16"))
        raw.route(net.name, f"to-{home}", prefix, "tunnel", home, tags=[TAGS[0]] if some(random, 0.15) else [])
    if some(random, 0.3):
        inside = [each.machine for each in places if each.machine.startswith(f"vm-s{net.number}")]
        machine = random.choice(inside)
        prefix = random.choice(("8.8.8.0/24", "0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "172.16.8.0/24"))
        priority = random.choice((999, 1000, 1001))
        tags = [random.choice(TAGS)] if some(random, 0.3) else []
        own = next(each for each in places if each.machine == machine)
        if raw.project_of(machine) == net.project and some(random, 0.5):
            raw.route(net.name, f"by-{net.name}", prefix, "instance", machine, priority=priority, tags=tags)
        else:
            raw.route(net.name, f"by-{net.name}", prefix, "ip", own.internal[0], priority=priority, tags=tags)
    for region in {sub.region: None for sub in net.subnets}:
        if some(random, 0.45):
            _nat(random, raw, net, region)


def _nat(random: Random, raw: Raw, net: Net, region: str) -> None:
    name = f"nat-{net.name}-{region}"
    addresses = [f"34.9.{net.number}.{_REGIONS.index(region) + 1}"] if some(random, 0.6) else []
    scope = random.choice(_SCOPES)
    listed: dict[str, list[str]] = {}
    ranges: dict[str, list[str]] = {}
    if scope == _LISTED:
        for sub in net.subnets:
            if sub.region == region and some(random, 0.7):
                pods = f"pods-{sub.name[1:]}" if raw.item(sub.name, "subnetworks")["secondaryIpRanges"] else ""
                options = [["ALL_IP_RANGES"], ["PRIMARY_IP_RANGE"]]
                options += [["LIST_OF_SECONDARY_IP_RANGES"]] if pods else []
                listed[sub.name] = random.choice(options)
                if listed[sub.name][0].startswith("LIST"):
                    ranges[sub.name] = [pods]
    nat(raw, net.name, name, scope, region=region, listed=listed, ranges=ranges, addresses=addresses)
