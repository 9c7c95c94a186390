"""ServiceIntentions: which services may connect to which. Between two of them a single intention decides.

It is the one that names destination and source most exactly; where there is none, the servers' default. Proxies look
at who a client shows to be by mutual TLS, so that none decides about plain text where that is let in. Sources:
https://developer.hashicorp.com/consul/docs/connect/intentions,
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions and
https://developer.hashicorp.com/consul/docs/k8s/connect/onboarding-tproxy-mode

Permissions look at requests, where the service speaks HTTP. Where nothing says what it speaks, or it is TCP, Consul
refuses them; what they do then is known at most. Source: https://developer.hashicorp.com/consul/commands/intention/check
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, AllOf, Everyone, NoneOf, Rule, RuleSet, matches
from cloudseg.providers.kubernetes.translate.labels import in_cluster
from cloudseg.providers.kubernetes.translate.objects import PROVIDER, fields_of
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.consul.defaults import MODE, PROTOCOL, is_synced
from cloudseg.providers.kubernetes.translate.policies.consul.ends import (
    NOBODY,
    clients_of,
    elsewhere,
    precedence,
    targets_of,
)
from cloudseg.providers.kubernetes.translate.policies.consul.membership import (
    DIRECT,
    PERHAPS,
    SIDECAR,
    UNASKED,
    UNNAMED,
)
from cloudseg.providers.kubernetes.translate.policies.consul.names import ANY, CONSUL, EVERY, SERVICE, chosen
from cloudseg.providers.kubernetes.translate.policies.consul.permissions import Outcome, outcome_of
from cloudseg.providers.kubernetes.translate.policies.consul.signs import GROUP
from cloudseg.providers.kubernetes.translate.policies.consul.wire import Destination, IntentionsSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import TCP, bearing, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.consul.ends import Clients
    from cloudseg.providers.kubernetes.translate.policies.consul.names import Chosen
    from cloudseg.providers.kubernetes.translate.policies.consul.settings import Settings

__all__ = ["ENFORCING", "KIND", "add_intentions"]

KIND: Final = (GROUP, "ServiceIntentions")
ENFORCING: Final = bearing(CONSUL, SIDECAR, DIRECT, PERHAPS, UNASKED, UNNAMED)
"""The pods that judge connections by intentions, or may. What gateways let through is theirs to know."""

_DEFAULT: Final = 10
_STRICT: Final = (bearing(CONSUL, SIDECAR), bearing(MODE, "strict"))


class _Spot(NamedTuple):
    """A part of the pods that an intention is about.

    Attributes:
        words: it in words.
        parts: what is required of them.
        admits: what lets through, surely does there.
        denies: what denies, surely does there.
    """

    words: str
    parts: tuple[Selector, ...]
    admits: bool
    denies: bool


class _Intention(NamedTuple):
    """One intention.

    Attributes:
        name: it among those of its object.
        clients: whom it is about.
        outcome: what becomes of them.
        order: where it stands; the least decides first.
    """

    name: str
    clients: Clients
    outcome: Outcome
    order: int


def add_intentions(objects: Sequence[Object], settings: Settings, draft: Draft, *, beyond: bool) -> None:
    """Add a rule set for each object with intentions, and one for the default."""
    items = [item for item in objects if (item.group, item.kind) == KIND]
    counted = Counter(_destination(item, settings) for item in items)
    for item in items:
        _add(item, settings, draft, beyond=beyond, alone=counted[_destination(item, settings)] == 1)
    if settings.default != "allow" and any(matches(ENFORCING, each) for each in draft.interfaces.values()):
        _add_default(settings, draft, beyond=beyond)


def _destination(item: Object, settings: Settings) -> tuple[object, ...]:
    """Return what two objects have in common of which only one can count."""
    given = fields_of(item.part("spec").get("destination"))
    space = given.get("namespace") or (item.place if settings.spaces.kind == "mirrored" else "")
    return str(given.get("name")), str(space)


def _add(item: Object, settings: Settings, draft: Draft, *, beyond: bool, alone: bool) -> None:
    problem, destination = item.flaw, Destination()
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), IntentionsSpec | None) or IntentionsSpec()
            destination = spec.destination or destination
            targets = targets_of(destination, item, settings, draft)
            found = list(_read(spec, destination, item, settings, draft))
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            if alone and is_synced(item):
                _put(item, targets, found, draft, beyond=beyond)
                return
            detail = "its status says that Consul did not take it"
            if not alone:
                detail = "other intentions have the same destination: Consul takes one of them, and which is not known"
            draft.ledger.gap(item, "unsupported", detail, "groups")
            _leave_open(item, draft)
            return
    draft.ledger.gap(item, "malformed", problem, "groups")
    _leave_open(item, draft)


def _leave_open(item: Object, draft: Draft) -> None:
    """Leave open the pods that an object could be about."""
    name = fields_of(item.part("spec").get("destination")).get("name")
    if item.flaw or not isinstance(name, str) or name in {"", ANY}:
        draft.bound(None, (ENFORCING,))
        return
    draft.bound(None, (ENFORCING, bearing(SERVICE, name)))
    for interface in draft.interfaces.values():
        text = interface.labels.get("pod/consul-services", "")
        if text and matches(chosen(name, draft).may, interface):
            draft.bound(None, (ENFORCING, bearing("pod/consul-services", text)))


def _read(
    spec: IntentionsSpec, destination: Destination, item: Object, settings: Settings, draft: Draft
) -> Iterator[_Intention]:
    if not spec.sources:
        raise ParseError("sources are missing")
    seen: set[tuple[str | None, ...]] = set()
    for number, source in enumerate(spec.sources):
        who = (source.name, source.namespace or "", source.partition or "", source.peer or "", source.sameness_group)
        if who in seen:
            raise ParseError(f"sources[{number}] stands there twice")
        seen.add(who)
        outcome = outcome_of(source, settings.default, token=spec.jwt is not None)
        clients = clients_of(source, destination, item, settings, draft)
        yield _Intention(f"sources[{number}]", clients, outcome, _DEFAULT - precedence(source, destination))


def _put(item: Object, targets: Chosen, found: Sequence[_Intention], draft: Draft, *, beyond: bool) -> None:
    identifier = draft.id(item.own)
    rules = tuple(rule for each in found for rule in _rules(item, targets, each, draft, beyond=beyond))
    verdicts = {each.outcome.verdict for each in found}
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={"namespace": item.place, "action": "ALLOW" if verdicts - {"deny"} else "DENY"},
        location=item.location,
        stage=MESH_STAGE,
        rules=rules,
        applies=AllOf((targets.may, ENFORCING, in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        isolates=frozenset(("ingress",)),
    )


def _spots(targets: Chosen, asks: str) -> Iterator[_Spot]:
    """Yield the parts of the pods that an intention is about, by what is certain there."""
    named = (AllOf((targets.sure, bearing(CONSUL, SIDECAR))), *((bearing(PROTOCOL, "http"),) if asks else ()))
    speak = " and speak HTTP" if asks else ""
    yield _Spot(f"{targets.near} that ask for mutual TLS{speak}", (*named, *_STRICT), admits=True, denies=True)
    plain = (*named, NoneOf(_STRICT[1:]))
    yield _Spot(f"{targets.near} that may take plain text{speak}", plain, admits=True, denies=False)
    rest = (targets.may, ENFORCING, NoneOf((AllOf(named),)))
    words = f"{targets.text}, but {targets.near or 'nobody'} behind proxies{speak}"
    yield _Spot(words, rest, admits=False, denies=False)


def _rules(item: Object, targets: Chosen, found: _Intention, draft: Draft, *, beyond: bool) -> Iterator[Rule]:
    verdict, asks = found.outcome
    for spot in _spots(targets, asks):
        if not any(matches(AllOf(spot.parts), each) for each in draft.interfaces.values()):
            continue
        local = (group_of(draft, f"consul: {spot.words}", *spot.parts, in_cluster(draft.cluster)),)
        told = verdict
        if asks and not spot.admits:
            told = "unknown"
        for remote, surely in _remotes(found.clients, told, draft, beyond=beyond, strict=spot.denies):
            for each, exact in _verdicts(told, spot, surely=surely):
                yield Rule(
                    id=found.name,
                    direction="ingress",
                    verdict=each,
                    traffic=TCP,
                    remote=remote,
                    local=local,
                    priority=found.order,
                    exact=exact,
                    description=asks if each == "next" else "",
                    location=item.location,
                )


def _verdicts(
    verdict: Literal["next", "deny", "unknown"], spot: _Spot, *, surely: bool
) -> Iterator[tuple[Literal["next", "deny"], bool]]:
    if verdict != "next":
        yield "deny", surely and spot.denies and verdict == "deny"
    if verdict != "deny":
        # What is not surely let through, nothing behind it may deny either: no other intention counts.
        yield "next", surely and spot.admits


def _remotes(
    clients: Clients, verdict: str, draft: Draft, *, beyond: bool, strict: bool
) -> Iterator[tuple[tuple[Peer, ...], bool]]:
    """Yield the clients, and whether they surely are the ones that are meant."""
    here = clients.here
    every = here.sure == here.may == EVERY
    if every and verdict == "deny" and strict and not beyond:
        # Who shows no identity is turned away as well.
        yield (Everyone(),), True
        return
    if here.sure != NOBODY:
        yield (group_of(draft, f"consul: {here.near}", here.sure),), True
    away: tuple[Peer, ...] = (elsewhere(draft),) if clients.beyond or beyond else ()
    if here.may not in (here.sure, NOBODY):
        yield (group_of(draft, f"consul: {here.text}, perhaps", here.may), *away), False
    elif away:
        yield away, False


def _add_default(settings: Settings, draft: Draft, *, beyond: bool) -> None:
    """Add what becomes of connections for which there is no intention."""
    identifier = draft.id(f"{MESH_STAGE}/consul default")
    known = settings.default == "deny"
    description = "" if known else "what becomes of connections without an intention is set at the servers of Consul"
    every: tuple[Peer, ...] = (group_of(draft, "consul: every service", EVERY),)
    every = (*every, elsewhere(draft)) if beyond else every
    strict = group_of(draft, "consul: services that ask for mutual TLS", *_STRICT, in_cluster(draft.cluster))
    ends: tuple[tuple[str, tuple[Peer, ...], tuple[Peer, ...], bool], ...] = (
        # Who shows no identity is turned away by these as well.
        ("default", (strict,), (Everyone(),), known),
        ("default.perhaps", ANYONE, every, False),
    )
    rules = tuple(
        Rule(
            id=name,
            direction="ingress",
            verdict="deny",
            traffic=TCP,
            remote=remote,
            local=local,
            priority=_DEFAULT,
            exact=exact,
            description=description,
        )
        for name, local, remote, exact in ends
    )
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind="mesh-rule",
        stage=MESH_STAGE,
        rules=rules,
        applies=AllOf((ENFORCING, in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        isolates=frozenset(("ingress",)),
        managed_by=PROVIDER,
    )
