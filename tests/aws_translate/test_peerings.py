"""What a peering tells of the VPC at its other end, whether that one was read or not."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Peering
from cloudseg.traffic import NO_ADDRESSES, AddressSet

Translated = Callable[..., Estate]
THERE = {
    "VpcId": "vpc-9", "OwnerId": "444455556666", "Region": "us-east-1", "CidrBlock": "10.9.0.0/16",
    "CidrBlockSet": [{"CidrBlock": "10.9.0.0/16"}, {"CidrBlock": "100.64.0.0/20"}],
    "Ipv6CidrBlockSet": [{"Ipv6CidrBlock": "2600:1f18:9::/56"}],
}  # fmt: skip
HERE = {"VpcId": "vpc-1", "OwnerId": "111122223333", "Region": "eu-west-1", "CidrBlock": "10.1.0.0/16"}


def peering(translated: Translated, requester: Any, accepter: Any) -> tuple[Peering, Estate]:
    wire = {
        "VpcPeeringConnectionId": "pcx-1", "RequesterVpcInfo": requester, "AccepterVpcInfo": accepter,
        "Status": {"Code": "active"},
    }  # fmt: skip
    estate = translated({"ec2.describe_vpc_peering_connections": [wire]})
    (found,) = estate.peerings.values()
    return found, estate


@pytest.mark.semantics(36)
def test_a_peering_tells_all_ranges_and_the_owner_of_either_side(translated: Translated) -> None:
    found, _ = peering(translated, HERE, THERE)
    theirs = AddressSet.parse("10.9.0.0/16, 100.64.0.0/20, 2600:1f18:9::/56")
    assert found.ranges == (AddressSet.parse("10.1.0.0/16"), theirs)
    assert found.owners == ("111122223333", "444455556666")


@pytest.mark.semantics(36)
def test_the_ranges_stand_in_the_order_of_the_networks(translated: Translated) -> None:
    found, _ = peering(translated, THERE, HERE)
    assert found.networks == ("aws:444455556666:us-east-1:vpc-9", "aws:111122223333:eu-west-1:vpc-1")
    assert found.ranges[1] == AddressSet.parse("10.1.0.0/16")
    assert found.owners == ("444455556666", "111122223333")


@pytest.mark.semantics(36)
def test_a_side_that_tells_nothing_has_no_known_range(translated: Translated) -> None:
    found, estate = peering(translated, HERE, {"VpcId": "vpc-9"})
    assert (found.ranges[1], found.owners[1], estate.gaps) == (NO_ADDRESSES, "", ())


def test_a_range_that_is_none_is_a_gap_and_spares_the_others(translated: Translated) -> None:
    found, estate = peering(translated, HERE, THERE | {"CidrBlock": "nowhere"})
    assert AddressSet.parse("100.64.0.0/20") <= found.ranges[1]
    assert [(gap.resource, gap.reason, gap.facets) for gap in estate.gaps] == [("pcx-1", "malformed", ("peerings",))]
