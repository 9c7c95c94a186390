"""The ICMP messages of Cilium's rules, by number or by the names that its documentation lists.

Source: https://docs.cilium.io/en/stable/security/policy/layer4/#limit-icmp-icmpv6-types
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.policies.cilium.wire import IcmpRule

__all__ = ["read_icmp"]

_V4: Final = {
    "EchoReply": 0,
    "DestinationUnreachable": 3,
    "Redirect": 5,
    "Echo": 8,
    "EchoRequest": 8,
    "RouterAdvertisement": 9,
    "RouterSelection": 10,
    "TimeExceeded": 11,
    "ParameterProblem": 12,
    "Timestamp": 13,
    "TimestampReply": 14,
    "Photuris": 40,
    "ExtendedEchoRequest": 42,
    "ExtendedEchoReply": 43,
}
_V6: Final = {
    "DestinationUnreachable": 1,
    "PacketTooBig": 2,
    "TimeExceeded": 3,
    "ParameterProblem": 4,
    "EchoRequest": 128,
    "EchoReply": 129,
    "MulticastListenerQuery": 130,
    "MulticastListenerReport": 131,
    "MulticastListenerDone": 132,
    "RouterSolicitation": 133,
    "RouterAdvertisement": 134,
    "NeighborSolicitation": 135,
    "NeighborAdvertisement": 136,
    "RedirectMessage": 137,
    "RouterRenumbering": 138,
    "ICMPNodeInformationQuery": 139,
    "ICMPNodeInformationResponse": 140,
    "InverseNeighborDiscoverySolicitation": 141,
    "InverseNeighborDiscoveryAdvertisement": 142,
    "HomeAgentAddressDiscoveryRequest": 144,
    "HomeAgentAddressDiscoveryReply": 145,
    "MobilePrefixSolicitation": 146,
    "MobilePrefixAdvertisement": 147,
    "DuplicateAddressRequestCodeSuffix": 157,
    "DuplicateAddressConfirmationCodeSuffix": 158,
    "ExtendedEchoRequest": 160,
    "ExtendedEchoReply": 161,
}
"""Types by name: https://www.iana.org/assignments/icmp-parameters/icmp-parameters.xhtml and
https://www.iana.org/assignments/icmpv6-parameters/icmpv6-parameters.xhtml"""
_FAMILIES: Final = {"IPv4": (4, _V4), "IPv6": (6, _V6)}
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_HIGHEST: Final = 255
_MOST: Final = 40


def read_icmp(item: IcmpRule) -> tuple[Traffic, bool]:
    """Return the messages that an item of ``icmps`` names, and whether that is sure; at most all where it names none.

    Raises:
        ParseError: the API server or Cilium would refuse it.
    """
    if not item.fields:
        return ALL_TRAFFIC, False
    if len(item.fields) > _MOST:
        raise ParseError(f"icmps names {len(item.fields)} types, and at most {_MOST} are allowed")
    found = NO_TRAFFIC
    for each in item.fields:
        family = each.family or "IPv4"
        if family not in _FAMILIES:
            raise ParseError(f"icmps: family {family!r} is neither IPv4 nor IPv6")
        version, names = _FAMILIES[family]
        text = str(each.type)
        number = names.get(text)
        if number is None:
            number = int(text) if _NUMBER.fullmatch(text) else _HIGHEST + 1
        if number > _HIGHEST:
            raise ParseError(f"icmps: {text!r} is no type of ICMP messages over {family}")
        found |= Traffic.icmp_type(number, None, version)
    return found, True
