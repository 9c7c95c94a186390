"""Traffic against Python's own sets and hand-written tables of what terms mean and how sets are printed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, IntervalSet, Traffic, protocol_name, protocol_number

CUTS = (0, 1, 22, 23, 255, 256, 771, 772, 1024, 2048, 2304, 65280, 65535, 65536)
RANGES = [(first, end - 1) for first, end in pairwise(CUTS)]
FIELDS = ("tcp", "udp", "sctp", "icmp", "icmpv6")
# Every protocol number without a field of its own: 0, 2-5, 7-16, 18-57, 59-131, 133-255.
OTHER_RANGES = [
    (0, 0),
    (2, 3),
    (4, 4),
    (5, 5),
    (7, 16),
    (18, 49),
    (50, 50),
    (51, 57),
    (59, 131),
    (133, 254),
    (255, 255),
]
ATOMS = [(field, *span) for field in FIELDS for span in RANGES] + [("other", *span) for span in OTHER_RANGES]

some_atoms = st.frozensets(st.integers(0, len(ATOMS) - 1))
# Few atoms missing: the sets that are told by their exceptions.
most_atoms = some_atoms.map(lambda members: frozenset(range(len(ATOMS))) - frozenset(list(members)[:3]))
atom_numbers = st.one_of(some_atoms, most_atoms)


def of_atoms(members: frozenset[int]) -> Traffic:
    def field(name: str) -> IntervalSet:
        return IntervalSet.from_pairs(ATOMS[member][1:] for member in members if ATOMS[member][0] == name)

    return Traffic(
        tcp=field("tcp"),
        udp=field("udp"),
        sctp=field("sctp"),
        icmp=field("icmp"),
        icmpv6=field("icmpv6"),
        other=field("other"),
    )


@given(atom_numbers, atom_numbers)
@settings(max_examples=150, deadline=None)
def test_operations_agree_with_python_sets(a: frozenset[int], b: frozenset[int]) -> None:
    x, y = of_atoms(a), of_atoms(b)
    for made, expected in ((x | y, a | b), (x & y, a & b), (x - y, a - b)):
        assert made == of_atoms(expected)
        assert hash(made) == hash(of_atoms(expected))
        assert str(made) == str(of_atoms(expected))
    assert (x <= y) == (a <= b) == (not x - y)
    assert (x == y) == (a == b)
    assert x.overlaps(y) == bool(a & b)
    assert bool(x) == bool(a)
    assert x.is_all == (len(a) == len(ATOMS))


@given(atom_numbers, atom_numbers)
@settings(max_examples=100, deadline=None)
def test_laws_of_set_algebra_hold(a: frozenset[int], b: frozenset[int]) -> None:
    x, y = of_atoms(a), of_atoms(b)
    assert (x | y).complement() == x.complement() & y.complement()
    assert (x & y).complement() == x.complement() | y.complement()
    assert x.complement() == of_atoms(frozenset(range(len(ATOMS))) - a)
    assert x | (x & y) == x
    assert x & (x | y) == x
    assert x - y == x & y.complement()


@given(atom_numbers)
@settings(max_examples=250, deadline=None)
def test_printed_sets_read_back_as_themselves(a: frozenset[int]) -> None:
    traffic = of_atoms(a)
    assert Traffic.parse(str(traffic)) == traffic
    assert Traffic.parse(", ".join(traffic.terms())) == traffic
    assert not any("," in term or "except" in term for term in traffic.terms())


@given(st.frozensets(st.integers(0, 2100), max_size=40), st.frozensets(st.integers(0, 8), max_size=8))
@settings(max_examples=100, deadline=None)
def test_any_icmp_messages_read_back_as_themselves(messages: frozenset[int], types: frozenset[int]) -> None:
    whole_types = (kind * 256 + code for kind in types for code in range(256))
    traffic = Traffic(icmp=IntervalSet.of(*messages, *whole_types))
    assert Traffic.parse(str(traffic)) == traffic


def test_every_range_of_protocol_numbers_is_cut_at_the_protocols_with_fields() -> None:
    for first in range(0, 256, 3):
        for last in range(first, 256, 7):
            expected = NO_TRAFFIC
            for number in range(first, last + 1):
                expected |= Traffic.protocol(number)
            assert Traffic.parse(f"ip/{first}-{last}") == expected
            assert expected.protocols() == IntervalSet.of((first, last))


ALL_PORTS = IntervalSet.of((0, 65535))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp/443", Traffic(tcp=IntervalSet.of(443))),
        ("TCP/443", Traffic(tcp=IntervalSet.of(443))),
        ("tcp/0", Traffic(tcp=IntervalSet.of(0))),
        ("tcp/65535", Traffic(tcp=IntervalSet.of(65535))),
        ("tcp/9000-9100", Traffic(tcp=IntervalSet.of((9000, 9100)))),
        ("udp", Traffic(udp=ALL_PORTS)),
        ("udp/0-65535", Traffic(udp=ALL_PORTS)),
        ("sctp/3868", Traffic(sctp=IntervalSet.of(3868))),
        ("icmp/8", Traffic(icmp=IntervalSet.of((2048, 2303)))),
        ("icmp/3:4", Traffic(icmp=IntervalSet.of(772))),
        ("icmp/0-3", Traffic(icmp=IntervalSet.of((0, 1023)))),
        ("icmp/3:0-4", Traffic(icmp=IntervalSet.of((768, 772)))),
        ("icmp/255:255", Traffic(icmp=IntervalSet.of(65535))),
        ("icmpv6/128", Traffic(icmpv6=IntervalSet.of((32768, 33023)))),
        ("icmp6", Traffic(icmpv6=ALL_PORTS)),
        ("ipv6-icmp", Traffic(icmpv6=ALL_PORTS)),
        ("esp", Traffic(other=IntervalSet.of(50))),
        ("AH, gre", Traffic(other=IntervalSet.of(47, 51))),
        ("igmp, ipip, eigrp, ospf, pim, vrrp, l2tp", Traffic(other=IntervalSet.of(2, 4, 88, 89, 103, 112, 115))),
        ("ip/97", Traffic(other=IntervalSet.of(97))),
        ("ip/6", Traffic(tcp=ALL_PORTS)),
        ("IP/50", Traffic(other=IntervalSet.of(50))),
        ("ip/5-7", Traffic(tcp=ALL_PORTS, other=IntervalSet.of(5, 7))),
        (" tcp/443 ,udp/53 ", Traffic(tcp=IntervalSet.of(443), udp=IntervalSet.of(53))),
        ("tcp/80, tcp/81", Traffic(tcp=IntervalSet.of((80, 81)))),
        ("none", NO_TRAFFIC),
        ("none, udp/53", Traffic(udp=IntervalSet.of(53))),
        ("all", ALL_TRAFFIC),
        ("ALL, tcp/22", ALL_TRAFFIC),
        ("ip/0-255", ALL_TRAFFIC),
        ("all except none", ALL_TRAFFIC),
        ("all except all", NO_TRAFFIC),
        ("All Except tcp/22, udp", ALL_TRAFFIC - Traffic(tcp=IntervalSet.of(22), udp=ALL_PORTS)),
    ],
)
def test_terms_mean_what_they_say(text: str, expected: Traffic) -> None:
    assert Traffic.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("udp/53, tcp/443", "tcp/443, udp/53"),
        ("tcp/443-443", "tcp/443"),
        ("tcp/0-65535", "tcp"),
        ("tcp/1-65535", "tcp/1-65535"),
        ("tcp/0-21, tcp/23-65535", "tcp/0-21, tcp/23-65535"),
        ("tcp, udp", "tcp, udp"),
        ("icmp/8:0-255", "icmp/8"),
        ("icmp/3:4, icmp/8", "icmp/3:4, icmp/8"),
        ("icmp/0-7, icmp/8:1-255, icmp/9-255", "icmp/0-7, icmp/8:1-255, icmp/9-255"),
        ("icmp/3:250-255, icmp/4, icmp/5:0-1", "icmp/3:250-255, icmp/4, icmp/5:0-1"),
        ("icmp/3:255, icmp/4:0", "icmp/3:255, icmp/4:0"),
        ("icmp6, esp, ip/51", "icmpv6, esp, ah"),
        ("ip/97, ip/99", "ip/97, ip/99"),
        ("ip/60, ip/61, ip/62", "ip/60-62"),
        ("tcp, udp, icmp, icmpv6, sctp, ip/0-255", "all"),
        ("all except udp, tcp/22", "all except tcp/22, udp"),
        ("ip/0-5, ip/7-255", "all except tcp"),
        ("none", "none"),
    ],
)
def test_sets_are_printed_in_one_short_form(text: str, printed: str) -> None:
    assert str(Traffic.parse(text)) == printed
    assert repr(Traffic.parse(text)) == f"Traffic.parse('{printed}')"


def test_terms_never_speak_of_exceptions() -> None:
    assert Traffic.parse("all except tcp/22").terms() == (
        "tcp/0-21",
        "tcp/23-65535",
        "udp",
        "sctp",
        "icmp",
        "icmpv6",
        "ip/0",
        "ip/2-5",
        "ip/7-16",
        "ip/18-57",
        "ip/59-131",
        "ip/133-255",
    )
    assert ALL_TRAFFIC.terms() == ("all",)
    assert NO_TRAFFIC.terms() == ("none",)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "''"),
        ("tcp/443,", "''"),
        ("443", "'443'"),
        ("tcp/80,443", "'443'"),
        ("tcp/", "'tcp/'"),
        ("tcp/*", "'tcp/*'"),
        ("tcp/https", "'tcp/https'"),
        ("tcp/-1", "'tcp/-1'"),
        ("tcp/443-", "'tcp/443-'"),
        ("tcp/1-2-3", "'tcp/1-2-3'"),
        ("tcp/445-443", "'tcp/445-443'"),
        ("tcp/65536", "'tcp/65536'"),
        ("tcp/0-65536", "'tcp/0-65536'"),
        ("tcp/022", "'tcp/022'"),
        ("tcp/\N{ARABIC-INDIC DIGIT TWO}", "'tcp/\N{ARABIC-INDIC DIGIT TWO}'"),
        ("tcp /22", "'tcp /22'"),
        ("tcp/22 udp/53", "'tcp/22 udp/53'"),
        ("tcp/22:1", "'tcp/22:1'"),
        ("icmp/256", "'icmp/256'"),
        ("icmp/3:256", "'icmp/3:256'"),
        ("icmp/3:", "'icmp/3:'"),
        ("icmp/:4", "'icmp/:4'"),
        ("icmp/3-4:0", "'icmp/3-4:0'"),
        ("esp/3", "'esp/3'"),
        ("ip", "'ip'"),
        ("ip/", "'ip/'"),
        ("ip/256", "'ip/256'"),
        ("ip/tcp", "'ip/tcp'"),
        ("rdp", "'rdp'"),
        ("-1", "'-1'"),
        ("ssh", "'ssh'"),
        ("all except", "'all except'"),
        ("all except ", "''"),
        ("udp, all except tcp", "'all except tcp'"),
    ],
)
def test_what_is_no_traffic_is_refused_by_the_part_that_is_wrong(text: str, named: str) -> None:
    with pytest.raises(ParseError) as refusal:
        Traffic.parse(text)
    assert str(refusal.value).startswith(f"{named} is no traffic")


def test_constructors_make_what_their_text_reads_as() -> None:
    assert Traffic.ports("tcp", 443, 443) == Traffic.parse("tcp/443")
    assert Traffic.ports("6", 9000, 9100) == Traffic.parse("tcp/9000-9100")
    assert Traffic.ports(17) == Traffic.parse("udp") == Traffic.protocol("UDP")
    assert Traffic.ports("sctp", lo=1) == Traffic.parse("sctp/1-65535")
    assert Traffic.icmp_type() == Traffic.parse("icmp") == Traffic.protocol(1)
    assert Traffic.icmp_type(version=6) == Traffic.parse("icmpv6") == Traffic.protocol(58)
    assert Traffic.icmp_type(0) == Traffic.parse("icmp/0")
    assert Traffic.icmp_type(8, 0) == Traffic.parse("icmp/8:0")
    assert Traffic.icmp_type(type=128, code=0, version=6) == Traffic.parse("icmpv6/128:0")
    assert Traffic.protocol("50") == Traffic.parse("esp")


@pytest.mark.parametrize(
    ("protocol", "lo", "hi", "message"),
    [
        ("esp", 0, 65535, "'esp' has no ports"),
        ("icmp", 8, 8, "'icmp' has no ports"),
        (50, 1, 1, "50 has no ports"),
        ("tcp", 445, 443, "445-443 is no range of tcp ports"),
        ("tcp", -1, 443, "-1-443 is no range of tcp ports"),
        ("udp", 0, 65536, "0-65536 is no range of udp ports"),
        ("tpc", 1, 2, "'tpc' is no IP protocol"),
    ],
)
def test_ports_that_are_none_are_refused(protocol: int | str, lo: int, hi: int, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        Traffic.ports(protocol, lo, hi)


@pytest.mark.semantics(18)
@pytest.mark.parametrize(
    ("kind", "code", "version", "message"),
    [
        (None, 4, 4, "code 4 without a type is no icmp message"),
        (256, None, 4, "256 is no icmp type"),
        (-1, None, 6, "-1 is no icmpv6 type"),
        (3, 256, 4, "256 is no icmp code"),
        (3, -1, 4, "-1 is no icmp code"),
        (8, 0, 5, "5 is no IP version"),
    ],
)
def test_icmp_messages_that_are_none_are_refused(
    kind: int | None, code: int | None, version: int, message: str
) -> None:
    with pytest.raises(ParseError, match=message):
        Traffic.icmp_type(kind, code, version)


@pytest.mark.parametrize("field", [*FIELDS, "other"])
def test_numbers_outside_a_field_are_refused(field: str) -> None:
    outside = IntervalSet.of(256 if field == "other" else 65536)
    with pytest.raises(ParseError, match=f"{field} takes numbers of"):
        Traffic(**{field: outside})


@pytest.mark.parametrize("number", [1, 6, 17, 58, 132])
def test_a_protocol_with_a_field_is_not_told_twice(number: int) -> None:
    with pytest.raises(ParseError, match="other takes numbers of"):
        Traffic(other=IntervalSet.of(number))


@pytest.mark.semantics(203)
def test_protocols_without_ports_are_open_even_when_every_port_is_told_apart() -> None:
    every_port = Traffic.parse("tcp, udp, sctp, icmp, icmpv6")
    assert not every_port.is_all
    assert ALL_TRAFFIC - every_port == Traffic.parse("ip/0-255") - every_port
    for text in ("esp", "gre", "ipip"):
        assert not every_port.overlaps(Traffic.parse(text))
        assert Traffic.parse(text) <= ALL_TRAFFIC


@pytest.mark.semantics(204)
def test_icmp_types_and_udp_ports_are_no_tcp_ports() -> None:
    assert not Traffic.parse("icmp/8").overlaps(Traffic.parse("tcp/8"))
    assert not Traffic.parse("udp/22").overlaps(Traffic.parse("tcp/22"))
    assert Traffic.parse("udp/22").ports_of("tcp") == IntervalSet.of()


def test_protocols_and_ports_are_told() -> None:
    traffic = Traffic.parse("tcp/22, tcp/443, icmp/8, esp, ip/97")
    assert traffic.protocols() == IntervalSet.of(1, 6, 50, 97)
    assert traffic.ports_of("tcp") == IntervalSet.of(22, 443)
    assert traffic.ports_of(17) == IntervalSet.of()
    assert ALL_TRAFFIC.protocols() == IntervalSet.of((0, 255))
    with pytest.raises(ParseError, match="'icmp' has no ports"):
        traffic.ports_of("icmp")


def test_an_unchanged_set_is_given_back_itself() -> None:
    web = Traffic.parse("tcp/443")
    for made in (web | NO_TRAFFIC, NO_TRAFFIC | web, web & ALL_TRAFFIC, ALL_TRAFFIC & web, web - Traffic.parse("udp")):
        assert made is web
    assert (web & Traffic.parse("udp")) is NO_TRAFFIC
    assert ALL_TRAFFIC | web is ALL_TRAFFIC


def test_a_set_equals_no_other_kind_of_value() -> None:
    assert Traffic.parse("tcp/443") != "tcp/443"
    assert len({Traffic.parse("tcp/80-81"), Traffic.parse("tcp/80") | Traffic.parse("tcp/81")}) == 1


@pytest.mark.semantics(17)
@pytest.mark.parametrize(
    ("given_as", "number"),
    [
        ("tcp", 6),
        ("TCP", 6),
        ("Tcp", 6),
        ("6", 6),
        (6, 6),
        ("icmp6", 58),
        ("58", 58),
        ("0", 0),
        (255, 255),
        ("ip/97", 97),
    ],
)
def test_protocols_go_by_name_and_by_number(given_as: int | str, number: int) -> None:
    assert protocol_number(given_as) == number


@pytest.mark.parametrize(
    "given_as", ["", "-1", "256", "06", "tpc", "6 ", " 6", "\N{ARABIC-INDIC DIGIT SIX}", "ip/256", "all", -1, 256]
)
def test_what_is_no_protocol_is_refused_by_its_text(given_as: int | str) -> None:
    with pytest.raises(ParseError) as refusal:
        protocol_number(given_as)
    assert str(refusal.value).startswith(f"{given_as!r} is no IP protocol: write a name (icmp, igmp")


def test_every_protocol_has_one_name_that_reads_back() -> None:
    names = [protocol_name(number) for number in range(256)]
    assert [protocol_number(name) for name in names] == list(range(256))
    assert [names[number] for number in (1, 6, 17, 47, 50, 51, 58, 97, 132)] == [
        *("icmp", "tcp", "udp", "gre", "esp", "ah", "icmpv6", "ip/97", "sctp"),
    ]
    with pytest.raises(ParseError, match="256 is no IP protocol"):
        protocol_name(256)
