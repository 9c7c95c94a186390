"""The query for Log Analytics, in its own language: sightings of ``NTANetAnalytics``, which traffic analytics fills.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/ntanetanalytics and
https://learn.microsoft.com/azure/network-watcher/traffic-analytics-schema

Traffic analytics has summed up the flow logs already, every 10 or 60 minutes: connections of equal ends, port, rule and
direction are one row. Who opened it is known; the client's port is not. An end outside is in a list of its own,
``ip|started|ended|packets out|packets in|bytes out|bytes in``, with a space between two of them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cloudseg.flows.columns import SIGHTINGS

if TYPE_CHECKING:
    from cloudseg.flows.engines.interface import Window

__all__ = ["LOG", "NOTE", "TABLE", "TITLE", "kql_query"]

LOG: Final = "azure-nta"
TITLE: Final = "Azure traffic analytics"
TABLE: Final = "NTANetAnalytics"
NOTE: Final = (
    "Azure traffic analytics sums flow logs up, every 10 or 60 minutes: times are those of the first and the last flow "
    "that begins in such a span, and the latest spans may not be in the table yet"
)

_ROWS: Final = """\
extend
    inbound = FlowDirection startswith "I",
    hop = tostring(column_ifexists("IsFlowCapturedAtUdrHop", "")) =~ "true",
    acl = coalesce(column_ifexists("AclGroup", ""), column_ifexists("NsgList", ""), column_ifexists("NSGList", "")),
    named = coalesce(column_ifexists("AclRule", ""), column_ifexists("NsgRule", ""), column_ifexists("NSGRule", ""))
extend
    subnet = tolower(iff(inbound, DestSubnet, SrcSubnet)),
    scope = tolower(iff(inbound, DestSubscription, SrcSubscription)),
    observer = tolower(replace_regex(MacAddress, @"[^0-9A-Fa-f]", ""))
extend
    resource_group = extract(@"([^/]+)/[^/]+/[^/]+$", 1, subnet),
    vnet = extract(@"([^/]+)/[^/]+$", 1, subnet),
    acl_id = replace_regex(tolower(acl), @"^([^/]+)/([^/]+)/([^/]+)$",
        @"/subscriptions/\\1/resourcegroups/\\2/providers/microsoft.network/networksecuritygroups/\\3")
extend
    network = iff(isempty(scope) or isempty(resource_group), "", strcat("/subscriptions/", scope,
        "/resourcegroups/", resource_group, "/providers/microsoft.network/virtualnetworks/", vnet)),
    rule = case(isempty(named), "", isempty(acl), named, strcat(acl_id, "/", named)),
    sources = iff(isempty(SrcIp), split(trim(" ", SrcPublicIps), " "), pack_array(SrcIp)),
    targets = iff(isempty(DestIp), split(trim(" ", DestPublicIps), " "), pack_array(DestIp))
mv-expand source = sources to typeof(string)
mv-expand target = targets to typeof(string)
extend source_told = split(source, "|"), target_told = split(target, "|")
extend
    client = tostring(source_told[0]),
    server = tostring(target_told[0]),
    told = iff(array_length(source_told) > 1, source_told, target_told)
extend
    public = array_length(told) > 1,
    allowed = coalesce(AllowedInFlows, long(0)) + coalesce(AllowedOutFlows, long(0)),
    denied = coalesce(DeniedInFlows, long(0)) + coalesce(DeniedOutFlows, long(0))
extend both = allowed > 0 and denied > 0
extend verdicts = case(both, dynamic(["accepted", "refused"]),
    denied > 0 or FlowStatus startswith "D", dynamic(["refused"]), dynamic(["accepted"]))
mv-expand verdict = verdicts to typeof(string)
extend beside = both and verdict == "refused"
extend
    opened = case(public and not(both), tolong(told[1]), verdict == "refused", denied, allowed),
    packets = iff(beside, long(0), iff(public, tolong(told[3]), PacketsSrcToDest)),
    packets_back = iff(beside, long(0), iff(public, tolong(told[4]), PacketsDestToSrc)),
    bytes = iff(beside, long(0), iff(public, tolong(told[5]), BytesSrcToDest)),
    bytes_back = iff(beside, long(0), iff(public, tolong(told[6]), BytesDestToSrc)),
    protocol = toint(case(L4Protocol startswith "T", 6, L4Protocol startswith "U", 17, long(null))),
    port = toint(DestPort)"""
"""From rows of the table to rows of one client, one server and one verdict.

