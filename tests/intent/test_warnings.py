"""What readers of a report must know about an intent: nothing of it is an error."""

import msgspec

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.intent import Allowance, Intent, IntentWarning, intent_warnings
from cloudseg.model import Estate
from cloudseg.segments import Choice, Segment, resolve_segments
from cloudseg.traffic import AddressSet, Traffic

ID = EstateBuilder.id
DAY = "2026-06-15"
ALL = Segment(name="all", choice=Choice(ids=("*",)))


def warned(
    estate: Estate, *segments: Segment, allow: tuple[Allowance, ...] = (), as_of: str = DAY
) -> list[IntentWarning]:
    placed = tuple(msgspec.structs.replace(s, place=f"intent.yaml:{line}") for line, s in enumerate(segments, 3))
    intent = Intent(segments=placed, allow=allow)
    return list(intent_warnings(intent, resolve_segments(placed, estate), estate, as_of))


def ranges(text: str) -> Choice:
    return Choice(addresses=AddressSet.parse(text))


def test_an_intent_that_fits_its_estate_warns_of_nothing(shop: Estate) -> None:
    assert warned(shop, ALL) == []


def test_a_segment_that_chooses_nothing_is_told_with_what_it_asks_for(shop: Estate) -> None:
    (told,) = warned(shop, ALL, Segment(name="batch", choice=Choice(tags={"tier": ("batch",)})))
    assert told == IntentWarning(
        "empty-segment",
        "the segment batch holds nothing here: tags tier=batch fits no interface; correct it, or leave it for later",
        "intent.yaml:4",
        ("batch",),
    )


def test_segments_that_share_interfaces_or_addresses_are_told_with_examples(shop: Estate) -> None:
    web = Segment(name="web", choice=Choice(tags={"tier": ("web",)}))
    one, other = Segment(name="one", choice=ranges("192.0.2.0/24")), Segment(name="two", choice=ranges("192.0.2.0/28"))
    interfaces, addresses = warned(shop, ALL, web, one, other)
    assert interfaces.words == (
        "the segments all and web share 2 interfaces (eni-web1, eni-web2); "
        "what is allowed for either is allowed for these"
    )
    assert (interfaces.kind, interfaces.place) == ("overlapping-segments", "intent.yaml:4")
    assert interfaces.examples == (ID("eni-web1"), ID("eni-web2"))
    assert "one and two share the addresses 192.0.2.0/28" in addresses.words


def test_a_range_that_takes_in_the_estates_own_interfaces_is_told(shop: Estate) -> None:
    (told,) = warned(shop, Segment(name="corporate", choice=ranges("10.0.0.0/8")))
    assert told.kind == "inside-and-outside"
    assert (
        "stands for outside addresses (10.1.0.0/16, 10.2.0.0/15, 10.4.0.0/14 and 5 more) and for 4 interfaces"
        in told.words
    )
    assert "eni-app, eni-db, eni-web1 and 1 more" in told.words


def test_an_outside_range_with_a_public_address_of_the_estate_is_told(shop: Estate) -> None:
    (told,) = warned(shop, ALL, Segment(name="corporate", choice=ranges("203.0.113.0/24")))
    assert told.kind == "own-public-address"
    assert "but eni-web1 of the estate has one of them as its public address" in told.words


def test_an_expired_allowance_is_told_and_so_is_a_temporary_one_on_an_unknown_day(shop: Estate) -> None:
    over = Allowance(
        sources=("all",),
        targets=("internet",),
        traffic=Traffic.parse("tcp/22"),
        expires="2026-06-14",
        place="intent.yaml:9",
    )
    (told,) = warned(shop, ALL, allow=(over, msgspec.structs.replace(over, expires="2026-06-15")))
    assert told == IntentWarning(
        "expired-allowance",
        "the allowance all to internet: tcp/22 expired after 2026-06-14 and does not count; "
        "remove it, or give it another day",
        "intent.yaml:9",
        ("all", "internet"),
    )
    (unknown,) = warned(shop, ALL, allow=(over,), as_of="")
    assert "is temporary (until 2026-06-14), the day of the answers is unknown, and does not count" in unknown.words


def test_interfaces_without_a_segment_are_counted(shop: Estate) -> None:
    (told,) = warned(shop, Segment(name="app", choice=Choice(tags={"tier": ("app",)})))
    assert told.kind == "unassigned-interfaces"
    assert told.words == "3 of 4 interfaces in no segment: eni-db, eni-web1, eni-web2; nothing is intended for them"


def test_interfaces_that_may_belong_to_a_segment_are_told() -> None:
    builder = EstateBuilder()
    builder.interface("eni-1", attached_unread=True)
    told = {w.kind: w for w in warned(builder.build(), Segment(name="web", choice=Choice(groups=("web",))))}
    assert set(told) == {"empty-segment", "uncertain-members", "unassigned-interfaces"}
    assert "may hold 1 interface more: eni-1; what it asks for was not read of them" in told["uncertain-members"].words
