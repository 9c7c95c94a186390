"""Entrances whose own interfaces the rules of the target see: CloudFront's for a VPC origin.

The target is to admit the group that CloudFront makes for them, or addresses of CloudFront. Source:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
"""

import pytest

from cloudseg.checks import blocked_intent, internet_exposed_port, latent_internet_rule
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Entrance, Estate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.internet import InternetView
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.spread.exposure import exposure_of
from cloudseg.reach.ways import find_ways_in
from cloudseg.segments import INTERNET, Choice, Segment
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, AddressSet, Traffic

ID = EstateBuilder.id
CLIENT = AddressSet.parse("198.51.100.7")
WEB = Traffic.parse("tcp/443")


def origin(admits: str, *, members: bool = True, traffic: str = "tcp/443", target: str = "eni-edge") -> EstateBuilder:
    """A private interface behind a VPC origin, whose rule admits ``admits``."""
    b = EstateBuilder()
    b.group("sg-cloudfront")
    b.group("sg-other")
    b.group("sg-edge", allow("ingress", "tcp/443", admits), allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-edge", "subnet-private", ["sg-edge"], "10.0.2.20")
    if members:
        b.interface("eni-cloudfront", "subnet-private", ["sg-cloudfront"], "10.0.2.30")
    for own, clients, groups in (
        ("vo-1", ALL_ADDRESSES, frozenset[str]()),
        ("vo-1/private", AddressSet.parse("10.0.0.0/16"), frozenset((ID("sg-cloudfront"),))),
    ):
        entrance = Entrance(
            id=ID(own),
            kind="cloudfront-vpc-origin",
            targets=frozenset((ID(target),)),
            traffic=Traffic.parse(traffic),
            clients=clients,
            active=None if groups else True,
            doubt="nobody knows" if groups else "",
            groups=groups,
        )
        b.put("entrances", entrance)
    return b


def verdict(estate: Estate) -> tuple[str, str]:
    """What reaches the interface from the internet, by both bounds; explain says the same."""
    found = Reachability(estate)
    whole = found.between(CLIENT, ID("eni-edge"))
    told = explain(found, CLIENT, ID("eni-edge"), WEB)
    assert (told.lower, told.upper) == (str(whole.lower & WEB), str(whole.upper & WEB))
    assert not [note for note in told.notes if "do not account for" in note]
    return str(whole.lower), str(whole.upper)


@pytest.mark.semantics(33, 126)
@pytest.mark.parametrize("members", [True, False])
def test_a_rule_for_the_entrances_own_group_admits_the_internet_at_most(members: bool) -> None:  # noqa: FBT001 - a row
    assert verdict(origin("sg-cloudfront", members=members).build()) == ("none", "tcp/443")


@pytest.mark.parametrize("admits", ["10.0.0.0/16", "10.0.2.30/32", "10.0.7.0/24"])
def test_a_rule_for_addresses_of_the_network_admits_the_internet_at_most(admits: str) -> None:
    assert verdict(origin(admits).build()) == ("none", "tcp/443")


@pytest.mark.parametrize("admits", ["sg-other", "10.9.0.0/16"])
def test_a_rule_for_others_admits_nobody_from_the_internet(admits: str) -> None:
    assert verdict(origin(admits).build()) == ("none", "none")


def test_a_rule_for_everybody_admits_the_internet_for_sure() -> None:
    assert verdict(origin("0.0.0.0/0").build()) == ("tcp/443", "tcp/443")


def test_only_what_the_entrance_carries_comes_by_its_group() -> None:
    assert verdict(origin("sg-cloudfront", traffic="tcp/80").build()) == ("none", "none")


def test_the_entrances_interfaces_may_stand_in_the_targets_subnet_where_no_network_acl_is_asked() -> None:
    for admits in ("sg-cloudfront", "10.0.0.0/16"):
        b = origin(admits)
        b.acl("acl-1", ["subnet-private"], (acl_entry("ingress", 90, "all", "10.0.0.0/16", deny=True), *ACL_OPEN))
        assert verdict(b.build()) == ("none", "tcp/443")


def test_it_counts_in_the_number_for_the_board() -> None:
    found = exposure_of(Reachability(origin("sg-cloudfront").build())).any_port
    assert (found.from_internet, found.from_internet_at_most) == (0, 1)


@pytest.mark.parametrize("admits", ["sg-cloudfront", "10.0.0.0/16"])
def test_the_rule_is_told_with_who_really_sends(admits: str) -> None:
    estate = origin(admits).build()
    rule_set = estate.rule_sets[ID("sg-edge")]
    found = InternetView(estate).exposure(rule_set, rule_set.rules[0], estate.interfaces[ID("eni-edge")])
    assert (found.verdict, found.at_most, found.sources) == ("unknown", WEB, GLOBAL_UNICAST)
    assert "nobody knows" in found.unknown


@pytest.mark.parametrize(("admits", "told"), [("sg-cloudfront", 1), ("10.0.0.0/16", 1), ("sg-other", 0)])
def test_a_rule_that_may_let_the_internet_in_is_a_finding_of_low_confidence(admits: str, told: int) -> None:
    request = AuditRequest(checks=(internet_exposed_port.CHECK, latent_internet_rule.CHECK))
    findings = run_audit(origin(admits).build(), request).findings
    assert [(f.check, f.confidence, f.reachable) for f in findings] == [("internet-exposed-port", "low", None)] * told


def test_an_intended_way_through_it_is_not_surely_blocked() -> None:
    edge = Segment(name="edge", choice=Choice(groups=("sg-edge",)))
    allow_web = Allowance(sources=(INTERNET,), targets=("edge",), traffic=WEB)
    request = AuditRequest(checks=(blocked_intent.CHECK,), intent=Intent(segments=(edge,), allow=(allow_web,)))
    (finding,) = run_audit(origin("sg-cloudfront").build(), request).findings
    assert (finding.confidence, finding.reachable) == ("low", None)


@pytest.mark.semantics(33, 42)
@pytest.mark.parametrize("keeps", [True, False])
def test_what_is_behind_a_load_balancer_with_such_an_entrance_is_reached_at_most(keeps: bool) -> None:  # noqa: FBT001 - a row
    b = origin("sg-cloudfront", target="nlb-1")
    b.interface("eni-edge", "subnet-private", ["sg-edge"], "10.0.2.20", workload=ID("nlb-1"))
    b.group("sg-app", allow("ingress", "tcp/8443", "10.0.0.0/16"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.40")
    way = Entrance(
        id=ID("tg-1"),
        kind="target-group",
        targets=frozenset((ID("eni-app"),)),
        traffic=Traffic.parse("tcp/8443"),
        clients=ALL_ADDRESSES if keeps else AddressSet.parse("10.0.2.20"),
        through=frozenset((ID("nlb-1"),)),
        listens=WEB,
    )
    b.put("entrances", way)
    estate = b.build()
    (found,) = find_ways_in(estate.interfaces[ID("eni-app")], estate).ways
    assert (found.certain, found.senders) == (False, GLOBAL_UNICAST)
    assert found.clients == AddressSet.parse("10.0.0.0/16" if keeps else "10.0.2.20")
