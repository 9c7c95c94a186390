"""Rules that services of the platform cannot do without: Azure refuses NSGs at their subnets that lack them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ListRef
from cloudseg.providers.azure.translate.application_listeners import ROLE as GATEWAY_ROLE
from cloudseg.providers.azure.translate.application_listeners import subnets_in
from cloudseg.providers.azure.translate.bastions import ROLE as BASTION_ROLE
from cloudseg.providers.azure.translate.pipeline import SUBNET_NSG
from cloudseg.traffic import ALL_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Rule
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["keep_required_rules"]


class _Requirement(NamedTuple):
    """What a service needs to be let in.

    Attributes:
        tag: the service tag of its management, in lower case.
        traffic: what comes from there.
    """

    tag: str
    traffic: Traffic


_BY_ROLE: Final = {
    # v1 needs a part of these. https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure
    GATEWAY_ROLE: _Requirement("gatewaymanager", Traffic.ports("tcp", 65200, 65535)),
    # https://learn.microsoft.com/azure/bastion/bastion-nsg
    BASTION_ROLE: _Requirement("gatewaymanager", Traffic.ports("tcp", 443, 443)),
}
_BY_SERVICE: Final = {
    # https://learn.microsoft.com/azure/azure-sql/managed-instance/connectivity-architecture-overview
    "microsoft.sql/managedinstances": _Requirement("sqlmanagement", ALL_TRAFFIC),
    # https://learn.microsoft.com/azure/api-management/api-management-using-with-vnet
    "microsoft.apimanagement/service": _Requirement("apimanagement", Traffic.ports("tcp", 3443, 3443)),
    # https://learn.microsoft.com/azure/app-service/environment/network-info
    "microsoft.web/hostingenvironments": _Requirement("appservicemanagement", Traffic.ports("tcp", 454, 455)),
}


def keep_required_rules(draft: Draft) -> None:
    """Mark the rules that let the management of a service in to its own subnet: Azure refuses NSGs without them.

    Only rules for no more than that are marked, and only in NSGs that judge such subnets alone. What listens there is
    locked by certificates of Azure. Source:
    https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups
    """
    needs: dict[str, list[_Requirement]] = {}
    for interface in draft.interfaces.values():
        if interface.role in _BY_ROLE and interface.subnet is not None:
            needs.setdefault(interface.subnet, []).append(_BY_ROLE[interface.role])
    for subnet, guard in draft.guards.items():
        known = [_BY_SERVICE[each.lower()] for each in guard.delegated if each.lower() in _BY_SERVICE]
        if known:
            needs.setdefault(subnet, []).extend(known)
    for identifier, rule_set in list(draft.rule_sets.items()):
        inside = subnets_in(rule_set.applies) if rule_set.stage == SUBNET_NSG else frozenset[str]()
        if not inside or not inside <= needs.keys():
            continue
        here = {each for subnet in inside for each in needs[subnet]}
        rules = tuple(
            msgspec.structs.replace(rule, required=True) if any(_is_for(draft, rule, each) for each in here) else rule
            for rule in rule_set.rules
        )
        if rules != rule_set.rules:
            draft.rule_sets[identifier] = msgspec.structs.replace(rule_set, rules=rules)


def _is_for(draft: Draft, rule: Rule, need: _Requirement) -> bool:
    """Tell whether a rule lets in what a service needs, and nothing else."""
    if rule.direction != "ingress" or not rule.allows or not rule.traffic or not rule.traffic <= need.traffic:
        return False
    names = [_tag(draft, peer.list) if isinstance(peer, ListRef) else "" for peer in rule.remote]
    return bool(names) and all(name.lower().partition(".")[0] == need.tag for name in names)


def _tag(draft: Draft, identifier: str) -> str:
    known = draft.address_lists.get(identifier)
    return known.name if known is not None and known.kind == "service-tag" else ""
