"""Rules that could go: which they are, what stands in for them, and that nothing changes without all of them."""

import dataclasses
from collections.abc import Callable, Iterator
from itertools import chain

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.redundancy import redundant_rules
from cloudseg.checks.redundant_rule import CHECK
from cloudseg.findings import Finding
from cloudseg.model import (
    ANYONE,
    Addresses,
    Direction,
    Entrance,
    Estate,
    Everyone,
    Forward,
    Forwarder,
    GroupRef,
    ListRef,
    Peer,
    RemoveRule,
    Rule,
    Template,
    Unresolved,
)
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, IntervalSet, Traffic

Findings = Callable[..., list[Finding]]


def of_one_group(*rules: Rule) -> Estate:
    b = EstateBuilder()
    b.group("sg-1", *rules)
    b.group("sg-2")
    b.interface("eni-1", "subnet-private", ["sg-1"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-2"], "10.0.2.11")
    return b.build()


def rule(rule_id: str, traffic: str, peer: str, **fields: object) -> Rule:
    found = allow("ingress", traffic, peer, rule_id=rule_id)
    return msgspec.structs.replace(found, **fields) if fields else found


def told(estate: Estate) -> list[tuple[str, list[str]]]:
    return [(found.rule.id, [other.id for _, other in found.by]) for found in redundant_rules(estate)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("a", "tcp/22", "10.0.0.0/8"), rule("b", "tcp/22", "10.1.0.0/16")], [("b", ["a"])]),
        ([rule("a", "tcp/22", "10.1.0.0/16"), rule("b", "tcp/22", "10.0.0.0/8")], [("a", ["b"])]),
        ([rule("a", "tcp/22", "10.0.0.0/8"), rule("b", "tcp/23", "10.1.0.0/16")], []),
        ([rule("a", "tcp/22", "10.0.0.0/8"), rule("b", "tcp/22", "11.1.0.0/16")], []),
        ([rule("a", "tcp/22", "10.0.0.0/8"), rule("b", "udp/22", "10.1.0.0/16")], []),
        ([rule("a", "tcp/22", "10.0.0.0/8"), rule("b", "tcp/22-23", "10.1.0.0/16")], []),
        # One packet is left: 10.1.255.255.
        ([rule("a", "tcp/22", "10.0.0.0-10.1.255.254"), rule("b", "tcp/22", "10.1.0.0/16")], []),
        ([rule("a", "all", "0.0.0.0/0"), rule("b", "tcp/22", "::/0")], []),
        ([rule("a", "all", "everyone"), rule("b", "tcp/22", "::/0")], [("b", ["a"])]),
        # Halves of the range, and of the ports.
        (
            [
                rule("a", "tcp/0-99", "10.0.0.0/9"),
                rule("b", "tcp/100-200", "10.0.0.0/9"),
                rule("c", "tcp/0-200", "10.128.0.0/9"),
                rule("d", "tcp/50-150", "10.0.0.0/8"),
            ],
            [("d", ["a", "b", "c"])],
        ),
        # Each of the narrow ones goes, and the wide one stays.
        (
            [
                rule("a", "tcp/22", "10.0.0.0/9"),
                rule("b", "tcp/22", "10.0.0.0/8"),
                rule("c", "tcp/22", "10.128.0.0/9"),
            ],
            [("a", ["b"]), ("c", ["b"])],
        ),
        # A chain: what stands in may itself be redundant, and the widest stays.
        (
            [rule("a", "tcp/22", "10.0.0.0/8"), rule("b", "tcp/22", "10.0.0.0/16"), rule("c", "tcp/22", "10.0.0.0/24")],
            [("b", ["a"]), ("c", ["a"])],
        ),
    ],
)
def test_a_rule_is_redundant_when_others_admit_all_of_it(
    rules: list[Rule], expected: list[tuple[str, list[str]]]
) -> None:
    assert told(of_one_group(*rules)) == expected


