"""Prefix lists: the customer's own, and those that AWS keeps of its services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import AddressList, ListRef, own_id
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import parse_cidr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_prefix_lists", "report_unread_lists"]

_FACET = "address-lists"
_ENTRIES = "get_managed_prefix_list_entries"
_AWS = "AWS"
_NAME = re.compile(r"com\.amazonaws\.(?:[^.]+\.)(?:ipv6\.)?(?P<service>.+)")
# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
_WEIGHTS = {
    "cloudfront.origin-facing": 55,
    "dynamodb": 1,
    "ec2-instance-connect": 2,
    "groundstation": 5,
    "route53-healthchecks": 25,
    "s3": 1,
    "s3express": 6,
    "vpc-lattice": 10,
}
# Link-local addresses that mean the service network of one's own VPC alone:
# https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html
_OWN_ADDRESSES = frozenset(("vpc-lattice",))


class _PrefixList(msgspec.Struct, rename="pascal"):
    prefix_list_id: str
    prefix_list_name: str = ""
    owner_id: str = ""
    max_entries: int | None = None
    tags: list[Tag] = []


class _Entry(msgspec.Struct, rename="pascal"):
    cidr: str


class _ServiceList(msgspec.Struct, rename="pascal"):
    prefix_list_id: str
    prefix_list_name: str = ""
    cidrs: list[str] | None = None


def add_prefix_lists(answers: Answers, draft: Draft) -> None:
    """Add the prefix lists; one whose entries were not read in full has none at all, which is an unknown.

    A reference counts for as many rules as the list may hold entries, or for the weight that AWS gives its own:
    https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
    """
    entries = _entries(answers)
    older = {
        each.prefix_list_id: each
        for each in answers.each("ec2", "describe_prefix_lists", "PrefixLists", _ServiceList, _FACET)
    }
    operation = "describe_managed_prefix_lists"
    for each in answers.each("ec2", operation, "PrefixLists", _PrefixList, _FACET):
        prefixes = entries.get(each.prefix_list_id)
        known = older.pop(each.prefix_list_id, None)
        if prefixes is None and known is not None and each.owner_id == _AWS:
            prefixes = _checked(answers, each.prefix_list_id, known.cidrs)
        if prefixes is None and answers.failed("ec2", _ENTRIES, each.prefix_list_id) is None:
            answers.gap(f"ec2.{_ENTRIES}", each.prefix_list_id, "unread", "the entries were not read in full", _FACET)
        draft.put(draft.address_lists, _address_list(answers, each, prefixes), answers.scope)
    for left in older.values():
        provided = _PrefixList(left.prefix_list_id, left.prefix_list_name, _AWS)
        prefixes = _checked(answers, left.prefix_list_id, left.cidrs)
        draft.put(draft.address_lists, _address_list(answers, provided, prefixes), answers.scope)


def _entries(answers: Answers) -> dict[str, tuple[str, ...]]:
    """Return the entries of the lists that were read in full; an entry left out would make a list look smaller."""
    cidrs: dict[str, list[str]] = {resource: [] for resource in answers.resources("ec2", _ENTRIES)}
    for resource, entry in answers.each_of("ec2", _ENTRIES, "Entries", _Entry, _FACET):
        cidrs[resource].append(entry.cidr)
    found: dict[str, tuple[str, ...]] = {}
    for resource, texts in cidrs.items():
        prefixes = _checked(answers, resource, texts)
        if prefixes is not None and answers.intact("ec2", _ENTRIES, resource):
            found[resource] = prefixes
    return found


def _checked(answers: Answers, resource: str, cidrs: list[str] | None) -> tuple[str, ...] | None:
    """Return the prefixes where each of them is one, else None."""
    for cidr in cidrs or ():
        try:
            parse_cidr(cidr)
        except ParseError as error:
            answers.gap(f"ec2.{_ENTRIES}", resource, "malformed", str(error), _FACET)
            return None
    return None if cidrs is None else tuple(cidrs)


def _address_list(answers: Answers, wire: _PrefixList, prefixes: tuple[str, ...] | None) -> AddressList:
    tags = tags_of(wire.tags)
    provided = wire.owner_id == _AWS
    named = _NAME.fullmatch(wire.prefix_list_name) if provided else None
    service = named["service"] if named else ""
    return AddressList(
        # Each account names the lists of AWS as its own, so that what it reads of them is found beside its rules.
        id=answers.id(wire.prefix_list_id, account=None if provided else wire.owner_id),
        kind="prefix-list",
        name=wire.prefix_list_name,
        region=answers.region,
        tags=tags,
        prefixes=prefixes,
        owner="provider" if provided else "customer",
        weight=_WEIGHTS.get(service, wire.max_entries) if provided else wire.max_entries,
        any_tenant=provided and service not in _OWN_ADDRESSES,
    )


def report_unread_lists(every: Iterable[Answers], draft: Draft) -> None:
    """Note the prefix lists that rules name and no answer holds: whom they admit is unknown, and never nobody.

    Where no lists were read at all that is said already.
    """
    named: dict[tuple[str, str], dict[str, str]] = {}
    for rule_set in draft.rule_sets.values():
        for rule in rule_set.rules:
            for peer in rule.remote:
                if isinstance(peer, ListRef) and peer.list not in draft.address_lists:
                    named.setdefault((rule_set.scope, rule_set.region), {}).setdefault(peer.list, rule_set.own_id)
    for answers in every:
        if answers.has("ec2", "describe_managed_prefix_lists"):
            for name, user in sorted(named.get((answers.scope, answers.region), {}).items()):
                detail = f"a rule of {user} names it, and it is not among the prefix lists that were read"
                answers.gap("ec2.describe_managed_prefix_lists", own_id(name), "not-found", detail, _FACET)
