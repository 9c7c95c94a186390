"""The other ends of rules of Antrea's policies, and to whom they apply.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/#behavior-of-to-and-from-selectors and
https://antrea.io/docs/main/docs/antrea-network-policy/#advanced-peer-selection-mechanisms-of-antrea-native-policies
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Labelled, Names, Unresolved
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE, in_namespace, requirements
from cloudseg.providers.kubernetes.translate.peers import Pods
from cloudseg.providers.kubernetes.translate.policies.antrea.groups import Members
from cloudseg.providers.kubernetes.translate.policies.nodes import node_peers
from cloudseg.providers.kubernetes.translate.policies.ranges import range_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.antrea.groups import Workloads
    from cloudseg.providers.kubernetes.translate.policies.antrea.wire import (
        AntreaPeer,
        AppliedTo,
        NamespacedName,
        Related,
        ServicePeer,
    )

__all__ = ["SERVICE_ACCOUNT", "AntreaEnd", "Scope"]

SERVICE_ACCOUNT: Final = "pod/service-account"
"""The label under which a pod bears the name of its service account."""

_BESIDE: Final = {"podSelector", "namespaceSelector", "namespaces"}


class AntreaEnd(NamedTuple):
    """One other end of a rule.

    Attributes:
        name: where it stands in its rule.
        remote: the peer of the model.
        exact: False where it may be more than the rule means.
        pods: the pods that it chooses, where it chooses pods.
        near: what else is required of the pod that the rule applies to.
        unknown: why it is not known, in words.
    """

    name: str
    remote: Peer
    exact: bool = True
    pods: Pods | None = None
    near: tuple[Labelled, ...] = ()
    unknown: str = ""


class Scope(NamedTuple):
    """Where a policy stands, and what selectors mean there.

    Attributes:
        policy: its id, which tells what is unknown in it from that in others.
        namespace: its namespace; empty for a ClusterNetworkPolicy.
        workloads: resolves selectors and groups.
        draft: the cluster.
    """

    policy: str
    namespace: str
    workloads: Workloads
    draft: Draft

    def applied(self, item: AppliedTo) -> Members:
        """Return whom one item of ``appliedTo`` chooses; nodes, services and external entities are no pods.

        Raises:
            ParseError: Antrea would refuse it.
        """
        given = _given(item)
        if len(given) != 1 and not given <= {"podSelector", "namespaceSelector"}:
            raise ParseError(f"appliedTo sets {' and '.join(sorted(given)) or 'nothing'}")
        if self.namespace and item.namespace_selector is not None:
            raise ParseError("appliedTo sets a namespaceSelector, in a policy of one namespace")
        if not given:
            raise ParseError("appliedTo has an empty item")
        if item.group is not None:
            return self.workloads.group(item.group, self.namespace)
        if item.service_account is not None:
            return self._account(item.service_account)
        if item.service is not None:
            return Members(unknown="it applies to a Service of type NodePort")
        if item.node_selector is not None or item.external_entity_selector is not None:
            return Members()
        return Members(self.workloads.pods(item.pod_selector, item.namespace_selector, self.namespace))

    def ends(self, item: AntreaPeer, name: str, *, egress: bool) -> Iterator[AntreaEnd]:
        """Yield the ends that one item of ``from`` or ``to`` names.

        Raises:
            ParseError: Antrea would refuse it.
        """
        given = _given(item) - {"scope"}
        if not given or (
            len(given) > 1 and not (given <= _BESIDE and not {"namespaceSelector", "namespaces"} <= given)
        ):
            raise ParseError(f"{name} sets {' and '.join(sorted(given)) or 'nothing'}")
        if item.fqdn is not None and (not egress or not item.fqdn):
            raise ParseError(f"{name} sets an fqdn that is empty, or of a sender")
        if item.namespaces is not None and self.namespace:
            raise ParseError(f"{name} sets namespaces, in a policy of one namespace")
        if item.scope not in {None, "Cluster", "ClusterSet"}:
            raise ParseError(f"the scope of {name} is {item.scope!r}")
        yield from self._by_address(item, name)
        if item.namespaces is not None:
            yield from self._related(item, item.namespaces, name)
        else:
            yield from self._members(self._chosen(item), name)
        if item.scope == "ClusterSet":
            yield self._unknown(f"{name}.other-clusters", "it means pods of other clusters as well")

    def _by_address(self, item: AntreaPeer, name: str) -> Iterator[AntreaEnd]:
        if item.fqdn is not None:
            yield AntreaEnd(name, Names((item.fqdn,)))
        if item.node_selector is not None:
            for number, node in enumerate(node_peers(requirements(item.node_selector, "pods"), self.draft)):
                yield AntreaEnd(f"{name}.{number}" if number else name, node.peer, node.exact)

    def _chosen(self, item: AntreaPeer) -> Members:
        """Return what an item chooses by itself."""
        if item.ip_block is not None:
            return Members(ranges=range_of(item.ip_block.cidr))
        if item.external_entity_selector is not None:
            return Members(unknown="it chooses external entities")
        if item.group is not None:
            return self.workloads.group(item.group, self.namespace)
        if item.service_account is not None:
            return self._account(item.service_account)
        if item.pod_selector is not None or item.namespace_selector is not None:
            return Members(self.workloads.pods(item.pod_selector, item.namespace_selector, self.namespace))
        return Members()

    def service(self, item: ServicePeer, name: str) -> Iterator[AntreaEnd]:
        """Yield the ends of an item of ``toServices``: pods behind it at most, since it is its address that matches."""
        found = self.workloads.service(item.name, item.namespace or self.namespace)
        if item.scope not in {None, "Cluster"}:
            found = Members(unknown="it is a Service of several clusters")
        for end in self._members(found, name):
            yield end._replace(exact=False)
        if not found.unknown:
            # Its own address is not known to be that of anybody.
            yield self._unknown(f"{name}.address", "the address of a Service stands for its pods")

    def _unknown(self, name: str, why: str) -> AntreaEnd:
        return AntreaEnd(name, Unresolved(f"{self.policy} {name}", why), exact=False, unknown=why)

    def _members(self, members: Members, name: str) -> Iterator[AntreaEnd]:
        for number, pods in enumerate(members.pods):
            own = f"{name}.{number}" if number else name
            yield AntreaEnd(own, pods.peer(self.draft), pods.exact, pods)
        if members.ranges:
            yield AntreaEnd(f"{name}.ranges" if members.pods else name, Addresses(members.ranges))
        if members.unknown:
            yield self._unknown(f"{name}.unknown", members.unknown)

    def _account(self, account: NamespacedName) -> Members:
        pods = (each for each in self.draft.interfaces.values() if each.labels[NAMESPACE] == account.namespace)
        if any(SERVICE_ACCOUNT not in each.labels for each in pods):
            return Members(unknown=f"which service accounts pods of namespace {account.namespace} use was not read")
        named = Labelled(SERVICE_ACCOUNT, "In", frozenset((account.name,)))
        text = f"pods of service account {account.name} in namespace {account.namespace}"
        return Members((Pods(text, (in_namespace(account.namespace), named)),))

    def _related(self, item: AntreaPeer, related: Related, name: str) -> Iterator[AntreaEnd]:
        """Yield an end for each set of namespaces that stand alike: the rule holds within each of them."""
        if (related.match is None) == (not related.same_labels) or related.match not in {None, "Self"}:
            raise ParseError(f"{name} sets namespaces to neither match Self nor sameLabels")
        for number, (text, spaces, exact) in enumerate(self._alike(related)):
            for each in self.workloads.pods(item.pod_selector, None, ""):
                pods = Pods(f"{each.text}, {text}", (*spaces, *each.required), exact and each.exact)
                own = f"{name}.{number}" if number else name
                yield AntreaEnd(own, pods.peer(self.draft), pods.exact, pods, spaces)

    def _alike(self, related: Related) -> Iterator[tuple[str, tuple[Labelled, ...], bool]]:
        if not related.same_labels:
            for place in sorted(self.draft.inhabited):
                yield f"in namespace {place}", (in_namespace(place),), True
            return
        keys = [f"{ON_NAMESPACE}{key}" for key in related.same_labels]
        known = self.draft.namespaces.values()
        values = {tuple(labels[key] for key in keys) for labels in known if all(key in labels for key in keys)}
        for each in sorted(values):
            wanted = tuple(Labelled(key, "In", frozenset((value,))) for key, value in zip(keys, each, strict=True))
            words = ", ".join(
                f"{key.removeprefix(ON_NAMESPACE)}={value}" for key, value in zip(keys, each, strict=True)
            )
            yield f"in namespaces {words}", wanted, True
        if self.draft.unlabelled:
            self.workloads.asked |= self.draft.unlabelled
            yield "in namespaces that may be alike", (), False


def _given(item: AntreaPeer | AppliedTo) -> set[str]:
    """Return the names of the fields that are set."""
    names = {
        "ipBlock": "ip_block",
        "podSelector": "pod_selector",
        "namespaceSelector": "namespace_selector",
        "namespaces": "namespaces",
        "externalEntitySelector": "external_entity_selector",
        "group": "group",
        "fqdn": "fqdn",
        "serviceAccount": "service_account",
        "service": "service",
        "nodeSelector": "node_selector",
        "scope": "scope",
    }
    return {name for name, field in names.items() if getattr(item, field, None) is not None}
