"""What became reachable and what stopped being so: estates worked by hand, and random edits pair by pair."""

import dataclasses
from collections.abc import Iterable
from itertools import permutations
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import AddRule, Attach, Detach, Edit, Estate, RemoveRule, Rule
from cloudseg.reach.comparing.compare import Change, Comparison, Counts, compare
from cloudseg.reach.reachability import NOTHING, Reachability, Verdict
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic
from cloudseg.traffic.telling import first_packet
from tests.oracle.compare import estate_of
from tests.oracle.estates import OUTSIDE, raw_estate
from tests.reach.balancers import TARGET, balanced, forward

ID = EstateBuilder.id
OUT = allow("egress", "all", "10.0.0.0/16")
T = Traffic.parse


def shop() -> EstateBuilder:
    """Two web servers that nothing tells apart but their addresses open 5432 to a database."""
    builder = EstateBuilder()
    builder.group("sg-web", OUT)
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-web"))
    builder.interface("eni-web1", "subnet-public", ["sg-web"], "10.0.1.11", public="203.0.113.11")
    builder.interface("eni-web2", "subnet-public", ["sg-web"], "10.0.1.12", public="203.0.113.12")
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.11")
    return builder


def built(builder: EstateBuilder) -> Estate:
    """The estate as the builder has it now; what is built later leaves it as it is."""
    return Estate.merged((builder.build(), Estate()))


def told(changes: Iterable[Change]) -> list[str]:
    """Changes in short: who, to whom, at least and at most, an example."""
    return [
        f"{', '.join(map(short, change.sources))} > {', '.join(map(short, change.targets))} "
        f"[{change.lower} .. {change.upper}] {change.cause} {change.pairs}: {change.witness}"
        for change in changes
    ]


def short(name: str) -> str:
    return name if name.startswith("external:") else name.rpartition("eni-")[2]


def test_equal_estates_differ_in_nothing() -> None:
    comparison = compare(built(shop()), built(shop()))
    assert comparison == Comparison((), (), Counts(0, 0, 0, 0), Counts(0, 0, 0, 0))
    assert comparison.equal


def test_an_estate_is_all_gain_beside_an_empty_one() -> None:
    everything = compare(Estate(), built(shop()))
    assert told(everything.gained) == [
        "web1, web2 > db [tcp/5432 .. tcp/5432] came 2: 10.0.1.11 → 10.0.2.11 tcp/5432",
    ]
    assert everything.came == tuple(ID(f"eni-{name}") for name in ("db", "web1", "web2"))
    nothing = compare(built(shop()), Estate())
    assert [change.cause for change in nothing.lost] == ["went"]
    assert compare(Estate(), Estate()).equal


def test_pairs_that_gained_alike_are_one_change_with_a_witness() -> None:
    builder = shop()
    old = built(builder)
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/22", "10.0.1.0/24"))
    comparison = compare(old, built(builder))
    assert told(comparison.gained) == ["web1, web2 > db [tcp/22 .. tcp/22] changed 2: 10.0.1.11 → 10.0.2.11 tcp/22"]
    assert comparison.gains == Counts(pairs=2, certain_pairs=2, from_outside=0, to_outside=0)
    assert (comparison.lost, comparison.equal) == ((), False)


def test_what_was_gained_one_way_is_lost_the_other_way() -> None:
    builder = shop()
    old = built(builder)
    builder.group("sg-db", OUT)
    comparison, back = compare(old, built(builder)), compare(built(builder), old)
    assert told(comparison.lost) == ["web1, web2 > db [tcp/5432 .. tcp/5432] changed 2: 10.0.1.11 → 10.0.2.11 tcp/5432"]
    assert (comparison.lost, comparison.losses) == (back.gained, back.gains)


