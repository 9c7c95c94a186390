"""Whatever JSON stands where settings should, the translation goes through, and every gap has its reason."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from cloudseg.cli.sources import translate
from cloudseg.snapshot import Part, Snapshot
from tests.gcp.agreeing import snapshot_of
from tests.gcp.raw import API, PROJECT, Raw
from tests.gcp.raw_more import group, nat, secure_tag, tunnel
from tests.gcp.raw_parts import Card, policy_rule, vpc
from tests.gcp.served import asset, bindings
from tests.kubernetes.cluster import pod, policy, snapshot, space, written
from tests.spoiling import examples, junk, spoiled_snapshots

NODE = "gke-prod-main-0a1b-x1yz"
GROUP = f"{API}/projects/{PROJECT}/zones/us-central1-a/instanceGroupManagers/{NODE[:-5]}-grp"
REGION = f"{API}/projects/{PROJECT}/regions/us-central1"
BUCKET = "//storage.googleapis.com/b"
RUN = "locations/us-central1/services/s"
SERVICES: dict[str, list[Any]] = {
    "sqladmin.instances": [
        asset(
            "sqladmin", "instances/db", name="db", region="us-central1",
            settings={
                "ipConfiguration": {
                    "ipv4Enabled": True, "authorizedNetworks": [{"value": "203.0.113.0/24"}],
                    "privateNetwork": f"projects/{PROJECT}/global/networks/n", "pscConfig": {"pscEnabled": True},
                },
                "userLabels": {"a": "b"},
            },
        )
    ],
    "alloydb.instances": [
        asset(
            "alloydb", "locations/l/clusters/c/instances/i",
            networkConfig={"enablePublicIp": True, "authorizedExternalNetworks": [{"cidrRange": "203.0.113.0/24"}]},
        )
    ],
    "redis.instances": [asset("redis", "locations/l/instances/i", authorizedNetwork="n", connectMode="DIRECT_PEERING")],
    "redis.clusters": [asset("redis", "locations/l/clusters/c", pscConfigs=[{"network": "n"}])],
    "container.clusters": [
        asset(
            "container", "locations/us-central1/clusters/prod", name="prod", network="n",
            masterAuthorizedNetworksConfig={"enabled": True, "cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}]},
            controlPlaneEndpointsConfig={"ipEndpointsConfig": {"enabled": True, "enablePublicEndpoint": True}},
            networkConfig={"datapathProvider": "ADVANCED_DATAPATH", "defaultSnatStatus": {"disabled": False}},
            networkPolicy={"enabled": False}, resourceLabels={"env": "prod"},
            nodePools=[{"instanceGroupUrls": [GROUP]}],
        )
    ],
    "container.node_pools": [
        asset("container", "locations/us-central1/clusters/prod/nodePools/main", instanceGroupUrls=[])
    ],
    "run.services": [
        asset("run", RUN, ingress="INGRESS_TRAFFIC_ALL"),
        asset("run", "services/t", metadata={"name": "t", "annotations": {"run.googleapis.com/ingress": "internal"}}),
    ],
    "cloudfunctions.functions": [
        asset("cloudfunctions", "locations/l/functions/f", httpsTrigger={}, ingressSettings="ALLOW_ALL"),
        asset("cloudfunctions", "locations/l/functions/g", serviceConfig={"service": f"projects/{PROJECT}/{RUN}"}),
    ],
    "storage.buckets": [
        {
            "assetName": BUCKET, "name": "b", "location": "EU", "acl": [{"entity": "allUsers", "role": "READER"}],
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "inherited"},
            "ipFilter": {"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": ["203.0.113.0/24"]}},
        }
    ],
    "bigquery.datasets": [
        {"datasetReference": {"datasetId": "d"}, "access": [{"iamMember": "allUsers"}], "location": "US"}
    ],
    "storage.bucket_iam_policies": [bindings(BUCKET, ("roles/storage.objectViewer", "allUsers"), condition=True)],
    "bigquery.dataset_iam_policies": [],
    "run.service_iam_policies": [
        bindings(f"//run.googleapis.com/projects/{PROJECT}/{RUN}", ("roles/run.invoker", "allUsers"))
    ],
    "cloudresourcemanager.projects": [{"name": "projects/1001", "projectId": PROJECT, "projectNumber": "1001"}],
    "accesscontextmanager.access_levels": [
        {"name": "accessPolicies/1/accessLevels/l", "basic": {"conditions": [{"ipSubnetworks": ["203.0.113.0/24"]}]}}
    ],
    "accesscontextmanager.service_perimeters": [
        {
            "name": "accessPolicies/1/servicePerimeters/p",
            "status": {
                "resources": ["projects/1001"],
                "restrictedServices": ["storage.googleapis.com", "bigquery.googleapis.com"],
                "accessLevels": ["accessPolicies/1/accessLevels/l"],
                "ingressPolicies": [
                    {
                        "ingressFrom": {"identityType": "ANY_IDENTITY", "sources": [{"accessLevel": "*"}]},
                        "ingressTo": {"operations": [{"serviceName": "*"}], "resources": ["*"]},
                    }
                ],
            },
        }
    ],
    "networkconnectivity.hubs": [asset("networkconnectivity", "locations/global/hubs/h")],
}  # fmt: skip
BALANCERS: dict[str, list[Any]] = {
    "compute.forwarding_rules": [
        {
            "name": "front", "selfLink": f"{REGION}/forwardingRules/front", "region": REGION, "IPAddress": "34.9.0.1",
            "IPProtocol": "TCP", "portRange": "80-80", "loadBalancingScheme": "EXTERNAL",
            "backendService": f"{REGION}/backendServices/back",
        },
        {
            "name": "all", "selfLink": f"{REGION}/forwardingRules/all", "region": REGION, "IPAddress": "10.0.0.99",
            "IPProtocol": "TCP", "ports": ["443"], "loadBalancingScheme": "INTERNAL_MANAGED",
            "target": f"{REGION}/targetHttpProxies/proxy", "network": f"{API}/projects/{PROJECT}/global/networks/n",
        },
        {
            "name": "psc", "selfLink": f"{REGION}/forwardingRules/psc", "region": REGION, "IPAddress": "10.0.0.98",
            "target": f"{REGION}/serviceAttachments/published", "pscConnectionStatus": "ACCEPTED",
            "network": f"{API}/projects/{PROJECT}/global/networks/n",
        },
    ],
    "compute.target_http_proxies": [
        {"name": "proxy", "selfLink": f"{REGION}/targetHttpProxies/proxy", "urlMap": f"{REGION}/urlMaps/map"}
    ],
    "compute.url_maps": [
        {
            "name": "map", "selfLink": f"{REGION}/urlMaps/map", "defaultService": f"{REGION}/backendServices/back",
            "pathMatchers": [{"pathRules": [{"service": f"{REGION}/backendServices/back", "paths": ["/a"]}]}],
        }
    ],
    "compute.backend_services": [
        {
            "name": "back", "selfLink": f"{REGION}/backendServices/back", "protocol": "TCP", "port": 80,
            "loadBalancingScheme": "EXTERNAL", "backends": [{"group": f"{REGION}/networkEndpointGroups/neg"}],
            "healthChecks": [f"{REGION}/healthChecks/hc"], "securityPolicy": f"{REGION}/securityPolicies/armor",
        }
    ],
    "compute.network_endpoint_groups": [
        {
            "name": "neg", "selfLink": f"{REGION}/networkEndpointGroups/neg", "networkEndpointType": "GCE_VM_IP_PORT",
            "network": f"{API}/projects/{PROJECT}/global/networks/n",
        }
    ],
    "compute.security_policies": [{"name": "armor", "rules": [{"action": "deny(403)", "priority": 1}]}],
    "compute.service_attachments": [
        {
            "name": "published", "selfLink": f"{REGION}/serviceAttachments/published",
            "connectionPreference": "ACCEPT_AUTOMATIC", "natSubnets": [f"{REGION}/subnetworks/s"],
            "targetService": f"{REGION}/forwardingRules/front",
            "connectedEndpoints": [{"endpoint": f"{REGION}/forwardingRules/psc", "status": "ACCEPTED"}],
        }
    ],
}  # fmt: skip


def rich() -> Raw:
    """A project with something of each kind that Compute knows."""
    raw = Raw()
    for name in ("n", "m"):
        raw.network(name, before=name == "m")
    raw.subnet("n", "s", "10.0.0.0/24", secondary={"pods": "10.4.0.0/16"}, six="fd20:1::/64")
    raw.subnet("m", "t", "10.1.0.0/24")
    raw.item("s", "subnetworks")["logConfig"] = {"enable": True, "flowSampling": 0.5, "filterExpr": "true"}
    raw.peering("n", "m", export=True, imports=True)
    raw.peering("m", "n", export=True, imports=True)
    value = secure_tag(raw, "5", "n")
    raw.vm(
        NODE, Card("s", "10.0.0.4", "34.1.1.1", aliases=("10.4.0.0/24",), six="fd20:1::4:0:0"), tags=["gke-prod"],
        account="nodes@shop.iam.gserviceaccount.com", forwards=True, secure=[value],
    )  # fmt: skip
    raw.vm("db", Card("t", "10.1.0.9"), tags=["db"])
    raw.firewall("n", vpc("allow", "tcp:443"), vpc("deny", "all", egress=True, to=["10.1.0.0/24"], target_tags=["db"]))
    raw.firewall("n", vpc("allow", "tcp:1-2", tags=["gke-prod"]) | {"logConfig": {"enable": True}})
    listed = group(raw, "list", "203.0.113.0/24")
    raw.policy("global", ["n"], policy_rule(1, "allow", "tcp:22", match={"srcAddressGroups": [listed]}))
    raw.policy("regional", ["m"], policy_rule(2, "deny", secure=["tagValues/5"]), region="us-central1")
    raw.above("n", [policy_rule(3, "goto_next", match={"srcFqdns": ["example.com"], "srcRegionCodes": ["CH"]})])
    raw.system("n", "us-central1", policy_rule(4, "allow", sources=["10.0.0.0/8"]))
    raw.route("n", "out", "0.0.0.0/0", "gateway")
    raw.route("n", "hop", "10.8.0.0/24", "instance", NODE)
    nat(raw, "n", "nat", addresses=("34.2.2.2",))
    tunnel(raw, "n", "vpn")
    return raw


def cluster() -> Snapshot:
    """A cluster whose pods bear addresses of the node's range, and of the one to which a route leads."""
    status = {"addresses": [{"type": "InternalIP", "address": "10.0.0.4"}]}
    spec = {"providerID": f"gce://{PROJECT}/us-central1-a/{NODE}"}
    labels = {"labels": {"cloud.google.com/gke-nodepool": "main"}}
    pods = [pod(name) | {"status": {"podIP": address}} for name, address in (("a", "10.4.0.5"), ("b", "10.8.0.5"))]
    settings = written("ConfigMap", "ip-masq-agent", "kube-system") | {"data": {"config": "nonMasqueradeCIDRs: []"}}
    shut = policy("shut", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})
    agent = written("DaemonSet", "ip-masq-agent", "kube-system", spec={"template": {"spec": {"containers": []}}})
    return snapshot(
        space("shop"), written("Node", NODE, metadata=labels, spec=spec, status=status), *pods, shut, settings, agent
    )


