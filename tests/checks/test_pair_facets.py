"""What decides about pairs of interfaces and was not read leaves the checks of pairs uncertain, and they say so."""

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit

FACETS = (
    "routes", "gateways", "peerings", "transit", "boundary-rules", "address-lists", "load-balancers", "firewalls",
    "endpoints", "endpoint-services", "entrances", "public-access-block", "workloads", "subnets",
)  # fmt: skip


def status(check: str, *unread: str) -> tuple[str, str]:
    builder = EstateBuilder(unread=unread)
    builder.group("sg-a", allow("ingress", "all", "sg-a"), allow("egress", "all", "0.0.0.0/0"))
    tags = {"application": "shop", "environment": "prod"}
    for number, (tier, place) in enumerate((("web", "prod"), ("app", "prod"), ("db", "prod"), ("web", "dev"))):
        labels = {**tags, "tier": tier, "environment": place}
        builder.interface(f"eni-{number}", "subnet-private", ["sg-a"], f"10.0.2.{number + 5}", tags=labels)
    chosen = tuple(each for each in CHECKS if each.id == check)
    found = run_audit(builder.build(), AuditRequest(checks=chosen)).checks[0]
    return found.status, found.reason


@pytest.mark.parametrize("check", ["flat-network", "tier-skip", "cross-environment-path"])
def test_with_everything_read_they_are_evaluated(check: str) -> None:
    assert status(check) == ("evaluated", "")


@pytest.mark.parametrize("check", ["flat-network", "tier-skip", "cross-environment-path"])
@pytest.mark.parametrize("facet", FACETS)
def test_what_was_not_read_makes_them_partly_evaluated_and_is_named(check: str, facet: str) -> None:
    verdict, reason = status(check, facet)
    assert verdict == "partly"
    assert facet in reason
