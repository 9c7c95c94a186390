"""Leaving out what may be secret, and who may do what: an audit needs to know of everyone alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cloudseg.providers.redaction import Json

__all__ = ["open_bindings", "without_people", "without_secrets"]

EVERYONE: Final = frozenset(("allAuthenticatedUsers", "allUsers"))
"""Who stands for everybody. Source: https://cloud.google.com/iam/docs/principals-overview#all-users"""

_OWN_NAMES: Final = frozenset(("labels", "resourceLabels", "resourceManagerTags", "tags", "userLabels"))
"""Maps whose keys are the owner's own names: a label may well be called ``env``."""
_LISTS: Final = {"access": "otherAccess", "acl": "otherAcl", "defaultObjectAcl": "otherDefaultObjectAcl"}
"""Lists of who may do what within a dataset or a bucket, and where those who are left out are counted."""


def without_secrets(value: Json, keys: frozenset[str]) -> Json:
    """Return an answer without some keys, at whatever depth they stand, but as somebody's own labels."""
    if isinstance(value, dict):
        return {
            key: child if key in _OWN_NAMES else without_secrets(child, keys)
            for key, child in value.items()
            if key not in keys
        }
    if isinstance(value, list):
        return [without_secrets(child, keys) for child in value]
    return value


def open_bindings(policy: Json) -> dict[str, Json]:
    """Return of an IAM policy the bindings that name everyone, with no other member, and how many others there are.

    Source: https://cloud.google.com/iam/docs/reference/rest/v1/Policy
    """
    bindings = policy.get("bindings") if isinstance(policy, dict) else None
    kept: list[Json] = []
    others = 0
    for binding in bindings if isinstance(bindings, list) else []:
        members = binding.get("members") if isinstance(binding, dict) else None
        everyone: list[Json] = [member for member in members if member in EVERYONE] if isinstance(members, list) else []
        if isinstance(binding, dict) and everyone:
            kept.append({**binding, "members": everyone})
        else:
            others += 1
    return {"bindings": kept, "otherBindings": others}


def without_people(resource: dict[str, Json]) -> dict[str, Json]:
    """Return a bucket or a dataset, with those entries alone of its own access lists that name everyone.

    Sources: https://cloud.google.com/storage/docs/json_api/v1/bucketAccessControls and
    https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset.FIELDS.access
    """
    found = dict(resource)
    for key, count in _LISTS.items():
        entries = resource.get(key)
        if isinstance(entries, list):
            kept = [entry for entry in entries if _names_everyone(entry)]
            found |= {key: kept, count: len(entries) - len(kept)}
    return found


def _names_everyone(entry: Json) -> bool:
    if not isinstance(entry, dict):
        return False
    return any(entry.get(key) in EVERYONE for key in ("entity", "iamMember", "specialGroup"))
