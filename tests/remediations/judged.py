"""Runs a check over a small estate, answers its findings, and judges what is proposed by comparing estates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks import CHECKS
from cloudseg.reach.comparing.compare import compare
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.interface import Advice, Proposal
from cloudseg.remediations.words import change_text

if TYPE_CHECKING:
    from cloudseg.findings import Finding
    from cloudseg.intent import Intent
    from cloudseg.model import Estate
    from cloudseg.observed.observations import Observations
    from cloudseg.remediations.interface import Answer, Change, Phase, Remedy

PHASES: tuple[Phase, ...] = ("prepare", "add", "remove", "clean")


class Answers(NamedTuple):
    """What a remedy answers to all findings of a check about an estate."""

    estate: Estate
    context: RemedyContext
    findings: tuple[Finding, ...]
    answers: tuple[Answer, ...]

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        return tuple(each for each in self.answers if isinstance(each, Proposal))

    @property
    def proposal(self) -> Proposal:
        """The only proposal, without any advice beside it."""
        (found,) = self.answers
        assert isinstance(found, Proposal), found
        return found

    @property
    def advice(self) -> Advice:
        """The only answer, which is advice."""
        (found,) = self.answers
        assert isinstance(found, Advice), found
        return found

    @property
    def reasons(self) -> list[str]:
        """The reasons of all advice."""
        return [each.reason for each in self.answers if isinstance(each, Advice)]

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes in the order in which they are made."""
        every = [change for proposal in self.proposals for change in proposal.changes]
        return tuple(change for phase in PHASES for change in every if change.phase == phase)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(change_text(change, self.estate) for change in self.changes)

    @property
    def states(self) -> tuple[Estate, ...]:
        """The estate after each change, in order."""
        found = [self.estate]
        for change in self.changes:
            found.append(found[-1].with_edits(change.edits))
        return tuple(found[1:])

    @property
    def after(self) -> Estate:
        return self.states[-1] if self.changes else self.estate


def answered(
    remedy: Remedy,
    check: str,
    estate: Estate,
    *,
    intent: Intent | None = None,
    flows: Observations | None = None,
) -> Answers:
    """Return what a remedy answers to the findings of a check."""
    context = RemedyContext.of(estate, intent=intent, flows=flows)
    own = next(each for each in CHECKS if each.id == check)
    findings = tuple(own.run(context.audit(own)))
    answers = tuple(answer for finding in findings for answer in remedy.propose(context, finding))
    return Answers(estate, context, findings, answers)


def gains(before: Estate, after: Estate) -> list[str]:
    """Return what became reachable, in words."""
    found = compare(before, after)
    return [f"{each.sources} -> {each.targets} {each.upper}" for each in found.gained]


def losses(before: Estate, after: Estate) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Return what stopped being reachable: sources, targets, traffic at most."""
    found = compare(before, after)
    return [(each.sources, each.targets, str(each.upper)) for each in found.lost]


def assert_gains_nothing(judged: Answers) -> None:
    """Assert that neither the estate after all changes nor any on the way lets more through than today's."""
    for number, state in enumerate(judged.states):
        assert gains(judged.estate, state) == [], f"after change {number + 1}: {judged.lines[number]}"


def assert_carries(judged: Answers, source: str, target: str, traffic: str) -> None:
    """Assert that traffic passes today, after each change, and after all of them."""
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

    asked = Traffic.parse(traffic)
    for number, state in enumerate((judged.estate, *judged.states)):
        lower, _ = Reachability(state).between(source, target)
        assert asked <= lower, f"lost in state {number}: {('before', *judged.lines)[number]}"
