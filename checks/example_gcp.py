"""A builder of small Google Cloud estates for the examples of the checks: a VPC network, and what stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_gcp_rules import (
    GCP_PIPELINE,
    GLOBAL_POLICY,
    HIERARCHY,
    NETWORK,
    PROJECT,
    REGION,
    VPC_RULES,
    ends,
    gcp_rule,
    implied_rules,
    nic_id,
    rule_id,
)
from cloudseg.model import (
    FACETS_OF,
    Addresses,
    Carries,
    Coverage,
    Endpoint,
    EndpointService,
    Estate,
    FlowLog,
    Gateway,
    Group,
    GroupRef,
    InNetworks,
    Interface,
    Network,
    Reading,
    Resource,
    Route,
    RouteTable,
    RuleSet,
    ScopeRead,
    Service,
    Subnet,
    Workload,
    qualified,
)
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.model import Rule

__all__ = ["GCP_PIPELINE", "GLOBAL_POLICY", "HIERARCHY", "NETWORK", "GcpBuilder", "gcp_rule", "nic_id", "rule_id"]

_PROXY: Final = AddressSet.parse("35.235.240.0/20")


class GcpBuilder:
    """Builds an estate of one project, in which everything was read unless ``unread`` names it.

    A new builder holds the network ``vpc`` with the subnets ``web`` (10.2.1.0/24) and ``data`` (10.2.2.0/24), a route
    to the internet and the implied rules, and neither firewall rules nor instances.

    Args:
        unread: facets that were not read.
        default: Google Cloud made the network itself.
    """

    def __init__(self, *, unread: Iterable[str] = (), default: bool = False) -> None:
        self._unread = frozenset(unread)
        self._resources: dict[str, dict[str, Resource]] = {}
        self._rules: list[Rule] = []
        self.network = self.id(NETWORK)
        self.put(
            "networks",
            Network(
                id=self.network,
                kind="vpc-network",
                name="vpc",
                pipeline="gcp",
                addresses=AddressSet.parse("10.2.0.0/16"),
                is_default=default,
                groups_by_address=True,
            ),
        )
        for name, cidr in (("web", "10.2.1.0/24"), ("data", "10.2.2.0/24")):
            self.add_subnet(name, cidr)
        self.put(
            "gateways",
            Gateway(
                id=f"{self.network}/internet",
                kind="default-internet-gateway",
                name="default internet gateway",
                networks=frozenset((self.network,)),
                public=True,
            ),
        )
        out, proxy = f"{self.network}/internet", f"{self.network}/identity-aware-proxy"
        self.put(
            "gateways",
            Gateway(
                id=proxy,
                kind="identity-aware-proxy",
                name="Identity-Aware Proxy",
                networks=frozenset((self.network,)),
                active=None,
            ),
        )
        routes = (
            Route(destination=Addresses(AddressSet.parse("10.2.0.0/16")), kind="local", origin="local"),
            Route(destination=Addresses(ALL_IPV4), kind="internet-gateway", target=out),
            Route(destination=Addresses(ALL_IPV6), kind="internet-gateway", target=out),
            Route(destination=Addresses(_PROXY), kind="private-gateway", target=proxy),
        )
        self.put(
            "route_tables",
            RouteTable(
                id=f"{self.network}/routes",
                kind="routes",
                name="routes of vpc",
                network=self.network,
                routes=routes,
                is_main=True,
            ),
        )
        self._imply()

    @staticmethod
    def id(own: str) -> str:
        """Return the qualified id of a resource of the example's project."""
        return qualified("gcp", PROJECT, own)

    def subnet(self, name: str) -> str:
        """Return the qualified id of a subnet."""
        return self.id(f"regions/{REGION}/subnetworks/{name}")

    def put(self, kind: str, resource: Resource) -> None:
        """Add a resource of any kind, named by the estate's mapping, or replace it."""
        self._resources.setdefault(kind, {})[resource.id] = resource

    def add_subnet(self, name: str, cidr: str, *, kind: str = "subnetwork") -> None:
        """Add a subnet."""
        self.put(
            "subnets",
            Subnet(
                id=self.subnet(name),
                kind=kind,
                name=name,
                region=REGION,
                network=self.network,
                addresses=AddressSet.parse(cidr),
                public_by_default=False,
            ),
        )

    def _imply(self) -> None:
        """Add the rules that every network has.

        Source: https://cloud.google.com/firewall/docs/firewalls#default_firewall_rules
        """
        rules = implied_rules()
        own = f"{self.network}/implied"
        self.put(
            "rule_sets",
            RuleSet(
                id=own,
                kind="implied-rules",
                name="implied rules of vpc",
                stage="implied-rules",
                network=self.network,
                applies=InNetworks(frozenset((self.network,))),
                rules=rules,
                is_default=True,
                managed_by="gcp",
            ),
        )

    def firewall(self, *rules: Rule) -> None:
        """Add VPC firewall rules."""
        self._rules += rules
        for rule in rules:
            self._name_groups(rule)

    def policy(self, name: str, *rules: Rule, stage: str = GLOBAL_POLICY) -> str:
        """Add a firewall policy at a stage and return its own id."""
        above = stage.startswith("hierarchical")
        own = f"{'locations/global' if above else 'global'}/firewallPolicies/{name}"
        identifier = self.id(f"{own}@@{NETWORK}")
        for rule in rules:
            self._name_groups(rule)
        self.put(
            "rule_sets",
            RuleSet(
                id=identifier,
                kind="hierarchical-firewall-policy" if above else "network-firewall-policy",
                name=name,
                stage=stage,
                network=self.network,
                applies=InNetworks(frozenset((self.network,))),
                rules=rules,
            ),
        )
        return own

    def _name_groups(self, rule: Rule) -> None:
        for peer in (*rule.remote, *rule.local):
            if isinstance(peer, GroupRef):
                self._group(peer.group)

    def _group(self, identifier: str) -> str:
        kinds = {"tags": "network-tag", "serviceAccounts": "service-account", "tagValues": "secure-tag"}
        above, _, name = identifier.rpartition("/")
        kind = kinds[above.rpartition("/")[2].rpartition(":")[2]]
        networks = () if kind == "secure-tag" else (self.network,)
        self.put(
            "groups",
            Group(id=identifier, kind=kind, name=name, selector=Carries(identifier), networks=networks),
        )
        return identifier

    def machine(  # noqa: PLR0913 - all but three are optional, and most go by keyword
        self,
        name: str,
        subnet: str,
        address: str,
        public: str = "",
        *,
        tags: Iterable[str] = (),
        account: str = "",
        secure: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        lent: str = "",
    ) -> None:
        """Add an instance with one network interface.

        Args:
            name: its name.
            subnet: the subnet's name.
            address: its internal addresses.
            public: its external addresses.
            tags: its network tags.
            account: its service account.
            secure: the secure tags that are bound to it.
            labels: its labels.
            lent: the address of a Cloud NAT gateway; empty for none.
        """
        names = (*(f"tag:{tag}" for tag in tags), *(f"secure:{tag}" for tag in secure))
        names += (f"account:{account}",) if account else ()
        peers = [peer for text in names for peer in ends(text)]
        attached = {self._group(peer.group) for peer in peers if isinstance(peer, GroupRef)}
        nic = self.id(nic_id(name))
        owner = nic.rpartition("/")[0]
        shown = dict(labels or {})
        self.put(
            "workloads",
            Workload(id=owner, kind="instance", name=name, region=REGION, tags=shown, network=self.network),
        )
        interface = Interface(
            id=nic,
            kind="network-interface",
            name=name,
            region=REGION,
            tags=shown,
            network=self.network,
            subnet=self.subnet(subnet),
            addresses=AddressSet.parse(address),
            public=AddressSet.parse(public) if public else NO_ADDRESSES,
            lent=AddressSet.parse(lent) if lent else NO_ADDRESSES,
            attached=frozenset(attached),
            workload=owner,
        )
        self.put("interfaces", interface)

    def service(self, family: str, own: str, *, public: bool | None = True, **more: object) -> None:
        """Add a managed service of a family, such as ``cloudsql``; ``more`` are fields of :class:`Service`."""
        self.put(
            "services",
            Service(
                id=self.id(own),
                kind=family,
                name=own.rpartition("/")[2],
                region=REGION,
                service=family,
                public=public,
                **more,  # type: ignore[arg-type]
            ),
        )

    def flow_log(self, subnet: str, *, delivers: bool | None = True, omits: str = "") -> None:
        """Add the flow log of a subnet; ``omits`` is what it leaves out, in words."""
        self.put(
            "flow_logs",
            FlowLog(
                id=f"{self.subnet(subnet)}/logConfig",
                kind="flow-log",
                name=f"flow log of {subnet}",
                region=REGION,
                target=self.subnet(subnet),
                traffic="accepted",
                delivers=delivers,
                omits=omits,
            ),
        )

    def rule_log(self) -> None:
        """Let some firewall rules of the network log what they decide."""
        target = f"{self.network}/firewalls"
        self.put(
            "flow_logs",
            FlowLog(
                id=f"{target}/logging",
                kind="firewall-rules-log",
                name="logging of firewall rules",
                target=target,
                traffic="all",
                delivers=True,
                omits="1 of 1 rules log, of TCP and UDP alone",
            ),
        )

    def endpoint(self, name: str, service: str, *, usable: bool | None = True, state: str = "ACCEPTED") -> None:
        """Add an endpoint of Private Service Connect."""
        self.put(
            "endpoints",
            Endpoint(
                id=self.id(f"regions/{REGION}/forwardingRules/{name}"),
                kind="private-service-connect-endpoint",
                name=name,
                region=REGION,
                network=self.network,
                type="interface",
                service=service,
                usable=usable,
                state=state,
                policy="unsupported",
            ),
        )

    def published(self, name: str, *, accepts: bool | None, who: tuple[str, ...] | None, **more: object) -> str:
        """Add a published service (a service attachment) and return its own id.

        Args:
            name: its name.
            accepts: consumers wait for approval.
            who: who may ask.
            more: fields of :class:`EndpointService`.
        """
        own = f"regions/{REGION}/serviceAttachments/{name}"
        self.put(
            "endpoint_services",
            EndpointService(
                id=self.id(own),
                kind="service-attachment",
                name=name,
                region=REGION,
                service=own,
                acceptance_required=accepts,
                principals=who,
                **more,  # type: ignore[arg-type]
            ),
        )
        return own

    def build(self) -> Estate:
        """Return the estate."""
        if self._rules:
            own = f"{self.network}/firewalls"
            self.put(
                "rule_sets",
                RuleSet(
                    id=own,
                    kind="vpc-firewall-rules",
                    name="VPC firewall rules of vpc",
                    stage=VPC_RULES,
                    network=self.network,
                    applies=InNetworks(frozenset((self.network,))),
                    rules=tuple(sorted(self._rules, key=lambda rule: (rule.priority or 0, rule.allows, rule.id))),
                ),
            )
        readings = (
            Reading("gcp", PROJECT, "global", facet, "unread" if facet in self._unread else "read")
            for facet in sorted(FACETS_OF["gcp"])
        )
        return Estate(
            taken_at="2026-01-15T12:00:00Z",
            scopes=(ScopeRead("gcp", PROJECT, (REGION,)),),
            pipelines={GCP_PIPELINE.name: GCP_PIPELINE},
            coverage=Coverage(readings),
            **self._resources,  # type: ignore[arg-type]
        )
