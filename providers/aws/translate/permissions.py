"""The permissions of security groups, taken apart into one rule for each source or destination."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, GroupRef, ListRef, Rule, Unresolved
from cloudseg.providers.aws.translate.rule_traffic import RuleTraffic, rule_traffic
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Direction, Peer
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["Owner", "Permissions"]

_FACET = "groups"
_WHAT = "ec2.describe_security_groups"
# Over any of these the referenced group is gone for good; see the values of a peering's status:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnectionStateReason.html
_STALE = frozenset(("deleted", "deleting", "expired", "failed", "rejected"))


# There are hundreds of thousands of these, and no cycle can run through them: the collector need not walk them.
class _Range(msgspec.Struct, gc=False, rename={"cidr": "CidrIp", "description": "Description"}):
    cidr: str = ""
    description: str = ""


class _Ipv6Range(msgspec.Struct, gc=False, rename={"cidr": "CidrIpv6", "description": "Description"}):
    cidr: str = ""
    description: str = ""


class _List(msgspec.Struct, gc=False, rename="pascal"):
    prefix_list_id: str = ""
    description: str = ""


class _Pair(msgspec.Struct, gc=False, rename="pascal"):
    group_id: str = ""
    group_name: str = ""
    user_id: str = ""
    vpc_id: str = ""
    vpc_peering_connection_id: str = ""
    peering_status: str = ""
    description: str = ""


class _Permission(msgspec.Struct, gc=False, rename="pascal"):
    ip_protocol: str
    from_port: int | None = None
    to_port: int | None = None
    ip_ranges: list[_Range] = []
    ipv6_ranges: list[_Ipv6Range] = []
    prefix_list_ids: list[_List] = []
    user_id_group_pairs: list[_Pair] = []


class _Referenced(msgspec.Struct, gc=False, rename="pascal"):
    group_id: str = ""


class _RuleName(msgspec.Struct, gc=False, rename="pascal"):
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


class Owner(NamedTuple):
    """The group whose permissions are read: its own id, its account, and its VPC's own id ("" for EC2-Classic)."""

    group: str
    account: str
    vpc: str


class Permissions:
    """Reads the permissions of the groups of one account and region.

    Args:
        answers: the answers of the account and region.
        draft: where peerings and prefix lists of other accounts are looked up.
        names: own ids of groups by VPC and name, for references that hold no id.
    """

    def __init__(self, answers: Answers, draft: Draft, names: dict[tuple[str, str], str]) -> None:
        self._answers = answers
        self._draft = draft
        self._names = names
        self._ids = _rule_ids(answers)
        self._peers: dict[tuple[str, ...], tuple[Peer, ...]] = {}

    def rules(self, owner: Owner, ingress: object, egress: object) -> tuple[Rule, ...]:
        """Return one rule for each source and destination of a group's permissions.

        Args:
            owner: the group.
            ingress: its ``IpPermissions``, as they came.
            egress: its ``IpPermissionsEgress``.

        What cannot be read becomes a gap, and a rule with the most that it can match.
        """
        return (*_Reader(self, owner, "ingress").read(ingress), *_Reader(self, owner, "egress").read(egress))

    def id_of_rule(self, owner: Owner, direction: Direction, matched: RuleTraffic, end: str) -> str | None:
        """Return AWS's id of a rule; None where that was not read."""
        return self._ids.get((owner.group, direction == "egress", matched, end)) if self._ids else None

    def malformed(self, owner: Owner, detail: str) -> None:
        """Note a permission, or a part of one, that cannot be read."""
        self._answers.gap(_WHAT, owner.group, "malformed", detail, _FACET)

    def listed(self, prefix_list: str) -> tuple[Peer, ...]:
        """Return the peer that names a prefix list."""
        key = (prefix_list,)
        if key not in self._peers:
            self._peers[key] = (ListRef(self._draft.id_of(self._answers, prefix_list)),)
        return self._peers[key]

    def referenced(self, owner: Owner, pair: _Pair) -> tuple[Peer, ...]:
        """Return the peer that names a group: of the owner's account where the pair names none, of its region always.

        Source: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
        """
        group = pair.group_id or self._names.get((pair.vpc_id or owner.vpc, pair.group_name), "")
        if not group:
            self.malformed(owner, f"a permission refers to a group {pair.group_name!r} that has no id")
            return (Unresolved(f"{owner.group}:{pair.group_name}", "the referenced group has no id"),)
        account = owner.account if group == owner.group else pair.user_id or owner.account
        key = (group, account, pair.vpc_peering_connection_id, pair.peering_status)
        if key not in self._peers:
            peering = pair.vpc_peering_connection_id
            self._peers[key] = (
                GroupRef(
                    group=self._answers.id(group, account=account),
                    via=self._draft.id_of(self._answers, peering) if peering else None,
                    stale=pair.peering_status in _STALE,
                ),
            )
        return self._peers[key]


