"""Addresses outside of an estate in a few words."""

import pytest

from cloudseg.reach.outside import addresses_of, outside_words, ranges_of
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

V4, V6 = GLOBAL_UNICAST & ALL_IPV4, GLOBAL_UNICAST & ALL_IPV6


def ips(text: str) -> AddressSet:
    return AddressSet.parse(text)


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        (GLOBAL_UNICAST, "internet"),
        (V4, "internet (IPv4)"),
        (V6, "internet (IPv6)"),
        (V4 - ips("203.0.113.0/24"), "internet (IPv4) but 203.0.113.0/24"),
        (GLOBAL_UNICAST - ips("203.0.113.0/24, 2001:db8::/32"), "internet but 203.0.113.0/24, 2001:db8::/32"),
        (ips("203.0.113.0/24"), "203.0.113.0/24"),
        (ips("10.0.0.3-10.0.0.9"), "10.0.0.3-10.0.0.9"),
        (ips("10.1.0.0/16, 10.3.0.0/16, 10.5.0.0/16"), "10.1.0.0/16, 10.3.0.0/16, 10.5.0.0/16"),
        (ips("10.1.0.0/16, 10.3.0.0/16, 10.5.0.0/16, ::1"), "10.1.0.0/16, 10.3.0.0/16, 10.5.0.0/16 and 1 more range"),
        (V4 | ips("10.0.0.0/8"), "internet (IPv4), 10.0.0.0/8"),
        (V6 - ips("2001:db8::/56") | ips("198.51.100.0/28"), "internet (IPv6) but 2001:db8::/56; 198.51.100.0/28"),
        (V4 | ips("2001:db8::/32"), "internet (IPv4), 2001:db8::/32"),
        (ips("1.0.0.0/8"), "1.0.0.0/8"),
        (ALL_IPV4 | ALL_IPV6, "any address"),
        (ALL_IPV4, "any address (IPv4)"),
        ((ALL_IPV4 | ALL_IPV6) - ips("10.0.0.0/8"), "any address but 10.0.0.0/8"),
        (ALL_IPV4 | V6, "any address (IPv4), internet (IPv6)"),
        (NO_ADDRESSES, "nobody"),
    ],
)  # fmt: skip
def test_words(addresses: AddressSet, words: str) -> None:
    assert outside_words(addresses) == words


def test_an_internet_with_many_holes_is_listed_as_ranges() -> None:
    holes = ips(", ".join(f"{number}.1.0.0/16" for number in range(20, 30)))
    assert outside_words(V4 - holes).endswith("more ranges")
    assert "internet" not in outside_words(V4 - holes)


def test_holes_of_both_families_are_told_apart_when_they_are_many() -> None:
    holes = ips("20.1.0.0/16, 21.1.0.0/16, 2001:db8::/32, 3fff::/20")
    assert (
        outside_words(GLOBAL_UNICAST - holes)
        == "internet (IPv4) but 20.1.0.0/16, 21.1.0.0/16; internet (IPv6) but 2001:db8::/32, 3fff::/20"
    )


def test_the_address_of_azures_hosts_is_no_hole_in_the_internet() -> None:
    host = ips("168.63.129.16")
    assert outside_words(GLOBAL_UNICAST - host) == outside_words(GLOBAL_UNICAST) == "internet"
    assert outside_words(host) == "168.63.129.16"


def test_ranges_are_contiguous_and_make_the_whole() -> None:
    whole = ips("10.0.0.1-10.0.0.6, 10.0.0.9, 2001:db8::/32")
    assert [str(part) for part in ranges_of(whole)] == ["10.0.0.1-10.0.0.6", "10.0.0.9", "2001:db8::/32"]


def test_an_end_of_a_flow_is_read_back() -> None:
    assert addresses_of("external:10.0.0.1-10.0.0.6, 10.0.0.9") == ips("10.0.0.1-10.0.0.6, 10.0.0.9")
