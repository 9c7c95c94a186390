"""Who reaches whom through load balancers that open connections of their own: global, regional and internal proxies.

Sources: https://cloud.google.com/load-balancing/docs/firewall-rules,
https://cloud.google.com/load-balancing/docs/proxy-only-subnets,
https://cloud.google.com/load-balancing/docs/https and https://cloud.google.com/load-balancing/docs/negs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.balanced_estates import FRONT_ENDS, LB, OUTSIDE, Seen, estate, outer_proxy
from tests.gcp.raw import REGION
from tests.gcp.raw_parts import Card, policy_rule, vpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gcp.oracle_records import Json
    from tests.gcp.raw_balancers import Balancers

FROM_FRONT_ENDS = vpc("allow", "tcp:8080", sources=FRONT_ENDS)
PROXIES = "10.129.0.0/23"
FROM_PROXIES = vpc("allow", "tcp:8080", sources=[PROXIES])


@pytest.mark.parametrize("kind", ["http", "https", "tcp", "ssl", "grpc"])
def test_who_admits_googles_front_ends_is_open_to_the_internet_through_a_global_proxy(kind: str) -> None:
    seen = Seen(outer_proxy(FROM_FRONT_ENDS, kind=kind))
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "surely"
    assert seen.explained(OUTSIDE, "web", "tcp/8080") == "surely"
    # It asks backends at their own port, and nobody else.
    assert seen.passes(OUTSIDE, "web", "tcp/443") == "no"
    assert seen.passes(OUTSIDE, "other", "tcp/8080") == "no"
    assert [(confidence, whom) for _, confidence, whom in seen.exposed()] == [("high", ["web"])]


def test_who_does_not_admit_the_front_ends_is_not() -> None:
    seen = Seen(outer_proxy(vpc("allow", "tcp:8080", sources=["10.0.0.0/8"])))
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "no"
    assert seen.exposed() == []


def test_rules_about_clients_on_the_internet_do_not_matter() -> None:
    """Backends see the front end's address: https://cloud.google.com/load-balancing/docs/https#source-ip"""
    refused = vpc("deny", priority=1, sources=["8.8.8.0/24"])
    assert Seen(outer_proxy(FROM_FRONT_ENDS, refused)).passes(OUTSIDE, "web", "tcp/8080") == "surely"
    admitted = vpc("allow", sources=["8.8.8.0/24"])
    assert Seen(outer_proxy(admitted)).passes(OUTSIDE, "web", "tcp/8080") == "no"


def test_routes_to_the_internet_do_not_matter_either() -> None:
    """Answers take a path of their own: https://cloud.google.com/vpc/docs/routes#special_return_paths"""
    b = outer_proxy(FROM_FRONT_ENDS)
    b.raw.listed("shop", "routes").clear()
    assert Seen(b).passes(OUTSIDE, "web", "tcp/8080") == "surely"


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_regional_proxies_come_from_the_proxy_only_subnet(kind: str) -> None:
    seen = Seen(outer_proxy(FROM_PROXIES, region=REGION, kind=kind))
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "surely"
    seen = Seen(outer_proxy(FROM_FRONT_ENDS, region=REGION, kind=kind))
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "no"


def test_proxies_whose_subnet_was_not_read_may_come_from_anywhere_inside() -> None:
    b = outer_proxy(FROM_PROXIES, region=REGION)
    subnets = b.raw.listed("shop", "subnetworks")
    subnets[:] = [each for each in subnets if each["name"] == "sa"]
    assert Seen(b).passes(OUTSIDE, "web", "tcp/8080") == "at most"


def without(b: Balancers, operation: str) -> Balancers:
    b.raw.listed("shop", operation).clear()
    return b


