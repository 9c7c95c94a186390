"""Step 2: who opened it, where a record alone could not tell; and the far legs behind NAT gateways are dropped.

A *loose* sighting stands on its ports, or on nothing. Surest first:

- a handshake between the same ends and ports was seen: it tells;
- one of its two ends answered handshakes on its port in the same logs, the other did not: it listens;
- many ports of one host met the same port of the other: that one listens (an NFS client's ports lie below 1024, too);
- only one end ever sent, unless TCP flags show that it goes on with an older connection;
- one end's packets came first, well after the log began, likewise;
- the kinds of the two ports differ;
- nothing tells: unknown. The refused answer to a question that nobody saw is not turned into a conversation of its own.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.ports import KNOWN_SERVICE, kind_sql
from cloudseg.flows.resolve_legs import LEGS, TOLD, TOLD_PROVEN
from cloudseg.flows.resolve_words import Where

__all__ = ["OPENERS"]

_LISTENERS = """
-- Ends that answered a handshake, or of which a log keeps connections that were let through.
CREATE TEMP TABLE listeners AS
SELECT DISTINCT provider, net, server AS address, protocol, port
FROM placed WHERE port IS NOT NULL AND (
    (orientation IN ('handshake', 'state') AND answered) OR (orientation = 'state' AND verdict = 'accepted')
)
"""

_LOOSE = """
-- Sightings without proof, with the client's port where it is but one.
CREATE TEMP TABLE loose AS
SELECT row_number() OVER () AS id, *,
    COALESCE(client_port, CASE WHEN client_port_low = client_port_high THEN client_port_low END) AS sole_port
FROM placed WHERE orientation IN ('ports', 'none')
"""

_FAN_IN = f"""
-- Ends whose one port met three ports or more of the same host: what listens does, what calls does not. A client that
-- keeps one port of its own for many calls to one server (a scan) is none: its port must be a service's, or answered.
CREATE TEMP TABLE fan_in AS
WITH pairs AS (
    SELECT provider, net, protocol, client, server, port, sole_port, client_port_low, client_port_high, orientation,
        asked, asked AND answered AS mutual
    FROM loose WHERE port IS NOT NULL AND client_port_low IS NOT NULL
),
served AS (
    SELECT provider, net, protocol, server AS address, port FROM pairs WHERE asked -- what never asks is scanned
    GROUP BY provider, net, protocol, client, server, port
    HAVING COUNT(DISTINCT sole_port) >= 3 OR BOOL_OR(client_port_low < client_port_high)
),
called AS (
    SELECT provider, net, protocol, client AS address, sole_port AS port FROM pairs
    WHERE sole_port IS NOT NULL AND mutual AND (orientation = 'none' OR {kind_sql("sole_port")} <= {KNOWN_SERVICE})
    GROUP BY provider, net, protocol, client, server, sole_port
    HAVING COUNT(DISTINCT port) >= 3
)
SELECT * FROM served UNION SELECT * FROM called
"""  # noqa: S608 -- constant text

_PROVEN = """
-- Loose sightings of which a handshake tells, or the log of connections: between the same two ends, on the same ports.
-- ``forth``: it agrees; ``back``: it was opened the other way round; ``against``: the other way round as well, but of
-- the ports only a range is known: the answers of many doors to a scanner's one port, or data connections that a server
-- opens (active FTP).
CREATE TEMP TABLE proven AS
SELECT provider, client, server, protocol, port, client_port_low, client_port_high,
    BOOL_OR(verdict <> 'refused') AS let_in
