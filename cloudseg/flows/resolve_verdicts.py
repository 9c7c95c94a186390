"""Step 4, second half: the verdicts of tangled conversations, and what each row counts.

- Refused at one end is refused, though the other end let it out; unless answers came back, or the responder's end let
  it in as well, at other times: then there are two rows.
- Answers refused make a conversation ``reply-refused``, unless answers were let through at the same observer, too.
- Metrics are those of the observer that counted the most, and never sums over observers.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.resolve_words import confidence_sql, evidence_sql

__all__ = ["VERDICTS"]

_SHARES = """
-- The reports of each row, with the role of who reports: client, server, or middle (in between, or place unknown).
-- ``counts``: an interface in several rows tells of all of them together, so that the other end's numbers count.
CREATE TEMP TABLE shares AS
WITH of_client AS (SELECT client, COUNT(*) AS n FROM found_rows WHERE client IS NOT NULL GROUP BY ALL),
of_server AS (SELECT server, COUNT(*) AS n FROM found_rows WHERE server IS NOT NULL GROUP BY ALL),
held AS (
    SELECT r.*, COALESCE(of_client.n, 0) AS client_rows, COALESCE(of_server.n, 0) AS server_rows,
        cs.net AS client_net, ss.net AS server_net
    FROM found_rows r LEFT JOIN of_client USING (client) LEFT JOIN of_server USING (server)
    LEFT JOIN stands cs ON cs.id = r.client LEFT JOIN stands ss ON ss.id = r.server
),
at_ends AS (
    SELECT id AS row, client AS stand, client_rows <= 1 OR server IS NULL OR server_rows > 1 AS counts FROM held
    UNION ALL SELECT id, server, server_rows <= 1 OR client IS NULL FROM held
),
reported AS (
    SELECT at_ends.row, stands.place AS role, at_ends.counts, parts.*
    FROM at_ends JOIN stands ON stands.id = at_ends.stand
    JOIN parts ON parts.talk = stands.talk AND parts.place = stands.place
        AND parts.watcher = stands.watcher
),
between_ends AS (
    SELECT held.id AS row, 'middle' AS role, held.client IS NULL AND held.server IS NULL AS counts, parts.*,
        parts.net IN (held.client_net, held.server_net) AS near
    FROM held JOIN parts ON parts.talk = held.talk AND COALESCE(parts.place, 'middle') = 'middle'
        AND (held.middle_net IS NULL OR parts.place IS NOT NULL OR parts.net = held.middle_net)
)
SELECT * FROM reported
UNION ALL BY NAME
-- A gateway belongs to the rows of its network, if there are such: else to all of them.
SELECT * EXCLUDE (near) FROM between_ends
QUALIFY near OR NOT COALESCE(BOOL_OR(near) OVER (PARTITION BY talk, watcher), FALSE)
"""

_FLAGS = """
-- What was said of each row, by verdict.
CREATE TEMP TABLE flags AS
WITH by_observer AS (
    SELECT row, role, watcher, BOOL_OR(counts) AS counts,
        -- Google samples what leaves before its rules are asked: only an answer shows that it passed.
        COALESCE(BOOL_OR(verdict = 'accepted' AND (provider <> 'gcp' OR place = 'server' OR answered)), FALSE) AS let,
        COALESCE(BOOL_OR(verdict = 'refused'), FALSE) AS kept,
        COALESCE(BOOL_OR(verdict = 'reply-refused'), FALSE) AS kept_back,
        COALESCE(BOOL_OR(verdict = 'accepted' AND answered), FALSE) AS answered
    FROM shares GROUP BY ALL
)
SELECT row, BOOL_OR(let AND role = 'server') AS let_in, BOOL_OR(kept AND role = 'server') AS kept_out,
    -- Let through as far as this observer knows: nobody else refused, or answers came back; but to which row they
    -- belong is not known where the observer has several.
    BOOL_OR(let AND (role = 'server' OR (answered AND counts))) OR (BOOL_OR(let) AND NOT BOOL_OR(kept AND NOT let))
        AS let_through,
    BOOL_OR(kept) AS refused, BOOL_OR(kept_back) AS reply_refused,
    BOOL_OR(kept_back AND NOT answered) AS never_answered
