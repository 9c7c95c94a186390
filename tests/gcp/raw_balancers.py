"""Raw load balancers, as REST returns them: groups with their health, services, proxies and forwarding rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gcp.raw import API, PROJECT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.gcp.oracle_records import Json
    from tests.gcp.raw import Raw

__all__ = ["Balancers"]


class Balancers:
    """Adds load balancers to raw answers; everything is in one project unless told otherwise."""

    def __init__(self, raw: Raw, project: str = PROJECT) -> None:
        self.raw = raw
        self.project = project
        self._about: dict[tuple[str, ...], object] = {}

    @property
    def answers(self) -> dict[tuple[str, ...], object]:
        """All answers, with those about one group."""
        return {**self.raw.answers, **self._about}

    def group(
        self, name: str, *machines: str, network: str = "main", ports: Mapping[str, int] | None = None,
        read: bool = True,
    ) -> None:  # fmt: skip
        """An instance group; without ``read`` nobody asked who is in it."""
        zone = f"zones/{REGION}-a"
        item: Json = {"kind": "compute#instanceGroup", "network": self.raw.link(network), "size": len(machines)}
        item |= {"namedPorts": [{"name": each, "port": port} for each, port in (ports or {"http": 80}).items()]}
        item |= {"zone": f"{API}/projects/{self.project}/{zone}"}
        self.raw.add(name, "instance_groups", f"{zone}/instanceGroups/{name}", item, self.project)
        if read:
            members = [{"instance": self.raw.link(each), "status": "RUNNING"} for each in machines]
            self._about[self.project, "compute", "instance_group_members", self.raw.tails[name]] = {"items": members}

    def endpoints(self, name: str, kind: str, *listed: Json, network: str = "main", more: Json | None = None) -> None:
        """A zonal group of network endpoints."""
        zone = f"zones/{REGION}-a"
        item: Json = {"kind": "compute#networkEndpointGroup", "networkEndpointType": kind, **(more or {})}
        if kind not in {"SERVERLESS", "INTERNET_FQDN_PORT"}:
            item["network"] = self.raw.link(network)
        self.raw.add(name, "network_endpoint_groups", f"{zone}/networkEndpointGroups/{name}", item, self.project)
        endpoints = [{"networkEndpoint": each} for each in listed]
        self._about[self.project, "compute", "network_endpoints", self.raw.tails[name]] = {"items": endpoints}

    def service(
        self, name: str, *groups: str, region: str = REGION, scheme: str = "EXTERNAL", protocol: str = "TCP",
        port_name: str = "", backend: Json | None = None, **more: object,
    ) -> None:  # fmt: skip
        """A backend service; an empty region makes it global."""
        where = f"regions/{region}" if region else "global"
        backends = [{"group": self.raw.link(each), "balancingMode": "CONNECTION", **(backend or {})} for each in groups]
        item: Json = {
            "kind": "compute#backendService",
            "loadBalancingScheme": scheme,
            "protocol": protocol,
            "backends": backends,
            "healthChecks": [f"{API}/projects/{self.project}/global/healthChecks/hc"],
            **more,
        }
        if port_name:
            item["portName"] = port_name
        self.raw.add(name, "backend_services", f"{where}/backendServices/{name}", item, self.project)

    def health(self, service: str, group: str, states: Mapping[str, bool]) -> None:
        """How the machines of a group fare."""
        told = [
            {"instance": self.raw.link(each), "healthState": "HEALTHY" if well else "UNHEALTHY"}
            for each, well in states.items()
        ]
        about = f"{self.raw.tails[service]}|{self.raw.tails[group]}"
        self._about[self.project, "compute", "backend_service_health", about] = {"items": [{"healthStatus": told}]}

    def pool(self, name: str, *machines: str, checked: bool = False, backup: str = "") -> None:
        """A target pool."""
        item: Json = {"kind": "compute#targetPool", "instances": [self.raw.link(each) for each in machines]}
        if checked:
            item["healthChecks"] = [f"{API}/projects/{self.project}/global/httpHealthChecks/hc"]
        if backup:
            item["backupPool"] = self.raw.link(backup)
        self.raw.add(name, "target_pools", f"regions/{REGION}/targetPools/{name}", item, self.project)

    def target_instance(self, name: str, machine: str) -> None:
        """A target instance."""
        zone = f"zones/{REGION}-a"
        item: Json = {"kind": "compute#targetInstance", "instance": self.raw.link(machine), "natPolicy": "NO_NAT"}
        self.raw.add(name, "target_instances", f"{zone}/targetInstances/{name}", item, self.project)

    def proxy(
        self, name: str, service: str, *, kind: str = "http", region: str = "", others: Sequence[str] = ()
    ) -> None:
        """A proxy: one for requests has a URL map of its own, which leads to ``others`` by path."""
        where = f"regions/{region}" if region else "global"
        if kind in {"tcp", "ssl"}:
            item: Json = {"service": self.raw.link(service)}
        else:
            rules = [{"paths": [f"/{each}/*"], "service": self.raw.link(each)} for each in others]
            matchers = [{"name": "paths", "defaultService": self.raw.link(service), "pathRules": rules}]
            own: Json = {"defaultService": self.raw.link(service), "pathMatchers": matchers if others else []}
            self.raw.add(f"{name}-map", "url_maps", f"{where}/urlMaps/{name}-map", own, self.project)
            item = {"urlMap": self.raw.link(f"{name}-map")}
        own_kind = f"target{kind.capitalize()}Proxies"
        self.raw.add(name, f"target_{kind}_proxies", f"{where}/{own_kind}/{name}", item, self.project)

    def proxy_subnet(self, prefix: str, *, network: str = "main", purpose: str = "REGIONAL_MANAGED_PROXY") -> None:
        """A proxy-only subnet."""
        name = f"proxies-{network}"
        self.raw.subnet(network, name, prefix)
        self.raw.item(name, "subnetworks").update({"purpose": purpose, "role": "ACTIVE"})

    def rule(
        self, name: str, address: str, *, region: str = REGION, scheme: str = "EXTERNAL",
        fields: Mapping[str, object] | None = None, **more: object,
    ) -> None:  # fmt: skip
        """A forwarding rule; ``service`` and ``target``, ``network`` and ``subnet`` are names."""
        more |= fields or {}
        where = f"regions/{region}" if region else "global"
        item: Json = {"kind": "compute#forwardingRule", "IPAddress": address, "loadBalancingScheme": scheme}
        item["IPProtocol"] = more.pop("protocol", "TCP")
        for word, key in (("service", "backendService"), ("target", "target"), ("network", "network"),
                          ("subnet", "subnetwork")):  # fmt: skip
            if word in more:
                item[key] = self.raw.link(str(more.pop(word)))
        if region:
            item["region"] = f"{API}/projects/{self.project}/regions/{region}"
        self.raw.add(name, "forwarding_rules", f"{where}/forwardingRules/{name}", {**item, **more}, self.project)