FROM placed WHERE orientation IN ('handshake', 'state') GROUP BY ALL
"""

_PROOFS = """
CREATE TEMP TABLE proofs AS
WITH met AS (
    SELECT loose.id, TRUE AS forth, FALSE AS back, FALSE AS against FROM loose JOIN proven
        ON loose.provider = proven.provider AND loose.protocol = proven.protocol AND loose.client = proven.client
        AND loose.server = proven.server AND loose.port IS NOT DISTINCT FROM proven.port AND (
            loose.port IS NULL
            OR (loose.client_port_high >= proven.client_port_low AND loose.client_port_low <= proven.client_port_high)
        )
    UNION ALL
    SELECT loose.id, FALSE, loose.sole_port IS NOT DISTINCT FROM proven.port,
        -- A door that let nobody in gave no answer.
        loose.sole_port IS NOT DISTINCT FROM proven.port OR proven.let_in OR loose.verdict = 'reply-refused'
    FROM loose JOIN proven
        ON loose.provider = proven.provider AND loose.protocol = proven.protocol AND loose.client = proven.server
        AND loose.server = proven.client AND (
            (loose.port IS NULL AND proven.port IS NULL)
            OR (loose.port BETWEEN proven.client_port_low AND proven.client_port_high
                AND proven.port BETWEEN loose.client_port_low AND loose.client_port_high)
        )
)
SELECT id, BOOL_OR(forth) AS forth, BOOL_OR(back) AS back, BOOL_OR(against) AS against FROM met GROUP BY id
"""

_SENDERS = """
-- Of pairs of ends that nothing tells apart: who sent at all, what of it was let through, and when first, whoever saw
-- it. When the client's came is not known if the server's is the first of all: later, or in the same second.
-- ``flagged``: the log has TCP flags, so that what has no SYN is the middle of a connection, which either end goes on
-- with.
CREATE TEMP TABLE senders AS
SELECT loose.provider, protocol, client, server, port, client_port,
    BOOL_OR(asked) AS asked, BOOL_OR(answered) AS answered,
    BOOL_OR(asked AND verdict = 'accepted') AS client_let, BOOL_OR(answered AND verdict = 'accepted') AS server_let,
    MIN("first") FILTER (asked AND (first_back IS NULL OR "first" < first_back)) AS client_first,
    MIN(first_back) AS server_first, MIN(first_back) FILTER (asked AND "first" = first_back) AS tie,
    MIN("first" - begin) AS after_begin, protocol = 6 AND BOOL_OR(flags) AS flagged
