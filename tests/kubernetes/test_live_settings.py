"""The settings of meshes in a live cluster: asked for by name, kept as far as they are judged, and what they decide."""

import json
from pathlib import Path

import pytest
import yaml

from cloudseg.cli.sources import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Snapshot
from tests.kubernetes.api_server import Cluster, Fields, Resource, denied, named, serving
from tests.kubernetes.live import SECRET, gaps, items, pod, read, shop

NOT_TCP = "all except tcp"
VALUES = {
    "clusterNetworks": "10.0.0.0/8",
    "identityTrustAnchorsPEM": SECRET,
    "identityTrustDomain": "example.net",
    "proxy": {"cores": 2, "defaultInboundPolicy": "deny"},
    "proxyInit": {"ignoreInboundPorts": "", "ignoreOutboundPorts": "4567,4568", "logLevel": "info"},
}
DENY = f'{{"acl": {{"enabled": true, "default_policy": "deny", "tokens": {{"agent": "{SECRET}"}}}}}}'
SERVER = f'{{"server": true, "encrypt": "{SECRET}"}}'


def meshed(cluster: Cluster, maps: list[Fields], kind: Resource, notes: dict[str, str]) -> Cluster:
    """A cluster whose pods are part of a mesh, with config maps and an API of the mesh."""
    cluster.resources = [
        each._replace(objects=[*each.objects, *maps]) if each.plural == "configmaps" else each
        for each in cluster.resources
        if each.plural != "networkpolicies"
    ]
    pods = [pod("web-1", "web"), pod("db-1", "db")]
    for each in pods:
        each["metadata"]["annotations"] = notes
        each["spec"]["containers"] += [{"name": "linkerd-proxy"}, {"name": "consul-dataplane"}]
    cluster.resources[1] = cluster.resources[1]._replace(objects=pods)
    cluster.resources.append(kind)
    return cluster


def with_linkerd(values: str) -> Cluster:
    own = named("linkerd-config", "linkerd", data={"values": values, "other": SECRET})
    kind = Resource("policy.linkerd.io", "v1beta3", "servers", "Server")
    return meshed(shop(), [own], kind, {"linkerd.io/inject": "enabled"})


def with_consul(**maps: dict[str, str]) -> Cluster:
    listed = [named(name.replace("_", "-"), "consul", data=data) for name, data in maps.items()]
    kind = Resource("consul.hashicorp.com", "v1alpha1", "serviceintentions", "ServiceIntentions")
    return meshed(shop(), listed, kind, {"consul.hashicorp.com/connect-inject": "true"})


def passes(snapshot: Snapshot) -> tuple[str, str]:
    """What surely passes from web to db, and what passes at most."""
    reach = Reachability(translate(snapshot))
    names = sorted(reach.estate.interfaces)
    found = reach.between(names[1], names[0])
    return str(found.lower), str(found.upper)


def test_of_linkerds_values_only_what_is_judged_is_kept(tmp_path: Path) -> None:
    cluster = with_linkerd(yaml.safe_dump(VALUES))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert sorted(path for path in cluster.paths() if "configmaps" in path) == [
        "/api/v1/namespaces/linkerd-cni/configmaps/linkerd-cni-config",
        "/api/v1/namespaces/linkerd/configmaps/linkerd-config",
    ]
    (kept,) = items(snapshot, "core", "configmaps")
    assert list(kept["data"]) == ["values"]
    assert yaml.safe_load(kept["data"]["values"]) == {
        "clusterNetworks": "10.0.0.0/8",
        "identityTrustDomain": "example.net",
        "proxy": {"defaultInboundPolicy": "deny"},
        "proxyInit": {"ignoreInboundPorts": "", "ignoreOutboundPorts": "4567,4568"},
    }
    assert passes(snapshot) == (NOT_TCP, NOT_TCP)


