"""Mutual TLS is required where every client is part of the mesh, and nobody loses anything by it."""

from __future__ import annotations

import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.meshes import IN_MESH, MESH_EXAMPLE
from cloudseg.intent import Allowance, Intent
from cloudseg.remediations.require_mtls import REMEDY
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic
from tests.remediations.judged import answered, assert_carries, assert_gains_nothing, losses

WEB, DB, JOB = (f"kubernetes:manifests:shop/{name}[Deployment]" for name in ("web", "db", "job"))


def mesh(mode: str = "PERMISSIVE", *, web: str = MESH_EXAMPLE, job: bool = False) -> ClusterBuilder:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", **({IN_MESH: web} if web else {})})
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    if job:
        b.workload("shop", "job", {"app": "job"})
    if mode:
        b.mutual_tls("shop", "default", mode)
    return b


def web_to_db() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(tags={"app": (name,)})) for name in ("web", "db"))
    allowed = Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432"))
    return Intent(segments=segments, allow=(allowed,))


def test_a_policy_for_both_becomes_strict_and_clients_of_the_mesh_lose_nothing() -> None:
    judged = answered(REMEDY, "permissive-mtls", mesh(job=True).build(), intent=web_to_db())

    assert_gains_nothing(judged)
    assert_carries(judged, WEB, DB, "tcp/5432")
    # Plain text goes: of the job, which is no part of the mesh, and of everybody outside.
    lost = losses(judged.estate, judged.after)
    assert any(JOB in sources and DB in targets for sources, targets, _ in lost)
    assert not any(sources == (WEB,) for sources, _, _ in lost)


def test_the_change_is_one_of_the_policy_and_its_undo_names_the_old_mode() -> None:
    judged = answered(REMEDY, "permissive-mtls", mesh().build(), intent=web_to_db())

    (change,) = judged.changes
    assert change.undo == "set the mode of shop/PeerAuthentication/default to PERMISSIVE again"
    assert judged.proposal.summary == "set mode STRICT in shop/PeerAuthentication/default, for 2 workloads"


@pytest.mark.parametrize("web", ["", f"{MESH_EXAMPLE}-perhaps"])
def test_a_client_that_is_not_surely_part_of_the_mesh_stops_it(web: str) -> None:
    judged = answered(REMEDY, "permissive-mtls", mesh(web=web).build(), intent=web_to_db())

    assert judged.proposals == ()


def test_a_client_from_outside_stops_it_and_is_shown() -> None:
    row = seen("198.51.100.7", "10.8.0.9", 5432, provider="kubernetes", responder_name="shop/db[Deployment]")
    flows = ExampleConversations([row], logs_of("node-1", provider="kubernetes", network=None))
    judged = answered(REMEDY, "permissive-mtls", mesh().build(), flows=flows, intent=web_to_db())

    assert judged.proposals == ()
    assert judged.advice.witness == "198.51.100.7 → shop/db[Deployment] tcp/5432"


def test_without_evidence_nobody_knows_the_clients() -> None:
    judged = answered(REMEDY, "permissive-mtls", mesh().build())

    assert "no flow logs and no intent were given" in judged.advice.reason


def test_without_a_policy_a_new_one_is_advised() -> None:
    judged = answered(REMEDY, "permissive-mtls", mesh("").build(), intent=web_to_db())

    assert "a new one is needed" in judged.advice.reason
    assert '"mode": "STRICT"' in judged.advice.steps[0]


def test_modes_of_single_ports_are_left_to_people() -> None:
    judged = answered(REMEDY, "permissive-mtls", mesh("PERMISSIVE; 8080: DISABLE").build(), intent=web_to_db())

    assert "look at each of its ports" in judged.advice.reason
