"""What the later steps share: a conversation's key, and how evidence is ranked.

A conversation's key: provider, initiator, responder, protocol, port and, of an unknown one, the initiator's port.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias, Union

from cloudseg.flows.columns import EVIDENCE

__all__ = ["APART", "KEY", "RANK", "Statement", "Where", "confidence_sql", "evidence_sql"]

KEY: Final = "provider, initiator, responder, protocol, port, initiator_port"
"""The columns of a conversation's key."""

APART: Final = 600
"""How many seconds may lie between what two ends record of the same packets: a record covers ten minutes at most."""

RANK: Final = "CASE evidence " + " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(EVIDENCE)) + " END"
"""The SQL of the rank of evidence: 0 is the surest."""


class Where(NamedTuple):
    """Statements that most logs do not need: planning them takes longer than to read a small log.

    Attributes:
        asked: a SELECT that gives a row where they are needed.
        then: the statements.
        otherwise: those in their place where they are not.
    """

    asked: str
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


Statement: TypeAlias = Union[str, Where]  # noqa: UP007 -- ``Where`` refers to it


def evidence_sql(rank: str) -> str:
    """Return the SQL of the word for a rank of evidence."""
    return f"CASE {rank} " + " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(EVIDENCE)) + " END"


def confidence_sql(rank: str) -> str:
    """Return the SQL of the confidence that a rank of evidence gives."""
    words = enumerate(confidence for confidence, _ in EVIDENCE.values())
    return f"CASE {rank} " + " ".join(f"WHEN {place} THEN '{word}'" for place, word in words) + " END"
