"""Address sets against the standard library's ipaddress, hand-written tables, and the registries' own words."""

import ipaddress
import socket
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.errors import ParseError
from cloudseg.traffic import (
    ALL_ADDRESSES,
    ALL_IPV4,
    ALL_IPV6,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    PRIVATE,
    AddressSet,
    IntervalSet,
    parse_cidr,
)
from cloudseg.traffic.cidr import address_text

LAST_V4 = 2**32 - 1
LAST_V6 = 2**128 - 1
V4_CUTS = (0, 1, 2, 0x0A000000, 0x0A000003, 0x0A00000A, 0x0B000000, 2**31, 2**32 - 2, LAST_V4, 2**32)
V6_CUTS = (0, 1, 0xFFFF00000000, 0xFFFF00000001, 0x20010DB8 << 96, 0x20010DB9 << 96, 2**127, LAST_V6, 2**128)
ATOMS = [(4, first, end - 1) for first, end in pairwise(V4_CUTS)] + [
    (6, first, end - 1) for first, end in pairwise(V6_CUTS)
]
atom_numbers = st.frozensets(st.integers(0, len(ATOMS) - 1))

v4_values = st.one_of(st.sampled_from(V4_CUTS[:-1]), st.integers(0, LAST_V4))
v6_values = st.one_of(
    st.sampled_from(V6_CUTS[:-1]),
    st.integers(0, LAST_V6),
    # Runs of zero groups of every length and place.
    st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF]), min_size=8, max_size=8).map(
        lambda groups: sum(group << 16 * place for place, group in enumerate(groups))
    ),
)


def of_atoms(members: frozenset[int]) -> AddressSet:
    return AddressSet(
        IntervalSet.from_pairs(
            (first, last) for member in members for version, first, last in [ATOMS[member]] if version == 4
        ),
        IntervalSet.from_pairs(
            (first, last) for member in members for version, first, last in [ATOMS[member]] if version == 6
        ),
    )


@given(atom_numbers, atom_numbers)
@settings(max_examples=200, deadline=None)
def test_operations_agree_with_python_sets(a: frozenset[int], b: frozenset[int]) -> None:
    x, y = of_atoms(a), of_atoms(b)
    for made, expected in ((x | y, a | b), (x & y, a & b), (x - y, a - b)):
        assert made == of_atoms(expected)
        assert hash(made) == hash(of_atoms(expected))
    assert (x <= y) == (a <= b) == (not x - y)
    assert (x == y) == (a == b)
    assert x.overlaps(y) == bool(a & b)
    assert bool(x) == bool(a)
    assert x.size == sum(ATOMS[member][2] - ATOMS[member][1] + 1 for member in a)
    assert (x | y).complement() == x.complement() & y.complement()
    assert x.complement() == of_atoms(frozenset(range(len(ATOMS))) - a)


@given(atom_numbers)
@settings(max_examples=200, deadline=None)
def test_printed_sets_read_back_as_themselves(a: frozenset[int]) -> None:
    addresses = of_atoms(a)
    assert AddressSet.parse(str(addresses)) == addresses
    assert AddressSet.from_cidrs(addresses.cidrs()) == addresses


@given(v4_values, v4_values)
@settings(max_examples=150, deadline=None)
def test_ipv4_covers_equal_those_of_ipaddress(a: int, b: int) -> None:
    first, last = sorted((a, b))
    expected = ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
    assert AddressSet(v4=IntervalSet.of((first, last))).cidrs() == tuple(map(str, expected))


@given(v6_values, v6_values)
@settings(max_examples=100, deadline=None)
def test_ipv6_covers_equal_those_of_ipaddress(a: int, b: int) -> None:
    first, last = sorted((a, b))
    expected = ipaddress.summarize_address_range(ipaddress.IPv6Address(first), ipaddress.IPv6Address(last))
    made = AddressSet(v6=IntervalSet.of((first, last))).cidrs()
    assert [ipaddress.IPv6Network(text) for text in made] == list(expected)


@given(v4_values, st.integers(0, 32))
@settings(max_examples=200, deadline=None)
def test_ipv4_cidrs_read_as_ipaddress_reads_them(value: int, prefix: int) -> None:
    text = f"{ipaddress.IPv4Address(value)}/{prefix}"
    network = ipaddress.IPv4Network(text, strict=False)
    assert parse_cidr(text) == (4, int(network.network_address), int(network.broadcast_address))


