from collections.abc import Callable

import pytest

from cloudseg.model import Estate

Translated = Callable[..., Estate]
SOUND = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/8", "OwnerId": "111122223333"}


def malformed(estate: Estate) -> list[tuple[str, str]]:
    return [(gap.resource, gap.detail) for gap in estate.gaps if gap.reason == "malformed"]


@pytest.mark.parametrize("count", [1, 20])
def test_each_of_a_few_malformed_items_is_a_gap(translated: Translated, count: int) -> None:
    estate = translated({"ec2.describe_vpcs": [*([[]] * count), SOUND]})
    assert {detail.partition(":")[0] for _, detail in malformed(estate)} == {f"Vpcs[{i}]" for i in range(count)}


def test_a_file_of_malformed_items_names_twenty_and_counts_the_rest(translated: Translated) -> None:
    estate = translated({"ec2.describe_vpcs": [*([[]] * 5_000), SOUND]})
    gaps = malformed(estate)
    assert len(gaps) == 21
    assert ("", "4980 more of 5001 items are malformed") in gaps
    assert [network.own_id for network in estate.networks.values()] == ["vpc-1"]
    assert estate.coverage.state("networks", "aws", "111122223333", "eu-west-1") == "partly"
