"""Managed services of Google Cloud: public, closed, limited, or not known, as their own settings say.

Sources stand at each test's family in ``providers/gcp/translate/services``.
"""

from __future__ import annotations

from typing import Any

import pytest

from cloudseg.checks.service_families import severity_of_service
from cloudseg.findings import Severity
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet
from tests.gcp.served import PROJECT, asset, bindings, estate, only

ALL, NONE = str(ALL_ADDRESSES), str(NO_ADDRESSES)
LIMITED = "203.0.113.0/24"


def seen(answers: dict[str, list[Any]]) -> tuple[bool | None, str]:
    found = only(answers)
    return found.public, str(found.sources)


def sql(ip: dict[str, Any] | None) -> dict[str, list[Any]]:
    settings = {} if ip is None else {"ipConfiguration": ip}
    link = f"https://sqladmin.googleapis.com/sql/v1beta4/projects/{PROJECT}/instances/db"
    return {"sqladmin.instances": [{"name": "db", "selfLink": link, "region": "us-central1", "settings": settings}]}


@pytest.mark.parametrize(
    ("ip", "public", "sources"),
    [
        ({"ipv4Enabled": True, "authorizedNetworks": [{"value": "0.0.0.0/0"}]}, True, "0.0.0.0/0"),
        ({"ipv4Enabled": True, "authorizedNetworks": [{"value": LIMITED}]}, True, LIMITED),
        # Without any network connectors alone come in, whom IAM admits.
        ({"ipv4Enabled": True, "authorizedNetworks": []}, False, NONE),
        ({"ipv4Enabled": True}, False, NONE),
        ({"ipv4Enabled": False, "authorizedNetworks": [{"value": "0.0.0.0/0"}]}, False, NONE),
        ({"privateNetwork": "projects/shop/global/networks/n"}, None, ALL),
        (None, None, ALL),
    ],
)
def test_a_sql_instance_admits_its_authorized_networks_to_its_public_address(
    ip: dict[str, Any] | None, *, public: bool | None, sources: str
) -> None:
    assert seen(sql(ip)) == (public, sources)


def test_a_sql_instance_is_named_by_service_and_place_and_names_its_network() -> None:
    network = f"projects/{PROJECT}/global/networks/n"
    found = only(sql({"ipv4Enabled": False, "privateNetwork": network, "sslMode": "ENCRYPTED_ONLY"}))
    assert found.id == f"gcp:{PROJECT}:sqladmin/instances/db"
    assert (found.service, found.region, found.network) == (
        "cloudsql",
        "us-central1",
        f"gcp:{PROJECT}:global/networks/n",
    )
    assert found.settings == {"ipv4Enabled": "false", "sslMode": "ENCRYPTED_ONLY"}


def test_a_network_that_cannot_be_read_makes_it_unknown_and_a_gap() -> None:
    read = estate(sql({"ipv4Enabled": True, "authorizedNetworks": [{"value": "everywhere"}]}))
    (found,) = read.services.values()
    assert found.public is None
    assert [(gap.reason, gap.facets) for gap in read.gaps] == [("malformed", ("services.cloudsql",))]


def alloy(config: dict[str, Any] | None) -> dict[str, list[Any]]:
    tail = "locations/us-central1/clusters/c/instances/i"
    return {"alloydb.instances": [asset("alloydb", tail, networkConfig=config)]}


@pytest.mark.parametrize(
    ("config", "public", "sources"),
    [
        ({"enablePublicIp": True, "authorizedExternalNetworks": [{"cidrRange": LIMITED}]}, True, LIMITED),
        ({"enablePublicIp": True}, False, NONE),
        ({"enablePublicIp": False, "authorizedExternalNetworks": [{"cidrRange": "0.0.0.0/0"}]}, False, NONE),
        (None, False, NONE),
    ],
)
def test_an_alloydb_instance_has_a_public_address_where_it_is_asked_for(
    config: dict[str, Any] | None, *, public: bool, sources: str
) -> None:
    assert seen(alloy(config)) == (public, sources)
    assert only(alloy(config)).region == "us-central1"


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("redis.instances", {"authorizedNetwork": f"projects/{PROJECT}/global/networks/n"}),
        ("redis.clusters", {"pscConfigs": [{"network": f"projects/{PROJECT}/global/networks/n"}]}),
        ("memcache.instances", {"authorizedNetwork": f"projects/{PROJECT}/global/networks/n"}),
    ],
)
def test_caches_have_addresses_of_their_network_alone(operation: str, fields: dict[str, Any]) -> None:
    service = operation.partition(".")[0]
    found = only({operation: [asset(service, "locations/us-central1/instances/c", **fields)]})
    assert (found.public, found.sources, found.network) == (False, NO_ADDRESSES, f"gcp:{PROJECT}:global/networks/n")


