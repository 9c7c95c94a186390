"""Recorded answers of Google Cloud are audited without an error, and mean what they state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Addresses, GroupRef
from cloudseg.snapshot import load
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic
from tests.spoiling import NO_SAMPLES, assert_told, recorded

if TYPE_CHECKING:
    from cloudseg.model import Estate, Service

pytestmark = [pytest.mark.samples, pytest.mark.skipif(**NO_SAMPLES)]
_PROJECT = "gcp:cloud-custodian"


def read(recording: str) -> Estate:
    return translate(load(Path(os.environ["CLOUDSEG_SAMPLES"]) / "gcp" / recording))


def services(recording: str) -> list[Service]:
    return [service for _, service in sorted(read(recording).services.items())]


def test_every_recording_is_audited_and_every_gap_has_its_reason() -> None:
    for folder in recorded("gcp"):
        estate = translate(load(folder))
        document = run_audit(estate, AuditRequest())
        assert_told(estate)
        assert not any(gap.reason == "malformed" for gap in estate.gaps), folder.name
        assert document.checks, folder.name


@pytest.mark.parametrize(
    "recording", ["gke-cluster-get", "gke-cluster-query-resourceLabels", "gke-cluster-set-label", "gke-cluster-delete"]
)
def test_recorded_control_planes_are_open_to_everybody(recording: str) -> None:
    assert {(each.public, each.sources) for each in services(recording)} == {(True, ALL_ADDRESSES)}


def test_recorded_sql_instances_without_authorized_networks_admit_nobody() -> None:
    (found,) = services("sqlinstance-start")
    assert (found.public, found.settings["ipv4Enabled"]) == (False, "true")


def test_recorded_caches_of_two_regions_are_closed() -> None:
    found = services("redis-cluster-query")
    assert [(each.region, each.public) for each in found] == [("us-central1", False), ("us-east1", False)]


def test_a_recorded_function_without_a_setting_is_reached_by_everybody() -> None:
    (found,) = services("mu-deploy")
    assert (found.public, found.anonymous, found.region) == (True, None, "us-central1")


@pytest.mark.parametrize("recording", ["bucket-get-resource", "bucket-uniform-bucket-access"])
def test_who_may_use_a_recorded_bucket_was_not_read(recording: str) -> None:
    assert {each.public for each in services(recording)} == {None}


def test_a_recorded_subnet_has_its_secondary_ranges_and_half_of_its_flows() -> None:
    estate = read("subnet-get-resource")
    (subnet,) = estate.subnets.values()
    assert subnet.addresses == AddressSet.from_cidrs(("10.128.0.0/20", "10.0.0.0/20", "10.52.0.0/14"))
    (log,) = estate.flow_logs.values()
    assert (log.target, log.omits) == (subnet.id, "it keeps 50 % of its records (flowSampling)")


def test_a_recorded_rule_admits_one_address_to_a_tag_on_the_union_of_its_ports() -> None:
    (rules,) = (each for each in read("firewall-modify").rule_sets.values() if each.kind == "vpc-firewall-rules")
    (rule,) = rules.rules
    assert rule.traffic == Traffic.parse("tcp/21-25")
    assert rule.remote == (Addresses(AddressSet.parse("1.1.1.1")),)
    assert rule.local == (GroupRef(f"{_PROJECT}:global/networks/default/tags/oldtag"),)


def test_a_recorded_instance_carries_its_tag_and_no_public_address() -> None:
    (found,) = read("instance-effective-firewall").interfaces.values()
    assert (str(found.addresses), bool(found.public)) == ("10.150.0.2", False)
    assert f"{_PROJECT}:global/networks/default/tags/iap-test-webapp" in found.attached


def test_the_route_of_a_recorded_subnet_says_nothing_new() -> None:
    estate = read("route-query")
    assert not estate.route_tables
    assert not estate.gaps
