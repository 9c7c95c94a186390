"""Ends of conversations stand for the interfaces that bore their addresses then, and for nobody else."""

from typing import Any

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.example_nsgs import NsgBuilder
from cloudseg.model import Estate, Interface
from cloudseg.observed.ends import End
from cloudseg.observed.join import Joined, join
from cloudseg.traffic import AddressSet
from tests.observed.tables import Table, conversation, day


def standing(b: EstateBuilder, own: str, network: str, address: str, **more: Any) -> None:
    b.put(
        "interfaces",
        Interface(
            id=b.id(own),
            kind="network-interface",
            region="eu-west-1",
            network=b.id(network),
            subnet=None,
            addresses=AddressSet.parse(address),
            **more,
        ),
    )


def two_machines() -> EstateBuilder:
    b = EstateBuilder()
    b.interface("eni-web", "subnet-public", address="10.0.1.5", public="203.0.113.5")
    b.interface("eni-db", "subnet-private", address="10.0.2.9")
    return b


def ends(estate: Estate, *rows: dict[str, Any]) -> list[tuple[End, End]]:
    joined = join(Table(*rows), estate)
    return [(joined.initiator(row), joined.responder(row)) for row in range(len(joined))]


def who(end: End) -> str:
    return f"interface {end.interface.rpartition(':')[2]}" if end.interface else end.kind


def test_an_interface_that_reported_is_the_end_whatever_its_address() -> None:
    row = conversation("10.0.2.77", "10.0.1.5", initiator_interface="eni-db", responder_interface="eni-web")
    ((initiator, responder),) = ends(two_machines().build(), row)
    assert (who(initiator), who(responder)) == ("interface eni-db", "interface eni-web")


