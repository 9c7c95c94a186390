"""Step 3: conversations that nobody refused, with one observer at each end at most and nobody in between: nearly all.

They need one grouping. All others go the longer way of ``resolve_ends``: as *reports*, one for each observer,
conversation and verdict.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.columns import CONVERSATIONS
from cloudseg.flows.resolve_words import APART, KEY, RANK, confidence_sql, evidence_sql

__all__ = ["DROP", "PLAIN", "REPORTS", "TANGLED"]

_METRICS: Final = {
    "connections": "opened",
    "records": "records",
    "packets": "packets",
    "bytes": "bytes",
    "packets_back": "packets_back",
    "bytes_back": "bytes_back",
}
_ENDS: Final = {"initiator": "client", "responder": "server"}

_ONE_OF_EACH = " AND ".join(
    f"MIN({column}) IS NOT DISTINCT FROM MAX({column})"
    for column in (
        *(f"CASE place WHEN '{place}' THEN watcher END" for place in _ENDS.values()),
        *("initiator_name", "responder_name", '"log"', "rule"),
    )
)
_WATCHERS = ", ".join(f"MIN(CASE place WHEN '{place}' THEN watcher END) AS {place}" for place in _ENDS.values())
_AT_ENDS = ", ".join(
    # Of both ends the observer that counted more. DOUBLE is exact up to 2^53, and much faster than sums in 128 bits.
    "GREATEST({})::BIGINT AS {}".format(
        ", ".join(f"SUM(CASE place WHEN '{place}' THEN {column} END::DOUBLE)" for place in _ENDS.values()), name
    )
    for name, column in _METRICS.items()
)
_TIMES = ", ".join(
    f"{which}(CASE place WHEN '{place}' THEN \"{name}\" END) AS {place}_{name}"
    for place in _ENDS.values()
    for which, name in (("MIN", "first"), ("MAX", "last"))
)

_GROUPED = f"""
CREATE TEMP TABLE grouped AS
SELECT {KEY}, {_WATCHERS}, MIN(initiator_name) AS initiator_name, MIN(responder_name) AS responder_name,
    MIN({RANK}) AS rank, MIN(rule) AS rule, {_AT_ENDS}, {_TIMES},
    BOOL_AND(verdict = 'accepted' AND COALESCE(place, 'middle') <> 'middle') AND {_ONE_OF_EACH}
        -- Ends in two networks, at times far apart, may each speak of others.
        AND (MIN(net) = MAX(net) OR LEAST(client_last, server_last) - GREATEST(client_first, server_first) >= -{APART})
        AS plain
FROM legs GROUP BY {KEY}
"""  # noqa: S608 -- constant text

_CONVERSATIONS = "CREATE TEMP TABLE conversations_found ({})".format(
    ", ".join(f'"{column.name}" {column.type}' for column in CONVERSATIONS)
)

_FOUND = f"""
INSERT INTO conversations_found BY NAME
SELECT grouped.provider, {KEY.partition(", ")[2]}, 'accepted' AS verdict,
    c.observer AS initiator_interface, s.observer AS responder_interface, c.network AS initiator_network,
    s.network AS responder_network, c.scope AS initiator_scope, s.scope AS responder_scope,
    initiator_name, responder_name, CASE
        WHEN c.observer IS NULL AND s.observer IS NULL THEN []
        WHEN s.observer IS NULL OR c.observer = s.observer THEN [c.observer]
        WHEN c.observer IS NULL THEN [s.observer]
        WHEN c.observer < s.observer THEN [c.observer, s.observer]
        ELSE [s.observer, c.observer]
    END AS observers, []::VARCHAR[] AS middle, CASE WHEN rule IS NULL THEN [] ELSE [rule] END AS rules,
    {", ".join(_METRICS)}, make_timestamp(LEAST(client_first, server_first) * 1000000) AS first_seen,
    make_timestamp(GREATEST(client_last, server_last) * 1000000) AS last_seen, {evidence_sql("rank")} AS evidence,
    {confidence_sql("rank")} AS confidence
FROM grouped LEFT JOIN stations c ON c.watcher = grouped.client LEFT JOIN stations s ON s.watcher = grouped.server
WHERE plain
"""  # noqa: S608 -- constant text

TANGLED: Final = "SELECT 1 FROM grouped WHERE NOT plain LIMIT 1"
"""Asks whether there are other conversations."""

REPORTS: Final = f"""
-- The reports of all other conversations, with the number of each one's key.
CREATE TEMP TABLE reports AS
WITH rest AS (SELECT row_number() OVER () AS key, {KEY} FROM grouped WHERE NOT plain)
SELECT rest.key, legs.provider, legs.initiator, legs.responder, legs.protocol, legs.port, legs.initiator_port,
    "log", watcher, net, place, verdict, initiator_name, responder_name, MIN({RANK}) AS rank,
    list_sort(list_distinct(list(rule) FILTER (rule IS NOT NULL))) AS rules, BOOL_OR(answered) AS answered,
    SUM(opened)::BIGINT AS opened, SUM(records)::BIGINT AS records, SUM(packets)::BIGINT AS packets,
    SUM(bytes)::BIGINT AS bytes, SUM(packets_back)::BIGINT AS packets_back, SUM(bytes_back)::BIGINT AS bytes_back,
    MIN("first") AS "first", MAX("last") AS "last"
FROM legs JOIN rest
    ON legs.provider = rest.provider AND legs.initiator = rest.initiator AND legs.responder = rest.responder
    AND legs.protocol = rest.protocol AND legs.port IS NOT DISTINCT FROM rest.port
    AND legs.initiator_port IS NOT DISTINCT FROM rest.initiator_port
GROUP BY ALL
"""  # noqa: S608 -- constant text

DROP: Final = """
DROP TABLE grouped; DROP VIEW legs; DROP VIEW told; DROP TABLE IF EXISTS decided; DROP TABLE IF EXISTS shared;
DROP TABLE placed
"""
"""What nobody needs after that."""

PLAIN: Final = (_GROUPED, _CONVERSATIONS, _FOUND)
