"""Policies of AWS Network Firewall: do they stop what they do not allow, and which names do they let out?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.aws.translate.suricata import SuricataRule, rules_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.traffic import AddressSet

__all__ = ["FirewallRules", "Verdict"]

_FACET = "firewalls"
_DEFAULT_DROPS = "aws:drop_"
_EVERYWHERE = frozenset(("0.0.0.0/0", "::/0", "ANY", "any", "0.0.0.0/1", "128.0.0.0/1"))
_ANY = frozenset(("any",))
# The variable holds the ranges of the firewall's own VPC unless a rule group sets it, and that is not looked into.
_HOME = _ANY | {"$home_net"}


class _Reference(msgspec.Struct, rename="pascal"):
    resource_arn: str = ""


class _EngineOptions(msgspec.Struct, rename="pascal"):
    rule_order: str = "DEFAULT_ACTION_ORDER"


class _Policy(msgspec.Struct, rename="pascal"):
    stateless_rule_group_references: list[_Reference] = []
    stateless_default_actions: list[str] = []
    stateful_rule_group_references: list[_Reference] = []
    stateful_default_actions: list[str] = []
    stateful_engine_options: _EngineOptions = msgspec.field(default_factory=_EngineOptions)


class _PolicyResponse(msgspec.Struct, rename="pascal"):
    firewall_policy_arn: str = ""


class _PolicyAnswer(msgspec.Struct, rename="pascal"):
    firewall_policy: _Policy
    firewall_policy_response: _PolicyResponse = msgspec.field(default_factory=_PolicyResponse)


class _Address(msgspec.Struct, rename="pascal"):
    address_definition: str = ""


class _Match(msgspec.Struct, rename="pascal"):
    destinations: list[_Address] = []
    protocols: list[int] = []


class _Definition(msgspec.Struct, rename="pascal"):
    match_attributes: _Match = msgspec.field(default_factory=_Match)
    actions: list[str] = []


class _StatelessRule(msgspec.Struct, rename="pascal"):
    rule_definition: _Definition = msgspec.field(default_factory=_Definition)
    priority: int = 0


class _Stateless(msgspec.Struct, rename="pascal"):
    stateless_rules: list[_StatelessRule] = []


class _List(msgspec.Struct, rename="pascal"):
    targets: list[str] = []
    target_types: list[str] = []
    generated_rules_type: str = ""


class _Header(msgspec.Struct, rename="pascal"):
    protocol: str = ""
    source: str = ""
    source_port: str = ""
    destination: str = ""
    destination_port: str = ""


class _Option(msgspec.Struct, rename="pascal"):
    keyword: str = ""
    settings: list[str] = []


class _StatefulRule(msgspec.Struct, rename="pascal"):
    action: str = ""
    header: _Header = msgspec.field(default_factory=_Header)
    rule_options: list[_Option] = []


class _Source(msgspec.Struct, rename="pascal"):
    rules_string: str | None = None
    rules_source_list: _List | None = None
    stateful_rules: list[_StatefulRule] = []
    stateless_rules_and_custom_actions: _Stateless | None = None


class _Group(msgspec.Struct, rename="pascal"):
    rules_source: _Source


class _GroupResponse(msgspec.Struct, rename="pascal"):
    rule_group_arn: str = ""


class _GroupAnswer(msgspec.Struct, rename="pascal"):
    rule_group: _Group | None = None
    rule_group_response: _GroupResponse = msgspec.field(default_factory=_GroupResponse)


class Verdict(msgspec.Struct, frozen=True):
    """What a policy does: does it stop what it does not allow, which names it lets out, and why."""

    filters: bool | None
    names: tuple[str, ...]
    reason: str


class FirewallRules:
    """The firewall policies and rule groups of an account and region."""

    def __init__(self, answers: Answers) -> None:
        self._policies: dict[str, _Policy] = {}
        for resource, policy in answers.whole("network-firewall", "describe_firewall_policy", _PolicyAnswer, _FACET):
            self._policies[policy.firewall_policy_response.firewall_policy_arn or resource] = policy.firewall_policy
        self._groups: dict[str, _Source] = {}
        for resource, group in answers.whole("network-firewall", "describe_rule_group", _GroupAnswer, _FACET):
            if group.rule_group is not None:
                arn = group.rule_group_response.rule_group_arn or resource
                self._groups[arn] = group.rule_group.rules_source

    def verdict(self, policy_arn: str, home: AddressSet) -> Verdict:
        """Judge a policy of a firewall in a network with the ``home`` addresses.

        Packets meet the stateless rules first; ``aws:pass`` there ends all inspection. What is forwarded meets the
        stateful rules. In the default order these have no default: what no rule drops goes through, even beside an
        allow-list of names, which drops other names of HTTP and TLS only. In strict order a default action can drop.
        Sources: https://docs.aws.amazon.com/network-firewall/latest/developerguide/suricata-rule-evaluation-order.html
        https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-rules-engines.html
        https://docs.aws.amazon.com/network-firewall/latest/developerguide/stateful-rule-groups-domain-names.html
        """
        policy = self._policies.get(policy_arn)
        if policy is None:
            return Verdict(None, (), "its policy was not read")
        names, forgeable = self._names(policy)
        filters, reason = self._stateless(policy)
        if filters is None and not reason:
            filters, reason = self._stateful(policy, home)
        if filters and names and forgeable:
            reason += "; clients can forge the names, which are not bound to resolved addresses"
        return Verdict(filters, names, reason)

    def _stateless(self, policy: _Policy) -> tuple[bool | None, str]:
        """Judge the stateless rules; None without a reason when they leave the decision to the stateful ones."""
        unread = [each.resource_arn for each in policy.stateless_rule_group_references if self._unread(each)]
        for actions in self._passing(policy):
            if "aws:pass" in actions:
                return False, "a stateless rule passes packets to every destination without inspection"
        default = policy.stateless_default_actions
        if "aws:pass" in default:
            return False, "its stateless default action passes packets without inspection"
        if unread:
            return None, f"its stateless rule group {unread[0]} was not read"
        if "aws:drop" in default:
            return True, "its stateless default action drops packets"
        if "aws:forward_to_sfe" in default:
            return None, ""
        return None, "its stateless default action was not read"

    def _passing(self, policy: _Policy) -> Iterator[list[str]]:
        """Yield the actions of the stateless rules that match some TCP traffic to every destination."""
        for reference in policy.stateless_rule_group_references:
            source = self._groups.get(reference.resource_arn)
            if source is None or source.stateless_rules_and_custom_actions is None:
                continue
            for rule in source.stateless_rules_and_custom_actions.stateless_rules:
                match = rule.rule_definition.match_attributes
                destinations = {address.address_definition for address in match.destinations}
                if (not destinations or destinations & _EVERYWHERE) and (not match.protocols or 6 in match.protocols):
                    yield rule.rule_definition.actions

    def _stateful(self, policy: _Policy, home: AddressSet) -> tuple[bool | None, str]:
        rules = [rule for reference in policy.stateful_rule_group_references for rule in self._rules(reference)]
        if any(rule.passes_all_from(home) for rule in rules):
            return False, "a stateful rule passes every connection"
        unread = [each.resource_arn for each in policy.stateful_rule_group_references if self._unread(each)]
        strict = policy.stateful_engine_options.rule_order == "STRICT_ORDER"
        default = [action for action in policy.stateful_default_actions if action.startswith(_DEFAULT_DROPS)]
        if unread:
            return None, f"its stateful rule group {unread[0]} was not read"
        if strict and default:
            return True, f"its stateful default action is {default[0]}"
        for homes, filters, whose in ((_ANY, True, "every connection"), (_HOME, None, "every connection of $HOME_NET")):
            dropped = {rule.protocol for rule in rules if rule.stops_all_from(homes)}
            if "ip" in dropped or {"tcp", "udp"} <= dropped:
                return filters, f"a stateful rule drops {whose} that none passes"
        if strict:
            return False, "its stateful default action drops nothing"
        if self._names(policy)[0]:
            return False, "default action order has no default drop: other protocols than HTTP and TLS go through"
        return False, "default action order has no default drop: what no rule drops goes through"

    def _unread(self, reference: _Reference) -> bool:
        # The groups that AWS keeps hold drops and alerts only, and show their rules to nobody.
        return reference.resource_arn not in self._groups and ":aws-managed:" not in reference.resource_arn

    def _rules(self, reference: _Reference) -> Iterator[SuricataRule]:
        source = self._groups.get(reference.resource_arn)
        if source is None:
            return
        yield from rules_in(source.rules_string or "")
        for rule in source.stateful_rules:
            header = rule.header
            options = tuple(_option(each) for each in rule.rule_options)
            yield SuricataRule(
                rule.action.lower(),
                header.protocol.lower(),
                (header.source, header.source_port, header.destination, header.destination_port),
                options,
            )

    def _names(self, policy: _Policy) -> tuple[tuple[str, ...], bool]:
        """Return the names of the allow-lists, and whether clients can forge some of them."""
        names: set[str] = set()
        forgeable = False
        for reference in policy.stateful_rule_group_references:
            source = self._groups.get(reference.resource_arn)
            listed = source.rules_source_list if source is not None else None
            if listed is not None and listed.generated_rules_type == "ALLOWLIST":
                for target in listed.targets:
                    names |= {target[1:], f"*{target}"} if target.startswith(".") else {target}
                forgeable = forgeable or not any("RESOLVED" in kind for kind in listed.target_types)
            for rule in self._rules(reference):
                if rule.action == "pass" and rule.names:
                    names.update(rule.names)
                    forgeable = True
        return tuple(sorted(names)), forgeable


def _option(option: _Option) -> tuple[str, str]:
    """Return keyword and value of an option; AWS writes ``sid:1`` as one keyword as well.

    Source: https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_RuleOption.html
    """
    keyword, _, value = option.keyword.partition(":")
    return keyword.strip(), ",".join(text for text in (value.strip(), *option.settings) if text)
