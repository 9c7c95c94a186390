"""Sightings become conversations: one trap a test, over records small enough to be worked out by hand."""

from __future__ import annotations

import pytest

from tests.flows.tables import APP, DB, Record, T, answer, conversations, record, short, syn

NAT = "eni-nat"
CLIENT, SERVER = "10.0.0.5 40000", "10.0.1.6 443"
THERE, BACK = f"{CLIENT} > {SERVER}", f"{SERVER} > {CLIENT}"


def _both_ends(**others: str | int | bool | None) -> list[Record]:
    """A connection as both of its interfaces tell it."""
    return [
        syn(THERE, APP, "src", **others),
        answer(BACK, APP, "dst", **others),
        syn(THERE, DB, "dst", **others),
        answer(BACK, DB, "src", **others),
    ]


@pytest.mark.semantics(119)
def test_a_connection_seen_at_both_ends_counts_once() -> None:
    (found,) = conversations(*_both_ends())
    assert short([found]) == ["10.0.0.5 > 10.0.1.6:443 accepted handshake"]
    assert (found.connections, found.records, found.packets, found.packets_back) == (1, 2, 1, 1)
    assert (found.initiator_interface, found.responder_interface) == (APP, DB)
    assert (found.initiator_network, found.responder_network) == ("vpc-1", "vpc-1")
    assert (found.observers, found.middle, found.rules) == ((APP, DB), (), ())
    assert found.confidence == "high"


def test_the_observer_that_counted_the_most_tells_the_metrics() -> None:
    (found,) = conversations(
        syn(THERE, APP, "src", packets=9, bytes=900), syn(THERE, DB, "dst", packets=8, bytes=950), syn(THERE, DB, "dst")
    )
    assert (found.packets, found.bytes, found.connections, found.records) == (9, 1050, 2, 2)


# Who opened it.


def test_the_middle_of_a_connection_goes_the_way_that_answered_handshakes_show() -> None:
    found = conversations(
        syn("10.0.0.5 20000 > 10.0.1.6 9999"),
        answer("10.0.1.6 9999 > 10.0.0.5 20000"),
        record("10.0.1.6 9999 > 10.0.0.7 8080"),
        record("10.0.0.7 8080 > 10.0.1.6 9999"),
    )
    assert short(found) == [
        "10.0.0.5 > 10.0.1.6:9999 accepted handshake",
        "10.0.0.7 > 10.0.1.6:9999 accepted listening",
    ]
    assert [each.confidence for each in found] == ["high", "high"]


def test_who_listens_in_one_network_says_nothing_of_the_same_address_in_another() -> None:
    found = conversations(
        answer("10.0.1.6 9999 > 10.0.0.5 20000", DB, network="vpc-1"),
        record("10.0.1.6 9999 > 10.0.0.7 20000", "eni-other", network="vpc-2", side="src"),
        record("10.0.0.7 20000 > 10.0.1.6 9999", "eni-other", network="vpc-2", side="dst"),
    )
    assert short(found)[1:] == ["10.0.0.7:20000 > 10.0.1.6:9999 accepted unknown"]


def test_an_unanswered_handshake_tells_whose_the_reset_is() -> None:
    found = conversations(syn("10.0.0.5 2000 > 10.0.1.6 60000"), record("10.0.1.6 60000 > 10.0.0.5 2000"))
    assert short(found) == ["10.0.0.5 > 10.0.1.6:60000 accepted handshake"]
    assert found[0].packets_back == 1


def test_many_ports_of_a_host_to_one_port_of_the_other_show_who_listens() -> None:
    rows = [
        each
        for port in (20000, 20001, 20002)
        for each in (record(f"10.0.1.6 {port} > 10.0.0.5 9999"), record(f"10.0.0.5 9999 > 10.0.1.6 {port}"))
    ]
    (found,) = conversations(*rows)
    assert short([found]) == ["10.0.1.6 > 10.0.0.5:9999 accepted ports"]
    assert (found.packets, found.packets_back, found.confidence) == (3, 3, "medium")


