"""How far an intruder gets: estates worked by hand, and random ones against a search interface by interface."""

import dataclasses
from collections.abc import Collection
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Estate
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.spread.blast import Blast
from cloudseg.reach.spread.extents import Extent, Reached, Spread
from cloudseg.reach.spread.footholds import footholds_of
from cloudseg.traffic import Traffic
from cloudseg.traffic.port_classes import ADMINISTRATION, ANY_PORT
from tests.oracle.compare import estate_of
from tests.oracle.estates import raw_estate
from tests.reach.balancers import balancer, forward, target

ID = EstateBuilder.id
OUT = allow("egress", "all", "10.0.0.0/16")


def chain() -> EstateBuilder:
    """Web may open 8080 to app, app 5432 to db; ssh goes from the jump host to web alone."""
    builder = EstateBuilder()
    builder.group("sg-jump", OUT)
    builder.group("sg-web", OUT, allow("ingress", "tcp/22", "sg-jump"))
    builder.group("sg-app", OUT, allow("ingress", "tcp/8080", "sg-web"))
    builder.group("sg-db", OUT, allow("ingress", "tcp/5432", "sg-app"))
    for number, name in enumerate(("jump", "web", "app", "db"), 10):
        builder.interface(f"eni-{name}", groups=[f"sg-{name}"], address=f"10.0.2.{number}")
    return builder


def blast_of(builder: EstateBuilder, ports: Traffic = ANY_PORT) -> Blast:
    return Blast(Reachability(builder.build()), ports)


def steps(blast: Blast, *names: str) -> dict[str, int]:
    return {each.interface.rpartition(":")[2]: each.steps for each in blast.of(map(ID, names)).reached}


def test_an_intruder_goes_on_from_what_was_reached() -> None:
    blast = blast_of(chain())
    assert steps(blast, "eni-jump") == {"eni-web": 1, "eni-app": 2, "eni-db": 3}
    assert steps(blast, "eni-app") == {"eni-db": 1}
    assert steps(blast, "eni-db") == {}


def test_numbers_of_a_blast_radius_are_shares_of_all_other_interfaces() -> None:
    radius = blast_of(chain()).of([ID("eni-web")])
    assert radius.one_step == radius.one_step_at_most == Extent(interfaces=1, workloads=0, share=0.333333)
    assert radius.transitive == radius.transitive_at_most == Extent(interfaces=2, workloads=0, share=0.666667)


def test_steps_on_administration_ports_end_where_the_next_port_is_another() -> None:
    assert steps(blast_of(chain(), ADMINISTRATION), "eni-jump") == {"eni-web": 1}


def test_ping_alone_is_no_step() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", OUT, allow("ingress", "icmp, icmpv6", "10.0.0.0/16"))
    builder.interface("eni-1", groups=["sg-a"], address="10.0.2.10")
    builder.interface("eni-2", groups=["sg-a"], address="10.0.2.11")
    assert steps(blast_of(builder), "eni-1") == {}


def test_an_intruder_holds_all_interfaces_of_the_workload() -> None:
    builder = chain()
    builder.group("sg-other", OUT)
    builder.interface("eni-other", groups=["sg-other"], address="10.0.2.20", workload=ID("i-1"))
    builder.interface("eni-web", groups=["sg-web"], address="10.0.2.11", workload=ID("i-1"))
    blast = blast_of(builder)
    assert blast.of([ID("eni-other")]) == blast.of_workload(ID("i-1"))
    assert steps(blast, "eni-other") == {"eni-app": 1, "eni-db": 2}


def test_an_intruder_goes_on_from_the_other_interfaces_of_a_machine_that_was_reached() -> None:
    builder = chain()
    builder.group("sg-front", OUT, allow("ingress", "tcp/443", "sg-jump"))
    builder.interface("eni-front", groups=["sg-front"], address="10.0.2.20", workload=ID("i-1"))
    builder.interface("eni-app", groups=["sg-app"], address="10.0.2.12", workload=ID("i-1"))
    builder.group("sg-web", OUT)
    # Nobody sends to eni-app any more, but who holds its machine sends from it.
    assert steps(blast_of(builder), "eni-jump") == {"eni-front": 1, "eni-db": 2}


def test_nobody_stands_at_an_endpoint_of_a_service_of_the_provider() -> None:
    builder = chain()
    builder.interface("eni-app", groups=["sg-app"], address="10.0.2.12", role="vpc_endpoint")
    blast = blast_of(builder)
    assert steps(blast, "eni-jump") == {"eni-web": 1, "eni-app": 2}
    assert steps(blast, "eni-app") == {}
    assert blast.summary().transitive == Spread(median=1, worst=2, worst_at=(ID("eni-jump"),), worst_count=1)


def test_an_endpoint_of_a_service_of_the_estate_leads_on() -> None:
    builder = chain()
    builder.interface("eni-app", groups=["sg-app"], address="10.0.2.12", role="vpc_endpoint")
    assert steps(blast_of(builder), "eni-jump") == {"eni-web": 1, "eni-app": 2}
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({ID("lb")}))
    builder.endpoint("vpce-1", "s3", type="interface", interfaces=frozenset({ID("eni-app")}))
    endpoint = builder.build().endpoints[ID("vpce-1")]
    builder.put("endpoints", msgspec.structs.replace(endpoint, service="com.amazonaws.vpce.eu-west-1.vpce-svc-1"))
    # What stands behind it is the load balancer of the service, with the targets of that one.
    builder.interface("eni-node", groups=["sg-app"], address="10.0.2.20", workload=ID("lb"))
    balancer(builder, forward(target("eni-db"), traffic="tcp/5432"))
    blast = blast_of(builder)
    assert steps(blast, "eni-jump") == {"eni-web": 1, "eni-app": 2, "eni-node": 3, "eni-db": 4}
    assert {each.interface for each in blast.of([ID("eni-jump")]).reached if each.certain_steps is None} == {
        ID("eni-node"), ID("eni-db"),
    }  # fmt: skip