@given(v6_values, st.integers(0, 128), st.sampled_from(["compressed", "exploded"]))
@settings(max_examples=200, deadline=None)
def test_ipv6_cidrs_read_as_ipaddress_reads_them(value: int, prefix: int, form: str) -> None:
    address = ipaddress.IPv6Address(value)
    text = f"{getattr(address, form)}/{prefix}"
    network = ipaddress.IPv6Network(text, strict=False)
    assert parse_cidr(text) == (6, int(network.network_address), int(network.broadcast_address))


@given(st.text(alphabet="0123456789abf:./% -", max_size=20))
@settings(max_examples=400, deadline=None)
def test_what_ipaddress_refuses_is_refused(text: str) -> None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        with pytest.raises(ParseError):
            parse_cidr(text)
        return
    try:
        read = parse_cidr(text)
    except ParseError:
        # Netmasks, leading zeros in the prefix and zones are refused here alone.
        prefix = text.partition("/")[2]
        assert "." in prefix or "%" in text or (len(prefix) > 1 and prefix.startswith("0"))
    else:
        assert read == (network.version, int(network.network_address), int(network.broadcast_address))


@given(v6_values)
@settings(max_examples=200, deadline=None)
def test_ipv6_is_printed_as_the_system_reads_it_and_no_longer_than_ipaddress_prints_it(value: int) -> None:
    text = address_text(6, value)
    assert int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big") == value
    if value >> 32 != 0xFFFF:
        assert text == str(ipaddress.IPv6Address(value))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("192.168.0.1/31", "192.168.0.0/31"),
        ("10.0.0.5", "10.0.0.5"),
        ("10.0.0.5/32", "10.0.0.5"),
        ("10.0.0.3-10.0.0.9", "10.0.0.3-10.0.0.9"),
        ("10.0.0.0-10.0.0.255", "10.0.0.0/24"),
        ("10.0.0.1-10.0.0.2", "10.0.0.1-10.0.0.2"),
        ("10.0.0.0/24, 10.0.1.0/24", "10.0.0.0/23"),
        ("10.0.0.0/24,10.0.2.0/24", "10.0.0.0/24, 10.0.2.0/24"),
        ("1.0.0.0-1.0.0.8", "1.0.0.0-1.0.0.8"),
        ("1.0.0.0-1.0.0.2", "1.0.0.0-1.0.0.2"),
        ("200.200.200.0-200.200.202.255", "200.200.200.0-200.200.202.255"),
        ("::1-::2", "::1-::2"),
        ("fd00::-fd00:0:0:ffff:ffff:ffff:ffff:ffff", "fd00::/48"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("::/0, 0.0.0.0/0", "all"),
        ("all", "all"),
        ("ALL", "all"),
        ("none", "none"),
        ("none, 10.0.0.5", "10.0.0.5"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:DB8:0:0:0:0:0:0/32", "2001:db8::/32"),
        ("2001:db8::5, 10.0.0.5", "10.0.0.5, 2001:db8::5"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        # RFC 5952 sections 4.1 to 4.3.
        ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::", "::"),
        ("1::", "1::"),
    ],
)
def test_texts_are_printed_in_their_shortest_form(text: str, printed: str) -> None:
    assert str(AddressSet.parse(text)) == printed
    assert AddressSet.parse(printed) == AddressSet.parse(text)
    assert repr(AddressSet.parse(text)) == f"AddressSet.parse('{printed}')"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0",
        "10.0.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.256",
        "010.1.1.1",
        "10.0.0.0 /8",
        "10. 0.0.0",
        "+10.0.0.0",
        "0x0a.0.0.0",
        "\N{ARABIC-INDIC DIGIT ONE}0.0.0.0",
        "10.0.0.0/\N{ARABIC-INDIC DIGIT EIGHT}",
        "10.0.0.0\n",
        "::/129",
        "::/",
        ":::",
        "1:2:3:4:5:6:7",
        "1::2::3",
        "12345::",
        "fe80::1%eth0",
        "fe80::1%eth0/64",
        "::\N{ARABIC-INDIC DIGIT ONE}",
        "sg-0a1b",
        "*",
        "all",
        "10.0.0.1-10.0.0.2",
    ],
)
def test_what_is_no_cidr_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(ParseError) as refusal:
        parse_cidr(text)
    assert str(refusal.value).startswith(f"{text!r} is no address: write IPv4 (10.0.0.0/8")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "''"),
        ("10.0.0.0/8,", "''"),
        ("10.0.0.0/8 10.0.0.0/9", "'10.0.0.0/8 10.0.0.0/9'"),
        ("10.0.0.0/8, 10.0.0", "'10.0.0'"),
        ("10.0.0.9-10.0.0.3", "'10.0.0.9-10.0.0.3'"),
        ("10.0.0.3-::9", "'10.0.0.3-::9'"),
        ("::9-10.0.0.3", "'::9-10.0.0.3'"),
        ("10.0.0.3-9", "'10.0.0.3-9'"),
        ("10.0.0.3-", "'10.0.0.3-'"),
        ("10.0.0.0/24-10.0.1.0/24", "'10.0.0.0/24-10.0.1.0/24'"),
        ("10.0.0.3 - 10.0.0.9", "'10.0.0.3 - 10.0.0.9'"),
        ("everyone", "'everyone'"),
    ],
)
def test_what_is_no_list_of_addresses_is_refused_by_the_part_that_is_wrong(text: str, named: str) -> None:
    with pytest.raises(ParseError) as refusal:
        AddressSet.parse(text)
    assert str(refusal.value).startswith(f"{named} is no address")


