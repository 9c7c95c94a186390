"""Which of several projects an answer of the asset inventory is about."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cloudseg.providers.gcp.assets import owners_of
from cloudseg.providers.gcp.session import Project
from cloudseg.providers.gcp.subjects import Resource

__all__ = ["Shares", "encloses"]


class Shares:
    """Which of the projects that were asked about together an asset concerns: its own, or all that are below it."""

    def __init__(self, parent: str, members: Sequence[Project]) -> None:
        self._below: defaultdict[str, list[Project]] = defaultdict(list)
        self._only = tuple(members) if parent.startswith("projects/") else ()
        for project in members:
            for owner in project.ancestors:
                self._below[owner].append(project)

    def of(self, asset: Resource) -> Iterable[Project]:
        """Return them."""
        return self._only or self._below.get(next(iter(owners_of(asset)), ""), ())


def encloses(perimeter: Resource, project: Project) -> bool:
    """Tell whether a perimeter, as enforced or as in its dry run, names a project or one of its networks.

    Source: https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.servicePerimeters
    """
    for key in ("status", "spec"):
        state = perimeter.get(key)
        named = state.get("resources") if isinstance(state, dict) else None
        for resource in named if isinstance(named, list) else []:
            if resource == f"projects/{project.number}" or f"/projects/{project.id}/" in str(resource):
                return True
    return not project.number
