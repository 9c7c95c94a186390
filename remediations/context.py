"""What a remedy is given: the estate, what checks share of it, and what must go on passing."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

from cloudseg.checks.interface import AuditContext, Compiled, Purpose
from cloudseg.observed.observed import Observed
from cloudseg.reach.internet import InternetView
from cloudseg.remediations.demand import Demand
from cloudseg.remediations.evidence import evidence_of
from cloudseg.remediations.locating import Locator
from cloudseg.remediations.membership import lasting
from cloudseg.remediations.naming import named
from cloudseg.segments import DEFAULT_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from cloudseg.checks.interface import Check
    from cloudseg.findings import Finding
    from cloudseg.flows.naming.values import ObservedNames
    from cloudseg.intent import Intent, IntentMatrix
    from cloudseg.model import Estate, Interface, Resource, Rule, RuleSet
    from cloudseg.observed.observations import Observations
    from cloudseg.reach.reachability import Reachability
    from cloudseg.remediations.demand import Through
    from cloudseg.remediations.evidence import Evidence
    from cloudseg.remediations.locating import Place
    from cloudseg.remediations.membership import Lasting
    from cloudseg.segments import Labels, Segmentation

    T = TypeVar("T")

__all__ = ["RemedyContext"]


@dataclasses.dataclass(frozen=True)
class RemedyContext:
    """What all remedies share in one run. Everything is worked out when it is first asked for.

    Attributes:
        estate: the model of everything read.
        internet: what the internet reaches.
        compiled: the rules, and who reaches whom.
        purpose: segments, and what these may open to each other.
        intent: the intended traffic; None where nobody wrote it down.
        observed: observed conversations beside the estate; None where none were given.
        as_of: the day at which expiries are judged, ISO 8601.
        labels: which tags mean ``application``, ``tier`` and ``environment``.
        names: names that machines asked for, as logs tell them; None where no such log was given.
    """

    estate: Estate
    internet: InternetView
    compiled: Compiled
    purpose: Purpose
    intent: Intent | None = None
    observed: Observed | None = None
    as_of: str = ""
    labels: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=DEFAULT_LABELS.copy)
    names: ObservedNames | None = None

    @staticmethod
    def of(
        estate: Estate,
        *,
        intent: Intent | None = None,
        flows: Observations | None = None,
        as_of: str = "",
        labels: Mapping[str, tuple[str, ...]] = DEFAULT_LABELS,
        names: ObservedNames | None = None,
    ) -> RemedyContext:
        """Return the context of one estate.

        Args:
            estate: the estate.
            intent: the intended traffic; None where nobody wrote it down.
            flows: observed conversations; None where none were given.
            as_of: the day at which expiries are judged, ISO 8601; empty for the day on which the estate was read.
            labels: which tags mean ``application``, ``tier`` and ``environment``.
            names: names that machines asked for; None where no such log was given.
        """
        day = as_of or estate.taken_at
        view = InternetView(estate)
        compiled = Compiled(estate, view)
        return RemedyContext(
            estate=estate,
            internet=view,
            compiled=compiled,
            purpose=Purpose(estate, intent, labels, day),
            intent=intent,
            observed=None if flows is None else Observed(flows, estate, lambda: compiled.reach),
            as_of=day,
            labels=dict(labels),
            names=names,
        )

    def audit(self, check: Check) -> AuditContext:
        """Return the context of a check over the same estate, which shares all that was worked out."""
        return AuditContext(
            estate=self.estate,
            check=check,
            settings={parameter.name: parameter.default for parameter in check.parameters},
            internet=self.internet,
            as_of=self.as_of,
            labels=self.labels,
            compiled=self.compiled,
            intent=self.intent,
            purpose=self.purpose,
            observed=self.observed,
        )

    @property
    def reach(self) -> Reachability:
        """Who reaches whom."""
        return self.compiled.reach

    @property
    def matrix(self) -> IntentMatrix | None:
        """What the segments may open to each other; None without an intent."""
        return self.purpose.matrix

    @property
    def segmentation(self) -> Segmentation:
        """The segments of the intent; without one those that the tags make."""
        return self.purpose.segmentation

    @property
    def shown(self) -> Mapping[str, Labels]:
        """What tags say of each interface, by qualified id in order."""
        return self.purpose.shown

    @cached_property
    def demand(self) -> Demand:
        """What must go on passing."""
        return Demand.of(self.observed, self.matrix, self.estate)

    def through(self, rule_set: RuleSet, rule: Rule) -> Through:
        """Return what a rule may carry today of what must go on passing."""
        return self.once(
            f"through {rule_set.id} {rule.direction} {rule.id}", lambda: self.demand.through(rule_set, rule)
        )

    def evidence(self, rule_set: RuleSet, rule: Rule) -> Evidence:
        """Return whether what was not seen of a rule's use, and is not intended, is known not to be needed."""
        return evidence_of(self.judged(rule_set, rule), rule_set, self.observed, self.matrix)

    def judged(self, rule_set: RuleSet, rule: Rule) -> tuple[Interface, ...]:
        """Return the interfaces that a list judges and that a rule of it is for, or may be for."""
        return self.compiled.targets.of(rule_set, rule)

    def located(self, finding: Finding) -> tuple[Place, ...]:
        """Return every place (list and rule) of the rule or list that a finding is about."""
        return self._locator.rules(finding)

    def resources(self, finding: Finding) -> tuple[Resource, ...]:
        """Return everything of the estate that bears the id of the resource that a finding is about."""
        return self._locator.resources(finding)

    def lasting(self, interface: Interface) -> Lasting:
        """Return whether a group attached to an interface lasts, or which setting would have to name it."""
        return lasting(interface, self.estate)

    @staticmethod
    def named(rule_set: RuleSet, rule: Rule, replaced: Rule | None = None) -> Rule:
        """Return a new rule of a list with the id that follows from what it says; see :func:`naming.named`."""
        return named(rule_set, rule, replaced)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under a name, by whoever asks first."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    @cached_property
    def _locator(self) -> Locator:
        return Locator(self.estate)

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}
