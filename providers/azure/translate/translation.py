"""The whole translation: every subject in order, each over all subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.answers import parts_by_place
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.providers.azure.translate.admin_rules import add_admin_rules, place_admin_rules
from cloudseg.providers.azure.translate.answers import Answers
from cloudseg.providers.azure.translate.application_gateways import add_application_gateways
from cloudseg.providers.azure.translate.application_listeners import open_frontends
from cloudseg.providers.azure.translate.bastions import add_bastions
from cloudseg.providers.azure.translate.cluster_networks import add_cluster_networks
from cloudseg.providers.azure.translate.coverage import coverage_of, not_used, scopes_of, unread
from cloudseg.providers.azure.translate.draft import Draft
from cloudseg.providers.azure.translate.endpoints import add_endpoint_services, add_endpoints, join_endpoints
from cloudseg.providers.azure.translate.firewall_rules import add_firewall_policies
from cloudseg.providers.azure.translate.firewalls import add_firewalls, add_inbound_rules, join_firewalls
from cloudseg.providers.azure.translate.flow_logs import add_flow_logs
from cloudseg.providers.azure.translate.gateways import (
    add_connections,
    add_gateways,
    add_internet,
    add_nat_gateways,
    join_on_premises,
)
from cloudseg.providers.azure.translate.groups import add_groups, place_groups
from cloudseg.providers.azure.translate.hub_routes import join_hubs
from cloudseg.providers.azure.translate.hubs import add_hubs
from cloudseg.providers.azure.translate.interfaces import add_interfaces
from cloudseg.providers.azure.translate.load_balancers import add_load_balancers, join_load_balancers
from cloudseg.providers.azure.translate.networks import add_networks, join_peerings
from cloudseg.providers.azure.translate.nsgs import add_nsgs, place_nsgs
from cloudseg.providers.azure.translate.outgoing import lend_addresses
from cloudseg.providers.azure.translate.perimeters import add_perimeters
from cloudseg.providers.azure.translate.pipeline import VNET
from cloudseg.providers.azure.translate.platform import add_platform, close_public_addresses
from cloudseg.providers.azure.translate.private_ends import set_apart
from cloudseg.providers.azure.translate.public_addresses import add_public_addresses
from cloudseg.providers.azure.translate.required_rules import keep_required_rules
from cloudseg.providers.azure.translate.routes import add_routes
from cloudseg.providers.azure.translate.scale_sets import add_scale_set_models
from cloudseg.providers.azure.translate.service_tags import add_service_tags
from cloudseg.providers.azure.translate.services import add_services
from cloudseg.providers.azure.translate.tunnels import add_tunnel_ends, add_tunnels
from cloudseg.providers.azure.translate.user_routes import add_user_routes
from cloudseg.providers.azure.translate.virtual_network import add_virtual_networks
from cloudseg.providers.azure.translate.workloads import add_workloads, name_workloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.model import Estate
    from cloudseg.snapshot import Snapshot

__all__ = ["translate"]

# What is listed, first: later ones look up what earlier ones found in other subscriptions.
_SUBJECTS: tuple[Callable[[Answers, Draft], None], ...] = (
    add_networks,
    add_public_addresses,
    add_groups,
    add_nsgs,
    add_interfaces,
    add_workloads,
    add_load_balancers,
    add_application_gateways,
    add_bastions,
    add_scale_set_models,
    add_service_tags,
    add_nat_gateways,
    add_gateways,
    add_connections,
    add_tunnel_ends,
    add_tunnels,
    add_user_routes,
    add_admin_rules,
    add_firewall_policies,
    add_firewalls,
    add_hubs,
    add_endpoints,
    add_endpoint_services,
    add_services,
    add_cluster_networks,
    add_perimeters,
    add_flow_logs,
)

# What follows from all of it, each over the whole estate.
_JOINTS: tuple[Callable[[Draft], None], ...] = (
    join_peerings,
    place_groups,
    add_internet,
    join_hubs,
    join_on_premises,
    add_virtual_networks,
    name_workloads,
    join_load_balancers,
    lend_addresses,
    close_public_addresses,
    place_nsgs,
    keep_required_rules,
    open_frontends,
    place_admin_rules,
    add_platform,
    join_firewalls,
    add_inbound_rules,
    set_apart,
    add_routes,
    join_endpoints,
)


def translate(snapshot: Snapshot) -> Estate:
    """Return the estate that the Azure answers of a snapshot describe.

    The function is total: whatever JSON an answer holds, what cannot be understood becomes a gap that names its file,
    its resource and its field, and a rule that cannot be read in full stands for the most that it can match.

    Raises:
        SnapshotError: a file of the snapshot is no JSON.
    """
    draft = Draft()
    draft.ledger.gaps += unread(snapshot)
    scopes = scopes_of(snapshot)
    parts = parts_by_place(snapshot, PROVIDER)
    every = [Answers(snapshot, *place, found, draft.ledger) for place, found in sorted(parts.items())]
    coverage = coverage_of(snapshot, scopes, draft.ledger.gaps)
    draft.unread_gateways |= {each.scope for each in coverage.places("gateways") if each.state != "read"}
    for add_subject in _SUBJECTS:
        for answers in every:
            add_subject(answers, draft)
    for join in _JOINTS:
        join(draft)
    coverage = coverage_of(snapshot, scopes, draft.ledger.gaps)
    draft.ledger.notes += not_used(snapshot, draft.ledger.asked)
    return draft.estate_of(snapshot, PROVIDER, {VNET.name: VNET}, coverage)