First stand the columns that not every workspace has, with what stands in for them; then who reports: the adapter, in
the network of its own side; then one row for each end outside, and one for what was let through and what was refused.
An ``extend`` may not use what it makes itself.
"""

_KEYS: Final = (
    "scope", "network", "observer", "status", "place", "client", "server", "protocol", "port", "verdict", "rule",
    "client_name", "server_name",
)  # fmt: skip
_NULLS: Final = {"VARCHAR": '""', "INTEGER": "int(null)", "BIGINT": "long(null)", "BOOLEAN": "bool(null)"}


def kql_query(window: Window, begin: int, end: int) -> str:
    """Return the query for the rows that came in between two times; columns as of ``columns.SIGHTINGS``, in order.

    Args:
        window: rows of flows outside of it are counted and nothing else is told of them.
        begin: rows that the workspace took in from then on, seconds since 1970.
        end: and before then, likewise.
    """
    since, until = (_moment(seconds) for seconds in window)
    missing = "isempty(client) or isempty(server) or isnull(protocol) or isnull(port) or isnull(FlowStartTime)"
    steps = (
        TABLE,
        f"where TimeGenerated >= {_moment(begin)} and TimeGenerated < {_moment(end)}",
        'where SubType == "FlowLog"',
        *re.split(r"\n(?! )", _ROWS),
        f'extend status = case(FlowEndTime <= {since} or FlowStartTime >= {until}, "outside", {missing}, "bad", "ok")',
        'extend ok = status == "ok"',
        _told(),
        f"summarize {_COUNTED}\n    by {', '.join(_KEYS)}",
        _projected(),
    )
    return "\n| ".join(steps)


_COUNTED: Final = (
    "records = count(), opened = sum(opened), packets = sum(packets), bytes = sum(bytes),\n"
    "    packets_back = sum(packets_back), bytes_back = sum(bytes_back), from_time = min(FlowStartTime),\n"
    "    to_time = max(FlowEndTime), back_time = minif(FlowStartTime, packets_back > 0)"
)


def _moment(seconds: int) -> str:
    return f"datetime({datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ})"


def _told() -> str:
    """What is told of rows that count: of others only who reports, and of those outside of the window not even that."""
    text = {
        "place": 'case(hop, "middle", inbound, "server", "client")',
        "client": "client", "server": "server", "verdict": "verdict", "rule": "rule",
        "client_name": 'coalesce(column_ifexists("SrcVm", ""), "")',
        "server_name": 'coalesce(column_ifexists("DestVm", ""), "")',
    }  # fmt: skip
    outside = ", ".join(f'{name} = iff(status == "outside", "", {name})' for name in ("scope", "network", "observer"))
    words = ", ".join(f'{name} = iff(ok, {sql}, "")' for name, sql in text.items())
    numbers = ", ".join(f"{name} = iff(ok, {name}, int(null))" for name in ("protocol", "port"))
    counts = ", ".join(
        f"{name} = iff(ok, coalesce({name}, long(0)), long(0))"
        for name in ("opened", "packets", "packets_back", "bytes", "bytes_back")
    )
    return f"extend {outside},\n    {words},\n    {numbers},\n    {counts}"


def _projected() -> str:
    seconds = {name: f"tolong(({name}_time - datetime(1970-01-01)) / 1s)" for name in ("from", "to", "back")}
    held = {
        "provider": '"azure"',
        **{name: name for name in _KEYS},
        "orientation": 'iff(status == "ok", "state", "")',
        **{name: name for name in ("records", "opened", "packets", "bytes", "packets_back", "bytes_back")},
        "answered": 'status == "ok" and packets_back > 0',
        "asked": 'status == "ok"',
        "first": seconds["from"],
        "last": seconds["to"],
        "first_back": f"iff(packets_back > 0, {seconds['back']}, long(null))",
    }
    told = ", ".join(f"['{column.name}'] = {held.get(column.name, _NULLS[column.type])}" for column in SIGHTINGS)
    return f"project {told}"