def gke(**fields: Any) -> dict[str, list[Any]]:
    return {"container.clusters": [asset("container", "locations/us-central1/clusters/c", name="c", **fields)]}


def listed(*blocks: str, google: bool | None = False) -> dict[str, Any]:
    found: dict[str, Any] = {"enabled": True, "cidrBlocks": [{"cidrBlock": block} for block in blocks]}
    return found if google is None else found | {"gcpPublicCidrsAccessEnabled": google}


@pytest.mark.parametrize(
    ("fields", "public", "sources"),
    [
        ({}, True, ALL),
        ({"masterAuthorizedNetworksConfig": {}}, True, ALL),
        ({"masterAuthorizedNetworksConfig": listed(LIMITED)}, True, LIMITED),
        ({"masterAuthorizedNetworksConfig": listed()}, False, NONE),
        # Whether machines of every customer are admitted besides is not told.
        ({"masterAuthorizedNetworksConfig": listed(google=None)}, None, ALL),
        ({"masterAuthorizedNetworksConfig": listed(LIMITED, google=None)}, True, LIMITED),
        ({"privateClusterConfig": {"enablePrivateEndpoint": True}}, False, NONE),
        ({"privateClusterConfig": {"enablePrivateEndpoint": False, "enablePrivateNodes": True}}, True, ALL),
        ({"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": False}}}, False, NONE),
        ({"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enablePublicEndpoint": False}}}, False, NONE),
        (
            {
                "privateClusterConfig": {"enablePrivateEndpoint": True},
                "controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enablePublicEndpoint": True}},
            },
            True,
            ALL,
        ),
    ],
)
def test_a_control_plane_is_public_unless_it_is_private_or_lists_networks(
    fields: dict[str, Any], *, public: bool | None, sources: str
) -> None:
    assert seen(gke(**fields)) == (public, sources)


def test_addresses_of_google_cloud_are_those_of_every_customer() -> None:
    found = only(gke(masterAuthorizedNetworksConfig=listed(google=True)))
    assert (found.public, found.any_tenant, found.control_plane) == (True, True, True)


RUN = "locations/us-central1/services/s"
RUN_NAME = f"//run.googleapis.com/projects/{PROJECT}/{RUN}"


