"""A proposed segment holds the interfaces that it was made for, and no others."""

import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.intent.proposing import Proposed, free_name, propose_segments
from cloudseg.model import Estate, Interface, Workload
from cloudseg.segments import resolve_segments

ID = EstateBuilder.id


def estate(**tags: dict[str, str]) -> Estate:
    """Interfaces with tags, `eni_a` for `eni-a`; the key `Name` is the name."""
    builder = EstateBuilder()
    for number, (own, borne) in enumerate(tags.items(), 10):
        name = borne.pop("Name", "")
        builder.interface(own.replace("_", "-"), address=f"10.0.2.{number}", tags=borne, name=name)
    return builder.build()


def proposed(found: Estate, *needed: str, granularity: str = "tier+port") -> dict[str, str]:
    made = propose_segments(found, found.interfaces, {ID(each) for each in needed}, (), granularity=granularity)  # type: ignore[arg-type]
    held = resolve_segments((each.segment for each in made), found).members
    assert held == {each.segment.name: each.members for each in made}
    return {each.segment.name: str(each.segment) for each in made}


def test_equal_tags_make_one_segment() -> None:
    tags = {"application": "shop", "tier": "web", "environment": "prod"}
    found = estate(eni_a=dict(tags), eni_b=dict(tags), eni_c={**tags, "tier": "app"})
    assert proposed(found) == {
        "shop/app/prod": "tags application=shop and tier=app and environment=prod",
        "shop/web/prod": "tags application=shop and tier=web and environment=prod",
    }


def test_the_same_said_by_other_keys_is_one_segment_of_several_choices() -> None:
    found = estate(eni_a={"app": "shop", "Tier": "web"}, eni_b={"application": "shop", "role": "web"})
    assert proposed(found) == {"shop/web/-": "any of (tags app=shop and Tier=web; tags application=shop and role=web)"}


def test_who_has_no_tier_is_told_apart_from_who_has_one() -> None:
    found = estate(eni_a={"app": "shop"}, eni_b={"app": "shop", "tier": "web"})
    assert proposed(found) == {
        "shop/-/-": "tags app=shop, except tags tier=*",
        "shop/web/-": "tags app=shop and tier=web",
    }


def test_a_key_that_comes_later_does_not_count_where_an_earlier_one_says_something_else() -> None:
    # `tier` counts before `role`: both are of the tier that their first key says.
    found = estate(eni_a={"app": "shop", "role": "web"}, eni_b={"app": "shop", "role": "web", "tier": "db"})
    assert proposed(found) == {
        "shop/db/-": "tags app=shop and tier=db",
        "shop/web/-": "tags app=shop and role=web, except tags tier=*",
    }


def test_where_no_tag_tells_them_apart_they_are_named_by_id() -> None:
    found = estate(eni_a={"app": "shop", "tier": ""}, eni_b={"app": "shop", "tier": "web"}, eni_c={"app": "shop"})
    assert proposed(found) == {
        "shop/-/-": "ids eni-a or eni-c",
        "shop/web/-": "tags app=shop and tier=web",
    }


def test_a_value_with_a_star_means_itself() -> None:
    found = estate(eni_a={"app": "shop*"}, eni_b={"app": "shopping"})
    assert proposed(found) == {"shop*/-/-": "ids eni-a", "shopping/-/-": "tags app=shopping"}


def test_a_slash_in_a_value_cannot_be_taken_for_the_name_s_own() -> None:
    assert list(proposed(estate(eni_a={"app": "a/b"}))) == ["a%2Fb/-/-"]


def test_by_application_tiers_go_together() -> None:
    found = estate(eni_a={"app": "shop", "tier": "web", "env": "prod"}, eni_b={"app": "shop", "env": "prod"})
    assert proposed(found, granularity="application") == {"shop/prod": "tags app=shop and env=prod"}


class TestWithoutTags:
    def test_only_who_is_needed_gets_a_segment(self) -> None:
        found = estate(eni_a={"Name": "one"}, eni_b={"Name": "two"})
        assert proposed(found, "eni-a") == {"one": "names one"}

    def test_a_tier_alone_makes_no_segment_across_applications(self) -> None:
        found = estate(eni_a={"tier": "web", "Name": "one"}, eni_b={"tier": "web", "Name": "two"})
        assert proposed(found, "eni-a", "eni-b") == {"one": "names one", "two": "names two"}

    def test_what_owns_them_names_them(self) -> None:
        builder = EstateBuilder()
        builder.put("workloads", Workload(id=ID("asg"), kind="group", name="crawlers", region="eu-west-1"))
        builder.interface("eni-a", workload=ID("asg"), name="i-1")
        builder.interface("eni-b", address="10.0.2.11", workload=ID("asg"), name="i-2")
        assert proposed(builder.build(), "eni-a", "eni-b") == {"crawlers": "names crawlers"}

    def test_a_name_that_others_bear_as_well_is_not_enough(self) -> None:
        found = estate(eni_a={"Name": "one"}, eni_b={"Name": "one", "app": "shop"})
        assert proposed(found, "eni-a") == {"one": "names one, except tags app=*", "shop/-/-": "tags app=shop"}

    def test_without_a_name_the_id_is_all_there_is(self) -> None:
        assert proposed(estate(eni_a={}), "eni-a") == {"eni-a": "ids eni-a"}


def test_labels_of_pods_are_told_by_their_tags() -> None:
    builder = ClusterBuilder()
    builder.workload("shop", "web", {"app": "web", "tier": "front"})
    found = builder.build()
    (made,) = propose_segments(found, found.interfaces, (), ())
    assert isinstance(found.interfaces[made.members[0]], Interface)
    assert (made.segment.name, made.by_tags) == ("web/front/-", True)


def test_ids_that_two_accounts_share_are_qualified() -> None:
    one = estate(eni_a={})
    twin = ID("eni-a").replace("111122223333", "444455556666")
    import msgspec

    found = Estate.merged(
        [one, Estate(interfaces={twin: msgspec.structs.replace(one.interfaces[ID("eni-a")], id=twin)})]
    )
    (made,) = propose_segments(found, found.interfaces, {ID("eni-a")}, ())
    assert made == Proposed(made.segment, (ID("eni-a"),), by_tags=False)
    assert str(made.segment) == f"ids {ID('eni-a')}"


class TestNames:
    @pytest.mark.parametrize(
        ("wanted", "name"),
        [
            ("web", "web-2"), ("internet", "internet-2"), ("unassigned", "unassigned-2"), ("a\nb", "a?b"),
            ("  ", "-"), ("x" * 200, "x" * 90), (" web ", "web-2"),
        ],
    )  # fmt: skip
    def test_it_is_free_and_can_stand_in_a_file(self, wanted: str, name: str) -> None:
        assert free_name(wanted, {"web"}) == name

    def test_it_is_taken_afterwards(self) -> None:
        taken: set[str] = set()
        assert [free_name("web", taken) for _ in range(3)] == ["web", "web-2", "web-3"]
