"""Random small Azure estates, as raw answers: the same number gives the same estate.

One to three networks in one or two subscriptions, joined by peerings that are half right as often as they are right.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple, cast

from tests.azure.drawn_rules import READ_TAGS, Names, admin_rules, some, usual_rules
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_more import balance, balancer, endpoint, gateway, nat_rule, outbound_rule
from tests.azure.raw_parts import rule

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

__all__ = ["OUTSIDE", "SECOND", "Drawn", "Place", "drawn"]

SECOND = "66666666-7777-8888-9999-000000000000"
OUTSIDE = (
    "8.8.8.8", "8.8.8.0", "8.8.8.255", "9.9.9.9", "128.0.0.1", "20.60.1.7", "20.60.9.9", "51.140.2.2", "172.16.8.9",
    "172.16.0.9", "192.168.7.7", "2600::7", "2603::7",
)  # fmt: skip
"""Addresses of nobody in an estate: on the internet, of Azure's services, and of the sort a company uses at home."""

_WORLD = ["8.8.8.0/24", "8.8.8.8", "8.0.0.0/7", "20.60.0.0/16", "0.0.0.0/1", "10.0.0.0/8", "172.16.0.0/12", "2600::/16",
          "172.16.8.8/31"]  # fmt: skip
_POLICIES = ("Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled", "Enabled")


class Place(NamedTuple):
    """An interface with its private addresses, its public ones, and the frontends that it may stand behind."""

    name: str
    private: list[str]
    public: list[str]
    fronts: list[str]


class Front(NamedTuple):
    """A load balancer with its address, and whether it has a NAT rule."""

    name: str
    address: str
    nat: bool


class Net(NamedTuple):
    """A network while it is drawn."""

    number: int
    subscription: str
    four: str
    six: str
    subnets: list[str]
    twins: list[int]
    """The subnets, by number, whose interfaces nothing but their addresses tells apart."""
    gateway: bool

    @property
    def name(self) -> str:
        return f"v{self.number}"

    def stem(self, subnet: int) -> str:
        return f"{self.four.removesuffix('.0.0/16')}.{subnet}"


class Drawn(NamedTuple):
    """Raw answers, and the places that packets are drawn from."""

    raw: Raw
    places: list[Place]


def drawn(seed: int) -> Drawn:
    """Draw an estate."""
    random = Random(seed)
    raw = Raw()
    raw.odd_case = some(random, 0.25)
    nets = [_net(random, number) for number in range(1, random.choice((1, 2, 2, 3)) + 1)]
    places: list[Place] = []
    for subscription in sorted({net.subscription for net in nets}):
        raw.tags(subscription=subscription, **READ_TAGS)
    for net in nets:
        _draw_net(random, raw, net, nets)
        places += _interfaces(random, raw, net, nets)
    _peerings(random, raw, nets)
    for net in nets:
        if some(random, 0.35):
            raw.admin(net.name, *admin_rules(random, _names(net, nets)))
        if some(random, 0.02):
            raw.unread("effective_security_admin_rules", net.name)
        if some(random, 0.05):
            raw.unread("network_security_groups", f"nsg-{net.number}1")
    return Drawn(raw, places)


def _net(random: Random, number: int) -> Net:
    second = 1 if number == 3 and some(random, 0.15) else number
    six = f"fd00:{number}::/48" if some(random, 0.5) else ""
    subscription = SECOND if number == 2 and some(random, 0.35) else SUBSCRIPTION
    subnets = [f"s{number}{each}" for each in range(1, random.choice((1, 2, 2, 3)) + 1)]
    twins = [each for each in range(1, len(subnets) + 1) if some(random, 0.3)]
    return Net(number, subscription, f"10.{second}.0.0/16", six, subnets, twins, some(random, 0.1))


def _names(net: Net, nets: list[Net]) -> Names:
    ranges = list(_WORLD)
    for each in nets:
        ranges += [each.four, f"{each.stem(1)}.0/24", f"{each.stem(1)}.4", f"{each.stem(2)}.0/25", f"{each.stem(1)}.5"]
        ranges += [each.six] if each.six else []
    ranges += [f"{net.stem(2)}.4/31", f"{net.stem(2)}.0/23"]
    machines = [f"{net.stem(subnet)}.{host}" for subnet in (2, 3) for host in (4, 5)]
    return Names(ranges, [f"asg-{net.number}1", f"asg-{net.number}2"], machines)