@pytest.mark.semantics(117)
@pytest.mark.parametrize(
    "made",
    [
        lambda: outer_proxy(FROM_FRONT_ENDS, healthy=False),
        lambda: outer_proxy(FROM_FRONT_ENDS, healthy=None),
        lambda: without(outer_proxy(FROM_FRONT_ENDS), "target_http_proxies"),
        lambda: without(outer_proxy(FROM_FRONT_ENDS), "url_maps"),
        lambda: without(outer_proxy(FROM_FRONT_ENDS), "backend_services"),
        lambda: without(outer_proxy(FROM_FRONT_ENDS), "instance_groups"),
        # The port that the service names is not one of the group's.
        lambda: renamed(outer_proxy(FROM_FRONT_ENDS)),
    ],
)
def test_what_is_not_known_of_a_proxy_never_blocks_for_sure(made: Callable[[], Balancers]) -> None:
    seen = Seen(made())
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "at most"
    assert [confidence for _, confidence, _ in seen.exposed()] == ["low"]


def renamed(b: Balancers) -> Balancers:
    b.raw.item("bs", "backend_services")["portName"] = "elsewhere"
    return b


def test_every_part_of_a_url_map_leads_to_its_services() -> None:
    b = estate(vpc("allow", "tcp:80", sources=FRONT_ENDS))
    for name, machine in (("home", "web"), ("shop", "spare"), ("mirror", "other")):
        b.group(f"ig-{name}", machine)
        b.service(name, f"ig-{name}", region="", protocol="HTTP", port_name="http", healthChecks=[])
    b.proxy("px", "home", others=["shop"])
    action = {"requestMirrorPolicy": {"backendService": b.raw.link("mirror")}}
    b.raw.item("px-map", "url_maps")["defaultRouteAction"] = action
    b.rule("lb", LB, region="", target="px", portRange="80-80")
    seen = Seen(b)
    assert [seen.passes(OUTSIDE, each, "tcp/80") for each in ("web", "spare", "other")] == ["surely"] * 3
    assert seen.passes(OUTSIDE, "client", "tcp/80") == "no"


def test_the_backend_service_may_stand_in_another_project() -> None:
    """https://cloud.google.com/load-balancing/docs/https/cross-project-mig"""
    b = outer_proxy(FROM_FRONT_ENDS)
    front = b.raw.listed("shop", "forwarding_rules").pop()
    b.raw.project("edge", "2002")
    for operation, kind in (("target_http_proxies", "px"), ("url_maps", "px-map")):
        moved = b.raw.item(kind, operation)
        b.raw.listed("shop", operation).remove(moved)
        b.raw.listed("edge", operation).append(moved)
    b.raw.listed("edge", "forwarding_rules").append(front)
    assert Seen(b).passes(OUTSIDE, "web", "tcp/8080") == "surely"


def test_endpoints_are_asked_at_their_own_port() -> None:
    b = estate(FROM_FRONT_ENDS)
    b.endpoints("neg", "GCE_VM_IP_PORT", {"ipAddress": "10.1.1.2", "port": 8080, "instance": b.raw.link("web")})
    b.service("bs", "neg", region="", protocol="HTTP", healthChecks=[])
    b.proxy("px", "bs")
    b.rule("lb", LB, region="", target="px", portRange="80-80")
    seen = Seen(b)
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "surely"
    assert seen.passes(OUTSIDE, "spare", "tcp/8080") == "no"


def test_an_endpoint_in_an_alias_range_is_that_range() -> None:
    """Pods of a cluster are endpoints by an address of an alias range, and may take the place of that."""
    b = estate(FROM_FRONT_ENDS)
    b.raw.subnet("main", "sp", "10.2.1.0/24", secondary={"pods": "10.102.1.0/24"})
    b.raw.vm("node", Card("sp", "10.2.1.9", aliases=("10.102.1.0/28",)))
    b.endpoints("neg", "GCE_VM_IP_PORT", {"ipAddress": "10.102.1.7", "port": 8080, "instance": b.raw.link("node")})
    b.service("bs", "neg", region="", protocol="HTTP", healthChecks=[])
    b.proxy("px", "bs")
    b.rule("lb", LB, region="", target="px", portRange="80-80")
    read = Seen(b).estate
    (entrance,) = read.entrances_to(read.interfaces[f"{b.raw.own('node')}/aliases"])
    assert entrance.target_addresses == AddressSet.parse("10.102.1.7")


