"""Traffic that jumps over a tier, such as from the web tier straight to the database.

What it finds:
    Within one application and environment, interfaces of an outer tier that can open connections to a tier further in,
    past a tier between them, also by way of a load balancer that no tag puts into a tier. Tags tell which interface
    belongs to which application, environment and tier; an interface without a tag for its application or environment
    counts to every one. The order of the tiers is that of the intent, or of the setting below. A tier lies between two
    others only where somebody is in it. Segments that the intent calls shared are left out. Without tags for the tier
    nothing can be said, and the check says so. In a cluster the workloads of a namespace are one application where no
    label such as ``app.kubernetes.io/part-of`` says otherwise.

Why it matters:
    Tiers keep an intruder in the outermost one. A web server that reaches the database directly makes the tier between
    them, with its checks of who may ask for what, of no use.

Example:
    Instances tagged ``tier=web``, ``tier=app`` and ``tier=db``, and a group of the database that admits the range of
    the whole network.

Remedy:
    Admit only the group of the tier next to it. If the jump is meant, name the segment under ``shared`` in the intent,
    or waive the finding with its owner and reason.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.checks.flow_words import (
    carriers_written,
    certainty,
    flow_evidence,
    flow_words,
    part_resource,
    weight_of,
)
from cloudseg.checks.interface import PAIRS_NEED, PAIRS_USE, Check, Example, Parameter
from cloudseg.checks.labelled_ends import unlabelled
from cloudseg.findings import Severity
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.part_flows import PartFlow
    from cloudseg.checks.relays import Relayed
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface
    from cloudseg.reach.comparing.witness import Witnesses
    from cloudseg.traffic import Traffic

_TIERS = Parameter(
    "tiers",
    (
        "edge|public|lb|load-balancer|proxy",
        "web|frontend|front-end|presentation|ui",
        "app|application|backend|back-end|api|logic|service|worker",
        "data|db|database|cache|storage|persistence",
    ),
    "The tiers from the outermost inwards, as tags call them; names of one tier stand between bars. The tiers of an "
    "intent go before them.",
)


_OF_ONE_WORKLOAD = frozenset(("app", "App", "service", "Service", "app.kubernetes.io/name"))
"""Labels that tell the workloads of an application apart, in a cluster."""


class _Part(NamedTuple):
    """Interfaces of one tier of an application; an application or environment that no tag tells is empty."""

    number: int
    application: str
    environment: str
    tier: int
    called: str

    @property
    def name(self) -> str:
        """The part in words: ``shop/web/prod``."""
        return "/".join((self.application or "-", self.called, self.environment or "-"))

    def is_with(self, other: _Part) -> bool:
        """Tell whether two parts may belong to one application and environment."""
        return _same(self.application, other.application) and _same(self.environment, other.environment)


def _same(one: str, other: str) -> bool:
    return not one or not other or one == other


class _Tiers(NamedTuple):
    """What is in which tier.

    Attributes:
        parts: the parts, by number.
        of: the part of each interface, by qualified id.
        members: the interfaces of each part.
        alike: the parts of each application.
    """

    parts: Sequence[_Part]
    of: Mapping[str, int]
    members: Mapping[int, Sequence[str]]
    alike: Mapping[str, Sequence[int]]

    def around(self, part: _Part) -> list[_Part]:
        """Return the parts that may belong to the application and environment of one."""
        application = part.application
        near = (*self.alike[application], *self.alike.get("", ())) if application else range(len(self.parts))
        return [other for other in map(self.parts.__getitem__, near) if other.is_with(part)]


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every two tiers between which traffic passes by a third one."""
    from cloudseg.checks.part_flows import arriving
    from cloudseg.checks.parts import Parts
    from cloudseg.checks.relays import relayed
    from cloudseg.reach.comparing.witness import Witnesses

    tiers = _tiers(context)
    outer = {number: _outer(tiers, number) for number in range(len(tiers.parts))}
    if any(outer.values()):
        witnesses = Witnesses(context.reach)
        for flow in arriving(context.reach, Parts(tiers.of), outer.__getitem__):
            yield _finding(context, flow, tiers, witnesses)
        relays = frozenset(name for name, shown in context.ends.items() if not shown.tier)
        for passed in relayed(context.reach, tiers.of, relays, outer.__getitem__):
            yield _by_relay(context, passed, tiers)


def _outer(tiers: _Tiers, target: int) -> dict[int, Traffic]:
    """Return the parts that a tier lies between and a part: nothing of theirs should get there."""
    inner = tiers.parts[target]
    around = [part for part in tiers.around(inner) if part.tier < inner.tier]
    return {part.number: NO_TRAFFIC for part in around if any(_between(other, part, inner) for other in around)}


