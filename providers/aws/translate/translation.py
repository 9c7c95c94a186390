"""The whole translation: every subject in order, each over all accounts and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.answers import parts_by_place
from cloudseg.providers.aws.translate.acls import add_acls, add_default_acl_subnets
from cloudseg.providers.aws.translate.answers import PROVIDER, Answers
from cloudseg.providers.aws.translate.balancer_entrances import drop_closed
from cloudseg.providers.aws.translate.coverage import coverage_of, not_used, places_of, unread
from cloudseg.providers.aws.translate.draft import Draft
from cloudseg.providers.aws.translate.endpoint_services import add_endpoint_services
from cloudseg.providers.aws.translate.endpoints import add_endpoints, add_instance_connect_endpoints
from cloudseg.providers.aws.translate.entrances import add_entrances, link_entrances
from cloudseg.providers.aws.translate.firewalls import add_firewalls
from cloudseg.providers.aws.translate.flow_logs import add_flow_logs
from cloudseg.providers.aws.translate.gateways import add_gateways, add_peerings
from cloudseg.providers.aws.translate.groups import add_groups
from cloudseg.providers.aws.translate.interfaces import add_addresses, add_interfaces
from cloudseg.providers.aws.translate.lattice import add_lattice_associations, add_lattice_targets
from cloudseg.providers.aws.translate.load_balancers import add_load_balancers
from cloudseg.providers.aws.translate.networks import add_networks, add_subnets, report_shared
from cloudseg.providers.aws.translate.pipeline import VPC
from cloudseg.providers.aws.translate.prefix_lists import add_prefix_lists, report_unread_lists
from cloudseg.providers.aws.translate.references import report_unlisted
from cloudseg.providers.aws.translate.routes import add_routes
from cloudseg.providers.aws.translate.services import add_services
from cloudseg.providers.aws.translate.target_groups import add_target_groups
from cloudseg.providers.aws.translate.templates import add_templates
from cloudseg.providers.aws.translate.transit import add_transit_attachments, add_transit_gateways, add_transit_tables
from cloudseg.providers.aws.translate.unlisted_balancers import add_unlisted_balancers
from cloudseg.providers.aws.translate.vpns import add_private_gateways
from cloudseg.providers.aws.translate.workloads import add_workloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.model import Estate
    from cloudseg.snapshot import Snapshot

__all__ = ["translate"]

# What is named by its own id alone is looked up among what came before: networks first, routes after what they lead to.
_SUBJECTS: tuple[Callable[[Answers, Draft], None], ...] = (
    add_networks,
    add_subnets,
    add_gateways,
    add_private_gateways,
    add_peerings,
    add_transit_gateways,
    add_prefix_lists,
    add_groups,
    add_acls,
    add_interfaces,
    add_workloads,
    add_addresses,
    add_load_balancers,
    add_unlisted_balancers,
    add_target_groups,
    add_transit_attachments,
    add_transit_tables,
    add_endpoints,
    add_instance_connect_endpoints,
    add_lattice_associations,
    add_lattice_targets,
    add_endpoint_services,
    add_firewalls,
    add_routes,
    add_services,
    add_templates,
    add_flow_logs,
    add_entrances,
)


def translate(snapshot: Snapshot) -> Estate:
    """Return the estate that the AWS answers of a snapshot describe.

    The function is total: whatever JSON an answer holds, what cannot be understood becomes a gap that names its file,
    its resource and its field, and a rule that cannot be read in full stands for the most that it can match.

    Raises:
        SnapshotError: a file of the snapshot is no JSON.
    """
    draft = Draft()
    draft.ledger.gaps += unread(snapshot)
    places = places_of(snapshot)
    parts = parts_by_place(snapshot, PROVIDER)
    every = [Answers(snapshot, *place, parts.get(place, []), draft.ledger) for place in places]
    for add_subject in _SUBJECTS:
        for answers in every:
            add_subject(answers, draft)
    link_entrances(draft)
    drop_closed(draft)
    report_unlisted(every, draft)
    report_unread_lists(every, draft)
    report_shared(draft, places)
    coverage = coverage_of(snapshot, places, draft.ledger.gaps)
    add_default_acl_subnets(draft, coverage)
    draft.ledger.notes += not_used(snapshot, draft.ledger.asked)
    return draft.estate_of(snapshot, PROVIDER, {VPC.name: VPC}, coverage)
