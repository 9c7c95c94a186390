"""A builder of small clusters for the examples of the checks: a few namespaces, workloads and network policies."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import (
    FACETS,
    Addresses,
    AllOf,
    Coverage,
    Direction,
    Entrance,
    Estate,
    Everyone,
    Group,
    GroupRef,
    Interface,
    Labelled,
    Network,
    Peer,
    Pipeline,
    Reading,
    Rule,
    RuleSet,
    ScopeRead,
    SourceLocation,
    Stage,
    Verdict,
    matches,
    qualified,
)
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Admission", "ClusterBuilder", "Pods", "admit"]

_FACETS: Final = tuple(facet for facet in FACETS if not facet.startswith("services."))
_POLICIES: Final = Stage(
    name="network-policies", at="interface", stateful=True, match="any", miss="deny", ranges="unknown"
)
_ADMINISTRATORS: Final = Stage(name="admin-tier", at="interface", stateful=True, match="first", miss="next")
_MUTUAL_TLS: Final = Stage(name="mesh-mutual-tls", at="interface", stateful=True, match="any", miss="deny")
_AUTHORIZATION: Final = Stage(
    name="mesh-authorization", at="interface", stateful=True, match="first", miss="next", ranges="outside"
)
_NAME: Final = "kubernetes.io/metadata.name"


class Pods(NamedTuple):
    """One item of ``from`` or ``to``: a pod selector, a namespace selector, or both.

    Attributes:
        labels: labels of the pods; empty for all of them.
        namespaces: labels of their namespaces, empty for all of them; None for the policy's own.
    """

    labels: Mapping[str, str] = MappingProxyType({})
    namespaces: Mapping[str, str] | None = None


class Admission(NamedTuple):
    """One item of ``ingress`` or ``egress``."""

    traffic: str
    peers: tuple[Pods | str, ...]


def admit(traffic: str = "all", *peers: Pods | str) -> Admission:
    """Return an item of ``ingress`` or ``egress``: ``admit("tcp/5432", Pods({"app": "web"}))``.

    Args:
        traffic: as ``Traffic.parse`` reads it.
        peers: whom it admits, texts are ranges of addresses; everyone where none is named.
    """
    return Admission(traffic, peers)


class ClusterBuilder:
    """Builds an estate of one cluster, in which everything was read unless ``unread`` names it.

    Policies and workloads stand in the file ``cluster.yaml``, ten lines each, in the order in which they are added;
    with ``live`` they were read from a cluster that runs, and stand nowhere.
    """

    def __init__(self, name: str = "manifests", *, unread: Iterable[str] = (), live: bool = False) -> None:
        self._name = name
        self._unread = frozenset(unread)
        self._live = live
        self._line = 1
        self._namespaces: dict[str, dict[str, str]] = {}
        self._interfaces: list[tuple[str, Interface]] = []
        self._groups: dict[str, Group] = {}
        self._rule_sets: dict[str, RuleSet] = {}
        self._entrances: dict[str, Entrance] = {}
        self._plugin: dict[str, str] = {}
        self._enforced: frozenset[str] | None = None
        self._admin = 1

    def plugin(
        self, name: str, *, evidence: str = "", enforces: Iterable[str] | None = None, doubt: str = "",
        unreached: str = "",
    ) -> None:  # fmt: skip
        """Name the network plugin, what told of it, and the kinds of policies that it enforces: all where none is told.

        With ``doubt`` it is not known whether it enforces any; with ``unreached`` it does not on so many nodes.
        """
        told = {
            "network-plugin": name,
            "network-plugin-evidence": evidence,
            "network-plugin-doubt": doubt,
            "network-plugin-unreached": unreached,
            "network-plugin-reaches": f"its daemons are not ready on {unreached}" if unreached else "",
        }
        self._plugin = {key: value for key, value in told.items() if value}
        self._enforced = None if enforces is None else frozenset(enforces)
        if self._enforced is not None and "NetworkPolicy" not in self._enforced:
            self._plugin["network-plugin-enforces"] = "no"

    def namespace(self, name: str, **labels: str) -> None:
        """Add the labels of a namespace; one that only workloads name has none but its name."""
        self._namespaces[name] = labels

    def workload(
        self, namespace: str, name: str, labels: Mapping[str, str] | None = None, *, kind: str = "Deployment",
        host: bool = False, **more: object,
    ) -> None:  # fmt: skip
        """Add a workload with the labels of its pods, ``app=<name>`` unless told; ``more`` are fields of the model.

        With ``host`` its pods share the network of their node.
        """
        own = {"app": name} if labels is None else dict(labels)
        place = "pod/host-network" if host else "pod/cluster"
        interface = Interface(
            id=self._id(f"{namespace}/{name}[{kind}]"),
            kind="pod",
            name=name,
            network=None if host else self._id("pods"),
            subnet=None,
            labels={**own, place: self._name, "pod/service-account": "default"},
            tags={**own, "namespace": namespace},
            role="host" if host else "interface",
            location=self._location(),
            **more,  # type: ignore[arg-type]
        )
        self._interfaces.append((namespace, interface))

    def policy(
        self, namespace: str, name: str, pods: Mapping[str, str] | None = None, *,
        ingress: Iterable[Admission] | None = None, egress: Iterable[Admission] | None = None,
        kind: str = "NetworkPolicy",
    ) -> None:  # fmt: skip
        """Add a policy; a direction for which nothing is given is none of its ``policyTypes``."""
        own = self._id(f"{namespace}/{kind}/{name}")
        location = self._location()
        given: tuple[tuple[Direction, Iterable[Admission] | None], ...] = (("ingress", ingress), ("egress", egress))
        self._rule_sets[own] = RuleSet(
            id=own,
            kind=kind,
            name=name,
            tags={"namespace": namespace},
            stage=_POLICIES.name,
            applies=self._selector(namespace, Pods(pods or {})),
            isolates=frozenset(direction for direction, items in given if items is not None),
            rules=tuple(
                self._rule(namespace, f"{direction}[{number}]", direction, item.traffic, peer, location)
                for direction, items in given
                for number, item in enumerate(items or ())
                for peer in enumerate(item.peers or (None,))
            ),
            location=location,
        )

    def admin_policy(self, name: str, pods: Pods, *ingress: tuple[Verdict, Admission]) -> None:
        """Add an AdminNetworkPolicy behind those that were added; its rules in order, each with one item of peers."""
        own = self._id(f"AdminNetworkPolicy/{name}")
        location = self._location()
        rules = [
            self._rule("", f"ingress[{number}]", "ingress", item.traffic, peer, location, verdict=verdict)
            for number, (verdict, item) in enumerate(ingress)
            for peer in enumerate(item.peers or (None,))
        ]
        self._rule_sets[own] = RuleSet(
            id=own,
            kind="AdminNetworkPolicy",
            name=name,
            stage=_ADMINISTRATORS.name,
            applies=self._selector("", pods),
            isolates=frozenset(("ingress",)),
            rules=tuple(
                msgspec.structs.replace(rule, priority=self._admin + number) for number, rule in enumerate(rules)
            ),
            location=location,
        )
        self._admin += len(rules)

    def mutual_tls(self, namespace: str, name: str, mode: str, pods: Mapping[str, str] | None = None) -> None:
        """Add a PeerAuthentication, which must be the only one that concerns its workloads.

        Args:
            namespace: its namespace.
            name: its name.
            mode: ``STRICT``, ``PERMISSIVE`` or ``DISABLE``.
            pods: labels of the pods that it selects; all of the namespace where none are given.
        """
        plain = "all except tcp" if mode == "STRICT" else "all"
        rules: list[tuple[Verdict, str, Peer]] = [
            ("next", plain, Everyone()),
            ("next", "tcp", GroupRef(self._everyone_of_mesh())),
        ]
        self._mesh_policy(_MUTUAL_TLS, namespace, name, pods, rules, {"mode": mode})

    def authorization(
        self, namespace: str, name: str, *admitted: Pods | str, pods: Mapping[str, str] | None = None,
        traffic: str = "tcp", action: str = "ALLOW",
    ) -> None:  # fmt: skip
        """Add an AuthorizationPolicy for pods of the mesh.

        Args:
            namespace: its namespace.
            name: its name.
            admitted: whom its rules name; ``everyone`` for a rule without a source, ``*`` for every identity.
            pods: labels of the pods that it selects; all of the namespace where none are given.
            traffic: the ports of its rules.
            action: ``ALLOW``, after which nothing else is admitted, or ``DENY``.
        """
        verdict: Verdict = "next" if action == "ALLOW" else "deny"
        rules: list[tuple[Verdict, str, Peer]] = []
        for each in admitted:
            named = self._peer(namespace, each) if isinstance(each, Pods) else GroupRef(self._everyone_of_mesh())
            rules.append((verdict, traffic, Everyone() if each == "everyone" else named))
        default: list[tuple[Verdict, str, Peer]] = [("deny", "tcp", Everyone())] if action == "ALLOW" else []
        self._mesh_policy(_AUTHORIZATION, namespace, name, pods, [*rules, *default], {"action": action})

    def service(  # noqa: PLR0913 - a way in is what it is told of
        self, namespace: str, name: str, workload: str, *, listens: str, sends: str,
        keeps_clients: bool = False, sure: bool = True, proxy: str = "",
    ) -> None:  # fmt: skip
        """Add a way in that leads to a workload: a service with a load balancer, or an ingress behind a proxy.

        Args:
            namespace: the namespace of it all.
            name: its name.
            workload: the workload behind it.
            listens: what clients send.
            sends: what arrives at the workload.
            keeps_clients: pods see the addresses of clients, and no node stands between.
            sure: that the internet gets there is known.
            proxy: the workload that sends it on, where it is an ingress.
        """
        own = self._id(f"{namespace}/{'Ingress' if proxy else 'Service'}/{name}")
        self._entrances[own] = Entrance(
            id=own,
            kind="ingress" if proxy else "service",
            name=f"{namespace}/{name}",
            tags={"way": f"ingress class {proxy}" if proxy else "load balancer"},
            location=self._location(),
            targets=frozenset((self._id(f"{namespace}/{workload}[Deployment]"),)),
            through=frozenset((self._id(f"{namespace}/{proxy}[Deployment]"),)) if proxy else frozenset(),
            listens=Traffic.parse(listens),
            traffic=Traffic.parse(sends),
            clients=NO_ADDRESSES if proxy else ALL_ADDRESSES,
            certain_clients=keeps_clients or bool(proxy),
            groups=frozenset() if keeps_clients or proxy else frozenset((self._id("host-network"),)),
            active=True if sure else None,
            doubt="" if sure else "whether any node has an address of the internet was not read",
        )

    def build(self) -> Estate:
        """Return the estate."""
        pods = Network(
            id=self._id("pods"), kind="cluster-network", tags=self._plugin, pipeline="kubernetes", leads_out=True
        )
        used = {rule_set.stage for rule_set in self._rule_sets.values()}
        mesh = tuple(stage for stage in (_MUTUAL_TLS, _AUTHORIZATION) if stage.name in used)
        stages = (*mesh, *((_ADMINISTRATORS,) if self._admin > 1 else ()), _POLICIES)
        interfaces = [self._settled(self._labelled(*known)) for known in self._interfaces]
        return Estate(
            taken_at="2026-01-15T12:00:00Z",
            scopes=(ScopeRead("kubernetes", self._name, ("global",)),),
            pipelines={"kubernetes": Pipeline(name="kubernetes", ingress=stages, egress=stages)},
            networks={pods.id: pods},
            interfaces={interface.id: interface for interface in interfaces},
            groups=self._groups,
            entrances=self._entrances,
            rule_sets={key: self._staged(rule_set) for key, rule_set in self._rule_sets.items()},
            coverage=Coverage(
                Reading("kubernetes", self._name, "global", facet, "unread" if facet in self._unread else "read")
                for facet in _FACETS
            ),
        )

    def _everyone_of_mesh(self) -> str:
        own = self._id("pods of the mesh")
        chosen = AllOf((Labelled("pod/mesh", "Exists"), Labelled("pod/cluster", "In", frozenset((self._name,)))))
        self._groups[own] = Group(id=own, kind="pod-selector", selector=chosen)
        return own

    def _mesh_policy(
        self, stage: Stage, namespace: str, name: str, pods: Mapping[str, str] | None,
        rules: Iterable[tuple[Verdict, str, Peer]], tags: Mapping[str, str],
    ) -> None:  # fmt: skip
        kind = "PeerAuthentication" if stage is _MUTUAL_TLS else "AuthorizationPolicy"
        own, location = self._id(f"{namespace}/{kind}/{name}"), self._location()
        self._rule_sets[own] = RuleSet(
            id=own,
            kind=kind,
            name=name,
            tags={"namespace": namespace, **tags},
            stage=stage.name,
            applies=AllOf((self._selector(namespace, Pods(pods or {})), Labelled("pod/mesh", "Exists"))),
            isolates=frozenset(("ingress",)),
            rules=tuple(
                Rule(
                    id=f"rules[{number}]",
                    direction="ingress",
                    verdict=verdict,
                    traffic=Traffic.parse(traffic),
                    remote=(peer,),
                    priority=None if stage is _MUTUAL_TLS else number,
                    location=location,
                )
                for number, (verdict, traffic, peer) in enumerate(rules)
            ),
            location=location,
        )

    def _staged(self, rule_set: RuleSet) -> RuleSet:
        """Return a policy at the stage at which it counts: at none that packets meet where nobody enforces it."""
        counts = self._enforced is None or rule_set.kind in self._enforced
        return rule_set if counts else msgspec.structs.replace(rule_set, stage="unenforced")

    def _settled(self, pod: Interface) -> Interface:
        """Return a workload as it is known: where it is not known whether policies count, so is what passes."""
        selected = any(matches(rule_set.applies, pod) for rule_set in self._rule_sets.values())
        open_ended = selected and "network-plugin-doubt" in self._plugin
        return msgspec.structs.replace(pod, attached_unread=True) if open_ended else pod

    def _labelled(self, namespace: str, interface: Interface) -> Interface:
        """Return a workload with all the labels that selectors look at."""
        known = {_NAME: namespace, **self._namespaces.get(namespace, {})}
        of_namespace = {f"namespace/{key}": value for key, value in known.items()}
        tags = {**self._namespaces.get(namespace, {}), **interface.tags}
        return msgspec.structs.replace(interface, labels={**interface.labels, **of_namespace}, tags=tags)

    def _rule(
        self,
        namespace: str,
        item: str,
        direction: Direction,
        traffic: str,
        numbered: tuple[int, Pods | str | None],
        location: SourceLocation | None,
        *,
        verdict: Verdict = "accept",
    ) -> Rule:
        number, peer = numbered
        word = "from" if direction == "ingress" else "to"
        return Rule(
            id=item if peer is None else f"{item}.{word}[{number}]",
            direction=direction,
            verdict=verdict,
            traffic=Traffic.parse(traffic),
            remote=(Everyone() if peer is None else self._peer(namespace, peer),),
            location=location,
        )

    def _peer(self, namespace: str, peer: Pods | str) -> Peer:
        if isinstance(peer, str):
            return Addresses(AddressSet.parse(peer))
        chosen = {_NAME: namespace} if peer.namespaces is None else peer.namespaces
        text = f"pods {_words(peer.labels)} in namespaces {_words(chosen)}"
        group = Group(id=self._id(text), kind="pod-selector", selector=self._selector(namespace, peer))
        self._groups[group.id] = group
        return GroupRef(group.id)

    def _selector(self, namespace: str, pods: Pods) -> AllOf:
        chosen = {_NAME: namespace} if pods.namespaces is None else pods.namespaces
        labels = {f"namespace/{key}": value for key, value in chosen.items()} | dict(pods.labels)
        asked = (Labelled(key, "In", frozenset((value,))) for key, value in labels.items())
        return AllOf((*asked, Labelled("pod/cluster", "In", frozenset((self._name,)))))

    def _id(self, own: str) -> str:
        return qualified("kubernetes", self._name, own)

    def _location(self) -> SourceLocation | None:
        line, self._line = self._line, self._line + 10
        return None if self._live else SourceLocation("cluster.yaml", line)


def _words(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "*"
