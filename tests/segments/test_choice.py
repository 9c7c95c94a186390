"""What a segment chooses: by each kind of part, all parts together, and by nothing that was not read."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Estate, own_id
from cloudseg.segments import Choice, Segment, glob_fits, resolve_segments
from cloudseg.traffic import AddressSet

NOTHING: tuple[str, ...] = ()
ODD = ("eni-odd",)


def chosen(estate: Estate, segment: Segment | Choice) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return own ids of the members, and of the interfaces that may be members."""
    if isinstance(segment, Choice):
        segment = Segment(name="s", choice=segment)
    found = resolve_segments([segment], estate)
    return tuple(map(own_id, found.members["s"])), tuple(map(own_id, found.uncertain.get("s", ())))


def ranges(text: str) -> AddressSet:
    return AddressSet.parse(text)


@pytest.mark.parametrize(
    ("choice", "members", "uncertain"),
    [
        (Choice(tags={"application": ("shop",)}), ("eni-app", "eni-web1"), ODD),
        (Choice(tags={"tier": ("web",)}), ("eni-web1", "eni-web2"), ODD),
        (Choice(tags={"tier": ("web", "data")}), ("eni-db", "eni-web1", "eni-web2"), ODD),
        (Choice(tags={"tier": ("w*",)}), ("eni-web1", "eni-web2"), ODD),
        (Choice(tags={"tier": ("*",)}), ("eni-app", "eni-db", "eni-web1", "eni-web2"), ODD),
        (Choice(tags={"application": ("shop",), "tier": ("app",)}), ("eni-app",), ODD),
        (Choice(tags={"Tier": ("web",)}), NOTHING, ODD),
        (Choice(labels={"team": ("checkout",)}), ("eni-app",), NOTHING),
        (Choice(labels={"tier": ("web",)}), NOTHING, NOTHING),
        (Choice(names=("spare",)), ("eni-web2",), ODD),
        (Choice(names=("web*", "orders")), ("eni-db", "eni-web1"), ODD),
        (Choice(groups=("web",)), ("eni-web1", "eni-web2"), ODD),
        (Choice(groups=("sg-web", "aws:111122223333:eu-west-1:sg-db")), ("eni-db", "eni-web1", "eni-web2"), ODD),
        (Choice(groups=("*b",)), ("eni-db", "eni-web1", "eni-web2"), ODD),
        (Choice(addresses=ranges("10.0.1.0/24")), ("eni-web1", "eni-web2"), ODD),
        (Choice(addresses=ranges("10.0.1.12-10.0.2.20")), ("eni-app", "eni-web2"), ODD),
        (Choice(addresses=ranges("2001:db8::/32")), ("eni-app",), ODD),
        (Choice(addresses=ranges("203.0.113.0/24")), NOTHING, ODD),
        (Choice(networks=("vpc-1",)), ("eni-app", "eni-db", "eni-web1", "eni-web2"), ODD),
        (Choice(networks=("vpc-2",)), NOTHING, ODD),
        (Choice(scopes=("111122223333",)), ("eni-app", "eni-db", "eni-odd", "eni-web1", "eni-web2"), NOTHING),
        (Choice(scopes=("shop-*",)), ("eni-app", "eni-db", "eni-odd", "eni-web1", "eni-web2"), NOTHING),
        (Choice(scopes=("444455556666",)), NOTHING, NOTHING),
        (Choice(ids=("eni-web1", "i-app")), ("eni-app", "eni-web1"), NOTHING),
        (Choice(ids=("*:rds:*",)), ("eni-db",), NOTHING),
        (Choice(ids=("i-gone",)), ODD, NOTHING),
        (Choice(tags={"tier": ("web",)}, names=("web1",)), ("eni-web1",), ODD),
        (Choice(tags={"tier": ("web",)}, ids=("eni-web*",)), ("eni-web1", "eni-web2"), NOTHING),
        (Choice(), NOTHING, NOTHING),
    ],
    ids=str,
)
def test_every_part_that_is_given_must_fit_by_one_of_its_values(
    shop: Estate, choice: Choice, members: tuple[str, ...], uncertain: tuple[str, ...]
) -> None:
    assert chosen(shop, choice) == (members, uncertain)


def test_a_tag_of_the_interface_counts_before_the_one_of_its_workload(shop: Estate) -> None:
    assert chosen(shop, Choice(tags={"tier": ("app",)}))[0] == ("eni-app",)
    assert "eni-app" not in chosen(shop, Choice(tags={"tier": ("web",)}))[0]


