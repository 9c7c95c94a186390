"""From log files to the file of conversations: what is read, what is lost, and what is left behind."""

from __future__ import annotations

import gzip
import threading
import time
from contextlib import closing
from pathlib import Path
from signal import SIGINT, default_int_handler, raise_signal, signal
from threading import Timer
from typing import TYPE_CHECKING, cast

import pytest
from duckdb import OutOfMemoryException

from cloudseg.errors import InputError
from cloudseg.flows import reading
from cloudseg.flows.conversations import read_conversations
from cloudseg.flows.coverage import FormatRead
from cloudseg.flows.database import connect, execute
from cloudseg.flows.files import Batch, LocalFiles, LogFile, Unreadable
from cloudseg.flows.summarise import Summary, SummaryOptions, summarise

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from duckdb import DuckDBPyConnection

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
T = 1_767_999_600
APP = "eni-0bbbbbbbbbbbbbbb2"


def _line(port: int = 443, at: int = 0, action: str = "ACCEPT", client: int = 5) -> str:
    return f"2 111122223333 {APP} 10.0.0.{client} 10.0.1.6 40000 {port} 6 10 1000 {T + at} {T + at + 50} {action} OK"


def _text(*lines: str) -> bytes:
    return ("\n".join([HEADER, *lines]) + "\n").encode()


def _run(folder: Path, **options: int | str | None) -> Summary:
    told = SummaryOptions(**options)  # type: ignore[arg-type] # a test names what it changes
    return summarise([LocalFiles([folder / "logs"])], folder / "out.parquet", told)


