"""Service perimeters: what of a project's services they guard for sure.

Sources: https://cloud.google.com/vpc-service-controls/docs/service-perimeters,
https://cloud.google.com/vpc-service-controls/docs/ingress-egress-rules and
https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.servicePerimeters
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet
from tests.gcp.served import NUMBER, PROJECT, asset, bindings, estate

if TYPE_CHECKING:
    from cloudseg.model import Service

BUCKET = "//storage.googleapis.com/b"
LEVEL = "accessPolicies/1/accessLevels/office"
OFFICE = AddressSet.parse("203.0.113.0/24")
PROJECTS = [{"name": PROJECT, "id": NUMBER}]
STORAGE = "storage.googleapis.com"


def perimeter(status: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    whole = {"resources": [f"projects/{NUMBER}"], "restrictedServices": [STORAGE]}
    item = {"name": "accessPolicies/1/servicePerimeters/data", "title": "data", **fields}
    return item if status is None else item | {"status": whole | status}


def level(*conditions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": LEVEL, "basic": {"conditions": list(conditions), **fields}}


def ingress(
    kind: str, *sources: dict[str, str], service: str = STORAGE, resource: str = "*", **more: Any
) -> dict[str, Any]:
    to = {"operations": [{"serviceName": service}], "resources": [resource]}
    return {"ingressFrom": {"identityType": kind, "sources": list(sources), **more}, "ingressTo": to}


def bucket(
    *perimeters: Any,
    levels: tuple[Any, ...] = (),
    projects: list[Any] | None = None,
    more: dict[str, list[Any]] | None = None,
) -> Service:
    """A bucket that everybody may read, in a project with these perimeters."""
    answers: dict[str, list[Any]] = {
        "compute.projects": PROJECTS if projects is None else projects,
        "storage.buckets": [
            {"assetName": BUCKET, "name": "b", "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
        ],
        "storage.bucket_iam_policies": [bindings(BUCKET, ("roles/storage.objectViewer", "allUsers"))],
        "accesscontextmanager.service_perimeters": list(perimeters),
        "accesscontextmanager.access_levels": list(levels),
    } | (more or {})
    return estate(answers).services[f"gcp:{PROJECT}:storage/buckets/b"]


def seen(found: Service) -> tuple[bool | None, AddressSet, bool | None]:
    return found.public, found.sources, found.anonymous


OPEN = (True, ALL_ADDRESSES, True)
SHUT = (False, NO_ADDRESSES, True)


def test_a_perimeter_shuts_out_everybody_whatever_a_policy_says() -> None:
    found = bucket(perimeter({}))
    assert seen(found) == SHUT
    assert "the service perimeter data admits nobody from the internet" in found.reason
    assert found.settings["servicePerimeter"] == "data"


def test_without_one_a_bucket_is_as_public_as_it_says() -> None:
    assert seen(bucket()) == OPEN


@pytest.mark.parametrize(
    "other",
    [
        perimeter(None),
        perimeter(None, spec={"resources": [f"projects/{NUMBER}"], "restrictedServices": [STORAGE]}),
        perimeter({"restrictedServices": []}),
        perimeter({"restrictedServices": ["bigquery.googleapis.com"]}),
        perimeter({"resources": ["projects/999"]}),
        perimeter({"resources": [f"//compute.googleapis.com/projects/{PROJECT}/global/networks/n"]}),
        perimeter({}, perimeterType="PERIMETER_TYPE_BRIDGE"),
        perimeter({"resources": "all"}),
    ],
)
def test_a_perimeter_that_does_not_guard_it_changes_nothing(other: dict[str, Any]) -> None:
    assert seen(bucket(other)) == OPEN


def test_a_project_whose_number_was_not_read_is_in_no_perimeter_for_sure() -> None:
    assert seen(bucket(perimeter({}), projects=[])) == OPEN


def test_the_number_of_a_project_without_compute_is_told_by_the_inventory() -> None:
    inventory = [{"name": f"projects/{NUMBER}", "projectId": PROJECT, "projectNumber": NUMBER}]
    found = bucket(perimeter({}), projects=[], more={"cloudresourcemanager.projects": inventory})
    assert seen(found) == SHUT


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((level({"ipSubnetworks": [str(OFFICE)]}),), (True, OFFICE, True)),
        ((level({"ipSubnetworks": [str(OFFICE)], "members": ["user:a@example.com"]}),), (None, OFFICE, True)),
        ((level({"ipSubnetworks": [str(OFFICE)], "negate": True}),), (None, ALL_ADDRESSES, True)),
        ((level({"regions": ["CH"]}),), (None, ALL_ADDRESSES, True)),
        (
            (level({"ipSubnetworks": ["203.0.0.0/16"]}, {"ipSubnetworks": [str(OFFICE)]}),),
            (True, OFFICE, True),
        ),
        (
            (
                level(
                    {"ipSubnetworks": ["203.0.113.0/25"]},
                    {"ipSubnetworks": ["203.0.113.128/25"]},
                    combiningFunction="OR",
                ),
            ),
            (True, OFFICE, True),
        ),
        (({"name": LEVEL, "custom": {"expr": {"expression": "true"}}},), (None, ALL_ADDRESSES, True)),
        ((level({"ipSubnetworks": ["nowhere"]}),), (None, ALL_ADDRESSES, True)),
        ((), (None, ALL_ADDRESSES, True)),
    ],
)
def test_an_access_level_admits_whom_its_conditions_do(
    levels: tuple[Any, ...], expected: tuple[bool | None, AddressSet, bool | None]
) -> None:
    assert seen(bucket(perimeter({"accessLevels": [LEVEL]}), levels=levels)) == expected


EVERYWHERE = {"accessLevel": "*"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ingress("ANY_IDENTITY", EVERYWHERE), (True, ALL_ADDRESSES, True)),
        (ingress("ANY_IDENTITY", EVERYWHERE, service="*", resource=f"projects/{NUMBER}"), (True, ALL_ADDRESSES, True)),
        (ingress("ANY_USER_ACCOUNT", EVERYWHERE), (True, ALL_ADDRESSES, False)),
        (ingress("ANY_IDENTITY", {"accessLevel": LEVEL}), (True, OFFICE, True)),
        (ingress("ANY_IDENTITY"), (None, ALL_ADDRESSES, True)),
        (ingress("ANY_IDENTITY", {"resource": "projects/999"}), SHUT),
        (ingress("ANY_IDENTITY", EVERYWHERE, service="bigquery.googleapis.com"), SHUT),
        (ingress("ANY_IDENTITY", EVERYWHERE, resource="projects/999"), SHUT),
        (ingress("", EVERYWHERE, identities=["user:a@example.com"]), SHUT),
    ],
)
def test_a_rule_for_what_comes_in_admits_whom_it_names(
    rule: dict[str, Any], expected: tuple[bool | None, AddressSet, bool | None]
) -> None:
    office = level({"ipSubnetworks": [str(OFFICE)]})
    assert seen(bucket(perimeter({"ingressPolicies": [rule]}), levels=(office,))) == expected


def test_a_perimeter_does_not_open_what_is_closed() -> None:
    shut: dict[str, list[Any]] = {
        "storage.buckets": [
            {"assetName": BUCKET, "name": "b", "iamConfiguration": {"publicAccessPrevention": "enforced"}}
        ]
    }
    rule = ingress("ANY_IDENTITY", EVERYWHERE)
    found = bucket(perimeter({"ingressPolicies": [rule]}), more=shut)
    assert (found.public, found.sources) == (False, NO_ADDRESSES)


def test_what_has_an_address_of_its_own_is_reached_by_it_all_the_same() -> None:
    """A perimeter guards the API by which instances are administered, and not their public addresses."""
    status = {"restrictedServices": ["sqladmin.googleapis.com", "run.googleapis.com", "container.googleapis.com"]}
    found = estate(
        {
            "compute.projects": PROJECTS,
            "container.clusters": [asset("container", "locations/l/clusters/c", name="c")],
            "run.services": [asset("run", "locations/l/services/s")],
            "accesscontextmanager.service_perimeters": [perimeter(status)],
        }
    )
    assert {each.public for each in found.services.values()} == {True}


def test_a_perimeter_that_cannot_be_read_is_a_gap_and_guards_nothing() -> None:
    read = estate(
        {
            "compute.projects": PROJECTS,
            "storage.buckets": [{"assetName": BUCKET, "name": "b"}],
            "accesscontextmanager.service_perimeters": [perimeter({"restrictedServices": STORAGE})],
        }
    )
    assert ("malformed", ("services.gcs",)) in {(gap.reason, gap.facets) for gap in read.gaps}


def test_that_no_perimeter_was_read_leaves_nothing_open() -> None:
    """Without an organisation nobody can be asked about perimeters."""
    held: dict[str, list[Any]] = {
        "compute.projects": PROJECTS,
        "storage.buckets": [],
        "storage.bucket_iam_policies": [],
        "compute.forwarding_rules": [],
    }
    read = estate(held).coverage
    assert read.state("services.gcs", "gcp", PROJECT, "global") == "read"
    assert read.state("entrances", "gcp", PROJECT, "global") == "read"
