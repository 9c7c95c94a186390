"""What rules of firewalls let in from the internet by leading public addresses to private ones (DNAT).

The lists of whoever stands behind see the firewall and not the clients, so the rule that opens is the firewall's.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.controls import Subject
from cloudseg.checks.exposure import classes_of, public_words, severity_of, traffic_words
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Remedy
from cloudseg.model import unplaced
from cloudseg.reach.internet import InternetView
from cloudseg.reach.near_ends import concerning
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.passage import find_passage, pipeline_of
from cloudseg.reach.way_in import WaysIn
from cloudseg.traffic import GLOBAL_UNICAST, NO_TRAFFIC, AddressSet, Traffic
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.telling import first_packet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.exposure import PublicServices, RuleExposure
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Entrance, Estate, Firewall, Interface, Rule, RuleSet
    from cloudseg.reach.way_in import WayIn

__all__ = ["led_by_firewalls", "not_by_firewalls", "only_by_firewalls"]

_KIND: Final = "firewall-nat-rule"
_ANYBODY: Final = AddressSet.parse("198.51.100.7")
"""An address of the internet that nobody uses: https://www.rfc-editor.org/rfc/rfc5737"""


class _Reached(NamedTuple):
    """What a rule of a firewall delivers to one interface.

    Attributes:
        interface: the interface.
        lower: what certainly arrives.
        upper: what arrives at most.
        by: the rules of the interface's lists that let it through, in words.
    """

    interface: Interface
    lower: Traffic
    upper: Traffic
    by: tuple[str, ...]


def not_by_firewalls(ways: WaysIn, estate: Estate) -> WaysIn:
    """Return ways to an interface without those that a firewall's rules open."""
    kept = tuple(way for way in ways.ways if not _leads(way, estate))
    return ways._replace(ways=kept)


def only_by_firewalls(context: AuditContext, found: Sequence[RuleExposure]) -> frozenset[tuple[str, str]]:
    """Return the rules to which the internet comes by rules of firewalls alone: by their list's own id, and their own.

    Args:
        context: what is audited.
        found: what rules let in.
    """
    estate, view = context.estate, context.internet
    others = {name: each for name, each in estate.entrances.items() if each.kind != _KIND}
    if len(others) == len(estate.entrances):
        return frozenset()
    bare = InternetView(dataclasses.replace(estate, entrances=others))
    led: set[tuple[str, str]] = set()
    for each in found:
        ways = (way for interface in each.maybe for way in view.ways_in(interface).ways)
        if each.all_read and any(_leads(way, estate) for way in ways):
            places = [one for one in estate.rule_sets_at(each.rule_set.stage) if _same(one, each.rule_set)]
            asked = ((one, rule) for one in places for rule in one.rules if rule.id == each.rule.id)
            if not any(exposure.at_most for one in asked for _, exposure in bare.exposures(*one)):
                led.add((unplaced(each.rule_set.id), each.rule.id))
    return frozenset(led)


def _same(one: RuleSet, other: RuleSet) -> bool:
    return unplaced(one.id) == unplaced(other.id)


def _leads(way: WayIn, estate: Estate) -> bool:
    entrance = estate.entrances.get(way.entrance)
    return entrance is not None and entrance.kind == _KIND


def led_by_firewalls(context: AuditContext, public: PublicServices) -> Iterator[Finding]:
    """Yield a finding for every rule of a firewall by which the internet reaches something, or may reach it."""
    estate = context.estate
    for _, entrance in sorted(estate.entrances.items()):
        firewall = estate.firewalls.get(entrance.id.partition("/natrules/")[0])
        senders = entrance.senders & GLOBAL_UNICAST
        if entrance.kind != _KIND or entrance.active is False or firewall is None or not senders:
            continue
        reached = [_reached(name, entrance, context) for name in sorted(entrance.targets)]
        told = [each for each in reached if each is not None and each.upper]
        if told or not entrance.targets:
            yield _finding(context, entrance, firewall, told, public)


