"""Which lists judge interfaces, found once for many: the same as asked one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_nsgs import NsgBuilder, asg_id, nsg_id, nsg_rule
from cloudseg.reach.lists_met import ListsMet
from cloudseg.reach.near_ends import NearEnds

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface
    from cloudseg.reach.lists_met import Met


def nsgs() -> Estate:
    """Return two subnets, of which one has an NSG; machines with and without an NSG and groups of their own."""
    b = NsgBuilder()
    b.asg("asg-web")
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", "asg-web", local="10.1.2.10"), subnet="data")
    b.nsg("nsg-own", nsg_rule("ingress", 100, "tcp/443"))
    b.machine("plain", "data", "10.1.2.10")
    b.machine("grouped", "data", "10.1.2.11", asgs=["asg-web"])
    b.machine("own", "data", "10.1.2.12", nsg="nsg-own")
    b.machine("web", "web", "10.1.1.10")
    return b.build()


def found(estate: Estate) -> tuple[ListsMet, dict[str, Interface]]:
    """Return what looks lists up, and the interfaces by their names."""
    return ListsMet(estate, NearEnds(estate)), {each.name: each for each in estate.interfaces.values()}


def judging(met: Met) -> dict[str, list[str]]:
    """Return the names of the lists of each stage of what comes in; stages without a list are left out."""
    return {each.stage.name: [judge.name for judge in each.judges] for each in met.ingress if each.judges}


def test_lists_are_those_that_the_estate_tells_stage_by_stage() -> None:
    estate = nsgs()
    met, machines = found(estate)
    for interface in machines.values():
        for meeting in met.by(interface).ingress:
            assert meeting.judges == estate.judging(interface, meeting.stage.name, "ingress")
        for meeting in met.by(interface).egress:
            assert meeting.judges == estate.judging(interface, meeting.stage.name, "egress")


def test_an_nsg_of_the_subnet_and_one_of_the_machine_are_met_at_their_stages() -> None:
    met, machines = found(nsgs())
    assert judging(met.by(machines["own"])) == {"subnet-nsg": ["nsg-data"], "nic-nsg": ["nsg-own"]}
    assert judging(met.by(machines["plain"])) == {"subnet-nsg": ["nsg-data"]}
    assert judging(met.by(machines["web"])) == {}


def test_a_group_that_chooses_no_list_tells_nobody_apart() -> None:
    met, machines = found(nsgs())
    assert machines["grouped"].attached == {NsgBuilder.id(asg_id("asg-web"))}
    assert met.by(machines["grouped"]) is met.by(machines["plain"])
    assert met.by(machines["own"]).number != met.by(machines["plain"]).number


def test_lists_with_a_near_end_are_narrowing_and_default_rules_name_one() -> None:
    met, machines = found(nsgs())
    (meeting,) = (each for each in met.by(machines["own"]).of("ingress") if each.stage.name == "subnet-nsg")
    assert [judge.name for judge in meeting.narrowing] == ["nsg-data"]


def test_security_groups_have_no_near_end() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/22", "10.0.0.0/8"))
    b.interface("eni-a", "subnet-public", ["sg-a"], "10.0.1.10")
    met, _ = found(b.build())
    (interface,) = b.build().interfaces.values()
    assert all(meeting.narrowing == () for meeting in met.by(interface).ingress)


def test_a_stand_in_with_the_id_of_another_interface_is_asked_itself() -> None:
    met, machines = found(nsgs())
    stand_in = msgspec.structs.replace(machines["plain"], attached=frozenset({NsgBuilder.id(nsg_id("nsg-own"))}))
    assert judging(met.by(stand_in)) == {"subnet-nsg": ["nsg-data"], "nic-nsg": ["nsg-own"]}
    assert judging(met.by(machines["plain"])) == {"subnet-nsg": ["nsg-data"]}


def test_nobody_knows_what_an_interface_of_an_unknown_cloud_meets() -> None:
    met, machines = found(nsgs())
    foreign = msgspec.structs.replace(machines["plain"], id="other:scope:nic", network=None, subnet=None)
    assert met.by(foreign).of("ingress") == met.by(foreign).of("egress") == ()
