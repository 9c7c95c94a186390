"""What one rule of each provider can say."""

from __future__ import annotations

import pytest

from cloudseg.model import Addresses, Everything, GroupRef, RuleSet
from cloudseg.remediations.rule_pieces import coarser, described, peers_apart, ranges_apart, traffic_apart
from cloudseg.traffic import AddressSet, Traffic


def _list(provider: str) -> RuleSet:
    return RuleSet(id=f"{provider}:scope:list", kind="list", stage="stage", applies=Everything())


@pytest.mark.parametrize(
    ("provider", "pieces"),
    [
        ("aws", ["tcp/443", "tcp/8080-8081", "udp/53"]),
        ("azure", ["tcp/443, tcp/8080-8081", "udp/53"]),
        ("gcp", ["tcp/443, tcp/8080-8081, udp/53"]),
        ("kubernetes", ["tcp/443, tcp/8080-8081, udp/53"]),
    ],
)
def test_traffic_is_cut_into_what_a_rule_of_the_provider_can_say(provider: str, pieces: list[str]) -> None:
    traffic = Traffic.parse("tcp/443, tcp/8080-8081, udp/53")

    assert [str(each) for each in traffic_apart(_list(provider), traffic, Traffic.parse("all"))] == pieces


def test_so_many_ports_that_nobody_reads_them_stay_the_ports_of_the_rule() -> None:
    traffic = Traffic.parse(", ".join(f"tcp/{port}" for port in range(8000, 8020, 2)))
    whole = Traffic.parse("tcp/8000-8100")

    assert traffic_apart(_list("aws"), traffic, whole) == (whole,)


@pytest.mark.parametrize(
    ("provider", "pieces"),
    [
        ("aws", ["10.0.0.0/30", "10.0.0.8/32", "fd00::1/128"]),
        ("azure", ["10.0.0.0/30, 10.0.0.8/32", "fd00::1/128"]),
        ("gcp", ["10.0.0.0/30, 10.0.0.8/32", "fd00::1/128"]),
    ],
)
def test_addresses_are_cut_into_what_a_rule_of_the_provider_can_say(provider: str, pieces: list[str]) -> None:
    found = ranges_apart(_list(provider), AddressSet.parse("10.0.0.0/30, 10.0.0.8, fd00::1"))

    assert found == tuple(AddressSet.parse(each) for each in pieces)


def test_peers_of_a_rule_are_apart_where_a_rule_names_one() -> None:
    peers = (GroupRef("aws:1:r:sg-1"), Addresses(AddressSet.parse("10.0.0.0/30, 10.0.1.0/24")))

    assert peers_apart(_list("azure"), peers) == (peers,)
    assert peers_apart(_list("azure"), ()) == ()
    assert peers_apart(_list("aws"), peers) == (
        (GroupRef("aws:1:r:sg-1"),),
        (Addresses(AddressSet.parse("10.0.0.0/30")),),
        (Addresses(AddressSet.parse("10.0.1.0/24")),),
    )


def test_few_addresses_stay_as_they_are() -> None:
    addresses = AddressSet.parse("192.168.1.5, 192.168.1.9")

    assert coarser(addresses, AddressSet.parse("192.168.0.0/16"), 2) == addresses


def test_many_addresses_become_the_narrowest_blocks_that_are_few_enough() -> None:
    # .1 and .3 lie in one block of four addresses, .65 in another.
    addresses = AddressSet.parse("192.168.1.1, 192.168.1.3, 192.168.1.65")

    assert coarser(addresses, AddressSet.parse("192.168.0.0/16"), 2) == AddressSet.parse(
        "192.168.1.0/30, 192.168.1.64/30"
    )


def test_blocks_never_leave_what_is_admitted_today() -> None:
    addresses = AddressSet.parse("192.168.1.1, 192.168.1.3, 192.168.1.65")
    within = AddressSet.parse("192.168.1.1, 192.168.1.3, 192.168.1.64/26")

    assert coarser(addresses, within, 1) <= within


def test_descriptions_hold_what_every_provider_takes() -> None:
    assert (
        described(_list("aws"), ("web & api", "", " in place\n of 10.0.0.0/8 "))
        == "web and api; in place of 10.0.0.0/8"
    )
    assert described(_list("aws"), ("für „alle“ <all>",)) == "f r alle all"
    assert len(described(_list("azure"), ("x" * 500,))) == 140
    assert len(described(_list("aws"), ("x" * 500,))) == 255