def test_members_of_one_group_that_admits_itself_reach_each_other_but_not_themselves() -> None:
    builder = EstateBuilder()
    builder.group("sg-a", OUT, allow("ingress", "all", "sg-a"))
    for number in range(10, 15):
        builder.interface(f"eni-{number}", groups=["sg-a"], address=f"10.0.2.{number}")
    summary = blast_of(builder).summary()
    everyone = tuple(ID(f"eni-{number}") for number in range(10, 15))
    assert summary.one_step == summary.transitive_at_most == Spread(4, 4, everyone, 5)


def test_what_is_unknown_is_reached_at_most() -> None:
    builder = chain()
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-app", OUT, allow("ingress", "tcp/8080", "pl-1"))
    radius = blast_of(builder).of([ID("eni-jump")])
    # Who is in the list is not known: the jump host itself, or the web server.
    assert Reached(ID("eni-app"), 1, None) in radius.reached
    assert Reached(ID("eni-web"), 1, 1) in radius.reached
    assert (radius.transitive.interfaces, radius.transitive_at_most.interfaces) == (1, 3)


def test_the_median_of_an_even_number_is_the_lower_of_the_two_in_the_middle() -> None:
    summary = blast_of(chain()).summary()
    assert summary.transitive == Spread(median=1, worst=3, worst_at=(ID("eni-jump"),), worst_count=1)
    assert summary.one_step == Spread(1, 1, tuple(ID(f"eni-{name}") for name in ("app", "jump", "web")), 3)


def test_an_estate_without_interfaces_has_an_empty_radius() -> None:
    summary = Blast(Reachability(Estate())).summary()
    assert summary.one_step == summary.transitive_at_most == Spread(0, 0, (), 0)


def with_workloads(estate: Estate, random: Random) -> Estate:
    """Give interfaces owners, so that some own several, and make plumbing of some of them."""
    interfaces = {
        name: msgspec.structs.replace(
            interface,
            workload=random.choice((None, "i-1", "i-2", "i-3", f"i-{name}")),
            role=random.choice(("interface",) * 5 + ("nat_gateway", "vpc_endpoint")),
        )
        for name, interface in estate.interfaces.items()
    }
    return dataclasses.replace(estate, interfaces=interfaces)


def searched(reach: Reachability, start: Collection[str], ports: Traffic, *, certain: bool) -> dict[str, int]:
    """The steps to each interface, found interface by interface."""
    estate = reach.estate
    footholds = footholds_of(estate)

    def talks(source: str, target: str) -> bool:
        if source == target:
            # Members of one class are reached together: where they reach each other, the first step reaches all.
            twins = [name for name in reach.class_of(target).members if name != target]
            return bool(twins) and talks(twins[0], target)
        verdict = reach.between(source, target)
        return (verdict.lower if certain else verdict.upper).overlaps(ports)

    def stands(names: Collection[str]) -> set[str]:
        held = set(names)
        for name in names:
            if estate.interfaces[name].workload and name in footholds:
                held |= {each.id for each in estate.interfaces_of(estate.interfaces[name].workload or "")}
        return held & footholds

    found: dict[str, int] = {}
    front, step = stands(start), 0
    while front:
        step += 1
        new = {target for source in front for target in estate.interfaces if talks(source, target)}
        new -= found.keys() | set(start)
        found |= dict.fromkeys(new, step)
        front = stands(new)
    return found


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 100_000))
def test_random_estates_give_what_a_search_interface_by_interface_gives(seed: int) -> None:
    random = Random(seed)
    estate = with_workloads(estate_of(raw_estate(seed).answers), random)
    reach = Reachability(estate)
    ports = random.choice((ANY_PORT, ADMINISTRATION, Traffic.parse("tcp/443")))
    blast = Blast(reach, ports)
    found = {name: blast.of([name]) for name in estate.interfaces}
    for name, radius in found.items():
        assert name in radius.start
        sure = searched(reach, radius.start, ports, certain=True)
        most = searched(reach, radius.start, ports, certain=False)
        assert {each.interface: each.steps for each in radius.reached} == most, name
        assert {e.interface: e.certain_steps for e in radius.reached if e.certain_steps is not None} == sure, name
        assert radius.one_step.interfaces == list(sure.values()).count(1)
        assert radius.transitive_at_most.interfaces == len(most)
    standing = sorted(footholds_of(estate))
    summary = blast.summary()
    for spread, kind in (
        (summary.one_step, "one_step"),
        (summary.one_step_at_most, "one_step_at_most"),
        (summary.transitive, "transitive"),
        (summary.transitive_at_most, "transitive_at_most"),
    ):
        reached = {name: getattr(found[name], kind).interfaces for name in standing}
        worst = max(reached.values(), default=0)
        at = tuple(name for name in standing if reached[name] == worst)
        median = sorted(reached.values())[(len(reached) - 1) // 2] if reached else 0
        assert spread == (Spread(median, worst, at[:5], len(at)) if worst else Spread(0, 0, (), 0)), kind