def test_of_equal_rules_all_but_the_first_are_told() -> None:
    listed = EstateBuilder()
    listed.prefix_list("pl-1", "10.0.0.0/9", "10.128.0.0/9")
    listed.group(
        "sg-1", rule("c", "tcp/22", "10.0.0.0/8"), rule("a", "tcp/22", "pl-1"), rule("b", "tcp/22", "10.0.0.0/8")
    )
    listed.interface("eni-1", groups=["sg-1"])
    assert told(listed.build()) == [("b", ["a"]), ("c", ["a"])]


def test_of_two_groups_that_say_the_same_everywhere_the_first_keeps_its_rule() -> None:
    b = EstateBuilder()
    b.group("sg-b", rule("one", "tcp/22", "10.0.0.0/8"))
    b.group("sg-a", rule("two", "tcp/22", "10.0.0.0/8"))
    b.interface("eni-1", groups=["sg-a", "sg-b"])
    assert told(b.build()) == [("one", ["two"])]


def test_a_group_that_judges_somewhere_alone_keeps_what_the_other_one_admits() -> None:
    b = EstateBuilder()
    b.group("sg-a", rule("wide", "tcp/22", "10.0.0.0/8"))
    b.group("sg-b", rule("narrow", "tcp/22", "10.1.0.0/16"))
    b.interface("eni-1", groups=["sg-a", "sg-b"], address="10.0.2.10")
    assert told(b.build()) == [("narrow", ["wide"])]
    b.interface("eni-2", groups=["sg-b"], address="10.0.2.11")
    assert told(b.build()) == []


def test_in_each_company_another_rule_may_stand_in() -> None:
    b = EstateBuilder()
    b.group("sg-a", rule("a", "tcp/22", "10.0.0.0/8"))
    b.group("sg-b", rule("b", "tcp", "10.1.0.0/16"))
    b.group("sg-c", rule("c", "tcp/22", "10.1.0.0/24"))
    b.interface("eni-1", groups=["sg-a", "sg-c"], address="10.0.2.10")
    b.interface("eni-2", groups=["sg-b", "sg-c"], address="10.0.2.11")
    assert told(b.build()) == [("c", ["a", "b"])]


@pytest.mark.parametrize("unread", ["interfaces", "attached"])
def test_where_an_interface_may_carry_the_group_alone_other_groups_do_not_count(unread: str) -> None:
    b = EstateBuilder(unread=["interfaces"] if unread == "interfaces" else [])
    b.group("sg-a", rule("a", "tcp/22", "10.0.0.0/8"))
    b.group("sg-b", rule("b", "tcp/22", "10.1.0.0/16"), rule("c", "tcp/22", "10.1.1.0/24"))
    b.interface("eni-1", groups=["sg-a", "sg-b"])
    if unread == "attached":
        b.interface("eni-2", address="10.0.2.11", attached_unread=True)
    assert told(b.build()) == [("c", ["b"])]


@pytest.mark.semantics(5)
@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ("sg-2", [("group", ["beside"])]),
        ("0.0.0.0/0", [("group", ["beside"])]),
        ("10.0.0.0/16", [("group", ["beside"])]),
        # The only member is 10.0.2.11 today, and another one may come.
        ("10.0.2.0/24", []),
        ("10.0.2.11", []),
        ("sg-1", []),
    ],
)
def test_addresses_stand_in_for_a_group_where_they_hold_its_network(
    beside: str, expected: list[tuple[str, list[str]]]
) -> None:
    assert told(of_one_group(rule("group", "tcp/22", "sg-2"), rule("beside", "tcp/20-25", beside))) == expected


def test_a_group_never_stands_in_for_addresses() -> None:
    assert told(of_one_group(rule("a", "tcp/22", "10.0.2.11"), rule("b", "all", "sg-2"))) == []


def test_addresses_stand_in_for_a_group_with_ipv6_only_when_they_hold_these_too() -> None:
    b = EstateBuilder()
    b.group("sg-1", rule("group", "tcp/22", "sg-2"), rule("four", "tcp/22", "0.0.0.0/0"))
    b.group("sg-2")
    b.interface("eni-1", groups=["sg-1"], address="10.0.2.10")
    b.interface("eni-2", groups=["sg-2"], address="10.0.2.11")
    assert told(b.build()) == [("group", ["four"])]
    b.interface("eni-2", groups=["sg-2"], address="10.0.2.11, 2001:db8::11")
    assert told(b.build()) == []


