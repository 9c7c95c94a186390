"""Exposure against code that sends one packet at a time through random rules, ACLs and routes.

The oracle shares nothing with the code under test: it compares numbers of the standard library's ``ipaddress``, sorts
entries by number and takes the first that matches. The packets sent have one representative for every part into which
the pools below cut addresses, ports and client ports, so agreement on them is agreement on all.
"""

from ipaddress import ip_address, ip_network
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Direction, Estate, TargetKind
from cloudseg.reach.internet import InternetView
from cloudseg.traffic import Traffic


class Match(NamedTuple):
    """What an entry matches: a protocol (None for all) with values from ``low`` to ``high``, and the text of both."""

    text: str
    protocol: str | None
    low: int = 0
    high: int = 65535


class Entry(NamedTuple):
    direction: Direction
    number: int
    deny: bool
    match: Match
    cidr: str


class Hop(NamedTuple):
    cidr: str
    kind: TargetKind


class Packet(NamedTuple):
    """One packet of a connection: ``value`` is the destination port, or ICMP type * 256 + code."""

    text: str
    protocol: str
    value: int = 0


MATCHES = (
    Match("all", None),
    Match("tcp/0-65535", "tcp"),
    Match("tcp/22", "tcp", 22, 22),
    Match("tcp/443", "tcp", 443, 443),
    Match("tcp/1024-65535", "tcp", 1024, 65535),
    Match("tcp/32768-60999", "tcp", 32768, 60999),
    Match("udp/53", "udp", 53, 53),
    Match("udp/1024-65535", "udp", 1024, 65535),
    Match("icmp/8", "icmp", 8 << 8, (8 << 8) + 255),
    Match("icmp", "icmp"),
    Match("icmp/3:4", "icmp", (3 << 8) + 4, (3 << 8) + 4),
    Match("icmpv6", "icmpv6"),
    Match("esp", "esp"),
)
PACKETS = (
    *(Packet(f"tcp/{port}", "tcp", port) for port in (0, 22, 23, 443, 444, 1024, 32768, 61000)),
    *(Packet(f"udp/{port}", "udp", port) for port in (0, 53, 54, 1024)),
    Packet("icmp/8:0", "icmp", 8 << 8),
    Packet("icmp/3:4", "icmp", (3 << 8) + 4),
    Packet("icmp/3:5", "icmp", (3 << 8) + 5),
    Packet("icmpv6/128:0", "icmpv6", 128 << 8),
    Packet("icmpv6/1:0", "icmpv6", 1 << 8),
    Packet("esp", "esp"),
    Packet("gre", "gre"),
)
CLIENT_PORTS = (0, 22, 23, 53, 54, 443, 444, 1024, 32768, 61000)
USUAL_CLIENT_PORTS = (1024, 32768, 61000)
CIDRS = (
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "203.0.113.0/24",
    "203.0.113.128/25",
    "198.51.100.0/24",
    "::/0",
    "2001:db8::/32",
)
CLIENTS = ("8.8.8.8", "150.0.0.1", "203.0.113.1", "203.0.113.200", "198.51.100.7", "2001:db8::1", "2600::1")

matches = st.sampled_from(MATCHES)
cidrs = st.sampled_from(CIDRS)
made = st.lists(
    st.builds(Entry, st.sampled_from(("ingress", "egress")), st.integers(1, 6), st.booleans(), matches, cidrs),
    max_size=8,
    unique_by=lambda entry: (entry.direction, entry.number),
)


def floor(direction: Direction, text: str) -> Entry:
    """Return an allowing entry below all others, for both directions of most connections to pass now and then."""
    match = next(match for match in MATCHES if match.text == text)
    return Entry(direction, 9, deny=False, match=match, cidr="0.0.0.0/0")


def listed(above: list[Entry], below: tuple[Entry, ...]) -> list[Entry]:
    return [*above, *below]


def routed(default: tuple[Hop, ...], more: list[Hop]) -> list[Hop]:
    return [*default, *more]


floors: st.SearchStrategy[tuple[Entry, ...]] = st.sampled_from(
    (
        (),
        (floor("egress", "all"),),
        (floor("ingress", "all"), floor("egress", "all")),
        (floor("ingress", "all"), floor("egress", "tcp/32768-60999")),
        (floor("ingress", "all"), floor("egress", "icmp/8")),
    )
)
entries = st.builds(listed, made, floors)
defaults: st.SearchStrategy[tuple[Hop, ...]] = st.sampled_from(
    ((), (Hop("0.0.0.0/0", "nat-gateway"),), *[(Hop("0.0.0.0/0", "internet-gateway"),)] * 3)
)
gateways: st.SearchStrategy[TargetKind] = st.sampled_from(("internet-gateway", "nat-gateway", "drop"))
detours = st.lists(st.builds(Hop, st.sampled_from(CIDRS[1:]), gateways), max_size=3, unique_by=lambda hop: hop.cidr)
hops = st.builds(routed, defaults, detours)
rules = st.lists(st.tuples(matches, cidrs), min_size=1, max_size=3, unique=True)


