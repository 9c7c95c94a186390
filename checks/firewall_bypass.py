"""A way around the firewall that other packets of the network pass.

What it finds:
    Networks with a firewall, in them or behind their transit gateway, and routes that lead around it: workloads that
    reach the internet straight by an internet gateway, a NAT gateway or an egress-only gateway while others pass the
    firewall; an internet gateway whose own route table does not lead to the firewall what comes in for subnets that
    send through it; replies that go around the firewall that the requests pass; a peering of two networks whose transit
    gateway leads them through it. Firewalls, NAT gateways and public load balancers open no connections, so of their
    subnets only what comes in and the replies are judged. A network that only its neighbours' firewall could serve
    counts less, and so does a firewall that does not filter. One finding a network.

Why it matters:
    What a firewall does not see it cannot stop, and everybody believes that it does. Of a connection of which it sees
    half it can judge nothing, or breaks it.

Example:
    Application subnets route ``0.0.0.0/0`` to the firewall; one subnet for batch jobs still routes to the NAT gateway.

Remedy:
    Lead the routes of all subnets with workloads to the firewall of their zone, and back: in the route tables of the
    internet gateway and of the subnets of NAT gateways.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.cross_paths import cross_detours
from cloudseg.checks.detours import Detour, edge_detours, edges_of, outward, reply_detours
from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_azure_routes import add_machine, add_table, add_wall, with_internet
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_routes import add_edge_table, add_firewall, endpoint_of
from cloudseg.checks.inspection import Passed, inspection_of, wall_name, way_words
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.path_witnesses import PathWitnesses, Spot, Trip
from cloudseg.checks.rule_lists import counted, shown
from cloudseg.findings import Severity
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.checks.breadth import Part
    from cloudseg.checks.detours import Edge
    from cloudseg.checks.inspection import Inspection, Place
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Firewall, Network

_SHOWN = 10


class _Guard(NamedTuple):
    """The firewalls that should see what a network sends to the internet.

    Attributes:
        passed: these, and endpoints before appliances.
        own: they stand in the network, or something of it passes them; else they are its neighbours'.
        outward: some workload of the network sends to the internet through them.
    """

    passed: Passed
    own: bool
    outward: bool


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network with a way around its firewalls."""
    estate, inspection = context.estate, inspection_of(context.estate)
    if not inspection.has_any:
        return
    networks = [network for _, network in sorted(estate.networks.items())]
    edges = edges_of(estate, inspection)
    found: defaultdict[str, list[Detour]] = defaultdict(list)
    for detour in _detours(networks, edges, estate, inspection):
        found[detour.network].append(detour)
    guards = _guards(networks, edges, estate, inspection)
    witnesses = PathWitnesses(context)
    for network in networks:
        guard = guards.get(network.id)
        out = [] if guard is None else [each for place in inspection.places(network) for each in _out(network, place)]
        if out or found[network.id]:
            yield _finding(context, network, guard, (out, found[network.id]), witnesses)


def _detours(
    networks: Sequence[Network], edges: Mapping[str, Mapping[str, Edge]], estate: Estate, inspection: Inspection
) -> Iterator[Detour]:
    """Yield the ways around firewalls but for those of workloads straight to the internet."""
    for network in networks:
        for place in inspection.places(network):
            yield from reply_detours(place, estate, inspection)
        yield from edge_detours(network, edges.get(network.id, {}), estate, inspection)
    yield from cross_detours(estate, inspection)


def _central(networks: Sequence[Network], inspection: Inspection) -> dict[str, Passed]:
    """Return the firewalls to which others are led on their way to the internet, by what leads them there.

    That is a transit gateway, or the network of a firewall to which routes lead over a peering.
    """
    found: dict[str, Passed] = {}
    ways = (way for network in networks for place in inspection.places(network) for way in place.ways if way.passed)
    for way in ways:
        for hop in way.leg.hops:
            if hop.kind == "transit-gateway" and hop.target is not None:
                found[hop.target] = _together(found.get(hop.target, Passed()), way.passed)
            if hop.kind == "peering" and hop.route is None:
                for wall in way.passed.firewalls:
                    found[wall.network] = _together(found.get(wall.network, Passed()), Passed((wall,)))
    return found


