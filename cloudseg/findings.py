"""What a check reports, and how findings are recognised again from run to run."""

from __future__ import annotations

import enum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.model import (
    Addresses,
    Direction,
    Estate,
    Everyone,
    GroupRef,
    ListRef,
    Names,
    Peer,
    Resource,
    Rule,
    Unresolved,
    shown_id,
    unplaced,
)

if TYPE_CHECKING:
    from cloudseg.traffic import Traffic

__all__ = [
    "Also",
    "Confidence",
    "Finding",
    "Remedy",
    "ResourceInfo",
    "RuleInfo",
    "Severity",
    "WaiverInfo",
    "fingerprint",
    "fingerprint_of",
    "normal_form",
    "peer_text",
    "resource_info",
    "rule_info",
    "stem",
]

Confidence = Literal["high", "medium", "low"]


class Severity(enum.StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst; sorting by it puts the worst first."""
        return _RANKS[self]

    def lowered(self) -> Severity:
        """Return the next milder severity; info stays info."""
        return _BY_RANK[min(self.rank + 1, len(_BY_RANK) - 1)]


_BY_RANK = tuple(Severity)
_RANKS = {severity: rank for rank, severity in enumerate(_BY_RANK)}


class ResourceInfo(msgspec.Struct, frozen=True, order=True, gc=False):
    """The resource that a finding is about, as the provider names it.

    Attributes:
        kind: the provider's word for it.
        id: the provider's own id.
        name: the name that people gave it.
    """

    kind: str
    id: str
    name: str = ""


class RuleInfo(msgspec.Struct, frozen=True, order=True, gc=False):
    """The rule that a finding is about, in the shortest form a person would write.

    Attributes:
        id: the provider's id of the rule, or a text that is unique in its rule set.
        direction: ``ingress`` or ``egress``.
        traffic: protocols and ports: ``tcp/443``.
        peer: the other end: addresses, or own ids of groups and lists.
    """

    id: str
    direction: Direction
    traffic: str
    peer: str


class Remedy(msgspec.Struct, frozen=True, gc=False):
    """What would mend a finding.

    Attributes:
        id: the remedy's id of the design, ``replace-addresses-with-group``.
        summary: what to do, in one sentence, for people.
        groups: own ids of the groups to name, for remedies that replace addresses by identities.
    """

    id: str
    summary: str
    groups: tuple[str, ...] = ()


class Also(msgspec.Struct, frozen=True, gc=False):
    """What else is wrong with the rule of a finding: one rule, one finding.

    Attributes:
        id: the id that it would have as a finding of its own; a waiver can name it.
        check: id of the other check.
        severity: the severity that it gave.
        message: what it said.
        evidence: the facts that it rests on.
        remedy: what would mend it.
    """

    id: str
    check: str
    severity: Severity
    message: str
    evidence: tuple[str, ...] = ()
    remedy: Remedy | None = None


class WaiverInfo(msgspec.Struct, frozen=True, gc=False):
    """Why a finding is accepted, by whom, and until when.

    Attributes:
        owner: who answers for it.
        reason: why it is accepted.
        expires: the last day on which it is, ISO 8601.
    """

    owner: str
    reason: str
    expires: str


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a check reports about one resource, or about one rule of it.

    Attributes:
        id: stable fingerprint of check, scope, resource and the rule's normal form.
        check: id of the check.
        severity: how bad it is.
        confidence: how sure: ``low`` where something unknown decides.
        provider: the cloud.
        scope: account, subscription, project or cluster.
        region: the region, or ``global``.
        resource: what it is about.
        rule: the rule it is about; None for findings about the resource itself.
        message: one sentence for people.
        evidence: the facts that it rests on, one sentence each.
        reachable: True, the rule certainly delivers a packet; False, not even at most; None, undecided, or not about
            traffic.
        affected: own ids of the interfaces concerned.
        also: what else is wrong with the same rule.
        remedy: what would mend it; None where nothing general can be said.
        compliance: ``benchmark-version:control``.
        location: where it is written, for estates read from files.
        related: where else what it speaks of is written: the other policies of a group, the other rules that let a
            path pass.
        waiver: the waiver that accepts it.
    """

    id: str
    check: str
    severity: Severity
    confidence: Confidence = "high"
    provider: str
    scope: str
    region: str
    resource: ResourceInfo
    rule: RuleInfo | None = None
    message: str
    evidence: tuple[str, ...] = ()
    reachable: bool | None = None
    affected: tuple[str, ...] = ()
    also: tuple[Also, ...] = ()
    remedy: Remedy | None = None
    compliance: tuple[str, ...] = ()
    location: dict[str, str | int] | None = None
    related: tuple[dict[str, str | int], ...] = ()
    waiver: WaiverInfo | None = None


def peer_text(peers: tuple[Peer, ...], estate: Estate | None = None) -> str:
    """Return the other end of a rule as a person would write it: addresses, own ids of groups and lists, names."""
    if estate is None:
        return _nameless(peers)
    if len(peers) == 1:
        return _one_peer(peers[0], estate)
    return ", ".join(_one_peer(peer, estate) for peer in peers) or "nobody"


# A hundred thousand rules name the same few thousand ends.
@lru_cache(maxsize=65536)
def _nameless(peers: tuple[Peer, ...]) -> str:
    return ", ".join(_one_peer(peer, None) for peer in peers) or "nobody"


def _one_peer(peer: Peer, estate: Estate | None) -> str:
    match peer:
        case Addresses(addresses):
            return str(addresses)
        case Everyone():
            return "everyone"
        case GroupRef(group):
            return _named(group, estate.groups.get(group) if estate else None)
        case ListRef(name):
            return _named(name, estate.address_lists.get(name) if estate else None)
        case Names(names):
            return ", ".join(names)
        case Unresolved(variable, name=name):
            return f"unknown ({name or variable})"


def _named(identifier: str, known: Resource | None) -> str:
    return shown_id(identifier) if known is None else known.label


def normal_form(rule: Rule, info: RuleInfo | None = None) -> str:
    """Return the text by which a rule is recognised again: no rule id, no description, no place in a file.

    Args:
        rule: the rule.
        info: what :func:`rule_info` returned of it, to spare working out its texts again.
    """
    texts = info or rule_info(rule)
    ports = "" if rule.source_ports is None else f"|from {rule.source_ports.intervals}"
    return f"{rule.direction}|{rule.verdict}|{texts.traffic}|{texts.peer}|{_nameless(rule.local)}{ports}"


def fingerprint(
    check: str, resource: Resource, rule: Rule | None = None, aspect: str = "", info: RuleInfo | None = None
) -> str:
    """Return the stable id of a finding: 20 hexadecimal digits of SHA-256.

    Args:
        check: id of the check.
        resource: what the finding is about.
        rule: the rule, by its normal form.
        aspect: tells several findings of one check about one resource apart.
        info: what :func:`rule_info` returned of the rule, to spare working out its texts again.
    """
    return fingerprint_of(stem(check, resource), "" if rule is None else normal_form(rule, info), aspect)


def stem(check: str, resource: Resource) -> str:
    """Return the part of a fingerprint's text that all findings of a check about one resource share."""
    return f"{check}\x1f{resource.provider}\x1f{resource.scope}\x1f{unplaced(resource.id)}\x1f"


def fingerprint_of(start: str, form: str, aspect: str) -> str:
    """Return a fingerprint of its parts: :func:`stem`, the rule's :func:`normal_form` or nothing, and the aspect."""
    return sha256(f"{start}{form}\x1f{aspect}".encode()).hexdigest()[:20]


def resource_info(resource: Resource) -> ResourceInfo:
    """Return the part of a resource that a finding shows."""
    return ResourceInfo(resource.kind, resource.own_id, resource.name)


def rule_info(rule: Rule) -> RuleInfo:
    """Return the part of a rule that a finding shows; its peers by own id, without names that people may change."""
    return RuleInfo(rule.id, rule.direction, *_texts(rule.traffic, rule.remote))


# A hundred thousand rules say the same few ten thousand things.
@lru_cache(maxsize=65536)
def _texts(traffic: Traffic, remote: tuple[Peer, ...]) -> tuple[str, str]:
    return str(traffic), _nameless(remote)
