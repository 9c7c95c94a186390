"""Planning as a whole: from an account and a million conversations to the plan that people review.

Run as ``python -m benchmarks.planning [RUNS]``. ``python -m benchmarks.planning --one CASE`` is the fresh process of
one case: it prints its stages as JSON. The baseline is the audit alone, with all checks, of the same account and
conversations.
"""

from __future__ import annotations

import io
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.account import Size, describe
from benchmarks.account_snapshot import snapshot_of
from benchmarks.planning_traffic import write_traffic
from benchmarks.results import Budget, Result
from benchmarks.stages import main, measured, peak_memory
from cloudseg.flows.conversations import read_conversations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.stages import Stages
    from cloudseg.findings import Finding, RuleInfo
    from cloudseg.model import Estate
    from cloudseg.plan.candidates import Answers
    from cloudseg.plan.making import Made, PlanRequest
    from cloudseg.plan.ordering import Step
    from cloudseg.plan.settling import Verdict
    from cloudseg.plan.values import PlanDocument
    from cloudseg.remediations.demand import Demand

__all__ = ["measure"]


class Case(NamedTuple):
    """How large the account is, and how many conversations of it were seen."""

    rules: int
    conversations: int


CASES: Final = {"1,000 rules": Case(1_000, 20_000), "10,000 rules": Case(10_000, 1_000_000)}
LONGEST: Final = 60.0
"""Seconds of CPU time for the whole of it: 10,000 rules, 1,000,000 conversations."""
SHOWN: Final = 65_000
"""Characters of plan.md: what a pull request of GitHub takes."""
_UNUSED: Final = re.compile(r"^nobody (was seen|who was read|is judged)")
"""How the remedy says that there is nobody to name."""
_CHECK: Final = "address-based-rule"
_STAGES: Final = {
    "run_audit": "audit",
    "answers_to": "answers",
    "settled": "settle",
    "assembled": "assemble",
    "exposure_of_both": "exposure",
}
"""What a plan is made of, and how it is called here."""


