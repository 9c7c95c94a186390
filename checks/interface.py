"""What a check is made of, and what it is given.

A check is one file: a docstring with fixed headings, a ``CHECK`` value with its metadata and examples, and one function
over the audit context. It reads the model and never a provider's own answers, so it works for every cloud in which its
concept exists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.findings import (
    Confidence,
    Finding,
    Remedy,
    ResourceInfo,
    Severity,
    fingerprint_of,
    normal_form,
    peer_text,
    resource_info,
    rule_info,
    stem,
)
from cloudseg.intent import Intent
from cloudseg.model import Estate, Interface, Resource, Rule, own_id
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.segments import DEFAULT_LABELS
from cloudseg.waivers import WaiverState

if TYPE_CHECKING:
    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Facet, Peer, SourceLocation
    from cloudseg.reach.internet import InternetView
    from cloudseg.reach.reachability import Reachability
    from cloudseg.segments import Labels, Segmentation

__all__ = [
    "PAIRS_NEED",
    "PAIRS_USE",
    "AuditContext",
    "Check",
    "Compiled",
    "Example",
    "Parameter",
    "ParameterValue",
    "Purpose",
]

PAIRS_NEED: Final[tuple[Facet, ...]] = ("groups", "interfaces", "networks")
"""Without these nothing can be said of pairs of interfaces."""
PAIRS_USE: Final[tuple[Facet, ...]] = (
    "workloads",
    "subnets",
    "routes",
    "gateways",
    "peerings",
    "transit",
    "boundary-rules",
    "address-lists",
    "load-balancers",
    "endpoints",
    "endpoint-services",
    "firewalls",
    "entrances",
    "public-access-block",
)
"""Everything else that decides whether a pair talks: a check that asks ``context.reach`` is certain only with all."""

_PLACES: Final = 20
"""A finding names so many places at most."""
_BENCHMARKS: Final = {
    "cis-aws": "aws",
    "cis-azure": "azure",
    "cis-kubernetes": "kubernetes",
    "nsa-cisa-kubernetes": "kubernetes",
}
"""The provider that a benchmark is about, by its name without the version; others are about all."""

ParameterValue = bool | int | str | tuple[str, ...]


class Parameter(msgspec.Struct, frozen=True):
    """A setting of a check that ``cloudseg.toml`` can change.

    Attributes:
        name: the key under ``[checks.<id>]``.
        default: the value without a setting; its type is the type that is accepted.
        description: what it decides, for the docs.
        minimum: the smallest number that makes sense.
        form: a regular expression that every text must match in full.
    """

    name: str
    default: ParameterValue
    description: str
    minimum: int | None = None
    form: str = ""


class Example(msgspec.Struct, frozen=True):
    """A small estate and what the check must say of it: the check's first tests, and part of its page.

    Attributes:
        name: what the estate shows, as a sentence.
        build: returns the estate.
        finds: own ids of the resources that are reported, once for each finding; empty for a good example.
        severity: the severity of every finding, where the example is about that.
        remedy_groups: own ids of the groups that the remedy must name, where the example is about that.
        waivers: what became of the waivers, for the checks that judge them.
        intent: returns the intended traffic, for the checks that compare with it.
    """

    name: str
    build: Callable[[], Estate]
    finds: tuple[str, ...] = ()
    severity: Severity | None = None
    remedy_groups: tuple[str, ...] | None = None
    waivers: tuple[WaiverState, ...] = ()
    intent: Callable[[], Intent] | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata, the examples and the function of one check.

    Attributes:
        id: named for the bad pattern, so that "allow X" reads right.
        severity: the severity that it gives where nothing raises or lowers it.
        run: yields the findings of one estate.
        examples: at least one that finds something and one that finds nothing.
        concept: for each provider that has the concept, in one phrase, what it looks at there.
        absent: for each other provider, why there is nothing to look at.
        needs: facets without which it cannot say anything.
        uses: facets that make its verdicts certain.
        compliance: controls by benchmark and version: ``{"cis-aws-5.0": ("5.3", "5.4")}``.
        parameters: what ``cloudseg.toml`` can set.
        remedy: id of the remedy that mends it, as the design names them; empty where people must decide.
        per_rule: its findings are about single rules and join others about the same rule.
        after_waivers: it judges the waivers themselves, so it runs when the other findings are known.
        labels: which tags it rests on: ``application``, ``tier``, ``environment``.
        precondition: returns why it cannot say anything in this audit, beside what was not read; empty where it can.
    """

    id: str
    severity: Severity
    run: Callable[[AuditContext], Iterable[Finding]]
    examples: tuple[Example, ...]
    concept: Mapping[str, str]
    absent: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    compliance: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict[str, tuple[str, ...]])
    parameters: tuple[Parameter, ...] = ()
    remedy: str = ""
    per_rule: bool = False
    after_waivers: bool = False
    labels: tuple[str, ...] = ()
    precondition: Callable[[AuditContext], str] | None = None


