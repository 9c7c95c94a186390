"""Load balancers, worked out by hand from AWS's pages: what nodes take, and what they send to whom."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import ANY_ZONE, Endpoint, ForwardTarget, Rule
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import TARGET, at_most, balanced, balancer, between, bounds, exactly, forward, q, target

OPEN = allow("egress", "all", "0.0.0.0/0")
NOTHING = exactly("none")
WORKS = exactly("tcp/8080")


# What nodes take.


@pytest.mark.semantics(42)
def test_a_node_takes_what_its_listeners_take_and_nothing_else() -> None:
    assert between(balanced(), "eni-client", "node-a") == exactly("tcp/443")


@pytest.mark.semantics(117)
def test_a_node_takes_anything_at_most_where_its_listeners_were_not_read() -> None:
    assert between(balanced(accepts=None), "eni-client", "node-a") == at_most("all")


@pytest.mark.semantics(42)
def test_a_load_balancer_without_listeners_takes_nothing() -> None:
    assert between(balanced(accepts="none"), "eni-client", "node-a") == NOTHING


@pytest.mark.semantics(42)
def test_a_client_needs_a_rule_of_the_nodes_groups() -> None:
    builder = balanced()
    builder.group("sg-lb", allow("ingress", "tcp/443", "sg-client"), OPEN)
    assert between(builder, "eni-client", "node-a") == exactly("tcp/443")
    assert between(builder, "eni-other", "node-a") == NOTHING


@pytest.mark.semantics(42)
def test_a_load_balancer_made_without_groups_filters_nothing() -> None:
    # "If you don't assign a security group to your Network Load Balancer, all client traffic can reach the Network Load
    # Balancer listeners and all traffic can leave the Network Load Balancer."
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    builder = balanced(node_groups=())
    assert between(builder, "eni-client", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "eni-app") == WORKS


# What nodes send.


@pytest.mark.semantics(42)
@pytest.mark.parametrize("ingress", ["sg-lb", "10.0.10.0/24", "10.0.10.9/32, 10.0.20.9/32"])
def test_a_target_sees_the_node_where_clients_are_not_kept(ingress: str) -> None:
    assert between(balanced(ingress=ingress), "node-a", "eni-app") == WORKS


@pytest.mark.semantics(42)
@pytest.mark.parametrize("ingress", ["sg-client", "10.0.30.0/24"])
def test_a_target_that_admits_clients_alone_takes_nothing_where_clients_are_not_kept(ingress: str) -> None:
    assert between(balanced(ingress=ingress), "node-a", "eni-app") == NOTHING


def test_a_node_sends_to_the_ports_of_its_targets_alone() -> None:
    assert between(balanced(traffic="all"), "node-a", "eni-app") == WORKS


def test_a_node_sends_to_nobody_but_its_targets() -> None:
    builder = balanced()
    for other in ("eni-bystander", "eni-client", "node-b", "203.0.113.7"):
        assert between(builder, "node-a", other) == NOTHING


def test_a_client_gets_nothing_from_the_target_itself_that_admits_the_node_alone() -> None:
    assert between(balanced(ingress="sg-lb"), "eni-client", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_the_nodes_groups_have_to_let_out_what_it_sends() -> None:
    # "Health checks are subject to outbound rules, but not inbound rules."
    builder = balanced(forward(checks="tcp/9000"), traffic="all")
    builder.group("sg-lb", allow("ingress", "all", "0.0.0.0/0"), allow("egress", "tcp/9000", "sg-app"))
    assert between(builder, "node-a", "eni-app") == exactly("tcp/9000")


def test_several_target_groups_with_one_target_add_up() -> None:
    second = forward(traffic="tcp/8081", checks="tcp/8082")
    assert between(balanced(forward(), second, traffic="all"), "node-a", "eni-app") == exactly("tcp/8080-8082")


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("healthy", "expected"), [(True, WORKS), (False, at_most("tcp/8080")), (None, at_most("tcp/8080"))]
)
def test_a_target_that_is_not_known_to_be_healthy_is_sent_to_at_most(healthy: bool | None, expected: Verdict) -> None:  # noqa: FBT001
    assert between(balanced(forward(target(healthy=healthy))), "node-a", "eni-app") == expected


@pytest.mark.semantics(43)
@pytest.mark.parametrize(("crossed", "expected"), [(True, WORKS), (False, NOTHING), (None, at_most("tcp/8080"))])
def test_a_node_sends_to_another_zone_only_where_zones_are_crossed(crossed: bool | None, expected: Verdict) -> None:  # noqa: FBT001
    builder = balanced(forward(cross_zone=crossed))
    assert between(builder, "node-a", "eni-app") == WORKS
    assert between(builder, "node-b", "eni-app") == expected


@pytest.mark.semantics(43)
def test_no_node_sends_to_a_zone_that_is_not_enabled() -> None:
    builder = balanced(forward(target(healthy=False)), zones=frozenset({"eu-west-1b"}))
    assert between(builder, "node-b", "eni-app") == NOTHING


def test_a_node_does_not_send_to_a_public_address_of_its_target() -> None:
    # "Traffic is routed to instances using the primary private IP address specified in the primary network interface."
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
    builder = balanced(ingress="198.51.100.7/32")
    for name, subnet, address, public, more in (
        ("node-a", "subnet-public", "10.0.1.9", "198.51.100.7", {"workload": q("lb")}),
        ("eni-app", "subnet-public", "10.0.1.50", "198.51.100.8", {}),
        ("eni-peer", "subnet-public", "10.0.1.51", "198.51.100.7", {}),
    ):
        builder.interface(name, subnet, ["sg-app" if name == "eni-app" else "sg-lb"], address, public, **more)
    assert between(builder, "eni-peer", "eni-app") == WORKS
    assert between(builder, "node-a", "eni-app") == NOTHING


@pytest.mark.semantics(44)
def test_of_several_addresses_all_must_be_let_out_to_for_sure() -> None:
    builder = balanced()
    builder.interface("eni-app", "subnet-a", ["sg-app"], "10.0.10.50, 10.0.10.51")
    builder.group("sg-lb", allow("ingress", "all", "0.0.0.0/0"), allow("egress", "all", "10.0.10.50/32"))
    assert between(builder, "node-a", "eni-app") == at_most("tcp/8080")


def test_targets_that_were_not_all_read_may_be_anybody() -> None:
    builder = balanced(complete=False)
    assert between(builder, "node-a", "eni-app") == bounds("tcp/8080", "tcp/8080")
    assert between(builder, "node-a", "eni-bystander") == at_most("all")
    assert between(builder, "node-a", "192.168.0.1") == NOTHING
    builder.route("rtb-a", "192.168.0.0/16", "private-gateway", "vgw-1")
    assert between(builder, "node-a", "192.168.0.1") == at_most("all")


def test_targets_that_were_not_all_read_may_see_the_clients() -> None:
    builder = balanced(complete=False, ingress="10.0.30.0/24")
    builder.interface("eni-second", "subnet-a", ["sg-app"], "10.0.10.70")
    assert between(builder, "node-a", "eni-second") == at_most("tcp/8080")
    application = balanced(complete=False, ingress="10.0.30.0/24", kind="application-load-balancer")
    application.interface("eni-second", "subnet-a", ["sg-app"], "10.0.10.70")
    assert between(application, "node-a", "eni-second") == NOTHING


# Targets that see the clients. Source:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html

KEEPING = forward(keeps_client=True)


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ("10.0.30.5/32", WORKS),
        ("10.0.0.0/16", WORKS),
        ("0.0.0.0/0", WORKS),
        ("10.0.20.0/24", NOTHING),
        ("10.0.10.9/32", NOTHING),
        ("203.0.113.0/24", NOTHING),
    ],
)
def test_a_target_that_sees_the_clients_has_to_admit_one_of_them(ingress: str, expected: Verdict) -> None:
    builder = balanced(KEEPING, ingress=ingress)
    for node in ("node-a", "node-b"):
        assert between(builder, node, "eni-app") == expected


@pytest.mark.semantics(42)
def test_a_rule_that_names_the_clients_group_does_not_match_behind_a_load_balancer() -> None:
    # "You cannot allow traffic from clients to targets through the load balancer using the security groups for the
    # clients in the security groups for the targets."
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html
    assert between(balanced(KEEPING, ingress="sg-client"), "node-a", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_a_rule_that_names_the_nodes_group_matches_even_where_clients_are_kept() -> None:
    # "Referencing the security group associated with your Network Load Balancer in the security groups associated with
    # your targets ensures that your targets accept traffic from your Network Load Balancer even if you enable client IP
    # preservation."
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    assert between(balanced(KEEPING, ingress="sg-lb"), "node-a", "eni-app") == WORKS


@pytest.mark.semantics(42)
def test_what_no_client_can_ask_for_is_not_sent() -> None:
    builder = balanced(KEEPING, ingress="sg-lb")
    builder.group("sg-lb", OPEN)
    assert between(builder, "node-a", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_health_checks_come_from_the_node_whatever_is_kept() -> None:
    checking = forward(keeps_client=True, checks="tcp/9000")
    assert between(balanced(checking, ingress="10.0.10.9/32", traffic="all"), "node-a", "eni-app") == exactly(
        "tcp/9000"
    )


@pytest.mark.semantics(42)
def test_a_health_check_of_the_clients_port_shows_no_client_getting_through() -> None:
    # Health checks bear the node's address, and clients their own: a rule for the nodes admits the checks alone.
    checking = forward(keeps_client=True, checks=TARGET)
    assert between(balanced(checking, ingress="10.0.10.9/32"), "node-a", "eni-app") == at_most("tcp/8080")
    assert between(balanced(checking, ingress="10.0.30.0/24"), "node-a", "eni-app") == WORKS
    # Where targets see the node in place of its clients, the two are admitted together.
    together = forward(keeps_client=False, checks=TARGET)
    assert between(balanced(together, ingress="10.0.10.9/32"), "node-a", "eni-app") == WORKS


@pytest.mark.semantics(42)
def test_a_health_check_of_a_port_that_clients_get_in_another_group_is_nothing_certain() -> None:
    checking, other = forward(checks="tcp/9000"), forward(traffic="tcp/9000", keeps_client=True)
    builder = balanced(checking, other, ingress="10.0.10.9/32", traffic="all")
    assert between(builder, "node-a", "eni-app") == bounds("tcp/8080", "tcp/8080, tcp/9000")


@pytest.mark.semantics(42)
def test_a_client_of_one_listener_does_not_come_to_the_targets_of_another() -> None:
    admin = forward(listens="tcp/8443", traffic="tcp/9090", keeps_client=True)
    builder = balanced(KEEPING, admin, ingress="10.0.30.5/32", traffic="all", accepts="tcp/443, tcp/8443")
    builder.group("sg-lb", allow("ingress", "tcp/443", "sg-client"), allow("ingress", "tcp/8443", "sg-other"), OPEN)
    assert between(builder, "node-a", "eni-app") == WORKS


@pytest.mark.semantics(42)
def test_a_client_of_one_protocol_does_not_get_the_other_through() -> None:
    both = forward(listens="tcp/53, udp/53", traffic="tcp/5353, udp/5353", keeps_client=True)
    builder = balanced(both, ingress="10.0.30.0/24", traffic="all", accepts="tcp/53, udp/53")
    builder.group("sg-lb", allow("ingress", "tcp/53", "0.0.0.0/0"), OPEN)
    assert between(builder, "node-a", "eni-app") == exactly("tcp/5353")


@pytest.mark.semantics(117)
def test_a_client_whose_listeners_were_not_read_may_come_at_most() -> None:
    builder = balanced(forward(listens=None, keeps_client=True), accepts=None)
    assert between(builder, "node-a", "eni-app") == at_most("tcp/8080")


@pytest.mark.semantics(42)
def test_a_target_is_no_client_of_its_own() -> None:
    # "If an instance is a client of an internal load balancer that it's registered with by instance ID, the connection
    # succeeds only if the request is routed to a different instance."
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html
    builder = balanced(KEEPING, ingress="10.0.10.50/32")
    assert between(builder, "eni-app", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "eni-app").lower == Traffic.parse("none")
    builder = balanced(forward(target("i-app"), keeps_client=True), ingress="10.0.10.50/31")
    builder.interface("eni-app", "subnet-a", ["sg-app"], "10.0.10.50", workload=q("i-app"))
    assert between(builder, "node-a", "eni-app").lower == Traffic.parse("none")


@pytest.mark.semantics(117)
def test_target_group_attributes_that_were_not_read_leave_open_whom_the_target_sees() -> None:
    unread = forward(keeps_client=None)
    assert between(balanced(unread, ingress="10.0.30.0/24"), "node-a", "eni-app") == at_most("tcp/8080")
    assert between(balanced(unread, ingress="10.0.10.9/32"), "node-a", "eni-app") == at_most("tcp/8080")
    # Whomever it sees, it admits them.
    assert between(balanced(unread, ingress="10.0.0.0/16"), "node-a", "eni-app") == WORKS
    assert between(balanced(unread, ingress="192.168.0.0/16"), "node-a", "eni-app") == NOTHING


@pytest.mark.semantics(117)
def test_health_checks_are_certain_even_where_attributes_were_not_read() -> None:
    checking = forward(keeps_client=None, checks="tcp/9000")
    builder = balanced(checking, ingress="10.0.10.9/32", traffic="all")
    assert between(builder, "node-a", "eni-app") == bounds("tcp/9000", "tcp/8080, tcp/9000")


def facing(ingress: str, *, scheme: str = "public", keeps_client: bool = True) -> EstateBuilder:
    """A node with a public address, unless it is internal, before a target in the private subnet."""
    builder = balanced(forward(keeps_client=keeps_client))
    builder.group("sg-app", allow("ingress", "tcp/8080", ingress), OPEN)
    public = "203.0.113.9" if scheme == "public" else ""
    builder.interface("node-a", "subnet-public", ["sg-lb"], "10.0.1.9", public, workload=q("lb"))
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.50")
    return builder


@pytest.mark.semantics(33)
@pytest.mark.semantics(42)
@pytest.mark.parametrize("ingress", ["0.0.0.0/0", "198.51.100.0/24"])
def test_a_target_that_sees_clients_of_the_internet_has_to_admit_them(ingress: str) -> None:
    builder = facing(ingress)
    assert between(builder, "198.51.100.7", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "eni-app") == WORKS
    # Clients come to the load balancer, and not to the target itself.
    assert between(builder, "198.51.100.7", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_the_internet_is_no_client_of_an_internal_load_balancer() -> None:
    builder = facing("198.51.100.0/24", scheme="internal")
    assert between(builder, "198.51.100.7", "node-a") == NOTHING
    assert between(builder, "node-a", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_a_client_that_comes_over_the_internet_is_seen_under_a_public_address() -> None:
    builder = facing("10.0.30.0/24")
    builder.group("sg-lb", allow("ingress", "tcp/443", "198.51.100.5/32"), OPEN)
    builder.interface("eni-client", "subnet-public", ["sg-client"], "10.0.1.5", "198.51.100.5")
    assert between(builder, "eni-client", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "eni-app") == NOTHING
    builder.group("sg-app", allow("ingress", "tcp/8080", "198.51.100.5/32"), OPEN)
    assert between(builder, "node-a", "eni-app") == WORKS


def kept_in_two_families(ingress: str) -> EstateBuilder:
    """A dual-stack load balancer with a target of IPv4, and one client of each family."""
    builder = balanced(KEEPING, ingress=ingress)
    builder.group("sg-lb", allow("ingress", "tcp/443", "2001:db8::/32"), OPEN)
    for name, address in (("node-a", "10.0.10.9, 2001:db8::9"), ("node-b", "10.0.20.9, 2001:db8::19")):
        builder.interface(name, f"subnet-{name[-1]}", ["sg-lb"], address, workload=q("lb"))
    builder.group("sg-client", allow("egress", "all", "::/0"))
    builder.interface("eni-client", "subnet-a", ["sg-client"], "2001:db8::5")
    return builder


@pytest.mark.semantics(42)
def test_of_clients_of_the_other_family_a_target_sees_the_node() -> None:
    # IPv6 client requests to targets of IPv4 come from the "load balancer IPv4 address".
    builder = kept_in_two_families("10.0.10.9/32")
    assert between(builder, "eni-client", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "eni-app") == WORKS
    assert between(kept_in_two_families("::/0"), "node-a", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_a_target_of_both_families_is_sent_to_for_sure_only_where_both_are_let_in() -> None:
    builder = balanced(ingress="0.0.0.0/0")
    builder.interface("node-a", "subnet-a", ["sg-lb"], "10.0.10.9, 2001:db8::9", workload=q("lb"))
    builder.group("sg-lb", allow("ingress", "all", "0.0.0.0/0"), OPEN, allow("egress", "all", "::/0"))
    builder.interface("eni-app", "subnet-a", ["sg-app"], "10.0.10.50, 2001:db8::50")
    assert between(builder, "node-a", "eni-app") == at_most("tcp/8080")
    assert between(builder, "node-b", "eni-app") == WORKS
    builder.group("sg-app", allow("ingress", "tcp/8080", "sg-lb"), OPEN)
    assert between(builder, "node-a", "eni-app") == WORKS


@pytest.mark.semantics(42)
def test_clients_over_private_endpoints_are_seen_as_the_node() -> None:
    # "The source IP of the AWS PrivateLink traffic is always the private IP address of the Network Load Balancer."
    builder = balanced(KEEPING, ingress="10.0.10.9/32")
    assert between(builder, "node-a", "eni-app") == NOTHING
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}))
    assert between(builder, "node-a", "eni-app") == at_most("tcp/8080")
    unread = balanced(KEEPING, ingress="10.0.10.9/32", unread=("endpoint-services",))
    assert between(unread, "node-a", "eni-app") == at_most("tcp/8080")


# Network ACLs between nodes and targets. Source:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html#network-acls

ANY_OUT = acl_entry("egress", 100, "all", "0.0.0.0/0")
ANY_IN = acl_entry("ingress", 100, "all", "0.0.0.0/0")


@pytest.mark.semantics(24)
@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((ANY_IN, ANY_OUT), WORKS),
        ((acl_entry("ingress", 100, "tcp/8080", "10.0.30.0/24"), ANY_OUT), WORKS),
        ((acl_entry("ingress", 100, "all", "10.0.20.0/24"), ANY_OUT), NOTHING),
        ((ANY_IN, acl_entry("egress", 100, "tcp/1024-65535", "10.0.30.0/24")), WORKS),
        ((ANY_IN, acl_entry("egress", 100, "all", "10.0.20.0/24")), NOTHING),
        ((ANY_IN, acl_entry("egress", 100, "tcp/32768-60999", "10.0.30.0/24")), at_most("tcp/8080")),
    ],
)
def test_the_list_of_the_targets_subnet_sees_the_clients(entries: tuple[Rule, ...], expected: Verdict) -> None:
    builder = balanced(KEEPING, ingress="10.0.30.0/24")
    builder.acl("acl-a", ["subnet-a"], entries)
    assert between(builder, "node-b", "eni-app") == expected


@pytest.mark.semantics(26)
@pytest.mark.semantics(42)
def test_no_list_is_asked_within_the_subnet_of_node_and_target() -> None:
    builder = balanced(KEEPING, ingress="10.0.30.0/24")
    builder.acl("acl-a", ["subnet-a"], (acl_entry("ingress", 100, "tcp/443", "0.0.0.0/0"), ANY_OUT))
    assert between(builder, "eni-client", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "eni-app") == WORKS
    assert between(builder, "node-b", "eni-app") == NOTHING


@pytest.mark.semantics(42)
def test_what_the_list_of_the_nodes_subnet_makes_of_a_clients_packets_is_not_certain() -> None:
    builder = balanced(KEEPING, ingress="10.0.30.0/24")
    builder.acl("acl-b", ["subnet-b"], (ANY_IN, acl_entry("egress", 100, "all", "10.0.30.0/24")))
    assert between(builder, "node-b", "eni-app") == at_most("tcp/8080")


@pytest.mark.semantics(42)
def test_the_lists_of_both_subnets_see_node_and_target_where_clients_are_not_kept() -> None:
    builder = balanced(ingress="10.0.20.0/24")
    builder.acl("acl-b", ["subnet-b"], (ANY_IN, acl_entry("egress", 100, "all", "10.0.30.0/24")))
    assert between(builder, "node-b", "eni-app") == NOTHING


# Load balancers behind each other.


def chained(*, second_keeps: bool = False, first_keeps: bool = True) -> EstateBuilder:
    """A network load balancer with an application load balancer as its target, and ``eni-app`` behind that one."""
    first = forward(target("alb"), traffic="tcp/80", checks="tcp/80", keeps_client=first_keeps)
    builder = balanced(first, ingress="sg-alb")
    builder.group("sg-alb", allow("ingress", "all", "10.0.0.0/16"), OPEN)
    builder.interface("alb-a", "subnet-a", ["sg-alb"], "10.0.10.20", workload=q("alb"))
    second = forward(listens="tcp/80", keeps_client=second_keeps)
    kind = "network-load-balancer" if second_keeps else "application-load-balancer"
    balancer(builder, second, own="alb", accepts="tcp/80", kind=kind)
    return builder


@pytest.mark.semantics(42)
def test_a_load_balancer_behind_another_is_told_in_three_steps() -> None:
    builder = chained()
    assert between(builder, "eni-client", "node-a") == exactly("tcp/443")
    assert between(builder, "node-a", "alb-a") == exactly("tcp/80")
    assert between(builder, "alb-a", "eni-app") == WORKS
    assert between(builder, "node-a", "eni-app") == NOTHING
    assert between(builder, "alb-a", "node-a") == NOTHING


def test_a_load_balancer_behind_another_takes_its_own_listeners_traffic_alone() -> None:
    builder = chained()
    balancer(builder, forward(listens="tcp/81"), own="alb", accepts="tcp/81", kind="application-load-balancer")
    assert between(builder, "node-a", "alb-a") == NOTHING


def test_who_stands_before_two_that_keep_clients_is_at_most_a_client_of_the_second() -> None:
    builder = chained(second_keeps=True)
    builder.group("sg-alb", allow("ingress", "all", "10.0.30.0/24"), OPEN)
    builder.group("sg-app", allow("ingress", "tcp/8080", "10.0.30.0/24"), OPEN)
    builder.group("sg-client", allow("egress", "tcp/443", "sg-lb"))
    builder.group("sg-other", allow("egress", "tcp/443", "sg-lb"))
    assert between(builder, "eni-client", "alb-a") == NOTHING
    assert between(builder, "node-a", "alb-a") == exactly("tcp/80")
    assert between(builder, "alb-a", "eni-app") == at_most("tcp/8080")


@pytest.mark.parametrize("keeps_client", [True, False, None])
def test_load_balancers_that_are_targets_of_each_other_come_to_an_end(*, keeps_client: bool | None) -> None:
    builder = balanced(forward(target("second"), target(), keeps_client=keeps_client))
    builder.group(
        "sg-lb", allow("ingress", "tcp/443", "10.0.30.0/24"), allow("ingress", "tcp/8080", "10.0.0.0/16"), OPEN
    )
    builder.interface("second-a", "subnet-a", ["sg-lb"], "10.0.10.20", workload=q("second"))
    back = forward(target("lb"), keeps_client=keeps_client, listens="tcp/8080")
    balancer(builder, back, own="second", accepts="tcp/8080")
    reach = Reachability(builder.build())
    assert reach.between(q("node-a"), q("second-a")) == WORKS
    # The first one does not listen to what the second one sends.
    assert reach.between(q("second-a"), q("node-a")) == NOTHING
    assert reach.between(q("node-a"), q("eni-app")) == WORKS


def test_a_load_balancer_that_targets_itself_sends_from_one_node_to_the_other() -> None:
    builder = balanced(forward(target("lb"), traffic="tcp/443"))
    assert between(builder, "node-a", "node-b") == exactly("tcp/443")
    assert between(builder, "node-a", "node-a") == NOTHING


# Targets by address.


def across_peering(*, keeps_client: bool = False, route_back: bool = True) -> EstateBuilder:
    """A target in another network, known by its address."""
    far = ForwardTarget(address=AddressSet.parse("10.9.1.5"), network=q("vpc-1"), zone=ANY_ZONE, healthy=True)
    builder = balanced(forward(far, keeps_client=keeps_client))
    builder.network("vpc-9", "10.9.0.0/16")
    builder.subnet("subnet-far", "10.9.1.0/24", network="vpc-9")
    builder.peering("pcx-1", "vpc-9")
    for table in ("rtb-a", "rtb-b"):
        builder.route(table, "10.9.0.0/16", "peering", "pcx-1")
    if route_back:
        builder.route("rtb-far", "10.0.0.0/16", "peering", "pcx-1")
    builder.interface("eni-far", "subnet-far", ["sg-open"], "10.9.1.5")
    known = builder.build().interfaces[q("eni-far")]
    builder.put("interfaces", msgspec.structs.replace(known, network=q("vpc-9")))
    return builder


@pytest.mark.semantics(36)
@pytest.mark.semantics(46)
def test_a_target_of_a_peer_is_sent_to_at_most() -> None:
    # Who bears the address there is known; that it is he who is meant is not.
    assert between(across_peering(), "node-a", "eni-far") == at_most("tcp/8080")
    assert between(across_peering(route_back=False), "node-a", "eni-far") == NOTHING


@pytest.mark.semantics(42)
def test_clients_that_have_no_way_to_a_peer_are_seen_there_at_most() -> None:
    assert between(across_peering(keeps_client=True), "node-a", "eni-far") == at_most("tcp/8080")


def test_a_target_on_premises_is_an_end_outside() -> None:
    # "On-premises resources linked to AWS through AWS Direct Connect or a software VPN connection"
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
    outside = ForwardTarget(address=AddressSet.parse("192.168.7.7"), network=q("vpc-1"), zone=ANY_ZONE, healthy=True)
    builder = balanced(forward(outside))
    assert between(builder, "node-a", "192.168.7.7") == NOTHING
    builder.route("rtb-a", "192.168.0.0/16", "private-gateway", "vgw-1")
    # What stands behind a private gateway is never certain.
    assert between(builder, "node-a", "192.168.7.7") == at_most("tcp/8080")
    assert between(builder, "node-a", "192.168.7.8") == NOTHING
    assert between(builder, "eni-bystander", "192.168.7.8") == at_most("all")


# Private endpoints that lead to a load balancer.


def test_a_private_endpoint_may_lead_to_the_load_balancer_behind_it() -> None:
    builder = balanced(KEEPING)
    builder.group("sg-lb", OPEN)
    builder.interface("eni-vpce", "subnet-clients", ["sg-open"], "10.0.30.20", role="vpc_endpoint")
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}))
    assert between(builder, "eni-vpce", "node-a") == NOTHING
    builder.put(
        "endpoints",
        Endpoint(
            id=q("vpce-1"),
            kind="vpc-endpoint",
            region="eu-west-1",
            network=q("vpc-1"),
            type="interface",
            service="com.amazonaws.vpce.eu-west-1.vpce-svc-1",
            usable=True,
            interfaces=frozenset({q("eni-vpce")}),
        ),
    )
    # Whether the groups of the load balancer judge what comes that way is a setting of it.
    assert between(builder, "eni-vpce", "node-a") == at_most("tcp/443")
    assert between(builder, "eni-vpce", "eni-bystander") == NOTHING
