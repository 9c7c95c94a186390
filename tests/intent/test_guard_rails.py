"""What an estate needs though no log shows it is proposed where the estate has the concept, and marked."""

from pathlib import Path

import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.cli.sources import translate
from cloudseg.demo import demo_snapshot_path
from cloudseg.intent import Allowance, Intent
from cloudseg.intent.guard_rails import guard_rails, unfiltered_words
from cloudseg.intent.railing import Rail, missing_rails
from cloudseg.model import (
    Addresses,
    Estate,
    Forward,
    Forwarder,
    ForwardTarget,
    Gateway,
    Workload,
)
from cloudseg.segments import Choice, Segment
from cloudseg.snapshot import load
from cloudseg.traffic import AddressSet, Traffic
from tests.intent.observed import ID, Log, above, allowed, generated, run, shop_builder


def cluster() -> Estate:
    builder = ClusterBuilder()
    builder.workload("kube-system", "coredns", {"k8s-app": "kube-dns"})
    builder.workload("shop", "web")
    builder.workload("shop", "db")
    builder.workload("kube-system", "proxy", host=True)
    return builder.build()


def balanced(checks: str = "tcp/9090", *, by_address: bool = False) -> Estate:
    """The shop with a load balancer in front of its app tier."""
    builder = shop_builder()
    balancer = ID("alb")
    builder.put("workloads", Workload(id=balancer, kind="load-balancer", name="front", region="eu-west-1"))
    builder.interface("eni-alb", "subnet-public", address="10.0.1.50", workload=balancer)
    target = (
        ForwardTarget(address=AddressSet.parse("10.0.2.20"), network=ID("vpc-1"))
        if by_address
        else ForwardTarget(target=ID("eni-app"))
    )
    forward = Forward(
        name="app:8080", listens=Traffic.parse("tcp/443"), traffic=Traffic.parse("tcp/8080"),
        checks=Traffic.parse(checks), keeps_client=False, cross_zone=True, targets=(target,),
    )  # fmt: skip
    forwarder = Forwarder(id=balancer, kind="alb", name="front", accepts=None, zones=None, forwards=(forward,))
    builder.put("forwarders", forwarder)
    return builder.build()


class TestNames:
    def test_every_pod_asks_the_resolver_and_it_does_not_ask_itself(self) -> None:
        assert allowed(generated(Log(), cluster())) == ["db/-/- or web/-/- to coredns: tcp/53, udp/53"]

    def test_a_cluster_whose_resolver_was_not_read_has_no_such_rail(self) -> None:
        builder = ClusterBuilder()
        builder.workload("shop", "web")
        assert guard_rails(builder.build()) == ()

    def test_only_those_are_added_that_may_not_ask_yet(self) -> None:
        web = Segment(name="web", choice=Choice(tags={"app": ("web",)}))
        names = Segment(name="names", choice=Choice(names=("coredns",)))
        entry = Allowance(sources=("web",), targets=("names",), traffic=Traffic.parse("udp/53, tcp/53"))
        existing = Intent(segments=(web, names), allow=(entry,))
        assert allowed(generated(Log(), cluster(), existing=existing)) == ["db/-/- to names: tcp/53, udp/53"]


def test_what_two_rails_ask_for_is_allowed_once() -> None:
    one = Rail(("a",), ("x", "y"), Traffic.parse("tcp/80"), "one")
    other = Rail(("a", "b"), ("x",), Traffic.parse("tcp/80"), "other")
    assert [str(each) for each in missing_rails((one, other), ())] == ["a to x or y: tcp/80", "b to x: tcp/80"]


class TestBalancers:
    @pytest.mark.parametrize("by_address", [False, True])
    def test_a_load_balancer_checks_its_targets(self, by_address: bool) -> None:  # noqa: FBT001 - a case of a table
        assert allowed(generated(Log(), balanced(by_address=by_address))) == ["front to shop/app/prod: tcp/9090"]

    def test_where_its_checks_were_not_read_they_use_the_port_that_it_serves(self) -> None:
        assert allowed(generated(Log(), balanced("none"))) == ["front to shop/app/prod: tcp/8080"]

    def test_who_is_checked_from_the_cloud_s_own_ranges_gets_a_segment_for_these(self) -> None:
        estate = translate(load(demo_snapshot_path()))
        found = generated(Log(), estate)
        assert "gcp-health-checks to recs/app/prod: tcp/8080" in allowed(found)
        (segment,) = (each for each in found.segments if each.name == "gcp-health-checks")
        assert AddressSet.parse("35.191.0.0/16, 130.211.0.0/22") <= segment.choice.addresses

    def test_a_segment_that_people_wrote_for_these_ranges_is_taken(self) -> None:
        builder = shop_builder()
        checks = Gateway(id=ID("checks"), kind="health-checks", networks=frozenset((ID("vpc-1"),)), active=None)
        builder.put("gateways", checks)
        builder.route("rtb-private", "35.191.0.0/16", "private-gateway", "checks")
        target = ForwardTarget(target=ID("eni-app"))
        forward = Forward(
            name="app", listens=None, traffic=Traffic.parse("tcp/8080"), keeps_client=None, cross_zone=None,
            targets=(target,),
        )  # fmt: skip
        builder.put("forwarders", Forwarder(id=ID("rule"), kind="rule", accepts=None, zones=None, forwards=(forward,)))
        google = Segment(name="google", choice=Choice(addresses=AddressSet.parse("35.191.0.0/16, 130.211.0.0/22")))
        estate = builder.build()
        assert allowed(generated(Log(), estate, existing=Intent(segments=(google,)))) == [
            "google to shop/app/prod: tcp/8080"
        ]
        assert allowed(generated(Log(), estate)) == ["gcp-health-checks to shop/app/prod: tcp/8080"]
        assert isinstance(estate.route_tables[ID("rtb-private")].routes[-1].destination, Addresses)


def test_the_kubelet_asks_the_pods_of_its_own_machine() -> None:
    estate = translate(load(demo_snapshot_path()))
    (rail,) = (each for each in guard_rails(estate) if each.words.startswith("probes: the kubelet"))
    assert {estate.interfaces[each].name for each in rail.sources} == {"bookshop-prod-node-1", "bookshop-prod-node-2"}
    assert "storefront" in {estate.interfaces[each].name for each in rail.targets}
    assert "aws-node" not in {estate.interfaces[each].name for each in rail.targets}
    assert rail.traffic == Traffic.parse("tcp")


def test_they_are_marked_and_the_second_run_changes_nothing(written: Path) -> None:
    text = run(written, Log(), cluster())
    assert above(text, "- from: [db/-/-, web/-/-]") == [
        "guard rail: names: every pod of manifests asks the cluster's resolver"
    ]
    assert run(written, Log(), cluster()) == text


def test_what_no_rule_filters_is_told_for_each_cloud_that_is_there() -> None:
    (aws,) = unfiltered_words(EstateBuilder().build())
    assert "169.254.169.123" in aws
    assert unfiltered_words(cluster()) == ()
    told = unfiltered_words(translate(load(demo_snapshot_path())))
    assert ["168.63.129.16" in words for words in told] == [False, True, False]
