"""App Service: web apps and functions, with their access restrictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.ids import parent_of
from cloudseg.providers.azure.translate.services.access import NOBODY, Access, Admitted, Place, decided
from cloudseg.providers.azure.translate.services.building import Properties, connections_of, service, shown
from cloudseg.providers.azure.translate.services.restrictions import Restriction, admitted_by
from cloudseg.providers.azure.translate.wire import ArmResource, Ref
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.model import Service
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_sites"]

_FACET = "services.appservice"
_CONFIGURATIONS = ("web", "site_configurations")


class _Configuration(msgspec.Struct, rename="camel"):
    public_network_access: str | None = None
    ip_security_restrictions: list[Restriction] | None = None
    ip_security_restrictions_default_action: str | None = None
    scm_ip_security_restrictions: list[Restriction] | None = None
    scm_ip_security_restrictions_default_action: str | None = None
    scm_ip_security_restrictions_use_main: bool | None = None


class _ConfigurationResource(msgspec.Struct):
    id: str
    properties: _Configuration = msgspec.field(default_factory=_Configuration)


class _Properties(Properties, rename="camel"):
    site_config: _Configuration | None = None
    hosting_environment_profile: Ref | None = None
    https_only: bool | None = None
    state: str | None = None


class _Site(ArmResource, kw_only=True):
    kind: str | None = None
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_sites(answers: Answers, draft: Draft) -> None:
    """Add web apps and functions, and their slots, each with a name and settings of its own.

    Whether one asks for a login is not read.
    The list of sites shows access restrictions as nothing where there are some, so that the site's own configuration
    has to be read. The site of the advanced tools has restrictions of its own. Sources:
    https://learn.microsoft.com/azure/app-service/overview-access-restrictions
    https://learn.microsoft.com/rest/api/appservice/web-apps/get-configuration
    https://learn.microsoft.com/azure/app-service/deploy-staging-slots
    """
    known: dict[str, _Configuration] = {}
    for about, each in answers.each_of(*_CONFIGURATIONS, "value", _ConfigurationResource, _FACET):
        site = about or parent_of(each.id)
        known[site.lower()] = each.properties
    for operation in ("sites", "slots"):
        for wire in answers.listed("web", operation, _Site, _FACET):
            draft.put(draft.services, _site(answers, draft, wire, known.get(wire.id.lower())), answers.scope)


def _site(answers: Answers, draft: Draft, wire: _Site, read: _Configuration | None) -> Service:
    own = wire.properties
    configuration = read or own.site_config or _Configuration()
    switch = own.public_network_access or configuration.public_network_access
    access = _access(draft, wire, switch, _restricted(answers, draft, wire, configuration, read=read is not None))
    functions = "functionapp" in (wire.kind or "").lower()
    return service(
        wire,
        "appservice",
        "function-app" if functions else "web-app",
        access,
        connections=own.private_endpoint_connections,
        anonymous=None,
        settings=shown(
            publicNetworkAccess=switch,
            ipSecurityRestrictionsDefaultAction=configuration.ip_security_restrictions_default_action,
            scmIpSecurityRestrictionsUseMain=configuration.scm_ip_security_restrictions_use_main,
            httpsOnly=own.https_only,
            state=own.state,
        ),
    )


def _access(draft: Draft, wire: _Site, switch: str | None, rules: Admitted) -> Access:
    own = wire.properties
    if not switch and _has_endpoint(draft, wire):
        # Nobody touched the switch: a private endpoint then closes the public one.
        reason = "publicNetworkAccess was never set, and a private endpoint closes the public one"
        return Access(public=False, sources=NO_ADDRESSES, any_tenant=False, reason=reason)
    access = decided(switch, rules)
    if access.public and own.hosting_environment_profile is not None and own.hosting_environment_profile.id:
        reason = f"{access.reason}; unknown: whether its App Service Environment has an address of its network alone"
        return Access(public=None, sources=access.sources, any_tenant=access.any_tenant, reason=reason)
    return access


def _has_endpoint(draft: Draft, wire: _Site) -> bool:
    seen = connections_of(wire.properties.private_endpoint_connections)
    if seen is not None:
        return any(each.state == "accepted" for each in seen)
    own = "/" + wire.id.strip("/").lower()
    return any(each.service == own and each.usable for each in draft.endpoints.values())


def _restricted(answers: Answers, draft: Draft, wire: _Site, configuration: _Configuration, *, read: bool) -> Admitted:
    """Return whom the restrictions of a site and of its advanced tools admit together."""
    place = Place("web.site_configurations" if read else "web.sites", wire.id, _FACET)
    listed = configuration.ip_security_restrictions
    if listed is None and not read:
        return NOBODY._replace(addresses=ALL_ADDRESSES, doubt="its access restrictions were not read")
    default = configuration.ip_security_restrictions_default_action
    main = admitted_by(answers, draft, place, listed or (), default)
    if configuration.scm_ip_security_restrictions_use_main:
        return main
    tools = admitted_by(
        answers,
        draft,
        place,
        configuration.scm_ip_security_restrictions or (),
        configuration.scm_ip_security_restrictions_default_action,
    )
    if tools.addresses <= main.addresses and tools.any_tenant <= main.any_tenant:
        return main._replace(doubt=main.doubt or tools.doubt)
    return Admitted(
        main.addresses | tools.addresses,
        any_tenant=main.any_tenant or tools.any_tenant,
        doubt=main.doubt or tools.doubt,
        words=f"the app itself: {main.words or 'no public address is admitted'}; what admits more is the site of its "
        f"advanced tools (scm), which asks for credentials: {tools.words}",
    )
