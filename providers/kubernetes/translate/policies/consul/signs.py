"""By what Consul shows in a cluster, and the kinds of its objects that are evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["GROUP", "INJECT", "PROXIES", "READS", "REDIRECTED", "is_proxied", "shows_consul", "truth"]

GROUP: Final = "consul.hashicorp.com"
READS: Final = frozenset((GROUP, kind) for kind in ("Mesh", "ProxyDefaults", "ServiceDefaults", "ServiceIntentions"))
"""The API groups and kinds that are evaluated."""

INJECT: Final = "consul.hashicorp.com/connect-inject"
REDIRECTED: Final = "consul.hashicorp.com/transparent-proxy-status"
PROXIES: Final = ("consul-dataplane", "envoy-sidecar")
"""How the names of the containers begin that Consul adds."""

_TRUE: Final = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "false", "FALSE", "False"))


def shows_consul(objects: Iterable[Object], draft: Draft) -> bool:
    """Tell whether anything of Consul's mesh shows in a cluster: its objects, its annotations, its proxies."""
    if any(item.group == GROUP for item in objects):
        return True
    return any(
        is_proxied(shape.containers) or truth(shape.annotations.get(INJECT)) or REDIRECTED in shape.annotations
        for evidence in draft.evidence.values()
        for shape in (evidence.template, *evidence.running)
    )


def is_proxied(containers: Iterable[str]) -> bool:
    """Tell whether one of some containers is a proxy of Consul."""
    return any(name.startswith(PROXIES) for name in containers)


def truth(text: str | None) -> bool | None:
    """Return what a text says, as Go reads it; None for one that says neither."""
    return True if text in _TRUE else False if text in _FALSE else None
