"""Ways in through load balancers that are there at most: by rules that were not read, and by routes of Google's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Entrance, qualified
from cloudseg.providers.gcp.ids import PROVIDER, scope_name
from cloudseg.providers.gcp.translate.fronts import FRONT_ENDS
from cloudseg.providers.gcp.translate.machines import Machines
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["enter_unlisted", "past_routes"]

_UNLISTED: Final = "not all forwarding rules of the project were read"
_BY_ITSELF: Final = "whether Google's own routes take answers to clients, where the network has none, is not told"


def enter_unlisted(answers: Answers, draft: Draft) -> None:
    """Add the ways to all machines of a project of whose forwarding rules not all were read: at most.

    Who asks a machine is one of Google's front ends then, whose own clients may be anybody.
    """
    machines = Machines(draft.interfaces).placed(scope_name(answers.scope), "global")
    if not machines:
        return
    entrance = Entrance(
        id=qualified(PROVIDER, scope_name(answers.scope), "global/forwardingRules"),
        kind="forwarding-rule",
        name="forwarding rules that were not read",
        targets=machines,
        traffic=Traffic.protocol(6),
        clients=FRONT_ENDS,
        active=None,
        doubt=_UNLISTED,
        unlisted=True,
    )
    draft.put(draft.entrances, entrance, answers.scope)


def past_routes(draft: Draft, entrance: Entrance) -> Iterator[Entrance]:
    """Yield an entrance for those clients to whom the routes of its targets lead no answers by the internet gateway.

    Google keeps return paths for load balancers that no table shows. Whether backends that answer clients themselves
    need a route besides is said nowhere, so that they are reached at most. Source:
    https://cloud.google.com/vpc/docs/routes#special_return_paths

    Args:
        draft: holds the routes.
        entrance: one whose targets see its clients.
    """
    own = entrance.addresses
    family = (
        ALL_ADDRESSES if not own else (ALL_IPV4 if own.v4 else NO_ADDRESSES) | (ALL_IPV6 if own.v6 else NO_ADDRESSES)
    )
    for number, network in enumerate(sorted({draft.interfaces[each].network or "" for each in entrance.targets})):
        senders = entrance.senders & family - _answered(draft, network)
        if senders:
            targets = frozenset(each for each in entrance.targets if draft.interfaces[each].network == network)
            yield msgspec.structs.replace(
                entrance,
                id=f"{entrance.id}/past-routes{number or ''}",
                targets=targets,
                clients=senders,
                senders=senders,
                active=None,
                doubt=_BY_ITSELF,
                straight=False,
                addresses=NO_ADDRESSES,
                unlisted=False,
            )


def _answered(draft: Draft, network: str) -> AddressSet:
    """Return to where the routes of a network surely lead answers by its internet gateway."""
    found = elsewhere = NO_ADDRESSES
    for route in draft.routed:
        if route.network == network and route.kind == "internet-gateway" and not route.tags:
            found |= route.destination
        elif route.network == network:
            elsewhere |= route.destination
    return found - elsewhere
