"""Reading a live cluster: what is asked for, what is kept, and under which names."""

import json
from pathlib import Path

import pytest
import yaml

from cloudseg.cli.sources import translate
from cloudseg.providers.kubernetes.listed import LISTED, NEVER
from cloudseg.providers.kubernetes.role import cluster_role, rules
from cloudseg.snapshot import load, save
from cloudseg.traffic import AddressSet
from tests.kubernetes.api_server import Cluster, Resource, denied, named, serving
from tests.kubernetes.live import SECRET, gaps, items, part, pod, read, shop


def test_every_list_of_the_table_that_is_served_is_read_and_nothing_else(tmp_path: Path) -> None:
    cluster = shop()
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert [each.path for each in snapshot.parts()] == [
        "kubernetes/prod/global/apps/deployments.json",
        "kubernetes/prod/global/core/namespaces.json",
        "kubernetes/prod/global/core/nodes.json",
        "kubernetes/prod/global/core/pods.json",
        "kubernetes/prod/global/core/serviceaccounts.json",
        "kubernetes/prod/global/core/services.json",
        "kubernetes/prod/global/networking.k8s.io/networkpolicies.json",
    ]
    assert snapshot.gaps == ()


def with_cilium(**data: str) -> Cluster:
    cluster = shop()
    cluster.resources.append(Resource("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"))
    own = named("cilium-config", "kube-system", data={"key": SECRET, **data})
    cluster.resources = [
        each._replace(objects=[*each.objects, own]) if each.plural == "configmaps" else each
        for each in cluster.resources
    ]
    return cluster


def test_of_config_maps_only_those_that_decide_how_policies_are_enforced_are_asked_for_by_name(tmp_path: Path) -> None:
    cluster = with_cilium(**{"enable-policy": "never"})
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert [each for each in cluster.paths() if "configmaps" in each] == [
        "/api/v1/namespaces/kube-system/configmaps/cilium-config"
    ]
    (kept,) = items(snapshot, "core", "configmaps")
    assert kept["data"] == {"enable-policy": "never"}
    assert snapshot.gaps == ()


def test_a_config_map_that_is_not_there_is_no_gap_and_one_that_is_denied_names_the_right(tmp_path: Path) -> None:
    cluster = shop()
    cluster.resources.append(Resource("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"))
    with serving(cluster) as address:
        assert read(address, tmp_path).gaps == ()
    cluster.trouble = lambda asked, _before: denied(asked) if "configmaps" in asked.path else None
    with serving(cluster) as address:
        (gap,) = read(address, tmp_path).gaps
    assert (gap.operation, gap.resource, gap.reason) == ("configmaps", "kube-system/cilium-config", "denied")
    assert 'resourceNames: ["cilium-config"]' in gap.detail


def test_secrets_are_never_asked_for_and_config_maps_of_others_neither(tmp_path: Path) -> None:
    cluster = shop()
    with serving(cluster) as address:
        read(address, tmp_path)
    assert not [path for path in cluster.paths() if "secrets" in path or "configmaps" in path]


def test_a_list_is_kept_as_the_server_lists_it_with_the_kind_of_every_object(tmp_path: Path) -> None:
    with serving(shop()) as address:
        snapshot = read(address, tmp_path)
    answer = snapshot.read(part("networking.k8s.io", "networkpolicies"))
    assert answer == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicyList",
        "items": [
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "deny-all", "namespace": "shop", "uid": "uid-deny-all"},
                "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
            }
        ],
    }


def test_the_manifest_says_who_read_which_cluster(tmp_path: Path) -> None:
    with serving(shop()) as address:
        snapshot = read(address, tmp_path)
    (scope,) = snapshot.scopes
    assert (scope.provider, scope.scope, scope.caller, scope.name) == ("kubernetes", "prod", "auditor", "prod")
    assert snapshot.manifest is not None
    assert snapshot.manifest.tool.startswith("cloudseg ")
    assert len(snapshot.manifest.files) == 7


def test_who_may_not_review_himself_is_named_as_in_the_kubeconfig(tmp_path: Path) -> None:
    cluster = shop()
    cluster.user = None
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert snapshot.scopes[0].caller == "prod-user"
    assert snapshot.gaps == ()