def test_interfaces_that_all_gain_from_each_other_are_one_change() -> None:
    builder = shop()
    old = built(builder)
    everyone = allow("ingress", "tcp/22", "10.0.0.0/16")
    builder.group("sg-web", OUT, everyone)
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-web"), everyone)
    assert told(compare(old, built(builder)).gained) == [
        "db, web1, web2 > db, web1, web2 [tcp/22 .. tcp/22] changed 6: 10.0.2.11 → 10.0.1.11 tcp/22"
    ]


@pytest.mark.semantics(42)
def test_clients_that_no_longer_get_through_a_load_balancer_are_told_although_its_health_checks_do() -> None:
    # A rule for the load balancer's group admits the clients whose addresses it keeps; one for its addresses does not.
    checking, nodes = forward(keeps_client=True, checks=TARGET), "10.0.10.9/32, 10.0.20.9/32"
    old, new = (built(balanced(checking, ingress=ingress)) for ingress in ("sg-lb", nodes))
    (lost,), (gained,) = compare(old, new).lost, compare(new, old).gained
    assert lost.sources == gained.sources == (ID("node-a"), ID("node-b"))
    assert str(lost.upper) == str(gained.upper) == "tcp/8080"


def test_what_outside_addresses_gain_is_told_by_range() -> None:
    builder = shop()
    old = built(builder)
    ranges = (allow("ingress", "tcp/443", cidr) for cidr in ("198.51.100.0/24", "203.0.112.0/24"))
    builder.group("sg-web", OUT, *ranges)
    comparison = compare(old, built(builder))
    (told_of,) = told(comparison.gained)
    assert told_of == (
        "external:198.51.100.0/24, external:203.0.112.0/24 > web1, web2 [tcp/443 .. tcp/443] changed 2: "
        "198.51.100.1 → 10.0.1.11 tcp/443"
    )
    assert comparison.gains == Counts(pairs=0, certain_pairs=0, from_outside=2, to_outside=0)


def test_what_may_be_sent_to_outside_addresses_is_told_by_range() -> None:
    builder = shop()
    old = built(builder)
    builder.group("sg-web", OUT, allow("egress", "udp/53", "8.8.8.0/24"))
    comparison = compare(old, built(builder))
    assert told(comparison.gained) == [
        "web1, web2 > external:8.8.8.0/24 [udp/53 .. udp/53] changed 2: 10.0.1.11 → 8.8.8.1 udp/53"
    ]
    assert comparison.gains == Counts(pairs=0, certain_pairs=0, from_outside=0, to_outside=2)


def test_changes_of_interfaces_that_came_or_went_are_told_apart() -> None:
    builder = shop()
    old = built(builder)
    builder.interface("eni-web3", "subnet-public", ["sg-web"], "10.0.1.13")
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432-5433", "sg-web"))
    comparison = compare(old, built(builder))
    assert told(comparison.gained) == [
        "web1, web2 > db [tcp/5433 .. tcp/5433] changed 2: 10.0.1.11 → 10.0.2.11 tcp/5433",
        "web3 > db [tcp/5432-5433 .. tcp/5432-5433] came 1: 10.0.1.13 → 10.0.2.11 tcp/5432",
    ]
    assert (comparison.came, comparison.went, comparison.lost) == ((ID("eni-web3"),), (), ())
    back = compare(built(builder), old)
    assert [change.cause for change in back.lost] == ["changed", "went"]
    assert (back.came, back.went) == ((), (ID("eni-web3"),))


def test_an_interface_that_moved_is_no_new_one() -> None:
    builder = shop()
    old = built(builder)
    builder.interface("eni-web2", "subnet-private", ["sg-web"], "10.0.2.12")
    assert compare(old, built(builder)).equal


@pytest.mark.semantics(117)
def test_an_unknown_that_stays_as_it_was_is_no_change() -> None:
    builder = shop()
    builder.prefix_list("pl-1", read=False)
    unread = allow("ingress", "tcp/22", "pl-1")
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-web"), unread)
    old = built(builder)
    builder.group("sg-db", OUT, unread)
    comparison = compare(old, built(builder))
    assert comparison.gained == ()
    assert told(comparison.lost) == ["web1, web2 > db [tcp/5432 .. tcp/5432] changed 2: 10.0.1.11 → 10.0.2.11 tcp/5432"]


