"""What is said of services that a command line names.

Checks judge by the settings of managed services who reaches them; a service of a cluster stands for its pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.config import Config
    from cloudseg.engine import FindingsDocument
    from cloudseg.model import Estate
    from cloudseg.reach.names import Named
    from cloudseg.traffic import Traffic

__all__ = ["behind_service", "with_services"]

_CHECK, _CONTROL = "public-endpoint", "public-control-plane"


def with_services(named: Named, estate: Estate, settings: Config) -> Named:
    """Return an end with notes on the managed services that it stands for: what the checks of their endpoints find.

    A service whose interfaces were read is only told of where a check finds something: the rest is judged by these.
    """
    if not named.services:
        return named
    from cloudseg.engine import AuditRequest, run_audit, select_checks

    request = AuditRequest(
        checks=select_checks((_CHECK, _CONTROL)),
        settings=settings.parameters,
        labels=settings.labels,
        exposure=False,
    )
    notes = _notes(named.services, estate, run_audit(estate, request))
    return named._replace(notes=tuple(dict.fromkeys((*named.notes, *notes))))


def behind_service(named: Named, traffic: Traffic) -> tuple[Named, Traffic]:
    """Return an end that takes packets, and what it is asked for: a service of a cluster, by the ports of its pods."""
    if not named.ports:
        return named, traffic
    from cloudseg.reach.aliases import asked_of

    asked = asked_of(named.ports, traffic, named.text)
    return named._replace(notes=(*named.notes, *asked.notes)), asked.traffic


def _notes(services: Sequence[str], estate: Estate, document: FindingsDocument) -> Iterator[str]:
    for identifier in services:
        service = estate.services[identifier]
        check = _CONTROL if service.control_plane else _CHECK
        place = (service.provider, service.scope, service.region, service.own_id)
        found = [
            finding.message
            for finding in document.findings
            if (finding.provider, finding.scope, finding.region, finding.resource.id) == place
        ]
        bare = not any(name in estate.interfaces for name in service.interfaces)
        if found:
            yield f"what its own settings let in is judged by `{check}`: {'; '.join(found)}"
        elif bare:
            yield f"what its own settings let in is judged by `{check}`, which finds nothing about {service.label}"
        yield from (
            f"`{status.id}` was {status.status}: {status.reason}"
            for status in document.checks
            if bare and status.id == check and status.status != "evaluated"
        )
