import itertools
from collections.abc import Callable, Mapping

import pytest

from cloudseg.model import Estate, Service

Translate = Callable[..., Estate]
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
ANY_ACCOUNT = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


def block(*, acls: bool, policies: bool) -> dict[str, object]:
    return {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": acls, "RestrictPublicBuckets": policies}}


def bucket(translated: Translate, answers: Mapping[str, object]) -> Service:
    named = {f"global:{name}": answer for name, answer in answers.items()}
    estate = translated({"global:s3.list_buckets": [{"Name": "b", "BucketRegion": "eu-west-1"}]} | named)
    (service,) = estate.services.values()
    return service


@pytest.mark.parametrize(
    ("account", "own", "policy", "acl"),
    list(itertools.product([(0, 0), (1, 0), (0, 1), (1, 1)], [(0, 0), (1, 0), (0, 1)], [0, 1], [None, ALL_USERS])),
)
def test_a_bucket_is_public_by_policy_or_list_unless_either_block_sets_that_aside(
    translated: Translate, account: tuple[int, int], own: tuple[int, int], policy: int, acl: str | None
) -> None:
    service = bucket(
        translated,
        {
            "s3control.get_public_access_block": block(acls=bool(account[0]), policies=bool(account[1])),
            "s3.get_public_access_block#b": block(acls=bool(own[0]), policies=bool(own[1])),
            "s3.get_bucket_policy_status#b": {"PolicyStatus": {"IsPublic": bool(policy)}},
            "s3.get_bucket_acl#b": {"Grants": [{"Grantee": {"Type": "Group", "URI": acl or ""}, "Permission": "READ"}]},
        },
    )
    expected = (policy and not (account[1] or own[1])) or (acl and not (account[0] or own[0]))
    assert service.public is bool(expected)


NOTHING_SET: dict[str, object] = {
    "s3control.get_public_access_block": {},
    "s3.get_public_access_block#b": {},
    "s3.get_bucket_policy_status#b": {},
    "s3.get_bucket_acl#b": {
        "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "o"}, "Permission": "FULL_CONTROL"}]
    },
}


def test_nothing_set_is_not_public_and_tells_of_lists_of_objects(translated: Translate) -> None:
    service = bucket(translated, NOTHING_SET)
    assert service.public is False
    assert "objects with public access control lists of their own" in service.reason


@pytest.mark.parametrize("denied", ["s3.get_bucket_policy_status#b", "s3.get_bucket_acl#b"])
def test_a_denied_part_is_unknown(translated: Translate, denied: str) -> None:
    answers = {name: answer for name, answer in NOTHING_SET.items() if name != denied}
    assert bucket(translated, answers).public is None


def test_a_denied_part_that_a_block_sets_aside_does_not_matter(translated: Translate) -> None:
    answers = {"s3control.get_public_access_block": block(acls=True, policies=True)}
    assert bucket(translated, answers).public is False


def test_an_unread_block_leaves_a_public_policy_open(translated: Translate) -> None:
    public = NOTHING_SET | {"s3.get_bucket_policy_status#b": {"PolicyStatus": {"IsPublic": True}}}
    for unread in ("s3control.get_public_access_block", "s3.get_public_access_block#b"):
        answers = {name: answer for name, answer in public.items() if name != unread}
        assert bucket(translated, answers).public is None


def test_a_grant_to_every_account_is_public_and_not_anonymous(translated: Translate) -> None:
    grants = {"Grants": [{"Grantee": {"URI": ANY_ACCOUNT}, "Permission": "READ"}]}
    service = bucket(translated, NOTHING_SET | {"s3.get_bucket_acl#b": grants})
    assert (service.public, service.anonymous) == (True, False)
