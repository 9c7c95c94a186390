"""A route to the internet on which no firewall allows by name.

What it finds:
    Networks with subnets whose workloads reach the internet by a route that passes no firewall with an effective
    allow-list of names: there is no firewall on the way, it does not stop what it does not allow, or it filters by
    addresses only. Routes are followed through firewalls, NAT gateways and transit gateways, for each address family by
    itself. An internet gateway counts where something has a public address. What cannot be followed, appliances above
    all, is told with low confidence. Routes to a few chosen destinations are left alone. One finding a network.
    On Google Cloud egress rules of firewall policies allow names where packets start: who may send to chosen names
    alone is left out.

Why it matters:
    Groups and network ACLs know addresses, and the addresses of any service on the internet are shared with everybody
    else's. Only what sees names can tell a package mirror from the place to which stolen data goes.

Example:
    ``0.0.0.0/0`` to a NAT gateway whose own subnet routes straight to the internet gateway.

Remedy:
    Lead the default routes of workloads to a firewall that drops by default and allows the names that they need. Where
    a workload needs no internet, take the route away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_azure_routes import add_machine, add_table, add_wall, with_internet
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.example_routes import add_firewall, endpoint_of
from cloudseg.checks.inspection import inspection_of, wall_name, way_words, wide_parts
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.name_filters import NameFilters
from cloudseg.checks.path_witnesses import PathWitnesses, Spot, Trip
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Remedy, Severity
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.inspection import Place, Way
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Firewall, Network

_SHOWN = 10
_BY_POLICY: Final = (
    "allow the names that the workloads need in egress rules of a firewall policy, and deny what else leaves for the "
    "internet; or lead the default routes to a firewall that does"
)


class _Unfiltered(NamedTuple):
    """A place with the ways out of it that nothing filters by name, each with the reason."""

    place: Place
    ways: tuple[tuple[Way, str], ...]

    @property
    def certain(self) -> bool:
        """Whether packets surely take one of the ways, and surely meet no allow-list of names on it."""
        return any(
            way.certain and all(wall.filters is not None for wall in way.passed.firewalls) for way, _ in self.ways
        )


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network with a route to the internet that nothing filters by name."""
    inspection, witnesses = inspection_of(context.estate), PathWitnesses(context)
    filters = NameFilters(context.estate)
    for _, network in sorted(context.estate.networks.items()):
        places = tuple(_without_names(place, filters) for place in inspection.places(network))
        found = [unfiltered for place in places if (unfiltered := _unfiltered(place)) is not None]
        if found:
            yield _finding(context, network, places, found, witnesses)


def _without_names(place: Place, filters: NameFilters) -> Place:
    """Return a place with those who send from it, but for those whom rules let out to chosen names alone.

    Where nobody else sends, none of its ways counts.
    """
    if not any(map(filters.of, place.senders)):
        return place
    senders = tuple(interface for interface in place.senders if not filters.of(interface))
    return place._replace(senders=senders, ways=place.ways if senders else ())


def _unfiltered(place: Place) -> _Unfiltered | None:
    told = [(way, reason) for way in place.ways if (reason := _reason(way))]
    wide = wide_parts(way for way, _ in told)
    kept = tuple((way, reason) for way, reason in told if way.part in wide)
    return _Unfiltered(place, kept) if kept else None


def _reason(way: Way) -> str:
    """Return why a way is not filtered by names; empty where it is."""
    walls, appliances = way.passed
    if any(wall.filters and wall.names for wall in walls):
        return ""
    if walls:
        return ", and ".join(_lack(wall) for wall in walls)
    if appliances:
        return f"unknown: whether the appliances behind {', '.join(appliances)} filter by name"
    if way.leg.end == "unknown":
        return f"unknown: {'; '.join(way.leg.doubts)}"
    return "no firewall on the way"


def _lack(wall: Firewall) -> str:
    why = f" ({wall.reason})" if wall.reason else ""
    if wall.filters is None:
        return f"unknown: whether {wall_name(wall)} filters{why}"
    if wall.filters:
        return f"{wall_name(wall)} filters by addresses and has no allow-list of names{why}"
    return f"{wall_name(wall)} does not stop what it does not allow{why}"


def _finding(
    context: AuditContext,
    network: Network,
    places: Sequence[Place],
    found: Sequence[_Unfiltered],
    witnesses: PathWitnesses,
) -> Finding:
    certain = any(each.certain for each in found)
    told = dict.fromkeys(text for each in found for text in _told(each))
    subnets = sum(len(each.place.subnets) for each in found)
    where = counted(subnets, "subnet") if subnets else "unread subnets"
    reach = ("reaches" if subnets == 1 else "reach") if certain else "may reach"
    return context.finding(
        network,
        f"{where} with workloads in {network.label} {reach} the internet without a firewall that allows by name",
        confidence="high" if certain else "low",
        evidence=(
            *list(told)[:_SHOWN],
            *((f"{len(told) - _SHOWN} more ways of the kind",) if len(told) > _SHOWN else ()),
            *witnesses.of(trip for each in found for trip in _trips(network, each)),
            *_filtered(places),
        ),
        affected=[interface for each in found for interface in each.place.senders],
        remedy=Remedy(
            "restrict-egress",
            _BY_POLICY
            if network.provider == "gcp"
            else "lead the default routes of workloads to a firewall that drops by default and allows the names they "
            "need",
        ),
    )


def _told(each: _Unfiltered) -> Iterator[str]:
    for way, reason in each.ways:
        yield f"{each.place.words()}: {way_words(way.leg)}: {reason}"


