"""Private endpoints as ends of packets: what they answer takes no routes of their subnet."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import ANYONE, AllOf, Carries, InSubnets, Rule, RuleSet, Subnet, qualified
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.providers.azure.translate.pipeline import PLATFORM
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.model import Interface, Selector
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["apart", "set_apart"]


def apart(subnet: str) -> str:
    """Return the qualified id of the part of a subnet in which its private endpoints stand."""
    return f"{subnet}/privateendpoints"


def set_apart(draft: Draft) -> None:
    """Let private endpoints stand in a part of their subnet that has no routes of users.

    Answers of theirs find their way whatever the routes of the subnet say. Source:
    https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy
    """
    addresses: defaultdict[str, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
    for identifier, interface in draft.interfaces.items():
        if interface.role == "private_endpoint" and interface.subnet in draft.subnets:
            addresses[interface.subnet] |= interface.addresses
            draft.interfaces[identifier] = msgspec.structs.replace(interface, subnet=apart(interface.subnet))
    _close(draft)
    for name, found in addresses.items():
        subnet = draft.subnets[name]
        own = apart(name)
        draft.subnets[own] = Subnet(
            id=own,
            kind="private-endpoints",
            name=f"private endpoints in {subnet.name}",
            region=subnet.region,
            tags=subnet.tags,
            network=subnet.network,
            addresses=found,
            public_by_default=False,
        )
        draft.guards[own] = draft.guards[name]._replace(table="", nat_gateway="")
    for identifier, rule_set in draft.rule_sets.items():
        applies = _with_parts(rule_set.applies, frozenset(addresses))
        if applies is not rule_set.applies:
            draft.rule_sets[identifier] = msgspec.structs.replace(rule_set, applies=applies)


def _with_parts(selector: Selector, subnets: frozenset[str]) -> Selector:
    """Return a selector of subnets with the parts of these in which private endpoints stand."""
    match selector:
        case InSubnets(chosen) if chosen & subnets:
            return InSubnets(chosen | {apart(each) for each in chosen & subnets})
        case AllOf(parts):
            changed = tuple(_with_parts(part, subnets) for part in parts)
            return selector if changed == parts else AllOf(changed)
        case _:
            return selector


def _close(draft: Draft) -> None:
    """Let nothing in to endpoints whose connection is not approved; where that was not read, at most.

    Source: https://learn.microsoft.com/azure/private-link/private-endpoint-overview#access-to-a-private-link-resource-using-approval-workflow
    """
    for sure in (True, False):
        closed = qualified(PROVIDER, "azure", "unapproved-private-endpoints" + ("" if sure else "-maybe"))
        members = [
            identifier
            for identifier, interface in draft.interfaces.items()
            if interface.role == "private_endpoint" and _usable(draft, interface) is (False if sure else None)
        ]
        for identifier in members:
            interface = draft.interfaces[identifier]
            draft.interfaces[identifier] = msgspec.structs.replace(interface, attached=interface.attached | {closed})
        if members:
            draft.rule_sets[closed] = RuleSet(
                id=closed,
                kind="platform",
                name="private endpoints without an approved connection",
                stage=PLATFORM,
                applies=Carries(closed),
                rules=(
                    Rule(
                        id="closed",
                        direction="ingress",
                        verdict="deny",
                        traffic=ALL_TRAFFIC,
                        remote=ANYONE,
                        priority=0,
                        exact=sure,
                        doubt="" if sure else "the state of the private endpoint was not read",
                    ),
                ),
                is_default=True,
                managed_by="azure",
                isolates=frozenset(("ingress",)),
            )


def _usable(draft: Draft, interface: Interface) -> bool | None:
    endpoint = draft.endpoints.get(interface.workload or "")
    return None if endpoint is None else endpoint.usable
