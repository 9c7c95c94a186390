"""Networks of two clouds with a tunnel between them, by hand from the vendors' pages on VPN.

Sources: https://docs.aws.amazon.com/vpn/latest/s2svpn/how_it_works.html,
https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNRoutingTypes.html,
https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html and
https://cloud.google.com/network-connectivity/docs/vpn/tutorials/create-ha-vpn-connections-google-cloud-aws
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.model.tunnels import link_gateways
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import translated as translated_gcp
from tests.gcp.raw_parts import vpc
from tests.oracle.compare import estate_of
from tests.oracle.raw import ACCOUNT, REGION, permission
from tests.tunnels.worlds import (
    AT_AMAZON,
    ENI,
    OTHER_AT_GOOGLE,
    WEB,
    amazon,
    both,
    connection,
    customer_gateway,
    google,
    learned,
    machine,
    tunnel,
)

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from cloudseg.reach.explaining.explanation import Explanation

TO_WEB, TO_ENI = "tcp/8080", "tcp/443"
NOTHING = "none"


def between(estate: Estate, source: str, target: str) -> tuple[str, str]:
    """Both bounds of what passes; an end without a colon is addresses outside."""
    ends = [end if ":" in end else AddressSet.parse(end) for end in (source, target)]
    lower, upper = Reachability(estate).between(ends[0], ends[1])
    return str(lower), str(upper)


def told(estate: Estate, source: str, target: str, traffic: str) -> Explanation:
    return explain(Reachability(estate), source, target, Traffic.parse(traffic))


def exactly(traffic: str) -> tuple[str, str]:
    return traffic, traffic


def at_most(traffic: str) -> tuple[str, str]:
    return NOTHING, traffic


def test_packets_pass_in_both_directions_as_the_rules_of_the_far_end_let_them() -> None:
    estate = both(amazon(), google())
    assert between(estate, ENI, WEB) == exactly(TO_WEB)
    assert between(estate, WEB, ENI) == exactly(TO_ENI)


def test_what_was_an_external_range_is_no_end_outside_any_more() -> None:
    estate = both(amazon(), google())
    assert between(estate, "10.2.0.0/16", ENI) == exactly(TO_ENI)
    assert between(estate, "10.2.0.0/24", ENI) == exactly(NOTHING)
    assert between(estate, ENI, "10.2.0.0/24") == exactly(NOTHING)


def test_a_group_that_lets_nobody_in_stops_what_comes_out_of_the_tunnel() -> None:
    estate = both(amazon(permission("tcp", 443, 443, "10.9.0.0/16")), google())
    assert between(estate, WEB, ENI) == exactly(NOTHING)
    assert between(estate, ENI, WEB) == exactly(TO_WEB)


def test_a_firewall_rule_of_the_sender_stops_what_would_go_into_the_tunnel() -> None:
    shut = vpc("deny", "tcp:443", egress=True, to=["10.1.0.0/16"])
    estate = both(amazon(), google(shut))
    assert between(estate, WEB, ENI) == exactly(NOTHING)


def test_the_explanation_names_the_tunnel_and_the_routes_of_both_ends() -> None:
    found = told(both(amazon(), google()), ENI, WEB, TO_WEB)
    assert found.verdict == "allowed"
    texts = [step.text for step in found.steps]
    assert "through the tunnel of vgw-1 and vpnGateways/ha-1 (us-central1)" in texts
    assert "rtb-1: route 10.2.0.0/16 to vgw-1" in texts
    assert (
        "replies: global/networks/n/routes: route 10.1.0.0/16 to vpnGateways/ha-1 (us-central1)" in texts
    )  # fmt: skip


def test_without_the_other_clouds_answers_its_addresses_lie_outside() -> None:
    alone = link_gateways(estate_of(amazon().answers))
    assert between(alone, "10.2.0.0/24", ENI) == exactly(TO_ENI)
    assert between(alone, ENI, "10.2.0.0/24") == exactly("all")
    other = link_gateways(google())
    assert between(other, "10.1.0.0/24", WEB) == exactly(TO_WEB)


def test_gateways_are_not_linked_where_only_one_end_names_the_other() -> None:
    estate = both(amazon(), google(peer="52.30.0.99"))
    assert not any(gateway.links for gateway in estate.gateways.values())
    assert between(estate, ENI, WEB) == exactly(NOTHING)
    assert between(estate, ENI, "10.2.0.0/24") == exactly("all")


@pytest.mark.parametrize(("amazons", "googles"), [("DOWN", "ESTABLISHED"), ("UP", "NO_INCOMING_PACKETS")])
def test_a_tunnel_that_either_end_saw_down_carries_packets_at_most(amazons: str, googles: str) -> None:
    estate = both(amazon(status=amazons), google(status=googles))
    assert between(estate, ENI, WEB) == at_most(TO_WEB)
    found = told(estate, ENI, WEB, TO_WEB)
    assert found.verdict == "unknown"
    assert "the tunnel of vgw-1 and vpnGateways/ha-1 (us-central1) was down" in found.reason


def test_a_state_that_was_not_told_leaves_it_open() -> None:
    assert between(both(amazon(status=""), google()), WEB, ENI) == at_most(TO_ENI)


def test_one_tunnel_of_two_that_is_up_is_enough() -> None:
    raw = machine()
    for number, status in enumerate(("ESTABLISHED", "FIRST_HANDSHAKE")):
        tunnel(raw, f"t-{number}", "ha-1", AT_AMAZON, interface=number, status=status)
    aws = amazon()
    customer_gateway(aws, "cgw-2", OTHER_AT_GOOGLE)
    connection(aws, "vpn-2", "cgw-2", status="DOWN")
    estate = both(aws, translated_gcp(learned(raw, ("10.1.0.0/16", "t-0"), ("10.1.0.0/16", "t-1"))))
    assert between(estate, ENI, WEB) == exactly(TO_WEB)
    assert between(estate, WEB, ENI) == exactly(TO_ENI)


def test_without_a_route_back_nothing_passes() -> None:
    estate = both(amazon(), google(routes=()))
    assert between(estate, ENI, WEB) == between(estate, WEB, ENI) == exactly(NOTHING)
    assert "replies have no way back" in told(estate, ENI, WEB, TO_WEB).reason


def test_a_network_keeps_what_bears_its_own_addresses() -> None:
    estate = both(amazon(), google(prefix="10.1.0.0/24", address="10.1.0.9"))
    assert between(estate, ENI, WEB) == between(estate, WEB, ENI) == exactly(NOTHING)


def test_what_comes_out_of_a_private_gateway_goes_no_further_than_its_vpc() -> None:
    aws = amazon(routes=(("10.2.0.0/16", "vgw-1", "propagated"), ("10.3.0.0/16", "pcx-1", "")))
    aws.vpc("vpc-3", "10.3.0.0/16")
    aws.subnet("subnet-c", "vpc-3", "10.3.0.0/24")
    aws.table("rtb-3", "vpc-3", ("10.1.0.0/16", "pcx-1"), ("10.2.0.0/16", "pcx-1"), main=True)
    aws.open_acl("acl-3", "vpc-3")
    everything = permission("-1", None, None, "0.0.0.0/0")
    aws.group("sg-c", "vpc-3", (everything,), (everything,))
    aws.interface("eni-c", "vpc-3", "subnet-c", ("sg-c",), "10.3.0.5")
    aws.peering("pcx-1", "vpc-1", "vpc-3")
    estate = both(aws, google(routes=("10.1.0.0/16", "10.3.0.0/16")))
    behind = f"aws:{ACCOUNT}:{REGION}:eni-c"
    assert between(estate, ENI, behind) == exactly("all")
    assert between(estate, WEB, behind) == between(estate, behind, WEB) == exactly(NOTHING)
    assert between(estate, WEB, "10.3.0.5") == exactly("all except icmpv6")


def test_a_static_route_to_a_gateway_that_learns_does_not_tell_that_it_learned_the_way() -> None:
    estate = both(amazon(routes=(("10.2.0.0/16", "vgw-1", ""),)), google())
    assert between(estate, ENI, WEB) == at_most(TO_WEB)
    assert "whether vgw-1 knows a way to there is not known" in told(estate, ENI, WEB, TO_WEB).reason


def test_static_routes_of_a_connection_say_what_goes_into_its_tunnels() -> None:
    routes = (("10.2.0.0/16", "vgw-1", ""),)
    into = both(amazon(routes=routes, static=("10.2.0.0/16",)), google())
    assert between(into, ENI, WEB) == exactly(TO_WEB)
    elsewhere = both(amazon(routes=routes, static=("10.77.0.0/16",)), google())
    assert between(elsewhere, ENI, WEB) == exactly(NOTHING)
    assert between(elsewhere, ENI, "10.2.0.0/24") == exactly("all")


def test_of_two_connections_that_learn_either_may_be_the_one() -> None:
    aws = amazon()
    customer_gateway(aws, "cgw-9", "9.9.9.9")
    connection(aws, "vpn-9", "cgw-9", ("52.30.0.9",))
    estate = both(aws, google())
    assert between(estate, ENI, WEB) == at_most(TO_WEB)
    assert between(estate, ENI, "10.2.0.0/24") == at_most("all")
    assert "into which tunnel vgw-1 sends packets is not known" in told(estate, ENI, WEB, TO_WEB).reason


def test_a_connection_to_another_place_with_routes_of_its_own_leaves_no_doubt() -> None:
    aws = amazon(static=("10.2.0.0/16",))
    customer_gateway(aws, "cgw-9", "9.9.9.9")
    connection(aws, "vpn-9", "cgw-9", ("52.30.0.9",), static=("10.9.0.0/16",))
    assert between(both(aws, google()), ENI, WEB) == exactly(TO_WEB)


def test_groups_of_the_other_end_are_nobody_across_a_tunnel() -> None:
    estate = both(amazon(permission("tcp", 443, 443, "sg-a")), google())
    assert between(estate, WEB, ENI) == exactly(NOTHING)


def test_an_estate_without_tunnels_stays_what_it_is() -> None:
    estate = estate_of(amazon(connected=False).answers)
    assert link_gateways(estate) is estate


def test_all_pairs_and_single_packets_agree_on_ways_through_tunnels() -> None:
    for aws in (amazon(), amazon(status="DOWN"), amazon(routes=()), amazon(static=("10.2.0.0/25",))):
        for gcp in (google(), google(routes=("10.1.0.0/25",)), google(peer="52.30.0.9")):
            estate = both(aws, gcp)
            reach = Reachability(estate)
            for source, target in ((ENI, WEB), (WEB, ENI)):
                for traffic in (TO_WEB, TO_ENI, "tcp/22", "icmp/8"):
                    lower, upper = reach.between(source, target)
                    found = explain(reach, source, target, Traffic.parse(traffic))
                    verdict = {"allowed": (True, True), "unknown": (False, True), "blocked": (False, False)}
                    asked = Traffic.parse(traffic)
                    assert verdict[found.verdict] == (asked <= lower, asked <= upper)
