from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import ANYONE, Addresses, Carries, Estate, GroupRef, ListRef, Rule, Unresolved
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"
ANYWHERE = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _group(*ingress: Any, egress: Any = (), **fields: Any) -> dict[str, Any]:
    group = {"GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1", "OwnerId": "111122223333"}
    return group | {"IpPermissions": list(ingress), "IpPermissionsEgress": list(egress)} | fields


def _rules(translated: Translated, *ingress: Any, **fields: Any) -> tuple[Rule, ...]:
    return _estate(translated, _group(*ingress, **fields)).rule_sets[f"{NAME}sg-1"].rules


def _estate(translated: Translated, *groups: dict[str, Any], **answers: Any) -> Estate:
    return translated({"ec2.describe_security_groups": list(groups)} | answers)


@pytest.mark.semantics(1, 2)
def test_group_is_an_identity_and_a_list_of_allows_of_its_carriers(translated: Translated) -> None:
    estate = _estate(translated, _group({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443} | ANYWHERE))
    group, rule_set = estate.groups[f"{NAME}sg-1"], estate.rule_sets[f"{NAME}sg-1"]
    assert group.selector == rule_set.applies == Carries(f"{NAME}sg-1")
    assert group.networks == (f"{NAME}vpc-1",)
    assert [(rule.verdict, rule.direction, rule.exact) for rule in rule_set.rules] == [("next", "ingress", True)]
    stage = estate.pipelines["aws"].ingress[-1]
    assert (stage.name, stage.match, stage.stateful, stage.miss) == (rule_set.stage, "any", True, "deny")


@pytest.mark.semantics(4)
def test_both_directions_are_judged_at_the_interface_of_either_end(translated: Translated) -> None:
    pipeline = _estate(translated, _group()).pipelines["aws"]
    assert [stage.name for stage in pipeline.ingress] == ["network-acls", "security-groups"]
    assert [stage.name for stage in pipeline.egress] == ["security-groups", "network-acls"]


@pytest.mark.semantics(3, 128)
def test_empty_egress_list_allows_nothing_out_and_the_default_allows_all(translated: Translated) -> None:
    assert _rules(translated) == ()
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    (rule,) = _rules(translated, egress=[everything])
    assert (rule.direction, rule.traffic, rule.remote) == (
        "egress", ALL_TRAFFIC, (Addresses(AddressSet.parse("0.0.0.0/0")),),
    )  # fmt: skip


@pytest.mark.semantics(210, 14, 15, 211)
def test_each_source_of_a_permission_is_a_rule_of_its_own(translated: Translated) -> None:
    permission = {
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "office"}, {"CidrIp": "192.168.0.1/31"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "all of IPv6"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
        "UserIdGroupPairs": [{"GroupId": "sg-1", "UserId": "111122223333", "Description": "self"}],
    }  # fmt: skip
    rules = _rules(translated, permission)
    assert [(rule.id, rule.remote[0], rule.description) for rule in rules] == [
        ("ingress/tcp/22/10.0.0.0/8", Addresses(AddressSet.parse("10.0.0.0/8")), "office"),
        ("ingress/tcp/22/192.168.0.1/31", Addresses(AddressSet.parse("192.168.0.0/31")), ""),
        ("ingress/tcp/22/::/0", Addresses(AddressSet.parse("::/0")), "all of IPv6"),
        ("ingress/tcp/22/pl-1", ListRef(f"{NAME}pl-1"), ""),
        ("ingress/tcp/22/sg-1", GroupRef(f"{NAME}sg-1"), "self"),
    ]
    assert {rule.traffic for rule in rules} == {Traffic.parse("tcp/22")}


@pytest.mark.semantics(15)
def test_all_of_ipv4_is_not_all_of_ipv6(translated: Translated) -> None:
    (rule,) = _rules(translated, {"IpProtocol": "-1"} | ANYWHERE)
    (peer,) = rule.remote
    assert isinstance(peer, Addresses)
    assert not peer.addresses.v6


@pytest.mark.semantics(16, 17, 18, 203, 204)
@pytest.mark.parametrize(
    ("protocol", "first", "last", "expected"),
    [
        ("-1", None, None, "all"),
        ("-1", 22, 22, "all"),
        ("tcp", 0, 0, "tcp/0"),
        ("tcp", 0, 65535, "tcp"),
        ("tcp", 1, 65535, "tcp/1-65535"),
        ("6", 22, 22, "tcp/22"),
        ("17", 53, 53, "udp/53"),
        ("132", 22, 22, "sctp"),
        ("sctp", 22, 22, "sctp"),
        ("50", None, None, "esp"),
        ("47", 22, 22, "gre"),
        ("4", -1, -1, "ip/4"),
        ("icmp", -1, -1, "icmp"),
        ("1", 8, -1, "icmp/8"),
        ("icmp", 8, 0, "icmp/8:0"),
        ("icmp", 3, 4, "icmp/3:4"),
        ("58", -1, -1, "icmpv6"),
        ("icmpv6", None, None, "icmpv6"),
        ("icmpv6", 128, 0, "icmpv6/128:0"),
    ],
)
def test_protocol_and_ports_match_what_aws_documents(
    translated: Translated, protocol: str, first: int | None, last: int | None, expected: str
) -> None:
    permission: dict[str, Any] = {"IpProtocol": protocol} | ANYWHERE
    if first is not None:
        permission |= {"FromPort": first, "ToPort": last}
    estate = _estate(translated, _group(permission))
    (rule,) = estate.rule_sets[f"{NAME}sg-1"].rules
    assert (rule.traffic, rule.exact, estate.gaps) == (Traffic.parse(expected), True, ())


