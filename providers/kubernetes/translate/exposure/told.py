"""What a cluster that runs tells of the addresses under which it offers a service, an ingress or a gateway.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/#ServiceStatus and
https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-internal-load-balancers.html (names that begin with
``internal-``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Told", "told_by"]

Told: TypeAlias = Literal["", "inside", "public"]
"""Where the addresses are that it was given: all of them inside, at least one of the internet; empty where it is not
told."""

_INTERNAL_NAMES = ("internal-", "dualstack.internal-")


def told_by(item: Object) -> Told:
    """Return where an object is offered, as its status tells; what cannot be read there tells nothing."""
    seen = [_where(text) for text in _given(item)]
    if "public" in seen:
        return "public"
    return "inside" if seen and all(place == "inside" for place in seen) else ""


def _given(item: Object) -> Iterator[str]:
    status = item.part("status")
    for each in _list(fields_of(status.get("loadBalancer")).get("ingress")):
        for key in ("ip", "hostname"):
            if isinstance(text := fields_of(each).get(key), str) and text:
                yield text
    for each in _list(status.get("addresses")):
        if isinstance(text := fields_of(each).get("value"), str) and text:
            yield text


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _where(text: str) -> Told:
    try:
        return "public" if AddressSet.from_cidrs((text,)).overlaps(GLOBAL_UNICAST) else "inside"
    except ParseError:
        inside = text.startswith(_INTERNAL_NAMES) and ".elb." in text
        return "inside" if inside else ""
