"""`cloudseg plan`: from findings to proved changes, in a folder that people review."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cloudseg.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.config import Config
    from cloudseg.flows.naming.values import ObservedNames
    from cloudseg.plan.making import PlanRequest
    from cloudseg.plan.values import PlanDocument

__all__ = ["exit_code", "plan"]

INCOMPLETE, UNPROVED = 3, 4


def plan(
    sources: options.Sources = None,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The folder to write: plan.json, plan.md for reviewers, manifests of cluster policies.",
            metavar="DIR",
            show_default=False,
        ),
    ],
    flows: Annotated[
        Path | None,
        typer.Option(
            help="Observed conversations, as `cloudseg flows` writes them: what is in use is kept, and no more; `demo` "
            "for those of the bundled logs. See docs/flow-logs.md.",
            metavar="FILE",
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            help="Logs of the names that machines asked for (Route 53 Resolver, AWS Network Firewall, Azure Firewall, "
            "Hubble, Cloud DNS): files, folders, patterns; `demo` for the bundled ones; repeatable.",
            metavar="LOG",
        ),
    ] = None,
    intent: Annotated[
        Path | None,
        typer.Option(help="Intended traffic between segments; `demo` has its own. See docs/intent.md.", metavar="FILE"),
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option(help="Mend only what this check finds; repeatable.", metavar="ID")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="Leave what this check finds; repeatable.", metavar="ID")
    ] = None,
    remedy: Annotated[list[str] | None, typer.Option(help="Use only this remedy; repeatable.", metavar="ID")] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option(help="Only findings about this segment, of the intent or of tags; repeatable.", metavar="NAME"),
    ] = None,
    environment: Annotated[
        list[str] | None,
        typer.Option(
            help="Only changes whose highest environment is this one, as tags tell it; repeatable.", metavar="NAME"
        ),
    ] = None,
    max_edits: Annotated[
        int | None, typer.Option(help="At most so many edits, for the worst findings first.", min=1, metavar="N")
    ] = None,
    waivers: Annotated[
        Path | None, typer.Option(help="Accepted findings, which are left alone.", metavar="FILE")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Keep the answers that were read, to repeat the plan offline.", metavar="SNAPSHOT"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Judge expiries at this day (2026-01-31). [default: the snapshot's]", metavar="DATE"),
    ] = None,
    limit: Annotated[int, typer.Option(help="Edits shown on the terminal; 0 for all.", min=0)] = 20,
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
    """Plan least-privilege fixes: changes that are proved to open nothing and to keep what is in use.

    Nothing is changed anywhere: the plan is a folder for people to review. What cannot be proved is not in it, and it
    says why.

    Exit codes: 0 it was made; 2 wrong usage, configuration or input; 3 it was made, but not all could be read of the
    scopes that it touches (gaps); 4 nothing of what was proposed could be proved.
    """
    from cloudseg.cli.name_files import open_names
    from cloudseg.cli.output import list_gaps, print_report
    from cloudseg.cli.plan_folder import check_folder, write_folder_of
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.sources import read_snapshot, translate
    from cloudseg.cli.terminal import colored, takes_unicode, width
    from cloudseg.config import load_config
    from cloudseg.plan.fingerprint import fingerprint
    from cloudseg.plan.making import make_plan
    from cloudseg.reporters.interface import RenderOptions
    from cloudseg.reporters.plan_table import REPORTER
    from cloudseg.snapshot import check_writable
    from cloudseg.snapshot import save as save_snapshot

    started = time.monotonic()
    settings = load_config(config)
    place = check_folder(output)
    request = _request(
        settings,
        sources or settings.sources,
        _Chosen(check, skip, remedy, segment, environment, max_edits),
        _Files(waivers, intent, flows, as_of),
        open_names(names or (), quiet=quiet),
    )
    if save is not None:
        check_writable(save)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    words = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    snapshot = read_snapshot(sources or (), settings, words, quiet=quiet)
    if save is not None:
        save_snapshot(snapshot, save)
    made = make_plan(translate(snapshot), fingerprint(snapshot), request)
    write_folder_of(made, place)
    document = made.document
    render = RenderOptions(width=width(), color=colored(sys.stdout), unicode=takes_unicode(sys.stdout), limit=limit)
    print_report(document, REPORTER, render)
    if not quiet:
        _next_steps(document, output, sources or settings.sources, time.monotonic() - started)
        if verbose:
            list_gaps(document.snapshot.sources, document.notes)
    if code := exit_code(document):
        raise typer.Exit(code)


class _Chosen(NamedTuple):
    """What of the findings and proposals is asked for."""

    check: list[str] | None
    skip: list[str] | None
    remedy: list[str] | None
    segment: list[str] | None
    environment: list[str] | None
    max_edits: int | None


class _Files(NamedTuple):
    """What a plan is made with, beside the sources."""

    waivers: Path | None
    intent: Path | None
    flows: Path | None
    as_of: str | None


def _request(
    settings: Config, sources: Sequence[str], chosen: _Chosen, files: _Files, names: ObservedNames | None
) -> PlanRequest:
    from cloudseg.cli.audit import audit_request, intent_file
    from cloudseg.plan.choosing import mendable
    from cloudseg.plan.making import PlanRequest
    from cloudseg.remediations import REMEDIES

    audit = audit_request(
        settings,
        chosen.check,
        chosen.skip,
        files.waivers,
        files.as_of,
        intent=intent_file(files.intent, settings, sources),
        flows=files.flows or settings.flows,
    )
    mendable(chosen.check or (), REMEDIES)
    return PlanRequest(
        audit=audit,
        remedies=tuple(chosen.remedy or ()),
        segments=tuple(chosen.segment or ()),
        environments=tuple(chosen.environment or ()),
        max_edits=chosen.max_edits,
        checks=tuple(chosen.check or settings.checks),
        skip=tuple(chosen.skip or (() if chosen.check else settings.skip)),
        order=settings.environments,
        names=names,
    )


def exit_code(document: PlanDocument) -> int:
    """Return the exit code of a plan: that nothing could be proved goes before gaps."""
    from cloudseg.plan.making import incomplete

    emptied = not document.edits and any(each.by == "proof" for each in document.refused)
    if emptied or not document.proof.holds:
        return UNPROVED
    return INCOMPLETE if incomplete(document) else 0


def _next_steps(document: PlanDocument, output: Path, sources: Sequence[str], seconds: float) -> None:
    """Tell what was written, and what to do with it."""
    from shlex import join

    from cloudseg.text import amount, visible

    written = ["plan.json", "plan.md"]
    policies = [each.path for each in document.manifests if each.path]
    if policies:
        written.append(amount(len(policies), "manifest"))
    typer.echo(visible(f"{output}: {', '.join(written)}; {seconds:.1f} s"), err=True)
    evidence = document.evidence
    if evidence.conversations is None and evidence.allowances is None:
        again = join(["cloudseg", "plan", *sources, "--flows", "conversations.parquet", "-o", str(output)])
        typer.echo(visible(f"next: `cloudseg flows LOG... -o conversations.parquet`, then `{again}`"), err=True)
    elif policies:
        command = join(["kubectl", "diff", "-R", "-f", str(output / "manifests")])
        typer.echo(visible(f"next: review {output / 'plan.md'}, and `{command}`"), err=True)
    else:
        typer.echo(visible(f"next: review {output / 'plan.md'}"), err=True)
