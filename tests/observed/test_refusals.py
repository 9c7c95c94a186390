"""Refused conversations are told with what refuses them today, those with the most attempts first."""

from typing import Any

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.observed.join import join
from cloudseg.observed.refusals import Refusal, refusals
from cloudseg.reach.reachability import Reachability
from tests.observed.tables import Table, conversation


def estate() -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"), allow("ingress", "tcp/443", "0.0.0.0/0"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5", "203.0.113.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b


def refused(*rows: dict[str, Any], most: int = 10, b: EstateBuilder | None = None) -> tuple[tuple[Refusal, ...], int]:
    built = (b or estate()).build()
    table = Table(*({"verdict": "refused", **row} for row in rows))
    return refusals(join(table, built), Reachability(built), most)


def to_db(port: int, **more: Any) -> dict[str, Any]:
    return conversation(
        "10.0.1.5", "10.0.2.9", port, initiator_interface="eni-web", responder_interface="eni-db", **more
    )


def test_a_missing_rule_refuses() -> None:
    ((found,), _) = refused(to_db(22))
    assert (found.why, found.traffic) == ("blocked", "tcp/22")
    assert "no rule of sg-db admits tcp/22" in found.reason
    assert [rule.label for rule in found.rules] == ["sg-db"]


def test_the_entry_that_denies_is_named() -> None:
    b = estate()
    b.acl(
        "acl-1",
        ["subnet-public"],
        (acl_entry("ingress", 1, "all", "0.0.0.0/0"), acl_entry("egress", 1, "all", "0.0.0.0/0")),
    )
    b.acl("acl-2", ["subnet-private"], (acl_entry("ingress", 7, "tcp/5432", "10.0.1.0/24", deny=True),))
    ((found,), _) = refused(to_db(5432), b=b)
    assert found.why == "blocked"
    assert [(rule.label, rule.rule) for rule in found.rules] == [("acl-2", "ingress/7")]


def test_what_rules_let_through_now_is_told_so() -> None:
    ((found,), _) = refused(to_db(5432))
    assert (found.why, found.rules) == ("allowed", ())


def test_addresses_of_the_internet_are_one_source() -> None:
    rows = [conversation(f"198.51.100.{host}", "10.0.1.5", 22, responder_interface="eni-web") for host in range(1, 9)]
    ((found,), groups) = refused(*rows)
    assert (found.source, len(found.group.rows), groups) == ("8 addresses of the internet", 8, 1)
    assert found.why == "blocked"


def test_an_end_that_is_not_known_is_not_explained() -> None:
    row = conversation("10.0.1.5", "10.0.2.44", 22, initiator_interface="eni-web", initiator_network="vpc-1")
    ((found,), _) = refused(row)
    assert found.why == "unknown"
    assert "no interface that was read bears 10.0.2.44" in found.reason


def test_between_two_ends_outside_nothing_is_explained() -> None:
    ((found,), _) = refused(conversation("198.51.100.1", "192.168.1.1", 22))
    assert (found.why, found.reason) == ("unknown", "neither end is an interface of the estate")


def test_the_most_attempts_come_first_and_the_rest_is_counted() -> None:
    found, groups = refused(to_db(22, connections=2), to_db(23, connections=7), to_db(24), most=2)
    assert [each.traffic for each in found] == ["tcp/23", "tcp/22"]
    assert groups == 3


def test_refused_answers_stand_apart() -> None:
    found, _ = refused(to_db(22), to_db(22, verdict="reply-refused"))
    assert sorted(each.answers for each in found) == [False, True]


def test_accepted_conversations_are_no_refusals() -> None:
    assert refused(to_db(5432, verdict="accepted")) == ((), 0)
