"""Private Service Connect from both ends: endpoints of consumers, and published services of producers.

Sources: https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints,
https://cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints and
https://cloud.google.com/vpc/docs/about-vpc-hosted-services
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import open_endpoint_service, unapproved_private_endpoint
from cloudseg.traffic import AddressSet
from tests.gcp.balanced_estates import OUTSIDE, Seen, estate
from tests.gcp.raw import API, REGION
from tests.gcp.raw_parts import Card, vpc

if TYPE_CHECKING:
    from cloudseg.model import Endpoint, EndpointService
    from tests.gcp.oracle_records import Json
    from tests.gcp.raw_balancers import Balancers

ELSEWHERE = f"{API}/projects/partner/regions/{REGION}/serviceAttachments/orders"


def endpoint(*rules: Json, target: str = ELSEWHERE, status: str = "ACCEPTED") -> Balancers:
    """An endpoint at 10.1.1.200 beside the machines."""
    b = estate(*rules)
    add_endpoint(b, target, status)
    return b


def add_endpoint(b: Balancers, target: str, status: str, *, name: str = "psc", address: str = "10.1.1.200") -> None:
    fields: Json = {"target": target, "network": b.raw.link("main"), "subnetwork": b.raw.link("sa")}
    rule: Json = {"kind": "compute#forwardingRule", "IPAddress": address, "loadBalancingScheme": "", **fields}
    if status:
        rule["pscConnectionStatus"] = status
    rule["region"] = f"{API}/projects/shop/regions/{REGION}"
    b.raw.add(name, "forwarding_rules", f"regions/{REGION}/forwardingRules/{name}", rule, "shop")


def at(seen: Seen) -> str:
    (found,) = (each.id for each in seen.estate.interfaces.values() if each.role == "private_endpoint")
    return found


def only(seen: Seen) -> Endpoint:
    (found,) = seen.estate.endpoints.values()
    return found


def test_an_endpoint_leads_to_the_service_that_it_names() -> None:
    seen = Seen(endpoint())
    found = only(seen)
    assert found.service == f"projects/partner/regions/{REGION}/serviceAttachments/orders"
    assert (found.usable, found.state, found.policy) == (True, "ACCEPTED", "unsupported")
    assert found.network == "gcp:shop:global/networks/main"
    assert found.interfaces == {at(seen)}
    assert seen.estate.interfaces[at(seen)].addresses == AddressSet.parse("10.1.1.200")


def test_lists_of_machines_do_not_judge_an_endpoint_and_those_of_its_clients_do() -> None:
    """https://cloud.google.com/vpc/docs/private-service-connect-security#consumer-firewalls"""
    seen = Seen(endpoint())
    assert seen.passes("client", at(seen), "tcp/443") == "surely"
    seen = Seen(endpoint(vpc("deny", egress=True, to=["10.1.1.200/32"])))
    assert seen.passes("client", at(seen), "tcp/443") == "no"


def test_an_endpoint_opens_no_connections() -> None:
    seen = Seen(endpoint(vpc("allow")))
    assert seen.passes(at(seen), "web", "tcp/443") == "no"


def test_the_internet_does_not_reach_an_endpoint() -> None:
    seen = Seen(endpoint(vpc("allow")))
    assert seen.passes(OUTSIDE, at(seen), "tcp/443") == "no"


@pytest.mark.parametrize(
    ("status", "usable", "verdict"),
    [
        ("ACCEPTED", True, "surely"),
        ("PENDING", False, "no"),
        ("REJECTED", False, "no"),
        ("CLOSED", False, "no"),
        ("NEEDS_ATTENTION", None, "at most"),
        ("", None, "at most"),
    ],
)
def test_only_an_accepted_endpoint_carries_anything(
    status: str, usable: bool | None, verdict: str  # noqa: FBT001 - a table of states
) -> None:  # fmt: skip
    seen = Seen(endpoint(status=status))
    assert only(seen).usable is usable
    assert seen.passes("client", at(seen), "tcp/443") == verdict


def test_an_endpoint_that_waits_is_told() -> None:
    seen = Seen(endpoint(status="PENDING"))
    found = list(unapproved_private_endpoint.CHECK.run(seen.context(unapproved_private_endpoint.CHECK)))
    assert [each.resource.name for each in found] == ["psc"]