@pytest.mark.parametrize(
    ("fields", "public"),
    [
        ({}, True),
        ({"ingress": "INGRESS_TRAFFIC_ALL"}, True),
        ({"ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}, False),
        ({"ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}, None),
        ({"ingress": "INGRESS_TRAFFIC_ALL", "defaultUriDisabled": True}, None),
        ({"ingress": "INGRESS_TRAFFIC_UNSPECIFIED"}, None),
        ({"metadata": {"name": "s", "annotations": {"run.googleapis.com/ingress": "internal"}}}, False),
        ({"metadata": {"annotations": {"run.googleapis.com/ingress": "all"}}}, True),
        ({"metadata": {"annotations": {"run.googleapis.com/default-url-disabled": "true"}}}, None),
    ],
)
def test_the_ingress_of_a_run_service_decides_from_where_it_is_reached(
    fields: dict[str, Any], *, public: bool | None
) -> None:
    assert only({"run.services": [asset("run", RUN, **fields)]}).public is public


@pytest.mark.parametrize(
    ("policies", "fields", "anonymous"),
    [
        ([bindings(RUN_NAME, ("roles/run.invoker", "allUsers"))], {}, True),
        ([bindings(RUN_NAME, ("roles/run.invoker", "allAuthenticatedUsers"))], {}, False),
        ([bindings(RUN_NAME, ("roles/run.viewer", "allUsers"))], {}, False),
        ([bindings(RUN_NAME, ("projects/shop/roles/caller", "allUsers"))], {}, None),
        ([bindings(RUN_NAME, ("roles/run.invoker", "allUsers"), condition=True)], {}, None),
        ([], {}, False),
        ([], {"invokerIamDisabled": True}, True),
        ([{"assetName": RUN_NAME, "bindings": "none"}], {}, None),
        (None, {}, None),
    ],
)
def test_a_run_service_answers_everybody_where_a_policy_says_so(
    policies: list[Any] | None, fields: dict[str, Any], *, anonymous: bool | None
) -> None:
    answers = {"run.services": [asset("run", RUN, **fields)]}
    if policies is not None:
        answers["run.service_iam_policies"] = policies
    assert only(answers).anonymous is anonymous


FUNCTION = f"projects/{PROJECT}/locations/us-central1/functions/f"


@pytest.mark.parametrize(
    ("settings", "public"),
    [
        ("ALLOW_ALL", True),
        ("ALLOW_INTERNAL_ONLY", False),
        ("ALLOW_INTERNAL_AND_GCLB", None),
        ("INGRESS_SETTINGS_UNSPECIFIED", None),
    ],
)
def test_the_ingress_of_a_function_decides_from_where_it_is_reached(settings: str, *, public: bool | None) -> None:
    first = only({"cloudfunctions.functions": [{"name": FUNCTION, "httpsTrigger": {}, "ingressSettings": settings}]})
    second = only({"cloudfunctions.functions": [{"name": FUNCTION, "serviceConfig": {"ingressSettings": settings}}]})
    assert (first.public, second.public) == (public, public)
    assert first.region == "us-central1"


def test_a_function_that_events_call_has_no_end() -> None:
    assert not estate({"cloudfunctions.functions": [{"name": FUNCTION, "eventTrigger": {}}]}).services


@pytest.mark.parametrize(("role", "anonymous"), [("roles/run.invoker", True), ("roles/run.viewer", False)])
def test_functions_of_the_second_generation_are_called_as_services_of_run(role: str, *, anonymous: bool) -> None:
    below = f"projects/{PROJECT}/{RUN}"
    answers = {
        "cloudfunctions.functions": [{"name": FUNCTION, "serviceConfig": {"service": below}}],
        "run.service_iam_policies": [bindings(f"//run.googleapis.com/{below}", (role, "allUsers"))],
    }
    assert only(answers).anonymous is anonymous


UNIFORM = {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "inherited"}
BUCKET = "//storage.googleapis.com/b"
READERS = bindings(BUCKET, ("roles/storage.objectViewer", "allUsers"))


def bucket(policies: list[Any] | None, iam: dict[str, Any] | None = None, **fields: Any) -> dict[str, list[Any]]:
    item = {"assetName": BUCKET, "name": "b", "location": "EU", "iamConfiguration": iam or UNIFORM, **fields}
    return {"storage.buckets": [item]} | ({} if policies is None else {"storage.bucket_iam_policies": policies})


@pytest.mark.parametrize(
    ("policies", "iam", "public"),
    [
        ([READERS], UNIFORM, True),
        ([bindings(BUCKET, ("roles/storage.objectViewer", "allAuthenticatedUsers"))], UNIFORM, True),
        ([READERS], UNIFORM | {"publicAccessPrevention": "enforced"}, False),
        ([bindings("//storage.googleapis.com/other", ("roles/storage.objectViewer", "allUsers"))], UNIFORM, False),
        ([], UNIFORM, False),
        # Objects may have lists of their own.
        ([], {"publicAccessPrevention": "inherited"}, None),
        ([bindings(BUCKET, ("roles/storage.objectViewer", "allUsers"), condition=True)], UNIFORM, None),
        (None, UNIFORM, None),
        # Of what else cannot be read it is not known whom it is about.
        ([{"assetName": 5}], UNIFORM, None),
    ],
)
def test_a_bucket_is_public_where_a_policy_names_everybody(
    policies: list[Any] | None, iam: dict[str, Any], *, public: bool | None
) -> None:
    assert only(bucket(policies, iam)).public is public


@pytest.mark.parametrize(
    ("iam", "entity", "public", "anonymous"),
    [
        ({"bucketPolicyOnly": {"enabled": False}}, "allUsers", True, True),
        ({}, "allAuthenticatedUsers", True, False),
        ({"bucketPolicyOnly": {"enabled": True}}, "allUsers", False, False),
        (UNIFORM, "allUsers", False, False),
        ({"bucketPolicyOnly": {"enabled": False}}, "project-owners-1", None, False),
    ],
)
def test_the_list_of_a_bucket_counts_unless_access_is_uniform(
    iam: dict[str, Any], entity: str, *, public: bool | None, anonymous: bool
) -> None:
    found = only(bucket([], {"publicAccessPrevention": "inherited"} | iam, acl=[{"entity": entity, "role": "READER"}]))
    assert (found.public, found.anonymous) == (public, anonymous)


def test_a_bucket_for_every_account_asks_callers_who_they_are() -> None:
    found = only(bucket([bindings(BUCKET, ("roles/storage.objectViewer", "allAuthenticatedUsers"))]))
    assert (found.anonymous, only(bucket([READERS])).anonymous, found.region) == (False, True, "eu")


@pytest.mark.parametrize(("mode", "sources"), [("Enabled", LIMITED), ("Disabled", ALL)])
def test_the_filter_of_a_bucket_limits_addresses_where_it_is_on(mode: str, sources: str) -> None:
    ranges = {"mode": mode, "publicNetworkSource": {"allowedIpCidrRanges": [LIMITED]}}
    assert seen(bucket([READERS], ipFilter=ranges)) == (True, sources)


def test_a_filter_without_ranges_admits_nobody_from_the_internet() -> None:
    assert seen(bucket([READERS], ipFilter={"mode": "Enabled"})) == (False, NONE)


DATASET = {"datasetReference": {"projectId": PROJECT, "datasetId": "d"}, "location": "US"}
DATASET_NAME = f"//bigquery.googleapis.com/projects/{PROJECT}/datasets/d"


@pytest.mark.parametrize(
    ("access", "policies", "public", "anonymous"),
    [
        ([{"role": "READER", "specialGroup": "allAuthenticatedUsers"}], None, True, False),
        ([{"role": "READER", "iamMember": "allUsers"}], None, True, True),
        ([{"role": "OWNER", "specialGroup": "projectOwners"}], None, False, False),
        ([], [bindings(DATASET_NAME, ("roles/bigquery.dataViewer", "allUsers"))], True, True),
        (None, [], False, False),
        (None, None, None, None),
    ],
)
def test_a_dataset_is_public_where_a_list_or_a_policy_names_everybody(
    access: list[Any] | None, policies: list[Any] | None, *, public: bool | None, anonymous: bool | None
) -> None:
    answers: dict[str, list[Any]] = {"bigquery.datasets": [DATASET | ({} if access is None else {"access": access})]}
    if policies is not None:
        answers["bigquery.dataset_iam_policies"] = policies
    found = only(answers)
    assert (found.public, found.anonymous) == (public, anonymous)


def test_datasets_without_a_reference_are_told_apart_by_their_assets_names() -> None:
    names = [DATASET_NAME, f"{DATASET_NAME}2"]
    found = estate({"bigquery.datasets": [{"assetName": each, "access": []} for each in names]}).services

    assert sorted(found) == [f"gcp:{PROJECT}:bigquery/datasets/d", f"gcp:{PROJECT}:bigquery/datasets/d2"]


@pytest.mark.parametrize(
    ("operation", "facet"),
    [
        ("sqladmin.instances", "services.cloudsql"),
        ("alloydb.instances", "services.alloydb"),
        ("redis.instances", "services.memorystore"),
        ("container.clusters", "services.gke"),
        ("run.services", "services.run"),
        ("cloudfunctions.functions", "services.functions"),
        ("storage.buckets", "services.gcs"),
        ("bigquery.datasets", "services.bigquery"),
    ],
)
def test_what_is_malformed_is_a_gap_of_its_family_and_stands_in_nobodys_way(operation: str, facet: str) -> None:
    good: dict[str, Any] = {"name": FUNCTION, "httpsTrigger": {}}
    read = estate({operation: [{"name": ["odd"]}, good]})
    assert len(read.services) == 1
    assert facet in {each for gap in read.gaps for each in gap.facets if gap.reason == "malformed"}
    assert read.coverage.state(facet, "gcp", PROJECT, "global") == "partly"


def test_ranges_of_both_families_are_kept() -> None:
    found = only(sql({"ipv4Enabled": True, "authorizedNetworks": [{"value": LIMITED}, {"value": "2001:db8::/32"}]}))
    assert found.sources == AddressSet.from_cidrs((LIMITED, "2001:db8::/32"))


@pytest.mark.parametrize(
    ("role", "member", "any_account"),
    [
        ("roles/run.invoker", "allAuthenticatedUsers", True),
        ("projects/shop/roles/caller", "allAuthenticatedUsers", True),
        ("roles/run.viewer", "allAuthenticatedUsers", False),
        # Who need not show anything shows no account.
        ("roles/run.invoker", "allUsers", False),
    ],
)
def test_any_account_may_call_a_run_service_where_a_policy_says_so(
    role: str, member: str, *, any_account: bool
) -> None:
    """https://cloud.google.com/iam/docs/principals-overview: whoever has logged in with any Google account."""
    found = only(
        {"run.services": [asset("run", RUN)], "run.service_iam_policies": [bindings(RUN_NAME, (role, member))]}
    )
    assert found.any_account is any_account
    assert f"{member} has {role}" in found.reason


def test_a_service_that_any_account_may_call_is_as_public_as_one_that_asks_nobody() -> None:
    policy = [bindings(RUN_NAME, ("roles/run.invoker", "allAuthenticatedUsers"))]
    found = only({"run.services": [asset("run", RUN)], "run.service_iam_policies": policy})
    assert severity_of_service(found) is Severity.MEDIUM
    closed = only({"run.services": [asset("run", RUN)], "run.service_iam_policies": []})
    assert severity_of_service(closed) is Severity.INFO


def test_a_condition_of_somebody_elses_binding_says_nothing_of_everybody() -> None:
    everybody = {"role": "roles/storage.objectViewer", "members": ["allUsers"], "condition": {"expression": "x"}}
    other = {"role": "roles/storage.admin", "members": ["user:a@example.com"]}
    policy = {"assetName": "//storage.googleapis.com/b", "bindings": [everybody, other]}
    assert only(bucket([policy])).public is None


@pytest.mark.parametrize(
    "closed",
    [
        {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": False}}},
        {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enablePublicEndpoint": False}}},
    ],
)
@pytest.mark.parametrize("external", [True, False])
def test_a_control_plane_is_called_by_its_name_from_everywhere_where_that_is_on(
    closed: dict[str, Any], *, external: bool
) -> None:
    """https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation: IAM alone judges its DNS endpoint."""
    ends = {**closed["controlPlaneEndpointsConfig"], "dnsEndpointConfig": {"allowExternalTraffic": external}}
    cluster = {"name": "c", "location": "us-central1", "controlPlaneEndpointsConfig": ends}
    found = only({"container.clusters": [cluster]})
    assert found.public is external
    assert ("allowExternalTraffic is true" in found.reason) is external


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"template": {"vpcAccess": {"networkInterfaces": [{"subnetwork": "app"}]}}}, True),
        (
            {"spec": {"template": {"metadata": {"annotations": {"run.googleapis.com/network-interfaces": "[{}]"}}}}},
            True,
        ),
        ({"template": {"vpcAccess": {"connector": "c"}}}, False),
        ({}, False),
    ],
)
def test_a_run_service_that_stands_in_a_network_is_noted(fields: dict[str, Any], *, told: bool) -> None:
    """https://cloud.google.com/run/docs/configuring/vpc-direct-vpc"""
    notes = estate({"run.services": [asset("run", RUN, **fields)]}).notes
    assert any("Direct VPC egress" in note for note in notes) is told