FROM loose JOIN stations USING (watcher) WHERE orientation = 'none'
GROUP BY loose.provider, protocol, client, server, port, client_port
"""

_ASKED = """
-- What was asked and let through, by ends: the refused answers to it are answers.
CREATE TEMP TABLE asked_for AS
SELECT DISTINCT provider, protocol, client, server, port
FROM placed SEMI JOIN (SELECT provider, protocol, client, server, port FROM loose WHERE verdict = 'reply-refused')
USING (provider, protocol, client, server, port) WHERE asked AND verdict = 'accepted'
"""

_DECIDED = f"""
-- Every loose sighting with the evidence found, and whether its two ends change places.
CREATE TEMP TABLE decided AS
WITH weighed AS (
    SELECT loose.*, s.port IS NOT NULL AS server_listens, c.port IS NOT NULL AS client_listens,
        fs.port IS NOT NULL AS met_at_server, fc.port IS NOT NULL AS met_at_client,
        proofs.forth AND NOT proofs.back AS agreed, proofs.back AND NOT proofs.forth AS opposed,
        proofs.against AND NOT proofs.forth AS contradicted,
        loose.port IS NOT NULL AND asked_for.client IS NULL AS unasked,
        CASE
            -- Of sampled packets a missing direction shows nothing.
            WHEN loose.provider = 'gcp' OR senders.flagged THEN NULL
            WHEN senders.asked AND NOT senders.answered THEN FALSE
            WHEN senders.answered AND NOT senders.asked THEN TRUE
            -- Who was let through asked; what was refused is the answer.
            WHEN senders.client_let AND NOT senders.server_let THEN FALSE
            WHEN senders.server_let AND NOT senders.client_let THEN TRUE
        END AS only_server_sent,
        CASE
            -- Nor does the first of them.
            WHEN senders.after_begin < 600 OR loose.provider = 'gcp' OR senders.flagged THEN NULL
            WHEN senders.client_first < senders.server_first THEN FALSE
            WHEN senders.server_first < senders.client_first AND senders.tie IS NULL THEN TRUE
        END AS server_first
    FROM loose
    LEFT JOIN listeners s ON s.provider = loose.provider AND s.net = loose.net AND s.address = loose.server
        AND s.protocol = loose.protocol AND s.port = loose.port
    LEFT JOIN listeners c ON c.provider = loose.provider AND c.net = loose.net AND c.address = loose.client
        AND c.protocol = loose.protocol AND c.port = loose.sole_port
    LEFT JOIN fan_in fs ON fs.provider = loose.provider AND fs.net = loose.net AND fs.address = loose.server
        AND fs.protocol = loose.protocol AND fs.port = loose.port
    LEFT JOIN fan_in fc ON fc.provider = loose.provider AND fc.net = loose.net AND fc.address = loose.client
        AND fc.protocol = loose.protocol AND fc.port = loose.sole_port
    LEFT JOIN proofs ON proofs.id = loose.id
    LEFT JOIN asked_for ON loose.verdict = 'reply-refused' AND asked_for.provider = loose.provider
        AND asked_for.protocol = loose.protocol AND asked_for.client = loose.client
        AND asked_for.server = loose.server AND asked_for.port = loose.port
    LEFT JOIN senders ON loose.orientation = 'none' AND senders.provider = loose.provider
        AND senders.protocol = loose.protocol AND senders.client = loose.client AND senders.server = loose.server
        AND senders.port IS NOT DISTINCT FROM loose.port
        AND senders.client_port IS NOT DISTINCT FROM loose.client_port
),
found AS (
    SELECT *, CASE
        WHEN agreed THEN 'listening'
        WHEN opposed THEN 'listening turned'
        -- Who asks from the port it is asked on (time servers, gossip) is not known by that port.
        WHEN server_listens AND NOT client_listens AND sole_port IS DISTINCT FROM port THEN 'listening'
        WHEN client_listens AND NOT server_listens AND sole_port IS DISTINCT FROM port THEN 'listening turned'
        WHEN contradicted THEN 'shared'
        -- A port of the system's own services is never a client's, whatever a scanner met besides.
        WHEN met_at_client AND NOT met_at_server AND NOT (orientation = 'ports' AND {kind_sql("port")} = 0)
            THEN 'ports turned'
        WHEN orientation = 'ports' AND verdict = 'reply-refused' AND unasked THEN 'unknown'
        WHEN orientation = 'ports' THEN 'ports'
        WHEN met_at_server AND NOT met_at_client THEN 'ports'
        WHEN only_server_sent IS NOT NULL THEN CASE WHEN only_server_sent THEN 'one-way turned' ELSE 'one-way' END
        WHEN server_first IS NOT NULL THEN CASE WHEN server_first THEN 'order turned' ELSE 'order' END
        ELSE 'unknown'
    END AS word FROM weighed
)
SELECT *, split_part(word, ' ', 1) AS evidence, contains(word, 'turned') AS turned FROM found
"""  # noqa: S608 -- constant text

_SHARED = """
-- What belongs to several proven conversations, the other way round: each gets its share of the packets.
CREATE TEMP TABLE shared AS
WITH parts AS (
    SELECT DISTINCT decided.id, proven.port AS door FROM decided JOIN proven
        ON decided.provider = proven.provider AND decided.protocol = proven.protocol
        AND decided.client = proven.server AND decided.server = proven.client
        AND decided.port BETWEEN proven.client_port_low AND proven.client_port_high
        AND proven.port BETWEEN decided.client_port_low AND decided.client_port_high
        AND (proven.let_in OR decided.verdict = 'reply-refused')
    WHERE evidence = 'shared'
),
counted AS (SELECT *, COUNT(*) OVER (PARTITION BY id) AS n FROM parts)
SELECT decided.* EXCLUDE (sole_port, evidence, turned, records, packets, bytes, packets_back, bytes_back),
    door AS sole_port, 'listening' AS evidence, TRUE AS turned, GREATEST(records // n, 1) AS records,
    packets // n AS packets, bytes // n AS bytes, packets_back // n AS packets_back, bytes_back // n AS bytes_back
FROM decided JOIN counted USING (id)
"""

_DROP = """
DROP TABLE loose; DROP TABLE listeners; DROP TABLE fan_in; DROP TABLE proven; DROP TABLE proofs; DROP TABLE senders;
DROP TABLE asked_for
"""

_NO_SENDERS = """
CREATE TEMP TABLE senders (
    provider VARCHAR, protocol INTEGER, client VARCHAR, server VARCHAR, port INTEGER, client_port INTEGER,
    asked BOOLEAN, answered BOOLEAN, client_let BOOLEAN, server_let BOOLEAN, client_first BIGINT, server_first BIGINT,
    tie BIGINT, after_begin BIGINT, flagged BOOLEAN
)
"""

_NO_PROOFS = "CREATE TEMP TABLE proofs (id BIGINT, forth BOOLEAN, back BOOLEAN, against BOOLEAN)"

_NONE_ASKED = """
CREATE TEMP TABLE asked_for (provider VARCHAR, protocol INTEGER, client VARCHAR, server VARCHAR, port INTEGER)
"""

_STEPS = (
    _LISTENERS,
    _LOOSE,
    _FAN_IN,
    _PROVEN,
    Where("SELECT 1 FROM proven LIMIT 1", (_PROOFS,), (_NO_PROOFS,)),
    Where("SELECT 1 FROM loose WHERE orientation = 'none' LIMIT 1", (_SENDERS,), (_NO_SENDERS,)),
    Where("SELECT 1 FROM loose WHERE verdict = 'reply-refused' LIMIT 1", (_ASKED,), (_NONE_ASKED,)),
    _DECIDED,
    Where(
        "SELECT 1 FROM decided WHERE evidence = 'shared' LIMIT 1",
        (_SHARED,),
        ("CREATE TEMP TABLE shared AS SELECT * FROM decided LIMIT 0",),
    ),
    _DROP,
    TOLD,
)

OPENERS: Final = (
    Where("SELECT 1 FROM placed WHERE orientation IN ('ports', 'none') LIMIT 1", _STEPS, (TOLD_PROVEN,)),
    *LEGS,
)
