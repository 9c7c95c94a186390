"""Interfaces that the provider makes for its own plumbing: some take no group, some open no connections."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from cloudseg.model import Direction, Estate, Interface

__all__ = [
    "Conduct",
    "conduct",
    "may_keep_users",
    "only_passes_on",
    "opens_connections",
    "takes_groups",
    "uses_own_address",
]

Conduct = Literal["ordinary", "passes on", "answers", "proxy", "unknown"]
"""How an interface behaves, whatever its lists say.

``passes on``: it passes packets of others on, and neither opens connections nor takes any; ``answers``: it takes
connections and opens none; ``proxy``: it opens connections over TCP, to networks that it reaches by private addresses;
``unknown``: its provider opens connections from it to some ends, which no answer lists; ``ordinary``: all the rest.
"""

# The types of interfaces that no security group can be attached to. A network load balancer is none of them: it takes
# groups, if only from its making on. Source:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html and the pages of the services.
_WITHOUT_GROUPS: Final = frozenset(
    (
        "nat_gateway",
        "natgateway",
        "transit_gateway",
        "gateway_load_balancer",
        "gateway_load_balancer_endpoint",
        "global_accelerator_managed",
        "vpn",
        "evs",
        # Source: https://learn.microsoft.com/azure/firewall/firewall-faq
        "azure_firewall",
        # Source: https://learn.microsoft.com/azure/private-link/disable-private-link-service-network-policy
        "private_link_service",
    )
)
_ANSWERS_ONLY: Final = frozenset(("vpc_endpoint", "efs", "load_balancer_endpoint", "private_endpoint"))
_TRANSLATES: Final = frozenset(("nat_gateway", "natgateway"))
_PROXIES: Final = frozenset(("ec2_instance_connect_endpoint",))
_UNKNOWN: Final = frozenset(("global_accelerator_managed",))
_PASSES_ON: Final = frozenset(("transit_gateway", "gateway_load_balancer", "gateway_load_balancer_endpoint"))
_FILTERS: Final = frozenset(("azure_firewall",))
_ON_BEHALF: Final = frozenset(("private_link_service",))


def takes_groups(interface: Interface) -> bool:
    """Tell whether a group can be attached to an interface; False for the provider's own plumbing."""
    return interface.role.lower() not in _WITHOUT_GROUPS


def opens_connections(interface: Interface) -> bool:
    """Tell whether an interface opens connections on behalf of a workload; an endpoint of a service only answers."""
    return takes_groups(interface) and interface.role.lower() not in _ANSWERS_ONLY


def only_passes_on(interface: Interface) -> bool:
    """Tell whether an interface passes packets of others on, and neither opens connections of its own nor takes any.

    So does one of a private link service, under its own address. Source:
    https://learn.microsoft.com/azure/private-link/private-link-service-overview
    """
    return _passes_on(interface.role.lower())


def _passes_on(role: str) -> bool:
    return role in _TRANSLATES or role in _PASSES_ON or role in _FILTERS or role in _ON_BEHALF


def conduct(interface: Interface) -> Conduct:
    """Return how an interface behaves, whatever its lists say.

    Who provides a service behind an endpoint can only answer, and so does a file system to who mounts it. An Instance
    Connect Endpoint is a proxy for TCP to private addresses. Sources:
    https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html,
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html,
    https://docs.aws.amazon.com/global-accelerator/latest/dg/secure-vpc-connections.html and
    https://learn.microsoft.com/azure/private-link/private-endpoint-overview
    """
    return _conduct_of(interface.role.lower())


@lru_cache
def _conduct_of(role: str) -> Conduct:
    if role in _ON_BEHALF:
        # Those whose packets it passes on may not be known: what gets to its targets comes from here.
        return "ordinary"
    if _passes_on(role):
        return "passes on"
    if role in _ANSWERS_ONLY:
        return "answers"
    if role in _PROXIES:
        return "proxy"
    return "unknown" if role in _UNKNOWN else "ordinary"


def may_keep_users(interface: Interface, estate: Estate) -> bool:
    """Tell whether connections that an interface opens for its users bear their addresses, or may do so.

    Whether an Instance Connect Endpoint keeps them stands in its own answer, which names its interfaces. Source:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Ec2InstanceConnectEndpoint.html
    """
    if interface.keeps_client:
        return True
    unnamed = conduct(interface) == "proxy" and interface.workload is None
    return unnamed and not estate.read("endpoints", interface)


def uses_own_address(interface: Interface, direction: Direction) -> bool:
    """Tell whether packets from (``ingress``) or to (``egress``) an interface bear its own address inside networks.

    Transit gateways and gateway load balancers pass packets on as they are. Nobody addresses a NAT gateway; a private
    one sends to other networks by its own address, a public one to the internet by its public address.
    """
    role = interface.role.lower()
    if role in _TRANSLATES:
        return direction == "ingress" and not interface.has_public_address(4)
    return role not in _PASSES_ON
