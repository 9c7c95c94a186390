"""`cloudseg flows`: flow logs become conversations."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options
from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.flows.coverage import Coverage, FormatRead
    from cloudseg.flows.engines import Engine
    from cloudseg.flows.files import LogSource
    from cloudseg.flows.summarise import Summary, SummaryOptions

__all__ = ["EngineName", "FlowsFormat", "flows"]

INCOMPLETE = 3
_LOSSES_SHOWN = 3


class FlowsFormat(StrEnum):
    """The formats in which conversations are shown."""

    TABLE = "table"
    CSV = "csv"


class EngineName(StrEnum):
    """The engines that can be asked; ``cloudseg.flows.engines.ENGINES`` tells about what."""

    ATHENA = "athena"
    BIGQUERY = "bigquery"
    LOGANALYTICS = "loganalytics"


def flows(
    logs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LOG...",
            help="Files, folders and patterns of flow logs, `s3://BUCKET/PREFIX`, `cloudwatch:GROUP[@REGION]`, "
            "`https://ACCOUNT.blob.core.windows.net/CONTAINER`, or `demo`. Kinds may be mixed. With `--engine` the "
            "table: `DATABASE.TABLE`, `PROJECT.DATASET.TABLE`, or the id of a workspace.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write the conversations, as Parquet.", metavar="CONVERSATIONS"),
    ] = None,
    *,
    since: Annotated[
        str | None, typer.Option(help="Leave out what ended before this day or time (UTC).", metavar="TIME")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Leave out what began at this day or time or later (UTC).", metavar="TIME")
    ] = None,
    format: Annotated[  # noqa: A002
        FlowsFormat | None,
        typer.Option("--format", "-f", help="Show the conversations on stdout. [default: table, without --output]"),
    ] = None,
    limit: Annotated[int, typer.Option(help="Conversations shown, the most frequent first; 0 for all.", min=0)] = 40,
    log_format: Annotated[
        str | None,
        typer.Option(
            help="AWS: the fields of records without a header: '${version} ${account-id} …'", metavar="FIELDS"
        ),
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="What may be held in memory before it spills to disk: 2GB.", metavar="SIZE")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads. [default: one for each core]", min=1)] = None,
    engine: Annotated[
        EngineName | None,
        typer.Option(help="Ask the cloud's own engine, where the logs are; only conversations come back."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the query of --engine and what it would read; run nothing.")
    ] = False,
    max_bytes: Annotated[
        str | None,
        typer.Option(help="What a query may read at most: 500GB. [default: BigQuery 1 TiB]", metavar="SIZE"),
    ] = None,
    workgroup: Annotated[str | None, typer.Option(help="Athena: the workgroup. [default: primary]")] = None,
    results: Annotated[
        str | None, typer.Option(help="Athena: where results go, s3://BUCKET/PREFIX/. [default: the workgroup's place]")
    ] = None,
    partition: Annotated[
        list[str] | None, typer.Option(help="Athena: a partition to read alone; repeatable.", metavar="NAME=VALUE")
    ] = None,
    location: Annotated[str | None, typer.Option(help="BigQuery: where the dataset is.")] = None,
    project: Annotated[
        str | None, typer.Option(help="BigQuery: the project that asks and pays. [default: the login's]")
    ] = None,
    profile: options.Profile = None,
    region: options.Region = None,
    assume_role: options.AssumeRole = None,
    external_id: options.ExternalId = None,
    config: options.ConfigFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make conversations of flow logs: who opened a connection to whom, how often, first and last seen.

    Reads AWS VPC and transit gateway flow logs, Azure VNet and NSG flow logs, Google Cloud VPC flow logs and Hubble's,
    compressed or not. The file is what `audit --flows` and `intent` take; see docs/flow-logs.md. With `--engine` the
    logs stay where they are: Athena, BigQuery or Log Analytics is asked; see docs/flow-engines.md.

    Exit codes: 0 everything was read; 2 wrong usage, configuration or input; 3 some of it could not be read, or the
    cloud had lost records.
    """
    from cloudseg.cli.flow_engines import EngineWords, check_alone, engine_of
    from cloudseg.cli.flow_sources import Window, log_sources, moment
    from cloudseg.cli.provider_words import AwsWords, aws_options
    from cloudseg.config import load_config
    from cloudseg.flows.conversations import check_output
    from cloudseg.flows.files import log_fields
    from cloudseg.flows.summarise import SummaryOptions

    started = time.monotonic()
    settings = load_config(config)
    if not logs:
        raise InputError("say where the flow logs are: `cloudseg flows LOG... -o conversations.parquet`, or try `demo`")
    if output is not None:
        check_output(output)
    window = Window(moment(since, "--since"), moment(until, "--until"))
    if window.since is not None and window.until is not None and window.since >= window.until:
        raise InputError(f"--since {since} is not before --until {until}; nothing lies between them")
    aws = aws_options(settings, AwsWords(profile, region, assume_role, external_id, organization=False))
    words = EngineWords(engine, max_bytes, workgroup, results, partition, location, project)
    asked: Engine | None = None
    sources: tuple[LogSource, ...] = ()
    if engine is None:
        check_alone(words, explain=explain)
        sources = log_sources(logs, window, log_fields(log_format), aws)
    else:
        asked = engine_of(logs, words, window, aws, settings.azure.cloud)
        if explain:
            _explain(asked)
            return
    with tempfile.TemporaryDirectory(prefix="cloudseg-flows-") as folder:
        path = Path(folder) / "conversations.parquet" if output is None else output
        summary = _summarised(asked or sources, path, SummaryOptions(*window, memory, threads), quiet=quiet)
        if format is not None or output is None:
            _show(path, format or FlowsFormat.TABLE, limit)
    if not quiet:
        _tell(summary, output, time.monotonic() - started, verbose=verbose)
    if not summary.coverage.is_whole:
        raise typer.Exit(INCOMPLETE)


