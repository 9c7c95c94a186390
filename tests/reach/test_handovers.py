"""Which node of a load balancer sends to which target: zones, health, and what stands behind a name or an address."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import ANY_ZONE, Forward, Forwarder, ForwardTarget
from cloudseg.reach.handovers import Handover, Handovers, Refusal
from cloudseg.traffic import AddressSet, Traffic

q = EstateBuilder.id
ALL_READ = frozenset({"eu-west-1a", "eu-west-1b"})


def zoned() -> EstateBuilder:
    """A load balancer with nodes in the zones a and b, and an interface ``eni-c`` in the zone c."""
    b = EstateBuilder()
    for third, zone in enumerate("abc", start=1):
        b.subnet(f"subnet-{zone}", f"10.0.{third}0.0/24", zone=f"eu-west-1{zone}")
        owner = {"workload": q("lb")} if zone != "c" else {}
        own = f"node-{zone}" if zone != "c" else "eni-c"
        b.interface(own, f"subnet-{zone}", [], f"10.0.{third}0.9", **owner)
    return b


def of(
    b: EstateBuilder,
    target: ForwardTarget,
    *,
    crossed: bool | None = True,
    zones: frozenset[str] | None = ALL_READ,
    seen_as: frozenset[str] = frozenset(),
) -> tuple[tuple[Handover, ...], tuple[Refusal, ...]]:
    forward = Forward(
        name="tg", listens=Traffic.parse("tcp/443"), traffic=Traffic.parse("tcp/80"), keeps_client=False,
        cross_zone=crossed, targets=(target,),
    )  # fmt: skip
    forwarder = Forwarder(
        id=q("lb"), kind="load-balancer", region="eu-west-1", accepts=None, zones=zones, forwards=(forward,),
        seen_as=seen_as,
    )  # fmt: skip
    return Handovers(b.build()).of(forwarder)


def nodes(handed: tuple[Handover, ...]) -> list[tuple[str, bool]]:
    """The nodes that may send, and whether each certainly does."""
    return [("" if each.node is None else each.node.own_id, not each.doubts) for each in handed]


def at(subnet: str, address: str = "10.0.10.5") -> EstateBuilder:
    b = zoned()
    b.interface("eni-1", subnet, [], address)
    return b


def move(b: EstateBuilder, own: str, network: str) -> None:
    """Let an interface stand in another network."""
    interface = b.build().interfaces[q(own)]
    b.put("interfaces", msgspec.structs.replace(interface, network=q(network), subnet=None))


HEALTHY = ForwardTarget(target=q("eni-1"), healthy=True)


@pytest.mark.semantics(43)
@pytest.mark.parametrize(
    ("crossed", "sending"),
    [
        (True, [("node-a", True), ("node-b", True)]),
        (False, [("node-a", True)]),
        (None, [("node-a", True), ("node-b", False)]),
    ],
)
def test_a_node_sends_to_other_zones_only_where_zones_are_crossed(
    *, crossed: bool | None, sending: list[tuple[str, bool]]
) -> None:
    handed, _ = of(at("subnet-a"), HEALTHY, crossed=crossed)
    assert nodes(handed) == sending


@pytest.mark.semantics(43)
def test_the_node_that_does_not_cross_zones_is_told_with_the_reason() -> None:
    _, (refused,) = of(at("subnet-a"), HEALTHY, crossed=False)
    assert refused.node is not None
    assert (refused.node.own_id, refused.reason) == (
        "node-b", "the node in eu-west-1b does not send to eu-west-1a: zones are not crossed",
    )  # fmt: skip


@pytest.mark.semantics(43)
@pytest.mark.parametrize("crossed", [True, False, None])
def test_no_node_sends_to_a_zone_that_is_not_enabled(*, crossed: bool | None) -> None:
    handed, refused = of(zoned(), ForwardTarget(target=q("eni-c")), crossed=crossed)
    assert handed == ()
    assert {each.reason for each in refused} == {
        "the zone eu-west-1c of the target is not enabled for the load balancer"
    }


@pytest.mark.semantics(43)
def test_a_target_that_is_healthy_stands_in_an_enabled_zone_whatever_it_is_called() -> None:
    handed, _ = of(zoned(), ForwardTarget(target=q("eni-c"), healthy=True))
    assert nodes(handed) == [("node-a", True), ("node-b", True)]


@pytest.mark.semantics(43)
def test_zones_that_were_not_read_leave_every_node_possible() -> None:
    b = at("subnet-elsewhere")
    handed, _ = of(b, HEALTHY, crossed=False, zones=None)
    assert nodes(handed) == [("node-a", False), ("node-b", False)]


@pytest.mark.semantics(43)
def test_every_node_serves_a_target_of_all_zones() -> None:
    target = ForwardTarget(target=q("eni-1"), zone=ANY_ZONE, healthy=True)
    assert nodes(of(at("subnet-c", "10.0.30.5"), target, crossed=False)[0]) == [("node-a", True), ("node-b", True)]


@pytest.mark.semantics(42)
@pytest.mark.parametrize(("healthy", "certain"), [(True, True), (False, False), (None, False)])
def test_only_a_healthy_target_is_sure_to_be_sent_to(*, healthy: bool | None, certain: bool) -> None:
    handed, _ = of(at("subnet-a"), ForwardTarget(target=q("eni-1"), healthy=healthy), crossed=False)
    assert nodes(handed) == [("node-a", certain)]


@pytest.mark.semantics(44)
def test_of_an_instance_with_several_interfaces_none_is_certain() -> None:
    b = zoned()
    for number in (1, 2):
        b.interface(f"eni-{number}", "subnet-a", [], f"10.0.10.{number}", workload=q("i-1"))
    handed, _ = of(b, ForwardTarget(target=q("i-1"), healthy=True), crossed=False)
    assert [(each.target.own_id, bool(each.doubts)) for each in handed] == [("eni-1", True), ("eni-2", True)]


@pytest.mark.semantics(42)
def test_every_node_of_a_load_balancer_takes_what_it_is_sent_within_its_zone() -> None:
    b = zoned()
    for zone, third in (("a", 1), ("b", 2)):
        b.interface(f"alb-{zone}", f"subnet-{zone}", [], f"10.0.{third}0.77", workload=q("alb"))
    b.put("forwarders", Forwarder(id=q("alb"), kind="application-load-balancer", accepts=None))
    handed, _ = of(b, ForwardTarget(target=q("alb"), healthy=True), crossed=False)
    assert [(each.node and each.node.own_id, each.target.own_id, each.doubts) for each in handed] == [
        ("node-a", "alb-a", ()), ("node-b", "alb-b", ()),
    ]  # fmt: skip


@pytest.mark.semantics(46)
def test_an_address_is_looked_up_in_its_own_network_alone() -> None:
    b = at("subnet-a")
    b.network("vpc-2", "10.0.0.0/16")
    b.interface("eni-twin", "subnet-a", [], "10.0.10.5")
    move(b, "eni-twin", "vpc-2")
    address = AddressSet.parse("10.0.10.5")
    handed, _ = of(b, ForwardTarget(address=address, network=q("vpc-1"), healthy=True), crossed=False)
    assert [(each.target.own_id, each.doubts) for each in handed] == [("eni-1", ())]


@pytest.mark.semantics(46)
def test_an_address_outside_the_network_is_whoever_bears_it_elsewhere_and_uncertain() -> None:
    b = zoned()
    b.network("vpc-2", "10.8.0.0/16")
    b.interface("eni-far", "subnet-far", [], "10.8.0.5")
    move(b, "eni-far", "vpc-2")
    address = AddressSet.parse("10.8.0.5")
    target = ForwardTarget(address=address, network=q("vpc-1"), zone=ANY_ZONE, healthy=True)
    handed, _ = of(b, target)
    assert [(each.target.own_id, each.doubts) for each in handed] == [
        ("eni-far", ("the target stands outside the network, known by its address alone",))
    ] * 2


@pytest.mark.parametrize("address", ["10.0.10.1", "10.0.10.200"])
def test_an_address_among_delegated_ranges_belongs_to_the_one_that_holds_it(address: str) -> None:
    b = zoned()
    b.interface("eni-low", "subnet-a", [], "10.0.10.0/29")
    b.interface("eni-high", "subnet-a", [], "10.0.10.192/28")
    expected = "eni-low" if address == "10.0.10.1" else "eni-high"
    target = ForwardTarget(address=AddressSet.parse(address), network=q("vpc-1"), healthy=True)
    handed, _ = of(b, target, crossed=False)
    assert [each.target.own_id for each in handed] == [expected]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (ForwardTarget(target=q("i-9")), "i-9"),
        (ForwardTarget(address=AddressSet.parse("10.0.10.99"), network=q("vpc-1")), "10.0.10.99"),
    ],
)
def test_a_target_of_which_no_interface_was_read_is_told(target: ForwardTarget, name: str) -> None:
    handed, refused = of(zoned(), target)
    assert handed == ()
    assert [each.reason for each in refused] == [f"no interface of the target {name} was read"]


def test_a_node_does_not_send_to_itself() -> None:
    handed, _ = of(zoned(), ForwardTarget(target=q("lb"), healthy=True))
    assert all(each.node is not each.target for each in handed)


@pytest.mark.semantics(125)
def test_a_service_without_interfaces_of_its_own_sends_from_none() -> None:
    handed, _ = of(at("subnet-c", "10.0.30.5"), HEALTHY, zones=None, seen_as=frozenset({q("pl-1")}))
    assert nodes(handed) == [("", True)]
