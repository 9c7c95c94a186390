"""A network that reaches the provider's own services over the internet.

What it finds:
    Networks whose workloads have a route out to the internet and no private endpoint for a service of the list; one
    finding a network names the services. An endpoint counts when it is usable and is the very service: the end of its
    name decides, so that ``ec2messages`` is no ``ec2``. A failed, deleted, pending or rejected endpoint is none, and a
    gateway endpoint counts for the subnets whose route tables lead to it. Where observed conversations are given
    (`--flows`) whose logs name services, the evidence says who used them. An endpoint of another network that is shared
    over a peering is not seen. Where each endpoint leads to one resource, as in Azure, the findings are about managed
    services with a public endpoint that no private one leads to.

Why it matters:
    Traffic to storage then leaves by a NAT or internet gateway: it pays for the way, no endpoint policy says which
    buckets it may go to, and the way out has to stay open for it.

Example:
    Private subnets that reach object storage through a NAT gateway, although a gateway endpoint costs nothing; a key
    vault that machines of a virtual network reach at its public address.

Remedy:
    Add the endpoint and associate it with the route tables of all subnets. Adding it moves traffic at once: look at
    bucket policies that name source addresses first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_azure_services import bare_vault, joined_vault, waiting_vault
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.checks.observed_use import service_use
from cloudseg.checks.private_services import LEAD_TO_ONE, unserved
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Remedy, Severity
from cloudseg.reach.leaving import leaves
from cloudseg.reach.plumbing import opens_connections
from cloudseg.reach.roads.routing import next_hops
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Endpoint, Estate, Interface, Network, RouteTable
    from cloudseg.reach.roads.routing import NextHop

SERVICES = Parameter(
    "services",
    ("s3", "dynamodb"),
    "Services that want a private endpoint in every network, by the end of their name: `s3`, `ecr.api`, `sts`.",
    form=r"[a-z0-9][a-z0-9.-]*",
)
FAMILIES = Parameter(
    "families",
    (
        "storage", "sql", "postgresql", "mysql", "cosmosdb", "keyvault", "containerregistry", "servicebus", "eventhub",
        "redis", "search", "cognitiveservices", "cloudsql",
    ),
    "Families of managed services each of which wants a private endpoint, where endpoints lead to one resource each.",
    form=r"[a-z0-9][a-z0-9.-]*",
)  # fmt: skip
_BALANCERS = frozenset(("load_balancer", "network_load_balancer"))
NO_ENDPOINT: Final = "no endpoint for "
"""How the evidence begins that names a service without an endpoint."""


class Missing(NamedTuple):
    """What keeps a network from using a service privately.

    Attributes:
        service: the service.
        subnets: ids of the subnets with a way out and no endpoint for it.
        certain: no endpoint in an unknown state could serve them.
        notes: endpoints that are there and do not count, in words.
    """

    service: str
    subnets: tuple[str, ...]
    certain: bool
    notes: tuple[str, ...]


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network that lacks an endpoint for a service, and every service that lacks one."""
    estate = context.estate
    endpoints = _by_network(estate)
    for _, network in sorted(estate.networks.items()):
        if network.provider in LEAD_TO_ONE or not estate.read("endpoints", network):
            continue
        leaving = _leaving_subnets(network, estate)
        if leaving:
            own = endpoints.get(network.id, ())
            found = (_missing(service, leaving, own, network, estate) for service in context.texts(SERVICES.name))
            missing = [each for each in found if each is not None]
            if missing:
                yield _finding(context, network, leaving, missing)
    yield from unserved(context, context.texts(FAMILIES.name))


def lacking(service: str, network: Network, estate: Estate) -> Missing | None:
    """Return which subnets of a network reach a service over the internet alone; None where none does.

    Args:
        service: the service, by the end of its name: ``s3``.
        network: the network.
        estate: the estate.
    """
    leaving = _leaving_subnets(network, estate)
    return _missing(service, leaving, _by_network(estate).get(network.id, ()), network, estate) if leaving else None


def _by_network(estate: Estate) -> dict[str, list[Endpoint]]:
    found: dict[str, list[Endpoint]] = {}
    for _, endpoint in sorted(estate.endpoints.items()):
        found.setdefault(endpoint.network, []).append(endpoint)
    return found


