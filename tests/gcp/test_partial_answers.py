"""What was not read, or only in part, closes nothing that may be open, and makes nothing sure that may be closed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from cloudseg.reach.reachability import Reachability
from cloudseg.sources import sources_of
from tests.gcp.agreeing import Harness, traffic_of
from tests.gcp.balanced_estates import FRONT_ENDS, OUTSIDE, Seen, outer_proxy
from tests.gcp.drawn import drawn
from tests.gcp.packets import draw_packet
from tests.gcp.partly import CUT, GONE, changed, estate_of, passes
from tests.gcp.raw import Raw
from tests.gcp.raw_hubs import hub, spoke
from tests.gcp.raw_more import nat, secure_tag
from tests.gcp.raw_parts import Card, policy_rule, vpc
from tests.gcp.shapes import one_network, two_networks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate
    from tests.gcp.oracle_records import Packet

OPEN = vpc("allow")
_LISTS = ("subnetworks", "routes", "routers", "networks", "firewalls", "network_firewall_policies")


class Told(NamedTuple):
    """What an estate says of a packet: it surely passes, it passes at most."""

    sure: bool
    most: bool


def place(operation: str, project: str = "shop") -> tuple[str, ...]:
    return (project, "compute", operation)


@pytest.mark.parametrize("answer", [GONE, CUT, "broken", {"items": [7]}])
def test_an_unread_subnet_may_be_anywhere(answer: object) -> None:
    raw = one_network(OPEN)
    assert passes(raw, estate_of(raw.answers), "a", "b") == "surely"
    where = place("subnetworks")
    estate = estate_of(changed(raw.answers, where, answer), *([cast("Any", where)] if answer is GONE else []))
    assert passes(raw, estate, "a", "b") == "at most"
    assert passes(raw, estate, "b", "a") == "at most"


def test_a_subnet_without_its_range_leaves_open_where_addresses_are() -> None:
    raw = one_network(OPEN)
    answers = changed(raw.answers, place("subnetworks"), raw.answers[place("subnetworks")])
    del answers[place("subnetworks")]["items"][1]["ipCidrRange"]
    estate = estate_of(answers)
    assert passes(raw, estate, "a", "b") == "at most"
    assert any("a range of it is missing" in gap.detail for gap in estate.gaps)


def test_a_policy_of_a_region_holds_in_subnets_that_were_not_read() -> None:
    raw = one_network(public=["b"])
    raw.policy("near", ["main"], policy_rule(1, "allow"), region="europe-west1")
    assert passes(raw, estate_of(raw.answers), OUTSIDE, "b") == "surely"
    assert passes(raw, estate_of(changed(raw.answers, place("subnetworks"), CUT)), OUTSIDE, "b") == "at most"


@pytest.mark.parametrize("answer", [GONE, CUT, {"items": [{"name": "r", "network": "n", "nats": [7]}]}])
def test_an_unread_router_may_let_out(answer: object) -> None:
    raw = one_network()
    nat(raw, "main", "out")
    assert passes(raw, estate_of(raw.answers), "a", "9.9.9.9") == "surely"
    where = place("routers")
    estate = estate_of(changed(raw.answers, where, answer), *([cast("Any", where)] if answer is GONE else []))
    assert passes(raw, estate, "a", "9.9.9.9") == "at most"


def test_a_route_that_was_not_read_may_go_before_any_other() -> None:
    raw = one_network(public=["a"])
    assert passes(raw, estate_of(raw.answers), "a", "9.9.9.9") == "surely"
    answers = changed(raw.answers, place("routes"), raw.answers[place("routes")])
    answers[place("routes")]["items"].append("broken")
    assert passes(raw, estate_of(answers), "a", "9.9.9.9") == "at most"
    assert passes(raw, estate_of(changed(raw.answers, place("routes"), CUT)), "a", "9.9.9.9") == "at most"


@pytest.mark.parametrize("change", [{"name": 7}, {"state": ""}])
def test_a_half_of_a_peering_that_cannot_be_read_is_not_gone(change: dict[str, object]) -> None:
    raw = two_networks(OPEN)
    assert passes(raw, estate_of(raw.answers), "a", "b") == "surely"
    cast("list[dict[str, object]]", raw.item("nb", "networks")["peerings"])[0].update(change)
    estate = estate_of(raw.answers)
    assert passes(raw, estate, "a", "b") == "at most"
    assert any("peerings[0]" in gap.detail for gap in estate.gaps)


def test_a_peer_whose_network_was_not_read_has_the_ranges_of_its_subnets() -> None:
    raw = two_networks(OPEN)
    answers = changed(raw.answers, place("networks"), raw.answers[place("networks")])
    answers[place("networks")]["items"] = [each for each in answers[place("networks")]["items"] if each["name"] == "na"]
    assert passes(raw, estate_of(answers), "a", "b") == "at most"


def test_what_the_key_of_a_secure_tag_is_for_decides_where_it_means_anybody() -> None:
    """https://cloud.google.com/firewall/docs/tags-firewalls-overview: a key is for one network, or an organisation."""
    raw = one_network()
    secure_tag(raw, "5", "main")
    raw.vm("c", Card("sb", "10.1.2.3"), secure=["tagValues/5"])
    raw.policy("world", ["main"], policy_rule(1, "allow", secure=["tagValues/5"]))
    assert passes(raw, estate_of(raw.answers), "c", "a") == "surely"
    keys = ("shop", "cloudresourcemanager", "tag_keys")
    assert passes(raw, estate_of(changed(raw.answers, keys, CUT)), "c", "a") == "at most"


