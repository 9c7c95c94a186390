"""EnvoyFilters by which releases of Istio up to 1.2x measured traffic: they admit and deny nothing.

An installation put them into its root namespace, for every proxy of the mesh: ``stats-filter-1.17``,
``tcp-metadata-exchange-1.13-rev`` and so on. What they insert is built into the proxy: one filter that counts requests
and connections, and one that tells its peer what workload it is. Anybody can give these names to anything, so that it
is what they insert that counts, to the last field. Sources:
https://istio.io/latest/docs/ops/common-problems/upgrade-issues/#use-telemetry-api-for-metrics-customization,
https://istio.io/latest/docs/reference/config/proxy_extensions/stats/ and
https://istio.io/v1.17/docs/reference/config/proxy_extensions/metadata_exchange/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["only_measures"]

_NAME: Final = re.compile(r"(tcp-)?(stats-filter|metadata-exchange)-1\.\d{1,2}(-[a-z0-9-]{1,63})?")
_TYPES: Final = "type.googleapis.com/"
_STRUCTS: Final = frozenset((f"{_TYPES}udpa.type.v1.TypedStruct", f"{_TYPES}xds.type.v3.TypedStruct"))
_STATS: Final = f"{_TYPES}stats.PluginConfig"
_EXCHANGE: Final = f"{_TYPES}envoy.tcp.metadataexchange.config.MetadataExchange"
_CODE: Final = frozenset(f"{_TYPES}envoy.extensions.filters.{layer}.wasm.v3.Wasm" for layer in ("http", "network"))
_BUILT_IN: Final = frozenset(("envoy.wasm.metadata_exchange", "envoy.wasm.stats"))
_FILTERS: Final = frozenset(("istio.metadata_exchange", "istio.stats"))
_LAYERS: Final = frozenset(("HTTP_FILTER", "NETWORK_FILTER"))


def only_measures(item: Object, root: str) -> bool:
    """Tell whether an EnvoyFilter is one of those of Istio itself that only measure.

    Args:
        item: the EnvoyFilter.
        root: the root namespace of the mesh.
    """
    if item.flaw or item.namespace is None or item.place != root or not _NAME.fullmatch(item.name):
        return False
    spec = item.part("spec")
    patches = spec.get("configPatches")
    listed = cast("list[object]", patches) if isinstance(patches, list) else []
    return bool(listed) and spec.keys() <= {"configPatches", "priority"} and all(map(_measures, listed))


def _measures(entry: object) -> bool:
    given = fields_of(entry)
    patch = fields_of(given.get("patch"))
    value = fields_of(patch.get("value"))
    if given.keys() - {"applyTo", "match", "patch"} or set(patch) != {"operation", "value"}:
        return False
    if given.get("applyTo") in _LAYERS and patch["operation"] == "INSERT_BEFORE":
        return _is_known(value)
    if given.get("applyTo") == "CLUSTER" and patch["operation"] == "MERGE" and set(value) == {"filters"}:
        filters = value["filters"]
        return isinstance(filters, list) and all(_is_known(fields_of(each)) for each in cast("list[object]", filters))
    return False


def _is_known(inserted: Mapping[str, object]) -> bool:
    if set(inserted) != {"name", "typed_config"} or inserted["name"] not in _FILTERS:
        return False
    config = fields_of(inserted["typed_config"])
    kind = config.get("@type")
    if kind == _EXCHANGE:
        return config.keys() <= {"@type", "protocol"}
    if kind not in _STRUCTS or config.keys() - {"@type", "type_url", "value"}:
        return False
    value = fields_of(config.get("value"))
    match config.get("type_url"):
        case str(url) if url == _STATS:
            return True
        case str(url) if url == _EXCHANGE:
            return value.keys() <= {"protocol"}
        case str(url) if url in _CODE:
            return set(value) == {"config"} and _is_built_in(fields_of(value["config"]))
        case _:
            return False


def _is_built_in(config: Mapping[str, object]) -> bool:
    """Tell whether code is that of a filter that is built into the proxy, and none that is loaded."""
    machine = fields_of(config.get("vm_config"))
    code = fields_of(machine.get("code"))
    local = fields_of(code.get("local"))
    return (
        config.keys() <= {"configuration", "root_id", "vm_config"}
        and machine.keys() <= {"code", "runtime", "vm_id"}
        and machine.get("runtime") == "envoy.wasm.runtime.null"
        and (set(code), set(local)) == ({"local"}, {"inline_string"})
        and local.get("inline_string") in _BUILT_IN
    )