@pytest.mark.semantics(117)
def test_an_unknown_that_comes_is_gained_at_most_and_one_that_goes_is_lost_at_most() -> None:
    builder = shop()
    old = built(builder)
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/22", "pl-1"))
    comparison = compare(old, built(builder))
    inside = [change for change in comparison.gained if not change.sources[0].startswith("external:")]
    assert told(inside) == ["web1, web2 > db [none .. tcp/22] changed 2: 10.0.1.11 → 10.0.2.11 tcp/22"]
    assert (comparison.gains.pairs, comparison.gains.certain_pairs) == (2, 0)
    assert compare(built(builder), old).lost == comparison.gained


@pytest.mark.semantics(117)
def test_what_was_unknown_and_becomes_certain_is_gained_at_most() -> None:
    builder = shop()
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "pl-1"))
    old = built(builder)
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "10.0.1.0/24"), allow("ingress", "tcp/22", "pl-1"))
    comparison = compare(old, built(builder))
    assert [(change.lower, change.upper, change.pairs) for change in comparison.gained] == [
        (NO_TRAFFIC, T("tcp/22"), 2)
    ]
    assert comparison.lost == ()


@pytest.mark.semantics(117)
def test_another_unknown_between_the_same_bounds_is_undecided() -> None:
    builder = shop()
    builder.prefix_list("pl-1", read=False)
    builder.prefix_list("pl-2", read=False)
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "pl-1"))
    old = built(builder)
    assert compare(old, built(builder)).undecided == 0
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "pl-2"))
    comparison = compare(old, built(builder))
    # Both web servers, and the addresses outside.
    assert (comparison.gained, comparison.lost, comparison.undecided) == ((), (), 2)
    assert not comparison.equal


@pytest.mark.semantics(117)
def test_an_unknown_far_from_what_changed_is_the_same_one() -> None:
    builder = shop()
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "pl-1"))
    builder.group("sg-other", OUT)
    builder.interface("eni-other", groups=["sg-other"], address="10.0.2.99")
    old = built(builder)
    builder.group("sg-other", OUT, allow("ingress", "tcp/80", "10.0.1.0/24"))
    # What may come from the interface that changed is undecided; what may come from the web servers is not.
    assert compare(old, built(builder)).undecided == 1


def test_a_change_on_the_way_touches_everything_unknown() -> None:
    builder = shop()
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "pl-1"))
    old = built(builder)
    builder.route("rtb-public", "192.0.2.0/24", "internet-gateway", "igw-1")
    assert compare(old, built(builder)).undecided == 2


