"""A rule is called unused only where nothing can have used it and everything that it judges was logged."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cloudseg.checks import unused_rule
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.checks.example_flows import DAY, FIRST, LAST, ExampleConversations, logs_of, seen
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.engine import AuditRequest, CheckStatus, run_audit, select_checks
from cloudseg.findings import Finding
from cloudseg.flows.coverage import Coverage, Loss, Observer
from cloudseg.model import Estate, Rule

Findings = Callable[..., list[Finding]]
BOTH = logs_of("eni-web", "eni-db")


def shop(*rules: Rule) -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", *rules)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


SHELL, DATABASE = allow("ingress", "tcp/22", "sg-web"), allow("ingress", "tcp/5432", "sg-web")


def query(**more: Any) -> dict[str, Any]:
    return seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db", **more)


def unused(findings: Findings, estate: Estate, coverage: Coverage = BOTH, *rows: dict[str, Any]) -> list[str]:
    found = findings(unused_rule.CHECK, estate, flows=ExampleConversations(rows or [query()], coverage))
    return [each.rule.traffic for each in found if each.rule is not None and each.resource.id != "acl-1"]


def status(estate: Estate, coverage: Coverage | None) -> CheckStatus:
    flows = None if coverage is None else ExampleConversations([query()], coverage)
    document = run_audit(estate, AuditRequest(checks=select_checks(["unused-rule"]), flows=flows, exposure=False))
    return document.checks[0]


def test_what_nobody_used_is_told_with_the_window(findings: Findings) -> None:
    (found,) = findings(unused_rule.CHECK, shop(SHELL, DATABASE), flows=ExampleConversations([query()], BOTH))
    assert found.message == "sg-db admits tcp/22 from sg-web, which nobody used in 40 days"
    assert found.evidence[0] == "the logs cover 2025-12-06 to 2026-01-15 (40 days)"
    assert found.confidence == "medium"
    assert found.affected == ("eni-db",)


@pytest.mark.semantics(228)
def test_rules_of_an_interface_that_was_not_logged_are_left_alone(findings: Findings) -> None:
    assert unused(findings, shop(SHELL, DATABASE), logs_of("eni-web")) == []


@pytest.mark.semantics(213)
def test_logs_of_refused_traffic_alone_make_no_rule_unused(findings: Findings) -> None:
    refused_only = [msgspec.structs.replace(each, refused=each.records) for each in BOTH.observers]
    assert unused(findings, shop(SHELL), msgspec.structs.replace(BOTH, observers=tuple(refused_only))) == []


def test_a_rule_whose_conversations_were_refused_further_on_is_told_with_low_confidence(findings: Findings) -> None:
    flows = ExampleConversations([query(verdict="refused", connections=70)], BOTH)
    found = findings(unused_rule.CHECK, shop(SHELL), flows=flows)
    shell, out = (each for each in found if each.resource.id != "acl-1")
    assert (shell.resource.id, shell.confidence) == ("sg-db", "medium")
    assert (out.resource.id, out.confidence) == ("sg-web", "low")
    assert out.message == "sg-web lets out tcp/5432 to sg-db, by which nothing got through in 40 days"
    assert "70 attempts that it lets through were refused further on, or by another list" in out.evidence


def test_a_rule_that_would_let_refused_attempts_through_today_may_be_younger_than_they_are(findings: Findings) -> None:
    assert unused(findings, shop(DATABASE), BOTH, query(verdict="refused")) == []


def test_a_rule_for_a_group_that_an_end_no_longer_carries_may_have_been_used(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-old")
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-old"), SHELL)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    assert unused(findings, b.build()) == ["tcp/22"]


def test_a_rule_of_a_group_that_its_interface_no_longer_carries_may_have_been_used(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", SHELL)
    b.group("sg-old", DATABASE)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.interface("eni-other", "subnet-private", ["sg-old"], "10.0.2.10")
    coverage = logs_of("eni-web", "eni-db", "eni-other")
    assert unused(findings, b.build(), coverage) == ["tcp/22"]


def test_where_who_opened_it_was_inferred_the_other_end_may_have(findings: Findings) -> None:
    turned = seen(
        "10.0.2.9", "10.0.1.5", 9000, initiator_interface="eni-db", responder_interface="eni-web", evidence="ports",
        confidence="medium",
    )  # fmt: skip
    assert unused(findings, shop(DATABASE), BOTH, turned) == []
    proved = {**turned, "evidence": "handshake", "confidence": "high"}
    assert unused(findings, shop(DATABASE), BOTH, proved) == ["tcp/5432", "tcp/5432"]


@pytest.mark.parametrize(
    "row",
    [
        query(evidence="unknown", initiator_port=22),
        seen("10.0.9.9", "10.0.2.9", 5432, initiator_interface="eni-gone", responder_interface="eni-db"),
        seen("10.0.1.5", "10.0.2.77", 5432, initiator_interface="eni-web", initiator_network="vpc-1"),
    ],
    ids=["who opened it is not known", "the initiator is gone", "nobody that was read bears the responder's address"],
)
def test_what_may_have_used_a_rule_keeps_it(findings: Findings, row: dict[str, Any]) -> None:
    assert unused(findings, shop(DATABASE), BOTH, row) == []


def test_entries_that_let_answers_through_are_used(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", DATABASE)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.acl("acl-1", ["subnet-public"], ACL_OPEN)
    b.acl(
        "acl-2",
        ["subnet-private"],
        (
            acl_entry("ingress", 100, "tcp/5432", "10.0.1.0/24"),
            acl_entry("egress", 100, "tcp/1024-65535", "10.0.1.0/24"),
        ),
    )
    assert unused(findings, b.build()) == []


@pytest.mark.parametrize(
    ("more", "confidence"),
    [
        ({}, "medium"),
        ({"losses": (Loss("a.gz", "it ends too early"),)}, "low"),
        ({"skipped": 4}, "low"),
        ({"bad": 1}, "low"),
    ],
)
def test_what_was_lost_lowers_the_confidence(findings: Findings, more: dict[str, Any], confidence: str) -> None:
    flows = ExampleConversations([query()], msgspec.structs.replace(BOTH, **more))
    (found,) = findings(unused_rule.CHECK, shop(SHELL, DATABASE), flows=flows)
    assert found.confidence == confidence


def test_a_window_without_the_end_of_a_month_lowers_the_confidence(findings: Findings) -> None:
    short = _window(FIRST, FIRST + 20 * DAY)
    (found,) = findings(unused_rule.CHECK, shop(SHELL, DATABASE), flows=ExampleConversations([query()], short))
    assert found.confidence == "low"
    assert any("no end of a month lies in the window" in each for each in found.evidence)
    assert any("fewer than 30 days" in each for each in found.evidence)


def test_days_of_which_nothing_was_seen_lower_the_confidence(findings: Findings) -> None:
    rows = [query(last_seen=FIRST + 5 * DAY), query(first_seen=LAST - 5 * DAY)]
    (found,) = findings(unused_rule.CHECK, shop(SHELL, DATABASE), flows=ExampleConversations(rows, BOTH))
    assert found.confidence == "low"
    assert any("no conversation was seen from 2025-12-11 to 2026-01-10" in each for each in found.evidence)


def _window(first: int, last: int) -> Coverage:
    observers = tuple(Observer("aws", name, "vpc-1", None, first, last, 100) for name in ("eni-web", "eni-db"))
    return Coverage(first=first, last=last, observers=observers)


def test_samples_of_google_cloud_lower_the_confidence(findings: Findings) -> None:
    from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule

    b = GcpBuilder()
    b.firewall(gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"))
    b.machine("app", "web", "10.2.1.11", tags=["app"])
    b.flow_log("web")
    network = b.network.removeprefix("gcp:")
    flows = ExampleConversations([], logs_of("x:zones/y/instances/z", provider="gcp", network=network))
    (found,) = findings(unused_rule.CHECK, b.build(), flows=flows)
    assert found.confidence == "low"
    assert any("a sample of the packets" in each for each in found.evidence)


def test_rules_that_the_provider_keeps_are_left_alone(findings: Findings) -> None:
    b = NsgBuilder()
    b.nsg("nsg-web", nsg_rule("ingress", 100, "tcp/443", "Internet"), subnet="web")
    b.machine("nic-web", "web", "10.1.1.10")
    b.flow_log("fl-1", b.network)
    network = b.network.split(":", 2)[2]
    flows = ExampleConversations([], logs_of("00224871C205", provider="azure", network=network))
    found = findings(unused_rule.CHECK, b.build(), flows=flows)
    assert [each.rule.traffic for each in found if each.rule is not None] == ["tcp/443"]


def test_without_flows_nothing_is_evaluated() -> None:
    found = status(shop(SHELL), None)
    assert (found.status, "--flows" in found.reason) == ("not evaluated", True)


def test_a_window_that_is_too_short_is_not_evaluated() -> None:
    found = status(shop(SHELL), _window(LAST - 6 * DAY, LAST))
    assert found.status == "not evaluated"
    assert found.reason == "the conversations cover 6 days, and it asks for 7 (minimum_days)"


def test_rules_that_the_logs_do_not_cover_are_counted() -> None:
    found = status(shop(SHELL, DATABASE), logs_of("eni-web"))
    assert found.status == "partly"
    assert found.reason == (
        "the logs do not cover all that 1 rule without seen use would judge: 1 where no record of it is in the logs"
    )


def test_where_everything_was_logged_the_check_is_evaluated() -> None:
    assert status(shop(SHELL, DATABASE), BOTH).status == "evaluated"


def test_conversations_of_other_accounts_do_no_harm(findings: Findings) -> None:
    foreign = seen(
        "10.0.1.5", "10.0.2.9", 22, initiator_interface="eni-x", responder_interface="eni-y",
        initiator_scope="999999999999", responder_scope="999999999999", initiator_network="vpc-x",
        responder_network="vpc-x",
    )  # fmt: skip
    assert unused(findings, shop(SHELL, DATABASE), BOTH, query(), foreign) == ["tcp/22"]


@pytest.mark.parametrize(
    "rule",
    [
        allow("egress", "udp/53", "0.0.0.0/0"),
        allow("egress", "udp/53, tcp/53", "10.0.0.2"),
        allow("egress", "udp/123", "0.0.0.0/0"),
        allow("egress", "tcp/80", "169.254.169.254"),
    ],
    ids=["names", "names of the network's resolver", "time", "metadata"],
)
def test_what_no_flow_log_records_is_not_called_unused(findings: Findings, rule: Rule) -> None:
    assert unused(findings, shop(DATABASE, rule)) == []


def test_names_that_are_asked_for_at_an_interface_of_the_estate_are_recorded(findings: Findings) -> None:
    assert unused(findings, shop(DATABASE, allow("ingress", "udp/53", "sg-web"))) == ["udp/53"]


@pytest.mark.parametrize(
    ("told", "unused_ports"),
    [
        ("8f1c2a10-0000-4000-8000-0a7d11d4a002/UserRule_rule-110", ["tcp/443"]),
        ("/subscriptions/other/networksecuritygroups/nsg-web/UserRule_rule-110", ["tcp/443", "tcp/22"]),
        ("8f1c2a10-0000-4000-8000-0a7d11d4a002/DefaultRule_AllowVnetInBound", ["tcp/443", "tcp/22"]),
    ],
    ids=["an access list by its number", "another group", "another rule"],
)
def test_a_rule_that_a_log_names_was_used(findings: Findings, told: str, unused_ports: list[str]) -> None:
    b = NsgBuilder()
    rules = (nsg_rule("ingress", 100, "tcp/443", "Internet"), nsg_rule("ingress", 110, "tcp/22", "10.1.9.0/24"))
    b.nsg("nsg-web", *rules, subnet="web")
    b.machine("nic-web", "web", "10.1.1.10")
    b.flow_log("fl-1", b.network)
    network = b.network.split(":", 2)[2]
    row = seen("10.1.1.99", "10.1.1.10", 8080, provider="azure", rules=(told,))
    flows = ExampleConversations([row], logs_of("00224871C205", provider="azure", network=network))
    found = findings(unused_rule.CHECK, b.build(), flows=flows)
    assert [each.rule.traffic for each in found if each.rule is not None] == unused_ports
