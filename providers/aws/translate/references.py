"""What is referred to and not among what was read: unknown, and never nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Gap, own_id
from cloudseg.providers.aws.translate.answers import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.model import Interface
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["report_unlisted"]


def report_unlisted(every: Iterable[Answers], draft: Draft) -> None:
    """Note the groups, networks and subnets of interfaces that no answer lists.

    Where such resources were not read at all in a place that was, that is said already. In a shared VPC a group may
    belong to an account that is not part of the snapshot: then nothing else would say so.
    """
    places = {(answers.scope, answers.region): answers for answers in every}
    for what, facet, known in (
        ("describe_security_groups", "groups", draft.groups),
        ("describe_vpcs", "networks", draft.networks),
        ("describe_subnets", "subnets", draft.subnets),
    ):
        missing: dict[tuple[str, str, str], str] = {}
        for interface in draft.interfaces.values():
            for name in _named(interface, facet) - known.keys():
                key = (interface.scope, interface.region, name)
                missing[key] = min(interface.own_id, missing.get(key, interface.own_id))
        _report(f"ec2.{what}", facet, missing, places, draft)


def _named(interface: Interface, facet: str) -> frozenset[str]:
    if facet == "groups":
        return interface.attached
    name = interface.network if facet == "networks" else interface.subnet
    return frozenset() if name is None else frozenset((name,))


def _report(
    what: str,
    facet: str,
    missing: Mapping[tuple[str, str, str], str],
    places: Mapping[tuple[str, str], Answers],
    draft: Draft,
) -> None:
    service, operation = what.split(".")
    for (scope, region, name), user in sorted(missing.items()):
        answers = places.get((scope, region))
        if answers is None or answers.has(service, operation):
            detail = f"{user} refers to it, and it is not among what was read"
            draft.ledger.gaps.append(Gap(PROVIDER, scope, region, what, own_id(name), "not-found", detail, (facet,)))
