"""The exposure in words, worked by hand."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Estate
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.spread.exposure import exposure_of
from cloudseg.reach.spread.extents import Exposure, PortExposure, Spread
from cloudseg.reporters.exposure_words import exposure_lines


def ports(pairs: int, at_most: int, of: int, worst: int = 0) -> PortExposure:
    spread = Spread(worst // 2, worst, ("aws:111122223333:eu-west-1:eni-0a1b",), 1)
    shares = (round(pairs / of, 6), round(at_most / of, 6)) if of else (None, None)
    return PortExposure(pairs, at_most, of, *shares, 3, 3, spread, spread, spread, spread)


def test_without_an_intent_pairs_are_a_share_of_all_pairs() -> None:
    exposure = Exposure(40, by_intent=False, any_port=ports(156, 312, 1560, 20), administration=ports(1, 1, 1560, 2))
    pairs, radius, internet = exposure_lines(exposure)
    assert pairs == "exposure: 10 to 20 % of all 1,560 pairs of interfaces can talk, 0.0641 % on administration ports"
    assert radius == (
        "blast radius: an intruder reaches 10 other interfaces in the median, 20 at worst (from eni-0a1b); "
        "on administration ports 1, 2 at worst (from eni-0a1b)"
    )
    assert internet == "internet: reaches 3 of 40 interfaces directly, 3 on administration ports"


def test_with_an_intent_pairs_are_compared_with_those_that_it_names() -> None:
    exposure = Exposure(40, by_intent=True, any_port=ports(1200, 1200, 60), administration=ports(7, 9, 0))
    assert next(exposure_lines(exposure)) == (
        "exposure: 1,200 pairs of interfaces can talk, 2,000 % as many as the 60 that the intent names; "
        "on administration ports 7 to 9 pairs of interfaces can talk, and the intent names none"
    )


def test_what_is_certain_and_what_there_is_at_most_have_starts_of_their_own() -> None:
    every = ports(0, 0, 2, 14)
    first, second = (f"aws:111122223333:eu-west-1:eni-{name}" for name in "ab")
    least, most = Spread(3, 14, (first,), 4), Spread(5, 26, (second,), 1)
    every = msgspec.structs.replace(every, blast_radius=least, blast_radius_at_most=most)
    exposure = Exposure(40, by_intent=False, any_port=every, administration=ports(0, 0, 2), names={first: "jump"})
    assert list(exposure_lines(exposure))[1].startswith(
        "blast radius: an intruder reaches 3 to 5 other interfaces in the median, 14 for sure at worst "
        "(from eni-a (jump) and 3 others) and 26 at most (from eni-b); "
    )


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [(1, 1, "1 other interface in"), (0, 1, "0 to 1 other interface in"), (1, 2, "1 to 2 other interfaces in")],
)
def test_one_interface_is_one(least: int, most: int, words: str) -> None:
    every = ports(0, 0, 2)
    spreads = (Spread(each, each, ("aws:111122223333:eu-west-1:eni-a",), 1) for each in (least, most))
    every = msgspec.structs.replace(every, **dict(zip(("blast_radius", "blast_radius_at_most"), spreads, strict=True)))
    exposure = Exposure(40, by_intent=False, any_port=every, administration=every)
    assert f"an intruder reaches {words} the median" in list(exposure_lines(exposure))[1]


def test_nobody_is_the_worst_where_nothing_is_reached() -> None:
    exposure = Exposure(2, by_intent=False, any_port=ports(0, 0, 2), administration=ports(0, 0, 2))
    assert list(exposure_lines(exposure))[1] == (
        "blast radius: an intruder reaches 0 other interfaces in the median, 0 at worst; "
        "on administration ports 0, 0 at worst"
    )


@pytest.mark.parametrize(("pairs", "text"), [(1, "under 0.01 %"), (999_999, "over 99.9 %"), (1_000_000, "100 %")])
def test_a_share_that_is_nearly_nothing_or_nearly_all_is_not_rounded_to_it(pairs: int, text: str) -> None:
    every = ports(pairs, pairs, 1_000_000)
    exposure = Exposure(1001, by_intent=False, any_port=every, administration=every)
    assert next(exposure_lines(exposure)).startswith(f"exposure: {text} of all")


def test_without_a_pair_that_alone_is_said() -> None:
    assert list(exposure_lines(exposure_of(Reachability(Estate())))) == [
        "exposure: 0 interfaces read, so no pair that could talk"
    ]


def test_an_exposure_that_was_not_asked_for_is_not_told() -> None:
    assert list(exposure_lines(None)) == []


def test_an_audit_tells_the_exposure_unless_it_is_asked_not_to() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", allow("ingress", "all", "sg-a"), allow("egress", "all", "10.0.0.0/16"))
    builder.interface("eni-1", groups=["sg-a"], address="10.0.2.10")
    builder.interface("eni-2", groups=["sg-a"], address="10.0.2.11")
    estate = builder.build()
    exposure = run_audit(estate, AuditRequest()).summary.exposure
    assert exposure == exposure_of(Reachability(estate))
    assert exposure is not None
    assert exposure.any_port.pairs == 2
    assert run_audit(estate, AuditRequest(exposure=False)).summary.exposure is None
