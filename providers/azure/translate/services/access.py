"""What the settings of managed services share: the switch of public access, IP rules in all their spellings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.azure.translate.answers import Answers

__all__ = [
    "EVERYONE",
    "NOBODY",
    "Access",
    "Acls",
    "Admitted",
    "IpRule",
    "Place",
    "admitted_ranges",
    "admitted_texts",
    "by_acls",
    "decided",
    "subnets_admitted",
    "texts_of",
]

_AZURE = "0.0.0.0"  # noqa: S104 - no address to bind to: in rules of services it stands for Azure itself
_BY_DEFAULT = "publicNetworkAccess is not shown, and is Enabled unless it was set"
_WHOLE_WORLD = AddressSet.parse("0.0.0.1-255.255.255.255")


class Place(NamedTuple):
    """Where a setting was read, for gaps: ``sql.firewall_rules``, the resource, the facet."""

    what: str
    resource: str
    facet: str


class IpRule(msgspec.Struct, rename="camel"):
    """A rule for addresses, as storage and vaults (``value``), brokers (``ipMask``) and Cosmos DB spell it."""

    value: str | None = None
    ip_mask: str | None = None
    ip_address_or_range: str | None = None
    action: str | None = None


class Acls(msgspec.Struct, rename="camel"):
    """The firewall of a service: ``networkAcls``, ``networkRuleSet`` or the properties of a rule set."""

    default_action: str | None = None
    bypass: str | None = None
    ip_rules: list[IpRule] | None = None
    ipv6_rules: list[IpRule] | None = msgspec.field(default=None, name="ipv6Rules")
    virtual_network_rules: list[object] | None = None


class Admitted(NamedTuple):
    """Whom a firewall admits.

    Attributes:
        addresses: addresses that it certainly admits.
        any_tenant: it admits whatever runs in Azure, of whichever customer.
        doubt: why it may admit anybody, in words; empty where all is known.
        words: what it says, for people.
    """

    addresses: AddressSet
    any_tenant: bool = False
    doubt: str = ""
    words: str = ""


EVERYONE = Admitted(ALL_ADDRESSES, any_tenant=False, words="no rule limits who may call it")
NOBODY = Admitted(NO_ADDRESSES)


class Access(NamedTuple):
    """Whom a service admits at its public endpoint, as fields of :class:`cloudseg.model.Service`."""

    public: bool | None
    sources: AddressSet
    any_tenant: bool
    reason: str


def texts_of(rules: Iterable[IpRule] | None) -> tuple[str, ...]:
    """Return the addresses of rules that admit, in whichever spelling."""
    kept = (rule for rule in rules or () if (rule.action or "allow").lower() != "deny")
    return tuple(rule.value or rule.ip_mask or rule.ip_address_or_range or "" for rule in kept)


def admitted_texts(answers: Answers, place: Place, texts: Iterable[str], *, azure: bool = False) -> Admitted:
    """Return whom rules for addresses and prefixes admit; one that cannot be read may admit anybody.

    Args:
        answers: the answers, for gaps.
        place: where the rules were read.
        texts: their addresses.
        azure: the address 0.0.0.0 stands for every machine in Azure, as with Cosmos DB:
            https://learn.microsoft.com/azure/cosmos-db/how-to-configure-firewall
    """
    texts = tuple(texts)
    of_azure = azure and any(text.strip() in {_AZURE, f"{_AZURE}/32"} for text in texts)
    kept = [text.strip() for text in texts if not (azure and text.strip() in {_AZURE, f"{_AZURE}/32"})]
    return _admitted(answers, place, kept, any_tenant=of_azure)


def admitted_ranges(answers: Answers, place: Place, ranges: Iterable[tuple[str, str]], *, azure: bool) -> Admitted:
    """Return whom rules with a first and a last address admit.

    With databases 0.0.0.0 to 0.0.0.0 is no address, but every machine in Azure, of whichever customer:
    https://learn.microsoft.com/azure/azure-sql/database/firewall-configure#connections-from-inside-azure
    """
    ranges = tuple(ranges)
    of_azure = azure and any(first == last == _AZURE for first, last in ranges)
    kept = [f"{first}-{last}" for first, last in ranges if not (azure and first == last == _AZURE)]
    return _admitted(answers, place, kept, any_tenant=of_azure)


def _admitted(answers: Answers, place: Place, texts: list[str], *, any_tenant: bool) -> Admitted:
    found, unread = NO_ADDRESSES, 0
    service, _, operation = place.what.partition(".")
    for text in texts:
        build = partial(_parsed, text)
        one = answers.understood((service, operation), place.resource, place.facet, build)
        if one is None:
            unread += 1
        else:
            found |= one
    words: list[str] = []
    if found >= _WHOLE_WORLD:
        words.append("a rule admits every address")
    elif found:
        words.append(f"rules admit {_few(found)}")
    if any_tenant:
        words.append("Azure services are admitted, which are those of every customer of Azure")
    doubt = f"{unread} of its rules could not be read" if unread else ""
    return Admitted(found, any_tenant, doubt, "; ".join(words))


def _parsed(text: str) -> AddressSet:
    # The words of AddressSet.parse are none of a cloud's.
    return AddressSet.parse(text) if "-" in text else AddressSet.from_cidrs((text,))


def _few(addresses: AddressSet) -> str:
    shown = str(addresses).split(", ")
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more ranges" if len(shown) > 3 else "")


def subnets_admitted(count: int) -> str:
    """Return in words that rules for virtual networks admit some subnets."""
    return f"{count} subnet{'s are' if count != 1 else ' is'} admitted by a service endpoint"


def by_acls(answers: Answers, place: Place, acls: Acls | None, *, azure: bool = False) -> Admitted:
    """Return whom a firewall admits whose default action decides, Allow unless it was set.

    Rules for virtual networks admit subnets under their private addresses, and trusted services show a credential of
    the account's own tenant, so neither lets the internet in. Sources:
    https://learn.microsoft.com/azure/storage/common/storage-network-security
    https://learn.microsoft.com/azure/key-vault/general/network-security
    """
    if acls is None:
        return EVERYONE
    action = (acls.default_action or "allow").lower()
    if action == "allow":
        shown = "networkAcls' default action is Allow" if acls.default_action else EVERYONE.words
        return EVERYONE._replace(words=shown)
    texts = (*texts_of(acls.ip_rules), *texts_of(acls.ipv6_rules))
    found = admitted_texts(answers, place, texts, azure=azure)
    if action != "deny":
        return found._replace(doubt=f"the default action {acls.default_action} is none that is known")
    words = [found.words] if found.words else []
    if acls.virtual_network_rules:
        words.append(subnets_admitted(len(acls.virtual_network_rules)))
    return found._replace(words="; ".join(words))


def decided(switch: str | None, rules: Admitted) -> Access:
    """Return whom a service admits: its switch of public access decides before its rules do.

    A switch that is not shown is not off: answers of older versions of the API do not show it, and it is Enabled
    unless it was set. With ``SecuredByPerimeter`` a network security perimeter decides alone. Sources:
    https://learn.microsoft.com/azure/private-link/network-security-perimeter-concepts
    https://learn.microsoft.com/azure/azure-sql/database/connectivity-settings#change-public-network-access
    """
    match _switch(switch):
        case "disabled":
            return Access(
                public=False, sources=NO_ADDRESSES, any_tenant=False, reason="publicNetworkAccess is Disabled"
            )
        case "perimeter":
            reason = (
                "publicNetworkAccess is SecuredByPerimeter, and which perimeter it belongs to was not read; "
                "without one nobody is admitted"
            )
            return Access(public=None, sources=ALL_ADDRESSES, any_tenant=False, reason=reason)
        case "unknown":
            reason = f"publicNetworkAccess is {switch}, which is none that is known"
            return Access(public=None, sources=ALL_ADDRESSES, any_tenant=rules.any_tenant, reason=reason)
        case "enabled":
            told = "publicNetworkAccess is Enabled" if switch else _BY_DEFAULT
    if rules.doubt:
        reason = "; ".join(text for text in (told, rules.words, f"unknown: {rules.doubt}") if text)
        return Access(public=None, sources=ALL_ADDRESSES, any_tenant=rules.any_tenant, reason=reason)
    public = bool(rules.addresses) or rules.any_tenant
    words = (
        rules.words if public else "; ".join(text for text in ("no rule admits a public address", rules.words) if text)
    )
    return Access(public, rules.addresses, rules.any_tenant, f"{told}; {words}")


def _switch(text: str | None) -> Literal["enabled", "disabled", "perimeter", "unknown"]:
    match (text or "enabled").lower():
        case "enabled":
            return "enabled"
        case "disabled":
            return "disabled"
        case "securedbyperimeter":
            return "perimeter"
        case _:
            return "unknown"