def _guards(
    networks: Sequence[Network], edges: Mapping[str, Mapping[str, Edge]], estate: Estate, inspection: Inspection
) -> dict[str, _Guard]:
    """Return the firewalls that should see what networks send to the internet, by network, where there are any."""
    central = _central(networks, inspection)
    standing: defaultdict[str, list[Firewall]] = defaultdict(list)
    for wall in estate.firewalls.values():
        standing[wall.network].append(wall)
    neighbours: defaultdict[str, list[Passed]] = defaultdict(list)
    for attachment in estate.transit_attachments.values():
        if attachment.network is not None and attachment.active and attachment.gateway in central:
            neighbours[attachment.network].append(central[attachment.gateway])
    for peering in estate.peerings.values():
        for one, other in (peering.networks, peering.networks[::-1]):
            if peering.active and other in central:
                neighbours[one].append(central[other])
    found: dict[str, _Guard] = {}
    for network in networks:
        used = [way.passed for place in inspection.places(network) for way in place.ways]
        led = [edge.passed for edge in edges.get(network.id, {}).values()]
        own = _together(Passed(tuple(standing[network.id])), *led, *used)
        if own:
            found[network.id] = _Guard(own, own=True, outward=any(used))
        elif neighbours[network.id]:
            found[network.id] = _Guard(_together(*neighbours[network.id]), own=False, outward=False)
    return found


def _together(*some: Passed) -> Passed:
    walls = {wall.id: wall for passed in some for wall in passed.firewalls}
    appliances = sorted({name for passed in some for name in passed.appliances})
    return Passed(tuple(wall for _, wall in sorted(walls.items())), tuple(appliances))


def _out(network: Network, place: Place) -> Iterator[Detour]:
    """Yield the ways of a place to the internet past no firewall."""
    around, _ = outward(place)
    home = Spot(ALL_ADDRESSES, network.id, frozenset(subnet.id for subnet in place.subnets))
    for way in around:
        text = f"{place.words()}: {way_words(way.leg)}"
        trip = Trip(home, Spot(way.addresses))
        yield Detour(network.id, text, way.certain, way.passed, place.senders, trip)


def _finding(
    context: AuditContext,
    network: Network,
    guard: _Guard | None,
    detours: tuple[Sequence[Detour], Sequence[Detour]],
    witnesses: PathWitnesses,
) -> Finding:
    """Return the finding of a network: of ways of its workloads to the internet, and of all others."""
    out, others = detours
    passed = _together(*(detour.passed for detour in others), *(() if guard is None else (guard.passed,)))
    texts = list(dict.fromkeys(detour.text for detour in (*out, *others)))
    certain = any(detour.certain for detour in (*out, *others))
    whose = "" if guard is None or guard.own else ", which its neighbours send through"
    return context.finding(
        network,
        f"{counted(len(texts), 'way')} of {network.label} {'leads' if len(texts) == 1 else 'lead'} around "
        f"{_names(passed)}{whose}",
        severity=_severity(inspection_of(context.estate), guard, passed, others),
        confidence=("high" if passed.firewalls else "medium") if certain else "low",
        evidence=(
            *(f"around: {text}" for text in texts[:_SHOWN]),
            *((f"{len(texts) - _SHOWN} more ways around",) if len(texts) > _SHOWN else ()),
            *witnesses.of(detour.trip for detour in (*out, *others) if detour.trip is not None),
            *_compliant(context, network),
            *_about(inspection_of(context.estate), passed),
        ),
        affected=[interface for detour in out for interface in detour.senders],
    )


def _names(passed: Passed) -> str:
    walls = [wall_name(wall) for wall in passed.firewalls]
    return shown([*walls, *(f"the appliances behind {name}" for name in passed.appliances)])


def _severity(inspection: Inspection, guard: _Guard | None, passed: Passed, others: Sequence[Detour]) -> Severity:
    # A firewall to which nothing leads is believed to protect, one for other directions is not.
    idle = guard is not None and guard.own and not any(map(inspection.is_routed, guard.passed.firewalls))
    serious = bool(others) or guard is None or guard.outward or idle
    severity = Severity.HIGH if serious else Severity.MEDIUM
    # Of a firewall that stops nothing little is lost.
    open_anyway = not passed.appliances and all(wall.filters is False for wall in passed.firewalls)
    return severity.lowered() if open_anyway else severity


def _compliant(context: AuditContext, network: Network) -> Iterator[str]:
    for place in inspection_of(context.estate).places(network):
        _, through = outward(place)
        passed = _together(*(way.passed for way in through))
        if passed:
            parts = " and ".join(words for part, words in _PARTS.items() if any(way.part == part for way in through))
            yield f"through {_names(passed)}: {place.words()}, {parts}"


_PARTS: dict[Part, str] = {4: "IPv4", 6: "IPv6", "nat64": "IPv4 by NAT64"}


