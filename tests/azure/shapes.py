"""Small estates made by hand, which tests change in one point, and the words in which tables speak of packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.oracle import decide
from tests.azure.oracle_records import End, Packet
from tests.azure.raw import SUBSCRIPTION, Raw

if TYPE_CHECKING:
    from tests.azure.oracle_records import Decision, Json

__all__ = ["AH", "ESP", "GRE", "ICMP", "ICMPV6", "OUTSIDE", "OUTSIDE_SIX", "TCP", "UDP", "by", "one_vnet", "packet",
           "public_server", "say", "two_vnets", "verdict"]  # fmt: skip

ICMP, TCP, UDP, GRE, ESP, AH, ICMPV6 = 1, 6, 17, 47, 50, 51, 58
OUTSIDE = "8.8.8.8"
OUTSIDE_SIX = "2600::7"


def packet(
    raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443, source_port: int = 49152
) -> Packet:
    """A packet between ends written as ``name@address``, or as an address outside."""

    def end(text: str) -> End:
        name, _, address = text.rpartition("@")
        return End(address, raw.own(name) if name else "")

    return Packet(end(source), end(target), protocol, port, source_port)


def say(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443, source_port: int = 49152) -> Decision:
    return decide(raw.answers, packet(raw, source, target, protocol, port, source_port))


def verdict(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443, source_port: int = 49152) -> str:
    return say(raw, source, target, protocol, port, source_port).verdict


def by(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443, source_port: int = 49152) -> str:
    return say(raw, source, target, protocol, port, source_port).by


def one_vnet(
    *rules: Json, nic_rules: tuple[Json, ...] | None = None, routes: tuple[tuple[str, ...], ...] | None = None,
    outbound: bool | None = True, asgs: dict[str, str] | None = None,
) -> Raw:  # fmt: skip
    """``a`` (10.1.1.4) and ``b`` (10.1.2.4) in two subnets of a network, ``c`` (10.1.2.5) beside ``b``.

    ``rules`` are those of a group on the subnet of ``b`` and ``c``, ``nic_rules`` those of a group on ``b`` alone;
    without rules there is no group. ``routes`` are user-defined ones of the subnet of ``a``. ``asgs`` are who is in
    which application security group.
    """
    raw = Raw()
    members = asgs or {}
    for asg in sorted(set(members.values())):
        raw.asg(asg)
    if rules:
        raw.nsg("nsg-subnet", *rules)
    if nic_rules is not None:
        raw.nsg("nsg-nic", *nic_rules)
    raw.vnet("v1", "10.1.0.0/16", "fd00:1::/48")
    if routes is not None:
        raw.table("rt", *[(each[0], each[1], each[2]) if len(each) == 3 else (each[0], each[1]) for each in routes])
    raw.subnet(
        "v1", "s1", "10.1.1.0/24", "fd00:1:0:1::/64", table="rt" if routes is not None else "", outbound=outbound
    )
    raw.subnet("v1", "s2", "10.1.2.0/24", "fd00:1:0:2::/64", nsg="nsg-subnet" if rules else "", outbound=outbound)
    own = {name: [asg] for name, asg in members.items()}
    raw.nic("a", "s1", "10.1.1.4", "fd00:1:0:1::4", asgs=own.get("a", []))
    raw.nic("b", "s2", "10.1.2.4", "fd00:1:0:2::4", asgs=own.get("b", []), nsg="" if nic_rules is None else "nsg-nic")
    raw.nic("c", "s2", "10.1.2.5", asgs=own.get("c", []))
    return raw


def two_vnets(
    *rules: Json, access: tuple[bool, bool] = (True, True), states: tuple[str, str] = ("Connected", "Connected"),
    halves: tuple[bool, bool] = (True, True),
) -> Raw:  # fmt: skip
    """``a`` (10.1.1.4) and ``b`` (10.2.1.4) in two peered networks, each under a group; ``rules`` are the second's."""
    raw = Raw()
    raw.nsg("nsg1")
    raw.nsg("nsg2", *rules)
    for number, name in ((1, "a"), (2, "b")):
        raw.vnet(f"v{number}", f"10.{number}.0.0/16")
        raw.subnet(f"v{number}", f"s{number}", f"10.{number}.1.0/24", nsg=f"nsg{number}")
        raw.nic(name, f"s{number}", f"10.{number}.1.4")
    for here, there, index in (("v1", "v2", 0), ("v2", "v1", 1)):
        if halves[index]:
            raw.peering(here, there, state=states[index], access=access[index])
    return raw


def public_server(*rules: Json, sku: str = "Standard", group: bool = True, table: str = "") -> Raw:
    """``a`` (10.1.1.4) with the public address 20.50.0.4, under a group of these rules."""
    raw = Raw()
    if group:
        raw.nsg("nsg", *rules)
    if table:
        raw.table("rt", ("0.0.0.0/0", table, "10.1.9.4") if table == "VirtualAppliance" else ("0.0.0.0/0", table))
    raw.public("pip-a", "20.50.0.4", sku=sku, subscription=SUBSCRIPTION)
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg" if group else "", table="rt" if table else "")
    raw.nic("a", "s1", ("10.1.1.4", "pip-a"))
    return raw
