"""Pods that stay on their node for good, and what is on it: known for sure where node, address and interface are.

A pod that no controller made is never moved, and a node reaches its own pods whatever policies say; traffic that stays
on a machine passes none of its interfaces, and so none of their groups. Sources:
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-lifetime,
https://kubernetes.io/docs/concepts/services-networking/network-policies/ and
https://docs.aws.amazon.com/eks/latest/best-practices/sgpp.html
"""

from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Estate
from cloudseg.model.joining import join_clusters
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

AWS = "aws:111122223333:eu-west-1:"
ONE, TWO = f"{AWS}eni-1", f"{AWS}eni-2"
WEB, JOB, FAR, HOST, AWAY = (f"kubernetes:c:shop/{name}[Pod]" for name in ("web", "job", "far", "host", "away"))
SURE, NEVER, AT_MOST = ("all", "all"), ("none", "none"), ("none", "all")
SHUT = policy("shut", {"podSelector": {}, "policyTypes": ["Ingress"]})


def node(number: int) -> dict[str, Any]:
    status = {"addresses": [{"type": "InternalIP", "address": f"10.0.2.{number}0"}]}
    return written("Node", f"n{number}", spec={"providerID": f"aws:///eu-west-1a/i-{number}"}, status=status)


def at(item: dict[str, Any], address: str, node: str, *, host: bool = False) -> dict[str, Any]:
    spec = item["spec"] | {"nodeName": node} | ({"hostNetwork": True} if host else {})
    return item | {"status": {"podIP": address, "podIPs": [{"ip": address}], "phase": "Running"}, "spec": spec}


def cloud(*rules: Any) -> EstateBuilder:
    """Two machines whose groups let nobody in."""
    b = EstateBuilder()
    b.group("sg-node", allow("egress", "all", "0.0.0.0/0"), *rules)
    for number, addresses in ((1, "10.0.2.10, 10.0.2.11, 10.0.2.12"), (2, "10.0.2.20, 10.0.2.21")):
        b.interface(f"eni-{number}", "subnet-private", ["sg-node"], addresses, workload=f"{AWS}i-{number}")
    return b


PODS = (
    at(pod("web"), "10.0.2.11", "n1"),
    at(pod("job"), "10.0.2.12", "n1"),
    at(pod("far"), "10.0.2.21", "n2"),
    at(pod("host"), "10.0.2.10", "n1", host=True),
    at(pod("away"), "10.0.2.20", "n2", host=True),
)


def joined(
    *objects: dict[str, Any], rules: tuple[Any, ...] = (), pods: tuple[dict[str, Any], ...] = PODS
) -> Reachability:
    cluster = translate(snapshot(space("shop"), node(1), node(2), *pods, *objects))
    return Reachability(join_clusters(Estate.merged((cloud(*rules).build(), cluster))))


def between(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, str]:
    verdict = reach.between(source, target)
    told = explain(reach, source, target, Traffic.parse("all"))
    assert (told.lower, told.upper) == (str(verdict.lower), str(verdict.upper))
    return str(verdict.lower), str(verdict.upper)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        # On one machine groups are not met; between two of them they are, and let nobody in.
        (WEB, JOB, SURE),
        (HOST, WEB, SURE),
        (WEB, HOST, SURE),
        (ONE, WEB, SURE),
        (WEB, ONE, SURE),
        (WEB, FAR, NEVER),
        (FAR, WEB, NEVER),
        (AWAY, WEB, NEVER),
        (TWO, WEB, NEVER),
        (WEB, TWO, NEVER),
        (ONE, TWO, NEVER),
    ],
)
def test_groups_are_met_between_machines_alone(source: str, target: str, expected: tuple[str, str]) -> None:
    assert between(joined(), source, target) == expected


@pytest.mark.semantics(104)
@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [(HOST, WEB, SURE), (ONE, WEB, SURE), (AWAY, WEB, NEVER), (TWO, WEB, NEVER), (AWAY, FAR, SURE), (JOB, WEB, NEVER)],
)
def test_policies_do_not_part_a_pod_from_its_own_node(source: str, target: str, expected: tuple[str, str]) -> None:
    reach = joined(SHUT, rules=(allow("ingress", "all", "sg-node"),))
    assert between(reach, source, target) == expected


def owned(item: dict[str, Any], kind: str) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": kind, "name": "x", "controller": True}
    return item | {"metadata": item["metadata"] | {"ownerReferences": [owner]}}


@pytest.mark.parametrize(("kind", "expected"), [("ReplicaSet", AT_MOST), ("DaemonSet", AT_MOST), ("Node", SURE)])
def test_what_a_controller_made_may_run_elsewhere_tomorrow(kind: str, expected: tuple[str, str]) -> None:
    moving = owned(at(pod("web"), "10.0.2.11", "n1"), kind)
    reach = joined(SHUT, pods=(moving, *PODS[1:]), rules=(allow("ingress", "all", "sg-node"),))
    assert between(reach, ONE, WEB) == expected
    assert between(reach, HOST, WEB) == expected


def test_a_node_whose_machine_was_not_read_leaves_it_open() -> None:
    nameless: dict[str, Any] = node(1) | {"spec": {}}
    cluster = translate(snapshot(space("shop"), nameless, node(2), *PODS))
    reach = Reachability(join_clusters(Estate.merged((cloud().build(), cluster))))
    assert between(reach, HOST, WEB) == AT_MOST


@pytest.mark.parametrize("machine", [None, f"{AWS}i-1"])
def test_pods_with_an_interface_of_their_own_may_meet_its_groups_on_their_machine_too(machine: str | None) -> None:
    b = cloud()
    b.interface("eni-branch", "subnet-private", ["sg-node"], "10.0.2.99", role="branch", workload=machine)
    own = at(pod("own"), "10.0.2.99", "n1")
    cluster = translate(snapshot(space("shop"), node(1), node(2), *PODS, own))
    reach = Reachability(join_clusters(Estate.merged((b.build(), cluster))))
    assert between(reach, WEB, "kubernetes:c:shop/own[Pod]") == AT_MOST


def test_the_first_interface_is_known_by_its_primary_address() -> None:
    b = cloud()
    known = b.build().interfaces[ONE]
    b.put("interfaces", msgspec.structs.replace(known, primary=AddressSet.parse("10.0.2.10")))
    cluster = translate(snapshot(space("shop"), node(1), node(2), *PODS))
    reach = Reachability(join_clusters(Estate.merged((b.build(), cluster))))
    assert between(reach, ONE, WEB) == SURE