@pytest.mark.parametrize("bundle", ["all-apis", "vpc-sc"])
def test_an_endpoint_for_googles_own_services_has_an_address_beside_all_subnets(bundle: str) -> None:
    b = estate()
    rule: Json = {"IPAddress": "10.99.0.5", "loadBalancingScheme": "", "target": bundle, "network": b.raw.link("main")}
    b.raw.add("apis", "forwarding_rules", "global/forwardingRules/apis", rule, "shop")
    seen = Seen(b)
    assert only(seen).service == bundle
    assert only(seen).usable is True
    assert seen.passes("client", at(seen), "tcp/443") == "surely"


def test_whether_peers_reach_an_endpoint_is_not_told_for_sure() -> None:
    """https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints#limitations"""
    b = endpoint()
    b.raw.network("beside")
    b.raw.subnet("beside", "sb", "10.2.1.0/24")
    b.raw.vm("peer", Card("sb", "10.2.1.2"))
    b.raw.peering("main", "beside")
    b.raw.peering("beside", "main")
    seen = Seen(b)
    assert seen.passes(b.raw.own("peer"), at(seen), "tcp/443") == "at most"


def published(
    *rules: Json, preference: str = "ACCEPT_AUTOMATIC", accepts: list[Json] | None = None, proxied: bool = False,
    connected: list[Json] | None = None, front: bool = True,
) -> Balancers:  # fmt: skip
    """``web`` behind an internal load balancer that is published, with the NAT subnet 10.77.0.0/24."""
    b = estate(*rules)
    b.group("ig", "web", ports={"app": 80})
    scheme = "INTERNAL_MANAGED" if proxied else "INTERNAL"
    b.service("bs", "ig", scheme=scheme, port_name="app", protocol="HTTP" if proxied else "TCP")
    b.health("bs", "ig", {"web": True})
    fields: Json = {"network": "main", "subnet": "sa", "ports": ["80"]}
    if proxied:
        b.proxy_subnet("10.129.0.0/23")
        b.proxy("px", "bs", region=REGION)
        fields["target"] = "px"
    else:
        fields["service"] = "bs"
    b.rule("ilb", "10.1.1.100", scheme=scheme, fields=fields)
    b.raw.subnet("main", "nat", "10.77.0.0/24")
    b.raw.item("nat", "subnetworks")["purpose"] = "PRIVATE_SERVICE_CONNECT"
    item: Json = {
        "connectionPreference": preference,
        "natSubnets": [b.raw.link("nat")],
        "targetService": b.raw.link("ilb") if front else f"{API}/projects/shop/regions/{REGION}/forwardingRules/gone",
        "consumerAcceptLists": accepts or [],
        "connectedEndpoints": connected or [],
        "region": f"{API}/projects/shop/regions/{REGION}",
    }
    b.raw.add("orders", "service_attachments", f"regions/{REGION}/serviceAttachments/orders", item, "shop")
    return b


def service(seen: Seen) -> EndpointService:
    (found,) = seen.estate.endpoint_services.values()
    return found


def behind_nat(seen: Seen) -> str:
    (found,) = (each.id for each in seen.estate.interfaces.values() if "serviceAttachments" in each.id)
    return found


@pytest.mark.semantics(136)
@pytest.mark.parametrize(
    ("preference", "accepts", "required", "principals", "told"),
    [
        ("ACCEPT_AUTOMATIC", [], False, ("*",), "high"),
        ("ACCEPT_MANUAL", [], True, (), ""),
        ("ACCEPT_MANUAL", [{"projectIdOrNum": "partner", "connectionLimit": 5}], True, ("partner",), ""),
        ("ACCEPT_MANUAL", [{"projectIdOrNum": 1001}], True, ("shop",), ""),
        ("", [], None, None, "low"),
    ],
)
def test_a_service_that_accepts_everybody_is_an_open_door(
    preference: str, accepts: list[Json], required: bool | None, principals: tuple[str, ...] | None, told: str  # noqa: FBT001
) -> None:  # fmt: skip
    seen = Seen(published(preference=preference, accepts=accepts))
    assert service(seen).acceptance_required is required
    assert service(seen).principals == principals
    found = list(open_endpoint_service.CHECK.run(seen.context(open_endpoint_service.CHECK)))
    assert [each.confidence for each in found] == ([told] if told else [])