def _finding(context: AuditContext, network: Network, leaving: dict[str, bool], missing: list[Missing]) -> Finding:
    names = " and ".join((", ".join(each.service for each in missing[:-1]), missing[-1].service)).removeprefix(" and ")
    lacking = {subnet for each in missing for subnet in each.subnets}
    certain = any(each.certain and any(leaving[subnet] for subnet in each.subnets) for each in missing)
    labels = {name: context.estate.subnets[name].label for name in lacking if name in context.estate.subnets}
    return context.finding(
        network,
        f"{network.label} can reach {names} only over the internet, from {len(lacking)} of "
        f"{counted(len(leaving), 'subnet')} with a way out",
        confidence="high" if certain else "low",
        evidence=(
            *(f"{NO_ENDPOINT}{each.service}: {_shown(sorted(labels[s] for s in each.subnets))}" for each in missing),
            *(note for each in missing for note in each.notes),
            *(
                ()
                if certain
                else ("unknown: where a route leads to, or the state of an endpoint, was not worked out in full",)
            ),
            *service_use(context, network.id, [each.service for each in missing]),
        ),
        remedy=Remedy("add-private-endpoint", f"add private endpoints for {names}, reachable from all these subnets"),
    )


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _leaving_subnets(network: Network, estate: Estate) -> dict[str, bool]:
    """Return the subnets from which workloads have a way out to the internet, and whether that is certain."""
    hops: dict[str, tuple[NextHop, ...]] = {}
    # Of what tells interfaces apart, routes ask for public addresses alone.
    known: dict[tuple[str, bool, bool | None], bool | None] = {}
    leaving: dict[str, bool] = {}
    for interface in estate.interfaces_in(network.id):
        subnet = None if interface.subnet is None else estate.subnets.get(interface.subnet)
        if subnet is None or not _may_be_client(interface, estate):
            continue
        table = estate.route_table_of(subnet)
        if table is None:
            out = None
        else:
            if table.id not in hops:
                hops[table.id] = next_hops(table, estate)
            alike = (table.id, interface.has_public_address(6), leaves(interface, 4, estate))
            if alike not in known:
                known[alike] = _leaves(interface, hops[table.id], estate)
            out = known[alike]
        if out is not False:
            leaving[subnet.id] = leaving.get(subnet.id, False) or out is True
    return leaving


def _may_be_client(interface: Interface, estate: Estate) -> bool:
    owner = estate.owner_of(interface)
    balances = interface.role in _BALANCERS or (owner is not None and owner.kind == "load-balancer")
    return opens_connections(interface) and not balances


def _leaves(interface: Interface, hops: Iterable[NextHop], estate: Estate) -> bool | None:
    """Tell whether packets of an interface come out on the internet; None for hops whose onward way is not worked out.

    An internet gateway carries out only who has a public address; a NAT gateway anyone.
    """
    answer: bool | None = False
    for hop in hops:
        route = hop.route
        if not route.active or not (hop.addresses & GLOBAL_UNICAST):
            continue
        carried = _carries_out(hop, interface, estate)
        if carried is not False:
            if carried and hop.certain:
                return True
            answer = None
        elif route.kind in {"endpoint", "interface", "transit-gateway", "unknown"}:
            endpoint = None if route.target is None else estate.endpoints.get(route.target)
            if endpoint is None or endpoint.type != "gateway":
                answer = None
    return answer


def _carries_out(hop: NextHop, interface: Interface, estate: Estate) -> bool | None:
    match hop.route.kind:
        case "internet-gateway":
            if (hop.addresses & GLOBAL_UNICAST).v6 and interface.has_public_address(6):
                return True
            return hop.addresses.overlaps(ALL_IPV4 & GLOBAL_UNICAST) and leaves(interface, 4, estate)
        case "egress-only-gateway":
            return interface.has_public_address(6)
        case "nat-gateway":
            gateway = None if hop.route.target is None else estate.gateways.get(hop.route.target)
            return gateway is None or (gateway.public and gateway.active is not False)
        case _:
            return False


def _missing(
    service: str, leaving: dict[str, bool], endpoints: Iterable[Endpoint], network: Network, estate: Estate
) -> Missing | None:
    """Return which subnets no usable endpoint serves for a service; None when all are served."""
    own = [endpoint for endpoint in endpoints if endpoint.service.endswith(f".{network.region}.{service}")]
    notes = [
        f"{endpoint.label} for {service} does not count: it is {endpoint.state or 'not usable'}"
        for endpoint in own
        if endpoint.usable is False
    ]
    lacking: list[str] = []
    certain = False
    for name in sorted(leaving):
        table = estate.route_table_of(estate.subnets[name])
        served = [_serves(endpoint, table) for endpoint in own]
        if True not in served:
            lacking.append(name)
            certain = certain or None not in served
    if not lacking:
        return None
    notes.extend(
        f"{endpoint.label} for {service} is not in the route tables of all these subnets"
        for endpoint in own
        if endpoint.usable is not False and endpoint.type == "gateway"
    )
    return Missing(service, tuple(lacking), certain, tuple(notes))


