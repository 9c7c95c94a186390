"""Ranges of addresses in policies, and the address families that a cluster shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["range_of", "shows_ipv6"]


def range_of(text: str) -> AddressSet:
    """Return the addresses of a CIDR block.

    Raises:
        ParseError: it is none.
    """
    if "/" not in text:
        raise ParseError(f"{text!r} is no CIDR block: write a prefix length, as in 10.0.0.5/32")
    return AddressSet.from_cidrs((text,))


def shows_ipv6(objects: Iterable[Object], draft: Draft) -> bool:
    """Tell whether anything shows that pods of the cluster have IPv6 addresses, or may have.

    Sources: https://kubernetes.io/docs/concepts/services-networking/dual-stack/ and
    https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
    """
    if any(interface.addresses.v6 for interface in draft.interfaces.values()):
        return True
    return any(_is_six(text) for item in objects for text in _texts(item))


def _texts(item: Object) -> Iterator[object]:
    spec, status = item.part("spec"), item.part("status")
    if item.group or item.kind not in {"Node", "Service"}:
        return
    yield from _listed(spec.get("podCIDRs"))
    yield from _listed(spec.get("ipFamilies"))
    yield from _listed(spec.get("clusterIPs"))
    yield spec.get("podCIDR")
    yield spec.get("ipFamilyPolicy")
    for each in _listed(status.get("addresses")):
        fields = fields_of(each)
        if fields.get("type") in {"InternalIP", "ExternalIP"}:
            yield fields.get("address")


def _listed(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _is_six(text: object) -> bool:
    return isinstance(text, str) and (":" in text or text in {"IPv6", "RequireDualStack"})
