"""A second way from flow logs to conversations, as simple as can be: one record after the other, in plain Python.

Records are stitched by their exact five values (two ends with their ports, protocol). A connection's opener is known
when a record proves it, or when one end answers handshakes on its port elsewhere and the other does not. Nothing is
ever guessed: the rest stays open. It reads what the tests write, nothing else: no bad rows, no cut files.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Found", "Line", "conversations", "lines"]

_Json = dict[str, Any]
_Point = tuple[str, int]


class Line(NamedTuple):
    """A record.

    Attributes:
        opener: ``src``, ``dst`` or nothing, as far as the record proves it.
        opens: a connection begins in it.
        near: the plain destination, where it is another than the packet's own.
    """

    observer: str
    src: str
    src_port: int
    dst: str
    dst_port: int
    protocol: int
    opener: str
    opens: bool
    accepted: bool
    near: str


class Found(NamedTuple):
    """A conversation whose opener is known.

    Attributes:
        connections: how often one interface saw it begin, at most; reports at both ends of one node count apart.
        proved: a record of this very conversation proves the opener.
    """

    client: str
    server: str
    protocol: int
    port: int | None
    connections: int
    proved: bool


def lines(paths: Iterable[Path]) -> Iterator[Line]:
    """Read all records of all files."""
    for path in paths:
        if path.suffix == ".parquet":
            yield from _parquet(path)
            continue
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
        if not text.startswith("{"):
            rows = [row.split(" ") for row in text.splitlines()]
            yield from _aws(dict(zip(rows[0], row, strict=True)) for row in rows[1:])
        elif text.startswith('{"records"'):
            yield from (line for record in cast("list[_Json]", json.loads(text)["records"]) for line in _azure(record))
        else:
            entries = [cast("_Json", json.loads(row)) for row in text.splitlines()]
            yield from (_gcp(entry) if "logName" in entry else _hubble(entry) for entry in entries)


def _parquet(path: Path) -> Iterator[Line]:
    found = duckdb.connect().execute(f"SELECT * FROM read_parquet('{path}')")
    names = [str(each[0]).replace("_", "-") for each in found.description or []]
    for row in cast("list[tuple[object, ...]]", found.fetchall()):
        values = zip(names, row, strict=True)
        yield from _aws([{name: "-" if value is None else f"{value}" for name, value in values}])


def _aws(records: Iterable[dict[str, str]]) -> Iterator[Line]:
    for record in records:
        if record.get("log-status", "OK") != "OK":
            continue
        src, dst = record.get("pkt-srcaddr", record["srcaddr"]), record.get("pkt-dstaddr", record["dstaddr"])
        flags = int(record.get("tcp-flags", "0")) if record["protocol"] == "6" else 0
        syn, ack = bool(flags & 2), bool(flags & 16)
        yield Line(
            record["interface-id"],
            src,
            int(record["srcport"]),
            dst,
            int(record["dstport"]),
            int(record["protocol"]),
            ("dst" if ack else "src") if syn else "",
            syn and not ack,
            record["action"] == "ACCEPT",
            record["dstaddr"] if record["dstaddr"] != dst else "",
        )


def _azure(record: _Json) -> Iterator[Line]:
    observer = f"{record['category']} {record['macAddress']}"
    held = record.get("flowRecords") or record["properties"]
    for flow in held["flows"]:
        for group in flow.get("flowGroups", flow.get("flows")):
            for each in group["flowTuples"]:
                cells = cast("str", each).split(",")
                protocol = {"T": 6, "U": 17}.get(cells[5]) or int(cells[5])
                denied = cells[7] == "D"
                begins = denied or "B" in cells[7:9]
                ends = cells[1], int(cells[3]), cells[2], int(cells[4])
                yield Line(observer, *ends, protocol, "src", begins, not denied, "")


def _gcp(entry: _Json) -> Line:
    payload = entry["jsonPayload"]
    link = payload["connection"]
    decision = payload.get("disposition")
    ends = link["src_ip"], link["src_port"], link["dest_ip"], link["dest_port"]
    own = payload.get("instance") or payload["src_instance" if payload["reporter"] == "SRC" else "dest_instance"]
    opener = "src" if decision else ""
    return Line(own["vm_name"], *ends, link["protocol"], opener, bool(decision), decision != "DENIED", "")


def _hubble(entry: _Json) -> Line:
    flow = entry.get("flow", entry)
    ((name, layer),) = flow["l4"].items()
    protocol = {"TCP": 6, "UDP": 17, "ICMPv4": 1}[name]
    ports = layer.get("source_port", 0), layer.get("destination_port", 0)
    opens = not flow["is_reply"] and bool(layer.get("flags", {}).get("SYN"))
    opener = "dst" if flow["is_reply"] else "src"
    place = flow["node_name"] + flow["traffic_direction"]
    ends = flow["IP"]["source"], ports[0], flow["IP"]["destination"], ports[1]
    return Line(place, *ends, protocol, opener, opens, flow["verdict"] != "DROPPED", "")


def conversations(records: Iterable[Line]) -> list[Found]:
    """Stitch records, and tell those whose opener is known."""
    by_connection: defaultdict[tuple[frozenset[_Point], int], list[Line]] = defaultdict(list)
    hidden: set[tuple[str, str, int]] = set()
    for line in records:
        ends = frozenset(((line.src, line.src_port), (line.dst, line.dst_port)))
        by_connection[ends, line.protocol].append(line)
        if line.near:
            hidden.add((line.near, line.dst, line.dst_port))
    proved: dict[tuple[frozenset[_Point], int], set[_Point]] = {
        connection: servers for connection, held in by_connection.items() if (servers := set(_servers(held)))
    }
    listening = {(point, protocol) for (_, protocol), servers in proved.items() for point in servers}
    found: dict[tuple[str, str, int, int], tuple[dict[str, int], bool]] = {}
    for (ends, protocol), held in by_connection.items():
        servers = proved.get((ends, protocol)) or {each for each in ends if (each, protocol) in listening}
        if len(servers) != 1:
            continue
        server = next(iter(servers))
        client = next((each for each in ends if each != server), server)
        if (client[0], *server) in hidden:
            continue
        counts, sure = found.get((client[0], server[0], protocol, server[1]), ({}, False))
        for line in held:
            place = line.observer + (" at src" if line.src == client[0] else " at dst")
            counts[place] = counts.get(place, 0) + line.opens
        found[client[0], server[0], protocol, server[1]] = counts, sure or (ends, protocol) in proved
    return [
        Found(client, server, protocol, port if protocol != 1 else None, max(counts.values()), sure)
        for (client, server, protocol, port), (counts, sure) in sorted(found.items())
    ]


def _servers(held: Sequence[Line]) -> Iterator[_Point]:
    for line in held:
        if line.opener:
            yield (line.dst, line.dst_port) if line.opener == "src" else (line.src, line.src_port)
