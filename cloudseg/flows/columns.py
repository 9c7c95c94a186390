"""The columns of the three tables on the way from flow logs to conversations: their names, types and meaning.

Each reader, each engine and the documentation hold to these. Types are DuckDB's: https://duckdb.org/docs/sql/data_types
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["CODES", "CONVERSATIONS", "EVIDENCE", "RECORDS", "SIGHTINGS", "Column", "ddl"]


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: its name.
        type: its type, as DuckDB writes it.
        meaning: what it holds, for the documentation.
    """

    name: str
    type: str
    meaning: str


CODES: Final = {
    "status": ("ok", "idle", "skipped", "outside", "bad"),
    "side": (None, "src", "dst", "middle"),
    "opener": (None, "src", "dst"),
    "proof": (None, "handshake", "state"),
}
"""The words that records have a number for, from 0 on: millions of rows are compared and copied faster as numbers."""

RECORDS: Final = (
    Column("provider", "VARCHAR", "`aws`, `azure`, `gcp` or `kubernetes`"),
    Column("scope", "VARCHAR", "account, subscription, project or cluster of the observer, as logged"),
    Column("network", "VARCHAR", "the network the observer stands in, as logged; NULL where the log does not say"),
    Column("observer", "VARCHAR", "who reports: an interface, a network adapter, a machine, a node"),
    Column(
        "status",
        "INTEGER",
        "0 `ok`; 1 `idle`: nothing was seen (NODATA); 2 `skipped`: records were lost (SKIPDATA); 3 `outside`: of "
        "another time than was asked for; 4 `bad`: the row cannot be read. Of rows that are not `ok` only provider, "
        "scope, network, observer, first and last count, whatever stands in the other columns",
    ),
    Column(
        "side",
        "INTEGER",
        "where the observer stands: 1 `src` or 2 `dst`, at the packet's source or destination; 3 `middle`, in between "
        "(a NAT gateway, a transit gateway, a load balancer's node that hands on); 0 where the record does not say",
    ),
    Column("src", "VARCHAR", "the packet's own source address, NAT and gateways seen through"),
    Column("dst", "VARCHAR", "the packet's own destination address"),
    Column("near_src", "VARCHAR", "the source that the observer saw, where it differs from `src`; else NULL"),
    Column("near_dst", "VARCHAR", "the destination that the observer saw, where it differs from `dst`; else NULL"),
    Column("src_port", "INTEGER", "source port; NULL for protocols without ports"),
    Column("dst_port", "INTEGER", "destination port; NULL for protocols without ports"),
    Column("protocol", "INTEGER", "IANA number"),
    Column(
        "opener",
        "INTEGER",
        "who opened the connection, as far as this record alone proves it: 1 `src` or 2 `dst`; else 0",
    ),
    Column(
        "proof",
        "INTEGER",
        "of what kind that proof is, where there is an opener: 1 `handshake` (TCP flags), 2 `state` (the log keeps "
        "connections, not packets)",
    ),
    Column("opened", "BIGINT", "connections that begin in this record; 0 where it shows only the middle of one"),
    Column("accepted", "BOOLEAN", "whether the observer let the packets through"),
    Column("answers", "BOOLEAN", "the record by itself shows that the other end answered; NULL where it does not say"),
    Column("rule", "VARCHAR", "the rule that decided, as logged; NULL where the log names none"),
    Column("src_name", "VARCHAR", "what the log calls the source: a pod, a machine, a service of the cloud; else NULL"),
    Column("dst_name", "VARCHAR", "what the log calls the destination: likewise, or a name that was looked up"),
    Column("packets", "BIGINT", "packets from src to dst"),
    Column("bytes", "BIGINT", "bytes from src to dst"),
    Column("packets_back", "BIGINT", "packets from dst to src, where one record counts both; else 0"),
    Column("bytes_back", "BIGINT", "bytes from dst to src, likewise"),
    Column("first", "BIGINT", "begin of what the record covers, seconds since 1970 in UTC"),
    Column("last", "BIGINT", "end of what the record covers, likewise"),
)
"""What a reader selects: one row for each row of the log."""

