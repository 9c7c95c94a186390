"""Who comes to internal proxies and endpoints: nobody from other regions without global access, and others perhaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Addresses, Carries, Rule, RuleSet, own_id, qualified, scope_of
from cloudseg.providers.gcp.ids import PROVIDER
from cloudseg.providers.gcp.translate.networks import WITHOUT_MACHINES
from cloudseg.providers.gcp.translate.pipeline import PLATFORM
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["doubt_proxies", "keep_to_regions"]


def keep_to_regions(draft: Draft) -> None:
    """Close the interfaces that were noted to clients in other regions of their network and of its peers.

    Sources: https://cloud.google.com/load-balancing/docs/l7-internal#client_access and
    https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints#global-access
    """
    for identifier, region in draft.regional.items():
        interface = draft.interfaces.get(identifier)
        away = NO_ADDRESSES if interface is None else _away(draft, interface.network or "", region)
        if away:
            _close(draft, identifier, "other-regions", away, "clients in other regions: it has no global access")


def doubt_proxies(draft: Draft) -> None:
    """Leave open who comes to proxies in networks whose policies have rules for these: they are not evaluated.

    Source: https://cloud.google.com/firewall/docs/firewall-policies-rule-details#target-type
    """
    for identifier, interface in list(draft.interfaces.items()):
        if interface.role == "proxy" and interface.network in draft.judged_proxies:
            words = "a policy has rules for load balancers, which are not evaluated"
            _close(draft, identifier, "rules-for-balancers", ALL_ADDRESSES, words, sure=False)


def _close(
    draft: Draft, identifier: str, part: str, clients: AddressSet, words: str, *, sure: bool = True
) -> None:  # fmt: skip
    """Let the platform refuse what some clients send to an interface, or perhaps."""
    interface = draft.interfaces[identifier]
    name = qualified(PROVIDER, scope_of(identifier), f"{own_id(identifier)}/{part}")
    draft.interfaces[identifier] = msgspec.structs.replace(interface, attached=interface.attached | {name})
    rule = Rule(
        id=part,
        direction="ingress",
        verdict="deny",
        traffic=ALL_TRAFFIC,
        remote=(Addresses(clients),),
        priority=0,
        exact=sure,
        doubt="" if sure else words,
        fixed=True,
        description=words,
    )
    draft.rule_sets[name] = RuleSet(
        id=name,
        kind="platform",
        name=f"who comes to {interface.name}",
        region=interface.region,
        stage=PLATFORM,
        network=interface.network,
        applies=Carries(name),
        rules=(rule,),
        is_default=True,
        managed_by="gcp",
        isolates=frozenset(("ingress",)),
    )


def _away(draft: Draft, network: str, region: str) -> AddressSet:
    """Return the ranges of the subnets of other regions, in a network and in those that it is peered with."""
    near = {network}
    near |= {each.network for each in draft.neighbours.get(network, ()) if draft.peerings[each.peering].active}
    found = here = NO_ADDRESSES
    for identifier, subnet in draft.subnets.items():
        if subnet.network in near and draft.purposes.get(identifier) not in WITHOUT_MACHINES:
            if subnet.region == region:
                here |= subnet.addresses
            elif subnet.region != "global":
                found |= subnet.addresses
    return found - here
