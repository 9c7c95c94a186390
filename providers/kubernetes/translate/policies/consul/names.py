"""The names of Consul's services, which are who pods are: by annotation, else by the Service that selects a pod.

With access lists a token is only given to a service that is named as its service account. Sources:
https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels and
https://developer.hashicorp.com/consul/docs/k8s/crds
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import AllOf, AnyOf, Labelled, matches
from cloudseg.providers.kubernetes.translate.labels import ACCOUNT, NAMESPACE, in_namespace, surely_required
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.model import Interface, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.consul.settings import Settings

__all__ = [
    "ANY",
    "CONSUL",
    "EVERY",
    "SERVICE",
    "SERVICES",
    "Chosen",
    "Front",
    "chosen",
    "fronts_of",
    "is_fronted",
    "names_of",
    "possible",
    "within",
]

CONSUL: Final = "pod/consul"
"""The label of a pod that is part of the mesh, or may be; its value says how."""
SERVICE: Final = "pod/consul-service"
"""The label of a pod whose service is known: its name."""
SERVICES: Final = "pod/consul-services"
"""The label of a pod whose service is not known: the names that it may have, ``*`` for any."""
ANY: Final = "*"
EVERY: Final = bearing(CONSUL, "direct", "gateway", "perhaps", "sidecar", "unasked")
"""Whoever may show an identity: all but pods that nothing names, which cannot be services of the mesh."""

_NAME: Final = "consul.hashicorp.com/connect-service"
_FRONT: Final = "consul.hashicorp.com/kubernetes-service"
_IGNORED: Final = "consul.hashicorp.com/service-ignore"
_GATEWAY: Final = "consul.hashicorp.com/gateway-consul-service-name"


class Front(NamedTuple):
    """A Service that may give its name to the pods that it selects.

    Attributes:
        name: its name.
        required: what it requires of pods; None where that cannot be read.
        place: its namespace.
    """

    name: str
    required: tuple[Labelled, ...] | None
    place: str


class Chosen(NamedTuple):
    """Pods by the name of their service.

    Attributes:
        sure: those that surely bear it.
        may: those that may bear it.
        text: the latter in words.
        near: the former in words.
    """

    sure: Selector
    may: Selector
    text: str
    near: str


def fronts_of(objects: Iterable[Object]) -> tuple[Front, ...]:
    """Return the Services that Consul looks at."""
    return tuple(_front(item) for item in objects if (item.group, item.kind) == ("", "Service") and _counts(item))


def _counts(item: Object) -> bool:
    labels = fields_of(item.part("metadata").get("labels"))
    return bool(item.flaw or item.part("spec").get("selector")) and labels.get(_IGNORED) != "true"


def _front(item: Object) -> Front:
    selector = item.part("spec").get("selector")
    required = surely_required({"matchLabels": selector}, "pods")
    return Front(item.name, None if item.flaw or not required else required, item.place)


def names_of(
    interface: Interface, annotations: Mapping[str, str], fronts: Iterable[Front], settings: Settings
) -> frozenset[str]:
    """Return the names that the service of a pod may have; ``*`` where it may have any."""
    given = annotations.get(_GATEWAY) or annotations.get(_NAME)
    if given:
        return frozenset(each.strip() for each in given.split(",")) - {""} or frozenset((ANY,))
    place, only = interface.labels[NAMESPACE], annotations.get(_FRONT)
    near = [each for each in fronts if each.place == place and only in (None, each.name)]
    names = frozenset(
        each.name for each in near if each.required is None or all(matches(one, interface) for one in each.required)
    )
    account = interface.labels.get(ACCOUNT, "")
    if settings.named_by_account and account and (not names or account in names):
        return frozenset((account,))
    doubtful = not names or any(each.required is None for each in near)
    return frozenset((ANY,)) if doubtful else names


def is_fronted(interface: Interface, fronts: Iterable[Front]) -> bool:
    """Tell whether a Service may select a pod.

    Source: https://developer.hashicorp.com/consul/docs/k8s/connect#accepting-inbound-connections
    """
    near = (each for each in fronts if each.place == interface.labels[NAMESPACE])
    return any(each.required is None or all(matches(one, interface) for one in each.required) for each in near)


def chosen(name: str, draft: Draft) -> Chosen:
    """Return the pods whose service bears a name; all services for ``*``."""
    if name == ANY:
        return Chosen(EVERY, EVERY, "every service", "every service")
    sure = bearing(SERVICE, name)
    texts = {
        text
        for interface in draft.interfaces.values()
        if (text := interface.labels.get(SERVICES, "")) and not possible(text).isdisjoint((name, ANY))
    }
    perhaps = (bearing(SERVICES, *texts),) if texts else ()
    return Chosen(sure, AnyOf((sure, *perhaps)), f"service {name}", f"service {name}")


def possible(text: str) -> frozenset[str]:
    """Return the names that a label stands for."""
    return frozenset(text.split(","))


def within(found: Chosen, *places: str) -> Chosen:
    """Return those of some pods that are in namespaces of the cluster."""
    where, words = in_namespace(*places), f"in {', '.join(places)}"
    sure, may = AllOf((found.sure, where)), AllOf((found.may, where))
    return Chosen(sure, may, f"{found.text} {words}", f"{found.near} {words}")
