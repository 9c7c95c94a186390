"""Who reaches whom through load balancers of packets: external and internal passthrough ones, by hand.

Sources: https://cloud.google.com/load-balancing/docs/passthrough-network-load-balancer,
https://cloud.google.com/load-balancing/docs/forwarding-rule-concepts,
https://cloud.google.com/load-balancing/docs/internal and https://cloud.google.com/load-balancing/docs/firewall-rules
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.balanced_estates import FRONT_ENDS, LB, OUTSIDE, Seen, estate, passed_on
from tests.gcp.raw import Raw
from tests.gcp.raw_balancers import Balancers
from tests.gcp.raw_more import six_of
from tests.gcp.raw_parts import Card, vpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gcp.oracle_records import Json

OPEN = vpc("allow")
WEB_80 = vpc("allow", "tcp:80", target_tags=["web"])


def target_pool(*others: str, checked: bool = False) -> Balancers:
    b = estate(OPEN)
    b.pool("pool", "web", *others, checked=checked)
    b.rule("lb", LB, target="pool", portRange="80-80")
    return b


def target_instance() -> Balancers:
    b = estate(OPEN)
    b.target_instance("ti", "web")
    b.rule("lb", LB, target="ti", protocol="ESP")
    return b


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ({"portRange": "80-81"}, "tcp/80-81", "tcp/82"),
        ({"ports": ["80", "8000-8010"]}, "tcp/80, tcp/8000-8010", "tcp/81"),
        ({"allPorts": True}, "tcp", "udp/80"),
        ({"protocol": "UDP", "ports": ["53"]}, "udp/53", "tcp/53"),
        ({"protocol": "L3_DEFAULT", "allPorts": True}, "all", ""),
        # What cannot be understood may be any port.
        ({"ports": ["http"]}, "tcp", "udp/80"),
    ],
)
def test_machines_behind_an_external_one_take_what_its_rule_takes(rule: Json, inside: str, outside: str) -> None:
    seen = Seen(passed_on(OPEN, rule=rule))
    passed = seen.reach.between(AddressSet.parse(OUTSIDE), seen.id("web"))
    # ESP and other protocols that networks carry are in "all"; ICMPv6 and unknown numbers are not.
    expected = Traffic.parse(inside)
    assert passed.lower == (expected if inside != "all" else passed.upper)
    assert passed.lower >= (expected if inside != "all" else Traffic.parse("tcp, udp, icmp, esp"))
    if outside:
        assert seen.passes(OUTSIDE, "web", outside) == "no"


def test_it_leads_to_nobody_else() -> None:
    seen = Seen(passed_on(OPEN))
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "surely"
    assert seen.passes(OUTSIDE, "other", "tcp/80") == "no"


def test_the_rules_of_the_machine_judge_the_clients_themselves() -> None:
    """Packets bear the client's address: https://cloud.google.com/load-balancing/docs/network"""
    seen = Seen(passed_on(vpc("allow", "tcp:80", sources=["8.8.0.0/16"])))
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "surely"
    assert seen.passes("9.9.9.9", "web", "tcp/80") == "no"
    seen = Seen(passed_on(vpc("allow", "tcp:80", sources=FRONT_ENDS)))
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "no"


def test_rules_may_name_the_load_balancers_address_as_the_destination() -> None:
    """Packets are for the forwarding rule's address still; the machine bears its own besides, so that it is at most."""
    for near, verdict in ((f"{LB}/32", "at most"), ("34.9.0.9/32", "no")):
        rule = {**vpc("allow", "tcp:80"), "destinationRanges": [near]}
        assert Seen(passed_on(rule)).passes(OUTSIDE, "web", "tcp/80") == verdict


def test_without_a_route_to_the_internet_clients_get_answers_at_most() -> None:
    """Google keeps return paths of its own, and no page says that backends which answer clients themselves need more.

    https://cloud.google.com/vpc/docs/routes#special_return_paths
    """
    seen = Seen(passed_on(OPEN, routes=False))
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "at most"
    assert seen.explained(OUTSIDE, "web", "tcp/80") == "at most"
    assert seen.passes(OUTSIDE, "other", "tcp/80") == "no"


def test_a_route_elsewhere_leaves_open_whether_answers_follow_it() -> None:
    b = passed_on(OPEN)
    b.raw.route("main", "aside", "8.8.8.0/24", "instance", "other")
    seen = Seen(b)
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "at most"
    assert seen.passes("9.9.9.9", "web", "tcp/80") == "surely"


