"""Advice on a range in which an interface carries a group that was not read."""

from cloudseg.checks import address_based_rule
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit


def test_an_interface_whose_group_was_not_read_is_unclear_and_no_new_group_is_advised() -> None:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.1.0/24"))
    b.interface("eni-db", groups=["sg-db"])
    b.interface("eni-app", "subnet-public", ["sg-not-read"], "10.0.1.5")
    (finding,) = run_audit(b.build(), AuditRequest(checks=(address_based_rule.CHECK,))).findings
    assert finding.confidence != "high"
    assert "unknown: the groups of eni-app were not read" in finding.evidence
