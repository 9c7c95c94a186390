"""Whom a selector chooses: pods as selectors of the model, each with what is certain and what is possible.

A pod bears its own labels, those of its namespace and of its service account, and some that Calico adds. Sources:
https://docs.tigera.io/calico/latest/network-policy/get-started/calico-policy/calico-labels and
https://docs.tigera.io/calico/latest/reference/resources/profile
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import AllOf, AnyOf, Everything, Labelled, NoneOf
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE, in_namespace, pod_labels
from cloudseg.providers.kubernetes.translate.policies.calico.expressions import (
    NAMESPACE_KEY,
    OF_NAMESPACE,
    OF_SERVICE_ACCOUNT,
    All,
    And,
    Compare,
    Global,
    Not,
    Or,
    compares,
)
from cloudseg.providers.kubernetes.translate.wire import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.calico.expressions import Expression

__all__ = ["ALL_PODS", "NOBODY", "SERVICE_ACCOUNT", "Chosen", "Labels", "both", "either", "exactly", "not_in"]

SERVICE_ACCOUNT: Final = "pod/service-account"
"""The label under which a pod bears the name of its service account."""
NOBODY: Final = AnyOf(())
_NAME: Final = "projectcalico.org/name"
_NAMES: Final = frozenset((f"{OF_NAMESPACE}{_NAME}", f"{OF_NAMESPACE}kubernetes.io/metadata.name", NAMESPACE_KEY))
_ACCOUNT: Final = frozenset((f"{OF_SERVICE_ACCOUNT}{_NAME}", "projectcalico.org/serviceaccount"))
_ORCHESTRATOR: Final = "projectcalico.org/orchestrator"


class Chosen(NamedTuple):
    """Pods: whom a selector certainly chooses, and whom it may choose, which holds them."""

    sure: Selector
    may: Selector

    @property
    def exact(self) -> bool:
        """Whether nothing about it is unknown."""
        return self.sure == self.may


def exactly(selector: Selector) -> Chosen:
    """Return pods that are known for sure."""
    return Chosen(selector, selector)


ALL_PODS: Final = exactly(Everything())


def both(one: Chosen, other: Chosen) -> Chosen:
    """Return the pods that belong to both."""
    return Chosen(_and(one.sure, other.sure), _and(one.may, other.may))


def either(one: Chosen, other: Chosen) -> Chosen:
    """Return the pods that belong to one of two."""
    return Chosen(_or(one.sure, other.sure), _or(one.may, other.may))


def not_in(chosen: Chosen) -> Chosen:
    """Return the other pods."""
    return Chosen(_not(chosen.may), _not(chosen.sure))


def _and(one: Selector, other: Selector) -> Selector:
    if NOBODY in {one, other}:
        return NOBODY
    parts = tuple(dict.fromkeys(part for each in (one, other) for part in _parts(each)))
    return parts[0] if len(parts) == 1 else AllOf(parts) if parts else Everything()


def _parts(selector: Selector) -> tuple[Selector, ...]:
    if isinstance(selector, Everything):
        return ()
    return selector.parts if isinstance(selector, AllOf) else (selector,)


def _or(one: Selector, other: Selector) -> Selector:
    if isinstance(one, Everything) or isinstance(other, Everything):
        return Everything()
    parts = tuple(
        dict.fromkeys(part for each in (one, other) for part in (each.parts if isinstance(each, AnyOf) else (each,)))
    )
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def _not(selector: Selector) -> Selector:
    if isinstance(selector, Everything):
        return NOBODY
    if selector == NOBODY:
        return Everything()
    return selector.parts[0] if isinstance(selector, NoneOf) and len(selector.parts) == 1 else NoneOf((selector,))


class Labels:
    """The labels of a cluster, as Calico's selectors see them.

    Args:
        objects: the objects of the cluster.
        draft: the cluster.
    """

    def __init__(self, objects: Iterable[Object], draft: Draft) -> None:
        self._draft = draft
        self._accounts: dict[tuple[str, str], dict[str, str]] = {}
        self._unread_accounts: set[tuple[str, str]] = set()
        for item in objects:
            if (item.group, item.kind) == ("", "ServiceAccount") and item.name and item.namespace is not None:
                self._add_account(item)
        self._accounted = True
        for interface in draft.interfaces.values():
            used = interface.labels.get(SERVICE_ACCOUNT)
            if used is None:
                self._accounted = False
            elif (interface.labels[NAMESPACE], used) not in self._accounts:
                self._unread_accounts.add((interface.labels[NAMESPACE], used))

    def _add_account(self, item: Object) -> None:
        try:
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
        except msgspec.ValidationError:
            return
        if not item.flaw:
            labels = metadata.labels or {}
            self._accounts[item.place, item.name] = {key: value or "" for key, value in labels.items()}

    def pods(self, expression: Expression) -> Chosen:
        """Return the pods that an expression chooses."""
        match expression:
            case All():
                return ALL_PODS
            case Global():
                return exactly(NOBODY)
            case Compare():
                return self._compared(expression)
            case Not(inner):
                return not_in(self.pods(inner))
            case And(one, other):
                return both(self.pods(one), self.pods(other))
            case Or(one, other):
                return either(self.pods(one), self.pods(other))

    def _compared(self, asked: Compare) -> Chosen:
        if asked.key in _NAMES:
            return exactly(self._labelled(NAMESPACE, asked))
        if asked.key in _ACCOUNT:
            return self._told(exactly(self._labelled(SERVICE_ACCOUNT, asked)))
        if asked.key == _ORCHESTRATOR:
            return ALL_PODS if compares(asked, "k8s") else exactly(NOBODY)
        if asked.key.startswith(OF_NAMESPACE):
            found = self._labelled(f"{ON_NAMESPACE}{asked.key.removeprefix(OF_NAMESPACE)}", asked)
            unread = self._draft.unlabelled
            if not unread:
                return exactly(found)
            somewhere = in_namespace(*unread)
            return Chosen(_and(found, _not(somewhere)), _or(found, somewhere))
        if asked.key.startswith(OF_SERVICE_ACCOUNT):
            return self._of_accounts(Compare(asked.key.removeprefix(OF_SERVICE_ACCOUNT), asked.operator, asked.values))
        key = next(iter(pod_labels({asked.key: ""})), None)
        if key is None:
            # A label that controllers set, and no template shows.
            return Chosen(NOBODY, Everything())
        return exactly(self._labelled(key, asked))

    def _of_accounts(self, asked: Compare) -> Chosen:
        met = {name for name, labels in self._accounts.items() if compares(asked, labels.get(asked.key))}
        sure = self._using(met)
        may = _or(sure, self._using(self._unread_accounts)) if self._unread_accounts else sure
        return self._told(Chosen(sure, may))

    def _told(self, chosen: Chosen) -> Chosen:
        """Return pods chosen by their service accounts; of some pods nobody knows theirs."""
        if self._accounted:
            return chosen
        known, unknown = Labelled(SERVICE_ACCOUNT, "Exists"), Labelled(SERVICE_ACCOUNT, "DoesNotExist")
        return Chosen(_and(known, chosen.sure), _or(unknown, chosen.may))

    def _using(self, accounts: Iterable[tuple[str, str]]) -> Selector:
        places: dict[str, set[str]] = {}
        for place, name in accounts:
            places.setdefault(place, set()).add(name)
        found: Selector = NOBODY
        for place, names in sorted(places.items()):
            own = Labelled(SERVICE_ACCOUNT, "In", frozenset(names))
            found = _or(found, AllOf((in_namespace(place), own)))
        return found

    def _labelled(self, key: str, asked: Compare) -> Selector:
        match asked.operator:
            case "in":
                return Labelled(key, "In", asked.values) if asked.values else NOBODY
            case "not in":
                return Labelled(key, "NotIn", asked.values) if asked.values else Everything()
            case "has":
                return Labelled(key, "Exists")
            case _:
                # What parts of values are asked for stands for the values that there are.
                values = {each.labels[key] for each in self._draft.interfaces.values() if key in each.labels}
                met = frozenset(value for value in values if compares(asked, value))
                return Labelled(key, "In", met) if met else NOBODY

    def of_set(self, asked: Compare, labels: dict[str, str], namespace: str | None) -> bool | None:
        """Tell whether a network set meets what is asked of one label; None where that is not known.

        Args:
            asked: what is asked.
            labels: its own labels.
            namespace: the namespace that it is in; None for one that is in none.
        """
        key = asked.key
        if key in _NAMES:
            return compares(asked, namespace)
        if key.startswith(OF_NAMESPACE) and namespace is not None:
            if namespace not in self._draft.namespaces:
                return None
            bare = f"{ON_NAMESPACE}{key.removeprefix(OF_NAMESPACE)}"
            return compares(asked, self._draft.namespaces[namespace].get(bare))
        return compares(asked, labels.get(key))
