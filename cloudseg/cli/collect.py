"""`cloudseg collect`: keep a cloud's answers as they came, to audit them offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options

if TYPE_CHECKING:
    from cloudseg.snapshot import Snapshot

__all__ = ["collect"]

INCOMPLETE = 3


def collect(
    sources: options.Sources = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write it: a .zip file, else a folder.", metavar="SNAPSHOT"),
    ] = None,
    *,
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
    """Read sources and write a snapshot: the raw answers, to be audited offline as often as you like.

    Exit codes: 0 everything was read; 2 wrong usage, or nothing could be read; 3 some of it could not (gaps).
    """
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.sources import read_snapshot
    from cloudseg.config import load_config
    from cloudseg.errors import InputError
    from cloudseg.snapshot import check_writable, save

    if output is None:
        raise InputError("say where to write the snapshot: `cloudseg collect aws -o snapshot.zip`")
    settings = load_config(config)
    check_writable(output)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    words = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    snapshot = read_snapshot(sources or (), settings, words, quiet=quiet)
    save(snapshot, output)
    if not quiet:
        _tell(snapshot, output, verbose=verbose)
    if snapshot.gaps:
        raise typer.Exit(INCOMPLETE)


def _tell(snapshot: Snapshot, output: Path, *, verbose: bool) -> None:
    from cloudseg.text import amount, visible

    files = sum(1 for _ in snapshot.parts())
    scopes = amount(len(snapshot.scopes), "scope")
    typer.echo(f"{amount(files, 'answer')} of {scopes} written to {visible(str(output))}", err=True)
    if snapshot.gaps:
        typer.echo(f"{amount(len(snapshot.gaps), 'gap')}{'' if verbose else ' (--verbose lists them)'}", err=True)
    if verbose:
        for gap in snapshot.gaps:
            where = f"{gap.scope} {gap.region} {gap.service}.{gap.operation} {gap.resource or ''}"
            typer.echo(visible(f"  gap: {where}: {gap.reason}: {gap.detail}"), err=True)
        for note in snapshot.notes:
            typer.echo(visible(f"  note: {note}"), err=True)