def covers(cidr: str, address: str) -> bool:
    # An address is never in a network of the other family.
    return ip_address(address) in ip_network(cidr)


def matched(match: Match, packet: Packet) -> bool:
    return match.protocol is None or (match.protocol == packet.protocol and match.low <= packet.value <= match.high)


def acl_passes(acl: list[Entry], direction: Direction, packet: Packet, address: str) -> bool:
    for entry in sorted(acl, key=lambda entry: entry.number):
        if entry.direction == direction and covers(entry.cidr, address) and matched(entry.match, packet):
            return not entry.deny
    return False


def reply(packet: Packet, client_port: int) -> Packet | None:
    match packet.protocol:
        case "tcp" | "udp":
            return packet._replace(value=client_port)
        case "icmp":
            return packet._replace(value=0) if packet.value >> 8 == 8 else None
        case "icmpv6":
            return packet._replace(value=129 << 8) if packet.value >> 8 == 128 else None
        case _:
            return packet


def routed_to_internet(table: list[Hop], address: str) -> bool:
    covering = [hop for hop in table if covers(hop.cidr, address)]
    if not covering:
        return False
    return max(covering, key=lambda hop: ip_network(hop.cidr).prefixlen).kind == "internet-gateway"


def delivered(
    rule: tuple[Match, str], acl: list[Entry], table: list[Hop], packet: Packet, address: str, client_port: int
) -> bool:
    answer = reply(packet, client_port)
    return (
        matched(rule[0], packet)
        and covers(rule[1], address)
        and routed_to_internet(table, address)
        and acl_passes(acl, "ingress", packet, address)
        and (answer is None or acl_passes(acl, "egress", answer, address))
    )


def build(given_rules: list[tuple[Match, str]], acl: list[Entry], table: list[Hop], *, both: bool) -> Estate:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.5.0/24")
    for hop in table:
        b.route("rtb-x", hop.cidr, hop.kind, "igw-1" if hop.kind == "internet-gateway" else "nat-1")
    b.acl(
        "acl-1", ["subnet-x"], tuple(acl_entry(e.direction, e.number, e.match.text, e.cidr, deny=e.deny) for e in acl)
    )
    b.group("sg-x", *(allow("ingress", match.text, cidr) for match, cidr in given_rules))
    address = "10.0.5.9, 2600:1f18::9" if both else "10.0.5.9"
    b.interface("eni-x", "subnet-x", ["sg-x"], address, "203.0.113.250")
    return b.build()


families = st.sampled_from(("IPv4 alone", "both families"))


@given(rules, entries, hops, families)
@settings(max_examples=400, deadline=None)
def test_exposure_is_what_single_packets_show(
    given_rules: list[tuple[Match, str]], acl: list[Entry], table: list[Hop], has: str
) -> None:
    both = has == "both families"
    estate = build(given_rules, acl, table, both=both)
    view = InternetView(estate)
    rule_set = estate.rule_sets[EstateBuilder.id("sg-x")]
    interface = estate.interfaces[EstateBuilder.id("eni-x")]
    # An interface without an IPv6 address receives nothing over IPv6.
    clients = [client for client in CLIENTS if both or ":" not in client]
    for rule, known in zip(rule_set.rules, given_rules, strict=True):
        found = view.exposure(rule_set, rule, interface)
        reached: dict[str, bool] = dict.fromkeys(CLIENTS, False)
        for packet in PACKETS:
            at_most = certain = False
            for client in clients:
                ports = [port for port in CLIENT_PORTS if delivered(known, acl, table, packet, client, port)]
                at_most = at_most or bool(ports)
                certain = certain or set(ports) >= set(USUAL_CLIENT_PORTS)
                reached[client] = reached[client] or bool(ports)
            assert (Traffic.parse(packet.text) <= found.at_most) == at_most, (packet, known)
            assert (Traffic.parse(packet.text) <= found.certain) == certain, (packet, known)
        for client, expected in reached.items():
            assert found.sources.has(client) == expected, (client, known)
        assert found.verdict == ("exposed" if found.certain else "unknown" if found.at_most else "latent")
        if found.verdict == "latent":
            assert found.blocked