@pytest.mark.parametrize("ports", [(700, 701, 702), (873, 993, 995)])
def test_privileged_ports_of_nfs_clients_are_no_servers(ports: tuple[int, ...]) -> None:
    rows = [
        each
        for port in ports
        for each in (record(f"10.0.1.6 {port} > 10.0.0.5 2049"), record(f"10.0.0.5 2049 > 10.0.1.6 {port}"))
    ]
    assert short(conversations(*rows)) == ["10.0.1.6 > 10.0.0.5:2049 accepted ports"]


def test_equal_ports_on_both_ends_stay_unknown_with_both() -> None:
    rows = [record("10.0.0.5 7946 > 10.0.1.6 7946", protocol=17), record("10.0.1.6 7946 > 10.0.0.5 7946", protocol=17)]
    (found,) = conversations(*rows)
    assert short([found]) == ["10.0.0.5:7946 > 10.0.1.6:7946 accepted unknown"]
    assert found.confidence == "unknown"


@pytest.mark.parametrize("sender", ["10.0.0.5 7946 > 10.0.1.6 7946", "10.0.1.6 7946 > 10.0.0.5 7946"])
def test_who_alone_sends_is_the_initiator(sender: str) -> None:
    (found,) = conversations(record(sender, protocol=17))
    assert (found.initiator, found.evidence, found.confidence) == (sender.partition(" ")[0], "one-way", "medium")
    assert (found.packets, found.packets_back, found.initiator_port) == (1, 0, None)


def test_of_sampled_packets_a_missing_direction_shows_nothing() -> None:
    found = conversations(record("10.0.0.5 7946 > 10.0.1.6 7946", protocol=17, provider="gcp"))
    assert [each.evidence for each in found] == ["unknown"]


@pytest.mark.parametrize(
    ("at", "evidence"), [(700, ["one-way", "order"]), (20, ["one-way", "unknown"])], ids=["later", "at the beginning"]
)
def test_whose_packets_came_first_opened_it_if_the_log_had_begun_long_before(at: int, evidence: list[str]) -> None:
    found = conversations(
        record("10.0.0.4 500 > 10.0.1.6 500", protocol=17),
        record("10.0.0.5 500 > 10.0.1.6 500", protocol=17, first=T + at, last=T + at + 30),
        record("10.0.1.6 500 > 10.0.0.5 500", protocol=17, first=T + at + 2, last=T + at + 30),
    )
    assert [each.evidence for each in found] == evidence


def test_data_connections_of_active_ftp_do_not_become_calls_to_port_20() -> None:
    rows = [syn(f"10.0.1.6 20 > 10.0.0.5 {port}") for port in (50010, 50020)]
    middle = [record(f"10.0.0.5 {port} > 10.0.1.6 20", bytes=5000) for port in (50010, 50020)]
    found = conversations(*rows, *middle)
    assert short(found) == [
        "10.0.1.6 > 10.0.0.5:50010 accepted handshake",
        "10.0.1.6 > 10.0.0.5:50020 accepted handshake",
    ]
    assert [each.bytes_back for each in found] == [5000, 5000]


# Verdicts.


@pytest.mark.semantics(118)
def test_refused_at_one_end_is_refused_though_the_other_let_it_out() -> None:
    found = conversations(syn(THERE, APP, "src", opened=3), syn(THERE, DB, "dst", accepted=False, opened=2))
    assert short(found) == ["10.0.0.5 > 10.0.1.6:443 refused handshake"]
    assert (found[0].observers, found[0].connections) == ((APP, DB), 3)


