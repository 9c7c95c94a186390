"""Small estates made by hand, which tests change in one point."""

from __future__ import annotations

from tests.oracle.raw import Raw, permission

__all__ = ["ALL", "behind_nat", "one_vpc", "over_transit", "public_server", "two_interfaces", "two_vpcs"]

ALL = permission("-1", None, None, "0.0.0.0/0", "::/0")


def one_vpc(*routes: tuple[str, str] | tuple[str, str, str]) -> Raw:
    """Two subnets in two zones, an interface in each, and everything open."""
    raw = Raw()
    raw.vpc("vpc-1", "10.0.0.0/16", "2001:db8:1::/56")
    raw.subnet("subnet-a", "vpc-1", "10.0.1.0/24", "2001:db8:1:1::/64")
    raw.subnet("subnet-b", "vpc-1", "10.0.2.0/24", "2001:db8:1:2::/64", zone="b")
    raw.table("rtb-1", "vpc-1", *routes, main=True)
    raw.open_acl("acl-1", "vpc-1")
    return raw


def two_interfaces(raw: Raw, ingress: list[dict[str, object]] | None = None) -> Raw:
    raw.group("sg-client", "vpc-1", egress=[ALL])
    raw.group("sg-server", "vpc-1", ingress=[ALL] if ingress is None else ingress)
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-client"], "10.0.1.5", "2001:db8:1:1::5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-server"], "10.0.2.5", "2001:db8:1:2::5")
    return raw


def public_server(*routes: tuple[str, str] | tuple[str, str, str]) -> Raw:
    raw = one_vpc(*routes)
    raw.internet_gateway("igw-1", "vpc-1")
    raw.group("sg-all", "vpc-1", [ALL], [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-all"], ("10.0.1.5", "203.0.113.5"), "2001:db8:1:1::5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-all"], "10.0.2.5", "2001:db8:1:2::5")
    return raw


def behind_nat(*inner: dict[str, object]) -> Raw:
    """``subnet-b`` goes out by a NAT gateway in ``subnet-a``, whose network ACL has these entries."""
    raw = one_vpc(("0.0.0.0/0", "nat-1"))
    raw.table("rtb-a", "vpc-1", ("0.0.0.0/0", "igw-1"), subnets=["subnet-a"])
    raw.internet_gateway("igw-1", "vpc-1")
    raw.nat("nat-1", "vpc-1", "subnet-a", "10.0.1.20", "203.0.113.20")
    raw.group("sg-out", "vpc-1", egress=[ALL])
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-out"], "10.0.2.5", "2001:db8:1:2::5")
    if inner:
        raw.acl("acl-nat", "vpc-1", *inner, subnets=["subnet-a"])
    return raw


def two_vpcs(
    *routes: tuple[str, str, str], status: str = "active", ingress: str = "sg-1", region: str = "eu-west-1"
) -> Raw:
    """``vpc-1`` and ``vpc-2`` with a peering; a route is VPC, destination and target."""
    raw = Raw()
    for n, at in ((1, "eu-west-1"), (2, region)):
        raw.vpc(f"vpc-{n}", f"10.{n}.0.0/16", region=at)
        raw.subnet(f"subnet-{n}", f"vpc-{n}", f"10.{n}.1.0/24")
        raw.table(f"rtb-{n}", f"vpc-{n}", *((r[1], r[2]) for r in routes if r[0] == f"vpc-{n}"), main=True)
        raw.open_acl(f"acl-{n}", f"vpc-{n}")
        raw.group(f"sg-{n}", f"vpc-{n}", [permission("-1", None, None, ingress)], [ALL])
        raw.interface(f"eni-{n}", f"vpc-{n}", f"subnet-{n}", [f"sg-{n}"], f"10.{n}.1.5")
    raw.peering("pcx-1", "vpc-1", "vpc-2", status=status)
    return raw


def over_transit(
    *routes: tuple[str, str, str], shares: bool = True, ingress: str = "sg-1", zone: str = "a",
    table: str = "tgw-rtb-1", attached: str = "available", egress: str = "0.0.0.0/0",
) -> Raw:  # fmt: skip
    """Two VPCs on a transit gateway with these routes; ``zone`` is where ``eni-2`` is, the attachment is in ``a``."""
    raw = Raw()
    for n in (1, 2):
        raw.vpc(f"vpc-{n}", f"10.{n}.0.0/16")
        raw.subnet(f"subnet-{n}", f"vpc-{n}", f"10.{n}.1.0/24", zone=zone if n == 2 else "a")
        raw.subnet(f"subnet-{n}t", f"vpc-{n}", f"10.{n}.9.0/28")
        raw.table(f"rtb-{n}", f"vpc-{n}", ("10.0.0.0/8", "tgw-1"), main=True)
        raw.open_acl(f"acl-{n}", f"vpc-{n}")
        raw.group(
            f"sg-{n}", f"vpc-{n}", [permission("-1", None, None, ingress)], [permission("-1", None, None, egress)]
        )
        raw.interface(f"eni-{n}", f"vpc-{n}", f"subnet-{n}", [f"sg-{n}"], f"10.{n}.1.5")
        used = table if n == 1 else "tgw-rtb-1"
        raw.attachment(f"tgw-attach-{n}", "tgw-1", f"vpc-{n}", [f"subnet-{n}t"], used, state=attached)
    raw.transit_gateway("tgw-1", shares=shares)
    raw.transit_table("tgw-rtb-1", "tgw-1", *routes)
    raw.transit_table("tgw-rtb-2", "tgw-1", ("10.2.0.0/16", "", "static"))
    return raw
