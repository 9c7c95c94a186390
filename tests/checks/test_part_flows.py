"""What passes between parts is what passes between their interfaces, pair by pair; so is what an intent lacks."""

from collections import defaultdict
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.intent_coverage import coverage_of
from cloudseg.checks.part_flows import PartFlow, arriving, leaving
from cloudseg.checks.parts import Parts
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Estate
from cloudseg.reach.reachability import Reachability
from cloudseg.segments import Choice, Segment, resolve_segments
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

GROUPS = ("sg-a", "sg-b", "sg-c")
RANGES = ("10.0.1.0/24", "10.0.2.0/28", "10.0.0.0/16", "0.0.0.0/0", "203.0.113.0/25", "pl-unread")
PORTS = ("tcp/22", "tcp/80-90", "udp/53", "all", "icmp/8")
OFFICE, WORLD = AddressSet.parse("203.0.113.0/24"), AddressSet.parse("198.51.100.0/24")
ALLOWED = (NO_TRAFFIC, Traffic.parse("tcp/80"), Traffic.parse("tcp"), Traffic.parse("all"))

rules = st.builds(
    allow,
    st.sampled_from(("ingress", "ingress", "egress")),
    st.sampled_from(PORTS),
    st.sampled_from((*GROUPS, *RANGES)),
)


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    b = EstateBuilder()
    for name in GROUPS:
        found = {rule.id: rule for rule in draw(st.lists(rules, max_size=4))}
        b.group(name, *found.values(), *((allow("egress", "all", "0.0.0.0/0"),) if draw(st.booleans()) else ()))
    for number in range(draw(st.integers(1, 6))):
        public = draw(st.booleans())
        b.interface(
            f"eni-{number}",
            "subnet-public" if public else "subnet-private",
            draw(st.sets(st.sampled_from(GROUPS))),
            f"10.0.{1 if public else 2}.{10 + 4 * number}",
            f"192.0.2.{10 + number}" if public else "",
            attached_unread=draw(st.sampled_from((False, False, False, True))),
        )
    return b.build()


parts = st.lists(st.integers(0, 2), min_size=6, max_size=6)
matrices = st.lists(st.sampled_from(ALLOWED), min_size=25, max_size=25)


def divided(estate: Estate, numbers: list[int]) -> Parts:
    of = {name: numbers[place] for place, name in enumerate(sorted(estate.interfaces))}
    return Parts(of, ((OFFICE, 3), (WORLD, 4)))


Ends = dict[int, list[str | AddressSet]]
Told = tuple[int, int, int, Traffic, Traffic, tuple[str, ...]]


def told(flow: PartFlow) -> Told:
    return flow.pairs, flow.certain, flow.of, flow.lower, flow.upper, flow.affected


def ends_of(parts: Parts) -> Ends:
    ends: Ends = defaultdict(list)
    for name, part in parts.of.items():
        ends[part].append(name)
    for addresses, part in parts.outside:
        ends[part].append(addresses)
    return ends


def pair_by_pair(reach: Reachability, ends: Ends, source: int, target: int, allowed: Traffic) -> Told | None:
    lower = upper = NO_TRAFFIC
    pairs = certain = of = 0
    affected: set[str] = set()
    for one, other in product(ends[source], ends[target]):
        if one == other:
            continue
        of += 1
        verdict = reach.between(one, other)
        low, high = verdict.lower - allowed, verdict.upper - allowed
        pairs, certain = pairs + bool(high), certain + bool(low)
        lower, upper = lower | low, upper | high
        if high:
            affected.add(other if isinstance(other, str) else str(one))
    return (pairs, certain, of, lower, upper, tuple(sorted(affected))) if pairs else None


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(estates(), parts, matrices)
def test_flows_between_parts_are_those_of_their_pairs(estate: Estate, numbers: list[int], meant: list[Traffic]) -> None:
    reach, divided_up = Reachability(estate), divided(estate, numbers)

    def into(target: int) -> dict[int, Traffic]:
        return {source: meant[5 * source + target] for source in range(5)}

    def out_of(source: int) -> dict[int, Traffic]:
        return {target: meant[5 * source + target] for target in range(5)}

    flows = [*arriving(reach, divided_up, into), *leaving(reach, divided_up, out_of)]
    found = {(flow.source, flow.target): told(flow) for flow in flows}
    assert len(found) == len(flows)
    ends = ends_of(divided_up)
    for source, target in product(range(5), range(5)):
        if source < 3 or target < 3:
            expected = pair_by_pair(reach, ends, source, target, meant[5 * source + target])
            assert found.get((source, target)) == expected
    for flow in flows:
        # The pair that is shown is one of them, and what it shows passes there for sure where anything does.
        verdict = reach.between(flow.pair.source, flow.pair.target)
        assert flow.pair.traffic
        assert flow.pair.traffic <= (verdict.lower if flow.certain else verdict.upper)
        for carrier in flow.carriers:
            assert carrier.rule.traffic.overlaps(flow.upper)
            assert 0 < carrier.pairs <= flow.pairs


segments = st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=2, max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(estates(), segments, matrices)
def test_coverage_of_an_intent_is_that_of_its_pairs(
    estate: Estate, chosen: list[set[int]], meant: list[Traffic]
) -> None:
    reach = Reachability(estate)
    named = tuple(
        Segment(name=f"s{number}", choice=Choice(ids=tuple(f"eni-{each}" for each in sorted(own))))
        for number, own in enumerate(chosen)
    )
    allow = tuple(
        Allowance(sources=(one.name,), targets=(other.name,), traffic=meant[5 * place + number])
        for place, one in enumerate(named)
        for number, other in enumerate(named)
        if meant[5 * place + number]
    )
    intent = Intent(segments=named, allow=allow)
    segmentation = resolve_segments(named, estate)
    found = {(each.source, each.target): each for each in coverage_of(reach, intent.allowed(segmentation, ""))}
    for allowance in allow:
        (source,), (target,) = allowance.sources, allowance.targets
        pairs = [
            (one, other)
            for one, other in product(segmentation.members[source], segmentation.members[target])
            if one != other
        ]
        lower = [reach.between(*pair).lower & allowance.traffic for pair in pairs]
        covered = found.pop((source, target), None)
        if not pairs:
            assert covered is None
            continue
        assert covered is not None
        whole = sum(carried == allowance.traffic for carried in lower)
        partly = sum(bool(carried) and carried != allowance.traffic for carried in lower)
        assert (covered.pairs, covered.whole, covered.partly) == (len(pairs), whole, partly)
        assert (covered.shown is None) == (whole == len(pairs))
        if covered.shown is not None:
            assert (covered.shown.source, covered.shown.target) in pairs
            verdict = reach.between(covered.shown.source, covered.shown.target)
            limit = verdict.upper if covered.shown.certain else verdict.lower
            assert covered.shown.missing == allowance.traffic - limit
    assert not found
