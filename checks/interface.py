"""What a check is made of, and what it is given.

A check is one file: a docstring with fixed headings, a ``CHECK`` value with its metadata and examples, and one function
over the audit context. It reads the model and never a provider's own answers, so it works for every cloud in which its
concept exists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.finding_maker import FindingMaker
from cloudseg.checks.rule_lists import AllowingRules
from cloudseg.checks.rule_targets import RuleTargets
from cloudseg.findings import Finding, Severity, peer_text
from cloudseg.intent import Intent
from cloudseg.model import Estate, Rule
from cloudseg.observed.observations import Observations
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.segments import DEFAULT_LABELS
from cloudseg.waivers import WaiverState

if TYPE_CHECKING:
    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Facet, Interface, Peer, RuleSet
    from cloudseg.observed.observed import Observed
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
        flows: returns observed conversations, for the checks that ask who uses what.
    """

    name: str
    build: Callable[[], Estate]
    finds: tuple[str, ...] = ()
    severity: Severity | None = None
    remedy_groups: tuple[str, ...] | None = None
    waivers: tuple[WaiverState, ...] = ()
    intent: Callable[[], Intent] | None = None
    flows: Callable[[], Observations] | None = None


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
        limits: returns why it can say something of a part alone, beside what was not read; empty where of all.
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
    limits: Callable[[AuditContext], str] | None = None


class Compiled:
    """What checks look at together: the rules of an estate, and who reaches whom in it.

    Each is compiled when it is first asked for and then shared by everybody who asks.

    Args:
        estate: the estate.
        internet: what the internet reaches of it.
    """

    def __init__(self, estate: Estate, internet: InternetView) -> None:
        self._estate = estate
        self._internet = internet

    @cached_property
    def allowing(self) -> AllowingRules:
        """The allowing rules of the lists at interfaces and subnets."""
        return AllowingRules(self._estate)

    @cached_property
    def targets(self) -> RuleTargets:
        """Whom rules are for."""
        return RuleTargets(self._estate)

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
        compiled: the rules and who reaches whom, shared with the other checks; None to compile it for this one alone.
        intent: the intended traffic; None where nobody wrote it down.
        purpose: segments and what they may open, shared likewise.
        observed: observed conversations beside the estate, shared likewise; None where none were given.
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
    observed: Observed | None = None

    @cached_property
    def reach(self) -> Reachability:
        """Who reaches whom. It is compiled when the first check asks, which takes a while in large estates."""
        return self._compiled.reach

    @cached_property
    def allowing(self) -> AllowingRules:
        """The allowing rules of the lists at interfaces and subnets."""
        return self._compiled.allowing

    def judged(self, rule_set: RuleSet, rule: Rule) -> tuple[Interface, ...]:
        """Return the interfaces that a list judges and that a rule of it is for, or may be for."""
        return self._compiled.targets.of(rule_set, rule)

    @cached_property
    def _compiled(self) -> Compiled:
        return self.compiled or Compiled(self.estate, self.internet)

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

    @cached_property
    def finding(self) -> FindingMaker:
        """Makes a finding of this check: ``context.finding(resource, message, rule=…)``."""
        return FindingMaker(self.check, self.estate)

    @cached_property
    def _ends(self) -> dict[tuple[Peer, ...], str]:
        """Other ends of rules in words: many rules share one."""
        return {}
