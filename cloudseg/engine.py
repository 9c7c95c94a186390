"""Runs the checks over one estate and puts the answer into one document.

The document says for every check whether it could be evaluated, so that no finding never means "not looked at".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cloudseg.checks import CHECKS
from cloudseg.checks.interface import AuditContext, Check, Compiled, ParameterValue, Purpose
from cloudseg.errors import ConfigError
from cloudseg.findings import Also, Confidence, Finding, ResourceInfo, RuleInfo, Severity
from cloudseg.intent import Intent, intent_warnings
from cloudseg.model import FACETS, FACETS_OF, Estate
from cloudseg.observed.observations import Observations
from cloudseg.observed.observed import Observed
from cloudseg.observed.report import ObservedTraffic, observed_traffic
from cloudseg.reach.internet import InternetView
from cloudseg.reach.spread.extents import Exposure
from cloudseg.reach.unread_sides import unread_sides
from cloudseg.segments import DEFAULT_LABELS, label_shares
from cloudseg.sources import GapInfo, SourceInfo, sources_of
from cloudseg.waivers import Waiver, WaiverState, apply_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AuditRequest",
    "CheckStatus",
    "FindingsDocument",
    "GapInfo",
    "SourceInfo",
    "Summary",
    "Views",
    "run_audit",
    "select_checks",
    "sources_of",
    "worst_unwaived",
]

Status = Literal["evaluated", "partly", "not evaluated"]
_PLACES_SHOWN = 3


class CheckStatus(msgspec.Struct, frozen=True):
    """Whether a check could be evaluated, and why not.

    Attributes:
        id: id of the check.
        status: ``evaluated``, ``partly`` or ``not evaluated``.
        reason: what was not read; empty for ``evaluated``.
    """

    id: str
    status: Status
    reason: str


class Summary(msgspec.Struct, frozen=True):
    """Counts over the findings and over what was read.

    Attributes:
        findings: findings that no waiver accepts, by severity.
        waived: findings that a waiver accepts.
        scopes: scopes read.
        interfaces: interfaces read.
        rules: rules read.
        gaps: what could not be read.
        exposure: how much can talk to how much, and how far an intruder gets; None where that was not asked for.
    """

    findings: dict[str, int]
    waived: int
    scopes: int
    interfaces: int
    rules: int
    gaps: int
    exposure: Exposure | None = None


class FindingsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of an audit: the document ``cloudseg/findings/v1``.

    Attributes:
        schema: names the kind and version of this document.
        generated_at: when the answers were read, ISO 8601 in UTC.
        sources: the scopes, and what is missing of each.
        checks: the status of every check that was asked for.
        summary: counts.
        findings: the findings, worst first.
        notes: what was skipped without loss, and what readers must know about the intent and the tags.
        observed: what was observed, where conversations were given.
    """

    schema: Literal["cloudseg/findings/v1"] = "cloudseg/findings/v1"
    generated_at: str
    sources: tuple[SourceInfo, ...]
    checks: tuple[CheckStatus, ...]
    summary: Summary
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    observed: ObservedTraffic | msgspec.UnsetType = msgspec.UNSET

    @property
    def complete(self) -> bool:
        """Whether everything was read that the audit asked for."""
        return all(source.complete for source in self.sources)


class AuditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit is asked for.

    Attributes:
        checks: the checks to run.
        settings: parameters by check id and name, for those that differ from the default.
        waivers: accepted findings.
        as_of: the day at which expiries are judged, ISO 8601; empty for the snapshot's own.
        labels: which tag keys mean application, tier and environment.
        intent: the intended traffic; None where nobody wrote it down.
        exposure: work out who can talk to whom for the summary, which asks for all pairs.
        flows: observed conversations, as ``read_conversations`` opens them; None where nobody gave any.
    """

    checks: tuple[Check, ...] = CHECKS
    settings: Mapping[str, Mapping[str, ParameterValue]] = msgspec.field(
        default_factory=dict[str, Mapping[str, ParameterValue]]
    )
    waivers: tuple[Waiver, ...] = ()
    as_of: str = ""
    labels: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=DEFAULT_LABELS.copy)
    intent: Intent | None = None
    exposure: bool = True
    flows: Observations | None = None


def select_checks(only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[Check, ...]:
    """Return the checks to run, in the order in which they are listed.

    Raises:
        ConfigError: an id names no check, or none is left.
    """
    from difflib import get_close_matches

    chosen, left_out = set(only), set(skip)
    known = [check.id for check in CHECKS]
    for name in sorted(chosen | left_out):
        if name not in known:
            near = get_close_matches(name, known, 3)
            hint = f"did you mean {' or '.join(near)}?" if near else "`cloudseg checks` lists them"
            raise ConfigError(f"there is no check {name!r}; {hint}")
    selected = tuple(c for c in CHECKS if (not chosen or c.id in chosen) and c.id not in left_out)
    if not selected:
        raise ConfigError("no check is left to run: every one that is chosen is left out as well")
    return selected


class Views(NamedTuple):
    """What checks look at together, and whoever goes on from their findings: each part is worked out once.

    Attributes:
        internet: what the internet reaches.
        compiled: the rules, and who reaches whom.
        purpose: segments, and what these may open to each other.
        observed: observed conversations beside the estate; None where none were given.
    """

    internet: InternetView
    compiled: Compiled
    purpose: Purpose
    observed: Observed | None

    @staticmethod
    def of(estate: Estate, request: AuditRequest) -> Views:
        """Return the views of an estate for a request; nothing is worked out before it is asked for."""
        view = InternetView(estate)
        compiled = Compiled(estate, view)
        purpose = Purpose(estate, request.intent, request.labels, request.as_of or estate.taken_at)
        observed = None if request.flows is None else Observed(request.flows, estate, lambda: compiled.reach)
        return Views(view, compiled, purpose, observed)


def run_audit(estate: Estate, request: AuditRequest, views: Views | None = None) -> FindingsDocument:
    """Return the findings of an estate, worst first, with the status of every check and the gaps of every scope.

    Args:
        estate: the estate.
        request: what is asked for.
        views: what :meth:`Views.of` returned of the same estate and request, to share it; None to make it here.
    """
    as_of = request.as_of or estate.taken_at
    view, compiled, purpose, observed = Views.of(estate, request) if views is None else views
    became = {check.id: "skipped" for check in CHECKS}

    def context(check: Check, states: tuple[WaiverState, ...] = ()) -> AuditContext:
        settings = {p.name: p.default for p in check.parameters} | dict(request.settings.get(check.id, {}))
        return AuditContext(
            estate=estate, check=check, settings=settings, internet=view, as_of=as_of, waivers=states,
            labels=request.labels, statuses=became, compiled=compiled, intent=request.intent, purpose=purpose,
            observed=observed,
        )  # fmt: skip

    unable = {c.id: c.precondition(context(c)) for c in request.checks if c.precondition is not None}
    limits = {c.id: c.limits(context(c)) for c in request.checks if c.limits is not None and not unable.get(c.id)}
    statuses = tuple(
        _limited(_status(check, estate, unable.get(check.id, "")), limits.get(check.id, "")) for check in request.checks
    )
    became |= {status.id: status.status for status in statuses}
    found: list[Finding] = []
    providers = {scope.provider for scope in estate.scopes}
    for check in request.checks:
        # A check for other clouds says nothing, as its status does.
        foreign = providers and check.concept and not providers & check.concept.keys()
        if not check.after_waivers and not unable.get(check.id) and not foreign:
            found.extend(_run(context(check)))
    found, states = apply_waivers(found, request.waivers, _tags(estate, request.waivers), as_of)
    for check in request.checks:
        if check.after_waivers:
            found.extend(_run(context(check, states)))
    findings = _ordered(_folded(found))
    sources = sources_of(estate)
    exposure = _exposure(compiled, purpose) if request.exposure else None
    return FindingsDocument(
        generated_at=estate.taken_at,
        sources=sources,
        checks=statuses,
        summary=_summary(estate, findings, sources, exposure),
        findings=findings,
        notes=(*estate.notes, *unread_sides(estate), *_notes(estate, request, statuses, purpose, as_of)),
        observed=msgspec.UNSET if observed is None else _observed(observed, compiled, purpose),
    )


def worst_unwaived(document: FindingsDocument) -> Severity | None:
    """Return the severity of the worst finding that no waiver accepts; None without any."""
    ranks = [finding.severity for finding in document.findings if finding.waiver is None]
    return min(ranks, key=lambda severity: severity.rank, default=None)


def _run(context: AuditContext) -> list[Finding]:
    """Return what a check finds. Of clouds of a mixed estate for which it has no concept it says nothing."""
    check = context.check
    try:
        found = list(check.run(context))
    except Exception as error:
        error.add_note(f"while running the check {check.id}")
        raise
    if check.after_waivers:
        return found
    return _at_all_places([finding for finding in found if finding.provider in check.concept])


def _at_all_places(found: list[Finding]) -> list[Finding]:
    """Return findings with those together that say the same of one list of the provider's at several of its places.

    Lists that stand at several places mean something else at each of them (``VirtualNetwork`` is another range), so the
    estate has one for each, and a check may judge each another way: the worst is what counts.
    """
    # Mostly each says something of its own, which is soon seen.
    if len({finding.id for finding in found}) == len(found):
        return found
    known: dict[tuple[str, ResourceInfo, RuleInfo | None], int] = {}
    result: list[Finding] = []
    for finding in found:
        key = (finding.id, finding.resource, finding.rule)
        place = known.setdefault(key, len(result))
        if place == len(result):
            result.append(finding)
        else:
            result[place] = _worse(result[place], finding)
    return result


def _worse(one: Finding, other: Finding) -> Finding:
    """Return the worse of two findings about one list, the surer of equally bad ones, for all that both concern."""
    kept = min(one, other, key=lambda each: (each.severity.rank, each.reachable is not True, _SURE[each.confidence]))
    return msgspec.structs.replace(
        kept,
        reachable=_anywhere((one.reachable, other.reachable)),
        affected=tuple(sorted({*one.affected, *other.affected})),
    )


def _anywhere(places: Iterable[bool | None]) -> bool | None:
    """Return whether a rule delivers a packet at one of its places; that it does not, only where it does so nowhere."""
    told = set(places)
    if True in told:
        return True
    return None if None in told else False


_SURE: dict[Confidence, int] = {"high": 0, "medium": 1, "low": 2}


def _notes(
    estate: Estate, request: AuditRequest, statuses: Sequence[CheckStatus], purpose: Purpose, as_of: str
) -> tuple[str, ...]:
    """Return what readers must know about the intent, and about the tags on which the checks rest that ran."""
    found: list[str] = []
    if request.intent is not None:
        warnings = intent_warnings(request.intent, purpose.segmentation, estate, as_of)
        found.extend(f"{warning.place or 'intent'}: {warning.words}" for warning in warnings)
    judged = {status.id for status in statuses if status.status != "not evaluated"}
    needed = {label for check in request.checks if check.id in judged for label in check.labels}
    if needed:
        shares = label_shares(estate, request.labels, purpose.shown)
        found.extend(str(share) for share in shares if share.meaning in needed and share.without)
    return tuple(found)


def _tags(estate: Estate, waivers: Sequence[Waiver]) -> dict[str, dict[str, str]]:
    """Return tags by own id, of every kind of resource that a finding can be about; nothing when no waiver asks."""
    if not any(waiver.tags for waiver in waivers):
        return {}
    kinds = (
        estate.networks, estate.subnets, estate.interfaces, estate.workloads, estate.groups, estate.rule_sets,
        estate.services, estate.endpoints, estate.endpoint_services, estate.firewalls, estate.flow_logs,
    )  # fmt: skip
    return {resource.own_id: resource.tags for kind in kinds for resource in kind.values() if resource.tags}


_RANK = {severity: severity.rank for severity in Severity}
_ORDER = {check.id: position for position, check in enumerate(CHECKS)}
_PER_RULE = frozenset(check.id for check in CHECKS if check.per_rule)


_RuleKey = tuple[str, str, str, str, RuleInfo]


def _folded(found: Iterable[Finding]) -> list[Finding]:
    """Return one finding a rule: the worst, with what else is wrong with the rule as an attribute of it.

    A waived finding neither joins others nor takes them in: what it does not name stays visible.
    """
    result: list[Finding] = []
    alone: dict[_RuleKey, Finding] = {}
    together: dict[_RuleKey, list[Finding]] = {}
    for finding in found:
        info = finding.rule
        if info is None or finding.waiver is not None or finding.check not in _PER_RULE:
            result.append(finding)
        else:
            rule = (finding.provider, finding.scope, finding.region, finding.resource.id, info)
            # Of most rules there is one finding.
            first = alone.setdefault(rule, finding)
            if first is not finding:
                together.setdefault(rule, [first]).append(finding)
    for rule, findings in together.items():
        alone[rule] = _joined(findings)
    return [*result, *alone.values()]


def _joined(together: Sequence[Finding]) -> Finding:
    """Return the worst finding about a rule, with the others as attributes of it."""
    first, *rest = sorted(together, key=_precedence)
    # Findings about one rule mostly concern the same interfaces.
    apart = any(finding.affected != first.affected for finding in rest)
    return msgspec.structs.replace(
        first,
        also=tuple([Also(f.id, f.check, f.severity, f.message, f.evidence, f.remedy) for f in rest]),
        compliance=_controls(tuple([finding.compliance for finding in together])),
        reachable=True if any(f.reachable for f in rest) else first.reachable,
        affected=tuple(sorted({own for f in together for own in f.affected})) if apart else first.affected,
    )


# A few checks have a few controls each, and they meet in the same ways at thousands of rules.
@lru_cache(maxsize=1024)
def _controls(parts: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the controls of several findings, each once, in order."""
    return tuple(sorted({control for part in parts for control in part}))


