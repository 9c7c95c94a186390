"""Ordered lists that let everything in from inside of their network, because nothing stands before the default rule."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.breadth import open_addresses
from cloudseg.checks.exposure import is_everything
from cloudseg.checks.rule_lists import counted, shown
from cloudseg.findings import Remedy, Severity
from cloudseg.model import GroupRef
from cloudseg.reach.near_ends import NearEnds
from cloudseg.reach.packets import Box, outside_addresses, split_by_stage
from cloudseg.reach.passage import carries_unread
from cloudseg.reach.plumbing import opens_connections
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterator, Mapping, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Network, Pipeline, Rule, RuleSet
    from cloudseg.reach.lists_met import ListsMet, Meeting

__all__ = ["open_inside", "without_denial"]

_FEW_PORTS: Final = 1_000
_FEW_PARTS: Final = 64


class _Open(NamedTuple):
    """A list by which everything comes in from inside.

    Attributes:
        rule_set: the list.
        interfaces: those that it judges, and that nothing else protects.
        certain: of one of them that is known for sure.
    """

    rule_set: RuleSet
    interfaces: tuple[Interface, ...]
    certain: bool


class _WideRules:
    """Looks up the rules that can make a difference to whether everything comes in.

    Of single ports, and of a few addresses of a network, many rules together are no more than a part of it.
    """

    def __init__(self, estate: Estate, network: Network) -> None:
        self._estate = estate
        self._inside = network.addresses
        self._known: dict[str, RuleSet] = {}

    def of(self, rule_set: RuleSet) -> RuleSet:
        """Return a list with the wide ones of its rules."""
        known = self._known.get(rule_set.id)
        if known is None:
            rules = tuple([rule for rule in rule_set.rules if rule.direction == "ingress" and self._is_wide(rule)])
            known = self._known[rule_set.id] = msgspec.structs.replace(rule_set, rules=rules)
        return known

    def _is_wide(self, rule: Rule) -> bool:
        if all(rule.traffic.ports_of(protocol).size < _FEW_PORTS for protocol in (6, 17)):
            return False
        most = outside_addresses(rule.remote, self._estate)[1]
        return _FEW_PARTS * (most & self._inside).size >= self._inside.size


class _Judges(NamedTuple):
    """The lists, with their wide rules, that judge interfaces.

    Attributes:
        by_stage: the lists of each stage.
        culprit: the id of the first of them that stands at a subnet or an interface; empty where none does.
        ids: the ids of all of them, in order.
        narrowing: those of them whose rules may tell interfaces apart by their near ends.
    """

    by_stage: tuple[tuple[str, tuple[RuleSet, ...]], ...]
    culprit: str
    ids: tuple[str, ...]
    narrowing: tuple[RuleSet, ...]


def open_inside(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every list of a subnet, or of interfaces, by which everything comes in from inside.

    A list at a subnet protects all that stands in it, so that it is told first; the lists of single interfaces are told
    where their subnet has none.
    """
    for _, network in sorted(context.estate.networks.items()):
        pipeline = context.estate.pipelines.get(network.pipeline)
        if pipeline is not None and any(stage.at == "subnet" for stage in pipeline.ingress) and network.addresses:
            for found in without_denial(context.estate, network, pipeline, context.internet.met):
                yield _finding(context, network, found)


def without_denial(estate: Estate, network: Network, pipeline: Pipeline, met: ListsMet) -> Iterator[_Open]:
    """Yield the lists of a network by which everything comes in from inside, in order of their ids.

    Args:
        estate: the estate.
        network: the network.
        pipeline: its stages.
        met: which lists judge whom.
    """
    # Wide rules alone are asked, under the ids of their lists: what the others look at is kept apart from that.
    near, wide = NearEnds(estate), _WideRules(estate, network)
    judged: dict[int, _Judges] = {}
    known: dict[Hashable, tuple[bool, bool]] = {}
    found: defaultdict[str, list[tuple[Interface, bool]]] = defaultdict(list)
    placed = {stage.name for stage in pipeline.ingress if stage.at in {"subnet", "interface"}}
    for interface in estate.interfaces_in(network.id):
        if not opens_connections(interface) or interface.is_pod or carries_unread(interface, estate):
            continue
        own = met.by(interface)
        judges = judged.get(own.number)
        if judges is None:
            judges = judged[own.number] = _judges(own.ingress, placed, wide, near)
        if not judges.culprit:
            continue
        key = (judges.ids, *(near.place(each, interface) for each in judges.narrowing))
        if key not in known:
            rules = {
                name: tuple(rule for each in lists for rule in near.of(each, interface))
                for name, lists in judges.by_stage
            }
            known[key] = (
                _is_open(network, pipeline, rules, estate, certain=True),
                _is_open(network, pipeline, rules, estate, certain=False),
            )
        surely, at_most = known[key]
        if at_most:
            found[judges.culprit].append((interface, surely))
    for name in sorted(found):
        interfaces = tuple(interface for interface, _ in found[name])
        yield _Open(estate.rule_sets[name], interfaces, any(surely for _, surely in found[name]))


