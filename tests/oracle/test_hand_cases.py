"""The oracle against decisions worked out by hand from the vendor's pages."""

from __future__ import annotations

import pytest

from tests.oracle.aws import passes
from tests.oracle.packet import ICMP, ICMPV6, TCP, UDP, Decision, End, Packet, icmp
from tests.oracle.raw import Raw, entry, permission
from tests.oracle.shapes import ALL, behind_nat, one_vpc, over_transit, public_server, two_interfaces, two_vpcs

OUTSIDE = "198.51.100.7"
OUTSIDE_SIX = "2600::7"
SITE = "172.16.0.9"


def ends(client: str, server: str) -> tuple[End, End]:
    return _end(client), _end(server)


def _end(text: str) -> End:
    interface, _, address = text.rpartition("@")
    return End(address, interface)


def say(raw: Raw, client: str, server: str, protocol: int = TCP, port: int = 443, **more: int) -> Decision:
    return passes(raw.answers, Packet(*ends(client, server), protocol, port, **more))


def by(raw: Raw, client: str, server: str, protocol: int = TCP, port: int = 443, **more: int) -> str:
    return say(raw, client, server, protocol, port, **more).by


A, B = "eni-a@10.0.1.5", "eni-b@10.0.2.5"
A6, B6 = "eni-a@2001:db8:1:1::5", "eni-b@2001:db8:1:2::5"


@pytest.mark.semantics(2)
def test_the_reply_passes_groups_that_open_nothing_back() -> None:
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html: stateful
    assert say(two_interfaces(one_vpc()), A, B).passes


@pytest.mark.semantics(4)
def test_both_ends_decide() -> None:
    raw = two_interfaces(one_vpc())
    assert by(raw, B, A) == "egress group"  # sg-server has no egress rule
    assert by(two_interfaces(one_vpc(), []), A, B) == "ingress group"


@pytest.mark.semantics(1)
def test_any_of_several_groups_admits() -> None:
    raw = one_vpc()
    raw.group("sg-out", "vpc-1", egress=[ALL])
    raw.group("sg-none", "vpc-1")
    raw.group("sg-web", "vpc-1", [permission("tcp", 80, 443, "10.0.1.0/24")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-none", "sg-out"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-none", "sg-web"], "10.0.2.5")
    assert [by(raw, A, B, TCP, port) for port in (79, 80, 443, 444)] == [
        "ingress group", "delivered", "delivered", "ingress group",
    ]  # fmt: skip


@pytest.mark.semantics(5)
def test_a_named_group_admits_its_members_and_nobody_else() -> None:
    raw = two_interfaces(one_vpc(), [permission("tcp", 443, 443, "sg-client")])
    raw.interface("eni-other", "vpc-1", "subnet-a", ["sg-free"], "10.0.1.6")
    raw.group("sg-free", "vpc-1", egress=[ALL])
    assert say(raw, A, B).passes
    assert say(raw, A6, B6).passes  # 14: the group's IPv6 addresses too
    assert by(raw, "eni-other@10.0.1.6", B) == "ingress group"


@pytest.mark.semantics(12)
def test_a_default_group_admits_itself() -> None:
    raw = one_vpc()
    raw.group("sg-default", "vpc-1", [permission("-1", None, None, "sg-default")], [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-default"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-default"], "10.0.2.5")
    assert say(raw, A, B, UDP, 53).passes


@pytest.mark.semantics(15)
def test_families_are_told_apart() -> None:
    raw = two_interfaces(one_vpc(), [permission("tcp", 443, 443, "0.0.0.0/0")])
    assert say(raw, A, B).passes
    assert by(raw, A6, B6) == "ingress group"