SIGHTINGS: Final = (
    Column("provider", "VARCHAR", "as in the records"),
    Column("scope", "VARCHAR", "as in the records"),
    Column("network", "VARCHAR", "as in the records"),
    Column("observer", "VARCHAR", "as in the records"),
    Column("status", "VARCHAR", "as in the records, in words"),
    Column(
        "place",
        "VARCHAR",
        "where the observer stands: at the `client`, the `server`, in the `middle`; NULL: unknown",
    ),
    Column("client", "VARCHAR", "the end that opened the connection, or of which that is assumed"),
    Column("server", "VARCHAR", "the other end"),
    Column("near_client", "VARCHAR", "the client as the observer saw it, where that differs"),
    Column("near_server", "VARCHAR", "the server as the observer saw it, where that differs"),
    Column("protocol", "INTEGER", "IANA number"),
    Column("port", "INTEGER", "the server's port; NULL for protocols without ports"),
    Column(
        "client_port",
        "INTEGER",
        "the client's port, only where nothing but the two ports could tell who is the server; else NULL",
    ),
    Column(
        "orientation",
        "VARCHAR",
        "how client and server are known: `handshake`, `state`, `ports` (the lower kind of port is assumed to listen), "
        "`none` (the lesser of address and port stands as the client)",
    ),
    Column("verdict", "VARCHAR", "`accepted`, `refused`, or `reply-refused`: what the server sent back was refused"),
    Column("rule", "VARCHAR", "as in the records"),
    Column("client_name", "VARCHAR", "as src_name or dst_name"),
    Column("server_name", "VARCHAR", "likewise"),
    Column("records", "BIGINT", "how many records"),
    Column("opened", "BIGINT", "how many connections began in them"),
    Column("answered", "BOOLEAN", "packets of the server were let through, or are known to have been sent"),
    Column("asked", "BOOLEAN", "packets of the client were seen"),
    Column("packets", "BIGINT", "packets from client to server"),
    Column("bytes", "BIGINT", "bytes from client to server"),
    Column("packets_back", "BIGINT", "packets from server to client"),
    Column("bytes_back", "BIGINT", "bytes from server to client"),
    Column("first", "BIGINT", "seconds since 1970 in UTC"),
    Column("last", "BIGINT", "likewise"),
    Column("first_back", "BIGINT", "when packets of the server were first seen, likewise; NULL: never"),
    Column("client_port_low", "INTEGER", "the lowest of the client's ports"),
    Column("client_port_high", "INTEGER", "the highest of them"),
)
"""Records that say the same, counted together: what a cloud's own engine is asked for."""

EVIDENCE: Final = {
    "handshake": ("high", "a TCP SYN without ACK of the initiator, or the answer to it, was recorded"),
    "state": ("high", "the log keeps connections and names their initiator"),
    "listening": (
        "high",
        "the responder answered handshakes on this port in the same logs, and the other end did not on its own port",
    ),
    "order": ("medium", "of a connection that began in the window the initiator's packets were seen first"),
    "one-way": ("medium", "only the initiator's packets were seen"),
    "ports": ("medium", "the responder's port is one that services listen on, the initiator's one that clients take"),
    "unknown": ("unknown", "nothing tells who opened it; both ends and both ports stand as they were logged"),
}
"""How it is known who opened a conversation, surest first: the confidence, and what it means."""

CONVERSATIONS: Final = (
    Column("provider", "VARCHAR", "`aws`, `azure`, `gcp` or `kubernetes`: whose logs showed it"),
    Column("initiator", "VARCHAR", "address of the end that opened it, as logged"),
    Column("responder", "VARCHAR", "address of the other end, as logged"),
    Column("protocol", "INTEGER", "IANA number"),
    Column("port", "INTEGER", "the responder's port; NULL for protocols without ports"),
    Column("initiator_port", "INTEGER", "the other port, only where it is unknown which of the two listens; else NULL"),
    Column("verdict", "VARCHAR", "`accepted`, `refused`, or `reply-refused`: only what came back was refused"),
    Column("initiator_interface", "VARCHAR", "the interface that reported it at the initiator's end; NULL: none did"),
    Column("responder_interface", "VARCHAR", "the interface that reported it at the responder's end; NULL: none did"),
    Column("initiator_network", "VARCHAR", "the network of the former, as logged"),
    Column("responder_network", "VARCHAR", "the network of the latter, as logged"),
    Column("initiator_scope", "VARCHAR", "the scope of the former, as logged"),
    Column("responder_scope", "VARCHAR", "the scope of the latter, as logged"),
    Column("initiator_name", "VARCHAR", "what the log calls the initiator: a pod, a machine, a cloud's service"),
    Column("responder_name", "VARCHAR", "what the log calls the responder, likewise, or the name that was looked up"),
    Column("observers", "VARCHAR[]", "everybody who reported it, in order"),
    Column("middle", "VARCHAR[]", "those of them in between: NAT gateways, transit gateways"),
    Column("rules", "VARCHAR[]", "the rules that decided, as logged, in order"),
    Column("connections", "BIGINT", "how often it was opened; 0 where only the middle of connections was seen"),
    Column("records", "BIGINT", "records of the log, at the observer that has the most"),
    Column("packets", "BIGINT", "packets of the initiator, at the observer that counted the most"),
    Column("bytes", "BIGINT", "their bytes"),
    Column("packets_back", "BIGINT", "packets of the responder, likewise"),
    Column("bytes_back", "BIGINT", "their bytes"),
    Column("first_seen", "TIMESTAMP", "begin of the first record, UTC"),
    Column("last_seen", "TIMESTAMP", "end of the last record, UTC"),
    Column("evidence", "VARCHAR", "how it is known who opened it: " + ", ".join(f"`{name}`" for name in EVIDENCE)),
    Column("confidence", "VARCHAR", "how sure that is: `high`, `medium`, `low`, `unknown`"),
)
"""A row of the file of conversations, which knows no estate."""


def ddl(table: str, columns: tuple[Column, ...]) -> str:
    """Return the statement that makes a table of these columns."""
    held = ", ".join(f'"{column.name}" {column.type}' for column in columns)
    return f"CREATE TABLE {table} ({held})"
