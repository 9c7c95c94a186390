"""Who reaches whom: answers worked out by hand from the vendor's documentation."""

from __future__ import annotations

import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Estate, Gateway, Interface, Peering
from cloudseg.reach.reachability import Flow, Reachability, Verdict
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

INTERNET = AddressSet.parse("203.0.113.7")
OPEN = allow("egress", "all", "0.0.0.0/0")


def builder_of_two(ingress: str = "sg-app", *, unread: tuple[str, ...] = ()) -> EstateBuilder:
    """A database that admits ``ingress`` on its port, and an application that may send anything."""
    builder = EstateBuilder(unread=unread)
    builder.group("sg-db", allow("ingress", "tcp/5432", ingress))
    builder.group("sg-app", OPEN)
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.5")
    builder.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.6")
    return builder


def between(builder: EstateBuilder, source: str | AddressSet, target: str | AddressSet) -> Verdict:
    ends = [end if isinstance(end, AddressSet) else builder.id(end) for end in (source, target)]
    return Reachability(builder.build()).between(ends[0], ends[1])


def exactly(traffic: str) -> Verdict:
    return Verdict(Traffic.parse(traffic), Traffic.parse(traffic))


def at_most(traffic: str) -> Verdict:
    return Verdict(NO_TRAFFIC, Traffic.parse(traffic))


@pytest.mark.semantics(4)
@pytest.mark.semantics(5)
@pytest.mark.parametrize("ingress", ["sg-app", "10.0.1.6/32", "10.0.0.0/8", "0.0.0.0/0", "everyone"])
def test_both_ends_allow(ingress: str) -> None:
    assert between(builder_of_two(ingress), "eni-app", "eni-db") == exactly("tcp/5432")


@pytest.mark.semantics(4)
@pytest.mark.parametrize("ingress", ["sg-db", "10.0.1.7/32", "10.0.2.0/24", "::/0"])
def test_the_target_does_not_allow(ingress: str) -> None:
    assert between(builder_of_two(ingress), "eni-app", "eni-db") == exactly("none")


@pytest.mark.semantics(4)
def test_the_source_does_not_allow() -> None:
    builder = builder_of_two()
    builder.group("sg-app", allow("egress", "tcp/443", "0.0.0.0/0"))
    assert between(builder, "eni-app", "eni-db") == exactly("none")


@pytest.mark.semantics(1)
def test_the_union_of_all_groups_counts_on_both_sides() -> None:
    builder = builder_of_two()
    builder.group("sg-more", allow("ingress", "tcp/22", "10.0.1.0/24"), allow("egress", "udp/53", "10.0.0.0/16"))
    builder.interface("eni-db", "subnet-private", ["sg-db", "sg-more"], "10.0.2.5")
    assert between(builder, "eni-app", "eni-db") == exactly("tcp/5432, tcp/22")


@pytest.mark.semantics(12)
def test_members_of_a_group_that_names_itself_reach_each_other_and_nobody_reaches_itself() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", allow("ingress", "all", "sg-a"), OPEN)
    for number in (5, 6):
        builder.interface(f"eni-{number}", "subnet-private", ["sg-a"], f"10.0.2.{number}")
    reach = Reachability(builder.build())
    assert len(reach.classes) == 1
    assert reach.between(builder.id("eni-5"), builder.id("eni-6")).lower == Traffic.parse("all")
    assert reach.between(builder.id("eni-5"), builder.id("eni-5")).upper == NO_TRAFFIC
    assert Flow("c1", "c1", Traffic.parse("all"), Traffic.parse("all")) in set(reach.flows())


@pytest.mark.semantics(26)
def test_a_network_acl_does_not_judge_what_stays_in_its_subnet() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", allow("ingress", "all", "10.0.0.0/16"), OPEN)
    builder.acl("acl-1", ["subnet-public", "subnet-private"], ())
    for name, subnet, address in (
        ("a", "private", "10.0.2.5"),
        ("b", "private", "10.0.2.6"),
        ("c", "public", "10.0.1.5"),
    ):
        builder.interface(f"eni-{name}", f"subnet-{subnet}", ["sg-a"], address)
    assert between(builder, "eni-a", "eni-b") == exactly("all")
    assert between(builder, "eni-a", "eni-c") == exactly("none")


