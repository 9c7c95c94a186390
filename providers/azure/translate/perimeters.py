"""Network security perimeters: what they admit to the managed services that are associated with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.providers.azure.ids import name_of, parent_of, qualified_id
from cloudseg.providers.azure.translate.wire import Ref
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Service
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_perimeters"]

_FACET = "entrances"
_ASSOCIATIONS = "network_security_perimeter_associations"
_RULES = "network_security_perimeter_access_rules"


class _RuleProperties(msgspec.Struct, rename="camel"):
    direction: str | None = None
    address_prefixes: list[str] | None = None
    subscriptions: list[Ref] | None = None
    service_tags: list[str] | None = None


class _Rule(msgspec.Struct):
    id: str
    properties: _RuleProperties = msgspec.field(default_factory=_RuleProperties)


class _AssociationProperties(msgspec.Struct, rename="camel"):
    private_link_resource: Ref | None = None
    profile: Ref | None = None
    access_mode: str | None = None
    has_provisioning_issues: str | None = None


class _Association(msgspec.Struct):
    id: str
    properties: _AssociationProperties = msgspec.field(default_factory=_AssociationProperties)


class _Profile(NamedTuple):
    """Whom the inbound rules of a profile admit; ``doubt`` says why it may be anybody."""

    addresses: AddressSet = NO_ADDRESSES
    subscriptions: int = 0
    tags: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def words(self) -> str:
        """Whom the rules admit, for people."""
        parts = [f"its access rules admit {self.addresses}"] if self.addresses else []
        if self.tags:
            parts.append(f"its access rules admit service tags that every customer can use: {', '.join(self.tags)}")
        if self.subscriptions:
            many = "" if self.subscriptions == 1 else "s"
            parts.append(f"its access rules admit identities of {self.subscriptions} subscription{many}")
        if self.doubt:
            parts.append(f"unknown: {self.doubt}")
        return "; ".join(parts) or "no access rule of it admits a public address"


def add_perimeters(answers: Answers, draft: Draft) -> None:
    """Let perimeters decide over the services that are associated with them.

    In the mode Enforced the perimeter's rules decide alone, whatever the service's own setting says. In Learning, also
    called transition, whom the perimeter's rules do not admit the service's own setting still may. Audit changes
    nothing. Private endpoints are not concerned. Sources:
    https://learn.microsoft.com/azure/private-link/network-security-perimeter-concepts
    https://learn.microsoft.com/azure/private-link/network-security-perimeter-transition
    """
    answers.has("network", "network_security_perimeters")
    answers.has("network", "network_security_perimeter_profiles")
    profiles: dict[str, _Profile] = {}
    for about, rule in answers.each_of("network", _RULES, "value", _Rule, _FACET):
        own = (about or parent_of(rule.id)).lower()
        profiles[own] = _with(answers, profiles.get(own, _Profile()), rule)
    files = answers.resources("network", _RULES)
    read = {file.lower() for file in files}
    for about, each in answers.each_of("network", _ASSOCIATIONS, "value", _Association, _FACET):
        target, profile = each.properties.private_link_resource, each.properties.profile
        service = None if target is None or not target.id else draft.services.get(qualified_id(target.id))
        if service is None:
            continue
        known = "" if profile is None else profile.id.lower()
        rules = profiles.get(known, _Profile())
        if (known not in read and "" not in read) or not all(answers.intact("network", _RULES, file) for file in files):
            rules = rules._replace(doubt="not all of its access rules were read")
        name = name_of(about or parent_of(each.id))
        draft.services[service.id] = _decided(service, each.properties, rules, f"the network security perimeter {name}")


def _with(answers: Answers, known: _Profile, rule: _Rule) -> _Profile:
    own = rule.properties
    if (own.direction or "inbound").lower() != "inbound":
        return known
    for text in own.address_prefixes or ():
        build = partial(AddressSet.from_cidrs, (text,))
        found = answers.understood(("network", _RULES), rule.id, _FACET, build)
        if found is None:
            known = known._replace(doubt="an access rule of it could not be read")
        else:
            known = known._replace(addresses=known.addresses | found)
    return known._replace(
        subscriptions=known.subscriptions + len(own.subscriptions or ()),
        tags=tuple(sorted({*known.tags, *(own.service_tags or ())})),
    )


def _decided(service: Service, own: _AssociationProperties, rules: _Profile, name: str) -> Service:
    mode = (own.access_mode or "Learning").lower()
    by_rules: bool | None = None if rules.doubt else bool(rules.addresses) or bool(rules.tags)
    alone = service.settings.get("publicNetworkAccess", "").lower() == "securedbyperimeter"
    addresses = ALL_ADDRESSES if rules.doubt else rules.addresses
    told = msgspec.structs.replace(service, settings={**service.settings, "perimeterAccessMode": own.access_mode or ""})
    if mode == "audit":
        return _as(told, reason=f"{service.reason}; {name} only records what it would stop (Audit)")
    if mode not in {"learning", "enforced"}:
        reason = f"{service.reason}; unknown: what the mode {own.access_mode} of {name} lets through"
        return _as(told, public=None, sources=ALL_ADDRESSES, reason=reason)
    if mode == "enforced" and (own.has_provisioning_issues or "").lower() in {"yes", "true"}:
        reason = f"{service.reason}; {name} is Enforced, but has provisioning issues, so it may not hold: {rules.words}"
        closed = service.public is False and by_rules is False
        sources = addresses | (NO_ADDRESSES if service.public is False else service.sources)
        return _as(
            told,
            public=False if closed else None,
            sources=sources,
            any_tenant=service.any_tenant or bool(rules.tags),
            reason=reason,
        )
    if mode == "enforced" or alone:
        reason = f"{name} decides alone ({own.access_mode or 'Learning'}); {rules.words}"
        return _as(told, public=by_rules, sources=addresses, any_tenant=bool(rules.tags), reason=reason)
    sources = addresses | (NO_ADDRESSES if service.public is False else service.sources)
    both = _either(by_rules, service.public)
    if both and rules.doubt and service.sources != ALL_ADDRESSES:
        both = None
    return _as(
        told,
        public=both,
        sources=sources,
        any_tenant=service.any_tenant or bool(rules.tags),
        reason=f"{service.reason}; {name} does not close it yet (Learning): {rules.words}",
    )


def _either(first: bool | None, second: bool | None) -> bool | None:  # noqa: FBT001 - three-valued logic
    if first or second:
        return True
    return None if first is None or second is None else False


def _as(service: Service, **changes: object) -> Service:
    return msgspec.structs.replace(service, **changes)