@pytest.mark.semantics(16, 17)
def test_protocols_by_number_and_without_ports() -> None:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    numbered = two_interfaces(one_vpc(), [permission("6", 443, 443, "0.0.0.0/0")])
    assert [by(numbered, A, B, each) for each in (TCP, UDP)] == ["delivered", "ingress group"]
    sctp = two_interfaces(one_vpc(), [permission("132", 9, 9, "0.0.0.0/0")])
    assert say(sctp, A, B, 132, 5000).passes
    everything = two_interfaces(one_vpc(), [permission("-1", 22, 22, "0.0.0.0/0")])
    assert say(everything, A, B, 50).passes


@pytest.mark.semantics(18)
def test_icmp_rules_hold_type_and_code() -> None:
    raw = two_interfaces(one_vpc(), [permission("icmp", 3, 4, "0.0.0.0/0"), permission("icmp", 8, -1, "0.0.0.0/0")])
    verdicts = [by(raw, A, B, ICMP, icmp(*each)) for each in ((3, 4), (3, 3), (8, 0), (0, 0))]
    assert verdicts == ["delivered", "ingress group", "delivered", "ingress group"]


@pytest.mark.semantics(20)
def test_a_prefix_list_is_the_sum_of_its_entries() -> None:
    raw = two_interfaces(one_vpc(), [permission("tcp", 443, 443, "pl-1")])
    raw.prefix_list("pl-1", "10.9.0.0/16", "10.0.1.4/31")
    assert say(raw, A, B).passes
    assert by(raw, A6, B6) == "ingress group"


