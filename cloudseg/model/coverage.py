"""What was read of each scope and region, and what was not: the difference between "none" and "unknown"."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

import msgspec

__all__ = ["FACETS", "FACETS_OF", "Coverage", "Facet", "Gap", "GapReason", "Reading", "ReadingState", "ScopeRead"]

_OnAzure = Literal[
    "services.storage",
    "services.sql",
    "services.postgresql",
    "services.mysql",
    "services.cosmosdb",
    "services.keyvault",
    "services.containerregistry",
    "services.aks",
    "services.appservice",
    "services.servicebus",
    "services.eventhub",
    "services.redis",
    "services.search",
    "services.cognitiveservices",
]
_OnGoogleCloud = Literal[
    "services.gke",
    "services.cloudsql",
    "services.alloydb",
    "services.memorystore",
    "services.run",
    "services.functions",
    "services.gcs",
    "services.bigquery",
]
_Anywhere = Literal[
    "networks",
    "subnets",
    "routes",
    "gateways",
    "peerings",
    "transit",
    "boundary-rules",
    "groups",
    "address-lists",
    "interfaces",
    "workloads",
    "templates",
    "load-balancers",
    "endpoints",
    "endpoint-services",
    "firewalls",
    "flow-logs",
    "entrances",
    "public-access-block",
    "services.s3",
    "services.rds",
    "services.redshift",
    "services.opensearch",
    "services.elasticache",
    "services.memorydb",
    "services.eks",
    "services.lambda",
    "services.apigateway",
    "services.ecr-public",
    "services.kafka",
    "services.dms",
    "services.efs",
    "services.verified-access",
]
Facet = Literal[_Anywhere, _OnAzure, _OnGoogleCloud]
"""A part of the estate that is read, or not, as a whole."""

FACETS: Final[tuple[Facet, ...]] = get_args(Facet)

_AZURE_SERVICES: Final[frozenset[Facet]] = frozenset(get_args(_OnAzure))
_GCP_SERVICES: Final[frozenset[Facet]] = frozenset(get_args(_OnGoogleCloud))
_SERVICES: Final = frozenset(facet for facet in FACETS if facet.startswith("services."))
_ELSEWHERE: Final[frozenset[Facet]] = frozenset(("public-access-block", "templates"))

FACETS_OF: Final[Mapping[str, frozenset[Facet]]] = {
    "aws": frozenset(FACETS) - _AZURE_SERVICES - _GCP_SERVICES,
    "azure": frozenset(FACETS) - (_SERVICES - _AZURE_SERVICES) - _ELSEWHERE,
    "gcp": frozenset(FACETS) - (_SERVICES - _GCP_SERVICES) - _ELSEWHERE,
    # A cluster has no routes or gateways of its own that could be read: the cloud beneath it has them.
    "kubernetes": frozenset(("networks", "subnets", "interfaces", "workloads", "groups", "entrances")),
}
"""The parts of an estate that each provider has: of others nothing is missing there."""

GapReason = Literal[
    "denied", "throttled", "unsupported", "unreachable", "malformed", "not-found", "timeout", "skipped", "unread"
]
ReadingState = Literal["read", "partly", "unread"]


class Gap(msgspec.Struct, frozen=True, order=True):
    """Something that could not be read or understood, and why.

    Attributes:
        provider: whose answer is missing.
        scope: account, subscription, project or cluster.
        region: the region, or ``global``.
        what: the call or file: ``ec2.describe_network_acls``.
        resource: the one resource concerned; empty for the whole answer.
        reason: why.
        detail: the provider's message, or the field that is malformed.
        facets: the parts of the estate that it leaves open.
    """

    provider: str
    scope: str
    region: str
    what: str
    resource: str
    reason: GapReason
    detail: str
    facets: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True, order=True):
    """How completely one facet (``interfaces``, ``routes``, ``services.rds``) of one scope and region was read."""

    provider: str
    scope: str
    region: str
    facet: str
    state: ReadingState
    reason: str = ""


class ScopeRead(msgspec.Struct, frozen=True, order=True):
    """A scope that was read: its id, its regions, and its name where it has one."""

    provider: str
    scope: str
    regions: tuple[str, ...] = ()
    name: str = ""


class Coverage:
    """Answers what was read. A facet that nobody speaks of was not read."""

    __slots__ = ("_by_place", "readings")

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self.readings = tuple(sorted(set(readings)))
        self._by_place: dict[tuple[str, str, str, str], Reading] = {
            (r.provider, r.scope, r.region, r.facet): r for r in self.readings
        }

    def state(self, facet: str, provider: str, scope: str, region: str) -> ReadingState:
        """Tell how completely a facet of one scope and region was read.

        What is asked once for a whole scope is told under the region ``global``.
        """
        own = self._by_place.get((provider, scope, region, facet))
        reading = own if own is not None else self._by_place.get((provider, scope, "global", facet))
        return "unread" if reading is None else reading.state

    def was_read(self, facet: str, provider: str, scope: str, region: str) -> bool:
        """Tell whether a facet of one scope and region was read in full, so that absence means absence."""
        return self.state(facet, provider, scope, region) == "read"

    def places(self, facet: str) -> tuple[Reading, ...]:
        """Return every reading of a facet, over all scopes and regions."""
        return tuple(r for r in self.readings if r.facet == facet)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Coverage) and self.readings == other.readings

    def __hash__(self) -> int:
        return hash(self.readings)
