"""Estates of which a part was not read: drawn, so that every unknown meets every other."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import TYPE_CHECKING, TypeVar

import msgspec

from cloudseg.model import Coverage, ListRef, Unresolved
from cloudseg.traffic import NO_ADDRESSES, IntervalSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import Estate, Interface, Rule, RuleSet

__all__ = ["partly_read"]

T = TypeVar("T")
_MISSING = (
    ("groups", 0.07), ("networks", 0.06), ("subnets", 0.05), ("route_tables", 0.06), ("gateways", 0.08),
    ("peerings", 0.08), ("transit_tables", 0.1), ("transit_attachments", 0.05),
)  # fmt: skip


def partly_read(estate: Estate, seed: int) -> Estate:
    """Return an estate without some of its resources, and with unknowns in others; the same number gives the same."""
    random = Random(seed)
    changes: dict[str, object] = {
        name: {key: value for key, value in sorted(getattr(estate, name).items()) if random.random() >= share}
        for name, share in _MISSING
    }
    changes["interfaces"] = {key: _interface(random, each) for key, each in sorted(estate.interfaces.items())}
    changes["rule_sets"] = _rule_sets(random, estate.rule_sets)
    if random.random() < 0.3:
        changes["coverage"] = Coverage(
            msgspec.structs.replace(each, state="unread") if random.random() < 0.2 else each
            for each in estate.coverage.readings
        )
    return dataclasses.replace(estate, **changes)  # type: ignore[arg-type]


def _interface(random: Random, interface: Interface) -> Interface:
    changes: tuple[tuple[float, dict[str, object]], ...] = (
        (0.08, {"addresses": NO_ADDRESSES}),
        (0.08, {"attached_unread": True}),
        (0.05, {"subnet": None}),
        (0.03, {"keeps_client": True}),
    )
    for share, change in changes:
        if random.random() < share:
            interface = msgspec.structs.replace(interface, **change)
    return interface


def _rule_sets(random: Random, rule_sets: Mapping[str, RuleSet]) -> dict[str, RuleSet]:
    found: dict[str, RuleSet] = {}
    for key, rule_set in sorted(rule_sets.items()):
        if rule_set.stage == "network-acls" or random.random() >= 0.06:
            rules = tuple(_rule(random, rule, rule_set.stage) for rule in rule_set.rules)
            found[key] = msgspec.structs.replace(rule_set, rules=rules)
    return found


def _rule(random: Random, rule: Rule, stage: str) -> Rule:
    changes: list[tuple[float, dict[str, object]]] = [
        (0.05, {"exact": False}),
        (0.03, {"source_ports": IntervalSet(((1024, 2000),))}),
        (0.04, {"remote": (*rule.remote, Unresolved("x", "nobody knows"))}),
        (0.03, {"remote": (ListRef("aws:111122223333:eu-west-1:pl-unread"),)}),
    ]
    if stage == "security-groups":
        changes.append((0.03, {"verdict": "accept"}))
    for share, change in changes:
        if random.random() < share:
            rule = msgspec.structs.replace(rule, **change)
    return rule
