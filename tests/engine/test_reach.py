"""Who reaches whom is compiled once for an audit, and only where somebody asks."""

from collections.abc import Iterator

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import AuditContext, Check
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding, Severity
from cloudseg.model import Estate
from cloudseg.reach.internet import InternetView
from cloudseg.reach.reachability import Reachability


def asking(seen: list[Reachability], name: str) -> Check:
    """A check that asks who reaches whom, and finds nothing."""

    def run(context: AuditContext) -> Iterator[Finding]:
        seen.append(context.reach)
        yield from ()

    return Check(id=name, severity=Severity.LOW, run=run, examples=(), concept={"aws": "interfaces"})


def two() -> Estate:
    builder = EstateBuilder()
    builder.group("sg-a", allow("ingress", "tcp/22", "sg-a"), allow("egress", "all", "10.0.0.0/16"))
    builder.interface("eni-1", groups=["sg-a"], address="10.0.2.10")
    builder.interface("eni-2", groups=["sg-a"], address="10.0.2.11")
    return builder.build()


def test_checks_of_one_audit_share_what_was_compiled() -> None:
    seen: list[Reachability] = []
    estate = two()
    run_audit(estate, AuditRequest(checks=(asking(seen, "one"), asking(seen, "other"))))
    first, second = seen
    assert first is second
    ends = EstateBuilder.id("eni-1"), EstateBuilder.id("eni-2")
    assert first.between(*ends) == Reachability(estate).between(*ends)


def test_a_check_that_runs_alone_compiles_for_itself_once() -> None:
    estate = two()
    context = AuditContext(estate=estate, check=asking([], "one"), settings={}, internet=InternetView(estate))
    assert context.reach is context.reach
    assert context.reach.estate is estate
