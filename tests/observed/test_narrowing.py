"""What is kept of one end holds for another one that the same rules do not tell apart: kept and asked anew agree."""

import random

import pytest

from cloudseg.cli.sources import translate
from cloudseg.demo import demo_snapshot_path
from cloudseg.model import Direction, Estate
from cloudseg.observed.carrying import Carriers
from cloudseg.observed.kinds_of_traffic import TrafficKinds, traffic_of
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import load
from cloudseg.traffic import AddressSet

ASKED = ((6, 443), (6, 5432), (6, 22), (6, 51000), (17, 53), (1, None))


@pytest.fixture(scope="module")
def estate() -> Estate:
    return translate(load(demo_snapshot_path()))


def test_answers_that_are_kept_are_those_that_are_asked_anew(estate: Estate) -> None:
    drawn = random.Random(7)
    reach = Reachability(estate)
    kinds = TrafficKinds(rule.traffic for own in estate.rule_sets.values() for rule in own.rules)
    kept = Carriers(estate)
    interfaces = [each for _, each in sorted(estate.interfaces.items()) if each.addresses]
    outside = [Other(AddressSet.parse(text)) for text in ("203.0.113.9", "10.20.0.77", "2001:db8::9", "192.168.1.1")]
    several = 0
    for _ in range(600):
        near, far = drawn.sample(interfaces, 2)
        addresses = far.addresses
        first = AddressSet.from_cidrs([addresses.cidrs()[0].partition("/")[0]])
        other = drawn.choice([Other(first, far), Other(first, far), *outside])
        if drawn.random() < 0.2:
            other = other._replace(groups=frozenset(("*",)))
        direction: Direction = drawn.choice(("ingress", "egress"))
        pair = drawn.choice(ASKED)
        alike = (kinds.kind(*pair), (reach.number_of(near.id), near.subnet))
        found = kept.at(near, direction, other, traffic_of(*pair), alike)
        assert found == Carriers(estate).at(near, direction, other, traffic_of(*pair), alike)
        several += len(found.rules) > 0
    assert several > 100
