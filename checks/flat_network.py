"""A network in which almost everything can talk to almost everything.

What it finds:
    Networks in which the share of ordered pairs of interfaces that can talk, on any port or on ports of administration,
    is above a threshold. Routes, groups and network ACLs of both ends are all asked. Within a network the parts that
    belong to one application and environment, as tags tell, are measured as well. Interfaces that only pass on packets
    of others, such as those of NAT gateways, do not count. Where something was not read, the share that there may be at
    most counts, and the confidence is low. In a cluster workloads are counted.

Why it matters:
    In a flat network the first machine that is taken over is as good as every other one. Segmentation is measured by
    how much of a network an intruder cannot reach.

Example:
    Ten instances that all carry one group, which admits all traffic from itself.

Remedy:
    Give each application, and each of its tiers, a group of its own; admit the ports that one needs of another by these
    groups, and take the rule away that admits all. Administration ports belong to a bastion or a session service only.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule, vnet_id
from cloudseg.checks.flow_words import carrier_words, carriers_written, witness_of, witness_words
from cloudseg.checks.interface import PAIRS_NEED, PAIRS_USE, Check, Example, Parameter
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Severity
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.traffic.port_classes import ADMINISTRATION, ANY_PORT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from cloudseg.checks.flat_pairs import Within
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Network, Rule, SourceLocation
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.exposure import Density
    from cloudseg.traffic import Traffic

_ON_ANY_PORT, _ON_ADMINISTRATION = "any port", "administration"
_ANY = Parameter(
    "any_port_percent", 50, "From this percentage of pairs that can talk on any port a network is flat.", minimum=1
)
_ADMINISTRATION = Parameter(
    "administration_percent",
    20,
    "From this percentage of pairs that can talk on a port of administration a network is flat.",
    minimum=1,
)
_SMALLEST = Parameter("smallest", 5, "Networks and segments of fewer interfaces than this are not judged.", minimum=2)
_SEGMENTS_SHOWN = 5


class _Measured(NamedTuple):
    """A network or a part of it: its name, how dense it is, and on which classes of ports it is flat."""

    name: str
    density: Density
    flat: tuple[str, ...]


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network that is flat, or of which a segment is."""
    from cloudseg.checks.flat_pairs import within_networks
    from cloudseg.reach.spread.exposure import density

    members = _members(context)
    smallest = context.number(_SMALLEST.name)
    large = {name: own for name, own in members.items() if len(own) >= smallest}
    if not large:
        return
    segments = {
        (network, name): own
        for network, interfaces in large.items()
        for name, own in _segments(context, interfaces).items()
        if len(own) >= smallest
    }
    groups: dict[str, Collection[str]] = dict(large.items())
    groups |= {f"{network}\x1f{name}": own for (network, name), own in segments.items()}
    known = density(context.reach, groups)
    found: dict[str, tuple[_Measured, list[_Measured]]] = {}
    for network in sorted(large):
        whole = _measured(context, "", known[network])
        parts = [_measured(context, name, known[f"{own}\x1f{name}"]) for own, name in segments if own == network]
        if whole.flat or any(part.flat for part in parts):
            found[network] = (whole, parts)
    flat = {network: large[network] for network in found}
    ports = {network: _ports(*found[network]) for network in flat}
    shown = dict(within_networks(context.reach, flat, ports))
    for network, (whole, parts) in found.items():
        yield _finding(context, context.estate.networks[network], whole, parts, shown.get(network))


def _members(context: AuditContext) -> dict[str, list[str]]:
    """Return the interfaces of every network that was read."""
    estate = context.estate
    return {
        network: [interface.id for interface in estate.interfaces_in(network) if not only_passes_on(interface)]
        for network in estate.networks
    }


