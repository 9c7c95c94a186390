"""VPN tunnels: where they begin and end, and what is sent into them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Tunnel
from cloudseg.providers.gcp.ids import region_of, tail_of
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_tunnels"]

_FACET: Final = "gateways"
_TUNNELS: Final = "compute.vpn_tunnels"


class _Interface(msgspec.Struct, rename="camel"):
    id: int = 0
    ip_address: str | None = None


class _Gateway(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    vpn_interfaces: list[_Interface] | None = None


class _ExternalGateway(CloudResource, kw_only=True, rename="camel"):
    interfaces: list[_Interface] | None = None


class _ForwardingRule(CloudResource, kw_only=True, rename="camel"):
    # Read one by one with everything else of load balancers: here only those of gateways matter.
    target: object = None
    ip_address: object = msgspec.field(default=None, name="IPAddress")


class _Tunnel(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    vpn_gateway: str | None = None
    vpn_gateway_interface: int | None = None
    target_vpn_gateway: str | None = None
    peer_ip: str | None = None
    peer_gcp_gateway: str | None = None
    peer_external_gateway: str | None = None
    peer_external_gateway_interface: int | None = None
    status: str | None = None
    router: str | None = None
    local_traffic_selector: list[str] | None = None
    remote_traffic_selector: list[str] | None = None


def add_tunnels(answers: Answers, draft: Draft) -> None:
    """Add to gateways their tunnels, with the state in which these were.

    What goes into a tunnel follows from the routes that name it, those among them that its router learned. Sources:
    https://cloud.google.com/compute/docs/reference/rest/v1/vpnTunnels and
    https://cloud.google.com/network-connectivity/docs/vpn/concepts/choosing-networks-routing
    """
    ends = _Ends(answers, draft)
    found: defaultdict[str, list[Tunnel]] = defaultdict(list)
    for wire in answers.listed("compute", "vpn_tunnels", _Tunnel, _FACET):
        owner = wire.vpn_gateway or wire.target_vpn_gateway
        if not owner:
            continue
        link = wire.link(answers.scope, f"regions/{region_of(wire.region or wire.self_link)}/vpnTunnels")
        gateway = draft.named(owner, answers.scope)
        found[gateway].append(
            Tunnel(
                addresses=ends.of(gateway, wire.vpn_gateway_interface),
                peers=_peers(answers, draft, ends, wire, link),
                up=wire.status.upper() == "ESTABLISHED" if wire.status else None,
                carries=_carries(answers, draft, wire, link),
                serves=_selected(answers, link, wire.local_traffic_selector),
            )
        )
    for gateway, tunnels in found.items():
        known = draft.gateways.get(gateway)
        if known is not None:
            draft.gateways[gateway] = msgspec.structs.replace(known, tunnels=(*known.tunnels, *tunnels))


class _Ends:
    """The public addresses of the gateways of one project, its external ones among them."""

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self._ends: defaultdict[str, dict[int, AddressSet]] = defaultdict(dict)
        for gateway in answers.listed("compute", "vpn_gateways", _Gateway, _FACET):
            place = f"regions/{region_of(gateway.region or gateway.self_link)}/vpnGateways"
            self._note(answers, draft, "vpn_gateways", gateway.link(answers.scope, place), gateway.vpn_interfaces)
        for external in answers.listed("compute", "external_vpn_gateways", _ExternalGateway, _FACET):
            link = external.link(answers.scope, "global/externalVpnGateways")
            self._note(answers, draft, "external_vpn_gateways", link, external.interfaces)
        for number, rule in enumerate(answers.listed("compute", "forwarding_rules", _ForwardingRule, _FACET)):
            if isinstance(rule.target, str) and "/targetVpnGateways/" in rule.target:
                text = rule.ip_address if isinstance(rule.ip_address, str) else ""
                name = draft.named(rule.target, answers.scope)
                self._ends[name][number] = answers.addresses("compute.forwarding_rules", rule.name, (text,), _FACET)

    def _note(
        self, answers: Answers, draft: Draft, operation: str, link: str, interfaces: Iterable[_Interface] | None
    ) -> None:
        for each in interfaces or ():
            addresses = answers.addresses(f"compute.{operation}", tail_of(link), (each.ip_address,), _FACET)
            self._ends[draft.named(link, answers.scope)][each.id] = addresses

    def of(self, gateway: str, interface: int | None = None) -> AddressSet:
        """Return the address of one interface of a gateway; those of all where it is not told which."""
        held = self._ends.get(gateway, {})
        if interface is not None and interface in held:
            return held[interface]
        found = NO_ADDRESSES
        for each in held.values():
            found |= each
        return found


def _peers(answers: Answers, draft: Draft, ends: _Ends, wire: _Tunnel, link: str) -> AddressSet:
    """Return the addresses at one of which a tunnel ends."""
    if wire.peer_ip:
        return answers.addresses(_TUNNELS, tail_of(link), (wire.peer_ip,), _FACET)
    if wire.peer_external_gateway:
        name = draft.named(wire.peer_external_gateway, answers.scope)
        return ends.of(name, wire.peer_external_gateway_interface)
    return ends.of(draft.named(wire.peer_gcp_gateway, answers.scope)) if wire.peer_gcp_gateway else NO_ADDRESSES


def _carries(answers: Answers, draft: Draft, wire: _Tunnel, link: str) -> AddressSet | None:
    """Return the destinations that are sent into a tunnel; None where its router did not say what it learned."""
    if wire.router and draft.named(wire.router, answers.scope) not in draft.learned:
        return None
    routed = draft.tunnel_ranges.get(draft.named(link, answers.scope), NO_ADDRESSES)
    return routed & _selected(answers, link, wire.remote_traffic_selector)


def _selected(answers: Answers, link: str, texts: list[str] | None) -> AddressSet:
    """Return the addresses of a traffic selector; one that cannot be read stands for all, as does none."""
    found = answers.addresses(_TUNNELS, tail_of(link), texts or (), _FACET)
    return found if texts and answers.readable(texts) else ALL_ADDRESSES
