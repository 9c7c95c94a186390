"""What stands beside networks and machines in raw answers: tunnels, Cloud NAT, address groups, and secure tags."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import TYPE_CHECKING, cast

from tests.gcp.raw import API, PROJECT, REGION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gcp.oracle_records import Json
    from tests.gcp.raw import Raw

__all__ = ["group", "nat", "secure_tag", "six_of", "tunnel"]


def tunnel(
    raw: Raw, network: str, name: str, *, region: str = REGION, status: str = "ESTABLISHED"
) -> None:  # fmt: skip
    """A route-based tunnel of Classic VPN with its gateway: https://cloud.google.com/network-connectivity/docs/vpn"""
    project = raw.project_of(network)
    where = f"{API}/projects/{project}/regions/{region}"
    gateway: Json = {"kind": "compute#targetVpnGateway", "status": "READY", "network": raw.link(network)}
    gateway |= {"region": where, "tunnels": [f"{where}/vpnTunnels/{name}"], "forwardingRules": []}
    raw.add(f"gw-{name}", "target_vpn_gateways", f"regions/{region}/targetVpnGateways/gw-{name}", gateway, project)
    item: Json = {"kind": "compute#vpnTunnel", "status": status, "peerIp": "9.9.9.99", "ikeVersion": 2, "region": where}
    item |= {"localTrafficSelector": ["0.0.0.0/0"], "remoteTrafficSelector": ["0.0.0.0/0"]}
    item["targetVpnGateway"] = raw.link(f"gw-{name}")
    raw.add(name, "vpn_tunnels", f"regions/{region}/vpnTunnels/{name}", item, project)


def nat(
    raw: Raw, network: str, name: str, scope: str = "ALL_SUBNETWORKS_ALL_IP_RANGES", *, region: str = REGION,
    listed: dict[str, list[str]] | None = None, ranges: dict[str, list[str]] | None = None,
    addresses: Sequence[str] = (),
) -> None:  # fmt: skip
    """Cloud NAT on a router of its own; ``listed`` are options by subnet, ``addresses`` its own, else any."""
    project = raw.project_of(network)
    where = f"{API}/projects/{project}/regions/{region}"
    item: Json = {
        "name": name,
        "type": "PUBLIC",
        "sourceSubnetworkIpRangesToNat": scope,
        "natIpAllocateOption": "MANUAL_ONLY" if addresses else "AUTO_ONLY",
        "subnetworks": [
            {"name": raw.link(each), "sourceIpRangesToNat": options}
            | ({"secondaryIpRangeNames": ranges[each]} if ranges and each in ranges else {})
            for each, options in (listed or {}).items()
        ],
        "natIps": [],
    }
    for address in addresses:
        own = f"ip-{address.replace('.', '-')}"
        reserved: Json = {"address": address, "addressType": "EXTERNAL", "status": "IN_USE", "region": where}
        raw.add(own, "addresses", f"regions/{region}/addresses/{own}", reserved, project)
        cast("list[str]", item["natIps"]).append(raw.link(own))
    router: Json = {"kind": "compute#router", "network": raw.link(network), "region": where, "nats": [item]}
    raw.add(f"router-{name}", "routers", f"regions/{region}/routers/router-{name}", router, project)


def group(raw: Raw, name: str, *items: str, project: str = PROJECT) -> str:
    """An address group; returns what rules call it."""
    own = f"projects/{project}/locations/global/addressGroups/{name}"
    kind = "IPV6" if ":" in items[0] else "IPV4"
    item: Json = {"name": own, "type": kind, "capacity": 100, "items": list(items)}
    item["assetName"] = f"//networksecurity.googleapis.com/{own}"
    raw.listed(project, "address_groups", "networksecurity").append(item)
    return own


def secure_tag(raw: Raw, number: str, network: str = "", *, numbered: bool = False, project: str = PROJECT) -> str:
    """A tag value with a key of its own, for one network or for an organisation; returns the value's name.

    ``numbered`` tells that the key names the network by its number, as Google prints it.
    """
    purpose: Json = {"organization": "auto"}
    if network:
        item = raw.item(network, "networks")
        link = str(item["selfLink"])
        purpose = {"network": f"{link.rpartition('/')[0]}/{item['id']}" if numbered else link}
    key: Json = {"name": f"tagKeys/{number}0", "shortName": f"role-{number}", "purpose": "GCE_FIREWALL",
                 "parent": "organizations/99", "purposeData": purpose}  # fmt: skip
    value: Json = {"name": f"tagValues/{number}", "parent": key["name"], "shortName": "yes"}
    raw.listed(project, "tag_keys", "cloudresourcemanager").append(key)
    raw.listed(project, "tag_values", "cloudresourcemanager").append(value)
    return str(value["name"])


def six_of(prefix: str, host: int) -> str:
    """The first address of the range that an instance has in a subnet's IPv6 range."""
    return str(IPv6Network(prefix)[host << 32])
