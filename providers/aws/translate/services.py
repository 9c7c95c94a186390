"""Managed services: one file a family, and this list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.aws.translate.placement import Places
from cloudseg.providers.aws.translate.services_apigateway import add_apigateway
from cloudseg.providers.aws.translate.services_caches import add_elasticache, add_memorydb
from cloudseg.providers.aws.translate.services_dms import add_dms
from cloudseg.providers.aws.translate.services_ecr_public import add_ecr_public
from cloudseg.providers.aws.translate.services_efs import add_efs
from cloudseg.providers.aws.translate.services_eks import add_eks
from cloudseg.providers.aws.translate.services_kafka import add_kafka
from cloudseg.providers.aws.translate.services_lambda import add_lambda
from cloudseg.providers.aws.translate.services_opensearch import add_opensearch
from cloudseg.providers.aws.translate.services_rds import add_rds
from cloudseg.providers.aws.translate.services_redshift import add_redshift
from cloudseg.providers.aws.translate.services_s3 import add_s3
from cloudseg.providers.aws.translate.services_verified_access import add_verified_access

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_services"]

_FAMILIES = (
    add_s3,
    add_rds,
    add_redshift,
    add_opensearch,
    add_elasticache,
    add_memorydb,
    add_eks,
    add_lambda,
    add_apigateway,
    add_ecr_public,
    add_kafka,
    add_dms,
    add_efs,
    add_verified_access,
)


def add_services(answers: Answers, draft: Draft) -> None:
    """Add the managed services of an account and region, each with its interfaces.

    Networks, subnets, groups and interfaces have to be in the draft, so that services find theirs.
    """
    places = Places(answers, draft)
    for add in _FAMILIES:
        add(answers, places)