def test_of_a_group_that_was_not_read_nobody_knows_the_addresses() -> None:
    other = GroupRef("aws:999999999999:eu-west-1:sg-9")
    named = msgspec.structs.replace(rule("group", "tcp/22", "none"), remote=(other,))
    assert told(of_one_group(named, rule("beside", "tcp/22", "0.0.0.0/0"))) == []
    assert told(of_one_group(named, rule("beside", "tcp/22", "everyone"))) == [("group", ["beside"])]


def test_ports_of_a_group_may_come_from_the_group_and_from_addresses() -> None:
    rules = (
        rule("a", "tcp/0-99", "sg-2"),
        rule("b", "tcp/100-200", "10.0.0.0/8"),
        rule("group", "tcp/50-150", "sg-2"),
    )
    assert told(of_one_group(*rules)) == [("group", ["a", "b"])]


@pytest.mark.parametrize(
    "unclear",
    [
        {"exact": False},
        {"source_ports": IntervalSet.of(1024)},
        {"local": (Addresses(AddressSet.parse("10.0.2.10")),)},
        {"remote": (ListRef("aws:111122223333:eu-west-1:pl-unread"),)},
        {"remote": (Unresolved("x", "not read"),)},
        {"remote": (GroupRef("aws:111122223333:eu-west-1:sg-2", stale=True),)},
    ],
)
def test_what_was_not_read_in_full_neither_stands_in_nor_is_told(unclear: dict[str, object]) -> None:
    whole = rule("whole", "all", "everyone")
    assert told(of_one_group(rule("a", "tcp/22", "10.0.0.0/8"), msgspec.structs.replace(whole, **unclear))) == []
    assert told(of_one_group(whole, msgspec.structs.replace(rule("a", "tcp/22", "10.0.0.0/8"), **unclear))) == []


def test_the_directions_are_told_apart() -> None:
    out = msgspec.structs.replace(rule("out", "all", "everyone"), direction="egress")
    assert told(of_one_group(rule("in", "tcp/22", "10.0.0.0/8"), out)) == []


def test_a_rule_with_several_ends_needs_each_of_them_elsewhere() -> None:
    both = msgspec.structs.replace(
        rule("both", "tcp/22", "10.0.0.0/8"),
        remote=(Addresses(AddressSet.parse("11.0.0.0/8")), GroupRef("aws:111122223333:eu-west-1:sg-2")),
    )
    addresses, group = rule("a", "tcp/22", "11.0.0.0/8"), rule("b", "tcp/22", "sg-2")
    assert told(of_one_group(both, addresses)) == [("a", ["both"])]
    wider = rule("a", "tcp/22-23", "11.0.0.0/8"), rule("b", "tcp/22-23", "sg-2")
    assert told(of_one_group(both, *wider)) == [("both", ["a", "b"])]
    assert told(of_one_group(both, wider[0], group)) == [("b", ["both"])]


def test_a_list_of_ranges_stands_in_for_what_lies_in_one_of_them() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-1", "10.0.0.0/24", "10.0.2.0/24")
    b.group(
        "sg-1",
        rule("list", "tcp/22", "pl-1"),
        rule("inside", "tcp/22", "10.0.2.128/25"),
        rule("between", "tcp/22", "10.0.1.0/24"),
        rule("across", "tcp/22", "10.0.0.128-10.0.2.10"),
    )
    b.interface("eni-1", groups=["sg-1"])
    assert told(b.build()) == [("between", ["across"]), ("inside", ["list"])]


