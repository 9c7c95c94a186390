"""Networks that were not read, behind peerings and transit gateways, are told."""

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_routes import add_attachment, add_transit_gateway
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.unread_sides import unread_sides
from cloudseg.reporters.reach_answer import ReachAnswer


def peered(*, other_read: bool) -> EstateBuilder:
    b = EstateBuilder()
    if other_read:
        b.network("vpc-2", "10.2.0.0/16")
    b.peering("pcx-1", "vpc-2")
    b.route("rtb-private", "10.2.0.0/16", "peering", "pcx-1")
    b.interface("eni-1")
    return b


def test_a_network_behind_a_peering_that_was_not_read_is_told_by_reach_and_by_the_audit() -> None:
    estate = peered(other_read=False).build()
    (note,) = unread_sides(estate)
    assert note.startswith("vpc-2 behind the peering pcx-1 was not read: what passes from it or to it is told at most")
    assert note in run_audit(estate, AuditRequest()).notes
    assert note in ReachAnswer(Reachability(estate), ()).notes


def test_a_network_that_was_read_is_not_told() -> None:
    assert unread_sides(peered(other_read=True).build()) == ()


def test_a_network_at_a_transit_gateway_that_was_not_read_is_told() -> None:
    b = EstateBuilder()
    add_transit_gateway(b)
    add_attachment(b, "att-9", "vpc-9")
    (note,) = unread_sides(b.build())
    assert note.startswith("vpc-9 behind the transit gateway tgw-1 was not read")


def test_of_many_some_are_told_and_the_rest_is_counted() -> None:
    b = EstateBuilder()
    for number in range(2, 10):
        b.peering(f"pcx-{number}", f"vpc-{number}")
    told = unread_sides(b.build())
    assert len(told) == 6
    assert told[-1] == "3 more networks behind peerings and transit gateways were not read"
