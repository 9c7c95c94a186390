"""What the exposure of a port rests on when something was not read."""

import msgspec
import pytest

from cloudseg.checks import internet_exposed_port, latent_internet_rule
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.model import Addresses, Entrance, Estate, Route
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic
from tests.reach.balancers import balancer, forward, target

BOTH = (internet_exposed_port.CHECK, latent_internet_rule.CHECK)


def found(estate: Estate) -> tuple[Finding, ...]:
    return run_audit(estate, AuditRequest(checks=BOTH)).findings


def test_a_public_interface_with_a_group_that_was_not_read_is_not_passed_over() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", ["sg-unknown"], "10.0.1.5", "203.0.113.10")
    (finding,) = found(b.build())
    assert (finding.check, finding.resource.id, finding.confidence) == ("internet-exposed-port", "eni-1", "low")
    assert "sg-unknown" in finding.message
    assert finding.reachable is None


def test_a_private_interface_with_a_group_that_was_not_read_is_no_finding() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", ["sg-unknown"])
    assert found(b.build()) == ()


def test_where_not_every_interface_was_read_the_severity_stays() -> None:
    b = EstateBuilder(unread=["interfaces"])
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-db"])
    (finding,) = found(b.build())
    assert (finding.check, finding.severity, finding.confidence) == ("internet-exposed-port", "critical", "low")


@pytest.mark.semantics(33, 126)
def test_where_entrances_were_not_read_nothing_is_sure_to_be_unreachable() -> None:
    b = EstateBuilder(unread=["entrances"])
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-db"])
    (finding,) = found(b.build())
    assert (finding.check, finding.confidence, finding.reachable) == ("latent-internet-rule", "low", None)


@pytest.mark.semantics(33, 42, 126)
def test_where_load_balancers_were_not_read_a_rule_may_be_open() -> None:
    b = EstateBuilder(unread=["load-balancers"])
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-db"], "10.0.2.5")
    (finding,) = found(b.build())
    assert (finding.check, finding.severity, finding.confidence) == ("internet-exposed-port", "critical", "low")
    assert finding.reachable is None
    assert "may be open" in finding.message
    assert len([text for text in finding.evidence if "load balancers were not read" in text]) == 1


@pytest.mark.semantics(33)
def test_what_is_certainly_exposed_stays_so_where_load_balancers_were_not_read() -> None:
    def told(*unread: str) -> list[tuple[object, ...]]:
        b = EstateBuilder(unread=unread)
        b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
        b.interface("eni-1", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.10")
        return [(each.check, each.confidence, each.reachable, each.evidence) for each in found(b.build())]

    assert told("load-balancers") == told()


@pytest.mark.semantics(201)
def test_halves_say_that_they_are_the_whole_internet_together() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/22", "0.0.0.0/1"), allow("ingress", "tcp/20-30", "128.0.0.0/1"))
    b.interface("eni-1", "subnet-public", ["sg-a"], "10.0.1.5", "203.0.113.10")
    by_traffic = {f.rule.traffic: f.message for f in found(b.build()) if f.rule}
    assert "the whole IPv4 internet" in by_traffic["tcp/22"]
    assert "the whole" not in by_traffic["tcp/20-30"]


@pytest.mark.semantics(15, 126)
@pytest.mark.parametrize(
    ("addresses", "checks"),
    [
        ("10.0.1.5", {"tcp/443 from 0.0.0.0/0": "internet-exposed-port", "tcp/443 from ::/0": "latent-internet-rule"}),
        (
            "10.0.1.5, 2001:db8::5",
            {"tcp/443 from 0.0.0.0/0": "internet-exposed-port", "tcp/443 from ::/0": "internet-exposed-port"},
        ),
    ],
)
def test_what_an_accelerator_brings_is_of_a_family_in_which_the_interface_has_an_address(
    addresses: str, checks: dict[str, str]
) -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("ingress", "tcp/443", "0.0.0.0/0"), allow("ingress", "tcp/443", "::/0"))
    b.interface("eni-1", "subnet-private", ["sg-web"], addresses)
    six = (acl_entry("ingress", 101, "all", "::/0"), acl_entry("egress", 101, "all", "::/0"))
    b.acl("acl-1", ["subnet-private"], (*ACL_OPEN, *six))
    b.put(
        "entrances",
        Entrance(
            id=b.id("accelerator"),
            kind="accelerator",
            targets=frozenset((b.id("eni-1"),)),
            traffic=Traffic.parse("tcp/443"),
        ),
    )
    told = {f"{each.rule.traffic} from {each.rule.peer}": each.check for each in found(b.build()) if each.rule}
    assert told == checks


def test_the_witness_is_one_packet_from_an_address_that_is_let_in_to_an_interface_that_it_reaches() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/20-25", "198.51.100.0/24"), allow("ingress", "udp/53", "2001:db8:1::/48"))
    b.interface("eni-private", "subnet-private", ["sg-a"], "10.0.2.5")
    b.interface("eni-public", "subnet-public", ["sg-a"], "10.0.1.5", "203.0.113.10")
    (finding,) = (each for each in found(b.build()) if each.check == "internet-exposed-port")
    assert "witness: 198.51.100.1 → 10.0.1.5 tcp/22" in finding.evidence


