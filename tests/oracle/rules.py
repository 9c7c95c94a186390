"""What one group, or one network ACL, says about one packet."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from tests.oracle.packet import ICMP, ICMPV6, TCP, UDP

if TYPE_CHECKING:
    from tests.oracle.records import Address, Entry, Interface, Read, Rule

__all__ = ["acl_allows", "entries_of", "groups_allow", "has_reply", "reply_port"]

_REPLIES = {ICMP: {8: 0, 13: 14, 15: 16, 17: 18}, ICMPV6: {128: 129}}


def groups_allow(
    estate: Read,
    interface: Interface,
    protocol: int,
    port: int,
    far: Address,
    named: Interface | None,
    *,
    egress: bool,
) -> bool:
    """Whether any rule of any group of the interface admits the packet; groups only allow, and add up.

    Only what AWS itself runs, such as a NAT gateway, has no group, and nothing filters there.

    ``far`` is the other end's address as the interface sees it. ``named`` is the interface at the other end where a
    group in a rule can mean it, else None.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
    """
    if not interface.groups:
        return True
    for own in interface.groups:
        for group in estate.groups:
            if group.id == own:
                for rule in group.egress if egress else group.ingress:
                    if _rule_carries(rule, protocol, port) and _rule_means(rule, far, named):
                        return True
    return False


def _rule_carries(rule: Rule, protocol: int, port: int) -> bool:
    """Ports count for TCP, UDP, ICMP and ICMPv6 only.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    if rule.protocol == -1:
        return True
    if rule.protocol != protocol:
        return False
    if protocol in {TCP, UDP}:
        return rule.first <= port <= rule.last
    if protocol in {ICMP, ICMPV6}:
        return _icmp_matches(rule.first, rule.last, port)
    return True


def _icmp_matches(kind: int, code: int, port: int) -> bool:
    if kind not in {-1, port // 256}:
        return False
    return kind == -1 or code in {-1, port % 256}


def _rule_means(rule: Rule, far: Address, named: Interface | None) -> bool:
    """A rule means the addresses of its ranges, and the interfaces that carry a group it names.

    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
    """
    for network in rule.ranges:
        if far in network:
            return True
    if named is not None:
        for group in rule.groups:
            if group in named.groups:
                return True
    return False


def acl_allows(estate: Read, subnet: str, protocol: int, port: int, far: Address, *, egress: bool) -> bool:
    """Whether the network ACL of a subnet lets the packet pass: the lowest number that matches decides.

    https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
    """
    for entry in sorted(entries_of(estate, subnet), key=attrgetter("number")):
        if entry.egress == egress and far in entry.network and _entry_carries(entry, protocol, port):
            return entry.allow
    return False


def entries_of(estate: Read, subnet: str) -> list[Entry]:
    """The entries that judge a subnet: those of its own network ACL, else of the VPC's default one."""
    for acl in estate.acls:
        if subnet in acl.subnets:
            return acl.entries
    for own in estate.subnets:
        if own.id == subnet:
            for acl in estate.acls:
                if acl.default and acl.vpc == own.vpc:
                    return acl.entries
    return []


def _entry_carries(entry: Entry, protocol: int, port: int) -> bool:
    """Ports count for TCP and UDP, types for ICMP and for ICMPv6 beside an IPv6 range.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html
    """
    if entry.protocol == -1:
        return True
    if entry.protocol != protocol:
        return False
    if protocol in {TCP, UDP} and entry.first != -1:
        return entry.first <= port <= entry.last
    if protocol == ICMP or (protocol == ICMPV6 and entry.network.version == 6):
        return _icmp_matches(entry.first, entry.last, port)
    return True


def has_reply(protocol: int, port: int) -> bool:
    """Whether anything answers: all protocols do, but of ICMP only the requests."""
    return protocol not in _REPLIES or port // 256 in _REPLIES[protocol]


def reply_port(protocol: int, port: int, client_port: int) -> int:
    """The port of the answer as a network ACL sees it: the client's own, or the ICMP type that answers."""
    if protocol in _REPLIES:
        return _REPLIES[protocol][port // 256] * 256
    return client_port
