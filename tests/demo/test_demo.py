"""The bundled estate is complete, shows every mistake that the checks know, and its right parts are left alone."""

from functools import cache
from typing import TYPE_CHECKING, cast

import pytest

from cloudseg.checks import CHECKS
from cloudseg.cli.sources import translate
from cloudseg.demo import demo_intent_path, demo_snapshot_path
from cloudseg.engine import AuditRequest, FindingsDocument, run_audit
from cloudseg.intent_file import read_intent
from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.azure.operations import OPERATIONS as AZURE_OPERATIONS
from cloudseg.providers.azure.operations import resources_of
from cloudseg.providers.gcp.operations import OPERATIONS as GCP_OPERATIONS
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Part, load
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.providers.redaction import Json

# Checks of the waivers themselves have nothing to look at in an estate. The network plugin of the demo's cluster
# enforces its policies, and the cluster has no mesh. What nobody uses only observed conversations show.
NOT_HERE = {"unenforced-policy", "permissive-mtls", "missing-authorization-policy", "mesh-allows-all", "unused-rule"}
SUBSCRIPTION = "b00c5a0e-1111-4222-8333-444455556666"
# Of groups that are gone Azure keeps no rules: it lets nobody take away a group that a rule names.
NOT_ON_AZURE = {"stale-group-reference", "unused-rule"}
PROJECT = "bookshop-recs"
# What the demo's project has no part of that could be wrong.
NOT_ON_GCP = {"stale-group-reference", "unused-rule"}
IN_AN_ESTATE = [check.id for check in CHECKS if check.concept and not check.after_waivers and check.id not in NOT_HERE]

RIGHT = (
    "bookshop-prod-app",
    "bookshop-prod-orders-db",
    "bookshop-prod-search",
    "bookshop-prod-files",
    "bookshop-prod-endpoints",
    "bookshop-prod-invoice",
    "bookshop-prod-internal",
    "bookshop-prod-orders",
    "bookshop-prod-cache-001",
    "bookshop-prod-invoices",
    "bookshop-prod-flow-logs",
    "bookshop-prod-s3",
    "bookshop-prod-secretsmanager",
    "bookshop-prod-execute-api",
    "bookshop-prod-egress",
    "bookshop-prod-web-1",
    "bookshop-prod-app-1",
    "tooling-ci",
    "bookshop-dev-db",
    "bookshop-prod-node-1",
    "catalogue",
    "catalogue-db",
    "default-deny",
    "allow-dns",
    "storefront",
    "coredns",
)
RIGHT_IN_ONE_WAY = (
    ("bookshop-prod", "missing-flow-logs"),
    ("bookshop-prod", "partial-flow-logs"),
    ("bookshop-prod", "public-control-plane"),
    ("bookshop-prod", "default-network"),
    ("bookshop-prod-alb", "unused-group"),
    ("bookshop-prod-data", "open-network-acl"),
    ("bookshop-prod-web", "internet-exposed-port"),
    ("bookshop-prod-web", "open-network-acl"),
    ("bookshop-prod-ledger", "open-endpoint-service"),
    ("bookshop-prod-ledger", "unfiltered-interface"),
    ("tooling", "missing-flow-logs"),
)
RIGHT_ON_AZURE = (
    "portal-gateway",
    "portal-web-asg",
    "portal-app-asg",
    "portal-data-asg",
    "analytics-asg",
    "portal-endpoints-nsg",
    "portal-feed-nsg",
    "web-1-nic",
    "app-1-nic",
    "db-1-nic",
    "app-lb",
    "portal-rt",
    "hub-firewall",
    "hub-policy",
    "vpn",
    "bookshop-secrets",
    "secrets-pe",
    "exports-pe",
    "bookshopexports",
    "bookshopflowlogs",
    "management",
)
RIGHT_IN_ONE_WAY_ON_AZURE = (
    # The administrators' rule lets no RDP in from the internet, whatever the team's own list says.
    ("dev-1-nsg", "internet-exposed-port"),
    ("portal-gateway-nsg", "address-based-rule"),
    ("portal-gateway-nsg", "missing-default-deny"),
    ("portal-web-nsg", "missing-default-deny"),
    ("portal-app-nsg", "missing-default-deny"),
    ("portal-app-nsg", "address-based-rule"),
    ("portal-data-nsg", "internet-exposed-port"),
    ("portal-vnet", "missing-flow-logs"),
    ("portal-vnet", "partial-flow-logs"),
    ("hub-vnet", "missing-flow-logs"),
    ("bookshop-signing", "public-endpoint"),
)

RIGHT_ON_GCP = ("recs-features-from-api", "recs-api-health", "bookshop-recs-models", "recs-guard", "recs-api-1")
RIGHT_IN_ONE_WAY_ON_GCP = (
    # The organisation's policy lets no RDP in, and this rule is disabled.
    ("windows-rdp", "internet-exposed-port"),
    ("old-mysql", "internet-exposed-port"),
    ("recs-api-from-proxies", "address-based-rule"),
    ("recs", "default-network"),
)


