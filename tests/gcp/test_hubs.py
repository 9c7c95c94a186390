"""Hubs of Network Connectivity Center, and routes that stand before all others.

Sources: https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/vpc-spokes-overview,
https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/connectivity-topologies and
https://cloud.google.com/vpc/docs/policy-based-routes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import translated
from tests.gcp.raw import PROJECT, Raw
from tests.gcp.raw_balancers import Balancers
from tests.gcp.raw_hubs import HUB, hub, policy_route, spoke
from tests.gcp.raw_more import six_of
from tests.gcp.raw_parts import Card, vpc

if TYPE_CHECKING:
    from tests.gcp.oracle_records import Json

TCP = Traffic.parse("tcp/443")


def networks(*names: str, dual: bool = False) -> Raw:
    """Networks that admit everything, each with one machine of its own name: 10.1.1.2, 10.2.1.2, and so on.

    With ``dual`` they admit IPv6 alone, and have addresses of both families.
    """
    raw = Raw()
    for number, name in enumerate(names, start=1):
        six = f"fd20:{number}:0:1::/64" if dual else ""
        raw.network(f"n{name}")
        raw.subnet(f"n{name}", f"s{name}", f"10.{number}.1.0/24", six=six)
        raw.firewall(f"n{name}", vpc("allow", sources=["::/0"] if dual else None))
        raw.vm(name, Card(f"s{name}", f"10.{number}.1.2", six=six_of(six, 1) if dual else ""), tags=[name])
    return raw


def joined(*names: str, topology: str = "MESH", groups: dict[str, str] | None = None) -> Raw:
    """The same, as spokes of one hub."""
    raw = networks(*names)
    hub(raw, topology, count=len(names))
    for name in names:
        spoke(raw, f"n{name}", group=(groups or {}).get(name, "default"))
    return raw


def asked(raw: Raw, source: str, target: str, traffic: Traffic = TCP) -> str:
    reach = Reachability(translated(raw.answers))
    ends = [AddressSet.parse(each) if "." in each else raw.own(each) for each in (source, target)]
    found = reach.between(*ends)
    return "surely" if found.lower >= traffic else "at most" if found.upper >= traffic else "no"


def test_without_a_hub_networks_do_not_meet() -> None:
    assert asked(networks("a", "b"), "a", "b") == "no"


def test_all_spokes_of_a_mesh_meet() -> None:
    raw = joined("a", "b", "c")
    assert [asked(raw, *pair) for pair in (("a", "b"), ("b", "a"), ("a", "c"), ("c", "b"))] == ["surely"] * 4


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [(("mid", "left"), "surely"), (("left", "mid"), "surely"), (("left", "right"), "no"), (("right", "left"), "no")],
)
def test_in_a_star_the_edges_meet_the_center_alone(pair: tuple[str, str], verdict: str) -> None:
    groups = {"mid": "center", "left": "edge", "right": "edge"}
    assert asked(joined("mid", "left", "right", topology="STAR", groups=groups), *pair) == verdict


def test_of_a_topology_that_is_not_known_nothing_is_sure() -> None:
    assert asked(joined("a", "b", topology="HYBRID_INSPECTION"), "a", "b") == "at most"


@pytest.mark.parametrize("state", ["INACTIVE", "DELETING", "CREATING"])
def test_a_spoke_that_is_not_active_leads_nowhere(state: str) -> None:
    raw = networks("a", "b")
    hub(raw, count=2)
    spoke(raw, "na")
    spoke(raw, "nb", state=state)
    assert asked(raw, "a", "b") == "no"


@pytest.mark.parametrize(
    ("filters", "verdict"),
    [
        ({"excludeExportRanges": ["10.2.0.0/16"]}, "no"),
        ({"excludeExportRanges": ["10.3.0.0/16"]}, "surely"),
        # A subnet is left out as a whole or not at all.
        ({"excludeExportRanges": ["10.2.1.0/25"]}, "surely"),
        ({"includeExportRanges": ["10.2.0.0/16"]}, "surely"),
        ({"includeExportRanges": ["10.3.0.0/16"]}, "no"),
        ({"includeExportRanges": ["ALL_PRIVATE_IPV4_RANGES"]}, "surely"),
        ({"includeExportRanges": ["ALL_IPV6_RANGES"]}, "no"),
    ],
)
def test_filters_keep_subnets_from_the_hub(filters: Json, verdict: str) -> None:
    raw = networks("a", "b")
    hub(raw, count=2)
    spoke(raw, "na")
    spoke(raw, "nb", filters=filters)
    assert asked(raw, "a", "b") == verdict


@pytest.mark.parametrize(
    ("filters", "verdict"),
    [
        ({}, "at most"),
        ({"includeExportRanges": ["ALL_IPV6_RANGES"]}, "surely"),
        ({"includeExportRanges": ["ALL_PRIVATE_IPV4_RANGES"]}, "no"),
    ],
)
def test_ipv6_is_exported_where_the_filter_says_so(filters: Json, verdict: str) -> None:
    raw = networks("a", "b", dual=True)
    hub(raw, count=2)
    spoke(raw, "na", filters={"includeExportRanges": ["ALL_IPV6_RANGES", "ALL_PRIVATE_IPV4_RANGES"]})
    spoke(raw, "nb", filters=filters)
    assert asked(raw, "a", "b") == verdict


def test_spokes_are_not_transitive_over_a_peering() -> None:
    raw = joined("a", "b")
    raw.network("nfar")
    raw.subnet("nfar", "sfar", "10.9.1.0/24")
    raw.firewall("nfar", vpc("allow"))
    raw.vm("far", Card("sfar", "10.9.1.2"))
    raw.peering("nb", "nfar")
    raw.peering("nfar", "nb")
    assert asked(raw, "b", "far") == "surely"
    assert asked(raw, "a", "far") == "no"


def test_network_tags_mean_nothing_across_a_hub() -> None:
    raw = networks("a", "b")
    raw.listed(PROJECT, "firewalls").clear()
    raw.firewall("nb", vpc("allow", tags=["a"]))
    hub(raw, count=2)
    spoke(raw, "na")
    spoke(raw, "nb")
    assert asked(raw, "a", "b") == "no"


def test_a_hub_that_counts_more_spokes_than_were_read_may_lead_further() -> None:
    raw = joined("a", "b")
    counts = cast("Json", raw.listed(PROJECT, "hubs", "networkconnectivity")[0]["spokeSummary"])
    counts["spokeTypeCounts"] = [{"spokeType": "VPC_NETWORK", "count": "3"}]
    assert asked(raw, "a", "10.200.1.2") == "at most"
    assert asked(joined("a", "b"), "a", "10.200.1.2") == "no"


def test_a_hub_of_a_project_that_was_not_read_may_lead_anywhere_private() -> None:
    raw = networks("a", "b")
    spoke(raw, "na")
    spoke(raw, "nb")
    assert asked(raw, "a", "b") == "at most"


def test_tunnels_at_a_hub_bring_what_nobody_read() -> None:
    raw = joined("a", "b")
    item: Json = {"name": f"projects/{PROJECT}/locations/us-central1/spokes/vpn", "hub": HUB, "state": "ACTIVE",
                  "linkedVpnTunnels": {"uris": [], "siteToSiteDataTransfer": False}}  # fmt: skip
    raw.listed(PROJECT, "spokes", "networkconnectivity").append(item)
    assert asked(raw, "a", "172.16.9.9") == "at most"
    assert asked(raw, "a", "b") == "surely"


def test_a_route_to_a_hub_that_was_not_read_leads_nowhere_for_sure() -> None:
    raw = networks("a")
    route: Json = {"destRange": "10.200.0.0/16", "nextHopHub": "projects/other/locations/global/hubs/h", "priority": 0}
    raw.add("to-hub", "routes", "global/routes/to-hub", {**route, "network": raw.link("na")}, PROJECT)
    assert asked(raw, "a", "10.200.1.2") == "at most"


def test_an_internal_load_balancer_is_a_name_for_other_spokes_as_well() -> None:
    """Rules about the way out see its address, in whatever spoke the client stands."""
    raw = networks("a", "b")
    out = [vpc("allow", egress=True, to=["10.2.1.100/32"]), vpc("deny", egress=True, priority=2000)]
    raw.firewall("na", *out)
    hub(raw, count=2)
    spoke(raw, "na")
    spoke(raw, "nb")
    b = Balancers(raw)
    b.group("ig", "b", network="nb")
    b.service("bs", "ig", scheme="INTERNAL", healthChecks=[])
    b.rule("ilb", "10.2.1.100", scheme="INTERNAL", service="bs", network="nb", subnet="sb", ports=["443"])
    found = Reachability(translated(b.answers)).between(raw.own("a"), raw.own("b"))
    assert found.upper >= TCP
    assert not found.lower


def one(*tags: str, **route: str) -> Raw:
    """``a`` and ``b`` in two subnets of one network, and ``c`` beside ``a``; packets take a policy-based route."""
    raw = Raw()
    raw.network("main")
    for name, prefix in (("sa", "10.1.1.0/24"), ("sb", "10.1.2.0/24")):
        raw.subnet("main", name, prefix)
    raw.route("main", "default", "0.0.0.0/0", "gateway")
    raw.firewall("main", vpc("allow"))
    for name, card in (
        ("a", Card("sa", "10.1.1.2", "34.1.0.1")),
        ("b", Card("sb", "10.1.2.2")),
        ("c", Card("sa", "10.1.1.3")),
    ):
        raw.vm(name, card, tags=["web"] if name != "b" else ["db"])
    policy_route(raw, "main", tags=tags, **route)
    return raw


@pytest.mark.parametrize(
    ("raw", "target", "verdict"),
    [
        # It stands before the routes of subnets, and inside a subnet too.
        (one(), "b", "at most"),
        (one(), "c", "at most"),
        (one(), "9.9.9.9", "at most"),
        (one(to="10.1.2.0/24"), "b", "at most"),
        (one(to="10.1.2.0/24"), "c", "surely"),
        (one(to="10.1.2.0/24"), "9.9.9.9", "surely"),
        (one(to="10.200.0.0/16"), "b", "surely"),
        # Packets of other sources, and machines without the tag, are spared.
        (one(source="10.1.9.0/24"), "b", "surely"),
        (one("other"), "b", "surely"),
        (one("web"), "b", "at most"),
        # One that leads back to the other routes changes nothing.
        (one(hop="DEFAULT_ROUTING"), "b", "surely"),
    ],
)
def test_where_a_policy_based_route_takes_packets_is_not_known(raw: Raw, target: str, verdict: str) -> None:
    assert asked(raw, "a", target) == verdict


def test_the_metadata_server_is_reached_all_the_same() -> None:
    """https://cloud.google.com/vpc/docs/policy-based-routes#specifications"""
    assert asked(one(), "a", "169.254.169.254", Traffic.parse("tcp/80")) == "surely"
