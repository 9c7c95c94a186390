"""Rules of ordered lists that never decide: which they are, which rules take their packets, when nothing is said."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.first_match import in_order, one_packet, shadows
from cloudseg.checks.shadowed_rule import CHECK
from cloudseg.findings import Finding, Severity
from cloudseg.model import ANYONE, Addresses, Estate, GroupRef, ListRef, Names, Peer, Rule, RuleSet
from cloudseg.reach.packets import Box
from cloudseg.traffic import AddressSet, IntervalSet, Traffic

Findings = Callable[..., list[Finding]]
EMPTY = EstateBuilder().build()


def listed(*entries: Rule, subnets: tuple[str, ...] = ("subnet-public",)) -> Estate:
    b = EstateBuilder()
    b.acl("acl-1", subnets, entries)
    return b.build()


def told(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.rule.id, f.severity.value) for f in found if f.rule is not None]


def deny(number: int, traffic: str, cidr: str) -> Rule:
    return acl_entry("ingress", number, traffic, cidr, deny=True)


def permit(number: int, traffic: str, cidr: str) -> Rule:
    return acl_entry("ingress", number, traffic, cidr)


@pytest.mark.semantics(23)
@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([permit(100, "all", "0.0.0.0/0"), deny(200, "tcp/22", "0.0.0.0/0")], [("ingress/200", "medium")]),
        ([deny(100, "tcp/22", "0.0.0.0/0"), permit(200, "all", "0.0.0.0/0")], []),
        # The number decides and not the place in the answer.
        ([deny(200, "tcp/22", "0.0.0.0/0"), permit(100, "all", "0.0.0.0/0")], [("ingress/200", "medium")]),
        ([permit(100, "tcp/22", "10.0.0.0/8"), permit(110, "tcp/22", "10.1.0.0/16")], [("ingress/110", "low")]),
        ([permit(100, "tcp/22", "10.1.0.0/16"), permit(110, "tcp/22", "10.0.0.0/8")], []),
        # Another protocol, another port, and the message of ICMP that has the number of a port.
        ([permit(100, "tcp", "0.0.0.0/0"), deny(110, "udp/53", "0.0.0.0/0")], []),
        ([permit(100, "tcp/0-21", "0.0.0.0/0"), deny(110, "tcp/22", "0.0.0.0/0")], []),
        ([permit(100, "tcp/8", "0.0.0.0/0"), deny(110, "icmp/8", "0.0.0.0/0")], []),
        # One packet is left: 10.0.0.255.
        ([permit(100, "all", "10.0.0.0-10.0.0.254"), deny(110, "all", "10.0.0.0/24")], []),
    ],
)
def test_a_rule_never_decides_when_earlier_ones_match_all_its_packets(
    entries: list[Rule], expected: list[tuple[str, str]], findings: Findings
) -> None:
    assert told(findings(CHECK, listed(*entries))) == expected


@pytest.mark.semantics(29)
def test_the_families_are_evaluated_apart(findings: Findings) -> None:
    four, six = permit(100, "all", "0.0.0.0/0"), deny(110, "tcp/22", "::/0")
    assert findings(CHECK, listed(four, six)) == []
    halves = (permit(101, "all", "::/1"), permit(102, "all", "8000::/1"))
    assert told(findings(CHECK, listed(four, *halves, six))) == [("ingress/110", "medium")]


def test_ranges_and_ports_that_are_split_take_the_whole_together(findings: Findings) -> None:
    quarters = (
        permit(100, "tcp/0-1023", "10.0.0.0/9"),
        permit(101, "tcp/0-1023", "10.128.0.0/9"),
        permit(102, "tcp/1024-65535", "10.0.0.0/9"),
        permit(103, "tcp/1024-65535", "10.128.0.0/9"),
    )
    (found,) = findings(CHECK, listed(*quarters, deny(200, "tcp", "10.0.0.0/8")))
    assert [text.split(" ")[0] for text in found.evidence] == [rule.id for rule in quarters]
    assert findings(CHECK, listed(*quarters[:3], deny(200, "tcp", "10.0.0.0/8"))) == []


def test_the_directions_are_lists_of_their_own(findings: Findings) -> None:
    out = acl_entry("egress", 100, "all", "0.0.0.0/0")
    assert findings(CHECK, listed(out, deny(200, "tcp/22", "0.0.0.0/0"))) == []


def test_a_part_that_is_lost_counts_as_lost(findings: Findings) -> None:
    entries = (
        deny(90, "tcp/22", "0.0.0.0/0"),
        permit(100, "all", "0.0.0.0/0"),
        permit(110, "tcp/20-25", "10.0.0.0/8"),
    )
    (found,) = findings(CHECK, listed(*entries))
    assert found.severity is Severity.MEDIUM
    assert found.message.endswith("a part of it is denied by earlier rules, and the rest is already allowed")
    assert found.evidence == (
        "ingress/90 denies tcp/22 from 0.0.0.0/0: it is the first to match tcp/22 from 10.0.0.1",
        "ingress/100 allows all traffic from 0.0.0.0/0: it is the first to match tcp/20 from 10.0.0.1",
    )


def test_what_is_lost_is_told_first_and_many_rules_are_counted(findings: Findings) -> None:
    many = tuple(permit(100 + part, "tcp/22", f"10.0.{part}.0/24") for part in range(7))
    last = deny(107, "tcp/22", "10.0.7.0/24")
    (found,) = findings(CHECK, listed(*many, last, permit(200, "tcp/22", "10.0.0.0/21")))
    assert found.evidence[0].startswith("ingress/107 denies")
    assert found.evidence[-1] == "3 more earlier rules take the rest"


def test_a_rule_that_takes_nothing_is_not_named_as_taking(findings: Findings) -> None:
    entries = (permit(90, "tcp/443", "10.0.0.0/8"), permit(100, "all", "0.0.0.0/0"), deny(110, "tcp/22", "10.0.0.0/8"))
    (found,) = findings(CHECK, listed(*entries))
    assert [text.split(" ")[0] for text in found.evidence] == ["ingress/100"]


def test_the_same_rule_again_and_again_is_told_each_time(findings: Findings) -> None:
    found = findings(CHECK, listed(*(permit(100 + number, "tcp/22", "10.0.0.0/8") for number in range(3))))
    assert told(found) == [("ingress/101", "low"), ("ingress/102", "low")]
    assert len({finding.id for finding in found}) == 2


def test_a_list_that_judges_no_subnet_loses_nothing_yet(findings: Findings) -> None:
    entries = (permit(100, "all", "0.0.0.0/0"), deny(200, "tcp/22", "0.0.0.0/0"))
    (found,) = findings(CHECK, listed(*entries, subnets=()))
    assert found.severity is Severity.LOW
    assert "the list judges no subnet" in found.evidence


@pytest.mark.parametrize("verdict", ["deny", "next"])
def test_nothing_is_said_below_a_rule_that_was_not_read_in_full(verdict: str, findings: Findings) -> None:
    unread = msgspec.structs.replace(permit(50, "tcp/0-1023", "0.0.0.0/0"), exact=False, verdict=verdict)
    below = (permit(100, "all", "0.0.0.0/0"), deny(200, "tcp/22", "0.0.0.0/0"), deny(210, "udp/53", "0.0.0.0/0"))
    assert told(findings(CHECK, listed(*below))) == [("ingress/200", "medium"), ("ingress/210", "medium")]
    assert told(findings(CHECK, listed(unread, *below))) == [("ingress/210", "medium")], "no packet of UDP is unclear"


def test_a_rule_that_was_not_read_in_full_takes_nothing_and_is_not_told(findings: Findings) -> None:
    unread = msgspec.structs.replace(permit(100, "all", "0.0.0.0/0"), exact=False)
    assert findings(CHECK, listed(unread, permit(90, "all", "0.0.0.0/0"))) == []
    assert findings(CHECK, listed(unread, deny(200, "tcp/22", "0.0.0.0/0"))) == []


@pytest.mark.parametrize(
    "peer",
    [GroupRef("aws:111122223333:eu-west-1:sg-1"), Names(("example.org",)), ListRef("aws:111122223333:eu-west-1:pl-1")],
)
def test_a_peer_that_is_no_set_of_addresses_takes_nothing(peer: Peer, findings: Findings) -> None:
    named = msgspec.structs.replace(permit(100, "all", "0.0.0.0/0"), remote=(peer,))
    assert findings(CHECK, listed(named, deny(200, "tcp/22", "10.0.0.0/8"))) == []


def test_a_list_of_addresses_that_was_read_takes_what_it_holds(findings: Findings) -> None:
    b = EstateBuilder()
    b.prefix_list("pl-1", "10.0.0.0/9", "10.128.0.0/9")
    named = msgspec.structs.replace(permit(100, "all", "0.0.0.0/0"), remote=(ListRef(b.id("pl-1")),))
    b.acl("acl-1", ["subnet-public"], (named, deny(200, "tcp/22", "10.0.0.0/8"), deny(210, "tcp/22", "11.0.0.0/8")))
    assert told(findings(CHECK, b.build())) == [("ingress/200", "medium")]


@pytest.mark.parametrize(
    "narrower",
    [
        {"source_ports": IntervalSet.of((1024, 65535))},
        {"local": (Addresses(AddressSet.parse("10.0.1.5")),)},
    ],
)
def test_a_rule_for_some_client_ports_or_a_part_of_this_end_takes_not_everything(
    narrower: dict[str, object], findings: Findings
) -> None:
    above = permit(100, "all", "0.0.0.0/0")
    below = deny(200, "tcp/22", "0.0.0.0/0")
    assert told(findings(CHECK, listed(above, below))) == [("ingress/200", "medium")]
    assert findings(CHECK, listed(msgspec.structs.replace(above, **narrower), below)) == []


def test_groups_are_no_ordered_lists(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "all", "0.0.0.0/0"), allow("ingress", "tcp/22", "10.0.0.0/8"))
    assert findings(CHECK, b.build()) == []


def test_at_one_number_a_denial_goes_before_an_allowance(findings: Findings) -> None:
    both = (permit(100, "tcp/22", "10.0.0.0/8"), msgspec.structs.replace(deny(100, "all", "0.0.0.0/0"), id="deny"))
    assert told(findings(CHECK, listed(*both))) == [("ingress/100", "medium")]


# A packet at a time: two hosts of IPv4, two of IPv6, four ports of TCP and two of UDP.
HOSTS = ("10.0.0.0", "10.0.0.1", "2001:db8::", "2001:db8::1")
PORTS = ("tcp/0", "tcp/1", "tcp/2", "tcp/3", "udp/0", "udp/1")


class Drawn(NamedTuple):
    hosts: frozenset[str]
    ports: frozenset[str]
    denies: bool

    def rule(self, number: int) -> Rule:
        return Rule(
            id=str(number),
            direction="ingress",
            verdict="deny" if self.denies else "next",
            traffic=Traffic.parse(", ".join(sorted(self.ports))),
            remote=(Addresses(AddressSet.parse(", ".join(sorted(self.hosts)))),),
            local=ANYONE,
            priority=number,
        )


drawn = st.builds(
    Drawn,
    st.frozensets(st.sampled_from(HOSTS), min_size=1),
    st.frozensets(st.sampled_from(PORTS), min_size=1),
    st.booleans(),
)


@given(st.lists(drawn, min_size=2, max_size=8))
def test_shadows_are_what_single_packets_show(rules: list[Drawn]) -> None:
    def first(host: str, port: str) -> int:
        return next(n for n, rule in enumerate(rules) if host in rule.hosts and port in rule.ports)

    expected: dict[str, set[str]] = {}
    for number, rule in enumerate(rules):
        deciders = {first(host, port) for host in rule.hosts for port in rule.ports}
        if number not in deciders:
            expected[str(number)] = {str(decider) for decider in deciders}
    translated = [rule.rule(number) for number, rule in enumerate(rules)]
    found = list(shadows(translated, EMPTY))
    assert {shadow.rule.id: {d.rule.id for d in shadow.deciders} for shadow in found} == expected
    for shadow in found:
        for decider in shadow.deciders:
            packet = one_packet(decider.packets)
            host, port = str(packet.addresses), str(packet.traffic)
            assert (host in HOSTS, port in PORTS) == (True, True)
            assert str(first(host, port)) == decider.rule.id
            assert host in rules[int(shadow.rule.id)].hosts
            assert port in rules[int(shadow.rule.id)].ports


@pytest.mark.parametrize(
    ("addresses", "traffic", "packet"),
    [
        ("0.0.0.0/0", "all", "tcp/1 1.0.0.1"),
        ("10.60.10.0/24", "tcp/5432", "tcp/5432 10.60.10.1"),
        ("10.0.0.7", "udp/0-10", "udp/1 10.0.0.7"),
        ("224.0.0.0/4", "igmp", "igmp 224.0.0.1"),
        ("::/0", "icmpv6/128", "icmpv6/128:0 ::2"),
        ("2001:db8::/32", "icmp/8", "icmp/8:0 2001:db8::1"),
    ],
)
def test_one_packet_is_one_that_a_reader_recognises(addresses: str, traffic: str, packet: str) -> None:
    found = one_packet(Box(AddressSet.parse(addresses), Traffic.parse(traffic)))
    assert f"{found.traffic} {found.addresses}" == packet


def test_rules_are_asked_in_the_order_of_their_numbers() -> None:
    entries = (permit(30, "all", "0.0.0.0/0"), acl_entry("egress", 5, "all", "0.0.0.0/0"), permit(4, "all", "::/0"))
    rule_set = RuleSet(id="aws:1:r:acl-1", kind="network-acl", stage="network-acls", rules=entries)
    assert [rule.priority for rule in in_order(rule_set, "ingress")] == [4, 30]
