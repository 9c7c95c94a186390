"""The formats of logs that hold names: how their objects are known, and what each tells of a name.

Every log here is JSON: objects line by line, in an array, or in the ``records`` of one object. An expression sees one
of these objects as ``j``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FORMATS", "NameFormat", "format_of"]


class NameFormat(NamedTuple):
    """A format of logs that hold names.

    Attributes:
        name: its short name.
        title: its name for people.
        provider: whose log it is.
        knows: tells by the keys of an object, and those of the object in it, whether it is of this format.
        told: the expression for each column: ``scope``, ``network``, ``client``, ``names`` (a list),
            ``addresses``, ``moment``, ``denied``.
        about: a condition: what does not fulfil it tells of no name and is passed over.
    """

    name: str
    title: str
    provider: str
    knows: Callable[[Mapping[str, object]], bool]
    told: Mapping[str, str]
    about: str


def format_of(value: Mapping[str, object]) -> NameFormat | None:
    """Return the format of one object of a log; None where it is none that is known here."""
    return next((each for each in FORMATS if each.knows(value)), None)


def _text(path: str) -> str:
    return f"(j->>'{path}')"


def _list(path: str) -> str:
    """Return the expression for a list of objects; none where it stands there otherwise."""
    return f"COALESCE(TRY_CAST(j->'{path}' AS JSON[]), CAST([] AS JSON[]))"


def _time(expression: str) -> str:
    # Some logs write nine digits behind the second, and some the zone as +0000.
    return f"EPOCH(TRY_CAST(SUBSTR({expression}, 1, 19) AS TIMESTAMP))"


_ADDRESS_QUERIES: Final = "('A', 'AAAA', 'ANY', 'CNAME', 'HTTPS', 'SVCB')"


def _is_resolver(value: Mapping[str, object]) -> bool:
    return {"query_name", "query_timestamp", "srcaddr"} <= value.keys()


def _is_wall(value: Mapping[str, object]) -> bool:
    return "firewall_name" in value and isinstance(value.get("event"), dict)


ROUTE_53: Final = NameFormat(
    name="route53-resolver",
    title="Route 53 Resolver query logs",
    provider="aws",
    knows=_is_resolver,
    # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
    told={
        "scope": _text("$.account_id"),
        "network": _text("$.vpc_id"),
        "client": _text("$.srcaddr"),
        "names": f"[{_text('$.query_name')}]",
        "addresses": f"[a->>'Rdata' FOR a IN {_list('$.answers')} IF (a->>'Type') IN ('A', 'AAAA')]",
        "moment": _time(_text("$.query_timestamp")),
        "denied": f"COALESCE({_text('$.firewall_rule_action')} = 'BLOCK', FALSE)",
    },
    about=f"COALESCE({_text('$.rcode')}, 'NOERROR') = 'NOERROR' "
    f"AND COALESCE({_text('$.query_type')}, 'A') IN {_ADDRESS_QUERIES}",
)

_EVENT_NAME: Final = f"COALESCE({_text('$.event.tls.sni')}, {_text('$.event.http.hostname')})"
_TO_CLIENT: Final = f"COALESCE({_text('$.event.direction')} = 'to_client', FALSE)"

NETWORK_FIREWALL: Final = NameFormat(
    name="aws-network-firewall",
    title="AWS Network Firewall logs",
    provider="aws",
    knows=_is_wall,
    # https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging-contents.html and
    # https://docs.suricata.io/en/latest/output/eve/eve-json-format.html; the ends are those of one packet.
    told={
        "scope": "NULL",
        "network": "NULL",
        "client": f"CASE WHEN {_TO_CLIENT} THEN {_text('$.event.dest_ip')} ELSE {_text('$.event.src_ip')} END",
        "names": f"[{_EVENT_NAME}]",
        "addresses": f"[CASE WHEN {_TO_CLIENT} THEN {_text('$.event.src_ip')} ELSE {_text('$.event.dest_ip')} END]",
        "moment": f"COALESCE(TRY_CAST({_text('$.event_timestamp')} AS BIGINT), {_time(_text('$.event.timestamp'))})",
        "denied": f"COALESCE({_text('$.event.alert.action')} = 'blocked' "
        f"OR {_text('$.event.verdict.action')} IN ('drop', 'reject'), FALSE)",
    },
    about=f"{_EVENT_NAME} IS NOT NULL",
)


def _azure(field: str) -> str:
    """Return a field of a record of a diagnostic setting, or of a row that a workspace exported."""
    return f"COALESCE({_text(f'$.properties.{field}')}, {_text(f'$.{field}')})"


_AZURE_KIND: Final = f"COALESCE({_text('$.category')}, {_text('$.Category')}, {_text('$.Type')})"
_AZURE_ID: Final = f"LOWER(COALESCE({_text('$.resourceId')}, {_text('$._ResourceId')}))"
_LEGACY: Final = _text("$.properties.msg")
_REQUEST: Final = r"request from ([0-9A-Fa-f.:]+):\d+ to ([^ :]+):\d+\. Action: (\w+)"
"""https://learn.microsoft.com/azure/firewall/diagnostic-logs"""


