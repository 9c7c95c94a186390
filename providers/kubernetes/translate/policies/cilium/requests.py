"""What rules ask of requests and not of connections, in words: HTTP, DNS, Kafka, names in TLS, proxies.

Source: https://docs.cilium.io/en/stable/security/policy/layer7/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction
    from cloudseg.providers.kubernetes.translate.policies.cilium.wire import Items, L7Rules, PortRule

__all__ = ["Told", "joined", "told"]

_SHOWN: Final = 4


class Told(NamedTuple):
    """What an item of ``toPorts`` asks of requests.

    Attributes:
        text: in words; empty where it asks nothing.
        exact: False where it is not known that any request passes.
    """

    text: str
    exact: bool


def told(item: PortRule, direction: Direction) -> Told:
    """Return what an item of ``toPorts`` asks of requests.

    Raises:
        ParseError: the API server or Cilium would refuse it.
    """
    kinds = {} if item.rules is None else _kinds(item.rules)
    if len(kinds) > 1:
        raise ParseError(f"rules of {' and '.join(kinds)} stand beside each other: write two items of toPorts")
    _refuse(item, kinds, direction)
    texts = list(_texts(item, kinds))
    # An empty list of requests admits none of them, or all: the documentation does not say.
    sure = item.listener is None and all(kinds.values())
    return Told(joined(*texts), sure)


def joined(*texts: str) -> str:
    """Return texts as one, without the empty ones."""
    return "; ".join(text for text in texts if text)


def _kinds(rules: L7Rules) -> dict[str, Items]:
    found = {"HTTP": rules.http, "Kafka": rules.kafka, "DNS": rules.dns}
    if rules.l7 is not None and not rules.l7proto:
        raise ParseError("l7 stands without l7proto")
    if rules.l7proto:
        found[rules.l7proto] = rules.l7 or []
    return {kind: items for kind, items in found.items() if items is not None}


def _refuse(item: PortRule, kinds: dict[str, Items], direction: Direction) -> None:
    ports = item.ports or []
    if item.listener is not None and (direction == "ingress" or kinds):
        raise ParseError("a listener stands on egress alone, and without rules for requests")
    if any(not name for name in item.server_names or ()):
        raise ParseError("serverNames holds an empty name")
    if item.server_names and kinds and item.terminating_tls is None:
        raise ParseError("serverNames stands beside rules for requests without terminatingTLS")
    if "DNS" in kinds and (direction == "ingress" or not ports or any(port.end_port for port in ports)):
        raise ParseError("rules for DNS stand on egress alone, with ports and without endPort")
    if kinds and any(port.port == "0" for port in ports):
        raise ParseError("rules for requests stand beside port 0")
    if kinds and "DNS" not in kinds and any(port.protocol != "TCP" for port in ports):
        raise ParseError("rules for requests other than DNS need protocol TCP")


def _texts(item: PortRule, kinds: dict[str, Items]) -> Iterator[str]:
    for kind, items in kinds.items():
        shown = [_shown(each) for each in items]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        yield f"{kind}: {', '.join(shown[:_SHOWN]) or 'no request named'}{more} only"
    if item.server_names:
        yield f"TLS: names {', '.join(item.server_names[:_SHOWN])} only"
    if item.listener is not None:
        yield "handed to an Envoy listener, which may refuse it"


def _shown(request: dict[str, object]) -> str:
    """Return a request in words: ``GET /public``, or every field by its name."""
    first = [str(request[key]) for key in ("method", "path", "matchName", "matchPattern") if request.get(key)]
    rest = [
        f"{key} {value}"
        for key, value in request.items()
        if key not in {"method", "path", "matchName", "matchPattern"} and isinstance(value, str | int)
    ]
    return " ".join((*first, *rest)) or "any"
