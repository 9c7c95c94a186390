"""What the draws of all clouds share: who talked to whom, and what is meant to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Addresses, Everyone, GroupRef, own_id
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic
from tests.plan.simulated.judge import Spot, spots_of
from tests.plan.simulated.points import Point

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from cloudseg.flows.coverage import Coverage
    from cloudseg.model import Estate, Rule

__all__ = ["Case", "Talk", "case_of", "one_of"]

_PROTOCOLS = {"tcp": 6, "udp": 17}
_OUTSIDE = ("203.0.113.9", "198.51.100.7", "2600:abcd::9")
_EVIDENCE = (("flows", 0.62), ("both", 0.14), ("intent", 0.14), ("none", 0.1))


class Talk(NamedTuple):
    """A conversation as it is logged.

    Attributes:
        source: who opened it, or one of both where nothing tells.
        target: the other end.
        point: the port of the target.
        verdict: ``accepted`` or ``refused``.
        opened: it is known who opened it.
    """

    source: Spot
    target: Spot
    point: Point
    verdict: str = "accepted"
    opened: bool = True


class Case(NamedTuple):
    """An estate and what is known of who needs what.

    Attributes:
        cloud: ``aws``, ``azure``, ``gcp`` or ``kubernetes``.
        seed: the number that it was drawn from.
        estate: the estate.
        talks: the conversations; None where no logs are given.
        flows: the same as a file of them is read.
        allowed: who may open what to whom, by qualified ids of interfaces; None where no intent is given.
        intent: the same as people wrote it.
    """

    cloud: str
    seed: int
    estate: Estate
    talks: tuple[Talk, ...] | None
    flows: ExampleConversations | None
    allowed: tuple[tuple[tuple[str, ...], tuple[str, ...], Traffic], ...] | None
    intent: Intent | None


def one_of(random: Random, *weighted: tuple[str, float]) -> str:
    """Return one of some texts, each as often as its weight says."""
    return random.choices([text for text, _ in weighted], [weight for _, weight in weighted])[0]


def case_of(cloud: str, seed: int, random: Random, estate: Estate, network: str | None) -> Case:
    """Return a case with drawn conversations and a drawn intent.

    Args:
        cloud: the cloud.
        seed: the number that all is drawn from.
        random: the source of the draws.
        estate: the estate.
        network: what logs call its network; None where they do not.
    """
    evidence = one_of(random, *_EVIDENCE)
    talks = _talks(random, estate) if evidence in {"flows", "both"} else None
    allowed = _allowed(random, estate) if evidence in {"intent", "both"} else None
    flows = None if talks is None else _flows(cloud, talks, estate, network)
    return Case(
        cloud, seed, estate, talks, flows, allowed, None if allowed is None else _intent(random, allowed, estate)
    )


def _talks(random: Random, estate: Estate) -> tuple[Talk, ...]:
    spots = list(spots_of(estate))
    found: list[Talk] = []
    for _, rule_set in sorted(estate.rule_sets.items()):
        for rule in rule_set.rules:
            if not rule.allows or rule.fixed or rule.direction == "egress":
                continue
            targets = {each.id for each in estate.governed(rule_set)}
            own = [spot for spot in spots if spot.interface in targets]
            most = random.choice((0, 1, 1, 2)) if own else 0
            talks = (_by_rule(random, rule, random.choice(own), spots, estate) for _ in range(most))
            found += [talk for talk in talks if talk is not None]
    # Logs without any conversation are refused: they would read as if nobody used anything.
    for _ in range(random.randint(0, 3) if found else 20):
        source, target = random.choice(spots), random.choice(spots)
        if source.family == target.family and source.interface != target.interface:
            found.append(Talk(source, target, Point("tcp", random.choice((22, 443, 5432, 8080)))))
    if random.random() < 0.12:
        found += _strangers(random, spots)
    return tuple(dict.fromkeys(found))


def _by_rule(random: Random, rule: Rule, target: Spot, spots: Sequence[Spot], estate: Estate) -> Talk | None:
    """Return a conversation that a rule could carry, as far as its own words go."""
    outside = [Spot(address) for address in _OUTSIDE] if random.random() < 0.3 else []
    sources = [
        spot
        for spot in (*spots, *outside)
        if spot.family == target.family and spot.interface != target.interface and _named(rule, spot, estate)
    ]
    point = _point(random, rule.traffic)
    if not sources or point is None:
        return None
    verdict = "refused" if random.random() < 0.08 else "accepted"
    return Talk(random.choice(sources), target, point, verdict, opened=random.random() > 0.02)


def _named(rule: Rule, spot: Spot, estate: Estate) -> bool:
    for peer in rule.remote:
        match peer:
            case Everyone():
                return True
            case Addresses(addresses) if addresses.has(spot.address):
                return True
            case GroupRef(group) if any(each.id == spot.interface for each in estate.members(group)):
                return True
            case _:
                pass
    return False


def _point(random: Random, traffic: Traffic) -> Point | None:
    spans = [(name, span) for name in _PROTOCOLS for span in getattr(traffic, name).intervals]
    if not spans:
        return None
    name, (low, high) = random.choice(spans)
    return Point(name, random.choice((low, high, min(high, low + 1), min(high, max(low, 8080)))))


def _strangers(random: Random, spots: Sequence[Spot]) -> list[Talk]:
    """Return a conversation with an address that nobody bears any more."""
    target = random.choice(spots)
    if target.family == 6:
        return []
    return [Talk(Spot(f"{target.address.rpartition('.')[0]}.251"), target, Point("tcp", 443))]


def _flows(cloud: str, talks: Sequence[Talk], estate: Estate, network: str | None) -> ExampleConversations:
    rows: list[dict[str, Any]] = []
    inside = [spot.address for spot in spots_of(estate)]
    for talk in talks:
        more: dict[str, Any] = {"provider": cloud, "verdict": talk.verdict, "protocol": _PROTOCOLS[talk.point.protocol]}
        for end, spot in (("initiator", talk.source), ("responder", talk.target)):
            if spot.interface or _near(spot, inside):
                more[f"{end}_network"] = network
        if not talk.opened:
            more |= {"evidence": "unknown", "confidence": "low", "initiator_port": 40000}
        rows.append(seen(talk.source.address, talk.target.address, talk.point.number, **more))
    return ExampleConversations(rows, _logs(cloud, estate, network))


def _logs(cloud: str, estate: Estate, network: str | None) -> Coverage:
    if cloud == "aws":
        return logs_of(*sorted(own_id(key) for key in estate.interfaces))
    return logs_of("node-1" if cloud == "kubernetes" else "an adapter", provider=cloud, network=network)


def _near(spot: Spot, inside: Sequence[str]) -> bool:
    return spot.address.rpartition(".")[0] in {address.rpartition(".")[0] for address in inside}


def _allowed(random: Random, estate: Estate) -> tuple[tuple[tuple[str, ...], tuple[str, ...], Traffic], ...]:
    keys = sorted(estate.interfaces)
    random.shuffle(keys)
    cut = sorted(random.sample(range(1, len(keys)), min(len(keys) - 1, random.randint(1, 3))))
    parts = [tuple(keys[low:high]) for low, high in zip((0, *cut), (*cut, len(keys)), strict=True)]
    texts = ("tcp/443", "tcp/5432", "tcp/22", "tcp/8000-8100", "udp/53", "all")
    return tuple(
        (random.choice(parts), random.choice(parts), Traffic.parse(random.choice(texts)))
        for _ in range(random.randint(1, 4))
    )


def _intent(
    random: Random, allowed: Sequence[tuple[tuple[str, ...], tuple[str, ...], Traffic]], estate: Estate
) -> Intent:
    parts = sorted({part for sources, targets, _ in allowed for part in (sources, targets)})
    rest = tuple(sorted(set(estate.interfaces) - {key for part in parts for key in part}))
    if rest and random.random() < 0.5:
        parts.append(rest)
    names = {part: f"part-{number}" for number, part in enumerate(parts)}
    segments = tuple(Segment(name=name, choice=Choice(ids=part)) for part, name in names.items())
    allow = tuple(
        Allowance(sources=(names[sources],), targets=(names[targets],), traffic=traffic)
        for sources, targets, traffic in allowed
    )
    return Intent(segments=segments, allow=allow)
