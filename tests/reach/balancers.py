"""Small estates with load balancers: two zones with a node each, an application behind them, clients before them."""

from __future__ import annotations

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Forward, Forwarder, ForwardTarget
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

__all__ = ["TARGET", "at_most", "balanced", "balancer", "between", "bounds", "exactly", "forward", "target"]

q = EstateBuilder.id
LISTENER, TARGET = "tcp/443", "tcp/8080"


def exactly(traffic: str) -> Verdict:
    return Verdict(Traffic.parse(traffic), Traffic.parse(traffic))


def at_most(traffic: str) -> Verdict:
    return Verdict(NO_TRAFFIC, Traffic.parse(traffic))


def bounds(lower: str, upper: str) -> Verdict:
    return Verdict(Traffic.parse(lower), Traffic.parse(upper))


def between(builder: EstateBuilder, source: str, target: str) -> Verdict:
    """Ends are own ids of interfaces, or addresses."""
    known = builder.build().interfaces
    ends = [q(end) if q(end) in known else AddressSet.parse(end) for end in (source, target)]
    return Reachability(builder.build()).between(ends[0], ends[1])


def target(own: str = "eni-app", *, healthy: bool | None = True, zone: str = "") -> ForwardTarget:
    return ForwardTarget(target=q(own), healthy=healthy, zone=zone)


def forward(
    *targets: ForwardTarget,
    listens: str | None = LISTENER,
    traffic: str = TARGET,
    checks: str = "none",
    keeps_client: bool | None = False,
    cross_zone: bool | None = True,
) -> Forward:
    """What a listener sends to one target group; to ``eni-app`` unless told."""
    return Forward(
        name="tg",
        listens=None if listens is None else Traffic.parse(listens),
        traffic=Traffic.parse(traffic),
        checks=Traffic.parse(checks),
        keeps_client=keeps_client,
        cross_zone=cross_zone,
        targets=targets or (target(),),
    )


def balancer(
    builder: EstateBuilder,
    *forwards: Forward,
    own: str = "lb",
    accepts: str | None = LISTENER,
    zones: frozenset[str] | None = frozenset({"eu-west-1a", "eu-west-1b"}),
    complete: bool = True,
    kind: str = "network-load-balancer",
) -> None:
    """Add what a load balancer does; its interfaces are added apart."""
    builder.put(
        "forwarders",
        Forwarder(
            id=q(own),
            kind=kind,
            region="eu-west-1",
            accepts=None if accepts is None else Traffic.parse(accepts),
            zones=zones,
            forwards=forwards,
            complete=complete,
        ),
    )


def balanced(
    *forwards: Forward,
    ingress: str = "10.0.0.0/16",
    traffic: str = TARGET,
    node_groups: tuple[str, ...] = ("sg-lb",),
    unread: tuple[str, ...] = (),
    **more: object,
) -> EstateBuilder:
    """The nodes ``node-a`` and ``node-b`` and the target ``eni-app``, in zone a, which admits ``ingress``.

    The clients ``eni-client`` and ``eni-other``, which another group marks, may send anything. ``eni-bystander`` admits
    everything of the network and is no target.
    """
    builder = EstateBuilder(unread=unread)
    for third, zone in ((10, "a"), (20, "b")):
        builder.subnet(f"subnet-{zone}", f"10.0.{third}.0/24", zone=f"eu-west-1{zone}")
        builder.interface(f"node-{zone}", f"subnet-{zone}", node_groups, f"10.0.{third}.9", workload=q("lb"))
    builder.subnet("subnet-clients", "10.0.30.0/24", zone="eu-west-1a")
    everything = allow("egress", "all", "0.0.0.0/0")
    builder.group("sg-lb", allow("ingress", "all", "0.0.0.0/0"), everything)
    builder.group("sg-app", allow("ingress", traffic, ingress), everything)
    builder.group("sg-client", everything)
    builder.group("sg-other", everything)
    builder.group("sg-open", allow("ingress", "all", "10.0.0.0/16"), everything)
    builder.interface("eni-app", "subnet-a", ["sg-app"], "10.0.10.50")
    builder.interface("eni-bystander", "subnet-a", ["sg-open"], "10.0.10.60")
    builder.interface("eni-client", "subnet-clients", ["sg-client"], "10.0.30.5")
    builder.interface("eni-other", "subnet-clients", ["sg-other"], "10.0.30.6")
    balancer(builder, *(forwards or (forward(),)), **more)  # type: ignore[arg-type]
    return builder
