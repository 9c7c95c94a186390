"""What segments hold together: outside addresses, overlaps, what is empty, and what belongs to none."""

import pytest

from cloudseg.model import Estate, own_id
from cloudseg.segments import Choice, OutsidePiece, Segment, Segmentation, resolve_segments
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet


def ranges(text: str) -> AddressSet:
    return AddressSet.parse(text)


def resolved(estate: Estate, **choices: Choice | Segment) -> Segmentation:
    segments = (c if isinstance(c, Segment) else Segment(name=name, choice=c) for name, c in choices.items())
    return resolve_segments(segments, estate)


def test_a_segment_of_addresses_alone_stands_for_those_that_no_network_of_the_estate_has(shop: Estate) -> None:
    found = resolved(
        shop,
        corporate=Choice(addresses=ranges("203.0.113.0/24")),
        ten=Choice(addresses=ranges("10.0.0.0/15")),
        subnet=Choice(addresses=ranges("10.0.1.0/24")),
    )
    assert found.outside["corporate"] == ranges("203.0.113.0/24")
    assert found.outside["ten"] == ranges("10.1.0.0/16")
    assert "subnet" not in found.outside
    assert [own_id(name) for name in found.members["subnet"]] == ["eni-web1", "eni-web2"]


def test_whoever_is_outside_has_no_tags_so_other_parts_leave_no_outside_addresses(shop: Estate) -> None:
    corporate = Choice(addresses=ranges("203.0.113.0/24"), scopes=("*",))
    assert set(resolved(shop, corporate=corporate).outside) == {"internet"}


def test_any_and_except_work_on_outside_addresses_too(shop: Estate) -> None:
    offices = Segment(
        name="offices",
        any_of=(
            Choice(addresses=ranges("203.0.113.0/24")),
            Choice(addresses=ranges("198.51.100.0/24")),
            Choice(tags={"tier": ("web",)}),
        ),
        except_for=(Choice(addresses=ranges("203.0.113.128/25")), Choice(tags={"tier": ("app",)})),
    )
    assert resolved(shop, offices=offices).outside["offices"] == ranges("203.0.113.0/25, 198.51.100.0/24")
    narrowed = Segment(
        name="s",
        choice=Choice(addresses=ranges("203.0.113.0/25")),
        any_of=(Choice(addresses=ranges("203.0.113.0/26")),),
    )
    assert resolved(shop, s=narrowed).outside["s"] == ranges("203.0.113.0/26")


def test_the_internet_is_always_there_and_holds_no_address_of_the_estates_networks(shop: Estate) -> None:
    found = resolved(shop)
    assert found.outside["internet"] == GLOBAL_UNICAST
    assert not found.outside["internet"].overlaps(ranges("10.0.0.0/8, 192.168.0.0/16"))
    assert found.names == ()


def test_two_segments_of_one_name_are_refused(shop: Estate) -> None:
    twice = [Segment(name="web", choice=Choice(ids=("a",))), Segment(name="web", choice=Choice(ids=("b",)))]
    with pytest.raises(ValueError, match="two segments 'web'"):
        resolve_segments(twice, shop)
    with pytest.raises(ValueError, match="two segments 'internet'"):
        resolve_segments([Segment(name="internet")], shop)


def test_a_segment_that_holds_nothing_is_named_and_one_of_outside_addresses_is_not(shop: Estate) -> None:
    found = resolved(shop, batch=Choice(tags={"tier": ("batch",)}), office=Choice(addresses=ranges("203.0.113.0/24")))
    assert found.empty == ("batch",)


def test_segments_that_share_interfaces_or_addresses_are_named_with_examples(shop: Estate) -> None:
    found = resolved(
        shop,
        all=Choice(networks=("vpc-1",)),
        office=Choice(addresses=ranges("203.0.113.0/24")),
        web=Choice(tags={"tier": ("web",)}),
        app=Choice(tags={"tier": ("app",)}),
        partner=Choice(addresses=ranges("203.0.113.64/26")),
    )
    told = [(o.first, o.second, o.count, tuple(map(own_id, o.examples)), str(o.addresses)) for o in found.overlaps]
    assert told == [
        ("all", "web", 2, ("eni-web1", "eni-web2"), "none"),
        ("all", "app", 1, ("eni-app",), "none"),
        ("office", "partner", 0, (), "203.0.113.64/26"),
    ]


def test_an_interface_knows_its_segments_and_those_without_one_are_listed(shop: Estate) -> None:
    found = resolved(shop, web=Choice(tags={"tier": ("web",)}), public=Choice(addresses=ranges("10.0.1.11")))
    web1, odd = (f"aws:111122223333:eu-west-1:{own}" for own in ("eni-web1", "eni-odd"))
    assert found.segments_of(web1) == ("web", "public")
    assert found.segments_of(odd) == ()
    assert [own_id(name) for name in found.unassigned] == ["eni-app", "eni-db", "eni-odd"]


def test_outside_addresses_are_split_along_the_segments_that_stand_for_them(shop: Estate) -> None:
    found = resolved(
        shop,
        office=Choice(addresses=ranges("203.0.113.0/24")),
        desk=Choice(addresses=ranges("203.0.113.0/28, 192.168.7.0/24")),
    )
    pieces = found.split(ranges("203.0.113.0/27, 192.168.0.0/16"))
    assert set(pieces) == {
        OutsidePiece(ranges("203.0.113.0/28"), ("office", "desk", "internet")),
        OutsidePiece(ranges("203.0.113.16/28"), ("office", "internet")),
        OutsidePiece(ranges("192.168.7.0/24"), ("desk",)),
        OutsidePiece(ranges("192.168.0.0/16") - ranges("192.168.7.0/24"), ()),
    }
    assert found.split(ranges("none")) == ()


def test_an_estate_without_interfaces_leaves_every_segment_empty() -> None:
    found = resolved(Estate(), web=Choice(tags={"tier": ("web",)}))
    assert (found.empty, found.unassigned, found.overlaps) == (("web",), (), ())
