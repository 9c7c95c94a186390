"""What an application gateway takes at which of its addresses, and the addresses that its NSG judges it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Addresses, AllOf, AnyOf, Group, GroupRef, InSubnets, Labelled, Rule, RuleSet
from cloudseg.providers.azure.ids import place_of
from cloudseg.providers.azure.translate.pipeline import PUBLIC_ADDRESS, SUBNET_NSG
from cloudseg.providers.azure.translate.service_tags import SERVED
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Interface, Selector
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["GATEWAY", "ROLE", "Heard", "listening", "open_frontends", "subnets_in"]

ROLE: Final = "application_gateway"
"""What the interfaces of application gateways are for."""
GATEWAY: Final = "azure/application-gateway"
"""The label that they bear; its value is the gateway."""


class Heard(NamedTuple):
    """What a gateway listens to.

    Attributes:
        public: at its public addresses; None where a listener of theirs was not read.
        private: at its private ones.
        by_frontend: at each frontend, by its qualified id.
    """

    public: Traffic | None
    private: Traffic | None
    by_frontend: dict[str, Traffic]

    @property
    def whole(self) -> Traffic | None:
        """What it takes from anybody; None where a listener was not read."""
        return None if self.public is None or self.private is None else self.public | self.private


def listening(draft: Draft, interface: Interface, heard: Heard) -> RuleSet | None:
    """Return the list that lets clients come by the listeners of the address that they ask alone; None for no need.

    Who comes from a public address asks the public frontend. Whether instances answer at addresses of their own, where
    no private frontend listens, is not told. Source:
    https://learn.microsoft.com/azure/application-gateway/configuration-frontend-ip

    Args:
        draft: where the networks' own addresses are looked up.
        interface: the gateway's.
        heard: what it listens to.
    """
    whole = heard.whole
    if whole is None or heard.public is None or heard.private is None or heard.public == heard.private:
        return None
    outside = GLOBAL_UNICAST - SERVED
    for network in draft.networks.values():
        outside -= network.addresses
    gateway = interface.labels[GATEWAY]
    name = f"{gateway}/listeners"
    by_public = _rule("public", whole - heard.public, outside, 1)
    by_private = msgspec.structs.replace(
        _rule("private", whole - heard.private, ALL_ADDRESSES - outside, 2),
        exact=False,
        doubt="whether instances of the gateway answer at addresses of their own is not told",
    )
    return RuleSet(
        id=name,
        kind="platform",
        name=f"listeners of {place_of(gateway)}",
        region=interface.region,
        stage=PUBLIC_ADDRESS,
        network=interface.network,
        applies=Labelled(GATEWAY, "In", frozenset((gateway,))),
        rules=tuple(rule for rule in (by_public, by_private) if rule.traffic),
        is_default=True,
        managed_by="azure",
        isolates=frozenset(("ingress",)),
    )


def _rule(where: str, traffic: Traffic, clients: AddressSet, place: int) -> Rule:
    return Rule(
        id=f"not at a {where} address",
        direction="ingress",
        verdict="deny",
        traffic=traffic,
        remote=(Addresses(clients),),
        priority=place,
        description=f"no listener of the gateway is at a {where} address of it",
    )


def open_frontends(draft: Draft) -> None:
    """Let rules for the public addresses of a gateway judge it, at most.

    Where a public and a private listener have one port, the NSG sees packets for the frontend's own addresses; else
    those for an instance, in the subnet. Source:
    https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups
    """
    gateways = [each for each in draft.interfaces.values() if each.role == ROLE and each.public]
    for identifier, rule_set in list(draft.rule_sets.items()):
        if rule_set.stage != SUBNET_NSG or not gateways:
            continue
        inside = subnets_in(rule_set.applies)
        judged = [each for each in gateways if each.subnet in inside]
        rules = tuple(each for rule in rule_set.rules for each in (rule, *_for_frontends(draft, rule, judged)))
        if len(rules) > len(rule_set.rules):
            draft.rule_sets[identifier] = msgspec.structs.replace(rule_set, rules=rules)


def _for_frontends(draft: Draft, rule: Rule, gateways: list[Interface]) -> Iterator[Rule]:
    """Yield a rule once more for the gateways whose public addresses it names."""
    for interface in gateways if rule.direction == "ingress" else ():
        if any(isinstance(peer, Addresses) and peer.addresses.overlaps(interface.public) for peer in rule.local):
            yield msgspec.structs.replace(
                rule,
                id=f"{rule.id} (frontend of {interface.name})",
                local=(GroupRef(_group(draft, interface)),),
                exact=False,
                doubt="whether packets for the gateway bear the address of its frontend depends on its listeners",
            )


def _group(draft: Draft, interface: Interface) -> str:
    """Return the group of a gateway's interfaces, which is added where it is first asked for."""
    gateway = interface.labels[GATEWAY]
    name = f"{gateway}/members"
    draft.groups[name] = Group(
        id=name,
        kind="application-gateway",
        name=interface.name,
        region=interface.region,
        selector=Labelled(GATEWAY, "In", frozenset((gateway,))),
        networks=() if interface.network is None else (interface.network,),
        managed_by="azure",
    )
    return name


def subnets_in(selector: Selector) -> frozenset[str]:
    """Return the subnets that a selector names."""
    match selector:
        case InSubnets(subnets):
            return subnets
        case AllOf(parts) | AnyOf(parts):
            return frozenset(subnet for part in parts for subnet in subnets_in(part))
        case _:
            return frozenset()
