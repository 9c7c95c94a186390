"""Policies of AWS Network Firewall: do they stop what they do not allow, and which names do they let out?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.aws.translate.firewall_answers import (
    GroupAnswer,
    Option,
    Policy,
    PolicyAnswer,
    Reference,
    RuleVariables,
    Source,
)
from cloudseg.providers.aws.translate.firewall_stateless import stateless_of
from cloudseg.providers.aws.translate.suricata import SuricataRule, rules_in
from cloudseg.providers.aws.translate.suricata_ends import Variables
from cloudseg.providers.aws.translate.suricata_passes import outlet, wide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.suricata_passes import Outlet
    from cloudseg.traffic import AddressSet

__all__ = ["FirewallRules", "Verdict"]

_FACET = "firewalls"
_DEFAULT_DROPS = "aws:drop_"
_TCP = 6
_ANY = frozenset(("any",))
# The variable holds the ranges of the firewall's own VPC unless a rule group sets it, and that is not looked into.
_HOME = _ANY | {"$home_net"}


class Verdict(msgspec.Struct, frozen=True):
    """What a policy does: does it stop what it does not allow, which names it lets out, and why."""

    filters: bool | None
    names: tuple[str, ...]
    reason: str


class FirewallRules:
    """The firewall policies and rule groups of an account and region."""

    def __init__(self, answers: Answers) -> None:
        self._policies: dict[str, Policy] = {}
        for resource, policy in answers.whole("network-firewall", "describe_firewall_policy", PolicyAnswer, _FACET):
            self._policies[policy.firewall_policy_response.firewall_policy_arn or resource] = policy.firewall_policy
        self._groups: dict[str, Source] = {}
        self._variables: dict[str, RuleVariables] = {}
        for resource, group in answers.whole("network-firewall", "describe_rule_group", GroupAnswer, _FACET):
            if group.rule_group is not None:
                arn = group.rule_group_response.rule_group_arn or resource
                self._groups[arn] = group.rule_group.rules_source
                self._variables[arn] = group.rule_group.rule_variables

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
        filters, reason = self._stateless(policy, home)
        if filters is not None or reason:
            return Verdict(filters, (), reason)
        filters, reason = self._stateful(policy, home)
        names, forgeable = self._names(policy)
        if filters and names:
            filters, names, doubt = self._names_that_hold(policy, home, names)
            reason += f"; {doubt}" if doubt else ""
        if filters and names and forgeable:
            reason += "; clients can forge the names, which are not bound to resolved addresses"
        return Verdict(filters, names, reason)

    def _stateless(self, policy: Policy, home: AddressSet) -> tuple[bool | None, str]:
        """Judge the stateless rules; None without a reason when they leave the decision to the stateful ones.

        A default that drops decides only where no rule forwards packets before it.
        """
        unread = [each.resource_arn for each in policy.stateless_rule_group_references if self._unread(each)]
        stateless = stateless_of(policy, self._groups, home)
        if stateless.passes:
            return False, "a stateless rule passes packets to every destination without inspection"
        default = policy.stateless_default_actions
        if "aws:pass" in default:
            return False, "its stateless default action passes packets without inspection"
        if stateless.passes is None:
            doubt = "for some ports or clients only, or behind other rules"
            return None, f"a stateless rule passes packets to every destination without inspection, {doubt}"
        if unread:
            return None, f"its stateless rule group {unread[0]} was not read"
        if "aws:forward_to_sfe" in default or stateless.forwards:
            return None, ""
        if "aws:drop" in default:
            return True, "its stateless default action drops packets"
        return None, "its stateless default action was not read"

    def _stateful(self, policy: Policy, home: AddressSet) -> tuple[bool | None, str]:
        outlets = self._outlets(policy, home)
        if wide(outlets, amount="most", certain=True):
            return False, "a stateful rule passes every connection"
        unread = [each.resource_arn for each in policy.stateful_rule_group_references if self._unread(each)]
        if unread:
            return None, f"its stateful rule group {unread[0]} was not read"
        filters, reason = self._drops(policy)
        if filters and wide(outlets, amount="most", certain=False):
            return None, f"{reason}; but a stateful rule passes every connection of some clients, or on some condition"
        return filters, reason

    def _drops(self, policy: Policy) -> tuple[bool | None, str]:
        """Tell whether what no stateful rule passes is dropped."""
        strict = policy.stateful_engine_options.rule_order == "STRICT_ORDER"
        default = [action for action in policy.stateful_default_actions if action.startswith(_DEFAULT_DROPS)]
        if strict and default:
            return True, f"its stateful default action is {default[0]}"
        rules = [rule for reference in policy.stateful_rule_group_references for rule in self._rules(reference)]
        for homes, filters, whose in ((_ANY, True, "every connection"), (_HOME, None, "every connection of $HOME_NET")):
            dropped = {rule.protocol for rule in rules if rule.stops_all_from(homes)}
            if "ip" in dropped or {"tcp", "udp"} <= dropped:
                return filters, f"a stateful rule drops {whose} that none passes"
        if strict:
            return False, "its stateful default action drops nothing"
        if self._names(policy)[0]:
            return False, "default action order has no default drop: other protocols than HTTP and TLS go through"
        return False, "default action order has no default drop: what no rule drops goes through"

    def _names_that_hold(
        self, policy: Policy, home: AddressSet, names: tuple[str, ...]
    ) -> tuple[bool | None, tuple[str, ...], str]:
        """Return whether a policy filters, its names as far as they decide anything, and why they may not."""
        outlets = self._outlets(policy, home)
        if wide(outlets, amount="web", certain=True):
            return True, (), "its names decide nothing, for a stateful rule passes web traffic to every other name"
        if wide(outlets, amount="web", certain=False):
            return None, names, "but a stateful rule passes web traffic to every name, for some clients or conditions"
        return True, names, ""

    def _outlets(self, policy: Policy, home: AddressSet) -> list[Outlet]:
        """Return what each pass rule lets out whatever the name of the server."""
        found: list[Outlet] = []
        for reference in policy.stateful_rule_group_references:
            variables = self._called(policy, reference, home)
            outlets = (outlet(rule, variables, home) for rule in self._rules(reference))
            found += [each for each in outlets if each is not None]
        return found

    def _called(self, policy: Policy, reference: Reference, home: AddressSet) -> Variables:
        """Return the variables of a rule group.

        Unless somebody sets them, ``HOME_NET`` is the firewall's own network and ``EXTERNAL_NET`` all the rest.
        Source: https://docs.aws.amazon.com/network-firewall/latest/developerguide/suricata-limitations-caveats.html
        """
        own = self._variables.get(reference.resource_arn, RuleVariables())
        known = {"home_net": str(home), "external_net": "!$HOME_NET"} if home else {"external_net": "any"}
        sets = {**policy.policy_variables.rule_variables, **own.ip_sets}
        known |= {name.lower(): f"[{','.join(each.definition)}]" for name, each in sets.items()}
        ports = {name.lower(): f"[{','.join(each.definition)}]" for name, each in own.port_sets.items()}
        return Variables(known, ports)

    def _unread(self, reference: Reference) -> bool:
        # The groups that AWS keeps hold drops and alerts only, and show their rules to nobody.
        return reference.resource_arn not in self._groups and ":aws-managed:" not in reference.resource_arn

    def _rules(self, reference: Reference) -> Iterator[SuricataRule]:
        source = self._groups.get(reference.resource_arn)
        if source is None:
            return
        yield from rules_in(source.rules_string or "")
        for rule in source.stateful_rules:
            header = rule.header
            options = tuple(_option(each) for each in rule.rule_options)
            found = SuricataRule(
                rule.action.lower(),
                header.protocol.lower(),
                (header.source, header.source_port, header.destination, header.destination_port),
                options,
            )
            yield found
            if header.direction.upper() == "ANY":
                yield found.turned

    def _names(self, policy: Policy) -> tuple[tuple[str, ...], bool]:
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


def _option(option: Option) -> tuple[str, str]:
    """Return keyword and value of an option; AWS writes ``sid:1`` as one keyword as well.

    Source: https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_RuleOption.html
    """
    keyword, _, value = option.keyword.partition(":")
    return keyword.strip(), ",".join(text for text in (value.strip(), *option.settings) if text)
