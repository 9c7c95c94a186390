"""Estates in which every kind of stage and list meets every other.

They are flat networks: whoever has an address reaches whoever has one of the family, so that lists alone decide.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import (
    ANYONE,
    FACETS,
    Addresses,
    AllOf,
    Carries,
    Coverage,
    Estate,
    Everyone,
    Everything,
    Group,
    GroupRef,
    InNetworks,
    Interface,
    Labelled,
    ListRef,
    Names,
    Network,
    NoneOf,
    Pipeline,
    Reading,
    Rule,
    RuleSet,
    ScopeRead,
    Stage,
    Unresolved,
)
from cloudseg.traffic import AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Peer, Selector, Verdict

__all__ = ["NETWORK", "drawn"]

_C = "kubernetes:c:"
NETWORK = f"{_C}pods"
_BLOCKS = (
    "10.0.0.0/8",
    "10.0.0.0/30",
    "10.0.0.4/30",
    "10.0.0.5",
    "2001:db8::/32",
    "2001:db8::4/126",
    "0.0.0.0/0",
    "::/0",
)
_TRAFFIC = ("tcp/80", "tcp/81", "tcp/80-81", "udp/53", "all", "tcp")
_GROUPS = ("a", "b", "carried", "unread", "not-b")


def _stages(random: Random) -> tuple[Stage, ...]:
    found: list[Stage] = []
    part = 0
    for number in range(random.randint(1, 5)):
        part = 1 if part or (number and random.random() < 0.25) else 0
        stage = Stage(
            name=f"s{number}",
            at=random.choice(("interface", "interface", "platform", "network")),
            stateful=True,
            match="first",
            miss="next",
            part=part,
            pods_only=bool(part) and random.random() < 0.5,
            ranges=random.choice(("everywhere", "everywhere", "outside", "unknown")),
        )
        how = random.choice(("ordered", "ordered", "closed", "added", "added"))
        if how == "added":
            stage = msgspec.structs.replace(stage, match="any", miss="deny")
        elif how == "closed":
            # Where one ordered list denies what it leaves, all of it was read, or nothing.
            at = "network" if stage.at == "interface" else stage.at
            stage = msgspec.structs.replace(stage, miss="deny", at=at)
        found.append(stage)
    return tuple(found)


def _peer(random: Random, *, near: bool) -> Peer:
    kind = random.random()
    if kind < 0.2:
        return Everyone()
    if kind < 0.55:
        return GroupRef(_C + random.choice(_GROUPS))
    if kind < 0.85 or near:
        return Addresses(AddressSet.parse(random.choice(_BLOCKS)))
    if kind < 0.9:
        return Unresolved("x", "nobody knows", within=AddressSet.parse(random.choice(_BLOCKS)))
    return random.choice((ListRef(f"{_C}unread-list"), ListRef(f"{_C}list"), Names(("example.com",))))


def _rule(random: Random, number: int, stage: Stage, *, doubts: bool) -> Rule:
    verdicts: tuple[Verdict, ...] = ("deny", "next", "accept") if stage.match == "first" else ("next", "accept")
    local = ANYONE if random.random() < 0.6 else tuple(_peer(random, near=True) for _ in range(random.randint(1, 2)))
    rule = Rule(
        id=f"r{number}",
        direction=random.choice(("ingress", "egress")),
        verdict=random.choice(verdicts),
        traffic=Traffic.parse(random.choice(_TRAFFIC)),
        remote=tuple(_peer(random, near=not doubts) for _ in range(random.randint(1, 2))),
        local=local,
        priority=random.randint(1, 5) if stage.match == "first" else None,
    )
    if doubts and random.random() < 0.2:
        rule = msgspec.structs.replace(rule, exact=False)
    if doubts and random.random() < 0.1:
        rule = msgspec.structs.replace(rule, source_ports=IntervalSet(((1024, 2000),)))
    return rule


def _chosen(random: Random) -> Selector:
    app = Labelled("app", "In", frozenset((random.choice("ab"),)))
    return random.choice(
        (Everything(), app, app, InNetworks(frozenset((NETWORK,))), AllOf((app, InNetworks(frozenset((NETWORK,))))),
         Carries(f"{_C}carried"), NoneOf((app,)), Labelled("app", "NotIn", frozenset(("a",))))
    )  # fmt: skip


def _interfaces(random: Random, *, doubts: bool, both: bool) -> Iterator[Interface]:
    for number in range(random.randint(2, 6)):
        four, six = f"10.0.0.{number + 1}", f"2001:db8::{number + 1}"
        addresses = random.choice((four, four, six, f"{four}, {six}" if both else six))
        attached = {
            f"{_C}{name}" for name in ("carried", "unread") if random.random() < (0.3 if name == "carried" else 0.05)
        }
        yield Interface(
            id=f"{_C}i{number}",
            kind=random.choice(("pod", "pod", "network-interface")),
            network=NETWORK,
            subnet=None,
            addresses=AddressSet.parse(addresses),
            attached=frozenset(attached if doubts else attached - {f"{_C}unread"}),
            attached_unread=doubts and random.random() < 0.1,
            labels={"app": random.choice("abc")},
        )


def drawn(seed: int, *, both: bool = True) -> Estate:
    """An estate; the same number gives the same. Without ``both`` nobody has addresses of two families."""
    random = Random(seed)
    doubts = random.random() < 0.6
    stages = _stages(random)
    lists: dict[str, RuleSet] = {}
    for number in range(random.randint(1, 7)):
        stage = random.choice(stages)
        lists[f"{_C}l{number}"] = RuleSet(
            id=f"{_C}l{number}",
            kind="list",
            stage=stage.name,
            applies=_chosen(random),
            isolates=frozenset(
                random.choice((("ingress", "egress"), ("ingress",), ("egress",), ("ingress", "egress")))
            ),
            rules=tuple(_rule(random, each, stage, doubts=doubts) for each in range(random.randint(0, 6))),
        )
    groups = {
        "a": Labelled("app", "In", frozenset("a")),
        "b": Labelled("app", "In", frozenset("b")),
        "carried": Carries(f"{_C}carried"),
        "not-b": Labelled("app", "NotIn", frozenset("b")),
    }
    if not doubts:
        groups["unread"] = Labelled("app", "In", frozenset("ac"))
    unread = {facet for facet in ("groups", "boundary-rules") if doubts and random.random() < 0.15}
    outward = stages[::-1] if stages[-1].part == 0 else stages
    return Estate(
        scopes=(ScopeRead("kubernetes", "c", ("global",)),),
        pipelines={"mixed": Pipeline(name="mixed", ingress=stages, egress=outward)},
        networks={NETWORK: Network(id=NETWORK, kind="cluster-network", pipeline="mixed", leads_out=True)},
        interfaces={each.id: each for each in _interfaces(random, doubts=doubts, both=both)},
        groups={_C + key: Group(id=_C + key, kind="g", selector=chosen) for key, chosen in groups.items()},
        rule_sets=lists,
        coverage=Coverage(
            Reading("kubernetes", "c", "global", facet, "unread" if facet in unread else "read") for facet in FACETS
        ),
    )
