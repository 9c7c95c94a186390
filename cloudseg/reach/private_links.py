"""Private endpoints that lead to load balancers: those that were read, those that may do so, and those of others.

Who comes over a private endpoint comes from a network that needs no route to the load balancer's. Source:
https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Endpoint, EndpointService, Estate, Forwarder, Interface
    from cloudseg.traffic import AddressSet

__all__ = ["consumers_of", "endpoints_before", "interfaces_that_lead_on", "is_before"]

_ROLE: Final = "vpc_endpoint"
_LEADING: Final = frozenset(("resource", "service-network"))
_OF_ACCOUNTS: Final = ".vpce."
"""What the name of a service holds that an account offers, and no service of the provider's own. Source:
https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html"""
_WITHOUT_SERVICE: Final = frozenset(("application-load-balancer", "classic-load-balancer"))
"""Load balancers that cannot stand behind an endpoint service themselves. Source:
https://docs.aws.amazon.com/vpc/latest/privatelink/create-endpoint-service.html"""


def interfaces_that_lead_on(estate: Estate) -> frozenset[str]:
    """Return the interfaces of private endpoints from which something of the estate may be reached, by qualified id."""
    own = {service.service for service in estate.endpoint_services.values()}
    read = all(each.state == "read" for each in estate.coverage.places("endpoint-services"))
    found = {
        name
        for endpoint in estate.endpoints.values()
        if endpoint.service in own or endpoint.type in _LEADING or (not read and _may_be_of_accounts(endpoint))
        for name in endpoint.interfaces
    }
    return frozenset((*found, *_unlisted(estate)))


def endpoints_before(forwarder: Forwarder, estate: Estate) -> frozenset[str]:
    """Return the interfaces of private endpoints that may lead to a load balancer, by qualified id."""
    names = {service.service for service in _services(forwarder, estate)}
    read = estate.read("endpoint-services", forwarder)
    if forwarder.kind in _WITHOUT_SERVICE or (read and not names):
        return frozenset()
    known = {service.service for service in estate.endpoint_services.values()}
    found = {
        name
        for endpoint in estate.endpoints.values()
        if endpoint.type == "interface" and endpoint.usable is not False
        if endpoint.service in names or (not read and endpoint.service not in known and _may_be_of_accounts(endpoint))
        for name in endpoint.interfaces
    }
    return frozenset((*found, *_unlisted(estate)))


def is_before(source: Interface, target: Interface, estate: Estate) -> bool:
    """Tell whether an interface is one of a private endpoint that may lead to the load balancer of another."""
    forwarder = estate.forwarders.get(target.workload or "")
    return forwarder is not None and source.id in endpoints_before(forwarder, estate)


def consumers_of(forwarder: Forwarder, estate: Estate) -> AddressSet:
    """Return the addresses of those who may come over private endpoints that were not read; none where nobody may.

    They do where a connection was accepted whose endpoint no answer lists, where anyone may open one unasked, and where
    the services or their connections were not read. A network may have public ranges of its owner, and global IPv6
    ones, so a consumer may bear any address. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
    """
    services = tuple(_services(forwarder, estate))
    unread = not estate.read("endpoint-services", forwarder)
    if forwarder.kind in _WITHOUT_SERVICE or not (unread or any(_has_others(each, estate) for each in services)):
        return NO_ADDRESSES
    return ALL_ADDRESSES


def _services(forwarder: Forwarder, estate: Estate) -> Iterator[EndpointService]:
    return (each for each in estate.endpoint_services.values() if forwarder.id in each.balancers)


def _has_others(service: EndpointService, estate: Estate) -> bool:
    if service.acceptance_required is not True and (service.principals is None or "*" in service.principals):
        return True
    read = {endpoint.own_id for endpoint in estate.endpoints.values()}
    accepted = (each for each in service.connections if each.state in {"accepted", "other"})
    return any(each.endpoint not in read for each in accepted) or not estate.read("endpoint-services", service)


def _may_be_of_accounts(endpoint: Endpoint) -> bool:
    """Tell whether the service of an endpoint may be one that an account offers."""
    return not endpoint.service or _OF_ACCOUNTS in endpoint.service


def _unlisted(estate: Estate) -> Iterator[str]:
    """Yield the interfaces of endpoints of which it was not read where they lead."""
    listed = {name for endpoint in estate.endpoints.values() for name in endpoint.interfaces}
    for interface in estate.interfaces.values():
        if interface.role.lower() == _ROLE and interface.id not in listed and not estate.read("endpoints", interface):
            yield interface.id