def test_hybrid_endpoints_are_known_by_their_address() -> None:
    b = estate(FROM_FRONT_ENDS)
    b.endpoints("neg", "NON_GCP_PRIVATE_IP_PORT", {"ipAddress": "172.16.8.9", "port": 8080})
    b.service("bs", "neg", region="", protocol="HTTP", healthChecks=[])
    b.proxy("px", "bs")
    b.rule("lb", LB, region="", target="px", portRange="80-80")
    (entrance, *_) = [each for each in Seen(b).estate.entrances.values() if each.target_addresses]
    assert entrance.target_addresses == AddressSet.parse("172.16.8.9")
    assert entrance.network == "gcp:shop:global/networks/main"


def serverless(ingress: str) -> Balancers:
    b = estate()
    more: Json = {"cloudRun": {"service": "api"}, "region": REGION}
    b.endpoints("neg", "SERVERLESS", more=more)
    b.service("bs", "neg", region="", protocol="HTTP", healthChecks=[])
    b.proxy("px", "bs")
    b.rule("lb", LB, region="", target="px", portRange="443-443")
    name = f"//run.googleapis.com/projects/shop/locations/{REGION}/services/api"
    service: Json = {"assetName": name, "name": "api", "metadata": {"name": "api"}, "ingress": ingress}
    b.raw.listed("shop", "services", "run").append(service)
    return b


@pytest.mark.parametrize(
    ("ingress", "public"),
    [("internal-and-cloud-load-balancing", True), ("internal", False), ("all", True)],
)
def test_a_managed_service_behind_a_public_one_is_public_where_it_takes_what_comes_from_there(
    ingress: str, public: bool  # noqa: FBT001 - a table of settings
) -> None:  # fmt: skip
    (service,) = Seen(serverless(ingress)).estate.services.values()
    assert service.public is public


def test_what_judges_requests_is_a_note_and_stops_nobody() -> None:
    b = outer_proxy(FROM_FRONT_ENDS)
    b.raw.item("bs", "backend_services").update(
        {"iap": {"enabled": True}, "securityPolicy": "projects/shop/global/securityPolicies/edge"}
    )
    seen = Seen(b)
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "surely"
    assert any("Identity-Aware Proxy" in note for note in seen.estate.notes)
    assert any("Cloud Armor (edge)" in note for note in seen.estate.notes)


def inner_proxy(
    *rules: Json, kind: str = "http", healthy: bool | None = True, everywhere: bool = False, port: int = 8080
) -> Balancers:  # fmt: skip
    """``web`` behind an internal proxy at 10.1.1.100."""
    b = estate(*rules)
    b.group("ig", "web", ports={"app": port})
    b.proxy_subnet(PROXIES, purpose="GLOBAL_MANAGED_PROXY" if everywhere else "REGIONAL_MANAGED_PROXY")
    region = "" if everywhere else REGION
    protocol = "TCP" if kind == "tcp" else "HTTP"
    b.service("bs", "ig", region=region, scheme="INTERNAL_MANAGED", protocol=protocol, port_name="app")
    if healthy is not None:
        b.health("bs", "ig", {"web": healthy})
    b.proxy("px", "bs", kind=kind, region=region)
    fields: Json = {"target": "px", "network": "main", "subnet": "sa", "ports": ["443"]}
    b.rule("ilb", "10.1.1.100", region=region, scheme="INTERNAL_MANAGED", fields=fields)
    return b


def proxies_of(seen: Seen) -> str:
    (found,) = (each for each in seen.estate.interfaces.values() if each.role == "proxy")
    return found.id


@pytest.mark.parametrize(("kind", "everywhere"), [("http", False), ("tcp", False), ("http", True)])
def test_an_internal_proxy_takes_connections_and_opens_others(kind: str, everywhere: bool) -> None:  # noqa: FBT001 - a table
    seen = Seen(inner_proxy(FROM_PROXIES, kind=kind, everywhere=everywhere))
    proxies = proxies_of(seen)
    assert seen.passes("client", proxies, "tcp/443") == "surely"
    assert seen.passes("client", proxies, "tcp/80") == "no"
    assert seen.passes(proxies, "web", "tcp/8080") == "surely"
    assert seen.passes(proxies, "other", "tcp/8080") == "no"
    assert seen.passes("client", "web", "tcp/8080") == "no"
    assert seen.explained(proxies, "web", "tcp/8080") == "surely"


