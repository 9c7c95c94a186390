"""Managed services: one file a family, and what they share in ``access.py`` and ``building.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.azure.translate.services.brokers import add_brokers
from cloudseg.providers.azure.translate.services.caches import add_caches
from cloudseg.providers.azure.translate.services.clusters import add_clusters
from cloudseg.providers.azure.translate.services.cosmos import add_cosmos
from cloudseg.providers.azure.translate.services.databases import add_databases
from cloudseg.providers.azure.translate.services.registries import add_registries, add_search
from cloudseg.providers.azure.translate.services.sites import add_sites
from cloudseg.providers.azure.translate.services.storage import add_storage
from cloudseg.providers.azure.translate.services.vaults import add_cognitive_services, add_vaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_services"]

_FAMILIES: Final[tuple[Callable[[Answers, Draft], None], ...]] = (
    add_storage,
    add_databases,
    add_cosmos,
    add_vaults,
    add_registries,
    add_clusters,
    add_sites,
    add_brokers,
    add_caches,
    add_search,
    add_cognitive_services,
)


def add_services(answers: Answers, draft: Draft) -> None:
    """Add the managed services of every family; private endpoints and service tags have to be there already."""
    for add_family in _FAMILIES:
        add_family(answers, draft)
