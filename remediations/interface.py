"""What a remedy is made of, what it is given, and what it may answer.

A remedy is one file: a docstring with fixed headings, a ``REMEDY`` value with its metadata and examples, and one
function that answers one finding. It proposes changes of the model and never calls a provider; whether a proposal is
safe is not its to say: the proof decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from cloudseg.findings import Finding
from cloudseg.intent import Intent
from cloudseg.model import Estate
from cloudseg.model.edits import Edit
from cloudseg.observed.observations import Observations
from cloudseg.remediations.context import RemedyContext

__all__ = ["Advice", "Answer", "Change", "Choice", "Phase", "Proposal", "Remedy", "RemedyExample", "Safety"]

Safety = Literal["safe", "needs review"]
Phase = Literal["prepare", "add", "remove", "clean"]
"""When a change is made: all of one phase go before all of the next.

``prepare`` makes what others need and what judges nobody yet (a group without members, its default rules taken away);
``add`` lets more through, or as much; ``remove`` takes away; ``clean`` removes what nothing refers to any more.
"""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One way that was considered, and what became of it.

    Attributes:
        name: what it would have used, as people know it: the label of a group.
        chosen: it was taken.
        adds: whom it would have admitted who is not admitted today, in words; empty for nobody.
        misses: whom it would have left out who needs it, in words; empty for nobody.
        reason: why it was taken or not, in one sentence.
    """

    name: str
    chosen: bool
    adds: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    reason: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one resource of the provider's.

    Attributes:
        edits: the change in the model: one edit, or one for each place at which the resource stands in the estate.
        phase: when it is made.
        reason: why, in one sentence.
        evidence: the facts that it rests on, one sentence each.
        undo: what takes it back, in one sentence.
    """

    edits: tuple[Edit, ...]
    phase: Phase
    reason: str
    evidence: tuple[str, ...] = ()
    undo: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Changes that mend a finding and stand or fall together.

    Attributes:
        remedy: id of the remedy.
        findings: ids of the findings that it mends, the one it was asked about first.
        resource: qualified id of what it is about: the list, the service, the network.
        summary: what it does, in one sentence.
        changes: in an order in which each may be made when those before it are; of one phase in the order given.
        safety: ``safe`` where the proof says all there is to say; ``needs review`` where people know more.
        risks: what could break that no proof sees, one sentence each.
        considered: what was looked at for it, the chosen ones first.
        drops: what no longer passes afterwards and nobody is known to need, one sentence each.
        assumptions: what must be so for it to hold, beside what every plan assumes.
    """

    remedy: str
    findings: tuple[str, ...]
    resource: str
    summary: str
    changes: tuple[Change, ...]
    safety: Safety = "needs review"
    risks: tuple[str, ...] = ()
    considered: tuple[Choice, ...] = ()
    drops: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """Why a finding is not mended by a change, and what people can do.

    Attributes:
        remedy: id of the remedy.
        finding: id of the finding.
        resource: qualified id of what it is about.
        reason: why no change is proposed, in one sentence.
        witness: a packet that shows why, in words; empty where there is none.
        steps: what people can do, one sentence each.
        considered: what was looked at.
    """

    remedy: str
    finding: str
    resource: str
    reason: str
    witness: str = ""
    steps: tuple[str, ...] = ()
    considered: tuple[Choice, ...] = ()


Answer = Proposal | Advice


class RemedyExample(msgspec.Struct, frozen=True, kw_only=True):
    """A small estate, and what the remedy must answer to a finding of it: the remedy's first tests, part of its page.

    Attributes:
        name: what the estate shows, as a sentence.
        build: returns the estate.
        check: id of the check whose findings are answered.
        changes: what must be proposed, a line each as ``change_text`` tells a change, in order; empty for advice alone.
        advice: a part of the reason of the advice that must be given; empty for none.
        intent: returns the intended traffic, where the example has one.
        flows: returns observed conversations, where the example has some.
    """

    name: str
    build: Callable[[], Estate]
    check: str
    changes: tuple[str, ...] = ()
    advice: str = ""
    intent: Callable[[], Intent] | None = None
    flows: Callable[[], Observations] | None = None


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata, the examples and the function of one remedy.

    Attributes:
        id: as findings name it: ``replace-addresses-with-group``.
        answers: ids of the checks whose findings it mends.
        propose: yields what to do about one finding: proposals, advice, or both for parts of it.
        examples: at least one that proposes changes and one that gives advice.
        concept: for each provider where it changes something, in one phrase, what it changes there.
        absent: for each other provider, why there is nothing to change.
    """

    id: str
    answers: tuple[str, ...]
    propose: Callable[[RemedyContext, Finding], Iterable[Answer]]
    examples: tuple[RemedyExample, ...]
    concept: Mapping[str, str]
    absent: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
