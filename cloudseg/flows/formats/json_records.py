"""From what a log in JSON tells to the columns of ``columns.RECORDS``: their types, and the status of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.flows.columns import RECORDS
from cloudseg.flows.formats.assembling import COUNTS, assembled, sound
from cloudseg.flows.formats.json_files import selected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.flows.formats.interface import Records

__all__ = ["records_of"]

_NUMBERS: Final = frozenset({"src_port", "dst_port", "protocol", "first", "last"} | COUNTS)
_CODES: Final = frozenset({"side", "opener", "proof"})
_TYPES: Final = {column.name: column.type for column in RECORDS}
_PROTOCOL: Final = "accepted IS NOT NULL AND (protocol IS NULL OR (protocol >= 0 AND protocol <= 255))"
"""A log may tell of packets whose protocol it does not know; but nothing of one whose verdict it does not."""


def records_of(
    provider: str, relation: str, told: Mapping[str, str], status: str = "NULL", where: str = "TRUE"
) -> Records:
    """Return the records of a relation.

    A row is ``ok`` when both addresses, the verdict and the time stand in it, and ports where the protocol has some;
    else it is ``bad``. Of rows that are not ``ok`` nobody looks at more than who reports them and when.

    Args:
        provider: whose log it is.
        relation: what stands after FROM.
        told: an expression over the relation for each column that the log fills; what is missing is constantly NULL,
            or 0 where it counts. ``first`` must be among them, ``last`` is the same when it is not.
        status: an expression for the number of ``idle`` and ``skipped``, and of ``bad`` where a whole row says so; NULL
            else.
        where: a condition on the relation's rows; what does not fulfil it is no record.
    """
    held = {"last": told["first"], **told}
    typed = {name: _typed(name, expression) for name, expression in held.items()}
    whole = sound(COUNTS.intersection(held), _PROTOCOL)
    judged = f"COALESCE(told_status, CASE WHEN {whole} THEN 0 ELSE 4 END)"
    # The condition belongs to the inmost query, where the columns still bear the log's names.
    rows = selected(typed | {"told_status": f"CAST({status} AS INTEGER)"}, f"{relation} AS log WHERE {where}")
    return assembled(
        provider,
        f"{selected({'*': '*', 'status': judged}, f'{rows} AS told')} AS judged",
        {name: f'"{name}"' for name in held},
    )


def _typed(name: str, expression: str) -> str:
    if name in _NUMBERS:
        number = f"TRY_CAST({expression} AS {_TYPES[name]})"
        return f"COALESCE({number}, 0)" if name in COUNTS else number
    return f"COALESCE({expression}, 0)" if name in _CODES else expression
