"""A small Google Cloud to be read live, and how tests read it."""

from typing import Any, cast

import msgspec

from cloudseg.providers.gcp.collect import GcpOptions, collect
from cloudseg.snapshot import Part, Snapshot
from tests.gcp.gcp_api import Fields, Google

SHOP = "shop-prod"
DEPOT = "depot-prod"
HOST = "https://www.googleapis.com/compute/v1"
NUMBERS = {SHOP: "4242", DEPOT: "4343"}
NET = f"projects/{SHOP}/global/networks/net-1"


def link(place: str, kind: str, name: str, project: str = SHOP) -> str:
    return f"{HOST}/projects/{project}/{place}/{kind}/{name}"


def resource(place: str, kind: str, name: str, project: str = SHOP, **fields: Any) -> Fields:
    """A resource as Compute shows it: ``resource("zones/us-east1-b", "instances", "web-1")``."""
    where, _, at = place.partition("/")
    own = {where.removesuffix("s"): f"{HOST}/projects/{project}/{place}"} if at else {}
    return {"id": "1", "name": name, "selfLink": link(place, kind, name, project), **own, **fields}


def asset(kind: str, name: str, project: str = SHOP, above: tuple[str, ...] = (), **data: Any) -> Fields:
    """An asset as the inventory shows it, with the resource as its own service shows it."""
    service = kind.partition("/")[0]
    return {
        "name": f"//{service}/projects/{project}/{name}",
        "assetType": kind,
        "ancestors": [f"projects/{NUMBERS[project]}", *above],
        "resource": {"version": "v1", "data": {"name": name, **data}},
    }


def project_asset(project: str, above: tuple[str, ...] = (), state: str = "ACTIVE") -> Fields:
    data = {"projectId": project, "projectNumber": NUMBERS[project], "lifecycleState": state}
    kind = "cloudresourcemanager.googleapis.com/Project"
    return asset(kind, project.partition("-")[0].title(), project, above, **data)


def policy(kind: str, name: str, *bindings: Fields, project: str = SHOP) -> Fields:
    held = asset(kind, name, project)
    del held["resource"]
    return {**held, "iamPolicy": {"version": 1, "etag": "x", "bindings": list(bindings)}}


def shop() -> Google:
    """One project with one of almost everything, and a second one that holds little."""
    google = Google()
    google.add_project(SHOP, commonInstanceMetadata={"items": [{"key": "ssh-keys", "value": "secret"}]})
    google.add_project(DEPOT)
    network = link("global", "networks", "net-1")
    peering = {"name": "to-depot", "state": "ACTIVE", "importCustomRoutes": True}
    google.add(SHOP, "networks", resource("global", "networks", "net-1", peerings=[peering]))
    google.add(
        SHOP,
        "subnetworks",
        resource("regions/us-east1", "subnetworks", "a", network=network),
        resource("regions/us-west1", "subnetworks", "b", network=network),
    )
    google.add(SHOP, "firewalls", resource("global", "firewalls", "web", network=network))
    metadata = {"items": [{"key": "startup-script", "value": "secret"}]}
    interfaces = [{"name": "nic0", "network": network}]
    machine = resource("zones/us-east1-b", "instances", "web-1", metadata=metadata, networkInterfaces=interfaces)
    google.add(SHOP, "instances", machine)
    google.add(
        SHOP, "vpnTunnels", resource("regions/us-east1", "vpnTunnels", "t", sharedSecret="secret", peerIp="1.1.1.1")
    )
    add_balancer(google)
    google.assets[f"projects/{SHOP}"] = [
        project_asset(SHOP),
        asset("compute.googleapis.com/Network", "net-1"),
        asset("container.googleapis.com/Cluster", "gke-1", masterAuth={"clientKey": "secret"}, location="us-east1"),
        asset("sqladmin.googleapis.com/Instance", "db", settings={"ipConfiguration": {"ipv4Enabled": True}}),
        asset("storage.googleapis.com/Bucket", "logs", acl=[{"entity": "allUsers"}, {"entity": "user-ann@x.org"}]),
        policy(
            "storage.googleapis.com/Bucket",
            "logs",
            {"role": "roles/storage.objectViewer", "members": ["allUsers", "user:ann@example.org"]},
            {"role": "roles/storage.admin", "members": ["user:ann@example.org"]},
        ),
    ]
    return google


def add_balancer(google: Google) -> None:
    """A load balancer before an instance group, a zonal group of endpoints and one of a service without any."""
    zone = "zones/us-east1-b"
    groups = resource(zone, "instanceGroups", "group-1"), resource(zone, "instanceGroups", "unused")
    google.add(SHOP, "instanceGroups", *groups)
    ends = resource(zone, "networkEndpointGroups", "neg-1", networkEndpointType="GCE_VM_IP_PORT")
    app = resource("regions/us-east1", "networkEndpointGroups", "neg-app", networkEndpointType="SERVERLESS")
    google.add(SHOP, "networkEndpointGroups", ends, app)
    backends = [{"group": each["selfLink"]} for each in (groups[0], ends, app)]
    service = resource("global", "backendServices", "svc", backends=backends, healthChecks=["hc"])
    idle = resource("regions/us-east1", "backendServices", "idle", backends=backends[:1], healthChecks=["hc"])
    google.add(SHOP, "backendServices", service, idle)
    google.add(SHOP, "urlMaps", resource("global", "urlMaps", "map", defaultService=service["selfLink"]))
    rule = resource("global", "forwardingRules", "rule", IPAddress="34.1.1.1", target=link("global", "x", "y"))
    google.add(SHOP, "forwardingRules", rule)


def read(**changes: Any) -> Snapshot:
    """Read without the patience of a user."""
    options = GcpOptions(projects=(SHOP,), attempts=1, read_timeout=5.0, connect_timeout=5.0)
    return collect(msgspec.structs.replace(options, **changes))


def part(service: str, operation: str, about: str | None = None, project: str = SHOP) -> Part:
    return Part("gcp", project, "global", service, operation, about)


def items(
    snapshot: Snapshot, service: str, operation: str, about: str | None = None, project: str = SHOP
) -> list[Fields]:
    return cast("dict[str, list[Fields]]", snapshot.read(part(service, operation, about, project)))["items"]


def names(snapshot: Snapshot, service: str, operation: str, about: str | None = None, project: str = SHOP) -> list[str]:
    return [str(item["name"]) for item in items(snapshot, service, operation, about, project)]


def gaps(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    return [(gap.service, gap.operation, gap.reason) for gap in snapshot.gaps]
