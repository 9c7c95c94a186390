"""Names of Google Cloud resources: self links, their tails, and the asset inventory's full names.

One resource is written in several ways: ``https://www.googleapis.com/compute/v1/projects/p/global/networks/n``, the
same on another host or in another version, ``projects/p/global/networks/n``, and
``//compute.googleapis.com/projects/p/global/networks/n``.
Sources: https://cloud.google.com/apis/design/resource_names and
https://cloud.google.com/asset-inventory/docs/asset-names.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cloudseg.model import qualified

__all__ = ["PROVIDER", "name_of", "own_of", "project_of", "qualified_id", "region_of", "scope_name", "tail_of"]

PROVIDER = "gcp"

_HOST = re.compile(r"(?:https?:)?//[^/]*/")
_BEFORE = re.compile(r"(?!(?:projects|organizations|folders)/)(?:[a-z][a-z0-9.-]*/)?(?:v\d\w*|alpha|beta)/")
"""What stands between the host and the resource: ``compute/v1/``, ``v1/``; a project may be called ``v12345``."""
_PLACED = re.compile(r"(?:zones|regions|locations)/([^/]+)")
_ZONE = re.compile(r"([a-z]+(?:-[a-z]+)+\d+)-[a-z0-9]+")
"""``us-central1-a`` and ``us-central1-ai1a`` of ``us-central1``. Source:
https://cloud.google.com/compute/docs/regions-zones"""


# The same few thousand links stand in every answer that refers to them.
@lru_cache(maxsize=1 << 17)
def tail_of(link: str) -> str:
    """Return a link without host, service and version: ``projects/p/global/networks/n``."""
    link = link.strip()
    host = _HOST.match(link)
    tail = (link[host.end() :] if host else link).strip("/")
    before = _BEFORE.match(tail)
    return tail[before.end() :] if before else tail


@lru_cache(maxsize=1 << 17)
def own_of(link: str) -> str:
    """Return what a link says below the project: ``global/networks/default``; all of its tail where it names none.

    A rule of an organisation's or a folder's has no project: ``locations/global/firewallPolicies/1234``.
    """
    tail = tail_of(link)
    head, _, rest = tail.partition("/")
    below = rest.partition("/")[2] if head == "projects" else ""
    return below or tail


def project_of(link: str) -> str:
    """Return the project that a link names, by its id or by its number as it stands there; empty where it names none.

    The last name alone (``projects/p``) is the project's own link.
    """
    head, _, rest = tail_of(link).partition("/")
    return rest.partition("/")[0] if head == "projects" else ""


def scope_name(project: str) -> str:
    """Return a project's id as it stands in qualified names: the colon of ``example.com:shop`` would part them.

    Source: https://cloud.google.com/resource-manager/docs/creating-managing-projects (domain-scoped projects)
    """
    return project.replace(":", "%3A")


@lru_cache(maxsize=1 << 17)
def qualified_id(link: str, project: str = "") -> str:
    """Return the estate-wide name of a resource: ``gcp:<project>:<tail below the project>``.

    Args:
        link: a self link in whatever spelling.
        project: the id of the project to put it under where the link names none.
    """
    return qualified(PROVIDER, scope_name(project_of(link) or project), own_of(link))


def name_of(link: str) -> str:
    """Return the last name in a link."""
    return link.rstrip("/").rpartition("/")[2]


@lru_cache(maxsize=1 << 14)
def region_of(place: str) -> str:
    """Return the region of a link, of a zone or of a region; ``global`` where there is none.

    ``us-central1`` for ``us-central1-a``, for ``regions/us-central1`` and for
    ``projects/p/zones/us-central1-a/instances/web``. Places of storage, such as ``EU``, stay what they are, in lower
    case.
    """
    if "/" in place:
        placed = _PLACED.match(own_of(place)) or _PLACED.search(tail_of(place))
        place = placed.group(1) if placed else ""
    location = place.strip().lower()
    zone = _ZONE.fullmatch(location)
    return zone.group(1) if zone else location or "global"
