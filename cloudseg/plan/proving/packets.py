"""Single packets as witnesses of claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.plan.proving.claims import Packet

if TYPE_CHECKING:
    from cloudseg.reach.comparing.witness import Witness

__all__ = ["packet_of"]


def packet_of(witness: Witness) -> Packet:
    """Return a witness of a comparison as the packet of a claim."""
    return Packet(
        source=witness.source,
        source_address=witness.source_address,
        target=witness.target,
        target_address=witness.target_address,
        traffic=witness.traffic,
    )