def _trips(network: Network, each: _Unfiltered) -> Iterator[Trip]:
    home = Spot(ALL_ADDRESSES, network.id, frozenset(subnet.id for subnet in each.place.subnets))
    # What surely comes out says more than what may.
    for way, _ in sorted(each.ways, key=lambda told: not told[0].certain):
        yield Trip(home, Spot(way.addresses))


def _filtered(places: Sequence[Place]) -> Iterator[str]:
    """Yield which places do it right, and by which firewall."""
    for place in places:
        walls = {wall.id: wall for way in place.ways if not _reason(way) for wall in way.passed.firewalls}
        for _, wall in sorted(walls.items()):
            if wall.filters and wall.names:
                why = f" ({wall.reason})" if wall.reason else ""
                yield f"filtered: {place.words()}: {wall_name(wall)} allows {counted(len(wall.names), 'name')}{why}"


def _led_to_a_firewall(
    *, filters: bool = True, names: tuple[str, ...] = ("*.ubuntu.com",), reason: str = ""
) -> EstateBuilder:
    """Return workloads whose packets pass a firewall, and after it a NAT gateway."""
    b = EstateBuilder()
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", "0.0.0.0/0", "nat-gateway", "nat-1")
    b.subnet("subnet-app", "10.0.3.0/24")
    b.route("rtb-app", "0.0.0.0/0", "endpoint", endpoint_of("firewall-1"))
    b.route("rtb-public", "10.0.3.0/24", "endpoint", endpoint_of("firewall-1"))
    add_firewall(b, filters=filters, names=names, reason=reason)
    b.interface("eni-app", "subnet-app", [], "10.0.3.5")
    return b


def _straight_out() -> Estate:
    b = EstateBuilder()
    b.interface("eni-app")
    return b.build()


def _passes_by_default() -> Estate:
    return _led_to_a_firewall(filters=False, reason="default action order has no default drop").build()


def _by_address_only() -> Estate:
    return _led_to_a_firewall(names=()).build()


def _by_name() -> Estate:
    return _led_to_a_firewall().build()


def _no_way_out() -> Estate:
    b = EstateBuilder()
    b.interface("eni-hidden", "subnet-public", [], "10.0.1.5")
    b.subnet("subnet-db", "10.0.4.0/24")
    b.interface("eni-db", "subnet-db", [], "10.0.4.5")
    return b.build()


def _azure(*, filters: bool = True, names: tuple[str, ...] = (), firewall: bool = True) -> Estate:
    b = with_internet()
    add_wall(b, filters=filters, names=names, reason="what no rule allows is denied" if filters else "")
    add_table(b, "routes-web", "web", firewall=firewall)
    add_machine(b, "nic-1", "web", "10.1.1.4", lent="" if firewall else "20.50.0.1")
    return b.build()


def _azure_nat() -> Estate:
    return _azure(firewall=False)


def _azure_by_address() -> Estate:
    return _azure()


def _azure_by_name() -> Estate:
    return _azure(names=("*.ubuntu.com",))


_VNET: Final = arm("microsoft.network/virtualnetworks", "vnet-1")


def _gcp(*, names: bool) -> Estate:
    b = GcpBuilder()
    allowed = gcp_rule("100", "egress", "tcp/443", "name:api.example.com" if names else "*", priority=100, vpc=False)
    denied = gcp_rule("200", "egress", "all", "*", verdict="deny", priority=200, vpc=False)
    b.policy("guard", allowed, denied)
    b.machine("web", "web", "10.2.1.10", lent="34.1.2.3")
    return b.build()


def _gcp_by_address() -> Estate:
    return _gcp(names=False)


def _gcp_by_name() -> Estate:
    return _gcp(names=True)


CHECK = Check(
    id="unfiltered-internet-route",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a NAT gateway leads straight to the internet", _straight_out, ("vpc-1",), Severity.MEDIUM),
        Example("the firewall lets through what it does not match", _passes_by_default, ("vpc-1",), Severity.MEDIUM),
        Example("the firewall knows addresses and no names", _by_address_only, ("vpc-1",), Severity.MEDIUM),
        Example("a NAT gateway beside an Azure Firewall", _azure_nat, (_VNET,), Severity.MEDIUM),
        Example("network rules of an Azure Firewall know no names", _azure_by_address, (_VNET,), Severity.MEDIUM),
        Example("a firewall drops by default and allows names", _by_name),
        Example("application rules of an Azure Firewall allow names", _azure_by_name),
        Example("no route, or no public address, leads out", _no_way_out),
        Example("a firewall policy allows HTTPS to every address", _gcp_by_address, (NETWORK,), Severity.MEDIUM),
        Example("a firewall policy allows one name, and denies the rest", _gcp_by_name),
    ),
    concept={
        "aws": "routes of subnets to the internet, and the policies of network firewalls on them",
        "azure": "routes of subnets to the internet, and the rules of Azure Firewalls on them",
        "gcp": "routes of networks to the internet, and names in egress rules of firewall policies",
    },
    absent={"kubernetes": "routes and firewalls belong to the cloud beneath the cluster"},
    needs=("networks", "routes", "firewalls"),
    uses=("subnets", "interfaces", "gateways", "endpoints", "transit", "address-lists", "public-access-block"),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.3.2",),
        "cisa-ztmm-2": ("Networks: Network Traffic Management",),
        "nist-800-207": ("2.1",),
    },
    remedy="restrict-egress",
)
