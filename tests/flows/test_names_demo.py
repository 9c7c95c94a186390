"""The bundled log of names says what its table says, and a plan for the bundled estate knows the names."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import CHECKS
from cloudseg.cli.conversation_files import open_conversations
from cloudseg.cli.name_files import open_names
from cloudseg.cli.sources import translate
from cloudseg.demo import demo_intent_path, demo_names_path, demo_snapshot_path
from cloudseg.errors import InputError
from cloudseg.flows.naming.reading import read_names
from cloudseg.intent_file import read_intent
from cloudseg.plan.proof import prove
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.interface import Proposal
from cloudseg.remediations.restrict_egress import REMEDY
from cloudseg.remediations.words import change_text
from cloudseg.snapshot import load
from docs.demo_logs import NAMES_TARGET, names

if TYPE_CHECKING:
    from pathlib import Path


def test_the_bundled_log_is_what_its_table_says() -> None:
    written = {str(path.relative_to(NAMES_TARGET)): path.read_text() for path in NAMES_TARGET.rglob("*.jsonl")}

    assert written == names()


def test_the_bundled_names_are_known_by_the_addresses_that_were_called() -> None:
    found = read_names([demo_names_path()])

    assert found.lost == ()
    assert found.called("192.0.2.33") == ("feeds.publishers.example",)


def test_the_word_demo_stands_for_the_bundled_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = open_names(["demo"])

    assert found is not None
    assert found.names == read_names([demo_names_path()]).names
    assert open_names([]) is None


def test_losses_are_told_and_a_log_without_any_name_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.log.gz"
    good.write_bytes(gzip.compress((names()["resolver.jsonl"] + "{ cut\n").encode()))
    (tmp_path / "bad.log").write_text("hello\n", encoding="utf-8")

    open_names([str(good)])
    assert "good.log.gz: 1 line not read: no JSON" in capsys.readouterr().err
    with pytest.raises(InputError, match="no log with names"):
        open_names([str(tmp_path / "bad.log")])


def test_a_plan_for_the_bundled_estate_lets_out_by_name_and_is_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    from pathlib import Path as Real

    estate = translate(load(demo_snapshot_path()))
    context = RemedyContext.of(
        estate,
        intent=read_intent(demo_intent_path()),
        flows=open_conversations(Real("demo")),
        names=open_names(["demo"]),
    )
    check = next(each for each in CHECKS if each.id == "unrestricted-egress")
    answers = [answer for finding in check.run(context.audit(check)) for answer in REMEDY.propose(context, finding)]
    proposals = {each.resource: each for each in answers if isinstance(each, Proposal)}
    (batch,) = [each for name, each in proposals.items() if name.endswith("sg-0b2757c477bfe5339")]
    lines = [change_text(change, estate) for change in batch.changes]

    assert any(line.endswith("egress tcp/443 to 0.0.0.0/0") for line in lines), lines
    assert not any("192.0.2.33" in line for line in lines)
    assert any("feeds.publishers.example" in step for each in answers for step in getattr(each, "steps", ()))
    assert prove(estate, [change.edits for change in batch.changes], context.demand).holds