def _precedence(finding: Finding) -> tuple[object, ...]:
    """Of equally bad findings about one rule, the one that certainly delivers packets goes first."""
    return (_RANK[finding.severity], finding.reachable is not True, _ORDER[finding.check], finding.id)


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, check, resource and rule. Of one check and resource there are many."""
    together: defaultdict[tuple[int, int, str, str, str, ResourceInfo], list[Finding]] = defaultdict(list)
    for each in findings:
        place = (_RANK[each.severity], _ORDER[each.check], each.provider, each.scope, each.region, each.resource)
        together[place].append(each)
    return tuple(chain.from_iterable(sorted(together[place], key=_by_rule) for place in sorted(together)))


def _by_rule(finding: Finding) -> tuple[str, ...]:
    """Return what findings of one check and resource are ordered by; those about the resource itself go first."""
    rule = finding.rule
    return ("", finding.id) if rule is None else (rule.direction, rule.traffic, rule.peer, finding.id)


def _status(check: Check, estate: Estate, unable: str = "") -> CheckStatus:
    """Return whether a check could be evaluated, from the facets it needs and uses and what was read of them.

    Args:
        check: the check.
        estate: what was read.
        unable: why it cannot say anything, whatever was read; empty where it can.
    """
    if check.after_waivers:
        return CheckStatus(check.id, "evaluated", "")
    providers = {scope.provider for scope in estate.scopes}
    concerned = providers & set(check.concept)
    if not concerned:
        reasons = [
            f"{provider}: {check.absent[provider]}" for provider in sorted(providers) if provider in check.absent
        ]
        return CheckStatus(check.id, "not evaluated", "; ".join(reasons) or "nothing was read that it looks at")
    if unable:
        return CheckStatus(check.id, "not evaluated", unable)
    missing: dict[str, list[str]] = {}
    states: list[str] = []
    for facet in (*check.needs, *check.uses):
        having = {provider for provider in concerned if facet in FACETS_OF.get(provider, FACETS)}
        if not having:
            continue
        places = [reading for reading in estate.coverage.places(facet) if reading.provider in having]
        if facet in check.needs:
            states.extend(reading.state for reading in places)
        open_places = [reading for reading in places if reading.state != "read"]
        if open_places or not places:
            missing[facet] = [
                f"{reading.scope} {reading.region}{': ' + reading.reason if reading.reason else ''}"
                for reading in open_places
            ]
    if not missing:
        return CheckStatus(check.id, "evaluated", "")
    judged = any(state != "unread" for state in states) or not check.needs
    return CheckStatus(check.id, "partly" if judged else "not evaluated", _missing_words(missing))


def _limited(status: CheckStatus, limits: str) -> CheckStatus:
    """Return the status of a check that can say something of a part alone."""
    if not limits or status.status == "not evaluated":
        return status
    return CheckStatus(status.id, "partly", "; ".join(filter(None, (status.reason, limits))))


def _missing_words(missing: Mapping[str, Sequence[str]]) -> str:
    """Return what was not read in full, and where; parts that are missing in the same places stand together."""
    together: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for facet, places in missing.items():
        together[tuple(places)].append(facet)
    parts: list[str] = []
    for places, facets in together.items():
        shown = ", ".join(places[:_PLACES_SHOWN])
        more = f" and {len(places) - _PLACES_SHOWN} more" if len(places) > _PLACES_SHOWN else ""
        parts.append(", ".join(facets) + (f" ({shown}{more})" if places else ""))
    return "not read in full: " + "; ".join(parts)


def _exposure(compiled: Compiled, purpose: Purpose) -> Exposure:
    from cloudseg.reach.spread.exposure import Intended, exposure_of

    matrix = purpose.matrix
    if matrix is None:
        return exposure_of(compiled.reach)
    return exposure_of(compiled.reach, Intended(purpose.segmentation.segments_of, matrix.for_interfaces))


def _observed(observed: Observed, compiled: Compiled, purpose: Purpose) -> ObservedTraffic:
    matrix = purpose.matrix
    return observed_traffic(observed, compiled.reach, None if matrix is None else (purpose.segmentation, matrix))


def _summary(
    estate: Estate, findings: Sequence[Finding], sources: Sequence[SourceInfo], exposure: Exposure | None
) -> Summary:
    counts = Counter(finding.severity for finding in findings if finding.waiver is None)
    return Summary(
        findings={severity.value: counts[severity] for severity in Severity},
        waived=sum(1 for finding in findings if finding.waiver is not None),
        scopes=len(estate.scopes),
        interfaces=len(estate.interfaces),
        rules=sum(len(rule_set.rules) for rule_set in estate.rule_sets.values()),
        gaps=sum(len(source.gaps) for source in sources),
        exposure=exposure,
    )
