"""What is said of pods beside rules for packets: addresses outside, ways in, what requests have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.explaining.link import Link

__all__ = ["address_peers", "asked_of_requests", "not_led_to"]

_SHOWN: Final = 16
_PRIVATE4: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def address_peers(addresses: AddressSet) -> list[dict[str, object]]:
    """Return the items of a NetworkPolicy rule that name addresses; none where these are too many to be written.

    The internet is written as people write it: everything but what is private.
    """
    found: list[dict[str, object]] = []
    rest = addresses
    for family, whole, private in ((ALL_IPV4, "0.0.0.0/0", _PRIVATE4), (ALL_IPV6, "2000::/3", ())):
        if (addresses & family) == (GLOBAL_UNICAST & family):
            found.append({"cidr": whole, **({"except": list(private)} if private else {})})
            rest -= family
    cidrs = rest.cidrs()
    if len(cidrs) > _SHOWN:
        return []
    return [{"ipBlock": block} for block in (*found, *({"cidr": each} for each in cidrs))]


def not_led_to(estate: Estate, pod: Interface, senders: AddressSet) -> Iterator[str]:
    """Yield that a pod which may take packets from the internet is not exposed to it, where that is certain."""
    network = estate.networks.get(pod.network or "")
    if network is None or not network.leads_out or not senders.overlaps(GLOBAL_UNICAST):
        return
    ways = find_ways_in(pod, estate)
    if not (ways.ways or ways.unknown or ways.unread or ways.unseen):
        yield (
            f"policies admit it, and nothing that was read leads from the internet to {pod.own_id}: no Service, Ingress"
            " or Gateway, and no port of a node"
        )


def asked_of_requests(estate: Estate, links: Iterable[Link], pods: Iterable[str | AddressSet]) -> Iterator[str]:
    """Yield what the rules that let packets through at pods ask beside: a path of HTTP, a name in TLS.

    Packets alone are judged, so that this is told and changes no verdict.

    Args:
        estate: the estate.
        links: the steps of the way, with the rules that decide there.
        pods: the ends; what is no pod has no such rules.
    """
    known = (estate.interfaces.get(end) for end in pods if isinstance(end, str))
    clusters = {(pod.provider, pod.scope) for pod in known if pod is not None and pod.is_pod}
    for link in links:
        for reference in link.rules:
            policy = estate.rule_sets.get(reference.rule_set)
            if policy is None or (policy.provider, policy.scope) not in clusters:
                continue
            for rule in policy.rules:
                if rule.id == reference.rule and rule.allows and rule.exact and rule.description:
                    yield f"{policy.own_id} {rule.id}: {rule.description}"
