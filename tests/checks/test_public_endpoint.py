"""A public endpoint is judged by what the service is, whether it asks for credentials, and what rules let in."""

from collections.abc import Callable

import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.public_endpoint import CHECK
from cloudseg.findings import Finding
from cloudseg.model import Rule
from cloudseg.traffic import AddressSet

Findings = Callable[..., list[Finding]]


@pytest.mark.parametrize(
    ("family", "anonymous", "severity"),
    [
        ("opensearch", True, "critical"),
        ("opensearch", False, "high"),
        ("kafka", True, "critical"),
        ("rds", False, "high"),
        ("redshift", False, "high"),
        ("dms", False, "high"),
        ("s3", True, "high"),
        ("s3", False, "medium"),
        ("lambda", True, "medium"),
        ("lambda", False, "info"),
        ("apigateway", True, "low"),
        ("ecr-public", True, "low"),
        ("verified-access", False, "info"),
        ("something-new", True, "high"),
        ("something-new", False, "medium"),
    ],
)
def test_the_family_and_its_credentials_decide(
    findings: Findings, *, family: str, anonymous: bool, severity: str
) -> None:
    b = EstateBuilder()
    b.service("one", family, anonymous=anonymous)
    assert [finding.severity for finding in findings(CHECK, b.build())] == [severity]


def database(*rules: Rule, **more: object) -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-db", *rules)
    b.interface("eni-1", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.10", workload=b.id("orders"))
    fields: dict[str, object] = {"anonymous": False, "interfaces": frozenset({b.id("eni-1")}), **more}
    b.service("orders", "rds", **fields)  # pyright: ignore[reportArgumentType]
    return b


def test_a_public_database_that_a_rule_opens_is_high_and_certainly_reached(findings: Findings) -> None:
    (finding,) = findings(CHECK, database(allow("ingress", "tcp/5432", "0.0.0.0/0")).build())
    assert (finding.severity, finding.confidence, finding.reachable) == ("high", "high", True)
    assert "its network's rules let the internet in: tcp/5432" in finding.evidence
    assert finding.affected == ("eni-1",)


@pytest.mark.parametrize(
    "rules",
    [
        (),
        (allow("ingress", "tcp/5432", "10.0.0.0/16"),),
        (allow("ingress", "tcp/5432", "sg-app"),),
        (allow("egress", "all", "0.0.0.0/0"),),
    ],
)
def test_a_public_setting_that_no_rule_opens_is_medium(findings: Findings, rules: tuple[Rule, ...]) -> None:
    (finding,) = findings(CHECK, database(*rules).build())
    assert (finding.severity, finding.reachable) == ("medium", False)
    assert "closed: no rule admits a public address" in finding.evidence


@pytest.mark.semantics(209)
def test_a_network_acl_above_an_open_group_closes_it(findings: Findings) -> None:
    b = database(allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 90, "all", "0.0.0.0/0", deny=True),))
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.reachable) == ("medium", False)
    assert "closed: stopped by acl-1" in finding.evidence


def test_a_group_that_was_not_read_is_no_closed_door(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", ["sg-unread"], "10.0.1.5", "203.0.113.10")
    b.service("orders", "rds", anonymous=False, interfaces=frozenset({b.id("eni-1")}))
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.confidence, finding.reachable) == ("high", "medium", None)


def test_the_groups_of_a_function_do_not_guard_its_url(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-fn")
    b.interface("eni-1", groups=["sg-fn"])
    b.service("resize", "lambda", anonymous=True, interfaces=frozenset({b.id("eni-1")}))
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.confidence) == ("medium", "high")
    assert not any("rules" in text for text in finding.evidence)


@pytest.mark.parametrize(
    ("sources", "severity"), [("203.0.113.0/24", "critical"), ("203.0.113.0/25", "high"), ("203.0.113.7", "high")]
)
def test_fewer_than_256_addresses_are_one_step_milder(findings: Findings, sources: str, severity: str) -> None:
    b = EstateBuilder()
    b.service("logs", "opensearch", anonymous=True, sources=AddressSet.parse(sources))
    assert [finding.severity for finding in findings(CHECK, b.build())] == [severity]


@pytest.mark.parametrize(
    ("public", "anonymous", "severity"), [(None, False, "medium"), (None, None, "high"), (True, None, "critical")]
)
def test_what_was_not_read_is_told_with_low_confidence(
    findings: Findings, *, public: bool | None, anonymous: bool | None, severity: str
) -> None:
    b = EstateBuilder()
    b.service("logs", "opensearch", public=public, anonymous=anonymous)
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.confidence) == (severity, "low")


@pytest.mark.parametrize(("family", "severity"), [("s3", "info"), ("lambda", "info"), ("rds", "high")])
def test_a_database_cannot_be_declared_public(findings: Findings, family: str, severity: str) -> None:
    b = EstateBuilder()
    b.service("one", family, anonymous=family != "rds", tags={"audience": "world"})
    found = findings(CHECK, b.build(), declared_public=("audience=world",))
    assert [finding.severity for finding in found] == [severity]


def test_control_planes_are_left_to_their_own_check(findings: Findings) -> None:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True)
    assert findings(CHECK, b.build()) == []
