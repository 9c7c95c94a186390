"""A builder of small Azure estates for the examples of the checks: a virtual network, and what stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import (
    FACETS_OF,
    Carries,
    Coverage,
    Endpoint,
    EndpointService,
    Estate,
    FlowLog,
    InSubnets,
    Interface,
    Network,
    Pipeline,
    Reading,
    Resource,
    Rule,
    RuleSet,
    ScopeRead,
    Service,
    Stage,
    Subnet,
    qualified,
)
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AzureBuilder", "arm"]

_SUBSCRIPTION: Final = "00000000-0000-0000-0000-0000000000aa"
_REGION: Final = "westeurope"
_SUBNET_NSG: Final = Stage(name="subnet-nsg", at="subnet", stateful=True, match="first", miss="deny")
_NIC_NSG: Final = Stage(name="nic-nsg", at="interface", stateful=True, match="first", miss="deny")
_PIPELINE: Final = Pipeline(name="azure", ingress=(_SUBNET_NSG, _NIC_NSG), egress=(_NIC_NSG, _SUBNET_NSG))
_TYPES: Final = {
    "aks": "microsoft.containerservice/managedclusters",
    "keyvault": "microsoft.keyvault/vaults",
    "sql": "microsoft.sql/servers",
    "storage": "microsoft.storage/storageaccounts",
}


def arm(kind: str, name: str) -> str:
    """Return the own id of a resource of the example's resource group: ``arm("microsoft.sql/servers", "orders")``."""
    return f"/subscriptions/{_SUBSCRIPTION}/resourcegroups/rg/providers/{_TYPES.get(kind, kind)}/{name}"


def _network(kind: str, name: str) -> str:
    return arm(f"microsoft.network/{kind}", name)


class AzureBuilder:
    """Builds an estate of one subscription, in which everything was read unless ``unread`` names it.

    A new builder holds the virtual network ``vnet-1`` (10.1.0.0/16) with the subnets ``web`` (10.1.1.0/24) and
    ``data`` (10.1.2.0/24), and a machine's interface ``nic-1`` in the subnet ``web``.
    """

    def __init__(self, *, unread: Iterable[str] = ()) -> None:
        self._unread = frozenset(unread)
        self._resources: dict[str, dict[str, Resource]] = {}
        self.network = self.id(_network("virtualnetworks", "vnet-1"))
        self.put(
            "networks",
            Network(
                id=self.network,
                kind="virtual-network",
                name="vnet-1",
                region=_REGION,
                pipeline="azure",
                addresses=AddressSet.parse("10.1.0.0/16"),
            ),
        )
        for name, cidr in (("web", "10.1.1.0/24"), ("data", "10.1.2.0/24")):
            self.put(
                "subnets",
                Subnet(
                    id=self.subnet(name),
                    kind="subnet",
                    name=name,
                    region=_REGION,
                    network=self.network,
                    addresses=AddressSet.parse(cidr),
                ),
            )
        self.put(
            "interfaces",
            Interface(
                id=self.id(_network("networkinterfaces", "nic-1")),
                kind="network-interface",
                name="nic-1",
                region=_REGION,
                network=self.network,
                subnet=self.subnet("web"),
                addresses=AddressSet.parse("10.1.1.4"),
            ),
        )

    @staticmethod
    def id(own: str) -> str:
        """Return the qualified id of a resource of the example's subscription."""
        return qualified("azure", _SUBSCRIPTION, own)

    def put(self, kind: str, resource: Resource) -> None:
        """Add a resource of any kind, named by the estate's mapping, or replace it."""
        self._resources.setdefault(kind, {})[resource.id] = resource

    def subnet(self, name: str) -> str:
        """Return the qualified id of a subnet of the network."""
        return f"{self.network}/subnets/{name}"

    def service(self, family: str, name: str, *, public: bool | None = True, **more: object) -> None:
        """Add a managed service of a family, such as ``storage``; ``more`` are fields of :class:`Service`."""
        own = self.id(arm(family, name))
        self.put(
            "services",
            Service(id=own, kind=family, name=name, region=_REGION, service=family, public=public, **more),  # type: ignore[arg-type]
        )

    def endpoint(self, name: str, service: str, *, usable: bool | None = True, state: str = "Approved") -> None:
        """Add a private endpoint in the subnet ``data``; ``service`` is the own id of what it leads to."""
        self.put(
            "endpoints",
            Endpoint(
                id=self.id(_network("privateendpoints", name)),
                kind="private-endpoint",
                name=name,
                region=_REGION,
                network=self.network,
                type="interface",
                service=service,
                usable=usable,
                state=state,
                policy="unsupported",
                subnets=frozenset((self.subnet("data"),)),
            ),
        )

    def private_link_service(
        self, name: str, *, acceptance_required: bool | None, principals: tuple[str, ...] | None
    ) -> None:
        """Add a private link service."""
        self.put(
            "endpoint_services",
            EndpointService(
                id=self.id(_network("privatelinkservices", name)),
                kind="private-link-service",
                name=name,
                region=_REGION,
                service=f"{name}.{_REGION}.azure.privatelinkservice",
                acceptance_required=acceptance_required,
                principals=principals,
            ),
        )

    def nsg(self, name: str, *rules: Rule, subnet: str = "") -> str:
        """Add an NSG at a subnet, or at the interface, and return its qualified id."""
        own = self.id(_network("networksecuritygroups", name))
        applies = InSubnets(frozenset((self.subnet(subnet),))) if subnet else Carries(own)
        self.put(
            "rule_sets",
            RuleSet(
                id=own,
                kind="network-security-group",
                name=name,
                region=_REGION,
                stage="subnet-nsg" if subnet else "nic-nsg",
                rules=rules,
                applies=applies,
                network=self.network,
            ),
        )
        return own

    def flow_log(
        self, name: str, target: str, *, ends: str = "", retention: int | None = 0, delivers: bool | None = True
    ) -> None:
        """Add a flow log; ``target`` is the qualified id of a network, a subnet or an NSG."""
        self.put(
            "flow_logs",
            FlowLog(
                id=self.id(_network(f"networkwatchers/nw-{_REGION}/flowlogs", name)),
                kind="flow-log",
                name=name,
                region=_REGION,
                target=target,
                traffic="all",
                delivers=delivers,
                retention=retention,
                ends=ends,
            ),
        )

    def build(self) -> Estate:
        """Return the estate."""
        readings = (
            Reading("azure", _SUBSCRIPTION, "global", facet, "unread" if facet in self._unread else "read")
            for facet in sorted(FACETS_OF["azure"])
        )
        return Estate(
            taken_at="2026-01-15T12:00:00Z",
            scopes=(ScopeRead("azure", _SUBSCRIPTION, (_REGION,)),),
            pipelines={"azure": _PIPELINE},
            coverage=Coverage(readings),
            **self._resources,  # type: ignore[arg-type]
        )
