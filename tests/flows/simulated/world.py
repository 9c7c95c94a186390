"""The world that traffic is made in: networks, interfaces, and who stands where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from random import Random

__all__ = ["AWS_FIELDS", "BEGIN", "OUTSIDE", "SPAN", "Card", "End", "Network", "World", "draw_world"]

BEGIN: Final = 1_767_999_600
"""2026-01-09 23:00:00 UTC: the window lies on the hour, so that windows of a minute are those of the clock."""
SPAN: Final = 1200
"""Seconds of traffic."""
OUTSIDE: Final = ("203.0.113.9", "198.51.100.77", "192.0.2.33")

_V2 = tuple(
    """version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action
    log-status""".split()  # noqa: SIM905 - as the documentation prints it
)
_V3_TO_V5 = tuple(
    """vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id
    pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path""".split()  # noqa: SIM905 - likewise
)
AWS_FIELDS: Final = {"v2": _V2, "v5": (*_V2, *_V3_TO_V5), "v11": (*_V2, *_V3_TO_V5, "interface-type")}
_LOSABLE = (
    ("tcp-flags",), ("flow-direction",), ("pkt-srcaddr", "pkt-dstaddr"), ("vpc-id",), ("tcp-flags", "flow-direction"),
)  # fmt: skip


class Network(NamedTuple):
    """A network: its range is ``stem`` with two numbers behind it.

    Attributes:
        shape: how its logs look: ``none``, ``text``, ``parquet`` (AWS), ``vnet``, ``nsg``, ``both`` (Azure), ``gcp``,
            ``hubble``.
        fields: the fields of an AWS log.
        firewall: Google's rules of the network log what they decide.
    """

    id: str
    provider: str
    scope: str
    stem: str
    shape: str
    fields: tuple[str, ...] = ()
    firewall: bool = False

    @property
    def flags(self) -> bool:
        return "tcp-flags" in self.fields

    @property
    def packet_level(self) -> bool:
        return "pkt-srcaddr" in self.fields

    @property
    def whole(self) -> bool:
        """Its records tell everything that the newest formats tell."""
        lossy = ("tcp-flags", "pkt-srcaddr", "flow-direction", "vpc-id")
        return self.provider != "aws" or all(each in self.fields for each in lossy)


class Card(NamedTuple):
    """An interface, an adapter or a node: what reports.

    Attributes:
        kind: ``machine``, ``nat``, ``balancer``, ``transit``, ``node``.
    """

    id: str
    network: Network
    primary: str
    others: tuple[str, ...]
    instance: str
    kind: str
    logged: bool


class End(NamedTuple):
    """One end of a conversation; outside the clouds there is no interface."""

    card: Card | None
    address: str


class World(NamedTuple):
    """Networks and interfaces.

    Attributes:
        machines: interfaces of machines by network, in the order of ``networks``.
        replaced: where an address went during the window: interface before, interface after.
        sampled: the share of records that are kept, as Google samples.
    """

    provider: str
    networks: list[Network]
    machines: list[list[Card]]
    gateway: Card | None
    balancer: Card | None
    transit: tuple[Card, Card] | None
    replaced: tuple[Card, Card] | None
    sampled: float = 1.0


def draw_world(random: Random, provider: str) -> World:
    """Draw a world of one provider."""
    return {"aws": _aws, "azure": _azure, "gcp": _gcp, "kubernetes": _kubernetes}[provider](random)


def _shape(random: Random, *, apart: bool) -> tuple[str, tuple[str, ...]]:
    """Draw a format; ``apart``: it has to tell the network, since another one has the same range."""
    if apart:
        return random.choice(("text", "parquet")), AWS_FIELDS[random.choice(("v5", "v11"))]
    kind = random.choice(("v2", "v5", "v5", "v11", "custom", "custom"))
    if kind != "custom":
        return random.choice(("text", "text", "parquet")), AWS_FIELDS[kind]
    lost = random.choice(_LOSABLE)
    fields = [each for each in AWS_FIELDS["v5"] if each not in lost]
    random.shuffle(fields)
    return "text", tuple(fields)


def _aws(random: Random) -> World:
    twins = random.random() < 0.5
    networks: list[Network] = []
    stems = ["10.0", "10.1", "10.2", "10.0"]
    for number, stem in enumerate(stems if twins else stems[:3]):
        apart = twins and stem == "10.0"
        shape, fields = _shape(random, apart=apart)
        shape = "none" if number in (1, 2) and random.random() < 0.2 else shape
        account = f"{111111111111 * (1 + number % 2)}"
        networks.append(Network(f"vpc-0{number:016x}", "aws", account, stem, shape, fields))
    machines = [
        [_machine(random, network, number, whole=network.stem == "10.0") for number in range(4)] for network in networks
    ]
    main, far = networks[0], networks[2]
    first = machines[0][3]
    after = first._replace(id=f"{first.id[:-2]}ff", instance="i-0aaaaaaaaaaaaaaff")
    return World(
        "aws",
        networks,
        machines,
        _special(main, 220, "nat"),
        _special(main, 230, "balancer"),
        (_special(main, 240, "transit"), _special(far, 240, "transit")),
        (first, after) if random.random() < 0.5 else None,
    )


def _special(network: Network, number: int, kind: str) -> Card:
    name = f"eni-0{network.id[-2:]}{number:014x}"
    return Card(name, network, f"{network.stem}.0.{number}", (), "-", kind, network.shape != "none")


def _machine(random: Random, network: Network, number: int, *, whole: bool) -> Card:
    logged = network.shape != "none" and (whole or random.random() < 0.9)
    others = tuple(f"{network.stem}.{number + 1}.{100 + at}" for at in range(random.choice((0, 0, 1, 3))))
    if network.stem == "10.0":
        others = tuple(f"10.0.{number + 1}.{100 + at}" for at in range(number % 3))
    name = f"eni-0{network.id[-2:]}{number + 1:014x}"
    return Card(name, network, f"{network.stem}.{number + 1}.5", others, f"i-0{name[5:]}", "machine", logged)


def _azure(random: Random) -> World:
    networks: list[Network] = []
    for number, stem in enumerate(("10.0", "10.1")):
        scope = f"0000000{number}-0000-0000-0000-000000000000"
        name = f"/subscriptions/{scope}/resourcegroups/net/providers/microsoft.network/virtualnetworks/vnet-{number}"
        networks.append(
            Network(name, "azure", scope, stem, random.choice(("vnet", "vnet", "nsg", "both", *["none"] * number)))
        )
    machines = [
        [
            Card(
                f"0022486F{network.stem[-1]}0{number:02X}",
                network, f"{network.stem}.{number + 1}.4", (), "", "machine", network.shape != "none",
            )
            for number in range(4)
        ]
        for network in networks
    ]  # fmt: skip
    return World("azure", networks, machines, None, None, None, None)


def _gcp(random: Random) -> World:
    networks = [
        Network(
            f"net-{number}",
            "gcp",
            f"project-{number}",
            stem,
            random.choice(("gcp", "gcp", *["none"] * number)),
            firewall=random.random() < 0.5,
        )
        for number, stem in enumerate(("10.0", "10.1"))
    ]
    machines = [
        [
            Card(
                f"vm-{network.stem[-1]}{number}",
                network, f"{network.stem}.{number + 1}.4", (), "", "machine", network.shape != "none",
            )
            for number in range(4)
        ]
        for network in networks
    ]  # fmt: skip
    return World("gcp", networks, machines, None, None, None, None, random.choice((1.0, 0.5)))


def _kubernetes(random: Random) -> World:
    network = Network("cluster-1", "kubernetes", "cluster-1", "10.0", "hubble")
    nodes = [
        Card(
            f"cluster-1/node-{number}",
            network,
            f"10.0.{number}.1",
            tuple(f"10.0.{number}.{10 + at}" for at in range(3)),
            "",
            "node",
            number == 0 or random.random() < 0.8,
        )
        for number in range(3)
    ]
    return World("kubernetes", [network], [nodes], None, None, None, None)
