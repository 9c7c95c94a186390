"""A second prover: what a stage lets through is, for every packet there is, what the raw entries say.

Raw entries become formulas over the bits of a packet, and so do the boxes of the engine. The solver looks for a packet
on which they differ; that it finds none is a proof for all of them, not a sample.
"""

# pyright: basic
# The solver's own types are written for readers, not for strict checkers: most of its methods return nothing known.

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

import pytest
import z3

from cloudseg.reach.packets import Box, pass_stage
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC
from tests.oracle.compare import estate_of
from tests.oracle.estates import raw_estate
from tests.oracle.packet import ICMP, ICMPV6, TCP, UDP
from tests.oracle.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Direction, Estate, Stage
    from cloudseg.traffic import IntervalSet
    from tests.oracle.records import Entry, Network, Read, Rule

_SEEDS = range(12)
_SCTP = 132
_BITS = {4: 32, 6: 128}

PROTOCOL = z3.BitVec("protocol", 8)
VALUE = z3.BitVec("value", 16)
"""The destination port, or type * 256 + code of ICMP."""


def _address(version: int) -> z3.BitVecRef:
    return z3.BitVec(f"address{version}", _BITS[version])


def _all(*formulas: object) -> z3.BoolRef:
    return cast("z3.BoolRef", z3.And(*formulas))


def _between(term: z3.BitVecRef, first: int, last: int) -> z3.BoolRef:
    return _all(z3.UGE(term, first), z3.ULE(term, last))


def _any(formulas: Iterable[z3.BoolRef]) -> z3.BoolRef:
    return cast("z3.BoolRef", z3.Or([*formulas, z3.BoolVal(val=False)]))


def _in_network(network: Network, version: int) -> z3.BoolRef:
    if network.version != version:
        return z3.BoolVal(val=False)
    return _between(_address(version), int(network.network_address), int(network.broadcast_address))


def _in_set(term: z3.BitVecRef, numbers: IntervalSet) -> z3.BoolRef:
    return _any(_between(term, first, last) for first, last in numbers.intervals)


def _carries(protocol: int, first: int, last: int, *, icmpv6: bool = True) -> z3.BoolRef:
    """The traffic of a raw entry: ports for TCP and UDP, type and code for ICMP, whole protocols else."""
    if protocol == -1:
        return z3.BoolVal(val=True)
    same = cast("z3.BoolRef", protocol == PROTOCOL)
    if protocol in {TCP, UDP} and first >= 0:
        return _all(same, _between(VALUE, first, last))
    if (protocol == ICMP or (protocol == ICMPV6 and icmpv6)) and first >= 0:
        codes = (first * 256, first * 256 + 255) if last < 0 else (first * 256 + last, first * 256 + last)
        return _all(same, _between(VALUE, *codes))
    return same


def _rules_say(rules: list[Rule], version: int) -> z3.BoolRef:
    """Rules that only allow. A named group stands for no address outside."""
    return _any(
        _all(_carries(rule.protocol, rule.first, rule.last), _in_network(network, version))
        for rule in rules
        for network in rule.ranges
    )


def _entries_say(entries: list[Entry], version: int, *, egress: bool) -> z3.BoolRef:
    """Numbered entries: the lowest that matches decides, nothing else does."""
    verdict: z3.BoolRef = z3.BoolVal(val=False)
    asked = [entry for entry in entries if entry.egress == egress]
    for entry in sorted(asked, key=lambda entry: entry.number, reverse=True):
        carries = _carries(entry.protocol, entry.first, entry.last, icmpv6=entry.network.version == 6)
        matches = _all(carries, _in_network(entry.network, version))
        verdict = cast("z3.BoolRef", z3.If(matches, z3.BoolVal(val=entry.allow), verdict))
    return verdict


def _boxes_say(boxes: Iterable[Box], version: int) -> z3.BoolRef:
    return _any(_box_says(box, version) for box in boxes)


def _box_says(box: Box, version: int) -> z3.BoolRef:
    traffic = box.traffic
    fields = ((TCP, traffic.tcp), (UDP, traffic.udp), (_SCTP, traffic.sctp), (ICMP, traffic.icmp))
    carried = [_all(number == PROTOCOL, _in_set(VALUE, values)) for number, values in fields]
    carried.append(_all(PROTOCOL == ICMPV6, _in_set(VALUE, traffic.icmpv6)))
    carried.append(_in_set(PROTOCOL, traffic.other))
    addresses = box.addresses.v4 if version == 4 else box.addresses.v6
    return _all(_in_set(_address(version), addresses), _any(carried))


def _proved_equal(one: z3.BoolRef, two: z3.BoolRef) -> None:
    solver = z3.Solver()
    solver.add(one != two)
    assert solver.check() == z3.unsat, solver.model()


def _stage(estate: Estate, name: str) -> Stage:
    return next(stage for pipeline in estate.pipelines.values() for stage in pipeline.ingress if stage.name == name)


def _passed(estate: Estate, names: list[str], direction: Direction) -> tuple[Box, ...]:
    rule_sets = [each for each in estate.rule_sets.values() if each.own_id in names]
    stage = _stage(estate, rule_sets[0].stage)
    bounds = pass_stage(stage, rule_sets, direction, [Box(ALL_ADDRESSES, ALL_TRAFFIC)], estate)
    assert bounds.lower == bounds.upper
    return bounds.lower


DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("seed", _SEEDS)
def test_a_network_acl_lets_through_what_its_entries_say(seed: int, version: int) -> None:
    answers = raw_estate(seed).answers
    estate = estate_of(answers)
    for acl in read(answers).acls:
        for direction in DIRECTIONS:
            said = _entries_say(acl.entries, version, egress=direction == "egress")
            _proved_equal(said, _boxes_say(_passed(estate, [acl.id], direction), version))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("seed", _SEEDS)
def test_groups_let_through_the_union_of_their_rules(seed: int, version: int) -> None:
    answers = raw_estate(seed).answers
    estate = estate_of(answers)
    for names in _combinations(read(answers)):
        for direction in DIRECTIONS:
            said = _rules_say(_rules(read(answers), names, direction), version)
            _proved_equal(said, _boxes_say(_passed(estate, names, direction), version))


def _combinations(estate: Read) -> list[list[str]]:
    """The groups that interfaces carry together."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for interface in estate.interfaces:
        if interface.groups:
            found[" ".join(sorted(interface.groups))] = interface.groups
    return list(found.values())


def _rules(estate: Read, names: list[str], direction: Direction) -> list[Rule]:
    groups = [group for group in estate.groups if group.id in names]
    return [rule for group in groups for rule in (group.ingress if direction == "ingress" else group.egress)]


def test_the_solver_finds_the_one_packet_that_differs() -> None:
    one = _between(VALUE, 22, 443)
    two = _any((_between(VALUE, 22, 100), _between(VALUE, 102, 443)))
    solver = z3.Solver()
    solver.add(one != two)
    assert solver.check() == z3.sat
    assert str(solver.model()[VALUE]) == "101"
