"""Step 1: at which end an observer stands, where its records do not say: an end whose address is in all of them.

The default format of AWS has no direction. An interface's own primary address is in each of its records; a peer's is,
too, only where there is but one peer.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.resolve_words import Where

__all__ = ["PLACES"]

_PRIVATE = " OR ".join(
    f"address LIKE '{start}%'"
    for start in ("10.", "192.168.", "fc", "fd", "fe80:", *(f"172.{second}." for second in range(16, 32)))
)

_RENAMED = """
-- Google's flows without metadata name an end by its subnetwork and address. Where other records of the same project
-- show but one machine with that address, it is that machine.
UPDATE sightings SET observer = machines.observer, network = COALESCE(sightings.network, machines.network)
FROM (
    SELECT scope, address, MIN(observer) AS observer, MIN(network) AS network FROM (
        SELECT scope, network, observer, CASE place WHEN 'client' THEN client ELSE server END AS address
        FROM sightings
        WHERE provider = 'gcp' AND place IN ('client', 'server') AND contains(observer, '/instances/')
    ) GROUP BY scope, address HAVING MIN(observer) = MAX(observer)
) AS machines
WHERE sightings.provider = 'gcp' AND contains(sightings.observer, ':subnetworks/')
    AND sightings.scope = machines.scope AND split_part(sightings.observer, '/', -1) = machines.address
"""

_BY_SUBNETWORK = "SELECT 1 FROM sightings WHERE provider = 'gcp' AND contains(observer, ':subnetworks/') LIMIT 1"

_SEEN = """
-- What was seen, without rows that only tell how the log fares. near_*: the address as the observer saw it.
CREATE TEMP VIEW seen AS SELECT * FROM sightings WHERE status = 'ok'
"""

_UNSAID = "SELECT 1 FROM seen WHERE place IS NULL AND observer IS NOT NULL LIMIT 1"

_UNPLACED = """
-- Sightings of observers that do not say where they stand, with both addresses as they saw them.
CREATE TEMP TABLE unplaced AS
SELECT provider, observer, COALESCE(near_client, client) AS a, COALESCE(near_server, server) AS b,
    contains(client, ':') AS six