def _is_azure(value: Mapping[str, object]) -> bool:
    kind = value.get("category") or value.get("Category") or value.get("Type")
    return isinstance(kind, str) and kind.startswith(("AZFW", "AzureFirewall"))


AZURE_FIREWALL: Final = NameFormat(
    name="azure-firewall",
    title="Azure Firewall logs",
    provider="azure",
    knows=_is_azure,
    # https://learn.microsoft.com/azure/azure-monitor/reference/tables/azfwapplicationrule and
    # https://learn.microsoft.com/azure/azure-monitor/reference/tables/azfwdnsquery: neither tells an address.
    told={
        "scope": f"REGEXP_EXTRACT({_AZURE_ID}, '^/subscriptions/([^/]+)', 1)",
        "network": "NULL",
        "client": f"COALESCE({_azure('SourceIp')}, NULLIF(REGEXP_EXTRACT({_LEGACY}, '{_REQUEST}', 1), ''))",
        "names": f"[COALESCE({_azure('Fqdn')}, {_azure('QueryName')}, "
        f"NULLIF(REGEXP_EXTRACT({_LEGACY}, '{_REQUEST}', 2), ''))]",
        "addresses": "CAST([] AS VARCHAR[])",
        "moment": _time(f"COALESCE({_text('$.time')}, {_text('$.TimeGenerated')})"),
        "denied": f"COALESCE(COALESCE({_azure('Action')}, "
        f"NULLIF(REGEXP_EXTRACT({_LEGACY}, '{_REQUEST}', 3), '')) = 'Deny', FALSE)",
    },
    about=f"({_AZURE_KIND} IN ('AZFWApplicationRule', 'AZFWApplicationRuleAggregation') "
    f"AND COALESCE({_azure('Fqdn')}, '') <> '') "
    f"OR ({_AZURE_KIND} = 'AZFWDnsQuery' AND COALESCE({_azure('ResponseCode')}, 'NOERROR') = 'NOERROR' "
    f"AND COALESCE({_azure('QueryType')}, 'A') IN {_ADDRESS_QUERIES}) "
    f"OR ({_AZURE_KIND} = 'AzureFirewallApplicationRule' AND REGEXP_MATCHES({_LEGACY}, '{_REQUEST}'))",
)


def _is_hubble(value: Mapping[str, object]) -> bool:
    inner = value.get("flow", value)
    return isinstance(inner, dict) and "verdict" in inner and ("IP" in inner or "l7" in inner)


_FLOW: Final = "COALESCE(j->'$.flow', j)"


def _flow(path: str) -> str:
    return f"({_FLOW}->>'$.{path}')"


_NODE: Final = f"COALESCE({_flow('node_name')}, {_text('$.node_name')})"
_ANSWERS: Final = f"({_FLOW}->'$.l7.dns') IS NOT NULL"
_CALLED: Final = _flow("destination_names[0]")
_ANSWERED: Final = f"COALESCE(TRY_CAST({_FLOW}->'$.l7.dns.ips' AS VARCHAR[]), CAST([] AS VARCHAR[]))"


