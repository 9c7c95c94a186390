"""What tags and labels tell of an interface: its application, its tier, its environment; and where they are silent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.model import Estate, Interface, Resource

__all__ = ["DEFAULT_LABELS", "LabelShare", "Labels", "label_shares", "labels_of", "owner_of", "owner_unread", "tags_of"]

DEFAULT_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "application": (
        "application",
        "Application",
        "app.kubernetes.io/part-of",
        "app",
        "App",
        "service",
        "Service",
        "app.kubernetes.io/name",
    ),
    "tier": ("tier", "Tier", "role", "Role", "component", "Component", "app.kubernetes.io/component"),
    "environment": ("environment", "Environment", "env", "Env", "stage", "Stage"),
}
"""Tag keys that mean application, tier and environment, unless ``[labels]`` names others; the first that is there."""

_MEANINGS: Final = ("application", "tier", "environment")
_EXAMPLES: Final = 3


class Labels(NamedTuple):
    """What an interface is part of, as its tags and labels say; None where they say nothing."""

    application: str | None = None
    tier: str | None = None
    environment: str | None = None


class LabelShare(msgspec.Struct, frozen=True):
    """How many workloads show no tag of one meaning. Interfaces that belong to no workload count as one each.

    Attributes:
        meaning: ``application``, ``tier`` or ``environment``.
        keys: the tag keys that mean it.
        total: how many workloads there are.
        without: how many of them show none of the keys.
        unread: how many of ``without`` may bear one after all, because what owns the interface was not read.
        kinds: how many of ``without`` are of which kind, most of them first.
        examples: qualified ids of the first few of ``without``.
    """

    meaning: str
    keys: tuple[str, ...]
    total: int
    without: int
    unread: int = 0
    kinds: tuple[tuple[str, int], ...] = ()
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the share in words: ``2 of 8 workloads (25 %) show no tier tag (tier, role): 2 load-balancer``."""
        if not self.total:
            return f"there are no workloads that could bear a tag for {self.meaning}"
        keys = ", ".join(self.keys) or "no key means it"
        if not self.without:
            return f"all {self.total} workloads show their {self.meaning} ({keys})"
        percent = max(1, min(99, round(100 * self.without / self.total))) if self.without < self.total else 100
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds)
        unread = f"; for {self.unread} of them what owns the interface was not read" if self.unread else ""
        return (
            f"{self.without} of {self.total} workloads ({percent} %) show no {self.meaning} ({keys}): {kinds}{unread}"
        )


def owner_unread(estate: Estate, interface: Interface) -> bool:
    """Tell whether an interface may have an owner, with tags and a name, that was not read."""
    if owner_of(estate, interface) is not None:
        return False
    return interface.workload is not None or not estate.read("workloads", interface)


def owner_of(estate: Estate, interface: Interface) -> Resource | None:
    """Return what owns an interface, as far as it was read: a workload or a service, else what stands in its place."""
    owner = estate.owner_of(interface)
    if owner is not None or interface.workload is None:
        return owner
    name = interface.workload
    return estate.endpoints.get(name) or estate.endpoint_services.get(name) or estate.firewalls.get(name)


def tags_of(estate: Estate, interface: Interface) -> Mapping[str, str]:
    """Return the tags of an interface with those of its workload; where both bear a key, its own value counts."""
    owner = owner_of(estate, interface)
    if owner is None or not owner.tags:
        return interface.tags
    return {**owner.tags, **interface.tags} if interface.tags else owner.tags


def labels_of(estate: Estate, interface: Interface, labels: Mapping[str, Sequence[str]] = DEFAULT_LABELS) -> Labels:
    """Return what the tags of an interface and its workload, and its labels, say about it.

    Args:
        estate: what the interface belongs to.
        interface: one of its interfaces.
        labels: for ``application``, ``tier`` and ``environment`` the keys that mean it; the first that is there and
            not empty counts.
    """
    tagged = _read(tags_of(estate, interface), labels)
    if not interface.labels:
        return tagged
    # What a pod says of itself counts before what its namespace says, which is among its tags alone.
    own = _read(interface.labels, labels)
    return Labels(*(mine if mine is not None else other for mine, other in zip(own, tagged, strict=True)))


def label_shares(
    estate: Estate,
    labels: Mapping[str, Sequence[str]] = DEFAULT_LABELS,
    shown: Mapping[str, Labels] | None = None,
) -> tuple[LabelShare, ...]:
    """Return for application, tier and environment how many workloads show no such tag.

    A workload is what owns interfaces, or an interface of the user's own that nothing owns. Interfaces that the cloud
    keeps for itself, of gateways and endpoints, are none.

    Args:
        estate: what was read.
        labels: the keys that mean application, tier and environment.
        shown: what :func:`labels_of` says of every interface by these keys, where that is known already.
    """
    if shown is None:
        shown = {name: labels_of(estate, interface, labels) for name, interface in estate.interfaces.items()}
    units = tuple(_units(estate, labels, shown))
    return tuple(
        _share(meaning, tuple(labels.get(meaning, ())), position, units) for position, meaning in enumerate(_MEANINGS)
    )


class _Unit(NamedTuple):
    id: str
    kind: str
    labels: Labels
    unread: bool


def _units(estate: Estate, labels: Mapping[str, Sequence[str]], labelled: Mapping[str, Labels]) -> Iterator[_Unit]:
    owners = {name: estate.workloads[name] for name in sorted(estate.workloads)}
    services = {name: estate.services[name] for name in sorted(estate.services) if estate.interfaces_of(name)}
    for name, owner in (*owners.items(), *services.items()):
        interfaces = estate.interfaces_of(name)
        if not interfaces and name in owners and not owners[name].running:
            continue
        shown = [_read(owner.tags, labels), *(labelled[interface.id] for interface in interfaces)]
        first = Labels(
            *(next((value for value in values if value is not None), None) for values in zip(*shown, strict=True))
        )
        yield _Unit(name, owner.kind, first, unread=False)
    for name in sorted(estate.interfaces):
        interface = estate.interfaces[name]
        if owner_of(estate, interface) is None and (interface.workload is not None or not interface.managed_by):
            unread = owner_unread(estate, interface)
            yield _Unit(name, interface.kind, labelled[name], unread)


def _share(meaning: str, keys: tuple[str, ...], position: int, units: Sequence[_Unit]) -> LabelShare:
    without = [unit for unit in units if unit.labels[position] is None]
    kinds = Counter(unit.kind for unit in without)
    return LabelShare(
        meaning=meaning,
        keys=keys,
        total=len(units),
        without=len(without),
        unread=sum(unit.unread for unit in without),
        kinds=tuple(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))),
        examples=tuple(unit.id for unit in without[:_EXAMPLES]),
    )


def _read(texts: Mapping[str, str], labels: Mapping[str, Sequence[str]]) -> Labels:
    return Labels(*[_first(texts, labels.get(meaning, ())) for meaning in _MEANINGS]) if texts else Labels()


def _first(texts: Mapping[str, str], keys: Sequence[str]) -> str | None:
    # Every interface is asked for some twenty keys, several times in an audit. The first text that is not empty counts.
    return next(filter(None, map(texts.get, keys)), None)
