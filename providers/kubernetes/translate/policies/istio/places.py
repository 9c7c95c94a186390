"""Where policies are enforced, and which clients show their identity there.

A place is a kind of target: pods with a sidecar, ambient ones, those of which it is not known. Only a client that is
part of the mesh shows who it is, and only where mutual TLS is spoken. Between sidecars and ambient pods that depends on
a setting of the sidecars. Behind a waypoint, a ztunnel sees the waypoint's identity. Sources:
https://istio.io/latest/docs/concepts/security/#authentication-architecture,
https://istio.io/latest/docs/ambient/usage/add-workloads/#pods-inside-the-mesh-in-sidecar-mode and
https://istio.io/latest/docs/ambient/usage/l4-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.model import AllOf
from cloudseg.providers.kubernetes.translate.labels import ACCOUNT, in_cluster
from cloudseg.providers.kubernetes.translate.policies.istio.membership import (
    AMBIENT,
    DOUBTFUL,
    PERHAPS,
    SIDECAR,
    WAYPOINT,
)
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, bearing, without

if TYPE_CHECKING:
    from cloudseg.model import Labelled, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft

__all__ = ["IDENTITY", "IN_MESH", "OUTBOUND", "UNCAPTURED", "Place", "members", "places_of"]

IDENTITY: Final = "pod/mesh-identity"
"""The label of a pod that may see other identities than those of its clients; its value says why."""
OUTBOUND: Final = "pod/mesh-outbound"
"""The label of a pod of whose own connections some go past its proxy."""
UNCAPTURED: Final = "pod/mesh-uncaptured"
"""The label of a pod of whose ports some go past its proxy; its value names them."""
IN_MESH: Final = bearing(MESH, SIDECAR, AMBIENT, PERHAPS)

_WORDS: Final = {SIDECAR: "with sidecars", AMBIENT: "behind ztunnels", PERHAPS: "perhaps of the mesh"}
_SEEN: Final = {DOUBTFUL: ", reached with and without mutual TLS", WAYPOINT: ", reached by waypoints"}


class Place(NamedTuple):
    """A kind of target.

    Attributes:
        words: it in words.
        parts: what is required of its pods.
        part: how they are part of the mesh.
        speakers: who surely speaks mutual TLS with them; None for nobody.
        clients: who surely shows an identity of its own there; None for nobody.
        seen: how they see their clients: ``own`` for their own identity.
    """

    words: str
    parts: tuple[Labelled, ...]
    part: Literal["istio-sidecar", "istio-ambient", "istio-perhaps"]
    speakers: Selector | None
    clients: Selector | None
    seen: Literal["own", "doubtful", "waypoint"] = "own"

    @property
    def name(self) -> str:
        """It in words, for the ids of rules."""
        return self.words.replace(",", "").replace(" ", "-")

    @property
    def certain(self) -> bool:
        """Whether its pods surely enforce policies."""
        return self.part != PERHAPS


def members(draft: Draft) -> Selector:
    """Return whoever may be part of the mesh."""
    return AllOf((IN_MESH, in_cluster(draft.cluster)))


def places_of(draft: Draft) -> tuple[Place, ...]:
    """Return the kinds of targets that a cluster has."""
    shown = {
        (labels[MESH], labels.get(IDENTITY, ""))
        for interface in draft.interfaces.values()
        if (labels := interface.labels).get(MESH) in _WORDS
    }
    return tuple(_place(part, seen, draft) for part, seen in sorted(shown))


def _place(part: str, seen: str, draft: Draft) -> Place:
    parts = (bearing(MESH, part), bearing(IDENTITY, seen) if seen else without(IDENTITY))
    speakers = None
    if part != PERHAPS and seen != DOUBTFUL:
        speakers = AllOf((bearing(MESH, part), without(OUTBOUND), bearing(ACCOUNT), in_cluster(draft.cluster)))
    return Place(
        f"{_WORDS[part]}{_SEEN.get(seen, '')}",
        parts,
        SIDECAR if part == SIDECAR else AMBIENT if part == AMBIENT else PERHAPS,
        speakers,
        None if seen else speakers,
        WAYPOINT if seen == WAYPOINT else DOUBTFUL if seen == DOUBTFUL else "own",
    )