@cache
def audit() -> FindingsDocument:
    intent = read_intent(demo_intent_path())
    return run_audit(translate(load(demo_snapshot_path())), AuditRequest(intent=intent))


def accusations() -> set[tuple[str, str]]:
    pairs = {(f.resource.name, f.check) for f in audit().findings}
    return pairs | {(f.resource.name, also.check) for f in audit().findings for also in f.also}


def test_the_demo_holds_an_answer_to_every_call_of_an_audit() -> None:
    parts = list(load(demo_snapshot_path()).parts())
    for scope in ("111122223333", "444455556666"):
        held = {(part.service, part.operation) for part in parts if part.scope == scope}
        assert not {(o.service, o.name) for o in OPERATIONS if o.per is None} - held


def test_the_azure_part_holds_an_answer_to_every_call_of_an_audit() -> None:
    snapshot = load(demo_snapshot_path())
    held = {part for part in snapshot.parts() if part.scope == SUBSCRIPTION}

    def part(service: str, operation: str, resource: str | None = None) -> Part:
        return Part("azure", SUBSCRIPTION, "global", service, operation, resource)

    wanted = {part(o.service, o.name) for o in AZURE_OPERATIONS if o.per is None}
    for operation in AZURE_OPERATIONS:
        if operation.per is not None and (listed := part(*operation.per.of)) in held:
            about = resources_of(snapshot.read(listed), operation.per)
            wanted |= {part(operation.service, operation.name, each) for each in about}
    assert held == wanted


def test_the_gcp_part_holds_an_answer_to_every_call_of_an_audit() -> None:
    snapshot = load(demo_snapshot_path())
    held = {part for part in snapshot.parts() if part.scope == PROJECT}

    def part(service: str, operation: str, resource: str | None = None) -> Part:
        return Part("gcp", PROJECT, "global", service, operation, resource)

    resources = {
        (o.service, o.name): cast("dict[str, list[dict[str, Json]]]", snapshot.read(part(o.service, o.name)))["items"]
        for o in GCP_OPERATIONS
        if o.per is None and part(o.service, o.name) in held
    }
    wanted = {part(o.service, o.name) for o in GCP_OPERATIONS if o.per is None}
    for operation in GCP_OPERATIONS:
        if operation.per is not None:
            about = (subject.resource for subject in operation.per.pick(resources))
            wanted |= {part(operation.service, operation.name, each) for each in about}
    assert held == wanted


def test_the_demo_has_no_gaps_and_no_answer_that_nothing_reads() -> None:
    document = audit()
    assert document.complete
    about = (
        "cluster bookshop-prod: AWS VPC CNI with its network policy agent enforces NetworkPolicies",
        "the AKS cluster build: pods have addresses of an overlay",
        "the GKE cluster recs-dev: pods have addresses of alias ranges",
        "the GKE cluster recs: pods have addresses of alias ranges",
        "the allowance internet to reporting: tcp/5432 expired",
        "interfaces in no segment",
        *("workloads",) * 3,
    )
    assert len(document.notes) == len(about)
    assert all(text in note for text, note in zip(about, document.notes, strict=True))
    others = {"permissive-mtls", "missing-authorization-policy", "mesh-allows-all", "unused-rule"}
    assert {status.status for status in document.checks if status.id not in others} == {"evaluated"}


def test_the_cluster_stands_in_the_network_of_its_machines_and_every_list_of_it_was_read() -> None:
    estate = translate(load(demo_snapshot_path()))
    pods = [each for each in estate.interfaces.values() if each.is_pod]
    assert {pod.network for pod in pods} == {"aws:111122223333:eu-west-1:vpc-0f482cb5153969ba8"}
    assert not [gap for gap in estate.gaps if gap.provider == "kubernetes"]
    reach = Reachability(estate)
    catalogue, store = (f"kubernetes:bookshop-prod:bookshop/{each}" for each in ("catalogue", "storefront"))
    for subnet in ("subnet-00571eb49a3756023", "subnet-0e9ef925e7e35d73f"):
        found = reach.between(f"{store}[Deployment]@{subnet}", f"{catalogue}[Deployment]@{subnet}")
        assert (str(found.lower), str(found.upper)) == ("tcp/8080", "tcp/8080")
        found = reach.between(f"{catalogue}[Deployment]@{subnet}", f"{catalogue}-db[StatefulSet]")
        assert (str(found.lower), str(found.upper)) == ("tcp/5432", "tcp/5432")
        found = reach.between(f"{store}[Deployment]@{subnet}", f"{catalogue}-db[StatefulSet]")
        assert (str(found.lower), str(found.upper)) == ("none", "none")


