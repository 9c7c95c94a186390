"""What takes packets from outside for ingresses and routes: proxies in the cluster, or load balancers of a cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.exposure.told import told_by
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.traffic import ALL_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["ALB_GROUP", "ALB_SCHEME", "Front", "alb", "annotations_of", "cloud", "google_gateway"]

_ALB: Final = "alb.ingress.kubernetes.io/"
ALB_SCHEME: Final = f"{_ALB}scheme"
ALB_GROUP: Final = f"{_ALB}group.name"
_FILTERS: Final = (f"{_ALB}security-groups", f"{_ALB}security-group-prefix-lists")


class Front(NamedTuple):
    """What stands before pods and takes packets from outside for them.

    Attributes:
        proxies: its own pods; none for what stands outside of the cluster.
        active: it lets the internet in; None where that is not known.
        doubt: why it is not known.
        text: what it is, in words.
        listens: what it takes from clients; None for what those who use it ask for.
        senders: the clients that it lets in.
    """

    proxies: tuple[Interface, ...]
    active: bool | None
    doubt: str
    text: str
    listens: Traffic | None = None
    senders: AddressSet = ALL_ADDRESSES


def annotations_of(item: Object) -> dict[str, str]:
    """Return the annotations of an object as texts."""
    return {key: str(value) for key, value in fields_of(item.part("metadata").get("annotations")).items()}


def cloud(item: Object, text: str, *, public: bool | None, doubt: str = "") -> Front:
    """Return a load balancer of a cloud.

    Args:
        item: the ingress or gateway; what its status tells goes before what it asks for.
        text: the load balancer in words.
        public: it is one for the internet, by what the object asks for; None where that is not known.
        doubt: why it is not known.
    """
    told = told_by(item)
    if told:
        public = told == "public"
    return Front((), public, doubt if public is None else "", text)


def alb(item: Object, scheme: str | None, doubt: str = "") -> Front:
    """Return the application load balancer that serves an ingress.

    Without a scheme it is internal. Source:
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/

    Args:
        item: the ingress.
        scheme: the scheme that counts for it; None where nobody asks for one.
        doubt: why the scheme is not known.
    """
    known = annotations_of(item)
    front = cloud(
        item, "an application load balancer", public=None if doubt else scheme == "internet-facing", doubt=doubt
    )
    named = [key for key in _FILTERS if known.get(key)]
    if front.active and named:
        front = front._replace(active=None, doubt=f"what {named[0]} lets in was not read")
    return front._replace(
        listens=_listening(known.get(f"{_ALB}listen-ports", "")), senders=_ranges(known.get(f"{_ALB}inbound-cidrs", ""))
    )


def google_gateway(item: Object, name: str) -> Front:
    """Return the load balancer of Google Cloud before the routes of a gateway, by the name of its class.

    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities
    """
    outside, inside = ("external", "gxlb"), ("internal", "rilb")
    public = None
    if any(word in name for word in outside):
        public = True
    elif any(word in name for word in inside):
        public = False
    doubt = f"what a gateway of class {name} is was not read"
    return cloud(item, "a load balancer of Google Cloud", public=public, doubt=doubt)


def _listening(text: str) -> Traffic | None:
    """Return what ``[{"HTTP": 80}, {"HTTPS": 443}]`` stands for; None where it cannot be read."""
    try:
        listed: object = json.loads(text) if text else None
        total = NO_TRAFFIC
        for each in cast("list[object]", listed) if isinstance(listed, list) else []:
            for number in fields_of(each).values():
                total |= Traffic.ports("tcp", int(str(number)), int(str(number)))
    except (ValueError, ParseError, RecursionError):
        return None
    return total or None


def _ranges(text: str) -> AddressSet:
    texts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return AddressSet.from_cidrs(texts) if texts else ALL_ADDRESSES
    except ParseError:
        return ALL_ADDRESSES