def test_an_end_that_nobody_reported_is_found_by_its_address_in_the_network_of_the_other() -> None:
    row = conversation("10.0.2.9", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    ((initiator, _),) = ends(two_machines().build(), row)
    assert who(initiator) == "interface eni-db"


def test_an_interface_that_reported_and_is_gone_is_never_mapped_by_its_address() -> None:
    row = conversation("10.0.2.9", "10.0.1.5", initiator_interface="eni-old", responder_interface="eni-web")
    ((initiator, _),) = ends(two_machines().build(), row)
    assert (initiator.kind, initiator.interface) == ("gone", "")
    assert "eni-old reported it and is not in the estate any more" in initiator.reason


def test_an_interface_of_an_account_that_was_not_read_is_not_called_gone_from_the_estate() -> None:
    row = conversation("10.9.0.1", "10.9.0.2", initiator_interface="eni-x", initiator_scope="999999999999")
    ((initiator, _),) = ends(two_machines().build(), row)
    assert initiator.kind == "gone"
    assert "of 999999999999 reported it, which was not read" in initiator.reason


def test_networks_with_equal_ranges_stay_apart() -> None:
    b = two_machines()
    b.network("vpc-2", "10.0.0.0/16")
    standing(b, "eni-twin", "vpc-2", "10.0.2.9")
    standing(b, "eni-other", "vpc-2", "10.0.1.5")
    first = conversation("10.0.2.9", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    second = conversation("10.0.2.9", "10.0.1.5", responder_interface="eni-other", responder_network="vpc-2")
    found = ends(b.build(), first, second)
    assert [who(initiator) for initiator, _ in found] == ["interface eni-db", "interface eni-twin"]


def test_an_address_of_two_networks_is_unknown_where_nobody_reported() -> None:
    b = two_machines()
    b.network("vpc-2", "10.0.0.0/16")
    standing(b, "eni-twin", "vpc-2", "10.0.2.9")
    ((initiator, _),) = ends(b.build(), conversation("10.0.2.9", "203.0.113.77"))
    assert initiator.kind == "unknown"
    assert initiator.candidates == (b.id("eni-db"), b.id("eni-twin"))


def test_an_address_of_a_peered_network_is_found_there() -> None:
    b = two_machines()
    b.network("vpc-2", "10.7.0.0/16")
    b.network("vpc-3", "10.7.0.0/16")
    b.peering("pcx-1", "vpc-2")
    standing(b, "eni-near", "vpc-2", "10.7.0.4")
    standing(b, "eni-far", "vpc-3", "10.7.0.4")
    row = conversation("10.7.0.4", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    ((initiator, _),) = ends(b.build(), row)
    assert who(initiator) == "interface eni-near"


def test_a_private_address_of_a_network_to_which_nothing_leads_is_not_taken_for_its_interface() -> None:
    b = two_machines()
    b.network("vpc-3", "10.7.0.0/16")
    standing(b, "eni-far", "vpc-3", "10.7.0.4")
    row = conversation("10.7.0.4", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    ((initiator, _),) = ends(b.build(), row)
    assert (initiator.kind, initiator.candidates) == ("unknown", (b.id("eni-far"),))


def test_beside_a_network_that_was_not_read_equal_addresses_say_nothing() -> None:
    row = conversation(
        "10.0.2.9",
        "10.0.1.5",
        responder_interface="eni-x",
        responder_network="vpc-9",
        responder_scope="999999999999",
    )
    ((initiator, _),) = ends(two_machines().build(), row)
    assert initiator.kind == "unknown"


def test_a_private_address_in_no_network_lies_beyond_the_estate() -> None:
    ((initiator, responder),) = ends(two_machines().build(), conversation("192.168.7.7", "198.51.100.1"))
    assert (initiator.kind, responder.kind) == ("beyond", "outside")


def test_an_address_inside_of_a_network_that_nobody_bears_is_unknown() -> None:
    row = conversation("10.0.2.200", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    ((initiator, _),) = ends(two_machines().build(), row)
    assert initiator.kind == "unknown"
    assert initiator.reason == "no interface that was read bears 10.0.2.200 in vpc-1"


def test_a_public_address_stands_for_the_interface_that_has_it() -> None:
    ((initiator, _),) = ends(two_machines().build(), conversation("203.0.113.5", "198.51.100.1"))
    assert who(initiator) == "interface eni-web"


def test_the_public_address_of_a_nat_gateway_stands_for_others() -> None:
    b = two_machines()
    b.interface("eni-nat", "subnet-public", address="10.0.1.6", public="203.0.113.10", role="nat_gateway")
    ((initiator, _),) = ends(b.build(), conversation("203.0.113.10", "198.51.100.1"))
    assert (initiator.kind, initiator.interface) == ("unknown", "")
    assert "stands for others" in initiator.reason


def test_an_address_that_moved_belongs_to_who_bore_it_at_the_time() -> None:
    b = two_machines()
    reported = conversation(
        "10.0.2.9",
        "10.0.1.5",
        initiator_interface="eni-old",
        initiator_network="vpc-1",
        first_seen=day(1),
        last_seen=day(5),
    )
    early, late = (
        conversation(
            "10.0.2.9",
            "10.0.1.5",
            port,
            responder_interface="eni-web",
            responder_network="vpc-1",
            first_seen=day(first),
            last_seen=day(last),
        )
        for port, first, last in ((80, 2, 3), (81, 10, 20))
    )
    found = ends(b.build(), reported, early, late)
    assert [who(initiator) for initiator, _ in found] == ["gone", "gone", "interface eni-db"]


def test_a_conversation_over_the_time_of_two_bearers_is_unknown() -> None:
    b = two_machines()
    old = conversation(
        "10.0.2.9", "10.0.1.5", initiator_interface="eni-old", initiator_network="vpc-1", last_seen=day(5)
    )
    new = conversation(
        "10.0.2.9", "10.0.1.5", initiator_interface="eni-db", initiator_network="vpc-1", first_seen=day(8)
    )
    over = conversation("10.0.2.9", "10.0.1.5", 80, responder_interface="eni-web", first_seen=day(2), last_seen=day(20))
    found = ends(b.build(), old, new, over)
    assert found[2][0].kind == "unknown"
    assert found[2][0].candidates == (b.id("eni-db"),)


def test_pods_are_known_by_their_names() -> None:
    b = ClusterBuilder("prod")
    b.workload("shop", "web")
    b.workload("shop", "db")
    rows = [
        conversation(
            "10.1.0.1", "10.1.0.2", 5432, provider="kubernetes", initiator_scope=scope, initiator_interface="node-1",
            responder_interface="node-1", responder_scope=scope, initiator_name=name,
            responder_name="shop/db[Deployment]",
        )
        for scope, name in (("prod", "shop/web[Deployment]"), ("default", "shop/web-7d9f8b6c5-x2x4z"))
    ]  # fmt: skip
    for initiator, responder in ends(b.build(), *rows):
        assert initiator.interface == "kubernetes:prod:shop/web[Deployment]"
        assert responder.interface == "kubernetes:prod:shop/db[Deployment]"


def test_pods_of_another_cluster_are_not_taken_for_those_of_the_estate() -> None:
    b = ClusterBuilder("prod")
    b.workload("shop", "web")
    row = conversation(
        "10.1.0.1", "10.1.0.2", provider="kubernetes", initiator_scope="test", initiator_name="shop/web[Deployment]"
    )
    ((initiator, _),) = ends(b.build(), row)
    assert initiator.interface == ""


def test_what_a_machine_reports_of_its_pods_is_the_pods() -> None:
    b = two_machines()
    pod = Interface(
        id="kubernetes:prod:shop/web[Deployment]",
        kind="pod",
        network=b.id("vpc-1"),
        subnet=b.id("subnet-private"),
        addresses=AddressSet.parse("10.0.2.20"),
    )
    b.put("interfaces", pod)
    row = conversation("10.0.2.20", "10.0.1.5", initiator_interface="eni-db", initiator_network="vpc-1")
    ((initiator, _),) = ends(b.build(), row)
    assert initiator.interface == pod.id


def test_the_address_of_a_machine_stands_for_it_and_not_for_pods_in_its_network() -> None:
    b = two_machines()
    host = Interface(
        id="kubernetes:prod:kube-system/proxy[DaemonSet]",
        kind="pod",
        role="host",
        network=b.id("vpc-1"),
        subnet=b.id("subnet-private"),
        addresses=AddressSet.parse("10.0.2.9"),
    )
    b.put("interfaces", host)
    row = conversation("10.0.2.9", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    ((initiator, _),) = ends(b.build(), row)
    assert who(initiator) == "interface eni-db"


def test_a_range_of_addresses_gives_way_to_who_bears_one_of_them() -> None:
    b = two_machines()
    standing(b, "eni-range", "vpc-1", "10.0.2.0/24")
    known = conversation("10.0.2.9", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    other = conversation("10.0.2.33", "10.0.1.5", responder_interface="eni-web", responder_network="vpc-1")
    found = ends(b.build(), known, other)
    assert [who(initiator) for initiator, _ in found] == ["interface eni-db", "interface eni-range"]


def test_an_address_that_is_none_is_unknown() -> None:
    ((initiator, _),) = ends(two_machines().build(), conversation("<script>", "10.0.1.5"))
    assert initiator.kind == "unknown"
    assert "is no address" in initiator.reason


def test_no_conversation_is_no_end() -> None:
    joined = join(Table(), two_machines().build())
    assert (len(joined), joined.ends) == (0, ())


def test_conversations_are_counted_by_the_kinds_of_their_ends() -> None:
    joined: Joined = join(
        Table(
            conversation("203.0.113.7", "10.0.1.5", responder_interface="eni-web"),
            conversation("203.0.113.7", "10.0.9.9", responder_interface="eni-old"),
        ),
        two_machines().build(),
    )
    assert joined.kinds == {"gone": 1, "interface": 1, "outside": 2}


def test_without_scopes_read_in_full_an_unlisted_interface_is_not_said_to_be_gone() -> None:
    unread = EstateBuilder(unread=["interfaces"]).build()
    ((initiator, _),) = ends(unread, conversation("10.0.2.9", "10.0.1.5", initiator_interface="eni-db"))
    assert "which was not read" in initiator.reason


def test_an_instance_of_google_cloud_reports_by_its_name() -> None:
    b = GcpBuilder()
    b.machine("web", "web", "10.2.1.10")
    estate = b.build()
    (key,) = (each for each in estate.interfaces if "instances/web" in each)
    observer, network = key.removeprefix("gcp:").rpartition("/nic")[0], b.network.removeprefix("gcp:")
    here: dict[str, Any] = {"provider": "gcp", "initiator_scope": "shop", "initiator_network": network}
    known = conversation("10.2.1.10", "10.2.1.11", initiator_interface=observer, **here)
    gone = conversation("10.2.1.10", "10.2.1.11", 80, initiator_interface=observer.replace("web", "old"), **here)
    found = ends(estate, known, gone)
    assert [initiator.interface for initiator, _ in found] == [key, ""]
    assert found[1][0].kind == "gone"


def test_an_adapter_of_azure_is_found_by_address_and_network() -> None:
    b = NsgBuilder()
    b.machine("nic-web", "web", "10.1.1.10")
    estate = b.build()
    (network,) = estate.networks.values()
    row = conversation(
        "10.1.1.10", "10.1.2.10", provider="azure", initiator_interface="00224871C205", initiator_network=network.own_id
    )
    ((initiator, _),) = ends(estate, row)
    assert initiator.interface.endswith("nic-web")
