"""Makes the findings of one check, with everything filled in that follows from the check, the resource and the rule."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cloudseg.checks.controls import are_tied, controls_of, subject_of
from cloudseg.findings import Finding, fingerprint_of, normal_form, resource_info, rule_info, stem
from cloudseg.model import Interface, RuleSet, own_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.checks.controls import Subject
    from cloudseg.findings import Confidence, Remedy, ResourceInfo, Severity
    from cloudseg.model import Estate, Peer, Resource, Rule, SourceLocation
    from cloudseg.traffic import Traffic

__all__ = ["FindingMaker"]

_PLACES: Final = 20
"""A finding names so many places at most."""
_BENCHMARKS: Final = {
    "cis-aws": "aws",
    "cis-azure": "azure",
    "cis-gcp": "gcp",
    "cis-kubernetes": "kubernetes",
    "nsa-cisa-kubernetes": "kubernetes",
}
"""The provider that a benchmark is about, by its name without the version; others are about all."""

_Affected = tuple[Interface | str, ...]


class _About(NamedTuple):
    """What every finding of a check says of one resource, and the beginning of their fingerprints."""

    info: ResourceInfo
    provider: str
    scope: str
    stem: str
    controls: tuple[tuple[str, str], ...]
    compliance: tuple[str, ...]


class _Concerned(NamedTuple):
    """What findings say of the interfaces that they concern.

    Attributes:
        given: the interfaces, or qualified ids of them, as a check names them.
        ids: their own ids, in order.
        written: where the first of them is written that is written anywhere.
    """

    given: _Affected
    ids: tuple[str, ...]
    written: SourceLocation | None


class Finder(Protocol):
    """What findings say of the check that made them."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def severity(self) -> Severity:
        """The severity that it gives where nothing raises or lowers it."""
        ...

    @property
    def compliance(self) -> Mapping[str, tuple[str, ...]]:
        """The controls that it serves, by benchmark."""
        ...


class FindingMaker:
    """Makes the findings of one check.

    Large estates have a hundred thousand findings, most of them about rules of one list after the other. So what those
    of one list share is kept.

    Args:
        check: the check.
        estate: what it judges.
    """

    def __init__(self, check: Finder, estate: Estate) -> None:
        self._check = check
        self._estate = estate
        self._resources: dict[str, _About] = {}
        self._controls: dict[str, tuple[tuple[str, str], ...]] = {}
        self._concerning: dict[tuple[str, Subject], tuple[str, ...]] = {}
        self._of_rules: dict[tuple[str, str, Traffic, tuple[Peer, ...]], tuple[str, ...]] = {}
        self._by_affected: dict[int, _Concerned] = {}

    def __call__(  # noqa: PLR0913 - all but two are optional and go by keyword
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
        subject: Subject | None = None,
    ) -> Finding:
        """Return a finding of the check, with its id, scope, place and compliance references filled in.

        Args:
            resource: what it is about; of a list whose rules are resources of their own, the finding is about the rule.
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
            subject: what it opens, where that does not follow from the resource and the rule; controls that are about
                certain ports or services are named where they concern it.
        """
        if rule is not None and rule.resource and isinstance(resource, RuleSet):
            resource = resource.bearer(rule)
        about = self._resources.get(resource.id) or self._about(resource)
        concerned = self._by_affected.get(id(affected))
        if concerned is None or concerned.given is not affected:
            concerned = self._concerned(affected)
        own = (rule.location if rule is not None else None) or resource.location
        # Of estates that were not read from files nothing is written anywhere.
        written = _written(own, places, concerned.written) if own or places or concerned.written else ()
        info = None if rule is None else rule_info(rule)
        return Finding(
            id=fingerprint_of(about.stem, "" if rule is None else normal_form(rule, info), aspect),
            check=self._check.id,
            severity=severity or self._check.severity,
            confidence=confidence,
            provider=about.provider,
            scope=about.scope,
            region=resource.region,
            resource=about.info,
            rule=info,
            message=message,
            evidence=evidence if isinstance(evidence, tuple) else tuple(evidence),
            reachable=reachable,
            affected=concerned.ids,
            remedy=remedy,
            compliance=about.compliance or self._told(about, resource, rule, subject),
            location=written[0] if written else None,
            related=written[1:],
        )

    def _about(self, resource: Resource) -> _About:
        provider = resource.provider
        controls = self._controls_of(provider)
        about = _About(
            resource_info(resource),
            provider,
            resource.scope,
            stem(self._check.id, resource),
            controls,
            () if are_tied(controls) else tuple(f"{benchmark}:{control}" for benchmark, control in controls),
        )
        self._resources[resource.id] = about
        return about

    def _concerned(self, affected: Iterable[Interface | str]) -> _Concerned:
        """Return what to say of interfaces. Many rules concern the same ones, so that those are kept."""
        given = affected if isinstance(affected, tuple) else tuple(affected)
        ids = tuple(sorted({own_id(each if isinstance(each, str) else each.id) for each in given}))
        few = (self._estate.interfaces.get(each) if isinstance(each, str) else each for each in islice(given, _PLACES))
        places = (each.location for each in few if each is not None and each.location is not None)
        found = _Concerned(given, ids, next(places, None))
        if given is affected:
            # It is kept with the answer, so that no other tuple can have its identity.
            self._by_affected[id(given)] = found
        return found

    def _controls_of(self, provider: str) -> tuple[tuple[str, str], ...]:
        """Return the controls of a check that concern a provider: those of another one's benchmark do not."""
        known = self._controls.get(provider)
        if known is None:
            known = self._controls[provider] = tuple(
                (benchmark, control)
                for benchmark, controls in sorted(self._check.compliance.items())
                if _BENCHMARKS.get(benchmark.rpartition("-")[0], provider) == provider
                for control in controls
            )
        return known

    def _told(self, about: _About, resource: Resource, rule: Rule | None, subject: Subject | None) -> tuple[str, ...]:
        if subject is not None or rule is None:
            return self._controls_for(about, subject or subject_of(resource, rule))
        # Many rules are alike in this, and looking at one takes longer than finding it.
        alike = (f"{about.provider} {about.info.kind}", rule.direction, rule.traffic, rule.remote)
        known = self._of_rules.get(alike)
        if known is None:
            known = self._of_rules[alike] = self._controls_for(about, subject_of(resource, rule))
        return known

    def _controls_for(self, about: _About, subject: Subject) -> tuple[str, ...]:
        key = (about.provider, subject)
        known = self._concerning.get(key)
        if known is None:
            known = self._concerning[key] = controls_of(about.controls, subject)
        return known


def _written(
    own: SourceLocation | None, places: Iterable[SourceLocation | None], affected: SourceLocation | None
) -> tuple[dict[str, str | int], ...]:
    """Return where a finding stands, and then what else it speaks of, each place once."""
    known = [place for place in dict.fromkeys((own, *places)) if place is not None][:_PLACES]
    if not known and affected is not None:
        known = [affected]
    return tuple({"file": place.file, "line": place.line} for place in known)
