"""Pods whose address no interface bears that was read: those of an overlay, and those that AWS gave an address.

Nothing of them is certain past their machine, and what an overlay sends is at most what the machine's interface passes.
Sources: https://docs.tigera.io/calico/latest/networking/configuring/workloads-outside-cluster and
https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html#EIP_Disable_SrcDestCheck
"""

from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Estate
from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import Traffic
from tests.kubernetes.cluster import written
from tests.kubernetes.daemon_sets import container, daemon_set
from tests.kubernetes.test_leaving_the_vpc import (
    AWS,
    FIRST,
    INTERNET,
    NEAR,
    NOTHING,
    ONE,
    OPEN,
    SHUT,
    WEB,
    Place,
    agree,
    aws_node,
    between,
    cloud,
    cluster,
    joined,
    peered,
)

FAR = f"{AWS}eni-far"
NEW = "kubernetes:c:shop/new[Deployment]"
OVERLAY = "192.168.0.7"
HTTPS = Traffic.parse("tcp/443")


def of_overlay(*objects: dict[str, Any]) -> Estate:
    calico = daemon_set("calico-node", container("calico-node", "docker.io/calico/node:v3.30.0"))
    return cluster(calico, *objects, address=OVERLAY)


@pytest.mark.parametrize(
    ("first", "expected"), [(SHUT, NOTHING), (ONE, ("none", "tcp/443")), (OPEN, ("none", "tcp, udp, icmp"))]
)
def test_pods_of_an_overlay_send_at_most_what_the_interface_of_their_machine_passes(
    first: Place, expected: tuple[str, str]
) -> None:
    reach = joined(cloud(first, OPEN), of_overlay())
    assert between(reach, WEB, INTERNET) == expected
    agree(reach, WEB, INTERNET)


def test_the_explanation_says_what_of_an_overlay_was_not_read() -> None:
    told = explain(joined(cloud(OPEN, OPEN), of_overlay()), WEB, INTERNET, HTTPS)
    assert told.verdict == "unknown"
    assert any("address stands for that of a pod of its overlay was not read" in each for each in told.unknowns)
    assert explain(joined(cloud(SHUT, OPEN), of_overlay()), WEB, INTERNET, HTTPS).verdict == "blocked"


@pytest.mark.parametrize(("admits", "upper"), [("10.0.2.10/32", "tcp/5432"), ("192.168.0.0/24", "none")])
def test_others_see_the_address_of_the_machine_of_an_overlay(admits: str, upper: str) -> None:
    reach = joined(peered(admits=admits), of_overlay())
    assert between(reach, WEB, FAR) == ("none", upper)
    agree(reach, WEB, FAR)


def forwarding(b: EstateBuilder) -> EstateBuilder:
    b.put("interfaces", msgspec.structs.replace(b.build().interfaces[FIRST], forwards=True))
    return b


def test_a_machine_that_takes_packets_of_others_may_send_them_as_they_are() -> None:
    reach = joined(forwarding(peered(admits="192.168.0.0/24")), of_overlay())
    lower, upper = reach.between(WEB, FAR)
    assert not lower
    assert upper >= Traffic.parse("tcp/5432")
    agree(reach, WEB, FAR)


def test_pods_to_come_of_an_overlay_send_as_those_that_are_there() -> None:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "new"}}, "spec": {"containers": []}}
    new = written("Deployment", "new", "shop", spec={"template": template})
    for first, upper in ((SHUT, "none"), (ONE, "tcp/443")):
        reach = joined(cloud(first, OPEN), of_overlay(new))
        assert between(reach, NEW, INTERNET) == ("none", upper)
        agree(reach, NEW, INTERNET)


@pytest.mark.parametrize("address", ["10.0.2.99", "100.64.1.5"])
@pytest.mark.parametrize("target", [INTERNET, NEAR])
def test_where_aws_gave_the_address_the_interface_that_bears_it_is_not_known(address: str, target: Any) -> None:
    for first in (SHUT, OPEN):
        reach = joined(cloud(first, OPEN), cluster(aws_node(), address=address))
        lower, upper = reach.between(WEB, target)
        assert not lower
        assert upper >= HTTPS
        agree(reach, WEB, target)
        told = explain(reach, WEB, target, HTTPS)
        assert told.verdict == "unknown"
        assert any(f"no interface that was read bears {address}" in each for each in told.unknowns)