def test_a_binding_that_cannot_be_read_may_give_a_tag_to_anybody() -> None:
    raw = one_network()
    secure_tag(raw, "5", "main")
    raw.vm("c", Card("sb", "10.1.2.3"), secure=["tagValues/5"])
    raw.policy("world", ["main"], policy_rule(1, "allow", secure=["tagValues/5"]))
    raw.listed("shop", "tag_bindings", "cloudresourcemanager")[0]["parent"] = 7
    assert passes(raw, estate_of(raw.answers), "c", "a") == "at most"


@pytest.mark.parametrize("answer", [GONE, CUT, {"items": [7]}])
def test_an_unread_spoke_may_join_networks(answer: object) -> None:
    raw = Raw()
    for number, name in enumerate(("na", "nb"), start=1):
        raw.network(name)
        raw.subnet(name, f"s{name}", f"10.{number}.1.0/24")
        raw.vm(f"vm-{name}", Card(f"s{name}", f"10.{number}.1.2"))
        raw.firewall(name, OPEN)
        spoke(raw, name)
    hub(raw, count=2)
    assert passes(raw, estate_of(raw.answers), "vm-na", "vm-nb") == "surely"
    where = ("shop", "networkconnectivity", "spokes")
    estate = estate_of(changed(raw.answers, where, answer), *([cast("Any", where)] if answer is GONE else []))
    assert passes(raw, estate, "vm-na", "vm-nb") == "at most"


def test_a_rule_without_a_network_may_be_any_networks() -> None:
    raw = one_network(vpc("allow", "tcp:22"), vpc("allow", "tcp:443"))
    del raw.listed("shop", "firewalls")[1]["network"]
    estate = estate_of(raw.answers)
    assert passes(raw, estate, "a", "b", "tcp/443") == "at most"
    assert any("its network is missing" in gap.detail for gap in estate.gaps)


def test_a_rule_of_an_unknown_direction_may_decide_in_both() -> None:
    raw = one_network(OPEN, {**vpc("deny", priority=1), "direction": "BOTH"})
    estate = estate_of(raw.answers)
    assert passes(raw, estate, "a", "b") == "at most"
    assert passes(raw, estate, "a", "9.9.9.9") != "surely"


def test_a_policys_rule_for_networks_of_a_project_with_an_unknown_number_may_be_for_this_one() -> None:
    link = "https://www.googleapis.com/compute/v1/projects/777777/global/networks/main"
    raw = one_network()
    raw.above("main", [policy_rule(1, "allow", target_networks=[link])])
    estate = estate_of(raw.answers)
    assert passes(raw, estate, "a", "b") == "at most"
    assert any("777777" in gap.detail for gap in estate.gaps)


def test_forwarding_rules_that_were_not_read_may_lead_to_any_machine() -> None:
    balancers = outer_proxy(vpc("allow", "tcp:8080", sources=FRONT_ENDS))
    assert Seen(balancers).passes(OUTSIDE, "web", "tcp/8080") == "surely"
    estate = estate_of(changed(balancers.answers, place("forwarding_rules"), CUT))
    assert passes(balancers.raw, estate, OUTSIDE, "web", "tcp/8080") == "at most"
    assert passes(balancers.raw, estate, OUTSIDE, "other", "tcp/22") == "no", "front ends are not admitted there"