def test_a_saved_snapshot_gives_the_estate_of_the_live_cluster(tmp_path: Path) -> None:
    with serving(shop()) as address:
        live = read(address, tmp_path)
    save(live, tmp_path / "kept.zip")
    assert translate(load(tmp_path / "kept.zip")) == translate(live)
    assert sorted(each.name for each in translate(live).interfaces.values()) == ["db-1", "web-1"]


def test_pages_are_put_together(tmp_path: Path) -> None:
    cluster = shop()
    cluster.resources[1] = Resource("", "v1", "pods", "Pod", [pod(f"web-{number}", "web") for number in range(7)])
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, page=3)
    assert [each["metadata"]["name"] for each in items(snapshot, "core", "pods")] == [f"web-{n}" for n in range(7)]
    assert [asked.query for asked in cluster.asked if asked.path == "/api/v1/pods"] == [
        {"limit": "3"},
        {"limit": "3", "continue": "3"},
        {"limit": "3", "continue": "6"},
    ]


def test_an_older_server_tells_its_kinds_group_by_group(tmp_path: Path) -> None:
    cluster = shop()
    cluster.aggregated = False
    with serving(cluster) as address:
        old = read(address, tmp_path)
    with serving(shop()) as address:
        new = read(address, tmp_path)
    assert [each.path for each in old.parts()] == [each.path for each in new.parts()]
    assert all(old.read(each) == new.read(each) for each in new.parts())


@pytest.mark.parametrize("aggregated", [True, False])
def test_of_several_versions_the_one_that_the_server_prefers_is_read(tmp_path: Path, *, aggregated: bool) -> None:
    cluster = shop()
    cluster.aggregated = aggregated
    cluster.resources += [
        Resource("crd.antrea.io", "v1beta1", "tiers", "Tier", [named("new")]),
        Resource("crd.antrea.io", "v1beta2", "tiers", "Tier", [named("old")]),
        Resource("crd.antrea.io", "v1beta2", "groups", "Group", [named("only-here")]),
    ]
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert [each["metadata"]["name"] for each in items(snapshot, "crd.antrea.io", "tiers")] == ["new"]
    assert [each["apiVersion"] for each in items(snapshot, "crd.antrea.io", "groups")] == ["crd.antrea.io/v1beta2"]


def test_a_policy_of_a_kind_that_nobody_knows_is_read_and_bounds_its_pods(tmp_path: Path) -> None:
    cluster = shop()
    policy = named("odd", "shop", spec={"anything": 1})
    cluster.resources.append(Resource("example.net", "v1", "strangenetworkpolicies", "StrangeNetworkPolicy", [policy]))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert len(items(snapshot, "example.net", "strangenetworkpolicies")) == 1
    estate = translate(snapshot)
    assert [gap.reason for gap in estate.gaps] == ["unsupported"]
    assert all(interface.attached_unread for interface in estate.interfaces.values())


@pytest.mark.parametrize(
    "other",
    [
        Resource("example.net", "v1", "dashboards", "Dashboard", [named("a")]),
        Resource("stats.antrea.io", "v1alpha1", "networkpolicystats", "NetworkPolicyStats", [named("a")]),
        Resource("crd.projectcalico.org", "v1", "stagednetworkpolicies", "StagedNetworkPolicy", [named("a")]),
        Resource("example.net", "v1", "networkpolicyreviews", "NetworkPolicyReview", (), ("create",)),
    ],
)
def test_kinds_that_decide_nothing_are_not_asked_for(tmp_path: Path, other: Resource) -> None:
    cluster = shop()
    cluster.resources.append(other)
    with serving(cluster) as address:
        read(address, tmp_path)
    assert other.path not in cluster.paths()


def test_calico_is_read_where_no_tier_can_be_hidden(tmp_path: Path) -> None:
    cluster = shop()
    stored = Resource("crd.projectcalico.org", "v1", "networkpolicies", "NetworkPolicy", [named("default.a", "shop")])
    shown = Resource("projectcalico.org", "v3", "networkpolicies", "NetworkPolicy")
    cluster.resources += [shown, stored]
    with serving(cluster) as address:
        read(address, tmp_path)
    assert stored.path in cluster.paths()
    assert shown.path not in cluster.paths()
    cluster = shop()
    cluster.resources.append(shown)
    with serving(cluster) as address:
        read(address, tmp_path)
    assert shown.path in cluster.paths()