@pytest.mark.semantics(18)
@pytest.mark.parametrize(
    ("protocol", "first", "last", "widest"),
    [
        ("tcp", 22, 70000, "tcp"),
        ("udp", 100, 50, "udp"),
        ("tcp", -1, -1, "tcp"),
        ("tcp", None, None, "tcp"),
        ("icmp", -1, 4, "icmp"),
        ("icmp", 300, 0, "icmp"),
        ("icmp", None, None, "icmp"),
        ("no-such-protocol", 22, 22, "all"),
        ("256", 22, 22, "all"),
    ],
)
def test_unreadable_ports_are_a_gap_and_at_most_the_whole_protocol(
    translated: Translated, protocol: str, first: int | None, last: int | None, widest: str
) -> None:
    permission: dict[str, Any] = {"IpProtocol": protocol} | ANYWHERE
    if first is not None:
        permission |= {"FromPort": first, "ToPort": last}
    estate = _estate(translated, _group(permission))
    (rule,) = estate.rule_sets[f"{NAME}sg-1"].rules
    assert (rule.traffic, rule.exact) == (Traffic.parse(widest), False)
    (gap,) = estate.gaps
    assert (gap.resource, gap.reason, gap.facets) == ("sg-1", "malformed", ("groups",))
    assert gap.detail.startswith("IpPermissions[0]: ")


def test_range_that_is_no_address_is_a_gap_and_at_most_everyone(translated: Translated) -> None:
    ranges = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.0.0.0/33"}]
    estate = _estate(translated, _group({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}))
    good, bad = estate.rule_sets[f"{NAME}sg-1"].rules
    assert (good.exact, bad.exact, bad.remote, bad.traffic) == (True, False, ANYONE, Traffic.parse("tcp/22"))
    assert "10.0.0.0/33" in estate.gaps[0].detail


@pytest.mark.parametrize(
    "permission",
    [
        {"FromPort": 22},
        {"IpProtocol": "tcp", "FromPort": "22"},
        {"IpProtocol": "tcp", "IpRanges": {}},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22},
        7,
    ],
)
def test_permission_of_the_wrong_shape_is_kept_at_its_widest_beside_the_others(
    translated: Translated, permission: Any
) -> None:
    good = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53} | ANYWHERE
    estate = _estate(translated, _group(good, permission))
    first, second = estate.rule_sets[f"{NAME}sg-1"].rules
    assert (first.exact, first.traffic) == (True, Traffic.parse("udp/53"))
    assert (second.exact, second.remote) == (False, ANYONE)
    assert Traffic.parse("tcp/22") <= second.traffic
    assert "IpPermissions[1]" in estate.gaps[0].detail


def test_group_without_its_list_of_permissions_is_unknown_and_not_empty(translated: Translated) -> None:
    group = _group()
    del group["IpPermissions"]
    estate = _estate(translated, group)
    (rule,) = estate.rule_sets[f"{NAME}sg-1"].rules
    assert (rule.exact, rule.direction, rule.traffic) == (False, "ingress", ALL_TRAFFIC)
    assert estate.coverage.state("groups", "aws", "111122223333", "eu-west-1") == "partly"


@pytest.mark.semantics(5, 8, 12, 13)
def test_reference_names_the_account_of_its_group_and_the_reader_s_where_none_is_named(
    translated: Translated,
) -> None:
    pairs = [{"GroupId": "sg-1"}, {"GroupId": "sg-2", "UserId": "444455556666"}]
    rules = _rules(translated, {"IpProtocol": "-1", "UserIdGroupPairs": pairs})
    assert [rule.remote[0] for rule in rules] == [
        GroupRef("aws:111122223333:eu-west-1:sg-1"),
        GroupRef("aws:444455556666:eu-west-1:sg-2"),
    ]


@pytest.mark.semantics(7, 9)
@pytest.mark.parametrize(
    ("status", "stale"),
    [("active", False), ("", False), ("deleted", True), ("expired", True), ("rejected", True), ("failed", True)],
)
def test_reference_over_a_peering_is_stale_once_the_peering_is_gone(
    translated: Translated, *, status: str, stale: bool
) -> None:
    pair = {
        "GroupId": "sg-2", "UserId": "444455556666", "VpcId": "vpc-2",
        "VpcPeeringConnectionId": "pcx-1", "PeeringStatus": status,
    }  # fmt: skip
    (rule,) = _rules(translated, {"IpProtocol": "-1", "UserIdGroupPairs": [pair]})
    assert rule.remote == (GroupRef("aws:444455556666:eu-west-1:sg-2", via=f"{NAME}pcx-1", stale=stale),)


