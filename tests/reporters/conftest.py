import io
from collections.abc import Callable
from functools import cache

import pytest

from cloudseg.checks import CHECKS
from cloudseg.engine import (
    AuditRequest,
    CheckStatus,
    FindingsDocument,
    GapInfo,
    SourceInfo,
    Summary,
    run_audit,
)
from cloudseg.findings import Also, Finding, Remedy, ResourceInfo, RuleInfo, Severity, WaiverInfo
from cloudseg.reach.spread.extents import Exposure, PortExposure, Spread
from cloudseg.reporters import RenderOptions
from cloudseg.reporters.formats import FORMATS

Render = Callable[..., str]

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\n\ttab",
    "bell\x07 c1\x9b2J del\x7f",
    "abc\u202etxt.exe\u2066x\u2069",
    "zero\u200bwidth\ufeff\u2028",
    "lone\ud800surrogate",
    "<script>alert(1)</script><img src=x onerror=y>",
    "[click](https://evil.example) ![i](http://evil.example/i.png)",
    "a|b`c``d|e\\|f\\",
    "@admins see owner/repo#12, #7 GH-8 !9 $x$ ~label &3 www.evil.example a@b.example",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "*bold* _it_ ~~no~~ {0}",
    "..",
    "",
    'quote " comma, semicolon;',
    "データベース-本番-東京-😀👩\u200d👩\u200d👧",
    "# heading",
    "</details>",
    "-->",
)


@pytest.fixture
def render() -> Render:
    """Write a document in a format, with the given options."""

    def written(document: FindingsDocument, name: str, **options: bool | int) -> str:
        stream = io.StringIO(newline="")
        FORMATS[name].write(document, stream, RenderOptions(**options))  # type: ignore[arg-type]
        return stream.getvalue()

    return written


def make_finding(number: int, **fields: object) -> Finding:
    defaults: dict[str, object] = {
        "id": f"{number:020x}",
        "check": "internet-exposed-port",
        "severity": Severity.HIGH,
        "provider": "aws",
        "scope": "111122223333",
        "region": "eu-west-1",
        "resource": ResourceInfo("security-group", f"sg-{number:04x}", "web"),
        "message": "the whole IPv4 internet reaches tcp/22 of 1 interface by web",
    }
    return Finding(**defaults | fields)  # type: ignore[arg-type]


def make_exposure(*, by_intent: bool = False, of: int = 1_521_522) -> Exposure:
    """Return an exposure in which something is unknown on any port, and nothing on administration ports."""
    one = Spread(median=2, worst=14, worst_at=("aws:111122223333:eu-west-1:eni-0a1b",), worst_count=1)
    more = Spread(median=17, worst=1030, worst_at=("aws:111122223333:eu-west-1:eni-0c1d",), worst_count=1)
    none = Spread(median=0, worst=0, worst_at=(), worst_count=0)
    return Exposure(
        interfaces=1234,
        by_intent=by_intent,
        any_port=PortExposure(
            pairs=120_000,
            pairs_at_most=150_000,
            of=of,
            share=round(120_000 / of, 6) if of else None,
            share_at_most=round(150_000 / of, 6) if of else None,
            from_internet=12,
            from_internet_at_most=15,
            one_step=one,
            one_step_at_most=one,
            blast_radius=one,
            blast_radius_at_most=more,
        ),
        administration=PortExposure(0, 0, of, 0.0 if of else None, 0.0 if of else None, 0, 0, none, none, none, none),
    )


def make_document(findings: tuple[Finding, ...], gaps: tuple[GapInfo, ...] = ()) -> FindingsDocument:
    open_ones = [finding for finding in findings if finding.waiver is None]
    return FindingsDocument(
        generated_at="2026-01-15T12:00:00Z",
        sources=(
            SourceInfo("aws", "111122223333", "production", ("eu-west-1", "us-east-1"), not gaps, gaps),
            SourceInfo("aws", "444455556666", "", ("eu-west-1",), complete=True, gaps=()),
        ),
        checks=(
            CheckStatus("internet-exposed-port", "partly", "not read in full: routes (111122223333 eu-west-1: denied)"),
            CheckStatus("latent-internet-rule", "evaluated", ""),
        ),
        summary=Summary(
            findings={s.value: sum(1 for f in open_ones if f.severity is s) for s in Severity},
            waived=len(findings) - len(open_ones),
            scopes=2,
            interfaces=1234,
            rules=5678,
            gaps=len(gaps),
            exposure=make_exposure(),
        ),
        findings=findings,
        notes=("a note",),
    )