def _serves(endpoint: Endpoint, table: RouteTable | None) -> bool | None:
    """Tell whether an endpoint serves a subnet with this route table; None where that is unknown."""
    if endpoint.usable is False:
        return False
    if endpoint.type == "gateway":
        if table is None:
            return None
        if table.id not in endpoint.route_tables:
            return False
    return endpoint.usable


def _workload() -> EstateBuilder:
    b = EstateBuilder()
    b.interface("eni-1")
    return b


def _no_endpoint() -> Estate:
    return _workload().build()


def _wrong_table() -> Estate:
    b = _workload()
    for service in ("s3", "dynamodb"):
        b.endpoint(f"vpce-{service}", service, route_tables=frozenset({b.id("rtb-public")}))
    return b.build()


def _failed_endpoint() -> Estate:
    b = _workload()
    tables = frozenset({b.id("rtb-private")})
    b.endpoint("vpce-s3", "s3", usable=False, state="failed", route_tables=tables)
    b.endpoint("vpce-ddb", "dynamodb", route_tables=tables)
    return b.build()


def _both_endpoints() -> Estate:
    b = _workload()
    b.endpoint("vpce-s3", "s3", route_tables=frozenset({b.id("rtb-private")}))
    b.endpoint("vpce-ddb", "dynamodb", type="interface")
    return b.build()


def _no_way_out() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", address="10.0.1.5")
    b.interface("eni-nat", "subnet-public", address="10.0.1.6", public="203.0.113.10", role="nat_gateway")
    return b.build()


def _gcp(*, network: bool) -> Estate:
    b = GcpBuilder()
    where = b.network if network else None
    b.service("cloudsql", "sqladmin/instances/orders", anonymous=False, connections=(), network=where)
    return b.build()


def _gcp_public_alone() -> Estate:
    return _gcp(network=False)


def _gcp_in_the_network() -> Estate:
    return _gcp(network=True)


CHECK = Check(
    id="missing-private-endpoint",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("private subnets reach storage through a NAT gateway", _no_endpoint, ("vpc-1",), Severity.LOW),
        Example("the endpoints stand in another subnet's route table", _wrong_table, ("vpc-1",)),
        Example("a failed endpoint is no endpoint", _failed_endpoint, ("vpc-1",)),
        Example("a key vault without a private endpoint", bare_vault, (arm("keyvault", "keys"),), Severity.LOW),
        Example("a private endpoint that waits for approval is none", waiting_vault, (arm("keyvault", "keys"),)),
        Example("both services have an endpoint for the subnet", _both_endpoints),
        Example("a key vault with a private endpoint, and a database without a public one", joined_vault),
        Example("no workload of the network has a way out", _no_way_out),
        Example("a Cloud SQL instance without a private address", _gcp_public_alone, ("sqladmin/instances/orders",)),
        Example("a Cloud SQL instance with an address of the network", _gcp_in_the_network),
    ),
    concept={
        "aws": "VPC endpoints for S3, DynamoDB and other listed services in VPCs with a route to the internet",
        "azure": "private endpoints for managed services that have a public endpoint",
        "gcp": "private addresses, or Private Service Connect, of Cloud SQL instances that have a public address",
    },
    absent={"kubernetes": "private endpoints belong to the cloud beneath the cluster"},
    needs=("networks", "endpoints", "interfaces"),
    uses=(
        "subnets",
        "routes",
        "gateways",
        "services.storage",
        "services.sql",
        "services.postgresql",
        "services.mysql",
        "services.cosmosdb",
        "services.keyvault",
        "services.containerregistry",
        "services.servicebus",
        "services.eventhub",
        "services.redis",
        "services.search",
        "services.cognitiveservices",
        "services.cloudsql",
    ),
    compliance={
        "cis-azure-3.0": ("3.3.7", "4.9"),
        "cis-azure-4.0": ("9.3.8", "10.3.2.1"),
        "cis-azure-5.0": ("8.3.8", "9.3.2.1"),
        "nist-800-53r5": ("AC-4", "SC-7"),
        "pci-dss-4.0": ("1.3.2",),
        "cisa-ztmm-2": ("Networks: Network Traffic Management",),
    },
    parameters=(SERVICES, FAMILIES),
    remedy="add-private-endpoint",
)
