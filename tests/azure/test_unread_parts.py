"""What was not read of one resource leaves that resource open, and nothing beside it."""

from __future__ import annotations

from typing import cast

import pytest

from cloudseg.reach.unread_sides import unread_sides
from tests.azure.agreeing import snapshot_of
from tests.azure.asked import Asked, asked
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_parts import admin_rule
from tests.azure.test_virtual_wan import connected, networks

OPERATION = "effective_security_admin_rules"


def two_networks() -> Raw:
    """``a`` and ``b`` in one network, ``c`` and ``d`` in another, without NSGs."""
    raw = Raw()
    for number, (network, names) in enumerate((("v1", "ab"), ("v2", "cd")), 1):
        raw.vnet(network, f"10.{number}.0.0/16")
        raw.subnet(network, f"s{number}", f"10.{number}.1.0/24")
        for last, name in enumerate(names, 4):
            raw.nic(name, f"s{number}", f"10.{number}.1.{last}")
    return raw


def test_admin_rules_of_one_network_that_were_not_read_open_that_network_alone() -> None:
    raw = two_networks()
    raw.unread(OPERATION, "v2")
    ask = asked(raw)
    assert [ask("a", "b"), ask("c", "d")] == ["surely", "at most"]


@pytest.mark.parametrize(
    "answer", [{"value": "none"}, {"value": [], "nextLink": "https://next"}, {"value": [{"id": 1}]}]
)
def test_so_do_admin_rules_that_were_not_read_in_full(answer: dict[str, object]) -> None:
    raw = two_networks()
    raw.answers[SUBSCRIPTION, "network", OPERATION, raw.ids["v2"]] = answer
    ask = asked(raw)
    assert [ask("a", "b"), ask("c", "d")] == ["surely", "at most"]


def test_an_admin_rule_that_cannot_be_read_may_allow_what_an_nsg_denies() -> None:
    raw = two_networks()
    raw.nsg("closed")
    raw.vnet("v3", "10.3.0.0/16")
    raw.subnet("v3", "s3", "10.3.1.0/24", nsg="closed")
    raw.nic("e", "s3", "10.3.1.4")
    raw.answers[SUBSCRIPTION, "network", OPERATION, raw.ids["v3"]] = {"value": [{"properties": 7}]}
    assert asked(raw)("8.8.8.8", "e") == "no"
    raw.public("pip", "20.50.0.9")
    raw.nic("f", "s3", ("10.3.1.5", "pip"))
    assert asked(raw)("8.8.8.8", "f") == "at most"


def renamed(raw: Raw, name: str) -> Raw:
    """The answers with the id of a resource so long that a snapshot holds a digest of it as a file's name."""
    long = raw.ids[name].replace("/resourceGroups/rg/", f"/resourceGroups/rg-{'x' * 80}/")
    moved = Raw()
    text = {raw.ids[name]: long, raw.ids[name].lower(): long.lower()}

    def change(value: object) -> object:
        if isinstance(value, str):
            for old, new in text.items():
                value = value.replace(old, new)
            return value
        if isinstance(value, dict):
            return {key: change(each) for key, each in cast("dict[str, object]", value).items()}
        return [change(each) for each in cast("list[object]", value)] if isinstance(value, list) else value

    moved.answers = {
        cast("tuple[str, ...]", tuple(map(change, key))): change(value) for key, value in raw.answers.items()
    }
    return moved


def test_admin_rules_of_a_network_with_a_long_id_are_in_force() -> None:
    raw = two_networks()
    raw.admin("v1", admin_rule(10, "Deny"))
    ask = asked(renamed(raw, "v1"))
    assert [ask("a", "b"), ask("c", "d")] == ["no", "surely"]


def test_a_hub_with_a_long_id_is_read() -> None:
    ask = Asked(snapshot_of(renamed(connected(networks()), "h1").answers))
    assert [ask("a", "b"), ask("a", "c")] == ["surely", "no"]


def test_networks_behind_a_peering_that_were_not_read_are_those_of_another_subscription() -> None:
    raw = two_networks()
    raw.peering("v1", "v2")
    raw.unread("virtual_networks", "v2")
    estate = asked(raw).estate
    (told,) = unread_sides(estate)
    assert told.endswith("read its subscription as well")
