"""Which backend services proxies lead to: by themselves, or by the paths and hosts of a URL map."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["services_of"]


def services_of(draft: Draft, proxy_id: str, project: str) -> list[str] | None:
    """Return the backend services that a proxy leads to, whatever is asked for; None where that was not read.

    In a URL map every part may name some: what is the default, what paths lead to, what gets a share of it or a copy.
    Source: https://cloud.google.com/load-balancing/docs/url-map-concepts

    Args:
        draft: holds proxies and maps.
        proxy_id: qualified id of the proxy.
        project: the project whose answer names it.
    """
    parts = draft.balancing
    proxy = parts.proxies.get(proxy_id)
    if proxy is None:
        return None
    if proxy.service:
        return [draft.named(proxy.service, project)]
    known = parts.maps.get(draft.named(proxy.url_map, project)) if proxy.url_map else None
    if known is None:
        return None
    if not isinstance(known.default_service, str | None):
        return None
    texts = _texts((known.default_service, known.default_route_action, known.path_matchers))
    return list(dict.fromkeys(draft.named(text, project) for text in texts if "backendServices/" in text))


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a part of an answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in cast("dict[str, object]", value).values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in cast("list[object]", value):
            yield from _texts(each)