@pytest.mark.parametrize("check", IN_AN_ESTATE)
def test_every_check_finds_something_in_the_demo(check: str) -> None:
    assert check in {found for _, found in accusations()}


@pytest.mark.parametrize("check", [c.id for c in CHECKS if "azure" in c.concept and c.id not in NOT_ON_AZURE])
def test_every_check_of_azure_finds_something_there(check: str) -> None:
    here = [finding for finding in audit().findings if finding.provider == "azure"]
    assert check in {name for finding in here for name in (finding.check, *(also.check for also in finding.also))}


@pytest.mark.parametrize("check", [c.id for c in CHECKS if "gcp" in c.concept and c.id not in NOT_ON_GCP])
def test_every_check_of_gcp_finds_something_there(check: str) -> None:
    here = [finding for finding in audit().findings if finding.provider == "gcp"]
    assert check in {name for finding in here for name in (finding.check, *(also.check for also in finding.also))}


@pytest.mark.parametrize("name", RIGHT_ON_GCP)
def test_what_is_right_on_gcp_is_not_accused(name: str) -> None:
    assert {found for resource, found in accusations() if resource == name} == set()


@pytest.mark.parametrize(("name", "check"), RIGHT_IN_ONE_WAY_ON_GCP)
def test_what_is_right_in_one_way_on_gcp_is_not_accused_of_it(name: str, check: str) -> None:
    assert (name, check) not in accusations()


def test_recommendations_are_reached_as_they_should_be() -> None:
    estate = translate(load(demo_snapshot_path()))
    nic = {each.name: name for name, each in estate.interfaces.items() if name.endswith("/nic0")}
    reach = Reachability(estate)

    def passes(source: str, target: str, traffic: str) -> tuple[bool, bool]:
        found, asked = reach.between(nic[source], nic[target]), Traffic.parse(traffic)
        return asked <= found.lower, asked <= found.upper

    assert passes("recs-api-1", "recs-features", "tcp/6379") == (True, True)
    assert passes("recs-jump", "recs-windows", "tcp/3389") == (False, False)
    assert passes("recs-trainer-1", "recs-index", "tcp/9200") == (True, True)
    assert passes("old-crawler", "recs-features", "tcp/6379") == (False, False)


@pytest.mark.parametrize("name", RIGHT_ON_AZURE)
def test_what_is_right_on_azure_is_not_accused(name: str) -> None:
    assert {found for resource, found in accusations() if resource == name} == set()


@pytest.mark.parametrize(("name", "check"), RIGHT_IN_ONE_WAY_ON_AZURE)
def test_what_is_right_in_one_way_on_azure_is_not_accused_of_it(name: str, check: str) -> None:
    assert (name, check) not in accusations()


def test_the_tiers_of_the_portal_talk_as_they_should_and_the_old_report_reaches_the_database() -> None:
    estate = translate(load(demo_snapshot_path()))
    nic = {each.name: name for name, each in estate.interfaces.items()}
    reach = Reachability(estate)

    def passes(source: str, target: str) -> tuple[str, str]:
        found = reach.between(nic[source], nic[target])
        return str(found.lower), str(found.upper)

    assert passes("web-1-nic", "app-1-nic") == ("tcp/8080", "tcp/8080")
    assert passes("app-1-nic", "db-1-nic") == ("tcp/5432", "tcp/5432")
    assert passes("web-1-nic", "db-1-nic") == ("tcp/5432", "tcp/5432")
    assert not reach.between(nic["report-1-nic"], nic["app-1-nic"]).upper & Traffic.parse("tcp/9100")
    assert passes("app-1-nic", "secrets-pe.nic") == ("tcp/443", "tcp/443")
    assert passes("app-1-nic", "signing-pe.nic") == ("none", "none")
    assert passes("dev-2-nic", "db-1-nic") == ("none", "none")


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_accused(name: str) -> None:
    assert {found for resource, found in accusations() if resource == name} == set()


@pytest.mark.parametrize(("name", "check"), RIGHT_IN_ONE_WAY)
def test_what_is_right_in_one_way_is_not_accused_of_it(name: str, check: str) -> None:
    assert (name, check) not in accusations()


def test_the_obvious_replacement_of_an_address_rule_is_named() -> None:
    groups = {f.resource.name: f for f in audit().findings if f.check == "address-based-rule"}
    names = {g.own_id: g.name for g in translate(load(demo_snapshot_path())).groups.values()}
    named = {
        resource: {names[group] for group in finding.remedy.groups}
        for resource, finding in groups.items()
        if finding.remedy is not None
    }
    assert named["bookshop-prod-cache"] == {"bookshop-prod-app"}
    assert named["bookshop-prod-web"] == {"bookshop-prod-jump"}
    assert named["portal-data-nsg"] == {"analytics-asg", "portal-app-asg", "portal-web-asg"}
    assert named["portal-web-nsg"] == {"portal-data-asg"}