def test_of_custom_resource_definitions_the_names_alone_are_asked_for_and_kept(tmp_path: Path) -> None:
    definition = named("tiers.crd.antrea.io", spec={"group": "crd.antrea.io", "versions": [{"schema": SECRET}]})
    crds = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", [definition])
    cluster = shop()
    cluster.resources.append(crds)
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert items(snapshot, "apiextensions.k8s.io", "customresourcedefinitions") == [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "tiers.crd.antrea.io"},
        }
    ]
    (asked,) = [each for each in cluster.asked if each.path == crds.path]
    assert asked.headers["Accept"].startswith("application/json;as=PartialObjectMetadataList")


def test_nothing_is_sent_but_lists_discovery_and_the_review_of_oneself(tmp_path: Path) -> None:
    cluster = shop()
    with serving(cluster) as address:
        read(address, tmp_path)
    posted = [asked.path for asked in cluster.asked if asked.method != "GET"]
    assert posted == ["/apis/authentication.k8s.io/v1/selfsubjectreviews"]


def test_the_role_grants_every_list_that_is_asked_for(tmp_path: Path) -> None:
    cluster = shop()
    cluster.resources = [
        Resource(group, "v1", plural, f"Kind{number}", (), ("get", "list"))
        for group, plurals in LISTED.items()
        for number, plural in enumerate(plurals)
        if group != "projectcalico.org"
    ]
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    granted = {
        (rule.group or "core", plural) for rule in rules() for plural in rule.resources if rule.verbs == ("list",)
    }
    # Config maps are asked for one by one.
    asked = {(each.service, each.operation) for each in snapshot.parts()} - {("core", "configmaps")}
    assert asked <= granted
    assert {group for group, _ in granted - asked} == {"projectcalico.org"}


def test_the_role_grants_nothing_but_to_list_and_no_secrets() -> None:
    assert {verb for rule in rules() for verb in rule.verbs} == {"get", "list"}
    assert [(rule.group, rule.resources, rule.names) for rule in rules() if rule.verbs != ("list",)] == [
        (
            "",
            ("configmaps",),
            (
                "cilium-config",
                "amazon-vpc-cni",
                "azure-ip-masq-agent-config",
                "azure-ip-masq-agent-config-reconciled",
                "ip-masq-agent",
                "istio",
                "istio-sidecar-injector",
                "linkerd-config",
                "linkerd-cni-config",
                "consul-server-config",
                "consul-server-tmp-extra-config",
            ),
        ),
        ("projectcalico.org", ("tiers",), ()),
    ]
    assert not {(rule.group, each) for rule in rules() if not rule.names for each in rule.resources} & NEVER


def test_the_published_role_is_the_one_of_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs/kubernetes-role.yaml").read_text(encoding="utf-8")
    assert text == cluster_role()
    listed = [
        {"apiGroups": [rule.group], "resources": list(rule.resources), "verbs": list(rule.verbs)}
        | ({"resourceNames": list(rule.names)} if rule.names else {})
        for rule in rules()
    ]
    assert yaml.safe_load(text)["rules"] == listed


