"""How far an intruder gets, and how much of an estate can talk to how much of it, as values."""

from __future__ import annotations

import msgspec

__all__ = ["BlastRadius", "BlastSummary", "Exposure", "Extent", "PortExposure", "Reached", "Spread"]


class Extent(msgspec.Struct, frozen=True):
    """How much is reached.

    Attributes:
        interfaces: how many interfaces, those that the intruder holds at the start not among them.
        workloads: how many workloads own one of them; interfaces without an owner do not count here.
        share: the interfaces, as a share of all others of the estate: 0 to 1.
    """

    interfaces: int
    workloads: int
    share: float


class Reached(msgspec.Struct, frozen=True):
    """An interface that an intruder reaches.

    Attributes:
        interface: qualified id.
        steps: the fewest steps in which he may reach it.
        certain_steps: the fewest steps in which he certainly does; None where it is not certain that he does at all.
    """

    interface: str
    steps: int
    certain_steps: int | None


class BlastRadius(msgspec.Struct, frozen=True):
    """What an intruder reaches who starts at some interfaces.

    Attributes:
        start: qualified ids of the interfaces that he holds at the start, in order.
        one_step: what he certainly reaches in one step.
        one_step_at_most: what he reaches in one step at most.
        transitive: what he certainly reaches in any number of steps.
        transitive_at_most: what he reaches in any number of steps at most.
        reached: what he may reach, nearest first.
    """

    start: tuple[str, ...]
    one_step: Extent
    one_step_at_most: Extent
    transitive: Extent
    transitive_at_most: Extent
    reached: tuple[Reached, ...]


class Spread(msgspec.Struct, frozen=True):
    """How many interfaces an intruder reaches, over all interfaces at which he may start.

    Attributes:
        median: half of all interfaces reach no more than this; of an even number the lower of the two in the middle.
        worst: the most that one of them reaches.
        worst_at: qualified ids of the interfaces that reach the most, the first few in order; empty where none reaches
            anything.
        worst_count: how many interfaces reach the most; 0 where none reaches anything.
    """

    median: int
    worst: int
    worst_at: tuple[str, ...]
    worst_count: int


class BlastSummary(msgspec.Struct, frozen=True):
    """The blast radius over all interfaces of an estate.

    Attributes:
        one_step: certainly, in one step.
        one_step_at_most: at most, in one step.
        transitive: certainly, in any number of steps.
        transitive_at_most: at most, in any number of steps.
    """

    one_step: Spread
    one_step_at_most: Spread
    transitive: Spread
    transitive_at_most: Spread


class PortExposure(msgspec.Struct, frozen=True):
    """What can talk on a class of ports.

    Attributes:
        pairs: pairs that certainly can talk.
        pairs_at_most: pairs that can talk at most.
        of: the pairs that they are compared with: those that the intent names for these ports, or all pairs.
        share: ``pairs`` divided by ``of``, to six decimals; null where ``of`` is 0.
        share_at_most: ``pairs_at_most`` divided by ``of``, to six decimals; null where ``of`` is 0.
        from_internet: interfaces that the internet certainly reaches under its own addresses: straight, or through a
            load balancer that keeps them.
        from_internet_at_most: interfaces that it reaches so at most.
        one_step: how many interfaces an intruder certainly reaches in one step.
        one_step_at_most: how many he reaches in one step at most.
        blast_radius: how many he certainly reaches step after step.
        blast_radius_at_most: how many he reaches step after step at most.
    """

    pairs: int
    pairs_at_most: int
    of: int
    share: float | None
    share_at_most: float | None
    from_internet: int
    from_internet_at_most: int
    one_step: Spread
    one_step_at_most: Spread
    blast_radius: Spread
    blast_radius_at_most: Spread


class Exposure(msgspec.Struct, frozen=True):
    """The exposure of an estate, comparable between runs.

    Attributes:
        interfaces: interfaces that were read.
        by_intent: whether it is compared with the intent; else with all pairs.
        any_port: on any port, and by any protocol but ICMP.
        administration: on ports that give control over a machine: SSH, telnet, RDP, VNC, WinRM, SMB, Docker, etcd,
            kubelet.
        names: names of the interfaces from which an intruder gets furthest, by qualified id, where they have one.
    """

    interfaces: int
    by_intent: bool
    any_port: PortExposure
    administration: PortExposure
    names: dict[str, str] = {}