def _logs(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / "logs" / name.replace("__", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


def _parquet(path: Path, lines: int = 1) -> bytes:
    with closing(connect()) as database:
        database.execute(
            f"COPY (SELECT 2 AS version, '111122223333' AS account_id, '{APP}' AS interface_id, '10.0.0.5' AS srcaddr, "
            "'10.0.1.6' AS dstaddr, 40000 AS srcport, 8443 AS dstport, 6 AS protocol, 10::BIGINT AS packets, "
            f"1000::BIGINT AS bytes, {T}::BIGINT AS start, {T + 50}::BIGINT AS \"end\", 'ACCEPT' AS action, "
            f"'OK' AS log_status FROM range({lines})) TO '{path}' (FORMAT parquet)"
        )
    return path.read_bytes()


def _ports(folder: Path) -> list[int | None]:
    return [row.port for row in read_conversations(folder / "out.parquet").rows()]


def test_text_gzip_and_parquet_in_one_folder_are_read_together(tmp_path: Path) -> None:
    parquet = _parquet(tmp_path / "made")
    _logs(tmp_path, a__log=_text(_line(22)), b__gz=gzip.compress(_text(_line(443), _line(443, 60))), c__parquet=parquet)
    summary = _run(tmp_path)
    assert _ports(tmp_path) == [22, 443, 8443]
    assert (summary.conversations, summary.accepted, summary.refused, summary.unknown) == (3, 3, 0, 0)
    coverage = summary.coverage
    size = sum(path.stat().st_size for path in (tmp_path / "logs").iterdir())
    assert coverage.formats == (FormatRead("aws-vpc", "AWS VPC flow logs", 3, size, 4),)
    assert (coverage.first, coverage.last, coverage.records, coverage.is_whole) == (T, T + 110, 4, True)
    assert read_conversations(tmp_path / "out.parquet").coverage == coverage


def test_a_gzip_that_ends_too_early_gives_what_is_whole_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [_line(1024 + n, n, client=n % 200 + 1) for n in range(5000)]
    packed = gzip.compress(_text(*lines))
    cut = {f"cut{n}__gz": packed[: len(packed) * n // 4] for n in (2, 3)}
    _logs(tmp_path, **cut, whole__gz=gzip.compress(_text(_line(22))), z__gz=gzip.compress(_text(_line(23))))
    coverage = _run(tmp_path).coverage
    assert [(Path(loss.file).name, loss.partly, loss.rows) for loss in coverage.losses] == [
        ("cut2.gz", True, None),
        ("cut3.gz", True, None),
    ]
    assert "ends too early" in coverage.losses[0].reason
    assert 5000 < coverage.records < 2 * 3 / 4 * 5000
    assert {22, 23, 1024} <= set(_ports(tmp_path))
    assert not coverage.is_whole


def test_a_damaged_gzip_gives_what_comes_before(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(_text(*(_line(1024 + n, n) for n in range(20_000)))))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = bytes(64)
    coverage = _run(_logs(tmp_path, a__gz=bytes(packed))).coverage
    assert [loss.partly for loss in coverage.losses] == [True]
    assert 0 < coverage.records < 20_000


def test_a_cut_gzip_in_a_partition_of_an_account_keeps_the_account(tmp_path: Path) -> None:
    fields = " ".join(word for word in HEADER.split() if word != "account-id")
    lines = [" ".join(word for n, word in enumerate(_line(443, n).split()) if n != 1) for n in range(2000)]
    packed = gzip.compress("\n".join([fields, *lines, ""]).encode())
    folder = tmp_path / "logs" / "aws-account-id=444455556666"
    folder.mkdir(parents=True)
    (folder / "a.gz").write_bytes(packed[: len(packed) // 2])
    coverage = _run(tmp_path).coverage
    assert [observer.scope for observer in coverage.observers] == ["444455556666"]


def test_parquet_without_its_end_is_a_loss_and_the_rest_is_read(tmp_path: Path) -> None:
    whole = _parquet(tmp_path / "made", 1000)
    _logs(tmp_path, a__parquet=whole[:-8], b__parquet=whole)
    coverage = _run(tmp_path).coverage
    assert [(Path(loss.file).name, loss.partly) for loss in coverage.losses] == [("a.parquet", False)]
    assert (coverage.records, _ports(tmp_path)) == (1000, [8443])


def test_damaged_parquet_is_a_loss_and_the_rest_is_read(tmp_path: Path) -> None:
    whole = bytearray(_parquet(tmp_path / "made", 1000))
    whole[4:60] = b"\xff" * 56
    _logs(tmp_path, a__parquet=bytes(whole), b__parquet=_parquet(tmp_path / "other", 10), c__log=_text(_line()))
    coverage = _run(tmp_path).coverage
    assert [Path(loss.file).name for loss in coverage.losses] == ["a.parquet"]
    assert coverage.records == 11


def test_rows_with_too_few_fields_are_counted_as_lost(tmp_path: Path) -> None:
    _logs(tmp_path, a__log=_text(_line(22), "2 111122223333 eni-1 10.0.0.5", _line(443), _line(80)[:40]))
    coverage = _run(tmp_path).coverage
    (loss,) = coverage.losses
    assert (Path(loss.file).name, loss.rows, loss.partly) == ("a.log", 2, True)
    assert "line 3" in loss.reason
    assert _ports(tmp_path) == [22, 443]
    assert coverage.formats[0].records == 4


def test_a_file_that_is_no_flow_log_is_a_loss_with_its_reason(tmp_path: Path) -> None:
    coverage = _run(_logs(tmp_path, a__log=_text(_line()), readme__txt=b"Hello, world\n", empty__log=b"")).coverage
    assert {Path(loss.file).name: loss.reason for loss in coverage.losses}.keys() == {"readme.txt", "empty.log"}
    assert all(not loss.partly for loss in coverage.losses)


def test_no_usable_file_at_all_is_an_error_that_names_the_first(tmp_path: Path) -> None:
    _logs(tmp_path, a__txt=b"Hello, world\n", b__txt=b"Good-bye\n")
    with pytest.raises(InputError, match=r"a\.txt: it is no flow log .* nor can 1 other"):
        _run(tmp_path)
    assert not (tmp_path / "out.parquet").exists()


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(InputError, match="no flow logs are there"):
        _run(tmp_path)


def test_idle_logs_are_a_whole_file_without_conversations(tmp_path: Path) -> None:
    idle = f"2 111122223333 {APP} - - - - - - - {T} {T + 60} - NODATA"
    skipped = f"2 111122223333 {APP} - - - - - - - {T + 60} {T + 120} - SKIPDATA"
    summary = _run(_logs(tmp_path, a__log=_text(idle, idle, skipped)))
    (observer,) = summary.coverage.observers
    assert (summary.conversations, summary.coverage.records, summary.coverage.first) == (0, 0, T)
    assert (observer.name, observer.idle, observer.skipped, observer.records) == (APP, 2, 1, 0)
    assert (observer.first, observer.last) == (T, T + 120)
    assert not summary.coverage.is_whole


@pytest.mark.semantics(213)
def test_the_coverage_tells_who_only_ever_reported_refusals(tmp_path: Path) -> None:
    (observer,) = _run(
        _logs(tmp_path, a__log=_text(_line(action="REJECT"), _line(22, action="REJECT")))
    ).coverage.observers
    assert (observer.records, observer.refused) == (2, 2)


def test_records_outside_of_the_bounds_are_left_out_and_counted(tmp_path: Path) -> None:
    _logs(tmp_path, a__log=_text(_line(1, -60), _line(2, 0), _line(3, 40), _line(4, 100)))
    coverage = _run(tmp_path, since=T, until=T + 100).coverage
    assert _ports(tmp_path) == [2, 3]
    assert (coverage.left_out, coverage.records, coverage.since, coverage.until) == (2, 2, T, T + 100)
    assert (coverage.first, coverage.last) == (T, T + 90)


def test_rows_that_make_no_sense_are_counted(tmp_path: Path) -> None:
    coverage = _run(_logs(tmp_path, a__log=_text(_line(99999), _line(22)))).coverage
    assert (coverage.bad, coverage.records, coverage.is_whole) == (1, 1, False)


def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    _logs(tmp_path, a__log=_text(_line()))
    summarise([LocalFiles([tmp_path / "logs"])], tmp_path / "out.parquet", SummaryOptions(temp=temp))
    assert list(temp.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "out.parquet", "temp"]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_TOLD_EVERY", 0.0)
    temp = tmp_path / "temp"
    temp.mkdir()
    _logs(tmp_path, a__gz=gzip.compress(_text(*(_line(1024 + n, n) for n in range(20_000)))))

    def stop(done: int, total: int | None, rows: int) -> None:
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        summarise([LocalFiles([tmp_path / "logs"])], tmp_path / "out.parquet", SummaryOptions(temp=temp), stop)
    assert list(temp.iterdir()) == []
    assert not (tmp_path / "out.parquet").exists()
    assert set(threading.enumerate()) <= before


@pytest.fixture
def heard() -> Iterator[None]:
    """Have interrupts heard: a shell lets what it runs in the background ignore them."""
    before = signal(SIGINT, default_int_handler)
    yield
    signal(SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_who_watches_no_progress_may_interrupt_as_well() -> None:
    with closing(connect(threads=1)) as database:
        began = time.monotonic()
        Timer(0.3, raise_signal, (SIGINT,)).start()
        with pytest.raises(KeyboardInterrupt):
            execute(database, "SELECT SUM(hash(a.i + b.i)) FROM range(1000000) a(i), range(100000) b(i)")
        assert time.monotonic() - began < 30


def test_progress_ends_with_all_bytes_and_rows(tmp_path: Path) -> None:
    told: list[tuple[int, int | None, int]] = []
    _logs(tmp_path, a__log=_text(_line(), _line(22)), b__gz=gzip.compress(_text(_line(80))))
    source = LocalFiles([tmp_path / "logs"])

    def progress(done: int, total: int | None, rows: int) -> None:
        told.append((done, total, rows))

    summarise([source], tmp_path / "out.parquet", SummaryOptions(), progress)
    assert told[-1] == (source.size, source.size, 3)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


def test_the_same_conversations_come_of_one_file_and_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [_line(port, at, client=client) for port in (22, 443) for at in (0, 60, 120) for client in (5, 6)]
    _logs(tmp_path, a__log=_text(*lines))
    _run(tmp_path)
    one = list(read_conversations(tmp_path / "out.parquet").rows())
    other = tmp_path / "other"
    other.mkdir()
    _logs(other, **{f"{n}__log": _text(line) for n, line in enumerate(reversed(lines))})
    monkeypatch.setattr(reading, "_FILES_AT_ONCE", 2)
    monkeypatch.setattr(reading, "_MERGE_FROM", 3)
    _run(other, threads=1)
    assert list(read_conversations(other / "out.parquet").rows()) == one


class _Remote:
    """A source with two batches, of which it removes the first before the second."""

    name = "s3://bucket/prefix"
    size = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed = False

    def batches(self) -> Generator[Batch]:
        try:
            for number in (1, 2):
                path = self.folder / f"copy{number}.log"
                path.write_bytes(_text(_line(number)))
                held = LogFile(path, path.stat().st_size, f"s3://bucket/prefix/{number}.log")
                yield Batch(
                    (held,), (Unreadable(f"s3://bucket/prefix/denied-{number}", "denied"),), (f"note {number}",)
                )
                path.unlink()
        finally:
            self.closed = True


def test_batches_are_read_one_after_the_other_and_their_losses_named(tmp_path: Path) -> None:
    source = _Remote(tmp_path)
    coverage = summarise([source], tmp_path / "out.parquet", SummaryOptions()).coverage
    assert source.closed
    assert _ports(tmp_path) == [1, 2]
    assert [loss.file for loss in coverage.losses] == ["s3://bucket/prefix/denied-1", "s3://bucket/prefix/denied-2"]
    assert coverage.notes == ("note 1", "note 2")
    assert coverage.formats[0].files == 2


def test_too_little_memory_is_an_error_that_says_so(tmp_path: Path) -> None:
    lines = [_line(1024 + n % 60000, n, client=n % 250) for n in range(60_000)]
    with pytest.raises(InputError, match="the memory allowed is too little"):
        _run(_logs(tmp_path, a__log=_text(*lines)), memory="1MB")


@pytest.mark.parametrize(("option", "value"), [("memory", "much"), ("threads", 0)])
def test_options_that_make_no_sense_are_refused(tmp_path: Path, option: str, value: str | int) -> None:
    with pytest.raises(InputError, match=option):
        _run(_logs(tmp_path, a__log=_text(_line())), **{option: value})


def test_a_log_that_is_read_is_never_written_over(tmp_path: Path) -> None:
    _logs(tmp_path, a__log=_text(_line()))
    log = tmp_path / "logs" / "a.log"
    with pytest.raises(InputError, match="one of the files to read"):
        summarise([LocalFiles([tmp_path / "logs"])], log, SummaryOptions())
    assert log.read_bytes() == _text(_line())


def test_conversations_written_among_the_logs_are_written_anew(tmp_path: Path) -> None:
    _logs(tmp_path, a__log=_text(_line()))
    output = tmp_path / "logs" / "found.parquet"
    for _ in range(2):
        summary = summarise([LocalFiles([tmp_path / "logs"])], output, SummaryOptions())
        assert (summary.conversations, summary.coverage.losses) == (1, ())


def test_the_output_is_looked_at_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        summarise([_Remote(tmp_path)], tmp_path / "none" / "out.parquet", SummaryOptions())
    assert list(tmp_path.iterdir()) == []


class _Short:
    """A database whose memory does for one thread alone, or not even for that."""

    def __init__(self, does_for: int) -> None:
        self.does_for = does_for
        self.threads = 2
        self.done: list[str] = []

    def interrupt(self) -> None: ...

    def execute(self, statement: str) -> _Short:
        if statement.startswith("SET threads = "):
            self.threads = int(statement.rpartition(" ")[2])
        elif statement == "CREATE TABLE a" and self.threads > self.does_for:
            raise OutOfMemoryException
        self.done.append(statement)
        return self

    def fetchall(self) -> list[tuple[int]]:
        return [(self.threads,)]


def test_where_memory_is_too_little_for_all_threads_one_does_the_work() -> None:
    """Each thread holds blocks of its own."""
    database = _Short(does_for=1)
    execute(cast("DuckDBPyConnection", database), "CREATE TABLE a")
    assert "CREATE TABLE a" in database.done
    assert database.threads == 2


def test_memory_that_is_too_little_for_one_thread_is_an_error() -> None:
    database = _Short(does_for=0)
    with pytest.raises(OutOfMemoryException):
        execute(cast("DuckDBPyConnection", database), "CREATE TABLE a")
    assert database.threads == 2
