"""The bundled flow logs: what their tables say is what `cloudseg flows` finds, and what the estate's rules decide."""

from functools import cache
from pathlib import Path

import pytest

from cloudseg.cli.sources import translate
from cloudseg.demo import demo_flows_path, demo_snapshot_path
from cloudseg.flows.conversations import Conversation, read_conversations
from cloudseg.flows.files import LocalFiles
from cloudseg.flows.summarise import SummaryOptions, summarise
from cloudseg.model import Estate, Interface
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import load
from cloudseg.traffic import AddressSet, Traffic
from docs.demo_logs import TARGET, logs
from docs.demo_traffic import AWS, AWS_DEV, AWS_NAT, AZURE, AZURE_NSG, GCP, GCP_FIREWALL, HUBBLE, Talk

VERDICTS = {"refused": "refused", "kept in": "refused"}
TABLES = (*AWS, *AWS_DEV, *AWS_NAT, *AZURE, *AZURE_NSG, *GCP, *GCP_FIREWALL)


@cache
def estate() -> Estate:
    return translate(load(demo_snapshot_path()))


@cache
def reachability() -> Reachability:
    return Reachability(estate())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Conversation, ...]:
    path = tmp_path_factory.mktemp("flows") / "conversations.parquet"
    summary = summarise([LocalFiles([demo_flows_path()])], path, SummaryOptions(threads=1))
    assert summary.coverage.is_whole
    return tuple(read_conversations(path).rows())


def interface(name: str) -> Interface | None:
    own, _, address = name.partition("@")
    named = [each for each in estate().interfaces.values() if each.name == own]
    return next((each for each in named if not address or str(each.addresses) == address), None)


def address(name: str) -> str:
    bearer = interface(name)
    return name if bearer is None else str(bearer.addresses).partition(",")[0]


def test_the_logs_are_what_their_tables_say() -> None:
    written = {str(path.relative_to(TARGET)) for path in TARGET.rglob("*") if path.is_file()}
    assert written == set(logs())


def test_each_line_of_the_tables_is_one_conversation(found: tuple[Conversation, ...]) -> None:
    seen = {
        (row.initiator, row.responder, row.protocol, row.port): "refused" if row.verdict == "refused" else "accepted"
        for row in found
        if row.provider != "kubernetes"
    }
    told = {
        (address(talk.source), address(talk.target), talk.protocol, talk.port): VERDICTS.get(talk.verdict, "accepted")
        for talk in TABLES
    }
    assert seen == told
    assert len(found) == len(TABLES) + len(HUBBLE)


def test_connections_are_counted_once(found: tuple[Conversation, ...]) -> None:
    counted = {(row.initiator, row.responder, row.port): row.connections for row in found if row.provider == "aws"}
    for talk in (*AWS, *AWS_DEV, *AWS_NAT):
        times = 0 if talk.verdict == "open" else len(list(talk.moments()))
        assert counted[address(talk.source), address(talk.target), talk.port] == times, talk


def test_a_pool_that_was_there_before_is_known_by_the_listening_port(found: tuple[Conversation, ...]) -> None:
    (pool,) = [talk for talk in AWS if talk.verdict == "open"]
    (row,) = [row for row in found if (row.initiator, row.responder) == (address(pool.source), address(pool.target))]
    assert (row.evidence, row.confidence, row.connections) == ("listening", "high", 0)


def test_who_leaves_by_the_gateway_is_the_machine_behind_it(found: tuple[Conversation, ...]) -> None:
    (talk,) = AWS_NAT
    (row,) = [row for row in found if row.responder == talk.target]
    source, gateway = interface(talk.source), interface("bookshop-prod-nat")
    assert source is not None
    assert gateway is not None
    assert (row.initiator_interface, row.middle) == (source.own_id, (gateway.own_id,))


@pytest.mark.parametrize("talk", TABLES, ids=lambda talk: f"{talk.source}-{talk.target}-{talk.traffic}")
def test_the_rules_of_the_estate_decide_as_it_was_seen(talk: Talk) -> None:
    source, target = interface(talk.source), interface(talk.target)
    ends = (
        AddressSet.parse(talk.source) if source is None else source.id,
        AddressSet.parse(talk.target) if target is None else target.id,
    )
    explanation = explain(reachability(), *ends, Traffic.parse(talk.traffic))
    assert (explanation.verdict != "blocked") is (talk.verdict not in VERDICTS)


def test_the_folder_is_part_of_the_package() -> None:
    assert demo_flows_path().is_dir()
    assert Path(TARGET).resolve() == demo_flows_path().resolve()
