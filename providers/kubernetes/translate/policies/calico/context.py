"""What the rules of Calico's policies are translated with: labels, network sets, services, and addresses of pods.

Calico knows pods by their addresses, so that a range in a rule matches the pods that bear one of it. Pods whose
addresses were not read may bear any. A pod is told by labels of its own: whether its addresses were read, and which
of the ranges that policies name hold them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import AllOf, AnyOf, Group, GroupRef, Labelled, NoneOf, matches
from cloudseg.providers.kubernetes.translate.labels import in_cluster, words
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.pipeline import pods_of
from cloudseg.providers.kubernetes.translate.policies.calico.expressions import holds
from cloudseg.providers.kubernetes.translate.policies.calico.kinds import GROUPS
from cloudseg.providers.kubernetes.translate.policies.calico.selection import ALL_PODS, NOBODY, Chosen, Labels
from cloudseg.providers.kubernetes.translate.policies.calico.wire import SetSpec
from cloudseg.providers.kubernetes.translate.wire import Metadata
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.calico.expressions import Compare, Expression

__all__ = ["Context", "NetworkSet"]

_SETS: Final = ("NetworkSet", "GlobalNetworkSet")
_ADDRESSES: Final = "pod/addresses"
_WITHIN: Final = "pod/within/"
_STORED: Final = "projectcalico.org/metadata"
"""The annotation in which a stored resource keeps its labels."""
_LONGEST: Final = 60


class NetworkSet(NamedTuple):
    """A network set.

    Attributes:
        namespace: where it is; None for a global one.
        labels: its labels.
        addresses: its ranges.
        names: its DNS names.
        unread: it could not be read, so that it may hold any label and any address.
    """

    namespace: str | None
    labels: dict[str, str]
    addresses: AddressSet
    names: tuple[str, ...] = ()
    unread: bool = False


class Context:
    """What rules are translated with.

    Args:
        objects: the objects of the cluster.
        draft: the cluster.
    """

    def __init__(self, objects: Sequence[Object], draft: Draft) -> None:
        self.draft = draft
        self.labels = Labels(objects, draft)
        self.services = {
            (item.place, item.name): item for item in objects if (item.group, item.kind) == ("", "Service")
        }
        self.sets = tuple(self._sets(objects))
        self._within: dict[AddressSet, Chosen] = {}
        self._unaddressed: Selector = NOBODY
        without = [key for key, each in draft.interfaces.items() if each.network is not None and not each.addresses]
        if without:
            self._label(dict.fromkeys(without, "unread"), _ADDRESSES)
            self._unaddressed = Labelled(_ADDRESSES, "In", frozenset(("unread",)))

    def _sets(self, objects: Sequence[Object]) -> Iterator[NetworkSet]:
        for item in objects:
            if item.group not in GROUPS or item.kind not in _SETS:
                continue
            namespace = None if item.kind == "GlobalNetworkSet" else item.place
            problem = item.flaw
            if not problem:
                try:
                    yield _read_set(item, namespace)
                    continue
                except (msgspec.ValidationError, ParseError) as error:
                    problem = str(error)
            self.draft.ledger.gap(item, "malformed", problem, "groups")
            yield NetworkSet(namespace, {}, ALL_ADDRESSES, unread=True)

    def _label(self, values: dict[str, str], key: str) -> None:
        """Give pods a label; the cluster's mapping is made anew, since others may share the old one."""
        changed = dict(self.draft.interfaces)
        for identifier, value in values.items():
            own = changed[identifier]
            changed[identifier] = msgspec.structs.replace(own, labels={**own.labels, key: value})
        self.draft.interfaces = changed

    def within(self, addresses: AddressSet) -> Chosen:
        """Return the pods whose addresses lie in some."""
        if addresses == ALL_ADDRESSES:
            return ALL_PODS
        if not addresses:
            return Chosen(NOBODY, NOBODY)
        known = self._within.get(addresses)
        if known is None:
            known = self._within[addresses] = self._find(addresses)
        return known

    def _find(self, addresses: AddressSet) -> Chosen:
        text = str(addresses)
        key = f"{_WITHIN}{text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()[:16]}"
        found = {
            identifier: "all" if each.addresses <= addresses else "some"
            for identifier, each in self.draft.interfaces.items()
            if each.network is not None and each.addresses and each.addresses.overlaps(addresses)
        }
        if found:
            self._label(found, key)
        sure = Labelled(key, "In", frozenset(("all",))) if "all" in found.values() else NOBODY
        perhaps = tuple(
            part
            for part in (Labelled(key, "In", frozenset(("some",))), self._unaddressed)
            if part != NOBODY and (part is self._unaddressed or "some" in found.values())
        )
        if not perhaps:
            return Chosen(sure, sure)
        return Chosen(sure, AnyOf((*(() if sure == NOBODY else (sure,)), *perhaps)))

    def sets_of(self, expression: Expression) -> Iterator[tuple[NetworkSet, bool]]:
        """Yield the network sets that a selector chooses, or may choose, and whether it certainly does."""
        for each in self.sets:

            def asked(compare: Compare, known: NetworkSet = each) -> bool | None:
                return None if known.unread else self.labels.of_set(compare, known.labels, known.namespace)

            found = holds(expression, asked)
            if found is not False:
                yield each, found is True

    def group(self, selector: Selector) -> GroupRef:
        """Return a reference to the pods that a selector chooses."""
        identifier = self.draft.id(f"endpoints {in_words(selector)}")
        if identifier not in self.draft.groups:
            self.draft.groups[identifier] = Group(
                id=identifier,
                kind="pod-selector",
                selector=self.of_cluster(selector),
                networks=(pods_of(self.draft.cluster),),
            )
        return GroupRef(identifier)

    def of_cluster(self, selector: Selector) -> AllOf:
        """Return a selector for the pods of this cluster alone."""
        parts = selector.parts if isinstance(selector, AllOf) else (selector,)
        return AllOf((*parts, in_cluster(self.draft.cluster)))

    def leave_open(self, selector: Selector) -> None:
        """Note that what passes at pods is known at most."""
        whole = self.of_cluster(selector)
        self.draft.interfaces = {
            key: msgspec.structs.replace(each, attached_unread=True) if matches(whole, each) else each
            for key, each in self.draft.interfaces.items()
        }


