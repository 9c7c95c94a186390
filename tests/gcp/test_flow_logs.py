"""Flow logs of subnets, and the logging of firewall rules.

Sources: https://cloud.google.com/vpc/docs/flow-logs,
https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks and
https://cloud.google.com/firewall/docs/firewall-rules-logging
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.checks.flow_visibility import visibilities
from tests.gcp.agreeing import translated
from tests.gcp.raw import PROJECT, Raw
from tests.gcp.raw_parts import Card, vpc

if TYPE_CHECKING:
    from cloudseg.checks.flow_visibility import Visibility
    from cloudseg.model import Estate

FULL: dict[str, Any] = {"enable": True, "flowSampling": 1, "metadata": "INCLUDE_ALL_METADATA"}
SUBNET = f"gcp:{PROJECT}:regions/us-central1/subnetworks/s"


def cloud(config: dict[str, Any] | None = None, **fields: Any) -> Raw:
    raw = Raw()
    raw.network("n")
    raw.subnet("n", "s", "10.0.0.0/24")
    raw.vm("web", Card("s", "10.0.0.2"))
    subnet = raw.item("s", "subnetworks")
    subnet |= fields
    if config is not None:
        subnet["logConfig"] = config
    return raw


def estate(raw: Raw) -> Estate:
    return translated(raw.answers)


def seen(raw: Raw) -> Visibility:
    (found,) = visibilities(estate(raw))
    return found


def test_a_subnet_that_records_everything_has_a_flow_log_of_what_is_accepted() -> None:
    (found,) = estate(cloud(FULL)).flow_logs.values()
    assert (found.target, found.traffic, found.delivers, found.omits, found.fields) == (
        SUBNET,
        "accepted",
        True,
        "",
        (),
    )


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (None, {}),
        ({}, {}),
        ({"enable": False}, {}),
        ({"enable": False}, {"enableFlowLogs": True}),
        (None, {"enableFlowLogs": False}),
        (FULL, {"purpose": "REGIONAL_MANAGED_PROXY"}),
        (FULL, {"purpose": "GLOBAL_MANAGED_PROXY"}),
        (FULL, {"purpose": "PRIVATE_SERVICE_CONNECT"}),
    ],
)
def test_where_it_is_off_or_cannot_be_there_is_none(config: dict[str, Any] | None, fields: dict[str, Any]) -> None:
    assert not estate(cloud(config, **fields)).flow_logs


def test_the_older_switch_turns_it_on_with_half_of_the_records() -> None:
    (found,) = estate(cloud(enableFlowLogs=True)).flow_logs.values()
    assert found.omits == "it keeps 50 % of its records (flowSampling)"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"flowSampling": 0.25}, "25 %"),
        ({"flowSampling": 0}, "0 %"),
        ({"filterExpr": "inIpRange(connection.src_ip, '10.0.0.0/8')"}, "inIpRange"),
        ({"filterExpr": "true"}, ""),
    ],
)
def test_what_it_leaves_out_is_told(more: dict[str, Any], words: str) -> None:
    (found,) = estate(cloud(FULL | more)).flow_logs.values()
    assert bool(found.omits) == bool(words)
    assert words in found.omits


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"metadata": "EXCLUDE_ALL_METADATA"}, ("base fields alone",)),
        ({"metadata": "CUSTOM_METADATA", "metadataFields": ["src_instance"]}, ("src_instance",)),
    ],
)
def test_the_fields_beside_the_base_are_told(more: dict[str, Any], fields: tuple[str, ...]) -> None:
    (found,) = estate(cloud(FULL | more)).flow_logs.values()
    assert found.fields == fields


def test_a_setting_that_is_none_is_a_gap() -> None:
    found = estate(cloud({"enable": "yes"}))
    assert not found.flow_logs
    assert any(gap.facets == ("flow-logs",) and gap.reason == "malformed" for gap in found.gaps)


def test_a_network_whose_subnets_record_all_that_is_offered_lacks_nothing() -> None:
    assert seen(cloud(FULL)).full is True


def test_a_sampled_flow_log_is_not_everything() -> None:
    found = seen(cloud(FULL | {"flowSampling": 0.5}))
    assert found.full is False
    assert any("50 %" in words for words in found.lacks)
    assert not any("only accepted" in words for words in found.lacks)


def test_subnets_of_proxies_need_none() -> None:
    raw = cloud(FULL)
    raw.subnet("n", "proxies", "10.0.9.0/24")
    raw.item("proxies", "subnetworks")["purpose"] = "REGIONAL_MANAGED_PROXY"
    assert seen(raw).full is True


def test_another_subnet_without_one_is_named() -> None:
    raw = cloud(FULL)
    raw.subnet("n", "other", "10.0.1.0/24")
    raw.vm("db", Card("other", "10.0.1.2"))
    found = seen(raw)
    assert found.full is False
    assert any("1 of 2" in words and "other" in words for words in found.lacks)


def test_rules_that_log_are_no_flow_log_of_their_network() -> None:
    raw = cloud()
    raw.firewall("n", vpc("deny", "all") | {"logConfig": {"enable": True}}, vpc("allow", "tcp:443"))
    found = seen(raw)
    assert not found.recorded
    (log,) = found.logs
    assert (log.kind, log.traffic) == ("firewall-rules-log", "all")
    assert log.omits.startswith("1 of 2 rules log, of TCP and UDP alone")


def test_a_disabled_rule_logs_nothing() -> None:
    raw = cloud()
    raw.firewall("n", vpc("deny", "all", disabled=True) | {"logConfig": {"enable": True}})
    assert not estate(raw).flow_logs
