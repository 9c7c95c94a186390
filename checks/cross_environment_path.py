"""A path between environments, such as from development to production.

What it finds:
    Interfaces that can open connections to interfaces of another environment, in either direction. Tags tell which
    interface belongs to which environment; names that mean production are one environment, and interfaces without a
    tag count to none, but what comes by way of a load balancer without one is told. One finding stands for all paths
    from an environment in one network to an environment in another or the same one, and one for each such load
    balancer. Environments of shared services are left out, and segments that the intent calls shared. Without tags for
    the environment nothing can be said, and the check says so. In a cluster the labels of pods count, and those of
    their namespaces where the pods say nothing.

Why it matters:
    Where people try things out, guards are low: passwords are weak, patches late, and everybody may log in. A path to
    production makes the weakest machine there a door to it. A path from production is how its data gets out.

Example:
    A peering of the network for development with that of production, and a group in production that admits
    ``10.0.0.0/8``.

Remedy:
    Close the path, best where it begins: no peering and no transit route between environments, and rules that name
    groups. What both need belongs into an environment of its own, as a shared service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule, vnet_id
from cloudseg.checks.flow_words import carriers_written, certainty, flow_evidence, flow_words, part_resource
from cloudseg.checks.interface import PAIRS_NEED, PAIRS_USE, Check, Example, Parameter
from cloudseg.checks.labelled_ends import unlabelled
from cloudseg.findings import Severity
from cloudseg.model import shown_id
from cloudseg.traffic import NO_TRAFFIC
from cloudseg.traffic.port_classes import PING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.part_flows import PartFlow
    from cloudseg.checks.relays import Relayed
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Resource
    from cloudseg.reach.comparing.witness import Witnesses
    from cloudseg.traffic import Traffic

_PRODUCTION = Parameter(
    "production",
    ("prod", "production", "prd", "live"),
    "Values of the tag for the environment that mean production, in any case.",
)
_SHARED = Parameter(
    "shared",
    ("shared", "common", "global", "management", "mgmt", "infra", "infrastructure", "platform"),
    "Values of that tag that mean services for all environments: no path to or from these is told.",
)


class _Part(NamedTuple):
    """Interfaces of one environment in one network; the network is empty where it was not read."""

    environment: str
    network: str


class _Environments(NamedTuple):
    """The parts of an estate by number, and the part of each interface."""

    parts: Sequence[_Part]
    of: dict[str, int]


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every environment of a network that reaches another environment of a network."""
    from cloudseg.checks.part_flows import arriving
    from cloudseg.checks.parts import Parts
    from cloudseg.checks.relays import relayed
    from cloudseg.reach.comparing.witness import Witnesses

    parts, of = _environments(context)
    if len({part.environment for part in parts}) < 2:
        return

    def others(target: int) -> dict[int, Traffic]:
        return {
            number: NO_TRAFFIC for number, part in enumerate(parts) if part.environment != parts[target].environment
        }

    witnesses = Witnesses(context.reach)
    for flow in arriving(context.reach, Parts(of), others):
        yield _finding(context, flow, parts, of, witnesses)
    relays = frozenset(name for name, shown in context.ends.items() if not shown.environment)
    for passed in relayed(context.reach, of, relays, others):
        yield _by_relay(context, passed, parts, of)


def _environments(context: AuditContext) -> _Environments:
    production = {value.casefold() for value in context.texts(_PRODUCTION.name)}
    shared = {value.casefold() for value in context.texts(_SHARED.name)}
    numbers: dict[_Part, int] = {}
    of: dict[str, int] = {}
    for name, shown in context.ends.items():
        value = (shown.environment or "").casefold()
        if value and value not in shared:
            environment = "production" if value in production else value
            part = _Part(environment, context.estate.interfaces[name].network or "")
            of[name] = numbers.setdefault(part, len(numbers))
    return _Environments(tuple(numbers), of)


def _needs_environments(context: AuditContext) -> str:
    return "" if _environments(context).parts else unlabelled(context, "environment")


def _finding(
    context: AuditContext, flow: PartFlow, parts: Sequence[_Part], of: dict[str, int], witnesses: Witnesses
) -> Finding:
    source, target = parts[flow.source], parts[flow.target]
    return context.finding(
        _resource(context, flow.target, target, of),
        f"{_words(source, context.estate)} reaches {_words(target, context.estate)}: {flow_words(flow)}",
        severity=_severity(source, target, flow.upper),
        confidence=certainty(flow),
        evidence=flow_evidence(flow, witnesses, context.estate),
        reachable=True if flow.certain else None,
        affected=flow.affected,
        places=carriers_written(flow.carriers),
        aspect=f"{target.environment} from {source.environment} in {source.network}",
    )


def _by_relay(context: AuditContext, passed: Relayed, parts: Sequence[_Part], of: dict[str, int]) -> Finding:
    source, target = parts[passed.source], parts[passed.target]
    words = passed.words(context.estate)
    return context.finding(
        _resource(context, passed.target, target, of),
        f"{_words(source, context.estate)} reaches {_words(target, context.estate)}: {words}",
        severity=_severity(source, target, passed.traffic),
        confidence=passed.certainty,
        evidence=passed.evidence(context.estate),
        reachable=True if passed.certain else None,
        affected=passed.targets,
        aspect=f"{target.environment} from {source.environment} in {source.network} by {', '.join(passed.through)}",
    )