def test_let_in_at_one_time_and_refused_at_another_is_both() -> None:
    found = conversations(
        syn(THERE, APP, "src", opened=5),
        answer(BACK, APP, "dst"),
        syn(THERE, DB, "dst", opened=3),
        syn(THERE, DB, "dst", opened=2, accepted=False),
    )
    assert [(each.verdict, each.connections) for each in found] == [("accepted", 3), ("refused", 2)]


def test_answers_show_that_it_was_let_in_where_the_log_of_refusals_alone_says_no() -> None:
    found = conversations(
        syn(THERE, APP, "src", opened=5), answer(BACK, APP, "dst"), syn(THERE, DB, "dst", accepted=False)
    )
    assert [each.verdict for each in found] == ["accepted", "refused"]


def test_accepted_at_the_initiators_end_alone_is_accepted_as_far_as_is_known() -> None:
    assert short(conversations(syn(THERE, APP, "src"))) == ["10.0.0.5 > 10.0.1.6:443 accepted handshake"]


@pytest.mark.semantics(119)
def test_a_refused_answer_is_no_conversation_the_other_way_round() -> None:
    found = conversations(syn(THERE, DB, "dst"), answer(BACK, DB, "src", accepted=False))
    assert short(found) == ["10.0.0.5 > 10.0.1.6:443 reply-refused handshake"]
    assert (found[0].connections, found[0].packets, found[0].packets_back) == (1, 1, 1)


def test_a_stray_refused_answer_beside_answers_that_passed_is_a_row_of_its_own() -> None:
    found = conversations(*_both_ends(), record(BACK, DB, "src", accepted=False))
    assert [(each.verdict, each.evidence) for each in found] == [
        ("accepted", "handshake"),
        ("reply-refused", "handshake"),
    ]


def test_a_refused_answer_to_what_nobody_saw_is_not_sure_of_its_direction() -> None:
    (found,) = conversations(record(BACK, DB, "src", accepted=False))
    assert (found.initiator, found.verdict, found.evidence) == ("10.0.0.5", "reply-refused", "unknown")


def test_a_ping_let_in_whose_answer_was_refused_is_one_conversation() -> None:
    found = conversations(
        record("203.0.113.12 > 10.0.1.6", DB, "dst"), record("10.0.1.6 > 203.0.113.12", DB, "src", accepted=False)
    )
    assert short(found) == ["203.0.113.12 > 10.0.1.6 reply-refused one-way"]


def test_google_samples_what_leaves_before_its_rules_refuse_it() -> None:
    found = conversations(
        record(THERE, "vm-1", "src", provider="gcp"),
        logs=[[record(THERE, "vm-1", "src", provider="gcp", opener="src", proof="state", opened=1, accepted=False)]],
    )
    assert short(found) == ["10.0.0.5 > 10.0.1.6:443 refused state"]


# Observers, places and networks.


def test_without_a_direction_the_address_in_all_records_is_the_observers_own() -> None:
    (first, second) = conversations(
        record("10.0.0.5 40000 > 10.0.1.6 443", DB, None, network=None),
        record("10.0.0.7 40000 > 10.0.1.6 443", DB, None, network=None),
    )
    assert (first.initiator_interface, first.responder_interface, second.responder_interface) == (None, DB, DB)


def test_of_two_candidates_the_one_that_is_another_interfaces_is_not_its_own() -> None:
    (found, _) = conversations(record(THERE, APP), record(THERE, DB), record("10.0.0.7 40000 > 10.0.1.6 443", DB))
    assert (found.initiator_interface, found.responder_interface) == (APP, DB)


def test_of_two_candidates_the_private_one_is_an_interfaces_own() -> None:
    (found,) = conversations(record("203.0.113.9 40000 > 10.0.1.6 443", DB))
    assert (found.initiator_interface, found.responder_interface) == (None, DB)


def test_two_interfaces_with_one_peer_each_and_no_direction_are_told_as_observers_alone() -> None:
    (found,) = conversations(record(THERE, APP), record(THERE, DB))
    assert (found.initiator_interface, found.responder_interface, found.observers) == (None, None, (APP, DB))
    assert (found.records, found.middle) == (1, ())


