"""The number for the board: estates worked by hand, and random ones pair by pair."""

from itertools import permutations
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.intent import Allowance, IntentMatrix
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.spread.exposure import Density, Exposure, Intended, density, exposure_of
from cloudseg.reach.spread.extents import Spread
from cloudseg.segments import Choice, Segment, resolve_segments
from cloudseg.traffic import NO_TRAFFIC, Traffic
from cloudseg.traffic.port_classes import ADMINISTRATION, ANY_PORT
from tests.oracle.compare import estate_of
from tests.oracle.estates import raw_estate

ID = EstateBuilder.id
OUT = allow("egress", "all", "10.0.0.0/16")


def shop() -> EstateBuilder:
    """Two web servers open 5432 to a database; the first one takes ssh from everywhere."""
    builder = EstateBuilder()
    builder.group("sg-web", OUT)
    builder.group("sg-ssh", allow("ingress", "tcp/22", "0.0.0.0/0"))
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-web"))
    builder.interface("eni-web1", "subnet-public", ["sg-web", "sg-ssh"], "10.0.1.11", public="203.0.113.11")
    builder.interface("eni-web2", "subnet-public", ["sg-web"], "10.0.1.12", public="203.0.113.12")
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.11")
    return builder


def exposure(builder: EstateBuilder, intended: Intended | None = None) -> Exposure:
    return exposure_of(Reachability(builder.build()), intended)


def test_exposure_is_the_pairs_that_can_talk_as_a_share_of_all_ordered_pairs() -> None:
    found = exposure(shop())
    # web1 → db, web2 → db, web2 → web1, db → web1; each of three has two others.
    assert (found.interfaces, found.by_intent) == (3, False)
    assert (found.any_port.pairs, found.any_port.of, found.any_port.share) == (4, 6, 0.666667)
    assert (found.administration.pairs, found.administration.of, found.administration.share) == (2, 6, 0.333333)


def test_what_the_internet_reaches_is_counted_by_interface() -> None:
    found = exposure(shop())
    assert (found.any_port.from_internet, found.administration.from_internet) == (1, 1)
    builder = shop()
    builder.group("sg-web", OUT, allow("ingress", "tcp/443", "0.0.0.0/0"))
    found = exposure(builder)
    assert (found.any_port.from_internet, found.administration.from_internet) == (2, 1)


def test_what_comes_from_a_private_range_is_not_the_internet() -> None:
    builder = shop()
    builder.group("sg-ssh", allow("ingress", "tcp/22", "172.16.0.0/12"))
    assert exposure(builder).any_port.from_internet_at_most == 0


def test_the_own_global_range_of_a_network_is_not_the_internet() -> None:
    builder = shop()
    network = builder.build().networks[ID("vpc-1")]
    own = network.addresses | type(network.addresses).parse("2600:1f00::/56")
    builder.put("networks", msgspec.structs.replace(network, addresses=own))
    builder.group("sg-ssh", allow("ingress", "tcp/22", "2600:1f00::/56"))
    builder.interface("eni-web1", "subnet-public", ["sg-web", "sg-ssh"], "10.0.1.11, 2600:1f00::11", "203.0.113.11")
    builder.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    builder.acl(
        "acl-1", ["subnet-public"], (acl_entry("ingress", 1, "all", "::/0"), acl_entry("egress", 1, "all", "::/0"))
    )
    assert exposure(builder).any_port.from_internet == 0
    builder.group("sg-ssh", allow("ingress", "tcp/22", "2600::/16"))
    assert exposure(builder).any_port.from_internet == 1


def test_the_blast_radius_is_part_of_it() -> None:
    found = exposure(shop()).any_port
    assert found.one_step == Spread(1, 2, (ID("eni-web2"),), 1)
    assert found.blast_radius == Spread(1, 2, (ID("eni-web2"),), 1)


def test_what_is_unknown_is_between_two_numbers() -> None:
    builder = shop()
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "pl-1"))
    found = exposure(builder).any_port
    assert (found.pairs, found.pairs_at_most) == (2, 4)
    assert (found.share, found.share_at_most) == (0.333333, 0.666667)
    assert (found.blast_radius.worst, found.blast_radius_at_most.worst) == (1, 2)


@pytest.mark.parametrize("interfaces", [0, 1])
def test_without_a_pair_there_is_no_share(interfaces: int) -> None:
    builder = EstateBuilder()
    for _ in range(interfaces):
        builder.interface("eni-1")
    found = exposure(builder).any_port
    assert (found.pairs, found.of, found.share, found.share_at_most) == (0, 0, None, None)


