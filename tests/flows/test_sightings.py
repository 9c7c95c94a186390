"""One record after the other becomes a sighting: who is taken for the client, and what is counted together."""

from __future__ import annotations

from contextlib import closing
from itertools import permutations

import pytest

from cloudseg.flows.columns import RECORDS, SIGHTINGS
from cloudseg.flows.database import connect
from cloudseg.flows.formats.interface import Records
from cloudseg.flows.ports import SERVICE_PORTS, difference_sql, kind_sql
from cloudseg.flows.resolve import create_sightings
from cloudseg.flows.sightings import merged_sql, sightings_sql
from tests.flows.tables import APP, T, answer, fill, record, sightings, syn


def _ends(*found: dict[str, str | int | bool | None]) -> list[tuple[object, ...]]:
    return [(each["client"], each["client_port"], each["server"], each["port"], each["orientation"]) for each in found]


@pytest.mark.semantics(119)
def test_both_directions_of_a_connection_are_one_sighting() -> None:
    (found,) = sightings(
        syn("10.0.0.5 40000 > 10.0.1.6 443", side="src", packets=7, bytes=700, last=T + 9),
        answer("10.0.1.6 443 > 10.0.0.5 40000", side="dst", packets=5, bytes=5000, first=T + 2, last=T + 11),
    )
    assert _ends(found) == [("10.0.0.5", None, "10.0.1.6", 443, "handshake")]
    assert (found["packets"], found["bytes"], found["packets_back"], found["bytes_back"]) == (7, 700, 5, 5000)
    assert (found["records"], found["opened"], found["asked"], found["answered"]) == (2, 1, True, True)
    assert (found["first"], found["first_back"], found["last"]) == (T, T + 2, T + 11)
    assert (found["place"], found["observer"], found["verdict"]) == ("client", APP, "accepted")


def test_the_ephemeral_port_of_a_client_makes_no_groups() -> None:
    (found,) = sightings(*(syn(f"10.0.0.5 {port} > 10.0.1.6 443") for port in (40001, 40002, 59999)))
    assert (found["opened"], found["client_port_low"], found["client_port_high"]) == (3, 40001, 59999)


@pytest.mark.parametrize(
    ("low", "high"),
    [(22, 40000), (443, 8443), (8443, 3333), (700, 3333), (2049, 700), (3333, 40000), (50051, 40000)],
)
def test_without_proof_the_lower_kind_of_port_listens(low: int, high: int) -> None:
    assert _ends(*sightings(record(f"10.0.0.5 {high} > 10.0.1.6 {low}"))) == [
        ("10.0.0.5", None, "10.0.1.6", low, "ports")
    ]


@pytest.mark.parametrize(("one", "other"), [(2049, 993), (53, 123), (8080, 8443), (3333, 4444), (40000, 50002)])
def test_ports_of_one_kind_tell_nothing_and_both_stay(one: int, other: int) -> None:
    found = sightings(record(f"10.0.0.5 {one} > 10.0.1.6 {other}"), record(f"10.0.1.6 {other} > 10.0.0.5 {one}"))
    assert _ends(*found) == [("10.0.0.5", one, "10.0.1.6", other, "none")]
    assert (found[0]["asked"], found[0]["answered"]) == (True, True)


def test_protocols_without_ports_take_the_lesser_address_for_the_client() -> None:
    found = sightings(record("10.0.1.6 > 10.0.0.5"), record("10.0.0.5 > 10.0.1.6"))
    assert _ends(*found) == [("10.0.0.5", None, "10.0.1.6", None, "none")]


def test_the_log_of_connections_is_counted_in_both_directions() -> None:
    (found,) = sightings(
        record(
            "10.0.0.5 40000 > 10.0.1.6 443", opener="src", proof="state", opened=1, answers=True, packets=3, bytes=30,
            packets_back=4, bytes_back=40,
        )
    )  # fmt: skip
    assert (found["orientation"], found["answered"], found["packets_back"], found["bytes_back"]) == (
        "state",
        True,
        4,
        40,
    )


def test_what_a_server_sent_counts_the_other_way_round() -> None:
    (found,) = sightings(
        record(
            "10.0.1.6 443 > 10.0.0.5 40000", opener="dst", proof="state", packets=3, bytes=30, packets_back=4,
            bytes_back=40,
        )
    )  # fmt: skip
    assert (found["packets"], found["bytes"], found["packets_back"], found["bytes_back"]) == (4, 40, 3, 30)


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [("10.0.0.5 40000 > 10.0.1.6 443", "refused"), ("10.0.1.6 443 > 10.0.0.5 40000", "reply-refused")],
)
def test_a_refusal_is_that_of_a_question_or_of_an_answer(ends: str, verdict: str) -> None:
    assert [each["verdict"] for each in sightings(record(ends, accepted=False))] == [verdict]


@pytest.mark.parametrize(("side", "place"), [("src", "server"), ("dst", "client"), ("middle", "middle"), (None, None)])
def test_the_place_is_told_of_client_and_server_not_of_source_and_destination(
    side: str | None, place: str | None
) -> None:
    assert [each["place"] for each in sightings(record("10.0.1.6 443 > 10.0.0.5 40000", side=side))] == [place]


def test_the_addresses_that_the_observer_saw_go_with_their_ends() -> None:
    (found,) = sightings(
        record("203.0.113.9 443 > 10.0.0.5 40000", near_src="10.0.9.9", src_name="S3", dst_name="shop/web[Deployment]")
    )
    assert (found["near_client"], found["near_server"]) == (None, "10.0.9.9")
    assert (found["client_name"], found["server_name"]) == ("shop/web[Deployment]", "S3")


