"""The services of a cluster: the pods that they choose, and the ports under which they offer them.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/ and
https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.exposure.service import Service, port_of, read_service
from cloudseg.providers.kubernetes.translate.exposure.slices import Slices
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, port_label
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.service import ServicePort
    from cloudseg.providers.kubernetes.translate.exposure.slices import Ends
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Backend", "Services"]

_HIGHEST: Final = 65535


class Backend(NamedTuple):
    """Pods that get the same traffic.

    Attributes:
        pods: the pods.
        ports: the ports of the service that lead to them.
        traffic: what it sends to them.
        certain: it surely chooses them, and they are surely asked on these ports.
    """

    pods: tuple[Interface, ...]
    ports: tuple[ServicePort, ...]
    traffic: Traffic
    certain: bool = True


class Services:
    """The services of a cluster.

    Args:
        objects: the objects of the cluster.
        draft: the cluster; its workloads are there already.
    """

    def __init__(self, objects: Sequence[Object], draft: Draft) -> None:
        # Of a workload that cannot be read nobody knows its labels and ports.
        self._unread = {gap.resource for gap in draft.ledger.gaps if gap.reason == "malformed"}
        self._pods = tuple(pod for _, pod in sorted(draft.interfaces.items()))
        self._slices = Slices(objects, draft)
        self._services: dict[tuple[str, str], Service] = {}
        self.lost: dict[tuple[str, str], str] = {}
        """The services that cannot be read, by namespace and name, each with the reason."""
        for item in objects:
            if item.kind == "Service" and not item.group:
                try:
                    self._services[item.place, item.name] = read_service(item)
                except ParseError as error:
                    draft.ledger.gap(item, "malformed", str(error), "entrances")
                    draft.ledger.partly.setdefault("entrances", f"{item.own} is malformed")
                    self.lost[item.place, item.name] = str(error)
        self._by_label: defaultdict[tuple[str, str, str], list[Interface]] = defaultdict(list)
        self._unread_in: defaultdict[str, list[Interface]] = defaultdict(list)
        asked = {_label_of(service)[0] for service in self._services.values() if service.selector is not None}
        for pod in self._pods:
            place = pod.labels[NAMESPACE]
            if self._is_unread(pod):
                self._unread_in[place].append(pod)
            else:
                for key in asked & pod.labels.keys():
                    self._by_label[place, key, pod.labels[key]].append(pod)

    def __iter__(self) -> Iterator[Service]:
        """Yield the services that were read, in order of namespace and name."""
        return (self._services[key] for key in sorted(self._services))

    def find(self, namespace: str, name: str) -> Service | None:
        """Return a service by its name; None where it was not read."""
        return self._services.get((namespace, name))

    def pods(self, service: Service) -> tuple[Interface, ...]:
        """Return the workloads whose pods a service chooses, those that it may choose among them."""
        if service.selector is None or service.type == "ExternalName":
            return ()
        place, wanted = service.item.place, service.selector
        # Thousands of services choose by a label each. A pod on the network of its node is an end like any other.
        here = self._by_label.get((place, *_label_of(service)), ())
        found = (pod for pod in here if wanted.items() <= pod.labels.items() and _is_meant(pod, service))
        return (*found, *self._unread_in.get(place, ()))

    def choosing(self, pods: Iterable[Interface]) -> Iterator[Service]:
        """Yield the services that choose any of some pods."""
        wanted = {pod.id for pod in pods}
        return (each for each in self if any(pod.id in wanted for pod in self.pods(each)))

    def written_ends(self, service: Service) -> tuple[Ends, ...]:
        """Return the ends that somebody wrote down for a service that chooses no pods."""
        return self._slices.of(service.item.place, service.item.name)

    def backends(self, service: Service, ports: Sequence[ServicePort]) -> tuple[Backend, ...]:
        """Return what ports of a service send to which pods; under a name that a pod does not know, it gets nothing."""
        if service.selector is None:
            return self._by_slices(service, ports)
        together: defaultdict[tuple[tuple[ServicePort, ...], Traffic, bool], list[Interface]] = defaultdict(list)
        for pod in self.pods(service):
            unread = self._is_unread(pod)
            sent = [(port, _sent(port, pod, unread=unread)) for port in ports]
            if own := tuple(port for port, traffic in sent if traffic):
                total = NO_TRAFFIC
                for _, traffic in sent:
                    total |= traffic
                together[own, total, service.exact and not unread].append(pod)
        return tuple(Backend(tuple(pods), *key) for key, pods in together.items())

    def _by_slices(self, service: Service, ports: Sequence[ServicePort]) -> tuple[Backend, ...]:
        found: list[Backend] = []
        everybody = [pod for pod in self._pods if pod.addresses]
        for ends in self.written_ends(service):
            pods = tuple(pod for pod in everybody if pod.addresses.overlaps(ends.addresses))
            own = tuple(p for p in ports if any((n, way) == (p.name, p.protocol) for n, _, way in ends.ports))
            traffic = NO_TRAFFIC
            for name, number, protocol in ends.ports:
                if any((name, protocol) == (port.name, port.protocol) for port in own):
                    traffic |= port_of(protocol, number)
            if pods and traffic:
                found.append(Backend(pods, own, traffic))
        return tuple(found)

    def _is_unread(self, pod: Interface) -> bool:
        return pod.attached_unread and pod.workload is not None and pod.workload.split(":", 2)[-1] in self._unread


def _label_of(service: Service) -> tuple[str, str]:
    """Return a label that all pods of a service bear: one that it asks for, else that of its namespace."""
    return next(iter((service.selector or {}).items()), (NAMESPACE, service.item.place))


def _is_meant(pod: Interface, service: Service) -> bool:
    """Tell whether a workload may have the one pod that a service asks for by its name."""
    return not service.single or service.single == pod.name or service.single.rpartition("-")[0] == pod.name


def _sent(port: ServicePort, pod: Interface, *, unread: bool) -> Traffic:
    """Return what a port of a service sends to a pod; of one that cannot be read no name of a port is known."""
    if isinstance(port.target, int):
        return port_of(port.protocol, port.target)
    if unread:
        return Traffic.ports(port.protocol.lower(), 0, _HIGHEST)
    number = pod.labels.get(port_label(port.target, port.protocol))
    return NO_TRAFFIC if number is None else port_of(port.protocol, int(number))
