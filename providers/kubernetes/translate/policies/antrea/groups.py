"""What Antrea's selectors, groups and service references stand for: pods, ranges of addresses, and what is not known.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/#clustergroup and
https://antrea.io/docs/main/docs/antrea-network-policy/#group
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.peers import Pods, read_peer, unread_namespaces
from cloudseg.providers.kubernetes.translate.policies.antrea.kinds import GROUP
from cloudseg.providers.kubernetes.translate.policies.antrea.wire import GroupSpec
from cloudseg.providers.kubernetes.translate.policies.ranges import range_of
from cloudseg.providers.kubernetes.translate.wire import Labels, LabelSelector, PeerItem
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.traffic import AddressSet

__all__ = ["Members", "Workloads"]


class Members(NamedTuple):
    """What a selector or a group stands for.

    Attributes:
        pods: the pods; those that are not exact may be more than are meant.
        ranges: the addresses beside them.
        unknown: in words, what else it may be; empty where that is nothing.
    """

    pods: tuple[Pods, ...] = ()
    ranges: AddressSet = NO_ADDRESSES
    unknown: str = ""

    def and_also(self, other: Members) -> Members:
        """Return both together."""
        return Members(
            (*self.pods, *other.pods),
            self.ranges | other.ranges,
            "; ".join(filter(None, (self.unknown, other.unknown))),
        )


class Workloads:
    """Resolves selectors, groups and services of a cluster.

    Args:
        objects: the objects of the cluster.
        draft: the cluster.

    Attributes:
        asked: the namespaces whose labels something asks for, and that were not read.
    """

    def __init__(self, objects: Iterable[Object], draft: Draft) -> None:
        self._draft = draft
        self.asked: set[str] = set()
        self._groups: dict[tuple[str, str], Object] = {}
        self._services: dict[tuple[str, str], Object] = {}
        for item in objects:
            if (item.group, item.kind) == (GROUP, "ClusterGroup"):
                self._groups["", item.name] = item
            elif (item.group, item.kind) == (GROUP, "Group") and item.namespace is not None:
                self._groups[item.place, item.name] = item
            elif (item.group, item.kind) == ("", "Service") and item.namespace is not None:
                self._services[item.place, item.name] = item

    def pods(self, pods: LabelSelector | None, spaces: LabelSelector | None, namespace: str) -> tuple[Pods, ...]:
        """Return the pods that selectors choose.

        Args:
            pods: the selector of pods.
            spaces: the selector of namespaces.
            namespace: where pods are meant without a selector of namespaces; empty for everywhere.

        Raises:
            ParseError: the API server would refuse one of the selectors.
        """
        if spaces is None and not namespace:
            spaces = LabelSelector()
        item = PeerItem(pods, spaces)
        self.asked |= unread_namespaces(item, self._draft)
        return tuple(each for each in read_peer(item, namespace, self._draft) if isinstance(each, Pods))

    def group(self, name: str, namespace: str, *, nested: bool = False) -> Members:
        """Return what a group stands for.

        Args:
            name: its name.
            namespace: where it is; empty for a ClusterGroup.
            nested: it is a child of another one, and may have none itself.
        """
        whole = f"{'Group' if namespace else 'ClusterGroup'} {name}"
        item = self._groups.get((namespace, name))
        if item is None or item.flaw:
            return Members(unknown=f"{whole} was not read" if item is None else f"{whole}: {item.flaw}")
        try:
            spec = msgspec.convert(item.content.get("spec"), GroupSpec)
            if nested and spec.child_groups:
                return Members(unknown=f"{whole} has child groups, and is one")
            return self._of(spec, namespace)
        except (msgspec.ValidationError, ParseError) as error:
            return Members(unknown=f"{whole} is malformed: {error}")

    def service(self, name: str, namespace: str) -> Members:
        """Return the pods behind a service; none for one without a selector."""
        item = self._services.get((namespace, name))
        whole = f"Service {namespace}/{name}"
        if item is None or item.flaw:
            return Members(unknown=f"{whole} was not read")
        try:
            selector = msgspec.convert(item.part("spec").get("selector"), Labels | None)
            return Members(self.pods(LabelSelector(selector), None, namespace) if selector else ())
        except (msgspec.ValidationError, ParseError) as error:
            return Members(unknown=f"{whole} is malformed: {error}")

    def _of(self, spec: GroupSpec, namespace: str) -> Members:
        by_labels = spec.pod_selector is not None or spec.namespace_selector is not None
        outside = spec.external_entity_selector is not None
        ranges = [*(spec.ip_blocks or ()), *([spec.ip_block] if spec.ip_block is not None else [])]
        ways = (
            by_labels or outside,
            bool(ranges),
            spec.service_reference is not None,
            bool(spec.child_groups),
        )
        if sum(ways) > 1 or (outside and spec.pod_selector is not None):
            raise ParseError("it sets selectors that exclude each other")
        found = Members()
        if outside:
            return Members(unknown="it chooses external entities, whose addresses no object of this kind tells")
        if by_labels:
            found = Members(self.pods(spec.pod_selector, spec.namespace_selector, namespace))
        for block in ranges:
            found = found.and_also(Members(ranges=range_of(block.cidr)))
        if spec.service_reference is not None:
            found = self.service(spec.service_reference.name, spec.service_reference.namespace)
        for child in spec.child_groups or ():
            found = found.and_also(self.group(child, namespace, nested=True))
        return found
