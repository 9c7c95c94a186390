"""The plan as a document, ``cloudseg/plan/v1``: what is to be changed, why, in which order, and what is proved of it.

Attributes of a document become members of its JSON; their descriptions become those of its JSON Schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.findings import Severity
from cloudseg.model.edits import Edit
from cloudseg.remediations.interface import Choice, Phase, Safety
from cloudseg.sources import SourceInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "AskedFor",
    "EvidenceInfo",
    "ExposureChange",
    "ExposureInfo",
    "LeftAlone",
    "ManifestInfo",
    "PacketInfo",
    "PlanDocument",
    "PlanEdit",
    "PlanSummary",
    "ProofInfo",
    "ProposalInfo",
    "RefusedInfo",
    "SnapshotInfo",
    "ViolationInfo",
]


class SnapshotInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan was made from.

    Attributes:
        fingerprint: SHA-256 over all answers that were read, whatever order their files have; the same answers give the
            same one.
        taken_at: when the answers were read, ISO 8601 in UTC; the newest of several sources.
        sources: the scopes, and what is missing of each.
    """

    fingerprint: str
    taken_at: str
    sources: tuple[SourceInfo, ...]


class EvidenceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan knows of who needs what.

    Attributes:
        conversations: how many observed conversations were given; null where none were.
        first: begin of the time that their logs cover, ISO 8601 in UTC; empty without any.
        last: its end.
        needs: how many different needs they make: source, target and port of what was accepted and passes today.
        unplaced: how many accepted ones have an end that was not found: what they may use stays as it is.
        allowances: how many allowances the intent has; null where there is none.
    """

    conversations: int | None
    first: str = ""
    last: str = ""
    needs: int = 0
    unplaced: int = 0
    allowances: int | None


class AskedFor(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan was asked for.

    Attributes:
        checks: the only checks whose findings it mends; empty for all.
        skip: checks whose findings it leaves.
        remedies: the only remedies; empty for all.
        segments: the only segments; empty for all.
        environments: the only environments; empty for all.
        max_edits: the most edits; null for as many as there are.
        order: the environments, the lowest first: an edit that concerns several belongs to the highest.
    """

    checks: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    max_edits: int | None = None
    order: tuple[str, ...] = ()


class PlanEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one resource of the provider's.

    Attributes:
        id: stable, from what the edit says; edits that say the same have the same one.
        kind: what is done: ``add-rule``, ``attach``.
        phase: when: all of ``prepare`` goes before ``add``, then ``remove``, then ``clean``.
        provider: the cloud.
        scope: account, subscription, project or cluster.
        region: the region, or ``global``.
        resource: qualified id of what is changed.
        name: what people call it.
        environment: the highest environment that it concerns; empty where tags tell none of some of them.
        before: what is there now, in words; empty where nothing is.
        after: what is there afterwards, in words; empty where nothing is.
        change: the change in the model: one for each place at which the resource stands.
        reason: why, in one sentence.
        evidence: the facts that it rests on, one sentence each.
        risk: what could break that no proof sees, one sentence each.
        safety: ``safe`` where the proof says all there is to say; ``needs review`` where people know more.
        undo: what takes it back, in one sentence.
        removes: it takes something away that is there today.
        proposals: ids of the proposals that need it.
        findings: ids of the findings that it helps to mend.
    """

    id: str
    kind: str
    phase: Phase
    provider: str
    scope: str
    region: str
    resource: str
    name: str
    environment: str
    before: str
    after: str
    change: tuple[Edit, ...]
    reason: str
    evidence: tuple[str, ...]
    risk: tuple[str, ...]
    safety: Safety
    undo: str
    removes: bool
    proposals: tuple[str, ...]
    findings: tuple[str, ...]


class ProposalInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Edits that mend a finding and stand or fall together.

    Attributes:
        id: stable, from what its edits say.
        remedy: id of the remedy.
        findings: ids of the findings that it mends.
        checks: ids of the checks that found them.
        severity: of the worst of them.
        resource: qualified id of what it is about.
        name: what people call it.
        environment: the highest environment that an edit of it concerns; empty where tags do not tell.
        summary: what it does, in one sentence.
        safety: ``safe`` or ``needs review``.
        edits: ids of its edits, in order.
        risks: what could break that no proof sees.
        considered: what was looked at for it, the chosen ones first.
        drops: what no longer passes afterwards, and nobody is known to need.
        assumptions: what must be so for it to hold, beside what every plan assumes.
    """

    id: str
    remedy: str
    findings: tuple[str, ...]
    checks: tuple[str, ...]
    severity: Severity
    resource: str
    name: str
    environment: str
    summary: str
    safety: Safety
    edits: tuple[str, ...]
    risks: tuple[str, ...]
    considered: tuple[Choice, ...]
    drops: tuple[str, ...]
    assumptions: tuple[str, ...]


class RefusedInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that the plan does not mend, or not this way.

    Attributes:
        finding: id of the finding.
        check: id of the check that found it.
        severity: how bad it is.
        remedy: id of the remedy.
        resource: qualified id of what it is about.
        name: what people call it.
        by: who refuses: the ``remedy`` itself, another proposal that goes first (``conflict``), the ``proof``, or the
            ``estate``, to which the edits do not fit.
        reason: why, in one sentence.
        witness: a packet that shows why: source, destination, traffic and rule; empty where there is none.
        steps: what people can do, one sentence each.
        considered: what was looked at.
    """

    finding: str
    check: str
    severity: Severity
    remedy: str
    resource: str
    name: str
    by: Literal["remedy", "conflict", "proof", "estate"]
    reason: str
    witness: str
    steps: tuple[str, ...]
    considered: tuple[Choice, ...]


class LeftAlone(msgspec.Struct, frozen=True):
    """Traffic that the plan neither opens nor keeps, since today nothing carries it.

    Attributes:
        count: how many there are.
        first: the first few, in words.
    """

    count: int
    first: tuple[str, ...] = ()


class PacketInfo(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from", "target": "to"}):
    """A packet: who sends it, to whom, on what.

    Attributes:
        source: who sends it, in words.
        target: the other end, in words.
        traffic: one port, one ICMP message or one protocol.
    """

    source: str
    target: str
    traffic: str


class ViolationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a plan from being proved.

    Attributes:
        packet: a packet that shows it.
        certain: it surely comes to pass; false where something unknown decides.
        when: after which step it shows: ``at the end``, or in between.
        rule: the rule that lets it through, or that is taken away.
        edits: ids of the edits that touch its ends.
    """

    packet: PacketInfo
    certain: bool
    when: str
    rule: str
    edits: tuple[str, ...]


class ProofInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is proved of the edits together, in their order.

    Attributes:
        holds: nothing is gained and nothing that is needed is lost, in every state between before and after.
        gained: what would pass that does not today.
        lost: what is needed and would pass no more.
        impossible: what else stands against the plan, such as a quota, one sentence each.
        checked: how much was looked at, by what it is: pairs, needs, states.
        unknowns: what was not read, and is the same before and after whatever it is.
        assumptions: what must be so for the proof to mean what it says.
    """

    holds: bool
    gained: tuple[ViolationInfo, ...] = ()
    lost: tuple[ViolationInfo, ...] = ()
    impossible: tuple[str, ...] = ()
    checked: dict[str, int] = {}
    unknowns: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


class ExposureInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How much can talk to how much.

    Attributes:
        rules: rules in all lists.
        interfaces: interfaces that were read.
        pairs: ordered pairs of interfaces that certainly can talk.
        pairs_at_most: those that can talk at most.
        administration: pairs that certainly can talk on administration ports.
        administration_at_most: those that can at most.
        from_internet: interfaces that the internet certainly reaches.
        from_internet_at_most: interfaces that it reaches at most.
    """

    rules: int
    interfaces: int
    pairs: int
    pairs_at_most: int
    administration: int
    administration_at_most: int
    from_internet: int
    from_internet_at_most: int


class ExposureChange(msgspec.Struct, frozen=True):
    """The exposure of the estate before and after the plan.

    Attributes:
        before: as it is.
        after: as it would be.
    """

    before: ExposureInfo
    after: ExposureInfo


class ManifestInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of a cluster that the plan adds, changes or takes away.

    Attributes:
        resource: qualified id of the policy.
        path: the file in the plan's folder that holds it as it is afterwards; empty where none was written.
        sha256: of the file; empty where none was written.
        reason: why none was written, or what is special about the one that was; empty for one that is to be applied and
            stays.
        edits: ids of the edits that it stands for.
    """

    resource: str
    path: str
    sha256: str
    reason: str
    edits: tuple[str, ...]


class PlanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts.

    Attributes:
        findings: findings that some remedy answers, accepted ones left out.
        mended: how many of them the plan mends.
        refused: how many of them it does not mend, or not in full, with a reason in ``refused``.
        waived: findings that a waiver accepts, which no plan touches.
        left_out: what the options left out, by option: findings by `--segment`, answers of remedies by `--environment`,
            proposals by `--max-edits`.
        edits: edits.
        needing_review: edits that need review.
        removals: edits that take something away that is there today.
    """

    findings: int
    mended: int
    refused: int
    waived: int
    left_out: dict[str, int]
    edits: int
    needing_review: int
    removals: int


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed, why, in which order, and what is proved of it: the document ``cloudseg/plan/v1``.

    Attributes:
        schema: names the kind and version of this document.
        digest: SHA-256 of the document without this member, as UTF-8 JSON with sorted keys and no spaces.
        tool: the version of cloudseg that made it.
        snapshot: what it was made from.
        evidence: what it knows of who needs what.
        asked: what was asked for.
        summary: counts.
        edits: what is to be done, in this order.
        proposals: which edits belong together, and why.
        refused: what is not mended, and why.
        observed_not_carried: accepted conversations that the estate of today does not carry.
        intended_not_carried: allowances of the intent that the estate of today does not carry.
        proof: what is proved of all edits together.
        exposure: how much can talk to how much, before and after; null where that was not asked for.
        manifests: policies of clusters, as they are afterwards.
        notes: what a reviewer should know besides.
    """

    schema: Literal["cloudseg/plan/v1"] = "cloudseg/plan/v1"
    digest: str = ""
    tool: str
    snapshot: SnapshotInfo
    evidence: EvidenceInfo
    asked: AskedFor
    summary: PlanSummary
    edits: tuple[PlanEdit, ...]
    proposals: tuple[ProposalInfo, ...]
    refused: tuple[RefusedInfo, ...]
    observed_not_carried: LeftAlone
    intended_not_carried: LeftAlone
    proof: ProofInfo
    exposure: ExposureChange | None
    manifests: tuple[ManifestInfo, ...]
    notes: tuple[str, ...]

    def changes(self) -> Iterator[Edit]:
        """Yield the edits of the model, in their order."""
        for edit in self.edits:
            yield from edit.change
