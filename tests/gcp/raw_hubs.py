"""Raw answers of Network Connectivity Center and of Serverless VPC Access, as the inventory returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gcp.raw import PROJECT, REGION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gcp.oracle_records import Json
    from tests.gcp.raw import Raw

__all__ = ["HUB", "connector", "hub", "policy_route", "spoke"]

HUB = f"projects/{PROJECT}/locations/global/hubs/hub"
_SERVICE = "networkconnectivity"


def hub(raw: Raw, topology: str = "MESH", *, count: int | None = None) -> None:
    """A hub; ``count`` is how many spokes it says that it has."""
    item: Json = {"name": HUB, "presetTopology": topology, "state": "ACTIVE"}
    if count is not None:
        item["spokeSummary"] = {"spokeTypeCounts": [{"spokeType": "VPC_NETWORK", "count": str(count)}]}
    raw.listed(PROJECT, "hubs", _SERVICE).append(item)


def spoke(
    raw: Raw, network: str, *, group: str = "default", state: str = "ACTIVE", filters: Json | None = None
) -> None:
    """A spoke of a network; ``filters`` are fields of its link."""
    project = raw.project_of(network)
    name = f"projects/{project}/locations/global/spokes/{network}"
    link: Json = {"uri": raw.link(network), **(filters or {})}
    item: Json = {"name": name, "hub": HUB, "group": f"{HUB}/groups/{group}", "state": state, "linkedVpcNetwork": link}
    raw.listed(project, "spokes", _SERVICE).append(item)


def policy_route(
    raw: Raw, network: str, *, tags: Sequence[str] = (), source: str = "", to: str = "", hop: str = ""
) -> None:
    """A policy-based route to an internal load balancer, or with ``hop`` to other routes."""
    project = raw.project_of(network)
    listed = raw.listed(project, "policy_based_routes", _SERVICE)
    name = f"projects/{project}/locations/global/policyBasedRoutes/pbr-{len(listed)}"
    asked: Json = {"protocolVersion": "IPV4"}
    if source:
        asked["srcRange"] = source
    if to:
        asked["destRange"] = to
    item: Json = {"name": name, "network": raw.tails[network], "filter": asked, "priority": 100}
    item |= {"nextHopOtherRoutes": hop} if hop else {"nextHopIlbIp": "10.1.1.100"}
    if tags:
        item["virtualMachine"] = {"tags": list(tags)}
    listed.append(item)


def connector(raw: Raw, network: str, name: str, *, prefix: str = "", subnet: str = "", project: str = PROJECT) -> None:
    """A connector with a range of its own, or in a subnet."""
    item: Json = {"name": f"projects/{project}/locations/{REGION}/connectors/{name}", "state": "READY"}
    if subnet:
        item["subnet"] = {"name": subnet, "projectId": raw.project_of(subnet)}
    else:
        item |= {"network": network, "ipCidrRange": prefix}
    raw.listed(project, "connectors", "vpcaccess").append(item)
