"""Small Azure estates with managed services, for the examples of the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = [
    "bare_vault",
    "closed_services",
    "joined_vault",
    "office_database",
    "open_account",
    "open_database",
    "waiting_vault",
]


def _database(sources: str) -> Estate:
    b = AzureBuilder()
    b.service(
        "sql",
        "orders",
        anonymous=False,
        sources=AddressSet.parse(sources),
        reason="publicNetworkAccess is Enabled; a rule admits every address",
    )
    return b.build()


def open_database() -> Estate:
    """Return a database whose firewall admits every address."""
    return _database("0.0.0.1-255.255.255.255")


def office_database() -> Estate:
    """Return a database that admits eight addresses."""
    return _database("203.0.113.8/29")


def open_account() -> Estate:
    """Return a storage account without a firewall."""
    b = AzureBuilder()
    b.service("storage", "exports", anonymous=False, reason="networkAcls' default action is Allow")
    return b.build()


def closed_services() -> Estate:
    """Return closed services, and one that admits the cloud alone."""
    b = AzureBuilder()
    b.service("sql", "orders", public=False, anonymous=False, reason="publicNetworkAccess is Disabled")
    b.service("keyvault", "keys", public=False, anonymous=False, reason="no rule admits a public address")
    b.service("sql", "reports", anonymous=False, any_tenant=True, sources=AddressSet.parse("none"))
    return b.build()


def _vault(**more: object) -> AzureBuilder:
    b = AzureBuilder()
    b.service("keyvault", "keys", anonymous=False, reason="networkAcls' default action is Allow", **more)  # type: ignore[arg-type]
    return b


def bare_vault() -> Estate:
    """Return a key vault without a private endpoint."""
    return _vault(connections=()).build()


def waiting_vault() -> Estate:
    """Return a key vault whose private endpoint waits for approval."""
    b = _vault()
    b.endpoint("pe-1", arm("keyvault", "keys"), usable=False, state="Pending")
    return b.build()


def joined_vault() -> Estate:
    """Return a key vault with a private endpoint."""
    b = _vault()
    b.endpoint("pe-1", arm("keyvault", "keys"))
    b.service("sql", "orders", public=False)
    return b.build()
