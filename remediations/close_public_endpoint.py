"""Close the public endpoint of a managed service, or limit it to the addresses that are known to need it.

What it changes:
    The service's own setting. Where a private way to the service is there (a private endpoint, interfaces in a network,
    the private endpoint of a control plane) its public access is turned off. So is that of buckets and datasets, whose
    owners' callers need no public access. Where there is no private way and the intent names addresses outside, public
    access is limited to these and to the public addresses of one's own machines.

What it proves:
    Nobody gains anything: fewer addresses are admitted than before. No observed conversation with the service's
    interfaces came from outside, and the intent allows none.

What it leaves to people:
    Nearly all use of a public endpoint is in no flow log: the cloud's own trusted services, runners of a build service,
    resolvers and users on premises. So it always needs a review. Where no private way is there and nobody wrote down
    who needs the public one, it says what to do first.

How it is undone:
    The setting is put back. Clients reach the endpoint again at once; names may be cached for some minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cloudseg.findings import Severity
from cloudseg.model import Service
from cloudseg.model.edits import SetPublicAccess
from cloudseg.remediations.closing_examples import EXAMPLES
from cloudseg.remediations.interface import Change, Choice, Proposal, Remedy
from cloudseg.remediations.subjects import advised, subject_of
from cloudseg.segments import INTERNET
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.findings import Finding
    from cloudseg.model import Estate
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Demand
    from cloudseg.remediations.interface import Answer

_ID: Final = "close-public-endpoint"
_STRANGERS: Final = frozenset(("s3", "gcs", "bigquery"))
"""Families of which public access means strangers: callers of the owner's are let in by their permissions. Sources:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html and
https://cloud.google.com/storage/docs/public-access-prevention"""
_LIMITED: Final = frozenset(
    (
        *("eks", "aks", "gke", "sql", "postgresql", "mysql", "cosmosdb", "storage", "keyvault", "containerregistry"),
        *("servicebus", "eventhub", "search", "cognitiveservices", "cloudsql"),
    )
)
"""Families that keep a list of the addresses that they admit."""
_RISKS: Final = (
    "the cloud's own services that reach it as trusted services, such as backups and monitoring, may be cut off",
    "build runners and other hosted tools come from public addresses that no flow log of yours shows",
    "resolvers and users on premises may still be led to the public endpoint: see that its name resolves privately",
)
_WIDE: Final = 1 << 24
"""A segment outside of so many IPv4 addresses names nobody in particular."""
_UNSEEN: Final = "flow logs do not show who uses a public endpoint"


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield the setting that closes or limits a public endpoint, or what people have to do first."""
    service = subject_of(context, finding, Service)
    if service is None:
        yield advised(_ID, finding, "the service is not in the estate any more", ("read the estate again",))
    elif service.public is not True:
        yield advised(_ID, finding, f"whether {service.label} has a public endpoint was not read")
    elif finding.severity is Severity.INFO:
        yield advised(_ID, finding, f"{service.label} is there for the public, and its setting says so")
    elif used := _used_from_outside(context, service):
        steps = ("lead these clients to a private way, or have their use ended, then plan again",)
        yield advised(_ID, finding, f"{service.label} is used from outside, or is meant to be", steps, used)
    else:
        yield _answer(context, finding, service)


def _answer(context: RemedyContext, finding: Finding, service: Service) -> Answer:
    private = _private_way(service, context.estate)
    if private:
        why = f"it stays reachable: {private}"
        return _proposal(finding, service, SetPublicAccess(service.id, public=False, sources=NO_ADDRESSES), why)
    needed = _known_addresses(context)
    limited = needed & service.sources
    if service.service in _LIMITED and limited and not service.sources & GLOBAL_UNICAST <= limited:
        why = "these are the addresses outside that the intent names, and those of your own machines"
        return _proposal(finding, service, SetPublicAccess(service.id, public=True, sources=limited), why)
    steps = (
        "add a private endpoint for it, and see that its name resolves to that",
        "or write the addresses that need it into the intent, as a segment outside",
    )
    return advised(
        _ID, finding, f"no private way leads to {service.label}, so that closing it would cut everybody", steps
    )


def _private_way(service: Service, estate: Estate) -> str:
    """Return by which way a service is reached without its public endpoint, in words; empty for none that is sure."""
    if service.service in _STRANGERS:
        return "its owner's callers are let in by their permissions, and only strangers are shut out"
    endpoints = [each for _, each in sorted(estate.endpoints.items()) if each.service == service.own_id and each.usable]
    if endpoints:
        return f"the private endpoint {endpoints[0].label} leads to it"
    accepted = sorted(each.endpoint for each in service.connections or () if each.state == "accepted")
    if accepted:
        return f"it has accepted the private endpoint {accepted[0]}"
    if service.settings.get("endpointPrivateAccess") == "true":
        return "its private endpoint is on"
    if service.network is not None and any(name in estate.interfaces for name in service.interfaces):
        network = estate.networks.get(service.network)
        return f"it has interfaces in {network.label if network else 'its network'}"
    return ""


def _known_addresses(context: RemedyContext) -> AddressSet:
    """Return the public addresses that are known to be one's own: named outside by the intent, or of own machines."""
    matrix = context.matrix
    if matrix is None:
        return NO_ADDRESSES
    named = NO_ADDRESSES
    for source, _, _ in matrix.pairs():
        outside = matrix.segmentation.outside.get(source, NO_ADDRESSES)
        if source != INTERNET and outside.v4.size < _WIDE:
            named |= outside
    if not named:
        return NO_ADDRESSES
    return named | context.once("own public addresses", lambda: _own_addresses(context.estate))


