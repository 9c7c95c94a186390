"""Policies as people write them, and what passes then: a bookshop with tiers, its database, monitoring and the outside.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and
https://kubernetes.io/docs/tasks/administer-cluster/declare-network-policy/
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pytest

from cloudseg.traffic import Traffic
from tests.kubernetes.cluster import Cluster, pod, policy, space

ESTATE: Final = (
    space("books", team="books", env="prod"),
    space("books-dev", team="books-dev", env="dev"),
    space("storage", team="storage", env="prod"),
    space("metrics"),
    space("kube-system"),
    pod("shelf", "books", tier="front"),
    pod("orders", "books", tier="middle"),
    pod("ledger", "books", tier="data"),
    pod("shelf", "books-dev", tier="front"),
    pod("vault", "storage"),
    pod("scraper", "metrics"),
    pod("resolver", "kube-system", None, **{"k8s-app": "kube-dns"}),
)
SHELF, ORDERS, LEDGER, DEV, VAULT = "books/shelf", "books/orders", "books/ledger", "books-dev/shelf", "storage/vault"
SCRAPER, DNS, OUTSIDE, PRIVATE = "metrics/scraper", "kube-system/resolver", "198.51.100.7", "10.20.30.40"


def of(namespace: str, name: str, pods: Mapping[str, str], **spec: Any) -> dict[str, Any]:
    """A policy; without types where none are given, as people leave them out."""
    types = {"policyTypes": spec.pop("types")} if "types" in spec else {}
    return policy(name, {"podSelector": {"matchLabels": dict(pods)} if pods else {}, **types, **spec}, namespace)


def pods(**labels: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels} if labels else {}}


def spaces(**labels: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": labels} if labels else {}}


def called(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def block(cidr: str, *without: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr} | ({"except": list(without)} if without else {})}


def ports(*numbers: int, protocol: str = "TCP") -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": number} for number in numbers]


BOTH: Final = ["Ingress", "Egress"]
DENY_ALL = of("books", "deny", {}, types=BOTH)
DENY_IN = of("books", "deny-in", {}, types=["Ingress"])
DENY_OUT = of("books", "deny-out", {}, types=["Egress"])
RESOLVER = {**called("kube-system"), **pods(**{"k8s-app": "kube-dns"})}


class Situation(NamedTuple):
    """Policies, and what passes, by source, target and traffic: ``yes``, ``no`` or ``perhaps``."""

    name: str
    policies: tuple[dict[str, Any], ...]
    verdicts: tuple[tuple[str, str, str, str], ...]


SITUATIONS: Final = (
    Situation(
        "no policy at all", (),
        ((DEV, LEDGER, "tcp/5432", "yes"), (OUTSIDE, LEDGER, "tcp/5432", "yes"), (LEDGER, OUTSIDE, "all", "yes")),
    ),
    Situation(
        "a default-deny for ingress leaves egress alone", (DENY_IN,),
        ((SHELF, ORDERS, "tcp/80", "no"), (SHELF, VAULT, "tcp/80", "yes"), (SHELF, OUTSIDE, "tcp/443", "yes")),
    ),
    Situation(
        "a default-deny for egress leaves ingress alone", (DENY_OUT,),
        ((DEV, SHELF, "tcp/80", "yes"), (SHELF, ORDERS, "tcp/80", "no"), (SHELF, DNS, "udp/53", "no")),
    ),
    Situation(
        "DNS beside a default-deny", (DENY_ALL, of("books", "dns", {}, types=["Egress"], egress=[
            {"to": [RESOLVER], "ports": [*ports(53, protocol="UDP"), *ports(53)]}])),
        ((SHELF, DNS, "udp/53", "yes"), (SHELF, DNS, "tcp/53", "yes"), (SHELF, DNS, "tcp/9153", "no")),
    ),
    Situation(
        "one tier after the other, and both ends decide", (
            DENY_ALL,
            of("books", "front", {"tier": "front"}, types=BOTH,
               egress=[{"to": [pods(tier="middle")], "ports": ports(8080)}]),
            of("books", "middle", {"tier": "middle"}, types=BOTH,
               ingress=[{"from": [pods(tier="front")], "ports": ports(8080)}],
               egress=[{"to": [pods(tier="data")], "ports": ports(5432)}]),
        ),
        ((SHELF, ORDERS, "tcp/8080", "yes"), (SHELF, LEDGER, "tcp/5432", "no"), (ORDERS, LEDGER, "tcp/5432", "no"),
         (DEV, ORDERS, "tcp/8080", "no")),
    ),
    Situation(
        "namespace and pods in one item are both asked for", (of("storage", "vault", {}, ingress=[
            {"from": [{**called("books"), **pods(app="orders")}], "ports": ports(3306)}]),),
        ((ORDERS, VAULT, "tcp/3306", "yes"), (SHELF, VAULT, "tcp/3306", "no"), (ORDERS, VAULT, "tcp/22", "no"),
         (VAULT, ORDERS, "all", "yes")),
    ),
    Situation(
        "namespace and pods in two items are a union", (of("storage", "vault", {}, ingress=[
            {"from": [called("books"), pods(app="orders")], "ports": ports(3306)}]),),
        ((ORDERS, VAULT, "tcp/3306", "yes"), (SHELF, VAULT, "tcp/3306", "yes"), (DEV, VAULT, "tcp/3306", "no")),
    ),
    Situation(
        "a label that somebody set on namespaces, and one that nobody did", (
            of("books", "own", {}, ingress=[{"from": [spaces(team="books")]}]),
            of("storage", "scrape", {}, ingress=[{"from": [spaces(team="metrics")]}]),
        ),
        ((SHELF, ORDERS, "all", "yes"), (DEV, ORDERS, "all", "no"), (SCRAPER, VAULT, "tcp/9090", "no")),
    ),
    Situation(
        "an environment by the label of its namespaces",
        (of("storage", "prod", {}, ingress=[{"from": [spaces(env="prod")]}]),),
        ((ORDERS, VAULT, "tcp/3306", "yes"), (DEV, VAULT, "tcp/3306", "no")),
    ),
    Situation(
        "the whole internet without private ranges", (of("books", "out", {"app": "orders"}, types=["Egress"], egress=[
            {"to": [block("0.0.0.0/0", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")], "ports": ports(443)}]),),
        ((ORDERS, OUTSIDE, "tcp/443", "yes"), (ORDERS, PRIVATE, "tcp/443", "no"), (ORDERS, OUTSIDE, "tcp/80", "no"),
         (SHELF, PRIVATE, "tcp/443", "yes")),
    ),
    Situation(
        "a private range may hold pods", (of("books", "lb", {"app": "orders"}, ingress=[
            {"from": [block("10.0.0.0/8")], "ports": ports(8080)}]),),
        ((PRIVATE, ORDERS, "tcp/8080", "yes"), (SHELF, ORDERS, "tcp/8080", "perhaps"), (SHELF, ORDERS, "tcp/80", "no"),
         (OUTSIDE, ORDERS, "tcp/8080", "no")),
    ),
    Situation(
        "a range of ports", (of("books", "health", {}, ingress=[
            {"from": [block("0.0.0.0/0")], "ports": [{"protocol": "TCP", "port": 8080, "endPort": 8081}]}]),),
        ((OUTSIDE, LEDGER, "tcp/8080-8081", "yes"), (OUTSIDE, LEDGER, "tcp/8082", "no")),
    ),
    Situation(
        "without policyTypes, egress rules isolate for ingress too", (of("books", "dns", {}, egress=[
            {"to": [called("kube-system")], "ports": ports(53, protocol="UDP")}]),),
        ((SHELF, DNS, "udp/53", "yes"), (SHELF, DNS, "tcp/53", "no"), (DEV, SHELF, "tcp/80", "no")),
    ),
    Situation(
        "without policyTypes, ingress rules leave egress alone", (of("books", "scrape", {}, ingress=[
            {"from": [called("metrics")], "ports": ports(9090)}]),),
        ((SCRAPER, SHELF, "tcp/9090", "yes"), (SCRAPER, SHELF, "tcp/80", "no"), (SHELF, OUTSIDE, "all", "yes")),
    ),
    Situation(
        "an annotation is no label: the policy selects nobody", (of("books", "scrape", {"prometheus.io/scrape": "true"},
            ingress=[{"from": [called("metrics")], "ports": ports(9090)}]),),
        ((SCRAPER, SHELF, "tcp/80", "yes"), (DEV, SHELF, "tcp/80", "yes")),
    ),
    Situation(
        "a policy of another namespace says nothing", (of("storage", "shelf", {"app": "shelf"}, types=BOTH),),
        ((DEV, SHELF, "tcp/80", "yes"), (SHELF, OUTSIDE, "all", "yes"), (SHELF, VAULT, "tcp/80", "yes")),
    ),
    Situation(
        "a policy that admits everything cancels the default-deny", (
            DENY_ALL, of("books", "open", {"app": "shelf"}, types=["Ingress"], ingress=[{}])),
        ((DEV, SHELF, "all", "yes"), (OUTSIDE, SHELF, "tcp/22", "yes"), (DEV, ORDERS, "tcp/80", "no"),
         (SHELF, OUTSIDE, "tcp/443", "no")),
    ),
)  # fmt: skip
CASES: Final = tuple((situation, verdict) for situation in SITUATIONS for verdict in situation.verdicts)


@pytest.mark.parametrize(("situation", "verdict"), CASES, ids=[f"{s.name}: {' '.join(v)}" for s, v in CASES])
def test_what_passes(situation: Situation, verdict: tuple[str, str, str, str]) -> None:
    source, target, traffic, passes = verdict
    asked = Traffic.parse(traffic)
    lower, upper = Cluster(*ESTATE, *situation.policies).verdict(source, target)
    assert ("yes" if asked <= lower else "no" if not asked & upper else "perhaps") == passes
