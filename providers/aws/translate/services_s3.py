"""Buckets of S3, and what makes their objects public."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.service_settings import shown

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_s3"]

_FACET = "services.s3"
_ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
_ANY_ACCOUNT = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


class _Bucket(msgspec.Struct, rename="pascal"):
    name: str
    bucket_region: str = ""


class _Block(msgspec.Struct, rename="pascal"):
    ignore_public_acls: bool = False
    restrict_public_buckets: bool = False


class _BlockAnswer(msgspec.Struct, rename="pascal"):
    public_access_block_configuration: _Block = msgspec.field(default_factory=_Block)


class _Status(msgspec.Struct, rename="pascal"):
    is_public: bool = False


class _StatusAnswer(msgspec.Struct, rename="pascal"):
    policy_status: _Status = msgspec.field(default_factory=_Status)


class _Grantee(msgspec.Struct):
    uri: str = msgspec.field(default="", name="URI")


class _Grant(msgspec.Struct, rename="pascal"):
    grantee: _Grantee = msgspec.field(default_factory=_Grantee)
    permission: str = ""


class _AclAnswer(msgspec.Struct, rename="pascal"):
    grants: list[_Grant]


class _Access(msgspec.Struct):
    account: _Block | None
    bucket: _Block | None
    policy: bool | None
    acl: frozenset[str] | None


def add_s3(answers: Answers, places: Places) -> None:
    """Add buckets. One is public when its policy or its access control list is, and no block sets that aside.

    ``IgnorePublicAcls`` sets public access control lists aside, ``RestrictPublicBuckets`` public policies; of the
    account's and the bucket's block the stricter counts. What S3 calls a public policy is its own verdict. Objects may
    have public lists of their own, which are not read; the reason says where these would count. Sources:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
    """
    account: _Block | None = None
    for _, answer in answers.whole("s3control", "get_public_access_block", _BlockAnswer, _FACET):
        account = answer.public_access_block_configuration
    blocks = {
        name: answer.public_access_block_configuration
        for name, answer in answers.whole("s3", "get_public_access_block", _BlockAnswer, _FACET)
    }
    statuses = {
        name: answer.policy_status.is_public
        for name, answer in answers.whole("s3", "get_bucket_policy_status", _StatusAnswer, _FACET)
    }
    lists = {
        name: frozenset(grant.grantee.uri for grant in answer.grants)
        for name, answer in answers.whole("s3", "get_bucket_acl", _AclAnswer, _FACET)
    }
    for bucket in answers.each("s3", "list_buckets", "Buckets", _Bucket, _FACET):
        name = bucket.name
        access = _Access(account, blocks.get(name), statuses.get(name), lists.get(name))
        places.add(_bucket(answers, bucket, access))


def _bucket(answers: Answers, bucket: _Bucket, access: _Access) -> Service:
    ignored: bool | None = False
    restricted: bool | None = False
    for block in (access.account, access.bucket):
        ignored = _either(ignored, None if block is None else block.ignore_public_acls)
        restricted = _either(restricted, None if block is None else block.restrict_public_buckets)
    by_policy = _unless(access.policy, restricted)
    everyone = _unless(None if access.acl is None else _ALL_USERS in access.acl, ignored)
    accounts = _unless(None if access.acl is None else _ANY_ACCOUNT in access.acl, ignored)
    anonymous = _either(by_policy, everyone)
    return Service(
        id=answers.id(f"arn:aws:s3:::{bucket.name}"),
        kind="s3-bucket",
        name=bucket.name,
        region=answers.region,
        service="s3",
        public=_either(anonymous, accounts),
        anonymous=anonymous,
        reason=_reason(access, ignored=ignored, restricted=restricted),
        settings=shown(
            BucketRegion=bucket.bucket_region,
            IgnorePublicAcls=ignored,
            RestrictPublicBuckets=restricted,
            IsPublic=access.policy,
        ),
    )


def _either(first: bool | None, second: bool | None) -> bool | None:  # noqa: FBT001 - three-valued logic
    if first or second:
        return True
    return None if first is None or second is None else False


def _unless(value: bool | None, set_aside: bool | None) -> bool | None:  # noqa: FBT001 - three-valued logic
    if set_aside or value is False:
        return False
    return None if set_aside is None or value is None else True


def _reason(access: _Access, *, ignored: bool | None, restricted: bool | None) -> str:
    parts: list[str] = []
    if restricted:
        parts.append("RestrictPublicBuckets sets public policies aside")
    elif access.policy is None:
        parts.append("whether its policy is public was not read")
    elif access.policy:
        parts.append("its policy is public")
    if ignored:
        parts.append("IgnorePublicAcls sets public access control lists aside")
    elif access.acl is None:
        parts.append("its access control list was not read")
    elif access.acl & {_ALL_USERS, _ANY_ACCOUNT}:
        whom = "everyone" if _ALL_USERS in access.acl else "every AWS account"
        parts.append(f"its access control list admits {whom}")
    else:
        parts.append("objects with public access control lists of their own would be public")
    if (ignored is None or restricted is None) and (access.account is None or access.bucket is None):
        parts.append(f"the {'account' if access.account is None else 'bucket'}'s public access block was not read")
    return "; ".join(parts)
