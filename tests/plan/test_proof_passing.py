"""What packets of others pass by: lists there count where they answer otherwise, and only there."""

from __future__ import annotations

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import RemoveRule, Rule
from cloudseg.plan.proof import Proof, prove
from tests.plan.proof_cases import needing, own

ALL = acl_entry("egress", 100, "all", "0.0.0.0/0")


def _proved(*entries: Rule, gone: str) -> Proof:
    b = EstateBuilder()
    b.acl("acl-1", ("subnet-public", "subnet-private"), (*entries, ALL))
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0", rule_id="out"))
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/16", rule_id="in"))
    b.interface("eni-web", "subnet-public", groups=("sg-web",), address="10.0.1.10")
    b.interface("eni-db", groups=("sg-db",), address="10.0.2.20")
    estate = b.build()
    return prove(estate, [(RemoveRule(own("acl-1"), gone),)], needing(estate, ("eni-web", "eni-db", "tcp/5432")))


def test_an_entry_that_is_never_asked_may_go() -> None:
    shadowed = acl_entry("ingress", 200, "tcp/5432", "10.0.1.0/24")

    proof = _proved(acl_entry("ingress", 100, "all", "0.0.0.0/0"), shadowed, gone=shadowed.id)

    assert proof.holds


def test_an_entry_that_lets_a_need_through_may_not_go() -> None:
    first = acl_entry("ingress", 90, "tcp/5432", "10.0.1.0/24")
    answers = acl_entry("ingress", 100, "tcp/1024-5000", "0.0.0.0/0")

    assert _proved(first, answers, gone=first.id).lost


def test_a_denial_that_something_passes_without_may_not_go() -> None:
    denial = acl_entry("ingress", 90, "tcp/5432", "10.0.1.0/24", deny=True)

    proof = _proved(acl_entry("ingress", 100, "all", "0.0.0.0/0"), denial, gone=denial.id)

    assert proof.gained
