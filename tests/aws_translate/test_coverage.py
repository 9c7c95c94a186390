from collections.abc import Callable
from typing import Any

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


@pytest.mark.parametrize("token", ["NextToken", "nextToken", "Marker", "NextMarker"])
def test_page_that_says_that_more_follows_is_read_in_part(translated: Translated, token: str) -> None:
    page: dict[str, Any] = {"NetworkInterfaces": [], token: "eyJOZXh0VG9rZW4iOiBudWxsfQ=="}
    estate = translated({"ec2.describe_network_interfaces": page})
    assert estate.coverage.state("interfaces", *PLACE) == "partly"
    (gap,) = estate.gaps
    assert (gap.reason, gap.facets, gap.detail.split()[0]) == ("unread", ("interfaces",), token)


def test_empty_token_is_the_last_page(translated: Translated) -> None:
    estate = translated({"ec2.describe_network_interfaces": {"NetworkInterfaces": [], "NextToken": "", "Marker": None}})
    assert (estate.gaps, estate.coverage.state("interfaces", *PLACE)) == ((), "read")


def test_list_within_an_answer_that_goes_on_is_read_in_part(translated: Translated) -> None:
    origins: dict[str, Any] = {"VpcOriginList": {"Marker": "", "NextMarker": "abc", "IsTruncated": True, "Items": []}}
    (gap,) = translated({"cloudfront.list_vpc_origins": origins}).gaps
    assert (gap.reason, gap.facets) == ("unread", ("entrances",))


TEMPLATES: dict[str, object] = {
    "ec2.describe_launch_template_versions": [],
    "autoscaling.describe_launch_configurations": [],
    "batch.describe_compute_environments": [],
    "codebuild.list_projects": [],
    "ecs.list_clusters": [],
    "events.list_event_buses": [],
}


@pytest.mark.parametrize(
    ("listed", "described", "reason"),
    [
        ({"codebuild.list_projects": ["p"]}, {"codebuild.batch_get_projects": []}, "codebuild.batch_get_projects"),
        ({"events.list_event_buses": [{"Name": "b"}]}, {"events.list_rules#b": []}, "events.list_rules of b"),
        (
            {"ecs.list_clusters": ["c"], "ecs.list_services#c": ["s"]},
            {"ecs.describe_services#c": []},
            "ecs.describe_services of c",
        ),
    ],
)
def test_what_is_listed_and_was_not_described_leaves_its_facet_read_in_part(
    translated: Translated, listed: dict[str, object], described: dict[str, object], reason: str
) -> None:
    estate = translated(TEMPLATES | listed)
    (reading,) = [each for each in estate.coverage.places("templates") if each.region == "eu-west-1"]
    assert (reading.state, reading.reason) == ("partly", f"{reason} is not in the snapshot")
    assert translated(TEMPLATES | listed | described).coverage.state("templates", *PLACE) == "read"


def test_failed_question_about_what_is_listed_is_told_once(translated: Translated) -> None:
    answers = TEMPLATES | {"events.list_event_buses": [{"Name": "b"}]}
    estate = translated(answers, failed=(("events.list_rules#b", "denied"),))
    (reading,) = [each for each in estate.coverage.places("templates") if each.region == "eu-west-1"]
    assert (reading.state, reading.reason) == ("partly", "events.list_rules: denied")


@pytest.mark.parametrize("listed", [[7, None, {}, {"Name": 7}, {"Name": ""}], [[]], ["default"]])
def test_list_of_a_wrong_shape_asks_about_nothing_and_does_not_fail(translated: Translated, listed: list[Any]) -> None:
    assert translated(TEMPLATES | {"events.list_event_buses": listed}).coverage.state("templates", *PLACE) != "unread"


BALANCERS: dict[str, object] = {"elbv2.describe_target_groups": [], "elb.describe_load_balancers": []}


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("gateway", ""),
        ("application", "elbv2.describe_listeners of arn:lb is not in the snapshot"),
        ("network", "elbv2.describe_listeners of arn:lb is not in the snapshot"),
    ],
)
def test_nothing_is_missed_about_what_has_nothing_to_tell(translated: Translated, kind: str, missing: str) -> None:
    listed = [{"LoadBalancerArn": "arn:lb", "Type": kind, "SecurityGroups": ["sg-1"]}]
    estate = translated(BALANCERS | {"elbv2.describe_load_balancers": listed})
    (reading,) = [each for each in estate.coverage.places("load-balancers") if each.region == "eu-west-1"]
    assert (reading.state, reading.reason) == ("partly" if missing else "read", missing)
