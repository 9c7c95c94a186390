"""What the security admin rules of one virtual network say about one packet, and what its platform does first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.oracle_addresses import HOST, METADATA
from tests.azure.oracle_nsg import matches
from tests.azure.oracle_records import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.azure.oracle_nsg import Seen
    from tests.azure.oracle_records import Read, Rule
    from tests.azure.oracle_tags import View
    from tests.azure.oracle_worlds import World

__all__ = ["admin_action", "platform"]

_INTENT = {"microsoft.sql/managedinstances", "microsoft.databricks/workspaces"}


def admin_action(estate: Read, world: World, view: View, seen: Seen, direction: str) -> str:
    """ "deny", "alwaysallow", or "allow" where the network security groups go on to decide.

    https://learn.microsoft.com/en-us/azure/virtual-network-manager/concept-security-admins: a lower number wins, Allow
    leaves the decision to the groups, Always Allow and Deny end it. Two rules of one number in two collections are
    taken in an order that nobody tells. Rules are not applied by default to networks with network intent policies,
    such as those of SQL Managed Instance; whether they are is open. So is everything where they were not read.
    """
    rules = view.vnet.admin
    if rules is None:
        return _any(world, f"the admin rules of {view.vnet.id} for {direction}", ("deny", "alwaysallow", "allow"))
    subnets = [each for each in estate.subnets if each.vnet == view.vnet.id]
    intent = any(name in _INTENT for each in subnets for name in each.delegations)
    if intent and rules and not world.holds(f"admin rules apply to {view.vnet.id}"):
        return "allow"
    found = [
        rule for rule in rules if rule.direction == direction and matches(estate, world, view, rule, seen)
    ]  # fmt: skip
    if not found:
        return "allow"
    first = min(rule.priority for rule in found)
    actions = sorted({rule.action for rule in found if rule.priority == first})
    return _any(world, f"the first admin rule {first} of {view.vnet.id} for {direction}", actions)


def _any(world: World, question: str, actions: Sequence[str]) -> str:
    for action in actions[:-1]:
        if world.holds(f"{question} is {action}"):
            return action
    return actions[-1]


def platform(estate: Read, world: World, view: View, nsgs: Sequence[str], seen: Seen) -> Decision:
    """Whether a packet to the host or to the metadata service passes: only rules with their own tags filter it.

    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#azure-platform-considerations
    The tags stand for DNS and for metadata; whether a deny by tag also stops other ports of the address is open.
    """
    tags = {HOST: "azureplatformdns", METADATA: "azureplatformimds"}
    ports = {HOST: {53}, METADATA: {80}}
    tag = tags[seen.destination]
    for nsg in nsgs:
        if nsg and nsg not in estate.nsgs and not world.holds(f"{nsg} lets the platform pass"):
            return Decision("blocked", "platform")
        rules = [each for each in estate.nsgs.get(nsg, ()) if _names(each, tag)]
        for rule in sorted(rules, key=lambda each: each.priority):
            if matches(estate, world, view, rule, seen):
                if rule.action == "deny" and (
                    seen.port in ports[seen.destination] or world.holds(f"{tag} stops other ports")
                ):
                    return Decision("blocked", "platform")
                break
    return Decision("passes", "platform")


def _names(rule: Rule, tag: str) -> bool:
    return rule.direction == "outbound" and any(text.lower() == tag for text in rule.destinations)