FROM seen WHERE place IS NULL AND observer IS NOT NULL
"""

_CANDIDATES = f"""
-- Addresses that stand in all sightings of an observer, in one family of addresses: one is its own.
CREATE TEMP TABLE candidates AS
WITH total AS (SELECT provider, observer, six, COUNT(*) AS n FROM unplaced GROUP BY ALL),
ends AS (
    SELECT provider, observer, six, a AS address FROM unplaced
    UNION ALL SELECT provider, observer, six, b FROM unplaced WHERE a <> b
),
met AS (SELECT provider, observer, six, address, COUNT(*) AS n FROM ends GROUP BY ALL)
SELECT met.provider, met.observer, met.six, met.address, ({_PRIVATE}) AS private
FROM met JOIN total USING (provider, observer, six) WHERE met.n = total.n
"""  # noqa: S608 -- constant text

_OWN = """
-- The observer's own address is the one that its other sightings tell; else the only candidate; else of two candidates
-- the one that is no other observer's, or the one that is private.
CREATE TEMP TABLE own AS
WITH placed_ends AS (
    SELECT DISTINCT provider, observer, contains(client, ':') AS six, CASE place
        WHEN 'client' THEN COALESCE(near_client, client) ELSE COALESCE(near_server, server) END AS address
    FROM seen WHERE place IN ('client', 'server') AND observer IS NOT NULL
),
told AS (SELECT candidates.* FROM candidates SEMI JOIN placed_ends USING (provider, observer, six, address)),
sole AS (
    SELECT provider, observer, six, MIN(address) AS address
    FROM (SELECT * FROM told UNION ALL SELECT * FROM candidates ANTI JOIN told USING (provider, observer, six))
    GROUP BY ALL HAVING COUNT(*) = 1
),
taken AS (SELECT provider, address FROM placed_ends UNION SELECT provider, address FROM sole),
left_over AS (
    SELECT * FROM candidates ANTI JOIN sole USING (provider, observer, six) ANTI JOIN taken USING (provider, address)
),
first_choice AS (
    SELECT provider, observer, six, MIN(address) AS address FROM left_over GROUP BY ALL HAVING COUNT(*) = 1
),
second_choice AS (
    SELECT provider, observer, six, MIN(address) AS address
    FROM left_over WHERE private GROUP BY ALL HAVING COUNT(*) = 1
)
SELECT * FROM sole
UNION ALL SELECT * FROM first_choice
UNION ALL SELECT * FROM second_choice ANTI JOIN first_choice USING (provider, observer, six)
"""

_WATCHERS = """
-- Who reports, numbered: an observer in its network and scope, where another record of the observer tells those too.
-- ``net`` numbers the networks, ``kind`` the kinds of logs, ``begin`` is when its log begins, ``flags`` whether that
-- shows the SYN of a connection (in a transit gateway's the ACK of later packets may hide it).
CREATE TEMP TABLE watchers AS
WITH logged AS (
    SELECT provider, observer, network, scope, "log", MIN("first") AS begin,
        BOOL_OR(COALESCE(orientation = 'handshake', FALSE) AND "log" IS DISTINCT FROM 'aws-tgw') AS flags
    FROM sightings GROUP BY ALL
),
homes AS (
    SELECT provider, observer, MIN(network) AS home, MIN(scope) AS account FROM logged
    WHERE observer IS NOT NULL GROUP BY ALL HAVING MIN(network) IS NOT DISTINCT FROM MAX(network)
),
told AS (
    SELECT logged.*, COALESCE(network, home) AS known_network, COALESCE(scope, account) AS known_scope
    FROM logged LEFT JOIN homes ON homes.provider = logged.provider AND homes.observer = logged.observer
)
SELECT provider, observer, network, scope, "log", known_network, known_scope,
    dense_rank() OVER (ORDER BY "log")::INTEGER AS kind,
    dense_rank() OVER (ORDER BY provider, observer, known_network, known_scope)::INTEGER AS watcher,
    dense_rank() OVER (ORDER BY provider, known_network)::INTEGER AS net,
    MIN(begin) OVER (PARTITION BY provider, observer) AS begin,
    BOOL_OR(flags) OVER (PARTITION BY provider, observer) AS flags
FROM told
"""


def _placed(place: str, own: str) -> str:
    return f"""
-- Every sighting with its place, and the numbers of who reports it and of the kind of log.
CREATE TEMP TABLE placed AS
SELECT s.* EXCLUDE (place, network, scope, observer, status, "log"), w.watcher, w.net, w.kind AS "log", {place} AS place
FROM seen s
JOIN watchers w ON w.provider = s.provider AND w.observer IS NOT DISTINCT FROM s.observer
    AND w.network IS NOT DISTINCT FROM s.network AND w.scope IS NOT DISTINCT FROM s.scope
    AND w."log" IS NOT DISTINCT FROM s."log"
{own}
"""  # noqa: S608 -- constant text


_PLACED_BY_OWN = _placed(
    """CASE
        WHEN s.place IS NOT NULL THEN s.place
        WHEN own.address = COALESCE(s.near_client, s.client) THEN 'client'
        WHEN own.address = COALESCE(s.near_server, s.server) THEN 'server'
    END""",
    """LEFT JOIN own ON s.place IS NULL AND own.provider = s.provider AND own.observer = s.observer
    AND own.six = contains(s.client, ':')""",
)
_PLACED = _placed("s.place", "")

_STATIONS = """
-- The watchers by number.
CREATE TEMP TABLE stations AS
SELECT DISTINCT watcher, net, provider, observer, known_network AS network, known_scope AS scope, begin, flags
FROM watchers
"""

_DROP_OWN = "DROP TABLE unplaced; DROP TABLE candidates; DROP TABLE own"

_DROP = """
-- What nobody needs from here on would only be spilled.
DROP VIEW seen; DROP TABLE sightings; DROP TABLE watchers
"""

PLACES: Final = (
    Where(_BY_SUBNETWORK, (_RENAMED,)),
    _SEEN,
    _WATCHERS,
    _STATIONS,
    Where(_UNSAID, (_UNPLACED, _CANDIDATES, _OWN, _PLACED_BY_OWN, _DROP_OWN), (_PLACED,)),
    _DROP,
)