def _between(part: _Part, source: _Part, target: _Part) -> bool:
    return source.tier < part.tier < target.tier and part.is_with(source) and part.is_with(target)


def _tiers(context: AuditContext) -> _Tiers:
    order = _order(context)
    keys = [key for key in context.labels.get("application", ()) if key not in _OF_ONE_WORKLOAD]
    numbers: dict[tuple[str, str, int, str], int] = {}
    of: dict[str, int] = {}
    for name, shown in context.ends.items():
        tier = None if shown.tier is None else order.get(shown.tier.casefold())
        if shown.tier is not None and tier is not None:
            application = _application(context.estate.interfaces[name], shown.application, keys)
            key = (application, shown.environment or "", tier, shown.tier)
            of[name] = numbers.setdefault(key, len(numbers))
    members: defaultdict[int, list[str]] = defaultdict(list)
    for name, number in of.items():
        members[number].append(name)
    alike: defaultdict[str, list[int]] = defaultdict(list)
    for key, number in numbers.items():
        alike[key[0]].append(number)
    return _Tiers(tuple(_Part(number, *key) for key, number in numbers.items()), of, members, alike)


def _application(interface: Interface, shown: str | None, keys: Sequence[str]) -> str:
    """Return the application of an interface. Where a pod shows but its own name, the others of its namespace are one.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    if not interface.is_pod:
        return shown or ""
    part_of = next((interface.tags[key] for key in keys if interface.tags.get(key)), "")
    return part_of or interface.tags.get("namespace", "")


def _order(context: AuditContext) -> dict[str, int]:
    """Return the place of each tier, by what tags call it."""
    if context.intent is not None and context.intent.tiers:
        tiers: Sequence[Sequence[str]] = context.intent.tiers
    else:
        tiers = [text.split("|") for text in context.texts(_TIERS.name)]
    return {name.strip().casefold(): place for place, names in enumerate(tiers) for name in names}


def _needs_tiers(context: AuditContext) -> str:
    order = _order(context)
    if any(shown.tier is not None and shown.tier.casefold() in order for shown in context.ends.values()):
        return ""
    shown = sorted({shown.tier for shown in context.ends.values() if shown.tier is not None})
    if not shown:
        return unlabelled(context, "tier")
    return f"no tag names a known tier: there are {', '.join(shown[:5])}; name them under `tiers`"


def _finding(context: AuditContext, flow: PartFlow, tiers: _Tiers, witnesses: Witnesses) -> Finding:
    source, target = tiers.parts[flow.source], tiers.parts[flow.target]
    past = sorted({part.called for part in tiers.around(target) if _between(part, source, target)})
    return context.finding(
        part_resource("segment", target.name, tiers.members[flow.target], context.estate),
        f"{source.name} reaches {target.name} past {' and '.join(past)}: {flow_words(flow)}",
        severity=weight_of(flow.upper),
        confidence=certainty(flow),
        evidence=flow_evidence(flow, witnesses, context.estate),
        reachable=True if flow.certain else None,
        affected=flow.affected,
        places=carriers_written(flow.carriers),
        aspect=f"from {source.name}",
    )


def _by_relay(context: AuditContext, passed: Relayed, tiers: _Tiers) -> Finding:
    source, target = tiers.parts[passed.source], tiers.parts[passed.target]
    past = sorted({part.called for part in tiers.around(target) if _between(part, source, target)})
    words = passed.words(context.estate)
    return context.finding(
        part_resource("segment", target.name, tiers.members[passed.target], context.estate),
        f"{source.name} reaches {target.name} past {' and '.join(past)}: {words}",
        severity=passed.severity,
        confidence=passed.certainty,
        evidence=passed.evidence(context.estate),
        reachable=True if passed.certain else None,
        affected=passed.targets,
        aspect=f"from {source.name} by {', '.join(passed.through)}",
    )


def _three_tiers(*rules: tuple[str, str]) -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-app", allow("ingress", "tcp/8080", "sg-web"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-db", *(allow("ingress", traffic, peer) for traffic, peer in rules))
    for number, tier in enumerate(("web", "app", "db")):
        tags = {"application": "shop", "tier": tier, "env": "prod"}
        b.interface(f"eni-{tier}", "subnet-private", [f"sg-{tier}"], f"10.0.2.{10 + number}", tags=tags)
    return b


def _whole_network() -> Estate:
    return _three_tiers(("tcp/5432", "10.0.0.0/16")).build()


def _ping() -> Estate:
    return _three_tiers(("tcp/5432", "sg-app"), ("icmp/8", "10.0.0.0/16")).build()


def _next_tier_only() -> Estate:
    return _three_tiers(("tcp/5432", "sg-app")).build()


def _other_application() -> Estate:
    b = _three_tiers(("tcp/5432", "sg-app"), ("tcp/5432", "sg-other"))
    b.group("sg-other", allow("egress", "all", "0.0.0.0/0"))
    tags = {"application": "reports", "tier": "web", "env": "prod"}
    b.interface("eni-other", "subnet-private", ["sg-other"], "10.0.2.20", tags=tags)
    return b.build()


def _nothing_between() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/16"))
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"))
    for number, tier in enumerate(("web", "db")):
        tags = {"application": "shop", "tier": tier}
        b.interface(f"eni-{tier}", "subnet-private", [f"sg-{tier}"], f"10.0.2.{10 + number}", tags=tags)
    return b.build()


def _tiers_of_pods(*peers: Pods) -> Estate:
    b = ClusterBuilder()
    for name, tier in (("web", "frontend"), ("api", "backend"), ("db", "database")):
        b.workload("shop", name, {"app": name, "tier": tier})
    b.policy("shop", "deny", ingress=())
    b.policy("shop", "api", {"app": "api"}, ingress=(admit("tcp/8080", Pods({"app": "web"})),))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", *peers),))
    return b.build()


def _whole_namespace() -> Estate:
    return _tiers_of_pods(Pods())


def _next_pods_only() -> Estate:
    return _tiers_of_pods(Pods({"tier": "backend"}))


def _azure(remote: str) -> Estate:
    b = NsgBuilder()
    denied = nsg_rule("ingress", 4096, "all", deny=True)
    b.asg("asg-app")
    b.nsg("nsg-web", denied, subnet="web")
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", remote), denied, subnet="data")
    for number, (tier, subnet) in enumerate((("web", "web"), ("app", "web"), ("db", "data"))):
        tags = {"application": "shop", "tier": tier, "env": "prod"}
        asgs = ["asg-app"] if tier == "app" else []
        b.machine(f"nic-{tier}", subnet, f"10.1.{2 if subnet == 'data' else 1}.{10 + number}", tags=tags, asgs=asgs)
    return b.build()


def _azure_whole_network() -> Estate:
    return _azure("VirtualNetwork")


def _azure_next_tier() -> Estate:
    return _azure("asg-app")


def _gcp(far: str) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("database", "ingress", "tcp/5432", far, targets="account:db"))
    for number, tier in enumerate(("web", "app", "db")):
        labels = {"application": "shop", "tier": tier, "env": "prod"}
        b.machine(
            tier, "data" if tier == "db" else "web", f"10.2.{number // 2 + 1}.1{number}", account=tier, labels=labels
        )
    return b.build()


def _gcp_whole_network() -> Estate:
    return _gcp("10.2.0.0/16")


def _gcp_next_tier() -> Estate:
    return _gcp("account:app")


CHECK = Check(
    id="tier-skip",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example(
            "the database admits the whole network, the web tier in it",
            _whole_network,
            ("shop/db/prod",),
            Severity.HIGH,
        ),
        Example("the database only answers a ping of the web tier", _ping, ("shop/db/prod",), Severity.LOW),
        Example(
            "the database admits its whole namespace, the frontend in it",
            _whole_namespace,
            ("shop/database/-",),
            Severity.HIGH,
        ),
        Example("each tier admits the one before it", _next_tier_only),
        Example("the database admits the pods of the tier before it", _next_pods_only),
        Example("a web tier of another application", _other_application),
        Example("two tiers with nobody between them", _nothing_between),
        Example(
            "an NSG admits the whole virtual network to the database",
            _azure_whole_network,
            ("shop/db/prod",),
            Severity.HIGH,
        ),
        Example("an NSG admits the application's group to the database", _azure_next_tier),
        Example(
            "a VPC firewall rule admits the whole network to the database",
            _gcp_whole_network,
            ("shop/db/prod",),
            Severity.HIGH,
        ),
        Example("a VPC firewall rule admits the application's service account to the database", _gcp_next_tier),
    ),
    concept={
        "aws": "interfaces in tiers, by the tags of what owns them, with all that decides between them",
        "azure": "interfaces in tiers, by the tags of what owns them, with all that decides between them",
        "gcp": "interfaces in tiers, by the labels of their instances, with all that decides between them",
        "kubernetes": "workloads in tiers, by the labels of their pods, with all policies between them",
    },
    needs=PAIRS_NEED,
    uses=PAIRS_USE,
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(21)"),
        "pci-dss-4.0": ("1.3.1",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    parameters=(_TIERS,),
    labels=("application", "tier", "environment"),
    precondition=_needs_tiers,
)
