"""What passes between parts of an estate in words: how many pairs, on what, by which rules, shown by one packet."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cloudseg.checks.exposure import classes_of, is_everything, public_words
from cloudseg.checks.rule_lists import counted, traffic_words
from cloudseg.findings import Severity, peer_text
from cloudseg.model import Resource, own_id
from cloudseg.reach.end_names import end_label
from cloudseg.traffic import GLOBAL_UNICAST
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.port_classes import PING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.checks.carriers import Carrier
    from cloudseg.checks.part_flows import Pair, PartFlow
    from cloudseg.findings import Confidence
    from cloudseg.model import Estate, SourceLocation
    from cloudseg.reach.comparing.witness import Witness, Witnesses
    from cloudseg.traffic import AddressSet, Traffic

__all__ = [
    "carrier_words",
    "carriers_written",
    "certainty",
    "flow_evidence",
    "flow_words",
    "outside_words",
    "part_resource",
    "short_traffic",
    "weight_of",
    "witness_of",
    "witness_words",
]

_TERMS: Final = 6
_RANGES: Final = 3


def certainty(flow: PartFlow) -> Confidence:
    """Return how sure it is that anything passes."""
    return "high" if flow.certain else "low"


def weight_of(traffic: Traffic) -> Severity:
    """Return how bad it is that traffic passes inside of an estate where it should not.

    Control over machines, databases and files weigh most; that somebody answers a ping, least.
    """
    if traffic <= PING:
        return Severity.LOW
    return Severity.HIGH if is_everything(traffic) or classes_of(traffic) else Severity.MEDIUM


def flow_words(flow: PartFlow) -> str:
    """Return how much passes: ``7 of 12 pairs on tcp/22``."""
    count = flow.certain or flow.pairs
    most = "" if flow.certain else "at most "
    noun = "interface" if flow.addresses else "pair"
    return f"{most}{count:,} of {counted(flow.of, noun)} on {short_traffic(flow.lower or flow.upper)}"


def short_traffic(traffic: Traffic) -> str:
    """Return traffic in words, the first few parts of it where there are many."""
    terms = traffic.terms()
    text = traffic_words(traffic)
    if len(terms) <= _TERMS or text.startswith("all"):
        return text
    return f"{', '.join(terms[:_TERMS])} and {len(terms) - _TERMS} more"


def outside_words(addresses: AddressSet) -> str:
    """Return outside addresses in words: how much of the internet they are, or the first few ranges."""
    if addresses <= GLOBAL_UNICAST:
        return public_words(addresses)
    ranges = str(addresses).split(", ")
    more = len(ranges) - _RANGES
    return ", ".join(ranges[:_RANGES]) + (f" and {more} more ranges" if more > 0 else "")


def flow_evidence(flow: PartFlow, witnesses: Witnesses, estate: Estate) -> tuple[str, ...]:
    """Return the facts: pairs and traffic of both bounds, outside addresses, the rules that admit most, a packet."""
    noun = "interface" if flow.addresses else "pair"
    facts = [f"{flow.certain:,} of {counted(flow.of, noun)} for sure: {traffic_words(flow.lower)}"]
    if not flow.certain:
        facts = [f"none of {counted(flow.of, noun)} for sure"]
    if flow.pairs > flow.certain or flow.upper != flow.lower:
        facts.append(f"{flow.pairs:,} at most: {traffic_words(flow.upper)}; something on the way was not read")
    if flow.addresses:
        facts.append(f"outside addresses: {outside_words(flow.addresses)}")
    facts.extend(carrier_words(carrier, noun, estate) for carrier in flow.carriers)
    if not flow.carriers:
        facts.append("no list of rules filters it at this end")
    facts.append(witness_words(witness_of(flow.pair, witnesses), estate))
    return tuple(facts)


def carrier_words(carrier: Carrier, noun: str, estate: Estate) -> str:
    """Return in words what a rule admits, and of how many pairs."""
    rule = carrier.rule
    end = "from" if rule.direction == "ingress" else "to"
    says = f"{traffic_words(rule.traffic)} {end} {peer_text(rule.remote, estate)}"
    name = carrier.rule_set.bearer(rule).label if rule.resource else f"{rule.id} of {carrier.rule_set.label}"
    return f"{name} admits it for {counted(carrier.pairs, noun)}: {says}"


def carriers_written(carriers: Iterable[Carrier]) -> Iterator[SourceLocation | None]:
    """Return where the rules are written that admit something: there it can be closed."""
    return (carrier.rule.location or carrier.rule_set.location for carrier in carriers)


def witness_of(pair: Pair, witnesses: Witnesses) -> Witness:
    """Return one packet that passes between two ends."""
    if not isinstance(pair.source, str):
        assert isinstance(pair.target, str)  # noqa: S101 - narrows the type: nothing passes from outside to outside
        return witnesses.from_outside(pair.source, pair.target, pair.traffic)
    if not isinstance(pair.target, str):
        return witnesses.to_outside(pair.source, pair.target, pair.traffic)
    return witnesses.inside(pair.source, pair.target, pair.traffic)


def witness_words(witness: Witness, estate: Estate, *, certain: bool = True) -> str:
    """Return a packet in words, with the names of the interfaces at its ends, and whether it certainly passes."""
    ends = [(word, name) for word, name in (("from", witness.source), ("to", witness.target)) if name]
    named = ", ".join(f"{word} {end_label(estate.interfaces[name], estate)}" for word, name in ends)
    source = _end(witness.source, witness.source_address, estate)
    target = _end(witness.target, witness.target_address, estate)
    return f"witness: {source} → {target} {witness.traffic} ({named}{'' if certain else '; at most'})"


def _end(identifier: str, address: str, estate: Estate) -> str:
    """Return an end as `cloudseg explain` takes it: its address where no other interface bears it, else its own id."""
    if not identifier:
        return address
    if address and _bearers(estate)[address] <= 1:
        return address
    return estate.interfaces[identifier].shown_id


@lru_cache(maxsize=2)
def _bearers(estate: Estate) -> Counter[str]:
    """Return by address how many interfaces bear it: networks may overlap."""
    found: Counter[str] = Counter()
    for interface in estate.interfaces.values():
        both = interface.addresses | interface.public
        for version, numbers in ((4, both.v4), (6, both.v6)):
            # Witnesses show first addresses alone.
            found.update(address_text(version, first) for first, _ in numbers.intervals)
    return found


def part_resource(kind: str, name: str, members: Iterable[str], estate: Estate) -> Resource:
    """Return what a finding about a part of an estate is about: the part, where its first member stands.

    Args:
        kind: what the part is, ``segment``.
        name: its name.
        members: qualified ids of its interfaces, or of those at the other end where it has none; at least one.
        estate: the estate.
    """
    # Where an interface stands is what comes before its own id.
    places = {member.removesuffix(own_id(member)): estate.interfaces[member].region for member in members}
    first = min(places)
    region = places[first] if len(set(places.values())) == 1 else "global"
    return Resource(id=f"{first}{name}", kind=kind, region=region)