def _own_addresses(estate: Estate) -> AddressSet:
    found = NO_ADDRESSES
    for interface in estate.interfaces.values():
        found |= interface.public | interface.lent
    return found


def _used_from_outside(context: RemedyContext, service: Service) -> str:
    """Return who uses the interfaces of a service from outside, or may by the intent; empty for nobody."""
    if not service.interfaces:
        return ""
    return _seen(context.demand, service) or _intended(context, service)


def _seen(demand: Demand, service: Service) -> str:
    own = [number for number, end in enumerate(demand.ends) if end.interface in service.interfaces]
    if not own or not len(demand):
        return ""
    foreign = np.array([end.kind == "outside" for end in demand.ends], dtype=np.bool_)
    places = np.flatnonzero(np.isin(demand.targets, np.array(own)) & foreign[demand.sources])
    if not len(places):
        return ""
    first = int(places[0])
    source, target = demand.ends[int(demand.sources[first])], demand.ends[int(demand.targets[first])]
    return f"{source.address} → {target.address} {demand.traffics[int(demand.kinds[first])]} was observed"


def _intended(context: RemedyContext, service: Service) -> str:
    matrix = context.matrix
    if matrix is None:
        return ""
    segments = matrix.segmentation
    for source, target, traffic in matrix.pairs():
        outside = source == INTERNET or bool(segments.outside.get(source))
        if outside and not service.interfaces.isdisjoint(segments.members.get(target, ())):
            return f"the intent lets {source} open {traffic} to {target}"
    return ""


def _proposal(finding: Finding, service: Service, edit: SetPublicAccess, why: str) -> Proposal:
    does = f"limit the public endpoint of {service.label} to {edit.sources}"
    if not edit.public:
        does = f"close the public endpoint of {service.label}"
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=service.id,
        summary=does,
        changes=(
            Change(
                edits=(edit,),
                phase="remove",
                reason=f"{finding.message}; {why}",
                evidence=(*finding.evidence, _UNSEEN),
                undo=f"turn public access on again for {service.sources}",
            ),
        ),
        risks=_RISKS,
        considered=(
            Choice(
                name="turn public access off",
                chosen=not edit.public,
                reason=why if not edit.public else "no private way",
            ),
        ),
        drops=(f"what reaches {service.label} from {(service.sources - edit.sources) & GLOBAL_UNICAST}",),
    )


REMEDY = Remedy(
    id=_ID,
    answers=("public-endpoint", "public-control-plane"),
    propose=propose,
    examples=EXAMPLES,
    concept={
        "aws": "public settings of databases and buckets, public access of EKS clusters and the addresses it admits",
        "azure": "public network access of managed services and AKS clusters, and the addresses that these admit",
        "gcp": "public access of buckets and datasets, authorized networks of Cloud SQL and GKE",
    },
    absent={"kubernetes": "managed services and control planes belong to the cloud beneath the cluster"},
)
