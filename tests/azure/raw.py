"""Builds raw Azure answers, as ARM returns them, resource by resource; it checks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tests.azure.raw_parts import DEFAULT_RULES, network_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.azure.oracle_records import Json

__all__ = ["SUBSCRIPTION", "Raw"]

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


class Raw:
    """The answers of subscriptions; every resource has a short name, and lies in one resource group."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, ...], object] = {}
        self.ids: dict[str, str] = {}
        self.odd_case = False
        """Whether references spell ids in another case than the resources themselves."""

    def own(self, name: str) -> str:
        """The id of a resource in lower case, as packets name interfaces."""
        return self.ids[name].lower()

    def add(
        self, name: str, kind: str, operation: str, properties: Json, *, subscription: str = SUBSCRIPTION, sku: str = ""
    ) -> Json:
        """Append a resource to the list of an answer."""
        self.ids[name] = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/{kind}/{name}"
        item: Json = {
            "id": self.ids[name],
            "name": name,
            "type": f"Microsoft.Network/{kind}",
            "location": "westeurope",
            "properties": {"provisioningState": "Succeeded", **properties},
        }
        if sku:
            item["sku"] = {"name": sku, "tier": "Regional"}
        self.listed(subscription, operation).append(item)
        return item

    def listed(self, subscription: str, operation: str, *resource: str) -> list[Json]:
        """The list of an answer, made when first asked for."""
        answer = cast("Json", self.answers.setdefault((subscription, "network", operation, *resource), {"value": []}))
        return cast("list[Json]", answer["value"])

    def ref(self, name: str) -> Json:
        own = self.ids[name]
        if self.odd_case:
            own = own.replace("/resourceGroups/rg/", "/resourcegroups/RG/").replace(
                "Microsoft.Network", "microsoft.network"
            )
        return {"id": own}

    def subscription_of(self, name: str) -> str:
        return self.ids[name].split("/")[2]

    def vnet(self, name: str, *prefixes: str, subscription: str = SUBSCRIPTION) -> None:
        """A network, to which no security admin rules apply."""
        space: Json = {"addressPrefixes": list(prefixes)}
        properties: Json = {"addressSpace": space, "subnets": [], "virtualNetworkPeerings": []}
        self.add(name, "virtualNetworks", "virtual_networks", properties, subscription=subscription)
        self.admin(name)

    def _vnet(self, name: str) -> Json:
        listed = self.listed(self.subscription_of(name), "virtual_networks")
        return cast("Json", next(each for each in listed if each["name"] == name)["properties"])

    def subnet(
        self, vnet: str, name: str, *prefixes: str, nsg: str = "", table: str = "", nat: str = "",
        outbound: bool | None = True, policies: str = "Disabled", delegation: str = "",
    ) -> None:  # fmt: skip
        """A subnet; what it refers to has to be there already. ``outbound`` None leaves the field out."""
        self.ids[name] = f"{self.ids[vnet]}/subnets/{name}"
        properties: Json = {"provisioningState": "Succeeded", "delegations": []}
        properties |= {"addressPrefix": prefixes[0]} if len(prefixes) == 1 else {"addressPrefixes": list(prefixes)}
        for key, referred in (("networkSecurityGroup", nsg), ("routeTable", table), ("natGateway", nat)):
            if referred:
                properties[key] = self.ref(referred)
        if outbound is not None:
            properties["defaultOutboundAccess"] = outbound
        if policies:
            properties["privateEndpointNetworkPolicies"] = policies
        if delegation:
            properties["delegations"] = [{"name": "given", "properties": {"serviceName": delegation}}]
        item: Json = {"id": self.ids[name], "name": name, "type": "Microsoft.Network/virtualNetworks/subnets"}
        cast("list[Json]", self._vnet(vnet)["subnets"]).append({**item, "properties": properties})

    def peering(
        self, vnet: str, remote: str, *, state: str = "Connected", access: bool = True, forwarded: bool = False,
        remote_gateways: bool = False, transit: bool = False,
    ) -> None:  # fmt: skip
        """One half of a peering."""
        space = cast("Json", self._vnet(remote)["addressSpace"])
        properties: Json = {
            "provisioningState": "Succeeded",
            "peeringState": state,
            "peeringSyncLevel": "FullyInSync",
            "remoteVirtualNetwork": self.ref(remote),
            "allowVirtualNetworkAccess": access,
            "allowForwardedTraffic": forwarded,
            "allowGatewayTransit": transit,
            "useRemoteGateways": remote_gateways,
            "remoteAddressSpace": space,
            "remoteVirtualNetworkAddressSpace": space,
        }
        own = f"{self.ids[vnet]}/virtualNetworkPeerings/to-{remote}"
        item: Json = {"id": own, "name": f"to-{remote}", "properties": properties}
        cast("list[Json]", self._vnet(vnet)["virtualNetworkPeerings"]).append(item)

    def asg(self, name: str, *, subscription: str = SUBSCRIPTION) -> None:
        kind = "applicationSecurityGroups"
        self.add(name, kind, "application_security_groups", {}, subscription=subscription)

    def nsg(self, name: str, *rules: Json, subscription: str = SUBSCRIPTION) -> None:
        """A network security group with its default rules."""
        kind = "networkSecurityGroups"
        item = self.add(name, kind, "network_security_groups", {}, subscription=subscription)
        cast("Json", item["properties"]).update(
            {
                "securityRules": [self._named(name, "securityRules", each) for each in rules],
                "defaultSecurityRules": [self._named(name, "defaultSecurityRules", each) for each in DEFAULT_RULES],
            }
        )

    def _named(self, nsg: str, kind: str, item: Json) -> Json:
        """A rule with its id, and the ids of the application security groups that it names."""
        properties = dict(cast("Json", item["properties"]))
        for key in ("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups"):
            if key in properties:
                properties[key] = [self.ref(str(each)) for each in cast("list[str]", properties[key])]
        own = f"{self.ids[nsg]}/{kind}/{item['name']}"
        return {"id": own, "name": item["name"], "type": network_type(kind), "properties": properties}

    def public(
        self, name: str, address: str, *, sku: str = "Standard", subscription: str = SUBSCRIPTION
    ) -> None:  # fmt: skip
        properties: Json = {
            "ipAddress": address,
            "publicIPAddressVersion": "IPv6" if ":" in address else "IPv4",
            "publicIPAllocationMethod": "Static",
        }
        self.add(name, "publicIPAddresses", "public_ip_addresses", properties, subscription=subscription, sku=sku)

    def nic(
        self, name: str, subnet: str, *addresses: str | tuple[str, str], nsg: str = "", asgs: Sequence[str] = (),
        forwarding: bool = False, pools: Sequence[str] = (), nat_rules: Sequence[str] = (), endpoint: str = "",
        subscription: str = "",
    ) -> None:  # fmt: skip
        """An interface; an address may come with the name of the public address that stands for it."""
        configs: list[Json] = []
        where = subscription or self.subscription_of(subnet)
        base = f"/subscriptions/{where}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/{name}"
        for number, each in enumerate(addresses):
            private, public = each if isinstance(each, tuple) else (each, "")
            properties: Json = {
                "primary": number == 0,
                "privateIPAddress": private,
                "privateIPAddressVersion": "IPv6" if ":" in private else "IPv4",
                "privateIPAllocationMethod": "Dynamic",
                "subnet": self.ref(subnet),
            }
            if public:
                properties["publicIPAddress"] = self.ref(public)
            if asgs:
                properties["applicationSecurityGroups"] = [self.ref(asg) for asg in asgs]
            if pools and number == 0:
                properties["loadBalancerBackendAddressPools"] = [self.ref(pool) for pool in pools]
            if nat_rules and number == 0:
                properties["loadBalancerInboundNatRules"] = [self.ref(rule) for rule in nat_rules]
            own = f"{base}/ipConfigurations/ipconfig{number}"
            configs.append({"id": own, "name": f"ipconfig{number}", "properties": properties})
        properties = {"ipConfigurations": configs, "enableIPForwarding": forwarding, "primary": True}
        if nsg:
            properties["networkSecurityGroup"] = self.ref(nsg)
        if endpoint:
            properties["privateEndpoint"] = self.ref(endpoint)
        else:
            machine = base.replace("Microsoft.Network/networkInterfaces", "Microsoft.Compute/virtualMachines")
            properties["virtualMachine"] = {"id": f"{machine}-vm"}
        self.add(name, "networkInterfaces", "network_interfaces", properties, subscription=where)

    def table(
        self, name: str, *routes: tuple[str, str] | tuple[str, str, str], propagates: bool = True,
        subscription: str = SUBSCRIPTION,
    ) -> None:  # fmt: skip
        """A route table; a route is prefix, next hop type, and the address of a machine as next hop."""
        wires: list[Json] = []
        for number, route in enumerate(routes):
            properties: Json = {"addressPrefix": route[0], "nextHopType": route[1]}
            if len(route) == 3:
                properties["nextHopIpAddress"] = route[2]
            wires.append({"name": f"route{number}", "properties": properties})
        properties = {"disableBgpRoutePropagation": not propagates, "routes": wires}
        self.add(name, "routeTables", "route_tables", properties, subscription=subscription)

    def nat(self, name: str, *publics: str, subscription: str = SUBSCRIPTION) -> None:
        properties: Json = {"publicIpAddresses": [self.ref(each) for each in publics], "idleTimeoutInMinutes": 4}
        self.add(name, "natGateways", "nat_gateways", properties, subscription=subscription, sku="Standard")

    def admin(self, vnet: str, *rules: Json) -> None:
        """The effective security admin rules of a network."""
        place = (self.subscription_of(vnet), "network", "effective_security_admin_rules", self.ids[vnet])
        self.answers[place] = {"value": [dict(each) for each in rules]}

    def unread(self, operation: str, name: str) -> None:
        """Take a resource out of the answers, or the answer about it: it was not read."""
        place = (self.subscription_of(name), "network", operation)
        self.answers.pop((*place, self.ids[name]), None)
        if place in self.answers:
            listed = self.listed(place[0], operation)
            listed[:] = [each for each in listed if each["name"] != name]

    def tags(self, *, subscription: str = SUBSCRIPTION, **prefixes: Sequence[str]) -> None:
        """The service tags that the discovery knows; ``_`` in a name stands for a dot."""
        values: list[Json] = [
            {
                "name": name.replace("_", "."),
                "id": name.replace("_", "."),
                "properties": {"changeNumber": "1", "region": "", "systemService": "", "addressPrefixes": list(each)},
            }
            for name, each in prefixes.items()
        ]
        place = (subscription, "network", "service_tags", "westeurope")
        self.answers[place] = {"name": "Public", "changeNumber": "1", "cloud": "Public", "values": values}