@pytest.mark.semantics(24)
@pytest.mark.semantics(25)
@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("tcp/1024-65535", exactly("tcp/5432")),
        ("tcp/32768-60999", at_most("tcp/5432")),
        ("tcp/80", at_most("tcp/5432")),
        ("udp", exactly("none")),
    ],
)
def test_the_reply_needs_an_entry_of_its_own(ports: str, expected: Verdict) -> None:
    builder = builder_of_two()
    builder.acl(
        "acl-1",
        ["subnet-private"],
        (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, ports, "0.0.0.0/0")),
    )
    assert between(builder, "eni-app", "eni-db") == expected


@pytest.mark.semantics(23)
def test_a_denial_with_a_lower_number_takes_its_packets_away() -> None:
    builder = builder_of_two("0.0.0.0/0")
    builder.acl(
        "acl-1",
        ["subnet-private"],
        (
            acl_entry("ingress", 90, "all", "10.0.1.0/28", deny=True),
            acl_entry("ingress", 100, "all", "0.0.0.0/0"),
            acl_entry("egress", 100, "all", "0.0.0.0/0"),
        ),
    )
    assert between(builder, "eni-app", "eni-db") == exactly("none")


@pytest.mark.semantics(33)
def test_the_internet_needs_a_public_address_and_a_route() -> None:
    builder = EstateBuilder()
    builder.group("sg-web", allow("ingress", "tcp/443", "0.0.0.0/0"), OPEN)
    builder.interface("eni-bare", "subnet-public", ["sg-web"], "10.0.1.5")
    builder.interface("eni-public", "subnet-public", ["sg-web"], "10.0.1.6", "203.0.113.10")
    builder.interface("eni-routeless", "subnet-private", ["sg-web"], "10.0.2.6", "203.0.113.11")
    assert between(builder, INTERNET, "eni-bare") == exactly("none")
    assert between(builder, INTERNET, "eni-public") == exactly("tcp/443")
    assert between(builder, INTERNET, "eni-routeless") == exactly("none")
    assert between(builder, "eni-bare", INTERNET) == exactly("none")
    assert between(builder, "eni-public", INTERNET) == exactly("all")


@pytest.mark.semantics(34)
def test_a_nat_gateway_lets_out_what_it_can_translate_and_nothing_in() -> None:
    builder = EstateBuilder()
    builder.group("sg-app", allow("ingress", "all", "0.0.0.0/0"), OPEN)
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    builder.interface("eni-nat", "subnet-public", [], "10.0.1.9", "203.0.113.9", role="nat_gateway")
    builder.put(
        "gateways",
        Gateway(
            id=builder.id("nat-1"),
            kind="nat-gateway",
            region="eu-west-1",
            networks=frozenset({builder.id("vpc-1")}),
            subnet=builder.id("subnet-public"),
            interfaces=frozenset({builder.id("eni-nat")}),
            public=True,
        ),
    )
    assert between(builder, "eni-app", INTERNET) == exactly("tcp, udp, icmp")
    assert between(builder, INTERNET, "eni-app") == exactly("none")
    assert between(builder, INTERNET, "eni-nat") == exactly("none")


def test_whether_answers_find_back_from_a_nat_gateway_that_was_not_read_is_unknown() -> None:
    builder = EstateBuilder()
    builder.group("sg-app", OPEN)
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    assert between(builder, "eni-app", INTERNET) == at_most("tcp, udp, icmp")


@pytest.mark.semantics(6)
def test_over_public_addresses_a_named_group_does_not_match() -> None:
    builder = EstateBuilder()
    builder.network("vpc-2", "10.9.0.0/16")
    builder.group("sg-a", allow("ingress", "tcp/22", "sg-a"), allow("ingress", "tcp/443", "203.0.113.11/32"), OPEN)
    builder.interface("eni-1", "subnet-public", ["sg-a"], "10.0.1.5", "203.0.113.10")
    builder.interface("eni-2", "subnet-private", ["sg-a"], "10.0.2.5", "203.0.113.11")
    builder.route("rtb-private", "0.0.0.0/1", "internet-gateway", "igw-1")
    builder.route("rtb-private", "128.0.0.0/1", "internet-gateway", "igw-1")
    # By private addresses the group matches; the public range is met on the way over the internet alone.
    assert between(builder, "eni-2", "eni-1") == exactly("tcp/22, tcp/443")