def in_words(selector: Selector) -> str:
    """Return a selector in words, the same for the same one."""
    match selector:
        case Labelled():
            return words((selector,))
        case AllOf(parts):
            return ", ".join(in_words(part) for part in parts) or "all"
        case AnyOf(parts):
            return f"({' or '.join(in_words(part) for part in parts)})" if parts else "none"
        case NoneOf(parts):
            return f"not ({' or '.join(in_words(part) for part in parts)})"
        case _:
            return "all"


def _read_set(item: Object, namespace: str | None) -> NetworkSet:
    """Return a network set.

    Raises:
        ParseError: Calico would refuse it.
        msgspec.ValidationError: it is of another form.
    """
    spec = msgspec.convert(item.content.get("spec"), SetSpec | None) or SetSpec()
    metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
    stored = (metadata.annotations or {}).get(_STORED)
    labels = dict(metadata.labels or {})
    if isinstance(stored, str):
        try:
            kept = json.loads(stored)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"the annotation {_STORED} is no JSON: {error}") from None
        labels |= msgspec.convert(fields_of(kept).get("labels"), dict[str, str] | None) or {}
    addresses = AddressSet.from_cidrs(spec.nets) if spec.nets else NO_ADDRESSES
    return NetworkSet(
        namespace,
        {key: value or "" for key, value in labels.items()},
        addresses,
        tuple(spec.allowed_egress_domains or ()),
    )
