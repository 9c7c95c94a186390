from collections.abc import Callable

import pytest

from cloudseg.model import Estate, Gap

Translated = Callable[..., Estate]
PLACE = ("aws", "111122223333", "eu-west-1")


def test_facet_is_read_once_each_listing_answered(translated: Translated) -> None:
    estate = translated({"ec2.describe_vpcs": [], "ec2.describe_network_interfaces": []})
    assert estate.coverage.state("networks", *PLACE) == "read"
    # Interfaces show their elastic addresses themselves.
    assert estate.coverage.state("interfaces", *PLACE) == "read"
    assert estate.coverage.state("routes", *PLACE) == "unread"
    assert estate.coverage.state("services.s3", "aws", "111122223333", "global") == "unread"


def test_facet_with_a_missing_listing_is_read_in_part_and_says_which(translated: Translated) -> None:
    estate = translated({"ec2.describe_internet_gateways": [], "ec2.describe_egress_only_internet_gateways": []})
    (reading,) = [each for each in estate.coverage.places("gateways") if each.region == "eu-west-1"]
    assert (reading.state, reading.reason) == ("partly", "ec2.describe_nat_gateways is not in the snapshot")


def test_denied_call_is_a_gap_with_its_facets_and_leaves_them_unread(translated: Translated) -> None:
    estate = translated({}, failed=(("ec2.describe_route_tables", "denied"),))
    assert estate.gaps == (Gap(*PLACE, "ec2.describe_route_tables", "", "denied", "denied", ("routes",)),)
    (reading,) = [each for each in estate.coverage.places("routes") if each.region == "eu-west-1"]
    assert (reading.state, reading.reason) == ("unread", "ec2.describe_route_tables: denied")


def test_denied_call_about_one_resource_leaves_its_facet_read_in_part(translated: Translated) -> None:
    failed = (("ec2.get_managed_prefix_list_entries#pl-1", "denied"),)
    estate = translated({"ec2.describe_managed_prefix_lists": []}, failed=failed)
    assert estate.coverage.state("address-lists", *PLACE) == "partly"


@pytest.mark.parametrize("answer", [{"Error": "x"}, {"Vpcs": None}, {"Vpcs": {}}, "text", 7, None, [7], [{"VpcId": 7}]])
def test_answer_that_is_not_what_the_service_documents_is_a_gap(translated: Translated, answer: object) -> None:
    estate = translated({"ec2.describe_vpcs": {"Vpcs": answer} if isinstance(answer, list) else answer})
    (gap,) = estate.gaps
    assert (gap.reason, gap.what, gap.facets) == (
        "malformed", "aws/111122223333/eu-west-1/ec2/describe_vpcs.json", ("networks",),
    )  # fmt: skip
    assert estate.coverage.state("networks", *PLACE) == "partly"


def test_bare_list_as_the_command_line_writes_it_is_an_answer(translated: Translated) -> None:
    listed = translated({"ec2.describe_vpcs": {"Vpcs": [{"VpcId": "vpc-1"}]}})
    assert list(listed.networks) == ["aws:111122223333:eu-west-1:vpc-1"]


def test_answer_that_nothing_reads_is_noted(translated: Translated) -> None:
    estate = translated({"ec2.describe_dhcp_options": {"DhcpOptions": []}})
    assert estate.notes == ("ec2.describe_dhcp_options: nothing reads this answer",)