def test_a_steering_rule_is_for_its_sources_alone() -> None:
    """https://cloud.google.com/load-balancing/docs/network/networklb-backend-service#traffic_steering"""
    seen = Seen(passed_on(OPEN, rule={"portRange": "80-80", "sourceIpRanges": ["8.8.8.0/24"]}))
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "surely"
    assert seen.passes("9.9.9.9", "web", "tcp/80") == "no"


def test_what_a_steering_rule_takes_the_other_one_gets_at_most() -> None:
    b = passed_on(OPEN)
    b.group("ig-spare", "spare")
    b.service("bs-spare", "ig-spare", healthChecks=[])
    b.rule("steer", LB, service="bs-spare", portRange="80-80", sourceIpRanges=["8.8.8.0/24"])
    seen = Seen(b)
    assert seen.passes(OUTSIDE, "spare", "tcp/80") == "surely"
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "at most"
    assert seen.passes("9.9.9.9", "web", "tcp/80") == "surely"
    assert seen.passes("9.9.9.9", "spare", "tcp/80") == "no"


def test_a_machine_that_does_not_run_takes_nothing_for_sure() -> None:
    b = passed_on(OPEN)
    b.raw.item("web", "instances")["status"] = "TERMINATED"
    assert Seen(b).passes(OUTSIDE, "web", "tcp/80") == "at most"


@pytest.mark.parametrize(
    ("made", "traffic", "verdict"),
    [
        (target_pool, "tcp/80", "surely"),
        (target_pool, "tcp/81", "no"),
        # One machine takes it whether it is well or not; of several it is not known which ones do.
        (lambda: target_pool(checked=True), "tcp/80", "surely"),
        (lambda: target_pool("spare", checked=True), "tcp/80", "at most"),
        (target_instance, "esp", "surely"),
        (target_instance, "tcp/80", "no"),
    ],
)
def test_target_pools_and_target_instances(made: Callable[[], Balancers], traffic: str, verdict: str) -> None:
    assert Seen(made()).passes(OUTSIDE, "web", traffic) == verdict


def test_a_backup_pool_gets_something_at_most() -> None:
    b = estate(OPEN)
    b.pool("backup", "spare")
    b.pool("pool", "web", backup="backup")
    b.rule("lb", LB, target="pool", portRange="80-80")
    seen = Seen(b)
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "surely"
    assert seen.passes(OUTSIDE, "spare", "tcp/80") == "at most"


@pytest.mark.semantics(117)
@pytest.mark.parametrize(
    "made",
    [
        lambda: passed_on(OPEN, healthy=False),
        lambda: passed_on(OPEN, healthy=None),
        lambda: passed_on(OPEN, read=False),
    ],
)
def test_what_is_not_known_of_backends_never_blocks_for_sure(made: Callable[[], Balancers]) -> None:
    seen = Seen(made())
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "at most"
    assert seen.explained(OUTSIDE, "web", "tcp/80") == "at most"
    assert [each[1] for each in seen.exposed()] == ["low"]


def test_a_group_that_was_not_read_may_be_any_machine_of_its_zone_and_is_told() -> None:
    seen = Seen(passed_on(OPEN, read=False))
    assert {seen.passes(OUTSIDE, each, "tcp/80") for each in ("web", "spare", "other")} == {"at most"}
    assert any(gap.what == "compute.forwarding_rules" and "load-balancers" in gap.facets for gap in seen.estate.gaps)


def test_a_backend_service_that_was_not_read_may_lead_to_any_machine_of_its_region() -> None:
    b = passed_on(OPEN)
    b.raw.listed("shop", "backend_services").clear()
    assert Seen(b).passes(OUTSIDE, "other", "tcp/80") == "at most"


@pytest.mark.parametrize("backend", [{"failover": True}, {"capacityScaler": 0}])
def test_failover_and_drained_groups_get_something_at_most(backend: Json) -> None:
    b = estate(OPEN)
    b.group("ig", "web")
    b.service("bs", "ig", backend=backend)
    b.health("bs", "ig", {"web": True})
    b.rule("lb", LB, service="bs", portRange="80-80")
    assert Seen(b).passes(OUTSIDE, "web", "tcp/80") == "at most"


def test_one_machine_that_is_not_well_is_reached_at_most_beside_others_that_are() -> None:
    b = estate(OPEN)
    b.group("ig", "web", "spare")
    b.service("bs", "ig")
    b.health("bs", "ig", {"web": True, "spare": False})
    b.rule("lb", LB, service="bs", portRange="80-80")
    seen = Seen(b)
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "surely"
    assert seen.passes(OUTSIDE, "spare", "tcp/80") == "at most"


def test_endpoint_groups_of_packets_name_machines() -> None:
    b = estate(OPEN)
    b.endpoints("neg", "GCE_VM_IP", {"instance": b.raw.link("web")})
    b.service("bs", "neg", healthChecks=[])
    b.rule("lb", LB, service="bs", portRange="80-80")
    assert Seen(b).passes(OUTSIDE, "web", "tcp/80") == "surely"


