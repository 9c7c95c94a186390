"""The whole translation: every subject in order, each over all projects."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.providers.answers import parts_by_place
from cloudseg.providers.gcp.ids import PROVIDER
from cloudseg.providers.gcp.translate.answers import Answers
from cloudseg.providers.gcp.translate.balancing_parts import add_balancing_parts
from cloudseg.providers.gcp.translate.cluster_networks import add_cluster_networks
from cloudseg.providers.gcp.translate.connectors import add_connectors
from cloudseg.providers.gcp.translate.coverage import coverage_of, not_used, scopes_of, unread
from cloudseg.providers.gcp.translate.draft import Draft
from cloudseg.providers.gcp.translate.endpoint_doors import join_private_endpoints
from cloudseg.providers.gcp.translate.flow_logs import add_flow_logs, add_rule_logs
from cloudseg.providers.gcp.translate.gateways import add_gateways, add_internet, lend_addresses
from cloudseg.providers.gcp.translate.groups import name_sources
from cloudseg.providers.gcp.translate.hubs import add_hubs, join_hubs
from cloudseg.providers.gcp.translate.interfaces import add_instances
from cloudseg.providers.gcp.translate.load_balancers import add_load_balancers, join_serverless
from cloudseg.providers.gcp.translate.network_attachments import add_network_attachments
from cloudseg.providers.gcp.translate.networks import (
    add_networks,
    add_projects,
    add_subnets,
    join_peerings,
    space_networks,
)
from cloudseg.providers.gcp.translate.perimeters import add_perimeters
from cloudseg.providers.gcp.translate.pipeline import pipelines
from cloudseg.providers.gcp.translate.platform import add_platform
from cloudseg.providers.gcp.translate.policies import (
    add_effective_policies,
    add_policies,
    levels_of,
    place_policies,
    systems_of,
)
from cloudseg.providers.gcp.translate.policy_routes import add_policy_routes
from cloudseg.providers.gcp.translate.private_service_connect import add_private_endpoints, add_published_services
from cloudseg.providers.gcp.translate.regional_fronts import doubt_proxies, keep_to_regions
from cloudseg.providers.gcp.translate.routes import place_routes
from cloudseg.providers.gcp.translate.secure_tags import (
    add_address_groups,
    add_secure_tags,
    bind_secure_tags,
    doubt_secure_tags,
)
from cloudseg.providers.gcp.translate.services import add_services
from cloudseg.providers.gcp.translate.tunnels import add_tunnels
from cloudseg.providers.gcp.translate.unread_hosts import gaps_of_hosts
from cloudseg.providers.gcp.translate.vpc_rules import add_vpc_rules, place_vpc_rules
from cloudseg.providers.gcp.translate.written_routes import add_learned_routes, add_peering_routes, add_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.model import Estate
    from cloudseg.snapshot import Part, Snapshot

__all__ = ["translate"]

# What is listed, first: later ones look up what earlier ones found in other projects.
_SUBJECTS: tuple[Callable[[Answers, Draft], None], ...] = (
    add_projects,
    add_networks,
    add_subnets,
    add_secure_tags,
    add_address_groups,
    add_instances,
    add_gateways,
    add_vpc_rules,
    add_flow_logs,
    add_rule_logs,
    add_policies,
    add_effective_policies,
    add_routes,
    add_peering_routes,
    add_learned_routes,
    add_tunnels,
    add_services,
    add_perimeters,
    add_cluster_networks,
    add_hubs,
    add_policy_routes,
    add_connectors,
    add_private_endpoints,
    add_balancing_parts,
    add_load_balancers,
    add_published_services,
    add_network_attachments,
)

# What follows from all of it, each over the whole estate.
_JOINTS: tuple[Callable[[Draft], None], ...] = (
    space_networks,
    join_peerings,
    join_hubs,
    join_private_endpoints,
    keep_to_regions,
    add_internet,
    bind_secure_tags,
    place_vpc_rules,
    join_serverless,
)
_LAST: tuple[Callable[[Draft], None], ...] = (
    doubt_secure_tags,
    name_sources,
    lend_addresses,
    add_platform,
    doubt_proxies,
    place_routes,
)


def translate(snapshot: Snapshot) -> Estate:
    """Return the estate that the Google Cloud answers of a snapshot describe.

    The function is total: whatever JSON an answer holds, what cannot be understood becomes a gap that names its file,
    its resource and its field, and a rule that cannot be read in full stands for the most that it can match.

    Raises:
        SnapshotError: a file of the snapshot is no JSON.
    """
    draft = Draft()
    draft.ledger.gaps += unread(snapshot)
    scopes = scopes_of(snapshot)
    parts: defaultdict[str, list[Part]] = defaultdict(list)
    for (scope, _), found in parts_by_place(snapshot, PROVIDER).items():
        parts[scope] += found
    every = {scope: Answers(snapshot, scope, found, draft.ledger) for scope, found in sorted(parts.items())}
    for add_subject in _SUBJECTS:
        for answers in every.values():
            add_subject(answers, draft)
    for join in _JOINTS:
        join(draft)
    place_policies(every, draft)
    for join in _LAST:
        join(draft)
    draft.ledger.gaps += gaps_of_hosts(draft, scopes)
    coverage = coverage_of(snapshot, scopes, draft.ledger.gaps)
    draft.ledger.notes += not_used(snapshot, draft.ledger.asked)
    return draft.estate_of(snapshot, PROVIDER, pipelines(levels_of(draft), systems_of(draft)), coverage)
