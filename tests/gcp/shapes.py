"""Small estates made by hand, which tests change in one point, and the words in which tables speak of packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gcp.oracle import decide
from tests.gcp.oracle_records import End, Packet
from tests.gcp.raw import Raw
from tests.gcp.raw_more import secure_tag, six_of
from tests.gcp.raw_parts import Card, vpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gcp.oracle_records import Decision, Json

__all__ = [
    "A6",
    "B6",
    "ESP",
    "ICMP",
    "ICMPV6",
    "OUTSIDE",
    "OUTSIDE_SIX",
    "SCTP",
    "TCP",
    "UDP",
    "A",
    "B",
    "by",
    "one_network",
    "packet",
    "say",
    "two_networks",
    "verdict",
]  # fmt: skip

ICMP, TCP, UDP, ESP, ICMPV6, SCTP = 1, 6, 17, 50, 58, 132
OUTSIDE = "9.9.9.9"
OUTSIDE_SIX = "2620:fe::9"
_SIX_A, _SIX_B = "2600:1900:1:1::/64", "2600:1900:1:2::/64"
A, B = "a@10.1.1.2", "b@10.1.2.2"
A6, B6 = f"a@{six_of(_SIX_A, 1)}", f"b@{six_of(_SIX_B, 1)}"


def packet(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443) -> Packet:
    """A packet between ends written as ``name@address``, or as an address outside; ``name/1`` is a second interface."""

    def end(text: str) -> End:
        name, _, address = text.rpartition("@")
        own, _, card = name.partition("/")
        return End(address, raw.own(own, int(card or 0)) if own else "")

    return Packet(end(source), end(target), protocol, port)


def say(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443) -> Decision:
    return decide(raw.answers, packet(raw, source, target, protocol, port))


def verdict(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443) -> str:
    return say(raw, source, target, protocol, port).verdict


def by(raw: Raw, source: str, target: str, protocol: int = TCP, port: int = 443) -> str:
    return say(raw, source, target, protocol, port).by


def one_network(
    *rules: Json, before: bool | None = None, routes: bool = True, public: Sequence[str] = (), secure: bool = False
) -> Raw:
    """``a`` (10.1.1.2, tag web, account a@) and ``b`` (10.1.2.2, tag db, account b@) in one dual-stack network.

    ``rules`` are VPC rules; with ``routes`` there are default routes. ``public`` names the machines with external
    addresses: 34.1.0.1 and 34.1.0.2. With ``secure`` each has a tag value of the network, ``tagValues/1`` and ``2``.
    """
    raw = Raw()
    raw.network("main", before=before)
    raw.subnet("main", "sa", "10.1.1.0/24", six=_SIX_A, external=True, secondary={"pods": "10.101.1.0/24"})
    raw.subnet("main", "sb", "10.1.2.0/24", six=_SIX_B, external=True, region="europe-west1")
    if routes:
        raw.route("main", "default", "0.0.0.0/0", "gateway")
        raw.route("main", "default-six", "::/0", "gateway")
    raw.firewall("main", *rules)
    if secure:
        secure_tag(raw, "1", "main")
        secure_tag(raw, "2", "main", numbered=True)
    for index, name in enumerate(("a", "b"), start=1):
        card = Card(
            f"s{name}",
            f"10.1.{index}.2",
            f"34.1.0.{index}" if name in public else "",
            ("10.101.1.9/32",) if name == "a" else (),
            six_of(_SIX_A if name == "a" else _SIX_B, 1),
        )
        tag = "web" if name == "a" else "db"
        raw.vm(name, card, tags=[tag], account=f"{name}@shop", secure=[f"tagValues/{index}"] if secure else [])
    return raw


def two_networks(
    *rules: Json, halves: tuple[bool, bool] = (True, True), active: bool = True, dual: tuple[bool, bool] = (True, True),
    prefix: str = "10.2.1.0/24", public: tuple[bool, bool] = (False, False),
) -> Raw:  # fmt: skip
    """``a`` (10.1.1.2) and ``b`` (10.2.1.2) in two peered networks; ``rules`` are those of the second.

    ``public`` is whether each half imports ranges of public addresses.
    """
    raw = Raw()
    for number, name, own in ((1, "a", "10.1.1.0/24"), (2, "b", prefix)):
        raw.network(f"n{name}")
        six = f"fd20:{number}:0:1::/64"
        raw.subnet(f"n{name}", f"s{name}", own, six=six)
        raw.firewall(f"n{name}", *(rules if name == "b" else [vpc("allow")]))
        raw.vm(name, Card(f"s{name}", own.replace("0/24", "2"), six=six_of(six, 1)), tags=["web"], account="x@shop")
    for index, (here, there) in enumerate((("na", "nb"), ("nb", "na"))):
        if halves[index]:
            raw.peering(here, there, active=active, dual=dual[index], public=(True, public[index]))
    return raw