@pytest.mark.parametrize("status", ["idle", "skipped", "bad"])
def test_rows_that_are_no_traffic_are_counted_and_say_nothing_else(status: str) -> None:
    broken = [
        syn("10.0.0.5 40000 > 10.0.1.6 443", side="src", rule="r", src_name="a", near_dst="10.0.9.9", packets_back=3),
        record("10.0.0.7 > 10.0.1.8", dst_name="b", accepted=False),
    ]
    (found,) = sightings(*(row | {"status": status} for row in broken))
    assert (found["status"], found["records"], found["first"], found["last"]) == (status, 2, T, T + 1)
    assert {name for name, value in found.items() if value not in (None, 0)} == {
        "provider", "scope", "network", "observer", "status", "records", "first", "last",
    }  # fmt: skip


def test_records_outside_of_the_bounds_are_counted_and_say_nothing_else() -> None:
    rows = [record("10.0.0.5 40000 > 10.0.1.6 443", first=T + at, last=T + at + 10) for at in (-10, 0, 50, 100, 101)]
    found = {each["status"]: each for each in sightings(*rows, since=T, until=T + 100)}
    assert {status: each["records"] for status, each in found.items()} == {"ok": 2, "outside": 3}
    assert (found["outside"]["client"], found["outside"]["observer"]) == (None, None)


def test_what_a_format_has_not_is_grouped_by_nobody() -> None:
    query = sightings_sql(Records("SELECT * FROM records", frozenset({"rule", "near_src", "near_dst", "src_name"})))
    grouped = query.rpartition("GROUP BY")[2]
    assert '"rule"' not in grouped
    assert '"near_client"' not in grouped
    assert '"client_name"' in grouped


def test_the_columns_are_those_of_the_contract() -> None:
    with closing(connect()) as database:
        fill(database, [])
        for absent in (frozenset[str](), frozenset({"rule", "scope", "network", "near_src", "near_dst"})):
            query = sightings_sql(Records("SELECT * FROM records", absent))
            described = database.execute(f"DESCRIBE {query}").fetchall()
            assert [row[:2] for row in described] == [(column.name, column.type) for column in SIGHTINGS]


@pytest.mark.parametrize("dialect", ["athena", "bigquery"])
def test_the_text_can_be_written_for_the_clouds_engines(dialect: str) -> None:
    import sqlglot

    query = sightings_sql(Records("SELECT * FROM records", frozenset()))
    written = sqlglot.transpile(query, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)[0]
    back = sqlglot.transpile(written, read=dialect, write="duckdb")[0]
    with closing(connect(threads=1)) as database:
        fill(database, [syn("10.0.0.5 40000 > 10.0.1.6 443"), record("10.0.1.6 443 > 10.0.0.5 40000", accepted=False)])
        plain, again = (database.execute(f"SELECT * FROM ({text}) ORDER BY ALL").fetchall() for text in (query, back))
    assert plain == again
    assert len(plain) == 2


def test_merging_sightings_counts_them_once_as_records_are() -> None:
    rows = [
        syn("10.0.0.5 40000 > 10.0.1.6 443", packets=2),
        answer("10.0.1.6 443 > 10.0.0.5 40001", first=T + 3, last=T + 8),
        record("10.0.0.5 40000 > 10.0.1.6 40002"),
    ]
    names = ", ".join(f'"{column.name}"' for column in SIGHTINGS)
    for first, *others in permutations(rows):
        with closing(connect(threads=1)) as database:
            create_sightings(database)
            for some in ([first], others):
                fill(database, some)
                query = sightings_sql(Records("SELECT * FROM records", frozenset()))
                database.execute(f"INSERT INTO sightings SELECT *, 'log' FROM ({query})")
                database.execute("DROP TABLE records")
            merged = database.execute(f"SELECT {names} FROM ({merged_sql()}) ORDER BY ALL").fetchall()
        assert merged == [tuple(each.values()) for each in sightings(*rows)]


def test_the_kind_of_every_port_is_that_of_the_table() -> None:
    def kind(port: int) -> int:
        if port < 512 or port == 2049 or (port < 1024 and port in SERVICE_PORTS):
            return 0
        if port in SERVICE_PORTS:
            return 1
        return 2 if port < 1024 else 3 if port < 32768 else 4

    with closing(connect()) as database:
        kinds = database.execute(f"SELECT p, {kind_sql('p')} FROM range(65536) AS ports(p)").fetchall()
        pairs = f"""
            SELECT COUNT(*) FILTER (sign({difference_sql("p", "q")}) <> sign({kind_sql("p")} - ({kind_sql("q")}))),
                COUNT(*) FILTER ({difference_sql("p", "q")} = 0)
            FROM range(0, 65536, 37) AS ones(p),
                unnest([22, 700, 993, 1024, 2049, 8080, 32767, 32768, 50000]) AS others(q)
        """
        wrong, alike = database.execute(pairs).fetchall()[0]
        unknown = database.execute(f"SELECT {difference_sql('p', 'NULL::INTEGER')} FROM (SELECT 50001 AS p)").fetchall()
    assert dict(kinds) == {port: kind(port) for port in range(65536)}
    assert wrong == 0
    assert alike > 0
    assert unknown == [(0,)]


def test_service_ports_leave_room_for_clients() -> None:
    assert all(512 <= port <= 65535 for port in SERVICE_PORTS)
    assert sum(32768 <= port <= 60999 for port in SERVICE_PORTS) < 10, "Linux takes clients' ports from there"


def test_records_of_the_contract_are_all_used() -> None:
    query = sightings_sql(Records("SELECT * FROM records", frozenset()))
    assert [column.name for column in RECORDS if column.name not in query] == []
