"""Whatever JSON stands where networks and their rules should, the translation goes through and says what is missing."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from cloudseg.cli.sources import translate
from cloudseg.snapshot import Manifest, Snapshot, SnapshotGap
from tests.azure.agreeing import snapshot_of
from tests.azure.asked import Asked, asked
from tests.azure.drawn import drawn
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_more import balance, balancer, gateway, outbound_rule
from tests.azure.raw_parts import admin_rule, rule
from tests.azure.shapes import OUTSIDE, one_vnet, public_server
from tests.spoiling import places, put

if TYPE_CHECKING:
    from cloudseg.model import Gap
    from tests.azure.oracle_records import Answers, Json

JUNK: tuple[object, ...] = (None, 7, True, "no/such:thing", "", [], {}, [[None]], {"id": 3}, -1, "10.0.0.0/99")


def rich() -> Raw:
    """An estate with one of everything that is translated here."""
    raw = one_vnet(rule(100, "Allow", "10.1.0.0/16", ports="443"), nic_rules=(rule(100, "Allow", "asg-web"),),
                   routes=(("10.9.0.0/16", "VirtualAppliance", "10.1.2.4"),), asgs={"a": "asg-web"})  # fmt: skip
    raw.admin("v1", admin_rule(10, "Deny", "9.9.9.9", ports="22"))
    raw.subnet("v1", "GatewaySubnet", "10.1.255.0/27")
    gateway(raw, "gw", "GatewaySubnet", ["172.16.8.0/24"])
    for name, address in (("pip-lb", "20.50.0.7"), ("pip-nat", "20.50.0.8"), ("pip-d", "20.50.0.9")):
        raw.public(name, address)
    raw.nat("nat", "pip-nat")
    raw.subnet("v1", "s3", "10.1.3.0/24", nat="nat")
    rules = (balance(80, 8080, snat=False), outbound_rule())
    balancer(raw, "lb", *rules, public="pip-lb", subscription=SUBSCRIPTION)
    raw.nic("d", "s3", ("10.1.3.4", "pip-d"), pools=["lb-pool"])
    raw.vnet("v2", "10.2.0.0/16")
    raw.peering("v1", "v2")
    raw.peering("v2", "v1")
    raw.tags(Storage=["20.60.0.0/16"])
    return raw


def spoiled(answers: Answers, place: tuple[str, ...], path: tuple[str | int, ...], junk: object) -> Answers:
    """The answers with something else in one place."""
    found = {**answers, place: deepcopy(answers[place])}
    put(found, place, path, junk)
    return found


@pytest.mark.parametrize("batch", range(4))
def test_no_spoiled_answer_stops_the_translation(batch: int) -> None:
    random, raw = Random(batch), rich()
    found = [(place, path) for place, answer in raw.answers.items() for path in places(answer)]
    for place, path in random.sample(found, 120):
        answers = spoiled(raw.answers, place, path, random.choice(JUNK))
        assert translate(snapshot_of(answers)).networks is not None


@pytest.mark.parametrize("seed", range(5))
def test_no_spoiled_answer_of_a_drawn_estate_stops_it(seed: int) -> None:
    random, answers = Random(seed), drawn(seed).raw.answers
    found = [(place, path) for place, answer in answers.items() for path in places(answer)]
    for place, path in random.sample(found, 30):
        translate(snapshot_of(spoiled(answers, place, path, random.choice(JUNK))))


def gaps(raw: Raw) -> list[Gap]:
    return [each for each in translate(snapshot_of(raw.answers)).gaps if each.reason == "malformed"]


def properties(raw: Raw, operation: str, index: int = 0) -> Json:
    return cast("Json", raw.listed(SUBSCRIPTION, operation)[index]["properties"])


def first(found: object) -> Json:
    return cast("list[Json]", found)[0]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("priority", "first", "priority"), ("direction", "aside", "direction is"), ("access", "perhaps", "access is"),
        ("protocol", "Sctp", "protocol is"), ("destinationPortRange", "99999", "range of ports"),
        ("sourcePortRange", "http", "port"), ("sourceAddressPrefix", "10.0.0.0/99", "10.0.0.0/99"),
        ("destinationAddressPrefix", "", "names no destination"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_is_a_gap_with_its_list_and_field(key: str, value: str, told: str) -> None:
    raw = rich()
    cast("Json", first(properties(raw, "network_security_groups")["securityRules"])["properties"])[key] = value
    (gap,) = gaps(raw)
    assert (gap.what, told in gap.detail) == ("network.network_security_groups", True)
    assert gap.resource.lower() == cast("str", raw.listed(SUBSCRIPTION, "network_security_groups")[0]["id"]).lower()


@pytest.mark.parametrize(
    ("operation", "key", "inner"),
    [("route_tables", "routes", "addressPrefix"), ("virtual_networks", "subnets", "addressPrefixes")],
)
def test_what_a_resource_lists_and_cannot_be_read_is_a_gap_with_the_resource(
    operation: str, key: str, inner: str
) -> None:  # fmt: skip
    raw = rich()
    cast("Json", first(properties(raw, operation)[key])["properties"])[inner] = {"no": "such thing"}
    (gap,) = gaps(raw)
    assert (gap.what, inner in gap.detail) == (f"network.{operation}", True)
    assert gap.resource.lower() == cast("str", raw.listed(SUBSCRIPTION, operation)[0]["id"]).lower()


@pytest.mark.parametrize("field", ["access", "direction", "priority"])
def test_a_rule_that_cannot_be_read_bounds_the_whole_list(field: str) -> None:
    raw = public_server(rule(100, "Allow"), rule(200, "Deny"))
    cast("Json", first(properties(raw, "network_security_groups")["securityRules"])["properties"])[field] = ["spoiled"]
    assert asked(raw)(OUTSIDE, "a") == "at most"


def test_a_prefix_that_cannot_be_read_may_be_anybody() -> None:
    assert asked(public_server(rule(100, "Allow", "10.0.0.0/99")))(OUTSIDE, "a") == "at most"
    assert asked(public_server(rule(100, "Deny", "10.0.0.0/99"), rule(200, "Allow")))(OUTSIDE, "a") == "at most"


# What was not read.


def test_a_group_that_was_not_read_may_let_pass_and_may_deny() -> None:
    raw = one_vnet(rule(100, "Deny"))
    raw.unread("network_security_groups", "nsg-subnet")
    assert asked(raw)("a", "b") == "at most"
    raw = one_vnet(nic_rules=(rule(100, "Allow"),))
    raw.unread("network_security_groups", "nsg-nic")
    ask = asked(raw)
    assert (ask("a", "b"), ask("b", "168.63.129.16", "udp/53")) == ("at most", "at most")


def test_a_route_table_that_was_not_read_may_lead_anywhere() -> None:
    raw = one_vnet(routes=(("10.9.0.0/16", "None"),))
    raw.unread("route_tables", "rt")
    ask = asked(raw)
    assert [ask("a", each) for each in ("b", OUTSIDE, "10.9.0.1")] == ["at most"] * 3


def test_of_a_peer_that_was_not_read_only_the_own_half_is_known() -> None:
    raw = Raw()
    raw.nsg("nsg")
    for number in (1, 2):
        raw.vnet(f"v{number}", f"10.{number}.0.0/16")
        raw.subnet(f"v{number}", f"s{number}", f"10.{number}.1.0/24", nsg="nsg")
    raw.nic("a", "s1", "10.1.1.4")
    raw.peering("v1", "v2")
    raw.unread("virtual_networks", "v2")
    ask = asked(raw)
    # The default rule lets the peer in; what becomes of packets there nobody knows.
    assert [ask("10.2.1.9", "a"), ask("a", "10.2.1.9"), ask("10.3.1.9", "a")] == ["at most", "at most", "no"]


def without(raw: Raw, *operations: str) -> Asked:
    """The estate where some lists were denied: no answer, and a gap in the manifest."""
    whole = snapshot_of(raw.answers)
    parts = {part: whole.read(part) for part in whole.parts() if part.operation not in operations}
    denied = tuple(
        SnapshotGap("azure", SUBSCRIPTION, "global", "network", operation, None, "denied", "AuthorizationFailed")
        for operation in operations
    )
    manifest = Manifest("2026-01-15T12:00:00Z", "cloudseg", whole.scopes, gaps=denied)
    return Asked(Snapshot.of(parts, manifest))


@pytest.mark.parametrize(
    ("operation", "facet"),
    [
        ("virtual_networks", "networks"), ("network_interfaces", "interfaces"), ("network_security_groups", "groups"),
        ("route_tables", "routes"), ("load_balancers", "load-balancers"), ("nat_gateways", "gateways"),
    ],
)  # fmt: skip
def test_a_list_that_was_denied_is_no_empty_list(operation: str, facet: str) -> None:
    estate = without(rich(), operation).estate
    assert estate.coverage.state(facet, "azure", SUBSCRIPTION, "global") != "read"
    assert any(operation in gap.what for gap in estate.gaps)


@pytest.mark.parametrize("operation", ["network_security_groups", "route_tables"])
def test_what_a_denied_list_may_hold_is_not_known(operation: str) -> None:
    raw = one_vnet(rule(100, "Allow"), routes=(("10.9.0.0/16", "None"),))
    assert without(raw, operation)("a", "b") == "at most"
