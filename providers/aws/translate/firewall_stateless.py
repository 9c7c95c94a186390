"""The stateless rules of a firewall policy: do they pass packets to everywhere, or leave them to the stateful rules?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.aws.translate.suricata_passes import is_wide
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, NO_ADDRESSES, NO_NUMBERS, AddressSet, IntervalSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloudseg.providers.aws.translate.firewall_answers import Match, Policy, PortRange, Source

__all__ = ["Stateless", "stateless_of"]

_SKIPS: Final = "aws:pass"
_FORWARD: Final = "aws:forward_to_sfe"
_PROTOCOLS: Final = (6, 17)
"""TCP and UDP: who may send either to everywhere needs no other."""
_ALL_PORTS: Final = IntervalSet.of((0, 65_535))
_MOST_PORTS: Final = 32_768


class Stateless(NamedTuple):
    """What the stateless rules of a policy do with packets to wide destinations, all rules together.

    Attributes:
        passes: they pass those of every client without inspection; None where they pass some of them, or perhaps none.
        forwards: they hand some of them to the stateful rules, at most.
    """

    passes: bool | None
    forwards: bool


class _Step(NamedTuple):
    """One rule, in the order of evaluation; ``reached`` is everywhere and ``whole`` false where it was not read."""

    action: str
    reached: AddressSet
    whole: bool
    few: bool


def stateless_of(policy: Policy, groups: Mapping[str, Source], home: AddressSet) -> Stateless:
    """Judge the stateless rules of a policy.

    The first rule that matches decides, in the order of the groups' priorities and of their own within a group. Source:
    https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-policy-processing.html

    Args:
        policy: the policy.
        groups: the rules of the groups that were read, by ARN.
        home: the addresses of the network that the firewall stands in.
    """
    each = [_passed(list(_steps(policy, groups, home, protocol))) for protocol in _PROTOCOLS]
    surely = any(is_wide(found.surely) for found in each)
    perhaps = any(is_wide(found.perhaps) for found in each)
    return Stateless(True if surely else None if perhaps else False, any(is_wide(found.handed) for found in each))


class _Reached(NamedTuple):
    surely: AddressSet
    perhaps: AddressSet
    handed: AddressSet


def _passed(steps: list[_Step]) -> _Reached:
    """Return where packets of one protocol are passed to for sure and perhaps, and handed to stateful rules at most."""
    surely = perhaps = handed = taken = NO_ADDRESSES
    for step in steps:
        if step.action == _SKIPS:
            perhaps |= step.reached
            if step.whole:
                surely |= step.reached - taken
            continue
        if step.action == _FORWARD:
            handed |= step.reached
        # What an earlier rule takes of a few ports leaves nearly everything to the later ones.
        if not step.few:
            taken |= step.reached
    return _Reached(surely, perhaps, handed)


def _steps(policy: Policy, groups: Mapping[str, Source], home: AddressSet, protocol: int) -> Iterator[_Step]:
    """Yield the rules that concern a protocol; a group that was not read may take anything."""
    for reference in sorted(policy.stateless_rule_group_references, key=lambda each: each.priority):
        source = groups.get(reference.resource_arn)
        if source is None:
            yield _Step("", ALL_ADDRESSES, whole=False, few=False)
            continue
        listed = source.stateless_rules_and_custom_actions
        rules = () if listed is None else listed.stateless_rules
        for rule in sorted(rules, key=lambda each: each.priority):
            match, actions = rule.rule_definition.match_attributes, rule.rule_definition.actions
            if match.protocols and protocol not in match.protocols:
                continue
            action = next((each for each in (_SKIPS, _FORWARD) if each in actions), "")
            few = _ports(match.destination_ports).size < _MOST_PORTS
            whole = not few and _is_for_every_client(match, home)
            yield _Step(action, _addresses(each.address_definition for each in match.destinations), whole, few)


def _is_for_every_client(match: Match, home: AddressSet) -> bool:
    """Tell whether a rule looks at the packets of every client; flags of TCP may leave some of a connection out."""
    sources = _addresses(each.address_definition for each in match.sources)
    everyone = sources >= ALL_IPV4 or (bool(home.v4) and AddressSet(v4=home.v4) <= sources)
    return everyone and _ports(match.source_ports).size >= _MOST_PORTS and not match.tcp_flags


def _ports(ranges: list[PortRange]) -> IntervalSet:
    """Return the ports of a rule: all where it names none."""
    found = NO_NUMBERS
    for each in ranges:
        if each.from_port <= each.to_port:
            found |= IntervalSet.of((each.from_port, each.to_port))
    return found if ranges else _ALL_PORTS


def _addresses(definitions: Iterable[str]) -> AddressSet:
    """Return the addresses of a stateless rule: everyone where it names none, or what is not understood."""
    texts = [text.strip() for text in definitions]
    if not texts or any(text.upper() == "ANY" for text in texts):
        return ALL_ADDRESSES
    try:
        return AddressSet.from_cidrs(texts)
    except ParseError:
        return ALL_ADDRESSES