def _segments(context: AuditContext, interfaces: Iterable[str]) -> dict[str, list[str]]:
    """Return interfaces by application and environment; those whose tags tell neither belong to none."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in interfaces:
        shown = context.shown[name]
        if shown.application or shown.environment:
            found[f"{shown.application or '-'}/{shown.environment or '-'}"].append(name)
    return dict(sorted(found.items()))


def _measured(context: AuditContext, name: str, known: Density) -> _Measured:
    flat: list[str] = []
    if 100 * known.share(known.any_port_at_most) >= context.number(_ANY.name):
        flat.append(_ON_ANY_PORT)
    if 100 * known.share(known.administration_at_most) >= context.number(_ADMINISTRATION.name):
        flat.append(_ON_ADMINISTRATION)
    return _Measured(name, known, tuple(flat))


def _surely(context: AuditContext, known: Density) -> bool:
    return 100 * known.share(known.any_port) >= context.number(_ANY.name) or 100 * known.share(
        known.administration
    ) >= context.number(_ADMINISTRATION.name)


def _ports(whole: _Measured, parts: Sequence[_Measured]) -> Traffic:
    """Return the class of ports on which a network is flat, or a segment of it; administration weighs more."""
    flat = whole.flat or tuple(kind for part in parts for kind in part.flat)
    return ADMINISTRATION if _ON_ADMINISTRATION in flat else ANY_PORT


def _finding(
    context: AuditContext, network: Network, whole: _Measured, parts: list[_Measured], within: Within | None
) -> Finding:
    flat = [part for part in parts if part.flat]
    judged = whole if whole.flat else max(flat, key=lambda part: part.density.any_port_at_most)
    where = network.label if whole.flat else f"{network.label}, segment {judged.name}"
    shown = sorted(parts, key=lambda part: (not part.flat, -part.density.any_port_at_most, part.name))
    sure = _surely(context, judged.density)
    return context.finding(
        network,
        f"{where}: {_share_words(judged.density)}",
        severity=Severity.MEDIUM if whole.flat else Severity.LOW,
        confidence="high" if sure else "low",
        evidence=(
            f"the network: {_numbers(whole.density)}",
            *(f"segment {part.name}: {_numbers(part.density)}" for part in shown[:_SEGMENTS_SHOWN]),
            *((f"{len(shown) - _SEGMENTS_SHOWN} more segments",) if len(shown) > _SEGMENTS_SHOWN else ()),
            *(() if within is None else _shown(within, context.reach)),
        ),
        affected=() if within is None else within.affected,
        places=() if within is None else _written(within, judged.density),
    )


def _written(within: Within, known: Density) -> Iterator[SourceLocation | None]:
    """Return where the rules are written that make it flat; none where most of it passes since nothing filters it.

    Then the finding stands at the first workload that is reached: a policy that selects it is what is missing, and of a
    namespace there may be no manifest.
    """
    most = within.carriers[0].pairs if within.carriers else 0
    return carriers_written(within.carriers if 2 * most >= known.any_port_at_most else ())


def _shown(within: Within, reach: Reachability) -> Iterator[str]:
    from cloudseg.reach.comparing.witness import Witnesses

    for carrier in within.carriers:
        yield carrier_words(carrier, "pair", reach.estate)
    if not within.carriers:
        yield "no list of rules filters what its interfaces take"
    yield witness_words(witness_of(within.pair, Witnesses(reach)), reach.estate)


def _share_words(known: Density) -> str:
    anything, administration = (
        f"{100 * known.share(pairs):.0f} %" for pairs in (known.any_port_at_most, known.administration_at_most)
    )
    return (
        f"{anything} of the pairs of its {counted(known.interfaces, 'interface')} can talk, "
        f"{administration} on ports of administration"
    )


def _numbers(known: Density) -> str:
    pairs = counted(known.pairs, "pair")
    return (
        f"{known.any_port:,} of {pairs} can talk on any port{_more(known.any_port, known.any_port_at_most)}, "
        f"{known.administration:,} on ports of administration"
        f"{_more(known.administration, known.administration_at_most)}"
    )


def _more(certain: int, most: int) -> str:
    return f" ({most:,} at most)" if most > certain else ""


def _machines(peer: str, traffic: str, count: int = 6, *, groups: int = 1) -> EstateBuilder:
    b = EstateBuilder()
    for number in range(groups):
        own = peer if groups == 1 else f"sg-{number}"
        b.group(f"sg-{number}", allow("ingress", traffic, own), allow("egress", "all", "0.0.0.0/0"))
    for number in range(count):
        group = f"sg-{number % groups}"
        b.interface(f"eni-{number}", "subnet-private", [group], f"10.0.2.{10 + number}")
    return b


def _one_group() -> Estate:
    return _machines("sg-0", "all").build()


def _ssh_everywhere() -> Estate:
    return _machines("10.0.0.0/16", "tcp/22").build()


def _three_groups() -> Estate:
    return _machines("", "tcp/443", groups=3).build()


def _few_machines() -> Estate:
    return _machines("sg-0", "all", count=4).build()


def _cluster(*, isolated: bool) -> Estate:
    b = ClusterBuilder()
    for number in range(6):
        b.workload("shop", f"web-{number}")
    if isolated:
        b.policy("shop", "default-deny", ingress=())
        b.policy("shop", "web-1", {"app": "web-1"}, ingress=(admit("tcp/80", Pods({"app": "web-0"})),))
    return b.build()


def _without_policies() -> Estate:
    return _cluster(isolated=False)


def _with_policies() -> Estate:
    return _cluster(isolated=True)


def _azure(*rules: Rule) -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-data", *rules, subnet="data")
    for number in range(6):
        b.machine(f"nic-{number}", "data", f"10.1.2.{10 + number}")
    return b.build()


def _azure_defaults() -> Estate:
    return _azure()


def _azure_denies() -> Estate:
    return _azure(nsg_rule("ingress", 4096, "all", deny=True))


def _gcp(far: str) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("inside", "ingress", "all", far))
    for number in range(6):
        b.machine(f"vm-{number}", "web", f"10.2.1.{10 + number}")
    return b.build()


def _gcp_allow_internal() -> Estate:
    return _gcp("10.2.0.0/16")


def _gcp_office() -> Estate:
    return _gcp("192.168.0.0/24")


CHECK = Check(
    id="flat-network",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("six machines of one group that admits itself", _one_group, ("vpc-1",), Severity.MEDIUM),
        Example("SSH from everywhere in the network", _ssh_everywhere, ("vpc-1",), Severity.MEDIUM),
        Example("a cluster without network policies", _without_policies, ("pods",), Severity.MEDIUM),
        Example("a cluster of which policies isolate every workload", _with_policies),
        Example("machines of three groups, each of which admits its own", _three_groups),
        Example("four machines are no network to speak of", _few_machines),
        Example("six machines behind the default rules of an NSG", _azure_defaults, (vnet_id(),), Severity.MEDIUM),
        Example("six machines behind an NSG that denies what it does not admit", _azure_denies),
        Example("six instances whose network admits itself", _gcp_allow_internal, (NETWORK,), Severity.MEDIUM),
        Example("six instances of which the implied rules keep each from the others", _gcp_office),
    ),
    concept={
        "aws": "all pairs of interfaces of a VPC, with all that decides between them",
        "azure": "all pairs of interfaces of a virtual network, with all that decides between them",
        "gcp": "all pairs of interfaces of a VPC network, with all that decides between them",
        "kubernetes": "all pairs of workloads of a cluster, with all policies between them",
    },
    needs=PAIRS_NEED,
    uses=PAIRS_USE,
    compliance={
        "cis-kubernetes-1.9": ("5.3.2",),
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(21)"),
        "pci-dss-4.0": ("1.2.5", "1.3.1"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    parameters=(_ANY, _ADMINISTRATION, _SMALLEST),
)
