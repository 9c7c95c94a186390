"""Writes the snapshot of a large Google Cloud project: ``python -m benchmarks.gcp_snapshot FOLDER INTERFACES RULES``.

Ten networks, each with subnets in four regions, machines with network tags and service accounts, VPC firewall rules
by tag, account and range, a global policy with targets and one of the organisation's. Some rules deny.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from cloudseg.providers.gcp.operations import OPERATIONS
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, save

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["gcp_snapshot"]

Json: TypeAlias = "dict[str, object]"

PROJECT: Final = "shop"
_API: Final = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}"
_NETWORKS: Final = 10
_REGIONS: Final = ("europe-west1", "europe-west4", "us-central1", "us-east1")
_TAGS, _ACCOUNTS = 40, 20
"""So many tags and accounts are in use in a network."""
_PORTS: Final = ("22", "80", "443", "3306", "5432", "6379", "8080", "8443", "9090-9099")
_IN_POLICIES: Final = 5
"""One rule of so many stands in a policy of its network."""


def gcp_snapshot(interfaces: int, rules: int) -> Snapshot:
    """Return a snapshot of so many network interfaces and so many rules, in VPC firewall rules and policies."""
    draw = random.Random(7)
    policies = {number: list[Json]() for number in range(_NETWORKS)}
    firewalls: list[Json] = []
    for number in range(rules):
        network = number % _NETWORKS
        if number % _IN_POLICIES:
            firewalls.append(_firewall(number, network, draw))
        else:
            policies[network].append(_policy_rule(len(policies[network]) + 1, network, draw))
    listed: dict[str, list[Json]] = {
        "projects": [{"name": PROJECT, "id": "123456789012", "selfLink": _API}],
        "networks": [_item("global/networks", f"n{number}", {"id": str(number + 1)}) for number in range(_NETWORKS)],
        "subnetworks": [_subnet(network, place) for network in range(_NETWORKS) for place in range(len(_REGIONS))],
        "instances": list(_instances(interfaces, draw)),
        "firewalls": firewalls,
        "network_firewall_policies": [_policy(network, found) for network, found in policies.items()],
        "routes": [_route(network) for network in range(_NETWORKS)],
    }
    answers: dict[Part, object] = {
        Part("gcp", PROJECT, "global", each.service, each.name, None): {"items": []}
        for each in OPERATIONS
        if each.per is None
    }
    for name, items in listed.items():
        answers[Part("gcp", PROJECT, "global", "compute", name, None)] = {"items": items}
    above: Json = {"name": "99", "displayName": "company", "type": "HIERARCHY", "rules": [_above()]}
    for number in range(_NETWORKS):
        link = f"projects/{PROJECT}/global/networks/n{number}"
        told = {"items": [{"firewallPolicys": [above]}]}
        answers[Part("gcp", PROJECT, "global", "compute", "network_effective_firewalls", link)] = told
        for region in _REGIONS:
            about = f"{link}|{region}"
            answers[Part("gcp", PROJECT, "global", "compute", "region_effective_firewalls", about)] = told
    scope = ScopeRead("gcp", PROJECT, ("global",), "benchmark")
    return Snapshot.of(answers, Manifest("2026-01-01T00:00:00Z", "benchmark", (scope,)))


def _item(place: str, name: str, fields: Json) -> Json:
    return {"name": name, "selfLink": f"{_API}/{place}/{name}"} | fields


def _link(network: int) -> str:
    return f"{_API}/global/networks/n{network}"


def _subnet(network: int, place: int) -> Json:
    region = _REGIONS[place]
    return _item(
        f"regions/{region}/subnetworks", f"n{network}-{place}",
        {
            "network": _link(network), "region": f"{_API}/regions/{region}", "purpose": "PRIVATE",
            "ipCidrRange": f"10.{network}.{place * 32}.0/19", "logConfig": {"enable": True},
        },
    )  # fmt: skip


def _instances(count: int, draw: random.Random) -> Iterator[Json]:
    for number in range(count):
        network, place = number % _NETWORKS, number // _NETWORKS % len(_REGIONS)
        host = number // (_NETWORKS * len(_REGIONS)) + 2
        region = _REGIONS[place]
        card: Json = {
            "name": "nic0", "network": _link(network),
            "subnetwork": f"{_API}/regions/{region}/subnetworks/n{network}-{place}",
            "networkIP": f"10.{network}.{place * 32 + host // 256}.{host % 256}",
        }  # fmt: skip
        if number % 50 == 0:
            card["accessConfigs"] = [{"natIP": f"34.{network}.{place}.{host % 256}"}]
        yield _item(
            f"zones/{region}-b/instances", f"vm-{number}",
            {
                "id": str(number + 1), "zone": f"{_API}/zones/{region}-b", "status": "RUNNING",
                "tags": {"items": [f"t{each}" for each in sorted(draw.sample(range(_TAGS), draw.randint(0, 2)))]},
                "serviceAccounts": [{"email": f"s{draw.randrange(_ACCOUNTS)}@{PROJECT}.iam.gserviceaccount.com"}],
                "networkInterfaces": [card],
            },
        )  # fmt: skip


def _firewall(number: int, network: int, draw: random.Random) -> Json:
    fields: Json = {"network": _link(network), "direction": "INGRESS", "priority": draw.randrange(100, 60000)}
    kind = draw.random()
    if kind < 0.4:
        fields |= {"sourceTags": [f"t{draw.randrange(_TAGS)}"], "targetTags": [f"t{draw.randrange(_TAGS)}"]}
    elif kind < 0.6:
        emails = [f"s{draw.randrange(_ACCOUNTS)}@{PROJECT}.iam.gserviceaccount.com" for _ in range(2)]
        fields |= {"sourceServiceAccounts": emails[:1], "targetServiceAccounts": emails[1:]}
    else:
        wide = draw.random() < 0.02
        source = "0.0.0.0/0" if wide else f"10.{draw.randrange(_NETWORKS)}.{draw.randrange(128)}.0/24"
        fields |= {"sourceRanges": [source], "targetTags": [f"t{draw.randrange(_TAGS)}"]}
    verdict = "denied" if draw.random() < 0.1 else "allowed"
    fields[verdict] = [{"IPProtocol": "tcp", "ports": [draw.choice(_PORTS)]}]
    return _item("global/firewalls", f"fw-{number}", fields)


def _policy_rule(priority: int, network: int, draw: random.Random) -> Json:
    source = f"10.{draw.randrange(_NETWORKS)}.{draw.randrange(128)}.0/24"
    layers = [{"ipProtocol": "tcp", "ports": [draw.choice(_PORTS)]}]
    return {
        "priority": priority,
        "direction": "INGRESS",
        "action": draw.choice(("allow", "allow", "allow", "deny", "goto_next")),
        "match": {"srcIpRanges": [source], "layer4Configs": layers},
        "targetServiceAccounts": [f"s{(network + priority) % _ACCOUNTS}@{PROJECT}.iam.gserviceaccount.com"],
    }


def _policy(network: int, rules: list[Json]) -> Json:
    fields: Json = {"associations": [{"name": "own", "attachmentTarget": _link(network)}], "rules": rules}
    return _item("global/firewallPolicies", f"p{network}", fields)


def _above() -> Json:
    match = {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "tcp", "ports": ["23"]}]}
    return {"priority": 10, "direction": "INGRESS", "action": "deny", "match": match}


def _route(network: int) -> Json:
    gateway = f"{_API}/global/gateways/default-internet-gateway"
    fields: Json = {"network": _link(network), "destRange": "0.0.0.0/0", "priority": 1000, "nextHopGateway": gateway}
    return _item("global/routes", f"r{network}", fields)


if __name__ == "__main__":
    save(gcp_snapshot(int(sys.argv[2]), int(sys.argv[3])), Path(sys.argv[1]))
