"""The permissions of security groups, taken apart into one rule for each source or destination."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, GroupRef, ListRef, Rule, Unresolved
from cloudseg.providers.aws.translate.rule_traffic import RuleTraffic, rule_traffic
from cloudseg.traffic import ALL_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Peer
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["Permissions", "RuleIds"]

_FACET = "groups"
_WHAT = "ec2.describe_security_groups"
# Over any of these the referenced group is gone for good; see the values of a peering's status:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnectionStateReason.html
_STALE = frozenset(("deleted", "deleting", "expired", "failed", "rejected"))


class _Range(msgspec.Struct, rename={"cidr": "CidrIp", "description": "Description"}):
    cidr: str = ""
    description: str = ""


class _Ipv6Range(msgspec.Struct, rename={"cidr": "CidrIpv6", "description": "Description"}):
    cidr: str = ""
    description: str = ""


class _List(msgspec.Struct, rename="pascal"):
    prefix_list_id: str = ""
    description: str = ""


class _Pair(msgspec.Struct, rename="pascal"):
    group_id: str = ""
    group_name: str = ""
    user_id: str = ""
    vpc_id: str = ""
    vpc_peering_connection_id: str = ""
    peering_status: str = ""
    description: str = ""


class _Permission(msgspec.Struct, rename="pascal"):
    ip_protocol: str
    from_port: int | None = None
    to_port: int | None = None
    ip_ranges: list[_Range] = []
    ipv6_ranges: list[_Ipv6Range] = []
    prefix_list_ids: list[_List] = []
    user_id_group_pairs: list[_Pair] = []


class _Referenced(msgspec.Struct, rename="pascal"):
    group_id: str = ""


class _RuleName(msgspec.Struct, rename="pascal"):
    security_group_rule_id: str
    group_id: str
    is_egress: bool
    ip_protocol: str
    from_port: int | None = None
    to_port: int | None = None
    cidr_ipv4: str = ""
    cidr_ipv6: str = ""
    prefix_list_id: str = ""
    referenced_group_info: _Referenced | None = None


RuleIds = dict[tuple[str, bool, RuleTraffic, str], str]
"""Ids of rules by group, direction (egress), traffic and the text of the other end."""


def rule_ids(answers: Answers) -> RuleIds:
    """Read the ids of the rules, which the answer about the groups does not hold."""
    found: RuleIds = {}
    for name in answers.each("ec2", "describe_security_group_rules", "SecurityGroupRules", _RuleName, _FACET):
        reference = name.referenced_group_info
        end = name.cidr_ipv4 or name.cidr_ipv6 or name.prefix_list_id or (reference.group_id if reference else "")
        matched = rule_traffic(name.ip_protocol, name.from_port, name.to_port)
        found[name.group_id, name.is_egress, matched, end] = name.security_group_rule_id
    return found