def _reached(name: str, entrance: Entrance, context: AuditContext) -> _Reached | None:
    """Return what gets to an interface by an entrance, whoever it is that the interface sees; None for none."""
    estate = context.estate
    interface = estate.interfaces.get(name)
    way = None
    if interface is not None:
        way = next((each for each in context.internet.ways_in(interface).ways if each.entrance == entrance.id), None)
    if interface is None or way is None:
        return None
    packets = find_passage(interface, WaysIn((way,)), "", estate).packets
    lower = upper = NO_TRAFFIC
    for box in packets.lower:
        # Any of the firewall's addresses may be the one.
        lower |= box.traffic if way.clients <= box.addresses else NO_TRAFFIC
    for box in packets.upper:
        upper |= box.traffic
    return _Reached(interface, lower, upper, tuple(_letting(interface, way, upper, estate)))


def _letting(interface: Interface, way: WayIn, traffic: Traffic, estate: Estate) -> Iterator[str]:
    """Yield the rules of ordered lists that let an entrance's packets through to an interface, in words."""
    pipeline = pipeline_of(interface, estate)
    for stage in () if pipeline is None else pipeline.ingress:
        left = traffic
        for judge in estate.judging(interface, stage.name, "ingress") if stage.match == "first" else ():
            rules = (rule for rule in concerning(judge.rules, interface, estate) if rule.direction == "ingress")
            for rule in sorted(rules, key=_priority):
                least, most = outside_addresses(rule.remote, estate)
                if not (most.overlaps(way.clients) and rule.traffic.overlaps(left)):
                    continue
                if rule.allows:
                    name = f"{judge.label} lets it through by {rule.id}"
                    yield f"behind it {f'{judge.bearer(rule).label} lets it through' if rule.resource else name}"
                if rule.exact and way.clients <= least:
                    left -= rule.traffic


def _priority(rule: Rule) -> int:
    return rule.priority or 0


def _finding(
    context: AuditContext, entrance: Entrance, firewall: Firewall, told: Sequence[_Reached], public: PublicServices
) -> Finding:
    sure = [each for each in told if each.lower]
    traffic = NO_TRAFFIC
    for each in sure or told:
        traffic |= each.lower if sure else each.upper
    traffic = traffic or entrance.traffic
    senders = entrance.senders & GLOBAL_UNICAST
    interfaces = tuple(each.interface for each in told)
    whom = counted(len(told), "interface") if told else f"{entrance.target_addresses}, which was not read,"
    state = "opens" if sure else "may open"
    heard = "" if entrance.listens in {None, traffic} else f" as {entrance.listens}"
    by = tuple(dict.fromkeys(text for each in told for text in each.by))
    return context.finding(
        firewall,
        f"{firewall.label}: the DNAT rule {entrance.name} {state} {traffic_words(traffic)} of {whom} to "
        f"{public_words(senders)}{heard}",
        severity=severity_of(traffic, senders, public_service=public.hold_all(interfaces)),
        confidence="high" if sure else "low",
        evidence=(
            *(f"exposes {known.name}" for known in classes_of(traffic)),
            *by,
            *((f"unknown: {entrance.doubt}",) if entrance.doubt and not sure else ()),
            *(_witness(entrance, sure[0].interface, sure[0].lower, senders) if sure else ()),
        ),
        reachable=True if sure else None,
        affected=interfaces,
        remedy=Remedy(
            "narrow-ports",
            f"name the clients that need it as sources of {entrance.name}, or take the rule away, and reach it over a "
            "bastion or a VPN; a list behind the firewall sees its address and not the clients",
        ),
        aspect=f"DNAT rule {entrance.name}",
        subject=Subject(traffic, frozenset((4,))),
    )


def _witness(entrance: Entrance, interface: Interface, traffic: Traffic, senders: AddressSet) -> Iterator[str]:
    """Yield one packet in its two steps, in words."""
    anybody = _ANYBODY & senders
    if entrance.listens and entrance.addresses:
        at = f"{_first(entrance.addresses)} {first_packet(entrance.listens, 4)}"
        yield f"witness: {_first(anybody or senders)} → {at} (to the firewall)"
    yield (
        f"witness: one of {entrance.clients} → {_first(interface.addresses)} {first_packet(traffic, 4)} "
        "(the firewall sends it on)"
    )


def _first(addresses: AddressSet) -> str:
    if not addresses.v4:
        return str(addresses)
    first, last = addresses.v4.intervals[0]
    return address_text(4, min(first + 1, last) if first != last else first)
