"""The questions that every room asks of an estate."""

import dataclasses

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Coverage, Estate, Gap, Network, Reading, RouteTable, ScopeRead, Subnet, own_id, qualified

q = EstateBuilder.id


@pytest.mark.parametrize(
    ("identifier", "own"),
    [
        ("aws:111122223333:eu-west-1:sg-0a1b", "sg-0a1b"),
        ("aws:1:eu-west-1:arn:aws:rds:eu-west-1:1:db:shop", "arn:aws:rds:eu-west-1:1:db:shop"),
        ("gcp:project:global/firewalls/web", "global/firewalls/web"),
        ("kubernetes:kind:prod/NetworkPolicy/web", "prod/NetworkPolicy/web"),
    ],
)
def test_the_providers_own_id_is_what_follows_the_place(identifier: str, own: str) -> None:
    assert own_id(identifier) == own


def test_qualified_ids_name_provider_scope_and_region() -> None:
    assert qualified("aws", "1", "sg-1", "eu-west-1") == "aws:1:eu-west-1:sg-1"
    assert qualified("gcp", "project", "global/networks/a") == "gcp:project:global/networks/a"


@pytest.mark.semantics(32)
def test_a_subnet_without_a_table_of_its_own_uses_the_main_one() -> None:
    network = Network(id="aws:1:r:vpc-1", kind="vpc", pipeline="aws")
    named = Subnet(id="aws:1:r:subnet-1", kind="subnet", region="r", network=network.id)
    other = Subnet(id="aws:1:r:subnet-2", kind="subnet", region="r", network=network.id)
    main = RouteTable(id="aws:1:r:rtb-main", kind="route-table", network=network.id, is_main=True)
    own = RouteTable(id="aws:1:r:rtb-own", kind="route-table", network=network.id, subnets=frozenset({named.id}))
    estate = Estate(
        networks={network.id: network},
        subnets={named.id: named, other.id: other},
        route_tables={main.id: main, own.id: own},
        coverage=Coverage([Reading("aws", "1", "r", "routes", "read")]),
    )
    assert estate.route_table_of(named) == own
    assert estate.route_table_of(other) == main
    assert Estate(subnets={named.id: named}).route_table_of(named) is None
    # A table that was not read may name the subnet.
    partly = dataclasses.replace(estate, coverage=Coverage([Reading("aws", "1", "r", "routes", "partly")]))
    assert partly.route_table_of(named) == own
    assert partly.route_table_of(other) is None


@pytest.mark.semantics(1)
def test_every_group_on_an_interface_judges_it() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", allow("ingress", "tcp/80", "10.0.0.0/8"))
    builder.group("sg-b", allow("ingress", "tcp/443", "10.0.0.0/8"))
    builder.interface("eni-1", groups=["sg-a", "sg-b"])
    estate = builder.build()
    judges = estate.judging(estate.interfaces[q("eni-1")], "security-groups")
    assert [judge.own_id for judge in judges] == ["sg-a", "sg-b"]


def test_references_are_found_from_the_group_that_is_named() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", allow("ingress", "tcp/80", "sg-b"), allow("egress", "tcp/80", "pl-1"))
    builder.group("sg-b")
    estate = builder.build()
    assert [(rules.own_id, rule.direction) for rules, rule in estate.references_to(q("sg-b"))] == [("sg-a", "ingress")]
    assert [(rules.own_id, rule.direction) for rules, rule in estate.references_to(q("pl-1"))] == [("sg-a", "egress")]
    assert estate.references_to(q("sg-a")) == ()


def test_absence_means_absence_only_where_the_facet_was_read() -> None:
    estate = EstateBuilder(unread=["routes"]).build()
    network = estate.networks[q("vpc-1")]
    assert estate.read("interfaces", network)
    assert not estate.read("routes", network)
    assert estate.coverage.state("unheard-of", "aws", "111122223333", "eu-west-1") == "unread"


def test_several_estates_become_one() -> None:
    def one(scope: str, day: str) -> Estate:
        network = Network(id=f"aws:{scope}:r:vpc", kind="vpc", pipeline="aws")
        return Estate(
            taken_at=day,
            scopes=(ScopeRead("aws", scope, ("r",)),),
            networks={network.id: network},
            coverage=Coverage([Reading("aws", scope, "r", "networks", "read")]),
            gaps=(Gap("aws", scope, "r", "ec2.describe_subnets", "", "denied", "no"),),
            notes=("skipped",),
        )

    merged = Estate.merged([one("2", "2026-01-02"), one("1", "2026-01-01")])
    assert merged.taken_at == "2026-01-02"
    assert [scope.scope for scope in merged.scopes] == ["1", "2"]
    assert sorted(merged.networks) == ["aws:1:r:vpc", "aws:2:r:vpc"]
    assert merged.coverage.was_read("networks", "aws", "1", "r")
    assert [gap.scope for gap in merged.gaps] == ["1", "2"]
    assert merged.notes == ("skipped",)
