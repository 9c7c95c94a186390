"""Which network plugin runs in a cluster, by the objects that were read of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.providers.kubernetes.kinds import decides_traffic
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.plugins.claim import V1, Claim, Surroundings
from cloudseg.providers.kubernetes.translate.plugins.daemons import daemons, is_running, marks_of
from cloudseg.providers.kubernetes.translate.plugins.elsewhere import auto_mode, k3s, managed, operators
from cloudseg.providers.kubernetes.translate.plugins.plugin import (
    ALL_GROUPS,
    ANTREA_GROUP,
    CALICO_GROUPS,
    CILIUM_GROUP,
    Plugin,
)
from cloudseg.providers.kubernetes.translate.plugins.reached import unreached
from cloudseg.providers.kubernetes.translate.plugins.recognised import claims

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import RangeMeaning
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.daemons import Daemon
    from cloudseg.providers.managed_clusters import ManagedCluster

__all__ = ["detect"]

_TELLING: Final = ("daemonsets", "nodes")
"""The lists of a cluster that runs which tell its network plugin. Manifests lack objects, but never a list."""
_DAEMONS: Final = frozenset(("daemonsets", "pods"))
"""The lists of which one is enough to show every daemon."""
_SYSTEM: Final = "kube-system"
_HINTS: Final = {
    "projectcalico.org/": "Calico",
    "network.cilium.io/": "Cilium",
    "io.cilium.network.": "Cilium",
    "kubernetes.azure.com/ebpf-dataplane": "Cilium",
    "node.antrea.io/": "Antrea",
    "flannel.alpha.coreos.com/": "Flannel",
    "k8s.ovn.org/": "OVN-Kubernetes",
}
"""How annotations and labels begin that network plugins put on nodes; they stay when the plugin goes."""

_HINTED_RANGES: Final[dict[str, RangeMeaning]] = {"Cilium": "outside", "Calico": "everywhere"}
_GROUP_HINTS: Final = dict.fromkeys(CALICO_GROUPS, "Calico") | {CILIUM_GROUP: "Cilium", ANTREA_GROUP: "Antrea"}


def detect(
    objects: Sequence[Object],
    unlisted: Mapping[str, str] = MappingProxyType({}),
    clusters: Sequence[ManagedCluster] = (),
) -> Plugin:
    """Return the network plugin of a cluster, as far as its objects tell.

    Of several the one that enforces policies counts: the others make the network, and it filters. Where daemons of a
    cluster that runs were read and none is known, or where they could not be read, it is not known whether policies are
    enforced. Where nothing tells and nothing is missing, as for the manifests of an application, it is assumed.

    Args:
        objects: the objects that were read.
        unlisted: the lists of a cluster that runs which were not read in full, by the plurals of their kinds, in words.
        clusters: the clusters that clouds say they run; what one says counts where no daemon is known to enforce.
    """
    around = Surroundings(
        {(item.place, item.name): _settings(item) for item in objects if item.kind == "ConfigMap" and not item.group},
        frozenset((item.group, item.kind) for item in objects),
        tuple(sorted({str(i.content.get("pluginName")) for i in objects if i.kind == "ClusterNetwork"})),
        frozenset(
            key
            for item in objects
            if (item.group, item.kind) == (CILIUM_GROUP, "CiliumNodeConfig")
            for key in fields_of(item.part("spec").get("defaults"))
        ),
    )
    found = [*_by_plugin(objects, around), *operators(objects)]
    if not any(claim.enforces for claim in found):
        found += [*k3s(objects), *auto_mode(objects, around), *managed(objects, clusters)]
    unread = " and ".join(unlisted[each] for each in _TELLING if each in unlisted)
    if found:
        plugin = _together(found)
        if plugin.enforces is False and unlisted.keys() >= _DAEMONS:
            doubt = f"{plugin.name} enforces none itself, and {unread} were not read in full: another plugin may"
            return plugin._replace(enforces=None, ranges="unknown", groups=None, doubt=doubt)
        return plugin
    hints = _hints(objects)
    hinted = f"; {hints}" if hints else ""
    system = [item for item in objects if item.place == _SYSTEM and is_running(item)]
    read = sorted(
        {item.name for item in system if item.kind == "DaemonSet"} or {i.name for i in system if i.kind == "Pod"}
    )
    if read:
        shown = f"{', '.join(read[:5])}{', …' if len(read) > 5 else ''}"
        return Plugin(doubt=f"no network plugin is known among the daemons of {_SYSTEM} ({shown}){hinted}")
    if unread:
        return Plugin(doubt=f"no daemon of a network plugin was read, and {unread} were not read in full{hinted}")
    if hints == _hint("Flannel"):
        return Plugin(doubt=f"no daemon of a network plugin was read{hinted}, which enforces no policies itself")
    rivals = frozenset(item.group for item in objects if decides_traffic(item.group, item.kind)) & _GROUP_HINTS.keys()
    if len({_GROUP_HINTS[group] for group in rivals}) > 1:
        # Only one of their plugins can be the one that runs: the others' policies mean nothing there.
        return Plugin(enforces=True, groups=ALL_GROUPS - rivals, doubtful=rivals, assumed=True, doubt=hints)
    # Policies of a plugin's own kind are written for clusters in which it runs.
    ranges: list[RangeMeaning] = [meaning for name, meaning in _HINTED_RANGES.items() if hints == _hint(name)]
    return Plugin(enforces=True, assumed=True, doubt=hints, ranges=ranges[0] if ranges else "unknown")


def _by_plugin(objects: Sequence[Object], around: Surroundings) -> Iterator[Claim]:
    """Yield one claim for each plugin: its daemons for other machines, or its pods, say the same as a rule."""
    same: dict[str, list[Claim]] = {}
    of_it: dict[str, list[Daemon]] = {}
    for daemon in daemons(objects):
        for claim in claims(daemon, around):
            same.setdefault(claim.plugin, []).append(claim)
            of_it.setdefault(claim.plugin, []).append(daemon)
    for name, all_of_it in same.items():
        on_linux = [claim for claim in all_of_it if not claim.windows] or all_of_it
        first = on_linux[0]._replace(windows=any(claim.windows and claim.enforces for claim in all_of_it))
        if len({(claim.enforces, claim.closed) for claim in on_linux}) > 1:
            places = " and ".join(claim.evidence for claim in on_linux)
            first = first._replace(enforces=None, doubt=f"daemons of {name} are set in different ways: {places}")
        yield first if first.enforces is False else _where_it_runs(first, objects, of_it[name])


def _where_it_runs(claim: Claim, objects: Sequence[Object], own: Sequence[Daemon]) -> Claim:
    """Return a claim with the nodes that its daemons do not reach; where these are not known, they may be any."""
    missing = unreached(objects, own)
    if missing is None:
        return claim
    if missing.names:
        return claim._replace(unreached=missing)
    doubt = "; ".join(filter(None, (claim.doubt, f"{missing.words}, and which these are is not known")))
    return claim._replace(unreached=missing, enforces=None, doubt=doubt)


class _Kinds(NamedTuple):
    """Claims by whether their plugin enforces policies."""

    certain: list[Claim]
    maybe: list[Claim]
    without: list[Claim]


def _together(found: Sequence[Claim]) -> Plugin:
    kinds = _Kinds([], [], [])
    for claim in found:
        (kinds.without if claim.enforces is False else kinds.certain if claim.enforces else kinds.maybe).append(claim)
    active = [*kinds.certain, *kinds.maybe]
    name = " and ".join(claim.plugin for claim in active)
    beside = " and ".join(claim.plugin for claim in kinds.without)
    evidence = tuple(claim.evidence for claim in (*active, *kinds.without))
    if not active:
        own = [claim for claim in found if claim.groups]
        return Plugin(
            beside,
            enforces=False,
            ranges=_ranges(own),
            groups=frozenset[str]().union(*(claim.groups for claim in own)) - V1,
            doubtful=frozenset[str]().union(*(claim.doubtful for claim in own)),
            evidence=evidence,
            closed=any(claim.closed for claim in own),
        )
    every = frozenset[str]().union(*(claim.groups | claim.doubtful for claim in active))
    # Of several that enforce policies one may be a remnant of another time: only what all understand is understood.
    common = frozenset(group for group in every if all(group in claim.groups for claim in active))
    doubts = [claim.doubt for claim in active if claim.doubt]
    if len(active) > 1:
        doubts.append(f"daemons of {name} were read, and which of them counts is not known")
    return Plugin(
        name=f"{name} beside {beside}" if beside else name,
        enforces=True if kinds.certain else None,
        ranges=_ranges(active),
        groups=common | (V1 if kinds.certain else frozenset()),
        doubtful=every - common - V1,
        evidence=evidence,
        doubt="; ".join(doubts),
        closed=any(claim.closed for claim in active),
        windows=any(claim.windows for claim in active),
        bare=all(claim.bare for claim in active),
        unreached=next((claim.unreached for claim in active if claim.unreached), None),
    )


def _ranges(active: Sequence[Claim]) -> RangeMeaning:
    first = next(iter(active), None)
    alike = first is not None and all(claim.ranges == first.ranges for claim in active)
    return first.ranges if first is not None and alike else "unknown"


def _hints(objects: Iterable[Object]) -> str:
    """Return what hints at a network plugin, and is no proof that it runs."""
    found: set[str] = set()
    for item in objects:
        if item.kind == "Node" and not item.group:
            found |= {name for key in marks_of(item) for begin, name in _HINTS.items() if key.startswith(begin)}
        elif item.group in _GROUP_HINTS:
            found.add(_GROUP_HINTS[item.group])
        elif item.kind == "CustomResourceDefinition":
            group = item.name.partition(".")[2]
            found |= {_GROUP_HINTS[group]} if group in _GROUP_HINTS else set()
    return _hint(*sorted(found)) if found else ""


def _hint(*names: str) -> str:
    return f"objects and marks of nodes hint at {' and '.join(names)}"


def _settings(item: Object) -> dict[str, str]:
    return {key: value for key, value in item.part("data").items() if isinstance(value, str)}
