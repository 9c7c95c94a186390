from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate
from cloudseg.traffic import AddressSet

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"
SUBNET = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}
OPTIONS = "ec2.describe_vpc_block_public_access_options"
EXCLUSIONS = "ec2.describe_vpc_block_public_access_exclusions"


def test_vpc_has_every_associated_range_and_no_other(translated: Translated) -> None:
    ranges = [
        {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "10.8.0.0/16", "CidrBlockState": {"State": "disassociated"}},
    ]
    ipv6 = [{"Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}}]
    vpc = {
        "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": ranges, "IsDefault": True,
        "Ipv6CidrBlockAssociationSet": ipv6, "Tags": [{"Key": "Name", "Value": "prod"}],
    }  # fmt: skip
    network = translated({"ec2.describe_vpcs": [vpc]}).networks[f"{NAME}vpc-1"]
    assert network.addresses == AddressSet.parse("10.0.0.0/16, 10.9.0.0/16, 2001:db8::/56")
    assert (network.is_default, network.name, network.pipeline) == (True, "prod", "aws")


def test_old_answer_without_association_set_keeps_its_range(translated: Translated) -> None:
    estate = translated({"ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]})
    assert estate.networks[f"{NAME}vpc-1"].addresses == AddressSet.parse("10.0.0.0/16")


@pytest.mark.semantics(46)
def test_vpcs_with_the_same_range_stay_two_networks(translated: Translated) -> None:
    vpcs = [{"VpcId": f"vpc-{number}", "CidrBlock": "10.0.0.0/16"} for number in (1, 2)]
    estate = translated({"ec2.describe_vpcs": vpcs}, others={"444455556666": {"ec2.describe_vpcs": vpcs[:1]}})
    assert sorted(estate.networks) == [
        "aws:111122223333:eu-west-1:vpc-1",
        "aws:111122223333:eu-west-1:vpc-2",
        "aws:444455556666:eu-west-1:vpc-1",
    ]


@pytest.mark.semantics(39)
def test_subnet_has_the_zone_by_name_and_by_the_id_that_all_accounts_share(translated: Translated) -> None:
    zone = {"AvailabilityZone": "eu-west-1a", "AvailabilityZoneId": "euw1-az2"}
    subnet = translated({"ec2.describe_subnets": [SUBNET | zone]}).subnets[f"{NAME}subnet-1"]
    assert (subnet.zone, subnet.zone_id) == ("eu-west-1a", "euw1-az2")


@pytest.mark.semantics(47)
def test_shared_subnet_belongs_to_the_owner_of_its_network(translated: Translated) -> None:
    owner = {"OwnerId": "444455556666"}
    estate = translated(
        {"ec2.describe_subnets": [SUBNET | owner]},
        others={"444455556666": {"ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"} | owner]}},
    )
    subnet = estate.subnets["aws:444455556666:eu-west-1:subnet-1"]
    assert subnet.network == "aws:444455556666:eu-west-1:vpc-1"


def test_malformed_range_is_a_gap_that_names_the_vpc(translated: Translated) -> None:
    estate = translated({"ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/99"}]})
    (gap,) = estate.gaps
    assert (gap.what, gap.resource, gap.reason, gap.facets) == (
        "ec2.describe_vpcs", "vpc-1", "malformed", ("networks",),
    )  # fmt: skip


def _block(translated: Translated, mode: str, *exclusions: tuple[str, str, str], **options: Any) -> str:
    listed = [
        {
            "ResourceArn": f"arn:aws:ec2:eu-west-1:111122223333:{what}",
            "InternetGatewayExclusionMode": how,
            "State": state,
        }
        for what, how, state in exclusions
    ]
    answer = {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode, "State": "update-complete"} | options}
    estate = translated({"ec2.describe_subnets": [SUBNET], OPTIONS: answer, EXCLUSIONS: listed})
    return estate.subnets[f"{NAME}subnet-1"].internet_block


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize(
    ("mode", "expected"), [("off", "off"), ("block-ingress", "ingress"), ("block-bidirectional", "bidirectional")]
)
def test_block_mode_of_the_account_holds_for_its_subnets(translated: Translated, mode: str, expected: str) -> None:
    assert _block(translated, mode) == expected


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize(
    ("what", "how", "state", "expected"),
    [
        ("vpc/vpc-1", "allow-bidirectional", "create-complete", "off"),
        ("subnet/subnet-1", "allow-bidirectional", "update-complete", "off"),
        ("vpc/vpc-1", "allow-egress", "create-complete", "inbound"),
        ("vpc/vpc-2", "allow-bidirectional", "create-complete", "bidirectional"),
        ("vpc/vpc-1", "allow-bidirectional", "delete-complete", "bidirectional"),
        ("vpc/vpc-1", "allow-bidirectional", "disable-complete", "bidirectional"),
        ("vpc/vpc-1", "allow-bidirectional", "create-in-progress", "unknown"),
        ("vpc/vpc-1", "allow-something-new", "create-complete", "unknown"),
    ],
)
def test_exclusion_opens_what_it_names(translated: Translated, what: str, how: str, state: str, expected: str) -> None:
    assert _block(translated, "block-bidirectional", (what, how, state)) == expected


@pytest.mark.semantics(123)
def test_mode_under_change_is_unknown(translated: Translated) -> None:
    assert _block(translated, "block-bidirectional", State="update-in-progress") == "unknown"


@pytest.mark.semantics(123)
def test_block_that_was_not_read_is_unknown_and_never_taken_for_a_block(translated: Translated) -> None:
    for failed in ((), ((OPTIONS, "denied"),)):
        estate = translated({"ec2.describe_subnets": [SUBNET]}, failed=failed)
        assert estate.subnets[f"{NAME}subnet-1"].internet_block == "unknown"


@pytest.mark.semantics(123)
def test_endpoint_that_does_not_know_the_block_has_none(translated: Translated) -> None:
    estate = translated({"ec2.describe_subnets": [SUBNET]}, failed=((OPTIONS, "unsupported"),))
    assert estate.subnets[f"{NAME}subnet-1"].internet_block == "off"


@pytest.mark.semantics(123)
def test_block_with_unread_exclusions_is_unknown(translated: Translated) -> None:
    answer = {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "block-bidirectional"}}
    bad = {EXCLUSIONS: [{"ResourceArn": 7}]}
    for more in ({}, bad):
        estate = translated({"ec2.describe_subnets": [SUBNET], OPTIONS: answer} | more)
        assert estate.subnets[f"{NAME}subnet-1"].internet_block == "unknown"


@pytest.mark.semantics(123)
def test_subnet_that_shows_no_block_is_open_though_the_options_were_denied(translated: Translated) -> None:
    subnet = SUBNET | {"BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"}}
    estate = translated({"ec2.describe_subnets": [subnet]}, failed=((OPTIONS, "denied"),))
    assert estate.subnets[f"{NAME}subnet-1"].internet_block == "off"


def test_a_network_that_an_account_shares_which_was_not_read_is_a_gap_of_that_account(translated: Translated) -> None:
    # A participant lists its own interfaces alone, and the owner those of everybody.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
    shared = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "999999999999"}
    gaps = translated({"ec2.describe_vpcs": [shared]}).gaps
    (gap,) = (gap for gap in gaps if gap.scope == "999999999999")
    assert (gap.what, gap.resource, gap.reason) == ("ec2.describe_network_interfaces", "vpc-1", "unread")
    assert gap.facets == ("interfaces",)
