"""Firewalls' rules against the oracle that reads them one by one: drawn policies and connections, both bounds."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from cloudseg.traffic import AddressSet, Traffic
from tests.azure.oracle_firewall import Asked, firewall_says
from tests.azure.raw_firewalls import (
    application_rule,
    collection,
    hub_and_spokes,
    ip_group,
    nat_rule_of,
    network_rule,
    policy,
    rule_group,
)
from tests.azure.said import Said

if TYPE_CHECKING:
    from cloudseg.reach.reachability import Reachability
    from tests.azure.oracle_records import Json
    from tests.azure.raw import Raw

MACHINES = {"a": "10.1.1.4", "a2": "10.1.1.5", "b": "10.2.1.4"}
AWAY = ("8.8.8.8", "20.10.1.1", "51.10.1.1")
RANGES = ("*", "10.1.0.0/16", "10.2.0.0/16", "10.1.1.4", "10.2.1.4/32", "10.1.1.5", "20.0.0.0/8", "8.8.8.8")
PORTS = ("*", "22", "443", "80", "440-450", "1-1023")
PROTOCOLS = (("Any",), ("TCP",), ("UDP",), ("TCP", "UDP"), ("ICMP",))


def _some(random: Random, among: tuple[str, ...]) -> list[str]:
    return random.sample(among, random.randint(1, 2))


def _rule(random: Random, raw: Raw, *, denies: bool) -> Json:
    sources = _some(random, RANGES)
    if random.random() < 0.25:
        return application_rule((random.choice(("*", "*.example.com")),), sources=sources) | {"denies": denies}
    protocols = random.choice(PROTOCOLS)
    ports = ["*"] if protocols == ("ICMP",) else _some(random, PORTS)
    if random.random() < 0.2:
        return network_rule((), ports, sources=sources, protocols=protocols, groups=[raw.ids["group"]])
    names = ("ntp.example.com",) if random.random() < 0.1 else ()
    there = () if names else _some(random, RANGES)
    return network_rule(there, ports, sources=sources, protocols=protocols, names=names)


def drawn(random: Random) -> Raw:
    """Spokes behind a firewall whose policy, and whose parent's, has some rules."""
    raw = hub_and_spokes()
    ip_group(raw, "group", "10.2.1.0-10.2.1.127", "20.10.0.0/16")
    if random.random() < 0.4:
        policy(raw, "parent")
        raw.listed(raw.subscription_of("pol"), "firewall_policies")[0]["properties"]["basePolicy"] = raw.ref("parent")  # type: ignore[index]
    for of in ("pol", "parent"):
        for number in range(random.randint(0, 2) if of in raw.ids else 0):
            made: list[Json] = []
            for place in range(random.randint(1, 3)):
                action = random.choice(("Allow", "Allow", "Deny", "DNAT"))
                if action == "DNAT":
                    rules = [nat_rule_of("20.50.0.10", "8443", "10.2.1.4", "443", sources=_some(random, RANGES))]
                else:
                    rules = [_rule(random, raw, denies=action == "Deny") for _ in range(random.randint(1, 3))]
                made.append(collection(f"c{place}", random.randint(100, 900), action, *rules))
            rule_group(raw, of, f"{of}-{number}", random.randint(1, 50) * 100 + number, *made)
    return raw


@pytest.mark.parametrize("seed", range(60))
def test_what_passes_a_firewall_agrees_with_the_oracle(seed: int) -> None:
    random = Random(seed)
    raw = drawn(random)
    said = Said(raw)
    assert _wrong(random, raw, said.reach, said) == []


def _wrong(random: Random, raw: Raw, reach: Reachability, said: Said) -> list[tuple[object, ...]]:
    """The drawn connections of which engine and oracle say different things."""
    found: list[tuple[object, ...]] = []
    for _ in range(60):
        source = random.choice(list(MACHINES))
        others = [each for each in MACHINES if each[0] != source[0]]
        target = random.choice([*others, *AWAY])
        protocol = random.choice((6, 6, 6, 17, 1))
        port = 0 if protocol == 1 else random.choice((22, 80, 443, 445, 1024, 40000))
        asked = Asked(MACHINES[source], MACHINES.get(target, target), protocol, port)
        traffic = Traffic.protocol(1) if protocol == 1 else Traffic.ports(protocol, port, port)
        end = said.end(target) if target in MACHINES else AddressSet.parse(target)
        bounds = reach.between(said.end(source), end)
        lower, upper = traffic <= bounds.lower, traffic.overlaps(bounds.upper)
        if protocol == 1 and target not in MACHINES:
            # What comes out under the firewall's address carries no other protocols than TCP and UDP for sure.
            continue
        expected = {"passes": (True, True), "denied": (False, False), "open": (False, True)}
        if expected[firewall_says(raw, "pol", asked)] != (lower, upper):
            found.append((asked, firewall_says(raw, "pol", asked), lower, upper))
    return found


@pytest.mark.parametrize("seed", range(60, 66))
def test_explanations_say_the_same_as_the_engine(seed: int) -> None:
    raw = drawn(Random(seed))
    assert Said(raw).disagreements(*AWAY) == []
