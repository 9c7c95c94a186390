"""`cloudseg reach`: who can really talk to whom, on what."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options

if TYPE_CHECKING:
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reporters.reach_answer import ReachAnswer
    from cloudseg.traffic import Traffic

__all__ = ["ReachFormat", "reach", "read_traffic"]

INCOMPLETE = 3


class ReachFormat(StrEnum):
    """The formats of who reaches whom."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    DOT = "dot"
    MERMAID = "mermaid"


def reach(
    sources: options.Sources = None,
    *,
    from_: options.From = None,
    to: options.To = None,
    traffic: Annotated[
        str | None,
        typer.Option(help="Only this traffic: tcp/443, udp/53, icmp/8, tcp/9000-9100. [default: all]", metavar="T"),
    ] = None,
    format: Annotated[  # noqa: A002
        ReachFormat | None, typer.Option("--format", "-f", help="Format of the answer on stdout.")
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="Write the answer to a file, its format by the suffix; repeatable.", metavar="FILE"
        ),
    ] = None,
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
    """Tell who can really talk to whom: every pair of endpoints, or those from and to what is named.

    Ends are named by id (eni-, i-, sg-, subnet-, vpc-), name, tag=value, address or range; `internet` is all of it,
    and svc/NAME stands for the pods of a service.

    Exit codes: 0 the answer is complete; 2 wrong usage, configuration or input; 3 it is incomplete: gaps, or
    a managed service without interfaces, which is not judged.
    """
    from cloudseg.cli.output import check_files, list_gaps, print_report, seen_on_terminal, write_file
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.services import behind_service, with_services
    from cloudseg.cli.sources import read_estate
    from cloudseg.cli.terminal import colored, takes_unicode, width
    from cloudseg.config import load_config
    from cloudseg.reach.names import NameIndex
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reporters import RenderOptions, format_for
    from cloudseg.reporters.reach_answer import ReachAnswer
    from cloudseg.reporters.reach_formats import REACH_FORMATS
    from cloudseg.sources import sources_of

    started = time.monotonic()
    settings = load_config(config)
    wanted = read_traffic(traffic)
    files = [(path, format_for(path, REACH_FORMATS)) for path in output or ()]
    check_files(path for path, _ in files)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    words = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    estate = read_estate(sources or (), settings, words, quiet=quiet)
    names = NameIndex(estate)
    named = names.find_all(from_ or (), "--from"), names.find_all(to or (), "--to")
    starts, ends = (None if each is None else with_services(each, estate, settings) for each in named)
    if ends is not None:
        ends, wanted = behind_service(ends, wanted)
    reachability = Reachability(estate)
    answer = ReachAnswer(reachability, sources_of(estate), starts, ends, wanted, partial(_not_known, reachability))
    for path, reporter in files:
        write_file(answer, path, reporter, RenderOptions(width=width()))
    shown = format or (None if files else ReachFormat.TABLE)
    counted = True
    if shown is not None:
        unicode = takes_unicode(sys.stdout)
        render = RenderOptions(width=width(), color=colored(sys.stdout), unicode=unicode)
        counted = print_report(answer, REACH_FORMATS[shown], render)
    if not quiet:
        if not seen_on_terminal(shown):
            _summarise(answer, time.monotonic() - started, counted=counted)
        if verbose:
            list_gaps(answer.read, estate.notes)
    if answer.gaps or answer.unjudged:
        raise typer.Exit(INCOMPLETE)


def _not_known(reach: Reachability, source: str, target: str, traffic: Traffic) -> tuple[str, ...]:
    """Return what is not known of some traffic from one interface to another, in words."""
    # Only what is unknown asks for an explanation.
    from cloudseg.reach.explaining.explain import explain

    return explain(reach, source, target, traffic).unknowns


def read_traffic(text: str | None) -> Traffic:
    """Return the traffic that an option asks for; everything where it is left out.

    Raises:
        InputError: the text is no traffic, or none at all.
    """
    from cloudseg.errors import InputError, ParseError
    from cloudseg.traffic import ALL_TRAFFIC, Traffic

    if text is None:
        return ALL_TRAFFIC
    try:
        traffic = Traffic.parse(text)
    except ParseError as error:
        raise InputError(f"--traffic: {error}") from None
    if not traffic:
        raise InputError(f"--traffic {text!r} holds no packet; write tcp/443, or all for all traffic")
    return traffic


def _summarise(answer: ReachAnswer, seconds: float, *, counted: bool) -> None:
    from cloudseg.reporters.reach_table import summary_of_pairs
    from cloudseg.text import visible

    for note in answer.notes:
        typer.echo(visible(f"note: {note}"), err=True)
    # Pairs are counted while they are written, so a reader that leaves early leaves counts of a part.
    summary = list(summary_of_pairs(answer, counted=counted))
    if not counted:
        summary.append("the reader of standard output left early, so the pairs were not counted")
    typer.echo(f"{'; '.join(summary)}; {seconds:.1f} s", err=True)
