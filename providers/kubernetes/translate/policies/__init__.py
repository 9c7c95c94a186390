"""Policies of all kinds that are evaluated; each kind of API has a module that says which objects it reads.

What stands in none of them, and decides what passes, is bounded by ``unevaluated``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.policies import (
    admin,
    antrea,
    calico,
    cilium,
    consul,
    istio,
    linkerd,
    network,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["EVALUATORS", "READ_KINDS"]

EVALUATORS: Final[tuple[Callable[[Sequence[Object], Draft], None], ...]] = (
    network.add_policies,
    admin.add,
    antrea.add,
    cilium.add,
    calico.add,
    istio.add,
    linkerd.add,
    consul.add,
)
"""What adds the lists of a cluster, in this order: later ones may look at what earlier ones added."""

READ_KINDS: Final[frozenset[tuple[str, str]]] = frozenset[tuple[str, str]]().union(
    network.READS,
    admin.READS,
    antrea.READS,
    cilium.READS,
    calico.READS,
    istio.READS,
    linkerd.READS,
    consul.READS,
)
"""The API groups and kinds that are evaluated."""
