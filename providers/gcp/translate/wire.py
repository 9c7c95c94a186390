"""Parts that many resources of Google Cloud share."""

from __future__ import annotations

import msgspec

from cloudseg.providers.gcp.ids import name_of, own_of, project_of

__all__ = ["CloudResource", "labels_of"]


class CloudResource(msgspec.Struct, kw_only=True, rename="camel"):
    """What most resources have. References are whole links, or their tails."""

    name: str = ""
    self_link: str = ""
    # Values that are no texts are dropped later: they select nothing.
    labels: dict[str, object] | None = None

    def link(self, project: str, place: str = "") -> str:
        """Return the resource's self link; where an answer leaves it out, one made of its name.

        Args:
            project: the project whose answer shows it.
            place: what stands between project and name: ``global/networks``.
        """
        if self.self_link:
            return self.self_link if project_of(self.self_link) else f"projects/{project}/{own_of(self.self_link)}"
        return f"projects/{project}/{place}/{name_of(self.name)}" if place else f"projects/{project}/{self.name}"


def labels_of(resource: CloudResource) -> dict[str, str]:
    """Return the labels of a resource."""
    return {key: value for key, value in (resource.labels or {}).items() if isinstance(value, str)}