class Compiled:
    """Who reaches whom in an estate, compiled when it is first asked for and then shared by everybody who asks.

    Args:
        estate: the estate.
        internet: what the internet reaches of it.
    """

    def __init__(self, estate: Estate, internet: InternetView) -> None:
        self._estate = estate
        self._internet = internet

    @cached_property
    def reach(self) -> Reachability:
        """Reachability of the estate."""
        from cloudseg.reach.reachability import Reachability

        return Reachability(self._estate, self._internet)


class Purpose:
    """What the parts of an estate are there for: its segments, and what these may open to each other.

    It is worked out when it is first asked for, and then shared by everybody who asks.

    Args:
        estate: the estate.
        intent: the intended traffic; None where nobody wrote it down.
        labels: which tags mean ``application``, ``tier`` and ``environment``.
        as_of: the day at which temporary allowances are judged, ISO 8601.
    """

    def __init__(
        self, estate: Estate, intent: Intent | None, labels: Mapping[str, tuple[str, ...]], as_of: str
    ) -> None:
        self._estate = estate
        self._intent = intent
        self._labels = labels
        self._as_of = as_of

    @cached_property
    def segmentation(self) -> Segmentation:
        """The segments of the intent; without one those that the tags make."""
        from cloudseg.segments import resolve_segments, segments_by_labels

        if self._intent is None:
            return segments_by_labels(self._estate, self._labels)
        return resolve_segments(self._intent.segments, self._estate, self._labels)

    @cached_property
    def shown(self) -> Mapping[str, Labels]:
        """What tags say of each interface, by qualified id in order."""
        from cloudseg.segments import labels_of

        return {
            name: labels_of(self._estate, each, self._labels) for name, each in sorted(self._estate.interfaces.items())
        }

    @cached_property
    def ends(self) -> Mapping[str, Labels]:
        """What tags say of the interfaces that checks of tiers and environments look at, by qualified id in order.

        Interfaces that only pass on packets of others are left out, and those of segments that the intent calls shared.
        """
        interfaces = self._estate.interfaces
        found = {name: shown for name, shown in self.shown.items() if not only_passes_on(interfaces[name])}
        if self._intent is None or not self._intent.shared:
            return found
        shared = frozenset(self._intent.shared)
        segments = self.segmentation
        return {name: shown for name, shown in found.items() if not shared.intersection(segments.segments_of(name))}

    @cached_property
    def matrix(self) -> IntentMatrix | None:
        """What the segments may open to each other; None without an intent."""
        return None if self._intent is None else self._intent.allowed(self.segmentation, self._as_of)


class _About(NamedTuple):
    """What every finding of a check says of one resource, and the beginning of their fingerprints."""

    info: ResourceInfo
    provider: str
    scope: str
    stem: str


