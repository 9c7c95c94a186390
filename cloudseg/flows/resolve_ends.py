"""Step 4: the ends of tangled conversations: which interface at one end goes with which at the other.

An address that moved from one interface to another, or that stands in several networks, makes several rows. The ends of
one network belong together; an end without one goes with the other end's network if there is but one without, too.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.resolve_words import APART

__all__ = ["ENDS"]

_NAMED = """
-- A name that only some of the reports tell (metadata may be missing) is that of all, if there is but one.
CREATE TEMP TABLE named AS
WITH names AS (
    SELECT key, MIN(initiator_name) AS one_initiator, MIN(responder_name) AS one_responder,
        MIN(initiator_name) IS DISTINCT FROM MAX(initiator_name) AS many_initiators,
        MIN(responder_name) IS DISTINCT FROM MAX(responder_name) AS many_responders
    FROM reports GROUP BY key
)
SELECT reports.* EXCLUDE (initiator_name, responder_name),
    CASE WHEN many_initiators THEN initiator_name ELSE one_initiator END AS initiator_name,
    CASE WHEN many_responders THEN responder_name ELSE one_responder END AS responder_name
FROM reports JOIN names USING (key)
"""

_TALKS = """
-- What makes rows of its own: the key and the names of both ends.
CREATE TEMP TABLE talks AS
SELECT row_number() OVER (ORDER BY key, initiator_name, responder_name) AS talk, key, initiator_name, responder_name
FROM (SELECT DISTINCT key, initiator_name, responder_name FROM named)
"""

_PARTS = """
-- The reports by talk.
CREATE TEMP TABLE parts AS
SELECT talks.talk, named.* FROM named
JOIN talks ON named.key = talks.key AND named.initiator_name IS NOT DISTINCT FROM talks.initiator_name
    AND named.responder_name IS NOT DISTINCT FROM talks.responder_name
"""

_STANDS = """
-- Who stands at an end, from when to when.
CREATE TEMP TABLE stands AS
SELECT row_number() OVER (ORDER BY talk, place, watcher) AS id, * FROM (
    SELECT talk, place, watcher, net, MIN("first") AS "first", MAX("last") AS "last"
    FROM parts WHERE place IN ('client', 'server') GROUP BY ALL
)
"""

_NETWORKS = """
-- Which network at the initiator's end goes with which at the responder's.
CREATE TEMP TABLE networks_met AS
WITH nets AS (SELECT DISTINCT talk, place, net FROM stands),
same AS (
    SELECT c.talk, c.net AS client_net, s.net AS server_net FROM nets c JOIN nets s USING (talk, net)
    WHERE c.place = 'client' AND s.place = 'server'
),
alone AS (SELECT nets.* FROM nets ANTI JOIN same ON same.talk = nets.talk AND same.client_net = nets.net),
single AS (SELECT talk, place, MIN(net) AS net FROM alone GROUP BY ALL HAVING COUNT(*) = 1)
SELECT * FROM same
UNION ALL
SELECT c.talk, c.net, s.net FROM single c JOIN single s USING (talk) WHERE c.place = 'client' AND s.place = 'server'
"""

_PAIRS = f"""
-- Which interface goes with which. Several at both ends: each with the one it overlaps the longest in time. In two
-- networks each may speak of others that bear the same addresses: only what was seen at about the same time is one.
CREATE TEMP TABLE pairs AS
WITH candidates AS (
    SELECT c.talk, c.id AS client, s.id AS server,
        LEAST(c."last", s."last") - GREATEST(c."first", s."first") AS overlap,
        COUNT(*) OVER (PARTITION BY c.talk, c.id) AS servers, COUNT(*) OVER (PARTITION BY c.talk, s.id) AS clients
    FROM networks_met n
    JOIN stands c ON c.talk = n.talk AND c.net = n.client_net AND c.place = 'client'
    JOIN stands s ON s.talk = n.talk AND s.net = n.server_net AND s.place = 'server'
    WHERE c.net = s.net OR LEAST(c."last", s."last") - GREATEST(c."first", s."first") >= -{APART}
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY client ORDER BY overlap DESC, server) AS of_client,
        row_number() OVER (PARTITION BY server ORDER BY overlap DESC, client) AS of_server
    FROM candidates
)
SELECT talk, client, server FROM ranked
WHERE servers = 1 OR clients = 1 OR (overlap >= 0 AND (of_client = 1 OR of_server = 1))
"""  # noqa: S608 -- constant text

_ROWS = """
-- The rows of each talk: pairs, ends without a partner, and talks that nobody reported from an end. Those of unknown
-- place stand apart by network.
CREATE TEMP TABLE found_rows AS
SELECT row_number() OVER (ORDER BY talk, client NULLS LAST, server NULLS LAST, middle_net NULLS LAST) AS id, * FROM (
    SELECT talk, client, server, NULL AS middle_net FROM pairs
    UNION ALL SELECT talk, id, NULL, NULL FROM stands WHERE place = 'client' AND id NOT IN (SELECT client FROM pairs)
    UNION ALL SELECT talk, NULL, id, NULL FROM stands WHERE place = 'server' AND id NOT IN (SELECT server FROM pairs)
    UNION ALL SELECT DISTINCT talk, NULL::BIGINT, NULL::BIGINT, CASE WHEN place IS NULL THEN net END
    FROM parts ANTI JOIN stands USING (talk) WHERE place IS NULL OR NOT EXISTS (
        SELECT 1 FROM parts p WHERE p.talk = parts.talk AND p.place IS NULL
    )
)
"""

ENDS: Final = (_NAMED, _TALKS, _PARTS, _STANDS, _NETWORKS, _PAIRS, _ROWS)
