"""Records of AWS as the User Guide prints them, for tests.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html
"""

from __future__ import annotations

__all__ = ["APP", "DB", "V2", "V5", "WEB", "T", "log2", "log5", "v2", "v5"]

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
V5 = (
    f"{V2} vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type "
    "sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
)
T = 1_767_999_600
WEB, APP, DB = "eni-0aaaaaaaaaaaaaaa1", "eni-0bbbbbbbbbbbbbbb2", "eni-0ccccccccccccccc3"


def v5(
    interface: str,
    ends: str,
    flags: int | str = 0,
    action: str = "ACCEPT",
    *,
    at: int = 0,
    way: str = "egress",
    near: str = "",
    instance: str = "i-01234567890123456",
    vpc: str = "vpc-abcdefab012345678",
    protocol: int = 6,
    services: str = "- -",
) -> str:
    """A record of version 5: ``ends`` is "source port destination port"; ``near`` the plain addresses, if others."""
    src, src_port, dst, dst_port = ends.split()
    plain = near or f"{src} {dst}"
    return (
        f"5 123456789012 {interface} {plain} {src_port} {dst_port} {protocol} 10 1000 {T + at} {T + at + 50} {action} "
        f"OK {vpc} subnet-aaaaaaaa012345678 {instance} {flags} IPv4 {src} {dst} eu-west-1 euw1-az1 - - {services} "
        f"{way} -"
    )


def log5(*rows: str) -> str:
    return "\n".join([V5, *rows]) + "\n"


def v2(interface: str, ends: str, action: str = "ACCEPT", *, at: int = 0, protocol: int = 6) -> str:
    src, src_port, dst, dst_port = ends.split()
    return (
        f"2 123456789012 {interface} {src} {dst} {src_port} {dst_port} {protocol} 10 1000 {T + at} {T + at + 50} "
        f"{action} OK"
    )


def log2(*rows: str) -> str:
    return "\n".join([V2, *rows]) + "\n"
