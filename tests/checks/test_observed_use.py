"""Findings about wide rules say how much of them was seen in use; without observed conversations they say nothing."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cloudseg.checks import address_based_rule, missing_private_endpoint, overbroad_ports, partial_flow_logs
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.interface import Check
from cloudseg.findings import Finding
from cloudseg.flows.coverage import Coverage
from cloudseg.model import Estate

Findings = Callable[..., list[Finding]]
ALL = logs_of("eni-db", "eni-1", "eni-2")


def wide() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/1-65535", "10.0.0.0/20"))
    b.group("sg-app")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-app"], "10.0.2.11")
    return b.build()


def asked(address: str, port: int, **more: Any) -> dict[str, Any]:
    return seen(address, "10.0.2.9", port, responder_interface="eni-db", responder_network="vpc-1", **more)


def evidence(findings: Findings, check: Check, coverage: Coverage, *rows: dict[str, Any]) -> str:
    (found,) = findings(check, wide(), flows=ExampleConversations(rows, coverage))
    return found.evidence[-1]


@pytest.mark.parametrize("check", [address_based_rule.CHECK, overbroad_ports.CHECK], ids=lambda check: check.id)
def test_the_use_of_a_wide_rule_is_told(findings: Findings, check: Check) -> None:
    rows = [asked("10.0.2.10", 5432), asked("10.0.2.11", 5432), asked("10.0.2.11", 22)]
    assert evidence(findings, check, ALL, *rows) == (
        "observed use: 2 of 4,096 addresses and 2 of 65,535 ports in 3 conversations, last seen 2026-01-15"
    )


def test_of_some_use_it_is_not_known_who_it_was(findings: Findings) -> None:
    rows = [asked("10.0.2.10", 5432), asked("10.0.2.200", 5432)]
    told = evidence(findings, overbroad_ports.CHECK, ALL, *rows)
    assert told.endswith("in 2 conversations, last seen 2026-01-15; of 1 of these an end or the initiator is not known")


def test_a_rule_without_seen_use_says_over_what_time(findings: Findings) -> None:
    told = evidence(findings, overbroad_ports.CHECK, ALL)
    assert told == "no observed conversation used it, 2025-12-06 to 2026-01-15 (40 days)"


def test_where_something_was_not_logged_no_use_is_unknown(findings: Findings) -> None:
    told = evidence(findings, overbroad_ports.CHECK, logs_of("eni-1"))
    assert "unknown: whether one that was not logged did, no record of it is in the logs" in told


@pytest.mark.parametrize("check", [address_based_rule.CHECK, overbroad_ports.CHECK], ids=lambda check: check.id)
def test_without_conversations_nothing_is_said_of_use(findings: Findings, check: Check) -> None:
    (found,) = findings(check, wide())
    assert not any("observed" in fact for fact in found.evidence)


def services(findings: Findings, *rows: dict[str, Any]) -> list[str]:
    b = EstateBuilder()
    b.interface("eni-1")
    (found,) = findings(missing_private_endpoint.CHECK, b.build(), flows=ExampleConversations(rows, ALL))
    return [fact for fact in found.evidence if "use" in fact or "observed" in fact]


def test_the_use_of_a_service_is_told_by_the_name_that_logs_have_for_it(findings: Findings) -> None:
    to_s3 = seen("10.0.2.10", "198.51.100.1", initiator_interface="eni-1", responder_name="S3")
    assert services(findings, to_s3) == [
        "observed use of s3: 1 conversation of 1 interface, last seen 2026-01-15",
        "no observed conversation of the network went to dynamodb, 2025-12-06 to 2026-01-15 (40 days)",
    ]


def test_logs_that_name_no_service_show_no_use_of_one(findings: Findings) -> None:
    plain = seen("10.0.2.10", "198.51.100.1", initiator_interface="eni-1")
    assert services(findings, plain) == ["use was not observed: the flow logs name no services of the cloud"]


def logged(*, flow_log: bool = True) -> Estate:
    b = EstateBuilder()
    if flow_log:
        b.flow_log("fl-1")
    b.interface("eni-1", address="10.0.2.10")
    b.interface("eni-2", address="10.0.2.11")
    return b.build()


def partial(findings: Findings, coverage: Coverage, estate: Estate) -> list[str]:
    found = findings(partial_flow_logs.CHECK, estate, flows=ExampleConversations([], coverage))
    return [fact for each in found for fact in each.evidence]


def test_interfaces_of_which_the_logs_show_nothing_are_counted(findings: Findings) -> None:
    assert partial(findings, logs_of("eni-1"), logged()) == [
        (
            "the logs read do not show all of 1 of 2 interfaces over 2025-12-06 to 2026-01-15 (40 days) "
            "(1: no record of it is in the logs)"
        )
    ]


def test_records_that_the_cloud_lost_are_counted(findings: Findings) -> None:
    both = logs_of("eni-1", "eni-2")
    lost = tuple(msgspec.structs.replace(each, skipped=3) for each in both.observers)
    assert partial(findings, msgspec.structs.replace(both, observers=lost), logged()) == [
        "6 records of it say that the cloud lost others (SKIPDATA)"
    ]


def test_nothing_is_missing_of_accounts_whose_logs_nobody_gave(findings: Findings) -> None:
    others = tuple(msgspec.structs.replace(each, scope="999999999999") for each in logs_of("eni-9").observers)
    assert partial(findings, Coverage(first=0, last=9, observers=others), logged()) == []


def test_a_network_without_a_flow_log_is_told_by_another_check(findings: Findings) -> None:
    assert partial(findings, logs_of("eni-1"), logged(flow_log=False)) == []