def behind_a_balancer(
    rule_from: str, *, clients: str, public: str = "203.0.113.10", healthy: bool | None = True
) -> EstateBuilder:
    """A database behind a public network load balancer, whose rule admits ``rule_from`` on tcp/5432."""
    b = EstateBuilder()
    b.group("sg-lb", allow("ingress", "tcp/443", "0.0.0.0/0"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-db", allow("ingress", "tcp/5432", rule_from))
    b.interface("eni-lb", "subnet-public", ["sg-lb"], "10.0.1.9", public, workload=b.id("nlb-1"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.5")
    way = Entrance(
        id=b.id("tg-1"),
        kind="target-group",
        region="eu-west-1",
        targets=frozenset({b.id("eni-db")}),
        traffic=Traffic.parse("tcp/5432"),
        clients=AddressSet.parse(clients),
        through=frozenset({b.id("nlb-1")}),
        listens=Traffic.parse("tcp/443"),
    )
    b.put("entrances", way)
    keeps = way.clients == ALL_ADDRESSES
    sent = forward(target("eni-db", healthy=healthy), traffic="tcp/5432", keeps_client=keeps)
    balancer(b, sent, own="nlb-1", zones=None)
    return b


@pytest.mark.semantics(33, 42)
@pytest.mark.parametrize(
    ("rule_from", "clients", "told"),
    [
        ("10.0.1.9/32", "10.0.1.9", True),
        ("10.0.1.0/24", "10.0.1.9", True),
        ("10.0.2.0/24", "10.0.1.9", False),
        ("sg-lb", "10.0.1.9", True),
        ("sg-lb", "0.0.0.0/0, ::/0", True),
        ("10.0.1.0/24", "0.0.0.0/0, ::/0", False),
        ("sg-other", "0.0.0.0/0, ::/0", False),
    ],
)
def test_a_rule_for_a_public_load_balancer_admits_its_clients(rule_from: str, clients: str, *, told: bool) -> None:
    """Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    """
    b = behind_a_balancer(rule_from, clients=clients)
    b.group("sg-other")
    of_database = [f for f in found(b.build()) if f.resource.id == "sg-db"]
    assert [(f.check, f.severity, f.confidence) for f in of_database] == (
        [("internet-exposed-port", "critical", "high")] if told else []
    )


@pytest.mark.semantics(33)
def test_a_rule_for_an_internal_load_balancer_opens_nothing_to_the_internet() -> None:
    assert not [
        f for f in found(behind_a_balancer("sg-lb", clients="10.0.1.9", public="").build()) if f.resource.id == "sg-db"
    ]


@pytest.mark.semantics(33, 1)
def test_a_public_range_that_another_network_uses_in_private_is_still_the_internets() -> None:
    """Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"""
    b = EstateBuilder()
    b.network("vpc-2", "25.0.0.0/16")
    b.group("sg-ssh", allow("ingress", "tcp/22", "25.0.0.0/16"))
    b.interface("eni-1", "subnet-public", ["sg-ssh"], "10.0.1.5", "203.0.113.10")
    assert [(f.check, f.reachable) for f in found(b.build())] == [("internet-exposed-port", True)]


@pytest.mark.semantics(1)
def test_where_its_own_network_uses_the_range_nobody_else_comes_in() -> None:
    b = EstateBuilder()
    network = b.build().networks[b.id("vpc-1")]
    own = AddressSet.parse("25.0.0.0/16")
    b.put("networks", msgspec.structs.replace(network, addresses=network.addresses | own))
    table = b.build().route_tables[b.id("rtb-public")]
    local = Route(destination=Addresses(own), kind="local", origin="local")
    b.put("route_tables", msgspec.structs.replace(table, routes=(*table.routes, local)))
    b.group("sg-ssh", allow("ingress", "tcp/22", "25.0.0.0/16"))
    b.interface("eni-1", "subnet-public", ["sg-ssh"], "10.0.1.5", "203.0.113.10")
    assert found(b.build()) == ()


@pytest.mark.semantics(33, 42)
def test_whom_a_group_of_a_load_balancer_admits_comes_by_that_load_balancer_alone() -> None:
    b = behind_a_balancer("sg-lb", clients="0.0.0.0/0, ::/0")
    b.group("sg-db", allow("ingress", "tcp/0-65535", "sg-lb"))
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.20")
    (finding,) = (f for f in found(b.build()) if f.resource.id == "sg-db")
    assert finding.reachable
    assert "tcp/5432 of 1 interface" in finding.message


@pytest.mark.semantics(4, 42)
@pytest.mark.parametrize(("egress", "told"), [("10.0.2.0/24", True), ("sg-db", True), ("10.9.0.0/16", False)])
def test_a_load_balancer_sends_what_its_own_rules_let_out(egress: str, *, told: bool) -> None:
    b = behind_a_balancer("10.0.1.0/24", clients="10.0.1.9")
    b.group("sg-lb", allow("ingress", "tcp/443", "0.0.0.0/0"), allow("egress", "tcp/5432", egress))
    assert [f.reachable for f in found(b.build()) if f.resource.id == "sg-db"] == ([True] if told else [])


HEALTH = "the health of the target"
NOT_GOOD, NOT_READ = f"{HEALTH} is not good, so that others go before it", f"{HEALTH} was not read"


@pytest.mark.semantics(42)
@pytest.mark.parametrize("clients", ["10.0.1.9", "0.0.0.0/0, ::/0"])
@pytest.mark.parametrize(
    ("healthy", "reachable", "unknown"), [(True, True, ""), (False, None, NOT_GOOD), (None, None, NOT_READ)]
)
def test_behind_a_load_balancer_only_a_healthy_target_is_certainly_exposed(
    *, healthy: bool | None, reachable: bool | None, unknown: str, clients: str
) -> None:
    """Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
    """
    b = behind_a_balancer("0.0.0.0/0", clients=clients, healthy=healthy)
    (finding,) = (f for f in found(b.build()) if f.resource.id == "sg-db")
    assert (finding.check, finding.severity, finding.reachable) == ("internet-exposed-port", "critical", reachable)
    assert finding.confidence == ("high" if reachable else "low")
    told = [text for text in finding.evidence if text.startswith("unknown: ")]
    assert told == ([f"unknown: whether tg-1 hands anything on is unknown: {unknown}"] if unknown else [])


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("first", "second", "reachable"), [(True, False, True), (False, True, True), (False, False, None)]
)
def test_of_two_load_balancers_one_that_finds_the_target_healthy_is_enough(
    *, first: bool, second: bool, reachable: bool | None
) -> None:
    b = behind_a_balancer("0.0.0.0/0", clients="0.0.0.0/0, ::/0", healthy=first)
    second_balancer(b, healthy=second)
    (finding,) = (f for f in found(b.build()) if f.resource.id == "sg-db")
    assert finding.reachable is reachable


@pytest.mark.semantics(42)
@pytest.mark.parametrize(("admits", "reachable"), [("10.0.1.9/32", None), ("10.0.1.10/32", True)])
def test_a_rule_for_the_node_of_the_load_balancer_that_finds_it_unhealthy_is_not_certainly_open(
    *, admits: str, reachable: bool | None
) -> None:
    b = behind_a_balancer(admits, clients="10.0.1.9", healthy=False)
    second_balancer(b, healthy=True, clients="10.0.1.10")
    (finding,) = (f for f in found(b.build()) if f.resource.id == "sg-db")
    assert finding.reachable is reachable


@pytest.mark.semantics(42)
@pytest.mark.parametrize(("admits", "told"), [("10.0.1.9/32", True), ("10.0.9.9/32", None)])
def test_a_rule_for_a_node_of_another_zone_is_not_certainly_open_where_zones_are_not_crossed(
    *, admits: str, told: bool | None
) -> None:
    """Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-cross-zone.html"""
    b = behind_a_balancer(admits, clients="10.0.1.9, 10.0.9.9")
    for own, cidr, zone in (
        ("public", "10.0.1.0/24", "a"),
        ("private", "10.0.2.0/24", "a"),
        ("far", "10.0.9.0/24", "b"),
    ):
        b.subnet(f"subnet-{own}", cidr, zone=f"eu-west-1{zone}")
        b.route(f"rtb-{own}", "0.0.0.0/0", "internet-gateway", "igw-1")
    b.acl("acl-1", ["subnet-public", "subnet-private", "subnet-far"], ACL_OPEN)
    b.interface("eni-far", "subnet-far", ["sg-lb"], "10.0.9.9", "203.0.113.12", workload=b.id("nlb-1"))
    sent = forward(target("eni-db"), traffic="tcp/5432", keeps_client=False, cross_zone=False)
    balancer(b, sent, own="nlb-1", zones=None)
    (finding,) = (f for f in found(b.build()) if f.resource.id == "sg-db")
    assert finding.reachable is told


def second_balancer(b: EstateBuilder, *, healthy: bool, clients: str = "0.0.0.0/0, ::/0") -> None:
    """Add ``nlb-2`` beside ``nlb-1``: what it takes on tcp/443 it hands to the same target on the same port."""
    known = b.build().entrances[b.id("tg-1")]
    seen = AddressSet.parse(clients)
    way = msgspec.structs.replace(known, id=b.id("tg-2"), clients=seen, through=frozenset({b.id("nlb-2")}))
    b.put("entrances", way)
    b.interface("eni-lb-2", "subnet-public", ["sg-lb"], "10.0.1.10", "203.0.113.11", workload=b.id("nlb-2"))
    sent = forward(target("eni-db", healthy=healthy), traffic="tcp/5432", keeps_client=seen == ALL_ADDRESSES)
    balancer(b, sent, own="nlb-2", zones=None)