class _Reader:
    """Reads the permissions of one group in one direction."""

    def __init__(self, permissions: Permissions, owner: Owner, direction: Direction) -> None:
        self._permissions = permissions
        self._owner = owner
        self._direction: Direction = direction
        self._rules: dict[str, Rule] = {}
        self._same: dict[tuple[Traffic, tuple[Peer, ...], bool], str] = {}

    def read(self, wires: object) -> tuple[Rule, ...]:
        if isinstance(wires, list):
            self._all(cast("list[object]", wires))
        elif wires is not None or self._direction == "ingress" or self._owner.vpc:
            # Groups of EC2-Classic had no egress list; any other group shows both, empty ones too.
            self._unread("", "expected a list of permissions")
        return tuple(self._rules.values())

    def _all(self, items: list[object]) -> None:
        try:
            permissions = msgspec.convert(items, list[_Permission])
        except msgspec.ValidationError:
            self._one_by_one(items)
        else:
            for index, permission in enumerate(permissions):
                self._permission(index, permission)

    def _one_by_one(self, items: list[object]) -> None:
        for index, item in enumerate(items):
            try:
                permission = msgspec.convert(item, _Permission)
            except msgspec.ValidationError as error:
                self._unread(f"[{index}]", str(error))
            else:
                self._permission(index, permission)

    def _unread(self, place: str, problem: str) -> None:
        self._malformed(f"{place}: {problem}".lstrip(": "))
        self._add(RuleTraffic(ALL_TRAFFIC, problem), "unread", ANYONE, "")

    def _malformed(self, detail: str) -> None:
        key = "IpPermissions" if self._direction == "ingress" else "IpPermissionsEgress"
        self._permissions.malformed(self._owner, f"{key}{'' if detail.startswith('[') else ': '}{detail}")

    def _permission(self, index: int, permission: _Permission) -> None:
        matched = rule_traffic(permission.ip_protocol, permission.from_port, permission.to_port)
        if matched.problem:
            self._malformed(f"[{index}]: {matched.problem}")
        for block in permission.ip_ranges:
            self._addresses(index, matched, block.cidr, block.description)
        for ipv6 in permission.ipv6_ranges:
            self._addresses(index, matched, ipv6.cidr, ipv6.description)
        for prefixes in permission.prefix_list_ids:
            peers = self._permissions.listed(prefixes.prefix_list_id)
            self._add(matched, prefixes.prefix_list_id, peers, prefixes.description)
        for pair in permission.user_id_group_pairs:
            peers = self._permissions.referenced(self._owner, pair)
            self._add(matched, pair.group_id or pair.group_name, peers, pair.description)
        if not any(
            (permission.ip_ranges, permission.ipv6_ranges, permission.prefix_list_ids, permission.user_id_group_pairs)
        ):
            self._malformed(f"[{index}]: the permission names nobody")
            self._add(matched, "unread", ANYONE, "", exact=False)

    def _addresses(self, index: int, matched: RuleTraffic, cidr: str, description: str) -> None:
        peers, problem = _addresses(cidr)
        if problem:
            self._malformed(f"[{index}]: {problem}")
        self._add(matched, cidr, peers, description, exact=not problem)

    def _add(
        self, matched: RuleTraffic, end: str, peers: tuple[Peer, ...], description: str, *, exact: bool = True
    ) -> None:
        # AWS knows each rule once; files written by hand may hold one twice, as tcp and 6, or with host bits.
        same = (matched.traffic, peers, exact and not matched.problem)
        if same in self._same:
            known = self._rules[self._same[same]]
            if description and not known.description:
                self._rules[known.id] = msgspec.structs.replace(known, description=description)
            return
        identifier = self._permissions.id_of_rule(self._owner, self._direction, matched, end)
        if identifier is None or identifier in self._rules:
            identifier = self._text(matched.traffic, end)
        self._same[same] = identifier
        self._rules[identifier] = Rule(
            id=identifier,
            direction=self._direction,
            verdict="next",
            traffic=matched.traffic,
            remote=peers,
            exact=exact and not matched.problem,
            description=description,
        )

    def _text(self, traffic: Traffic, end: str) -> str:
        text = f"{self._direction}/{_words(traffic)}/{end}"
        count = 1
        identifier = text
        while identifier in self._rules:
            count += 1
            identifier = f"{text}#{count}"
        return identifier


def _rule_ids(answers: Answers) -> dict[tuple[str, bool, RuleTraffic, str], str]:
    """Read AWS's ids of the rules, by group, direction, traffic and the text of the other end."""
    found: dict[tuple[str, bool, RuleTraffic, str], str] = {}
    for name in answers.each("ec2", "describe_security_group_rules", "SecurityGroupRules", _RuleName, _FACET):
        reference = name.referenced_group_info
        end = name.cidr_ipv4 or name.cidr_ipv6 or name.prefix_list_id or (reference.group_id if reference else "")
        matched = rule_traffic(name.ip_protocol, name.from_port, name.to_port)
        found[name.group_id, name.is_egress, matched, end] = name.security_group_rule_id
    return found


@lru_cache(maxsize=1 << 17)
def _addresses(cidr: str) -> tuple[tuple[Peer, ...], str]:
    try:
        return (Addresses(AddressSet.from_cidrs((cidr,))),), ""
    except ParseError as error:
        return ANYONE, str(error)


@lru_cache(maxsize=8192)
def _words(traffic: Traffic) -> str:
    return str(traffic)
