"""Namespaces of Service Bus and Event Hubs, with their rule sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.azure.ids import parent_of
from cloudseg.providers.azure.translate.services.access import EVERYONE, NOBODY, Acls, Place, by_acls, decided
from cloudseg.providers.azure.translate.services.building import Properties, service, shown
from cloudseg.providers.azure.translate.wire import ArmResource

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.services.access import Admitted

__all__ = ["add_brokers"]

_FAMILIES: Final = (("servicebus", "service-bus-namespace"), ("eventhub", "event-hubs-namespace"))
_OPERATION = "network_rule_sets"


class _RuleSetProperties(Acls, rename="camel"):
    public_network_access: str | None = None
    trusted_service_access_enabled: bool | None = None


class _RuleSet(msgspec.Struct):
    id: str
    properties: _RuleSetProperties = msgspec.field(default_factory=_RuleSetProperties)


class _Namespace(ArmResource, kw_only=True):
    properties: Properties = msgspec.field(default_factory=Properties)


def add_brokers(answers: Answers, draft: Draft) -> None:
    """Add namespaces. A default action Deny without a single rule still admits everyone.

    Namespace and rule set both show the switch, of which each may be missing in older answers. Sources:
    https://learn.microsoft.com/azure/event-hubs/event-hubs-ip-filtering
    https://learn.microsoft.com/azure/event-hubs/event-hubs-service-endpoints
    https://learn.microsoft.com/azure/service-bus-messaging/service-bus-ip-filtering
    """
    for family, kind in _FAMILIES:
        facet = f"services.{family}"
        sets: dict[str, _RuleSetProperties] = {}
        for about, each in answers.each_of(family, _OPERATION, "value", _RuleSet, facet):
            sets[(about or parent_of(each.id)).lower()] = each.properties
        for wire in answers.listed(family, "namespaces", _Namespace, facet):
            own, rules = wire.properties, sets.get(wire.id.lower())
            switch = own.public_network_access or (None if rules is None else rules.public_network_access)
            if rules is not None and "disabled" in {
                (own.public_network_access or "").lower(),
                (rules.public_network_access or "").lower(),
            }:
                switch = "Disabled"
            found = service(
                wire,
                family,
                kind,
                decided(switch, _admitted(answers, Place(f"{family}.{_OPERATION}", wire.id, facet), rules)),
                connections=own.private_endpoint_connections,
                settings=shown(
                    publicNetworkAccess=switch,
                    defaultAction=None if rules is None else rules.default_action,
                    trustedServiceAccessEnabled=None if rules is None else rules.trusted_service_access_enabled,
                    disableLocalAuth=own.disable_local_auth,
                ),
            )
            draft.put(draft.services, found, answers.scope)


def _admitted(answers: Answers, place: Place, rules: _RuleSetProperties | None) -> Admitted:
    if rules is None:
        return NOBODY._replace(doubt="its rule set was not read")
    if (rules.default_action or "").lower() == "deny" and not rules.ip_rules and not rules.virtual_network_rules:
        return EVERYONE._replace(words="the default action is Deny, but without any rule it admits everyone")
    return by_acls(answers, place, rules)
