"""The rules of Calico's policies.

``Allow`` and ``Deny`` are final, ``Pass`` hands on to the next tier, ``Log`` decides nothing. What a rule asks of HTTP
requests is asked of a connection that it admits. Source:
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#rule

Of a rule that may match or not, the engine bounds what it admits or denies. One that passes on perhaps leaves open what
later ones of its tier decide as well, so that in its place stand one that admits and one that denies, both perhaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, Everyone, Labelled, Rule
from cloudseg.providers.kubernetes.translate.labels import on_port, port_label
from cloudseg.providers.kubernetes.translate.policies.calico.entities import ANYBODY, Scope, narrowed, scope_of
from cloudseg.providers.kubernetes.translate.policies.calico.selection import NOBODY, both, exactly
from cloudseg.providers.kubernetes.translate.policies.calico.services import behind
from cloudseg.providers.kubernetes.translate.policies.calico.traffic import (
    of_ports,
    port_protocol,
    read_ports,
    traffic_of,
)
from cloudseg.providers.kubernetes.translate.policies.calico.wire import Entity
from cloudseg.traffic import IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Peer, SourceLocation, Verdict
    from cloudseg.providers.kubernetes.translate.policies.calico.context import Context
    from cloudseg.providers.kubernetes.translate.policies.calico.selection import Chosen
    from cloudseg.providers.kubernetes.translate.policies.calico.wire import HttpMatch, PolicyRule

__all__ = ["Head", "rules_of"]

_VERDICTS: Final[dict[str, Verdict | None]] = {"allow": "accept", "deny": "deny", "pass": "next", "log": None}
_EVERY_PORT: Final = IntervalSet(((0, 65535),))
_MOST_VARIANTS: Final = 64


class Head(NamedTuple):
    """What the rules that come from one rule of a policy have in common.

    Attributes:
        name: ``ingress[0]``.
        direction: the direction.
        namespace: the namespace of the policy; None for a global one.
        location: where the policy is written.
    """

    name: str
    direction: Direction
    namespace: str | None
    location: SourceLocation | None


class _Part(NamedTuple):
    """One part of what a rule matches.

    Attributes:
        name: what tells it from the others; empty for the only one.
        near: the pods at whose side the rule stands.
        far: the other end.
        traffic: the traffic.
    """

    name: str
    near: Scope
    far: Scope
    traffic: Traffic


class _Variant(NamedTuple):
    """What ports stand for at some receivers: all of them, or pods with or without a named port."""

    name: str
    pods: Chosen | None
    outside: bool
    traffic: Traffic


class _Manner(NamedTuple):
    """How a rule decides, whatever it matches."""

    verdict: Verdict
    source_ports: IntervalSet | None
    certain: bool
    description: str


def rules_of(head: Head, rule: PolicyRule, context: Context) -> tuple[Rule, ...]:
    """Return the rules of the model that stand for a rule; none for one that only logs.

    Raises:
        ParseError: Calico would refuse it.
    """
    if rule.action.lower() not in _VERDICTS:
        raise ParseError(f"{head.name}: action {rule.action!r} is none of Allow, Deny, Pass and Log")
    verdict = _VERDICTS[rule.action.lower()]
    source, destination = rule.source or Entity(), rule.destination or Entity()
    source_ports, named_source = _source_ports(rule, source)
    if rule.http is not None and (verdict != "accept" or head.direction != "ingress"):
        raise ParseError(f"{head.name}: http stands in a rule that is not Allow of ingress")
    if (source.domains or destination.domains) and (
        verdict != "accept" or head.direction != "egress" or source.domains
    ):
        raise ParseError(f"{head.name}: domains stand elsewhere than in the destination of Allow of egress")
    parts = tuple(_parts(head, rule, context))
    if verdict is None:
        return ()
    words = "" if rule.http is None else _http(rule.http)
    manner = _Manner(verdict, source_ports, certain=not named_source and source_ports is None, description=words)
    return tuple(made for part in parts if part.traffic for made in _made(head, part, manner, context))


def _source_ports(rule: PolicyRule, source: Entity) -> tuple[IntervalSet | None, bool]:
    """Return the client's ports that a rule admits, None for all, and whether any is told by name."""
    if not source.ports and not source.not_ports:
        return None, False
    port_protocol(rule)
    wanted, unwanted = read_ports(source.ports or ()), read_ports(source.not_ports or ())
    found = wanted.numbers if source.ports else _EVERY_PORT
    found = found - unwanted.numbers
    if wanted.names:
        return None, True
    return found, bool(unwanted.names)