@pytest.mark.semantics(20)
@pytest.mark.semantics(117)
def test_a_list_that_was_not_read_may_hold_anybody() -> None:
    assert between(builder_of_two("pl-unread"), "eni-app", "eni-db") == at_most("tcp/5432")


@pytest.mark.semantics(117)
def test_groups_that_were_not_read_may_allow_anything() -> None:
    builder = builder_of_two()
    builder.interface("eni-db", "subnet-private", ["sg-db", "sg-unread"], "10.0.2.5")
    assert between(builder, "eni-app", "eni-db") == Verdict(Traffic.parse("tcp/5432"), Traffic.parse("all"))


@pytest.mark.semantics(117)
def test_an_address_that_was_not_read_lies_somewhere_in_the_subnet() -> None:
    builder = builder_of_two("10.0.1.6/32")
    builder.interface("eni-app", "subnet-public", ["sg-app"], "none")
    assert between(builder, "eni-app", "eni-db") == at_most("tcp/5432")
    builder.group("sg-db", allow("ingress", "tcp/5432", "10.0.1.0/24"))
    assert between(builder, "eni-app", "eni-db") == exactly("tcp/5432")


@pytest.mark.semantics(46)
def test_networks_of_the_same_range_are_two_places() -> None:
    builder = builder_of_two("10.0.0.0/16")
    builder.network("vpc-2", "10.0.0.0/16")
    builder.subnet("subnet-other", "10.0.1.0/24", network="vpc-2")
    builder.interface("eni-other", "subnet-other", ["sg-app"], "10.0.1.6")
    assert between(builder, "eni-app", "eni-db") == exactly("tcp/5432")
    assert between(builder, "eni-other", "eni-db").lower == NO_TRAFFIC


def test_an_estate_without_interfaces_has_no_flows() -> None:
    assert not list(Reachability(EstateBuilder().build()).flows())
    assert not list(Reachability(Estate()).flows())


def test_flows_can_be_asked_for_some_ends() -> None:
    builder = builder_of_two("0.0.0.0/0")
    reach = Reachability(builder.build())
    app, db = builder.id("eni-app"), builder.id("eni-db")
    assert [f.target for f in reach.flows([app], [db])] == [reach.class_of(db).name]
    assert not list(reach.flows([db], [app]))
    outside = list(reach.flows([app], [AddressSet.parse("203.0.113.0/24")]))
    assert not outside


def test_an_unknown_interface_is_refused() -> None:
    with pytest.raises(KeyError):
        Reachability(builder_of_two().build()).class_of("eni-nobody")


@pytest.mark.semantics(36)
@pytest.mark.semantics(117)
def test_interfaces_of_a_network_that_was_not_read_are_reached_at_most_over_a_peering() -> None:
    builder = builder_of_two("0.0.0.0/0")
    builder.put(
        "peerings",
        Peering(
            id=builder.id("pcx-1"),
            kind="peering",
            region="eu-west-1",
            networks=(builder.id("vpc-1"), builder.id("vpc-far")),
            regions=("eu-west-1", "eu-west-1"),
            active=True,
        ),
    )
    builder.route("rtb-public", "10.9.0.0/16", "peering", "pcx-1")
    builder.put(
        "interfaces",
        Interface(
            id=builder.id("eni-far"),
            kind="network-interface",
            region="eu-west-1",
            network=builder.id("vpc-far"),
            subnet=builder.id("subnet-far"),
            addresses=AddressSet.parse("10.9.0.5"),
            attached=frozenset({builder.id("sg-db")}),
        ),
    )
    assert between(builder, "eni-app", "eni-far") == at_most("tcp/5432")
    assert between(builder, "eni-app", AddressSet.parse("10.9.0.7")) == at_most("all")