def _about(inspection: Inspection, passed: Passed) -> Iterator[str]:
    """Yield what is known of the firewalls that decides how bad a way around them is."""
    for wall in passed.firewalls:
        why = f" ({wall.reason})" if wall.reason else ""
        if not inspection.is_routed(wall):
            yield f"no route leads to {wall_name(wall)}"
        if wall.filters is False:
            yield f"{wall_name(wall)} does not filter{why}"
        elif wall.filters is None:
            yield f"unknown: whether {wall_name(wall)} filters{why}"


def _guarded() -> EstateBuilder:
    """Return workloads behind a firewall that stands before the NAT gateway."""
    b = EstateBuilder()
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", "0.0.0.0/0", "nat-gateway", "nat-1")
    b.subnet("subnet-app", "10.0.3.0/24")
    b.route("rtb-app", "0.0.0.0/0", "endpoint", endpoint_of("firewall-1"))
    b.route("rtb-public", "10.0.3.0/24", "endpoint", endpoint_of("firewall-1"))
    add_firewall(b)
    b.interface("eni-app", "subnet-app", [], "10.0.3.5")
    return b


def _in_and_out() -> EstateBuilder:
    """Return public workloads behind a firewall that stands at the internet gateway, which does not lead to it yet."""
    b = EstateBuilder()
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", "0.0.0.0/0", "internet-gateway", "igw-1")
    b.subnet("subnet-web", "10.0.3.0/24")
    b.route("rtb-web", "0.0.0.0/0", "endpoint", endpoint_of("firewall-1"))
    add_firewall(b)
    b.interface("eni-web", "subnet-web", [], "10.0.3.5", "203.0.113.5")
    return b


def _straight_to_nat() -> Estate:
    b = _guarded()
    b.interface("eni-batch", "subnet-private", [], "10.0.2.5")
    return b.build()


def _replies_straight_back() -> Estate:
    b = _guarded()
    b.subnet("subnet-app", "10.0.4.0/24")
    b.route("rtb-app", "0.0.0.0/0", "endpoint", endpoint_of("firewall-1"))
    return b.build()


def _in_past_the_firewall() -> Estate:
    return _in_and_out().build()


def _all_through() -> Estate:
    return _guarded().build()


def _both_ways() -> Estate:
    b = _in_and_out()
    add_edge_table(b, "rtb-edge", "igw-1", [("10.0.3.0/24", "endpoint", endpoint_of("firewall-1"))])
    return b.build()


def _no_firewall() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1")
    return b.build()


def _azure(*, around: bool) -> Estate:
    b = with_internet()
    add_wall(b, names=("*.ubuntu.com",))
    add_table(b, "routes-web", "web", firewall=True)
    add_table(b, "routes-data", "data", firewall=not around)
    add_machine(b, "nic-1", "web", "10.1.1.4")
    add_machine(b, "nic-2", "data", "10.1.2.4", lent="20.50.0.1" if around else "")
    return b.build()


def _azure_around() -> Estate:
    return _azure(around=True)


def _azure_through() -> Estate:
    return _azure(around=False)


_VNET: Final = arm("microsoft.network/virtualnetworks", "vnet-1")

CHECK = Check(
    id="firewall-bypass",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("one subnet still routes to the NAT gateway", _straight_to_nat, ("vpc-1",), Severity.HIGH),
        Example("replies come back past the firewall", _replies_straight_back, ("vpc-1",), Severity.HIGH),
        Example("the internet gateway leads past the firewall", _in_past_the_firewall, ("vpc-1",), Severity.HIGH),
        Example("one subnet goes by a NAT gateway around an Azure Firewall", _azure_around, (_VNET,), Severity.HIGH),
        Example("every subnet sends through an Azure Firewall", _azure_through),
        Example("a firewall before the NAT gateway sees requests and replies", _all_through),
        Example("a firewall at the internet gateway sees both ways", _both_ways),
        Example("where there is no firewall there is no way around it", _no_firewall),
    ),
    concept={
        "aws": "routes of subnets, gateways and transit gateways beside network firewalls",
        "azure": "routes of subnets and virtual hubs, and peerings, beside Azure Firewalls",
    },
    absent={
        "gcp": "the firewall of Google Cloud stands at every interface, and no route leads around it",
        "kubernetes": "routes and firewalls belong to the cloud beneath the cluster",
    },
    needs=("networks", "routes", "firewalls"),
    uses=(
        "subnets",
        "interfaces",
        "gateways",
        "endpoints",
        "transit",
        "peerings",
        "address-lists",
        "public-access-block",
    ),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(3)"),
        "pci-dss-4.0": ("1.3.1", "1.3.2"),
        "cisa-ztmm-2": ("Networks: Network Traffic Management",),
    },
)
