"""Identities of VPC networks: network tags, service accounts and secure tags, as groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import (
    ANYONE,
    Addresses,
    AllOf,
    Carries,
    Group,
    GroupRef,
    InNetworks,
    Labelled,
    Unresolved,
)
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Interface, Peer, Rule, Selector
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = [
    "ALIAS",
    "PROXY",
    "account_of",
    "carry",
    "group_at",
    "machines_in",
    "name_sources",
    "near_end",
    "source_of",
    "tag_of",
]

ALIAS: Final = "gcp/alias"
"""The label of interfaces that stand for alias ranges: as sources, tags and accounts do not stand for them."""
PROXY: Final = "gcp/proxy"
"""The label of interfaces that stand for proxies of load balancers: the lists of machines do not judge them."""
_SOURCES: Final = "@@sources"
"""What stands behind the id of a group where a part of it is meant: it stays one group for people."""


def tag_of(network: str, tag: str) -> str:
    """Return the qualified id of a network tag: it means something in one network alone.

    Source: https://cloud.google.com/vpc/docs/add-remove-network-tags
    """
    return f"{network}/tags/{tag}"


def account_of(network: str, account: str) -> str:
    """Return the qualified id of a service account as rules of one network mean it."""
    return f"{network}/serviceAccounts/{account}"


def carry(draft: Draft, interface: Interface, tags: Iterable[str], accounts: Iterable[str]) -> Interface:
    """Return an interface with the tags and accounts that it carries in its network; their groups are added.

    Sources: https://cloud.google.com/vpc/docs/add-remove-network-tags and
    https://cloud.google.com/firewall/docs/service-accounts
    """
    if interface.network is None:
        return interface
    attached = set(interface.attached)
    for kind, names, make in (("network-tag", tags, tag_of), ("service-account", accounts, account_of)):
        for name in names:
            identifier = make(interface.network, name)
            attached.add(identifier)
            group_at(draft, identifier, kind, name, interface.network)
    return msgspec.structs.replace(interface, attached=frozenset(attached))


def machines_in(network: str) -> Selector:
    """Return whom the lists of a network judge: its machines, and not the proxies of load balancers.

    Source: https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    """
    return AllOf((InNetworks(frozenset((network,))), Labelled(PROXY, "DoesNotExist")))


def group_at(draft: Draft, identifier: str, kind: str, name: str, network: str = "") -> str:
    """Return the id of the group of a tag or an account; it is added where nobody has named it before."""
    if identifier not in draft.groups:
        draft.groups[identifier] = Group(
            id=identifier,
            kind=kind,
            name=name,
            selector=Carries(identifier),
            networks=(network,) if network else (),
            # https://cloud.google.com/compute/docs/access/service-accounts#default_service_account
            is_default=kind == "service-account" and name.endswith("-compute@developer.gserviceaccount.com"),
        )
    return identifier


def near_end(draft: Draft, targets: tuple[GroupRef, ...], ranges: tuple[Peer, ...]) -> tuple[Peer, ...]:
    """Return the near end of a rule: those whom it is for, at the addresses that it names there; nobody narrows both.

    Args:
        draft: where the targets' addresses are looked up; instances have to be there already.
        targets: the groups that a rule is for; none for everybody.
        ranges: the addresses that it names besides; none for all.
    """
    if not targets or not ranges:
        return (*targets, *ranges) or ANYONE
    named = NO_ADDRESSES
    for peer in ranges:
        if not isinstance(peer, Addresses):
            return (Unresolved("targets at addresses of a list", "which of the targets bear these is not known"),)
        named |= peer.addresses
    groups = {peer.group for peer in targets}
    secure = any(draft.groups[group].kind == "secure-tag" for group in groups)
    found = unsure = NO_ADDRESSES
    for each in draft.interfaces.values():
        if each.attached & groups:
            found |= each.addresses & named
        elif secure and each.workload is not None and each.scope not in draft.read_bindings:
            unsure |= each.addresses & named
    if not unsure:
        return (Addresses(found),)
    maybe = Unresolved("targets by secure tags", "which machines bear these tags was not read", unsure)
    return (Addresses(found), maybe)


def source_of(identifier: str) -> str:
    """Return the qualified id of those members of a group whom rules know as sources: without alias ranges.

    Source: https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule
    """
    return f"{identifier}{_SOURCES}"


def name_sources(draft: Draft) -> None:
    """Let groups as sources be the groups themselves; where alias ranges are members, the rest of them.

    So it is where routes lead to ranges by way of a member: what sends from there is no source by its identities.
    """
    hops = {route.target for route in draft.routed if route.kind == "interface"}
    aliases = [each for each in draft.interfaces.values() if ALIAS in each.labels or each.workload in hops]
    narrowed = {identity for each in aliases for identity in each.attached if identity in draft.groups}
    for identifier in sorted(narrowed):
        named = source_of(identifier)
        selector = AllOf((Carries(identifier), Labelled(ALIAS, "DoesNotExist")))
        draft.groups[named] = msgspec.structs.replace(draft.groups[identifier], id=named, selector=selector)
    for key, rule_set in draft.rule_sets.items():
        rules = tuple(_named(rule, narrowed) for rule in rule_set.rules)
        draft.rule_sets[key] = msgspec.structs.replace(rule_set, rules=rules)


def _named(rule: Rule, narrowed: set[str]) -> Rule:
    """Return a rule whose sources are groups by the ids that these have."""
    if not any(isinstance(peer, GroupRef) for peer in rule.remote):
        return rule
    remote = tuple(
        msgspec.structs.replace(peer, group=source_of(peer.group))
        if isinstance(peer, GroupRef) and peer.group in narrowed
        else peer
        for peer in rule.remote
    )
    return msgspec.structs.replace(rule, remote=remote)
