"""Statements about one interface that no single module holds: from raw answers to the finding."""

from typing import cast

import pytest

from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.providers.aws.translate import translate
from tests.conformance.account import Account, Json, acl_entry, permission

EXPOSED, LATENT, BY_ADDRESS = "internet-exposed-port", "latent-internet-rule", "address-based-rule"


def found(account: Account, *checks: str) -> list[Finding]:
    findings = run_audit(translate(account.snapshot()), AuditRequest()).findings
    return [f for f in findings if f.check in checks or any(also.check in checks for also in f.also)]


def route_tables(account: Account) -> list[dict[str, list[Json]]]:
    """The public and the private route table, to be changed."""
    tables = account.answers["ec2", "describe_route_tables", None]["RouteTables"]
    return cast("list[dict[str, list[Json]]]", tables)


def route(destination: str, **target: str) -> Json:
    return {"DestinationCidrBlock": destination, "Origin": "CreateRoute", "State": "active", **target}


def two_tiers() -> Account:
    account = Account()
    everything = permission("-1", None, None, "0.0.0.0/0")
    account.group("sg-web", egress=[everything])
    account.group("sg-db", permission("tcp", 5432, 5432, "10.0.1.0/24"))
    account.interface("eni-web", "sg-web", address="10.0.1.5")
    account.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    return account


@pytest.mark.semantics(6)
def test_a_group_in_a_rule_admits_nothing_from_the_internet() -> None:
    account = Account()
    account.group("sg-a", permission("tcp", 22, 22, "sg-b"))
    account.group("sg-b")
    account.public_instance("sg-a")
    assert found(account, EXPOSED, LATENT) == []


@pytest.mark.semantics(6)
def test_no_group_is_named_in_place_of_the_public_address_of_its_member() -> None:
    account = two_tiers()
    account.interface("eni-out", "sg-web", address="10.0.1.6", public="203.0.113.77")
    account.group("sg-api", permission("tcp", 8443, 8443, "203.0.113.77/32"))
    account.interface("eni-api", "sg-api", address="10.0.1.7", public="203.0.113.78")
    assert [f.resource.id for f in found(account, BY_ADDRESS)] == ["sg-db"]


@pytest.mark.semantics(10)
def test_no_group_is_proposed_across_an_appliance() -> None:
    named = [f.remedy.groups for f in found(two_tiers(), BY_ADDRESS) if f.remedy is not None]
    assert named == [("sg-web",)]
    inspected = two_tiers()
    public, private = route_tables(inspected)
    public["Routes"].append(route("10.0.2.0/24", GatewayId="vpce-firewall"))
    private["Routes"].append(route("10.0.1.0/24", GatewayId="vpce-firewall"))
    assert found(inspected, BY_ADDRESS) == []


@pytest.mark.semantics(24, 25)
@pytest.mark.parametrize(
    ("replies", "verdict"),
    [((1024, 65535), ("high", True)), ((32768, 60999), ("low", None)), ((49152, 65535), ("low", None))],
)
def test_an_acl_that_lets_some_reply_ports_out_admits_connections_at_most(
    replies: tuple[int, int], verdict: tuple[str, bool | None]
) -> None:
    account = Account()
    account.group("sg-a", permission("tcp", 22, 22, "0.0.0.0/0"))
    account.public_instance("sg-a")
    out = acl_entry(100, "allow", "0.0.0.0/0", egress=True, protocol="6", ports=replies)
    account.acl(acl_entry(100, "allow", "0.0.0.0/0"), out)
    (finding,) = found(account, EXPOSED)
    assert (finding.confidence, finding.reachable) == verdict


@pytest.mark.semantics(24)
def test_an_acl_that_lets_no_reply_out_closes_the_port() -> None:
    account = Account()
    account.group("sg-a", permission("tcp", 22, 22, "0.0.0.0/0"))
    account.public_instance("sg-a")
    account.acl(acl_entry(100, "allow", "0.0.0.0/0"))
    (finding,) = found(account, EXPOSED, LATENT)
    assert (finding.check, finding.reachable) == (LATENT, False)


@pytest.mark.semantics(37)
def test_a_default_route_over_a_peering_is_no_way_in_from_the_internet() -> None:
    account = Account()
    account.group("sg-a", permission("tcp", 22, 22, "0.0.0.0/0"))
    account.interface("eni-1", "sg-a", address="10.0.1.5", public="203.0.113.10")
    route_tables(account)[0]["Routes"] = [route("0.0.0.0/0", VpcPeeringConnectionId="pcx-1")]
    (finding,) = found(account, EXPOSED, LATENT)
    assert (finding.check, finding.reachable) == (LATENT, False)
