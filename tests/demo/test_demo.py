"""The bundled estate is complete, shows every mistake that the checks know, and its right parts are left alone."""

from functools import cache

import pytest

from cloudseg.checks import CHECKS
from cloudseg.demo import demo_intent_path, demo_snapshot_path
from cloudseg.engine import AuditRequest, FindingsDocument, run_audit
from cloudseg.intent_file import read_intent
from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import load

# Checks of the waivers themselves have nothing to look at in an estate.
IN_AN_ESTATE = [check.id for check in CHECKS if "aws" in check.concept and not check.after_waivers]

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


def test_the_demo_has_no_gaps_and_no_answer_that_nothing_reads() -> None:
    document = audit()
    assert document.complete
    about = ("intent.yaml:118: the allowance", "intent: 6 of 39 interfaces in no segment", *("workloads",) * 3)
    assert len(document.notes) == len(about)
    assert all(text in note for text, note in zip(about, document.notes, strict=True))
    of_aws = {check.id for check in CHECKS if "aws" in check.concept or not check.concept}
    assert {status.status for status in document.checks if status.id in of_aws} == {"evaluated"}


@pytest.mark.parametrize("check", IN_AN_ESTATE)
def test_every_check_finds_something_in_the_demo(check: str) -> None:
    assert check in {found for _, found in accusations()}


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
