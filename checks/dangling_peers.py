"""The peers of a rule of a network policy that choose no pod, and why they choose none."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import NAMESPACE_NAME, labels_unread, pods_in_words, selector_parts
from cloudseg.checks.rule_lists import shown
from cloudseg.model import AllOf, GroupRef, Labelled, matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace, SelectorParts
    from cloudseg.model import Estate, Interface, Rule, RuleSet, Selector

__all__ = ["Missing", "PeerJudge", "Peers", "host_words", "label_words", "unborne"]

_NAMESPACE: Final = "namespace/"
_NAME: Final = "kubernetes.io/metadata.name"
_VALUES_SHOWN: Final = 5
_DOUBT: Final = "pods may be meant whose labels, or those of their namespace, were not read"


class Missing(NamedTuple):
    """A peer that chooses no pod.

    Attributes:
        words: whom it means, in words.
        reason: why it chooses nobody, as the end of a sentence.
        hints: what is there instead.
        doubt: why that is not certain; empty where it is.
    """

    words: str
    reason: str
    hints: tuple[str, ...] = ()
    doubt: str = ""


class Peers(NamedTuple):
    """The peers of one item of a policy: what it admits by one entry of ``ingress`` or ``egress``.

    Attributes:
        rule: the first rule with a peer that chooses no pod; None without any.
        missing: the peers that choose no pod.
        unread: names of namespaces that others ask for and of which no workload was read.
        others: the item has further peers.
    """

    rule: Rule | None
    missing: tuple[Missing, ...]
    unread: frozenset[str]
    others: bool


class PeerJudge:
    """Tells which peers of the policies of a cluster choose no pod; many policies name the same peers.

    Args:
        cluster: the cluster.
        estate: the estate.
    """

    def __init__(self, cluster: Cluster, estate: Estate) -> None:
        self._cluster = cluster
        self._estate = estate
        self._known: dict[tuple[AllOf, AllOf], Missing | None] = {}

    def items(self, policy: RuleSet) -> Iterator[Peers]:
        """Yield the peers of each item of a policy."""
        items: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in policy.rules:
            # A rule is about one peer, or one number of a named port; its id begins with the item: ``egress[0].to[1]``.
            items[f"{rule.direction} {rule.id.partition('.')[0]}"].append(rule)
        return (self._of_item(rules) for rules in items.values())

    def _of_item(self, rules: Sequence[Rule]) -> Peers:
        missing: dict[str, Missing] = {}
        unread: set[str] = set()
        first: Rule | None = None
        others = False
        doubt = ""
        for rule, peer in ((each, peer) for each in rules for peer in each.remote):
            group = self._estate.groups.get(peer.group) if isinstance(peer, GroupRef) else None
            # What a rule asks of ports narrows its peers further; a pod without the port is no missing pod.
            parts = None if group is None else selector_parts(group.selector)
            found = None if parts is None else self._missing(parts)
            if parts is not None and parts.names is not None and not parts.names & self._cluster.namespaces.keys():
                others = True
                unread |= parts.names
            elif found is None:
                # A rule that is not exact stands for pods of which nobody knows whether they are meant.
                others = others or parts is None or rule.exact
                doubt = doubt if parts is None or rule.exact else _DOUBT
            elif rule.exact:
                first = first or rule
                missing[found.words] = found
        told = tuple(each._replace(doubt=each.doubt or doubt) for each in missing.values())
        return Peers(first, told, frozenset(unread), others)

    def _missing(self, parts: SelectorParts) -> Missing | None:
        key = (parts.namespaces, parts.pods)
        if key not in self._known:
            self._known[key] = None if _chooses(parts, self._cluster) else _missing(*key, self._cluster)
        return self._known[key]


def label_words(selector: Selector) -> str:
    """Return what a selector asks for in the words of a manifest: ``app=web, tier in (a, b)``; empty for nothing."""
    return ", ".join(_requirement(part) for part in _requirements(selector))


def unborne(selector: Selector, pods: Sequence[Interface]) -> Iterator[str]:
    """Yield each requirement that none of some pods meets, with what they bear instead."""
    for part in _requirements(selector):
        if not any(matches(part, pod) for pod in pods):
            borne = sorted({pod.labels[part.key] for pod in pods if part.key in pod.labels})
            key = part.key.removeprefix(_NAMESPACE)
            instead = f"{key} is {shown(borne, _VALUES_SHOWN)} there" if borne else f"nobody there bears {key}"
            yield f"nobody bears {_requirement(part)}: {instead}"


def _missing(of_namespace: AllOf, of_pods: AllOf, cluster: Cluster) -> Missing:
    asked = label_words(of_pods)
    words = f"{f'pods {asked}' if asked else 'all pods'} in namespaces {label_words(of_namespace) or 'of any name'}"
    there = _namespaces(of_namespace, cluster)
    meant = [host for known in there for host in known.hosts if matches(of_pods, host)]
    hints = (*host_words(meant),)
    pods = [pod for known in there for pod in known.pods]
    if pods:
        reason = f"no pod in namespace {shown([known.name for known in there if known.pods])} bears {asked}"
        doubt = _DOUBT if labels_unread(pods) else ""
        return Missing(words, reason, (*unborne(of_pods, pods), *hints), doubt)
    if meant:
        return Missing(words, "these use the network of their node", hints)
    hints = (*unborne(of_namespace, _one_each(cluster)), *_by_name(of_namespace, cluster))
    return Missing(words, f"no namespace of which workloads were read bears {label_words(of_namespace)}", hints)


def host_words(hosts: Sequence[Interface]) -> Iterator[str]:
    """Yield that pods in the network of their node are not chosen, where any would be by their labels."""
    if hosts:
        yield f"no selector chooses pods in the network of their node, such as {pods_in_words(hosts)}"


def _by_name(of_namespace: AllOf, cluster: Cluster) -> Iterator[str]:
    for part in _requirements(of_namespace):
        for value in sorted(part.values & cluster.namespaces.keys()):
            yield f"namespace {value} is chosen by {_NAME}={value}, which the cluster sets itself"


def _chooses(parts: SelectorParts, cluster: Cluster) -> bool:
    return any(matches(parts.pods, p) for known in _namespaces(parts.namespaces, cluster) for p in known.pods)


def _namespaces(of_namespace: AllOf, cluster: Cluster) -> list[Namespace]:
    """Return the namespaces that a selector asks for; all the pods of one bear its labels."""
    asked = list(cluster.namespaces.values())
    for part in of_namespace.parts:
        # Most ask for one by its name.
        if isinstance(part, Labelled) and part.key == NAMESPACE_NAME and part.operator == "In":
            asked = [cluster.namespaces[name] for name in sorted(part.values & cluster.namespaces.keys())]
            break
    return [known for known in asked if matches(of_namespace, known.one)]


def _one_each(cluster: Cluster) -> tuple[Interface, ...]:
    """Return one workload of each namespace, which shows the namespace's labels."""
    return tuple(known.one for known in cluster.namespaces.values())


def _requirements(selector: Selector) -> Iterator[Labelled]:
    if isinstance(selector, Labelled):
        # Namespaces whose labels were not read are asked for by another rule.
        if selector.key != NAMESPACE_NAME or selector.operator == "In":
            yield selector
    elif isinstance(selector, AllOf):
        for part in selector.parts:
            yield from _requirements(part)


def _requirement(part: Labelled) -> str:
    key, values = part.key.removeprefix(_NAMESPACE), sorted(part.values)
    match part.operator:
        case "In":
            return f"{key}={values[0]}" if len(values) == 1 else f"{key} in ({', '.join(values)})"
        case "NotIn":
            return f"{key} not in ({', '.join(values)})"
        case "Exists":
            return key
        case "DoesNotExist":
            return f"no {key}"
