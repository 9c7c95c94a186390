"""Public endpoints are closed where a private way is there, limited where their clients are known, else left alone."""

from __future__ import annotations

from typing import Any

import pytest

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.intent import Allowance, Intent
from cloudseg.model import EndpointConnection
from cloudseg.model.edits import SetPublicAccess
from cloudseg.remediations.close_public_endpoint import REMEDY
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import NO_ADDRESSES, AddressSet, Traffic
from tests.remediations.judged import Answers, answered, assert_gains_nothing


def edit_of(judged: Answers) -> SetPublicAccess:
    (edit,) = [edit for change in judged.changes for edit in change.edits]
    assert isinstance(edit, SetPublicAccess)
    return edit


def database() -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.10", workload=b.id("orders"))
    b.service(
        "orders", "rds", anonymous=False, network=b.id("vpc-1"), interfaces=frozenset({b.id("eni-1")}),
    )  # fmt: skip
    return b


def office(target: str) -> Intent:
    segments = (
        Segment(name="office", choice=Choice(addresses=AddressSet.parse("198.51.100.0/28"))),
        Segment(name="db", choice=Choice(groups=(target,))),
    )
    return Intent(
        segments=segments, allow=(Allowance(sources=("office",), targets=("db",), traffic=Traffic.parse("tcp/5432")),)
    )


def test_a_database_with_interfaces_in_a_network_is_closed_and_always_reviewed() -> None:
    judged = answered(REMEDY, "public-endpoint", database().build())

    edit = edit_of(judged)
    assert (edit.public, edit.sources) == (False, NO_ADDRESSES)
    assert judged.proposal.safety == "needs review"
    assert judged.after.services[edit.service].public is False
    assert_gains_nothing(judged)


def test_risks_name_trusted_services_build_runners_and_resolvers_on_premises() -> None:
    told = " ".join(answered(REMEDY, "public-endpoint", database().build()).proposal.risks)

    assert "trusted services" in told
    assert "build runners" in told
    assert "on premises" in told


def test_a_database_that_is_used_from_outside_stays_and_shows_by_whom() -> None:
    row = seen("198.51.100.7", "10.0.1.5", 5432, responder_interface="eni-1")
    flows = ExampleConversations([row], logs_of("eni-1"))
    judged = answered(REMEDY, "public-endpoint", database().build(), flows=flows)

    assert judged.proposals == ()
    assert judged.advice.witness == "198.51.100.7 → 10.0.1.5 tcp/5432 was observed"


def test_a_database_that_is_meant_to_be_used_from_outside_stays() -> None:
    judged = answered(REMEDY, "public-endpoint", database().build(), intent=office("sg-db"))

    assert judged.advice.witness == "the intent lets office open tcp/5432 to db"


def test_a_service_without_a_private_way_is_not_cut_off() -> None:
    b = EstateBuilder()
    b.service("logs", "opensearch", anonymous=True)
    judged = answered(REMEDY, "public-endpoint", b.build())

    assert "no private way leads to logs" in judged.advice.reason


def test_a_control_plane_with_a_private_endpoint_is_closed() -> None:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, settings={"endpointPrivateAccess": "true"})
    judged = answered(REMEDY, "public-control-plane", b.build())

    assert edit_of(judged).public is False


def test_a_control_plane_without_one_is_limited_to_the_addresses_that_the_intent_names() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5", "203.0.113.10")
    b.service("shop", "eks", control_plane=True)
    judged = answered(REMEDY, "public-control-plane", b.build(), intent=office("sg-none"))

    assert edit_of(judged).sources == AddressSet.parse("198.51.100.0/28, 203.0.113.10")


def test_a_control_plane_that_admits_no_more_than_these_is_not_limited_again() -> None:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, sources=AddressSet.parse("198.51.100.0/29"))
    judged = answered(REMEDY, "public-control-plane", b.build(), intent=office("sg-none"))

    assert judged.proposals == ()


def test_what_is_declared_public_stays() -> None:
    b = EstateBuilder()
    b.service("website", "s3", anonymous=True, tags={"exposure": "public"})

    assert "is there for the public" in answered(REMEDY, "public-endpoint", b.build()).advice.reason


def test_a_setting_that_was_not_read_is_not_changed() -> None:
    b = EstateBuilder()
    b.service("orders", "rds", public=None)

    assert "was not read" in answered(REMEDY, "public-endpoint", b.build()).advice.reason


@pytest.mark.parametrize(
    "more",
    [
        {"connections": (EndpointConnection(endpoint="pe-theirs", owner="other", state="accepted"),)},
        {},
    ],
)
def test_a_vault_of_azure_is_closed_once_a_private_endpoint_leads_to_it(more: dict[str, Any]) -> None:
    b = AzureBuilder()
    b.service("keyvault", "keys", anonymous=False, **more)
    if not more:
        b.endpoint("pe-1", arm("keyvault", "keys"))

    assert edit_of(answered(REMEDY, "public-endpoint", b.build())).public is False


def test_a_pending_private_endpoint_is_no_private_way() -> None:
    b = AzureBuilder()
    b.service("keyvault", "keys", anonymous=False)
    b.endpoint("pe-1", arm("keyvault", "keys"), usable=False, state="Pending")

    assert "no private way" in answered(REMEDY, "public-endpoint", b.build()).advice.reason


def test_a_bucket_of_google_cloud_is_closed_to_strangers() -> None:
    b = GcpBuilder()
    b.service("gcs", "storage/buckets/exports", anonymous=True)

    assert edit_of(answered(REMEDY, "public-endpoint", b.build())).public is False
