"""The traffic that rules of Antrea's policies are about.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/#the-antrea-clusternetworkpolicy-resource and
https://antrea.io/docs/main/docs/antrea-l7-network-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.traffic import NamedPort, Ports, read_ports
from cloudseg.providers.kubernetes.translate.wire import PortItem
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.policies.antrea.wire import (
        AntreaPort,
        AntreaProtocol,
        AntreaRule,
        L7Protocol,
    )

__all__ = ["Matched", "asked_of_requests", "matched"]

_HIGHEST: Final = 65535
_IGMP: Final = 2


class Matched(NamedTuple):
    """A part of the traffic of a rule.

    Attributes:
        ports: by number and by name.
        sources: the ports of the sender; None for all.
        exact: False where it is only some of the traffic.
    """

    ports: Ports
    sources: IntervalSet | None = None
    exact: bool = True


def matched(rule: AntreaRule) -> tuple[Matched, ...]:
    """Return the traffic of a rule; without ports and protocols it is all.

    Raises:
        ParseError: Antrea would refuse it.
    """
    if not rule.ports and not rule.protocols:
        return (Matched(Ports(ALL_TRAFFIC)),)
    by_source: dict[IntervalSet | None, Ports] = {}
    for item in rule.ports or ():
        sources = _sources(item)
        found = read_ports([PortItem(item.protocol, item.port, item.end_port)])
        known = by_source.get(sources, Ports(NO_TRAFFIC))
        named: tuple[NamedPort, ...] = tuple(dict.fromkeys((*known.named, *found.named)))
        by_source[sources] = Ports(known.fixed | found.fixed, named)
    parts = [Matched(ports, sources) for sources, ports in by_source.items()]
    return (*parts, *(_of_protocol(item) for item in rule.protocols or ()))


def asked_of_requests(items: Sequence[L7Protocol] | None) -> str:
    """Return what a rule asks of requests, in words; empty for nothing.

    Raises:
        ParseError: Antrea would refuse it.
    """
    found: list[str] = []
    for item in items or ():
        if (item.http is None) == (item.tls is None):
            raise ParseError("one item of l7Protocols sets one field")
        if item.http is not None:
            parts = (item.http.method, item.http.host, item.http.path)
            found.append(" ".join(("HTTP:", *(part for part in parts if part))).removesuffix(":"))
        elif item.tls is not None:
            found.append(f"TLS: {item.tls.sni}" if item.tls.sni else "TLS")
    return f"only {', '.join(found)}" if found else ""


def _sources(item: AntreaPort) -> IntervalSet | None:
    first, last = item.source_port, item.source_end_port
    if first is None:
        if last is not None:
            raise ParseError(f"sourceEndPort {last} stands without sourcePort")
        return None
    last = first if last is None else last
    if not 0 < first <= last <= _HIGHEST:
        raise ParseError(f"sourcePort {first} to {last} is not within 1 to {_HIGHEST}")
    return IntervalSet(((first, last),))


def _of_protocol(item: AntreaProtocol) -> Matched:
    if (item.icmp is None) == (item.igmp is None):
        raise ParseError("one item of protocols sets one field")
    if item.icmp is not None:
        kind, code = item.icmp.icmp_type, item.icmp.icmp_code
        if kind is None and code is not None:
            return Matched(Ports(Traffic.protocol("icmp") | Traffic.protocol("icmpv6")), exact=False)
        return Matched(Ports(Traffic.icmp_type(kind, code) | Traffic.icmp_type(kind, code, version=6)))
    some = item.igmp is not None and (item.igmp.igmp_type is not None or bool(item.igmp.group_address))
    return Matched(Ports(Traffic.protocol(_IGMP)), exact=not some)
