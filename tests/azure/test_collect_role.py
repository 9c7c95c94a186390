"""The table of what is asked of Azure and the Terraform module of the audit role, held against the calls made."""

import json
import re
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import pytest
from azure.mgmt.network import NetworkManagementClient

from cloudseg.providers.azure.operations import (
    DISCOVERY,
    GROUP_ACTION,
    OPERATIONS,
    Get,
    Graph,
    Method,
    Operation,
    actions,
)
from tests.azure.arm_server import LOGIN, Asked, Azure
from tests.azure.live import SHOP, read

MODULE = Path(__file__).parents[2] / "terraform" / "modules" / "azure-audit-role"
IDS = [f"{operation.service}.{operation.name}-{index}" for index, operation in enumerate(OPERATIONS)]
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)

# Single servers are retired, and their actions with them: Azure refuses a role that names an action it does not have.
RETIRED_TYPES = {f"microsoft.dbfor{kind}/servers/read" for kind in ("mysql", "postgresql")}
RETIRED = {f"microsoft.dbfor{kind}/servers/firewallrules/read" for kind in ("mysql", "postgresql")}


def text(name: str) -> str:
    return (MODULE / name).read_text()


def action_of(asked: Asked) -> str:
    """The action that Azure checks for a request: the type in its path and ``read``, or what a POST is to do.

    Source: https://learn.microsoft.com/azure/role-based-access-control/role-definitions#actions-format
    """
    if asked.path == "/subscriptions":
        return "microsoft.resources/subscriptions/read"
    namespace, *rest = asked.path.rpartition("/providers/")[2].split("/")
    kinds = rest[::2]
    if asked.method == "POST" and namespace != "microsoft.resourcegraph":
        return f"{namespace}/{'/'.join(kinds)}/action"
    return f"{namespace}/{'/'.join(kinds)}/read"


def test_the_calls_made_take_the_actions_of_the_table_and_no_other(azure: Azure) -> None:
    snapshot = read()
    called = {action_of(asked) for asked in azure.asked if asked.path != LOGIN}
    assert snapshot.gaps == ()
    by_query = {operation.action.lower() for operation in OPERATIONS if isinstance(operation.asked, Graph)}
    assert called - RETIRED == {action.lower() for action in actions()} - by_query
    assert called >= RETIRED


def test_the_types_that_are_queried_are_those_whose_actions_are_asked_for(azure: Azure) -> None:
    read()
    queried = {kind for asked in azure.asked for kind in re.findall(r"'([^']+)'", asked.body.get("query", ""))}
    by_query = {operation.action.lower() for operation in OPERATIONS if isinstance(operation.asked, Graph)}
    assert {f"{kind}/read" for kind in queried} - RETIRED_TYPES == by_query - {""}


def test_every_answer_lies_under_a_name_of_the_table(azure: Azure) -> None:
    assert {(part.service, part.operation) for part in read().parts()} == {operation.key for operation in OPERATIONS}


def test_members_of_a_management_group_take_one_action_more(azure: Azure) -> None:
    azure.groups["mg-1"] = [{"type": "Microsoft.Management/managementGroups/subscriptions", "name": SHOP}]
    read(subscriptions=(), management_groups=("mg-1",))
    (asked,) = (asked for asked in azure.asked if asked.path.endswith("/descendants"))
    assert action_of(asked) == GROUP_ACTION.lower()
    assert f'["{GROUP_ACTION}"]' in text("main.tf")


@every_operation
def test_a_method_is_one_of_the_network_client_and_lists(operation: Operation) -> None:
    if not isinstance(operation.asked, Method):
        return
    client = NetworkManagementClient(cast("Any", object()), "subscription")
    assert callable(attrgetter(operation.asked.path)(client))
    assert re.search(r"(^|[._])list(_|$)", operation.asked.path)


@every_operation
def test_only_reading_is_asked(operation: Operation) -> None:
    assert re.search(r"/read$|/list[A-Z]\w+/action$|^$", operation.action)


@every_operation
def test_what_follows_from_an_answer_names_an_operation_that_is_asked(operation: Operation) -> None:
    if operation.per is None:
        assert not isinstance(operation.asked, Get)
        return
    assert operation.per.of in {other.key for other in OPERATIONS}
    assert not isinstance(operation.asked, Graph)


@every_operation
def test_a_type_of_resource_graph_is_that_of_its_action(operation: Operation) -> None:
    if isinstance(operation.asked, Graph):
        action = f"{operation.asked.type}/read"
        assert operation.action.lower() == ("" if action in RETIRED_TYPES else action)


def test_the_role_may_do_what_the_collector_does_and_nothing_else() -> None:
    assert json.loads(text("actions.json")) == actions()
    assert 'jsondecode(file("${path.module}/actions.json"))' in text("main.tf")
    assert set(DISCOVERY) < set(actions())
    assert not any("*" in action for action in actions())
    assert all(actions())


@pytest.mark.parametrize(("file", "kind"), [("variables.tf", "variable"), ("outputs.tf", "output")])
def test_the_readme_lists_every_input_and_output(file: str, kind: str) -> None:
    inputs, _, outputs = text("README.md").partition("## Inputs")[2].partition("## Outputs")
    listed = re.findall(r"^\| `(\w+)` \|", inputs if kind == "variable" else outputs, re.MULTILINE)
    assert sorted(listed) == sorted(re.findall(rf'^{kind} "(\w+)"', text(file), re.MULTILINE))