def _severity(source: _Part, target: _Part, traffic: Traffic) -> Severity:
    if traffic <= PING:
        return Severity.LOW
    return Severity.HIGH if "production" in {source.environment, target.environment} else Severity.MEDIUM


def _resource(context: AuditContext, part: int, target: _Part, of: dict[str, int]) -> Resource:
    network = context.estate.networks.get(target.network)
    if network is not None:
        return network
    members = [name for name, number in of.items() if number == part]
    return part_resource("environment", target.environment, members, context.estate)


def _words(part: _Part, estate: Estate) -> str:
    network = estate.networks.get(part.network)
    if not part.network:
        return f"{part.environment} in a network that was not read"
    return f"{part.environment} in {shown_id(part.network) if network is None else network.label}"


def _two_environments(rule: tuple[str, str], second: str = "dev") -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", *rule))
    b.group("sg-other", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.10", tags={"env": "prod"})
    b.interface("eni-other", "subnet-private", ["sg-other"], "10.0.2.20", tags={"env": second})
    return b.build()


def _whole_network() -> Estate:
    return _two_environments(("tcp/5432", "10.0.0.0/16"))


def _test_and_dev() -> Estate:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/22", "10.0.0.0/16"))
    b.group("sg-b", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-a", "subnet-private", ["sg-a"], "10.0.2.10", tags={"env": "test"})
    b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.20", tags={"env": "dev"})
    return b.build()


def _closed() -> Estate:
    return _two_environments(("tcp/5432", "10.0.1.0/24"))


def _shared_service() -> Estate:
    return _two_environments(("tcp/5432", "10.0.0.0/16"), "shared")


def _two_words_for_one() -> Estate:
    return _two_environments(("tcp/5432", "10.0.0.0/16"), "Production")


def _namespaces(*rules: Pods) -> Estate:
    b = ClusterBuilder()
    b.namespace("shop", env="prod")
    b.namespace("shop-dev", env="dev")
    b.workload("shop", "db")
    b.workload("shop-dev", "web")
    b.policy("shop", "db", ingress=tuple(admit("tcp/5432", peer) for peer in rules))
    b.policy("shop-dev", "deny", ingress=())
    return b.build()


def _namespaces_that_meet() -> Estate:
    return _namespaces(Pods({"app": "web"}, namespaces={}))


def _namespaces_apart() -> Estate:
    return _namespaces(Pods(), Pods(namespaces={"env": "prod"}))


def _azure(remote: str) -> Estate:
    b = NsgBuilder()
    denied = nsg_rule("ingress", 4096, "all", deny=True)
    b.nsg("nsg-web", denied, subnet="web")
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", remote), denied, subnet="data")
    b.machine("nic-db", "data", "10.1.2.10", tags={"env": "prod"})
    b.machine("nic-dev", "web", "10.1.1.10", tags={"env": "dev"})
    return b.build()


def _azure_network() -> Estate:
    return _azure("VirtualNetwork")


def _azure_apart() -> Estate:
    return _azure("10.1.2.0/24")


def _gcp(far: str) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("database", "ingress", "tcp/5432", far, targets="tag:db"))
    b.machine("db", "data", "10.2.2.10", tags=["db"], labels={"env": "prod"})
    b.machine("dev", "web", "10.2.1.10", labels={"env": "dev"})
    return b.build()


def _gcp_network() -> Estate:
    return _gcp("10.2.0.0/16")


def _gcp_apart() -> Estate:
    return _gcp("tag:app")


CHECK = Check(
    id="cross-environment-path",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("production admits the whole network, development in it", _whole_network, ("vpc-1",), Severity.HIGH),
        Example("a path from development to test", _test_and_dev, ("vpc-1",), Severity.MEDIUM),
        Example("a policy admits pods of any namespace", _namespaces_that_meet, ("pods",), Severity.HIGH),
        Example("a policy admits namespaces of its own environment", _namespaces_apart),
        Example("production admits another subnet", _closed),
        Example("the other end is a shared service", _shared_service),
        Example("prod and Production are one environment", _two_words_for_one),
        Example("an NSG admits the whole virtual network to production", _azure_network, (vnet_id(),), Severity.HIGH),
        Example("an NSG admits the subnet of production alone", _azure_apart),
        Example("a VPC firewall rule admits the whole network to production", _gcp_network, (NETWORK,), Severity.HIGH),
        Example("a VPC firewall rule admits a tag that development does not bear", _gcp_apart),
    ),
    concept={
        "aws": "interfaces in environments, by the tags of what owns them, with all that decides between them",
        "azure": "interfaces in environments, by the tags of what owns them, with all that decides between them",
        "gcp": "interfaces in environments, by the labels of their instances, with all that decides between them",
        "kubernetes": "workloads in environments, by the labels of their pods and namespaces, and what is between them",
    },
    needs=PAIRS_NEED,
    uses=PAIRS_USE,
    compliance={
        "cis-kubernetes-1.9": ("5.7.1",),
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7(21)"),
        "pci-dss-4.0": ("6.5.3",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    parameters=(_PRODUCTION, _SHARED),
    labels=("environment",),
    precondition=_needs_environments,
)
