"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: what they admit, what they deny, whom they isolate.

What a policy admits joins what Kubernetes' NetworkPolicies and other policies admit; what one denies goes before all of
it. A policy isolates its pods in the directions for which it has rules, denials among them, unless
``enableDefaultDeny`` says otherwise. A rule without fields admits nobody: ``egress: [{}]`` is how to deny by default.
Sources: https://docs.cilium.io/en/stable/security/policy/intro/#endpoint-default-policy and
https://docs.cilium.io/en/stable/security/policy/deny/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Everyone, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, in_namespace, pod_labels, words
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.pipeline import DENIAL_STAGE, POLICY_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.cilium.book import read_book
from cloudseg.providers.kubernetes.translate.policies.cilium.ends import Scene, note_unread
from cloudseg.providers.kubernetes.translate.policies.cilium.kinds import GROUP, NAMESPACED, POLICIES, REDIRECTS
from cloudseg.providers.kubernetes.translate.policies.cilium.redirects import note_redirect
from cloudseg.providers.kubernetes.translate.policies.cilium.rules import Head, Made, make_rules
from cloudseg.providers.kubernetes.translate.policies.cilium.selectors import read_selector
from cloudseg.providers.kubernetes.translate.policies.cilium.wire import DefaultDeny, RuleSpec, section_of
from cloudseg.providers.kubernetes.translate.wire import LabelSelector, Metadata
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Labelled, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.cilium.book import Book
    from cloudseg.providers.kubernetes.translate.policies.cilium.selectors import Chosen
    from cloudseg.providers.kubernetes.translate.policies.cilium.wire import AnyRule