def test_the_finding_names_what_stands_in_and_where_it_stands(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-a", rule("wide", "tcp/22", "10.0.0.0/8"))
    b.group("sg-b", rule("narrow", "tcp/22", "10.1.0.0/16"), name="web", managed_by="eks")
    b.interface("eni-1", groups=["sg-a", "sg-b"])
    (found,) = findings(CHECK, b.build())
    assert found.message == "sg-b (web): tcp/22 from 10.1.0.0/16 is admitted anyway, by wide"
    assert found.evidence == (
        "wide of sg-a admits tcp/22 from 10.0.0.0/8",
        "every interface that sg-b judges is judged by sg-a too",
        (
            "no packet shows it: no interface has such an address, "
            "and nothing of it was found that surely comes in from there"
        ),
        "managed by eks: change it there",
    )


def test_equal_rules_have_findings_of_their_own(findings: Findings) -> None:
    found = findings(CHECK, of_one_group(*(rule(name, "tcp/22", "10.0.0.0/8") for name in "abc")))
    assert len({finding.id for finding in found}) == len(found) == 2


def behind_a_balancer(*, keeps_client: bool | None, complete: bool = True, group: str = "sg-nlb") -> Estate:
    """A target that admits the group of a network load balancer, and the network it stands in."""
    b = EstateBuilder()
    b.group("sg-app", rule("group", "tcp/443", group), rule("network", "tcp/443", "10.0.0.0/16"))
    b.group("sg-nlb")
    b.group("sg-spare")
    b.interface("eni-app", groups=["sg-app"])
    node = {"role": "network_load_balancer", "workload": b.id("nlb")}
    b.interface("eni-nlb", "subnet-public", ["sg-nlb"], "10.0.1.20", **node)
    served = Traffic.parse("tcp/443")
    forward = Forward(name="targets", listens=served, traffic=served, keeps_client=keeps_client, cross_zone=True)
    b.put(
        "forwarders",
        Forwarder(id=b.id("nlb"), kind="load-balancer", accepts=served, forwards=(forward,), complete=complete),
    )
    return b.build()


# A rule that names the group of a network load balancer admits its clients, whatever their addresses:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
@pytest.mark.parametrize(
    ("keeps_client", "expected"),
    [(False, [("group", ["network"])]), (True, []), (None, [])],
)
def test_a_group_of_nodes_that_keep_their_clients_addresses_admits_more_than_its_network(
    *, keeps_client: bool | None, expected: list[tuple[str, list[str]]]
) -> None:
    assert told(behind_a_balancer(keeps_client=keeps_client)) == expected


def test_the_listeners_of_a_balancer_that_were_not_read_may_keep_their_clients_addresses() -> None:
    assert told(behind_a_balancer(keeps_client=False, complete=False)) == []


def test_a_group_that_nobody_carries_may_come_to_stand_for_the_clients_of_a_balancer() -> None:
    assert told(behind_a_balancer(keeps_client=False, group="sg-spare")) == []


def test_a_group_of_nodes_of_a_balancer_that_was_not_read_may_admit_more_than_its_network() -> None:
    b = EstateBuilder()
    b.group("sg-app", rule("group", "tcp/443", "sg-nlb"), rule("network", "tcp/443", "10.0.0.0/16"))
    b.group("sg-nlb")
    b.interface("eni-app", groups=["sg-app"])
    b.interface("eni-nlb", "subnet-public", ["sg-nlb"], "10.0.1.20", role="network_load_balancer")
    assert told(b.build()) == []


# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-security-groups.html: with its clients' addresses kept, the
# range of the network does not admit an endpoint; its group does.
@pytest.mark.parametrize(("keeps", "expected"), [(False, [("group", ["network"])]), (True, [])])
def test_a_group_of_an_instance_connect_endpoint_that_keeps_addresses_admits_more_than_its_network(
    *, keeps: bool, expected: list[tuple[str, list[str]]]
) -> None:
    b = EstateBuilder()
    b.group("sg-app", rule("group", "tcp/22", "sg-ice"), rule("network", "tcp/22", "10.0.0.0/16"))
    b.group("sg-ice")
    b.interface("eni-app", groups=["sg-app"])
    role = "ec2_instance_connect_endpoint"
    endpoint = b.id("eice-1")
    b.interface("eni-ice", "subnet-public", ["sg-ice"], "10.0.1.60", role=role, workload=endpoint, keeps_client=keeps)
    assert told(b.build()) == expected


def of_two_groups(*launched: frozenset[str], unread: tuple[str, ...] = ()) -> Estate:
    """An interface that carries two groups, and a launch template that attaches some of them."""
    b = EstateBuilder(unread=unread)
    b.group("sg-base", rule("wide", "tcp/22", "10.0.0.0/16"))
    b.group("sg-db", rule("narrow", "tcp/22", "10.0.1.0/24"))
    b.interface("eni-1", groups=["sg-base", "sg-db"])
    together = frozenset(frozenset(map(b.id, names)) for names in launched)
    if together:
        groups = frozenset[str]().union(*together)
        b.put("templates", Template(id=b.id("lt-1"), kind="launch-template", groups=groups, together=together))
    return b.build()


@pytest.mark.parametrize(
    ("launched", "expected"),
    [
        ((), [("narrow", ["wide"])]),
        ((frozenset(("sg-base", "sg-db")),), [("narrow", ["wide"])]),
        ((frozenset(("sg-base",)),), [("narrow", ["wide"])]),
        ((frozenset(("sg-db",)),), []),
        # Two interfaces of one instance, each with a group of its own.
        ((frozenset(("sg-base",)), frozenset(("sg-db",))), []),
    ],
)
def test_a_group_that_a_template_attaches_alone_keeps_what_the_other_one_admits(
    launched: tuple[frozenset[str], ...], expected: list[tuple[str, list[str]]]
) -> None:
    assert told(of_two_groups(*launched)) == expected


def test_where_templates_were_not_read_other_groups_do_not_count() -> None:
    assert told(of_two_groups(unread=("templates",))) == []


def test_a_group_that_only_a_template_attaches_is_left_out() -> None:
    b = EstateBuilder()
    b.group("sg-1", rule("wide", "tcp/22", "10.0.0.0/16"), rule("narrow", "tcp/22", "10.0.1.0/24"))
    group = frozenset((b.id("sg-1"),))
    b.put("templates", Template(id=b.id("lt-1"), kind="launch-template", groups=group))
    assert told(b.build()) == []


@pytest.mark.semantics(126)
@pytest.mark.parametrize(("groups", "expected"), [(("sg-2",), []), (("sg-1",), [("b", ["a"])])])
def test_a_group_under_which_an_entrance_may_be_seen_has_members_of_any_address(
    groups: tuple[str, ...], expected: list[tuple[str, list[str]]]
) -> None:
    # Whether what comes from CloudFront bears an address of the network, or belongs to the group alone, is not told:
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
    estate = of_one_group(rule("a", "tcp/443", "10.0.0.0/16"), rule("b", "tcp/443", "sg-2"))
    assert told(estate) == [("b", ["a"])]
    names = frozenset(EstateBuilder.id(own) for own in groups)
    traffic, own = Traffic.parse("tcp/443"), EstateBuilder.id("vo-1")
    origin = Entrance(id=own, kind="cloudfront-vpc-origin", targets=frozenset(), traffic=traffic, groups=names)
    assert told(dataclasses.replace(estate, entrances={origin.id: origin})) == expected


# One packet at a time, over whoever may come: every address of a small world, and members of two groups, which have
# addresses of the network. Only rules for everyone admit those elsewhere.
NETWORK = ("10.0.0.0", "10.0.0.1", "10.0.0.2")
OUTSIDE = ("192.0.2.0", "192.0.2.1", "2001:db8::")
ELSEWHERE = ("198.51.100.1", "2001:db8::1")
PORTS = ("tcp/0", "tcp/1", "udp/0")
GROUPS = ("sg-a", "sg-b")
NAMES = ("sg-a", "sg-b", "sg-c")


def made_rule(number: int, ports: frozenset[str], remote: list[Peer], direction: Direction) -> Rule:
    return Rule(
        id=f"r{number}",
        direction=direction,
        verdict="next",
        traffic=Traffic.parse(", ".join(sorted(ports))),
        remote=tuple(remote),
        local=ANYONE,
    )


def drawn_rule(number: int) -> st.SearchStrategy[Rule]:
    hosts = st.frozensets(st.sampled_from((*NETWORK, *OUTSIDE)), min_size=1).map(
        lambda chosen: Addresses(AddressSet.parse(", ".join(sorted(chosen))))
    )
    groups = st.sampled_from(GROUPS).map(lambda name: GroupRef(EstateBuilder.id(name)))
    peers = st.one_of(hosts, hosts, groups, st.just(Everyone()))
    return st.builds(
        made_rule,
        st.just(number),
        st.frozensets(st.sampled_from(PORTS), min_size=1),
        st.lists(peers, min_size=1, max_size=2),
        st.sampled_from(("ingress", "ingress", "egress")),
    )


@st.composite
def small_worlds(draw: st.DrawFn) -> Estate:
    b = EstateBuilder()
    b.put("networks", msgspec.structs.replace(
        next(iter(b.build().networks.values())), addresses=AddressSet.parse(", ".join(NETWORK))
    ))  # fmt: skip
    for position, name in enumerate(NAMES):
        count = draw(st.integers(0, 4))
        b.group(name, *(draw(drawn_rule(10 * position + number)) for number in range(count)))
    for number, address in enumerate(NETWORK):
        b.interface(f"eni-{number}", groups=draw(st.sets(st.sampled_from(NAMES))), address=address)
    return b.build()


def hosts(estate: Estate) -> Iterator[tuple[str, str]]:
    """Yield whoever may be at the other end: an address, and the group that it belongs to, if any.

    A group that nobody carries may come to stand for the clients of a load balancer, wherever they are.
    """
    yield from (("", address) for address in (*NETWORK, *OUTSIDE, *ELSEWHERE))
    for group in GROUPS:
        carried = bool(estate.members(EstateBuilder.id(group)))
        yield from ((group, address) for address in (NETWORK if carried else (*NETWORK, *OUTSIDE, *ELSEWHERE)))


def admits(rule: Rule, group: str, address: str, port: str) -> bool:
    if not Traffic.parse(port) <= rule.traffic:
        return False
    return any(
        isinstance(peer, Everyone)
        or (isinstance(peer, GroupRef) and peer.group == EstateBuilder.id(group))
        or (isinstance(peer, Addresses) and peer.addresses.has(address))
        for peer in rule.remote
    )


def let_through(estate: Estate, without: frozenset[tuple[str, str]]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    everyone = list(hosts(estate))
    for interface in estate.interfaces.values():
        for name in interface.attached:
            for each in estate.rule_sets[name].rules:
                if (name, each.id) not in without:
                    found.update(
                        (interface.id, each.direction, group, address, port)
                        for group, address in everyone
                        for port in PORTS
                        if admits(each, group, address, port)
                    )
    return found


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(small_worlds())
def test_all_that_are_told_can_go_and_no_other_rule_can_go_after_them(estate: Estate) -> None:
    gone = frozenset((found.rule_set.id, found.rule.id) for found in redundant_rules(estate))
    before = let_through(estate, frozenset())
    assert let_through(estate, gone) == before
    judging = {name for interface in estate.interfaces.values() for name in interface.attached}
    assert {name for name, _ in gone} <= judging
    for name in judging:
        for each in estate.rule_sets[name].rules:
            if (name, each.id) not in gone:
                assert let_through(estate, gone | {(name, each.id)}) != before


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=25)
@given(small_worlds())
def test_no_pair_changes_without_the_rules_that_are_told(estate: Estate) -> None:
    told = [RemoveRule(found.rule_set.id, found.rule.id) for found in redundant_rules(estate)]
    before, after = Reachability.together([estate, estate.with_edits(told)])
    assert set(before.flows()) == set(after.flows())


def test_every_rule_that_stands_in_is_one_that_stays(findings: Findings) -> None:
    estate = of_one_group(
        *(rule(str(size), "tcp/22", f"10.0.0.0/{size}") for size in range(8, 30)),
        *(rule(f"port-{port}", f"tcp/{port}", "10.0.0.0/8") for port in range(20, 25)),
    )
    found = list(redundant_rules(estate))
    gone = {each.rule.id for each in found}
    assert gone
    assert not gone & {other.id for _, other in chain.from_iterable([each.by for each in found])}
