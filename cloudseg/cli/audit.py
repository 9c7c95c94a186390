"""`cloudseg audit`: read, translate, check, report."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.config import Config
    from cloudseg.engine import AuditRequest, FindingsDocument
    from cloudseg.flows.conversations import Conversations
    from cloudseg.intent import Intent
    from cloudseg.waivers import Waiver

__all__ = ["FailOn", "Format", "audit", "audit_request", "exit_code", "intent_file"]

FINDINGS, INCOMPLETE = 1, 3


class Format(StrEnum):
    """The formats of a report of findings."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"
    CSV = "csv"


class FailOn(StrEnum):
    """The severities at which an audit fails; `none` never does."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
    NONE = "none"


def audit(
    sources: options.Sources = None,
    *,
    format: Annotated[Format | None, typer.Option("--format", "-f", help="Format of the report on stdout.")] = None,  # noqa: A002
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="Write the report to a file, its format by the suffix; repeatable.", metavar="FILE"
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 at or above this severity. [default: high]")
    ] = None,
    check: Annotated[list[str] | None, typer.Option(help="Run only this check; repeatable.", metavar="ID")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Leave this check out; repeatable.", metavar="ID")] = None,
    waivers: Annotated[
        Path | None, typer.Option(help="Accepted findings, with owner, reason, expiry.", metavar="FILE")
    ] = None,
    intent: Annotated[
        Path | None,
        typer.Option(help="Intended traffic between segments; `demo` has its own. See docs/intent.md.", metavar="FILE"),
    ] = None,
    flows: Annotated[
        Path | None,
        typer.Option(
            help="Observed conversations, as `cloudseg flows` writes them: who uses what rule; `demo` for those of the "
            "bundled logs. See docs/flow-logs.md.",
            metavar="FILE",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Keep the answers that were read, to repeat the audit offline.", metavar="SNAPSHOT"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Judge expiries at this day (2026-01-31). [default: the snapshot's]", metavar="DATE"),
    ] = None,
    limit: Annotated[int, typer.Option(help="Findings shown for each check of a table; 0 for all.", min=0)] = 20,
    profile: options.Profile = None,
    region: options.Region = None,
    assume_role: options.AssumeRole = None,
    external_id: options.ExternalId = None,
    aws_organization: options.AwsOrganization = False,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    cluster: options.Cluster = None,
    subscription: options.Subscription = None,
    management_group: options.ManagementGroup = None,
    project: options.Project = None,
    gcp_folder: options.GcpFolder = None,
    gcp_organization: options.GcpOrganization = None,
    config: options.ConfigFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Audit sources: who can really be reached, what is too wide, what is not separated.

    Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 wrong usage, configuration or input; 3 the answer is
    incomplete (gaps).
    """
    from cloudseg.cli.output import check_files, print_report, seen_on_terminal, summarise, write_file
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.sources import read_snapshot, translate
    from cloudseg.cli.terminal import colored, takes_unicode, width
    from cloudseg.config import load_config
    from cloudseg.engine import run_audit
    from cloudseg.reporters import RenderOptions, format_for
    from cloudseg.reporters.formats import FORMATS
    from cloudseg.snapshot import check_writable
    from cloudseg.snapshot import save as save_snapshot

    started = time.monotonic()
    settings = load_config(config)
    request = audit_request(
        settings,
        check,
        skip,
        waivers,
        as_of,
        intent=intent_file(intent, settings, sources or settings.sources),
        flows=flows or settings.flows,
    )
    files = [(path, format_for(path, FORMATS)) for path in output or ()]
    check_files(path for path, _ in files)
    if save is not None:
        check_writable(save)
    threshold = fail_on or FailOn(settings.fail_on or FailOn.HIGH)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    words = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    snapshot = read_snapshot(sources or (), settings, words, quiet=quiet)
    if save is not None:
        save_snapshot(snapshot, save)
    document = run_audit(translate(snapshot), request)
    for path, reporter in files:
        write_file(document, path, reporter, RenderOptions(width=width(), limit=limit))
    shown = format or (None if files else Format.TABLE)
    if shown is not None:
        unicode = takes_unicode(sys.stdout)
        render = RenderOptions(width=width(), color=colored(sys.stdout), unicode=unicode, limit=limit)
        print_report(document, FORMATS[shown], render)
    if not quiet and not seen_on_terminal(shown):
        summarise(document, time.monotonic() - started, verbose=verbose)
    if code := exit_code(document, threshold):
        raise typer.Exit(code)


def intent_file(intent: Path | None, settings: Config, sources: Sequence[str]) -> Path | None:
    """Return the file of intended traffic: the one named, else the bundled one for the bundled estate alone."""
    from cloudseg.demo import demo_intent_path

    return intent or settings.intent or (demo_intent_path() if list(sources) == ["demo"] else None)


def audit_request(
    settings: Config,
    check: Sequence[str] | None,
    skip: Sequence[str] | None,
    waivers: Path | None,
    as_of: str | None,
    *,
    intent: Path | None = None,
    flows: Path | None = None,
) -> AuditRequest:
    """Return what an audit is asked for: the words of a command line, each before its setting in the configuration.

    Args:
        settings: the configuration.
        check: the only checks.
        skip: the checks to leave out.
        waivers: the file of accepted findings.
        as_of: the day at which expiries are judged; None for the snapshot's own.
        intent: the file of intended traffic.
        flows: the file of observed conversations.

    Raises:
        InputError: an option makes no sense.
    """
    from cloudseg.engine import AuditRequest, select_checks

    return AuditRequest(
        # What is asked for here and now goes before what the configuration leaves out.
        checks=select_checks(check or settings.checks, skip or (() if check else settings.skip)),
        settings=settings.parameters,
        waivers=_accepted(waivers or settings.waivers),
        as_of=_day(as_of),
        labels=settings.labels,
        intent=_intent(intent),
        flows=_flows(flows),
    )


def _accepted(file: Path | None) -> tuple[Waiver, ...]:
    if file is None:
        return ()
    # A parser for YAML comes with it.
    from cloudseg.waivers_file import load_waivers

    return load_waivers(file)


def _intent(file: Path | None) -> Intent | None:
    if file is None:
        return None
    from cloudseg.intent_file import read_intent

    return read_intent(file)


def _flows(file: Path | None) -> Conversations | None:
    if file is None:
        return None
    from cloudseg.cli.conversation_files import open_conversations

    return open_conversations(file)


def _day(text: str | None) -> str:
    """Return a day in ISO 8601, or nothing for the snapshot's own.

    Raises:
        InputError: the text is no day.
    """
    from datetime import date

    from cloudseg.errors import InputError

    if text is None:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"--as-of {text!r} is no day; write it as 2026-01-31") from None


def exit_code(document: FindingsDocument, threshold: FailOn) -> int:
    """Return the exit code of an audit: findings at or above the threshold first, then gaps."""
    from cloudseg.engine import worst_unwaived
    from cloudseg.findings import Severity

    worst = worst_unwaived(document)
    if threshold is not FailOn.NONE and worst is not None and worst.rank <= Severity(threshold.value).rank:
        return FINDINGS
    return 0 if document.complete else INCOMPLETE