def test_the_witness_is_of_the_family_in_which_it_passes() -> None:
    builder = shop()
    network = built(builder).networks[ID("vpc-1")]
    both = AddressSet.parse("10.0.0.0/16, 2001:db8::/56")
    builder.put("networks", msgspec.structs.replace(network, addresses=both))
    for name in ("subnet-public", "subnet-private"):
        subnet = built(builder).subnets[ID(name)]
        six = AddressSet.parse("2001:db8:0:1::/64" if name == "subnet-public" else "2001:db8:0:2::/64")
        builder.put("subnets", msgspec.structs.replace(subnet, addresses=subnet.addresses | six))
        builder.route(name.replace("subnet", "rtb"), "2001:db8::/56", "local", "local")
    open_both = tuple(
        acl_entry(direction, number, "all", cidr)
        for direction in ("ingress", "egress")
        for number, cidr in ((1, "0.0.0.0/0"), (2, "::/0"))
    )
    builder.acl("acl-1", ["subnet-public", "subnet-private"], open_both)
    out6 = allow("egress", "all", "::/0")
    builder.group("sg-web", OUT, out6)
    builder.interface("eni-web1", "subnet-public", ["sg-web"], "10.0.1.11, 2001:db8:0:1::11")
    builder.interface("eni-web2", "subnet-public", ["sg-web"], "10.0.1.12")
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.11, 2001:db8:0:2::11")
    old = built(builder)
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "2001:db8::/56"), allow("ingress", "tcp/5432", "sg-web"))
    (change,) = compare(old, built(builder)).gained
    assert str(change.witness) == "2001:db8:0:1::11 → 2001:db8:0:2::11 tcp/22"
    builder.group("sg-db", OUT, allow("ingress", "tcp/22", "10.0.1.11/32"), allow("ingress", "tcp/5432", "sg-web"))
    (change,) = compare(old, built(builder)).gained
    assert str(change.witness) == "10.0.1.11 → 10.0.2.11 tcp/22"
    # Over IPv4 it passes at most, over IPv6 for sure.
    builder.prefix_list("pl-1", read=False)
    six, four = allow("ingress", "tcp/22", "2001:db8::/56"), allow("ingress", "tcp/22", "pl-1")
    builder.group("sg-db", OUT, six, four, allow("ingress", "tcp/5432", "sg-web"))
    (certain,) = (change for change in compare(old, built(builder)).gained if change.certain)
    assert str(certain.witness) == "2001:db8:0:1::11 → 2001:db8:0:2::11 tcp/22"


@pytest.mark.parametrize(
    ("traffic", "family", "packet"),
    [
        ("all", 4, "tcp/22"),
        ("tcp/1-100, tcp/3389", 4, "tcp/22"),
        ("tcp/440-450, tcp/1000-4000", 4, "tcp/3389"),
        ("tcp/440-450, udp/53", 4, "tcp/445"),
        ("tcp/8000-9000", 4, "tcp/8086"),
        ("tcp/400-444", 4, "tcp/443"),
        ("udp", 4, "udp/137"),
        ("udp/40-50", 4, "udp/40"),
        ("tcp/0-1", 4, "tcp/1"),
        ("tcp/0", 4, "tcp/0"),
        ("icmp/3:4, icmpv6", 4, "icmp/3:4"),
        ("icmp/3:4, icmpv6", 6, "icmpv6/0:0"),
        ("icmpv6/128", 4, "icmpv6/128:0"),
        ("esp, gre", 4, "gre"),
    ],
)
def test_a_witness_is_one_packet_that_says_much(traffic: str, family: int, packet: str) -> None:
    assert first_packet(T(traffic), family) == T(packet)


def edited(estate: Estate, random: Random) -> Estate:
    """The estate after a few edits that a person might make."""
    for _ in range(random.randint(1, 4)):
        edits = [edit for edit in (_rule_edit(estate, random), _group_edit(estate, random)) if edit is not None]
        estate = estate.with_edits(random.sample(edits, min(1, len(edits))))
    if random.random() < 0.3:
        gone = random.choice(sorted(estate.interfaces))
        kept = {name: each for name, each in estate.interfaces.items() if name != gone}
        estate = dataclasses.replace(estate, interfaces=kept)
    return estate


def _rule_edit(estate: Estate, random: Random) -> Edit | None:
    rule_set = random.choice([estate.rule_sets[name] for name in sorted(estate.rule_sets)])
    if not rule_set.rules:
        return None
    rule: Rule = random.choice(rule_set.rules)
    if random.random() < 0.4:
        return RemoveRule(rule_set.id, rule.id)
    traffic = T(random.choice(("all", "tcp/22", "tcp/20-443", "udp", "icmp", "icmpv6/128")))
    return AddRule(rule_set.id, msgspec.structs.replace(rule, id=f"new-{random.random()}", traffic=traffic))


def _group_edit(estate: Estate, random: Random) -> Edit | None:
    interface = estate.interfaces[random.choice(sorted(estate.interfaces))]
    groups = [name for name in sorted(estate.groups) if estate.groups[name].networks == (interface.network,)]
    if not groups:
        return None
    group = random.choice(groups)
    return Detach(interface.id, group) if group in interface.attached else Attach(interface.id, group)


