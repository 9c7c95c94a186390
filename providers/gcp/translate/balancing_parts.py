"""The parts of load balancers of all projects, by their qualified ids: a load balancer may use those of another one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cloudseg.providers.gcp.translate.balancing_wire import (
    BackendService,
    EndpointGroup,
    Health,
    InstanceGroup,
    ListedEndpoint,
    ListedInstance,
    Pool,
    Proxy,
    TargetInstance,
    UrlMap,
)
from cloudseg.providers.gcp.translate.wire import CloudResource

if TYPE_CHECKING:
    from cloudseg.model import ForwardTarget
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.balancing_wire import Endpoint
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.providers.gcp.translate.machines import Machines
    from cloudseg.traffic import Traffic

__all__ = ["FACET", "BalancingParts", "Led", "add_balancing_parts"]

FACET: Final = "load-balancers"
_PROXIES: Final = (
    "target_http_proxies", "target_https_proxies", "target_tcp_proxies", "target_ssl_proxies", "target_grpc_proxies",
)  # fmt: skip

T = TypeVar("T", bound=CloudResource)


class Led(NamedTuple):
    """What a forwarding rule inside a network leads to.

    Attributes:
        targets: who takes its packets: machines, or the proxies of a load balancer.
        listens: what it takes.
        network: its network.
        complete: all targets were read.
    """

    targets: tuple[ForwardTarget, ...]
    listens: Traffic
    network: str | None = None
    complete: bool = True


class BalancingParts:
    """What stands behind forwarding rules, as it was read; everything by qualified id."""

    def __init__(self) -> None:
        self.machines: Machines | None = None
        """Finds machines; made when it is first asked for, once all instances are known."""
        self.proxies: dict[str, Proxy] = {}
        self.maps: dict[str, UrlMap] = {}
        self.pools: dict[str, Pool] = {}
        self.targets: dict[str, TargetInstance] = {}
        self.services: dict[str, BackendService] = {}
        self.groups: dict[str, InstanceGroup] = {}
        self.members: dict[str, list[str]] = {}
        """The instances of groups; of a group that is not there they were not read."""
        self.endpoint_groups: dict[str, EndpointGroup] = {}
        self.endpoints: dict[str, list[Endpoint]] = {}
        """The endpoints of groups; of a group that is not there they were not read."""
        self.partial: set[str] = set()
        """The groups of whose instances or endpoints some were not read."""
        self.health: dict[tuple[str, str], dict[str, bool]] = {}
        """How instances and addresses fare, by service and group; of a pair that is not there it was not read."""
        self.serverless: dict[str, set[str]] = {}
        """The names of the public load balancers that lead to a managed service, by its qualified id."""
        self.checked: set[str] = set()
        """The networks in which somebody is behind a load balancer, whose health checks come there."""
        self.fronts: dict[str, Led] = {}
        """What forwarding rules inside networks lead to, by the rule's qualified id."""


def add_balancing_parts(answers: Answers, draft: Draft) -> None:
    """Note the parts of a project's load balancers.

    A backend service may stand in another project than the load balancer in front of it. Source:
    https://cloud.google.com/load-balancing/docs/https/setting-up-reg-ext-shared-vpc
    """
    parts = draft.balancing
    for operation in _PROXIES:
        parts.proxies |= _read(answers, draft, operation, Proxy)
    parts.maps |= _read(answers, draft, "url_maps", UrlMap)
    parts.pools |= _read(answers, draft, "target_pools", Pool)
    parts.targets |= _read(answers, draft, "target_instances", TargetInstance)
    parts.services |= _read(answers, draft, "backend_services", BackendService)
    parts.groups |= _read(answers, draft, "instance_groups", InstanceGroup)
    parts.endpoint_groups |= _read(answers, draft, "network_endpoint_groups", EndpointGroup)
    scope = answers.scope
    parts.members |= {draft.named(each, scope): [] for each in answers.about("compute", "instance_group_members")}
    for group, member in answers.listed_of("compute", "instance_group_members", ListedInstance, FACET):
        parts.members[draft.named(group, scope)].append(draft.named(member.instance, scope))
    parts.endpoints |= {draft.named(each, scope): [] for each in answers.about("compute", "network_endpoints")}
    for group, endpoint in answers.listed_of("compute", "network_endpoints", ListedEndpoint, FACET):
        parts.endpoints[draft.named(group, scope)].append(endpoint.network_endpoint)
    for operation in ("instance_group_members", "network_endpoints"):
        parts.partial |= {draft.named(each, scope) for each in answers.partial("compute", operation)}
    _add_health(answers, draft)


def _read(answers: Answers, draft: Draft, operation: str, form: type[T]) -> dict[str, T]:
    return {
        draft.named(each.link(answers.scope), answers.scope): each
        for each in answers.listed("compute", operation, form, FACET)
    }


def _add_health(answers: Answers, draft: Draft) -> None:
    """Note how machines fare; one that several checks look at is well where one of them says so."""
    found: defaultdict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for resource, health in answers.listed_of("compute", "backend_service_health", Health, FACET):
        service, _, group = resource.partition("|")
        states = found[draft.named(service, answers.scope), draft.named(group, answers.scope) if group else ""]
        for status in health.health_status or ():
            healthy = status.health_state.upper() == "HEALTHY"
            instance = draft.named(status.instance, answers.scope) if status.instance else ""
            for name in (instance, status.ip_address):
                if name:
                    states[name] = states.get(name, False) or healthy
    draft.balancing.health |= found
