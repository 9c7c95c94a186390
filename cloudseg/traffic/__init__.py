"""The algebra of packets: sets of addresses, and sets of protocols with their ports; it knows no cloud."""

from cloudseg.traffic.addresses import (
    ALL_ADDRESSES,
    ALL_IPV4,
    ALL_IPV6,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    PRIVATE,
    AddressSet,
)
from cloudseg.traffic.cidr import parse_cidr
from cloudseg.traffic.intervals import NO_NUMBERS, IntervalSet
from cloudseg.traffic.protocols import protocol_name, protocol_number
from cloudseg.traffic.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

__all__ = [
    "ALL_ADDRESSES",
    "ALL_IPV4",
    "ALL_IPV6",
    "ALL_TRAFFIC",
    "GLOBAL_UNICAST",
    "NO_ADDRESSES",
    "NO_NUMBERS",
    "NO_TRAFFIC",
    "PRIVATE",
    "AddressSet",
    "IntervalSet",
    "Traffic",
    "parse_cidr",
    "protocol_name",
    "protocol_number",
]
