"""AuthorizationPolicy: who may open connections to pods of the mesh.

Policies that hand over to an authorizer (CUSTOM) come first, then those that deny, then those that admit. Where one
admits, nothing else passes; where none does, everything does that is not denied. Sources:
https://istio.io/latest/docs/reference/config/security/authorization-policy/,
https://istio.io/latest/docs/concepts/security/#authorization-policies,
https://istio.io/latest/docs/tasks/security/authorization/authz-tcp/ and
https://istio.io/latest/docs/ambient/usage/l4-policy/

What asks for requests (methods, paths, tokens) is told beside the connection. A port with HTTP: an admission admits the
connection, a denial denies some requests of it alone. A port without: such an admission is ignored, and such a denial
does without what it cannot see. A ztunnel sees no requests at all, and a policy that asks for some "will fail safe by
becoming a DENY policy". What that means for its other rules, and for what other policies admit, is not told, and of
earlier releases it is told that the ztunnel drops everything, so that it may:
https://istio.io/v1.22/docs/ambient/usage/l4-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, AllOf, AnyOf, Everyone, NoneOf, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import in_cluster, in_namespace
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.istio.matching import Match, beyond_connections, matches_of
from cloudseg.providers.kubernetes.translate.policies.istio.membership import AMBIENT, WAYPOINT
from cloudseg.providers.kubernetes.translate.policies.istio.places import IDENTITY, IN_MESH
from cloudseg.providers.kubernetes.translate.policies.istio.selection import leave_open, own_labels, required_of
from cloudseg.providers.kubernetes.translate.policies.istio.wire import AuthorizationSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, TCP, bearing, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.istio.mutual_tls import Zone
    from cloudseg.providers.kubernetes.translate.policies.istio.places import Place
    from cloudseg.providers.kubernetes.translate.policies.istio.requests import Protocols, Speech
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings
    from cloudseg.providers.kubernetes.translate.policies.istio.wire import TargetRef
    from cloudseg.traffic import Traffic

__all__ = ["KIND", "Mesh", "add_authorization_policies"]

KIND: Final = ("security.istio.io", "AuthorizationPolicy")
DRY_RUN: Final = "istio.io/dry-run"

Action = Literal["CUSTOM", "DENY", "ALLOW"]
_PRIORITY: Final[dict[Action, int]] = {"CUSTOM": 1, "DENY": 2, "ALLOW": 3}
_DEFAULT: Final = 4
_GATEWAY_NAMES: Final = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")


class Mesh(NamedTuple):
    """What all policies share.

    Attributes:
        settings: the settings of the mesh.
        draft: the cluster.
        places: its kinds of targets.
        zones: where nobody shows an identity.
        protocols: which ports speak HTTP.
        beyond: whether workloads outside of the cluster may be part of the mesh.
    """

    settings: Settings
    draft: Draft
    places: tuple[Place, ...]
    zones: tuple[Zone, ...]
    protocols: Protocols
    beyond: bool


class _Spot(NamedTuple):
    """A part of what a match is about.

    Attributes:
        place: the kind of target.
        traffic: the ports.
        known: whether an identity is shown; None where that is not certain.
        text: the pods in words, where they are narrower than the place.
        parts: what is required of them beside.
    """

    place: Place
    traffic: Traffic
    known: bool | None
    text: str = ""
    parts: tuple[Selector, ...] = ()


def add_authorization_policies(objects: Sequence[Object], mesh: Mesh) -> None:
    """Add a rule set for each policy."""
    for item in objects:
        if (item.group, item.kind) == KIND:
            _add(item, mesh)


def _add(item: Object, mesh: Mesh) -> None:
    draft, problem = mesh.draft, item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), AuthorizationSpec | None) or AuthorizationSpec()
            action = _action(spec)
            found = [
                Match(f"rules[{number}]{each.name}", *each[1:])
                for number, rule in enumerate(spec.rules or ())
                for each in matches_of(rule, item.place, mesh.settings, draft)
            ]
            required = required_of(item, spec.selector, draft)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            if required is not None and action is not None and not _is_tried(item, draft):
                targets = _targets(spec)
                scope = () if item.place == mesh.settings.root else (in_namespace(item.place),)
                if targets:
                    _put(item, action, _attached(item, targets, mesh), tuple(_at_most(item, action)), mesh)
                else:
                    place = None if item.place == mesh.settings.root else item.place
                    mixed = any(beyond_connections(rule) for rule in spec.rules or ())
                    rules = tuple(_rules(item, action, found, place, mesh, mixed=mixed))
                    _put(item, action, AllOf((*scope, *required)), rules, mesh)
            return
    draft.ledger.gap(item, "malformed", problem, "groups")
    leave_open(item, mesh.settings, draft)


def _action(spec: AuthorizationSpec) -> Action | None:
    """Return what a policy does; None for one that only logs.

    Raises:
        ParseError: Istio would refuse it.
    """
    if _targets(spec) and spec.selector is not None:
        raise ParseError("selector stands beside targetRefs")
    if spec.action == "CUSTOM" and (spec.provider is None or not spec.provider.name):
        raise ParseError("action CUSTOM stands without the name of a provider")
    if spec.provider is not None and spec.action != "CUSTOM":
        raise ParseError("provider stands without action CUSTOM")
    match spec.action:
        case None | "ALLOW":
            return "ALLOW"
        case "DENY":
            return "DENY"
        case "CUSTOM":
            return "CUSTOM"
        case "AUDIT":
            return None
        case _:
            raise ParseError(f"action {spec.action!r} is none of ALLOW, DENY, AUDIT, CUSTOM")


def _targets(spec: AuthorizationSpec) -> tuple[TargetRef, ...]:
    return (*((spec.target_ref,) if spec.target_ref is not None else ()), *(spec.target_refs or ()))


def _is_tried(item: Object, draft: Draft) -> bool:
    """Tell whether a policy is only tried, and note it."""
    tried = fields_of(item.part("metadata").get("annotations")).get(DRY_RUN) == "true"
    if tried:
        draft.ledger.notes.append(f"{item.where}{item.own}: it has no effect, since {DRY_RUN} is set")
    return tried


def _put(item: Object, action: Action, selector: Selector, rules: tuple[Rule, ...], mesh: Mesh) -> None:
    identifier = mesh.draft.id(item.own)
    mesh.draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={**own_labels(item), "namespace": item.place, "action": action},
        location=item.location,
        stage=MESH_STAGE,
        rules=rules,
        applies=AllOf((selector, IN_MESH, in_cluster(mesh.draft.cluster))),
        network=pods_of(mesh.draft.cluster),
        isolates=frozenset(("ingress",)),
    )


def _attached(item: Object, targets: Sequence[TargetRef], mesh: Mesh) -> Selector:
    """Return the pods of which a policy may decide that is attached to gateways, waypoints or services."""
    behind = AllOf((bearing(MESH, AMBIENT), bearing(IDENTITY, WAYPOINT)))
    names = [target.name for target in targets if target.kind == "Gateway"]
    gateways = tuple(AllOf((in_namespace(item.place), bearing(key, *names))) for key in _GATEWAY_NAMES if names)
    words = ", ".join(f"{target.kind} {target.name}" for target in targets)
    detail = f"it is attached to {words}: what passes to the pods behind is known at most"
    mesh.draft.ledger.gap(item, "unsupported", detail, "groups")
    return AnyOf((behind, *gateways))


def _at_most(item: Object, action: Action) -> Iterator[Rule]:
    """Yield what a policy may deny of which it is not known whose connections it sees."""
    rule = _Draught(item, "attached", _PRIORITY[action] if action != "ALLOW" else _DEFAULT)
    yield rule.made("deny", TCP, (Everyone(),), ANYONE, exact=False, description="enforced by a gateway or waypoint")


class _Draught(NamedTuple):
    """What the rules that come from one match have in common."""

    item: Object
    name: str
    priority: int
    description: str = ""

    def made(
        self,
        verdict: Literal["deny", "next"],
        traffic: Traffic,
        remote: tuple[Peer, ...],
        local: tuple[Peer, ...],
        *,
        exact: bool,
        description: str = "",
    ) -> Rule:
        """Return a rule."""
        return Rule(
            id=self.name,
            direction="ingress",
            verdict=verdict,
            traffic=traffic,
            remote=remote,
            local=local,
            priority=self.priority,
            exact=exact,
            description=description or self.description,
            location=self.item.location,
        )


def _rules(
    item: Object, action: Action, found: Sequence[Match], place: str | None, mesh: Mesh, *, mixed: bool
) -> Iterator[Rule]:
    """Yield the rules of a policy; with ``mixed`` it asks for what a ztunnel cannot tell."""
    for match in found:
        yield from _of_match(item, action, match, place, mesh, mixed=mixed)
    for target in mesh.places:
        if mixed and target.part == AMBIENT:
            draught = _Draught(
                item, f"unseen.{target.name}", _PRIORITY["DENY"], "asks a ztunnel for what it cannot see"
            )
            yield draught.made("deny", TCP, (Everyone(),), _local(target, mesh), exact=False)
    if action != "ALLOW":
        return
    for target in mesh.places:
        draught = _Draught(item, f"default.{target.name}", _DEFAULT, "what no policy admits is denied")
        yield draught.made("deny", TCP, (Everyone(),), _local(target, mesh), exact=target.certain)


def _of_match(
    item: Object, action: Action, match: Match, place: str | None, mesh: Mesh, *, mixed: bool
) -> Iterator[Rule]:
    """Yield the rules that a match of a policy comes to, place by place."""
    numbers = iter(range(1 << 30))
    verdict: Literal["deny", "next"] = "next" if action == "ALLOW" else "deny"
    for target in mesh.places:
        # Whether a ztunnel leaves out the rules that it cannot follow or the whole policy is not told alike.
        told = target.certain and match.certain and action != "CUSTOM"
        told = told and not (mixed and target.part == AMBIENT and action == "ALLOW")
        for spot, certain in _spoken(item, action, match, target, place, mesh):
            for part in _identified(match, spot, mesh):
                for known in (True, False) if part.known is None else (part.known,):
                    for end in match.who.ends(target, mesh.draft, known=known, beyond=mesh.beyond):
                        exact = told and certain and end.exact and part.known is not None
                        name = f"{match.name}#{next(numbers)}"
                        draught = _Draught(item, name, _PRIORITY[action], "; ".join(match.requests))
                        local = _local(target, mesh, part.text, part.parts)
                        yield draught.made(verdict, part.traffic, end.remote, local, exact=exact)


def _spoken(
    item: Object, action: Action, match: Match, target: Place, place: str | None, mesh: Mesh
) -> Iterator[tuple[_Spot, bool]]:
    """Yield the parts of a place where a match counts, by what is spoken there, and whether it surely does."""
    whole = _Spot(target, match.traffic, known=True)
    if target.part == AMBIENT:
        if match.beyond and action == "ALLOW":
            return
        yield whole, True
        return
    if not match.requests or not target.certain:
        yield whole, not match.requests
        return
    for speech in mesh.protocols.parts(match.traffic, place):
        spot = whole._replace(traffic=speech.traffic, text=speech.text, parts=speech.parts)
        if speech.http is None:
            yield spot, False
        elif speech.http is (action == "ALLOW"):
            yield spot, True
        elif speech.http:
            _note(item, match, speech, mesh.draft)


def _note(item: Object, match: Match, speech: Speech, draft: Draft) -> None:
    told = f"{match.name} denies requests ({'; '.join(match.requests)}) and no connection to {speech.traffic}"
    draft.ledger.notes.append(f"{item.where}{item.own}: {told}")


def _identified(match: Match, spot: _Spot, mesh: Mesh) -> Iterator[_Spot]:
    """Yield the parts of a spot by whether an identity is shown there."""
    if not match.who.asks_identity or spot.place.part == AMBIENT:
        # Ztunnels always speak mutual TLS with each other.
        yield spot
        return
    for zone in mesh.zones:
        plain = False if spot.place.certain else None
        for known, traffic in ((plain, spot.traffic & zone.plain), (None, spot.traffic & zone.perhaps)):
            if traffic:
                yield _narrowed(spot, zone.text, zone.selector)._replace(traffic=traffic, known=known)
        other = spot.traffic - zone.plain - zone.perhaps
        if other:
            yield _narrowed(spot, zone.text, zone.selector)._replace(traffic=other)
    if not mesh.zones:
        yield spot
    elif spot.traffic:
        text = f"not those {', nor those '.join(zone.text for zone in mesh.zones)}"
        yield _narrowed(spot, text, NoneOf(tuple(zone.selector for zone in mesh.zones)))


def _narrowed(spot: _Spot, text: str, selector: Selector) -> _Spot:
    return spot._replace(text=", ".join(filter(None, (spot.text, text))), parts=(*spot.parts, selector))


def _local(place: Place, mesh: Mesh, text: str = "", parts: tuple[Selector, ...] = ()) -> tuple[Peer, ...]:
    """Return the near end of a rule."""
    if len(mesh.places) == 1 and not parts:
        return ANYONE
    words = ", ".join(filter(None, (f"pods {place.words}", text)))
    return (group_of(mesh.draft, words, *place.parts, *parts, in_cluster(mesh.draft.cluster)),)
