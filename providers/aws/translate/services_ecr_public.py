"""Repositories of the public container registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_ecr_public"]


class _Repository(msgspec.Struct, rename="camel"):
    repository_name: str
    repository_arn: str = ""


def add_ecr_public(answers: Answers, places: Places) -> None:
    """Add public repositories: anyone pulls from them, without credentials.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/public/public-repositories.html
    """
    operation = ("ecr-public", "describe_repositories")
    for repository in answers.each(*operation, "repositories", _Repository, "services.ecr-public"):
        name = repository.repository_name
        places.add(
            Service(
                id=answers.id(repository.repository_arn or f"arn:aws:ecr-public::{answers.scope}:repository/{name}"),
                kind="ecr-public-repository",
                name=name,
                region=answers.region,
                service="ecr-public",
                public=True,
                anonymous=True,
                reason="a public repository lets anyone pull",
            )
        )
