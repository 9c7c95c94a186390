"""Managed services of one's own to which no private endpoint leads, where each endpoint leads to one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.observed_use import UNOBSERVED
from cloudseg.findings import Remedy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Endpoint, Service

__all__ = ["LEAD_TO_ONE", "unserved"]

LEAD_TO_ONE: Final = frozenset(("azure", "gcp"))
"""The providers whose private endpoints lead to one resource each, and not to a whole service."""


def unserved(context: AuditContext, families: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for every managed service of some families that is reached at its public endpoint alone."""
    estate = context.estate
    leading: dict[str, list[Endpoint]] = {}
    for _, endpoint in sorted(estate.endpoints.items()):
        leading.setdefault(endpoint.service, []).append(endpoint)
    for _, service in sorted(estate.services.items()):
        asked = service.provider in LEAD_TO_ONE and service.service in families
        # One without a public endpoint is reached privately, or by nobody. Of Google Cloud's a setting says that
        # endpoints may be made for it: https://cloud.google.com/sql/docs/mysql/about-private-service-connect
        private = service.network is not None or service.settings.get("pscEnabled") == "true"
        if not asked or service.public is False or private:
            continue
        if service.connections is None and not estate.read("endpoints", service):
            continue
        endpoints = leading.get(service.own_id, [])
        accepted = any(connection.state == "accepted" for connection in service.connections or ())
        if not accepted and not any(endpoint.usable for endpoint in endpoints):
            yield _finding(context, service, endpoints)


def _finding(context: AuditContext, service: Service, endpoints: list[Endpoint]) -> Finding:
    unknown = [endpoint for endpoint in endpoints if endpoint.usable is None]
    certain = service.public is True and service.connections is not None and not unknown
    return context.finding(
        service,
        f"no private endpoint leads to {service.label}: networks reach it at its public endpoint",
        confidence="high" if certain else "low",
        evidence=(
            *((service.reason,) if service.reason else ()),
            *(
                f"{endpoint.label} does not count: it is {endpoint.state or 'not usable'}"
                for endpoint in endpoints
                if endpoint.usable is False
            ),
            *(f"unknown: whether {endpoint.label} was approved" for endpoint in unknown),
            *(
                ("unknown: whether networks of other accounts have an endpoint for it",)
                if service.connections is None
                else ()
            ),
            UNOBSERVED if context.observed is None else "use was not observed: flow logs do not name it",
        ),
        remedy=Remedy("add-private-endpoint", "add a private endpoint for it, then turn its public access off"),
    )
