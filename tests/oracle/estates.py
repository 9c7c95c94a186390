"""Random small AWS estates, as raw answers: the same number gives the same estate.

One to three VPCs, which may have the same range, lie in other accounts or regions, and be joined by peerings and a
transit gateway that are half right as often as they are right.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.oracle.drawn_rules import acl_entries, egress_rules, ingress_rules, open_entries, some
from tests.oracle.raw import ACCOUNT, REGION, Raw, permission

if TYPE_CHECKING:
    from tests.oracle.records import Answers

__all__ = ["OUTSIDE", "RawEstate", "raw_estate"]

OUTSIDE = (
    "198.51.100.7", "198.51.100.0", "198.51.100.255", "198.51.100.128", "8.8.8.8", "128.0.0.1", "172.16.0.9",
    "172.31.255.255", "192.168.7.7", "2600::7", "2600:1::1",
)  # fmt: skip
"""Addresses of nobody in an estate: on the internet, and of the sort that a company uses on its premises."""

_WORLD = [
    "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "198.51.100.0/24", "198.51.100.128/25",
    "198.51.100.7/32", "172.16.0.0/12", "172.16.0.8/31", "2600::/16", "2001:db8::/32",
]  # fmt: skip


class Net(NamedTuple):
    """A VPC while it is drawn."""

    id: str
    number: int
    place: tuple[str, str]
    four: str
    six: str
    subnets: list[tuple[str, str]]
    """Pairs of subnet and zone."""


class RawEstate(NamedTuple):
    """Raw answers, and the (interface, addresses, public addresses) that packets are drawn from."""

    answers: Answers
    ends: list[tuple[str, list[str], list[str]]]


def raw_estate(seed: int, *, appliances: bool = False) -> RawEstate:
    """Draw an estate; with ``appliances`` some routes lead to machines whose rules nobody knows."""
    random = Random(seed)
    raw = Raw()
    nets = [_net(random, raw, number) for number in range(1, random.choice((1, 2, 2, 3)) + 1)]
    ends = _interfaces(random, raw, nets)
    routes: dict[str, list[tuple[str, str] | tuple[str, str, str]]] = {net.id: [] for net in nets}
    _peerings(random, raw, nets, routes)
    _transit(random, raw, nets, routes)
    for net in nets:
        _tables(random, raw, net, routes[net.id], appliances=appliances)
        _acls(random, raw, net, ends)
    _groups(random, raw, nets, ends)
    if some(random, 0.08):
        raw.block_public_access(random.choice(("block-bidirectional", "block-ingress")))
        for net in nets:
            if some(random, 0.5):
                resource = random.choice((net.id, net.subnets[0][0]))
                raw.exclude(resource, random.choice(("allow-bidirectional", "allow-egress")))
    return RawEstate(raw.answers, [(name, private, public) for name, _, private, public in ends])


def _net(random: Random, raw: Raw, number: int) -> Net:
    account = "444455556666" if number == 2 and some(random, 0.25) else ACCOUNT
    region = "us-east-1" if number > 1 and some(random, 0.25) else REGION
    second = 1 if number == 3 and some(random, 0.15) else number
    four, six = f"10.{second}.0.0/16", f"2001:db8:0:{number}00::/56" if some(random, 0.65) else ""
    net = Net(f"vpc-{number}", number, (account, region), four, six, [])
    raw.vpc(net.id, four, *([six] if six else []), account=account, region=region)
    for each in range(1, random.choice((1, 2, 2, 3, 3, 4)) + 1):
        zone = random.choice("ab")
        own = f"subnet-{number}{each}"
        # Neighbours in address space, so that /23s and /25s cut across them.
        raw.subnet(own, net.id, _four(net, each), *([_six(net, each)] if six else []), zone=zone)
        net.subnets.append((own, zone))
    return net


def _four(net: Net, subnet: int) -> str:
    return f"{net.four.rpartition('.0.0/')[0]}.{subnet}.0/24"


def _six(net: Net, subnet: int) -> str:
    return f"2001:db8:0:{net.number}0{subnet}::/64"


_Drawn = tuple[str, Net, list[str], list[str]]


def _interfaces(random: Random, raw: Raw, nets: list[Net]) -> list[_Drawn]:
    """Interfaces in every subnet; their groups are ``sg-<vpc><n>``, drawn later."""
    ends: list[_Drawn] = []
    for net in nets:
        for number, (subnet, _) in enumerate(net.subnets, start=1):
            for each in range(random.choice((1, 1, 2))):
                own = f"eni-{net.number}{number}{each}"
                stem = _four(net, number).removesuffix(".0/24")
                hosts = [
                    f"{stem}.{host}" for host in ((4, 7, 128)[each], *((200 + each,) if some(random, 0.2) else ()))
                ]
                pairs = [(host, f"203.0.113.{len(ends) * 2 + n}") for n, host in enumerate(hosts)]
                four = [pair if some(random, 0.4) else pair[0] for pair in pairs]
                six = [f"2001:db8:0:{net.number}0{number}::{each + 1}"] if net.six and some(random, 0.75) else []
                groups = random.sample([f"sg-{net.number}{n}" for n in (1, 2, 3)], random.choice((1, 1, 2, 3)))
                raw.interface(own, net.id, subnet, groups, *four, *six)
                ends.append((own, net, hosts + six, [pair[1] for pair in four if isinstance(pair, tuple)]))
    return ends


def _edges(nets: list[Net], ends: list[_Drawn]) -> list[str]:
    """Ranges that begin and end where interfaces are."""
    ranges = list(_WORLD)
    for net in nets:
        ranges += [net.four, _four(net, 1), _four(net, 2), f"{_four(net, 2)[:-2]}23", f"{_four(net, 1)[:-2]}25"]
        ranges += [net.six, _six(net, 1)] if net.six else []
    for _, _, addresses, _ in ends:
        for each in addresses:
            ranges.append(f"{each}/128" if ":" in each else f"{each}/32")
    ranges.append("10.1.1.4/30")
    return ranges


def _groups(random: Random, raw: Raw, nets: list[Net], ends: list[_Drawn]) -> None:
    names = [f"sg-{net.number}{n}" for net in nets for n in (1, 2, 3)]
    owners = {f"sg-{net.number}{n}": net.place[0] for net in nets for n in (1, 2, 3)}
    ranges = _edges(nets, ends)
    for net in nets:
        lists: list[str] = []
        if some(random, 0.4):
            lists = [f"pl-{net.number}"]
            own = [each for each in random.sample(ranges, 3) if ":" not in each]
            raw.prefix_list(lists[0], *(own or ["192.0.2.0/24"]), place=net.place)
        near = [f"sg-{net.number}{n}" for n in (1, 2, 3)]
        for name in near:
            groups = near * 2 + names
            ingress = ingress_rules(random, ranges, groups, lists, owners)
            away = [group for group in names if group not in near]
            if away and some(random, 0.35):
                ingress.append(permission("-1", None, None, *random.sample(away, 2), owners=owners))
            raw.group(name, net.id, ingress, egress_rules(random, ranges, groups, lists, owners))


def _acls(random: Random, raw: Raw, net: Net, ends: list[_Drawn]) -> None:
    """The default network ACL, often as it comes, and one of the account's own for some of the subnets."""
    ranges = _edges([net], ends)

    def draw(chance: float) -> list[dict[str, object]]:
        return [
            each
            for egress in (False, True)
            for each in (
                open_entries(egress=egress) if some(random, chance) else acl_entries(random, ranges, egress=egress)
            )
        ]

    subnets = [subnet for subnet, _ in net.subnets]
    own = [subnet for subnet in subnets if some(random, 0.4)]
    raw.acl(
        f"acl-{net.number}", net.id, *draw(0.7), subnets=[each for each in subnets if each not in own], default=True
    )
    raw.acl(f"acl-{net.number}x", net.id, *draw(0.15), subnets=own)


