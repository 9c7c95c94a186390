"""What one daemon tells of the network plugin of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.providers.kubernetes.translate.plugins.plugin import ADMIN_GROUP, POLICY_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import RangeMeaning
    from cloudseg.providers.kubernetes.translate.plugins.daemons import Container
    from cloudseg.providers.kubernetes.translate.plugins.reached import Unreached

__all__ = ["ADMIN", "V1", "Claim", "Surroundings", "image_words"]

V1: Final = frozenset((POLICY_GROUP,))
"""NetworkPolicy v1 and nothing else."""

ADMIN: Final = frozenset((ADMIN_GROUP,))
"""The admin policies, which plugins came to understand release by release."""


class Surroundings(NamedTuple):
    """What tells how a daemon is set, beside the daemon itself.

    Attributes:
        settings: the data of the config maps that were read, by namespace and name.
        kinds: the API groups and kinds of all objects.
        networks: the values of ``pluginName`` of OpenShift's cluster networks.
        set_by_node: what is set for some nodes only, by the names of Cilium's settings.
    """

    settings: Mapping[tuple[str, str], Mapping[str, str]]
    kinds: frozenset[tuple[str, str]]
    networks: tuple[str, ...] = ()
    set_by_node: frozenset[str] = frozenset()


class Claim(NamedTuple):
    """What one daemon tells: the attributes mean what they mean in ``Plugin``."""

    plugin: str
    evidence: str
    ranges: RangeMeaning = "unknown"
    groups: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()
    enforces: bool | None = None
    doubt: str = ""
    closed: bool = False
    bare: bool = True
    windows: bool = False
    unreached: Unreached | None = None


def image_words(container: Container) -> str:
    """Return the image of a container, for people; empty where none is named."""
    if not container.image:
        return ""
    return f", image {container.image}{':' if container.tag else ''}{container.tag}"