def test_the_internet_does_not_come_to_an_internal_proxy() -> None:
    seen = Seen(inner_proxy(vpc("allow")))
    assert seen.passes(OUTSIDE, proxies_of(seen), "tcp/443") == "no"
    assert seen.passes(OUTSIDE, "web", "tcp/8080") == "no"
    assert seen.exposed() == []


def test_a_backend_that_admits_a_part_of_the_proxy_only_subnet_is_reached_at_most() -> None:
    seen = Seen(inner_proxy(vpc("allow", "tcp:8080", sources=["10.129.0.0/24"])))
    assert seen.passes(proxies_of(seen), "web", "tcp/8080") == "at most"


def test_the_lists_of_machines_do_not_judge_proxies() -> None:
    """https://cloud.google.com/load-balancing/docs/proxy-only-subnets#firewall-rules"""
    seen = Seen(inner_proxy(FROM_PROXIES, vpc("deny", priority=1, sources=["10.1.1.5/32"])))
    assert seen.passes("client", proxies_of(seen), "tcp/443") == "surely"
    # Rules about the client's way out do.
    seen = Seen(inner_proxy(FROM_PROXIES, vpc("deny", priority=1, egress=True)))
    assert seen.passes("client", proxies_of(seen), "tcp/443") == "no"


@pytest.mark.parametrize("healthy", [None, False])
def test_backends_of_an_internal_proxy_that_may_not_be_well(healthy: bool | None) -> None:  # noqa: FBT001 - a state
    seen = Seen(inner_proxy(FROM_PROXIES, healthy=healthy))
    assert seen.passes(proxies_of(seen), "web", "tcp/8080") == "at most"


def test_an_internal_proxy_of_which_not_everything_was_read_may_send_to_anybody() -> None:
    seen = Seen(without(inner_proxy(FROM_PROXIES), "url_maps"))
    (forwarder,) = seen.estate.forwarders.values()
    assert not forwarder.complete
    assert seen.passes(proxies_of(seen), "other", "tcp/8080") == "at most"


def test_its_address_is_a_name_for_its_proxies() -> None:
    seen = Seen(inner_proxy(FROM_PROXIES))
    (alias,) = seen.estate.aliases.values()
    assert alias.addresses == AddressSet.parse("10.1.1.100")
    assert alias.targets == {proxies_of(seen)}
    assert alias.ports[0].listens == Traffic.parse("tcp/443")


@pytest.mark.parametrize("everywhere", [True, False])
def test_clients_in_other_regions_need_global_access(everywhere: bool) -> None:  # noqa: FBT001 - a table
    """https://cloud.google.com/load-balancing/docs/l7-internal: else clients have to be in the same region."""
    b = inner_proxy(FROM_PROXIES)
    b.raw.subnet("main", "eu", "10.5.0.0/24", region="europe-west1")
    b.raw.vm("far", Card("eu", "10.5.0.2"))
    b.raw.item("ilb", "forwarding_rules")["allowGlobalAccess"] = everywhere
    seen = Seen(b)
    assert seen.passes("client", proxies_of(seen), "tcp/443") == "surely"
    assert (seen.passes(b.raw.own("far"), proxies_of(seen), "tcp/443") == "surely") is everywhere


def test_rules_of_a_policy_for_load_balancers_leave_open_who_comes_to_proxies() -> None:
    """https://cloud.google.com/firewall/docs/firewall-policies-rule-details#target-type"""
    b = inner_proxy(FROM_PROXIES)
    b.raw.policy("p", ["main"], {**policy_rule(1, "deny"), "targetType": "INTERNAL_MANAGED_LB"}, region=REGION)
    seen = Seen(b)
    assert seen.passes("client", proxies_of(seen), "tcp/443") == "at most"
    assert seen.passes(proxies_of(seen), "web", "tcp/8080") == "surely", "it is for nobody else"
