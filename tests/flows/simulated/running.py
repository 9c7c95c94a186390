"""Write the logs of a drawn case into files as a bucket would hold them, and read the conversations made of them."""

from __future__ import annotations

import gzip
from datetime import UTC
from typing import TYPE_CHECKING, Any

import duckdb

from cloudseg.flows.conversations import Conversation
from cloudseg.flows.files import LocalFiles
from cloudseg.flows.summarise import SummaryOptions, summarise
from tests.flows.simulated.write_aws import aws_logs
from tests.flows.simulated.write_azure import azure_logs
from tests.flows.simulated.write_gcp import gcp_logs
from tests.flows.simulated.write_hubble import hubble_logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from random import Random

    from cloudseg.flows.summarise import Summary
    from tests.flows.simulated.seen import Case
    from tests.flows.simulated.write_aws import LogFile

__all__ = ["read_rows", "summarised", "to_parquet", "write_logs"]

_NUMBERS = {
    "version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp-flags", "traffic-path",
}  # fmt: skip


def write_logs(random: Random, case: Case, folder: Path, cuts: int) -> list[Path]:
    """Write the logs, each kind cut into ``cuts`` files at most, in no order."""
    folder.mkdir(parents=True, exist_ok=True)
    match case.world.provider:
        case "aws":
            files = [file for log in aws_logs(case) for file in _aws(random, log, folder, cuts)]
        case "azure":
            files = [_text(folder / name, text) for name, text in azure_logs(case).items()]
        case "gcp":
            files = _cut(random, gcp_logs(case), folder / "gcp", ".json", cuts)
        case _:
            lines = hubble_logs(case, wrapped=random.random() < 0.5)
            files = _cut(random, lines, folder / "hubble", ".jsonl", cuts)
    random.shuffle(files)
    return files


def _text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def _pieces(random: Random, lines: list[str], cuts: int) -> Iterable[list[str]]:
    lines = list(lines)
    if cuts > 1:
        random.shuffle(lines)
    size = -(-len(lines) // cuts)
    return (lines[at : at + size] for at in range(0, len(lines), size))


def _cut(random: Random, lines: list[str], folder: Path, suffix: str, cuts: int) -> list[Path]:
    pieces = enumerate(_pieces(random, lines, cuts))
    return [_text(folder / f"part-{number}{suffix}", "\n".join(piece) + "\n") for number, piece in pieces]


def _aws(random: Random, log: LogFile, folder: Path, cuts: int) -> Iterable[Path]:
    header = " ".join(log.fields)
    base = folder / f"aws-{len(list(folder.iterdir()))}"
    base.mkdir()
    for number, piece in enumerate(_pieces(random, log.lines, cuts)):
        path = _text(base / f"log-{number}.log.gz", "\n".join([header, *piece]) + "\n")
        if log.parquet:
            to_parquet(path, base / f"log-{number}.parquet")
            path.unlink()
            path = base / f"log-{number}.parquet"
        yield path


def to_parquet(text: Path, parquet: Path) -> None:
    """Write a text log as AWS writes Parquet: names with underscores, numbers as numbers, nothing for ``-``."""
    with gzip.open(text, "rt") as opened:
        fields = opened.readline().split()
    columns = ", ".join(
        f'CAST("{field}" AS {"BIGINT" if field in ("packets", "bytes", "start", "end") else "INTEGER"})'
        f' AS "{field.replace("-", "_")}"'
        if field in _NUMBERS
        else f'"{field}" AS "{field.replace("-", "_")}"'
        for field in fields
    )
    duckdb.connect().execute(
        f"COPY (SELECT {columns} FROM read_csv('{text}', delim=' ', header=true, nullstr='-', all_varchar=true)) "
        f"TO '{parquet}' (FORMAT parquet, CODEC gzip)"
    )


def read_rows(path: Path) -> list[Conversation]:
    """Read the conversations, without the product's own reader."""
    names = ", ".join(f'"{name}"' for name in Conversation._fields)
    found = duckdb.connect().execute(f"SELECT {names} FROM read_parquet('{path}')").fetchall()
    return [_row(each) for each in found]


def _row(values: tuple[Any, ...]) -> Conversation:
    row = Conversation(*values)
    return row._replace(
        observers=tuple(row.observers or ()),
        middle=tuple(row.middle or ()),
        rules=tuple(row.rules or ()),
        first_seen=row.first_seen.replace(tzinfo=UTC),
        last_seen=row.last_seen.replace(tzinfo=UTC),
    )


def summarised(paths: Sequence[Path], output: Path, *, threads: int | None = None) -> Summary:
    """Make conversations of log files with the product."""
    return summarise([LocalFiles(paths)], output, SummaryOptions(threads=threads))
