"""The ends of intentions: services of this cluster by name and namespace, and those of elsewhere.

Without namespaces (they are for Consul Enterprise) a service is known by its name alone, whatever namespace of the
cluster it is in, and so are intentions. Which of this holds is set at the injector. Sources:
https://developer.hashicorp.com/consul/docs/k8s/crds,
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions and
https://developer.hashicorp.com/consul/docs/k8s/deployment-configurations/consul-enterprise
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import AnyOf, Unresolved
from cloudseg.providers.kubernetes.translate.policies.consul.names import ANY, SERVICES, Chosen, chosen, within
from cloudseg.providers.kubernetes.translate.policies.consul.signs import GROUP
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.consul.settings import Settings
    from cloudseg.providers.kubernetes.translate.policies.consul.wire import Destination, Source

__all__ = ["NOBODY", "Clients", "clients_of", "elsewhere", "goes_beyond", "precedence", "targets_of"]

NOBODY: Final = AnyOf(())
_DEFAULT: Final = "default"
_NONE: Final = Chosen(NOBODY, NOBODY, "nobody", "")
_BEYOND: Final = frozenset(
    (
        "ExportedServices",
        "PeeringAcceptor",
        "PeeringDialer",
        "Registration",
        "SamenessGroup",
    )
)
"""Kinds of objects that tell of services outside of the cluster."""


class Clients(NamedTuple):
    """The clients of an intention.

    Attributes:
        here: those of this cluster.
        beyond: whether some of elsewhere are meant.
    """

    here: Chosen
    beyond: bool = False


def goes_beyond(objects: Iterable[Object]) -> bool:
    """Tell whether the mesh may have services outside of the cluster."""
    for item in objects:
        if item.group == GROUP and item.kind in _BEYOND:
            return True
        if (item.group, item.kind) == (GROUP, "ServiceIntentions"):
            text = repr(item.part("spec").get("sources"))
            if any(f"'{key}'" in text for key in ("partition", "peer", "samenessGroup")):
                return True
    return False


def elsewhere(draft: Draft) -> Unresolved:
    """Return what stands for services of the mesh outside of the cluster."""
    reason = "services of the mesh outside of the cluster may connect, and their addresses were not read"
    return Unresolved(f"services of the mesh outside of {draft.cluster}", reason)


def targets_of(destination: Destination, item: Object, settings: Settings, draft: Draft) -> Chosen:
    """Return the pods that intentions are about.

    Raises:
        ParseError: Consul would refuse it.
    """
    if not destination.name:
        raise ParseError("destination names no service")
    if destination.namespace == ANY and destination.name != ANY:
        raise ParseError("destination names a service in every namespace, where only * may stand")
    return _in_space(chosen(destination.name, draft), destination.namespace, item.place, settings, draft)


def clients_of(source: Source, destination: Destination, item: Object, settings: Settings, draft: Draft) -> Clients:
    """Return the pods that a source stands for.

    Raises:
        ParseError: Consul would refuse it.
    """
    if not source.name:
        raise ParseError("a source names no service")
    namespace = source.namespace or destination.namespace
    if namespace == ANY and source.name != ANY:
        raise ParseError("a source names a service in every namespace, where only * may stand")
    if sum(map(bool, (source.peer, source.partition, source.sameness_group))) > 1:
        raise ParseError("a source names more than one of peer, partition and samenessGroup")
    here = _in_space(chosen(source.name, draft), namespace, item.place, settings, draft)
    if source.peer:
        # They come by a mesh gateway, or straight.
        words = f"{here.text} of peer {source.peer}"
        return Clients(Chosen(NOBODY, bearing(SERVICES, ANY), words, ""), beyond=True)
    if source.sameness_group or source.partition not in {None, "", _DEFAULT}:
        words = f"{here.text} of {source.sameness_group or source.partition}"
        return Clients(Chosen(NOBODY, AnyOf((here.may, bearing(SERVICES, ANY))), words, ""), beyond=True)
    return Clients(here)


def _in_space(found: Chosen, namespace: str | None, place: str, settings: Settings, draft: Draft) -> Chosen:
    """Return those of some services that are in a namespace of Consul.

    Args:
        found: the services.
        namespace: the namespace as it is written; none for the one of the object, ``*`` for all.
        place: the namespace of the cluster that the object is in.
        settings: how Consul is installed.
        draft: the cluster.

    Raises:
        ParseError: Consul would refuse it.
    """
    if namespace == ANY and settings.spaces.kind != "none":
        return found
    match settings.spaces.kind:
        case "none":
            if namespace not in {None, "", _DEFAULT}:
                raise ParseError(f"namespace {namespace!r} stands where Consul has no namespaces")
            return found
        case "single":
            return found if namespace in {None, "", settings.spaces.text} else _NONE
        case "mirrored":
            if not namespace:
                return within(found, place)
            own = namespace.removeprefix(settings.spaces.text)
            return within(found, own) if f"{settings.spaces.text}{own}" == namespace else _NONE
        case "unknown":
            where = place if not namespace else namespace if namespace == _DEFAULT else ""
            if draft.inhabited == {where}:
                # Services of one namespace alone are the same ones either way.
                return found
            near = within(found, where)
            return found._replace(sure=near.sure, near=near.near) if where else found._replace(sure=NOBODY, near="")


def precedence(source: Source, destination: Destination) -> int:
    """Return how far an intention goes before others: 9 for the most exact one, 1 for the least.

    The destination counts first, then the source; for each the namespace and the name. Source:
    https://developer.hashicorp.com/consul/docs/connect/intentions#precedence-and-match-order
    """
    of_target = 2 if destination.namespace == ANY else 1 if destination.name == ANY else 0
    of_client = 2 if (source.namespace or destination.namespace) == ANY else 1 if source.name == ANY else 0
    return 9 - 3 * of_target - of_client
