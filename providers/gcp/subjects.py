"""What single questions are asked about: the networks, groups and backends that a project's lists name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

from cloudseg.providers.gcp.ids import name_of, own_of, project_of, region_of, tail_of
from cloudseg.providers.redaction import Json

__all__ = [
    "Held",
    "Key",
    "Pick",
    "Subject",
    "backends_in_use",
    "endpoint_groups_behind",
    "every_network",
    "imports_by_peering",
    "instance_groups_behind",
    "regions_in_use",
    "routers_with_peers",
]

Key: TypeAlias = tuple[str, str]
"""Service and operation."""
Resource: TypeAlias = dict[str, Json]
Held: TypeAlias = Mapping[Key, list[Resource]]
"""The resources of one project by operation; none of an operation that failed."""


class Subject(NamedTuple):
    """What a question is about.

    Attributes:
        resource: the name of the answer in the snapshot.
        fields: the fields of the request besides the project.
        prefix: ``Region`` or ``Global`` where a client of its own answers for regional and global resources.
    """

    resource: str
    fields: Mapping[str, Json]
    prefix: str = ""


Pick: TypeAlias = Callable[[Held], list[Subject]]

_NO_ENDPOINTS: Final = frozenset(("PRIVATE_SERVICE_CONNECT", "SERVERLESS"))
"""Groups that stand for a service, not for addresses. Source:
https://cloud.google.com/load-balancing/docs/negs#overview-neg-types"""
_NO_HEALTH: Final = _NO_ENDPOINTS | {"INTERNET_FQDN_PORT", "INTERNET_IP_PORT"}
"""Groups whose backends no health check of Compute probes. Source:
https://cloud.google.com/load-balancing/docs/health-check-concepts#category_and_protocol"""


def every_network(held: Held) -> list[Subject]:
    """Return each network of the project."""
    return [Subject(network, {"network": _named(network)}) for network in _links(held, "networks")]


def imports_by_peering(held: Held) -> list[Subject]:
    """Return each active peering that takes custom routes over, by the regions in which its network has subnets.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/networks/listPeeringRoutes
    """
    regions = _regions_of(held, "subnetworks")
    found: list[Subject] = []
    for network in _resources(held, "networks"):
        link = tail_of(_text(network, "selfLink"))
        for peering in _tables(network.get("peerings")):
            name = _text(peering, "name")
            if not (link and name and peering.get("importCustomRoutes") is True and peering.get("state") == "ACTIVE"):
                continue
            for region in sorted(regions.get(link, ())):
                fields: dict[str, Json] = {"network": _named(link), "peering_name": name, "region": region}
                found.append(Subject(f"{link}|{name}|{region}|INCOMING", {**fields, "direction": "INCOMING"}))
    return found


def regions_in_use(held: Held) -> list[Subject]:
    """Return the project's networks by the regions in which something may meet their rules.

    Rules are met by interfaces and by load balancers. Those of a Shared VPC may be other projects', so that each
    region in which the network has a subnet counts there.
    """
    projects = _resources(held, "projects")
    shared = not projects or any(project.get("xpnProjectStatus") == "HOST" for project in projects)
    # Where a list could not be read, a region that it would have named is asked about all the same.
    known = ("compute", "instances") in held and ("compute", "forwarding_rules") in held
    regions = _regions_of(held, "subnetworks")
    if not shared and known:
        regions = _regions_of(held, "forwarding_rules")
        for instance in _resources(held, "instances"):
            for interface in _tables(instance.get("networkInterfaces")):
                network = tail_of(_text(interface, "network"))
                regions.setdefault(network, set()).add(region_of(_text(instance, "zone")))
    return [
        Subject(f"{network}|{region}", {"region": region, "network": network})
        for network in _links(held, "networks")
        for region in sorted(regions.get(network, set()) - {"global"})
    ]


def routers_with_peers(held: Held) -> list[Subject]:
    """Return each router that learns routes from somebody: no list of routes shows those.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/routers/getRouterStatus
    """
    found: list[Subject] = []
    for router in _resources(held, "routers"):
        link = tail_of(_text(router, "selfLink"))
        place, where, name = _place(link)
        if _tables(router.get("bgpPeers")) and place == "regions":
            found.append(Subject(link, {"region": where, "router": name}))
    return found


