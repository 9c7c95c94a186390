"""The proof of a plan: time and memory of a large account, with a million conversations that must go on.

Run as ``python -m benchmarks.plan [RUNS]``. ``python -m benchmarks.plan --one CASE`` is the fresh process of one case:
it prints its stages as JSON. The baseline is the bare compilation of the two estates, before the plan and after it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from benchmarks.account import Size, describe
from benchmarks.account_snapshot import snapshot_of
from benchmarks.results import Budget, Result
from benchmarks.stages import main, measured, peak_memory
from cloudseg.model import Addresses, AddRule, GroupRef, RemoveRule
from cloudseg.plan.quotas import Limits
from cloudseg.traffic import ALL_IPV4, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.stages import Stages
    from cloudseg.model import Edit, Estate, Interface, Rule, RuleSet
    from cloudseg.plan.proof import Proof
    from cloudseg.remediations.demand import Demand

__all__ = ["measure"]

NEEDS: Final = 1_000_000
PRIVATE: Final = AddressSet.parse("10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16")
_HOLDS, _BROKEN = "a plan that holds", "a plan with one rule that widens"


class Case(NamedTuple):
    """How large the account is, how many of its rules the plan touches, and whether one change of it is wrong."""

    rules: int
    touched: int
    broken: bool = False


CASES: Final = {
    "10,000 rules": Case(10_000, 100),
    _HOLDS: Case(100_000, 1_000),
    _BROKEN: Case(100_000, 1_000, broken=True),
}
LIMITS: Final = Limits(rules=200)
"""The account has had its limit raised."""
LONGEST: Final = 3.0
"""Seconds for a proof that holds, of 1,000 of 100,000 rules, with 1,000,000 conversations."""


class _Narrowed(NamedTuple):
    """A rule of which one port is left."""

    rule_set: RuleSet
    rule: Rule


class _Replaced(NamedTuple):
    """A rule that names addresses, and the group that stands for all whom it needs."""

    rule_set: RuleSet
    rule: Rule
    group: str


def _inside(interface: Interface, addresses: AddressSet) -> bool:
    return bool(interface.addresses) and interface.addresses <= addresses


def _replaceable(estate: Estate, count: int) -> list[_Replaced]:
    """Return rules with a private range that a group of one network can replace: all its members are in the range."""
    members: dict[str, list[Interface]] = {name: [] for name in estate.groups}
    for interface in estate.interfaces.values():
        for name in interface.attached:
            members[name].append(interface)
    bare = {name for name, each in members.items() if not all(interface.addresses for interface in each)}
    ranges: dict[tuple[AddressSet, str | None], list[str]] = {}
    drawn = random.Random(11)
    found: list[_Replaced] = []
    every = [
        (rule_set, rule)
        for _, rule_set in sorted(estate.rule_sets.items())
        if rule_set.kind == "security-group" and members.get(rule_set.id) and rule_set.id not in bare
        for rule in rule_set.rules
        if rule.direction == "ingress" and _private(rule)
    ]
    for rule_set, rule in drawn.sample(every, len(every)):
        peer = rule.remote[0]
        if not isinstance(peer, Addresses):
            continue
        place = peer.addresses, rule_set.network
        if place not in ranges:
            ranges[place] = [
                name
                for name, each in sorted(members.items())
                if each
                and estate.rule_sets[name].network == rule_set.network
                and all(_inside(interface, peer.addresses) for interface in each)
            ]
        if ranges[place]:
            found.append(_Replaced(rule_set, rule, drawn.choice(ranges[place])))
        if len(found) == count:
            break
    return found


def _private(rule: Rule) -> bool:
    peer = rule.remote[0]
    return isinstance(peer, Addresses) and peer.addresses <= PRIVATE and peer.addresses <= ALL_IPV4


def _narrowed(estate: Estate, besides: Sequence[_Replaced], count: int) -> list[_Narrowed]:
    """Return further rules that name addresses, of which the plan leaves one port."""
    taken = {(rule_set.id, rule.id) for rule_set, rule, _ in besides}
    every = [
        _Narrowed(rule_set, rule)
        for _, rule_set in sorted(estate.rule_sets.items())
        if rule_set.kind == "security-group"
        for rule in rule_set.rules
        if rule.direction == "ingress" and isinstance(rule.remote[0], Addresses) and (rule_set.id, rule.id) not in taken
    ]
    return random.Random(12).sample(every, min(count, len(every)))


def _changes(replaced: Sequence[_Replaced], narrowed: Sequence[_Narrowed], *, broken: bool) -> list[tuple[Edit, ...]]:
    """Return the changes of a plan: first all that add, then all that take away."""
    added: list[tuple[Edit, ...]] = []
    for number, (rule_set, rule, group) in enumerate(replaced):
        traffic = Traffic.parse("tcp/1-65535") if broken and number == 7 else rule.traffic
        new = msgspec.structs.replace(rule, id=f"cloudseg-{number}", remote=(GroupRef(group),), traffic=traffic)
        added.append((AddRule(rule_set.id, new),))
    for number, (rule_set, rule) in enumerate(narrowed, len(replaced)):
        new = msgspec.structs.replace(rule, id=f"cloudseg-{number}", traffic=_packet(rule.traffic))
        added.append((AddRule(rule_set.id, new),))
    gone = [(each.rule_set.id, each.rule.id) for each in (*replaced, *narrowed)]
    return [*added, *((RemoveRule(*place),) for place in gone)]


def _demand(estate: Estate, replaced: Sequence[_Replaced]) -> Demand:
    """Return a million needs: half of them use the rules that are replaced, the others rules between groups."""
    from cloudseg.observed.ends import End
    from cloudseg.remediations.demand import Demand

    names = sorted(name for name, each in estate.interfaces.items() if each.addresses)
    number = {name: place for place, name in enumerate(names)}
    ends = tuple(End("interface", name, _first(estate.interfaces[name])) for name in names)
    members: dict[str, list[int]] = {}
    for name in names:
        for group in estate.interfaces[name].attached:
            members.setdefault(group, []).append(number[name])
    drawn = np.random.default_rng(11)
    traffics: dict[Traffic, int] = {}
    rows: list[np.ndarray[tuple[int, int], np.dtype[np.int64]]] = []
    each = -(-NEEDS // (2 * len(replaced)))
    for rule_set, rule, group in replaced:
        kind = traffics.setdefault(_packet(rule.traffic), len(traffics))
        sources, targets = (drawn.choice(np.array(members[key]), each) for key in (group, rule_set.id))
        rows.append(np.array([sources, targets, np.full(each, kind)]))
    kept = [
        (peer.group, rule_set.id, rule)
        for _, rule_set in sorted(estate.rule_sets.items())
        for rule in rule_set.rules
        for peer in rule.remote
        if rule.direction == "ingress" and isinstance(peer, GroupRef)
        if peer.group in members and rule_set.id in members
    ]
    rest = -(-(NEEDS - sum(part.shape[1] for part in rows)) // len(kept))
    for group, own, rule in kept:
        kind = traffics.setdefault(_packet(rule.traffic), len(traffics))
        sources, targets = (drawn.choice(np.array(members[key]), rest) for key in (group, own))
        rows.append(np.array([sources, targets, np.full(rest, kind)]))
    table = np.concatenate(rows, axis=1)[:, :NEEDS]
    ones = np.ones(table.shape[1], dtype=np.int64)
    return Demand(
        ends=ends,
        sources=table[0],
        targets=table[1],
        kinds=table[2],
        traffics=tuple(traffics),
        connections=ones,
        last_seen=ones,
        given=True,
    )


def _first(interface: Interface) -> str:
    return interface.addresses.cidrs()[0].partition("/")[0]


def _packet(traffic: Traffic) -> Traffic:
    from cloudseg.traffic.telling import first_packet

    return first_packet(traffic)


def _one(name: str, stages: Stages) -> None:
    from cloudseg.cli.sources import translate
    from cloudseg.plan.proof import prove
    from cloudseg.reach.reachability import Reachability

    case = CASES[name]
    estate = translate(snapshot_of(describe(Size.of_rules(case.rules))))
    replaced = _replaceable(estate, case.touched)
    narrowed = _narrowed(estate, replaced, case.touched - len(replaced))
    changes = _changes(replaced, narrowed, broken=case.broken)
    demand = _demand(estate, replaced)
    after = estate.with_edits(edit for edits in changes for edit in edits)
    stages.timed("compile both", lambda: Reachability.together([estate, after]))
    before = peak_memory()
    proof: Proof = stages.timed("prove", lambda: prove(estate, changes, demand, LIMITS))
    stages.counts = {
        "holds": proof.holds,
        "changes": len(changes),
        "interfaces": len(estate.interfaces),
        "needs": len(demand),
        "needs touched": proof.checked.needs,
        "ends touched": proof.checked.ends,
        "states": proof.checked.states,
        "MiB above": peak_memory() - before,
        "claims": len(proof.gained) + len(proof.lost) + len(proof.problems),
    }


def measure(runs: int = 3) -> Result:
    """Prove each plan in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for name, case in CASES.items():
        found = measured("benchmarks.plan", name, runs)
        ratio = found.cpu["prove"] / found.cpu["compile both"]
        rows.append(
            (
                name,
                f"{case.rules:,}",
                found.number("changes"),
                found.number("interfaces"),
                found.number("ends touched"),
                found.number("needs"),
                found.number("needs touched"),
                found.number("states"),
                "yes" if found.counts["holds"] else "no",
                f"{found.wall['prove']:.2f}",
                f"{found.cpu['prove']:.2f}",
                f"{ratio:.1f}",
                f"{found.counts['MiB above']:.0f}",
            )
        )
        if name == _HOLDS:
            budgets.append(Budget("proof of 1,000 of 100,000 rules", found.wall["prove"], LONGEST, "s"))
    header = (
        "plan", "rules", "changes", "interfaces", "ends touched", "needs", "needs touched", "states", "holds",
        "wall s", "CPU s", "x compile both", "MiB",
    )  # fmt: skip
    about = (
        "A generated account; the plan replaces rules that name private ranges by rules that name a group, as far as "
        "there are such, and narrows others to one port; all additions first. Half of the needs use the former. The "
        "ratio is of CPU time to the bare compilation of the estates before and after the plan in the same process; "
        "memory is what the proof takes above both."
    )
    return Result("Plans", about, header, tuple(rows), tuple(budgets))


if __name__ == "__main__":
    main(measure, _one)