@pytest.fixture
def corpus() -> FindingsDocument:
    """What a report can hold: every severity, one waived, one folded, one from a file, low confidence, gaps."""
    remedy = Remedy("narrow-ports", "admit only the identities that need the port", ("sg-app",))
    rule = RuleInfo("sgr-0a1b2c3d4e5f", "ingress", "tcp/22", "0.0.0.0/0")
    findings = (
        make_finding(
            1,
            severity=Severity.CRITICAL,
            rule=rule,
            remedy=remedy,
            evidence=("exposes SSH",),
            reachable=True,
            affected=("eni-1", "eni-2"),
            also=(Also("5" * 20, "overbroad-ports", Severity.MEDIUM, "64,000 ports are open"),),
            compliance=("cis-aws-5.0:5.3",),
        ),
        make_finding(
            2, confidence="low", evidence=("unknown: the routes were not read",), resource=ResourceInfo("vpc", "vpc-1")
        ),
        make_finding(3, resource=ResourceInfo("security-group", "arn:aws:" + "very/long/" * 12, "データベース本番")),
        make_finding(4, severity=Severity.LOW, check="latent-internet-rule", scope="444455556666"),
        make_finding(5, severity=Severity.INFO, check="latent-internet-rule", region="global"),
        make_finding(6, location={"file": "modules/net work/ü.tf", "line": 12}, severity=Severity.MEDIUM),
        make_finding(
            7, severity=Severity.CRITICAL, waiver=WaiverInfo("net-team", "bastion, reviewed", "2026-12-31"), rule=rule
        ),
    )
    gaps = tuple(
        GapInfo("eu-west-1", "ec2.describe_route_tables", f"rtb-{n}", "denied", "AccessDenied: no", ("routes",))
        for n in range(12)
    )
    return make_document(findings, gaps)


@pytest.fixture
def hostile() -> FindingsDocument:
    """Names and messages that try to act on whatever shows them, in every place that takes a text from outside."""
    findings = tuple(
        make_finding(
            number,
            resource=ResourceInfo("security-group", name, name),
            region=name,
            rule=RuleInfo(name, "ingress", "tcp/22", name),
            message=f"{name} reaches {name}",
            evidence=(name, f"unknown: {name}"),
            confidence="low",
            affected=(name,),
            also=(Also("6" * 20, "overbroad-ports", Severity.LOW, name),),
            remedy=Remedy("narrow-ports", name, (name,)),
            location={"file": name, "line": 0} if number % 2 else None,
            waiver=WaiverInfo(name, name, name) if number % 3 == 0 else None,
        )
        for number, name in enumerate(HOSTILE)
    )
    gaps = tuple(GapInfo("eu-west-1", name, name, name, name, (name,)) for name in HOSTILE)
    return make_document(findings, gaps)


@pytest.fixture
def long() -> FindingsDocument:
    """Thousands of findings."""
    return make_document(
        tuple(
            make_finding(n, severity=tuple(Severity)[n // 1000], check="latent-internet-rule" if n % 5 else "other")
            for n in range(5000)
        )
    )


EXAMPLES = {f"{check.id}: {example.name}": example for check in CHECKS for example in check.examples}


@cache
def _audited(name: str) -> FindingsDocument:
    return run_audit(EXAMPLES[name].build(), AuditRequest())


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> FindingsDocument:
    """The answer about an example estate of a check, which is a frozen value: each is worked out once."""
    return _audited(str(request.param))


@pytest.fixture(params=["corpus", "hostile", "long"])
def document(request: pytest.FixtureRequest) -> FindingsDocument:
    found: FindingsDocument = request.getfixturevalue(request.param)
    return found
