"""Whatever answers about load balancers, endpoints, connectors and hubs hold, translating them never raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from cloudseg.providers.gcp.translate.translation import translate
from tests.gcp.agreeing import snapshot_of
from tests.gcp.raw import API, REGION
from tests.gcp.raw_hubs import connector, hub, policy_route, spoke
from tests.gcp.raw_parts import Card, vpc
from tests.gcp.test_private_service_connect import add_endpoint, published
from tests.spoiling import assert_told, examples, mutated

if TYPE_CHECKING:
    from tests.gcp.oracle_records import Json

JUNK = st.sampled_from(cast("list[object]", [
    None, True, 0, -1, 70000, 1.5, "", "x", "{", "10.0.0.0/33", "projects/p", [], [None], {}, {"name": None},
]))  # fmt: skip
_SPOILED = (
    "forwarding_rules", "backend_services", "instance_groups", "instance_group_members", "backend_service_health",
    "target_http_proxies", "url_maps", "target_pools", "target_instances", "network_endpoint_groups",
    "network_endpoints", "service_attachments", "hubs", "spokes", "policy_based_routes", "connectors",
    "network_attachments",
)  # fmt: skip


def whole() -> dict[tuple[str, ...], object]:
    b = published(
        vpc("allow"), connected=[{"status": "ACCEPTED", "endpoint": f"{API}/projects/x/regions/{REGION}/y/z"}]
    )
    add_endpoint(b, b.raw.link("orders"), "ACCEPTED")
    b.endpoints("neg", "GCE_VM_IP_PORT", {"ipAddress": "10.1.1.2", "port": 80, "instance": b.raw.link("web")})
    b.endpoints("run", "SERVERLESS", more={"cloudRun": {"service": "api"}, "region": REGION})
    b.service("outer", "neg", "run", region="", protocol="HTTP")
    b.proxy("px", "outer", others=["bs"])
    b.rule("lb", "34.9.0.1", region="", target="px", portRange="80-80")
    b.pool("backup", "spare")
    b.pool("pool", "web", backup="backup")
    b.rule("old", "34.9.0.2", target="pool", portRange="80-80")
    b.target_instance("ti", "web")
    b.rule("one", "34.9.0.3", target="ti", protocol="ESP")
    b.raw.network("beside")
    b.raw.subnet("beside", "sb", "10.2.1.0/24")
    b.raw.vm("far", Card("sb", "10.2.1.2"))
    hub(b.raw, count=2)
    spoke(b.raw, "main")
    spoke(b.raw, "beside", filters={"excludeExportRanges": ["10.2.1.0/25"], "includeExportRanges": ["10.0.0.0/8"]})
    policy_route(b.raw, "beside", tags=["x"], source="10.2.1.0/24", to="10.9.0.0/16")
    connector(b.raw, "main", "api", prefix="10.8.0.0/28")
    stands = {"ipAddress": "10.1.1.77", "projectIdOrNum": "x", "status": "ACCEPTED", "subnetwork": b.raw.link("sa")}
    door: Json = {"connectionPreference": "ACCEPT_MANUAL", "connectionEndpoints": [stands]}
    b.raw.add("door", "network_attachments", f"regions/{REGION}/networkAttachments/door", door, "shop")
    return b.answers


@st.composite
def _answers(draw: st.DrawFn) -> dict[tuple[str, ...], object]:
    chosen = draw(st.sampled_from(_SPOILED))
    return {place: mutated(draw, each, JUNK) if chosen in place else each for place, each in whole().items()}


@examples(200)
@given(_answers())
def test_translation_never_raises_and_every_gap_has_its_reason(answers: dict[tuple[str, ...], object]) -> None:
    assert_told(translate(snapshot_of(answers)))


def test_whole_answers_translate_without_a_gap() -> None:
    estate = translate(snapshot_of(whole()))
    assert estate.gaps == ()
    assert {each.kind for each in estate.gateways.values()} >= {"ncc-hub"}
    assert len(estate.endpoint_services) == 2
