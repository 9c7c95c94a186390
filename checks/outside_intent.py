"""Traffic that can pass and that nobody intended.

What it finds:
    What one segment of the intent can open to another, or to the internet, beyond what the intent allows; what the
    internet and other outside addresses can open to a segment; and everything that interfaces in no segment can open or
    take. One finding stands for two segments, with all that passes between them. What the whole internet can is not
    told again of a range in it. Routes, groups, network ACLs, gateways and load balancers are all asked; where
    something was not read, what passes at most counts, and the confidence is low. Pods of a cluster that policies open
    to the internet, and to which no Service, Ingress, Gateway or address of their own leads, count as latent: medium or
    low. A temporary allowance that is over allows nothing. Without an intent nothing can be said, and the check says
    so.

Why it matters:
    The intent is what the owners agreed on in writing. Whatever goes beyond it was never reviewed: a leftover of a
    migration, a rule for a test, a range that is wider than its purpose. It is what an intruder uses and nobody misses
    when it is closed.

Example:
    The intent lets ``web`` open ``tcp/8080`` to ``app``, and the group of ``app`` admits all ports from the whole
    network.

Remedy:
    Close what no rule should admit: narrow the rules that the evidence names. What turns out to be needed belongs into
    the intent, with a reason and an owner.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import is_host, of_cluster
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import gcp_rule
from cloudseg.checks.example_gcp_intents import gcp_web_and_app, gcp_web_to_app
from cloudseg.checks.example_intents import web_and_app, web_to_app
from cloudseg.checks.example_nsgs import nsg_rule
from cloudseg.checks.exposure import classes_of, is_everything, severity_of
from cloudseg.checks.flow_words import (
    carriers_written,
    certainty,
    flow_evidence,
    flow_words,
    part_resource,
    weight_of,
)
from cloudseg.checks.interface import PAIRS_NEED, PAIRS_USE, Check, Example
from cloudseg.findings import Severity
from cloudseg.intent import Allowance, Intent
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.segments import INTERNET, Choice, Segment
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, Traffic
from cloudseg.traffic.port_classes import PING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.part_flows import PartFlow
    from cloudseg.checks.parts import Parts
    from cloudseg.findings import Finding
    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Estate
    from cloudseg.reach.comparing.witness import Witnesses

_UNASSIGNED: Final = "unassigned"
_LATENT: Final = (
    "policies let it in, and nothing leads there from the internet: no Service, Ingress, Gateway or address of its own"
)


class _Ends(NamedTuple):
    """The ends of an estate by the segments they belong to.

    Attributes:
        segments: the segments of each part.
        parts: the parts.
        members: qualified ids of the interfaces of each part.
    """

    segments: Sequence[tuple[str, ...]]
    parts: Parts
    members: Mapping[int, Sequence[str]]


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every two segments between which more passes than the intent allows."""
    from cloudseg.checks.part_flows import arriving, leaving
    from cloudseg.reach.comparing.witness import Witnesses

    matrix = context.intent_matrix
    if matrix is None:
        return
    ends = _ends(context)
    numbers = range(len(ends.segments))

    def into(target: int) -> dict[int, Traffic]:
        return {number: matrix.for_segments(ends.segments[number], ends.segments[target]) for number in numbers}

    def out_of(source: int) -> dict[int, Traffic]:
        return {number: matrix.for_segments(ends.segments[source], ends.segments[number]) for number in numbers}

    witnesses = Witnesses(context.reach)
    for flow in _told_once(list(arriving(context.reach, ends.parts, into)), ends, outward=False):
        yield _finding(context, flow, ends, matrix, witnesses)
    for flow in _told_once(list(leaving(context.reach, ends.parts, out_of)), ends, outward=True):
        yield _finding(context, flow, ends, matrix, witnesses)


def _ends(context: AuditContext) -> _Ends:
    from cloudseg.checks.parts import Parts

    segmentation = context.segmentation
    numbers: dict[tuple[str, ...], int] = {}
    of: dict[str, int] = {}
    for name, interface in sorted(context.estate.interfaces.items()):
        segments = segmentation.segments_of(name)
        if segments or not only_passes_on(interface):
            of[name] = numbers.setdefault(segments, len(numbers))
    outside = tuple(
        (piece.addresses, numbers.setdefault(piece.segments, len(numbers)))
        for piece in segmentation.split(ALL_ADDRESSES)
    )
    members: defaultdict[int, list[str]] = defaultdict(list)
    for name, number in of.items():
        members[number].append(name)
    return _Ends(tuple(numbers), Parts(of, outside), members)


