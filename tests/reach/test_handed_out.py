"""What a transit gateway hands out in the subnet of its own attachment: no network ACL is asked about it.

From the vendor's page on network ACLs and transit gateways. Of instances in the subnet of the association: towards the
gateway the outbound rules see the destination and the inbound rules the source; from the gateway to the instances,
neither inbound nor outbound rules are evaluated. In another subnet the inbound rules of the instances' subnet see the
source, and the outbound rules of the association's subnet the destination.
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
"""

import pytest

from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.oracle.compare import estate_of
from tests.oracle.raw import ACCOUNT, REGION, Raw, entry, permission
from tests.oracle.records import Json

ALL = permission("-1", None, None, "0.0.0.0/0")
DB = permission("tcp", 5432, 5432, "0.0.0.0/0")
PLACE = (ACCOUNT, REGION)
SITE = "172.20.0.9"


OUT, WITHIN = entry(100, "allow", "0.0.0.0/0", egress=True), entry(100, "allow", "10.9.0.0/16")


def spoke(*subnets: str, far: str = "vpn", table: str = "tgw-rtb-1", entries: tuple[Json, ...] = (WITHIN, OUT)) -> Raw:
    """``eni-s`` in ``subnet-s``, whose ACL lets in nothing but 10.9.0.0/16; everything goes to ``tgw-1``.

    The attachment has these subnets, of ``subnet-s`` (zone a), ``subnet-t`` (zone a) and ``subnet-u`` (zone b), which
    are open. Behind the gateway is the site 172.20.0.0/16, or a VPC of another account with these addresses.
    """
    raw = Raw()
    raw.vpc("vpc-s", "10.9.0.0/16")
    for own, cidr, zone in (("s", "10.9.1.0/24", "a"), ("t", "10.9.2.0/24", "a"), ("u", "10.9.3.0/24", "b")):
        raw.subnet(f"subnet-{own}", "vpc-s", cidr, zone=zone)
    raw.table("rtb-s", "vpc-s", ("0.0.0.0/0", "tgw-1"), main=True)
    raw.open_acl("acl-open", "vpc-s")
    raw.acl("acl-s", "vpc-s", *entries, subnets=["subnet-s"])
    raw.group("sg-s", "vpc-s", [DB], [ALL])
    raw.interface("eni-s", "vpc-s", "subnet-s", ["sg-s"], "10.9.1.5")
    raw.transit_gateway("tgw-1")
    raw.attachment("tgw-attach-s", "tgw-1", "vpc-s", subnets, table)
    raw.add(PLACE, "describe_transit_gateway_attachments", "TransitGatewayAttachments", {
        "TransitGatewayAttachmentId": "tgw-attach-far", "TransitGatewayId": "tgw-1", "TransitGatewayOwnerId": ACCOUNT,
        "ResourceOwnerId": ACCOUNT if far == "vpn" else "999999999999", "ResourceType": far, "State": "available",
        "ResourceId": "vpn-1" if far == "vpn" else "vpc-far",
        "Association": {"TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated"},
    })  # fmt: skip
    raw.transit_table("tgw-rtb-1", "tgw-1", ("10.9.0.0/16", "tgw-attach-s", "propagated"),
                      ("172.20.0.0/16", "tgw-attach-far", "propagated"))  # fmt: skip
    return raw


def bounds(raw: Raw, source: str, target: str, traffic: str) -> tuple[str, str]:
    """Return both bounds, on which the matrix and the explanation agree."""
    estate = estate_of(raw.answers)
    reach = Reachability(estate)
    names = {interface.own_id: name for name, interface in estate.interfaces.items()}
    one, other = (names.get(each) or AddressSet.parse(each) for each in (source, target))
    asked = Traffic.parse(traffic)
    found = reach.between(one, other)
    told = explain(reach, one, other, asked)
    both = str(found.lower & asked), str(found.upper & asked)
    assert (told.lower, told.upper) == both
    return both


# The way of the subnets decides: alone in the sender's own, alone in another one, or in both zones.
WAYS = [
    (("subnet-s",), "tcp/5432", "tcp/5432"),
    (("subnet-t",), "none", "none"),
    (("subnet-s", "subnet-u"), "none", "tcp/5432"),
]


@pytest.mark.semantics(39)
@pytest.mark.parametrize(("subnets", "lower", "upper"), WAYS)
def test_what_comes_from_behind_the_gateway_meets_no_acl_in_the_attachments_own_subnet(
    subnets: tuple[str, ...], lower: str, upper: str
) -> None:
    assert bounds(spoke(*subnets), SITE, "eni-s", "tcp/5432") == (lower, upper)