def instance_groups_behind(held: Held) -> list[Subject]:
    """Return each instance group that is a backend."""
    behind = {tail_of(group) for _, group in _backends(held)}
    found: list[Subject] = []
    for link in _links(held, "instance_groups"):
        place, where, name = _place(link)
        if link in behind and place in {"zones", "regions"}:
            body = "instance_groups_list_instances_request_resource"
            prefix, body = ("", body) if place == "zones" else ("Region", f"region_{body}")
            fields: dict[str, Json] = {place.removesuffix("s"): where, "instance_group": name, body: {}}
            found.append(Subject(link, fields, prefix))
    return found


def endpoint_groups_behind(held: Held) -> list[Subject]:
    """Return each network endpoint group that is a backend and has endpoints of its own."""
    behind = {tail_of(group) for _, group in _backends(held)}
    found: list[Subject] = []
    for group in _resources(held, "network_endpoint_groups"):
        link = tail_of(_text(group, "selfLink"))
        if link not in behind or _text(group, "networkEndpointType") in _NO_ENDPOINTS:
            continue
        place, where, name = _place(link)
        fields: dict[str, Json] = {"network_endpoint_group": name}
        if place == "zones":
            body: Resource = {"network_endpoint_groups_list_endpoints_request_resource": {}}
            found.append(Subject(link, {**fields, "zone": where, **body}))
        elif place == "regions":
            found.append(Subject(link, {**fields, "region": where}, "Region"))
        elif place == "global":
            found.append(Subject(link, fields, "Global"))
    return found


def backends_in_use(held: Held) -> list[Subject]:
    """Return each backend whose health is checked, of the services that something leads to."""
    used = {
        tail_of(text)
        for kind in ("forwarding_rules", "url_maps", "target_tcp_proxies", "target_ssl_proxies")
        for resource in _resources(held, kind)
        for text in _texts(resource)
        if "/backendServices/" in text
    }
    unchecked = {
        tail_of(_text(group, "selfLink"))
        for group in _resources(held, "network_endpoint_groups")
        if _text(group, "networkEndpointType") in _NO_HEALTH
    }
    found: list[Subject] = []
    for service, group in _backends(held):
        link, named = tail_of(_text(service, "selfLink")), tail_of(group)
        if link not in used or named in unchecked or not service.get("healthChecks"):
            continue
        place, where, name = _place(link)
        fields: dict[str, Json] = {"backend_service": name, "resource_group_reference_resource": {"group": group}}
        if place == "regions":
            found.append(Subject(f"{link}|{named}", {**fields, "region": where}, "Region"))
        elif place == "global":
            found.append(Subject(f"{link}|{named}", fields))
    return found


def _resources(held: Held, operation: str) -> list[Resource]:
    return held.get(("compute", operation), [])


def _links(held: Held, operation: str) -> list[str]:
    """Return the resources' names, those of other projects left out: their own project is asked about them."""
    links = (tail_of(_text(resource, "selfLink")) for resource in _resources(held, operation))
    return list(dict.fromkeys(link for link in links if project_of(link)))


def _regions_of(held: Held, operation: str) -> dict[str, set[str]]:
    """Return the regions in which resources of a network are, by the network."""
    found: dict[str, set[str]] = {}
    for resource in _resources(held, operation):
        network, region = tail_of(_text(resource, "network")), region_of(_text(resource, "region"))
        if network and region != "global":
            found.setdefault(network, set()).add(region)
    return found


def _backends(held: Held) -> Iterator[tuple[Resource, str]]:
    """Yield each backend service with the link of each group behind it."""
    for service in _resources(held, "backend_services"):
        for backend in _tables(service.get("backends")):
            if _text(backend, "group"):
                yield service, _text(backend, "group")


def _place(link: str) -> tuple[str, str, str]:
    """Return whether a resource is in ``zones``, ``regions`` or ``global``, in which one, and its name."""
    parts = own_of(link).split("/")
    if parts[0] == "global":
        return "global", "", _named(link)
    return (parts[0], quote(parts[1], safe=""), _named(link)) if len(parts) > 2 else ("", "", "")


def _named(link: str) -> str:
    # The SDK puts names into the path of the request as they are.
    return quote(name_of(link), safe="")


def _text(resource: Resource, key: str) -> str:
    value = resource.get(key)
    return value if isinstance(value, str) else ""


def _tables(value: Json) -> list[Resource]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _texts(child)
