"""A live cluster that is slow, throttles, denies, forgets, closes connections, or talks nonsense."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from cloudseg.cli.sources import translate
from cloudseg.errors import CollectError, CredentialsError
from cloudseg.providers.kubernetes.collect import collect
from tests.kubernetes.api_server import Asked, Fields, Reply, Resource, Trouble, denied, kubeconfig, named, serving
from tests.kubernetes.live import gaps, is_list, items, part, pod, quick, read, shop


def to(plural: str, reply: Reply | Callable[[Asked], Reply], *, times: int = 1_000) -> Trouble:
    """Send a reply in place of a list, so many times."""

    def trouble(asked: Asked, before: int) -> Reply | None:
        if not is_list(asked, plural) or before >= times:
            return None
        return reply(asked) if callable(reply) else reply

    return trouble


def test_a_kind_that_is_denied_is_a_gap_that_names_the_missing_rule(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("networkpolicies", denied)
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    (gap,) = snapshot.gaps
    assert (gap.service, gap.operation, gap.reason) == ("networking.k8s.io", "networkpolicies", "denied")
    assert gap.detail.startswith(
        'grant apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["list"], as'
        " docs/kubernetes-role.yaml does;"
    )
    assert 'User "auditor" cannot list resource' in gap.detail
    assert part("networking.k8s.io", "networkpolicies") not in snapshot


def test_pods_of_a_cluster_whose_policies_were_denied_are_known_at_most(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("networkpolicies", denied)
    with serving(cluster) as address:
        estate = translate(read(address, tmp_path))
    assert len(estate.interfaces) == 2
    assert all(interface.attached_unread for interface in estate.interfaces.values())


@pytest.mark.parametrize(
    ("group", "plural", "kind"),
    [
        ("security.istio.io", "peerauthentications", "PeerAuthentication"),
        ("policy.linkerd.io", "servers", "Server"),
        ("consul.hashicorp.com", "serviceintentions", "ServiceIntentions"),
        ("crd.projectcalico.org", "tiers", "Tier"),
        ("k8s.ovn.org", "egressfirewalls", "EgressFirewall"),
    ],
)
def test_a_denied_list_of_what_decides_leaves_all_pods_open(tmp_path: Path, group: str, plural: str, kind: str) -> None:
    cluster = shop()
    cluster.resources.append(Resource(group, "v1", plural, kind))
    cluster.trouble = to(plural, denied)
    with serving(cluster) as address:
        estate = translate(read(address, tmp_path))
    assert all(interface.attached_unread for interface in estate.interfaces.values())


def test_denied_pods_leave_the_interfaces_read_in_part(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", denied)
    with serving(cluster) as address:
        estate = translate(read(address, tmp_path))
    assert estate.coverage.state("interfaces", "kubernetes", "prod", "global") == "partly"
    assert estate.coverage.state("groups", "kubernetes", "prod", "global") == "read"


def test_everything_denied_is_one_clear_line(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = lambda asked, _: (
        None if asked.path in {"/api", "/apis"} or asked.method == "POST" else denied(asked)
    )
    with serving(cluster) as address, pytest.raises(CollectError) as raised:
        read(address, tmp_path)
    message = str(raised.value)
    assert message.startswith(
        "cannot read the cluster prod (context prod): auditor may read none of 7 lists; grant docs/kubernetes-role.yaml"
    )
    assert "\n" not in message


def test_discovery_that_is_denied_names_the_role_that_grants_it(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = lambda asked, _: denied(asked) if asked.path == "/apis" else None
    with serving(cluster) as address, pytest.raises(CollectError, match="bind the role system:discovery to prod-user"):
        read(address, tmp_path)


def test_credentials_that_are_refused_are_one_clear_line(tmp_path: Path) -> None:
    cluster = shop()
    cluster.token = "another"
    with serving(cluster) as address, pytest.raises(CredentialsError) as raised:
        read(address, tmp_path)
    assert "the credentials of the user prod-user do not do: HTTP status 401" in str(raised.value)
    assert "kubectl --context prod get pods" in str(raised.value)


def test_credentials_that_end_in_the_middle_are_gaps(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("services", Reply(401, b'{"message":"Unauthorized"}'))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "services", "denied")]
    assert "log in again" in snapshot.gaps[0].detail


def test_nobody_listens(tmp_path: Path) -> None:
    with serving(shop()) as address:
        pass
    before = time.monotonic()
    with pytest.raises(CollectError, match=r"cannot read the cluster prod.*look at the server and the proxy"):
        read(address, tmp_path)
    assert time.monotonic() - before < 5


def test_a_server_that_is_none_of_kubernetes_is_told_so(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = lambda _asked, _: Reply(body=b'{"hello": "world"}')
    with serving(cluster) as address, pytest.raises(CollectError, match="does not answer as a Kubernetes API server"):
        read(address, tmp_path)
    cluster.trouble = lambda _asked, _: Reply(body=b"<html>")
    with serving(cluster) as address, pytest.raises(CollectError, match="the answer is no JSON"):
        read(address, tmp_path)


def test_a_server_without_pods_is_no_cluster(tmp_path: Path) -> None:
    cluster = shop()
    cluster.resources = [each for each in cluster.resources if each.plural != "pods"]
    with serving(cluster) as address, pytest.raises(CollectError, match="serves no pods and namespaces"):
        read(address, tmp_path)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(tmp_path: Path, status: int) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(status), times=3)
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert snapshot.gaps == ()
    assert cluster.paths().count("/api/v1/pods") == 4


def test_a_server_gets_the_time_it_asks_for(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(429, headers={"Retry-After": "1"}), times=1)
    with serving(cluster) as address:
        before = time.monotonic()
        snapshot = read(address, tmp_path)
    assert time.monotonic() - before >= 1
    assert snapshot.gaps == ()


def test_a_server_may_ask_for_time_by_a_date(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to(
        "pods", lambda _: Reply(503, headers={"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1))})
    )
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "pods", "unreachable")]
    assert cluster.paths().count("/api/v1/pods") == 1


def test_who_is_throttled_for_too_long_has_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(429, headers={"Retry-After": "3600"}))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "pods", "throttled")]
    assert "HTTP status 429, to be asked again after 3600 s" in snapshot.gaps[0].detail
    assert cluster.paths().count("/api/v1/pods") == 1


def test_attempts_are_bounded(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(429))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, attempts=3)
    assert gaps(snapshot) == [("core", "pods", "throttled")]
    assert cluster.paths().count("/api/v1/pods") == 3


def test_a_list_whose_state_the_server_forgot_is_asked_for_anew_in_one_piece(tmp_path: Path) -> None:
    cluster = shop()
    cluster.resources[1] = Resource("", "v1", "pods", "Pod", [pod(f"web-{number}", "web") for number in range(7)])
    expired = Reply(410, b'{"kind":"Status","reason":"Expired","message":"The provided continue parameter is too old"}')
    cluster.trouble = lambda asked, _: expired if asked.query.get("continue") == "3" else None
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, page=3)
    assert snapshot.gaps == ()
    assert [each["metadata"]["name"] for each in items(snapshot, "core", "pods")] == [f"web-{n}" for n in range(7)]
    assert [asked.query for asked in cluster.asked if asked.path == "/api/v1/pods"] == [
        {"limit": "3"},
        {"limit": "3", "continue": "3"},
        {},
    ]


def test_a_list_that_the_server_always_forgets_is_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(410, b'{"message":"too old"}'))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "pods", "unreachable")]
    assert cluster.paths().count("/api/v1/pods") == 3


def test_pages_that_go_round_in_a_circle_are_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    circle = Reply(body=b'{"kind":"PodList","metadata":{"continue":"again"},"items":[]}')
    cluster.trouble = to("pods", circle)
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "pods", "malformed")]


@pytest.mark.parametrize("reply", [Reply(cut=True, body=b'{"items": []}' * 100), Reply(cut=True, body=b"{}")])
def test_a_connection_that_is_closed_midway_is_opened_again(tmp_path: Path, reply: Reply) -> None:
    cluster = shop()
    cluster.trouble = to("pods", reply, times=2)
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert snapshot.gaps == ()
    assert len(items(snapshot, "core", "pods")) == 2


def test_a_connection_that_is_always_closed_midway_is_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(cut=True, body=b'{"items": []}' * 100))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "pods", "unreachable")]
    assert cluster.paths().count("/api/v1/pods") == 5


def test_a_server_that_does_not_answer_in_time_is_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(wait=1.0))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, read_timeout=0.3, attempts=5)
    assert gaps(snapshot) == [("core", "pods", "timeout")]
    assert [path.rpartition("/")[2] for path in cluster.paths()].count("pods") == 2


def test_an_answer_that_trickles_in_is_given_up(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(body=b" " * 200, drip=0.02))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, answer_timeout=0.3)
    assert gaps(snapshot) == [("core", "pods", "timeout")]
    assert cluster.paths().count("/api/v1/pods") == 1


def test_a_cluster_may_take_so_long_in_all(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(429))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path, total_timeout=1.0, attempts=1_000, first_wait=0.2)
    assert gaps(snapshot) == [("core", "pods", "timeout")]
    assert "the 1 s that reading a cluster may take were over" in snapshot.gaps[0].detail


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"\x00\xff garbage", "the answer is no JSON"),
        (b"[]", "the answer is list, expected an object"),
        (b'{"kind":"PodList"', "the answer is no JSON"),
        (b'{"kind":"Status","status":"Success"}', "the answer is 'Status', no list"),
        (b'{"kind":"PodList","items":[1]}', "an item of the list is int, expected an object"),
        (b'{"kind":"PodList","items":"none"}', "the answer is 'PodList', no list"),
    ],
)
def test_nonsense_in_place_of_a_list_is_a_gap(tmp_path: Path, body: bytes, problem: str) -> None:
    cluster = shop()
    cluster.trouble = to("pods", Reply(body=body))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("core", "pods", "malformed")]
    assert problem in snapshot.gaps[0].detail


def test_a_list_of_nothing_may_be_null(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("services", Reply(body=b'{"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":null}'))
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert items(snapshot, "core", "services") == []
    assert snapshot.gaps == ()


ODD: list[Fields] = [
    {"metadata": 1, "spec": [], "status": "x"},
    {"metadata": {"name": "a", "annotations": [1]}, "spec": {"containers": {"a": 1}, "initContainers": [None]}},
    {"metadata": {"name": "a"}, "spec": {"containers": [{"env": [{"name": []}], "args": [1], "command": "x"}]}},
    {"metadata": {"name": "\ud800"}, "status": {"conditions": [1]}},
]


@pytest.mark.parametrize("odd", ODD)
def test_objects_that_are_shaped_oddly_stop_nothing(tmp_path: Path, odd: Fields) -> None:
    cluster = shop()
    cluster.resources[1] = Resource("", "v1", "pods", "Pod", [odd])
    with serving(cluster) as address:
        translate(read(address, tmp_path))


def test_a_group_whose_server_is_away_may_hold_policies(tmp_path: Path) -> None:
    cluster = shop()
    cluster.stale = ["example.net"]
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("example.net", "policies", "unreachable")]
    assert all(interface.attached_unread for interface in translate(snapshot).interfaces.values())


def test_metrics_that_are_away_are_nobodys_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.stale = ["metrics.k8s.io"]
    with serving(cluster) as address:
        assert gaps(read(address, tmp_path)) == []


def test_calicos_own_server_may_be_away_where_its_objects_are_read_elsewhere(tmp_path: Path) -> None:
    cluster = shop()
    cluster.stale = ["projectcalico.org"]
    cluster.resources.append(Resource("crd.projectcalico.org", "v1", "networkpolicies", "NetworkPolicy"))
    with serving(cluster) as address:
        assert gaps(read(address, tmp_path)) == []


def test_of_an_older_server_a_group_that_does_not_answer_is_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.aggregated = False
    cluster.resources.append(Resource("example.net", "v1", "things", "Thing", [named("a")]))
    cluster.trouble = lambda asked, _: Reply(503) if asked.path == "/apis/example.net/v1" else None
    with serving(cluster) as address:
        snapshot = read(address, tmp_path)
    assert gaps(snapshot) == [("example.net", "policies", "unreachable")]


def test_a_kind_that_is_gone_when_it_is_listed_is_a_gap(tmp_path: Path) -> None:
    cluster = shop()
    cluster.trouble = to("networkpolicies", Reply(404, b"{}"))
    with serving(cluster) as address:
        assert gaps(read(address, tmp_path)) == [("networking.k8s.io", "networkpolicies", "not-found")]


def test_of_two_clusters_the_one_that_is_away_is_gaps(tmp_path: Path) -> None:
    with serving(shop()) as gone:
        pass
    with serving(shop()) as address:
        file = kubeconfig(tmp_path / "config", a={"server": address}, b={"server": gone})
        snapshot = collect(quick(file, contexts=("a", "b")))
    assert [(gap.scope, gap.operation, gap.reason) for gap in snapshot.gaps] == [
        ("b-cluster", "namespaces", "unreachable"),
        ("b-cluster", "pods", "unreachable"),
        ("b-cluster", "networkpolicies", "unreachable"),
    ]
    assert [scope.scope for scope in snapshot.scopes] == ["a-cluster", "b-cluster"]
    coverage = translate(snapshot).coverage
    states = {
        (scope, facet): coverage.state(facet, "kubernetes", f"{scope}-cluster", "global")
        for scope in "ab"
        for facet in ("interfaces", "groups")
    }
    assert states == {
        ("a", "interfaces"): "read",
        ("a", "groups"): "read",
        ("b", "interfaces"): "partly",
        ("b", "groups"): "partly",
    }
