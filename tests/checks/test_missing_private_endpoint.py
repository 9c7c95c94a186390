"""A network needs an endpoint where its workloads have a way out and no usable endpoint for the very service."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.missing_private_endpoint import CHECK
from cloudseg.findings import Finding
from cloudseg.model import Estate, Route, RouteTable
from cloudseg.traffic import AddressSet

Findings = Callable[..., list[Finding]]


def one_workload(**more: object) -> EstateBuilder:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", **more)  # pyright: ignore[reportArgumentType]
    return b


def private_table(estate: Estate) -> RouteTable:
    return next(table for table in estate.route_tables.values() if table.own_id == "rtb-private")


def with_route(b: EstateBuilder, **route: object) -> EstateBuilder:
    table = private_table(b.build())
    changed = msgspec.structs.replace(table.routes[1], **route)
    b.put("route_tables", msgspec.structs.replace(table, routes=(table.routes[0], changed)))
    return b


@pytest.mark.semantics(212)
@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("com.amazonaws.eu-west-1.ec2", "ec2", 0),
        ("com.amazonaws.eu-west-1.ec2messages", "ec2", 1),
        ("com.amazonaws.eu-west-1.s3", "s3", 0),
        ("com.amazonaws.s3-global.accesspoint", "s3", 1),
        ("com.amazonaws.us-east-1.s3", "s3", 1),
        ("com.amazonaws.eu-west-1.s3express", "s3", 1),
        ("com.amazonaws.eu-west-1.ecr.api", "ecr.api", 0),
        ("com.amazonaws.eu-west-1.ecr.api", "api", 1),
        ("com.amazonaws.eu-west-1.kms-fips", "kms", 1),
    ],
)
def test_the_end_of_the_name_is_the_service(findings: Findings, name: str, wanted: str, found: int) -> None:
    b = one_workload()
    b.endpoint("vpce-1", "any", type="interface")
    endpoint = msgspec.structs.replace(b.build().endpoints[b.id("vpce-1")], service=name)
    b.put("endpoints", endpoint)
    assert len(findings(CHECK, b.build(), services=(wanted,))) == found


@pytest.mark.semantics(212)
@pytest.mark.parametrize("state", ["failed", "deleting", "deleted", "pendingAcceptance", "rejected"])
def test_an_endpoint_that_is_not_up_is_no_endpoint(findings: Findings, state: str) -> None:
    b = one_workload()
    b.endpoint("vpce-1", "sts", type="interface", usable=False, state=state)
    (finding,) = findings(CHECK, b.build(), services=("sts",))
    assert f"vpce-1 for sts does not count: it is {state}" in finding.evidence
    assert finding.confidence == "high"


def test_an_endpoint_in_an_unknown_state_leaves_low_confidence(findings: Findings) -> None:
    b = one_workload()
    b.endpoint("vpce-1", "sts", type="interface", usable=None, state="")
    (finding,) = findings(CHECK, b.build(), services=("sts",))
    assert finding.confidence == "low"


@pytest.mark.semantics(40)
def test_a_gateway_endpoint_serves_only_the_subnets_of_its_route_tables(findings: Findings) -> None:
    b = one_workload()
    b.interface("eni-2", "subnet-public", address="10.0.1.5", public="203.0.113.10")
    b.endpoint("vpce-1", "s3", route_tables=frozenset({b.id("rtb-private")}))
    (finding,) = findings(CHECK, b.build(), services=("s3",))
    assert "no endpoint for s3: subnet-public" in finding.evidence
    assert "1 of 2 subnets" in finding.message


def test_the_route_of_a_gateway_endpoint_is_no_way_out(findings: Findings) -> None:
    b = one_workload()
    b.endpoint("vpce-1", "dynamodb", route_tables=frozenset({b.id("rtb-private")}))
    b.prefix_list("pl-ddb", "52.94.0.0/22")
    table = private_table(b.build())
    b.put("route_tables", msgspec.structs.replace(table, routes=table.routes[:1]))
    b.route("rtb-private", "pl-ddb", "endpoint", "vpce-1")
    assert findings(CHECK, b.build()) == []


@pytest.mark.parametrize(
    ("route", "confidences"),
    [
        ({}, ["high"]),
        ({"active": False}, []),
        ({"kind": "drop", "target": None}, []),
        ({"kind": "internet-gateway"}, []),
        ({"kind": "peering"}, []),
        ({"kind": "transit-gateway"}, ["low"]),
        ({"kind": "endpoint", "target": "aws:111122223333:eu-west-1:vpce-fw"}, ["low"]),
    ],
)
def test_who_has_no_way_out_needs_no_endpoint(
    findings: Findings, route: dict[str, object], confidences: list[str]
) -> None:
    estate = with_route(one_workload(), **route).build()
    assert [finding.confidence for finding in findings(CHECK, estate)] == confidences


def test_a_private_address_does_not_leave_by_an_internet_gateway_but_a_public_one_does(findings: Findings) -> None:
    estate = with_route(one_workload(public="203.0.113.10"), kind="internet-gateway").build()
    assert len(findings(CHECK, estate)) == 1


@pytest.mark.parametrize("role", ["nat_gateway", "vpc_endpoint", "transit_gateway", "network_load_balancer"])
def test_the_networks_own_plumbing_is_no_workload(findings: Findings, role: str) -> None:
    assert findings(CHECK, one_workload(role=role).build()) == []


def test_unread_endpoints_are_not_called_missing(findings: Findings) -> None:
    b = EstateBuilder(unread=["endpoints"])
    b.interface("eni-1")
    assert findings(CHECK, b.build()) == []


def test_every_missing_service_is_one_finding_of_the_network(findings: Findings) -> None:
    (finding,) = findings(CHECK, one_workload().build(), services=("s3", "sts", "ssm"))
    assert "can reach s3, sts and ssm only over the internet, from 1 of 1 subnet with" in finding.message
    assert any("use was not observed" in text for text in finding.evidence)


def test_an_unread_prefix_list_may_cover_everything_and_lowers_the_confidence(findings: Findings) -> None:
    b = one_workload()
    b.prefix_list("pl-unread", read=False)
    table = private_table(b.build())
    local = Route(destination=table.routes[0].destination, kind="local", origin="local")
    b.put("route_tables", msgspec.structs.replace(table, routes=(local,)))
    b.route("rtb-private", "pl-unread", "nat-gateway", "nat-1")
    assert [finding.confidence for finding in findings(CHECK, b.build())] == ["low"]
    assert AddressSet.parse("10.0.2.10") == b.build().interfaces[b.id("eni-1")].addresses


@pytest.mark.parametrize(("unlisted", "confidence"), [(True, ["high"]), (None, ["low"]), (False, [])])
def test_a_public_address_that_was_not_read_is_a_way_out_at_most(
    findings: Findings, *, unlisted: bool | None, confidence: list[str]
) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public_unlisted=unlisted)
    assert [found.confidence for found in findings(CHECK, b.build())] == confidence
