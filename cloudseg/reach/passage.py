"""What the internet can send to an interface before one stage is asked: ways in, and every other stage on the way.

It is the same for all interfaces of one subnet that the same rule sets judge, and for every rule of the stage that is
left out: what a rule lets in is its own packets, intersected with this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import scope_of
from cloudseg.reach.near_ends import concerning
from cloudseg.reach.packets import Bounds, Box, intersect, pass_stage, replied, split_by_stage
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Interface, Pipeline, RuleSet, Stage
    from cloudseg.reach.packets import Passed
    from cloudseg.reach.ways import WaysIn

__all__ = ["Passage", "Step", "carries_unread", "find_passage", "pipeline_of", "stage_was_read", "through"]


class Step(NamedTuple):
    """One stage on the way.

    Attributes:
        packets: what is left after it, its replies included.
        stopper: what stops packets here, in words.
        unread: the stage was not read, in words; empty where it was.
        replies: only some replies pass, in words; empty for a stateful stage.
    """

    packets: Bounds
    stopper: str
    unread: str
    replies: str


class Passage(NamedTuple):
    """The ways to an interface, what comes in by them, and what each stage leaves of it."""

    ways: WaysIn
    entering: Bounds
    steps: tuple[Step, ...]

    @property
    def packets(self) -> Bounds:
        """What is left after every stage."""
        return self.steps[-1].packets if self.steps else self.entering


def pipeline_of(interface: Interface, estate: Estate) -> Pipeline | None:
    """Return the pipeline that judges an interface: its network's, or its provider's where the network was not read."""
    network = None if interface.network is None else estate.networks.get(interface.network)
    return estate.pipelines.get(interface.provider if network is None else network.pipeline)


def find_passage(
    interface: Interface, ways: WaysIn, but: str, estate: Estate, pipeline: Pipeline | None = None
) -> Passage:
    """Return what can come from the internet to an interface through every ingress stage but the one named.

    Args:
        interface: the interface.
        ways: the ways to it.
        but: the name of the stage that is left out; empty for none.
        estate: where lists are looked up.
        pipeline: the stages to ask; None for those of its network.
    """
    packets = Bounds(
        tuple(Box(way.clients, way.traffic) for way in ways.ways if way.certain),
        tuple(Box(way.clients, way.traffic) for way in ways.ways),
    )
    entering = packets
    accepted = Bounds((), ())
    pipeline = pipeline_of(interface, estate) if pipeline is None else pipeline
    steps: list[Step] = []
    part = 0
    for stage in () if pipeline is None else pipeline.met_by(interface, "ingress"):
        if stage.name == but:
            continue
        if stage.part > part:
            # What was accepted for good before meets the stages of the next part all the same.
            packets = Bounds(packets.lower + accepted.lower, packets.upper + accepted.upper)
            accepted, part = Bounds((), ()), stage.part
        judges = estate.judging(interface, stage.name, "ingress")
        name = stage.name.replace("-", " ")
        missing = stage.at == "interface" and carries_unread(interface, estate)
        known = bool(judges) or stage_was_read(stage, interface, estate)
        unread = "" if known and not missing else f"the {name} were not read"
        inside, crossing = _by_boundary(stage, interface, packets, estate)
        if stage.stateful:
            lower, upper = (_judged(stage, judges, interface, crossing, estate, certain=sure) for sure in (True, False))
            left, final = Bounds(lower.on, upper.on), Bounds(lower.accepted, upper.accepted)
        else:
            left, final = through(stage, judges, crossing, pipeline, estate), Bounds((), ())
        if unread:
            # A list that was not read may let everything pass. Those that were read pass what they pass, unless it may
            # deny that before.
            sure = bool(judges) and stage.miss == "deny"
            left = Bounds(left.lower if sure else (), crossing.upper)
            final = Bounds(final.lower if sure else (), crossing.upper if stage.opens_unread else final.upper)
        packets = Bounds(inside.lower + left.lower, inside.upper + left.upper)
        accepted = Bounds(accepted.lower + final.lower, accepted.upper + final.upper)
        stopper = f"stopped by {', '.join(judge.label for judge in judges) or name}"
        # What is accepted for good passes whatever stands behind.
        past = Bounds(packets.lower + accepted.lower, packets.upper + accepted.upper)
        steps.append(Step(past, stopper, unread, "" if stage.stateful else f"only some reply ports pass the {name}"))
    return Passage(ways, entering, tuple(steps))


def _judged(
    stage: Stage, judges: Sequence[RuleSet], interface: Interface, packets: Bounds, estate: Estate, *, certain: bool
) -> Passed:
    """Return one bound of what a stateful ingress stage hands on, and of what it accepts for good."""
    rules = [
        rule for judge in judges for rule in concerning(judge.rules, interface, estate) if rule.direction == "ingress"
    ]
    boxes = packets.bound(certain=certain)
    return split_by_stage(stage, rules if judges else None, boxes, estate, certain=certain)


def carries_unread(interface: Interface, estate: Estate) -> bool:
    """Tell whether an interface carries, or may carry, identities whose rules were not read."""
    return interface.attached_unread or any(
        own not in estate.groups and own not in estate.rule_sets for own in interface.attached
    )


def _by_boundary(stage: Stage, interface: Interface, packets: Bounds, estate: Estate) -> tuple[Bounds, Bounds]:
    """Return the packets that stay inside the interface's subnet, which a boundary stage never meets, and the others.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
    """
    subnet = None if interface.subnet is None else estate.subnets.get(interface.subnet)
    if stage.at != "subnet-boundary" or subnet is None:
        return Bounds((), ()), packets
    within = Box(subnet.addresses, ALL_TRAFFIC)
    inside = Bounds(intersect(packets.lower, within), intersect(packets.upper, within))
    return inside, Bounds(_without(packets.lower, within), _without(packets.upper, within))


def _without(boxes: tuple[Box, ...], by: Box) -> tuple[Box, ...]:
    return tuple(Box(rest, box.traffic) for box in boxes if (rest := box.addresses - by.addresses))


def through(
    stage: Stage, judges: Sequence[RuleSet], packets: Bounds, pipeline: Pipeline | None, estate: Estate
) -> Bounds:
    """Return what an ingress stage leaves of packets; of a stateless one, what its egress lets the replies of back."""
    lower = pass_stage(stage, judges, "ingress", packets.lower, estate).lower
    upper = pass_stage(stage, judges, "ingress", packets.upper, estate).upper
    if stage.stateful:
        return Bounds(lower, upper)
    outward = () if pipeline is None else pipeline.egress
    back = next((other for other in outward if other.name == stage.name), stage)
    return Bounds(
        replied(lower, back, judges, "egress", estate).lower, replied(upper, back, judges, "egress", estate).upper
    )


def stage_was_read(stage: Stage, interface: Interface, estate: Estate) -> bool:
    """Tell whether the lists of a stage were read in full where an interface stands."""
    if stage.at == "platform":
        return True
    inside = stage.at in {"interface", "subnet"}
    facet = stage.facet or ("groups" if inside else "boundary-rules")
    if inside and stage.lists_of == "interface":
        return estate.read(facet, interface)
    # In a shared network its lists belong to the subnet's owner, whose scope may not have been read.
    subnet = None if interface.subnet is None else estate.subnets.get(interface.subnet)
    if subnet is None and interface.network is not None and stage.lists_of == "network":
        return estate.coverage.was_read(facet, interface.provider, scope_of(interface.network), interface.region)
    return estate.read(facet, interface if subnet is None else subnet)
