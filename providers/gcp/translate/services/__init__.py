"""Managed services: one file a kind, and what they share in ``building.py`` and ``iam.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.gcp.translate.services.clusters import add_clusters
from cloudseg.providers.gcp.translate.services.data import add_buckets, add_datasets
from cloudseg.providers.gcp.translate.services.databases import add_caches, add_databases
from cloudseg.providers.gcp.translate.services.serverless import add_functions, add_run_services

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_services"]

_FAMILIES: Final[tuple[Callable[[Answers, Draft], None], ...]] = (
    add_databases,
    add_caches,
    add_clusters,
    add_run_services,
    add_functions,
    add_buckets,
    add_datasets,
)


def add_services(answers: Answers, draft: Draft) -> None:
    """Add the managed services of every family; networks have to be there already."""
    for add_family in _FAMILIES:
        add_family(answers, draft)
