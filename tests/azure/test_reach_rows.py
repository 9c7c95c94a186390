"""What the table of pairs says where no NSG stands: a row for each pair, and none about the hosts' own addresses."""

from __future__ import annotations

from io import StringIO

from cloudseg.cli.sources import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.reporters.interface import RenderOptions
from cloudseg.reporters.reach_answer import ReachAnswer
from cloudseg.reporters.reach_csv import REPORTER as CSV
from cloudseg.reporters.reach_table import REPORTER as TABLE
from cloudseg.traffic import Traffic
from tests.azure.agreeing import snapshot_of
from tests.azure.test_unread_parts import two_networks


def written(*, traffic: str = "all", table: bool = True) -> list[str]:
    estate = translate(snapshot_of(two_networks().answers))
    answer = ReachAnswer(Reachability(estate), traffic=Traffic.parse(traffic))
    stream = StringIO()
    (TABLE if table else CSV).write(answer, stream, RenderOptions(width=160))
    return stream.getvalue().splitlines()


def test_a_pair_that_nothing_filters_has_one_row() -> None:
    rows = [line.split() for line in written() if line.split()[:2] == ["a", "b"]]
    assert [row[-1] for row in rows] == ["exact"]
    assert any("rows left out: whether protocols but tcp" in line for line in written())


def test_who_asks_for_such_protocols_gets_their_rows() -> None:
    assert [line.split()[-1] for line in written(traffic="ip/99") if line.split()[:2] == ["a", "b"]] == ["most"]


def test_the_addresses_of_hosts_are_nobody_outside() -> None:
    lines = written()
    assert not any("168.63.129.16" in line and line.startswith("  ") and "exact" in line for line in lines)
    assert any(line.startswith("note: the addresses at which hosts answer") for line in lines)
    assert any("0 interfaces can be reached from outside" in line for line in lines)
    assert not any("168.63.129.16" in line for line in written(table=False))
