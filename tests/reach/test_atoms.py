"""Atoms of traffic and positions of addresses: cut so that every set given is a union of them, and no finer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.reach.pairs.atoms import AddressLine, TrafficAtoms
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, NO_TRAFFIC, AddressSet, Traffic

TEXTS = (
    "tcp/443",
    "tcp/1-1023",
    "tcp",
    "udp/53",
    "icmp/8",
    "icmp",
    "esp",
    "all",
    "all except tcp/22",
    "sctp/9",
    "none",
)
SETS = st.lists(st.sampled_from(TEXTS).map(Traffic.parse), max_size=6)
BLOCKS = st.sampled_from(("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "fd00::/8"))
RANGES = st.lists(st.lists(BLOCKS, min_size=1, max_size=3).map(AddressSet.from_cidrs), max_size=6)


@given(SETS)
def test_every_set_is_a_union_of_atoms(sets: list[Traffic]) -> None:
    atoms = TrafficAtoms(sets)
    for traffic in (*sets, ALL_TRAFFIC, NO_TRAFFIC):
        assert atoms.traffic(atoms.mask(traffic)) == traffic
        assert atoms.from_words(atoms.words(atoms.mask(traffic)).tolist()) == traffic


@given(SETS)
def test_masks_behave_as_the_sets_do(sets: list[Traffic]) -> None:
    atoms = TrafficAtoms(sets)
    for one in sets:
        for other in sets:
            assert atoms.mask(one) & atoms.mask(other) == atoms.mask(one & other)
            assert atoms.mask(one) | atoms.mask(other) == atoms.mask(one | other)


@given(SETS)
def test_atoms_cover_everything_without_overlap(sets: list[Traffic]) -> None:
    atoms = TrafficAtoms(sets)
    single = [atoms.traffic(1 << number) for number in range(atoms.count)]
    for number, one in enumerate(single):
        assert one
        assert not any(one.overlaps(other) for other in single[number + 1 :])
    assert atoms.traffic(atoms.everything) == ALL_TRAFFIC


def test_traffic_that_no_set_tells_apart_is_one_atom() -> None:
    # tcp/443, the rest of TCP, and everything else.
    assert TrafficAtoms([Traffic.parse("tcp/443"), Traffic.parse("tcp")]).count == 3


def test_more_atoms_than_a_word_holds() -> None:
    sets = [Traffic.ports("tcp", port, port) for port in range(1, 201)]
    atoms = TrafficAtoms(sets)
    assert atoms.width == 4
    assert atoms.from_words(atoms.words(atoms.mask(sets[150])).tolist()) == sets[150]


def test_traffic_that_splits_an_atom_is_refused() -> None:
    with pytest.raises(ValueError, match="splits an atom"):
        TrafficAtoms([Traffic.parse("tcp/443")]).mask(Traffic.parse("tcp/80"))


@given(RANGES)
def test_every_range_is_a_union_of_positions(ranges: list[AddressSet]) -> None:
    line = AddressLine(ranges)
    for addresses in (*ranges, ALL_ADDRESSES):
        found = AddressSet()
        for start, end in line.runs(addresses):
            found |= line.addresses(start, end)
        assert found == addresses


@given(RANGES)
def test_a_run_holds_one_family(ranges: list[AddressSet]) -> None:
    line = AddressLine(ranges)
    for start, end in line.runs(ALL_ADDRESSES):
        assert end <= line.boundary or start >= line.boundary
    assert sum(end - start for start, end in line.runs(ALL_ADDRESSES)) == line.length


def test_an_address_lies_where_its_range_does() -> None:
    line = AddressLine([AddressSet.parse("10.1.0.0/16")])
    inside = line.position(4, 10 << 24 | 1 << 16 | 77)
    assert line.runs(AddressSet.parse("10.1.0.0/16")) == ((inside, inside + 1),)
    assert line.position(4, 10 << 24 | 2 << 16) == inside + 1
    assert line.position(6, 1) == line.boundary
