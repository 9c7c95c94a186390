"""What one rule of an AuthorizationPolicy fits: each source with each operation, and all conditions.

A condition with a key that Istio does not know, or on what no object tells, may fit or not. Sources:
https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule and
https://istio.io/latest/docs/reference/config/security/conditions/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.policies.istio.requests import Asked, of_operation, of_ports
from cloudseg.providers.kubernetes.translate.policies.istio.sources import (
    Named,
    Who,
    accounts,
    namespaces,
    principals,
    range_of,
)
from cloudseg.providers.kubernetes.translate.policies.istio.wire import Operation, Source
from cloudseg.providers.kubernetes.translate.policies.meshes import TCP
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings
    from cloudseg.providers.kubernetes.translate.policies.istio.wire import Condition, Rule

__all__ = ["Match", "beyond_connections", "matches_of"]

_SHOWN: Final = 100
_OF_CONNECTIONS: Final = frozenset(
    ("source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port")
)
"""The keys of conditions that a ztunnel can tell. Source:
https://istio.io/latest/docs/ambient/usage/l4-policy/#allowed-policy-attributes"""


class Match(NamedTuple):
    """What a rule fits, of one source and one operation.

    Attributes:
        name: where it stands in the rule.
        who: whom it names.
        traffic: the ports.
        requests: what it asks of requests, in words.
        certain: False where it asks for something that no object tells.
        beyond: whether it asks for something that a ztunnel cannot tell.
    """

    name: str
    who: Who
    traffic: Traffic
    requests: tuple[str, ...] = ()
    certain: bool = True
    beyond: bool = False


class _Side(NamedTuple):
    """What a source or a condition asks of who connects."""

    who: Who = Who()
    requests: tuple[str, ...] = ()
    certain: bool = True


def matches_of(rule: Rule, place: str, settings: Settings, draft: Draft) -> Iterator[Match]:
    """Yield what a rule fits.

    Args:
        rule: the rule.
        place: the namespace of the policy.
        settings: the settings of the mesh.
        draft: the cluster.

    Raises:
        ParseError: Istio would refuse it.
    """
    sources = [(f".from[{n}]", _side(each.source, place, settings, draft)) for n, each in enumerate(rule.sources or ())]
    asked = [(f".to[{n}]", _asked(each.operation)) for n, each in enumerate(rule.operations or ())]
    conditions = [_condition(each, settings, draft) for each in rule.when or ()]
    for source_name, side in sources or [("", _Side())]:
        for asked_name, operation in asked or [("", Asked())]:
            whole = Match(
                f"{source_name}{asked_name}",
                side.who,
                operation.traffic,
                (*side.requests, *operation.requests),
                side.certain,
                bool(side.requests or operation.requests or not side.certain),
            )
            for condition in conditions:
                whole = _both(whole, condition)
            if whole.traffic and whole.who.addresses:
                yield whole


def beyond_connections(rule: Rule) -> bool:
    """Tell whether a rule asks for anything that a ztunnel cannot tell, be it of no consequence."""
    asked: list[object] = [condition.key not in _OF_CONNECTIONS for condition in rule.when or ()]
    for each in rule.sources or ():
        source = each.source
        asked += (source.request_principals, source.not_request_principals)
        asked += (source.remote_ip_blocks, source.not_remote_ip_blocks)
    return any(asked) or any(of_operation(each.operation).requests for each in rule.operations or ())


def _both(one: Match, other: Match) -> Match:
    who = Who(
        (*one.who.named, *other.who.named),
        (*one.who.excluded, *other.who.excluded),
        one.who.addresses & other.who.addresses,
    )
    requests = (*one.requests, *other.requests)
    certain = one.certain and other.certain
    return Match(one.name, who, one.traffic & other.traffic, requests, certain, one.beyond or other.beyond)


def _asked(operation: Operation) -> Asked:
    if operation == Operation():
        raise ParseError("an operation asks for nothing")
    return of_operation(operation)


def _side(source: Source, place: str, settings: Settings, draft: Draft) -> _Side:
    if source == Source():
        raise ParseError("a source names nobody")
    by_account = source.service_accounts or source.not_service_accounts
    if by_account and any((source.principals, source.not_principals, source.namespaces, source.not_namespaces)):
        raise ParseError("serviceAccounts stands beside principals or namespaces")
    named = (
        *((principals(source.principals, settings, draft),) if source.principals else ()),
        *((namespaces(source.namespaces, draft),) if source.namespaces else ()),
        *((accounts(source.service_accounts, place),) if source.service_accounts else ()),
    )
    excluded = (
        *((principals(source.not_principals, settings, draft),) if source.not_principals else ()),
        *((namespaces(source.not_namespaces, draft),) if source.not_namespaces else ()),
        *((accounts(source.not_service_accounts, place),) if source.not_service_accounts else ()),
    )
    addresses = _addresses(source.ip_blocks, source.not_ip_blocks)
    _addresses(source.remote_ip_blocks, source.not_remote_ip_blocks)
    tokens = (
        *((f"token of {', '.join(source.request_principals)}",) if source.request_principals else ()),
        *((f"token not of {', '.join(source.not_request_principals)}",) if source.not_request_principals else ()),
    )
    # The address from which a request came at first is told by a header, or by a proxy.
    told = not (source.remote_ip_blocks or source.not_remote_ip_blocks)
    return _Side(Who(named, excluded, addresses), tokens, told)


def _addresses(inside: Sequence[str] | None, outside: Sequence[str] | None) -> AddressSet:
    found = ALL_ADDRESSES
    if inside:
        found = NO_ADDRESSES
        for text in inside:
            found |= range_of(text)
    for text in outside or ():
        found -= range_of(text)
    return found


def _of_identity(
    values: Sequence[str] | None, excluded: Sequence[str] | None, read: Callable[[Sequence[str]], Named]
) -> Who:
    return Who((read(values),) if values else (), (read(excluded),) if excluded else ())


def _condition(condition: Condition, settings: Settings, draft: Draft) -> Match:
    key, values, excluded = condition.key, condition.values, condition.not_values
    if not values and not excluded:
        raise ParseError(f"the condition on {key!r} names no values")
    if key == "source.principal":
        return Match("", _of_identity(values, excluded, lambda each: principals(each, settings, draft)), TCP)
    if key == "source.namespace":
        return Match("", _of_identity(values, excluded, lambda each: namespaces(each, draft)), TCP)
    if key == "source.ip":
        return Match("", Who((), (), _addresses(values, excluded)), TCP)
    if key == "destination.port":
        return Match("", Who(), of_ports(values, excluded))
    words = f"{key[:_SHOWN]} {', '.join(values or ())}{' not ' if excluded else ''}{', '.join(excluded or ())}"
    if key.startswith("request."):
        return Match("", Who(), TCP, (words,), beyond=True)
    return Match("", Who(), TCP, (), certain=False, beyond=key not in _OF_CONNECTIONS)