def _draw_net(random: Random, raw: Raw, net: Net, nets: list[Net]) -> None:
    """The network with its subnets, and what they refer to."""
    own, where = net.number, net.subscription
    for number in (1, 2):
        raw.asg(f"asg-{own}{number}", subscription=where)
    groups = [f"nsg-{own}{number}" for number in (1, 2, 3)]
    for group in groups:
        rules = usual_rules(random, _names(net, nets))
        if net.twins and some(random, 0.5):
            rules.append(_telling_rule(random, net, {cast("str", each["name"]) for each in rules}))
        raw.nsg(group, *rules, subscription=where)
    raw.vnet(net.name, net.four, *([net.six] if net.six else []), subscription=where)
    raw.public(f"pip-nat-{own}", f"20.50.{own}.1", subscription=where)
    raw.nat(f"nat-{own}", f"pip-nat-{own}", subscription=where)
    for number, subnet in enumerate(net.subnets, start=1):
        table = ""
        if some(random, 0.45):
            table = f"rt-{own}{number}"
            raw.table(table, *_routes(random, net, nets), propagates=some(random, 0.8), subscription=where)
        raw.subnet(
            net.name, subnet, f"{net.stem(number)}.0/24", *([f"fd00:{own}:0:{number}::/64"] if net.six else []),
            nsg=random.choice(groups) if some(random, 0.8 if number in net.twins else 0.6) else "", table=table,
            nat=f"nat-{own}" if some(random, 0.2) else "", policies=random.choice((*_POLICIES, "")),
            outbound=random.choice((True, True, True, True, False, False, None)),
        )  # fmt: skip
    if net.gateway:
        raw.subnet(net.name, f"gws-{own}", f"{net.stem(255)}.0/27")
        gateway(raw, f"gw-{own}", f"gws-{own}", ["172.16.8.0/24"], bgp=some(random, 0.2))


def _telling_rule(random: Random, net: Net, taken: set[str]) -> Json:
    """A rule about one of two twins alone, which stands before most others."""
    machine = f"{net.stem(random.choice(net.twins))}.{random.choice((4, 5))}"
    far = random.choice(("*", "*", "VirtualNetwork"))
    direction = random.choice(("Inbound", "Outbound"))
    source, target = (far, machine) if direction == "Inbound" else (machine, far)
    access, ports = "Deny" if some(random, 0.7) else "Allow", random.choice(("*", "*", "443"))
    number = next(each for each in range(100, 4097) if f"{direction}-{each}" not in taken)
    return rule(number, access, source, target, ports, protocol="*", direction=direction)


def _routes(random: Random, net: Net, nets: list[Net]) -> list[tuple[str, str] | tuple[str, str, str]]:
    """One to three user-defined routes, no two to one prefix."""
    found: dict[str, tuple[str, str] | tuple[str, str, str]] = {}
    far = random.choice(nets)
    for _ in range(random.choice((1, 1, 2, 3))):
        pick = random.random()
        if pick < 0.3:
            prefix = random.choice((far.four, f"{far.stem(1)}.0/24", f"{far.stem(2)}.5/32", f"{far.stem(1)}.4/31"))
            found[prefix] = (prefix, "None")
        elif pick < 0.55:
            prefix = random.choice(("0.0.0.0/0", far.four, f"{far.stem(1)}.0/24", "8.8.8.0/24", f"{far.stem(2)}.5/32"))
            machine = random.choice((f"{net.stem(1)}.4", f"{net.stem(1)}.4", f"{net.stem(1)}.4", f"{net.stem(9)}.9"))
            found[prefix] = (prefix, "VirtualAppliance", machine)
        elif pick < 0.75:
            prefix = random.choice((f"{net.stem(1)}.0/24", f"{net.stem(2)}.0/24", net.four))
            found[prefix] = (prefix, "VnetLocal")
        elif pick < 0.85:
            prefix = random.choice(("8.8.8.0/24", "8.8.8.8/32", "0.0.0.0/0"))
            found[prefix] = (prefix, "Internet")
        elif pick < 0.93:
            prefix = random.choice(("172.16.0.0/12", "172.16.8.0/24"))
            found[prefix] = (prefix, "VirtualNetworkGateway")
        else:
            prefix = random.choice(("0.0.0.0/0", "128.0.0.0/1", "::/0"))
            found[prefix] = (prefix, "None")
    return list(found.values())


