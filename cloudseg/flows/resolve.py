"""From sightings to conversations: both directions, all observers and all ends put together, in SQL over small tables.

The steps, each a table or two of its own:

1. ``resolve_places``: which address is an observer's own, so that it is known at which end it stands;
2. ``resolve_openers``: who opened it, where the records alone could not tell; legs behind a NAT gateway are dropped;
3. ``resolve_plain``: conversations that nobody refused, with one observer at each end at most: nearly all;
4. ``resolve_ends``, ``resolve_verdicts``: the others: several interfaces or networks at an end, refusals, gateways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.flows.columns import CONVERSATIONS, SIGHTINGS
from cloudseg.flows.database import execute
from cloudseg.flows.resolve_ends import ENDS
from cloudseg.flows.resolve_openers import OPENERS
from cloudseg.flows.resolve_places import PLACES
from cloudseg.flows.resolve_plain import DROP, PLAIN, REPORTS, TANGLED
from cloudseg.flows.resolve_verdicts import VERDICTS
from cloudseg.flows.resolve_words import Where

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection

    from cloudseg.flows.resolve_words import Statement

__all__ = ["create_sightings", "resolve"]

_ORDER = (
    "provider, initiator, responder, protocol, port NULLS FIRST, initiator_port NULLS FIRST, verdict, "
    "initiator_interface NULLS FIRST, responder_interface NULLS FIRST, initiator_network NULLS FIRST, "
    "responder_network NULLS FIRST, initiator_name NULLS FIRST, responder_name NULLS FIRST, "
    "initiator_scope NULLS FIRST, responder_scope NULLS FIRST, first_seen, last_seen"
)


def create_sightings(connection: DuckDBPyConnection) -> None:
    """Make the empty table ``sightings``: the columns of ``columns.SIGHTINGS``, and ``log``.

    ``log`` names the kind of log that a row stems from. Two kinds that tell of the same packets (an NSG flow log and a
    VNet flow log) must not be added up; rows of one kind are. NULL is a kind of its own.
    """
    held = ", ".join(f'"{column.name}" {column.type}' for column in SIGHTINGS)
    connection.execute(f'CREATE TABLE sightings ({held}, "log" VARCHAR)')


def resolve(connection: DuckDBPyConnection) -> str:
    """Make the table ``conversations_found`` of the table ``sightings``; return the SELECT that brings it in order.

    The table ``sightings`` is used up on the way: ask it for the coverage before.
    """
    _run(connection, (*PLACES, *OPENERS, *PLAIN, Where(TANGLED, (REPORTS, DROP, *ENDS, *VERDICTS), (DROP,))))
    names = ", ".join(f'"{column.name}"' for column in CONVERSATIONS)
    return f"SELECT {names} FROM conversations_found ORDER BY {_ORDER}"  # noqa: S608 -- column names only


def _run(connection: DuckDBPyConnection, statements: Iterable[Statement]) -> None:
    for each in statements:
        if isinstance(each, Where):
            _run(connection, each.then if connection.execute(each.asked).fetchall() else each.otherwise)
        else:
            execute(connection, each)
