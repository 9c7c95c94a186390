"""Add a private endpoint, so that a network reaches a service without the internet.

What it changes:
    In AWS it adds a gateway endpoint (object storage, DynamoDB) to the route tables of all subnets that lack it, or an
    interface endpoint in one subnet of each zone, behind a new group that admits ``tcp/443`` from those who stand in
    these subnets. In Azure it adds a private endpoint in a subnet that holds private endpoints already.

What it proves:
    A new endpoint judges nobody and opens no way between machines; the rules of its group admit only whom the network
    holds. Nobody gains anything.

What it leaves to people:
    An endpoint moves traffic at once: names resolve to it, routes lead to it, and open connections to object storage
    break. Policies of buckets and vaults that name source addresses see others from then on. Whether the service takes
    part, who approves the connection and which DNS zone answers is looked at before. Where the subnet or the network is
    a matter of choice it says what is to be chosen.

How it is undone:
    The endpoint is deleted, its group after it; routes and names lead to the public endpoint again. While public access
    is open, nothing else has to be put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.missing_private_endpoint import NO_ENDPOINT, lacking
from cloudseg.checks.rule_lists import shown, shown_labels
from cloudseg.model import Addresses, Endpoint, GroupRef, Interface, Network, Rule, Service
from cloudseg.model.edits import AddEndpoint
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.plumbing import opens_connections
from cloudseg.remediations.endpoint_examples import EXAMPLES
from cloudseg.remediations.interface import Change, Proposal, Remedy
from cloudseg.remediations.naming import name_for, new_id, rule_name
from cloudseg.remediations.new_groups import GROUPS, new_group
from cloudseg.remediations.subjects import advised, subject_of
from cloudseg.traffic import NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.missing_private_endpoint import Missing
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Peer, Subnet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer

_ID: Final = "add-private-endpoint"
_GATEWAYS: Final = frozenset(("s3", "dynamodb"))
"""Services that have gateway endpoints. Source:
https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"""
_HTTPS: Final = Traffic.parse("tcp/443")
_MOST_GROUPS: Final = 20
_AT_ONCE: Final = "it moves traffic at once: try it in one network, at a quiet hour"
_GATEWAY_RISKS: Final = (
    "requests come from private addresses from then on: bucket policies that name public source addresses refuse them",
    "open connections to the service are reset when the route appears, and clients have to try again",
    _AT_ONCE,
)
"""Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html"""
_INTERFACE_RISKS: Final = (
    "the service's public name resolves to the endpoint for those too that its group does not admit",
    "resolvers on premises and own DNS zones of the same name may answer otherwise",
    _AT_ONCE,
)
_AZURE_RISKS: Final = (
    "the privatelink zone answers in every linked network: what has no record in it is no longer found there",
    "somebody has to approve the connection where the service belongs to others",
    "firewalls of the service that name public addresses do not see the private ones",
    _AT_ONCE,
)
"""Source: https://learn.microsoft.com/azure/private-link/private-endpoint-dns"""
_UNDO: Final = "delete the endpoint; traffic takes the public way again"


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield the endpoints that a network or a service lacks, or what people have to choose first."""
    network, service = subject_of(context, finding, Network), subject_of(context, finding, Service)
    if network is not None:
        for name in _services(finding):
            missing = lacking(name, network, context.estate)
            if missing is not None:
                yield _of_network(context.estate, finding, network, missing)
    elif service is None:
        yield advised(_ID, finding, "what it is about is not in the estate any more", ("read the estate again",))
    elif service.provider == "azure":
        yield _of_service(context.estate, finding, service)
    else:
        steps = (
            f"switch Private Service Connect on for {service.label}",
            "then reserve an address in its users' network, and point a forwarding rule at its service attachment",
        )
        yield advised(_ID, finding, f"{service.label} does not take private endpoints as it is set", steps)


def _services(finding: Finding) -> list[str]:
    """Return the services that a finding about a network names."""
    found = (
        line.removeprefix(NO_ENDPOINT).partition(":")[0] for line in finding.evidence if line.startswith(NO_ENDPOINT)
    )
    return list(dict.fromkeys(found))


def _of_network(estate: Estate, finding: Finding, network: Network, missing: Missing) -> Answer:
    full = f"com.amazonaws.{network.region}.{missing.service}"
    there = [
        each
        for _, each in sorted(estate.endpoints.items())
        if each.network == network.id and each.service == full and each.usable is not False
    ]
    if there:
        steps = (f"associate {there[0].label} with the route tables of {_named(estate, missing.subnets)}",)
        return advised(_ID, finding, f"{there[0].label} is there for {missing.service}, and not for all subnets", steps)
    if not all(name in estate.subnets for name in missing.subnets):
        return advised(_ID, finding, "not every subnet was read that lacks the endpoint", ("read the estate again",))
    subnets = [estate.subnets[name] for name in missing.subnets]
    if missing.service in _GATEWAYS:
        return _gateway(estate, finding, network, missing.service, subnets)
    return _interface(estate, finding, network, missing.service, subnets)


def _gateway(estate: Estate, finding: Finding, network: Network, service: str, subnets: Sequence[Subnet]) -> Answer:
    tables = [estate.route_table_of(subnet) for subnet in subnets]
    if any(table is None for table in tables):
        return advised(
            _ID, finding, "the route tables of some of these subnets were not read", ("read them, and plan again",)
        )
    known = sorted({table.id: table for table in tables if table is not None}.values(), key=lambda table: table.id)
    endpoint = _endpoint(network, service, route_tables=frozenset(table.id for table in known))
    others = sorted({subnet for table in known for subnet in table.subnets} - {subnet.id for subnet in subnets})
    change = Change(
        edits=(AddEndpoint(endpoint),),
        phase="add",
        reason=f"{_named(estate, [each.id for each in subnets])} reach {service} over the internet alone",
        evidence=(*finding.evidence, f"the route tables that get a route to it: {shown_labels(known)}"),
        undo=_UNDO,
    )
    more = (f"the same route tables serve {_named(estate, others)} as well",) if others else ()
    return _proposal(finding, network.id, network.label, service, (change,), (*_GATEWAY_RISKS, *more))


def _interface(estate: Estate, finding: Finding, network: Network, service: str, subnets: Sequence[Subnet]) -> Answer:
    by_zone: dict[str, Subnet] = {}
    for subnet in subnets:
        by_zone.setdefault(subnet.zone or subnet.zone_id or subnet.id, subnet)
    chosen = sorted(by_zone.values(), key=lambda subnet: subnet.id)
    inside = frozenset(subnet.id for subnet in subnets)
    clients = [each for each in estate.interfaces_in(network.id) if each.subnet in inside and opens_connections(each)]
    name = name_for(network.id, service, "endpoint")
    own = new_id(network, name)
    rules = tuple(_rule(own, peer) for peer in _clients(estate, network, clients))
    reason = f"the endpoint for {service} admits those of {network.label} who stand where it is missing"
    changes = [
        *new_group(network, name, rules, reason, finding.evidence),
        Change(
            edits=(
                AddEndpoint(
                    _endpoint(
                        network,
                        service,
                        type="interface",
                        subnets=frozenset(subnet.id for subnet in chosen),
                        groups=frozenset((own,)),
                        private_dns=True,
                    )
                ),
            ),
            phase="add",
            reason=f"{_named(estate, sorted(inside))} reach {service} over the internet alone",
            evidence=finding.evidence,
            undo=_UNDO,
        ),
    ]
    shut = _shut_in(estate, clients, chosen)
    more = (f"the groups of {shown_labels(shut)} let no tcp/443 out to the endpoint: open that first",) if shut else ()
    return _proposal(finding, network.id, network.label, service, tuple(changes), (*_INTERFACE_RISKS, *more))


def _clients(estate: Estate, network: Network, clients: Sequence[Interface]) -> tuple[Peer, ...]:
    """Return who may use an endpoint: the groups of those who stand there; where some carry none, the network."""
    groups = sorted({group for each in clients for group in each.attached if group in estate.groups})
    if groups and len(groups) <= _MOST_GROUPS and all(each.attached for each in clients):
        return tuple(GroupRef(group) for group in groups)
    return tuple(Addresses(AddressSet.parse(cidr)) for cidr in network.addresses.cidrs())


def _rule(rule_set: str, peer: Peer) -> Rule:
    rule = Rule(
        id="",
        direction="ingress",
        verdict="next",
        traffic=_HTTPS,
        remote=(peer,),
        description="clients of the private endpoint",
    )
    return msgspec.structs.replace(rule, id=rule_name(rule_set, rule))


def _shut_in(estate: Estate, clients: Sequence[Interface], subnets: Sequence[Subnet]) -> list[Interface]:
    """Return the clients whose groups do not let them reach an endpoint in some subnets by its addresses."""
    wanted = NO_ADDRESSES
    for subnet in subnets:
        wanted |= subnet.addresses
    found: list[Interface] = []
    known: dict[frozenset[str], bool] = {}
    for client in clients:
        if client.attached not in known:
            open_to = NO_ADDRESSES
            for rule_set in estate.judging(client, GROUPS, "egress"):
                for rule in rule_set.rules:
                    if rule.direction == "egress" and rule.traffic >= _HTTPS:
                        open_to |= outside_addresses(rule.remote, estate)[0]
            known[client.attached] = wanted <= open_to
        if not known[client.attached]:
            found.append(client)
    return found


def _endpoint(network: Network, service: str, **more: object) -> Endpoint:
    name = name_for(network.id, service)
    fields = {"type": "gateway", **more}
    return Endpoint(
        id=new_id(network, name),
        kind="vpc-endpoint",
        name=name,
        region=network.region,
        network=network.id,
        service=f"com.amazonaws.{network.region}.{service}",
        usable=True,
        state="available",
        policy="open",
        **fields,  # type: ignore[arg-type]
    )


def _of_service(estate: Estate, finding: Finding, service: Service) -> Answer:
    """Return the private endpoint of a service of Azure, in the only subnet that holds private endpoints."""
    if service.public is not True:
        return advised(_ID, finding, f"whether {service.label} has a public endpoint was not read")
    homes = sorted(
        {
            subnet
            for endpoint in estate.endpoints.values()
            if endpoint.provider == "azure" and endpoint.type == "interface"
            for subnet in endpoint.subnets
            if subnet in estate.subnets and estate.subnets[subnet].region == service.region
        }
    )
    if len(homes) != 1:
        where = _named(estate, homes) if homes else "no subnet of its region holds private endpoints yet"
        steps = (f"choose the subnet that is to hold the endpoint: {where}", "link the privatelink zone to its network")
        return advised(_ID, finding, f"which network uses {service.label} is not known", steps)
    subnet = estate.subnets[homes[0]]
    name = name_for(service.id, subnet.id)
    network = estate.networks.get(subnet.network)
    above = next(each for _, each in sorted(estate.endpoints.items()) if subnet.id in each.subnets).id.rpartition("/")[
        0
    ]
    endpoint = Endpoint(
        id=f"{above}/{name}",
        kind="private-endpoint",
        name=name,
        region=subnet.region,
        network=subnet.network,
        type="interface",
        service=service.own_id,
        usable=True,
        state="Approved",
        policy="unsupported",
        subnets=frozenset((subnet.id,)),
        private_dns=True,
    )
    change = Change(
        edits=(AddEndpoint(endpoint),),
        phase="add",
        reason=f"{service.label} is reached at its public endpoint alone",
        evidence=(*finding.evidence, f"the private endpoints of its region stand in {subnet.label}"),
        undo=_UNDO,
    )
    where = network.label if network is not None else subnet.label
    return _proposal(finding, service.id, where, service.label, (change,), _AZURE_RISKS)


def _proposal(
    finding: Finding, resource: str, where: str, service: str, changes: tuple[Change, ...], risks: tuple[str, ...]
) -> Proposal:
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=resource,
        summary=f"add a private endpoint for {service} to {where}",
        changes=changes,
        risks=risks,
        assumptions=("the policies of the service admit requests that come by the endpoint",),
    )


def _named(estate: Estate, subnets: Sequence[str]) -> str:
    return shown([estate.subnets[name].label if name in estate.subnets else name for name in subnets])


REMEDY = Remedy(
    id=_ID,
    answers=("missing-private-endpoint",),
    propose=propose,
    examples=EXAMPLES,
    concept={
        "aws": "gateway endpoints in route tables, interface endpoints in subnets with a group of their own",
        "azure": "private endpoints in the subnet that holds such, with their name in the privatelink zone",
    },
    absent={
        "gcp": "an instance takes endpoints only once Private Service Connect is switched on for it, which its owner "
        "decides: the advice tells the steps",
        "kubernetes": "managed services and the ways to them belong to the cloud beneath the cluster",
    },
)
