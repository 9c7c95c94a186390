"""Who comes to endpoints of Private Service Connect: nobody to one that is not accepted, and peers perhaps."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import ANYONE, Addresses, Carries, Rule, RuleSet, own_id, qualified, scope_of
from cloudseg.providers.gcp.ids import PROVIDER
from cloudseg.providers.gcp.translate.pipeline import PLATFORM
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.model import Endpoint, Peer
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["join_private_endpoints"]


def join_private_endpoints(draft: Draft) -> None:
    """Tell endpoints what the owner of the service says of them, and close those that lead nowhere.

    Whether peers reach an endpoint is not told for sure. Sources:
    https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints#connection-statuses and
    https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints#limitations
    """
    seen = {
        (service.service, each.owner, each.endpoint): each.state
        for service in draft.endpoint_services.values()
        for each in service.connections
    }
    beside = _neighbours(draft)
    for identifier, endpoint in draft.endpoints.items():
        state = seen.get((endpoint.service, scope_of(identifier), own_id(identifier)))
        known = endpoint
        if state is not None and state != "accepted" and endpoint.usable is not False:
            usable = False if state != "other" else None
            known = msgspec.structs.replace(endpoint, usable=usable, state=endpoint.state or state.upper())
            draft.endpoints[identifier] = known
        _close(draft, known, beside.get(known.network, NO_ADDRESSES))


def _neighbours(draft: Draft) -> dict[str, AddressSet]:
    """Return the addresses of the networks beside each network: its peers, and those of its hubs."""
    found: defaultdict[str, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
    for peering in draft.peerings.values():
        own, other = peering.networks
        if peering.active and other in draft.networks:
            found[own] |= draft.networks[other].addresses
    for network, ranges in draft.hub_ranges.items():
        for each in ranges:
            found[network] |= each.addresses
    return dict(found)


def _close(draft: Draft, endpoint: Endpoint, beside: AddressSet) -> None:
    rules = [
        *([] if endpoint.usable is True else [_closed(endpoint)]),
        *([_rule("beside", (Addresses(beside),), "whether peers reach the endpoint is not told")] if beside else []),
    ]
    if not rules:
        return
    name = qualified(PROVIDER, scope_of(endpoint.id), f"{own_id(endpoint.id)}/door")
    for each in endpoint.interfaces:
        interface = draft.interfaces[each]
        draft.interfaces[each] = msgspec.structs.replace(interface, attached=interface.attached | {name})
    draft.rule_sets[name] = RuleSet(
        id=name,
        kind="platform",
        name=f"who comes to {endpoint.name}",
        region=endpoint.region,
        stage=PLATFORM,
        network=endpoint.network,
        applies=Carries(name),
        rules=tuple(rules),
        is_default=True,
        managed_by="gcp",
        isolates=frozenset(("ingress",)),
    )


def _closed(endpoint: Endpoint) -> Rule:
    return _rule("closed", ANYONE, "" if endpoint.usable is False else "whether the endpoint is accepted was not read")


def _rule(name: str, remote: tuple[Peer, ...], doubt: str) -> Rule:
    return Rule(
        id=name,
        direction="ingress",
        verdict="deny",
        traffic=ALL_TRAFFIC,
        remote=remote,
        priority=0,
        exact=not doubt,
        doubt=doubt,
        fixed=True,
    )