def test_its_consumers_are_known_by_project_and_state() -> None:
    endpoints = [
        {"status": state, "endpoint": f"{API}/projects/partner/regions/{REGION}/forwardingRules/{name}"}
        for name, state in (("a", "ACCEPTED"), ("b", "PENDING"), ("c", "REJECTED"), ("d", "NEEDS_ATTENTION"))
    ]
    seen = Seen(published(preference="ACCEPT_MANUAL", connected=[*endpoints, "nonsense"]))  # type: ignore[list-item]  # what cannot be read
    found = service(seen).connections
    assert {each.owner for each in found} == {"partner"}
    assert [each.state for each in found] == ["accepted", "pending", "rejected", "other"]
    assert found[0].endpoint == f"regions/{REGION}/forwardingRules/a"
    assert any("connectedEndpoints[4]" in gap.detail for gap in seen.estate.gaps)


FROM_NAT = vpc("allow", "tcp:80", sources=["10.77.0.0/24"])


@pytest.mark.parametrize(("rule", "verdict"), [(FROM_NAT, "surely"), (vpc("allow", sources=["10.1.0.0/16"]), "no")])
def test_consumers_come_to_machines_from_the_nat_subnet(rule: Json, verdict: str) -> None:
    """https://cloud.google.com/vpc/docs/about-vpc-hosted-services#nat-subnets"""
    seen = Seen(published(rule))
    assert seen.passes(behind_nat(seen), "web", "tcp/80") == verdict


def test_they_come_to_nobody_else_and_to_no_other_port() -> None:
    seen = Seen(published(vpc("allow")))
    assert seen.passes(behind_nat(seen), "other", "tcp/80") == "no"
    assert seen.passes(behind_nat(seen), "web", "tcp/81") == "no"


def test_behind_a_proxy_they_come_to_the_proxy() -> None:
    seen = Seen(published(proxied=True))
    (proxies,) = (each.id for each in seen.estate.interfaces.values() if each.id.endswith("/proxies"))
    assert seen.passes(behind_nat(seen), proxies, "tcp/80") == "surely"


def test_where_the_load_balancer_was_not_read_they_may_come_to_anybody() -> None:
    seen = Seen(published(FROM_NAT, front=False))
    assert seen.passes(behind_nat(seen), "other", "tcp/80") == "at most"


def test_an_endpoint_of_the_same_estate_comes_to_the_published_service_at_most() -> None:
    b = published(FROM_NAT)
    add_endpoint(b, b.raw.link("orders"), "ACCEPTED")
    seen = Seen(b)
    (own,) = (each.id for each in seen.estate.interfaces.values() if each.role == "private_endpoint")
    assert seen.passes(own, behind_nat(seen), "tcp/80") == "at most"


def test_what_the_owner_of_the_service_says_of_an_endpoint_counts() -> None:
    state: Json = {"status": "REJECTED", "endpoint": f"{API}/projects/shop/regions/{REGION}/forwardingRules/psc"}
    b = published(preference="ACCEPT_MANUAL", connected=[state])
    add_endpoint(b, b.raw.link("orders"), "ACCEPTED")
    seen = Seen(b)
    assert only(seen).usable is False


@pytest.mark.parametrize("everywhere", [True, False])
def test_clients_in_other_regions_need_global_access(everywhere: bool) -> None:  # noqa: FBT001 - a table
    """https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints#global-access"""
    b = endpoint()
    b.raw.subnet("main", "eu", "10.5.0.0/24", region="europe-west1")
    b.raw.vm("far", Card("eu", "10.5.0.2"))
    b.raw.item("psc", "forwarding_rules")["allowPscGlobalAccess"] = everywhere
    seen = Seen(b)
    assert seen.passes("client", at(seen), "tcp/443") == "surely"
    assert seen.passes(b.raw.own("far"), at(seen), "tcp/443") == ("surely" if everywhere else "no")


def test_whoever_may_connect_to_a_published_service_is_called_a_project() -> None:
    seen = Seen(published(preference="ACCEPT_AUTOMATIC"))
    (finding,) = open_endpoint_service.CHECK.run(seen.context(open_endpoint_service.CHECK))
    assert finding.message.startswith("any project can connect without approval to ")
