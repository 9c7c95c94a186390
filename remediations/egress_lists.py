"""The lists that let everything out to the internet, and which of their rules do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.breadth import INTERNET, is_most
from cloudseg.checks.egress import Egress
from cloudseg.checks.exposure import is_everything
from cloudseg.model import ANYONE, Network, unplaced
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.plumbing import opens_connections
from cloudseg.remediations.egress_closing import default_rules
from cloudseg.remediations.replacing import At
from cloudseg.remediations.subjects import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Interface, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext

__all__ = ["Opening", "openings"]

_LISTS: Final = frozenset(("security-group", "network-security-group"))
_IMPLIED: Final = "implied-rules"
_VPC_RULES: Final = "vpc-firewall-rules"
_HALF: Final = 4
"""A rule for more than this part of the internet names no range of anybody's."""


class Opening(NamedTuple):
    """A list that lets everything out.

    Attributes:
        lists: the list at each of its places.
        rules: those of its rules that nobody keeps and that let everything out, each at all of its places.
        defaults: the default rule that nobody can change, at every place; none where there is none such.
        network: qualified id of the network whose implied rule it is; None for any other list.
    """

    lists: tuple[RuleSet, ...]
    rules: tuple[tuple[At, ...], ...]
    defaults: tuple[At, ...] = ()
    network: str | None = None

    @property
    def closing(self) -> bool:
        """Whether a denial has to stand before a rule that nobody can change."""
        return bool(self.defaults)

    @property
    def label(self) -> str:
        """What to call the list."""
        return self.lists[0].label


def openings(context: RemedyContext, finding: Finding) -> tuple[Opening, ...]:
    """Return the lists that let out everything of which a finding tells, in order."""
    by_resource: dict[str, list[RuleSet]] = {}
    for each in _judging(context, finding):
        by_resource.setdefault(unplaced(each.id), [])
    # A list stands at places of which the finding does not tell, too, and is one for its provider.
    for _, each in sorted(context.estate.rule_sets.items()):
        if unplaced(each.id) in by_resource:
            by_resource[unplaced(each.id)].append(each)
    found = (_opening(context, tuple(lists)) for _, lists in sorted(by_resource.items()))
    return tuple(each for each in found if each is not None)


def _judging(context: RemedyContext, finding: Finding) -> Iterator[RuleSet]:
    """Yield the lists that judge what those send of whom a finding tells."""
    estate = context.estate
    egress = context.once("egress", lambda: Egress(context.internet))
    network = subject_of(context, finding, Network)
    if network is None:
        wanted = frozenset(finding.affected)
        senders: Sequence[Interface] = [
            each
            for _, each in sorted(estate.interfaces.items())
            if each.is_pod and each.scope == finding.scope and each.own_id in wanted
        ]
    else:
        senders = [each for each in estate.interfaces_in(network.id) if opens_connections(each) and not each.is_pod]
    seen: set[str] = set()
    for sender in senders:
        own = estate.networks.get(sender.network or "")
        if own is None or egress.sender(sender, own) is None:
            continue
        pipeline = estate.pipelines.get(own.pipeline)
        for stage in () if pipeline is None else pipeline.met_by(sender, "egress"):
            for each in estate.judging(sender, stage.name, "egress"):
                if each.id not in seen and (each.kind in _LISTS or each.kind == _IMPLIED or sender.is_pod):
                    seen.add(each.id)
                    yield each


def _opening(context: RemedyContext, lists: tuple[RuleSet, ...]) -> Opening | None:
    first = lists[0]
    if first.kind == _IMPLIED:
        own = [At(each, rule) for each in lists for rule in each.rules if rule.direction == "egress" and rule.allows]
        return _of_network(context, lists, tuple(own)) if own else None
    by_rule: defaultdict[str, list[At]] = defaultdict(list)
    for each in lists:
        for rule in each.rules:
            if not rule.fixed and _lets_all_out(context, rule):
                by_rule[rule.id].append(At(each, rule))
    rules = tuple(tuple(by_rule[name]) for name in sorted(by_rule))
    defaults = default_rules(lists)
    last = max((at.rule.priority or 0 for places in rules for at in places), default=0)
    if rules and defaults and all(_closed_already(context, each, last) for each in lists):
        # What is behind them denies all else already.
        defaults = ()
    return Opening(lists, rules, defaults) if rules or defaults else None


def _of_network(context: RemedyContext, lists: tuple[RuleSet, ...], own: tuple[At, ...]) -> Opening:
    """Return the implied rule of a network with the VPC firewall rules that let everything out before it."""
    network = lists[0].network
    firewall = next(
        (
            each
            for _, each in sorted(context.estate.rule_sets.items())
            if each.kind == _VPC_RULES and each.network == network
        ),
        None,
    )
    wide = () if firewall is None else tuple(rule for rule in firewall.rules if _lets_all_out(context, rule))
    rules = tuple((At(firewall, rule),) for rule in wide) if firewall is not None else ()
    if firewall is not None and wide and _closed_already(context, firewall, max(rule.priority or 0 for rule in wide)):
        return Opening((firewall,), rules)
    return Opening(lists, rules, own, network)


def _closed_already(context: RemedyContext, rule_set: RuleSet, behind: int) -> bool:
    """Tell whether a list denies most of the internet to everybody behind a priority."""
    return any(
        rule.direction == "egress"
        and not rule.allows
        and (rule.priority or 0) >= behind
        and rule.local == ANYONE
        and is_everything(rule.traffic)
        and is_most(outside_addresses(rule.remote, context.estate)[0], 4)
        for rule in rule_set.rules
        if not rule.fixed
    )


def _lets_all_out(context: RemedyContext, rule: Rule) -> bool:
    if rule.direction != "egress" or not rule.allows or not is_everything(rule.traffic):
        return False
    addresses = outside_addresses(rule.remote, context.estate)[1]
    return any((addresses & part).size * _HALF > part.size for part in INTERNET.values())
