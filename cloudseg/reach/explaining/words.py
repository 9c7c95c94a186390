"""The words of explanations: rules, lists, ends and reasons as a person would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import Addresses, Everyone, GroupRef, ListRef, Names, Unresolved, shown_id
from cloudseg.reach.explaining.explanation import RuleRef
from cloudseg.reach.outside import outside_words
from cloudseg.reach.screens import SCREEN, UNNAMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Direction, Estate, Peer, Resource, Rule, RuleSet, Stage
    from cloudseg.reach.roads.leg import Hop

__all__ = [
    "called",
    "default_ref",
    "hop_text",
    "labels",
    "list_name",
    "peers_text",
    "rule_name",
    "rule_ref",
    "rule_text",
    "stage_text",
]

_RANGES: Final = 6
"""How many ranges are told one by one."""
_STAGES: Final = {
    "subnet-nsg": "subnet NSGs",
    "nic-nsg": "interface NSGs",
    "gcp-platform": "rules of the platform",
    "vpc-firewall-rules": "VPC firewall rules",
}
"""What the lists of stages are called whose names do not say it."""
_ONE_OF_A_NETWORK: Final = frozenset(("gcp-platform", "vpc-firewall-rules", "implied-rules"))
"""Stages with one list for each network, which needs no name of its own."""


def peers_text(peers: Iterable[Peer], estate: Estate) -> str:
    """Return the other end of a rule: addresses, own ids of groups and lists with their names, names."""
    return ", ".join(_peer_text(peer, estate) for peer in peers) or "nobody"


def _peer_text(peer: Peer, estate: Estate) -> str:
    match peer:
        case Everyone():
            return "everyone"
        case Addresses(addresses):
            text = str(addresses)
            return text if text.count(",") < _RANGES else outside_words(addresses)
        case GroupRef(group):
            known = estate.groups.get(group)
            text = shown_id(group) if known is None else known.label
            return f"{text} (stale)" if peer.stale else text
        case ListRef(name):
            listed = estate.address_lists.get(name)
            return shown_id(name) if listed is None else listed.label
        case Names(names):
            return ", ".join(names)
        case Unresolved(variable):
            return variable


def rule_text(rule: Rule, estate: Estate) -> str:
    """Return a rule in words: ``ingress tcp/443 from 0.0.0.0/0``; a denying one begins with ``deny``."""
    preposition = "from" if rule.direction == "ingress" else "to"
    text = f"{rule.direction} {rule.traffic} {preposition} {peers_text(rule.remote, estate)}"
    return text if rule.allows else f"deny {text}"


def rule_ref(rule_set: RuleSet, rule: Rule, estate: Estate) -> RuleRef:
    """Return the reference to a rule."""
    default = rule.id == UNNAMED and rule_set.stage.startswith(SCREEN)
    text = rule_text(rule, estate)
    if rule.verdict == "next" and rule_set.provider == "gcp":
        # There it is not said that something passes, but that the next list is asked.
        text = f"goto_next {text}"
    return RuleRef(
        rule_set=rule_set.id,
        rule=rule.id,
        label=rule_set.bearer(rule).label,
        verdict=rule.verdict,
        text=f"deny {rule.direction} what no rule matches" if default else text,
    )


def default_ref(rule_set: RuleSet, stage: Stage, direction: Direction) -> RuleRef:
    """Return the reference to what a list does where no rule matches."""
    return RuleRef(
        rule_set=rule_set.id,
        rule="*",
        label=rule_set.label,
        verdict=stage.miss,
        text=f"{'deny ' if stage.miss == 'deny' else ''}{direction} what no {_entry(stage)} matches",
    )


def rule_name(stage: Stage, rule_set: RuleSet, rule: Rule) -> str:
    """Return how a rule is called: by its number where the list is ordered, else by its id; a firewall's by its id."""
    if stage.name.startswith(SCREEN):
        return f"{rule_set.label} {_entry(stage)} {rule.id}"
    if rule.resource:
        return rule_set.bearer(rule).label
    if stage.match == "first" and rule.priority is not None:
        return f"{rule_set.label} {_entry(stage)} {rule.priority}"
    return f"{rule_set.label} {rule.id}"


def _entry(stage: Stage) -> str:
    return "rule" if stage.stateful else "entry"


def labels(rule_sets: Sequence[RuleSet]) -> str:
    """Return the labels of lists."""
    return ", ".join(rule_set.label for rule_set in rule_sets)


def called(identifier: str, resource: Resource | None = None) -> str:
    """Return how a resource is called in a sentence: its own id, of a long one the name or what it ends with."""
    own = shown_id(identifier)
    if not own.startswith("arn:"):
        return own
    return resource.name if resource is not None and resource.name else own.rsplit(":", 1)[-1]


def list_name(stage: Stage) -> str:
    """Return what the lists of a stage are called: ``security groups``, ``network ACLs``."""
    if stage.name.startswith(SCREEN):
        return "rules of the firewall"
    return _STAGES.get(stage.name) or stage.name.replace("-", " ").replace("acls", "ACLs")


def stage_text(stage: Stage, rule_sets: Sequence[RuleSet], where: str) -> str:
    """Return a stage in words: ``security groups sg-1 (web), sg-2 of eni-1``."""
    name = list_name(stage)
    if stage.name.startswith(SCREEN):
        return f"{name} {labels(rule_sets)}, on the way of what {where} sends or takes"
    if not rule_sets:
        return f"{name} of {where}"
    # A list that is called as its stage needs no name of its own.
    named = [each for each in rule_sets if each.own_id not in stage.name]
    if not named or stage.name in _ONE_OF_A_NETWORK:
        return f"{name} of {where}"
    if all(each.managed_by.startswith("azure") for each in named):
        # What the provider keeps is called after what it is.
        return f"{labels(named)} at {where}"
    one = f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")
    return f"{one if len(named) == 1 else name} {labels(named)} of {where}"


def hop_text(hop: Hop) -> str:
    """Return a step of the way: ``rtb-1: route 10.2.0.0/16 to pcx-1``."""
    return f"{shown_id(hop.table)}: {hop.text}" if hop.table else hop.text
