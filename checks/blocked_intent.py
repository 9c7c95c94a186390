"""Traffic that is intended and does not pass, or not between all who may.

What it finds:
    What the intent allows one segment to open to another, or to or from the internet, and what does not certainly pass:
    between no pair of their interfaces, between some of them only, or in part. One finding stands for two segments; it
    tells how many pairs carry all of it, and for one pair that does not, the first thing that stops it and everything
    else that would. Where something was not read, the pair counts as not carrying it, and the confidence is low. A
    temporary allowance that is over asks for nothing. Without an intent nothing can be said, and the check says so.

Why it matters:
    Either the intent is out of date, and allows on paper what nobody needs, or something that should work does not: a
    rule was lost, an instance of many was forgotten, a route leads nowhere. Both are cheaper to learn here than from an
    outage.

Example:
    The intent lets ``web`` open ``tcp/8080`` to ``app``, and one of the three instances of ``app`` carries a group
    without that rule.

Remedy:
    Remove the allowance if nobody needs it. Otherwise add what the explanation says is missing, and nothing wider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import gcp_rule
from cloudseg.checks.example_gcp_intents import gcp_web_and_app, gcp_web_to_app
from cloudseg.checks.example_intents import web_and_app, web_to_app
from cloudseg.checks.example_nsgs import nsg_rule
from cloudseg.checks.exposure import is_everything
from cloudseg.checks.flow_words import part_resource, short_traffic, witness_of, witness_words
from cloudseg.checks.interface import PAIRS_NEED, PAIRS_USE, Check, Example
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Severity
from cloudseg.intent import Allowance, Intent
from cloudseg.segments import INTERNET, Choice, Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.intent_coverage import Coverage, Uncarried
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Estate, SourceLocation
    from cloudseg.reach.comparing.witness import Witness

_STEPS: Final = 3


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every two segments between which not all that is intended passes."""
    from cloudseg.checks.intent_coverage import coverage_of

    matrix = context.intent_matrix
    if matrix is not None:
        for covered in coverage_of(context.reach, matrix):
            if covered.shown is not None:
                yield _finding(context, covered, covered.shown, matrix)


def _needs_intent(context: AuditContext) -> str:
    return "" if context.intent is not None else "there is no intent to compare with; name one by --intent FILE"


def _finding(context: AuditContext, covered: Coverage, shown: Uncarried, matrix: IntentMatrix) -> Finding:
    inward = isinstance(shown.target, str)
    near, other = (covered.target, covered.source) if inward else (covered.source, covered.target)
    return context.finding(
        part_resource("segment", near, covered.members, context.estate),
        f"{covered.source} to {covered.target} is intended on {short_traffic(covered.intended)}, "
        f"and {_how_much(covered)}",
        severity=_severity(covered, shown),
        confidence="high" if shown.certain else "low",
        evidence=(
            *(f"intended{f' in {each.place}' if each.place else ''}: {each}" for each in _allowances(covered, matrix)),
            *(
                (f"{counted(covered.partly, _noun(covered))} certainly {_carry(covered.partly)} some of it",)
                if covered.partly
                else ()
            ),
            *_explained(context, shown),
        ),
        places=_ends(context, shown),
        aspect=f"{'from' if inward else 'to'} {other}{' outside' if covered.outside else ''}",
    )


def _ends(context: AuditContext, shown: Uncarried) -> Iterator[SourceLocation | None]:
    """Yield where the ends of the pair are written between which it does not pass: who takes it first."""
    for end in (shown.target, shown.source):
        interface = context.estate.interfaces.get(end) if isinstance(end, str) else None
        yield None if interface is None else interface.location


def _severity(covered: Coverage, shown: Uncarried) -> Severity:
    """Return how bad it is: milder where it may pass after all, where some passes, and where nobody needs all of it."""
    carry_some = covered.whole + covered.partly == covered.pairs
    return Severity.LOW if carry_some or not shown.certain or is_everything(covered.intended) else Severity.MEDIUM


def _noun(covered: Coverage) -> str:
    return "interface" if covered.outside else "pair"


def _how_much(covered: Coverage) -> str:
    everything = counted(covered.pairs, _noun(covered))
    if covered.whole:
        return f"only {covered.whole:,} of {everything} certainly {_carry(covered.whole)} all of it"
    return f"none of {everything} certainly carries {'all of it' if covered.partly else 'any of it'}"


def _carry(count: int) -> str:
    return "carries" if count == 1 else "carry"


def _allowances(covered: Coverage, matrix: IntentMatrix) -> tuple[Allowance, ...]:
    known = matrix.allowances(covered.source, covered.target)
    return tuple(allowance for allowance in known if not allowance.expired(matrix.as_of))


