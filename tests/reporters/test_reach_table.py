import re

import pytest
from syrupy.assertion import SnapshotAssertion

from cloudseg.model import Estate, own_id
from cloudseg.reach.names import Named
from cloudseg.traffic import AddressSet, Traffic
from tests.reporters.conftest import HOSTILE
from tests.reporters.reach_answers import V4, answer, estate_of, flow, outside_flows, qualified, shop, written


def rows(text: str) -> list[list[str]]:
    """The cells of each row, continuation lines left out."""
    _, _, *lines = text.partition("\n\n")[0].splitlines()
    return [re.split(r" {2,}", line.strip()) for line in lines if not line.startswith("   ")]


def test_pairs_of_endpoints_are_written_out_with_what_passes() -> None:
    assert rows(written(shop(), "table")) == [
        ["web-2", "web-1", "tcp/22", "at most"],
        ["internet (IPv4)", "web-1", "tcp/80, tcp/443", "exact"],
        ["internet (IPv6)", "web-1", "tcp/443", "exact"],
        ["web-1", "web-2", "tcp/22", "at most"],
        ["internet (IPv4)", "web-2", "tcp/80, tcp/443", "exact"],
        ["internet (IPv6)", "web-2", "tcp/443", "exact"],
        ["web-1", "orders", "tcp/5432", "exact"],
        ["web-1", "orders", "icmp/8", "at most"],
        ["web-2", "orders", "tcp/5432", "exact"],
        ["web-2", "orders", "icmp/8", "at most"],
        ["orders", "198.51.100.0/24", "udp/53", "exact"],
    ]


def test_the_last_line_counts_pairs_unknowns_and_gaps() -> None:
    last = written(shop(gaps=2), "table", width=400).splitlines()[-1]
    assert last == (
        "3 interfaces in 2 classes; 2 of 6 pairs can talk; 2 more at most; something is unknown of 4 pairs; "
        "2 interfaces can be reached from outside; 1 interface can reach outside; the answer is incomplete: 2 gaps"
    )


def test_only_what_was_asked_for_is_shown_and_counted() -> None:
    asked = shop(sources=Named("web-1", (qualified("eni-a"),)), targets=Named("orders", (qualified("eni-db"),)))
    text = written(asked, "table", width=200)
    assert [row[:2] for row in rows(text)] == [["web-1", "orders"], ["web-1", "orders"]]
    assert "1 of 1 pair can talk; something is unknown of 1 pair" in text
    assert "outside" not in text


def test_traffic_is_cut_to_what_was_asked_for() -> None:
    text = written(shop(traffic=Traffic.parse("tcp/443, icmp")), "table")
    assert {tuple(row[2:]) for row in rows(text)} == {("tcp/443", "exact"), ("icmp/8", "at most")}
    # 80 is left out, so that both families are one internet.
    assert ["internet", "web-1", "tcp/443", "exact"] in rows(text)


def test_nothing_is_said_to_pass_in_words() -> None:
    text = written(shop(traffic=Traffic.parse("udp/4")), "table", width=200)
    assert text.splitlines()[0] == "Nothing passes between these ends."
    assert "0 of 6 pairs can talk" in text


def test_without_interfaces_the_table_says_why_it_is_empty() -> None:
    text = written(answer(Estate(), {}, ()), "table", width=200)
    assert text.strip() == "0 interfaces in 0 classes; nobody reaches anybody, for no interface was read"


def test_notes_and_gaps_stand_below_the_table() -> None:
    asked = shop(sources=Named("sg-x", (), notes=("sg-x has no interface that was read",)), gaps=1)
    text = written(asked, "table", width=200)
    assert "note: sg-x has no interface that was read" in text
    assert "aws 111122223333 eu-west-1 ec2.describe_route_tables: denied: AccessDenied" in text


def test_names_that_could_be_taken_for_something_else_stand_beside_the_id() -> None:
    names = {"eni-a": "web", "eni-b": "WEB", "eni-c": "internet", "eni-d": "eni-a", "eni-e": "", "eni-f": "a b"}
    classes = {f"k{number}": (own,) for number, own in enumerate(names)}
    flows = [flow("k0", name, "tcp/1") for name in list(classes)[1:]]
    text = written(answer(estate_of(names), classes, flows), "table")
    assert [row[:2] for row in rows(text)] == [
        ["eni-a (web)", "eni-b (WEB)"],
        ["eni-a (web)", "eni-c (internet)"],
        ["eni-a (web)", "eni-d (eni-a)"],
        ["eni-a (web)", "eni-e"],
        ["eni-a (web)", "eni-f (a b)"],
    ]


@pytest.mark.parametrize("width", [30, 40, 59, 60, 80, 120])
@pytest.mark.parametrize("ascii_only", ["ascii", ""])
def test_hostile_names_fit_the_terminal_and_do_nothing(width: int, ascii_only: str) -> None:
    names = {f"eni-{number}": name for number, name in enumerate(HOSTILE)}
    flows = [flow("all", "all", "all"), *outside_flows(V4, "all", "tcp/22")]
    text = written(answer(estate_of(names), {"all": list(names)}, flows), "table", width=width, unicode=not ascii_only)
    lines = text.split("\n")
    assert not {c for line in lines for c in line if not c.isprintable()}
    if ascii_only:
        assert text.isascii()
        assert max(map(len, lines)) <= width
    assert len(lines) > len(HOSTILE) ** 2


def test_rows_are_written_while_they_are_found() -> None:
    names = {f"eni-{number}": f"host-{number}" for number in range(300)}
    asked = answer(
        estate_of(names), {"all": list(names)}, [flow("all", "all", "tcp/1"), *outside_flows(V4, "all", "tcp/2")]
    )
    assert written(asked, "table").count("tcp/1") == 300 * 299
    assert asked.tally.talking == 300 * 299


@pytest.mark.parametrize("width", [50, 100])
def test_layout(width: int, snapshot: SnapshotAssertion) -> None:
    ranges = [*outside_flows(AddressSet.parse("10.1.0.0/16, 10.3.0.0/16, 10.5.0.0/16, 10.7.0.0/16"), "db", "tcp/5432")]
    estate = estate_of({"eni-a": "web-1", "eni-db": "orders"})
    flows = [flow("web", "db", "tcp/5432, tcp/8000-8080, udp/53, udp/123, icmp/8, sctp/100", "all"), *ranges]
    asked = answer(estate, {"web": ("eni-a",), "db": ("eni-db",)}, flows, gaps=1)
    assert written(asked, "table", width=width) == snapshot


def test_what_is_not_known_is_named_once_the_most_common_first_with_the_way_to_ask_for_all() -> None:
    asked = shop()
    told = {"eni-b": ("groups were not read", "routes were not read"), "eni-db": ("routes were not read",)}
    asked.why = lambda _, target, __: told.get(own_id(target), ())
    lines = written(asked, "table", width=200).splitlines()
    at = lines.index("not known: routes were not read")
    assert lines[at + 1 : at + 3] == [
        "not known: groups were not read",
        "all that is not known of a pair: cloudseg explain SOURCE --from eni-a --to eni-b --traffic tcp/22",
    ]
    assert lines[at + 3].startswith("3 interfaces in 2 classes")


def test_what_is_known_in_full_needs_no_reasons() -> None:
    asked = shop(traffic=Traffic.parse("tcp/443"))
    asked.why = lambda _, __, ___: ("not asked",)
    assert "not known" not in written(asked, "table", width=200)