def test_settings_of_linkerd_that_are_there_and_denied_leave_its_default_open(tmp_path: Path) -> None:
    cluster = with_linkerd(yaml.safe_dump(VALUES))
    cluster.trouble = lambda asked, _before: denied(asked) if "configmaps" in asked.path else None
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert sorted((gap.operation, gap.resource, gap.reason) for gap in snapshot.gaps) == [
        ("configmaps", "linkerd-cni/linkerd-cni-config", "denied"),
        ("configmaps", "linkerd/linkerd-config", "denied"),
    ]
    assert passes(snapshot) == (NOT_TCP, "all")


def test_with_linkerds_network_plugin_its_own_settings_count(tmp_path: Path) -> None:
    cluster = with_linkerd(yaml.safe_dump(VALUES | {"cniEnabled": True}))
    own = {"linkerd": {"inbound-ports-to-ignore": ["4191", "4190", "80"]}, "policy": {"k8s_auth_token": SECRET}}
    data = {"cni_network_config": json.dumps(own), "other": SECRET}
    cluster.resources = [
        each._replace(objects=[*each.objects, named("linkerd-cni-config", "linkerd-cni", data=data)])
        if each.plural == "configmaps"
        else each
        for each in cluster.resources
    ]
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert SECRET not in str(items(snapshot, "core", "configmaps"))
    # What passes for sure is Consul's to say, of whose proxies these pods have one, too.
    assert passes(snapshot) == (NOT_TCP, "all except tcp/0-79, tcp/81-65535")


def test_settings_of_linkerd_that_are_no_yaml_are_a_gap(tmp_path: Path) -> None:
    with serving(with_linkerd("proxy: [")) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "configmaps", "malformed")]
    assert passes(snapshot) == (NOT_TCP, "all")


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        ({"consul_server_config": {"server.json": SERVER, "acl-config.json": DENY}}, (NOT_TCP, NOT_TCP)),
        ({"consul_server_config": {"server.json": SERVER}}, ("all except tcp/0-8079, tcp/8081-65535", "all")),
        (
            {
                "consul_server_config": {"server.json": SERVER},
                "consul_server_tmp_extra_config": {"extra-from-values.json": '{"default_intention_policy": "deny"}'},
            },
            (NOT_TCP, NOT_TCP),
        ),
        ({}, (NOT_TCP, "all")),
    ],
)
def test_what_consuls_servers_do_by_default_is_read_of_their_configuration(
    tmp_path: Path, maps: dict[str, dict[str, str]], expected: tuple[str, str]
) -> None:
    with serving(with_consul(**maps)) as address:
        snapshot = read(address, tmp_path)
    assert snapshot.gaps == ()
    lower, upper = passes(snapshot)
    assert (lower, upper) == expected


def test_of_the_configuration_of_consuls_servers_only_its_policies_are_kept(tmp_path: Path) -> None:
    maps = {"consul_server_config": {"server.json": SERVER, "acl-config.json": DENY}}
    with serving(with_consul(**maps)) as address:
        snapshot = read(address, tmp_path)
    (kept,) = items(snapshot, "core", "configmaps")
    assert kept["data"] == {
        "acl-config.json": '{"acl": {"enabled": true, "default_policy": "deny"}}',
        "server.json": "{}",
    }


@pytest.mark.parametrize("trouble", ["denied", "malformed"])
def test_configuration_of_consuls_servers_that_cannot_be_read_leaves_their_default_open(
    tmp_path: Path, trouble: str
) -> None:
    extra = {"extra-from-values.json": "{" if trouble == "malformed" else "{}"}
    cluster = with_consul(
        consul_server_config={"server.json": SERVER, "acl-config.json": DENY}, consul_server_tmp_extra_config=extra
    )
    if trouble == "denied":
        cluster.trouble = lambda asked, _before: denied(asked) if "extra" in asked.path else None
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert [(gap.resource, gap.reason) for gap in snapshot.gaps] == [("consul/consul-server-tmp-extra-config", trouble)]
    assert passes(snapshot) == (NOT_TCP, "all")
