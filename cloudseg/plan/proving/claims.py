"""What a proof says: what was gained and lost, by which packet it shows, and what was looked at."""

from __future__ import annotations

import msgspec

from cloudseg.traffic import Traffic

__all__ = ["Checked", "Gain", "Loss", "Packet", "Problem", "Proof"]


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """One packet that shows something.

    Attributes:
        source: qualified id of the sending interface; empty for an address outside of the estate.
        source_address: its address; empty where it was not read.
        target: qualified id of the receiving interface; empty for an address outside of the estate.
        target_address: its address; empty where it was not read.
        traffic: one port, one ICMP type and code, or one protocol.
    """

    source: str
    source_address: str
    target: str
    target_address: str
    traffic: Traffic

    def __str__(self) -> str:
        """Return it in words: ``10.0.1.5 → 10.0.2.9 tcp/5432``."""
        return f"{self.source_address or self.source} → {self.target_address or self.target} {self.traffic}"


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic that passes in some state of the plan and did not pass before it.

    Attributes:
        sources: qualified ids of interfaces, in order, or ``external:<range>`` texts.
        targets: the same.
        traffic: what is gained, at most.
        certain: it certainly is; otherwise it cannot be ruled out.
        pairs: how many pairs of interfaces it is about; with one end outside, how many interfaces.
        state: after how many changes it is so.
        witness: a packet of it.
        through: what lets it through, in words; empty where no single rule does.
        unknowns: what is not known that would decide it, in words; empty where it is certain.
        blamed: places of the changes that bring it about, in order.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    traffic: Traffic
    certain: bool
    pairs: int
    state: int
    witness: Packet
    through: str = ""
    unknowns: tuple[str, ...] = ()
    blamed: tuple[int, ...] = ()


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Needs that some state of the plan carries no longer.

    Attributes:
        sources: qualified ids of interfaces, in order, or addresses outside.
        targets: the same.
        traffic: what is lost of what is needed, at most.
        certain: it certainly is; otherwise it cannot be ruled out.
        connections: how often it was opened; 0 where only the intent speaks of it.
        last_seen: when it was last seen, seconds since 1970; 0 likewise.
        intended: the intent allows it. What was neither seen nor is intended passes today, and nothing is known of who
            needs what.
        state: after how many changes it is so.
        witness: a packet of it.
        through: what let it through and is gone, in words; empty where no single rule did.
        unknowns: what is not known that would decide it, in words; empty where it is certain.
        blamed: places of the changes that bring it about, in order.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    traffic: Traffic
    certain: bool
    connections: int = 0
    last_seen: int = 0
    intended: bool = False
    state: int
    witness: Packet
    through: str = ""
    unknowns: tuple[str, ...] = ()
    blamed: tuple[int, ...] = ()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a plan is not proved that is no packet gained or lost: a quota, a change that does not fit, a disagreement.

    Attributes:
        kind: ``quota``, ``edit``, ``service`` or ``disagreement``.
        reason: in one sentence.
        witness: a packet that shows it; None where there is none.
        blamed: places of the changes that bring it about, in order.
    """

    kind: str
    reason: str
    witness: Packet | None = None
    blamed: tuple[int, ...] = ()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at.

    Attributes:
        states: states of the estate that were compared with that before the plan; they stand for all others.
        steps: changes, so many states there are besides the first.
        ends: interfaces at which lists or memberships change.
        pairs: ordered pairs of different interfaces of which one is such an end.
        needs: observed needs that touch such an end; the others meet no change.
        allowances: pairs of segments that the intent lets talk.
        packets: single packets that the second evaluator walked through the lists, before and after.
    """

    states: int = 0
    steps: int = 0
    ends: int = 0
    pairs: int = 0
    needs: int = 0
    allowances: int = 0
    packets: int = 0


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a plan opens nothing and breaks nothing that is known to be needed.

    Attributes:
        gained: what opens; empty for a proof that holds.
        lost: what breaks; likewise.
        problems: what else stands against it; likewise.
        checked: what was looked at.
        unknowns: what is not known of the lists that the plan touches; both claims hold for whatever it is, in words.
        assumptions: what must be so for the proof to mean anything, one sentence each.
    """

    gained: tuple[Gain, ...] = ()
    lost: tuple[Loss, ...] = ()
    problems: tuple[Problem, ...] = ()
    checked: Checked = Checked()
    unknowns: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is gained, nothing lost, and nothing else stands against it."""
        return not (self.gained or self.lost or self.problems)

    @property
    def blamed(self) -> tuple[int, ...]:
        """Places of all changes that are to blame for anything, in order."""
        each: tuple[Gain | Loss | Problem, ...] = (*self.gained, *self.lost, *self.problems)
        return tuple(sorted({place for claim in each for place in claim.blamed}))
