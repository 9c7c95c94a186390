"""Which classes something changed about between two estates, so that an unknown of theirs may be another one.

An unknown that lies between the same bounds before and after is the same variable where nothing around it changed.
Where something did, the bounds do not tell whether traffic was gained, lost or kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from cloudseg.reach.plumbing import only_passes_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from cloudseg.model import Estate
    from cloudseg.reach.pairs.columns import Columns

__all__ = ["touched_classes"]

_SHARED: Final = (
    "pipelines", "networks", "subnets", "route_tables", "gateways", "peerings", "transit_attachments", "transit_tables",
    "entrances", "forwarders", "address_lists", "endpoints", "endpoint_services", "firewalls",
    "coverage",
)  # fmt: skip
"""What may matter on the way between any two interfaces."""

V = TypeVar("V")


def touched_classes(old: Estate, new: Estate, columns: Columns) -> NDArray[np.bool_]:
    """Return for each class whether anything differs that may decide about its traffic; in doubt it does.

    What differs about an interface or the lists that judge it touches its class. What differs about the ways between
    interfaces touches all of them.
    """
    found: NDArray[np.bool_] = np.zeros(len(columns.classes), dtype=np.bool_)
    if _ways_differ(old, new):
        found[:] = True
        return found
    for name in _differing(old.interfaces, new.interfaces):
        found[columns.class_of[name]] = True
    for name in _differing(old.rule_sets, new.rule_sets):
        for estate in (old, new):
            if name in estate.rule_sets:
                for interface in estate.governed(estate.rule_sets[name]):
                    found[columns.class_of[interface.id]] = True
    return found


def _ways_differ(old: Estate, new: Estate) -> bool:
    """Tell whether anything differs that may matter to others than the interfaces it belongs to."""
    if any(getattr(old, name) != getattr(new, name) for name in _SHARED):
        return True
    estates = (old, new)
    for name in _differing(old.groups, new.groups):
        known = [estate.groups[name].selector if name in estate.groups else None for estate in estates]
        # Who newly names a group that came is a list that differs; who named it before did not know its members.
        named = any(name not in estate.groups and estate.references_to(name) for estate in estates)
        if known[0] != known[1] and (None not in known or named):
            return True
    for name in _differing(old.interfaces, new.interfaces):
        known_as = [estate.interfaces[name] for estate in estates if name in estate.interfaces]
        if any(interface.forwards or only_passes_on(interface) for interface in known_as):
            return True
    within = {
        stage.name
        for pipeline in new.pipelines.values()
        for stage in (*pipeline.ingress, *pipeline.egress)
        if stage.at == "interface"
    }
    return any(
        estate.rule_sets[name].stage not in within
        for name in _differing(old.rule_sets, new.rule_sets)
        for estate in estates
        if name in estate.rule_sets
    )


def _differing(old: Mapping[str, V], new: Mapping[str, V]) -> Iterator[str]:
    """Yield the ids of what is not the same in both."""
    for name in old.keys() | new.keys():
        if old.get(name) != new.get(name):
            yield name
