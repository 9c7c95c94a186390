"""Networks of which not every interface was read: whoever else stands there counts as an end outside, at most."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import NOTHING, Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import at_most

q = EstateBuilder.id
NEIGHBOUR, FAR = AddressSet.parse("10.0.1.77"), AddressSet.parse("10.2.1.7")
SSH = Traffic.parse("tcp/22")


def estate(ingress: str, *, unread: tuple[str, ...] = ("interfaces",), egress: str = "10.0.0.0/8") -> Reachability:
    """``eni-db`` in ``vpc-1``, which is peered with the empty ``vpc-2``."""
    builder = EstateBuilder(unread=unread)
    builder.network("vpc-2", "10.2.0.0/16")
    builder.subnet("subnet-2", "10.2.1.0/24", "vpc-2")
    builder.peering("pcx-1", "vpc-2")
    builder.route("rtb-private", "10.2.0.0/16", "peering", "pcx-1")
    builder.route("rtb-2", "10.0.0.0/16", "peering", "pcx-1")
    builder.group("sg-db", allow("ingress", "tcp/22", ingress), allow("egress", "tcp/22", egress))
    builder.group("sg-far")
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.5")
    return Reachability(builder.build())


@pytest.mark.parametrize("ingress", ["10.0.0.0/16", "10.0.1.77/32", "sg-far"])
def test_a_neighbour_that_no_answer_lists_may_get_what_rules_admit(ingress: str) -> None:
    # A participant of a shared network lists its own interfaces alone; the others may carry any group of the network.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
    assert estate(ingress).between(NEIGHBOUR, q("eni-db")) == at_most("tcp/22")
    assert estate(ingress, unread=()).between(NEIGHBOUR, q("eni-db")) == NOTHING


def test_a_neighbour_that_no_answer_lists_gets_nothing_that_no_rule_admits() -> None:
    assert estate("192.168.0.0/16").between(NEIGHBOUR, q("eni-db")) == NOTHING


def test_what_rules_let_out_may_get_to_a_neighbour_that_no_answer_lists() -> None:
    assert estate("10.0.0.0/16").between(q("eni-db"), NEIGHBOUR) == at_most("tcp/22")
    assert estate("10.0.0.0/16", egress="192.168.0.0/16").between(q("eni-db"), NEIGHBOUR) == NOTHING


def test_who_stands_in_a_peer_that_was_not_read_in_full_may_get_what_rules_admit() -> None:
    assert estate("10.2.0.0/16").between(FAR, q("eni-db")) == at_most("tcp/22")
    assert estate("10.2.0.0/16", unread=()).between(FAR, q("eni-db")) == NOTHING


@pytest.mark.parametrize("outside", [NEIGHBOUR, FAR])
def test_the_explanation_says_that_not_every_interface_was_read(outside: AddressSet) -> None:
    network = "vpc-1" if outside is NEIGHBOUR else "vpc-2"
    reach = estate("10.0.0.0/8")
    for source, target in ((outside, q("eni-db")), (q("eni-db"), outside)):
        found = explain(reach, source, target, SSH)
        assert (found.verdict, found.upper) == ("unknown", "tcp/22")
        assert f"not every interface of {network} was read" in found.unknowns
        assert not [note for note in found.notes if "do not account" in note]
