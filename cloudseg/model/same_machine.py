"""What passes beside a cloud's groups: pods on one machine, and the machine itself, talk without meeting them.

Which machine a pod runs on may change, so that it is known at most, except of pods that stay where they are. Source:
https://docs.aws.amazon.com/eks/latest/best-practices/sgpp.html (groups of an interface judge what passes it)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model.identity import Group
from cloudseg.model.peers import GroupRef
from cloudseg.model.resources import own_id, provider_of, qualified, scope_of
from cloudseg.model.rules import Rule, RuleSet
from cloudseg.model.selectors import AllOf, AnyOf, Labelled
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model.resources import Direction
    from cloudseg.model.rules import Stage
    from cloudseg.model.selectors import Selector
    from cloudseg.model.topology import Interface, Network

__all__ = ["Machines", "machine_of", "stands_on"]

_GOOGLE: Final = "gcp"
_STAYS: Final = "pod/node"
"""The label that a pod bears which stays on its node for good."""
_ON_MACHINE: Final = "pod/on-machine"
"""The label of a pod that stays on a machine; its value is the machine."""
_MACHINE: Final = "pod/machine"
"""The label of the interfaces of a machine; its value is the machine."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


def machine_of(interface: Interface) -> str:
    """Return the own id of the machine that an interface belongs to; empty for none.

    The machines of a scale set are no workloads of their own: its interfaces name them beside it. Those of Google Cloud
    have names that count in their project alone, so that it stands before them.
    """
    if len(interface.machines) == 1 and not interface.is_pod:
        return next(iter(interface.machines))
    workload = interface.workload or "::"
    own = own_id(workload)
    return f"projects/{scope_of(workload)}/{own}" if provider_of(workload) == _GOOGLE else own


def stands_on(pod: Interface, bearer: Interface) -> dict[str, str]:
    """Return the labels that tell on which machine a pod stays, whose address an interface bears; none for others.

    What has an interface of its own may be judged by its groups on its machine as well.
    """
    machine = machine_of(bearer)
    known = _STAYS in pod.labels and bearer.role != "branch" and pod.machines == frozenset((machine,))
    return {_ON_MACHINE: machine} if known else {}


class _Rules(NamedTuple):
    """What passes at some ends.

    Attributes:
        own: what the list is called.
        applies: the ends.
        remote: the others.
        exact: it is certain.
    """

    own: str
    applies: Selector
    remote: tuple[GroupRef, ...]
    exact: bool


class Machines:
    """The machines that carry a cluster.

    Args:
        cluster: the cluster's network.
        pods: its pods, where they stand.
        carriers: the interfaces of the machines.

    Attributes:
        groups: the groups that the rules name, by id.
    """

    def __init__(self, cluster: Network, pods: Sequence[Interface], carriers: Iterable[Interface]) -> None:
        self._cluster = cluster
        self.groups: dict[str, Group] = {}
        self._machines = {each.id: machine_of(each) for each in carriers}
        self._placed = sorted({each.labels[_ON_MACHINE] for each in pods if _ON_MACHINE in each.labels})
        self._rules = list(self._worked_out())

    def labelled(self, interfaces: Mapping[str, Interface]) -> Iterator[Interface]:
        """Yield the interfaces of the machines with the label by which the rules know them."""
        for identifier, machine in self._machines.items():
            known = interfaces[identifier]
            yield msgspec.structs.replace(known, labels={**known.labels, _MACHINE: machine})

    def beside(self, stage: Stage) -> Iterator[RuleSet]:
        """Yield what passes beside the lists of a stage."""
        for each in self._rules:
            rules = tuple(
                Rule(
                    id=f"{direction}.same-machine",
                    direction=direction,
                    verdict="next",
                    traffic=ALL_TRAFFIC,
                    remote=each.remote,
                    # Where the first match decides, it stands before all others.
                    priority=None if stage.match == "any" else -1,
                    exact=each.exact,
                    doubt="" if each.exact else "who runs on which machine may change",
                    description="what is on one machine talks without meeting its groups",
                )
                for direction in _DIRECTIONS
            )
            yield RuleSet(
                id=qualified(self._cluster.provider, self._cluster.scope, f"{each.own} ({stage.name})"),
                kind="node-rule",
                stage=stage.name,
                rules=rules,
                applies=each.applies,
                managed_by=self._cluster.provider,
                isolates=frozenset(),
            )

    def _worked_out(self) -> Iterator[_Rules]:
        scope = frozenset((self._cluster.scope,))
        everyone = AnyOf(tuple(Labelled(key, "In", scope) for key in ("pod/cluster", "pod/host-network")))
        machines = Labelled(_MACHINE, "In", frozenset(self._machines.values()))
        staying = Labelled(_ON_MACHINE, "Exists")
        roaming: Selector = AllOf((everyone, Labelled(_ON_MACHINE, "DoesNotExist"))) if self._placed else everyone
        pods, others = self._group("every pod", everyone), self._group("every pod that may move", roaming)
        carriers = self._group("every machine", machines)
        yield _Rules("pods on one machine", roaming, (pods, carriers), exact=False)
        yield _Rules("machines of pods", machines, (others,), exact=False)
        if self._placed:
            yield _Rules("pods that stay", AllOf((everyone, staying)), (others,), exact=False)
        for machine in self._placed:
            here = Labelled(_ON_MACHINE, "In", frozenset((machine,)))
            itself = Labelled(_MACHINE, "In", frozenset((machine,)))
            on_it = self._group(f"pods that stay on {machine}", AllOf((everyone, here)))
            its_own = self._group(f"interfaces of {machine}", itself)
            yield _Rules(f"pods that stay on {machine}", AllOf((everyone, here)), (on_it, its_own), exact=True)
            yield _Rules(f"{machine} and pods that stay on it", itself, (on_it,), exact=True)

    def _group(self, own: str, selector: Selector) -> GroupRef:
        identifier = qualified(self._cluster.provider, self._cluster.scope, own)
        self.groups[identifier] = Group(
            id=identifier, kind="pod-selector", selector=selector, managed_by=self._cluster.provider
        )
        return GroupRef(identifier)