def test_any_takes_in_what_one_of_its_choices_fits_and_the_other_parts_still_hold(shop: Estate) -> None:
    either = (Choice(groups=("sg-db",)), Choice(groups=("sg-app",)))
    assert chosen(shop, Segment(name="s", any_of=either))[0] == ("eni-app", "eni-db")
    both = Segment(name="s", choice=Choice(tags={"tier": ("data",)}), any_of=either)
    assert chosen(shop, both)[0] == ("eni-db",)


def test_except_takes_away_what_one_of_its_choices_fits(shop: Estate) -> None:
    segment = Segment(
        name="s",
        choice=Choice(networks=("vpc-1",)),
        except_for=(Choice(groups=("sg-db",)), Choice(tags={"tier": ("web",)})),
    )
    assert chosen(shop, segment)[0] == ("eni-app",)


def test_what_may_be_taken_away_is_no_certain_member(shop: Estate) -> None:
    segment = Segment(name="s", choice=Choice(scopes=("*",)), except_for=(Choice(groups=("sg-db",)),))
    assert chosen(shop, segment) == (("eni-app", "eni-web1", "eni-web2"), ODD)


def test_what_is_taken_away_for_sure_may_not_be_a_member_either(shop: Estate) -> None:
    segment = Segment(name="s", choice=Choice(groups=("sg-db",)), except_for=(Choice(ids=("i-gone",)),))
    assert chosen(shop, segment) == (("eni-db",), NOTHING)


def test_a_group_that_was_not_read_is_found_by_its_id_and_may_bear_any_name(half_read: Estate) -> None:
    assert chosen(half_read, Choice(groups=("sg-other",))) == (("eni-1",), NOTHING)
    assert chosen(half_read, Choice(groups=("web",))) == (NOTHING, ("eni-1",))


def test_a_network_that_was_not_read_is_found_by_its_id_and_may_bear_any_name(half_read: Estate) -> None:
    assert chosen(half_read, Choice(networks=("vpc-gone",))) == (("eni-2",), NOTHING)
    assert chosen(half_read, Choice(networks=("main",))) == (NOTHING, ("eni-2",))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("web", "web", True),
        ("web", "Web", False),
        ("web-*", "web-1", True),
        ("web-*", "web-", True),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("**", "anything", True),
        ("db[Deployment]", "db[Deployment]", True),
        ("db[D]*", "dbDx", False),
        ("?", "a", False),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
    ],
)
def test_a_star_stands_for_any_text_and_everything_else_for_itself(pattern: str, text: str, *, fits: bool) -> None:
    assert glob_fits(pattern, text) is fits


def test_many_stars_over_a_long_text_take_no_long_search() -> None:
    assert not glob_fits("*a" * 200 + "b", "a" * 100_000)


def test_a_choice_and_a_segment_say_what_they_choose_in_words() -> None:
    choice = Choice(tags={"app": ("shop",), "tier": ("web", "edge")}, addresses=ranges("10.0.0.0/8"))
    segment = Segment(name="s", choice=choice, any_of=(Choice(ids=("a",)),), except_for=(Choice(names=("b*",)),))
    assert str(segment) == ("tags app=shop and tier=web or edge, addresses 10.0.0.0/8, any of (ids a), except names b*")


def test_an_own_tag_is_certain_whatever_the_unread_owner_bears() -> None:
    builder = EstateBuilder()
    builder.interface("eni-1", tags={"tier": "app"}, workload=builder.id("i-gone"))
    estate = builder.build()
    assert chosen(estate, Choice(tags={"tier": ("web",)})) == (NOTHING, NOTHING)
    assert chosen(estate, Choice(tags={"tier": ("app",)})) == (("eni-1",), NOTHING)
    assert chosen(estate, Choice(tags={"application": ("shop",)})) == (NOTHING, ("eni-1",))


@pytest.mark.parametrize(
    ("addresses", "members"),
    [
        ("10.0.3.20", ("eni-node",)),
        ("10.0.3.31", ("eni-node",)),
        ("10.0.3.0-10.0.3.16", ("eni-node",)),
        ("10.0.3.32", ()),
        ("10.0.3.15", ()),
        ("10.0.3.45", ()),
        ("10.0.3.40", ("eni-pod",)),
        ("10.0.3.0/24", ("eni-node", "eni-pod")),
        ("10.0.3.31, 2001:db8::/32", ("eni-node", "eni-pod")),
    ],
)
def test_an_interface_with_a_whole_prefix_has_every_address_of_it(addresses: str, members: tuple[str, ...]) -> None:
    builder = EstateBuilder()
    builder.interface("eni-node", address="10.0.3.16/28")
    builder.interface("eni-pod", address="10.0.3.40, 2001:db8::40")
    assert chosen(builder.build(), Choice(addresses=ranges(addresses))) == (members, NOTHING)
