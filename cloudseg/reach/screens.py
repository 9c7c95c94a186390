"""Firewalls on the way as lists at the ends: their rules judge who opens connections through them, port by port.

Routes decide who meets a firewall, so these lists follow from the routes of an estate and are worked out with its
reachability. They are no lists of the estate itself: what checks say of rules they say of those that were written.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANYONE, Addresses, Everyone, InSubnets, Rule, RuleSet, Stage, own_id
from cloudseg.reach.near_ends import standing
from cloudseg.reach.roads.legs import legs_from
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Direction, Estate, Firewall, Interface, Peer, Pipeline, Subnet
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.traffic import AddressSet

__all__ = ["SCREEN", "UNNAMED", "screened"]

SCREEN: Final = "firewall "
"""How the names of the stages begin at which the rules of firewalls on the way stand."""
UNNAMED: Final = "*"
"""The id of the rule that denies what no rule of a firewall names."""
_LED: Final = frozenset(("private", "unread", "unknown"))
"""Where packets come out from which others may come in the same way, whose own lists nobody knows."""


class _Met(NamedTuple):
    """The addresses to which packets go through a firewall, and those of them to which other ways may lead as well."""

    by: AddressSet
    unsure: AddressSet


def screened(estate: Estate) -> Estate:
    """Return an estate with the rules of its firewalls as lists of those whose packets pass them.

    What an interface sends through a firewall is judged on its way out. What comes through it from private networks
    that were not read is judged on its way in. Answers pass without a rule. Source:
    https://learn.microsoft.com/azure/firewall/rule-processing
    """
    estate = _without_screens(estate)
    walls = {name: wall for name, wall in sorted(estate.firewalls.items()) if wall.rules is not None}
    if not walls:
        return estate
    standing_in: defaultdict[str, list[Interface]] = defaultdict(list)
    for interface in estate.interfaces.values():
        standing_in[interface.subnet or ""].append(interface)
    occupied = (subnet for name, subnet in sorted(estate.subnets.items()) if name in standing_in)
    found = {each.id: each for subnet in occupied for each in _lists(subnet, standing_in[subnet.id], walls, estate)}
    if not found:
        return estate
    met = [walls[name] for name in walls if any(each.stage == _stage(walls[name]).name for each in found.values())]
    stages = tuple(map(_stage, met))
    used = {estate.networks[each.network or ""].pipeline for each in found.values()}
    pipelines = {
        name: _led_by(pipeline, stages) if name in used else pipeline for name, pipeline in estate.pipelines.items()
    }
    return dataclasses.replace(estate, rule_sets={**estate.rule_sets, **found}, pipelines=pipelines)


def _without_screens(estate: Estate) -> Estate:
    """Return an estate without such lists, which may be those of other routes."""
    if not any(each.stage.startswith(SCREEN) for each in estate.rule_sets.values()):
        return estate
    kept = {name: each for name, each in estate.rule_sets.items() if not each.stage.startswith(SCREEN)}
    pipelines = {
        name: msgspec.structs.replace(
            pipeline, ingress=_unscreened(pipeline.ingress), egress=_unscreened(pipeline.egress)
        )
        for name, pipeline in estate.pipelines.items()
    }
    return dataclasses.replace(estate, rule_sets=kept, pipelines=pipelines)


def _unscreened(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    return tuple(stage for stage in stages if not stage.name.startswith(SCREEN))


def _led_by(pipeline: Pipeline, stages: tuple[Stage, ...]) -> Pipeline:
    """Return a pipeline with further stages at its beginning: no list accepts for good what a firewall denies."""
    return msgspec.structs.replace(pipeline, ingress=(*stages, *pipeline.ingress), egress=(*stages, *pipeline.egress))


def _stage(wall: Firewall) -> Stage:
    return Stage(name=f"{SCREEN}{wall.id}", at="platform", stateful=True, match="first", miss="next", told=False)


def _lists(
    subnet: Subnet, interfaces: Iterable[Interface], walls: Mapping[str, Firewall], estate: Estate
) -> Iterator[RuleSet]:
    """Yield the lists of a subnet with interfaces: one for each firewall that their packets pass."""
    network = estate.networks.get(subnet.network)
    legs = () if network is None else legs_from(subnet, network, estate)
    names = sorted({name for leg in legs for name in leg.screens})
    own = subnet.addresses
    for interface in interfaces if names else ():
        own |= standing(interface, estate)
    for name in names:
        wall = walls[name]
        out = _met(name, [leg for leg in legs if leg.end != "nowhere"])
        into = _met(name, [leg for leg in legs if leg.end in _LED])
        rules = (*_egress(wall, out, own), *_ingress(wall, into, own), *_halves(wall, out, into, own))
        yield RuleSet(
            id=f"{wall.id}@{own_id(subnet.id)}",
            kind=wall.kind,
            name=wall.name,
            region=wall.region,
            stage=_stage(wall).name,
            network=subnet.network,
            rules=rules,
            applies=InSubnets(frozenset((subnet.id,))),
            isolates=frozenset(rule.direction for rule in rules),
        )


def _met(wall: str, legs: Sequence[Leg]) -> _Met:
    by = beside = NO_ADDRESSES
    for leg in legs:
        if wall in leg.screens:
            by |= leg.addresses
        else:
            beside |= leg.addresses
    return _Met(by, by & beside)


def _egress(wall: Firewall, met: _Met, own: AddressSet) -> Iterator[Rule]:
    yield from _beside(met, "egress")
    for rule in wall.rules or ():
        # Most rules are about other subnets.
        if not _named(rule.local).overlaps(own):
            continue
        remote = _within(rule.remote, met.by)
        local = _near(rule.local, own & _families(remote))
        if remote and local:
            yield msgspec.structs.replace(rule, remote=(Addresses(remote),), local=local)
    yield from _denied(met, "egress", wall)


def _ingress(wall: Firewall, met: _Met, own: AddressSet) -> Iterator[Rule]:
    if not met.by:
        return
    yield from _beside(met, "ingress")
    for rule in wall.rules or ():
        remote = _within(rule.local, met.by)
        local = _near(rule.remote, own & _families(remote))
        if remote and local:
            yield msgspec.structs.replace(rule, direction="ingress", remote=(Addresses(remote),), local=local)
    yield from _denied(met, "ingress", wall)


def _halves(wall: Firewall, out: _Met, into: _Met, own: AddressSet) -> Iterator[Rule]:
    """Yield what denies connections of which a firewall sees the answers alone, and lets neither end call the other.

    Answers pass without a rule where it let the connection through. To one that it never saw they are a connection of
    their own. Source: https://learn.microsoft.com/azure/firewall/rule-processing
    """
    known = NO_ADDRESSES
    for rule in wall.rules or ():
        for near, far in ((rule.local, rule.remote), (rule.remote, rule.local)):
            if rule.allows and _named(near).overlaps(own) and not _named(far) <= known:
                known |= _named(far)
    if silent := out.by - out.unsure - into.by - known:
        yield from _denied(_Met(silent, NO_ADDRESSES), "ingress", wall)


def _beside(met: _Met, direction: Direction) -> Iterator[Rule]:
    """Yield what lets through at most where packets need not pass the firewall."""
    if met.unsure:
        yield Rule(
            id="another way",
            direction=direction,
            verdict="next",
            traffic=ALL_TRAFFIC,
            remote=(Addresses(met.unsure),),
            priority=0,
            exact=False,
            doubt="whether packets pass the firewall is not known",
        )


def _denied(met: _Met, direction: Direction, wall: Firewall) -> Iterator[Rule]:
    yield Rule(
        id=UNNAMED,
        direction=direction,
        verdict="deny",
        traffic=ALL_TRAFFIC,
        remote=(Addresses(met.by),),
        priority=len(wall.rules or ()) + 1,
        description="what no rule allows is denied",
    )


# Firewalls ask the same rules of every subnet.
@lru_cache(maxsize=65536)
def _named(peers: tuple[Peer, ...]) -> AddressSet:
    """Return the addresses that peers of a firewall's rule name: they name addresses, or everyone."""
    found = NO_ADDRESSES
    for peer in peers:
        found |= peer.addresses if isinstance(peer, Addresses) else ALL_ADDRESSES
    return found


def _within(peers: tuple[Peer, ...], addresses: AddressSet) -> AddressSet:
    """Return those of some addresses that peers name."""
    named = _named(peers)
    return addresses if named is ALL_ADDRESSES else named & addresses if named.overlaps(addresses) else NO_ADDRESSES


def _near(peers: tuple[Peer, ...], own: AddressSet) -> tuple[Peer, ...]:
    """Return the near end of a rule as addresses of a subnet see it; nobody where it is about none of them."""
    if any(isinstance(peer, Everyone) for peer in peers):
        return ANYONE
    named = _named(peers)
    if not own.overlaps(named):
        return ()
    return ANYONE if own <= named else (Addresses(named),)


def _families(addresses: AddressSet) -> AddressSet:
    """Return every address of the families that some addresses are of."""
    four = ALL_IPV4 if addresses.v4 else NO_ADDRESSES
    return four | (ALL_IPV6 if addresses.v6 else NO_ADDRESSES)
