"""Network ACLs: ordered, stateless rules at the boundary of a subnet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, InSubnets, Rule, RuleSet
from cloudseg.providers.aws.translate.rule_traffic import RuleTraffic, rule_traffic
from cloudseg.providers.aws.translate.tags import Tag, controller_of, tags_of
from cloudseg.traffic import ALL_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Coverage, Direction, Peer, Verdict
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["STAGE", "add_acls", "add_default_acl_subnets"]

STAGE = "network-acls"
_FACET = "boundary-rules"
_KIND = "network-acl"
_WHAT = "ec2.describe_network_acls"
_LAST_NUMBER = 32766
"""The highest number of an entry that people make; the ones above are the implicit denies of the two families."""


class _Association(msgspec.Struct, rename="pascal"):
    subnet_id: str = ""


class _PortRange(msgspec.Struct, rename={"first": "From", "last": "To"}):
    first: int | None = None
    last: int | None = None


class _IcmpTypeCode(msgspec.Struct, rename={"kind": "Type", "code": "Code"}):
    kind: int | None = None
    code: int | None = None


class _Entry(msgspec.Struct, rename="pascal"):
    rule_number: int
    egress: bool
    rule_action: str
    protocol: str
    cidr_block: str = ""
    ipv6_cidr_block: str = ""
    port_range: _PortRange = msgspec.field(default_factory=_PortRange)
    icmp_type_code: _IcmpTypeCode = msgspec.field(default_factory=_IcmpTypeCode)


class _NetworkAcl(msgspec.Struct, rename="pascal"):
    network_acl_id: str
    vpc_id: str
    associations: list[_Association] = []
    # Read one by one afterwards: an entry that cannot be understood must not take its list along.
    entries: list[object] = []
    is_default: bool = False
    owner_id: str = ""
    tags: list[Tag] = []


def add_acls(answers: Answers, draft: Draft) -> None:
    """Add the network ACLs with the subnets that they are associated with.

    Entries are evaluated by number, the first match decides, and what none matches is denied:
    https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
    """
    for wire in answers.each("ec2", "describe_network_acls", "NetworkAcls", _NetworkAcl, _FACET):
        tags = tags_of(wire.tags)
        subnets = frozenset(draft.id_of(answers, each.subnet_id) for each in wire.associations if each.subnet_id)
        rule_set = RuleSet(
            id=answers.id(wire.network_acl_id, account=wire.owner_id),
            kind=_KIND,
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            stage=STAGE,
            rules=_rules(answers, wire),
            applies=InSubnets(subnets),
            network=draft.id_of(answers, wire.vpc_id, wire.owner_id or None),
            is_default=wire.is_default,
            managed_by=controller_of(tags),
        )
        draft.put(draft.rule_sets, rule_set, answers.scope)


def add_default_acl_subnets(draft: Draft, coverage: Coverage) -> None:
    """Let the default network ACL of a VPC judge the subnets that no network ACL names.

    Where network ACLs were not read in full, one that is missing may name them: they are left without any.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
    """
    acls = [rule_set for rule_set in draft.rule_sets.values() if rule_set.stage == STAGE]
    named = {subnet for acl in acls if isinstance(acl.applies, InSubnets) for subnet in acl.applies.subnets}
    left: dict[str, set[str]] = {}
    for subnet in draft.subnets.values():
        if subnet.id not in named and coverage.was_read(_FACET, subnet.provider, subnet.scope, subnet.region):
            left.setdefault(subnet.network, set()).add(subnet.id)
    for acl in acls:
        if acl.is_default and acl.network in left and isinstance(acl.applies, InSubnets):
            subnets = acl.applies.subnets | left[acl.network]
            draft.rule_sets[acl.id] = msgspec.structs.replace(acl, applies=InSubnets(subnets))


def _rules(answers: Answers, acl: _NetworkAcl) -> tuple[Rule, ...]:
    found: dict[str, Rule] = {}
    for index, item in enumerate(acl.entries):
        try:
            entry = msgspec.convert(item, _Entry)
        except msgspec.ValidationError as error:
            answers.gap(_WHAT, acl.network_acl_id, "malformed", f"Entries[{index}]: {error}", _FACET)
            _add_unread(found, index)
        else:
            if entry.rule_number <= _LAST_NUMBER:
                rule = _rule(answers, acl.network_acl_id, entry)
                found[_unused(found, rule.id)] = msgspec.structs.replace(rule, id=_unused(found, rule.id))
    return tuple(sorted(found.values(), key=lambda rule: (rule.direction, rule.priority or 0)))


def _rule(answers: Answers, acl: str, entry: _Entry) -> Rule:
    direction: Direction = "egress" if entry.egress else "ingress"
    matched = _traffic(entry)
    remote: tuple[Peer, ...] = ANYONE
    problem = matched.problem
    text = entry.cidr_block or entry.ipv6_cidr_block
    try:
        remote = (Addresses(AddressSet.from_cidrs((text,))),)
    except ParseError as error:
        problem = str(error)
    verdict: Verdict = "next" if entry.rule_action == "allow" else "deny"
    if entry.rule_action not in {"allow", "deny"}:
        problem = f"RuleAction is {entry.rule_action!r}, expected allow or deny"
    if problem:
        answers.gap(_WHAT, acl, "malformed", f"{direction} {entry.rule_number}: {problem}", _FACET)
    return Rule(
        id=f"{direction}/{entry.rule_number}",
        direction=direction,
        verdict=verdict,
        traffic=matched.traffic,
        remote=remote,
        priority=entry.rule_number,
        exact=not problem,
    )


def _traffic(entry: _Entry) -> RuleTraffic:
    if entry.protocol in {"1", "58", "icmp", "icmpv6"}:
        return rule_traffic(entry.protocol, entry.icmp_type_code.kind, entry.icmp_type_code.code)
    return rule_traffic(entry.protocol, entry.port_range.first, entry.port_range.last)


def _add_unread(found: dict[str, Rule], index: int) -> None:
    """Stand in for an entry whose direction, number and action are unknown.

    Ahead of every other entry it may deny anything and may allow anything: nothing is certain then, and nothing is
    ruled out.
    """
    directions: tuple[Direction, ...] = ("ingress", "egress")
    verdicts: tuple[Verdict, ...] = ("deny", "next")
    for direction in directions:
        for verdict in verdicts:
            identifier = f"{direction}/unread-{index}-{verdict}"
            found[identifier] = Rule(
                id=identifier,
                direction=direction,
                verdict=verdict,
                traffic=ALL_TRAFFIC,
                remote=ANYONE,
                priority=0,
                exact=False,
            )


def _unused(found: dict[str, Rule], identifier: str) -> str:
    unused, count = identifier, 1
    while unused in found:
        count += 1
        unused = f"{identifier}#{count}"
    return unused