def _told_once(flows: Sequence[PartFlow], ends: _Ends, *, outward: bool) -> Iterator[PartFlow]:
    """Yield flows, without those of named parts of the internet that pass nothing but what all of the internet can.

    Args:
        flows: what passes, all to interfaces, or all to outside addresses.
        ends: the parts.
        outward: to outside addresses.
    """
    whole: dict[int, Traffic] = {}
    for flow in flows:
        far, near = (flow.target, flow.source) if outward else (flow.source, flow.target)
        if flow.addresses and ends.segments[far] == (INTERNET,):
            whole[near] = flow.upper
    for flow in flows:
        far, near = (flow.target, flow.source) if outward else (flow.source, flow.target)
        named = flow.addresses and INTERNET in ends.segments[far] and ends.segments[far] != (INTERNET,)
        if not named or near not in whole or not flow.upper <= whole[near]:
            yield flow


def _needs_intent(context: AuditContext) -> str:
    return "" if context.intent is not None else "there is no intent to compare with; name one by --intent FILE"


def _finding(context: AuditContext, flow: PartFlow, ends: _Ends, matrix: IntentMatrix, witnesses: Witnesses) -> Finding:
    estate = context.estate
    source, target = ends.segments[flow.source], ends.segments[flow.target]
    inward = isinstance(flow.pair.target, str)
    members = ends.members[flow.target if inward else flow.source]
    own, other = (target, source) if inward else (source, target)
    words = f"{_name(source)} to {_name(target)}"
    intended = matrix.for_segments(source, target)
    latent = source == (INTERNET,) and all(_nothing_leads_to(name, context) for name in flow.affected)
    from_internet = flow.upper <= matrix.for_segments((INTERNET,), target)
    return context.finding(
        part_resource("segment", _name(own), members, estate),
        f"{words} is not intended: {flow_words(flow)}",
        severity=Severity.LOW if from_internet else _severity(flow, source, target, latent=latent),
        confidence=certainty(flow),
        evidence=(
            f"intended from {words}: {intended or 'nothing'}",
            *((f"the internet may open it to {_name(target)}",) if from_internet else ()),
            *((_LATENT,) if latent else ()),
            *flow_evidence(flow, witnesses, estate),
        ),
        reachable=True if flow.certain else None,
        affected=flow.affected,
        places=carriers_written(flow.carriers),
        aspect=f"{'from' if inward else 'to'} {_name(other)}{' outside' if flow.addresses else ''}",
    )


def _name(segments: tuple[str, ...]) -> str:
    """Return segments in words; what people named says more than that it is a part of the internet."""
    return "+".join(name for name in segments if name != INTERNET) or (INTERNET if segments else _UNASSIGNED)


def _nothing_leads_to(name: str, context: AuditContext) -> bool:
    """Tell whether the internet certainly has no way to pods, whatever their policies let in.

    Addresses of pods count inside of their cluster: what serves them outside is a Service, an Ingress or a Gateway.
    Source: https://kubernetes.io/docs/concepts/services-networking/
    """
    interface = context.estate.interfaces[name]
    network = context.estate.networks.get(interface.network or "")
    # Pods in a network of a cloud are reached by its routes, which were asked before.
    if not of_cluster(interface) or is_host(interface) or network is None or not of_cluster(network):
        return False
    ways = context.internet.ways_in(interface)
    found = ways.ways or ways.unknown or ways.unread or ways.unseen
    return not found and not interface.addresses.overlaps(GLOBAL_UNICAST)


def _severity(flow: PartFlow, source: tuple[str, ...], target: tuple[str, ...], *, latent: bool) -> Severity:
    """Return how bad it is: worst where the internet comes in, mildest where only a few ports lead out."""
    if latent:
        return severity_of(flow.upper, flow.addresses, latent=True)
    if source == (INTERNET,):
        # Whoever wrote an intent did not mean to serve this to everybody, so that no port but a ping is harmless.
        found = severity_of(flow.upper, flow.addresses)
        return found if flow.upper <= PING else min(found, Severity.HIGH, key=lambda severity: severity.rank)
    if INTERNET in target:
        wide = is_everything(flow.upper) or classes_of(flow.upper)
        return Severity.MEDIUM if wide else Severity.LOW
    return weight_of(flow.upper)


def _shop(*allowances: Allowance) -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in ("web", "app"))
    return Intent(segments=segments, allow=allowances)


