"""Policy-based routes, which stand before all other routes of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses, Route
from cloudseg.providers.gcp.ids import tail_of
from cloudseg.providers.gcp.translate.parts import PolicyRoute
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Subnet
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_policy_routes", "led_astray", "redirected"]

_WHAT: Final = "networkconnectivity.policy_based_routes"
_FACET: Final = "routes"
_HALVES: Final = tuple(AddressSet.from_cidrs((half,)) for half in ("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"))


class _Filter(msgspec.Struct, rename="camel"):
    protocol_version: str | None = None
    src_range: str | None = None
    dest_range: str | None = None


class _Machines(msgspec.Struct):
    tags: list[str] | None = None


class _Route(CloudResource, kw_only=True, rename="camel"):
    network: str = ""
    filter: _Filter | None = None
    next_hop_ilb_ip: str | None = None
    next_hop_other_routes: str | None = None
    virtual_machine: _Machines | None = None
    interconnect_attachment: object = None


def add_policy_routes(answers: Answers, draft: Draft) -> None:
    """Note the routes that hand packets to an internal load balancer by more than their destination.

    One that leads packets back to the other routes changes nothing by itself, and one for attachments alone takes
    nothing that machines send. Source: https://cloud.google.com/vpc/docs/policy-based-routes
    """
    for wire in answers.listed("networkconnectivity", "policy_based_routes", _Route, _FACET):
        if wire.next_hop_other_routes and not wire.next_hop_ilb_ip:
            continue
        if wire.interconnect_attachment is not None and wire.virtual_machine is None:
            continue
        asked = wire.filter or _Filter()
        whole = {"IPV4": ALL_IPV4, "IPV6": ALL_IPV6}.get((asked.protocol_version or "").upper(), ALL_ADDRESSES)
        draft.policy_routes.append(
            PolicyRoute(
                network=draft.named(wire.network, answers.scope),
                source=_range(answers, wire, asked.src_range) & whole,
                destination=_range(answers, wire, asked.dest_range) & whole,
                tags=frozenset((wire.virtual_machine.tags if wire.virtual_machine is not None else None) or ()),
            )
        )


def _range(answers: Answers, wire: _Route, text: str | None) -> AddressSet:
    """Return a range of a filter; without one, or where it cannot be read, it is everything."""
    found = answers.addresses(_WHAT, tail_of(wire.name), (text,), _FACET) if text else NO_ADDRESSES
    return found or ALL_ADDRESSES


def redirected(draft: Draft, subnet: Subnet, carried: Iterable[frozenset[str]]) -> AddressSet:
    """Return where packets of a subnet go that policy-based routes may take before all others are asked.

    Args:
        draft: holds the routes.
        subnet: the subnet.
        carried: the network tags of each interface in it.
    """
    held = list(carried)
    found = NO_ADDRESSES
    for route in draft.policy_routes:
        chosen = not route.tags or any(route.tags & tags for tags in held)
        if route.network == subnet.network and chosen and route.source.overlaps(subnet.addresses):
            found |= route.destination
    return found


def led_astray(routes: Iterable[Route], taken: AddressSet) -> Iterator[Route]:
    """Yield routes as they hold where others take packets to some destinations first: there the way is not known.

    What hosts and Google's own probes answer is spared. Source:
    https://cloud.google.com/vpc/docs/policy-based-routes#specifications
    """
    uncovered = taken
    for route in routes:
        destination = route.destination
        if isinstance(destination, Addresses):
            uncovered -= destination.addresses
        spared = route.kind == "private-gateway" and (route.target or "").endswith(("/host", "/health-checks"))
        spared = spared or (route.target or "").endswith("/identity-aware-proxy")
        if spared or not isinstance(destination, Addresses) or not destination.addresses.overlaps(taken):
            yield route
            continue
        for cidr in (destination.addresses - taken).cidrs():
            yield msgspec.structs.replace(route, destination=Addresses(AddressSet.from_cidrs((cidr,))))
        yield from _unknown(destination.addresses & taken)
    yield from _unknown(uncovered)


def _unknown(addresses: AddressSet) -> Iterator[Route]:
    """Yield routes that lead nobody knows where; one of a whole family would stand for one that was misread."""
    for half in _HALVES:
        for cidr in (addresses & half).cidrs():
            yield Route(destination=Addresses(AddressSet.from_cidrs((cidr,))), kind="unknown", target=None)