def test_networks_with_equal_ranges_stay_apart() -> None:
    rows = [
        syn(THERE, f"{vpc}-{end}", side, network=vpc)
        for vpc in ("vpc-1", "vpc-2")
        for end, side in (("app", "src"), ("db", "dst"))
    ]
    found = conversations(*rows, syn(THERE, "vpc-2-db", "dst", network="vpc-2"))
    assert [(each.initiator_interface, each.responder_interface, each.connections) for each in found] == [
        ("vpc-1-app", "vpc-1-db", 1),
        ("vpc-2-app", "vpc-2-db", 2),
    ]


def test_ends_in_two_networks_belong_together_where_there_is_but_one_of_each() -> None:
    (found,) = conversations(syn(THERE, APP, "src", network="vpc-1"), syn(THERE, DB, "dst", network="vpc-2"))
    assert (found.initiator_network, found.responder_network) == ("vpc-1", "vpc-2")


def test_ends_that_could_belong_to_two_networks_are_left_alone() -> None:
    found = conversations(
        syn(THERE, "eni-1", "src", network="vpc-1"),
        syn(THERE, "eni-2", "src", network="vpc-2"),
        syn(THERE, DB, "dst", network="vpc-3"),
    )
    assert [(each.initiator_interface, each.responder_interface) for each in found] == [
        (None, DB),
        ("eni-1", None),
        ("eni-2", None),
    ]


def test_an_address_that_moved_to_another_interface_makes_two_rows() -> None:
    found = conversations(
        syn(THERE, "eni-old", "src", opened=3),
        syn(THERE, "eni-new", "src", opened=4, first=T + 1000, last=T + 1001),
        syn(THERE, DB, "dst", opened=7, last=T + 1001),
    )
    assert [(each.initiator_interface, each.responder_interface, each.connections) for each in found] == [
        ("eni-new", DB, 4),
        ("eni-old", DB, 3),
    ]


def test_addresses_that_moved_at_both_ends_are_paired_by_time() -> None:
    later = {"first": T + 1000, "last": T + 1100}
    found = conversations(
        syn(THERE, "old-app", "src"),
        syn(THERE, "old-db", "dst"),
        syn(THERE, "new-app", "src", **later),
        syn(THERE, "new-db", "dst", **later),
    )
    assert [(each.initiator_interface, each.responder_interface) for each in found] == [
        ("new-app", "new-db"),
        ("old-app", "old-db"),
    ]


def test_another_pod_under_the_same_address_is_another_conversation() -> None:
    found = conversations(
        syn(THERE, "node-1", "src", src_name="shop/web", dst_name="shop/db"),
        syn(THERE, "node-2", "dst", src_name="shop/web", dst_name="shop/db"),
        syn(THERE, "node-1", "src", src_name="shop/job", dst_name="shop/db"),
    )
    assert [(each.initiator_name, each.responder_interface) for each in found] == [
        ("shop/job", None),
        ("shop/web", "node-2"),
    ]


def test_a_name_that_one_end_alone_tells_is_that_of_both() -> None:
    (found,) = conversations(syn(THERE, APP, "src", src_name="shop/web"), syn(THERE, DB, "dst", dst_name="shop/db"))
    assert (found.initiator_name, found.responder_name) == ("shop/web", "shop/db")


# Gateways.


def _nat() -> list[Record]:
    """What a NAT gateway at 10.0.9.9 tells of a connection of 10.0.0.5 to 203.0.113.9: both legs, there and back."""
    return [
        syn("10.0.0.5 40000 > 203.0.113.9 443", NAT, "middle", near_dst="10.0.9.9"),
        syn("10.0.9.9 50000 > 203.0.113.9 443", NAT, "src"),
        answer("203.0.113.9 443 > 10.0.9.9 50000", NAT, "dst"),
        answer("203.0.113.9 443 > 10.0.0.5 40000", NAT, "middle", near_src="10.0.9.9"),
    ]


