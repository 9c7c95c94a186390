"""What may show its own address to pods in place of a client's is told where nothing passes under the client's own.

Source: https://kubernetes.io/docs/tutorials/services/source-ip/
"""

import io
from typing import Any

import pytest

from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.names import NameIndex
from cloudseg.reach.reachability import Reachability
from cloudseg.reporters import RenderOptions
from cloudseg.reporters.reach_answer import ReachAnswer
from cloudseg.reporters.reach_formats import REACH_FORMATS
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import policy
from tests.kubernetes.exposed import WEB, estate_of, service

PODS = "kubernetes:c:shop/web[Pod]"


def admitting(cidr: str) -> dict[str, Any]:
    ingress = [{"from": [{"ipBlock": {"cidr": cidr}}]}]
    return policy("p", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": ingress})


def notes(*objects: Any, source: str = "198.51.100.7") -> tuple[str, tuple[str, ...]]:
    found = explain(Reachability(estate_of(WEB, *objects)), AddressSet.parse(source), PODS, Traffic.parse("tcp/8080"))
    return found.verdict, tuple(note for note in found.notes if "may see" in note)


def test_an_explanation_tells_what_may_hide_the_client() -> None:
    verdict, (note,) = notes(service(), admitting("10.0.0.0/8"))
    assert verdict == "blocked"
    assert "policies may see the address of a node instead of the client's" in note
    assert note.endswith("what is let in from such an address arrives too, and is not part of this answer")


@pytest.mark.parametrize(
    ("objects", "source"),
    [
        ((service(), admitting("0.0.0.0/0")), "198.51.100.7"),
        ((service(loadBalancerSourceRanges=["8.8.8.0/24"]), admitting("10.0.0.0/8")), "198.51.100.7"),
        ((service(), admitting("10.0.0.0/8")), "172.16.0.5"),
        ((service(kind="ClusterIP"), admitting("10.0.0.0/8")), "198.51.100.7"),
    ],
    ids=["it passes", "it is not let in there", "it is not the internet", "nothing leads there"],
)
def test_it_is_told_only_where_it_matters(objects: tuple[Any, ...], source: str) -> None:
    assert notes(*objects, source=source)[1] == ()


def test_an_answer_without_flows_names_it() -> None:
    estate = estate_of(WEB, service(), admitting("10.0.0.0/8"))
    names = NameIndex(estate)
    asked = ReachAnswer(Reachability(estate), (), names.find("internet", "--from"), names.find("shop/web", "--to"))
    stream = io.StringIO()
    REACH_FORMATS["table"].write(asked, stream, RenderOptions(width=400))
    assert "under the senders' own addresses" in stream.getvalue()
    assert "policies may see the address of a node instead of the client's" in stream.getvalue()