def test_a_group_of_which_members_were_not_read_may_hold_any_machine() -> None:
    balancers = outer_proxy(vpc("allow", "tcp:8080", sources=FRONT_ENDS))
    where = (*place("instance_group_members"), balancers.raw.tails["ig"])
    estate = estate_of(changed(balancers.answers, where, CUT))
    assert passes(balancers.raw, estate, OUTSIDE, "web", "tcp/8080") == "at most"


def test_a_url_map_that_cannot_be_read_may_lead_anywhere() -> None:
    balancers = outer_proxy(vpc("allow", "tcp:8080", sources=FRONT_ENDS))
    balancers.raw.listed("shop", "url_maps")[0]["defaultService"] = {"x": 1}
    assert passes(balancers.raw, estate_of(balancers.answers), OUTSIDE, "web", "tcp/8080") == "at most"


def _shared() -> Raw:
    raw = Raw()
    raw.project("host", "9009")
    raw.project("team", "8008", host="host")
    raw.network("net", project="host")
    raw.subnet("net", "sa", "10.1.1.0/24")
    raw.firewall("net", vpc("allow", "tcp:22"))
    for number, name in ((2, "a"), (3, "b")):
        raw.vm(name, Card("sa", f"10.1.1.{number}"), project="team")
    return raw


def test_rules_of_a_host_project_that_was_not_read_leave_everything_open() -> None:
    """https://cloud.google.com/vpc/docs/shared-vpc: networks and their rules are the host project's."""
    raw = _shared()
    assert passes(raw, estate_of(raw.answers), "a", "b", "tcp/22") == "surely"
    estate = estate_of({key: answer for key, answer in raw.answers.items() if key[0] != "host"})
    assert passes(raw, estate, "a", "b", "tcp/22") == "at most"
    assert passes(raw, estate, "a", "b", "tcp/443") == "at most"


def test_a_host_project_that_was_not_read_is_a_gap_that_names_it() -> None:
    raw = _shared()
    estate = estate_of({key: answer for key, answer in raw.answers.items() if key[0] != "host"})
    (told,) = (source for source in sources_of(estate) if not source.complete)
    assert told.scope == "host"
    (gap,) = told.gaps
    assert (gap.reason, gap.what) == ("unread", "compute.networks")
    assert gap.detail.startswith("2 network interfaces of team in networks of the project host, a Shared VPC's host")
    assert {"groups", "routes", "boundary-rules"} <= set(gap.facets)
    assert not any(source.gaps for source in sources_of(estate_of(raw.answers)))


@pytest.mark.parametrize("seed", range(42, 48))
def test_nothing_that_is_left_out_closes_or_opens_anything_for_sure(seed: int) -> None:
    """Each list of drawn estates in turn loses its last entries, one becomes no object, and one file is not there."""
    made, random = drawn(seed), Random(seed)
    answers = made.raw.answers
    whole = Harness(answers)
    packets = [draw_packet(random, made) for _ in range(30)]
    before = _told(whole, whole.engine.estate, packets)
    for key in [each for each in answers if each[2] in _LISTS and len(each) == 3]:
        held = cast("dict[str, Any]", answers[key])["items"]
        if not held:
            continue
        spoiled = list(held)
        spoiled[random.randrange(len(held))] = 7
        for estate in (
            estate_of(changed(answers, key, {"items": held[:-1], "nextPageToken": "more"})),
            estate_of(changed(answers, key, {"items": spoiled})),
            estate_of(changed(answers, key, GONE), cast("Any", key)),
        ):
            for packet, old, new in zip(packets, before, _told(whole, estate, packets), strict=True):
                assert new.most or not old.sure, (key, packet)
                assert old.most or not new.sure, (key, packet)


def _told(harness: Harness, estate: Estate, packets: Sequence[Packet]) -> list[Told]:
    reach = Reachability(estate)
    found: list[Told] = []
    for packet in packets:
        source, target = (harness.engine_end(each) for each in (packet.source, packet.destination))
        verdict, traffic = reach.between(source, target), traffic_of(packet)
        found.append(Told(traffic <= verdict.lower, traffic <= verdict.upper))
    return found
