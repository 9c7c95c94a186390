"""Step 2, second half: sightings as the conversations they belong to, and which legs of them count.

A gateway that translates sees a conversation twice: before it and behind it. The leg behind it is dropped.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.resolve_words import Where

__all__ = ["LEGS", "TOLD", "TOLD_PROVEN"]

_LOOSE_TOLD = """
SELECT provider, "log", watcher, net, protocol, rule, records, opened, "first", "last", evidence,
    CASE WHEN turned AND place IN ('client', 'server') THEN CASE place WHEN 'client' THEN 'server' ELSE 'client' END
        ELSE place END AS place,
    CASE WHEN turned THEN server ELSE client END AS initiator,
    CASE WHEN turned THEN client ELSE server END AS responder,
    CASE WHEN turned THEN near_server ELSE near_client END AS near_initiator,
    CASE WHEN turned THEN near_client ELSE near_server END AS near_responder,
    CASE WHEN turned THEN sole_port ELSE port END AS port,
    CASE WHEN evidence = 'unknown' THEN sole_port END AS initiator_port,
    CASE
        WHEN verdict = 'accepted' THEN verdict
        WHEN evidence = 'unknown' AND orientation = 'none' THEN 'refused'
        WHEN turned THEN CASE verdict WHEN 'refused' THEN 'reply-refused' ELSE 'refused' END
        ELSE verdict
    END AS verdict,
    CASE WHEN turned THEN server_name ELSE client_name END AS initiator_name,
    CASE WHEN turned THEN client_name ELSE server_name END AS responder_name,
    CASE WHEN turned THEN asked ELSE answered END AS answered,
    CASE WHEN turned THEN packets_back ELSE packets END AS packets,
    CASE WHEN turned THEN bytes_back ELSE bytes END AS bytes,
    CASE WHEN turned THEN packets ELSE packets_back END AS packets_back,
    CASE WHEN turned THEN bytes ELSE bytes_back END AS bytes_back
FROM (SELECT * FROM decided WHERE evidence <> 'shared' UNION ALL BY NAME SELECT * FROM shared)
"""

_PROVEN_TOLD = """
SELECT provider, "log", watcher, net, protocol, rule, records, opened, "first", "last",
    orientation AS evidence, place, client AS initiator, server AS responder, near_client AS near_initiator,
    near_server AS near_responder, port, NULL AS initiator_port, verdict, client_name AS initiator_name,
    server_name AS responder_name, answered, packets, bytes, packets_back, bytes_back
FROM placed WHERE orientation IN ('handshake', 'state')
"""

TOLD: Final = f"""
-- All sightings as the conversations they belong to. An unknown one keeps both ports; its refusals are refusals.
CREATE TEMP VIEW told AS {_LOOSE_TOLD} UNION ALL BY NAME {_PROVEN_TOLD}
"""

_GATEWAYS = """
-- Gateways that translate: the address they use outside, and the servers they hand on to.
CREATE TEMP TABLE gateways AS
SELECT DISTINCT provider, watcher, near_responder AS address, responder, protocol, port
FROM told WHERE near_responder IS NOT NULL
"""

_OUTER_LEGS = """
-- Legs behind a gateway, its own address to the same server and port, where the leg before it was seen.
CREATE TEMP TABLE outer_legs AS
SELECT DISTINCT g.* FROM told JOIN gateways g ON told.watcher = g.watcher AND told.initiator = g.address
    AND told.responder = g.responder AND told.protocol = g.protocol AND told.port IS NOT DISTINCT FROM g.port
"""

_LEGS = """
-- All sightings but those legs. An observer with both legs hands on: it stands in the middle, whatever its records say.
CREATE TEMP VIEW legs AS
SELECT told.* EXCLUDE (place, near_initiator, near_responder),
    CASE WHEN inner_leg.watcher IS NOT NULL THEN 'middle' ELSE told.place END AS place
FROM told
ANTI JOIN outer_legs o ON told.watcher = o.watcher AND told.initiator = o.address AND told.responder = o.responder
    AND told.protocol = o.protocol AND told.port IS NOT DISTINCT FROM o.port
LEFT JOIN outer_legs inner_leg ON told.near_responder = inner_leg.address AND told.watcher = inner_leg.watcher
    AND told.responder = inner_leg.responder AND told.protocol = inner_leg.protocol
    AND told.port IS NOT DISTINCT FROM inner_leg.port
"""

TOLD_PROVEN: Final = f"CREATE TEMP VIEW told AS {_PROVEN_TOLD}"
"""The same where all of them are proven."""

LEGS: Final = (
    Where(
        "SELECT 1 FROM placed WHERE near_client IS NOT NULL OR near_server IS NOT NULL LIMIT 1",
        (_GATEWAYS, _OUTER_LEGS, _LEGS),
        ("CREATE TEMP VIEW legs AS SELECT * EXCLUDE (near_initiator, near_responder) FROM told",),
    ),
)
