"""`cloudseg diff`: what became reachable between two readings, what stopped, which findings came and went."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options
from cloudseg.cli.audit import FailOn, audit_request, intent_file

if TYPE_CHECKING:
    from cloudseg.config import Config
    from cloudseg.model import Estate
    from cloudseg.reporters.diff_document import DiffDocument

__all__ = ["DiffFormat", "diff", "exit_code"]

FINDINGS, INCOMPLETE = 1, 3


class DiffFormat(StrEnum):
    """The formats of a comparison."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="What to compare with: a snapshot, or any other source.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What is judged: a snapshot, or any other source.")],
    *,
    format: Annotated[  # noqa: A002
        DiffFormat | None, typer.Option("--format", "-f", help="Format of the comparison on stdout.")
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="Write it to a file, its format by the suffix; repeatable.", metavar="FILE"
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Exit with 1 if a finding at or above this severity is new or got worse. [default: high]"),
    ] = None,
    waivers: Annotated[
        Path | None, typer.Option(help="Accepted findings, with owner, reason, expiry.", metavar="FILE")
    ] = None,
    intent: Annotated[
        Path | None,
        typer.Option(help="Intended traffic, by which both are judged; `demo` has its own.", metavar="FILE"),
    ] = None,
    limit: Annotated[int, typer.Option(help="Changes and findings shown in each table; 0 for all.", min=0)] = 20,
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
    """Compare two readings of an estate: what became reachable, what stopped, which findings came and went.

    Every change is shown with a packet. Traffic that became reachable fails only by the findings it leads to.

    Exit codes: 0 no new finding at or above --fail-on; 1 there is one, or one got that bad; 2 wrong usage,
    configuration or input; 3 the answer is incomplete (gaps).
    """
    from cloudseg.cli.output import check_files, list_gaps, print_report, seen_on_terminal, write_file
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.sources import read_estate, words_for
    from cloudseg.cli.terminal import colored, takes_unicode, width
    from cloudseg.config import load_config
    from cloudseg.reporters import RenderOptions, format_for
    from cloudseg.reporters.diff_formats import DIFF_FORMATS
    from cloudseg.reporters.diff_words import headline

    started = time.monotonic()
    settings = load_config(config)
    files = [(path, format_for(path, DIFF_FORMATS)) for path in output or ()]
    check_files(path for path, _ in files)
    threshold = fail_on or FailOn(settings.fail_on or FailOn.HIGH)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    asked = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    # Options for a provider are about the one that is read from it.
    words = [words_for(word, (old, new), asked) for word in (old, new)]
    # Both are judged by one intent, or their numbers could not be compared.
    wanted = intent_file(intent, settings, ["demo"] if "demo" in (old, new) else ())
    before, after = (read_estate([s], settings, w, quiet=quiet) for s, w in zip((old, new), words, strict=True))
    document = _compared(before, after, settings, waivers, wanted)
    for path, reporter in files:
        write_file(document, path, reporter, RenderOptions(width=width(), limit=limit))
    shown = format or (None if files else DiffFormat.TABLE)
    if shown is not None:
        unicode = takes_unicode(sys.stdout)
        render = RenderOptions(width=width(), color=colored(sys.stdout), unicode=unicode, limit=limit)
        print_report(document, DIFF_FORMATS[shown], render)
    if not quiet:
        if not seen_on_terminal(shown):
            typer.echo(f"{headline(document)}; {time.monotonic() - started:.1f} s", err=True)
        if verbose:
            list_gaps(document.old.sources, before.notes)
            list_gaps(document.new.sources, after.notes)
    if code := exit_code(document, threshold):
        raise typer.Exit(code)


def _compared(old: Estate, new: Estate, settings: Config, waivers: Path | None, intent: Path | None) -> DiffDocument:
    from cloudseg.engine import run_audit
    from cloudseg.reach.comparing.compare import compare
    from cloudseg.reporters.diff_assembly import diff_document
    from cloudseg.reporters.end_words import EndWords

    # Both are judged on the day of the new one, so that a waiver that expired in between is no change of the estate.
    request = audit_request(settings, None, None, waivers, new.taken_at[:10] or None, intent=intent)
    words = EndWords(new), EndWords(old)

    def name(identifier: str) -> str:
        return words[0 if identifier in new.interfaces else 1].label(identifier)

    return diff_document(compare(old, new), run_audit(old, request), run_audit(new, request), name)


def exit_code(document: DiffDocument, threshold: FailOn) -> int:
    """Return the exit code of a comparison: new findings at or above the threshold first, then gaps."""
    from cloudseg.findings import Severity
    from cloudseg.reporters.diff_assembly import worst_new

    worst = worst_new(document)
    if threshold is not FailOn.NONE and worst is not None and worst.rank <= Severity(threshold.value).rank:
        return FINDINGS
    return 0 if document.complete else INCOMPLETE
