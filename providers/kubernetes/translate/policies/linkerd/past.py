"""Ports that go past proxies where no annotation says otherwise: as the chart is set, or that of Linkerd's CNI plugin.

What goes past a proxy no policy of Linkerd guards, and it shows no identity. An annotation of a pod or its namespace
takes the place of the setting, and an empty one that of any port. Sources:
https://artifacthub.io/packages/helm/linkerd2/linkerd-control-plane (``proxyInit.ignoreInboundPorts``),
https://artifacthub.io/packages/helm/linkerd2/linkerd2-cni,
https://linkerd.io/2-edge/features/protocol-detection/#marking-ports-as-skip-ports and
https://linkerd.io/2-edge/features/cni/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.yaml_values import YamlValueError, read_yaml
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["CNI_CONFIG", "Past", "parse_ports", "read_past"]

CNI_CONFIG: Final = "linkerd-cni-config"
"""The config map of Linkerd's CNI plugin, which leads connections to proxies where it is installed."""
_IN_NETWORK_CONFIG: Final = "cni_network_config"
_OWN: Final = Traffic.ports("tcp", 4190, 4191)
"""The ports of proxies themselves, by default: the plugin's list names them, and they are none of the workload's."""
_BY_CHART: Final = Traffic.ports("tcp", 4567, 4568)


class Past(NamedTuple):
    """Ports that go past proxies where no annotation names any.

    Attributes:
        inbound: those on which pods are reached past their proxies; None where that cannot be told.
        outbound: those to which pods connect past their proxies, at most; None where that cannot be told.
        read: they were read; else they are those of the chart, which may be set otherwise.
    """

    inbound: Traffic | None = _BY_CHART
    outbound: Traffic | None = _BY_CHART
    read: bool = False


_UNKNOWN: Final = Past(None, None, read=True)


def read_past(text: str | None, objects: Iterable[Object], unread: Collection[str]) -> Past:
    """Return the ports that go past proxies by default.

    Args:
        text: the values of the chart; None where they were not read.
        objects: the objects of the cluster.
        unread: what was asked for by name and could not be read.
    """
    if text is None:
        return Past()
    try:
        values = fields_of(read_yaml(text).value)
    except YamlValueError:
        return _UNKNOWN
    plugin = values.get("cniEnabled")
    if plugin not in (None, False):
        return _of_plugin(objects, unread) if plugin is True else _UNKNOWN
    given = fields_of(values.get("proxyInit"))
    if not given:
        return Past()
    if given.get("skipSubnets"):
        return _UNKNOWN
    own = Past()
    return Past(
        _setting(given, "ignoreInboundPorts", own.inbound),
        _setting(given, "ignoreOutboundPorts", own.outbound),
        read="ignoreInboundPorts" in given,
    )


def parse_ports(text: str) -> Traffic:
    """Return ports that are listed, ``80,443-445``.

    Raises:
        ParseError: one of them is none.
    """
    found = NO_TRAFFIC
    for each in text.split(","):
        if each.strip():
            found |= Traffic.parse(f"tcp/{each.strip()}")
    return found


def _setting(given: Mapping[str, object], key: str, default: Traffic | None) -> Traffic | None:
    value = given.get(key, default)
    if value is None:
        return NO_TRAFFIC
    if isinstance(value, Traffic):
        return value
    if type(value) is int or isinstance(value, str):
        try:
            return parse_ports(str(value))
        except ParseError:
            return None
    return None


def _of_plugin(objects: Iterable[Object], unread: Collection[str]) -> Past:
    """Return what the configuration of the CNI plugin says; without it nothing is known of where connections go."""
    maps = [item for item in objects if (item.group, item.kind, item.name) == ("", "ConfigMap", CNI_CONFIG)]
    lost = any(each.startswith("configmaps ") and each.endswith(f"/{CNI_CONFIG}") for each in unread)
    if len(maps) != 1 or lost or maps[0].flaw:
        return _UNKNOWN
    text = maps[0].part("data").get(_IN_NETWORK_CONFIG)
    try:
        given = fields_of(fields_of(json.loads(text) if isinstance(text, str) else None).get("linkerd"))
        if not given or given.get("subnets-to-ignore"):
            return _UNKNOWN
        inbound, outbound = (_listed(given.get(f"{way}-ports-to-ignore")) for way in ("inbound", "outbound"))
    except (ValueError, RecursionError):
        return _UNKNOWN
    return Past(inbound - _OWN, outbound, read=True)


def _listed(value: object) -> Traffic:
    """Return ports of a list.

    Raises:
        ParseError: one of them is none.
    """
    listed = cast("list[object]", value) if isinstance(value, list) else [] if value is None else [value]
    return parse_ports(",".join(str(each) for each in listed))
