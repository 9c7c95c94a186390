"""PeerAuthentication: whether pods of the mesh accept what is not mutual TLS.

For a pod the policy counts that selects it, then that of its namespace, then that of the mesh; of several alike the
oldest; and what a policy leaves unset is inherited. Without any, plain text is accepted beside mutual TLS. A ztunnel
cannot do without mutual TLS: for ambient pods, DISABLE is ignored. Sources:
https://istio.io/latest/docs/reference/config/security/peer_authentication/,
https://istio.io/latest/docs/concepts/security/#authentication-policies and
https://istio.io/latest/docs/ambient/usage/l4-policy/
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, AllOf, Everyone, Labelled, NoneOf, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, in_cluster, in_namespace
from cloudseg.providers.kubernetes.translate.pipeline import MUTUAL_TLS_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.istio.membership import AMBIENT
from cloudseg.providers.kubernetes.translate.policies.istio.places import IN_MESH, members, places_of
from cloudseg.providers.kubernetes.translate.policies.istio.selection import leave_open, own_labels, required_of
from cloudseg.providers.kubernetes.translate.policies.istio.sources import beyond_cluster
from cloudseg.providers.kubernetes.translate.policies.istio.wire import MutualTls, PeerSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import NOT_TCP, TCP, group_of
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.model import Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.istio.places import Place
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings

__all__ = ["KIND", "Zone", "add_peer_authentications"]

KIND: Final = ("security.istio.io", "PeerAuthentication")

_Modes = frozenset[str]
_DEFAULT: Final[_Modes] = frozenset(("PERMISSIVE",))
_MODES: Final = frozenset(("DISABLE", "PERMISSIVE", "STRICT"))
_HIGHEST: Final = 65535


class Zone(NamedTuple):
    """Pods that share what PeerAuthentication makes of them.

    Attributes:
        text: the pods in words.
        selector: the pods.
        plain: the ports at which they speak no mutual TLS at all, so that nobody shows an identity.
        perhaps: the ports at which that is not certain.
    """

    text: str
    selector: Selector
    plain: Traffic
    perhaps: Traffic


class _Policy(NamedTuple):
    """A policy that was read.

    Attributes:
        item: the object.
        required: what it requires of pods; nothing for those of a whole namespace, or of the mesh.
        mode: the mode that it sets; empty for the one above.
        ports: the modes that it sets for ports, empty likewise.
        since: when it was made; empty where that is not known.
    """

    item: Object
    required: tuple[Labelled, ...]
    mode: str
    ports: tuple[tuple[int, str], ...]
    since: str

    @property
    def says(self) -> tuple[str, tuple[tuple[int, str], ...]]:
        """What it sets."""
        return self.mode, self.ports


class _Effect(NamedTuple):
    """What becomes of the ports of pods: the modes that may hold, for the ports named and for the rest."""

    rest: _Modes
    ports: tuple[tuple[int, _Modes], ...] = ()

    def traffic(self, *modes: str, certain: bool) -> Traffic:
        """Return the ports at which surely, or perhaps, one of some modes holds."""
        wanted = frozenset(modes)

        def fits(given: _Modes) -> bool:
            return given <= wanted if certain else bool(given & wanted)

        found = TCP if fits(self.rest) else NO_TRAFFIC
        for number, given in self.ports:
            port = Traffic.ports("tcp", number, number)
            found = found | port if fits(given) else found - port
        return found


class _Scene(NamedTuple):
    """What all policies share.

    Attributes:
        settings: the settings of the mesh.
        draft: the cluster.
        places: its kinds of targets.
        beyond: whether workloads outside of the cluster may be part of the mesh.
    """

    settings: Settings
    draft: Draft
    places: tuple[Place, ...]
    beyond: bool

    def whole(self, *parts: Selector) -> AllOf:
        """Return the pods of the mesh that meet requirements."""
        return AllOf((*parts, IN_MESH, in_cluster(self.draft.cluster)))


def add_peer_authentications(
    objects: Sequence[Object], settings: Settings, draft: Draft, *, beyond: bool
) -> tuple[Zone, ...]:
    """Add a rule set for each policy that counts somewhere, and return where nobody shows an identity.

    Args:
        objects: the objects of the cluster.
        settings: the settings of the mesh.
        draft: the cluster.
        beyond: whether workloads outside of the cluster may be part of the mesh.
    """
    scene = _Scene(settings, draft, places_of(draft), beyond)
    policies = [each for item in objects if (item.group, item.kind) == KIND and (each := _read(item, settings, draft))]
    zones: list[Zone] = []
    whole: defaultdict[str, list[_Policy]] = defaultdict(list)
    chosen: defaultdict[str, list[_Policy]] = defaultdict(list)
    for policy in policies:
        (chosen if policy.required else whole)[policy.item.place].append(policy)
    for several in (*whole.values(), *chosen.values()):
        several.sort(key=lambda each: (not each.since, each.since, each.item.name))
    zones = [*_of_spaces(whole, chosen, scene), *_of_workloads(whole, chosen, scene)]
    return tuple(zone for zone in zones if zone.plain or zone.perhaps)


def _of_spaces(
    whole: Mapping[str, Sequence[_Policy]], chosen: Mapping[str, Sequence[_Policy]], scene: _Scene
) -> Iterator[Zone]:
    """Add the rule sets of the policies of namespaces and of the mesh, and yield what they make of whom."""
    root = scene.settings.root
    mesh = _above(whole.get(root, ()), _DEFAULT)
    counting = {place for place, several in whole.items() if _says_something(several)}
    for place, several in sorted(whole.items()):
        if place in counting:
            spared = [each for at, own in sorted(chosen.items()) for each in own if place in (root, at)]
            scope: Selector = in_namespace(place)
            if place == root:
                scope = Labelled(NAMESPACE, "NotIn", frozenset(counting - {root}))
            selector = scene.whole(scope, NoneOf(tuple(_selected(each) for each in spared)))
            effect = _Effect(mesh if place == root else _above(several, mesh))
            text = "the mesh" if place == root else f"namespace {place}"
            yield _add(several[0], effect, selector, f"whom PeerAuthentication of {text} concerns", scene)
        for idle in several[1:]:
            _note_idle(idle, several[0], scene.draft)


def _of_workloads(
    whole: Mapping[str, Sequence[_Policy]], chosen: Mapping[str, Sequence[_Policy]], scene: _Scene
) -> Iterator[Zone]:
    """Add the rule sets of the policies with selectors, and yield what they make of whom."""
    mesh = _above(whole.get(scene.settings.root, ()), _DEFAULT)
    for place, several in sorted(chosen.items()):
        above = _above(whole.get(place, ()), mesh)
        for number, policy in enumerate(several):
            yield from _of_chosen(policy, several[:number], several[number + 1 :], above, scene)


def _read(item: Object, settings: Settings, draft: Draft) -> _Policy | None:
    problem = item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), PeerSpec | None) or PeerSpec()
            required = required_of(item, spec.selector, draft)
            ports = tuple(sorted(_ports(spec)))
            mode = _mode(spec.mtls)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            if required is None:
                return None
            if required and item.place == settings.root:
                text = "a PeerAuthentication with a selector has no effect in the root namespace"
                draft.ledger.notes.append(f"{item.where}{item.own}: {text}")
                return None
            since = item.part("metadata").get("creationTimestamp")
            return _Policy(item, required, mode, ports, since if isinstance(since, str) else "")
    draft.ledger.gap(item, "malformed", problem, "groups")
    leave_open(item, settings, draft)
    return None


def _mode(given: MutualTls | None) -> str:
    mode = "" if given is None or given.mode is None else given.mode
    if mode in {"", "UNSET"}:
        return ""
    if mode not in _MODES:
        raise ParseError(f"mode {mode!r} is none of {', '.join(sorted(_MODES))} and UNSET")
    return mode


def _ports(spec: PeerSpec) -> Iterator[tuple[int, str]]:
    for port, given in (spec.port_level_mtls or {}).items():
        if spec.selector is None or not spec.selector.match_labels:
            raise ParseError("portLevelMtls stands without a selector")
        if not str(port).isdigit() or not 0 < int(port) <= _HIGHEST:
            raise ParseError(f"portLevelMtls names {port!r}, which is no port")
        yield int(port), _mode(given)


def _says_something(policies: Sequence[_Policy]) -> bool:
    """Tell whether the policies of a namespace or the mesh, oldest first, change what is above."""
    return any(each.mode for each in _counting(policies))


def _above(policies: Sequence[_Policy], above: _Modes) -> _Modes:
    """Return the modes that may hold, of the policies of a namespace or the mesh, oldest first."""
    modes = frozenset[str]().union(*(_mode_or(each.mode, above) for each in _counting(policies)))
    return modes or above


def _counting(policies: Sequence[_Policy]) -> list[_Policy]:
    """Return the oldest policy, and those of which it is not known whether they are older."""
    return [*policies[:1], *(each for each in policies[1:] if _in_doubt(policies[0], each))]


def _in_doubt(one: _Policy, other: _Policy) -> bool:
    """Tell whether it is not known which of two policies is the older, and it matters."""
    return one.says != other.says and (not one.since or not other.since or one.since == other.since)


def _of_chosen(
    policy: _Policy, older: Sequence[_Policy], younger: Sequence[_Policy], above: _Modes, scene: _Scene
) -> Iterator[Zone]:
    """Add the rule set of a policy with a selector, and yield what it makes of the pods for which it counts."""
    rivals = [each for each in (*older, *younger) if _in_doubt(policy, each)]
    ahead = [each for each in older if each not in rivals]
    rest = _mode_or(policy.mode, above)
    effect = _Effect(rest, tuple((port, _mode_or(mode, rest)) for port, mode in policy.ports))
    left = NoneOf(tuple(_selected(each) for each in (*ahead, *rivals)))
    text = f"whom PeerAuthentication {policy.item.own} concerns"
    yield _add(policy, effect, scene.whole(_selected(policy), left), text, scene)
    for rival in rivals:
        if policy.item.name < rival.item.name:
            yield _contested(policy, rival, ahead, above, scene)


def _contested(policy: _Policy, rival: _Policy, ahead: Sequence[_Policy], above: _Modes, scene: _Scene) -> Zone:
    """Add what may hold where two policies select a pod, and nobody knows which is the older one."""
    one, other = _mode_or(policy.mode, above), _mode_or(rival.mode, above)
    mine, yours = dict(policy.ports), dict(rival.ports)
    ports = tuple(
        (port, _mode_or(mine.get(port, ""), one) | _mode_or(yours.get(port, ""), other))
        for port in sorted(mine.keys() | yours.keys())
    )
    left = NoneOf(tuple(_selected(each) for each in ahead))
    detail = f"{rival.item.own} may select pods of it as well: the older one counts, and which that is is not known"
    scene.draft.ledger.gap(policy.item, "unsupported", detail, "groups")
    text = f"whom PeerAuthentication {policy.item.own} or {rival.item.own} concerns"
    selector = scene.whole(_selected(policy), _selected(rival), left)
    return _add(policy, _Effect(one | other, ports), selector, text, scene, rival=rival.item.name)


def _mode_or(mode: str, above: _Modes) -> _Modes:
    return frozenset((mode,)) if mode else above


def _selected(policy: _Policy) -> AllOf:
    return AllOf((in_namespace(policy.item.place), *policy.required))


def _note_idle(policy: _Policy, counting: _Policy, draft: Draft) -> None:
    item = policy.item
    if _in_doubt(policy, counting):
        detail = f"{counting.item.own} concerns the same pods: the older one counts, and which that is is not known"
        draft.ledger.gap(item, "unsupported", detail, "groups")
    elif policy.mode:
        draft.ledger.notes.append(f"{item.where}{item.own}: it has no effect, since {counting.item.own} is older")


def _add(policy: _Policy, effect: _Effect, selector: AllOf, text: str, scene: _Scene, *, rival: str = "") -> Zone:
    """Add a rule set, and return the pods that it concerns.

    Args:
        policy: the policy.
        effect: what becomes of the ports.
        selector: the pods.
        text: the pods in words.
        scene: what all policies share.
        rival: the name of the policy that may count instead.
    """
    item = policy.item
    identifier = scene.draft.id(f"{item.own}{rival and f' or {rival}'}")
    modes = ("/".join(sorted(effect.rest)), *(f"{port}: {'/'.join(sorted(given))}" for port, given in effect.ports))
    scene.draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={**own_labels(item), "namespace": item.place, "mode": "; ".join(modes)},
        location=item.location,
        stage=MUTUAL_TLS_STAGE,
        rules=tuple(_rules(item, effect, scene, doubted=bool(rival))),
        applies=selector,
        network=pods_of(scene.draft.cluster),
        isolates=frozenset(("ingress",)),
    )
    plain = NO_TRAFFIC if rival else effect.traffic("DISABLE", certain=True)
    return Zone(text, selector, plain, effect.traffic("DISABLE", certain=False) - plain)


def _rules(item: Object, effect: _Effect, scene: _Scene, *, doubted: bool) -> Iterator[Rule]:
    draft = scene.draft
    yield _rule(item, "not-tcp", NOT_TCP, (Everyone(),))
    for place in scene.places:
        local: tuple[Peer, ...] = (group_of(draft, f"pods {place.words}", *place.parts, in_cluster(draft.cluster)),)
        if place.speakers is not None:
            speakers = group_of(draft, f"pods that speak mutual TLS with pods {place.words}", place.speakers)
            yield _rule(item, f"mutual-tls.{place.name}", TCP, (speakers,), local)
        every = (group_of(draft, "pods of the mesh", members(draft)), *beyond_cluster(draft, beyond=scene.beyond))
        yield _rule(item, f"mutual-tls.{place.name}.perhaps", TCP, every, local, exact=False)
        # At a ztunnel DISABLE is ignored: whether what is above counts then, or plain text is accepted, is not told.
        modes = ("PERMISSIVE",) if place.part == AMBIENT else ("PERMISSIVE", "DISABLE")
        sure = effect.traffic(*modes, certain=True) if place.certain and not doubted else NO_TRAFFIC
        more = (effect.traffic("PERMISSIVE", "DISABLE", certain=False) if place.certain else TCP) - sure
        if sure:
            yield _rule(item, f"plain-text.{place.name}", sure, (Everyone(),), local)
        if more:
            yield _rule(item, f"plain-text.{place.name}.perhaps", more, (Everyone(),), local, exact=False)


def _rule(
    item: Object,
    name: str,
    traffic: Traffic,
    remote: tuple[Peer, ...],
    local: tuple[Peer, ...] = ANYONE,
    *,
    exact: bool = True,
) -> Rule:
    return Rule(
        id=name,
        direction="ingress",
        verdict="next",
        traffic=traffic,
        remote=remote,
        local=local,
        exact=exact,
        location=item.location,
    )
