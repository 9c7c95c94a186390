"""VPC firewall rules: one ordered list for each network, in which each rule is a resource of its own."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses, GroupRef, Rule, RuleSet, Unresolved, scope_of
from cloudseg.providers.gcp.ids import name_of, scope_name, tail_of
from cloudseg.providers.gcp.translate.groups import account_of, group_at, machines_in, near_end, tag_of
from cloudseg.providers.gcp.translate.pipeline import VPC_RULES
from cloudseg.providers.gcp.translate.rule_traffic import rule_traffic
from cloudseg.providers.gcp.translate.unread_rules import unread_rule
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import ALL_IPV4, ALL_TRAFFIC, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Direction, Peer, Verdict
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.traffic import Traffic

__all__ = ["Part", "add_vpc_rules", "place_vpc_rules", "traffic_of"]

_WHAT: Final = "compute.firewalls"
_FACET: Final = "groups"
_PRIORITY: Final = 1000
_DIRECTIONS: Final = frozenset(("INGRESS", "EGRESS"))


class Part(msgspec.Struct, rename="camel"):
    """A protocol with its ports, as VPC firewall rules and policies spell it."""

    protocol: str | int = msgspec.field(default="", name="IPProtocol")
    policy_protocol: str | int = msgspec.field(default="", name="ipProtocol")
    ports: list[str] | None = None


class _Firewall(CloudResource, kw_only=True, rename="camel"):
    network: str = ""
    direction: str = "INGRESS"
    priority: int | None = None
    source_ranges: list[str] | None = None
    destination_ranges: list[str] | None = None
    source_tags: list[str] | None = None
    target_tags: list[str] | None = None
    source_service_accounts: list[str] | None = None
    target_service_accounts: list[str] | None = None
    allowed: list[Part] | None = None
    denied: list[Part] | None = None
    disabled: bool = False
    description: str | None = None


def add_vpc_rules(answers: Answers, draft: Draft) -> None:
    """Note the VPC firewall rules; those that are disabled count for nothing.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
    """
    for wire in answers.listed("compute", "firewalls", _Firewall, _FACET):
        link = wire.link(answers.scope, "global/firewalls")
        if wire.disabled:
            continue
        if not wire.network:
            answers.gap(_WHAT, tail_of(link), "malformed", "its network is missing", _FACET)
            draft.open_rules.add(scope_name(answers.scope))
            continue
        network = draft.named(wire.network, answers.scope)
        if wire.direction.upper() not in _DIRECTIONS:
            why = f"its direction is {wire.direction!r}"
            answers.gap(_WHAT, tail_of(link), "malformed", why, _FACET)
            found = unread_rule(0, wire.priority, why)
            draft.firewall_rules.setdefault(network, {}).update({f"{link}/{rule.id}": rule for rule in found})
            continue
        rule = _rule(answers, draft, wire, link, network)
        draft.firewall_rules.setdefault(network, {})[draft.named(link, answers.scope)] = rule
    if not answers.complete("compute", "firewalls"):
        draft.open_rules.add(scope_name(answers.scope))


def _rule(answers: Answers, draft: Draft, wire: _Firewall, link: str, network: str) -> Rule:
    direction: Direction = "egress" if wire.direction.upper() == "EGRESS" else "ingress"
    problems: list[str] = []
    denied = wire.denied is not None and not wire.allowed
    traffic = traffic_of(wire.denied if denied else wire.allowed, problems)
    verdict: Verdict = "deny" if denied else "accept"
    far, near = wire.source_ranges, wire.destination_ranges
    if direction == "egress":
        far, near = near, far
    remote = _ranges(answers, link, far or (), problems)
    if direction == "ingress":
        named = (*_tags(draft, network, wire.source_tags), *_accounts(draft, network, wire.source_service_accounts))
        remote += tuple(GroupRef(group) for group in named)
    if not remote:
        # Without any end everybody is meant, over IPv4.
        remote = (Addresses(ALL_IPV4),)
    targets = (*_tags(draft, network, wire.target_tags), *_accounts(draft, network, wire.target_service_accounts))
    if problems:
        answers.gap(_WHAT, tail_of(link), "malformed", "; ".join(problems), _FACET)
    return Rule(
        id=f"{direction}/{wire.name or name_of(link)}",
        direction=direction,
        verdict=verdict,
        traffic=traffic,
        remote=remote,
        local=near_end(
            draft, tuple(GroupRef(group) for group in targets), _ranges(answers, link, near or (), problems)
        ),
        priority=_PRIORITY if wire.priority is None else wire.priority,
        exact=not problems,
        doubt="; ".join(problems),
        description=wire.description or "",
        resource=draft.named(link, answers.scope),
    )


def traffic_of(parts: list[Part] | None, problems: list[str]) -> Traffic:
    """Return the union of protocols and ports; what could not be read is added to ``problems``."""
    found = NO_TRAFFIC
    for part in parts or ():
        read = rule_traffic(str(part.protocol or part.policy_protocol), tuple(part.ports or ()))
        found |= read.traffic
        if read.problem:
            problems.append(read.problem)
    if not parts:
        problems.append("it names no protocol")
        return ALL_TRAFFIC
    return found


def _ranges(answers: Answers, link: str, texts: Iterable[str], problems: list[str]) -> tuple[Peer, ...]:
    wanted = tuple(texts)
    if not wanted:
        return ()
    found = answers.addresses(_WHAT, tail_of(link), wanted, _FACET)
    read = answers.readable(wanted)
    if read:
        return (Addresses(found),)
    problems.append("a range cannot be read")
    return (*((Addresses(found),) if found else ()), Unresolved(f"ranges of {tail_of(link)}", "a range cannot be read"))


def _tags(draft: Draft, network: str, names: list[str] | None) -> tuple[str, ...]:
    return tuple(group_at(draft, tag_of(network, name), "network-tag", name, network) for name in names or ())


def _accounts(draft: Draft, network: str, names: list[str] | None) -> tuple[str, ...]:
    return tuple(group_at(draft, account_of(network, name), "service-account", name, network) for name in names or ())


def place_vpc_rules(draft: Draft) -> None:
    """Make one list of the rules of each network: all of them are asked together, by priority, and denials first.

    Source: https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules
    """
    together: defaultdict[str, list[Rule]] = defaultdict(list)
    for network, rules in draft.firewall_rules.items():
        together[network].extend(rules.values())
        if scope_of(network) in draft.open_rules:
            together[network].extend(unread_rule(0, 0, "some VPC firewall rules were not read"))
    for network, found in together.items():
        known = draft.networks.get(network)
        identifier = f"{network}/firewalls"
        draft.rule_sets[identifier] = RuleSet(
            id=identifier,
            kind="vpc-firewall-rules",
            name=f"VPC firewall rules of {name_of(network) if known is None else known.name}",
            stage=VPC_RULES,
            network=network,
            applies=machines_in(network),
            rules=tuple(sorted(found, key=lambda rule: (rule.priority or 0, rule.allows, rule.id))),
        )
