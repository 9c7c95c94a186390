from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import AddressList, Estate
from cloudseg.traffic import AddressSet

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"
OWN = {"PrefixListId": "pl-1", "PrefixListName": "offices", "OwnerId": "111122223333", "MaxEntries": 20}
ENTRIES = "ec2.get_managed_prefix_list_entries#pl-1"


def _list(translated: Translated, wire: dict[str, Any], **answers: Any) -> AddressList:
    return translated({"ec2.describe_managed_prefix_lists": [wire]} | answers).address_lists[f"{NAME}pl-1"]


@pytest.mark.semantics(19, 202)
def test_customer_list_counts_its_most_entries_and_keeps_them(translated: Translated) -> None:
    found = _list(translated, OWN, **{ENTRIES: [{"Cidr": "10.0.0.0/8"}, {"Cidr": "0.0.0.0/0"}]})
    assert found.prefixes == ("10.0.0.0/8", "0.0.0.0/0")
    assert found.addresses == AddressSet.parse("0.0.0.0/0")
    assert (found.owner, found.weight, found.any_tenant) == ("customer", 20, False)


@pytest.mark.semantics(20)
@pytest.mark.parametrize("answers", [{}, {ENTRIES: [{"Cidr": "10.0.0.0/8"}, 7]}, {ENTRIES: [{"Cidr": "nowhere"}]}])
def test_list_whose_entries_were_not_read_in_full_is_unknown(translated: Translated, answers: dict[str, Any]) -> None:
    estate = translated({"ec2.describe_managed_prefix_lists": [OWN]} | answers)
    assert estate.address_lists[f"{NAME}pl-1"].prefixes is None
    assert {gap.facets for gap in estate.gaps} == {("address-lists",)}


@pytest.mark.semantics(20)
def test_empty_list_is_empty_and_not_unknown(translated: Translated) -> None:
    assert _list(translated, OWN, **{ENTRIES: []}).prefixes == ()


@pytest.mark.semantics(19)
@pytest.mark.parametrize(
    ("name", "weight", "any_tenant"),
    [
        ("com.amazonaws.global.cloudfront.origin-facing", 55, True),
        ("com.amazonaws.global.ipv6.cloudfront.origin-facing", 55, True),
        ("com.amazonaws.eu-west-1.s3", 1, True),
        ("com.amazonaws.eu-west-1.dynamodb", 1, True),
        ("com.amazonaws.eu-west-1.s3express", 6, True),
        ("com.amazonaws.eu-west-1.ipv6.route53-healthchecks", 25, True),
        ("com.amazonaws.eu-west-1.vpc-lattice", 10, False),
        ("com.amazonaws.eu-west-1.something-new", None, True),
    ],
)
def test_list_of_aws_has_the_documented_weight(
    translated: Translated, *, name: str, weight: int | None, any_tenant: bool
) -> None:
    found = _list(translated, {"PrefixListId": "pl-1", "PrefixListName": name, "OwnerId": "AWS"})
    assert (found.owner, found.weight, found.any_tenant) == ("provider", weight, any_tenant)


def test_older_answer_carries_the_addresses_itself(translated: Translated) -> None:
    older = [{"PrefixListId": "pl-1", "PrefixListName": "com.amazonaws.eu-west-1.s3", "Cidrs": ["52.216.0.0/15"]}]
    found = translated({"ec2.describe_prefix_lists": older}).address_lists[f"{NAME}pl-1"]
    assert (found.prefixes, found.owner, found.weight) == (("52.216.0.0/15",), "provider", 1)


def _group(own: str, **permission: Any) -> dict[str, Any]:
    egress: list[object] = []
    wire = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **permission}
    return {"GroupId": own, "VpcId": "vpc-1", "IpPermissions": [wire], "IpPermissionsEgress": egress}


@pytest.mark.semantics(20)
def test_a_list_that_a_rule_names_and_no_answer_holds_is_a_gap(translated: Translated) -> None:
    group = _group("sg-1", PrefixListIds=[{"PrefixListId": "pl-9"}])
    estate = translated({"ec2.describe_managed_prefix_lists": [], "ec2.describe_security_groups": [group]})
    (gap,) = estate.gaps
    assert (gap.resource, gap.reason, gap.facets) == ("pl-9", "not-found", ("address-lists",))
    assert "sg-1" in gap.detail


def test_a_group_that_an_interface_carries_and_no_answer_holds_is_a_gap(translated: Translated) -> None:
    interface = {
        "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "Groups": [{"GroupId": "sg-9"}],
    }  # fmt: skip
    estate = translated(
        {"ec2.describe_network_interfaces": [interface], "ec2.describe_security_groups": [_group("sg-1")]}
    )
    gaps = [gap for gap in estate.gaps if gap.resource == "sg-9"]
    assert [(gap.reason, gap.facets) for gap in gaps] == [("not-found", ("groups",))]
    assert "eni-1" in gaps[0].detail
