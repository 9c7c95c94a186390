"""Users who may read single namespaces alone: what is asked for by namespace, what is known then, and what is not."""

from pathlib import Path
from typing import Any

import pytest

from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit, select_checks
from cloudseg.errors import CollectError
from cloudseg.model import Estate
from cloudseg.providers.kubernetes.collect import collect
from cloudseg.providers.kubernetes.places import Places
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Snapshot
from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.api_server import Asked, Cluster, Reply, Resource, Trouble, denied, kubeconfig, named, serving
from tests.kubernetes.live import items, part, pod, quick, shop

DISCOVERY = ("/api", "/apis", "/apis/authentication.k8s.io/v1/selfsubjectreviews")


def allowing(*namespaces: str, wide: tuple[str, ...] = (), but: str = "") -> Trouble:
    """Deny everything but what is in some namespaces, and some lists of all of them; one kind is denied besides."""

    def trouble(asked: Asked, _before: int) -> Reply | None:
        last = asked.path.rpartition("/")[2]
        if asked.path in DISCOVERY or last in wide or last[:2] == "v1":
            return None
        near = any(f"/namespaces/{name}" in asked.path for name in namespaces)
        return None if near and not (but and but in asked.path) else denied(asked)

    return trouble


def two_namespaces(trouble: Trouble) -> Cluster:
    """A cluster with a namespace beside the shop that has a pod of its own."""
    cluster = shop()
    other = pod("card-1", "card")
    other["metadata"]["namespace"] = "bank"
    for number, added in ((0, named("bank")), (1, other)):
        resource = cluster.resources[number]
        cluster.resources[number] = resource._replace(objects=[*resource.objects, added])
    cluster.trouble = trouble
    return cluster


def read(address: str, folder: Path, namespace: str | None = "shop", **changes: Any) -> Snapshot:
    file = folder / "config"
    if namespace is None:
        kubeconfig(file, prod={"server": address, "cluster": "prod"})
    else:
        kubeconfig(file, prod={"server": address, "cluster": "prod", "namespace": namespace})
    return collect(quick(file, **changes))


def missing(snapshot: Snapshot) -> dict[str, str | None]:
    """The lists that were not read in full, and where."""
    return {gap.operation: gap.resource for gap in snapshot.gaps}


def open_pods(snapshot: Snapshot) -> list[str]:
    """The pods of which something unread may decide."""
    return sorted(each.name for each in translate(snapshot).interfaces.values() if each.attached_unread)


def test_who_may_read_the_namespace_of_the_context_alone_gets_that_one(tmp_path: Path) -> None:
    with serving(two_namespaces(allowing("shop"))) as address:
        snapshot = read(address, tmp_path)
    names = [each["metadata"]["name"] for each in items(snapshot, "core", "pods")]
    assert names == ["web-1", "db-1"]
    elsewhere = "namespaces other than shop"
    assert missing(snapshot) == {
        "deployments": elsewhere,
        "namespaces": elsewhere,
        "networkpolicies": elsewhere,
        "nodes": None,
        "pods": elsewhere,
        "serviceaccounts": elsewhere,
        "services": elsewhere,
    }
    (gap,) = (each for each in snapshot.gaps if each.operation == "pods")
    assert gap.reason == "denied"
    assert gap.detail.startswith('read in 1 namespace alone (shop); grant apiGroups: [""], resources: ["pods"]')


def with_daemons(item: dict[str, Any], trouble: Trouble) -> Cluster:
    cluster = two_namespaces(trouble)
    cluster.resources.append(Resource("apps", "v1", "daemonsets", "DaemonSet", [item]))
    return cluster


def between_pods(estate: Estate) -> tuple[str, str]:
    one, other = sorted(each.id for each in estate.interfaces.values() if ":shop/" in each.id)
    found = Reachability(estate).between(one, other)
    return str(found.lower), str(found.upper)


def test_policies_of_a_namespace_that_was_read_decide_for_sure(tmp_path: Path) -> None:
    with serving(with_daemons(ships.calico(), allowing("shop", wide=("daemonsets",)))) as address:
        estate = translate(read(address, tmp_path))
    assert between_pods(estate) == ("none", "none")
    assert estate.coverage.state("interfaces", "kubernetes", "prod", "global") == "partly"