def _parts(head: Head, rule: PolicyRule, context: Context) -> Iterator[_Part]:
    traffic = traffic_of(rule)
    if rule.http is not None:
        traffic = traffic & Traffic.protocol("tcp")
    source, destination = rule.source or Entity(), rule.destination or Entity()
    inward = head.direction == "ingress"
    # A packet has one version, so that it is asked of the far end alone.
    version, traffic = _version(rule, traffic)
    if destination.services is not None:
        if inward or _asks(destination, ports=True):
            raise ParseError(f"{head.name}: services stand beside other fields, or in the destination of ingress")
        near = scope_of(source, head.namespace, None, context)
        for number, found in enumerate(behind(destination.services, head.namespace, context, ports=True)):
            yield _Part(f".service[{number}]", near, found.scope, traffic & found.traffic)
        return
    froms = [("", _scope(source, head, version if inward else None, context))]
    if source.services is not None:
        if not inward or _asks(source, ports=False):
            raise ParseError(f"{head.name}: services stand beside other fields, or in the source of egress")
        each = behind(source.services, head.namespace, context, ports=False)
        froms = [(f".service[{number}]", found.scope) for number, found in enumerate(each)]
    to = scope_of(destination, head.namespace, None if inward else version, context)
    for name, start in froms:
        for variant in _variants(head, rule, destination, traffic, context):
            end = to if variant.pods is None else narrowed(to, variant.pods, outside=variant.outside)
            near, far = (end, start) if inward else (start, end)
            yield _Part(f"{name}{variant.name}", near, far, variant.traffic)


def _version(rule: PolicyRule, traffic: Traffic) -> tuple[int | None, Traffic]:
    """Return the version of IP that is to be asked for, and the traffic of it; None where the protocol says it."""
    asked = rule.ip_version
    if asked not in {None, 4, 6}:
        raise ParseError(f"ipVersion is {asked}: write 4 or 6")
    if asked is None:
        return None, traffic
    other = Traffic.protocol("icmpv6" if asked == 4 else "icmp")
    own = Traffic.protocol("icmp" if asked == 4 else "icmpv6")
    left = traffic - other
    return (None if left <= own else asked), left


def _scope(entity: Entity, head: Head, version: int | None, context: Context) -> Scope:
    return ANYBODY if entity.services is not None else scope_of(entity, head.namespace, version, context)


def _asks(entity: Entity, *, ports: bool) -> bool:
    """Tell whether an entity asks for anything but services."""
    others = (entity.nets, entity.not_nets, entity.selector, entity.not_selector, entity.namespace_selector)
    own = (entity.ports, entity.not_ports) if ports else ()
    return any((*others, entity.service_accounts, entity.domains, *own))


def _variants(head: Head, rule: PolicyRule, to: Entity, traffic: Traffic, context: Context) -> Iterator[_Variant]:
    """Yield what the ports of a destination stand for: it is the receiving pod that gives a name a number.

    Only endpoints have named ports, so that no address outside meets one. Source:
    https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#named-ports
    """
    if not to.ports and not to.not_ports:
        yield _Variant("", None, outside=True, traffic=traffic)
        return
    protocol = port_protocol(rule)
    wanted, unwanted = read_ports(to.ports or ()), read_ports(to.not_ports or ())
    place = head.namespace if head.direction == "ingress" else None
    barred = of_ports(protocol, unwanted.numbers)
    found: list[_Variant] = []
    if not to.ports or wanted.numbers:
        mine = of_ports(protocol, wanted.numbers) if to.ports else traffic
        found.append(_Variant("", None, outside=True, traffic=mine & traffic))
    for name in wanted.names:
        for number in context.draft.numbers(place, port_label(name, protocol)):
            having = exactly(on_port(name, protocol, number))
            mine = Traffic.ports(protocol.lower(), number, number) & traffic
            found.append(_Variant(f".{name}/{protocol}={number}", having, outside=False, traffic=mine))
    for name in unwanted.names:
        found = [after for each in found for after in _barred(each, name, protocol, place, context)]
        if len(found) > _MOST_VARIANTS:
            raise ParseError(f"{head.name}: notPorts names more ports than can be told apart")
    yield from (each._replace(traffic=each.traffic - barred) for each in found)


