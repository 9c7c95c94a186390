"""What holds data under a name of its own: buckets and datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.gcp.ids import name_of, tail_of
from cloudseg.providers.gcp.translate.services.building import Access, Asset, admitted, closed, service, shown
from cloudseg.providers.gcp.translate.services.iam import ANY_ACCOUNT, ANYBODY, OpenTo, open_to
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_buckets", "add_datasets"]

_BUCKETS: Final = "services.gcs"
_DATASETS: Final = "services.bigquery"


class _Switch(msgspec.Struct):
    enabled: bool | None = None


class _Iam(msgspec.Struct, rename="camel"):
    public_access_prevention: str | None = None
    uniform_bucket_level_access: _Switch | None = None
    # The older name of it.
    bucket_policy_only: _Switch | None = None

    @property
    def uniform(self) -> bool | None:
        """Whether policies alone decide, and no lists of objects; None where that is not told."""
        return (self.uniform_bucket_level_access or self.bucket_policy_only or _Switch()).enabled


class _PublicSource(msgspec.Struct, rename="camel"):
    allowed_ip_cidr_ranges: list[str] | None = None


class _Filter(msgspec.Struct, rename="camel"):
    mode: str | None = None
    public_network_source: _PublicSource | None = None


class _Listed(msgspec.Struct):
    entity: str = ""
    role: str = ""


class _Bucket(Asset, kw_only=True, rename="camel"):
    location: str = ""
    iam_configuration: _Iam | None = None
    acl: list[_Listed] | None = None
    ip_filter: _Filter | None = None


class _Entry(msgspec.Struct, rename="camel"):
    role: str | None = None
    special_group: str | None = None
    iam_member: str | None = None


class _Reference(msgspec.Struct, rename="camel"):
    dataset_id: str = ""


class _Dataset(Asset, kw_only=True, rename="camel"):
    location: str = ""
    access: list[_Entry] | None = None
    dataset_reference: _Reference | None = None


def add_buckets(answers: Answers, draft: Draft) -> None:
    """Add the buckets: public where a policy names everybody, and nothing prevents that.

    Objects may have lists of their own unless access is uniform. What an organisation's policy prevents is not told
    by a bucket that inherits it. Sources: https://cloud.google.com/storage/docs/public-access-prevention,
    https://cloud.google.com/storage/docs/uniform-bucket-level-access and
    https://cloud.google.com/storage/docs/ip-filtering-overview
    """
    policies = open_to(answers, "storage", "bucket_iam_policies", _BUCKETS)
    for wire in answers.listed("storage", "buckets", _Bucket, _BUCKETS):
        iam = wire.iam_configuration or _Iam()
        opened = _with_list(policies.of(wire.name), wire)
        found = service(
            answers, _named(wire, f"buckets/{wire.name}"), "storage", "gcs", "bucket",
            _of_bucket(answers, wire, opened),
            name=wire.name, place=wire.location, tags=wire.labels or {}, anonymous=_anonymous(opened),
            any_account=opened is not None and bool(opened.account_roles),
            settings=shown(
                publicAccessPrevention=iam.public_access_prevention,
                uniformBucketLevelAccess=iam.uniform,
            ),
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)


def _with_list(opened: OpenTo | None, wire: _Bucket) -> OpenTo | None:
    """Return to whom a bucket is open with what its own list says, which counts unless access is uniform.

    Source: https://cloud.google.com/storage/docs/access-control/lists
    """
    if (wire.iam_configuration or _Iam()).uniform:
        return opened
    roles, account_roles = (
        tuple(f"{each.role} by its list" for each in wire.acl or () if each.entity == who)
        for who in (ANYBODY, ANY_ACCOUNT)
    )
    if not roles and not account_roles:
        return opened
    known = opened or OpenTo()
    # What a list says holds under no condition.
    return OpenTo((*known.roles, *roles), (*known.account_roles, *account_roles), conditional=False)


def _named(wire: Asset, name: str) -> Asset:
    """Return an asset by a name that holds no more than its own."""
    return Asset(name=name, asset_type=wire.asset_type)


def _of_bucket(answers: Answers, wire: _Bucket, opened: OpenTo | None) -> Access:
    iam = wire.iam_configuration or _Iam()
    prevented = (iam.public_access_prevention or "").lower()
    if prevented == "enforced":
        return closed("publicAccessPrevention is enforced")
    if opened is None:
        return Access(public=None, reason="who may use it was not read")
    if not opened.roles and not opened.account_roles:
        if not iam.uniform:
            return Access(public=None, reason="objects may have lists of their own: access is not uniform")
        return closed("no policy of it names everybody")
    source = wire.ip_filter
    if source is not None and (source.mode or "").lower() == "enabled":
        texts = (source.public_network_source or _PublicSource()).allowed_ip_cidr_ranges or ()
        found = admitted(answers, "storage.buckets", wire.name, texts, _BUCKETS, words=f"{opened.words}; ipFilter")
        return found._replace(public=None) if opened.conditional and found.public else found
    unsure = None if opened.conditional else True
    words = opened.words + ("" if prevented == "inherited" else "; publicAccessPrevention is not told")
    return Access(public=unsure, sources=ALL_ADDRESSES, reason=words)


def _anonymous(opened: OpenTo | None) -> bool | None:
    return None if opened is None else bool(opened.roles)


def add_datasets(answers: Answers, draft: Draft) -> None:
    """Add the datasets of BigQuery: public where their access list or a policy names everybody.

    Source: https://cloud.google.com/bigquery/docs/dataset-access-controls
    """
    policies = open_to(answers, "bigquery", "dataset_iam_policies", _DATASETS)
    for wire in answers.listed("bigquery", "datasets", _Dataset, _DATASETS):
        named = {entry.special_group or entry.iam_member or "" for entry in wire.access or ()}
        reference = wire.dataset_reference or _Reference()
        own = reference.dataset_id or name_of(tail_of(wire.asset_name)) or wire.name
        link = f"projects/{answers.scope}/datasets/{own}"
        policy = policies.of(link)
        opened = policy or OpenTo()
        anonymous = ANYBODY in named or bool(opened.roles)
        anybody = anonymous or ANY_ACCOUNT in named or bool(opened.account_roles)
        if anybody:
            listed = sorted(named & {ANYBODY, ANY_ACCOUNT})
            access = Access(
                public=True, sources=ALL_ADDRESSES, reason=opened.words or f"its access list names {', '.join(listed)}"
            )
        elif wire.access is None and policy is None:
            access = Access(public=None, reason="who may use it was not read")
        else:
            access = closed("neither its access list nor a policy names everybody")
        found = service(
            answers, _named(wire, f"datasets/{own}"), "bigquery", "bigquery", "dataset",
            access, place=wire.location, tags=wire.labels or {},
            anonymous=None if access.public is None else anonymous,
            any_account=access.public is True,
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)