def _explained(context: AuditContext, shown: Uncarried) -> Iterator[str]:
    """Yield what stops one pair, in words: the first step that does, and the next ones that would."""
    from cloudseg.reach.explaining.explain import explain
    from cloudseg.reach.explaining.pod_hints import pod_hints

    why = explain(context.reach, shown.source, shown.target, shown.missing)
    yield witness_words(_witness(context, shown), context.estate)
    yield f"why: {why.reason}"
    yield from (f"and then: {step.reason or step.text}" for step in why.also_blocking[:_STEPS])
    yield from (f"unknown: {text}" for text in why.unknowns[:_STEPS])
    ends = (shown.source, shown.target, shown.missing)
    yield from pod_hints(context.estate, *ends, blocked=why.verdict == "blocked")[:_STEPS]


def _witness(context: AuditContext, shown: Uncarried) -> Witness:
    """Return one packet that is intended and does not certainly pass; where one certainly does not, it is this one."""
    from cloudseg.checks.part_flows import Pair
    from cloudseg.reach.comparing.witness import Witnesses

    never = shown.missing - context.reach.between(shown.source, shown.target).upper
    return witness_of(Pair(shown.source, shown.target, never or shown.missing), Witnesses(context.reach))


def _shop() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(tags={"tier": (name,)})) for name in ("web", "app"))
    return Intent(
        segments=segments,
        allow=(
            Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080")),
            Allowance(sources=(INTERNET,), targets=("web",), traffic=Traffic.parse("tcp/443")),
        ),
    )


def _two_tiers(second_group: str = "sg-app", public: str = "0.0.0.0/0", port: str = "tcp/8080") -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("ingress", "tcp/443", public), allow("egress", "all", "10.0.0.0/16"))
    b.group("sg-app", allow("ingress", port, "sg-web"))
    b.group("sg-bare")
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10", "203.0.113.10", tags={"tier": "web"})
    b.interface("eni-app-1", "subnet-private", ["sg-app"], "10.0.2.10", tags={"tier": "app"})
    b.interface("eni-app-2", "subnet-private", [second_group], "10.0.2.11", tags={"tier": "app"})
    return b.build()


def _one_was_forgotten() -> Estate:
    return _two_tiers("sg-bare")


def _nobody() -> Estate:
    return _two_tiers(port="tcp/80")


def _half_of_the_internet() -> Estate:
    return _two_tiers(public="0.0.0.0/1")


def _all_carried() -> Estate:
    return _two_tiers()


def _of_pods(label: str) -> Estate:
    b = ClusterBuilder()
    for name in ("web", "app"):
        b.workload("shop", name, {"app": name})
    b.policy("shop", "app", {"app": "app"}, ingress=(admit("tcp/8080", Pods({"app": label})),))
    return b.build()


def _mistyped() -> Estate:
    return _of_pods("website")


def _admitted() -> Estate:
    return _of_pods("web")


def _of_two() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(labels={"app": (name,)})) for name in ("web", "app"))
    allowed = Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080"))
    return Intent(segments=segments, allow=(allowed,))


def _azure_as_meant() -> Estate:
    return web_and_app(nsg_rule("ingress", 100, "tcp/8080", "asg-web"))


def _azure_denied() -> Estate:
    return web_and_app()


def _gcp_as_meant() -> Estate:
    return gcp_web_and_app(gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"))


def _gcp_denied() -> Estate:
    return gcp_web_and_app()


CHECK = Check(
    id="blocked-intent",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("one of two instances lacks the rule", _one_was_forgotten, ("app",), Severity.MEDIUM, intent=_shop),
        Example("another port is open", _nobody, ("app",), Severity.MEDIUM, intent=_shop),
        Example("half of the internet is let in", _half_of_the_internet, ("web",), Severity.LOW, intent=_shop),
        Example("a policy admits a label that nobody bears", _mistyped, ("app",), Severity.MEDIUM, intent=_of_two),
        Example("all that is intended passes", _all_carried, intent=_shop),
        Example("a policy admits the pods that are meant", _admitted, intent=_of_two),
        Example("an NSG denies what is intended", _azure_denied, ("app",), Severity.MEDIUM, intent=web_to_app),
        Example("an NSG admits what is intended", _azure_as_meant, intent=web_to_app),
        Example(
            "no firewall rule admits what is intended", _gcp_denied, ("app",), Severity.MEDIUM, intent=gcp_web_to_app
        ),
        Example("a VPC firewall rule admits what is intended", _gcp_as_meant, intent=gcp_web_to_app),
    ),
    concept={
        "aws": "all pairs of interfaces, and the internet, against the intent given by `--intent`",
        "azure": "all pairs of interfaces, and the internet, against the intent given by `--intent`",
        "gcp": "all pairs of interfaces, and the internet, against the intent given by `--intent`",
        "kubernetes": "all pairs of workloads, and outside addresses, against the intent given by `--intent`",
    },
    needs=PAIRS_NEED,
    uses=PAIRS_USE,
    compliance={"nist-800-53r5": ("CA-9", "CM-6"), "pci-dss-4.0": ("1.2.7",)},
    precondition=_needs_intent,
)