def _judges(meetings: Sequence[Meeting], placed: Container[str], wide: _WideRules, near: NearEnds) -> _Judges:
    """Return the lists that judge at some stages, with their wide rules."""
    by_stage = tuple(
        (each.stage.name, tuple([wide.of(own) for own in each.judges])) for each in meetings if each.judges
    )
    lists = [each for _, own in by_stage for each in own]
    culprit = next((own[0].id for name, own in by_stage if name in placed), "")
    ids = tuple(each.id for each in lists)
    return _Judges(by_stage, culprit, ids, tuple(each for each in lists if near.narrows(each)))


def _is_open(
    network: Network, pipeline: Pipeline, by_stage: Mapping[str, Sequence[Rule]], estate: Estate, *, certain: bool
) -> bool:
    """Tell whether everything in effect comes in from half of a network's addresses, or more of them."""
    on: tuple[Box, ...] = (Box(network.addresses, ALL_TRAFFIC),)
    accepted: tuple[Box, ...] = ()
    for stage in pipeline.ingress:
        if stage.name in by_stage:
            rules = [rule for rule in by_stage[stage.name] if rule.direction == "ingress"]
            passed = split_by_stage(stage, rules, on, estate, certain=certain)
            on, accepted = passed.on, (*accepted, *passed.accepted)
    return 2 * open_addresses((*on, *accepted), network.addresses).size >= network.addresses.size


def _finding(context: AuditContext, network: Network, found: _Open) -> Finding:
    rule_set, estate = found.rule_set, context.estate
    alone = len(estate.interfaces_in(network.id)) == 1
    own = [rule.id for rule in rule_set.rules if not rule.fixed and _admits_inside(rule, network, estate)]
    default = next(
        (rule for rule in rule_set.rules if rule.fixed and rule.allows and rule.direction == "ingress"), None
    )
    by = shown(own, limit=3) if own or default is None else f"the default rule {default.id}"
    idle = [] if own or default is None else list(_idle(rule_set, default, estate))
    return context.finding(
        rule_set,
        f"{rule_set.label} denies nothing from inside: {by} admits everything from {network.label} "
        f"to {counted(len(found.interfaces), 'interface')}",
        severity=Severity.LOW if alone else Severity.MEDIUM,
        confidence="high" if found.certain else "low",
        evidence=(
            *((f"narrow nothing, since the default rule admits the same: {shown(idle)}",) if idle else ()),
            *(
                ("the default rule admits what is peered, and what gateways lead to, as well",)
                if default is not None and not own
                else ()
            ),
        ),
        affected=found.interfaces,
        remedy=Remedy(
            "add-default-deny",
            "admit what the workloads need of each other and the probes of AzureLoadBalancer, then add a rule with "
            "priority 4096 that denies all else; subnets of gateways and bastions keep the rules of their platform",
        ),
    )


def _admits_inside(rule: Rule, network: Network, estate: Estate) -> bool:
    """Tell whether a rule admits everything in effect from half of a network, or more of it."""
    if not rule.allows or rule.direction != "ingress" or not is_everything(rule.traffic):
        return False
    most = outside_addresses(rule.remote, estate)[1] & network.addresses
    return 2 * most.size >= network.addresses.size


def _idle(rule_set: RuleSet, default: Rule, estate: Estate) -> Iterator[str]:
    """Yield the rules of a list that admit nothing but what its default rule does."""
    inside = outside_addresses(default.remote, estate)[0]
    for rule in rule_set.rules:
        if rule.allows and not rule.fixed and rule.direction == "ingress":
            grouped = all(isinstance(peer, GroupRef) for peer in rule.remote)
            if grouped or outside_addresses(rule.remote, estate)[1] <= inside:
                yield rule.id
