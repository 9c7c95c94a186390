"""Flow logs of subnets, and what firewall rules log of the connections that they decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import FlowLog
from cloudseg.providers.gcp.ids import region_of
from cloudseg.providers.gcp.translate.wire import CloudResource

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["KINDS", "add_flow_logs", "add_rule_logs"]

_FACET: Final = "flow-logs"
_WHERE: Final = "Cloud Logging"
_SAMPLING: Final = 0.5
_EVERYTHING: Final = frozenset(("", "true"))
KINDS: Final = {
    "REGIONAL_MANAGED_PROXY": "proxy-only-subnet",
    "GLOBAL_MANAGED_PROXY": "proxy-only-subnet",
    "INTERNAL_HTTPS_LOAD_BALANCER": "proxy-only-subnet",
    "PRIVATE_SERVICE_CONNECT": "private-service-connect-subnet",
    "PRIVATE_NAT": "private-nat-subnet",
    "PEER_MIGRATION": "peer-migration-subnet",
}
"""What subnets are called that hold no machines, by their purpose: nothing is recorded in them. Source:
https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks"""


class _LogConfig(msgspec.Struct, rename="camel"):
    enable: bool | None = None
    flow_sampling: float | None = None
    metadata: str | None = None
    metadata_fields: list[str] | None = None
    filter_expr: str | None = None


class _Subnetwork(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    log_config: _LogConfig | None = None
    enable_flow_logs: bool | None = None


class _RuleLog(msgspec.Struct):
    enable: bool | None = None


class _Firewall(CloudResource, kw_only=True, rename="camel"):
    network: str = ""
    log_config: _RuleLog | None = None
    disabled: bool = False


def add_flow_logs(answers: Answers, draft: Draft) -> None:
    """Add the flow log of each subnet that has one; subnets have to be there already.

    Of what machines are sent they record what firewall rules let in, of what these send also what rules stop. Half of
    the records are kept unless a setting says otherwise; an interval joins those of one connection, and loses none.
    Sources: https://cloud.google.com/vpc/docs/flow-logs and
    https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks
    """
    for wire in answers.listed("compute", "subnetworks", _Subnetwork, _FACET):
        region = region_of(wire.region or wire.self_link)
        target = draft.named(wire.link(answers.scope, f"regions/{region}/subnetworks"), answers.scope)
        config = wire.log_config or _LogConfig()
        enabled = wire.enable_flow_logs if config.enable is None else config.enable
        if not enabled or draft.purposes.get(target) in KINDS:
            continue
        found = FlowLog(
            id=f"{target}/logConfig",
            kind="flow-log",
            name=wire.name,
            region=region,
            target=target,
            traffic="accepted",
            delivers=True,
            destination=_WHERE,
            fields=_fields(config),
            omits=_omits(config),
        )
        draft.put(draft.flow_logs, found, answers.scope)


def _fields(config: _LogConfig) -> tuple[str, ...]:
    kind = (config.metadata or "").upper()
    if kind == "CUSTOM_METADATA":
        return tuple(config.metadata_fields or ())
    return ("base fields alone",) if kind == "EXCLUDE_ALL_METADATA" else ()


def _omits(config: _LogConfig) -> str:
    share = _SAMPLING if config.flow_sampling is None else config.flow_sampling
    told: list[str] = []
    if share < 1:
        told.append(f"it keeps {share * 100:g} % of its records (flowSampling)")
    expression = (config.filter_expr or "").strip()
    if expression.lower() not in _EVERYTHING:
        told.append(f"it keeps only what its filter selects: {expression}")
    return "; ".join(told)


def add_rule_logs(answers: Answers, draft: Draft) -> None:
    """Add what the VPC firewall rules of each network log: connections that they decide themselves, denied ones too.

    Only those over TCP and UDP are logged, and none that the implied rules decide. Source:
    https://cloud.google.com/firewall/docs/firewall-rules-logging
    """
    every: dict[str, int] = {}
    logging: dict[str, list[str]] = {}
    for wire in answers.listed("compute", "firewalls", _Firewall, _FACET):
        if not wire.disabled:
            network = draft.named(wire.network, answers.scope)
            every[network] = every.get(network, 0) + 1
            if wire.log_config is not None and wire.log_config.enable:
                logging.setdefault(network, []).append(wire.name)
    for network, names in logging.items():
        target = f"{network}/firewalls"
        found = FlowLog(
            id=f"{target}/logging",
            kind="firewall-rules-log",
            name="logging of firewall rules",
            target=target,
            traffic="all",
            delivers=True,
            destination=_WHERE,
            omits=f"{len(names)} of {every[network]} rules log, of TCP and UDP alone: {', '.join(sorted(names)[:5])}",
        )
        draft.put(draft.flow_logs, found, answers.scope)
