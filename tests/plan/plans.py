"""Small estates, proposals and plans by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, select_checks
from cloudseg.findings import Finding, ResourceInfo, Severity
from cloudseg.model import Carries, Group, RuleSet, qualified
from cloudseg.model.edits import AddRule, AddRuleSet, Attach, CreateGroup, RemoveRule
from cloudseg.plan.candidates import Candidate, content_id
from cloudseg.plan.digest import short_hash
from cloudseg.plan.making import PlanRequest, make_plan
from cloudseg.plan.settling import Verdict
from cloudseg.remediations.interface import Advice, Change, Proposal, Remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cloudseg.model import Estate
    from cloudseg.model.edits import Edit
    from cloudseg.plan.making import Made
    from cloudseg.plan.ordering import Step
    from cloudseg.plan.settling import Violation
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Demand
    from cloudseg.remediations.interface import Answer, Phase

    Prove = Callable[[Estate, Sequence[Step], Demand], Verdict]
    Propose = Callable[[RemedyContext, Finding], Iterable[Answer]]

CHECK = "internet-exposed-port"


def own(identifier: str) -> str:
    """Return a qualified id of the account and region of small estates."""
    return qualified("aws", "111122223333", identifier, "eu-west-1")


DB = own("sg-db")
WIDE = allow("ingress", "tcp/5432", "10.0.0.0/16", rule_id="wide")
SSH = allow("ingress", "tcp/22", "0.0.0.0/0", rule_id="ssh")
NARROW = allow("ingress", "tcp/5432", "sg-web", rule_id="narrow")


def shop(**environments: str) -> EstateBuilder:
    """Return a web server and a database, whose group admits the network and SSH from everywhere."""
    made = EstateBuilder()
    made.group("sg-web", allow("egress", "all", "0.0.0.0/0", rule_id="out"))
    made.group("sg-db", WIDE, SSH, allow("egress", "all", "0.0.0.0/0", rule_id="out"), name="db")
    tags = {name: {"environment": value} for name, value in environments.items()}
    made.interface("eni-web", groups=("sg-web",), address="10.0.2.10", tags=tags.get("web", {}))
    made.interface(
        "eni-db", "subnet-public", groups=("sg-db",), address="10.0.1.20", public="203.0.113.20",
        tags=tags.get("db", {}),
    )  # fmt: skip
    return made


def change(phase: Phase, *edits: Edit, reason: str = "", undo: str = "undo it") -> Change:
    """Return a change for which no evidence is told."""
    return Change(edits=edits, phase=phase, reason=reason or f"{phase} it", undo=undo)


def proposal(*changes: Change, remedy: str = "mend", resource: str = DB, summary: str = "mend it") -> Proposal:
    """Return a proposal of one resource."""
    return Proposal(remedy=remedy, findings=("f",), resource=resource, summary=summary, changes=changes)


def finding(identifier: str = "f", severity: Severity = Severity.HIGH, check: str = CHECK) -> Finding:
    """Return a finding about the database's group."""
    return Finding(
        id=identifier, check=check, severity=severity, provider="aws", scope="111122223333", region="eu-west-1",
        resource=ResourceInfo("security-group", "sg-db"), message="it is wide",
    )  # fmt: skip


def candidate(
    *changes: Change, severity: Severity = Severity.HIGH, remedy: int = 0, identifier: str = "f", summary: str = "it"
) -> Candidate:
    """Return a proposal that a plan may take up."""
    contents = tuple(content_id(each) for each in changes)
    return Candidate(
        short_hash([remedy, *contents]),
        proposal(*changes, remedy=f"remedy-{remedy}", summary=summary),
        contents,
        (finding(identifier, severity),),
        remedy,
    )


NEW = own("cloudseg-new")
NEW_OUT = allow("egress", "all", "0.0.0.0/0", rule_id="default-out")


def new_group() -> tuple[Change, ...]:
    """Return the changes that make an empty group and take away the egress that it is born with."""
    group = Group(id=NEW, kind="security-group", region="eu-west-1", selector=Carries(NEW))
    rules = RuleSet(
        id=NEW, kind="security-group", region="eu-west-1", stage="security-groups", rules=(NEW_OUT,),
        applies=Carries(NEW),
    )  # fmt: skip
    return (
        change("prepare", CreateGroup(group), AddRuleSet(rules)),
        change("prepare", RemoveRule(NEW, "default-out")),
    )


def narrowed() -> tuple[Change, ...]:
    """Return the changes that put a group in the place of the network."""
    return change("add", AddRule(DB, NARROW)), change("remove", RemoveRule(DB, "wide"))


def joining(interface: str) -> Change:
    """Return the change that puts an interface into the new group."""
    return change("add", Attach(own(interface), NEW))


def remedy(name: str, propose: Propose, *checks: str) -> Remedy:
    """Return a remedy that answers some checks."""
    return Remedy(id=name, answers=checks or (CHECK,), propose=propose, examples=(), concept={"aws": "groups"})


def advice(reason: str = "people decide") -> Advice:
    """Return advice for the database's group."""
    return Advice(remedy="mend", finding="f", resource=DB, reason=reason, steps=("ask its owner",))


def holds(_estate: Estate, _steps: Sequence[Step], _demand: Demand) -> Verdict:
    """Prove whatever is proposed."""
    return Verdict(holds=True)


def refusing(violation: Violation, wrong: Edit) -> Prove:
    """Return a proof that holds unless some edit is among the changes; the violation blames its change."""

    def prove(_estate: Estate, steps: Sequence[Step], _demand: Demand) -> Verdict:
        places = tuple(place for place, step in enumerate(steps) if wrong in step.change.edits)
        if not places:
            return Verdict(holds=True)
        return Verdict(holds=False, violations=(violation._replace(steps=places),))

    return prove


def made(
    estate: Estate, *remedies: Remedy, prove: Prove = holds, request: PlanRequest | None = None, **more: Any
) -> Made:
    """Return the plan of an estate by some remedies alone, and the findings of one check."""
    asked = request or PlanRequest(audit=AuditRequest(checks=select_checks((CHECK,))), **more)
    return make_plan(estate, "f" * 64, asked, remedies, prove)
