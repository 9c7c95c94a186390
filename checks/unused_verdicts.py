"""What is said of every rule that no observed conversation can have used, and why nothing is said of some."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.rule_lists import at_boundaries
from cloudseg.model import GroupRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import Estate, Interface, Rule, RuleSet
    from cloudseg.observed.observed import Observed

__all__ = ["Place", "Verdict", "verdicts"]

_HOSTS: Final = AddressSet.parse("169.254.0.0/16, 168.63.129.16, fd00:ec2::/32")
_ASKED_OF_HOSTS: Final = Traffic.parse("udp/53, tcp/53, udp/67-68, udp/123, tcp/1688")
"""DNS, DHCP, time, and activation of Windows. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html"""


class Place(NamedTuple):
    """A rule where its list stands: a list that stands at several places is one for people.

    Attributes:
        rule_set: the list.
        rule: the rule.
        targets: the interfaces that it judges.
        silent: why nothing is said of it; empty where something can be.
        attempts: how many connections it would have let through that were refused at the other end or by another list.
    """

    rule_set: RuleSet
    rule: Rule
    targets: tuple[Interface, ...]
    silent: str
    attempts: int


class Verdict(NamedTuple):
    """What is said of a rule.

    Attributes:
        place: where it stands.
        silent: why nothing is said of it; empty where something is.
    """

    place: Place
    silent: str


def verdicts(context: AuditContext, observed: Observed) -> list[Verdict]:
    """Return what is said of every rule that no conversation can have used."""
    return observed.once("unused rules", lambda: list(_all_verdicts(context, observed)))


def _all_verdicts(context: AuditContext, observed: Observed) -> Iterator[Verdict]:
    usage = observed.usage
    places: defaultdict[tuple[str, ...], list[Place]] = defaultdict(list)
    used: set[tuple[str, ...]] = set()
    for rule_set, rule in _rules(context):
        key: tuple[str, ...] = (
            rule_set.provider,
            rule_set.scope,
            rule_set.region,
            rule_set.own_id,
            rule.direction,
            rule.id,
        )
        if usage.used(rule_set, rule):
            used.add(key)
        elif key not in used:
            targets = context.judged(rule_set, rule)
            tried = usage.tried(rule_set, rule)
            silent = (
                _silence(observed, rule_set, targets)
                or _unrecorded(context.estate, rule_set, rule)
                or _over_private_endpoints(context.estate, rule, targets)
            )
            if not silent and tried is not None and tried.passes:
                silent = "what was refused would pass today, so that they may be younger than that"
            places[key].append(Place(rule_set, rule, targets, silent, 0 if tried is None else tried.attempts))
    for key, own in places.items():
        if key not in used and any(each.targets for each in own):
            silent = next((each.silent for each in own if each.silent), "")
            told = next(each for each in own if each.targets)
            yield Verdict(told._replace(attempts=sum(each.attempts for each in own)), silent)


def _rules(context: AuditContext) -> Iterator[tuple[RuleSet, Rule]]:
    """Yield the allowing rules that people wrote, each with its list."""
    for rule_set, rules in context.allowing.by_list:
        yield from ((rule_set, rule) for rule in rules if not rule.fixed and not rule.required)
    for _, rule_set in at_boundaries(context.estate):
        if not rule_set.is_default:
            yield from ((rule_set, rule) for rule in rule_set.rules if rule.allows and not rule.fixed)


def _silence(observed: Observed, rule_set: RuleSet, targets: tuple[Interface, ...]) -> str:
    """Return why the logs do not show whether a rule was used; empty where they do."""
    for interface in targets:
        if gap := observed.logged.gap(interface, rule_set.provider):
            return gap
    return ""


def _unrecorded(estate: Estate, rule_set: RuleSet, rule: Rule) -> str:
    """Return why logs never show the use of a rule; empty where they may.

    What machines ask of their host (names, time, addresses, metadata) and what it asks of them is in no flow log, and
    how much of a rule for these is used nobody can tell. A cluster's own logs show what its pods ask.
    """
    if rule_set.provider == "kubernetes":
        return ""
    _, most = outside_addresses(rule.remote, estate)
    if rule.direction == "egress" and rule.traffic <= _ASKED_OF_HOSTS:
        return "names and time that the cloud itself tells are not logged"
    if most and most <= _HOSTS and not any(isinstance(peer, GroupRef) for peer in rule.remote):
        return "what the cloud's hosts send and take is not logged"
    return ""


def _over_private_endpoints(estate: Estate, rule: Rule, targets: tuple[Interface, ...]) -> str:
    """Return why logs do not show the use of a rule of a load balancer that others reach over private endpoints.

    Nothing is logged between the network interface of an endpoint and that of a Network Load Balancer. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html
    """
    shared = {name for service in estate.endpoint_services.values() for name in service.balancers}
    if rule.direction == "ingress" and any(each.workload in shared for each in targets):
        return "what comes to a load balancer over private endpoints is not logged"
    return ""
