"""What became of an estate between two readings: the document ``cloudseg/diff/v1``."""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudseg.findings import ResourceInfo, RuleInfo, Severity
from cloudseg.reach.spread.extents import Exposure
from cloudseg.sources import SourceInfo

__all__ = [
    "ChangeInfo",
    "CountInfo",
    "DiffDocument",
    "DiffSummary",
    "FindingChange",
    "FindingsDiff",
    "Reading",
    "WitnessInfo",
]

Cause = Literal["changed", "came", "went"]


class Reading(msgspec.Struct, frozen=True):
    """One of the two readings.

    Attributes:
        generated_at: when the answers were read, ISO 8601 in UTC.
        sources: the scopes, and what is missing of each.
        findings: findings that no waiver accepts, by severity.
        exposure: how much can talk to how much, and how far an intruder gets; null where that was not asked for.
    """

    generated_at: str
    sources: tuple[SourceInfo, ...]
    findings: dict[str, int]
    exposure: Exposure | None


class WitnessInfo(
    msgspec.Struct,
    frozen=True,
    rename={"source": "from", "source_address": "from_address", "target": "to", "target_address": "to_address"},
):
    """One packet that shows a change.

    Attributes:
        source: qualified id of the sending interface; empty for an address outside of what was read.
        source_address: its address; empty where it was not read.
        target: qualified id of the receiving interface; empty for an address outside of what was read.
        target_address: its address; empty where it was not read.
        traffic: one port, one ICMP message or one protocol.
    """

    source: str
    source_address: str
    target: str
    target_address: str
    traffic: str


class ChangeInfo(msgspec.Struct, frozen=True, rename={"sources": "from", "targets": "to"}):
    """Traffic that several pairs gained or lost alike.

    Attributes:
        sources: qualified ids of interfaces, or ``external:<range>``.
        targets: the same.
        cause: ``changed``: both ends are in both readings; ``came``: an end is only in the new one; ``went``: only in
            the old one.
        certain: what is certainly gained or lost.
        at_most: what may be gained or lost besides.
        pairs: how many pairs of interfaces it is about; with one end outside, how many interfaces.
        witness: a packet that shows it.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cause: Cause
    certain: tuple[str, ...]
    at_most: tuple[str, ...]
    pairs: int
    witness: WitnessInfo


class CountInfo(msgspec.Struct, frozen=True):
    """How many gained, or lost.

    Attributes:
        pairs: ordered pairs of different interfaces, at most.
        certain_pairs: those of them for which it is certain.
        from_outside: interfaces that addresses outside reach by more (or less) traffic, at most.
        to_outside: interfaces that reach addresses outside by more (or less) traffic, at most.
    """

    pairs: int
    certain_pairs: int
    from_outside: int
    to_outside: int


class FindingChange(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that came, went or changed its severity.

    Attributes:
        id: its stable fingerprint.
        check: id of the check.
        severity: how bad it is, in the new reading where it is in both.
        before: how bad it was, where it is in both readings; null where it came or went.
        provider: the cloud.
        scope: account, subscription, project or cluster.
        region: the region, or ``global``.
        resource: what it is about.
        rule: the rule it is about; null for findings about the resource itself.
        message: one sentence for people.
    """

    id: str
    check: str
    severity: Severity
    before: Severity | None = None
    provider: str
    scope: str
    region: str
    resource: ResourceInfo
    rule: RuleInfo | None
    message: str


class FindingsDiff(msgspec.Struct, frozen=True):
    """Which findings came and went; those that a waiver accepts are left out.

    Attributes:
        new: findings of the new reading that the old one has not, worst first.
        gone: findings of the old reading that the new one has not, worst first.
        changed: findings of both whose severity differs, worst first.
    """

    new: tuple[FindingChange, ...]
    gone: tuple[FindingChange, ...]
    changed: tuple[FindingChange, ...]


class DiffSummary(msgspec.Struct, frozen=True):
    """Counts over the changes.

    Attributes:
        gains: how many gained.
        losses: how many lost.
        undecided: pairs of which it cannot be told whether they gained or lost, for something is unknown of them before
            and after.
        came: interfaces that are only in the new reading.
        went: interfaces that are only in the old one.
        new: new findings, by severity.
        gone: findings that went, by severity.
        changed: findings whose severity changed.
    """

    gains: CountInfo
    losses: CountInfo
    undecided: int
    came: int
    went: int
    new: dict[str, int]
    gone: dict[str, int]
    changed: int


class DiffDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an estate between two readings: the document ``cloudseg/diff/v1``.

    Attributes:
        schema: names the kind and version of this document.
        old: the reading that is compared with.
        new: the reading that is judged.
        summary: counts.
        gained: what became reachable.
        lost: what stopped being so.
        came: qualified ids of the interfaces that are only in the new reading.
        went: qualified ids of the interfaces that are only in the old one.
        findings: which findings came and went.
        names: what people call the interfaces that are named here, by qualified id.
    """

    schema: Literal["cloudseg/diff/v1"] = "cloudseg/diff/v1"
    old: Reading
    new: Reading
    summary: DiffSummary
    gained: tuple[ChangeInfo, ...]
    lost: tuple[ChangeInfo, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]
    findings: FindingsDiff
    names: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether everything was read that either reading asked for."""
        return all(source.complete for reading in (self.old, self.new) for source in reading.sources)
