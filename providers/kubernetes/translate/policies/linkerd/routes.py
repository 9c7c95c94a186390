"""Routes of the Gateway API that hang on Servers: the requests that a policy may be about.

Sources: https://linkerd.io/2-edge/reference/httproute/ and
https://linkerd.io/2-edge/reference/authorization-policy/#httproute
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.authentications import GROUP
from cloudseg.providers.kubernetes.translate.policies.linkerd.servers import KIND

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.linkerd.servers import Server

__all__ = ["ROUTES", "hangs_on", "matches_of"]

ROUTES: Final = tuple(
    (group, kind) for group in (GROUP, "gateway.networking.k8s.io") for kind in ("HTTPRoute", "GRPCRoute")
)
_SHOWN: Final = 3


def hangs_on(item: Object, server: Server) -> bool:
    """Tell whether a route hangs on a Server: by its name, in the same namespace, without port or section.

    A status in which the policy controller refused it counts.
    """
    if item.flaw or item.place != server.place:
        return False
    parents = _items(item.part("spec").get("parentRefs"))
    if not any(_names(parent, server) for parent in parents):
        return False
    return not any(_refused(each, server) for each in _items(item.part("status").get("parents")))


def _names(parent: dict[str, object], server: Server) -> bool:
    own = (parent.get("group"), parent.get("kind"), parent.get("name")) == (*KIND, server.name)
    return (
        own and parent.get("namespace", server.place) == server.place and not ({"port", "sectionName"} & parent.keys())
    )


def _refused(status: dict[str, object], server: Server) -> bool:
    if not _names(fields_of(status.get("parentRef")), server):
        return False
    conditions = _items(status.get("conditions"))
    return any(each.get("type") == "Accepted" and each.get("status") == "False" for each in conditions)


def matches_of(route: Object) -> str:
    """Return what a route matches, in words."""
    found = [_words(match) for rule in _items(route.part("spec").get("rules")) for match in _items(rule.get("matches"))]
    shown = list(dict.fromkeys(each for each in found if each))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f"{', '.join(shown[:_SHOWN])}{more}"


def _words(match: dict[str, object]) -> str:
    path, method = fields_of(match.get("path")), match.get("method")
    if isinstance(method, dict):
        parts = [fields_of(match.get("method")).get(key) for key in ("service", "method")]
    else:
        parts = [method, path.get("value")]
    return " ".join(each for each in parts if isinstance(each, str))


def _items(value: object) -> list[dict[str, object]]:
    return [fields_of(each) for each in cast("list[object]", value)] if isinstance(value, list) else []