@pytest.mark.semantics(39)
@pytest.mark.parametrize(("subnets", "lower", "upper"), WAYS)
def test_answers_from_behind_the_gateway_meet_no_acl_in_the_attachments_own_subnet(
    subnets: tuple[str, ...], lower: str, upper: str
) -> None:
    raw = spoke(*subnets)
    # On the way into the gateway both directions are asked, and the inbound rules see the source, 10.9.1.5.
    assert bounds(raw, "eni-s", SITE, "tcp/5432") == (lower, upper)


@pytest.mark.semantics(39)
def test_on_the_way_to_the_gateway_the_attachments_own_acl_is_asked_in_both_directions() -> None:
    assert bounds(spoke("subnet-s", entries=(WITHIN, OUT)), "eni-s", SITE, "tcp/443") == ("tcp/443", "tcp/443")
    assert bounds(spoke("subnet-s", entries=(OUT,)), "eni-s", SITE, "tcp/443") == ("none", "none")
    assert bounds(spoke("subnet-s", entries=(WITHIN,)), "eni-s", SITE, "tcp/443") == ("none", "none")


@pytest.mark.semantics(39)
def test_a_vpc_of_an_unread_account_reaches_the_attachments_own_subnet_at_most() -> None:
    assert bounds(spoke("subnet-s", far="vpc"), SITE, "eni-s", "tcp/5432") == ("none", "tcp/5432")
    assert bounds(spoke("subnet-s", far="vpc"), "eni-s", SITE, "tcp/443") == ("none", "tcp/443")
    assert bounds(spoke("subnet-t", far="vpc"), SITE, "eni-s", "tcp/5432") == ("none", "none")


@pytest.mark.semantics(38, 39)
def test_without_a_route_table_anything_may_be_handed_out_in_the_attachments_own_subnet() -> None:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables-associate.html: the table may be one of policies.
    assert bounds(spoke("subnet-s", table=""), SITE, "eni-s", "tcp/5432") == ("none", "tcp/5432")
    assert bounds(spoke("subnet-s", table=""), "eni-s", SITE, "tcp/443") == ("none", "tcp/443")
    assert bounds(spoke("subnet-t", table=""), SITE, "eni-s", "tcp/5432") == ("none", "none")


@pytest.mark.semantics(39)
def test_where_the_attachments_subnets_were_not_read_any_may_be_one() -> None:
    raw = spoke("subnet-t")
    del raw.answers[ACCOUNT, REGION, "ec2", "describe_transit_gateway_vpc_attachments"]
    assert bounds(raw, SITE, "eni-s", "tcp/5432") == ("none", "tcp/5432")
    assert bounds(raw, "eni-s", SITE, "tcp/443") == ("none", "tcp/443")


def egress_vpc(*subnets: str) -> Raw:
    """The internet behind the gateway: ``vpc-e`` with ``nat-1`` in a public subnet, and the attachment apart."""
    raw = spoke(*subnets)
    raw.vpc("vpc-e", "10.8.0.0/16")
    raw.subnet("subnet-p", "vpc-e", "10.8.1.0/24", zone="a")
    raw.subnet("subnet-e", "vpc-e", "10.8.2.0/24", zone="a")
    raw.internet_gateway("igw-1", "vpc-e")
    raw.table("rtb-p", "vpc-e", ("0.0.0.0/0", "igw-1"), ("10.9.0.0/16", "tgw-1"), subnets=["subnet-p"])
    raw.table("rtb-e", "vpc-e", ("0.0.0.0/0", "nat-1"), subnets=["subnet-e"])
    raw.open_acl("acl-e", "vpc-e")
    raw.nat("nat-1", "vpc-e", "subnet-p", "10.8.1.9", "203.0.113.9")
    raw.attachment("tgw-attach-e", "tgw-1", "vpc-e", ["subnet-e"], "tgw-rtb-1")
    raw.transit_table("tgw-rtb-1", "tgw-1", ("10.9.0.0/16", "tgw-attach-s", "propagated"),
                      ("0.0.0.0/0", "tgw-attach-e", "static"))  # fmt: skip
    return raw


@pytest.mark.semantics(34, 39)
@pytest.mark.parametrize(
    ("subnets", "lower", "upper"),
    [(("subnet-s",), "tcp/443", "tcp/443"), (("subnet-t",), "none", "none")],
)
def test_answers_through_a_nat_gateway_of_another_vpc_meet_no_acl_in_the_attachments_own_subnet(
    subnets: tuple[str, ...], lower: str, upper: str
) -> None:
    assert bounds(egress_vpc(*subnets), "eni-s", "8.8.8.8", "tcp/443") == (lower, upper)
