"""VPC Block Public Access: what it cuts off from the internet, with its exclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import InternetBlock

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers

__all__ = ["PublicAccessBlock"]

_OPTIONS = "describe_vpc_block_public_access_options"
_EXCLUSIONS = "describe_vpc_block_public_access_exclusions"
_FACET = "public-access-block"
_IN_FORCE = frozenset(("create-complete", "update-complete"))
_VOID = frozenset(("create-failed", "delete-complete", "disable-complete"))
# The first API version of the feature spelt the modes the second way.
_MODES: dict[str, InternetBlock] = {
    "off": "off",
    "block-ingress": "ingress",
    "block-bidirectional": "bidirectional",
    "bidirectional-access-allowed": "off",
    "ingress-access-blocked": "ingress",
    "bidirectional-access-blocked": "bidirectional",
}


class _Options(msgspec.Struct, rename="pascal"):
    internet_gateway_block_mode: str = ""
    state: str = ""


class _Answer(msgspec.Struct, rename="pascal"):
    vpc_block_public_access_options: _Options


class _Exclusion(msgspec.Struct, rename="pascal"):
    resource_arn: str
    internet_gateway_exclusion_mode: str = ""
    state: str = ""


class PublicAccessBlock(msgspec.Struct, frozen=True):
    """The block of one account and region.

    Attributes:
        mode: what it cuts off where nothing is excluded; ``unknown`` when that was not read or is changing.
        excluded: what stays cut off, by own id of an excluded VPC or subnet; None when exclusions were not read.
    """

    mode: InternetBlock
    excluded: dict[str, InternetBlock] | None

    @staticmethod
    def read(answers: Answers) -> PublicAccessBlock:
        """Read the block of the account and region.

        A region whose endpoint does not know the operation has no such block. Not read is ``unknown``, though AWS's
        default is off: a wrong "off" would state as certain that the internet gets in, and prove plans by it.
        """
        mode: InternetBlock = "off" if answers.failed("ec2", _OPTIONS) == "unsupported" else "unknown"
        for _, answer in answers.whole("ec2", _OPTIONS, _Answer, _FACET):
            options = answer.vpc_block_public_access_options
            if options.state != "update-in-progress":
                mode = _MODES.get(options.internet_gateway_block_mode, "unknown")
        return PublicAccessBlock(mode, _exclusions(answers, mode))

    def of(self, vpc: str, subnet: str, *, shown: str, owned: bool) -> InternetBlock:
        """Return what is cut off from a subnet.

        Args:
            vpc: the own id of its VPC.
            subnet: its own id.
            shown: the mode that the subnet itself shows; empty in answers older than the feature.
            owned: it belongs to the account of this block, which governs only what the account owns.
        """
        mode = self.mode if owned and self.mode != "unknown" else _MODES.get(shown, "unknown")
        if mode in {"off", "unknown"}:
            return mode
        if not owned or self.excluded is None:
            return "unknown"
        return self.excluded.get(subnet) or self.excluded.get(vpc) or mode


def _exclusions(answers: Answers, mode: InternetBlock) -> dict[str, InternetBlock] | None:
    """Return what stays cut off by excluded resource; None when that was not read.

    An exclusion lets everything through, or only what starts inside. One under change is unknown.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html
    """
    if not answers.has("ec2", _EXCLUSIONS):
        return None
    found: dict[str, InternetBlock] = {}
    key = "VpcBlockPublicAccessExclusions"
    for exclusion in answers.each("ec2", _EXCLUSIONS, key, _Exclusion, _FACET):
        if exclusion.state in _VOID:
            continue
        left: InternetBlock = "unknown"
        if exclusion.state in _IN_FORCE or not exclusion.state:
            if exclusion.internet_gateway_exclusion_mode == "allow-bidirectional":
                left = "off"
            elif exclusion.internet_gateway_exclusion_mode == "allow-egress":
                left = "inbound" if mode == "bidirectional" else mode
        found[exclusion.resource_arn.rpartition("/")[2]] = left
    return found if answers.intact("ec2", _EXCLUSIONS) else None
