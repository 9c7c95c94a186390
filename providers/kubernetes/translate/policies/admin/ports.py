"""The ports of rules of admin policies, in the shapes of both versions of their API.

A named port is meant whatever its protocol. Sources: https://network-policy-api.sigs.k8s.io/reference/spec/ and
https://github.com/kubernetes-sigs/network-policy-api/blob/main/apis/v1alpha2/clusternetworkpolicy_types.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.traffic import NamedPort, Ports
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.policies.admin.wire import (
        AdminPort,
        AdminProtocol,
        AdminRule,
        PortRange,
        TransportPort,
    )

__all__ = ["admin_ports"]

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_HIGHEST: Final = 65535


def admin_ports(rule: AdminRule) -> Ports:
    """Return the ports of a rule; without any it is about all traffic.

    Raises:
        ParseError: the API server would refuse one of them.
    """
    if rule.ports is not None and rule.protocols is not None:
        raise ParseError("a rule sets ports and protocols")
    if rule.ports is None and rule.protocols is None:
        return Ports(ALL_TRAFFIC)
    if not rule.ports and not rule.protocols:
        raise ParseError("a rule has an empty list of ports: leave it out to mean all traffic")
    fixed, named = NO_TRAFFIC, dict[NamedPort, None]()
    found = (*map(_of_port, rule.ports or ()), *map(_of_protocol, rule.protocols or ()))
    for each in found:
        if isinstance(each, Traffic):
            fixed |= each
        else:
            named |= dict.fromkeys(NamedPort(each, protocol) for protocol in _PROTOCOLS)
    return Ports(fixed, tuple(named))


def _of_port(item: AdminPort) -> Traffic | str:
    """Return the traffic of an item of v1alpha1, or the name of a port."""
    one, many, name = item.port_number, item.port_range, item.named_port
    _one_of(one, many, name)
    if one is not None:
        return _ports(one.protocol or "TCP", one.port, one.port)
    if many is not None:
        return _range(many.protocol or "TCP", many)
    return _named(name)


def _of_protocol(item: AdminProtocol) -> Traffic | str:
    """Return the traffic of an item of v1alpha2, or the name of a port."""
    by_protocol: dict[str, TransportPort | None] = {"TCP": item.tcp, "UDP": item.udp, "SCTP": item.sctp}
    _one_of(*by_protocol.values(), item.destination_named_port)
    for protocol, given in by_protocol.items():
        if given is None:
            continue
        if given.destination_port is None:
            raise ParseError(f"{protocol.lower()} sets no destinationPort")
        _one_of(given.destination_port.number, given.destination_port.range)
        if given.destination_port.range is not None:
            return _range(protocol, given.destination_port.range)
        number = given.destination_port.number or 0
        return _ports(protocol, number, number)
    return _named(item.destination_named_port)


def _one_of(*fields: object) -> None:
    if sum(field is not None for field in fields) != 1:
        raise ParseError("one item of ports or protocols sets one field")


def _named(name: str | None) -> str:
    if not name:
        raise ParseError("the name of a port is empty")
    return name


def _range(protocol: str, given: PortRange) -> Traffic:
    if given.start >= given.end:
        raise ParseError(f"the range of ports from {given.start} ends at {given.end}: its end must lie above")
    return _ports(protocol, given.start, given.end)


def _ports(protocol: str, first: int, last: int) -> Traffic:
    if protocol not in _PROTOCOLS:
        raise ParseError(f"protocol {protocol!r} is none of {', '.join(_PROTOCOLS)}")
    if not 0 < first <= _HIGHEST or not 0 < last <= _HIGHEST:
        raise ParseError(f"port {first} to {last} is not within 1 to {_HIGHEST}")
    return Traffic.ports(protocol.lower(), first, last)