class _Watch:
    """Makes a plan as the command line does, and takes the time of its parts.

    Attributes:
        proofs: how many proofs were asked for.
        seconds: CPU time of them all.
        returned: what each part returned, by its stage.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self.proofs = 0
        self.seconds = 0.0
        self.returned: dict[str, Any] = {}

    def made(self, estate: Estate, fingerprint: str, request: PlanRequest) -> Made:
        """Make a plan; its parts are wrapped where they are called, since the program itself measures nothing."""
        from cloudseg.plan import making

        for name, stage in _STAGES.items():
            setattr(making, name, self._timed(stage, getattr(making, name)))

        def prove(estate: Estate, steps: Sequence[Step], demand: Demand) -> Verdict:
            begun = time.process_time()
            verdict = making.proved(estate, steps, demand)
            self.seconds += time.process_time() - begun
            self.proofs += 1
            return verdict

        return making.make_plan(estate, fingerprint, request, prove=prove)

    def _timed(self, stage: str, work: Callable[..., object]) -> Callable[..., object]:
        def timed(*args: object, **named: object) -> object:
            found = self._stages.timed(stage, lambda: work(*args, **named))
            self.returned[stage] = found
            return found

        return timed


def _one(name: str, stages: Stages) -> None:
    from cloudseg.cli.sources import translate
    from cloudseg.engine import AuditRequest, run_audit
    from cloudseg.plan.document import written
    from cloudseg.plan.fingerprint import fingerprint
    from cloudseg.plan.making import PlanRequest

    case = CASES[name]
    snapshot = snapshot_of(describe(Size.of_rules(case.rules)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversations.parquet"
        write_traffic(translate(snapshot), case.conversations, path)
        alone = AuditRequest(flows=read_conversations(path))
        estate = translate(snapshot)
        stages.timed("audit alone", lambda: run_audit(estate, alone))
        conversations = read_conversations(path)
        request = PlanRequest(audit=AuditRequest(flows=conversations))
        print_of = fingerprint(snapshot)
        estate = translate(snapshot)
        watch = _Watch(stages)
        made = stages.timed("plan", lambda: watch.made(estate, print_of, request))
    stages.timed("document", lambda: written(made.document))
    text = stages.timed("markdown", lambda: _markdown(made.document))
    stages.cpu["proofs"] = watch.seconds
    stages.counts = {
        "conversations": len(conversations),
        "proofs": watch.proofs,
        "plan.md": len(text),
        "MiB": peak_memory(),
        **_figures(made.document, watch),
    }


def _markdown(document: PlanDocument) -> str:
    from cloudseg.reporters.interface import RenderOptions
    from cloudseg.reporters.plan_markdown import REPORTER

    text = io.StringIO()
    REPORTER.write(document, text, RenderOptions())
    return text.getvalue()


def _figures(document: PlanDocument, watch: _Watch) -> dict[str, float]:
    """Return how much there was to mend, what of it is mended, and how much can talk to how much in the end."""
    answers: Answers = watch.returned["answers"]
    asked = {finding.id: finding for finding in answers.findings if finding.check == _CHECK}
    proposed = {finding.id for candidate in answers.candidates for finding in candidate.findings} & asked.keys()
    mended = {finding for proposal in document.proposals for finding in proposal.findings}
    # What else is wrong with a rule may have taken it away or narrowed it.
    better = {_rule(finding) for finding in answers.findings if finding.id in mended}
    replaced = asked.keys() & mended
    others = [finding for name, finding in asked.items() if name not in mended and _rule(finding) in better]
    unused = {each.finding for each in document.refused if each.finding in asked and _UNUSED.search(each.reason)}
    exposure = document.exposure
    if exposure is None:
        raise RuntimeError("the plan does not tell the exposure")
    return {
        "holds": document.proof.holds,
        "findings": document.summary.findings,
        "mended": document.summary.mended,
        "edits": len(document.edits),
        "address-based": len(asked),
        "proposed": len(proposed),
        "replaced": len(replaced),
        "mended otherwise": len(others),
        "in use": len(asked) - len(unused),
        "rules": exposure.before.rules,
        "rules after": exposure.after.rules,
        "pairs": exposure.before.pairs_at_most,
        "pairs after": exposure.after.pairs_at_most,
    }


def _rule(finding: Finding) -> tuple[str, str, RuleInfo | None]:
    return finding.scope, finding.resource.id, finding.rule


def measure(runs: int = 1) -> Result:
    """Plan for each account in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for name, case in CASES.items():
        found = measured("benchmarks.planning", name, runs)
        whole = found.cpu["plan"] + found.cpu["document"] + found.cpu["markdown"]
        rows.append(
            (
                f"{name}, {found.number('conversations')} conversations",
                *(f"{found.cpu[stage]:.2f}" for stage in _SHOWN_STAGES),
                f"{whole:.1f}",
                f"{whole / found.cpu['audit alone']:.1f}",
                found.number("MiB"),
                found.number("edits"),
                found.number("plan.md"),
                found.number("address-based"),
                found.number("in use"),
                f"{found.number('replaced')} ({100 * found.counts['replaced'] / found.counts['in use']:.0f} %)",
                found.number("mended otherwise"),
                f"{found.number('rules')} → {found.number('rules after')}",
                f"{found.number('pairs')} → {found.number('pairs after')}",
            )
        )
        if case.rules == 10_000:
            budgets.append(Budget(f"plan of {name}, {case.conversations:,} conversations", whole, LONGEST, "s CPU"))
            budgets.append(Budget(f"plan.md of {name}", found.counts["plan.md"], SHOWN, "characters"))
    header = (
        "account", *(f"{stage} s" for stage in _SHOWN_STAGES), "whole s", "x audit alone", "MiB", "edits",
        "plan.md characters", "rules that name addresses", "of these in use", "replaced", "removed or narrowed",
        "rules", "pairs at most",
    )  # fmt: skip
    about = (
        "`cloudseg plan` with conversations of a month and no intent, from the estate to both documents, in CPU time. "
        "`audit` is that of the plan: the checks that some remedy answers; it reads the conversations. `settle` is "
        "everything from the proposals to what is proved, and `proofs` the part of it that proves. The ratio is to an "
        "audit with all checks of the same account and conversations, in the same process. Memory is that of the whole "
        "process. Rules that name addresses are the findings of `address-based-rule`; nobody uses most of those that "
        "the generator draws. Replaced are those in whose place the proved plan puts groups, in parts of a hundred of "
        "those in use; others it removes or narrows for another finding about the same rule."
    )
    return Result("Planning", about, header, tuple(rows), tuple(budgets))


_SHOWN_STAGES: Final = ("audit", "answers", "settle", "proofs", "exposure", "document", "markdown")


if __name__ == "__main__":
    main(measure, _one)