def matrix_of(builder: EstateBuilder, *allowances: tuple[str, str, str]) -> Intended:
    segments = [
        Segment(name="web", choice=Choice(groups=("sg-web",))),
        Segment(name="db", choice=Choice(groups=("sg-db",))),
    ]
    allow_ = [Allowance(sources=(s,), targets=(t,), traffic=Traffic.parse(ports)) for s, t, ports in allowances]
    matrix = IntentMatrix(resolve_segments(segments, builder.build()), allow_, "2026-01-15")
    return Intended(matrix.segmentation.segments_of, matrix.for_interfaces)


def test_with_an_intent_it_is_a_share_of_the_pairs_that_the_intent_names() -> None:
    builder = shop()
    found = exposure(builder, matrix_of(builder, ("web", "db", "tcp/5432")))
    assert found.by_intent
    # web1 → db and web2 → db are meant; four can talk.
    assert (found.any_port.of, found.any_port.share) == (2, 2.0)
    assert (found.administration.of, found.administration.share) == (0, None)


def test_a_segment_that_is_meant_to_talk_to_itself_has_the_pairs_of_different_members() -> None:
    builder = shop()
    found = exposure(builder, matrix_of(builder, ("web", "web", "tcp/22"), ("db", "db", "tcp/22")))
    assert found.administration.of == 2


def test_the_intent_is_asked_once_for_every_two_segments() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", OUT)
    for number in range(40):
        builder.interface(f"eni-{number}", groups=["sg-a"], address=f"10.0.2.{number + 4}")
    asked: list[tuple[str, str]] = []

    def between(source: str, target: str) -> Traffic:
        asked.append((source, target))
        return NO_TRAFFIC

    def is_odd(name: str) -> bool:
        return name.endswith("1")

    exposure(builder, Intended(is_odd, between))
    assert len(asked) == len(set(asked)) * 2 == 8


def test_it_is_written_as_json_and_read_again() -> None:
    found = exposure(shop())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Exposure) == found


def test_the_density_of_a_group_counts_pairs_within_it() -> None:
    reach = Reachability(shop().build())
    groups = {"public": [ID("eni-web1"), ID("eni-web2")], "all": [ID(f"eni-{n}") for n in ("web1", "web2", "db")]}
    found = density(reach, {**groups, "none": []})
    assert found["public"] == Density(2, 2, 1, 1, 1, 1)
    assert found["all"] == Density(3, 6, 4, 4, 2, 2)
    assert found["none"] == Density(0, 0, 0, 0, 0, 0)
    assert found["all"].share(found["all"].any_port) == pytest.approx(4 / 6)
    assert found["none"].share(0) == 0.0


def test_density_of_an_interface_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="eni-9"):
        density(Reachability(shop().build()), {"a": ["eni-9"]})


def counted(reach: Reachability, names: list[str], ports: Traffic) -> tuple[int, int]:
    verdicts = [reach.between(source, target) for source, target in permutations(names, 2)]
    return sum(v.lower.overlaps(ports) for v in verdicts), sum(v.upper.overlaps(ports) for v in verdicts)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 100_000))
def test_random_estates_give_what_counting_pair_by_pair_gives(seed: int) -> None:
    estate = estate_of(raw_estate(seed).answers)
    reach = Reachability(estate)
    names = list(estate.interfaces)
    found = exposure_of(reach)
    assert (found.any_port.pairs, found.any_port.pairs_at_most) == counted(reach, names, ANY_PORT)
    assert (found.administration.pairs, found.administration.pairs_at_most) == counted(reach, names, ADMINISTRATION)
    random = Random(seed)
    some = random.sample(names, random.randint(0, len(names)))
    dense = density(reach, {"some": some})["some"]
    assert (dense.any_port, dense.any_port_at_most) == counted(reach, some, ANY_PORT)
    assert (dense.administration, dense.administration_at_most) == counted(reach, some, ADMINISTRATION)


def test_where_it_is_not_known_what_lies_behind_a_way_the_internet_may() -> None:
    builder = shop()
    builder.route("rtb-private", "128.0.0.0/1", "interface", "eni-appliance")
    builder.group("sg-db", allow("ingress", "all", "0.0.0.0/0"), OUT)
    before = exposure(shop()).any_port
    found = exposure(builder).any_port
    assert found.from_internet == before.from_internet
    assert found.from_internet_at_most == before.from_internet_at_most + 1