_Routes = dict[str, list["tuple[str, str] | tuple[str, str, str]"]]


def _peerings(random: Random, raw: Raw, nets: list[Net], routes: _Routes) -> None:
    for one in nets:
        for two in nets:
            if one.number < two.number and one.four != two.four and some(random, 0.6):
                own = f"pcx-{one.number}{two.number}"
                status = "active" if some(random, 0.8) else random.choice(("pending-acceptance", "rejected"))
                raw.peering(own, one.id, two.id, status=status)
                for near, far in ((one, two), (two, one)):
                    if some(random, 0.85):
                        routes[near.id].append((far.four if some(random, 0.75) else _four(far, 1), own))
                        if far.six and near.six and some(random, 0.8):
                            routes[near.id].append((far.six, own))
                    if some(random, 0.1):
                        routes[near.id].append((_four(far, 2), "pcx-gone", "blackhole"))


def _transit(random: Random, raw: Raw, nets: list[Net], routes: _Routes) -> None:
    nets = [net for net in nets if net.place[1] == REGION]
    if len(nets) < 2 or not some(random, 0.65):
        return
    raw.transit_gateway("tgw-1", shares=some(random, 0.6))
    tables: dict[str, list[tuple[str, str, str]]] = {"tgw-rtb-1": []}
    if some(random, 0.4):
        tables["tgw-rtb-2"] = []
    for net in nets:
        _attach(random, raw, net, tables)
    for table, wires in tables.items():
        raw.transit_table(table, "tgw-1", *wires)
    for net in nets:
        if some(random, 0.85):
            for far in nets:
                if far.four != net.four and some(random, 0.6):
                    routes[net.id].append((random.choice((far.four, _four(far, 1), _four(far, 2))), "tgw-1"))
            routes[net.id].append((random.choice(("10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/12")), "tgw-1"))
            if net.six:
                routes[net.id].append(("2001:db8::/32", "tgw-1"))