def _interfaces(random: Random, raw: Raw, net: Net, nets: list[Net]) -> list[Place]:
    """Interfaces in every subnet, some behind load balancers, and a private endpoint now and then."""
    own = net.number
    fronts = _balancers(random, raw, net)
    places: list[Place] = []
    for number, subnet in enumerate(net.subnets, start=1):
        twins = number in net.twins
        for each in range(2 if twins else random.choice((1, 2, 2))):
            private = [f"{net.stem(number)}.{4 + each}"]
            private += [f"fd00:{own}:0:{number}::{4 + each}"] if net.six and (twins or some(random, 0.8)) else []
            if twins:
                # Nothing but its address tells one from the other.
                raw.nic(f"nic-{own}{number}{each}", subnet, *private)
                places.append(Place(f"nic-{own}{number}{each}", private, [], []))
            else:
                places.append(_interface(random, raw, net, private, fronts, number=number, each=each))
    if some(random, 0.35):
        number = random.randrange(len(net.subnets)) + 1
        address = f"{net.stem(number)}.100"
        state = "Approved" if some(random, 0.85) else random.choice(("Pending", "Rejected"))
        endpoint(raw, f"pe-{own}", net.subnets[number - 1], address, state=state)
        places.append(Place(f"pe-{own}-nic", [address], [], []))
    return places


def _interface(
    random: Random, raw: Raw, net: Net, private: list[str], fronts: list[Front], *, number: int, each: int
) -> Place:
    """One interface of a subnet, both by number, with whatever may tell it from others."""
    own, where, subnet = net.number, net.subscription, net.subnets[number - 1]
    name = f"nic-{own}{number}{each}"
    public: list[str] = []
    addresses: list[str | tuple[str, str]] = []
    basic = some(random, 0.2)
    for address in private:
        six = ":" in address
        if some(random, 0.4 if six else 0.5):
            public.append(f"2603:1:{own}::{number}{each}" if six else f"20.50.{own}.{number * 10 + each}")
            pip = f"pip-{name}{'-6' if six else ''}"
            sku = "Basic" if basic else "Standard"
            raw.public(pip, public[-1], sku=sku, subscription=where)
            addresses.append((address, pip))
        else:
            addresses.append(address)
    behind = [front for front in fronts if some(random, 0.4)]
    raw.nic(
        name, subnet, *addresses, nsg=f"nsg-{own}{random.choice((1, 2, 3))}" if some(random, 0.45) else "",
        asgs=[f"asg-{own}{n}" for n in (1, 2) if some(random, 0.4)], forwarding=some(random, 0.3),
        pools=[f"{front.name}-pool" for front in behind],
        nat_rules=[f"{front.name}-nat-50001" for front in behind if front.nat and number == 1 and each == 0],
    )  # fmt: skip
    return Place(name, private, public, [front.address for front in behind])


def _balancers(random: Random, raw: Raw, net: Net) -> list[Front]:
    """A public and an internal load balancer, each now and then."""
    own, where = net.number, net.subscription
    found: list[Front] = []
    if some(random, 0.35):
        sku = "Basic" if some(random, 0.2) else "Standard"
        raw.public(f"pip-lb-{own}", f"20.50.{own}.200", sku=sku, subscription=where)
        rules: list[tuple[str, Json]] = [
            balance(443, 443 if some(random, 0.7) else 8080, snat=some(random, 0.5)),
            nat_rule(50001, random.choice((22, 50001))),
        ]
        if some(random, 0.3):
            rules.append(balance(53, 53, protocol="Udp", snat=False))
        if sku == "Standard" and some(random, 0.4):
            rules.append(outbound_rule(random.choice(("All", "Tcp"))))
        balancer(raw, f"lb-{own}", *rules, public=f"pip-lb-{own}", sku=sku, subscription=where)
        found.append(Front(f"lb-{own}", f"20.50.{own}.200", nat=True))
    if some(random, 0.25):
        rule = balance(0, 0, protocol="All") if some(random, 0.3) else balance(443, random.choice((443, 443, 8080)))
        address = f"{net.stem(1)}.200"
        balancer(raw, f"ilb-{own}", rule, subnet=net.subnets[0], address=address, subscription=where)
        found.append(Front(f"ilb-{own}", address, nat=False))
    return found


def _peerings(random: Random, raw: Raw, nets: list[Net]) -> None:
    """Peerings between networks that do not overlap; some lack a half, some were cut. Peers must not overlap either."""
    taken: set[tuple[int, str]] = set()
    for one in nets:
        for two in nets:
            if one.number >= two.number or one.four == two.four or not some(random, 0.75):
                continue
            if (one.number, two.four) in taken or (two.number, one.four) in taken:
                continue
            taken |= {(one.number, two.four), (two.number, one.four)}
            pick = random.random()
            states = ("Connected", "Connected")
            if pick > 0.96:
                states = ("Disconnected", "Connected")
            elif pick > 0.92:
                states = ("Connected", "")
            elif pick > 0.84:
                states = ("Initiated", "")
            for near, far, state in ((one, two, states[0]), (two, one, states[1])):
                if state:
                    raw.peering(
                        near.name, far.name, state=state, access=some(random, 0.85), forwarded=some(random, 0.3),
                        remote_gateways=far.gateway and not near.gateway and some(random, 0.6), transit=near.gateway,
                    )  # fmt: skip
