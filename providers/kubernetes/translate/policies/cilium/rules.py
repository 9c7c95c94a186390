"""Rules of the model out of one rule of Cilium's: each of its ends with each of its ports.

Named ports are resolved at the pod that receives. On egress versions of Cilium differ: newer ones ask each pod, older
ones take a number that any pod gives the name, so that whoever has no such port of its own is known at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, Everyone, Rule
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE, in_namespace, port_label, words
from cloudseg.providers.kubernetes.translate.peers import Pods
from cloudseg.providers.kubernetes.translate.policies.cilium.ends import note_unread, read_ends
from cloudseg.providers.kubernetes.translate.policies.cilium.entities import EVERY_POD
from cloudseg.providers.kubernetes.translate.policies.cilium.ports import read_slices
from cloudseg.providers.kubernetes.translate.policies.cilium.requests import joined
from cloudseg.providers.kubernetes.translate.policies.cilium.selectors import read_selector
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Labelled, Peer, SourceLocation, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.cilium.ends import End, Scene
    from cloudseg.providers.kubernetes.translate.policies.cilium.ports import Slice
    from cloudseg.providers.kubernetes.translate.policies.cilium.wire import Section
    from cloudseg.providers.kubernetes.translate.traffic import NamedPort
    from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = ["Head", "Made", "make_rules"]

_MODES: Final = ("disabled", "required", "test-always-fail")
_PROVED: Final = "both ends have to prove who they are: whether Cilium asks for that, and they can, no manifest says"
_NAMES: Final = "versions of Cilium differ in whose ports a name on egress stands for"
_REQUIRED: Final = "only ends that meet this pass; versions of Cilium differ in which rules it limits"
_NEGATED: Final = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}


class Head(NamedTuple):
    """What the rules that come from one rule of a policy have in common.

    Attributes:
        name: which rule of the policy that is: ``ingress[0]``.
        direction: its direction.
        verdict: what it says.
        description: what people wrote about the policy.
        location: where the policy is written.
    """

    name: str
    direction: Direction
    verdict: Verdict
    description: str
    location: SourceLocation | None


class Made(NamedTuple):
    """The rules that admit, and those that deny; ``denying`` holds what may deny, too."""

    admitting: tuple[Rule, ...]
    denying: tuple[Rule, ...]


def make_rules(section: Section, head: Head, scene: Scene) -> Made:
    """Return the rules of the model for one rule of a policy.

    Raises:
        ParseError: the API server or Cilium would refuse it.
    """
    ends = read_ends(section, head.direction, scene)
    slices = read_slices(section, head.direction)
    found = [rule for end in ends for piece in slices for rule in _pair(end, piece, head, scene)]
    limits = tuple(_limits(section.requires or [], head, scene))
    if head.verdict == "deny":
        if section.requires:
            raise ParseError(f"{head.name} has requirements, and which denials they limit is not judged")
        return Made((), tuple(found))
    mode = "disabled" if section.authentication is None else section.authentication.mode
    if mode not in _MODES:
        raise ParseError(f"authentication mode {mode!r} is none of {', '.join(_MODES)}")
    if mode == "disabled":
        return Made(tuple(found), limits)
    # Where what this rule admits has to be proved, another rule that admits it too is of no help.
    doubted = tuple(
        msgspec.structs.replace(rule, exact=False, description=joined(rule.description, _PROVED)) for rule in found
    )
    refused = tuple(msgspec.structs.replace(rule, id=f"{rule.id}.authentication", verdict="deny") for rule in doubted)
    return Made(doubted, (*limits, *refused))


def _pair(end: End, piece: Slice, head: Head, scene: Scene) -> Iterator[Rule]:
    """Yield the rules for one end and one item of ports."""
    if end.who == ():
        return
    name = ".".join(part for part in (head.name, end.name, piece.name) if part)
    own = head._replace(name=name, description=joined(head.description, piece.about, end.about))
    exact = end.exact and piece.exact
    if piece.traffic:
        yield _rule(own, piece.traffic, _peers(end, scene.draft), exact=exact)
    for port in piece.named:
        made = _into(own, port, end, scene) if head.direction == "ingress" else _out_to(own, port, end, scene)
        for rule in made:
            yield rule if exact else msgspec.structs.replace(rule, exact=False)


def _into(head: Head, port: NamedPort, end: End, scene: Scene) -> Iterator[Rule]:
    """Yield a rule for each number that the name has at the pods of the policy itself."""
    space = scene.namespace
    near = EVERY_POD if space is None else Pods(f"all pods in namespace {space}", (in_namespace(space),))
    for number in scene.draft.numbers(space, port_label(port.name, port.protocol)):
        rule = _rule(_numbered(head, port, number), _one(port, number), _peers(end, scene.draft))
        yield msgspec.structs.replace(rule, local=(near.with_port(port, number).peer(scene.draft),))


def _out_to(head: Head, port: NamedPort, end: End, scene: Scene) -> Iterator[Rule]:
    """Yield rules for each number that the name has at any pod."""
    numbers = scene.draft.numbers(None, port_label(port.name, port.protocol))
    pods = EVERY_POD if end.who == (Everyone(),) else end.who
    for number in numbers:
        own = _numbered(head, port, number)
        if isinstance(pods, Pods):
            there = pods.with_port(port, number).peer(scene.draft)
            yield _rule(own, _one(port, number), (there,), exact=len(numbers) == 1)
        others = own._replace(name=f"{own.name}.others", description=joined(own.description, _NAMES))
        yield _rule(others, _one(port, number), _peers(end, scene.draft), exact=False)


def _limits(requires: list[LabelSelector], head: Head, scene: Scene) -> Iterator[Rule]:
    """Yield what may deny whoever does not meet ``fromRequires`` or ``toRequires``.

    The documentation says that they limit whatever else is admitted; Cilium itself limits the endpoints of other rules,
    and from 1.19 on knows them no more. Source:
    https://docs.cilium.io/en/v1.18/security/policy/language/#additional-label-requirements
    """
    peers: dict[Peer, None] = {}
    for selector in requires:
        chosen = read_selector(selector, scene.namespace, scene.draft)
        if chosen.reserved or chosen.unclear:
            peers[Everyone()] = None
        for each in chosen.required:
            peers[_others(each).peer(scene.draft)] = None
        if chosen.asks_labels_of_spaces and (unlabelled := scene.draft.unlabelled):
            note_unread(unlabelled, scene.draft)
            text = f"all pods in namespaces {words((in_namespace(*unlabelled),), prefix=ON_NAMESPACE)}"
            peers[Pods(text, (in_namespace(*unlabelled),)).peer(scene.draft)] = None
        peers[Addresses(ALL_ADDRESSES)] = None
    if peers:
        word = "from" if head.direction == "ingress" else "to"
        own = head._replace(name=f"{head.name}.{word}Requires", verdict="deny", description=_REQUIRED)
        yield _rule(own, ALL_TRAFFIC, tuple(peers), exact=False)


def _others(required: Labelled) -> Pods:
    """Return the pods that do not meet a requirement."""
    negated = msgspec.structs.replace(required, operator=_NEGATED[required.operator])
    if required.key == NAMESPACE or required.key.startswith(ON_NAMESPACE):
        return Pods(f"all pods in namespaces {words((negated,), prefix=ON_NAMESPACE)}", (negated,))
    return Pods(f"pods {words((negated,))} in any namespace", (negated,))


def _peers(end: End, draft: Draft) -> tuple[Peer, ...]:
    return (end.who.peer(draft),) if isinstance(end.who, Pods) else end.who


def _numbered(head: Head, port: NamedPort, number: int) -> Head:
    return head._replace(name=f"{head.name}.{port.name}/{port.protocol}={number}")


def _one(port: NamedPort, number: int) -> Traffic:
    return Traffic.ports(port.protocol.lower(), number, number)


def _rule(head: Head, traffic: Traffic, remote: tuple[Peer, ...], *, exact: bool = True) -> Rule:
    return Rule(
        id=head.name,
        direction=head.direction,
        verdict=head.verdict,
        traffic=traffic,
        remote=remote,
        local=ANYONE,
        exact=exact,
        description=head.description,
        location=head.location,
    )