def _attach(random: Random, raw: Raw, net: Net, tables: dict[str, list[tuple[str, str, str]]]) -> None:
    """Attach a VPC in its zones, and tell the tables of the gateway about it."""
    zones = {zone: subnet for subnet, zone in net.subnets if some(random, 0.9)}
    if not zones:
        return
    own = f"tgw-attach-{net.number}"
    state = "available" if some(random, 0.92) else "deleting"
    table = random.choice(list(tables)) if some(random, 0.95) else ""
    raw.attachment(own, "tgw-1", net.id, list(zones.values()), table, shares=some(random, 0.85), state=state)
    for wires in tables.values():
        if some(random, 0.85):
            # Of two VPCs with one range the first alone is propagated:
            # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
            taken = {wire[0] for wire in wires}
            wires += [(each, own, "propagated") for each in (net.four, net.six) if each and each not in taken]
        if some(random, 0.12):
            wires.append((_four(net, random.choice((1, 2))), "", "static"))
        if some(random, 0.1):
            wires.append((net.four, random.choice((own, "")), "static"))


def _tables(
    random: Random, raw: Raw, net: Net, routes: list[tuple[str, str] | tuple[str, str, str]], *, appliances: bool
) -> None:
    """Up to three tables of a VPC: to the internet gateway, to a NAT gateway, and one of neither."""
    own = net.number
    raw.internet_gateway(f"igw-{own}", net.id, attached=some(random, 0.93))
    raw.internet_gateway(f"eigw-{own}", net.id, egress_only=True, attached=some(random, 0.95))
    home = random.choice(net.subnets)[0]
    others = [subnet for subnet, _ in net.subnets if subnet != home]
    has_nat = bool(others) and some(random, 0.6)
    if has_nat:
        stem = _four(net, int(home[-1])).removesuffix(".0/24")
        public = f"203.0.113.{200 + own}" if some(random, 0.9) else ""
        state = "available" if some(random, 0.9) else random.choice(("pending", "deleted"))
        raw.nat(f"nat-{own}", net.id, home, f"{stem}.20", public, state=state)
    onwards = "nat" if has_nat else "igw"
    raw.table(f"rtb-{own}p", net.id, *_drawn_routes(random, raw, net, routes, "igw"), subnets=[home],
              main=not others)  # fmt: skip
    if others:
        kind = onwards if some(random, 0.8) else random.choice(("igw", "none"))
        raw.table(f"rtb-{own}m", net.id, *_drawn_routes(random, raw, net, routes, kind, appliances=appliances),
                  main=True)  # fmt: skip
    if len(others) > 1:
        kind = random.choice((onwards, "igw", "none"))
        raw.table(f"rtb-{own}x", net.id, *_drawn_routes(random, raw, net, routes, kind, appliances=appliances),
                  subnets=[others[0]])  # fmt: skip


def _drawn_routes(
    random: Random, raw: Raw, net: Net, routes: list[tuple[str, str] | tuple[str, str, str]], kind: str, *,
    appliances: bool = False,
) -> list[tuple[str, str] | tuple[str, str, str]]:  # fmt: skip
    """The routes of one table: those between VPCs with a few lost, the way out, and traps for the longest prefix."""
    drawn = [route for route in routes if some(random, 0.93)]
    own = net.number
    if kind != "none" and some(random, 0.93):
        drawn.append(("0.0.0.0/0", f"{kind}-{own}"))
        if some(random, 0.06):
            drawn.append(("198.51.100.128/25", random.choice(("igw-gone", "nat-gone")), "blackhole"))
    if net.six and kind != "none":
        drawn.append(("::/0", random.choice((f"igw-{own}", f"igw-{own}", f"eigw-{own}"))))
    if some(random, 0.5):
        drawn.append(("172.16.0.0/12", f"vgw-{own}", random.choice(("propagated", "static"))))
        if some(random, 0.15):
            drawn.append(("172.16.0.0/12", "pcx-gone", "blackhole"))
        if some(random, 0.15):
            drawn.append(("198.51.100.0/25", f"vgw-{own}", "propagated"))
    if some(random, 0.08):
        drawn.append((_four(net, random.choice((1, 2))), "eni-gone", "blackhole"))
    if net.six and some(random, 0.06):
        drawn.append((_six(net, random.choice((1, 2))), "eni-gone", "blackhole"))
    if some(random, 0.06):
        raw_list = f"pl-r{own}{len(drawn)}{kind}"
        raw.prefix_list(raw_list, "198.51.100.0/24", "172.16.0.0/12", place=net.place)
        drawn.append((raw_list, f"igw-{own}"))
    if appliances and some(random, 0.3):
        drawn.append((random.choice((_four(net, 1), "0.0.0.0/0", "10.0.0.0/8")), f"eni-{own}10"))
    # One table has one route to a destination, but for a propagated one beside a static one.
    unique: dict[tuple[str, bool], tuple[str, str] | tuple[str, str, str]] = {}
    for route in drawn:
        unique.setdefault((route[0], route[-1] == "propagated"), route)
    return list(unique.values())