@pytest.mark.semantics(9)
def test_reference_to_a_group_that_is_gone_stays_a_reference(translated: Translated) -> None:
    (rule,) = _rules(translated, {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-gone"}]})
    assert rule.remote == (GroupRef(f"{NAME}sg-gone"),)


def test_reference_by_name_finds_the_group_of_its_vpc(translated: Translated) -> None:
    named = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupName": "db"}, {"GroupName": "nobody"}]}
    db = _group(GroupId="sg-2", GroupName="db")
    estate = _estate(translated, _group(named), db)
    known, unknown = estate.rule_sets[f"{NAME}sg-1"].rules
    assert known.remote == (GroupRef(f"{NAME}sg-2"),)
    assert isinstance(unknown.remote[0], Unresolved)


@pytest.mark.semantics(210)
def test_rule_bears_the_id_that_aws_gave_it(translated: Translated) -> None:
    group = _group(
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1", "UserId": "111122223333"}]},
        egress=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
    )
    name = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}
    names = [
        name | {"SecurityGroupRuleId": "sgr-in", "IsEgress": False},
        name | {"SecurityGroupRuleId": "sgr-out", "IsEgress": True},
        {
            "SecurityGroupRuleId": "sgr-self", "GroupId": "sg-1", "IsEgress": False, "IpProtocol": "-1",
            "FromPort": -1, "ToPort": -1, "ReferencedGroupInfo": {"GroupId": "sg-1", "UserId": "111122223333"},
        },
    ]  # fmt: skip
    estate = _estate(translated, group, **{"ec2.describe_security_group_rules": names})
    rules = estate.rule_sets[f"{NAME}sg-1"].rules
    assert [(rule.direction, rule.id) for rule in rules] == [
        ("ingress", "sgr-in"), ("ingress", "sgr-self"), ("egress", "sgr-out"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"IpProtocol": "tcp"} | ANYWHERE, {"IpProtocol": "tcp"} | ANYWHERE),
        ({"IpProtocol": "tcp"} | ANYWHERE, {"IpProtocol": "6"} | ANYWHERE),
        (
            {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "192.0.2.4/24"}]},
            {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "192.0.2.9/24"}]},
        ),
    ],
)
def test_one_rule_written_twice_is_one_rule(translated: Translated, one: dict[str, Any], other: dict[str, Any]) -> None:
    ports = {"FromPort": 22, "ToPort": 22}
    (rule,) = _rules(translated, ports | one, ports | other)
    assert rule.traffic == Traffic.parse("tcp/22")


def test_rule_written_twice_keeps_what_either_says_of_it(translated: Translated) -> None:
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    said = {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "admins"}]}
    (rule,) = _rules(translated, ssh | ANYWHERE, ssh | said)
    assert rule.description == "admins"


@pytest.mark.semantics(124)
def test_group_is_usable_in_its_own_vpc_and_the_associated_ones(translated: Translated) -> None:
    associations = [
        {"GroupId": "sg-1", "VpcId": "vpc-2", "VpcOwnerId": "111122223333", "State": "associated"},
        {"GroupId": "sg-1", "VpcId": "vpc-3", "VpcOwnerId": "111122223333", "State": "disassociated"},
    ]
    estate = _estate(translated, _group(), **{"ec2.describe_security_group_vpc_associations": associations})
    assert estate.groups[f"{NAME}sg-1"].networks == (f"{NAME}vpc-1", f"{NAME}vpc-2")


def test_group_of_ec2_classic_has_no_network(translated: Translated) -> None:
    classic: dict[str, Any] = {
        "GroupId": "sg-1",
        "GroupName": "default",
        "OwnerId": "111122223333",
        "IpPermissions": [],
    }
    estate = _estate(translated, classic)
    group = estate.groups[f"{NAME}sg-1"]
    assert (group.networks, group.is_default, estate.gaps) == ((), True, ())


@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        ("web", {}, ""),
        ("web", {"aws:cloudformation:stack-name": "web", "aws:createdBy": "x"}, ""),
        ("eks-cluster-sg-prod-1", {"aws:eks:cluster-name": "prod"}, "eks"),
        ("nodes", {"kubernetes.io/cluster/prod": "owned"}, "kubernetes"),
        ("nodes", {"kubernetes.io/cluster/prod": "shared"}, ""),
        ("k8s-web", {"elbv2.k8s.aws/cluster": "prod"}, "aws-load-balancer-controller"),
        ("ElasticMapReduce-master", {}, "elasticmapreduce"),
        ("d-90677cc91c_controllers", {}, "directory-service"),
    ],
)
def test_group_of_a_controller_names_it(translated: Translated, name: str, tags: dict[str, str], expected: str) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    estate = _estate(translated, _group(GroupName=name, Tags=listed))
    assert estate.groups[f"{NAME}sg-1"].managed_by == estate.rule_sets[f"{NAME}sg-1"].managed_by == expected
