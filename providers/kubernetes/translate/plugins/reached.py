"""On which nodes the daemons of a network plugin run: on the others nobody enforces policies.

A DaemonSet runs on the nodes that its ``nodeSelector``, affinity and tolerations leave it, and its status counts those.
Where its pods and the nodes were read they tell which nodes these are; without a status, nodes on which it cannot run
are without it. Sources:
https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ and
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/#DaemonSetStatus
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.plugins.daemons import marks_of, owning_set
from cloudseg.providers.kubernetes.translate.plugins.scheduling import may_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.daemons import Daemon

__all__ = ["Unreached", "unreached"]


class Unreached(NamedTuple):
    """Nodes on which no daemon of a network plugin is ready.

    Attributes:
        number: how many nodes.
        of: of how many.
        names: which ones; nothing where that is not known.
        words: what told so, for people.
    """

    number: int
    of: int
    names: frozenset[str]
    words: str

    @property
    def counted(self) -> str:
        """How many nodes of how many: ``1 of 3 nodes``."""
        return f"{self.number:,} of {self.of:,} node{'' if self.of == 1 else 's'}"


def unreached(objects: Sequence[Object], daemons: Iterable[Daemon]) -> Unreached | None:
    """Return the nodes that daemons do not reach; None where they reach all, as far as anything tells.

    Args:
        objects: the objects of the cluster.
        daemons: the daemons of one network plugin, which may share the nodes among them. Those for Windows count apart.
    """
    own = [daemon for daemon in daemons if not daemon.windows]
    counts = [daemon.counts for daemon in own if daemon.counts is not None]
    if not own:
        return None
    if len(counts) < len(own):
        return _shut_out(objects, own)
    nodes = {item.name for item in objects if _is_reachable(item)}
    ready = sum(each.ready for each in counts)
    of = max(len(nodes), sum(each.desired for each in counts))
    if ready >= of:
        return None
    reached = set(_reached(objects, {(daemon.place, daemon.name) for daemon in own}))
    # The names count only where they are all there.
    known = len(nodes) == of and len(reached) == ready and reached <= nodes
    where = " and ".join(daemon.words for daemon in own)
    words = f"{where} {'is' if len(own) == 1 else 'are'} ready on {ready:,} of {of:,} nodes"
    return Unreached(of - ready, of, frozenset(nodes - reached) if known else frozenset(), words)


def _shut_out(objects: Sequence[Object], own: Sequence[Daemon]) -> Unreached | None:
    """Return the nodes on which none of some daemons may run, nor does; None where there are none."""
    nodes = [item for item in objects if _is_reachable(item)]
    shut = {
        node.name for node in nodes if not any(each.spec is None or may_run(each.spec, node) for each in own)
    } - set(_reached(objects, {(daemon.place, daemon.name) for daemon in own}))
    if not shut:
        return None
    where = " and ".join(daemon.words for daemon in own)
    ways = "by nodeSelector, affinity and tolerations"
    words = f"{where} may run on {len(nodes) - len(shut):,} of {len(nodes):,} nodes alone, {ways}"
    # Where none is left it is not only about pods whose nodes are known.
    return Unreached(len(shut), len(nodes), frozenset(shut) if len(shut) < len(nodes) else frozenset(), words)


def _is_reachable(item: Object) -> bool:
    """Tell whether it is a node on which the daemons of a plugin should run, as all on machines with Linux.

    Nodes of Fargate and virtual ones run no daemons, those of EKS Auto Mode have a plugin of their own.
    """
    if item.kind != "Node" or item.group or not item.name:
        return False
    marks = marks_of(item)
    alone = marks.get("eks.amazonaws.com/compute-type") in ("fargate", "auto") or marks.get("type") == "virtual-kubelet"
    return not alone and marks.get("kubernetes.io/os") != "windows"


def _reached(objects: Iterable[Object], own: set[tuple[str, str]]) -> Iterator[str]:
    """Yield the nodes on which a pod of some daemon sets is ready."""
    for item in objects:
        if (owner := owning_set(item)) and (item.place, owner) in own:
            node = item.part("spec").get("nodeName")
            if isinstance(node, str) and _is_ready(item):
                yield node


def _is_ready(item: Object) -> bool:
    given = item.part("status").get("conditions")
    conditions = [fields_of(each) for each in cast("list[object]", given)] if isinstance(given, list) else []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
