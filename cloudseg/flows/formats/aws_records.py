"""What the records of VPC and transit gateway flow logs have in common, as SQL.

A record is selected in three steps, so that no expression is written twice: *told* reads the fields, *judged* adds the
status, and the outermost makes the columns of ``columns.RECORDS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.assembling import assembled, sound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.flows.formats.aws_fields import Fields
    from cloudseg.flows.formats.interface import Records

__all__ = ["lacking", "observed", "records_of", "status", "told"]

_PLAIN: Final = ("src", "dst", "src_port", "dst_port", "protocol", "packets", "bytes")
"""The columns that *told* holds under their own names."""

_UNSAID: Final = {"scope": ("-", "unknown"), "network": ("-",), "observer": ("-",)}
"""The account of an interface that another service made may be unknown."""


def lacking(fields: Fields, others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the fields without which nobody can say who spoke to whom, and when: those that are not there."""
    needed = (
        ("srcaddr", "pkt-srcaddr"),
        ("dstaddr", "pkt-dstaddr"),
        ("srcport",),
        ("dstport",),
        ("protocol",),
        ("start", "end"),
        *((other,) for other in others),
    )
    return tuple(" or ".join(names) for names in needed if not any(name in fields for name in names))


def told(fields: Fields) -> dict[str, str]:
    """Return the columns of *told* that both kinds of log fill from the same fields."""
    start, end = fields.number("start"), fields.number("end")
    return {
        "scope": fields.raw("account-id"),
        "src_port": fields.number("srcport", "INTEGER"),
        "dst_port": fields.number("dstport", "INTEGER"),
        "protocol": fields.number("protocol", "INTEGER"),
        "flags": fields.number("tcp-flags", "INTEGER"),
        "direction": fields.raw("flow-direction"),
        "packets": f"COALESCE({fields.number('packets')}, 0)",
        "bytes": f"COALESCE({fields.number('bytes')}, 0)",
        # A format with one of the two times tells both by it.
        "first": start if "start" in fields else end,
        "last": end if "end" in fields else start,
        "log_status": fields.raw("log-status"),
    }


def status(fields: Fields, condition: str) -> str:
    """Return the status of a record, over *told*; ``condition`` is what else a whole one fulfils."""
    whole = f"{sound(('packets', 'bytes'))} AND {condition}"
    if "log-status" in fields:
        return (
            f"CASE WHEN log_status = 'OK' AND {whole} THEN 0 WHEN log_status = 'NODATA' THEN 1 "
            "WHEN log_status = 'SKIPDATA' THEN 2 ELSE 4 END"
        )
    # Without its status a row that says nothing may be either: it counts as a loss.
    return f"CASE WHEN {whole} THEN 0 WHEN src IS NULL AND dst IS NULL AND protocol IS NULL THEN 2 ELSE 4 END"


def observed(fields: Fields, **columns: tuple[str, ...]) -> dict[str, str]:
    """Return which of these columns of *told* the records have: those of which one of the fields is there."""
    return {name: name for name, needs in columns.items() if any(field in fields for field in needs)}


def records_of(
    relation: str, read: Mapping[str, str], judged: Mapping[str, str], columns: Mapping[str, str]
) -> Records:
    """Return the records of a relation: ``read`` makes *told* of it, ``judged`` adds to that, ``columns`` the rest."""
    more = ", ".join(f'{expression} AS "{name}"' for name, expression in judged.items())
    inner = ", ".join(f'{expression} AS "{name}"' for name, expression in read.items())
    source = f"(SELECT told.*, {more} FROM (SELECT {inner} FROM {relation} AS log) AS told) AS judged"  # noqa: S608 -- quoted names
    return assembled("aws", source, {**{name: name for name in _PLAIN}, **columns})._replace(unsaid=_UNSAID)
