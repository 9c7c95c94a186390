"""The names of services, and the pods that they stand for.

Sources: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ and
https://kubernetes.io/docs/reference/kubectl/#resource-types
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Alias, AliasPort

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.service import Service
    from cloudseg.providers.kubernetes.translate.exposure.services import Services

__all__ = ["add_aliases"]


def add_aliases(services: Services, draft: Draft) -> None:
    """Add the names of the services that stand for pods, or would."""
    for service in services:
        if service.type != "ExternalName":
            item = service.item
            identifier = draft.id(item.own)
            draft.aliases[identifier] = Alias(
                id=identifier,
                kind="Service",
                name=f"{item.place}/{item.name}",
                location=item.location,
                words=_words(item.place, item.name),
                addresses=service.addresses,
                ports=_ports(service, services),
            )


def _words(namespace: str, name: str) -> tuple[str, ...]:
    """Return the names of a service as kubectl and pods write it."""
    own = (f"{kind}/{name}" for kind in ("svc", "service", "services"))
    domain = f"{name}.{namespace}"
    return (
        *own,
        f"{namespace}/{name}",
        f"{namespace}/svc/{name}",
        domain,
        f"{domain}.svc",
        f"{domain}.svc.cluster.local",
    )


def _ports(service: Service, services: Services) -> tuple[AliasPort, ...]:
    found: list[AliasPort] = []
    for port in service.ports:
        for backend in services.backends(service, (port,)):
            targets = frozenset(pod.workload or pod.id for pod in backend.pods)
            # Clients of a headless service are told the addresses of its pods, and ask for whatever port they want.
            listens = backend.traffic if service.headless else port.traffic
            found.append(AliasPort(listens=listens, sends=backend.traffic, targets=targets))
    if not service.ports:
        targets = frozenset(pod.workload or pod.id for pod in services.pods(service))
        found += [AliasPort(listens=None, sends=None, targets=targets)] if targets else []
    return tuple(found)
