"""What stands between a client's identity and its target: DestinationRules that turn mutual TLS off, and waypoints.

Sources: https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings,
https://istio.io/latest/docs/ambient/usage/waypoint/ and https://istio.io/latest/docs/ambient/usage/l4-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloudseg.model import matches
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE, in_namespace, surely_required
from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["plain_destinations", "waypointed"]

_WAYPOINT: Final = "istio.io/use-waypoint"
_QUALIFIED: Final = 2


def plain_destinations(objects: Iterable[Object]) -> frozenset[str] | None:
    """Return the namespaces to which clients may not speak mutual TLS; None for all of them."""
    found: set[str] = set()
    for item in objects:
        if (item.group, item.kind) != ("networking.istio.io", "DestinationRule"):
            continue
        spec = item.part("spec")
        if not item.flaw and not any(_is_plain(mode) for mode in _modes(spec)):
            continue
        place = _namespace(spec.get("host"), item)
        if place is None:
            return None
        found.add(place)
    return frozenset(found - {""})


def waypointed(objects: Sequence[Object], draft: Draft) -> frozenset[str]:
    """Return the interfaces whose clients may come by a waypoint, which shows its own identity."""
    fronts = [
        (in_namespace(item.place), *surely_required({"matchLabels": item.part("spec").get("selector")}, "pods"))
        for item in objects
        if (item.group, item.kind) == ("", "Service")
        and _is_used(fields_of(item.part("metadata").get("labels")).get(_WAYPOINT))
    ]
    found: set[str] = set()
    for key, interface in draft.interfaces.items():
        labels = interface.labels
        own = labels.get(_WAYPOINT) or labels.get(f"{ON_NAMESPACE}{_WAYPOINT}")
        unread = labels[NAMESPACE] in draft.unlabelled
        if unread or _is_used(own) or any(all(matches(each, interface) for each in front) for front in fronts):
            found.add(key)
    return frozenset(found)


def _is_used(value: object) -> bool:
    return isinstance(value, str) and value not in {"", "none", "#none"}


def _modes(spec: dict[str, object]) -> Iterator[object]:
    for policy in (
        spec.get("trafficPolicy"),
        *(fields_of(each).get("trafficPolicy") for each in _list(spec, "subsets")),
    ):
        fields = fields_of(policy)
        for each in (fields, *map(fields_of, _list(fields, "portLevelSettings"))):
            if "tls" in each:
                yield fields_of(each["tls"]).get("mode", "DISABLE")


def _is_plain(mode: object) -> bool:
    return mode != "ISTIO_MUTUAL"


def _namespace(host: object, item: Object) -> str | None:
    """Return the namespace of a host; empty for one outside of the cluster, None where it may be any."""
    if not isinstance(host, str) or item.flaw:
        return None
    parts = host.split(".")
    if "*" in host:
        known = len(parts) >= _QUALIFIED and parts[-2:] == ["cluster", "local"] and "*" not in parts[-4:-3]
        return parts[-4] if known and len(parts) > 4 else None
    if len(parts) == 1:
        return item.place
    if len(parts) == _QUALIFIED or parts[2] == "svc":
        return parts[1]
    return ""


def _list(fields: dict[str, object], key: str) -> list[object]:
    value = fields.get(key)
    return cast("list[object]", value) if isinstance(value, list) else []