def _barred(variant: _Variant, name: str, protocol: str, place: str | None, context: Context) -> Iterator[_Variant]:
    """Yield a variant without the pods' ports of a name: apart for each number, and for whoever has no such port."""
    label = port_label(name, protocol)
    for number in context.draft.numbers(place, label):
        having = exactly(on_port(name, protocol, number))
        own = having if variant.pods is None else both(variant.pods, having)
        rest = variant.traffic - Traffic.ports(protocol.lower(), number, number)
        yield _Variant(f"{variant.name}.not-{name}/{protocol}={number}", own, outside=False, traffic=rest)
    lacking = exactly(Labelled(label, "DoesNotExist"))
    own = lacking if variant.pods is None else both(variant.pods, lacking)
    yield _Variant(variant.name, own, variant.outside, variant.traffic)


def _made(head: Head, part: _Part, manner: _Manner, context: Context) -> Iterator[Rule]:
    """Yield the rules for one part: first what matches for sure, then what may."""
    near, far = part.near, part.far
    name = f"{head.name}{part.name}"
    exact = manner.certain and near.pods.exact and far.exact
    surely = manner.certain or (manner.verdict != "next" and manner.source_ports is not None)
    if surely:
        local, remote = _local(near, context, sure=True), _remote(far, context, sure=True)
        if local and remote:
            yield _rule(head, name, manner, part.traffic, local, remote, exact=True)
    if exact or (surely and near.pods.exact and far.exact):
        return
    local, remote = _local(near, context, sure=False), _remote(far, context, sure=False)
    if not local or not remote:
        return
    if manner.verdict != "next":
        yield _rule(head, f"{name}.perhaps", manner, part.traffic, local, remote, exact=False)
        return
    for verdict in ("accept", "deny"):
        instead = manner._replace(verdict=verdict, description="passes on to the next tier, perhaps")
        own = f"{name}.perhaps-{'admits' if verdict == 'accept' else 'denies'}"
        yield _rule(head, own, instead, part.traffic, local, remote, exact=False)


def _local(near: Scope, context: Context, *, sure: bool) -> tuple[Peer, ...]:
    if near.anybody:
        return ANYONE
    pods = near.pods.sure if sure else near.pods.may
    return () if pods == NOBODY else (context.group(pods),)


def _remote(far: Scope, context: Context, *, sure: bool) -> tuple[Peer, ...]:
    if far.anybody:
        return (Everyone(),)
    pods, addresses = (far.pods.sure, far.sure) if sure else (far.pods.may, far.may)
    found: list[Peer] = [] if pods == NOBODY else [context.group(pods)]
    if addresses:
        found.append(Addresses(addresses))
    return (*found, *(() if sure else far.peers))


def _rule(
    head: Head,
    name: str,
    manner: _Manner,
    traffic: Traffic,
    local: tuple[Peer, ...],
    remote: tuple[Peer, ...],
    *,
    exact: bool,
) -> Rule:
    return Rule(
        id=name,
        direction=head.direction,
        verdict=manner.verdict,
        traffic=traffic,
        remote=remote,
        local=local,
        source_ports=manner.source_ports,
        exact=exact,
        description=manner.description,
        location=head.location,
    )


def _http(match: HttpMatch) -> str:
    """Return what is asked of HTTP requests, in words.

    Raises:
        ParseError: a path is told by nothing, or by both.
    """
    paths: list[str] = []
    for path in match.paths or ():
        if bool(path.exact) == bool(path.prefix):
            raise ParseError("a path of http is either exact or a prefix")
        paths.append(path.exact or f"{path.prefix}*")
    words = " ".join((", ".join(match.methods or ("any method",)), ", ".join(paths))).strip()
    return f"HTTP: {words} only" if match.methods or paths else "HTTP only"
