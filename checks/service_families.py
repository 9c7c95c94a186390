"""How bad a public endpoint is, family by family of managed services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.findings import Severity

if TYPE_CHECKING:
    from cloudseg.model import Service

__all__ = ["FAMILIES", "Family", "family_of", "severity_of_service"]


class Family(NamedTuple):
    """How bad a public endpoint is for a family of services.

    Attributes:
        anonymous: when it answers callers without credentials; also when that is unknown.
        credentials: when it asks for credentials, and not those of anybody will do.
        for_the_public: such services are made to be public, so a tag may declare one of them public.
        at_interfaces: the public endpoint is a public address of its interfaces, so the rules over them guard it. The
            URL of a function or an API is not: rules over the function's interfaces say nothing of who calls it.
    """

    anonymous: Severity
    credentials: Severity
    for_the_public: bool = False
    at_interfaces: bool = False


_STORE: Final = Family(Severity.CRITICAL, Severity.HIGH, at_interfaces=True)
# A firewall of the service's own guards it, whatever network there is.
_DATABASE: Final = Family(Severity.CRITICAL, Severity.HIGH)
_OTHER: Final = Family(Severity.HIGH, Severity.MEDIUM)
FAMILIES: Final = {
    "rds": _STORE,
    "redshift": _STORE,
    "opensearch": _DATABASE,
    "elasticache": _STORE,
    "memorydb": _STORE,
    "dms": _STORE,
    "kafka": _STORE,
    "efs": _STORE,
    "s3": Family(Severity.HIGH, Severity.MEDIUM, for_the_public=True),
    "lambda": Family(Severity.MEDIUM, Severity.INFO, for_the_public=True),
    "apigateway": Family(Severity.LOW, Severity.INFO, for_the_public=True),
    "ecr-public": Family(Severity.LOW, Severity.INFO, for_the_public=True),
    "verified-access": Family(Severity.MEDIUM, Severity.INFO, for_the_public=True),
    "sql": _DATABASE,
    "postgresql": _DATABASE,
    "mysql": _DATABASE,
    "cosmosdb": _DATABASE,
    "redis": _DATABASE,
    "storage": Family(Severity.HIGH, Severity.MEDIUM, for_the_public=True),
    "containerregistry": Family(Severity.MEDIUM, Severity.LOW, for_the_public=True),
    "appservice": Family(Severity.LOW, Severity.INFO, for_the_public=True),
    "cloudsql": _DATABASE,
    "alloydb": _DATABASE,
    "memorystore": _DATABASE,
    "gcs": Family(Severity.HIGH, Severity.MEDIUM, for_the_public=True),
    "bigquery": Family(Severity.HIGH, Severity.MEDIUM, for_the_public=True),
    "run": Family(Severity.MEDIUM, Severity.INFO, for_the_public=True),
    "functions": Family(Severity.MEDIUM, Severity.INFO, for_the_public=True),
}


def family_of(service: Service) -> Family:
    """Return how bad a public endpoint of a service is; families that the table does not know count as brokers do."""
    return FAMILIES.get(service.service, _OTHER)


def severity_of_service(service: Service) -> Severity:
    """Return how bad it is that everybody can address a service, by its family and whether it asks for credentials."""
    family = family_of(service)
    return family.credentials if service.anonymous is False and not service.any_account else family.anonymous
