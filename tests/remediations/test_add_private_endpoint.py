"""Private endpoints are added where it is clear where they belong; their group opens nothing."""

from __future__ import annotations

import msgspec
import pytest

from cloudseg.checks import CHECKS, missing_private_endpoint
from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_azure_services import bare_vault, waiting_vault
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.model import Endpoint, GroupRef
from cloudseg.model.edits import AddEndpoint
from cloudseg.remediations.add_private_endpoint import REMEDY
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.interface import Advice
from tests.remediations.judged import Answers, answered, assert_gains_nothing


def added(judged: Answers) -> list[Endpoint]:
    return [edit.endpoint for change in judged.changes for edit in change.edits if isinstance(edit, AddEndpoint)]


def workload(egress: str = "0.0.0.0/0") -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/443", egress))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b


def test_gateway_endpoints_go_to_the_route_tables_of_all_subnets_that_lack_them() -> None:
    b = workload()
    b.interface("eni-2", "subnet-public", ["sg-app"], "10.0.1.5", "203.0.113.10")
    judged = answered(REMEDY, "missing-private-endpoint", b.build())

    tables = frozenset((b.id("rtb-private"), b.id("rtb-public")))
    assert [(each.service.rpartition(".")[2], each.type, each.route_tables) for each in added(judged)] == [
        ("s3", "gateway", tables),
        ("dynamodb", "gateway", tables),
    ]
    assert_gains_nothing(judged)


def test_afterwards_the_check_finds_nothing() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", workload().build())
    check = next(each for each in CHECKS if each.id == "missing-private-endpoint")

    assert list(check.run(RemedyContext.of(judged.after).audit(check))) == []


def test_what_a_gateway_endpoint_breaks_is_told() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", workload().build())

    told = " ".join(judged.proposals[0].risks)
    assert "bucket policies that name public source addresses" in told
    assert "reset" in told
    assert "at once" in told
    assert {each.safety for each in judged.proposals} == {"needs review"}


def test_an_endpoint_that_is_there_for_other_tables_is_not_made_twice() -> None:
    b = workload()
    for service in ("s3", "dynamodb"):
        b.endpoint(f"vpce-{service}", service, route_tables=frozenset({b.id("rtb-public")}))
    judged = answered(REMEDY, "missing-private-endpoint", b.build())

    assert judged.proposals == ()
    steps = [step for each in judged.answers if isinstance(each, Advice) for step in each.steps]
    assert steps == [
        "associate vpce-s3 with the route tables of subnet-private",
        "associate vpce-dynamodb with the route tables of subnet-private",
    ]


@pytest.fixture
def for_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the check ask for an interface endpoint alone."""
    parameter = missing_private_endpoint.SERVICES
    told = msgspec.structs.replace(parameter, default=("sts",))
    own = missing_private_endpoint.CHECK
    check = msgspec.structs.replace(own, parameters=(told, *own.parameters[1:]))
    monkeypatch.setattr("tests.remediations.judged.CHECKS", (check,))


@pytest.mark.usefixtures("for_sts")
def test_an_interface_endpoint_has_a_group_that_admits_the_groups_of_its_clients() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", workload().build())

    (endpoint,) = added(judged)
    assert (endpoint.type, endpoint.private_dns) == ("interface", True)
    (group,) = endpoint.groups
    rules = judged.after.rule_sets[group].rules
    assert [(rule.direction, str(rule.traffic), rule.remote) for rule in rules] == [
        ("ingress", "tcp/443", (GroupRef(EstateBuilder.id("sg-app")),))
    ]
    assert_gains_nothing(judged)


@pytest.mark.usefixtures("for_sts")
def test_clients_that_let_nothing_out_to_the_endpoint_are_named() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", workload("198.51.100.0/24").build())

    assert any("the groups of eni-1 let no tcp/443 out" in risk for risk in judged.proposal.risks)


@pytest.mark.usefixtures("for_sts")
def test_clients_that_let_https_out_everywhere_are_not_named() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", workload().build())

    assert not any("tcp/443 out" in risk for risk in judged.proposal.risks)


def test_a_vault_gets_an_endpoint_in_the_only_subnet_that_holds_such() -> None:
    b = AzureBuilder()
    b.service("keyvault", "keys", anonymous=False, connections=())
    b.endpoint("pe-sql", arm("sql", "orders"))
    judged = answered(REMEDY, "missing-private-endpoint", b.build())

    (endpoint,) = added(judged)
    assert endpoint.service == arm("keyvault", "keys")
    assert endpoint.subnets == frozenset((b.subnet("data"),))
    assert "zone" in judged.proposal.risks[0]
    assert_gains_nothing(judged)


def test_without_a_subnet_for_private_endpoints_people_choose() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", bare_vault())

    assert "which network uses keys (rg) is not known" in judged.advice.reason


def test_a_pending_endpoint_shows_where_others_stand_and_counts_for_nothing_else() -> None:
    judged = answered(REMEDY, "missing-private-endpoint", waiting_vault())

    assert len(added(judged)) == 1


def test_an_instance_of_google_cloud_takes_no_endpoint_as_it_is_set() -> None:
    b = GcpBuilder()
    b.service("cloudsql", "sqladmin/instances/orders", anonymous=False, connections=())
    judged = answered(REMEDY, "missing-private-endpoint", b.build())

    assert judged.advice.steps[0] == "switch Private Service Connect on for sqladmin/instances/orders"