def expected(old: Verdict, new: Verdict) -> tuple[Traffic, Traffic]:
    unknown = (old.upper - old.lower) & (new.upper - new.lower)
    return new.lower - old.upper, new.upper - old.lower - unknown


def verdict(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> Verdict:
    ends = [end for end in (source, target) if isinstance(end, str)]
    return reach.between(source, target) if all(end in reach.estate.interfaces for end in ends) else NOTHING


def by_pair(changes: Iterable[Change]) -> dict[tuple[str, str], Change]:
    """Changes by pair of interfaces, and by ``external:`` text where an end is outside; each pair has one."""
    found: dict[tuple[str, str], Change] = {}
    for change in changes:
        own = {(source, target) for source in change.sources for target in change.targets if source != target}
        assert not found.keys() & own
        found |= dict.fromkeys(own, change)
        outside = any(end.startswith("external:") for end in (*change.sources, *change.targets))
        assert outside or change.pairs == len(own)
    return found


def of_outside(found: dict[tuple[str, str], Change], end: str, address: AddressSet, *, incoming: bool) -> list[Change]:
    """The changes between an interface and one address outside."""
    place = 0 if incoming else 1
    return [
        change
        for pair, change in found.items()
        if pair[1 - place] == end
        and pair[place].startswith("external:")
        and address <= AddressSet.parse(pair[place].removeprefix("external:"))
    ]


def check_direction(changes: tuple[Change, ...], counts: Counts, old: Reachability, new: Reachability) -> None:
    """Hold what was gained (or lost, with the estates exchanged) against both estates, asked pair by pair."""
    found = by_pair(changes)
    names = sorted({*old.estate.interfaces, *new.estate.interfaces})
    pairs = certain = 0
    for source, target in permutations(names, 2):
        lower, upper = expected(verdict(old, source, target), verdict(new, source, target))
        change = found.get((source, target))
        assert (change is not None) == bool(upper), (source, target)
        if change is not None:
            assert (change.lower, change.upper) == (lower, upper), (source, target)
            stayed = all(end in reach.estate.interfaces for end in (source, target) for reach in (old, new))
            assert (change.cause == "changed") == stayed
            pairs, certain = pairs + 1, certain + bool(lower)
    assert (counts.pairs, counts.certain_pairs) == (pairs, certain)
    for name in names:
        for text in OUTSIDE:
            address = AddressSet.parse(text)
            for incoming, ends in ((True, (address, name)), (False, (name, address))):
                lower, upper = expected(verdict(old, *ends), verdict(new, *ends))
                own = of_outside(found, name, address, incoming=incoming)
                assert [(change.lower, change.upper) for change in own] == ([(lower, upper)] if upper else [])
    for change in changes:
        check_witness(change, old, new)


def check_witness(change: Change, old: Reachability, new: Reachability) -> None:
    witness = change.witness
    ends = [
        name or AddressSet.parse(address)
        for name, address in (
            (witness.source, witness.source_address),
            (witness.target, witness.target_address),
        )
    ]
    before, after = verdict(old, *ends), verdict(new, *ends)
    assert witness.traffic <= (change.lower or change.upper)
    assert witness.traffic <= after.upper
    assert not witness.traffic <= before.lower
    if change.lower:
        assert witness.traffic <= after.lower
        assert not witness.traffic.overlaps(before.upper)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100_000))
@pytest.mark.semantics(115, 117)
def test_random_edits_give_what_asking_pair_by_pair_gives(seed: int) -> None:
    old = estate_of(raw_estate(seed).answers)
    new = edited(old, Random(seed))
    comparison = compare(old, new)
    reaches = Reachability(old), Reachability(new)
    check_direction(comparison.gained, comparison.gains, *reaches)
    check_direction(comparison.lost, comparison.losses, *reversed(reaches))
    assert comparison == compare(old, new)