FROM by_observer GROUP BY row
"""

_SORTED = """
-- Each report under the verdict of the row it goes into.
CREATE TEMP TABLE sorted_shares AS
SELECT shares.* EXCLUDE (verdict, counts), CASE
        WHEN verdict <> 'accepted' THEN verdict
        WHEN let_through AND NOT never_answered THEN verdict
        WHEN reply_refused THEN 'reply-refused'
        WHEN refused THEN 'refused'
        ELSE verdict
    END AS verdict,
    -- The initiator's end also counts what the other end then refused.
    counts AND NOT (role = 'client' AND let_in AND kept_out) AS counts
FROM shares JOIN flags USING (row)
"""

_METRICS = """
CREATE TEMP TABLE metrics AS
WITH by_observer AS (
    SELECT row, verdict, role, watcher, "log", BOOL_OR(counts) AS counts, MIN(rank) AS rank,
        flatten(list(rules) FILTER (rules IS NOT NULL)) AS rules, SUM(opened) AS opened, SUM(records) AS records,
        SUM(packets) AS packets, SUM(bytes) AS bytes, SUM(packets_back) AS packets_back, SUM(bytes_back) AS bytes_back,
        MIN("first") AS "first", MAX("last") AS "last", BOOL_OR(place = 'middle') AS in_between
    FROM sorted_shares GROUP BY ALL
),
-- Who counts, if anybody does who reported this verdict.
counting AS (
    SELECT *, counts OR NOT BOOL_OR(counts) OVER (PARTITION BY row, verdict) AS heard,
        -- Who opened it is known of all its verdicts alike.
        MIN(rank) OVER (PARTITION BY row) AS best
    FROM by_observer
)
SELECT row, verdict, MIN(best) AS rank,
    list_sort(list_distinct(list(observer) FILTER (observer IS NOT NULL))) AS observers,
    list_sort(list_distinct(list(observer) FILTER (in_between AND observer IS NOT NULL))) AS middle,
    list_sort(list_distinct(flatten(list(rules) FILTER (rules IS NOT NULL)))) AS rules,
    MAX(opened) FILTER (heard)::BIGINT AS connections, MAX(records) FILTER (heard)::BIGINT AS records,
    MAX(packets) FILTER (heard)::BIGINT AS packets, MAX(bytes) FILTER (heard)::BIGINT AS bytes,
    MAX(packets_back) FILTER (heard)::BIGINT AS packets_back, MAX(bytes_back) FILTER (heard)::BIGINT AS bytes_back,
    MIN("first") FILTER (heard) AS "first", MAX("last") FILTER (heard) AS "last"
FROM counting JOIN stations USING (watcher) GROUP BY row, verdict
"""

_FOUND = f"""
INSERT INTO conversations_found BY NAME
WITH keys AS (
    SELECT DISTINCT talk, provider, initiator, responder, protocol, port, initiator_port, initiator_name, responder_name
    FROM parts
)
SELECT keys.* EXCLUDE (talk), m.verdict,
    c.observer AS initiator_interface, s.observer AS responder_interface, c.network AS initiator_network,
    s.network AS responder_network, c.scope AS initiator_scope, s.scope AS responder_scope,
    COALESCE(m.observers, []) AS observers, COALESCE(m.middle, []) AS middle, COALESCE(m.rules, []) AS rules,
    connections, records, packets, bytes, packets_back, bytes_back,
    make_timestamp(m."first" * 1000000) AS first_seen, make_timestamp(m."last" * 1000000) AS last_seen,
    {evidence_sql("m.rank")} AS evidence, {confidence_sql("m.rank")} AS confidence
FROM metrics m JOIN found_rows r ON r.id = m.row JOIN keys ON keys.talk = r.talk
LEFT JOIN stands at_client ON at_client.id = r.client LEFT JOIN stations c ON c.watcher = at_client.watcher
LEFT JOIN stands at_server ON at_server.id = r.server LEFT JOIN stations s ON s.watcher = at_server.watcher
"""  # noqa: S608 -- constant text

VERDICTS: Final = (_SHARES, _FLAGS, _SORTED, _METRICS, _FOUND)
