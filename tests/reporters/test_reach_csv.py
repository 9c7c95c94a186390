import csv
import io

from cloudseg.reach.names import Named
from cloudseg.reporters.reach_csv import HEADER
from tests.reporters.conftest import HOSTILE
from tests.reporters.reach_answers import answer, estate_of, flow, qualified, shop, written


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_every_pair_of_endpoints_and_every_range_is_a_row() -> None:
    found = rows(written(shop(), "csv"))
    inside = [row for row in found if not row["from"].startswith("external:")]
    assert [(row["from_name"], row["to_name"] or row["to"], row["traffic"], row["bound"]) for row in inside] == [
        ("web-2", "web-1", "tcp/22", "at-most"),
        ("web-1", "web-2", "tcp/22", "at-most"),
        ("web-1", "orders", "tcp/5432", "exact"),
        ("web-1", "orders", "icmp/8", "at-most"),
        ("web-2", "orders", "tcp/5432", "exact"),
        ("web-2", "orders", "icmp/8", "at-most"),
        ("orders", "external:198.51.100.0/24", "udp/53", "exact"),
    ]
    assert found[0] == {
        "from": qualified("eni-b"),
        "from_name": "web-2",
        "to": qualified("eni-a"),
        "to_name": "web-1",
        "traffic": "tcp/22",
        "bound": "at-most",
    }
    assert sum(row["from"] == "external:1.0.0.0-9.255.255.255" for row in found) == 2


def test_only_the_endpoints_that_were_asked_for_have_rows() -> None:
    found = rows(written(shop(sources=Named("a", (qualified("eni-a"),))), "csv"))
    assert {row["from_name"] for row in found} == {"web-1"}


def test_names_that_a_spreadsheet_would_run_are_defused() -> None:
    names = {f"eni-{number}": name for number, name in enumerate(HOSTILE)}
    text = written(answer(estate_of(names), {"all": list(names)}, [flow("all", "all", "tcp/1")]), "csv")
    assert not {c for c in text if not c.isprintable()} - {"\r", "\n"}
    found = rows(text)
    assert len(found) == len(HOSTILE) * (len(HOSTILE) - 1)
    assert not any(row["from_name"].startswith(("=", "+", "-", "@")) for row in found)
    assert {"'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)"} <= {row["from_name"] for row in found}


def test_without_flows_the_header_is_all() -> None:
    assert written(answer(estate_of({"eni-a": "a"}), {"a": ("eni-a",)}, []), "csv") == ",".join(HEADER) + "\r\n"
