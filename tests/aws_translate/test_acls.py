from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import ANYONE, Addresses, Estate, InSubnets
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"


def _entry(number: int, action: str = "allow", **fields: Any) -> dict[str, Any]:
    entry = {"RuleNumber": number, "RuleAction": action, "Egress": False, "Protocol": "-1"}
    return entry | ({} if {"CidrBlock", "Ipv6CidrBlock"} & fields.keys() else {"CidrBlock": "0.0.0.0/0"}) | fields


def _acl(*entries: Any, **fields: Any) -> dict[str, Any]:
    return {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "Entries": list(entries), "Associations": []} | fields


@pytest.mark.semantics(23, 26, 28, 209)
def test_entries_stand_by_number_and_the_implicit_deny_is_the_miss(translated: Translated) -> None:
    entries = [
        _entry(200, "allow"), _entry(32767, "deny"), _entry(100, "deny", CidrBlock="10.0.0.0/8"),
        _entry(32768, "deny", Ipv6CidrBlock="::/0"),
    ]  # fmt: skip
    estate = translated({"ec2.describe_network_acls": [_acl(*entries)]})
    rules = estate.rule_sets[f"{NAME}acl-1"].rules
    assert [(rule.id, rule.priority, rule.verdict) for rule in rules] == [
        ("ingress/100", 100, "deny"),
        ("ingress/200", 200, "next"),
    ]
    stage = estate.pipelines["aws"].ingress[0]
    assert (stage.at, stage.match, stage.miss) == ("subnet-boundary", "first", "deny")


@pytest.mark.semantics(24)
def test_acls_keep_no_state_and_directions_are_apart(translated: Translated) -> None:
    estate = translated({"ec2.describe_network_acls": [_acl(_entry(100), _entry(100, Egress=True))]})
    rules = estate.rule_sets[f"{NAME}acl-1"].rules
    assert sorted(rule.id for rule in rules) == ["egress/100", "ingress/100"]
    assert not estate.pipelines["aws"].ingress[0].stateful


@pytest.mark.semantics(29)
def test_families_are_apart_in_one_number_space(translated: Translated) -> None:
    acl = _acl(_entry(101, Ipv6CidrBlock="::/0"), _entry(100))
    rules = translated({"ec2.describe_network_acls": [acl]}).rule_sets[f"{NAME}acl-1"].rules
    assert [rule.remote for rule in rules] == [
        (Addresses(AddressSet.parse("0.0.0.0/0")),),
        (Addresses(AddressSet.parse("::/0")),),
    ]


@pytest.mark.semantics(30, 18)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Protocol": "6", "PortRange": {"From": 1024, "To": 65535}}, "tcp/1024-65535"),
        ({"Protocol": "17", "PortRange": {"From": 53, "To": 53}}, "udp/53"),
        ({"Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}}, "icmp/8"),
        ({"Protocol": "1", "IcmpTypeCode": {"Type": -1, "Code": -1}}, "icmp"),
        ({"Protocol": "58", "IcmpTypeCode": {"Type": 1, "Code": 4}}, "icmpv6/1:4"),
        ({"Protocol": "50"}, "esp"),
        ({"Protocol": "-1"}, "all"),
    ],
)
def test_protocol_is_a_number(translated: Translated, fields: dict[str, Any], expected: str) -> None:
    estate = translated({"ec2.describe_network_acls": [_acl(_entry(100, **fields))]})
    (rule,) = estate.rule_sets[f"{NAME}acl-1"].rules
    assert (rule.traffic, rule.exact, estate.gaps) == (Traffic.parse(expected), True, ())


@pytest.mark.parametrize(
    ("fields", "traffic", "everyone"),
    [
        ({"Protocol": "6"}, "tcp", False),
        ({"Protocol": "6", "PortRange": {"From": 9, "To": 70000}}, "tcp", False),
        ({"CidrBlock": "10.0.0.0/40"}, "all", True),
        ({"RuleAction": "perhaps"}, "all", False),
    ],
)
def test_entry_that_cannot_be_read_in_full_is_kept_at_its_widest(
    translated: Translated, *, fields: dict[str, Any], traffic: str, everyone: bool
) -> None:
    estate = translated({"ec2.describe_network_acls": [_acl(_entry(100) | fields)]})
    (rule,) = estate.rule_sets[f"{NAME}acl-1"].rules
    assert (rule.exact, rule.traffic, rule.remote == ANYONE) == (False, Traffic.parse(traffic), everyone)
    assert [(gap.resource, gap.facets) for gap in estate.gaps] == [("acl-1", ("boundary-rules",))]


def test_entry_of_the_wrong_shape_leaves_everything_open(translated: Translated) -> None:
    estate = translated({"ec2.describe_network_acls": [_acl(_entry(100), {"RuleNumber": "50"})]})
    rules = estate.rule_sets[f"{NAME}acl-1"].rules
    unread = [(rule.direction, rule.verdict, rule.priority) for rule in rules if not rule.exact]
    assert unread == [("egress", "deny", 0), ("egress", "next", 0), ("ingress", "deny", 0), ("ingress", "next", 0)]
    assert {rule.traffic for rule in rules} == {ALL_TRAFFIC}


@pytest.mark.semantics(27)
def test_subnet_that_no_acl_names_is_judged_by_the_default_one(translated: Translated) -> None:
    subnets = [
        {"SubnetId": f"subnet-{n}", "VpcId": f"vpc-{1 + n // 3}", "CidrBlock": f"10.0.{n}.0/24"} for n in (1, 2, 3)
    ]
    custom = _acl(NetworkAclId="acl-2", Associations=[{"SubnetId": "subnet-2"}])
    estate = translated({"ec2.describe_subnets": subnets, "ec2.describe_network_acls": [_acl(IsDefault=True), custom]})
    assert estate.rule_sets[f"{NAME}acl-1"].applies == InSubnets(frozenset({f"{NAME}subnet-1"}))
    assert estate.rule_sets[f"{NAME}acl-2"].applies == InSubnets(frozenset({f"{NAME}subnet-2"}))


@pytest.mark.semantics(27)
def test_subnet_is_left_without_an_acl_where_one_that_may_name_it_was_not_read(translated: Translated) -> None:
    subnet = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}
    broken = _acl(NetworkAclId="acl-2", IsDefault="x", Associations=[{"SubnetId": "subnet-1"}])
    acls = [_acl(_entry(32767, "deny"), IsDefault=True), broken]
    estate = translated({"ec2.describe_subnets": [subnet], "ec2.describe_network_acls": acls})
    assert estate.rule_sets[f"{NAME}acl-1"].applies == InSubnets(frozenset())
    assert not estate.coverage.was_read("boundary-rules", "aws", "111122223333", "eu-west-1")
