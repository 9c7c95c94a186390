import csv
import io
from collections.abc import Callable

from cloudseg.engine import FindingsDocument
from cloudseg.reporters.csv_report import HEADER

Render = Callable[..., str]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_one_row_a_finding_in_the_order_of_the_document(corpus: FindingsDocument, render: Render) -> None:
    found = [row for row in rows(render(corpus, "csv")) if row["row"] == "finding"]
    assert [row["id"] for row in found] == [finding.id for finding in corpus.findings]
    assert found[0] == dict.fromkeys(HEADER, "") | {
        "id": f"{1:020x}",
        "check": "internet-exposed-port",
        "severity": "critical",
        "confidence": "high",
        "provider": "aws",
        "scope": "111122223333",
        "region": "eu-west-1",
        "resource_kind": "security-group",
        "resource_id": "sg-0001",
        "resource_name": "web",
        "rule_id": "sgr-0a1b2c3d4e5f",
        "rule_direction": "ingress",
        "rule_traffic": "tcp/22",
        "rule_peer": "0.0.0.0/0",
        "message": "the whole IPv4 internet reaches tcp/22 of 1 interface by web",
        "evidence": "exposes SSH",
        "reachable": "true",
        "affected": "eni-1; eni-2",
        "also": "overbroad-ports (medium): 64,000 ports are open",
        "remedy": "admit only the identities that need the port",
        "remedy_groups": "sg-app",
        "compliance": "cis-aws-5.0:5.3",
        "row": "finding",
    }
    assert (found[5]["file"], found[5]["line"]) == ("modules/net work/ü.tf", "12")
    assert found[6]["waiver_owner"] == "net-team"


def test_every_row_has_every_column_and_stands_on_one_line(hostile: FindingsDocument, render: Render) -> None:
    text = render(hostile, "csv")
    assert text.endswith("\r\n")
    lines = text.split("\r\n")
    gaps = sum(len(source.gaps) for source in hostile.sources)
    unsettled = sum(1 for check in hostile.checks if check.status != "evaluated")
    assert len(lines) == len(hostile.findings) + gaps + unsettled + 2
    assert all(None not in row and None not in row.values() for row in rows(text))  # type: ignore[comparison-overlap]


def test_no_cell_begins_as_a_formula(hostile: FindingsDocument, render: Render) -> None:
    cells = [cell for row in rows(render(hostile, "csv")) for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {"'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)", "'\\t=1", "'\\r=1"} <= set(cells)


def test_quotes_and_commas_read_back(hostile: FindingsDocument, render: Render) -> None:
    assert 'quote " comma, semicolon;' in [row["resource_name"] for row in rows(render(hostile, "csv"))]


def test_gaps_and_checks_that_were_not_evaluated_are_rows_after_the_findings(
    corpus: FindingsDocument, render: Render
) -> None:
    found = rows(render(corpus, "csv"))
    kinds = [row["row"] for row in found]
    gaps = sum(len(source.gaps) for source in corpus.sources)
    unsettled = [check for check in corpus.checks if check.status != "evaluated"]
    assert gaps
    assert unsettled
    assert kinds == ["finding"] * len(corpus.findings) + ["gap"] * gaps + ["check"] * len(unsettled)
    first = found[len(corpus.findings)]
    assert first["message"].startswith("not read: ")
    assert (first["id"], first["severity"]) == ("", "")
    last = found[-1]
    assert (last["check"], last["message"]) == (unsettled[-1].id, f"{unsettled[-1].status}: {unsettled[-1].reason}")
