"""Private endpoints before load balancers: those not read in full, and those of accounts that were not read."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import EndpointConnection
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import NOTHING, Reachability
from cloudseg.reach.spread.footholds import footholds_of
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import at_most, balanced, between

q = EstateBuilder.id
CONSUMER = "172.16.5.5"
FAR = EndpointConnection("vpce-far", "999999999999", "accepted")


def served(*, service: str = "", unread: tuple[str, ...] = (), listed: bool = True) -> EstateBuilder:
    """A load balancer whose group admits nobody, and the interface of a private endpoint to ``service``."""
    builder = balanced(unread=unread)
    builder.group("sg-lb", allow("egress", "all", "0.0.0.0/0"))
    builder.interface("eni-vpce", "subnet-clients", ["sg-open"], "10.0.30.20", role="vpc_endpoint")
    if listed:
        builder.endpoint("vpce-1", "s3", type="interface", interfaces=frozenset({q("eni-vpce")}))
        endpoint = builder.build().endpoints[q("vpce-1")]
        builder.put("endpoints", msgspec.structs.replace(endpoint, service=service or endpoint.service))
    return builder


def test_where_endpoints_were_not_read_their_interfaces_may_lead_to_a_load_balancer_behind_a_service() -> None:
    builder = served(unread=("endpoints",), listed=False)
    assert between(builder, "eni-vpce", "node-a") == NOTHING
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}))
    assert between(builder, "eni-vpce", "node-a") == at_most("tcp/443")
    assert q("eni-vpce") in footholds_of(builder.build())


def test_where_services_were_not_read_an_endpoint_to_one_of_an_account_may_lead_to_any_load_balancer() -> None:
    # Services that accounts offer are named com.amazonaws.vpce.region.vpce-svc-id.
    # https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html
    name = "com.amazonaws.vpce.eu-west-1.vpce-svc-1"
    builder = served(service=name, unread=("endpoint-services",))
    assert between(builder, "eni-vpce", "node-a") == at_most("tcp/443")
    assert q("eni-vpce") in footholds_of(builder.build())
    # A service of the provider's own is none of an account, and what was read in full holds no such service.
    for other in (served(unread=("endpoint-services",)), served(service=name)):
        assert between(other, "eni-vpce", "node-a") == NOTHING
        assert q("eni-vpce") not in footholds_of(other.build())


def test_the_explanation_of_a_private_endpoint_fits_the_verdict() -> None:
    builder = served(service="com.amazonaws.vpce.eu-west-1.vpce-svc-1")
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}))
    found = explain(Reachability(builder.build()), q("eni-vpce"), q("node-a"), Traffic.parse("tcp/443"))
    assert (found.verdict, found.upper) == ("unknown", "tcp/443")
    assert not [note for note in found.notes if "do not account" in note]


@pytest.mark.parametrize(
    "more",
    [
        {"connections": (FAR,)},
        {"acceptance_required": False, "principals": ("*",)},
        {"acceptance_required": None, "principals": None},
    ],
)
def test_consumers_of_accounts_that_were_not_read_may_come_to_a_load_balancer(more: dict[str, object]) -> None:
    # An accepted connection of another account leads in, whatever routes there are; a service that accepts anyone
    # unasked may get one at any time.
    # https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
    builder = served()
    assert between(builder, CONSUMER, "node-a") == NOTHING
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), **more)  # type: ignore[arg-type]
    assert between(builder, CONSUMER, "node-a") == at_most("tcp/443")
    # They are seen nowhere but at the load balancer.
    assert between(builder, CONSUMER, "eni-bystander") == NOTHING


@pytest.mark.parametrize("consumer", ["30.0.0.9", "2600:1f18::9"])
def test_consumers_may_stand_in_ranges_of_any_kind(consumer: str) -> None:
    # A network may have publicly routable ranges, and a dual-stack service takes IPv6.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html and
    # https://docs.aws.amazon.com/vpc/latest/privatelink/create-endpoint-service.html
    builder = served()
    assert between(builder, consumer, "node-a") == NOTHING
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), connections=(FAR,))
    assert between(builder, consumer, "node-a") == at_most("tcp/443")
    assert between(builder, consumer, "eni-bystander") == NOTHING


@pytest.mark.parametrize(
    "connection", [FAR, EndpointConnection("vpce-far", "999999999999", "pending"), None], ids=["up", "pending", "none"]
)
def test_a_connection_counts_once_it_was_accepted(connection: EndpointConnection | None) -> None:
    builder = served()
    connections = () if connection is None else (connection,)
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), connections=connections)
    expected = at_most("tcp/443") if connection is FAR else NOTHING
    assert between(builder, CONSUMER, "node-a") == expected


def test_an_endpoint_that_was_read_is_no_consumer_of_another_account() -> None:
    builder = served(service="com.amazonaws.vpce.eu-west-1.vpce-svc-1")
    known = EndpointConnection("vpce-1", "111122223333", "accepted")
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), connections=(known,))
    assert between(builder, CONSUMER, "node-a") == NOTHING


def test_groups_that_judge_private_endpoints_have_to_admit_the_consumers() -> None:
    # EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: the groups are asked about the clients' own addresses.
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    builder = served()
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), connections=(FAR,))
    builder.put("forwarders", msgspec.structs.replace(builder.build().forwarders[q("lb")], groups_on_private_link=True))
    assert between(builder, CONSUMER, "node-a") == NOTHING
    builder.group("sg-lb", allow("ingress", "tcp/443", "172.16.0.0/16"), allow("egress", "all", "0.0.0.0/0"))
    assert between(builder, CONSUMER, "node-a") == at_most("tcp/443")


def test_the_explanation_names_the_consumers_that_were_not_read() -> None:
    builder = served()
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), connections=(FAR,))
    reach = Reachability(builder.build())
    found = explain(reach, AddressSet.parse(CONSUMER), q("node-a"), Traffic.parse("tcp/443"))
    assert (found.verdict, found.upper) == ("unknown", "tcp/443")
    assert "who comes to lb over private endpoints of accounts that were not read is not known" in found.unknowns
