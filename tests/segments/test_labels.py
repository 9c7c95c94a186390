"""Application, tier and environment: read from tags, made into segments, and missed where nobody wrote them."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Estate, Interface, Workload, own_id
from cloudseg.segments import DEFAULT_LABELS, Labels, LabelShare, label_shares, labels_of, segments_by_labels

ID = EstateBuilder.id


def interface(estate: Estate, own: str) -> Interface:
    return estate.interfaces[ID(own)]


def labelled(**tags: str) -> Estate:
    builder = EstateBuilder()
    builder.interface("eni-1", tags=tags)
    return builder.build()


def test_tags_of_the_interface_count_before_those_of_its_workload(shop: Estate) -> None:
    assert labels_of(shop, interface(shop, "eni-app")) == Labels("shop", "app", None)
    assert labels_of(shop, interface(shop, "eni-web1")) == Labels("shop", "web", None)
    assert labels_of(shop, interface(shop, "eni-db")) == Labels(None, "data", None)


def test_the_first_key_that_is_there_and_not_empty_counts() -> None:
    estate = labelled(application="", App="b", app="a")
    assert labels_of(estate, interface(estate, "eni-1")).application == "a"


def test_labels_of_the_interface_are_read_as_well() -> None:
    builder = EstateBuilder()
    builder.interface("eni-1", labels={"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/component": "web"})
    estate = builder.build()
    assert labels_of(estate, interface(estate, "eni-1")) == Labels("shop", "web", None)


def test_other_keys_may_mean_the_same() -> None:
    estate = labelled(layer="web", tier="app")
    assert labels_of(estate, interface(estate, "eni-1"), {"tier": ("layer",)}) == Labels(None, "web", None)


def test_every_application_tier_and_environment_makes_a_segment(shop: Estate) -> None:
    found = segments_by_labels(shop)
    held = {name: [own_id(member) for member in members] for name, members in found.members.items()}
    assert held == {
        "-/data/-": ["eni-db"],
        "-/web/-": ["eni-web2"],
        "shop/app/-": ["eni-app"],
        "shop/web/-": ["eni-web1"],
    }
    assert list(map(own_id, found.unassigned)) == ["eni-odd"]
    assert found.labels["shop/app/-"] == Labels("shop", "app", None)
    assert set(found.outside) == {"internet"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"application": "a/b", "tier": "c"}, {"application": "a", "tier": "b/c"}),
        ({"application": "-"}, {"tier": "x", "application": ""}),
        ({"application": "a%2Fb"}, {"application": "a/b"}),
    ],
)
def test_different_tags_never_make_segments_of_one_name(one: dict[str, str], other: dict[str, str]) -> None:
    builder = EstateBuilder()
    builder.interface("eni-1", tags=one)
    builder.interface("eni-2", tags=other)
    assert len(segments_by_labels(builder.build()).names) == 2


def test_the_share_of_workloads_without_a_label_is_told_by_kind(shop: Estate) -> None:
    application, tier, environment = label_shares(shop)
    assert application == LabelShare(
        meaning="application",
        keys=DEFAULT_LABELS["application"],
        total=5,
        without=3,
        unread=1,
        kinds=(("network-interface", 2), ("rds-instance", 1)),
        examples=(ID("arn:aws:rds:db"), ID("eni-odd"), ID("eni-web2")),
    )
    assert (tier.without, tier.unread) == (1, 1)
    assert (environment.without, environment.total) == (5, 5)
    assert str(tier) == (
        "1 of 5 workloads (20 %) show no tier (tier, Tier, role, Role, component, Component, "
        "app.kubernetes.io/component): 1 network-interface; for 1 of them what owns the interface was not read"
    )


def test_labels_that_are_known_already_give_the_same_shares(shop: Estate) -> None:
    known = {name: labels_of(shop, interface) for name, interface in shop.interfaces.items()}
    assert label_shares(shop, shown=known) == label_shares(shop)


def test_a_workload_is_labelled_where_one_of_its_interfaces_is() -> None:
    builder = EstateBuilder()
    builder.put("workloads", Workload(id=ID("i-1"), kind="instance", region="eu-west-1"))
    builder.interface("eni-1", workload=ID("i-1"))
    builder.interface("eni-2", workload=ID("i-1"), tags={"tier": "web"})
    assert [share.without for share in label_shares(builder.build())] == [1, 0, 1]


def test_interfaces_that_the_cloud_keeps_and_ended_workloads_are_no_workloads() -> None:
    builder = EstateBuilder()
    builder.interface("eni-nat", managed_by="amazon-vpc")
    builder.put("workloads", Workload(id=ID("i-1"), kind="instance", region="eu-west-1", running=False))
    shares = label_shares(builder.build())
    assert [share.total for share in shares] == [0, 0, 0]
    assert str(shares[0]) == "there are no workloads that could bear a tag for application"


@pytest.mark.parametrize(
    ("without", "words"), [(0, "all 1000 workloads show"), (1, "(1 %)"), (999, "(99 %)"), (1000, "(100 %)")]
)
def test_a_share_is_rounded_to_none_or_all_only_where_it_is(without: int, words: str) -> None:
    share = LabelShare("tier", ("tier",), 1000, 500)
    assert words in str(msgspec.structs.replace(share, without=without))