def _intended() -> Intent:
    return _shop(
        Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080")),
        Allowance(sources=(INTERNET,), targets=("web",), traffic=Traffic.parse("tcp/443")),
        Allowance(sources=("web", "app"), targets=(INTERNET,), traffic=Traffic.parse("tcp/443")),
    )


def _two_tiers(rule: tuple[str, str], public: str = "tcp/443") -> EstateBuilder:
    b = EstateBuilder()
    b.group(
        "sg-web",
        allow("ingress", public, "0.0.0.0/0"),
        allow("egress", "tcp/443", "0.0.0.0/0"),
        allow("egress", "all", "10.0.0.0/16"),
    )
    b.group("sg-app", allow("ingress", *rule), allow("egress", "tcp/443", "198.51.100.0/24"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10", "203.0.113.10")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b


def _whole_network() -> Estate:
    return _two_tiers(("tcp/8000-9000", "10.0.0.0/16")).build()


def _ssh_from_the_internet() -> Estate:
    return _two_tiers(("tcp/8080", "sg-web"), "tcp/22, tcp/443").build()


def _as_intended() -> Estate:
    return _two_tiers(("tcp/8080", "sg-web")).build()


def _in_no_segment() -> Estate:
    b = _two_tiers(("tcp/8080", "sg-web"))
    b.group("sg-loose", allow("ingress", "tcp/22", "sg-web"))
    b.interface("eni-loose", "subnet-private", ["sg-loose"], "10.0.2.20")
    return b.build()


def _of_pods(*peers: Pods) -> Estate:
    b = ClusterBuilder()
    for name in ("web", "app"):
        b.workload("shop", name, {"app": name})
    b.policy("shop", "deny", ingress=(), egress=())
    b.policy("shop", "web", {"app": "web"}, egress=(admit("tcp/8080-8090", Pods({"app": "app"})),))
    b.policy("shop", "app", {"app": "app"}, ingress=tuple(admit("tcp/8080-8090", peer) for peer in peers))
    return b.build()


def _more_ports_of_pods() -> Estate:
    return _of_pods(Pods())


def _pods_apart() -> Estate:
    return _of_pods(Pods({"app": "job"}))


def _pods_intended() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(labels={"app": (name,)})) for name in ("web", "app"))
    allowed = Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080"))
    return Intent(segments=segments, allow=(allowed,))


def _azure_other() -> Estate:
    return web_and_app(nsg_rule("ingress", 100, "tcp/8000-8100", "asg-web"))


def _azure_as_meant() -> Estate:
    return web_and_app(nsg_rule("ingress", 100, "tcp/8080", "asg-web"))


def _gcp_other() -> Estate:
    return gcp_web_and_app(gcp_rule("app", "ingress", "tcp/8000-8100", "tag:web", targets="tag:app"))


def _gcp_as_meant() -> Estate:
    return gcp_web_and_app(gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"))


CHECK = Check(
    id="outside-intent",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("more ports than the intent allows", _whole_network, ("app",), Severity.HIGH, intent=_intended),
        Example(
            "SSH from the internet, where only HTTPS is meant",
            _ssh_from_the_internet,
            ("web",),
            Severity.HIGH,
            intent=_intended,
        ),
        Example(
            "an interface in no segment is reached", _in_no_segment, ("unassigned",), Severity.HIGH, intent=_intended
        ),
        Example("policies admit more ports", _more_ports_of_pods, ("app",), Severity.HIGH, intent=_pods_intended),
        Example("all that passes is intended", _as_intended, intent=_intended),
        Example("policies admit nothing", _pods_apart, intent=_pods_intended),
        Example("an NSG admits more ports", _azure_other, ("app",), Severity.HIGH, intent=web_to_app),
        Example("an NSG admits what is intended", _azure_as_meant, intent=web_to_app),
        Example("a VPC firewall rule admits more ports", _gcp_other, ("app",), Severity.HIGH, intent=gcp_web_to_app),
        Example("a VPC firewall rule admits what is intended", _gcp_as_meant, intent=gcp_web_to_app),
    ),
    concept={
        "aws": "all pairs of interfaces, and the internet, against the intent given by `--intent`",
        "azure": "all pairs of interfaces, and the internet, against the intent given by `--intent`",
        "gcp": "all pairs of interfaces, and the internet, against the intent given by `--intent`",
        "kubernetes": "all pairs of workloads, and outside addresses, against the intent given by `--intent`",
    },
    needs=PAIRS_NEED,
    uses=PAIRS_USE,
    compliance={
        "nist-800-53r5": ("AC-4", "CA-9", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.2.5", "1.3.1", "1.3.2"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    precondition=_needs_intent,
)