def test_has_takes_single_addresses_only() -> None:
    office = AddressSet.parse("10.0.0.0/24, 2001:db8::/64")
    assert office.has("10.0.0.255")
    assert office.has("2001:db8::ffff:ffff:ffff:ffff")
    assert not office.has("10.0.1.0")
    assert not office.has("2001:db8:0:1::")
    assert not office.has("::ffff:10.0.0.1")
    with pytest.raises(ParseError, match=r"'10.0.0.0/24' is a CIDR block where a single address belongs"):
        office.has("10.0.0.0/24")


@pytest.mark.semantics(201)
def test_two_halves_are_the_whole_internet() -> None:
    assert AddressSet.parse("0.0.0.0/1, 128.0.0.0/1") == ALL_IPV4
    assert AddressSet.parse("::/1, 8000::/1") == ALL_IPV6
    assert AddressSet.from_cidrs(["0.0.0.0/1", "::/1", "128.0.0.0/1", "8000::/1"]) == ALL_ADDRESSES


@pytest.mark.semantics(15)
def test_every_ipv4_address_is_no_ipv6_address() -> None:
    assert not ALL_IPV4.overlaps(ALL_IPV6)
    assert ALL_IPV4 | ALL_IPV6 == ALL_ADDRESSES
    assert ALL_ADDRESSES - ALL_IPV4 == ALL_IPV6
    assert ALL_IPV4.size == 2**32
    assert ALL_ADDRESSES.size == 2**32 + 2**128
    assert not NO_ADDRESSES
    assert ALL_ADDRESSES.complement() == NO_ADDRESSES


def test_a_set_equals_no_other_kind_of_value() -> None:
    assert ALL_IPV4 != "0.0.0.0/0"
    assert len({ALL_IPV4, AddressSet.parse("0.0.0.0/1, 128.0.0.0/1")}) == 1


def test_an_unchanged_set_is_given_back_itself() -> None:
    office = AddressSet.parse("10.0.0.0/24, 2001:db8::/64")
    assert office | NO_ADDRESSES is office
    assert office & ALL_ADDRESSES is office
    assert office - AddressSet.parse("10.9.0.0/16") is office


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "169.254.169.254",
        "127.0.0.1",
        "fc00::",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "::1",
    ],
)
def test_private_addresses_are_private_and_not_public(address: str) -> None:
    assert PRIVATE.has(address)
    assert not GLOBAL_UNICAST.has(address)


@pytest.mark.parametrize(
    "address",
    [
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "8.8.8.8",
        "1.1.1.1",
        "192.0.0.9",
        "192.0.0.10",
        "192.0.1.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "192.0.2.1",
        "198.51.100.7",
        "203.0.113.10",
        "2001:db8::1",
        "3fff::1",
        "2600:1f18::1",
        "2a05:d018::1",
        "64:ff9b::808:808",
        "fec0::1",
    ],
)
def test_public_and_documentation_addresses_are_public(address: str) -> None:
    assert GLOBAL_UNICAST.has(address)
    assert not PRIVATE.has(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.255.255.255",
        "192.0.0.8",
        "192.0.0.255",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::ffff:8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "100:0:0:1::1",
        "2001:2::1",
        "5f00::1",
        "ff02::1",
    ],
)
def test_multicast_and_reserved_addresses_are_neither_private_nor_public(address: str) -> None:
    assert not GLOBAL_UNICAST.has(address)
    assert not PRIVATE.has(address)


@given(st.one_of(v4_values.map(ipaddress.IPv4Address), v6_values.map(ipaddress.IPv6Address)))
@settings(max_examples=300, deadline=None)
def test_what_ipaddress_calls_global_unicast_is_never_held_for_anything_else(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_global and not address.is_multicast and not address.is_reserved:
        assert GLOBAL_UNICAST.has(str(address)) or address in ipaddress.ip_network("5f00::/16")
