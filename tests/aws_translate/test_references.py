"""What an interface refers to and no answer lists is a gap, and the part of the estate is read in part."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate

Translated = Callable[..., Estate]
INTERFACE = {
    "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "Groups": [{"GroupId": "sg-1"}],
}  # fmt: skip


def whole() -> dict[str, list[dict[str, Any]]]:
    return {
        "ec2.describe_network_interfaces": [INTERFACE],
        "ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
        "ec2.describe_subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}],
        "ec2.describe_security_groups": [
            {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": []}
        ],
    }


def test_what_is_listed_is_no_gap(translated: Translated) -> None:
    assert [gap for gap in translated(whole()).gaps if gap.reason == "not-found"] == []


@pytest.mark.parametrize(
    ("operation", "own", "facet"),
    [
        ("ec2.describe_vpcs", "vpc-1", "networks"),
        ("ec2.describe_subnets", "subnet-1", "subnets"),
        ("ec2.describe_security_groups", "sg-1", "groups"),
    ],
)
def test_what_is_referred_to_and_not_listed_is_a_gap(
    translated: Translated, operation: str, own: str, facet: str
) -> None:
    estate = translated(whole() | {operation: []})
    found = [(gap.what, gap.resource, gap.facets) for gap in estate.gaps if gap.reason == "not-found"]
    assert (operation, own, (facet,)) in found
    assert not estate.coverage.was_read(facet, "aws", "111122223333", "eu-west-1")


@pytest.mark.semantics(47)
def test_a_group_of_an_account_that_is_no_part_of_the_snapshot_is_a_gap(translated: Translated) -> None:
    shared = INTERFACE | {"OwnerId": "999900001111", "Groups": [{"GroupId": "sg-theirs"}]}
    estate = translated(whole() | {"ec2.describe_network_interfaces": [shared]})
    assert [(gap.scope, gap.resource) for gap in estate.gaps if gap.reason == "not-found"] == [
        ("999900001111", "sg-theirs")
    ]