@pytest.mark.semantics(114)
@pytest.mark.parametrize("item", [ships.flannel(), ships.calico()])
@pytest.mark.parametrize("wide", [(), ("nodes",)])
def test_where_daemons_were_denied_nobody_knows_whether_policies_are_enforced(
    tmp_path: Path, item: dict[str, Any], wide: tuple[str, ...]
) -> None:
    with serving(with_daemons(item, allowing("shop", wide=wide))) as address:
        estate = translate(read(address, tmp_path))
    assert between_pods(estate) == ("none", "all")
    (gap,) = (each for each in estate.gaps if each.what == "network-plugin")
    assert "apps.daemonsets of namespaces other than shop (denied)" in gap.detail
    assert not any("is assumed" in note for note in estate.notes)
    found = run_audit(estate, AuditRequest(checks=select_checks(["unenforced-policy"])))
    assert [each.message for each in found.findings] == ["cluster prod: whether 1 policy is enforced is not known"]


@pytest.mark.semantics(114)
def test_beside_a_plugin_that_enforces_nothing_another_may_run_that_was_not_read(tmp_path: Path) -> None:
    flannel = ships.flannel()
    place = flannel["metadata"]["namespace"]
    told: list[tuple[tuple[str, str], bool]] = []
    for wide in (("namespaces",), ("namespaces", "daemonsets")):
        cluster = with_daemons(flannel, allowing("shop", place, wide=wide))
        cluster.resources[0] = cluster.resources[0]._replace(objects=[*cluster.resources[0].objects, named(place)])
        with serving(cluster) as address:
            estate = translate(read(address, tmp_path))
        told.append((between_pods(estate), any("Flannel enforces none itself" in gap.detail for gap in estate.gaps)))
    assert told == [(("none", "all"), True), (("all", "all"), False)]


@pytest.mark.semantics(114)
def test_where_nodes_were_denied_and_no_daemon_is_a_plugin_nobody_knows_either(tmp_path: Path) -> None:
    with serving(two_namespaces(allowing("shop", "bank", wide=("namespaces",)))) as address:
        estate = translate(read(address, tmp_path))
    assert between_pods(estate) == ("none", "all")
    (gap,) = (each for each in estate.gaps if each.what == "network-plugin")
    assert "core.nodes (denied)" in gap.detail


def test_the_labels_of_the_namespace_of_the_context_are_read_where_the_list_is_denied(tmp_path: Path) -> None:
    with serving(two_namespaces(allowing("shop"))) as address:
        snapshot = read(address, tmp_path)
    assert [each["metadata"]["labels"] for each in items(snapshot, "core", "namespaces")] == [{"env": "prod"}]


def test_a_context_without_a_namespace_means_the_default_one(tmp_path: Path) -> None:
    cluster = two_namespaces(allowing("default"))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, namespace=None)
    assert items(snapshot, "core", "pods") == []
    assert missing(snapshot)["pods"] == "namespaces other than default"


@pytest.mark.parametrize("aggregated", [True, False])
def test_where_namespaces_are_listed_each_is_asked_and_kinds_without_namespaces_are_not(
    tmp_path: Path, *, aggregated: bool
) -> None:
    cluster = two_namespaces(allowing("shop", "bank", wide=("namespaces",)))
    cluster.aggregated = aggregated
    cluster.resources.append(Resource("policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", "A"))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert sorted(each["metadata"]["name"] for each in items(snapshot, "core", "pods")) == ["card-1", "db-1", "web-1"]
    assert missing(snapshot) == {"adminnetworkpolicies": None, "nodes": None}
    assert not [path for path in cluster.paths() if "/namespaces/" in path and path.endswith("/nodes")]
    assert [path for path in cluster.paths() if path.endswith("adminnetworkpolicies")] == [
        "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies"
    ]


