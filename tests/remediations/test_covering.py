"""Which groups stand for those who need a rule: the fewest, and none that adds anybody."""

from __future__ import annotations

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.remediations.covering import Carried, cover


def _id(own: str) -> str:
    return EstateBuilder.id(own)


def _ids(*own: str) -> frozenset[str]:
    return frozenset(_id(each) for each in own)


def _builder(groups: dict[str, tuple[str, ...]], **kinds: str) -> EstateBuilder:
    """Return a builder with interfaces of some groups; ``kinds`` names default groups and controllers."""
    b = EstateBuilder()
    for group in sorted({each for own in groups.values() for each in own}):
        kind = kinds.get(group.replace("-", "_"), "")
        b.group(group, is_default=kind == "default", managed_by="" if kind == "default" else kind)
    for number, (interface, own) in enumerate(groups.items()):
        b.interface(interface, "subnet-private", own, f"10.0.2.{10 + number}")
    return b


def _cover(b: EstateBuilder, needed: frozenset[str], admitted: frozenset[str]) -> list[str]:
    found = cover(Carried(b.build()), needed, admitted, frozenset(("security-group",)), None)
    return [each.id.rpartition(":")[2] for each in found.chosen]


def test_one_group_of_all_goes_before_two_of_some() -> None:
    b = _builder({"eni-1": ("sg-a", "sg-both"), "eni-2": ("sg-b", "sg-both")})
    needed = _ids("eni-1", "eni-2")

    assert _cover(b, needed, needed) == ["sg-both"]


def test_two_groups_go_before_one_that_adds_somebody() -> None:
    b = _builder({"eni-1": ("sg-a", "sg-all"), "eni-2": ("sg-b", "sg-all"), "eni-3": ("sg-all",)})
    needed = _ids("eni-1", "eni-2")

    assert _cover(b, needed, needed) == ["sg-a", "sg-b"]


def test_a_group_whose_other_members_are_admitted_today_adds_nobody() -> None:
    b = _builder({"eni-1": ("sg-a", "sg-all"), "eni-2": ("sg-b", "sg-all"), "eni-3": ("sg-all",)})

    assert _cover(b, _ids("eni-1", "eni-2"), _ids("eni-1", "eni-2", "eni-3")) == ["sg-all"]


def test_of_two_groups_that_do_the_one_with_fewer_others_is_taken() -> None:
    b = _builder({"eni-1": ("sg-wide", "sg-narrow"), "eni-2": ("sg-wide",), "eni-3": ("sg-wide",)})

    assert _cover(b, _ids("eni-1"), _ids("eni-1", "eni-2", "eni-3")) == ["sg-narrow"]


def test_default_groups_are_named_only_where_no_other_does() -> None:
    b = _builder({"eni-1": ("default", "sg-a"), "eni-2": ("default", "sg-b")}, default="default")
    needed = _ids("eni-1", "eni-2")

    assert _cover(b, needed, needed) == ["sg-a", "sg-b"]


def test_groups_of_controllers_are_named_only_where_no_other_does() -> None:
    b = _builder({"eni-1": ("sg-k", "sg-a"), "eni-2": ("sg-k", "sg-b")}, sg_k="eks")
    needed = _ids("eni-1", "eni-2")

    assert _cover(b, needed, needed) == ["sg-a", "sg-b"]
    assert _cover(_builder({"eni-1": ("sg-k",)}, sg_k="eks"), _ids("eni-1"), _ids("eni-1")) == ["sg-k"]


def test_who_no_group_names_alone_is_left_over() -> None:
    b = _builder({"eni-1": ("sg-a",), "eni-2": ("sg-all",), "eni-3": ("sg-all",)})
    found = cover(Carried(b.build()), _ids("eni-1", "eni-2"), _ids("eni-1", "eni-2"), None, None)

    assert [each.label for each in found.chosen] == ["sg-a"]
    assert found.uncovered == (_id("eni-2"),)


def test_what_was_looked_at_is_told_with_whom_it_would_have_added_or_missed() -> None:
    b = _builder({"eni-1": ("sg-a", "sg-all"), "eni-2": ("sg-a",), "eni-3": ("sg-all",)})
    needed = _ids("eni-1", "eni-2")

    found = cover(Carried(b.build()), needed, needed, None, None)

    first, second = found.considered
    assert (first.name, first.chosen, first.adds, first.misses) == ("sg-a", True, (), ())
    assert (second.name, second.chosen) == ("sg-all", False)
    assert second.adds == ("1 interface: eni-3",)
    assert second.misses == ("1 interface: eni-2",)


def test_groups_of_another_kind_or_network_are_not_looked_at() -> None:
    b = _builder({"eni-1": ("sg-a",)})
    needed, carried = _ids("eni-1"), Carried(b.build())

    assert cover(carried, needed, needed, frozenset(("service-account",)), None).considered == ()
    assert cover(carried, needed, needed, None, (_id("vpc-2"),)).considered == ()
    assert len(cover(carried, needed, needed, None, (_id("vpc-1"),)).chosen) == 1


def test_many_candidates_are_chosen_greedily_and_nobody_is_left_out() -> None:
    # Neighbours share a group: 20 groups of two name 21 interfaces, and 11 of them are needed at least.
    carried = {
        f"eni-{number:02}": tuple(f"sg-{each:02}" for each in (number - 1, number) if 0 <= each < 20)
        for number in range(21)
    }
    needed = _ids(*carried)

    found = cover(Carried(_builder(carried).build()), needed, needed, None, None)

    assert frozenset[str]().union(*(each.names for each in found.chosen)) == needed
    assert found.uncovered == ()
    assert len(found.chosen) == 11


def test_the_choice_is_the_same_in_whatever_order_groups_come() -> None:
    first = _builder({"eni-1": ("sg-a", "sg-b"), "eni-2": ("sg-a", "sg-b")})
    second = _builder({"eni-2": ("sg-b", "sg-a"), "eni-1": ("sg-b", "sg-a")})
    needed = _ids("eni-1", "eni-2")

    assert _cover(first, needed, needed) == _cover(second, needed, needed) == ["sg-a"]


def test_the_default_service_account_is_named_only_where_no_other_does() -> None:
    default = "482910573316-compute@developer.gserviceaccount.com"
    b = GcpBuilder()
    b.machine("web", "web", "10.2.1.10", account=default, secure=["1"])
    b.machine("api", "web", "10.2.1.11", account="api")
    estate = b.build()
    needed = frozenset(estate.interfaces)

    both = cover(Carried(estate), needed, needed, None, None)
    accounts = cover(Carried(estate), needed, needed, frozenset(("service-account",)), None)

    assert [each.id.rpartition("/")[2] for each in both.chosen] == ["1", "api"]
    assert [each.id.rpartition("/")[2] for each in accounts.chosen] == [default, "api"]
