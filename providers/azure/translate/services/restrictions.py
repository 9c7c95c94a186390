"""Access restrictions of App Service: rules in order of their priority, the first that matches decides."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.azure.translate.services.access import Admitted, Place, subnets_admitted
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["Restriction", "admitted_by", "tagged"]

_LAST: Final = 2**31 - 1
_EVERYONE: Final = frozenset(("any", "0.0.0.0/0", "*"))
_FRONT_DOOR: Final = "x-azure-fdid"


class Restriction(msgspec.Struct, rename="camel"):
    """An entry of ``ipSecurityRestrictions``: for addresses, a service tag, or a subnet with a service endpoint."""

    ip_address: str | None = None
    subnet_mask: str | None = None
    vnet_subnet_resource_id: str | None = None
    action: str | None = None
    priority: int | None = None
    tag: str | None = None
    headers: dict[str, object] | None = None


def admitted_by(
    answers: Answers, draft: Draft, place: Place, rules: Sequence[Restriction], default: str | None
) -> Admitted:
    """Return whom access restrictions admit.

    Whoever no rule matches is admitted where there is no rule, else by the default action alone. A rule with headers
    admits those who send them, so that it counts for all that it may admit, and denies nobody for sure. Whoever has
    an account can use a service behind a service tag, save where a header names one's own Front Door. Sources:
    https://learn.microsoft.com/azure/app-service/overview-access-restrictions
    https://learn.microsoft.com/azure/frontdoor/origin-security
    """
    left, found, unread = ALL_ADDRESSES, NO_ADDRESSES, 0
    shared: list[str] = []
    subnets = 0
    for rule in sorted(rules, key=lambda each: _LAST if each.priority is None else each.priority):
        allows = (rule.action or "allow").lower() == "allow"
        if rule.vnet_subnet_resource_id:
            subnets += allows
        elif (rule.tag or "").lower() == "servicetag":
            for name in _parts(rule) if allows else ():
                found |= left & tagged(draft, name)
                if _FRONT_DOOR not in {header.lower() for header in rule.headers or ()}:
                    shared.append(name)
        else:
            addresses = _addresses(answers, place, rule)
            if addresses is None:
                unread += allows
                continue
            if allows:
                found |= left & addresses
            if not rule.headers:
                left -= addresses
    if (default or ("deny" if rules else "allow")).lower() != "deny":
        found |= left
    words = [_words(found)] if found else []
    if shared:
        words.append(
            f"service tags that every customer of Azure can use are admitted: {', '.join(sorted(set(shared)))}"
        )
    if subnets:
        words.append(subnets_admitted(subnets))
    doubt = f"{unread} of its access restrictions could not be read" if unread else ""
    return Admitted(found, any_tenant=bool(shared), doubt=doubt, words="; ".join(words))


def _parts(rule: Restriction) -> list[str]:
    return [part.strip() for part in (rule.ip_address or "").split(",") if part.strip()]


def tagged(draft: Draft, name: str) -> AddressSet:
    """Return the addresses of a service tag; none where it was not read."""
    known = draft.address_lists.get(draft.tags.get(name.lower(), ""))
    return NO_ADDRESSES if known is None else AddressSet.from_cidrs(known.prefixes or ())


def _addresses(answers: Answers, place: Place, rule: Restriction) -> AddressSet | None:
    texts = _parts(rule)
    if not texts or any(text.lower() in _EVERYONE for text in texts):
        # "Any" and 0.0.0.0/0 are everyone, over IPv6 as well.
        return ALL_ADDRESSES if texts else None

    def build() -> AddressSet:
        return AddressSet.from_cidrs(_masked(text, rule.subnet_mask) for text in texts)

    service, _, operation = place.what.partition(".")
    return answers.understood((service, operation), place.resource, place.facet, build)


def _masked(text: str, mask: str | None) -> str:
    """Return a prefix; older rules have a mask beside the address."""
    if not mask or "/" in text:
        return text
    try:
        return str(ipaddress.ip_network(f"{text}/{mask}", strict=False))
    except ValueError as error:
        raise ParseError(f"{text!r} with the mask {mask!r} is no prefix: {error}") from None


def _words(found: AddressSet) -> str:
    if found == ALL_ADDRESSES:
        return "no access restriction limits who may call it"
    shown = str(found).split(", ")
    more = f" and {len(shown) - 3} more ranges" if len(shown) > 3 else ""
    return f"access restrictions admit {', '.join(shown[:3])}{more}"
