"""Load balancers that no answer lists, told by what AWS writes into the description of their interfaces."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Forwarder
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import NO_TRAFFIC, Traffic

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
GROUP = f"{ARN}:targetgroup/api/1"
OPEN = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
LISTED = "elbv2.describe_load_balancers"
NONE_LISTED: dict[str, list[object]] = {LISTED: []}


def interface(
    own: str, address: str, description: str = "", owner: str = "111122223333", **more: Any
) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": own, "VpcId": "vpc-1", "SubnetId": "subnet-a", "Groups": [{"GroupId": "sg-open"}],
        "Description": description, "PrivateIpAddress": address, "OwnerId": owner,
    } | more  # fmt: skip


def estate(translated: Translate, *interfaces: dict[str, Any], **more: object) -> Estate:
    """A network in which groups admit everything, an instance ``eni-app``, and the interfaces."""
    return translated(
        {
            "ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "111122223333"}],
            "ec2.describe_subnets": [
                {"SubnetId": "subnet-a", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "OwnerId": "111122223333"}
            ],
            "ec2.describe_security_groups": [
                {
                    "GroupId": "sg-open", "VpcId": "vpc-1", "OwnerId": "111122223333",
                    "IpPermissions": OPEN, "IpPermissionsEgress": OPEN,
                }
            ],
            "ec2.describe_network_interfaces": [
                interface("eni-app", "10.0.1.5", Attachment={"InstanceId": "i-app", "DeviceIndex": 0}),
                *interfaces,
            ],
        }
        | {key.replace("__", "."): value for key, value in more.items()}
    )  # fmt: skip


def only(found: Estate) -> Forwarder:
    (forwarder,) = found.forwarders.values()
    return forwarder


@pytest.mark.parametrize(
    ("description", "own", "kind"),
    [
        ("ELB app/web/0123456789abcdef", f"{ARN}:loadbalancer/app/web/0123456789abcdef", "application-load-balancer"),
        ("ELB net/web/0123456789abcdef", f"{ARN}:loadbalancer/net/web/0123456789abcdef", "network-load-balancer"),
        ("ELB web", "web", "classic-load-balancer"),
    ],
)
def test_an_interface_tells_of_a_load_balancer_that_was_not_listed(
    translated: Translate, description: str, own: str, kind: str
) -> None:
    found = estate(translated, interface("eni-lb", "10.0.1.9", description, RequesterId="amazon-elb"))
    assert only(found).id == f"{HERE}:{own}"
    assert (only(found).kind, only(found).accepts, only(found).complete) == (kind, None, False)
    assert found.interfaces[f"{HERE}:eni-lb"].workload == f"{HERE}:{own}"
    assert found.workloads[f"{HERE}:{own}"].kind == "load-balancer"


def test_what_it_takes_and_sends_is_unknown(translated: Translate) -> None:
    # Which listeners there are and which targets is told by no answer, so that nothing is certain and all is possible.
    found = estate(translated, interface("eni-lb", "10.0.1.9", "ELB app/web/0123456789abcdef"))
    unknown = Verdict(NO_TRAFFIC, Traffic.parse("all"))
    for source, target in (("eni-app", "eni-lb"), ("eni-lb", "eni-app")):
        assert Reachability(found).between(f"{HERE}:{source}", f"{HERE}:{target}") == unknown


def test_its_targets_are_those_of_the_target_groups_that_name_it(translated: Translate) -> None:
    own = f"{ARN}:loadbalancer/app/web/0123456789abcdef"
    found = estate(
        translated,
        interface("eni-lb", "10.0.1.9", "ELB app/web/0123456789abcdef"),
        interface("eni-other", "10.0.1.6"),
        elbv2__describe_target_groups=[
            {
                "TargetGroupArn": GROUP, "TargetGroupName": "api", "TargetType": "instance", "Protocol": "HTTP",
                "Port": 8080, "VpcId": "vpc-1", "LoadBalancerArns": [own], "HealthCheckEnabled": False,
            }
        ],
        **{f"elbv2__describe_target_health#{GROUP}": [{"Target": {"Id": "i-app"}}]},
    )  # fmt: skip
    reach = Reachability(found)
    assert reach.between(f"{HERE}:eni-lb", f"{HERE}:eni-app") == Verdict(NO_TRAFFIC, Traffic.parse("tcp/8080"))
    assert reach.between(f"{HERE}:eni-lb", f"{HERE}:eni-other") == Verdict(NO_TRAFFIC, NO_TRAFFIC)


def test_a_load_balancer_of_a_participant_is_told_by_its_interface_in_the_owners_network(translated: Translate) -> None:
    # An owner lists the interfaces that participants have in the network, but not their load balancers.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
    shared = interface("eni-lb", "10.0.1.9", "ELB net/far/0123456789abcdef", owner="444455556666")
    found = estate(translated, shared, **NONE_LISTED)
    arn = "arn:aws:elasticloadbalancing:eu-west-1:444455556666:loadbalancer/net/far/0123456789abcdef"
    assert only(found).id == f"aws:444455556666:eu-west-1:{arn}"
    assert not [gap for gap in found.gaps if gap.resource == arn]


def test_a_load_balancer_of_ones_own_that_the_list_does_not_hold_is_a_gap(translated: Translate) -> None:
    found = estate(translated, interface("eni-lb", "10.0.1.9", "ELB net/new/0123456789abcdef"), **NONE_LISTED)
    (gap,) = (gap for gap in found.gaps if gap.reason == "not-found")
    assert (gap.what, gap.resource) == (LISTED, f"{ARN}:loadbalancer/net/new/0123456789abcdef")


def test_public_addresses_tell_that_it_serves_the_internet(translated: Translate) -> None:
    found = estate(
        translated,
        interface("eni-one", "10.0.1.8", "ELB net/web/0123456789abcdef"),
        interface("eni-two", "10.0.1.9", "ELB net/web/0123456789abcdef", Association={"PublicIp": "203.0.113.7"}),
    )
    assert found.workloads[only(found).id].internet_facing is True


@pytest.mark.parametrize("description", ["ELB web", "ELB net/web/0123", "an ELB net/web/0123456789abcdef", "web"])
def test_other_words_make_no_load_balancer(translated: Translate, description: str) -> None:
    assert not estate(translated, interface("eni-x", "10.0.1.9", description)).forwarders