__all__ = ["add_policies"]

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_NOT_SAID: Final = "enableDefaultDeny isolates without a rule: versions of Cilium differ in whether that counts"
_HOST: Final = "a host policy: what passes at nodes, and at pods on their network, is not judged by it"
_NO_PODS: Final = "it selects endpoints of Cilium's own and no pods: what passes at them is not judged"


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of policies, and note what sends packets elsewhere."""
    book = read_book(objects, draft)
    for item in objects:
        if item.group == GROUP and item.kind in POLICIES:
            _add_policy(item, draft, book)
        elif item.group == GROUP and item.kind in REDIRECTS:
            note_redirect(item, draft)


def _add_policy(item: Object, draft: Draft, book: Book) -> None:
    """Add the rule sets of a policy. One that cannot be read in full leaves the pods open that it could select."""
    problem = item.flaw
    if not problem:
        try:
            lists = list(_lists(item, draft, book))
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            for each in lists:
                draft.rule_sets[each.id] = each
            return
    draft.ledger.gap(item, "malformed", problem, "groups")
    _bound(item, draft)


def _lists(item: Object, draft: Draft, book: Book) -> Iterator[RuleSet]:
    """Yield the rule sets of a policy.

    Raises:
        ParseError: the API server or Cilium would refuse it.
        msgspec.ValidationError: so it would for the type of a field.
    """
    one = msgspec.convert(item.content.get("spec"), RuleSpec | None)
    many: list[RuleSpec] = msgspec.convert(item.content.get("specs"), list[RuleSpec] | None) or []
    metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
    specs = [("", one)] if one is not None else []
    specs += [(f"[{number}]", spec) for number, spec in enumerate(many)]
    if not specs:
        raise ParseError("it has neither spec nor specs")
    space = item.place if item.kind == NAMESPACED else None
    place = {} if space is None else {"namespace": space}
    tags = {**pod_labels(metadata.labels), **place}
    pending: list[tuple[Chosen, list[RuleSet]]] = []
    hosts = False
    for suffix, spec in specs:
        subject = _subject(spec, item.kind, Scene(space, draft, book))
        made = _made(spec, item, Scene(space, draft, book))
        if subject is not None:
            pending.append((subject, list(_sets(_Frame(item, suffix, tags, draft), spec, subject, made))))
        hosts = hosts or subject is None
    # Only now is it known that all of the object can be read.
    if hosts:
        draft.ledger.gap(item, "unsupported", _HOST, "groups")
    for subject, found in pending:
        if _settled(item, subject, Scene(space, draft, book)):
            yield from found


def _subject(spec: RuleSpec, kind: str, scene: Scene) -> Chosen | None:
    """Return the pods that a policy is about; None for a host policy."""
    if (spec.endpoint_selector is None) == (spec.node_selector is None):
        raise ParseError("it needs one of endpointSelector and nodeSelector")
    if spec.endpoint_selector is None:
        if kind == NAMESPACED:
            raise ParseError(f"nodeSelector stands in a {NAMESPACED}, and only a clusterwide one has it")
        read_selector(spec.node_selector or LabelSelector(), None, scene.draft)
        return None
    found = read_selector(spec.endpoint_selector, None, scene.draft)
    if scene.namespace is None:
        return found
    # The policy is about its own namespace, whatever its selector says.
    if not all(_names(each, scene.namespace) for each in found.spaces if each.key == NAMESPACE):
        raise ParseError("endpointSelector names another namespace than that of the policy")
    own = tuple(each for each in found.spaces if each.key != NAMESPACE)
    return found._replace(spaces=(in_namespace(scene.namespace), *own))


def _names(required: Labelled, namespace: str) -> bool:
    match required.operator:
        case "In":
            return namespace in required.values
        case "NotIn":
            return namespace not in required.values
        case "Exists":
            return True
        case "DoesNotExist":
            return False


def _settled(item: Object, subject: Chosen, scene: Scene) -> bool:
    """Note what is not known of whom a policy selects, and tell whether its lists can stand."""
    draft = scene.draft
    if any(each.operator in {"In", "Exists"} for each in subject.reserved):
        draft.ledger.gap(item, "unsupported", _NO_PODS, "groups")
        if any(each.key == "all" for each in subject.reserved):
            draft.bound(scene.namespace, subject.pods)
        return False
    unread = draft.unlabelled if subject.asks_labels_of_spaces else frozenset[str]()
    for space in unread if scene.namespace is None else unread & {scene.namespace}:
        note_unread((space,), draft)
        draft.bound(space, subject.pods)
    if subject.unclear:
        detail = f"its endpointSelector asks for {words(subject.unclear)}, and no manifest shows who bears that"
        draft.ledger.gap(item, "unsupported", detail, "groups")
        draft.bound(scene.namespace, subject.required)
        return False
    return True


class _Frame(NamedTuple):
    """What the lists of one spec have in common."""

    item: Object
    suffix: str
    tags: dict[str, str]
    draft: Draft


def _made(spec: RuleSpec, item: Object, scene: Scene) -> Made:
    """Return all rules of a spec."""
    admitting: list[Rule] = []
    denying: list[Rule] = []
    parts: tuple[tuple[str, Direction, Verdict, Sequence[AnyRule] | None], ...] = (
        ("ingress", "ingress", "accept", spec.ingress),
        ("ingressDeny", "ingress", "deny", spec.ingress_deny),
        ("egress", "egress", "accept", spec.egress),
        ("egressDeny", "egress", "deny", spec.egress_deny),
    )
    for name, direction, verdict, items in parts:
        for number, each in enumerate(items or ()):
            head = Head(f"{name}[{number}]", direction, verdict, spec.description or "", item.location)
            found = make_rules(section_of(each), head, scene)
            admitting += found.admitting
            denying += found.denying
    return Made(tuple(admitting), tuple(denying))


def _sets(frame: _Frame, spec: RuleSpec, subject: Chosen, made: Made) -> Iterator[RuleSet]:
    """Yield the list of what a spec admits, and that of what it denies."""
    item, draft = frame.item, frame.draft
    given = spec.enable_default_deny or DefaultDeny()
    ruled = _ruled(spec)
    asked: dict[Direction, bool | None] = {"ingress": given.ingress, "egress": given.egress}
    isolates: frozenset[Direction] = frozenset(
        way for way in _DIRECTIONS if (way in ruled if asked[way] is None else asked[way])
    )
    unsure = [_unsure(way, item) for way in _DIRECTIONS if asked[way] and way not in ruled]
    own = draft.id(f"{item.own if item.kind == NAMESPACED else f'{item.kind}/{item.name}'}{frame.suffix}")
    admitting = (*made.admitting, *unsure)
    if isolates or admitting:
        yield _list(own, POLICY_STAGE, admitting, isolates, frame, subject)
    if made.denying:
        ways: frozenset[Direction] = frozenset(rule.direction for rule in made.denying)
        yield _list(f"{own}/denials", DENIAL_STAGE, made.denying, ways, frame, subject)
    if not isolates and not made.admitting and not made.denying:
        draft.ledger.notes.append(f"{item.where}{item.own}{frame.suffix}: it has no rules, and no effect")


def _ruled(spec: RuleSpec) -> frozenset[Direction]:
    found: set[Direction] = set()
    if spec.ingress or spec.ingress_deny:
        found.add("ingress")
    if spec.egress or spec.egress_deny:
        found.add("egress")
    return frozenset(found)


def _unsure(direction: Direction, item: Object) -> Rule:
    return Rule(
        id=f"enableDefaultDeny.{direction}",
        direction=direction,
        verdict="accept",
        traffic=ALL_TRAFFIC,
        remote=(Everyone(),),
        exact=False,
        description=_NOT_SAID,
        location=item.location,
    )


def _list(
    own: str, stage: str, rules: tuple[Rule, ...], isolates: frozenset[Direction], frame: _Frame, subject: Chosen
) -> RuleSet:
    return RuleSet(
        id=own,
        kind=frame.item.kind,
        name=frame.item.name,
        tags=frame.tags,
        location=frame.item.location,
        stage=stage,
        rules=rules,
        applies=frame.draft.chosen(subject.required),
        network=pods_of(frame.draft.cluster),
        isolates=isolates,
    )


def _bound(item: Object, draft: Draft) -> None:
    """Leave open what a policy that was not read could select."""
    if item.kind == NAMESPACED and item.namespace is None:
        draft.bound(None)
        return
    space = item.place if item.kind == NAMESPACED else None
    listed = item.content.get("specs")
    many = cast("Sequence[object]", listed) if isinstance(listed, list) else ()
    for raw in (item.content.get("spec"), *many):
        spec = fields_of(raw)
        if raw is None or (space is None and "nodeSelector" in spec and "endpointSelector" not in spec):
            continue
        draft.bound(space, () if item.flaw else _surely(spec.get("endpointSelector"), space, draft))
    if item.content.get("spec") is None and not many:
        draft.bound(space)


def _surely(raw: object, namespace: str | None, draft: Draft) -> tuple[Labelled, ...]:
    """Return what a selector requires of whoever it chooses, for sure; nothing where it cannot be read."""
    try:
        selector = msgspec.convert(raw, LabelSelector | None)
        found = read_selector(selector or LabelSelector(), namespace, draft)
    except (msgspec.ValidationError, ParseError):
        return ()
    return found.pods if namespace is not None else found.required
