"""Where logs do not tell who opened a connection, the rules may: if they let one of the ends do so alone."""

from typing import Any

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Estate
from cloudseg.observed.join import Joined
from cloudseg.observed.observed import Observed
from cloudseg.reach.reachability import Reachability
from tests.observed.tables import Table, conversation


def two(*rules_of_db: str, web_takes: bool = False) -> Estate:
    b = EstateBuilder()
    ingress = (allow("ingress", "all", "sg-db"),) if web_takes else ()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"), *ingress)
    b.group("sg-db", *(allow("ingress", rule, "sg-web") for rule in rules_of_db), allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def oriented(estate: Estate, row: dict[str, Any]) -> Joined:
    return Observed(Table(row), estate, lambda: Reachability(estate)).oriented


def unknown(initiator: str, responder: str, port: int, initiator_port: int) -> dict[str, Any]:
    ends = {"10.0.1.5": "eni-web", "10.0.2.9": "eni-db"}
    return conversation(
        initiator,
        responder,
        port,
        initiator_port=initiator_port,
        evidence="unknown",
        confidence="unknown",
        initiator_interface=ends[initiator],
        responder_interface=ends[responder],
        packets=7,
        packets_back=9,
    )


def told(joined: Joined) -> tuple[str, int, str, str]:
    table = joined.conversations
    return (
        joined.initiator(0).address,
        int(table.column("port")[0]),
        str(table.column("evidence")[0]),
        str(table.column("confidence")[0]),
    )


def test_rules_that_let_one_end_open_it_tell_the_initiator() -> None:
    joined = oriented(two("tcp/5432"), unknown("10.0.1.5", "10.0.2.9", 5432, 5433))
    assert told(joined) == ("10.0.1.5", 5432, "rule", "low")


def test_the_ends_are_turned_where_rules_let_the_other_one_open_it() -> None:
    joined = oriented(two("tcp/5432"), unknown("10.0.2.9", "10.0.1.5", 5433, 5432))
    assert told(joined) == ("10.0.1.5", 5432, "rule", "low")
    table = joined.conversations
    assert joined.responder(0).address == "10.0.2.9"
    assert [table.column(name)[0] for name in ("initiator", "initiator_interface", "packets", "packets_back")] == [
        "10.0.1.5",
        "eni-web",
        9,
        7,
    ]
    assert table.column("initiator_port")[0] == -1


def test_where_rules_let_both_ends_open_it_nothing_is_told() -> None:
    joined = oriented(two("tcp/5432", web_takes=True), unknown("10.0.1.5", "10.0.2.9", 5432, 5433))
    assert told(joined) == ("10.0.1.5", 5432, "unknown", "unknown")


def test_where_rules_let_neither_end_open_it_nothing_is_told() -> None:
    joined = oriented(two(), unknown("10.0.1.5", "10.0.2.9", 5432, 5433))
    assert told(joined) == ("10.0.1.5", 5432, "unknown", "unknown")
