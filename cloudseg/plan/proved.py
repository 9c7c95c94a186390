"""What a proof says, as a plan tells it: in words and with the names of the estate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import shown_id
from cloudseg.plan.settling import Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate
    from cloudseg.plan.proving.claims import Gain, Loss, Packet, Problem, Proof

__all__ = ["verdict_of"]


def verdict_of(proof: Proof, estate: Estate, steps: int) -> Verdict:
    """Return what a proof says.

    Args:
        proof: the proof.
        estate: where names are looked up.
        steps: how many changes it is about.
    """
    return Verdict(
        holds=proof.holds,
        violations=tuple(_violations(proof, estate, steps)),
        checked=tuple(sorted(msgspec.structs.asdict(proof.checked).items())),
        unknowns=proof.unknowns,
        assumptions=proof.assumptions,
    )


def _violations(proof: Proof, estate: Estate, steps: int) -> Iterator[Violation]:
    for gain in proof.gained:
        yield _of_packet("gained", gain, "it would let through what does not pass today", estate, steps)
    for loss in proof.lost:
        yield _of_packet("lost", loss, _needed(loss), estate, steps)
    for problem in proof.problems:
        yield _of_problem(problem, estate)


def _needed(loss: Loss) -> str:
    if loss.connections:
        also = " and the intent allows" if loss.intended else ""
        return f"it would stop what was seen {loss.connections:,} times{also}"
    if loss.intended:
        return "it would stop what the intent allows and what passes today"
    return "it would stop what passes today, and nothing tells that nobody needs it"


def _of_packet(kind: str, claim: Gain | Loss, what: str, estate: Estate, steps: int) -> Violation:
    source, target, traffic = _ends(claim.witness, estate)
    doubt = "" if claim.certain else f", as far as can be told{_because(claim.unknowns)}"
    return Violation(
        kind="gained" if kind == "gained" else "lost",
        source=source,
        target=target,
        traffic=traffic,
        rule=claim.through,
        words=f"{what}: {source} to {target} on {traffic}{doubt}",
        certain=claim.certain,
        when="at the end" if claim.state >= steps else f"after change {claim.state}",
        steps=claim.blamed,
    )


def _because(unknowns: tuple[str, ...]) -> str:
    return f" (unknown: {'; '.join(unknowns)})" if unknowns else ""


def _of_problem(problem: Problem, estate: Estate) -> Violation:
    source, target, traffic = ("", "", "") if problem.witness is None else _ends(problem.witness, estate)
    return Violation("impossible", source, target, traffic, "", problem.reason, True, "", problem.blamed)  # noqa: FBT003


def _ends(packet: Packet, estate: Estate) -> tuple[str, str, str]:
    return (
        _end(packet.source, packet.source_address, estate),
        _end(packet.target, packet.target_address, estate),
        str(packet.traffic),
    )


def _end(identifier: str, address: str, estate: Estate) -> str:
    if not identifier:
        return address
    known = estate.interfaces.get(identifier)
    label = shown_id(identifier) if known is None else known.label
    return f"{label} [{address}]" if address else label