def test_policies_that_are_denied_in_one_namespace_leave_the_pods_of_that_one_open(tmp_path: Path) -> None:
    cluster = two_namespaces(allowing("shop", wide=("namespaces", "pods", "nodes", "deployments")))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert missing(snapshot)["networkpolicies"] == "namespaces bank"
    assert open_pods(snapshot) == ["card-1"]
    estate = translate(snapshot)
    told = [(each.region, each.state) for each in estate.coverage.places("groups")]
    assert told == [("global", "read"), ("namespaces bank", "partly")]
    document = run_audit(estate, AuditRequest())
    (source,) = document.sources
    assert [(each.region, each.what) for each in source.gaps if "policies" in each.what] == [
        ("namespaces bank", "networking.k8s.io.networkpolicies")
    ]
    assert "overbroad-ports" in {each.id for each in document.checks if each.status == "partly"}


@pytest.mark.parametrize(
    ("group", "plural", "kind"),
    [
        ("security.istio.io", "authorizationpolicies", "AuthorizationPolicy"),
        ("consul.hashicorp.com", "serviceintentions", "ServiceIntentions"),
        ("example.net", "strangenetworkpolicies", "StrangeNetworkPolicy"),
    ],
)
def test_a_kind_that_decides_beyond_its_namespace_leaves_all_pods_open(
    tmp_path: Path, group: str, plural: str, kind: str
) -> None:
    cluster = two_namespaces(allowing("shop", wide=("namespaces", "pods")))
    cluster.resources.append(Resource(group, "v1", plural, kind))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert missing(snapshot)[plural] == "namespaces bank"
    assert open_pods(snapshot) == ["card-1", "db-1", "web-1"]


def test_a_kind_that_is_denied_everywhere_is_one_gap(tmp_path: Path) -> None:
    cluster = two_namespaces(allowing("shop", wide=("namespaces", "pods"), but="networkpolicies"))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert missing(snapshot)["networkpolicies"] is None
    assert part("networking.k8s.io", "networkpolicies") not in snapshot
    assert open_pods(snapshot) == ["card-1", "db-1", "web-1"]


def test_requests_by_namespace_are_bounded_and_the_namespace_of_the_context_comes_first(tmp_path: Path) -> None:
    cluster = two_namespaces(allowing("shop", "bank", wide=("namespaces", "nodes")))
    spaces = [named("shop"), *(named(f"bank-{number}") for number in range(50))]
    cluster.resources[0] = cluster.resources[0]._replace(objects=spaces)
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, narrow_lists=10)
    asked = [path for path in cluster.paths() if "/namespaces/" in path]
    assert len(asked) == 10
    assert sum("/namespaces/shop/" in path for path in asked) == 5
    (gap,) = (each for each in snapshot.gaps if each.operation == "pods")
    assert gap.resource is not None
    assert Places.read(gap.resource) is not None
    assert (
        "read in 2 namespaces alone (bank-0, shop); 49 namespaces not asked for, since there are so many" in gap.detail
    )


def test_nothing_is_asked_by_namespace_where_nothing_is_denied(tmp_path: Path) -> None:
    cluster = two_namespaces(lambda _asked, _before: None)
    with serving(cluster) as address:
        assert read(address, tmp_path).gaps == ()
    assert not [path for path in cluster.paths() if "/namespaces/" in path]


def test_who_may_read_nothing_anywhere_is_told_so_in_one_line(tmp_path: Path) -> None:
    with serving(two_namespaces(allowing())) as address, pytest.raises(CollectError, match="may read none of 7 lists"):
        read(address, tmp_path)


@pytest.mark.parametrize("places", [Places(("a",)), Places(("a", "b-1")), Places(("a", "b"), others=True)])
def test_namespaces_of_a_gap_are_read_again_from_their_words(places: Places) -> None:
    assert Places.read(places.words) == places
    assert [places.hold(name) for name in ("a", "z")] == [not places.others, places.others]


@pytest.mark.parametrize("words", ["", "kube-system/cilium-config", "namespaces ", "namespaces A", "a.yaml:1"])
def test_other_words_name_no_namespaces(words: str) -> None:
    assert Places.read(words) is None