def _explain(engine: Engine) -> None:
    from cloudseg.flows.engines import explain
    from cloudseg.text import visible

    for line in explain(engine).splitlines():
        typer.echo(visible(line))


def _summarised(logs: Engine | Sequence[LogSource], path: Path, wanted: SummaryOptions, *, quiet: bool) -> Summary:
    """Read the logs, or have them read where they are, with a progress bar on a terminal."""
    from cloudseg.flows.engines import run
    from cloudseg.flows.summarise import Progress, summarise

    def conversations(advance: Progress | None = None) -> Summary:
        if isinstance(logs, Sequence):
            return summarise(logs, path, wanted, advance)
        return run(logs, path, wanted, advance)

    if quiet or not sys.stderr.isatty():
        return conversations()
    from cloudseg.cli.progress import bytes_bar

    with bytes_bar("Reading flow logs" if isinstance(logs, Sequence) else "Asking for flow logs") as advance:
        return conversations(advance)


def _show(path: Path, shown: FlowsFormat, limit: int) -> None:
    from cloudseg.cli.output import print_report
    from cloudseg.cli.terminal import colored, takes_unicode, width
    from cloudseg.flows.conversations import read_conversations
    from cloudseg.reporters import RenderOptions
    from cloudseg.reporters.conversation_formats import CONVERSATION_FORMATS

    unicode = takes_unicode(sys.stdout)
    render = RenderOptions(width=width(), color=colored(sys.stdout), unicode=unicode, limit=limit)
    print_report(read_conversations(path), CONVERSATION_FORMATS[shown], render)


def _tell(summary: Summary, output: Path | None, seconds: float, *, verbose: bool) -> None:
    """Write to stderr what was read and found, and what was lost."""
    from cloudseg.text import visible

    for line in _lines(summary, verbose=verbose):
        typer.echo(visible(line), err=True)
    written = "" if output is None else f" written to {visible(str(output))}"
    typer.echo(f"{_counts(summary)}{written}; {seconds:.1f} s", err=True)


def _counts(summary: Summary) -> str:
    from cloudseg.text import amount

    parts = [f"{summary.accepted:,} accepted", f"{summary.refused:,} refused"]
    if summary.unknown:
        parts.append(f"of {summary.unknown:,} nobody can tell who opened them")
    return f"{amount(summary.conversations, 'conversation')} ({', '.join(parts)})"


def _lines(summary: Summary, *, verbose: bool) -> Iterator[str]:
    from cloudseg.text import amount

    coverage = summary.coverage
    for each in coverage.formats:
        yield f"{each.title}: {_read(each)}"
    if coverage.first is not None and coverage.last is not None:
        yield f"window: {_day(coverage.first)} to {_day(coverage.last)} (UTC)"
    networks = coverage.networks
    if networks:
        reporting = f"{amount(len(coverage.observers), 'observer')} in {amount(len(networks), 'network')} or scope"
        yield f"{reporting}{'' if len(networks) == 1 else 's'} reported"
    if coverage.left_out:
        yield f"{amount(coverage.left_out, 'record')} outside --since and --until left out"
    yield from _lost(coverage, verbose=verbose)
    for note in coverage.notes:
        yield f"note: {note}"


def _read(of: FormatRead) -> str:
    from cloudseg.text import amount

    size = f"{of.bytes / 1e6:,.1f} MB" if of.bytes >= 1e5 else f"{of.bytes / 1e3:,.1f} kB"
    records = amount(of.records, "record")
    if of.files:
        return f"{amount(of.files, 'file')}, {records}, {size}"
    # An engine counted them.
    return f"{records}, {size} scanned" if of.bytes else records


def _lost(coverage: Coverage, *, verbose: bool) -> Iterator[str]:
    from cloudseg.text import amount

    if coverage.skipped:
        yield f"lost: what the cloud skipped, by {amount(coverage.skipped, 'record')} (SKIPDATA)"
    if coverage.bad:
        yield f"lost: {amount(coverage.bad, 'record')} with values that cannot be"
    shown = coverage.losses if verbose else coverage.losses[:_LOSSES_SHOWN]
    for loss in shown:
        rows = "" if loss.rows is None else f" ({amount(loss.rows, 'row')} lost)"
        yield f"lost: {loss.file}: {loss.reason}{rows}{'; the rest of it was read' if loss.partly else ''}"
    if len(shown) < len(coverage.losses):
        yield f"lost: {amount(len(coverage.losses) - len(shown), 'more file')} (--verbose lists them)"


def _day(seconds: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
