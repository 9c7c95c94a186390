"""Builds raw Google Cloud answers, as REST returns them, resource by resource; it checks nothing."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import count
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gcp.oracle_records import Answers, Json
    from tests.gcp.raw_parts import Card

__all__ = ["API", "PROJECT", "REGION", "Raw"]

PROJECT = "shop"
REGION = "us-central1"
API = "https://www.googleapis.com/compute/v1"
_HOPS = {"gateway": "nextHopGateway", "instance": "nextHopInstance", "ip": "nextHopIp", "tunnel": "nextHopVpnTunnel",
         "balancer": "nextHopIlb"}  # fmt: skip


class Raw:
    """The answers of projects; every resource has a short name of its own, whatever project it is in."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, ...], Json] = {}
        self.tails: dict[str, str] = {}
        """The links of resources from ``projects/`` on."""
        self._numbers = count(7001)
        self._above: dict[str, list[Json]] = {}
        self._system: dict[tuple[str, str], list[Json]] = {}
        self._unread: set[tuple[str, ...]] = set()
        self.project(PROJECT, "1001")

    def listed(self, project: str, operation: str, service: str = "compute") -> list[Json]:
        answer = self._answers.setdefault((project, service, operation), {"items": []})
        return cast("list[Json]", answer["items"])

    def link(self, name: str) -> str:
        return f"{API}/{self.tails[name]}"

    def project_of(self, name: str) -> str:
        return self.tails[name].split("/")[1]

    def own(self, name: str, card: int = 0) -> str:
        """The name of an instance's interface in an estate."""
        _, project, rest = self.tails[name].split("/", 2)
        return f"gcp:{project}:{rest}/nic{card}"

    def project(self, name: str, number: str, *, host: str = "") -> None:
        """A project; with a ``host`` it is a service project of that one's Shared VPC."""
        item: Json = {"kind": "compute#project", "id": number, "name": name, "selfLink": f"{API}/projects/{name}"}
        item["defaultServiceAccount"] = f"{number}-compute@developer.gserviceaccount.com"
        self.listed(name, "projects").append(item)
        if host:
            link = f"{API}/projects/{host}"
            self.listed(name, "xpn_host").append({"kind": "compute#project", "name": host, "selfLink": link})
            self.listed(host, "projects")[0]["xpnProjectStatus"] = "HOST"

    def add(self, name: str, operation: str, own: str, item: Json, project: str) -> Json:
        self.tails[name] = f"projects/{project}/{own}"
        whole: Json = {"id": str(next(self._numbers)), "name": name, "selfLink": self.link(name), **item}
        self.listed(project, operation).append(whole)
        return whole

    def network(self, name: str, *, project: str = PROJECT, before: bool | None = None) -> None:
        """A network without any route; nothing stands above it until ``above`` says so.

        ``before`` is whether network policies come before VPC rules; None leaves the field out.
        """
        item: Json = {"kind": "compute#network", "autoCreateSubnetworks": False, "peerings": []}
        if before is not None:
            item["networkFirewallPolicyEnforcementOrder"] = f"{'BEFORE' if before else 'AFTER'}_CLASSIC_FIREWALL"
        self.add(name, "networks", f"global/networks/{name}", item, project)
        self._above[name] = []

    def subnet(
        self, network: str, name: str, prefix: str, *, region: str = REGION, six: str = "", external: bool = False,
        secondary: dict[str, str] | None = None, google_access: bool = False,
    ) -> None:  # fmt: skip
        """A subnet, in its network's project; ``six`` is its IPv6 range, of the internal kind or not."""
        project = self.project_of(network)
        item: Json = {
            "kind": "compute#subnetwork",
            "network": self.link(network),
            "region": f"{API}/projects/{project}/regions/{region}",
            "ipCidrRange": prefix,
            "secondaryIpRanges": [{"rangeName": key, "ipCidrRange": text} for key, text in (secondary or {}).items()],
            "privateIpGoogleAccess": google_access,
            "purpose": "PRIVATE",
            "stackType": "IPV4_IPV6" if six else "IPV4_ONLY",
        }
        if six:
            item |= {"ipv6AccessType": "EXTERNAL" if external else "INTERNAL"}
            item |= {"externalIpv6Prefix" if external else "internalIpv6Prefix": six, "ipv6CidrRange": six}
        self.add(name, "subnetworks", f"regions/{region}/subnetworks/{name}", item, project)
        self._system.setdefault((network, region), [])

    def item(self, name: str, operation: str) -> Json:
        found = self.listed(self.project_of(name), operation)
        return next(each for each in found if each["selfLink"] == self.link(name))

    def peering(
        self, network: str, remote: str, *, active: bool = True, dual: bool = False, export: bool = False,
        imports: bool = False, public: tuple[bool, bool] = (True, False),
    ) -> None:  # fmt: skip
        """One half of a peering; ``public`` is whether ranges of public addresses are exported and imported."""
        half: Json = {
            "name": f"to-{remote}",
            "network": self.link(remote),
            "state": "ACTIVE" if active else "INACTIVE",
            "autoCreateRoutes": True,
            "exchangeSubnetRoutes": True,
            "exportCustomRoutes": export,
            "importCustomRoutes": imports,
            "exportSubnetRoutesWithPublicIp": public[0],
            "importSubnetRoutesWithPublicIp": public[1],
            "stackType": "IPV4_IPV6" if dual else "IPV4_ONLY",
        }
        cast("list[Json]", self.item(network, "networks")["peerings"]).append(half)

    def vm(
        self, name: str, *cards: Card, project: str = "", tags: Sequence[str] = (), account: str = "",
        forwards: bool = False, secure: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """An instance, in the region of its first subnet. ``secure`` are tag values that are bound to it."""
        project = project or self.project_of(cards[0].subnet)
        zone = f"{self.tails[cards[0].subnet].split('/')[3]}-a"
        item: Json = {
            "kind": "compute#instance",
            "status": "RUNNING",
            "zone": f"{API}/projects/{project}/zones/{zone}",
            "canIpForward": forwards,
            "tags": {"items": list(tags)} if tags else {"fingerprint": "42WmSpB8rSM="},
            "networkInterfaces": [self._card(index, card) for index, card in enumerate(cards)],
        }
        if account:
            scopes = ["https://www.googleapis.com/auth/cloud-platform"]
            item["serviceAccounts"] = [{"email": account, "scopes": scopes}]
        whole = self.add(name, "instances", f"zones/{zone}/instances/{name}", item, project)
        number = str(self.listed(project, "projects")[0]["id"])
        for tag in secure:
            parent = f"//compute.googleapis.com/projects/{number}/zones/{zone}/instances/{whole['id']}"
            binding: Json = {"name": f"tagBindings/{name}-{tag}", "parent": parent, "tagValue": tag}
            self.listed(project, "tag_bindings", "cloudresourcemanager").append(binding)

    def _card(self, index: int, card: Card) -> Json:
        subnet = self.item(card.subnet, "subnetworks")
        item: Json = {
            "kind": "compute#networkInterface",
            "name": f"nic{index}",
            "network": subnet["network"],
            "subnetwork": subnet["selfLink"],
            "networkIP": card.address,
            "stackType": "IPV4_IPV6" if card.six else "IPV4_ONLY",
        }
        if card.public:
            item["accessConfigs"] = [{"type": "ONE_TO_ONE_NAT", "name": "External NAT", "natIP": card.public}]
        if card.aliases:
            item["aliasIpRanges"] = [self._alias(subnet, each) for each in card.aliases]
        if card.six and subnet["ipv6AccessType"] == "EXTERNAL":
            config: Json = {"type": "DIRECT_IPV6", "externalIpv6": card.six, "externalIpv6PrefixLength": 96}
            item |= {"ipv6AccessType": "EXTERNAL", "ipv6AccessConfigs": [config]}
        elif card.six:
            item |= {"ipv6AccessType": "INTERNAL", "ipv6Address": card.six, "internalIpv6PrefixLength": 96}
        return item

    def _alias(self, subnet: Json, text: str) -> Json:
        """An alias range, with the name of the secondary range that it is of."""
        alias: Json = {"ipCidrRange": text}
        for each in cast("list[dict[str, str]]", subnet["secondaryIpRanges"]):
            if ip_network(text)[0] in ip_network(each["ipCidrRange"]):
                alias["subnetworkRangeName"] = each["rangeName"]
        return alias

    def firewall(self, network: str, *rules: Json) -> None:
        """VPC firewall rules of a network."""
        project = self.project_of(network)
        for rule in rules:
            name = f"{network}-{next(self._numbers)}"
            self.add(name, "firewalls", f"global/firewalls/{name}", {**rule, "network": self.link(network)}, project)

    def policy(
        self, name: str, networks: Sequence[str], *rules: Json, region: str = "", project: str = PROJECT
    ) -> None:
        """A network firewall policy, global or of a region, with the networks that it is associated with."""
        where = f"regions/{region}" if region else "global"
        item: Json = {
            "kind": "compute#firewallPolicy",
            "rules": list(rules),
            "associations": [{"name": f"with-{each}", "attachmentTarget": self.link(each)} for each in networks],
        }
        if region:
            item["region"] = f"{API}/projects/{project}/regions/{region}"
        self.add(name, "network_firewall_policies", f"{where}/firewallPolicies/{name}", item, project)

    def above(self, network: str, *policies: Sequence[Json]) -> None:
        """The hierarchical policies above a network, the organisation's first."""
        for rules in policies:
            number = str(next(self._numbers))
            self._above[network].append(
                {"name": number, "displayName": f"above-{number}", "type": "HIERARCHY", "rules": list(rules)}
            )

    def system(self, network: str, region: str, *rules: Json) -> None:
        """A policy of Google's own in a region of a network."""
        held = self._system.setdefault((network, region), [])
        number = str(next(self._numbers))
        system = {"name": f"gke-{number}", "type": "SYSTEM_REGIONAL", "priority": 1000 + len(held)}
        held.append({**system, "rules": list(rules)})

    def route(
        self, network: str, name: str, to: str, kind: str, hop: str = "", *, priority: int = 1000,
        tags: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """A static route; ``kind`` is "gateway", "instance", "ip", "tunnel" or "balancer", ``hop`` its name."""
        project = self.project_of(network)
        gateway = f"{API}/projects/{project}/global/gateways/default-internet-gateway"
        target = gateway if kind == "gateway" else hop if kind == "ip" else self.link(hop)
        item: Json = {
            "kind": "compute#route",
            "network": self.link(network),
            "destRange": to,
            "priority": priority,
            "routeType": "STATIC",
            _HOPS[kind]: target,
        }
        if tags:
            item["tags"] = list(tags)
        self.add(name, "routes", f"global/routes/{name}", item, project)

    def unread(self, operation: str, network: str, region: str = "") -> None:
        """Leave out an answer about one network."""
        about = f"{self.tails[network]}|{region}" if region else self.tails[network]
        self._unread.add((self.project_of(network), "compute", operation, about))

    @property
    def answers(self) -> Answers:
        """All answers, with those that follow from others: effective firewalls, and the routes of subnets."""
        found: dict[tuple[str, ...], object] = {**self._answers}
        for network, policies in self._above.items():
            place = (self.project_of(network), "compute")
            firewalls: Json = {"firewalls": [], "firewallPolicys": [*policies, *self._own_policies(network)]}
            found[*place, "network_effective_firewalls", self.tails[network]] = firewalls
            kept = cast("Json", found.get((*place, "routes"), {"items": []}))
            found[*place, "routes"] = {"items": [*cast("list[Json]", kept["items"]), *self._subnet_routes(network)]}
        for (network, region), policies in self._system.items():
            about = f"{self.tails[network]}|{region}"
            found[self.project_of(network), "compute", "region_effective_firewalls", about] = {
                "firewallPolicys": policies
            }
        return {place: answer for place, answer in found.items() if place not in self._unread}

    def _own_policies(self, network: str) -> list[Json]:
        """REST lists the network's own policies among those above it."""
        found: list[Json] = []
        for each in self.listed(self.project_of(network), "network_firewall_policies"):
            targets = [one["attachmentTarget"] for one in cast("list[Json]", each["associations"])]
            if "region" not in each and self.link(network) in targets:
                own: Json = {"name": each["id"], "shortName": each["name"], "type": "NETWORK", "priority": 1000}
                found.append({**own, "rules": each["rules"]})
        return found

    def _subnet_routes(self, network: str) -> list[Json]:
        """The routes of a network's own subnets, as the list of routes shows them; they decide nothing new."""
        project = self.project_of(network)
        found: list[Json] = []
        for each in self.listed(project, "subnetworks"):
            if each["network"] == self.link(network):
                name = f"default-route-{each['name']}"
                item: Json = {"kind": "compute#route", "name": name, "network": self.link(network), "priority": 0}
                item |= {"destRange": each["ipCidrRange"], "nextHopNetwork": self.link(network), "routeType": "SUBNET"}
                found.append({**item, "selfLink": f"{API}/projects/{project}/global/routes/{name}"})
        return found
