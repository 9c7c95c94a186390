"""What the intent allows between two segments, two interfaces, and on a day."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.errors import InputError
from cloudseg.intent import Allowance, Intent, IntentMatrix
from cloudseg.model import Estate
from cloudseg.segments import Choice, Segment, resolve_segments, segments_by_labels
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

ID = EstateBuilder.id
DAY = "2026-06-15"


def tier(name: str, value: str) -> Segment:
    return Segment(name=name, choice=Choice(tags={"tier": (value,)}))


SEGMENTS = (
    tier("web", "web"),
    tier("app", "app"),
    tier("db", "data"),
    Segment(name="public", choice=Choice(ids=("eni-web1",))),
    Segment(name="office", choice=Choice(addresses=AddressSet.parse("198.51.100.0/24"))),
)


def allow(sources: str, targets: str, traffic: str, expires: str = "") -> Allowance:
    return Allowance(
        sources=tuple(sources.split()), targets=tuple(targets.split()), traffic=Traffic.parse(traffic), expires=expires
    )


def matrix(estate: Estate, *allowances: Allowance, as_of: str = DAY) -> IntentMatrix:
    intent = Intent(segments=SEGMENTS, allow=allowances)
    return intent.allowed(resolve_segments(SEGMENTS, estate), as_of)


def test_what_several_allowances_say_of_two_segments_is_allowed_together(shop: Estate) -> None:
    found = matrix(shop, allow("web", "app", "tcp/8080"), allow("web public", "app db", "tcp/9090"))
    assert found.between("web", "app") == Traffic.parse("tcp/8080, tcp/9090")
    assert found.between("web", "db") == Traffic.parse("tcp/9090")


def test_everything_else_is_denied_backwards_and_within_a_segment_too(shop: Estate) -> None:
    found = matrix(shop, allow("web", "app", "all"))
    assert found.between("app", "web") == NO_TRAFFIC
    assert found.between("web", "web") == NO_TRAFFIC
    assert matrix(shop, allow("web", "web", "tcp/7946")).between("web", "web") == Traffic.parse("tcp/7946")


def test_an_interface_may_open_what_any_of_its_segments_may(shop: Estate) -> None:
    found = matrix(shop, allow("web", "app", "tcp/8080"), allow("public", "app", "tcp/22"))
    assert found.for_interfaces(ID("eni-web1"), ID("eni-app")) == Traffic.parse("tcp/8080, tcp/22")
    assert found.for_interfaces(ID("eni-web2"), ID("eni-app")) == Traffic.parse("tcp/8080")


def test_nothing_is_intended_for_an_interface_without_a_segment(shop: Estate) -> None:
    segments = (tier("web", "web"),)
    intent = Intent(segments=segments, allow=(allow("web", "web", "all"),))
    found = intent.allowed(resolve_segments(segments, shop), DAY)
    assert found.segmentation.unassigned == (ID("eni-app"), ID("eni-db"))
    assert found.for_interfaces(ID("eni-web1"), ID("eni-app")) == NO_TRAFFIC
    assert found.for_interfaces(ID("eni-web1"), ID("eni-nowhere")) == NO_TRAFFIC


def test_outside_addresses_are_judged_by_the_segments_that_stand_for_them(shop: Estate) -> None:
    found = matrix(shop, allow("office", "app", "tcp/22"), allow("internet", "app web", "tcp/443"))
    (office,) = found.segmentation.split(AddressSet.parse("198.51.100.0/28"))
    assert found.for_segments(office.segments, ("app",)) == Traffic.parse("tcp/22, tcp/443")
    (elsewhere,) = found.segmentation.split(AddressSet.parse("192.0.2.0/24"))
    assert found.for_segments(elsewhere.segments, ("app",)) == Traffic.parse("tcp/443")
    (private,) = found.segmentation.split(AddressSet.parse("192.168.0.0/16"))
    assert found.for_segments(private.segments, ("app",)) == NO_TRAFFIC


@pytest.mark.parametrize(
    ("as_of", "holds"),
    [
        ("2026-06-14", True),
        ("2026-06-15", True),
        ("2026-06-15T23:59:59Z", True),
        ("2026-06-16T00:00:00Z", False),
        ("", False),
    ],
)
def test_a_temporary_allowance_holds_through_its_last_day_and_never_on_an_unknown_one(
    shop: Estate, as_of: str, *, holds: bool
) -> None:
    temporary = allow("web", "app", "tcp/22", "2026-06-15")
    found = matrix(shop, temporary, allow("web", "app", "tcp/8080"), as_of=as_of)
    assert found.between("web", "app") == Traffic.parse("tcp/8080, tcp/22" if holds else "tcp/8080")
    assert found.expired == (() if holds else (temporary,))
    assert temporary in found.allowances("web", "app")


def test_the_pairs_that_may_talk_are_listed_in_order(shop: Estate) -> None:
    found = matrix(
        shop, allow("web", "db app", "tcp/1"), allow("app", "db", "tcp/2"), allow("db", "web", "udp", "2020-01-01")
    )
    assert list(found.pairs()) == [
        ("app", "db", Traffic.parse("tcp/2")),
        ("web", "app", Traffic.parse("tcp/1")),
        ("web", "db", Traffic.parse("tcp/1")),
    ]


def test_an_unknown_segment_is_refused_and_never_reads_as_nothing_allowed(shop: Estate) -> None:
    with pytest.raises(InputError, match="there is no segment 'wbe'; there are app, db, internet"):
        matrix(shop).between("wbe", "app")
    with pytest.raises(InputError, match="no segment 'shop/web/prod'"):
        matrix(shop).for_segments(("web",), ("shop/web/prod",))


def test_a_segmentation_of_other_segments_is_refused(shop: Estate) -> None:
    with pytest.raises(ValueError, match="the segmentation has the segments"):
        Intent(segments=SEGMENTS).allowed(segments_by_labels(shop), DAY)


def test_an_allowance_names_itself() -> None:
    allowance = allow("web batch", "app", "tcp/443")
    assert str(allowance) == "web or batch to app: tcp/443"
    assert str(msgspec.structs.replace(allowance, id="a7")) == "a7 (web or batch to app: tcp/443)"
