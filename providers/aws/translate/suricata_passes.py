"""What the pass rules of a firewall let out whatever the name of the server, joined over all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cloudseg.providers.aws.translate.suricata_ends import addresses_of, ports_of
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.aws.translate.suricata import SuricataRule
    from cloudseg.providers.aws.translate.suricata_ends import Variables

__all__ = ["Outlet", "is_wide", "outlet", "wide"]

Amount = Literal["most", "web"]
"""``most``: at least half of the ports; ``web``: HTTP, TLS, or the ports 80 or 443, where names decide."""

_MOST_PORTS = 32_768
_HALF_OF_IPV4 = 1 << 31
_HALF_OF_IPV6 = 1 << 124  # of the global unicast addresses, 2000::/3
_WEB_PORTS = (80, 443)
_TRANSPORT = frozenset(("ip", "ip4", "ipv4", "ip6", "ipv6", "pkthdr", "tcp", "tcp-pkt", "tcp-stream", "udp"))
_WEB = frozenset(("http", "http1", "http2", "quic", "tls", "ssl"))
_HOME = "$home_net"
_INSIDE = frozenset(("any", _HOME, "$external_net", "!$home_net", "0.0.0.0/0"))
# Words of ``flow`` with which a rule concerns no packets from a client that opened a connection.
_NOT_OUTWARD = ("not_established", "to_client", "from_server")
_DIRECTED = (*_NOT_OUTWARD, "to_server", "from_client")


class Outlet(NamedTuple):
    """What one pass rule lets out.

    Attributes:
        amount: how much of the traffic.
        destinations: where to, at most.
        certain: for every client, under no condition that is not read.
    """

    amount: Amount
    destinations: AddressSet
    certain: bool


def is_wide(addresses: AddressSet) -> bool:
    """Tell whether addresses are at least half of the internet, in one of the families."""
    four, six = addresses & ALL_IPV4, addresses & GLOBAL_UNICAST & (ALL_ADDRESSES - ALL_IPV4)
    return four.size >= _HALF_OF_IPV4 or six.size >= _HALF_OF_IPV6


def wide(outlets: Iterable[Outlet], *, amount: Amount, certain: bool) -> bool:
    """Tell whether outlets of at least an amount lead to wide destinations together.

    Args:
        outlets: of one policy.
        amount: ``web`` takes those for most traffic in, too.
        certain: only those that do so for sure count.
    """
    joined = NO_ADDRESSES
    for each in outlets:
        if (each.certain or not certain) and amount in (each.amount, "web"):
            joined |= each.destinations
    return is_wide(joined)


def outlet(rule: SuricataRule, variables: Variables, home: AddressSet) -> Outlet | None:
    """Return what a rule lets out whatever the name of the server; None where it lets nothing out that matters.

    A rule for the start of connections alone passes no more than handshakes, one for replies no more than replies. One
    that passes everything to the network passes the replies to every connection, if it names no direction.

    Args:
        rule: a rule of a policy that drops what no rule passes.
        variables: what its rule group calls by a name.
        home: the addresses of the network that the firewall stands in.
    """
    if rule.action != "pass" or rule.names or rule.protocol not in _TRANSPORT | _WEB | {""}:
        return None
    source, source_port, destination, destination_port = (end.lower() for end in rule.ends)
    from_ports, ports = ports_of(source_port, variables.ports), ports_of(destination_port, variables.ports)
    every_port = from_ports is not None and from_ports.size >= _MOST_PORTS
    flow = ",".join(text.lower() for keyword, text in rule.options if keyword.lower() == "flow")
    if destination == _HOME:
        backwards = every_port and source in _INSIDE and not any(word in flow for word in _DIRECTED)
        if not backwards or ports is None or ports.size < _MOST_PORTS:
            return None
    elif any(word in flow for word in _NOT_OUTWARD):
        return None
    amount: Amount = "web" if rule.protocol in _WEB else "most"
    if ports is not None and ports.size < _MOST_PORTS:
        if amount == "most" and not any(port in ports for port in _WEB_PORTS):
            return None
        amount = "web"
    clients = addresses_of(source, variables.addresses)
    everyone = source in _INSIDE or (
        clients is not None and (clients >= ALL_IPV4 or (bool(home.v4) and AddressSet(v4=home.v4) <= clients))
    )
    reached = ALL_ADDRESSES if destination == _HOME else addresses_of(destination, variables.addresses)
    certain = everyone and every_port and None not in (ports, reached) and rule.unconditional
    return Outlet(amount, ALL_ADDRESSES if reached is None else reached, certain)
