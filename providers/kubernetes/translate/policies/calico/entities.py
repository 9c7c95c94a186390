"""``source`` and ``destination`` of Calico's rules: whoever meets everything that they ask for.

Selectors choose endpoints and network sets, the namespace's own in a NetworkPolicy, unless ``namespaceSelector`` says
otherwise. ``notSelector`` negates the match: what is no endpoint at all meets it, as long as no other selector and no
namespace narrows it. Source: https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#entityrule
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Names, Unresolved
from cloudseg.providers.kubernetes.translate.policies.calico.expressions import (
    NAMESPACE_KEY,
    And,
    Compare,
    of_endpoints,
    of_namespaces,
    of_service_accounts,
)
from cloudseg.providers.kubernetes.translate.policies.calico.parsing import parse
from cloudseg.providers.kubernetes.translate.policies.calico.selection import ALL_PODS, both, either, not_in
from cloudseg.providers.kubernetes.translate.policies.calico.wire import Entity
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Peer
    from cloudseg.providers.kubernetes.translate.policies.calico.context import Context
    from cloudseg.providers.kubernetes.translate.policies.calico.expressions import Expression
    from cloudseg.providers.kubernetes.translate.policies.calico.selection import Chosen
    from cloudseg.providers.kubernetes.translate.policies.calico.wire import ServiceAccounts

__all__ = ["ANYBODY", "Scope", "expression_of", "narrowed", "scope_of"]

_FAMILIES: Final = {4: ALL_IPV4, 6: ALL_IPV6}
_UNREAD_SET: Final = Unresolved("network sets", "a network set could not be read")


class Scope(NamedTuple):
    """Whoever an entity stands for.

    Attributes:
        pods: the pods.
        named: of these, those that its selectors choose, and not ranges of addresses alone.
        sure: the addresses of whoever is no pod, for sure.
        may: the addresses of whoever is no pod at most; they hold ``sure``.
        peers: others, known at most.
        anybody: it asks for nothing.
    """

    pods: Chosen
    named: Chosen
    sure: AddressSet
    may: AddressSet
    peers: tuple[Peer, ...] = ()
    anybody: bool = False

    @property
    def exact(self) -> bool:
        """Whether nothing about it is unknown."""
        return self.pods.exact and self.sure == self.may and not self.peers


ANYBODY: Final = Scope(ALL_PODS, ALL_PODS, ALL_ADDRESSES, ALL_ADDRESSES, anybody=True)


def narrowed(scope: Scope, to: Chosen, *, outside: bool) -> Scope:
    """Return the part of a scope that is among some pods.

    Args:
        scope: the scope.
        to: the pods.
        outside: keep also whoever is no pod.
    """
    if outside:
        return scope._replace(pods=both(scope.pods, to), named=both(scope.named, to), anybody=False)
    own = both(scope.named, to)
    return Scope(own, own, NO_ADDRESSES, NO_ADDRESSES)


def expression_of(entity: Entity, namespace: str | None) -> Expression | None:
    """Return what an entity asks of endpoints and network sets; None where it asks for nothing.

    Args:
        entity: the entity.
        namespace: the namespace of the policy; None for a global one.

    Raises:
        ParseError: a selector is none.
    """
    parts: list[Expression] = []
    if entity.selector:
        parts.append(of_endpoints(parse(entity.selector)))
    parts += _of_accounts(entity.service_accounts)
    if entity.namespace_selector:
        parts.append(of_namespaces(parse(entity.namespace_selector)))
    elif namespace is not None and (parts or entity.not_selector):
        parts.append(Compare(NAMESPACE_KEY, "in", frozenset((namespace,))))
    return reduce(And, parts) if parts else None


def _of_accounts(accounts: ServiceAccounts | None) -> list[Expression]:
    found: list[Expression] = []
    if accounts is not None and accounts.names:
        found.append(Compare("projectcalico.org/serviceaccount", "in", frozenset(accounts.names)))
    if accounts is not None and accounts.selector:
        found.append(of_service_accounts(parse(accounts.selector)))
    return found


def scope_of(entity: Entity, namespace: str | None, version: int | None, context: Context) -> Scope:
    """Return whoever an entity stands for, without regard to its ports and services.

    Args:
        entity: the entity.
        namespace: the namespace of the policy; None for a global one.
        version: the only version of IP that counts; None for both.
        context: what it is translated with.

    Raises:
        ParseError: Calico would refuse it.
    """
    positive = expression_of(entity, namespace)
    found = ANYBODY if positive is None else _selected(positive, context, entity)
    if entity.not_selector:
        found = _without(found, _selected(of_endpoints(parse(entity.not_selector)), context, Entity()))
    least, most = _ranges(entity, version)
    if (least, most) != (ALL_ADDRESSES, ALL_ADDRESSES):
        there = context.within(most)
        pods = there if least == most else there._replace(sure=context.within(least).sure)
        found = Scope(
            both(found.pods, pods), both(found.named, pods), found.sure & least, found.may & most, found.peers
        )
    if entity.domains:
        nobody = not_in(ALL_PODS)
        anyone = nobody._replace(may=ALL_PODS.may)
        names = Names(tuple(entity.domains))
        found = Scope(anyone, anyone, NO_ADDRESSES, NO_ADDRESSES, (*found.peers, names))
    return found


def _ranges(entity: Entity, version: int | None) -> tuple[AddressSet, AddressSet]:
    """Return the addresses that an entity asks for: those for sure, and those at most.

    Whether ranges of one family that it excludes leave the other family in is not documented.
    """
    found = ALL_ADDRESSES if version is None else _FAMILIES[version]
    if entity.nets:
        found = found & AddressSet.from_cidrs(entity.nets)
    if not entity.not_nets:
        return found, found
    without = AddressSet.from_cidrs(entity.not_nets)
    families = (ALL_IPV4 if without.v4 else NO_ADDRESSES) | (ALL_IPV6 if without.v6 else NO_ADDRESSES)
    most = found - without
    return most & families, most


def _selected(expression: Expression, context: Context, entity: Entity) -> Scope:
    """Return the endpoints and network sets that a selector chooses.

    By the documentation a selector of service accounts matches pods alone, and one of namespaces nothing global that it
    does not ask for with ``global()``. Network sets bear none of these labels, so that a negated selector matches them.
    """
    global_too = not entity.namespace_selector or "global(" in entity.namespace_selector
    pods = context.labels.pods(expression)
    sure = may = NO_ADDRESSES
    peers: dict[Peer, None] = {}
    for found, certain in context.sets_of(expression):
        if certain and entity.service_accounts is None and (global_too or found.namespace is not None):
            sure |= found.addresses
        may |= found.addresses
        if found.names:
            peers[Names(found.names)] = None
        if found.unread:
            peers[_UNREAD_SET] = None
    borne = context.within(may)
    if sure != may:
        borne = borne._replace(sure=context.within(sure).sure)
    if peers:
        borne = borne._replace(may=ALL_PODS.may)
    return Scope(either(pods, borne), pods, sure, may, tuple(peers))


def _without(scope: Scope, gone: Scope) -> Scope:
    """Return whoever belongs to one scope, and not to another."""
    rest = not_in(gone.pods)
    sure = NO_ADDRESSES if gone.peers else scope.sure - gone.may
    return Scope(both(scope.pods, rest), both(scope.named, rest), sure, scope.may - gone.sure, scope.peers)