def test_nat_gateways_are_seen_through() -> None:
    (found,) = conversations(*_nat(), syn("10.0.0.5 40000 > 203.0.113.9 443", APP, "src", packets=6))
    assert short([found]) == ["10.0.0.5 > 203.0.113.9:443 accepted handshake"]
    assert (found.initiator_interface, found.responder_interface) == (APP, None)
    assert (found.observers, found.middle) == ((APP, NAT), (NAT,))
    assert (found.connections, found.packets) == (1, 6)


def test_a_nat_gateway_tells_alone_where_no_end_has_logs() -> None:
    (found,) = conversations(*_nat())
    assert short([found]) == ["10.0.0.5 > 203.0.113.9:443 accepted handshake"]
    assert (found.initiator_interface, found.middle, found.connections) == (None, (NAT,), 1)


def test_without_a_direction_a_gateway_is_known_by_its_two_legs() -> None:
    (found,) = conversations(*(row | {"side": None} for row in _nat()))
    assert short([found]) == ["10.0.0.5 > 203.0.113.9:443 accepted handshake"]
    assert (found.initiator_interface, found.responder_interface, found.middle) == (None, None, (NAT,))


def test_a_pod_behind_its_machines_address_is_the_end_itself() -> None:
    (found,) = conversations(syn("10.0.0.5 40000 > 10.0.1.77 443", DB, "dst", near_dst="10.0.1.6"))
    assert (found.responder, found.responder_interface, found.middle) == ("10.0.1.77", DB, ())


def test_two_attachments_of_a_transit_gateway_count_once() -> None:
    rows = [syn(THERE, f"attach-{n}", "middle", network=f"vpc-{n}") for n in (1, 2)]
    (found,) = conversations(*rows)
    assert (found.connections, found.observers, found.middle) == (1, ("attach-1", "attach-2"), ("attach-1", "attach-2"))


def test_what_stands_in_between_goes_with_the_rows_of_its_network() -> None:
    rows = [syn(THERE, f"{vpc}-app", "src", network=vpc) for vpc in ("vpc-1", "vpc-2")]
    found = conversations(*rows, syn(THERE, NAT, "middle", network="vpc-2"))
    assert [(each.initiator_interface, each.middle) for each in found] == [("vpc-1-app", ()), ("vpc-2-app", (NAT,))]


# Several logs of the same packets.


def _azure(rule: str, **others: str | int | bool | None) -> Record:
    told: Record = {"provider": "azure", "opener": "src", "proof": "state", "opened": 1, "rule": rule, "answers": True}
    return record(THERE, "00224861", "src", **(told | others))


def test_two_kinds_of_log_of_one_adapter_are_not_added_up() -> None:
    (found,) = conversations(
        _azure("allow", packets=4, network=None), logs=[[_azure("nsg/allow", packets=5, network="vnet-1")]]
    )
    assert (found.connections, found.packets, found.records) == (1, 5, 1)
    assert (found.initiator_network, found.rules) == ("vnet-1", ("allow", "nsg/allow"))


def test_a_log_whose_format_changed_is_added_up() -> None:
    (found,) = conversations(
        syn(THERE, APP, "src", network=None), syn(THERE, APP, "src", network="vpc-1", first=T + 60, last=T + 61)
    )
    assert (found.connections, found.initiator_network) == (2, "vpc-1")


def test_the_order_of_the_rows_is_told_by_their_values() -> None:
    rows = [*_both_ends(), syn("10.0.0.5 40000 > 10.0.1.6 22", APP, "src"), record("10.0.0.5 > 10.0.1.6", APP, "src")]
    assert conversations(*rows) == conversations(*reversed(rows))
    assert [each.port for each in conversations(*rows)] == [None, 22, 443]
