"""Random rules of groups and of network managers, drawn close to one another so that their edges matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.azure.raw_parts import admin_rule, rule

if TYPE_CHECKING:
    from random import Random

    from tests.azure.oracle_records import Json
    from tests.azure.raw_parts import Some

__all__ = ["PORTS", "READ_TAGS", "Names", "admin_rules", "some", "usual_rules"]

PORTS = (0, 22, 53, 80, 443, 1023, 1024, 3389, 8080, 50001, 65535)
READ_TAGS = {
    "Storage": ["20.60.0.0/16", "2603::/24"],
    "Storage_WestEurope": ["20.60.1.0/24"],
    "AzureCloud": ["20.0.0.0/8", "2603::/16"],
}
_TAGS = ("Storage", "storage.westeurope", "AzureCloud")
_UNREAD = ("Sql", "GatewayManager")
_PROTOCOLS = ("Tcp", "TCP", "tcp", "Tcp", "*", "*", "*", "Udp", "UDP", "Icmp", "ICMP", "Esp", "Ah", "Any")
_PORTLESS = {"Icmp", "ICMP", "Esp", "Ah"}
_ADMIN_PROTOCOLS = ("Tcp", "Tcp", "Any", "Any", "Udp", "Icmp")


class Names(NamedTuple):
    """What rules of a network may name: ranges near its ends, its application security groups, and single machines.

    Machines are named at the near end alone, so that nothing else tells them apart.
    """

    ranges: list[str]
    asgs: list[str]
    machines: list[str]


def some(random: Random, chance: float) -> bool:
    """True with this chance."""
    return random.random() < chance


def _ports(random: Random, *, wide: float) -> Some:
    pick = random.random()
    if pick < wide:
        return random.choice(("*", "*", "0-65535"))
    if pick < wide + 0.3 * (1 - wide):
        return str(random.choice(PORTS))
    first, last = sorted(random.sample(PORTS, 2))
    if pick < wide + 0.7 * (1 - wide):
        return f"{first}-{last}"
    return [str(random.choice(PORTS)), f"{first}-{last}"]


def _source_ports(random: Random) -> Some:
    if some(random, 0.92):
        return "*"
    return random.choice(("1024-65535", ["53", "32768-60999"], "49152"))


def _far(random: Random, names: Names, *, inbound: bool) -> Some:
    """The other end of a rule: everybody, a tag, a group, or ranges."""
    pick = random.random()
    if pick < 0.22:
        return random.choice(("*", "*", "0.0.0.0/0", ["0.0.0.0/1", "128.0.0.0/1", "::/0"]))
    if pick < 0.42:
        return random.choice(("Internet", "internet", "VirtualNetwork", "VirtualNetwork", "AzureLoadBalancer"))
    if pick < 0.5:
        return random.choice((*_TAGS, *_TAGS, *_TAGS, _UNREAD[0] if inbound else _UNREAD[1]))
    if pick < 0.66 and names.asgs:
        return random.sample(names.asgs, 1)
    return _ranges(random, names)


def _ranges(random: Random, names: Names) -> Some:
    found = random.sample(names.ranges, random.choice((1, 1, 2, 3)))
    return found[0] if len(found) == 1 and some(random, 0.8) else found


def _near(random: Random, names: Names) -> Some:
    """The own end of a rule: mostly everybody."""
    pick = random.random()
    if pick < 0.62:
        return "*"
    if pick < 0.7:
        return "VirtualNetwork"
    if pick < 0.82 and names.asgs:
        return random.sample(names.asgs, 1)
    return random.choice(names.machines) if pick < 0.91 else _ranges(random, names)


def usual_rules(random: Random, names: Names) -> list[Json]:
    """Up to five rules in each direction, fewer outbound; denies as often above allows as below."""
    found: list[Json] = []
    for direction, counts in (("Inbound", (1, 2, 3, 3, 4)), ("Outbound", (0, 0, 0, 1, 2, 3))):
        inbound = direction == "Inbound"
        for number in random.sample(range(100, 4097), random.choice(counts)):
            far, near = _far(random, names, inbound=inbound), _near(random, names)
            source, target = (far, near) if inbound else (near, far)
            allow = some(random, 0.72 if inbound else 0.5)
            protocol = random.choice(_PROTOCOLS)
            ports, client = _ports(random, wide=0.5 if allow else 0.15), _source_ports(random)
            if protocol in _PORTLESS and some(random, 0.9):
                # As the portal writes it.
                ports = client = "*"
            access = "Allow" if allow else "Deny"
            found.append(
                rule(number, access, source, target, ports, protocol=protocol, direction=direction, source_ports=client)
            )
    if some(random, 0.55):
        everybody: Some = random.choice(("Internet", "*", ["0.0.0.0/0", "::/0"]))
        number = random.choice((4000, 4001, 150))
        if all(each["name"] != f"Inbound-{number}" for each in found):
            found.append(rule(number, "Allow", everybody, ports=_ports(random, wide=0.6), protocol="*"))
    if some(random, 0.06):
        tag = random.choice(("AzurePlatformDNS", "AzurePlatformIMDS"))
        found.append(rule(4096, "Deny", "*", tag, direction="Outbound", name="platform"))
    random.shuffle(found)
    return found


def admin_rules(random: Random, names: Names) -> list[Json]:
    """One to four rules of a network manager."""
    found: list[Json] = []
    numbers = random.sample(range(1, 4097), 4)
    for index in range(random.choice((1, 2, 2, 3, 4))):
        direction = random.choice(("Inbound", "Inbound", "Outbound"))
        far: Some = "*" if some(random, 0.5) else random.choice(("Internet", "VirtualNetwork", _ranges(random, names)))
        source, target = (far, "*") if direction == "Inbound" else ("*", far)
        access = random.choice(("Deny", "Deny", "Deny", "AlwaysAllow", "AlwaysAllow", "Allow"))
        protocol = random.choice(_ADMIN_PROTOCOLS)
        ports, client = _ports(random, wide=0.2), _source_ports(random)
        if protocol in _PORTLESS:
            ports = client = "*"
        same = index and some(random, 0.3)
        found.append(
            admin_rule(
                numbers[0 if same else index], access, source, target, ports, protocol=protocol, direction=direction,
                collection="two" if same else "one", source_ports=client,
            )
        )  # fmt: skip
    return found
