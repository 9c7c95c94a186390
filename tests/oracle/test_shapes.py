"""Estates made by hand, one point of the vendor's pages each, on which engine and oracle agree about every pair.

Random estates find such points; what they found stays here in its least form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oracle.compare import Harness
from tests.oracle.packet import TCP
from tests.oracle.packets import every_pair
from tests.oracle.raw import Raw, entry, permission
from tests.oracle.shapes import ALL, behind_nat, one_vpc, over_transit, public_server, two_interfaces, two_vpcs

if TYPE_CHECKING:
    from collections.abc import Iterable

WORLD = "0.0.0.0/0"
EVERYTHING = (entry(100, "allow", WORLD), entry(100, "allow", WORLD, egress=True))
THERE, BACK = ("vpc-1", "10.2.0.0/16", "pcx-1"), ("vpc-2", "10.1.0.0/16", "pcx-1")
FULL = (("10.1.0.0/16", "tgw-attach-1", "propagated"), ("10.2.0.0/16", "tgw-attach-2", "propagated"))


def agree(raw: Raw) -> None:
    harness = Harness(raw.answers)
    assert not harness.estate.gaps
    found = [*harness.disagreements(every_pair(harness.read), thorough=True)]
    assert not found, "\n".join(map(str, found[:5]))


@pytest.mark.semantics(4)
def test_two_subnets() -> None:
    agree(two_interfaces(one_vpc()))


@pytest.mark.semantics(33)
@pytest.mark.parametrize("routes", [[], [(WORLD, "igw-1")], [("::/0", "igw-1")], [(WORLD, "igw-1"), ("::/0", "igw-1")]])
def test_a_public_server(routes: list[tuple[str, str]]) -> None:
    agree(public_server(*routes))


@pytest.mark.semantics(33)
def test_an_egress_only_gateway() -> None:
    raw = public_server(("::/0", "eigw-1"))
    raw.internet_gateway("eigw-1", "vpc-1", egress_only=True)
    agree(raw)


@pytest.mark.semantics(123)
@pytest.mark.parametrize("mode", ["block-bidirectional", "block-ingress"])
@pytest.mark.parametrize("excluded", ["", "allow-egress", "allow-bidirectional"])
def test_blocked_public_access(mode: str, excluded: str) -> None:
    for raw in (public_server((WORLD, "igw-1"), ("::/0", "igw-1")), behind_nat()):
        raw.block_public_access(mode)
        # "Only applies when VPC Block Public Access is set to Bidirectional":
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessExclusion.html
        if excluded:
            raw.exclude("vpc-1", excluded)
        agree(raw)


@pytest.mark.semantics(34)
def test_a_nat_gateway_carries_tcp_udp_and_icmp_only() -> None:
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    agree(behind_nat())


@pytest.mark.semantics(34)
@pytest.mark.parametrize(
    "entries",
    [
        [entry(100, "allow", "10.0.2.0/24"), entry(100, "allow", WORLD, egress=True)],
        [entry(100, "allow", WORLD), entry(90, "deny", "10.0.2.0/24", egress=True), EVERYTHING[1]],
        [*EVERYTHING, entry(90, "deny", "10.0.2.0/24", egress=True, protocol=TCP, limits=(3306, 49152))],
        [*EVERYTHING, entry(90, "deny", WORLD, protocol=TCP, limits=(3306, 49152))],
        [*EVERYTHING, entry(90, "deny", WORLD, egress=True, protocol=TCP, limits=(443, 443))],
    ],
    ids=["no answer in", "no answer on", "some answers on", "some answers in", "no question out"],
)
def test_acls_of_a_nat_gateways_subnet(entries: Iterable[dict[str, object]]) -> None:
    agree(behind_nat(*entries))


@pytest.mark.semantics(31, 34)
def test_a_nat_gateway_whose_subnet_has_no_way_back_to_the_client() -> None:
    raw = one_vpc((WORLD, "nat-1"))
    raw.table("rtb-a", "vpc-1", (WORLD, "igw-1"), ("10.0.2.0/24", "eni-gone", "blackhole"), subnets=["subnet-a"])
    raw.internet_gateway("igw-1", "vpc-1")
    raw.nat("nat-1", "vpc-1", "subnet-a", "10.0.1.20", "203.0.113.20")
    raw.group("sg-out", "vpc-1", egress=[ALL])
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-out"], "10.0.2.5")
    agree(raw)


def through_nat_to_a_peer(inner: Iterable[dict[str, object]] = (), *, back: bool = True) -> Raw:
    """A NAT gateway in ``subnet-n`` of ``vpc-1``, whose table leads to ``vpc-2``."""
    raw = Raw()
    raw.vpc("vpc-1", "10.1.0.0/16")
    raw.subnet("subnet-1", "vpc-1", "10.1.1.0/24")
    raw.subnet("subnet-n", "vpc-1", "10.1.2.0/24")
    raw.table("rtb-1", "vpc-1", (WORLD, "nat-1"), main=True)
    raw.table("rtb-n", "vpc-1", ("10.2.0.0/16", "pcx-1"), subnets=["subnet-n"])
    raw.open_acl("acl-1", "vpc-1")
    raw.acl("acl-n", "vpc-1", *(inner or EVERYTHING), subnets=["subnet-n"])
    raw.nat("nat-1", "vpc-1", "subnet-n", "10.1.2.20", "203.0.113.20")
    raw.vpc("vpc-2", "10.2.0.0/16")
    raw.subnet("subnet-2", "vpc-2", "10.2.1.0/24")
    raw.table("rtb-2", "vpc-2", *([("10.1.0.0/16", "pcx-1")] if back else []), main=True)
    raw.open_acl("acl-2", "vpc-2")
    raw.peering("pcx-1", "vpc-1", "vpc-2")
    raw.group("sg-1", "vpc-1", egress=[ALL])
    raw.group("sg-2", "vpc-2", ingress=[permission("tcp", 443, 443, WORLD), permission("-1", None, None, "sg-1")])
    raw.interface("eni-1", "vpc-1", "subnet-1", ["sg-1"], "10.1.1.5")
    raw.interface("eni-2", "vpc-2", "subnet-2", ["sg-2"], "10.2.1.5")
    return raw


@pytest.mark.semantics(10, 34)
def test_a_nat_gateway_on_the_way_to_a_peer() -> None:
    agree(through_nat_to_a_peer())


@pytest.mark.semantics(34)
def test_a_nat_gateway_on_the_way_to_a_peer_that_has_no_way_back() -> None:
    agree(through_nat_to_a_peer(back=False))


@pytest.mark.semantics(34)
def test_a_nat_gateway_on_the_way_to_a_peer_behind_an_acl() -> None:
    agree(through_nat_to_a_peer([entry(100, "allow", WORLD, egress=True)]))
    agree(through_nat_to_a_peer([entry(100, "allow", WORLD)]))


@pytest.mark.semantics(36)
def test_an_answer_that_a_nat_gateway_would_carry_never_returns() -> None:
    raw = two_vpcs(THERE)
    raw.subnet("subnet-n", "vpc-2", "10.2.2.0/24")
    raw.nat("nat-1", "vpc-2", "subnet-n", "10.2.2.20", "203.0.113.20")
    raw.table("rtb-2s", "vpc-2", (WORLD, "nat-1"), subnets=["subnet-2"])
    raw.table("rtb-2n", "vpc-2", BACK[1:], subnets=["subnet-n"])
    agree(raw)


@pytest.mark.semantics(7, 8, 36)
@pytest.mark.parametrize("routes", [[THERE, BACK], [THERE], [BACK], []])
def test_a_peering(routes: list[tuple[str, str, str]]) -> None:
    for status, region in (("active", "eu-west-1"), ("active", "us-east-1"), ("pending-acceptance", "eu-west-1")):
        agree(two_vpcs(*routes, status=status, region=region))


@pytest.mark.semantics(11, 38)
@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("ingress", ["sg-1", "10.0.0.0/8"])
@pytest.mark.parametrize("routes", [FULL, FULL[:1], FULL[1:], (*FULL, ("10.2.1.0/24", "", "static"))])
def test_a_transit_gateway(routes: tuple[tuple[str, str, str], ...], ingress: str, shares: bool) -> None:  # noqa: FBT001 - a parameter of the test
    agree(over_transit(*routes, shares=shares, ingress=ingress))


@pytest.mark.semantics(39)
def test_a_zone_without_an_attachment() -> None:
    agree(over_transit(*FULL, zone="b"))


@pytest.mark.semantics(39)
@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.parametrize("egress", [True, False])
def test_acls_of_a_subnet_with_an_attachment(side: int, egress: bool) -> None:  # noqa: FBT001 - a parameter of the test
    raw = over_transit(*FULL, ingress=WORLD)
    raw.acl("acl-t", f"vpc-{side}", entry(100, "allow", WORLD, egress=egress), subnets=[f"subnet-{side}t"])
    agree(raw)


def shared_subnets(*entries: dict[str, object], blackhole: bool = False) -> Raw:
    """Two VPCs on a transit gateway, attached in the very subnets of their interfaces; entries are for ``vpc-2``."""
    raw = Raw()
    raw.transit_gateway("tgw-1")
    raw.transit_table("tgw-rtb-1", "tgw-1", *FULL)
    for n in (1, 2):
        raw.vpc(f"vpc-{n}", f"10.{n}.0.0/16")
        raw.subnet(f"subnet-{n}", f"vpc-{n}", f"10.{n}.1.0/24")
        trap = [("10.2.1.0/24", "eni-gone", "blackhole")] if n == 2 and blackhole else []
        raw.table(f"rtb-{n}", f"vpc-{n}", ("10.0.0.0/8", "tgw-1"), *trap, main=True)
        raw.open_acl(f"acl-{n}", f"vpc-{n}")
        raw.group(f"sg-{n}", f"vpc-{n}", [ALL], [ALL])
        raw.interface(f"eni-{n}", f"vpc-{n}", f"subnet-{n}", [f"sg-{n}"], f"10.{n}.1.5")
        raw.attachment(f"tgw-attach-{n}", "tgw-1", f"vpc-{n}", [f"subnet-{n}"], "tgw-rtb-1")
    if entries:
        raw.acl("acl-2x", "vpc-2", *entries, subnets=["subnet-2"])
    return raw


@pytest.mark.semantics(39)
@pytest.mark.parametrize("entries", [[], [EVERYTHING[0]], [EVERYTHING[1]], [entry(100, "allow", "10.2.0.0/16")]])
def test_an_attachment_in_the_interfaces_own_subnet(entries: list[dict[str, object]]) -> None:
    # Towards the gateway outbound rules and inbound rules are asked, from it neither:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
    agree(shared_subnets(*entries))


@pytest.mark.semantics(31, 39)
def test_no_route_decides_between_an_attachment_and_an_interface_of_its_subnet() -> None:
    agree(shared_subnets(blackhole=True))


def there_by_peering_and_back_by_transit(*, side: int = 0, egress: bool = True) -> Raw:
    """``eni-1`` calls over the peering, ``eni-2`` answers over the transit gateway; one attachment may have an ACL."""
    raw = over_transit(*FULL, ingress=WORLD)
    raw.peering("pcx-1", "vpc-1", "vpc-2")
    raw.table("rtb-1s", "vpc-1", THERE[1:], subnets=["subnet-1"])
    if side:
        raw.acl("acl-t", f"vpc-{side}", entry(100, "allow", WORLD, egress=egress), subnets=[f"subnet-{side}t"])
    return raw


@pytest.mark.semantics(36, 38)
def test_an_answer_by_another_way() -> None:
    agree(there_by_peering_and_back_by_transit())


@pytest.mark.semantics(24, 39)
@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.parametrize("egress", [True, False])
def test_an_answer_by_another_way_meets_the_acls_of_that_way(side: int, egress: bool) -> None:  # noqa: FBT001 - a parameter of the test
    agree(there_by_peering_and_back_by_transit(side=side, egress=egress))


@pytest.mark.semantics(36, 39)
@pytest.mark.parametrize("peering_first", [True, False])
def test_an_answer_by_another_way_past_an_attachment_in_the_own_subnet(peering_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    raw = shared_subnets()
    raw.peering("pcx-1", "vpc-1", "vpc-2")
    side, route = ("1", THERE) if peering_first else ("2", BACK)
    raw.table(f"rtb-{side}s", f"vpc-{side}", route[1:], subnets=[f"subnet-{side}"])
    agree(raw)


@pytest.mark.semantics(29, 34)
def test_what_an_acl_says_of_ipv6_does_not_help_through_a_nat_gateway() -> None:
    agree(behind_nat(entry(90, "deny", "10.0.2.0/24"), *EVERYTHING, entry(101, "allow", "::/0")))


def two_six(*routes: tuple[str, str, str]) -> Raw:
    """Two VPCs with IPv6 and internet gateways, and a peering."""
    raw = Raw()
    for n in (1, 2):
        raw.vpc(f"vpc-{n}", f"10.{n}.0.0/16", f"2001:db8:{n}::/56")
        raw.subnet(f"subnet-{n}", f"vpc-{n}", f"10.{n}.1.0/24", f"2001:db8:{n}:1::/64")
        raw.table(f"rtb-{n}", f"vpc-{n}", *((r[1], r[2]) for r in routes if r[0] == f"vpc-{n}"), main=True)
        raw.open_acl(f"acl-{n}", f"vpc-{n}")
        raw.group(f"sg-{n}", f"vpc-{n}", [ALL, permission("-1", None, None, "sg-1")], [ALL])
        raw.interface(f"eni-{n}", f"vpc-{n}", f"subnet-{n}", [f"sg-{n}"], f"10.{n}.1.5", f"2001:db8:{n}:1::5")
        raw.internet_gateway(f"igw-{n}", f"vpc-{n}")
        raw.internet_gateway(f"eigw-{n}", f"vpc-{n}", egress_only=True)
    raw.peering("pcx-1", "vpc-1", "vpc-2")
    return raw


@pytest.mark.semantics(33, 129)
@pytest.mark.parametrize("two", [("::/0", "igw-2"), ("::/0", "eigw-2"), ("2001:db8:1::/56", "pcx-1")])
@pytest.mark.parametrize("one", [("::/0", "igw-1"), ("::/0", "eigw-1"), ("2001:db8:2::/56", "pcx-1")])
def test_two_vpcs_that_meet_on_the_internet(one: tuple[str, str], two: tuple[str, str]) -> None:
    agree(two_six(("vpc-1", *one), ("vpc-2", *two)))


@pytest.mark.semantics(46)
def test_two_vpcs_of_one_range() -> None:
    raw = two_vpcs(THERE, BACK, ingress="10.0.0.0/8")
    raw.vpc("vpc-3", "10.1.0.0/16")
    raw.subnet("subnet-3", "vpc-3", "10.1.1.0/24")
    raw.table("rtb-3", "vpc-3", ("10.2.0.0/16", "pcx-3"), main=True)
    raw.open_acl("acl-3", "vpc-3")
    raw.group("sg-3", "vpc-3", [ALL], [ALL])
    raw.interface("eni-3", "vpc-3", "subnet-3", ["sg-3"], "10.1.1.5")
    raw.peering("pcx-3", "vpc-3", "vpc-2")
    agree(raw)


@pytest.mark.semantics(24, 25)
@pytest.mark.parametrize("limits", [(1024, 65535), (32768, 60999), (0, 80), (1, 65535), (0, 65535)])
@pytest.mark.parametrize("action", ["allow", "deny"])
def test_client_ports(action: str, limits: tuple[int, int]) -> None:
    raw = two_interfaces(one_vpc())
    answers = [entry(90, action, WORLD, egress=True, protocol=TCP, limits=limits)]
    if action == "deny":
        answers.append(entry(100, "allow", WORLD, egress=True))
    raw.acl("acl-b", "vpc-1", entry(100, "allow", WORLD), *answers, subnets=["subnet-b"])
    agree(raw)