def test_over_ipv6_packets_come_to_the_rules_own_range() -> None:
    raw = Raw()
    raw.network("main")
    raw.subnet("main", "sa", "10.1.1.0/24", six="2600:1900:1:1::/64", external=True)
    raw.route("main", "default-six", "::/0", "gateway")
    raw.vm("web", Card("sa", "10.1.1.2", six=six_of("2600:1900:1:1::/64", 1)), tags=["web"])
    raw.firewall("main", vpc("allow", "tcp:80", sources=["::/0"]))
    b = Balancers(raw)
    b.group("ig", "web")
    b.service("bs", "ig", healthChecks=[])
    b.rule("lb", "2600:1900:1:9::1/96", service="bs", portRange="80-80", ipVersion="IPV6")
    seen = Seen(b)
    assert seen.passes("2620:fe::9", "web", "tcp/80") == "surely"
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "no"


@pytest.mark.semantics(241)
def test_what_is_open_to_the_internet_through_one_is_told_as_exposed() -> None:
    seen = Seen(passed_on(WEB_80))
    assert [(confidence, whom) for _, confidence, whom in seen.exposed()] == [("high", ["web"])]
    assert seen.explained(OUTSIDE, "web", "tcp/80") == "surely"
    assert Seen(passed_on(vpc("allow", "tcp:80", sources=["10.0.0.0/8"]))).exposed() == []


def test_health_checks_come_to_backends_at_most() -> None:
    """https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""
    seen = Seen(passed_on(vpc("allow", "tcp:9000", sources=FRONT_ENDS)))
    assert seen.passes("35.191.0.9", "web", "tcp/9000") == "at most"
    assert seen.exposed() == []
    # Without load balancers nobody asks.
    assert Seen(estate(vpc("allow", "tcp:9000", sources=FRONT_ENDS))).passes("35.191.0.9", "web", "tcp/9000") == "no"


def inner(*rules: Json, **more: object) -> Balancers:
    """``web`` behind an internal passthrough load balancer at 10.1.1.100."""
    b = estate(*rules)
    b.group("ig", "web")
    b.service("bs", "ig", scheme="INTERNAL")
    b.health("bs", "ig", {"web": True})
    fields: Json = {"ports": ["80"], **more}
    b.rule("ilb", "10.1.1.100", scheme="INTERNAL", service="bs", network="main", subnet="sa", fields=fields)
    return b


def test_the_internet_does_not_come_through_an_internal_one() -> None:
    seen = Seen(inner(OPEN))
    assert seen.passes(OUTSIDE, "web", "tcp/80") == "no"
    assert not seen.estate.entrances
    assert seen.exposed() == []


def test_an_internal_one_is_a_name_for_those_behind_it() -> None:
    seen = Seen(inner(OPEN))
    (alias,) = seen.estate.aliases.values()
    assert alias.addresses == AddressSet.parse("10.1.1.100")
    assert alias.targets == {seen.id("web")}
    assert seen.passes("client", "web", "tcp/80") == "surely"


def test_who_may_call_its_address_alone_reaches_those_behind_it_at_most() -> None:
    """Rules about the way out see the load balancer's address."""
    out = [vpc("allow", egress=True, to=["10.1.1.100/32"]), vpc("deny", egress=True, priority=2000)]
    seen = Seen(inner(OPEN, *out))
    assert seen.passes("client", "web", "tcp/80") == "at most"
    assert seen.passes("client", "web", "tcp/81") == "no"
    assert seen.explained("client", "web", "tcp/80") == "at most"


def test_it_hands_on_every_port_where_it_takes_every_port() -> None:
    out = [vpc("allow", egress=True, to=["10.1.1.100/32"]), vpc("deny", egress=True, priority=2000)]
    seen = Seen(inner(OPEN, *out, ports=None, allPorts=True))
    assert seen.passes("client", "web", "tcp/4000") == "at most"


def test_a_mesh_tells_clients_of_backends_and_takes_no_packets() -> None:
    b = estate(vpc("deny", egress=True, tags=[]))
    b.group("ig", "web")
    b.service("bs", "ig", region="", scheme="INTERNAL_SELF_MANAGED", protocol="HTTP")
    b.proxy("px", "bs")
    b.rule(
        "mesh", "10.9.9.9", region="", scheme="INTERNAL_SELF_MANAGED", target="px", network="main", portRange="80-80"
    )
    seen = Seen(b)
    assert not seen.estate.forwarders
    assert not seen.estate.aliases
