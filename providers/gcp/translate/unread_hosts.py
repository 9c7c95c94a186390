"""Projects whose networks others use, and that were not read: what that leaves open."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.model import Gap, Reading, scope_of
from cloudseg.providers.gcp.ids import PROVIDER, scope_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["gaps_of_hosts", "readings_of_hosts"]

_WHAT: Final = "compute.networks"
_FACETS: Final = (
    "address-lists", "boundary-rules", "gateways", "groups", "networks", "peerings", "routes", "subnets", "transit",
)  # fmt: skip
_SHOWN: Final = 3


def gaps_of_hosts(draft: Draft, scopes: Collection[str]) -> Iterator[Gap]:
    """Yield a gap for each project that was not read, and in whose networks interfaces of others stand.

    Networks of a Shared VPC, with their subnets, routes, rules and policies, are the host project's. Source:
    https://cloud.google.com/vpc/docs/shared-vpc

    Args:
        draft: holds the interfaces.
        scopes: the projects that were read.
    """
    read = {scope_name(scope) for scope in scopes}
    standing: defaultdict[str, list[str]] = defaultdict(list)
    for identifier, interface in draft.interfaces.items():
        if interface.network is not None and scope_of(interface.network) not in read:
            standing[scope_of(interface.network)].append(identifier)
    for host, interfaces in sorted(standing.items()):
        users = sorted({scope_of(each) for each in interfaces})
        named = ", ".join(users[:_SHOWN]) + (f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else "")
        count = "a network interface" if len(interfaces) == 1 else f"{len(interfaces):,} network interfaces"
        detail = (
            f"{count} of {named} in networks of the project {host}, a Shared VPC's host, which was not read: "
            "their subnets, routes, firewall rules and policies are not known; read this project as well"
        )
        yield Gap(PROVIDER, host, "global", _WHAT, "", "unread", detail, _FACETS)


def readings_of_hosts(gaps: Collection[Gap], scopes: Collection[str]) -> Iterator[Reading]:
    """Yield that nothing of these projects was read."""
    for gap in gaps:
        if gap.what == _WHAT and gap.facets == _FACETS and gap.scope not in scopes:
            for facet in gap.facets:
                yield Reading(PROVIDER, gap.scope, gap.region, facet, "unread", f"{gap.what}: {gap.reason}")
