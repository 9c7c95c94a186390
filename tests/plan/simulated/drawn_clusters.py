"""Drawn clusters: policies of two namespaces whose peers are pods and ranges of addresses, under different plugins."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import TYPE_CHECKING

import msgspec

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.traffic import AddressSet
from tests.plan.simulated.drawing import case_of, one_of

if TYPE_CHECKING:
    from cloudseg.checks.example_clusters import Admission
    from cloudseg.model import Estate, RangeMeaning
    from tests.plan.simulated.drawing import Case

__all__ = ["drawn_cluster"]

_APPS = ("web", "api", "db", "job")
_SPACES = ("shop", "ops")
_TRAFFIC = (("tcp/443", 5), ("tcp/5432", 5), ("tcp/22", 2), ("tcp/8000-8100", 3), ("udp/53", 3), ("all", 3))


def _peer(random: Random, hosts: list[str]) -> Pods | str:
    kind = one_of(
        random, ("node", 30), ("host", 20), ("pods", 15), ("cluster", 10), ("outside", 8), ("all", 5), ("six", 5)
    )
    if kind == "pods":
        labels = random.choice(({"app": random.choice(_APPS)}, {"tier": random.choice(("front", "back"))}, {}))
        spaces = random.choice((None, None, {"kubernetes.io/metadata.name": random.choice(_SPACES)}, {"team": "x"}))
        return Pods(labels, spaces)
    if kind == "host":
        host = random.choice(hosts)
        return f"{host}/{128 if ':' in host else 32}"
    named = {"cluster": "10.42.0.0/16", "outside": "203.0.113.0/24", "all": "0.0.0.0/0", "six": "fd42::/64"}
    return named.get(kind, f"10.42.{random.choice((1, 2))}.0/24")


def _admissions(random: Random, hosts: list[str]) -> tuple[Admission, ...] | None:
    if random.random() < 0.12:
        return ()
    return tuple(
        admit(one_of(random, *_TRAFFIC), *(_peer(random, hosts) for _ in range(random.choice((1, 1, 2)))))
        for _ in range(random.choice((1, 1, 2, 2)))
    )


def _under(estate: Estate, ranges: RangeMeaning) -> Estate:
    """Return the estate in a network whose plugin gives ranges a meaning."""
    addresses = AddressSet.parse("10.42.0.0/16, fd42::/48")
    networks = {key: msgspec.structs.replace(each, addresses=addresses) for key, each in estate.networks.items()}
    pipelines = {
        key: msgspec.structs.replace(
            each,
            ingress=tuple(msgspec.structs.replace(stage, ranges=ranges) for stage in each.ingress),
            egress=tuple(msgspec.structs.replace(stage, ranges=ranges) for stage in each.egress),
        )
        for key, each in estate.pipelines.items()
    }
    return dataclasses.replace(estate, networks=networks, pipelines=pipelines)


def drawn_cluster(seed: int) -> Case:
    """Return a cluster with what was seen and meant in it."""
    random = Random(seed)
    b = ClusterBuilder("live", live=random.random() < 0.6)
    b.namespace("ops", team="x")
    hosts: list[str] = []
    for number in range(random.randint(4, 7)):
        space, app = random.choice(_SPACES), random.choice(_APPS)
        node = random.choice((1, 2))
        address = f"10.42.{node}.{10 + number}"
        if random.random() < 0.25:
            address += f", fd42::{10 + number:x}"
        hosts += address.split(", ")
        labels = {"app": app, "tier": random.choice(("front", "back"))}
        b.workload(space, f"{app}-{number}", labels, addresses=AddressSet.parse(address))
    for number in range(random.randint(2, 4)):
        pods = random.choice(({}, {"app": random.choice(_APPS)}, {"app": random.choice(_APPS)}, {"tier": "back"}))
        kind = random.random()
        ingress = _admissions(random, hosts) if kind < 0.85 else None
        egress = _admissions(random, hosts) if kind > 0.65 else None
        b.policy(random.choice(_SPACES), f"policy-{number}", pods, ingress=ingress, egress=egress)
    ranges = random.choices(("everywhere", "unknown", "outside"), (0.84, 0.09, 0.07))[0]
    return case_of("kubernetes", seed, random, _under(b.build(), ranges), None)