def test_no_secret_of_a_pod_gets_into_a_snapshot(tmp_path: Path) -> None:
    cluster = shop()
    spec = {
        "containers": [
            {
                "name": "main",
                "image": "shop/web:1",
                "command": ["run", f"--password={SECRET}"],
                "args": ["--enable-network-policy=true", "--token", SECRET],
                "env": [{"name": "PASSWORD", "value": SECRET}, {"name": "EXPECT_NPC", "value": "0"}],
                "envFrom": [{"secretRef": {"name": SECRET}}],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": SECRET}]}},
            }
        ],
        "volumes": [{"name": "v", "csi": {"volumeAttributes": {"key": SECRET}}}],
        "imagePullSecrets": [{"name": SECRET}],
    }
    applied = {
        "kubectl.kubernetes.io/last-applied-configuration": SECRET,
        "consul.hashicorp.com/original-pod": SECRET,
        "kept": "yes",
    }
    template = {"metadata": {"annotations": applied}, "spec": spec}
    job = {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}
    cluster.resources += [
        Resource("apps", "v1", "daemonsets", "DaemonSet", [named("d", "shop", spec={"template": template})]),
        Resource("batch", "v1", "cronjobs", "CronJob", [named("c", "shop", spec=job)]),
    ]
    cluster.resources[1] = Resource(
        "", "v1", "pods", "Pod", [named("p", "shop", metadata={"annotations": applied}, spec=spec)]
    )
    cluster.resources[3] = Resource(
        "", "v1", "serviceaccounts", "ServiceAccount", [named("s", "shop", secrets=[{"name": SECRET}])]
    )
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    save(snapshot, tmp_path / "kept")
    texts = {path.name: path.read_text() for path in (tmp_path / "kept").rglob("*.json")}
    assert [name for name, text in texts.items() if SECRET in text or "managedFields" in text] == []
    assert items(snapshot, "core", "pods")[0]["metadata"]["annotations"] == {"kept": "yes"}
    kept: dict[str, object] = {
        "name": "main",
        "image": "shop/web:1",
        "args": ["--enable-network-policy=true"],
        "env": [{"name": "EXPECT_NPC", "value": "0"}],
        "envFrom": [{}],
    }
    assert items(snapshot, "apps", "daemonsets")[0]["spec"]["template"]["spec"]["containers"] == [kept]
    cron = items(snapshot, "batch", "cronjobs")[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert cron["containers"] == [kept]


def test_what_tells_who_reaches_whom_is_kept(tmp_path: Path) -> None:
    cluster = shop()
    whole = pod("web-1", "web", hostNetwork=True, initContainers=[{"name": "proxy", "restartPolicy": "Always"}])
    cluster.resources[1] = Resource("", "v1", "pods", "Pod", [whole])
    with serving(cluster) as address:
        (kept,) = items(read(address, tmp_path), "core", "pods")
    assert kept["spec"] == whole["spec"]
    assert kept["status"] == whole["status"]
    assert kept["metadata"]["labels"] == {"app": "web"}


def test_a_server_that_goes_without_a_group_has_no_gap_for_it(tmp_path: Path) -> None:
    with serving(shop()) as address:
        assert gaps(read(address, tmp_path)) == []


def test_json_of_the_saved_snapshot_is_that_of_the_live_run(tmp_path: Path) -> None:
    with serving(shop()) as address:
        live = read(address, tmp_path)
    save(live, tmp_path / "kept")
    kept = load(tmp_path / "kept")
    assert json.dumps([live.read(each) for each in live.parts()]) == json.dumps([kept.read(e) for e in kept.parts()])


def test_pods_of_a_deployment_that_runs_are_one_endpoint_with_all_their_addresses(tmp_path: Path) -> None:
    cluster = shop()
    labels = {"app": "web", "pod-template-hash": "5d"}

    def owned(name: str, kind: str, owner: str, **fields: object) -> dict[str, object]:
        owners = [{"kind": kind, "name": owner, "controller": True, "uid": "1"}]
        return named(name, "shop", metadata={"labels": labels, "ownerReferences": owners}, **fields)

    container = {"name": "main", "env": [{"name": "A", "value": "b"}], "ports": [{"name": "http", "containerPort": 80}]}
    spec = {"containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    pods = [
        owned(f"web-5d-{n}", "ReplicaSet", "web-5d", spec=spec, status={"phase": "Running", "podIP": f"10.1.0.{n}"})
        for n in (1, 2)
    ]
    cluster.resources[1] = Resource("", "v1", "pods", "Pod", pods)
    cluster.resources += [
        Resource("apps", "v1", "replicasets", "ReplicaSet", [
            owned("web-5d", "Deployment", "web", spec={"replicas": 2, "template": template})
        ]),
    ]  # fmt: skip
    cluster.resources[7] = Resource(
        "apps", "v1", "deployments", "Deployment",
        [named("web", "shop", spec={"template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}})],
    )  # fmt: skip
    with serving(cluster) as address:
        (interface,) = translate(read(address, tmp_path)).interfaces.values()
    assert interface.id == "kubernetes:prod:shop/web[Deployment]"
    assert interface.addresses == AddressSet.from_cidrs(["10.1.0.1", "10.1.0.2"])


def test_that_none_of_the_config_maps_is_there_is_told_by_an_empty_list(tmp_path: Path) -> None:
    cluster = shop()
    cluster.resources = [
        *cluster.resources,
        Resource("networking.gke.io", "v1alpha1", "fqdnnetworkpolicies", "FQDNNetworkPolicy", (), ("list",)),
    ]
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert [path for path in cluster.paths() if "configmaps" in path] == [
        "/api/v1/namespaces/kube-system/configmaps/ip-masq-agent"
    ]
    assert items(snapshot, "core", "configmaps") == []
