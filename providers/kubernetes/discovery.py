"""What an API server serves: groups, versions and kinds.

Newer servers tell it all in two answers, older ones group by group. Sources:
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery and
https://kubernetes.io/docs/reference/kubernetes-api/definitions/api-group-v1-meta/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.providers.kubernetes.client import JSON, AnswerError
from cloudseg.providers.kubernetes.listed import Kind, Served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.kubernetes.client import Client, Fields

__all__ = ["Discovered", "Unserved", "discover", "kinds_of"]

_AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    f"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,{JSON}"
)


class Unserved(NamedTuple):
    """A group whose kinds are not known, and why."""

    group: str
    error: AnswerError


class Discovered(NamedTuple):
    """What a server serves.

    Attributes:
        served: the kinds; of the versions of a group, the preferred one first.
        unserved: the groups that a server of their own should answer for, and does not.
        pending: the versions of groups that have to be asked for one by one, as group and version.
    """

    served: tuple[Served, ...]
    unserved: tuple[Unserved, ...]
    pending: tuple[tuple[str, str], ...]


def discover(client: Client) -> Discovered:
    """Return what a server serves, as far as it tells at once.

    Raises:
        AnswerError: it does not tell, or is no Kubernetes API server.
    """
    served: list[Served] = []
    unserved: list[Unserved] = []
    pending: list[tuple[str, str]] = []
    for path in ("/api", "/apis"):
        answer = client.get(path, accept=_AGGREGATED)
        kind = answer.get("kind")
        if kind == "APIGroupDiscoveryList":
            for group in _items(answer.get("items")):
                _add_group(group, served, unserved)
        elif kind == "APIVersions" and isinstance(answer.get("versions"), list):
            pending += [("", str(version)) for version in cast("list[object]", answer["versions"])]
        elif kind == "APIGroupList":
            for group in _items(answer.get("groups")):
                pending += [(str(group.get("name", "")), version) for version in _versions(group)]
        else:
            raise AnswerError("malformed", f"{client.server}{path} does not answer as a Kubernetes API server")
    return Discovered(tuple(served), tuple(unserved), tuple(pending))


def kinds_of(client: Client, group: str, version: str) -> tuple[Served, ...]:
    """Return the kinds in one version of a group, as older servers tell of them.

    Raises:
        AnswerError: the server does not tell.
    """
    answer = client.get(f"/apis/{group}/{version}" if group else f"/api/{version}")
    if answer.get("kind") != "APIResourceList":
        raise AnswerError("malformed", f"{group}/{version} is no list of kinds")
    return tuple(
        Served(
            Kind(group, version, str(item["name"]), str(item.get("kind", "")), item.get("namespaced") is not False),
            "list" in _texts(item.get("verbs")),
        )
        for item in _items(answer.get("resources"))
        if "/" not in str(item.get("name", "/"))
    )


def _add_group(group: Fields, served: list[Served], unserved: list[Unserved]) -> None:
    metadata = group.get("metadata")
    name = str(cast("Fields", metadata).get("name") or "") if isinstance(metadata, dict) else ""
    for item in _items(group.get("versions")):
        version = str(item.get("version", ""))
        resources = _items(item.get("resources"))
        if item.get("freshness") == "Stale" and not resources:
            detail = f"the server of {name}/{version} does not answer"
            unserved.append(Unserved(name, AnswerError("unreachable", detail)))
        for resource in resources:
            response = resource.get("responseKind")
            kind = str(cast("Fields", response).get("kind", "")) if isinstance(response, dict) else ""
            plural = resource.get("resource")
            if isinstance(plural, str) and plural:
                found = Kind(name, version, plural, kind, resource.get("scope") != "Cluster")
                served.append(Served(found, "list" in _texts(resource.get("verbs"))))


def _versions(group: Fields) -> Iterator[str]:
    """Yield the versions of a group, the preferred one first."""
    preferred = group.get("preferredVersion")
    first = str(cast("Fields", preferred).get("version", "")) if isinstance(preferred, dict) else ""
    names = [str(item.get("version", "")) for item in _items(group.get("versions"))]
    yield from sorted(filter(None, names), key=lambda name: name != first)


def _items(value: object) -> list[Fields]:
    """Return the objects in a list; none where it is no list."""
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Fields", item) for item in listed if isinstance(item, dict)]


def _texts(value: object) -> list[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in listed if isinstance(item, str)]
