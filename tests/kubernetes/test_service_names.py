"""A service on a command line is the pods behind it, asked on their own ports.

Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from typing import Any

import pytest

from cloudseg.errors import InputError
from cloudseg.model import Estate, own_id
from cloudseg.reach.aliases import asked_of
from cloudseg.reach.names import NameIndex
from cloudseg.traffic import ALL_TRAFFIC, Traffic
from tests.kubernetes.cluster import pod, written
from tests.kubernetes.exposed import HTTP, estate_of, service

WEB, API = pod("web", tier="front"), pod("api", tier="front")


def cluster(*more: dict[str, Any]) -> Estate:
    front = service("front", "ClusterIP", selector={"tier": "front"}, clusterIP="10.96.0.7")
    return estate_of(WEB, API, front, *more)


def named(estate: Estate, word: str) -> tuple[str, ...]:
    return tuple(own_id(each) for each in NameIndex(estate).find(word, "--to").interfaces)


@pytest.mark.parametrize(
    "word",
    [
        "svc/front",
        "service/front",
        "shop/front",
        "shop/Service/front",
        "kubernetes:c:shop/Service/front",
        "front.shop",
        "front.shop.svc",
        "front.shop.svc.cluster.local",
        "10.96.0.7",
    ],
)
def test_a_service_is_named_as_kubectl_and_pods_do(word: str) -> None:
    assert named(cluster(), word) == ("shop/api[Pod]", "shop/web[Pod]")


def test_a_name_of_a_workload_stays_its_own() -> None:
    both = service("web", "ClusterIP", selector={"tier": "front"})
    assert named(cluster(both), "web") == ("shop/web[Pod]",)
    assert named(cluster(both), "svc/web") == ("shop/api[Pod]", "shop/web[Pod]")


def test_a_name_that_two_namespaces_know_is_refused_with_the_choices() -> None:
    other = written("Service", "front", "bank", spec={"selector": {"a": "b"}, "ports": [HTTP]})
    with pytest.raises(InputError) as refused:
        named(cluster(other), "svc/front")
    text = str(refused.value)
    assert "bank/Service/front" in text
    assert "shop/Service/front" in text
    assert named(cluster(other), "shop/front") == ("shop/api[Pod]", "shop/web[Pod]")


def test_a_service_without_pods_is_told() -> None:
    found = NameIndex(cluster(service("empty", selector={"app": "gone"}))).find("svc/empty", "--to")
    assert not found.interfaces
    assert "no pod that was read is behind Service shop/empty" in found.notes[0]


@pytest.mark.parametrize(
    ("asked", "answered", "told"),
    [
        ("tcp/80", "tcp/8080", "asked for tcp/80, answered for tcp/8080"),
        ("all", "all", "tcp/80 goes to tcp/8080"),
        ("tcp/80, tcp/22", "tcp/8080", "serves nothing of tcp/22, which is left out"),
        ("tcp/8080", "tcp/8080", "serves nothing of tcp/8080: the answer is about these ports of its pods"),
    ],
)
def test_what_is_asked_of_a_service_is_asked_of_the_ports_of_its_pods(asked: str, answered: str, told: str) -> None:
    ports = NameIndex(cluster()).find("svc/front", "--to").ports
    found = asked_of(ports, Traffic.parse(asked), "Service shop/front")
    assert str(found.traffic) == answered
    assert any(told in note for note in found.notes)


def test_a_named_target_port_is_asked_for_by_the_number_of_each_pod() -> None:
    one = pod("one", ports=[{"containerPort": 1, "name": "http"}], tier="named")
    two = pod("two", ports=[{"containerPort": 2, "name": "http"}], tier="named")
    by_name = service("named", "ClusterIP", selector={"tier": "named"}, ports=[{"port": 80, "targetPort": "http"}])
    ports = NameIndex(cluster(one, two, by_name)).find("svc/named", "--to").ports
    assert str(asked_of(ports, Traffic.parse("tcp/80"), "x").traffic) == "tcp/1-2"


def test_a_headless_service_is_asked_on_the_ports_of_its_pods() -> None:
    ports = NameIndex(cluster(service("bare", "ClusterIP", selector={"tier": "front"}, clusterIP="None"))).find(
        "svc/bare", "--to"
    )
    assert str(asked_of(ports.ports, Traffic.parse("tcp/8080"), "x").traffic) == "tcp/8080"
    assert asked_of(ports.ports, ALL_TRAFFIC, "x").traffic.is_all
