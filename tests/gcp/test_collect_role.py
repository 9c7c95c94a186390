"""The table of what is asked of Google Cloud and the Terraform module of the role, held against the calls made."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from cloudseg.model import FACETS_OF
from cloudseg.providers.gcp.operations import (
    ACCESS_PERMISSION,
    GATE,
    OPERATIONS,
    WITNESS,
    Assets,
    Method,
    Operation,
    children_of,
    permissions,
    roots,
)
from tests.gcp.gcp_api import LOGIN, Asked, Google
from tests.gcp.live import SHOP, link, project_asset, read, resource

MODULE = Path(__file__).parents[2] / "terraform" / "modules" / "gcp-audit-role"
ORGANIZATION = "organizations/9"
CONTENTS: Final = {
    "1": "cloudasset.assets.listResource",
    "2": "cloudasset.assets.listIamPolicy",
    "5": ACCESS_PERMISSION,
}
# What each call takes, as its own page below https://cloud.google.com/compute/docs/reference/rest/v1 says; an
# aggregated list shows what each kind of place has a permission of its own for.
AGGREGATED: Final = {
    "addresses": {"compute.addresses.list", "compute.globalAddresses.list"},
    "backendServices": {"compute.backendServices.list", "compute.regionBackendServices.list"},
    "firewallPolicies": {"compute.firewallPolicies.list", "compute.regionFirewallPolicies.list"},
    "forwardingRules": {"compute.forwardingRules.list", "compute.globalForwardingRules.list"},
    "networkEndpointGroups": {
        "compute.globalNetworkEndpointGroups.list",
        "compute.networkEndpointGroups.list",
        "compute.regionNetworkEndpointGroups.list",
    },
    "securityPolicies": {"compute.regionSecurityPolicies.list", "compute.securityPolicies.list"},
    "targetHttpProxies": {"compute.regionTargetHttpProxies.list", "compute.targetHttpProxies.list"},
    "targetHttpsProxies": {"compute.regionTargetHttpsProxies.list", "compute.targetHttpsProxies.list"},
    "targetTcpProxies": {"compute.regionTargetTcpProxies.list", "compute.targetTcpProxies.list"},
    "urlMaps": {"compute.regionUrlMaps.list", "compute.urlMaps.list"},
}
SINGLE: Final = {
    r"/projects/[^/]+(/getXpnHost)?": "compute.projects.get",
    r".*/networks/[^/]+/getEffectiveFirewalls": "compute.networks.getEffectiveFirewalls",
    r".*/regions/[^/]+/firewallPolicies/getEffectiveFirewalls": "compute.networks.getRegionEffectiveFirewalls",
    r".*/routers/[^/]+/getRouterStatus": "compute.routers.get",
    r".*/listPeeringRoutes": "compute.networks.listPeeringRoutes",
    r".*/listInstances": "compute.instanceGroups.list",
    r".*/zones/.*/listNetworkEndpoints": "compute.networkEndpointGroups.get",
    r".*/regions/.*/listNetworkEndpoints": "compute.regionNetworkEndpointGroups.get",
    r".*/global/.*/listNetworkEndpoints": "compute.globalNetworkEndpointGroups.get",
    r".*/global/.*/getHealth": "compute.backendServices.get",
    r".*/regions/.*/getHealth": "compute.regionBackendServices.get",
}


def text(name: str) -> str:
    return (MODULE / name).read_text()


def permissions_of(asked: Asked) -> set[str]:
    """The permissions that Google checks for a request."""
    if asked.path.endswith("/assets"):
        return {CONTENTS[asked.query["contentType"]]}
    for pattern, permission in SINGLE.items():
        if re.fullmatch(pattern, asked.path):
            return {permission}
    *_, place, kind = asked.path.split("/")
    return AGGREGATED.get(kind, {f"compute.{kind}.list"}) if place == "aggregated" else {f"compute.{kind}.list"}


@pytest.fixture
def whole(google: Google) -> Google:
    """A project of an organisation with what every question is about, in each kind of place."""
    backends = google.lists[f"{SHOP}/backendServices"]
    for place in ("regions/us-east1", "global"):
        group = resource(place, "networkEndpointGroups", "outside", networkEndpointType="INTERNET_IP_PORT")
        google.add(SHOP, "networkEndpointGroups", group)
        backends[0]["backends"].append({"group": group["selfLink"]})
    inside = resource("regions/us-east1", "forwardingRules", "inside", backendService=backends[1]["selfLink"])
    google.add(SHOP, "forwardingRules", inside)
    google.add(SHOP, "targetTcpProxies", resource("global", "targetTcpProxies", "p", service=link("global", "x", "y")))
    google.add(SHOP, "routers", resource("regions/us-east1", "routers", "r", bgpPeers=[{"name": "peer"}]))
    google.assets[ORGANIZATION] = [project_asset(SHOP, (ORGANIZATION,))]
    return google


def test_the_calls_made_take_the_permissions_of_the_table_and_no_other(whole: Google) -> None:
    assert read().gaps == ()
    called = set[str]().union(*(permissions_of(asked) for asked in whole.asked if asked.path != LOGIN))
    assert called == set(permissions())


def test_an_organisation_takes_one_permission_more(whole: Google) -> None:
    assert read(projects=(), organizations=("9",)).gaps == ()
    called = set[str]().union(*(permissions_of(asked) for asked in whole.asked if asked.path != LOGIN))
    assert called == {*permissions(), ACCESS_PERMISSION}
    assert f'["{ACCESS_PERMISSION}"]' in text("main.tf")


def test_every_answer_lies_under_a_name_of_the_table(whole: Google) -> None:
    found = {(part.service, part.operation) for part in read(projects=(), organizations=("9",)).parts()}
    assert found == {operation.key for operation in OPERATIONS}


def test_the_types_that_are_asked_for_are_those_of_the_table(google: Google) -> None:
    read()
    asked = {kind for each in google.asked for kind in each.types}
    tabled = {kind for each in OPERATIONS if isinstance(each.asked, Assets) for kind in each.asked.types if "/" in kind}
    assert asked == tabled | set(WITNESS.types)


IDS = [f"{operation.service}.{operation.name}" for operation in OPERATIONS]
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)


@every_operation
def test_a_method_is_one_of_its_client_and_only_reads(operation: Operation) -> None:
    if isinstance(operation.asked, Method):
        client = getattr(import_module("google.cloud.compute_v1"), f"{operation.asked.client}Client")
        assert callable(getattr(client, operation.asked.method))
        assert re.match(r"get|list|aggregated_list", operation.asked.method)


@every_operation
def test_a_permission_only_reads(operation: Operation) -> None:
    assert operation.permissions
    assert all(re.search(r"\.(get|list)\w*$", permission) for permission in operation.permissions)


@every_operation
def test_an_answer_is_about_a_part_of_the_estate_that_google_cloud_has(operation: Operation) -> None:
    assert operation.facets
    assert set(operation.facets) <= FACETS_OF["gcp"]


@every_operation
def test_what_follows_from_answers_names_operations_that_need_no_other(operation: Operation) -> None:
    first = {GATE.key, *(root.key for root in roots())}
    if operation.per is not None:
        assert set(operation.per.of) <= first
        assert all(operation in children_of(key) for key in operation.per.of)


def test_no_two_operations_have_one_name() -> None:
    assert len({operation.key for operation in OPERATIONS}) == len(OPERATIONS)


def test_the_role_may_do_what_the_collector_does_and_nothing_else() -> None:
    assert json.loads(text("permissions.json")) == permissions()
    assert 'jsondecode(file("${path.module}/permissions.json"))' in text("main.tf")


@pytest.mark.parametrize(("file", "kind"), [("variables.tf", "variable"), ("outputs.tf", "output")])
def test_the_readme_lists_every_input_and_output(file: str, kind: str) -> None:
    inputs, _, outputs = text("README.md").partition("## Inputs")[2].partition("## Outputs")
    listed = re.findall(r"^\| `(\w+)` \|", inputs if kind == "variable" else outputs, re.MULTILINE)
    assert sorted(listed) == sorted(re.findall(rf'^{kind} "(\w+)"', text(file), re.MULTILINE))
