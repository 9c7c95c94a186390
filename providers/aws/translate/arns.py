"""Amazon Resource Names of what an answer names without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers

__all__ = ["arn", "named", "partition_of"]


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def arn(answers: Answers, service: str, resource: str, *, account: bool = True) -> str:
    """Return the name of a resource of this account and region; some services leave the account out."""
    scope = answers.scope if account else ""
    return f"arn:{partition_of(answers.region)}:{service}:{answers.region}:{scope}:{resource}"


def named(text: str, otherwise: str) -> str:
    """Return the text where it is a resource name; recordings hold placeholders, which would name several as one."""
    return text if text.startswith("arn:") else otherwise