@dataclasses.dataclass(frozen=True)
class AuditContext:
    """What a check is given: the estate, the views that checks share, its own settings.

    Attributes:
        estate: the model of everything read.
        check: the check that runs.
        settings: values of the check's parameters, defaults filled in.
        internet: what the internet reaches.
        as_of: the day at which expiries are judged, ISO 8601.
        waivers: the waivers and what became of them, for the checks that judge waivers.
        labels: which tags mean ``application``, ``tier`` and ``environment``.
        statuses: what became of every check, ``evaluated``, ``partly``, ``not evaluated`` or ``skipped``; empty where
            that is not known.
        compiled: who reaches whom, shared with the other checks of the audit; None to compile it for this one alone.
        intent: the intended traffic; None where nobody wrote it down.
        purpose: segments and what they may open, shared likewise.
    """

    estate: Estate
    check: Check
    settings: Mapping[str, ParameterValue]
    internet: InternetView
    as_of: str = ""
    waivers: tuple[WaiverState, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=DEFAULT_LABELS.copy)
    statuses: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    compiled: Compiled | None = None
    intent: Intent | None = None
    purpose: Purpose | None = None

    @cached_property
    def reach(self) -> Reachability:
        """Who reaches whom. It is compiled when the first check asks, which takes a while in large estates."""
        return (self.compiled or Compiled(self.estate, self.internet)).reach

    @cached_property
    def shown(self) -> Mapping[str, Labels]:
        """What tags say of each interface, by qualified id in order."""
        return self._purpose.shown

    @cached_property
    def ends(self) -> Mapping[str, Labels]:
        """What tags say of the interfaces that checks of tiers and environments look at, by qualified id in order."""
        return self._purpose.ends

    @cached_property
    def segmentation(self) -> Segmentation:
        """The segments of the intent; without one those that the tags make."""
        return self._purpose.segmentation

    @cached_property
    def intent_matrix(self) -> IntentMatrix | None:
        """What the segments may open to each other; None without an intent."""
        return self._purpose.matrix

    @cached_property
    def _purpose(self) -> Purpose:
        return self.purpose or Purpose(self.estate, self.intent, self.labels, self.as_of)

    def number(self, name: str) -> int:
        """Return a setting that is a whole number."""
        value = self.settings[name]
        if not isinstance(value, int):
            raise TypeError(f"{self.check.id}: {name} is no number")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a setting that is a list of texts."""
        value = self.settings[name]
        if not isinstance(value, tuple):
            raise TypeError(f"{self.check.id}: {name} is no list")
        return value

    def other_end(self, rule: Rule) -> str:
        """Return the other end of a rule in words, groups and lists with their names."""
        known = self._ends.get(rule.remote)
        if known is None:
            known = self._ends[rule.remote] = peer_text(rule.remote, self.estate)
        return known

    def finding(  # noqa: PLR0913 - all but two are optional and go by keyword
        self,
        resource: Resource,
        message: str,
        *,
        rule: Rule | None = None,
        severity: Severity | None = None,
        confidence: Confidence = "high",
        evidence: Iterable[str] = (),
        reachable: bool | None = None,
        affected: Iterable[Interface | str] = (),
        remedy: Remedy | None = None,
        places: Iterable[SourceLocation | None] = (),
        aspect: str = "",
    ) -> Finding:
        """Return a finding of this check, with its id, scope, place and compliance references filled in.

        Args:
            resource: what it is about.
            message: one sentence for people; it names the resource's own words, not the check's.
            rule: the rule it is about.
            severity: where it differs from the check's own.
            confidence: lower where something unknown decides.
            evidence: facts, one sentence each.
            reachable: whether the rule certainly delivers a packet; None where that is undecided or not the point.
            affected: interfaces concerned, or qualified ids of them.
            remedy: what would mend it.
            places: where else what it speaks of is written, the place to look at first first. The finding stands at
                its rule, else at its resource, else at the first of these, else at the first of the affected ones.
            aspect: tells several findings of this check about one resource (and rule) apart.
        """
        about = self._resources.get(resource.id)
        if about is None:
            about = self._resources[resource.id] = _About(
                resource_info(resource), resource.provider, resource.scope, stem(self.check.id, resource)
            )
        affected = tuple(affected) if not isinstance(affected, tuple) else affected
        own = (rule.location if rule is not None else None) or resource.location
        written = self._written(own, places, affected)
        info = None if rule is None else rule_info(rule)
        return Finding(
            id=fingerprint_of(about.stem, "" if rule is None else normal_form(rule, info), aspect),
            check=self.check.id,
            severity=severity or self.check.severity,
            confidence=confidence,
            provider=about.provider,
            scope=about.scope,
            region=resource.region,
            resource=about.info,
            rule=info,
            message=message,
            evidence=tuple(evidence),
            reachable=reachable,
            affected=self._own_ids(affected),
            remedy=remedy,
            compliance=self._compliance_of(about.provider),
            location=written[0] if written else None,
            related=written[1:],
        )

    def _written(
        self, own: SourceLocation | None, places: Iterable[SourceLocation | None], affected: Iterable[Interface | str]
    ) -> tuple[dict[str, str | int], ...]:
        """Return where a finding stands, and then what else it speaks of, each place once."""
        known = [place for place in dict.fromkeys((own, *places)) if place is not None][:_PLACES]
        if not known:
            few = islice(affected, _PLACES)
            interfaces = (self.estate.interfaces.get(each) if isinstance(each, str) else each for each in few)
            known = [each.location for each in interfaces if each is not None and each.location is not None][:1]
        return tuple({"file": place.file, "line": place.line} for place in known)

    def _own_ids(self, interfaces: Iterable[Interface | str]) -> tuple[str, ...]:
        """Return own ids in order; all the rules of one list concern the same interfaces, so those are kept."""
        known, found = self._latest[0]
        if interfaces is not known:
            found = tuple(sorted({i.own_id if isinstance(i, Interface) else own_id(i) for i in interfaces}))
            if isinstance(interfaces, tuple):
                self._latest[0] = interfaces, found
        return found

    @cached_property
    def _latest(self) -> list[tuple[tuple[Interface | str, ...], tuple[str, ...]]]:
        """The interfaces of the latest finding, with their own ids; a list, for the context itself is frozen."""
        return [((), ())]

    @cached_property
    def _ends(self) -> dict[tuple[Peer, ...], str]:
        """Other ends of rules in words: many rules share one."""
        return {}

    @cached_property
    def _resources(self) -> dict[str, _About]:
        """What findings show of resources: a list of rules has a finding for many of them."""
        return {}

    def _compliance_of(self, provider: str) -> tuple[str, ...]:
        """Return the controls of a check that concern a provider: those of another one's benchmark do not."""
        known = self._compliance.get(provider)
        if known is None:
            known = self._compliance[provider] = tuple(
                f"{benchmark}:{control}"
                for benchmark, controls in sorted(self.check.compliance.items())
                if _BENCHMARKS.get(benchmark.rpartition("-")[0], provider) == provider
                for control in controls
            )
        return known

    @cached_property
    def _compliance(self) -> dict[str, tuple[str, ...]]:
        """The controls of the check, by provider."""
        return {}
