"""Interfaces that the provider makes for its own plumbing, worked out by hand: who takes connections, who opens any."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Forwarder
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.plumbing import Conduct, conduct
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import at_most, balanced, between, bounds, exactly, forward, q, target

OPEN = allow("egress", "all", "0.0.0.0/0")
NOTHING = exactly("none")


def beside(role: str, **more: object) -> EstateBuilder:
    """An interface of a role beside an ordinary one; whoever has groups admits and sends everything."""
    builder = EstateBuilder()
    builder.group("sg-open", allow("ingress", "all", "0.0.0.0/0"), OPEN)
    builder.interface("eni-app", "subnet-private", ["sg-open"], "10.0.2.5")
    builder.interface("eni-own", "subnet-public", ["sg-open"], "10.0.1.5", "203.0.113.5", role=role, **more)
    return builder


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("interface", "ordinary"),
        ("lambda", "ordinary"),
        ("nat_gateway", "passes on"),
        ("natGateway", "passes on"),
        ("transit_gateway", "passes on"),
        ("gateway_load_balancer", "passes on"),
        ("gateway_load_balancer_endpoint", "passes on"),
        ("vpc_endpoint", "answers"),
        ("efs", "answers"),
        ("ec2_instance_connect_endpoint", "proxy"),
        ("global_accelerator_managed", "unknown"),
    ],
)
def test_the_type_of_an_interface_tells_how_it_behaves(role: str, expected: Conduct) -> None:
    assert conduct(beside(role).build().interfaces[q("eni-own")]) == expected


@pytest.mark.semantics(34)
@pytest.mark.parametrize(
    "role", ["nat_gateway", "transit_gateway", "gateway_load_balancer", "gateway_load_balancer_endpoint"]
)
def test_what_only_passes_packets_on_neither_opens_connections_nor_takes_any(role: str) -> None:
    builder = beside(role)
    assert between(builder, "eni-own", "eni-app") == NOTHING
    assert between(builder, "eni-app", "eni-own") == NOTHING
    assert between(builder, "eni-own", "198.51.100.7") == NOTHING
    assert between(builder, "198.51.100.7", "eni-own") == NOTHING


@pytest.mark.semantics(40)
@pytest.mark.parametrize("role", ["vpc_endpoint", "efs"])
def test_an_endpoint_takes_connections_and_opens_none(role: str) -> None:
    # "Service consumers create interface VPC endpoints to connect to endpoint services hosted by service providers."
    # https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
    builder = beside(role)
    assert between(builder, "eni-app", "eni-own") == exactly("all")
    assert between(builder, "eni-own", "eni-app") == NOTHING
    assert between(builder, "eni-own", "198.51.100.7") == NOTHING


@pytest.mark.semantics(40)
def test_an_endpoint_is_no_class_with_an_interface_that_opens_connections() -> None:
    builder = EstateBuilder()
    builder.group("sg-open", allow("ingress", "all", "0.0.0.0/0"), OPEN)
    for number, role in ((5, "interface"), (6, "vpc_endpoint")):
        builder.interface(f"eni-{number}", "subnet-private", ["sg-open"], f"10.0.2.{number}", role=role)
    reach = Reachability(builder.build())
    assert reach.class_of(q("eni-5")) != reach.class_of(q("eni-6"))


@pytest.mark.semantics(40)
def test_an_endpoint_has_to_admit_who_comes() -> None:
    builder = beside("vpc_endpoint")
    builder.group("sg-narrow", allow("ingress", "tcp/443", "10.0.2.0/24"), OPEN)
    builder.interface("eni-own", "subnet-public", ["sg-narrow"], "10.0.1.5", role="vpc_endpoint")
    assert between(builder, "eni-app", "eni-own") == exactly("tcp/443")


def test_where_an_accelerator_sends_from_its_interfaces_is_not_known() -> None:
    builder = beside("global_accelerator_managed")
    assert between(builder, "eni-own", "eni-app") == at_most("all")
    assert between(builder, "eni-own", "198.51.100.7") == at_most("all")


# Instance Connect Endpoints. Sources:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-security-groups.html and
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html


def connected(
    ingress: str, *, keeps_client: bool, egress: str = "0.0.0.0/0", near: bool = False, unread: tuple[str, ...] = ()
) -> EstateBuilder:
    """An Instance Connect Endpoint, and an instance that admits ``ingress`` on every port."""
    builder = EstateBuilder(unread=unread)
    builder.group("sg-eice", allow("egress", "all", egress))
    builder.group("sg-app", allow("ingress", "all", ingress), OPEN)
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    place = ("subnet-private", "10.0.2.9") if near else ("subnet-public", "10.0.1.9")
    builder.interface(
        "eni-eice", place[0], ["sg-eice"], place[1], role="ec2_instance_connect_endpoint", keeps_client=keeps_client
    )
    return builder


@pytest.mark.semantics(125)
@pytest.mark.parametrize("ingress", ["sg-eice", "10.0.1.0/24", "10.0.0.0/16"])
def test_an_instance_sees_the_endpoint_that_does_not_keep_its_users(ingress: str) -> None:
    # It is a proxy for TCP.
    assert between(connected(ingress, keeps_client=False), "eni-eice", "eni-app") == exactly("tcp")


@pytest.mark.semantics(125)
def test_an_instance_that_admits_users_alone_takes_nothing_of_an_endpoint_that_does_not_keep_them() -> None:
    assert between(connected("198.51.100.0/24", keeps_client=False), "eni-eice", "eni-app") == NOTHING


@pytest.mark.semantics(125)
@pytest.mark.parametrize("ingress", ["sg-eice", "198.51.100.0/24", "192.168.0.0/16"])
def test_an_instance_sees_at_most_the_users_whose_addresses_are_kept(ingress: str) -> None:
    assert between(connected(ingress, keeps_client=True), "eni-eice", "eni-app") == at_most("tcp")


@pytest.mark.semantics(125)
@pytest.mark.parametrize("ingress", ["sg-eice", "10.0.1.0/24", "198.51.100.0/24"])
def test_an_endpoint_that_no_answer_tells_about_may_keep_its_users(ingress: str) -> None:
    # PreserveClientIp stands in the answer of describe_instance_connect_endpoints alone.
    builder = connected(ingress, keeps_client=False, unread=("endpoints",))
    assert between(builder, "eni-eice", "eni-app") == at_most("tcp")
    found = explain(Reachability(builder.build()), q("eni-eice"), q("eni-app"), Traffic.parse("tcp/22"))
    assert (found.verdict, found.upper) == ("unknown", "tcp/22")
    # Once an answer named its interface, all is known of it.
    named = msgspec.structs.replace(builder.build().interfaces[q("eni-eice")], workload=q("eice-1"))
    builder.put("interfaces", named)
    assert between(builder, "eni-eice", "eni-app") == (NOTHING if ingress == "198.51.100.0/24" else exactly("tcp"))


@pytest.mark.semantics(125)
def test_the_steps_from_an_endpoint_that_was_read_are_certain() -> None:
    found = Reachability(connected("sg-eice", keeps_client=False).build())
    told = explain(found, q("eni-eice"), q("eni-app"), Traffic.parse("tcp/22"))
    assert (told.verdict, told.steps[0].verdict, told.steps[-1].left_lower) == ("allowed", "passes", "tcp/22")
    assert not [note for note in told.notes if "do not account" in note]
    told = explain(found, q("eni-eice"), q("eni-app"), Traffic.parse("udp/53"))
    assert (told.verdict, told.reason) == ("blocked", "eni-eice is a proxy for tcp alone")


@pytest.mark.semantics(125)
def test_the_endpoints_groups_have_to_let_out_its_users_too() -> None:
    assert (
        between(connected("198.51.100.0/24", keeps_client=True, egress="10.9.0.0/16"), "eni-eice", "eni-app") == NOTHING
    )


@pytest.mark.semantics(26)
@pytest.mark.semantics(125)
def test_no_list_is_asked_about_users_within_the_subnet_of_endpoint_and_instance() -> None:
    for near, expected in ((True, at_most("tcp")), (False, NOTHING)):
        builder = connected("198.51.100.0/24", keeps_client=True, near=near)
        entries = (acl_entry("ingress", 100, "all", "10.0.1.0/24"), acl_entry("egress", 100, "all", "0.0.0.0/0"))
        builder.acl("acl-2", ["subnet-private"], entries)
        builder.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 1, "all", "0.0.0.0/0"), entries[1]))
        assert between(builder, "eni-eice", "eni-app") == expected


@pytest.mark.semantics(125)
@pytest.mark.parametrize("heard", ["0.0.0.0/0", "198.51.100.0/24"])
def test_users_may_be_clients_of_a_load_balancer_at_most(heard: str) -> None:
    builder = balanced(forward(keeps_client=True), ingress="198.51.100.0/24")
    builder.group("sg-lb", allow("ingress", "tcp/443", heard), OPEN)
    assert between(builder, "node-a", "eni-app") == NOTHING
    builder.interface(
        "eni-eice",
        "subnet-clients",
        ["sg-client"],
        "10.0.30.9",
        role="ec2_instance_connect_endpoint",
        keeps_client=True,
    )
    assert between(builder, "eni-eice", "node-a") == at_most("tcp/443")
    assert between(builder, "node-a", "eni-app") == at_most("tcp/8080")
    builder.group("sg-lb", allow("ingress", "tcp/443", "203.0.113.0/24"), OPEN)
    assert between(builder, "node-a", "eni-app") == NOTHING


# Gateway load balancers and VPC Lattice.


def test_a_gateway_load_balancer_opens_tunnels_to_its_appliances_alone() -> None:
    # It wraps what it was handed in GENEVE, over UDP to port 6081.
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/target-groups.html
    tunnels = forward(listens="all", traffic="udp/6081", checks="tcp/80")
    builder = balanced(tunnels, traffic="all", accepts="all", kind="gateway-load-balancer", node_groups=())
    for zone in "ab":
        node = builder.build().interfaces[q(f"node-{zone}")]
        builder.put("interfaces", msgspec.structs.replace(node, role="gateway_load_balancer"))
    assert between(builder, "node-a", "eni-app") == exactly("udp/6081, tcp/80")
    assert between(builder, "node-a", "eni-bystander") == NOTHING
    assert between(builder, "eni-client", "node-a") == NOTHING


def lattice(ingress: str, *, complete: bool = True, checks: str = "none", seen_as: str = "pl-lattice") -> EstateBuilder:
    """A service of VPC Lattice with ``eni-app`` as its target; of its prefix lists only ``pl-lattice`` was read."""
    builder = EstateBuilder()
    builder.prefix_list("pl-lattice", "169.254.171.0/24")
    builder.prefix_list("pl-unread", read=False)
    builder.group("sg-app", allow("ingress", "all", ingress), OPEN)
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    builder.interface("eni-other", "subnet-private", ["sg-app"], "10.0.2.6")
    builder.put(
        "forwarders",
        Forwarder(
            id=q("tg-lattice"),
            kind="lattice-target-group",
            region="eu-west-1",
            accepts=None,
            forwards=(forward(target(), listens=None, checks=checks),),
            seen_as=frozenset({q(seen_as)}),
            complete=complete,
        ),
    )
    return builder


@pytest.mark.semantics(125)
def test_a_service_of_lattice_sends_to_its_targets_at_most_from_its_own_addresses() -> None:
    builder = lattice("pl-lattice")
    assert between(builder, "169.254.171.7", "eni-app") == at_most("tcp/8080")
    assert between(builder, "169.254.171.7", "eni-other") == NOTHING
    assert between(builder, "169.254.172.7", "eni-app") == NOTHING
    assert between(lattice("10.0.0.0/16"), "169.254.171.7", "eni-app") == NOTHING


@pytest.mark.semantics(20)
@pytest.mark.semantics(125)
@pytest.mark.parametrize("seen_as", ["pl-unread", "pl-nowhere"])
@pytest.mark.parametrize("ingress", ["pl-nowhere", "169.254.171.0/24"])
def test_a_service_whose_prefix_lists_were_not_read_sends_from_anywhere_at_most(seen_as: str, ingress: str) -> None:
    builder = lattice(ingress, seen_as=seen_as)
    assert between(builder, "169.254.171.7", "eni-app") == at_most("tcp/8080")
    assert between(builder, "169.254.171.7", "eni-other") == NOTHING
    reach = Reachability(builder.build())
    said = explain(reach, AddressSet.parse("169.254.171.7"), q("eni-app"), Traffic.parse("tcp/8080"))
    assert said.verdict == "unknown"
    assert f"the addresses of {seen_as}, from which it sends, were not read" in said.unknowns


@pytest.mark.semantics(125)
def test_health_checks_of_lattice_reach_its_targets_at_most() -> None:
    builder = lattice("pl-lattice", checks="tcp/9000")
    assert between(builder, "169.254.171.7", "eni-app") == at_most("tcp/8080, tcp/9000")
    assert between(builder, "169.254.171.7", "eni-other") == NOTHING


@pytest.mark.semantics(125)
def test_targets_of_lattice_that_were_not_all_read_may_be_anybody() -> None:
    builder = lattice("pl-lattice", complete=False)
    assert between(builder, "169.254.171.7", "eni-other") == at_most("all")


@pytest.mark.semantics(125)
def test_lattice_before_a_load_balancer_sends_what_that_one_listens_to() -> None:
    builder = balanced()
    builder.prefix_list("pl-lattice", "169.254.171.0/24")
    sends = Forwarder(
        id=q("tg-lattice"),
        kind="lattice-target-group",
        region="eu-west-1",
        accepts=None,
        forwards=(forward(target("lb"), traffic="tcp/443, tcp/80", listens=None),),
        seen_as=frozenset({q("pl-lattice")}),
    )
    builder.put("forwarders", sends)
    assert between(builder, "169.254.171.7", "node-a") == bounds("none", "tcp/443")
    assert Reachability(builder.build()).between(q("node-a"), q("eni-app")).lower == Traffic.parse("tcp/8080")