def answers() -> dict[Part, Any]:
    found: dict[Part, Any] = {}
    for each in (snapshot_of(rich().answers), cluster()):
        found |= {part: each.read(part) for part in each.parts()}
    for what, items in (SERVICES | BALANCERS).items():
        service, _, operation = what.partition(".")
        found[Part("gcp", PROJECT, "global", service, operation)] = {"items": items}
    about = f"projects/{PROJECT}/regions/us-central1/networkEndpointGroups/neg"
    endpoint = {"networkEndpoint": {"ipAddress": "10.4.0.5", "port": 8080, "instance": NODE}}
    found[Part("gcp", PROJECT, "global", "compute", "network_endpoints", about)] = {"items": [endpoint]}
    return found


WHOLE = {part: answer for part, answer in answers().items() if answer.get("items")}
ODD = junk("", "0.0.0.0/0", "\x1b[31m", {"items": {}}, {"name": None}, f"{API}/projects/{PROJECT}/global/networks/n")


@examples(200)
@given(spoiled_snapshots(WHOLE, ODD))
def test_translation_never_raises_and_every_gap_has_its_reason(snapshot: Snapshot) -> None:
    for gap in translate(snapshot).gaps:
        # What a list of a cluster leaves open is told pod by pod.
        assert gap.detail
        assert gap.facets or gap.provider == "kubernetes"


def test_whole_answers_translate_without_anything_malformed() -> None:
    estate = translate(Snapshot.of(WHOLE))
    assert not [gap for gap in estate.gaps if gap.reason == "malformed"]
    assert [len(each) for each in (estate.services, estate.flow_logs, estate.networks)] == [11, 2, 3]