@pytest.mark.semantics(26)
def test_inside_a_subnet_no_acl_and_no_route_decides() -> None:
    raw = one_vpc(("10.0.1.0/24", "eni-gone", "blackhole"))
    raw.acl("acl-shut", "vpc-1", subnets=["subnet-a"])
    raw.group("sg-all", "vpc-1", [ALL], [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-all"], "10.0.1.5")
    raw.interface("eni-c", "vpc-1", "subnet-a", ["sg-all"], "10.0.1.6")
    assert say(raw, A, "eni-c@10.0.1.6").passes


@pytest.mark.semantics(23)
def test_the_lowest_acl_number_decides() -> None:
    raw = two_interfaces(one_vpc())
    raw.acl(
        "acl-b", "vpc-1",
        entry(300, "allow", "0.0.0.0/0"), entry(200, "deny", "10.0.1.0/24", protocol=TCP, limits=(443, 443)),
        entry(100, "allow", "10.0.1.8/29", protocol=TCP, limits=(0, 65535)),
        entry(100, "allow", "0.0.0.0/0", egress=True), subnets=["subnet-b"],
    )  # fmt: skip
    raw.interface("eni-c", "vpc-1", "subnet-a", ["sg-client"], "10.0.1.9")
    assert by(raw, A, B) == "ingress acl"
    assert say(raw, A, B, TCP, 444).passes
    assert say(raw, "eni-c@10.0.1.9", B).passes


@pytest.mark.semantics(24, 25)
def test_the_reply_needs_the_port_that_the_client_chose() -> None:
    # https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
    raw = two_interfaces(one_vpc())
    raw.acl(
        "acl-b", "vpc-1", entry(100, "allow", "0.0.0.0/0"),
        entry(100, "allow", "0.0.0.0/0", egress=True, protocol=TCP, limits=(32768, 60999)), subnets=["subnet-b"],
    )  # fmt: skip
    ports = (1024, 32767, 32768, 60999, 61000)
    verdicts = [by(raw, A, B, source_port=port) for port in ports]
    assert verdicts == ["reply acl", "reply acl", "delivered", "delivered", "reply acl"]


@pytest.mark.semantics(24)
def test_an_echo_reply_is_another_type() -> None:
    raw = two_interfaces(one_vpc())
    raw.acl(
        "acl-b", "vpc-1", entry(100, "allow", "0.0.0.0/0"), entry(101, "allow", "::/0"),
        entry(100, "allow", "0.0.0.0/0", egress=True, protocol=ICMP, limits=(8, -1)),
        entry(101, "allow", "::/0", egress=True, protocol=ICMPV6, limits=(129, -1)), subnets=["subnet-b"],
    )  # fmt: skip
    assert by(raw, A, B, ICMP, icmp(8)) == "reply acl"
    assert say(raw, A6, B6, ICMPV6, icmp(128)).passes
    assert say(raw, A, B, ICMP, icmp(3, 1)).passes  # nobody answers "unreachable"


@pytest.mark.semantics(27, 28)
def test_a_subnet_without_acl_has_the_default_and_a_new_acl_denies() -> None:
    raw = two_interfaces(one_vpc())
    raw.acl("acl-new", "vpc-1", subnets=["subnet-a"])
    assert by(raw, A, B) == "egress acl"
    assert by(raw, B, A) == "egress group"
    assert say(two_interfaces(one_vpc()), A, B).passes


@pytest.mark.semantics(29)
def test_acl_entries_of_one_family_do_not_touch_the_other() -> None:
    raw = two_interfaces(one_vpc())
    raw.acl(
        "acl-b", "vpc-1", entry(100, "deny", "::/0"), entry(110, "allow", "0.0.0.0/0"),
        entry(100, "allow", "0.0.0.0/0", egress=True), subnets=["subnet-b"],
    )  # fmt: skip
    assert say(raw, A, B).passes
    assert by(raw, A6, B6) == "ingress acl"


@pytest.mark.semantics(31)
def test_a_longer_route_beats_the_local_one() -> None:
    # https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
    raw = one_vpc(("10.0.2.0/24", "eni-gone", "blackhole"))
    assert by(two_interfaces(raw), A, B) == "route"


@pytest.mark.semantics(31)
def test_a_static_route_beats_a_propagated_one() -> None:
    raw = one_vpc(("172.16.0.0/12", "vgw-1", "propagated"), ("172.16.0.0/12", "pcx-gone", "blackhole"))
    assert by(two_interfaces(raw), A, SITE) == "route"
    raw = one_vpc(("172.16.0.0/12", "vgw-1", "propagated"), ("172.0.0.0/8", "pcx-gone", "blackhole"))
    assert say(two_interfaces(raw), A, SITE).passes


@pytest.mark.semantics(32)
def test_the_answer_needs_a_route_and_a_table_of_ones_own_replaces_the_main_one() -> None:
    raw = two_interfaces(one_vpc())
    raw.table("rtb-b", "vpc-1", ("10.0.1.0/24", "eni-gone", "blackhole"), subnets=["subnet-b"])
    assert by(raw, A, B) == "return route"


@pytest.mark.semantics(33)
def test_the_internet_needs_a_public_address_and_a_route_back() -> None:
    # https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
    raw = public_server(("0.0.0.0/0", "igw-1"))
    assert say(raw, OUTSIDE, A).passes
    assert say(raw, A, OUTSIDE).passes
    assert by(raw, OUTSIDE, B) == "public"
    assert by(raw, B, OUTSIDE) == "public"
    assert by(raw, OUTSIDE_SIX, A6) == "return route"
    assert by(public_server(), OUTSIDE, A) == "return route"
    assert by(public_server(), A, OUTSIDE) == "route"


@pytest.mark.semantics(129)
def test_a_global_ipv6_address_is_public_without_an_ipv4_one() -> None:
    raw = public_server(("::/0", "igw-1"))
    assert say(raw, OUTSIDE_SIX, B6).passes
    assert say(raw, B6, OUTSIDE_SIX).passes


@pytest.mark.semantics(33)
def test_an_egress_only_gateway_opens_nothing_inwards() -> None:
    raw = public_server(("::/0", "eigw-1"))
    raw.internet_gateway("eigw-1", "vpc-1", egress_only=True)
    assert say(raw, B6, OUTSIDE_SIX).passes
    assert by(raw, OUTSIDE_SIX, B6) == "return route"


@pytest.mark.semantics(34)
def test_a_nat_gateway_lets_out_and_not_in() -> None:
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    assert say(behind_nat(), B, OUTSIDE) == Decision(passes=True, by="delivered", translated=True)
    assert by(behind_nat(), OUTSIDE, B) == "public"
    assert by(behind_nat(), B, OUTSIDE, 50) == "public"  # TCP, UDP and ICMP only


@pytest.mark.semantics(34)
def test_acls_of_both_subnets_judge_what_a_nat_gateway_carries() -> None:
    client, world = "10.0.2.0/24", "0.0.0.0/0"
    inwards, onwards = entry(100, "allow", client), entry(100, "allow", world, egress=True)
    assert by(behind_nat(onwards), B, OUTSIDE) == "ingress acl"
    assert by(behind_nat(inwards), B, OUTSIDE) == "egress acl"
    answers = entry(110, "allow", world, protocol=TCP, limits=(1024, 65535))
    raw = behind_nat(inwards, onwards, answers)
    assert say(raw, B, OUTSIDE, nat_port=1024, source_port=500).passes
    assert by(raw, B, OUTSIDE, nat_port=1023) == "reply acl"
    late = entry(90, "deny", client, egress=True, protocol=TCP, limits=(50000, 50000))
    raw = behind_nat(inwards, onwards, answers, late)
    assert by(raw, B, OUTSIDE, source_port=50000) == "reply acl"


@pytest.mark.semantics(123)
def test_blocked_public_access_stands_above_routes() -> None:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessOptions.html
    raw = public_server(("0.0.0.0/0", "igw-1"))
    raw.block_public_access("block-bidirectional")
    assert (by(raw, OUTSIDE, A), by(raw, A, OUTSIDE)) == ("public", "public")
    raw.exclude("subnet-a", "allow-egress")
    assert (by(raw, OUTSIDE, A), by(raw, A, OUTSIDE)) == ("public", "delivered")
    nat = behind_nat()
    nat.block_public_access("block-ingress")
    assert say(nat, B, OUTSIDE).passes


@pytest.mark.semantics(6)
def test_a_named_group_does_not_match_a_public_address() -> None:
    raw = one_vpc(("0.0.0.0/0", "igw-1"))
    raw.internet_gateway("igw-1", "vpc-1")
    raw.group("sg-all", "vpc-1", [permission("-1", None, None, "sg-all")], [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-all"], ("10.0.1.5", "203.0.113.5"))
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-all"], ("10.0.2.5", "203.0.113.6"))
    assert say(raw, A, B).passes
    assert by(raw, A, "eni-b@203.0.113.6") == "ingress group"


ONE, TWO = "eni-1@10.1.1.5", "eni-2@10.2.1.5"
THERE, BACK = ("vpc-1", "10.2.0.0/16", "pcx-1"), ("vpc-2", "10.1.0.0/16", "pcx-1")


@pytest.mark.semantics(7, 36)
def test_a_peering_needs_both_routes_and_carries_groups() -> None:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
    assert say(two_vpcs(THERE, BACK), ONE, TWO).passes
    assert by(two_vpcs(THERE), ONE, TWO) == "return route"
    assert by(two_vpcs(BACK), ONE, TWO) == "route"
    assert by(two_vpcs(THERE, BACK, status="pending-acceptance"), ONE, TWO) == "peering"


@pytest.mark.semantics(8)
def test_over_a_peering_of_two_regions_no_group_matches() -> None:
    assert by(two_vpcs(THERE, BACK, region="us-east-1"), ONE, TWO) == "ingress group"
    assert say(two_vpcs(THERE, BACK, region="us-east-1", ingress="10.1.0.0/16"), ONE, TWO).passes


@pytest.mark.semantics(36, 37)
def test_a_peering_leads_no_further() -> None:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    raw = two_vpcs(THERE, BACK, ("vpc-1", "0.0.0.0/0", "pcx-1"), ("vpc-2", "0.0.0.0/0", "igw-2"))
    raw.internet_gateway("igw-2", "vpc-2")
    assert by(raw, ONE, OUTSIDE) == "peering"


FULL = (("10.1.0.0/16", "tgw-attach-1", "propagated"), ("10.2.0.0/16", "tgw-attach-2", "propagated"))


@pytest.mark.semantics(11)
def test_groups_cross_a_transit_gateway_inwards_where_it_shares_them() -> None:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
    assert say(over_transit(*FULL), ONE, TWO).passes
    assert by(over_transit(*FULL, shares=False), ONE, TWO) == "ingress group"
    assert by(over_transit(*FULL, egress="sg-2"), ONE, TWO) == "egress group"


@pytest.mark.semantics(38)
def test_the_association_of_the_sender_picks_the_table() -> None:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-route-tables.html
    assert by(over_transit(*FULL, table="tgw-rtb-2"), ONE, TWO) == "transit"
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables-associate.html: it may have a policy table instead.
    assert say(over_transit(*FULL, table=""), ONE, TWO) == Decision(passes=False, by="transit", certain=False)
    assert by(over_transit(FULL[0]), ONE, TWO) == "transit"
    assert by(over_transit(FULL[1]), ONE, TWO) == "return route"
    assert by(over_transit(*FULL, ("10.2.1.0/24", "", "static")), ONE, TWO) == "transit"
    assert by(over_transit(*FULL, ("10.2.0.0/16", "", "static")), ONE, TWO) == "transit"
    assert by(over_transit(*FULL, attached="deleting"), ONE, TWO) == "transit"


@pytest.mark.semantics(39)
def test_a_transit_attachment_serves_its_zones_and_its_subnets_acls_apply() -> None:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
    assert by(over_transit(*FULL, zone="b"), ONE, TWO) == "return route"
    raw = over_transit(*FULL)
    raw.acl("acl-t", "vpc-2", entry(100, "allow", "0.0.0.0/0"), subnets=["subnet-2t"])
    assert by(raw, ONE, TWO) == "egress acl"
    raw = over_transit(*FULL)
    raw.acl("acl-t", "vpc-1", entry(100, "allow", "10.1.0.0/16"), entry(100, "allow", "0.0.0.0/0", egress=True),
            subnets=["subnet-1t"])  # fmt: skip
    assert say(raw, ONE, TWO).passes  # what comes from the gateway is not asked about inwards, nor what goes to it


@pytest.mark.semantics(35)
def test_an_appliance_on_the_path_is_no_certain_answer() -> None:
    raw = two_interfaces(one_vpc(("10.0.2.0/24", "eni-appliance")))
    assert say(raw, A, B) == Decision(passes=False, by="appliance", certain=False)
    assert say(two_interfaces(one_vpc(("10.0.2.0/24", "eni-b"))), A, B).passes  # it is the machine itself


@pytest.mark.semantics(46)
def test_an_end_is_an_interface_and_not_an_address_alone() -> None:
    raw = two_vpcs(THERE, BACK)
    raw.vpc("vpc-3", "10.2.0.0/16")
    raw.subnet("subnet-3", "vpc-3", "10.2.1.0/24")
    raw.table("rtb-3", "vpc-3", main=True)
    raw.open_acl("acl-3", "vpc-3")
    raw.group("sg-3", "vpc-3", [ALL], [ALL])
    raw.interface("eni-3", "vpc-3", "subnet-3", ["sg-3"], "10.2.1.5")
    assert say(raw, ONE, TWO).passes
    assert by(raw, ONE, "eni-3@10.2.1.5") == "route"


@pytest.mark.semantics(37)
def test_on_premises_comes_in_where_the_answer_goes_back() -> None:
    raw = two_interfaces(one_vpc(("172.16.0.0/12", "vgw-1", "propagated")))
    assert say(raw, SITE, B).passes
    assert by(raw, "192.168.0.1", B) == "return route"
    raw.acl("acl-b", "vpc-1", entry(100, "allow", "0.0.0.0/0", egress=True), subnets=["subnet-b"])
    assert by(raw, SITE, B) == "ingress acl"