def _pod(end: str) -> str:
    """Return the expression for an end of a flow: its pod, else its address."""
    return f"COALESCE({_flow(f'{end}.namespace')} || '/' || {_flow(f'{end}.pod_name')}, {_flow(f'IP.{end}')})"


HUBBLE: Final = NameFormat(
    name="hubble",
    title="Hubble flows with names",
    provider="kubernetes",
    knows=_is_hubble,
    # https://docs.cilium.io/en/stable/_api/v1/flow/README/: an answer goes to the pod that asked; the names of a flow
    # are those that Cilium's DNS proxy saw for its address.
    told={
        "scope": f"COALESCE({_flow('source.cluster_name')}, "
        f"CASE WHEN {_NODE} LIKE '%/%' THEN SPLIT_PART({_NODE}, '/', 1) END)",
        "network": "NULL",
        "client": f"CASE WHEN {_ANSWERS} THEN {_pod('destination')} ELSE {_pod('source')} END",
        "names": f"CASE WHEN {_ANSWERS} THEN [{_flow('l7.dns.query')}] "
        f"ELSE TRY_CAST({_FLOW}->'$.destination_names' AS VARCHAR[]) END",
        "addresses": f"CASE WHEN {_ANSWERS} THEN {_ANSWERED} ELSE [{_flow('IP.destination')}] END",
        "moment": _time(f"COALESCE({_flow('time')}, {_text('$.time')})"),
        "denied": f"COALESCE({_flow('verdict')} = 'DROPPED', FALSE)",
    },
    about=f"CASE WHEN {_ANSWERS} THEN {_flow('l7.type')} = 'RESPONSE' AND COALESCE({_flow('l7.dns.rcode')}, '0') = '0' "
    f"ELSE {_CALLED} IS NOT NULL AND COALESCE({_flow('is_reply')}, 'false') = 'false' END",
)


def _is_cloud_dns(value: Mapping[str, object]) -> bool:
    inner = value.get("jsonPayload")
    return isinstance(inner, dict) and "queryName" in inner


_STRUCTURED: Final = _list("$.jsonPayload.structuredRdata")
_RECORD: Final = r"\s(?i:a|aaaa)\s+(\S+)\s*$"
_PRESENTED: Final = f"STRING_SPLIT(COALESCE({_text('$.jsonPayload.rdata')}, ''), CHR(10))"

CLOUD_DNS: Final = NameFormat(
    name="gcp-cloud-dns",
    title="Cloud DNS query logs",
    provider="gcp",
    knows=_is_cloud_dns,
    # https://cloud.google.com/dns/docs/monitoring#dns-log-record-format: rdata holds a line for each record.
    told={
        "scope": f"COALESCE({_text('$.resource.labels.project_id')}, {_text('$.jsonPayload.vmProjectId')})",
        "network": _text("$.jsonPayload.sourceNetwork"),
        "client": f"COALESCE({_text('$.jsonPayload.sourceIP')}, {_text('$.jsonPayload.vmInstanceIdString')})",
        "names": f"[{_text('$.jsonPayload.queryName')}]",
        "addresses": f"CASE WHEN LEN({_STRUCTURED}) > 0 "
        f"THEN [r->>'rvalue' FOR r IN {_STRUCTURED} IF UPPER(r->>'type') IN ('A', 'AAAA')] "
        f"ELSE [REGEXP_EXTRACT(r, '{_RECORD}', 1) FOR r IN {_PRESENTED} IF REGEXP_MATCHES(r, '{_RECORD}')] END",
        "moment": _time(_text("$.timestamp")),
        "denied": "FALSE",
    },
    about=f"COALESCE({_text('$.jsonPayload.responseCode')}, 'NOERROR') = 'NOERROR' "
    f"AND COALESCE({_text('$.jsonPayload.queryType')}, 'A') IN {_ADDRESS_QUERIES}",
)

FORMATS: Final = (ROUTE_53, NETWORK_FIREWALL, AZURE_FIREWALL, HUBBLE, CLOUD_DNS)
