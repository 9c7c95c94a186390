"""`cloudseg intent`: from conversations to a reviewed matrix of what may talk to what."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.config import Config
    from cloudseg.flows.conversations import Conversations
    from cloudseg.intent import Intent
    from cloudseg.intent.generate import Generated, Request
    from cloudseg.intent.merge import Additions
    from cloudseg.model import Estate

__all__ = ["GranularityWord", "intent"]

INCOMPLETE = 3
_STDOUT = "-"
_FEW = 8


class GranularityWord(StrEnum):
    """How finely an intent is generated."""

    APPLICATION = "application"
    TIER = "tier"
    TIER_PORT = "tier+port"


def intent(
    conversations: Annotated[
        Path,
        typer.Argument(
            metavar="CONVERSATIONS",
            help="The file that `cloudseg flows` wrote; `demo` for the bundled logs.",
            show_default=False,
        ),
    ],
    sources: options.Sources = None,
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="The intent to write; one that is there is brought up to date. `-` for standard output.",
            metavar="FILE",
            show_default=False,
        ),
    ],
    granularity: Annotated[
        GranularityWord,
        typer.Option(help="Segments by application or by tier; with the ports that were seen, or all of the protocol."),
    ] = GranularityWord.TIER_PORT,
    minimum_window: Annotated[
        str, typer.Option(help="Warn where the logs span less time than this: 7d, 36h.", metavar="TIME")
    ] = "7d",
    probes: Annotated[
        Path | None,
        typer.Option(
            help="Write the connections by which the intent can be tried: FILE.sh for pods and FILE.csv for machines.",
            metavar="FILE.sh",
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
    """Propose what may talk to what: segments and allowed traffic, from what was observed, with the evidence beside it.

    Refused, unknown and stray conversations are never allowed, but counted; what a person has to decide is listed. An
    intent that is there keeps everything that people wrote.

    Exit codes: 0 it was written; 2 wrong usage, configuration or input; 3 it was written, but not all of the estate
    could be read (gaps).
    """
    from cloudseg.cli.conversation_files import open_conversations
    from cloudseg.cli.intent_files import check_outputs, read_existing, write_intent_file, write_probes
    from cloudseg.cli.output import list_gaps
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.sources import read_estate
    from cloudseg.config import load_config
    from cloudseg.intent.confirming import outsiders, to_confirm
    from cloudseg.intent.merge import merged_text
    from cloudseg.intent.report import window_of, window_warnings
    from cloudseg.sources import sources_of
    from cloudseg.text import amount

    started = time.monotonic()
    settings = load_config(config)
    minimum_days = _days(minimum_window)
    target = None if output == _STDOUT else Path(output)
    check_outputs(target, probes)
    text, existing = read_existing(target)
    seen = open_conversations(conversations)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    words = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    estate = read_estate(sources or (), settings, words, quiet=quiet)

    warnings = window_warnings(window_of(seen.coverage), minimum_days)
    generated = _generated(seen, estate, _request(settings, existing, granularity))
    written = generated.onto(existing)
    outside = outsiders(written.segments, generated.members)
    new = merged_text(text, existing, _additions(generated, seen, estate, warnings, outside))
    changed = write_intent_file(target, text, new, written)
    if probes is not None:
        write_probes(probes, estate, written)
    gaps = sum(len(source.gaps) for source in sources_of(estate))
    if not quiet:
        confirm = sum(bool(to_confirm(each, outside)) for each in written.allow)
        if confirm:
            warnings = (*warnings, f"{amount(confirm, 'allowance')} for a person to confirm; look for `review:`")
        _summarise(generated, warnings, output, time.monotonic() - started, changed=changed)
        if verbose:
            list_gaps(sources_of(estate), estate.notes)
        elif gaps:
            typer.echo(f"{amount(gaps, 'gap')}: not all of the estate was read; --verbose lists them", err=True)
    if gaps:
        raise typer.Exit(INCOMPLETE)


def _request(settings: Config, existing: Intent, granularity: GranularityWord) -> Request:
    from msgspec.structs import replace

    from cloudseg.intent.generate import Request

    declared = settings.parameters.get("internet-exposed-port", {}).get("declared_public")
    request = Request(existing=existing, labels=settings.labels, granularity=granularity.value)
    return replace(request, declared=declared) if isinstance(declared, tuple) else request


def _generated(seen: Conversations, estate: Estate, request: Request) -> Generated:
    from cloudseg.intent.generate import generate
    from cloudseg.intent.joined import observations_from
    from cloudseg.observed.join import join
    from cloudseg.reach.reachability import Reachability

    return generate(estate, lambda: Reachability(estate), observations_from(join(seen, estate)), request)


def _additions(
    generated: Generated, seen: Conversations, estate: Estate, warnings: Sequence[str], outside: frozenset[str]
) -> Additions:
    from cloudseg.intent.evidence import Evidence
    from cloudseg.intent.logged import logged_interfaces
    from cloudseg.intent.merge import Additions
    from cloudseg.intent.report import foot_lines, head_lines, window_of

    window = window_of(seen.coverage)
    logged = logged_interfaces(estate, seen.coverage.observers)
    found = generated
    evidence = Evidence(found.facts, found.rails, found.ends, found.members, estate.taken_at, logged, outside=outside)
    return Additions(
        segments=generated.segments,
        allow=generated.allow,
        day=window.day,
        head=head_lines(generated, window, warnings),
        foot=foot_lines(generated),
        untagged=generated.untagged,
        evidence=evidence.lines,
    )


def _days(text: str) -> float:
    """Return a span of time in days.

    Raises:
        InputError: the text is no span of time.
    """
    from cloudseg.errors import InputError

    units = {"d": 1.0, "h": 1 / 24}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isascii() or not number.isdigit():
        raise InputError(f"--minimum-window {text!r} is no span of time; write 7d, or 36h")
    return int(number) * units[unit]


def _summarise(generated: Generated, warnings: Sequence[str], output: str, seconds: float, *, changed: bool) -> None:
    from cloudseg.text import amount, visible

    for warning in warnings:
        typer.echo(visible(f"warning: {warning}"), err=True)
    if names := generated.untagged:
        typer.echo(
            visible(f"note: {amount(len(names), 'segment')} chosen by name, as no tag tells the application: ")
            + visible(_few(names)),
            err=True,
        )
    added = f"{amount(len(generated.segments), 'segment')} and {amount(len(generated.allow), 'allowance')} added"
    left_out = sum(generated.dropped.values())
    why = ", ".join(f"{count:,} {reason}" for reason, count in generated.dropped.items())
    read = amount(generated.conversations, "conversation") + (f", {left_out:,} left out ({why})" if left_out else "")
    decide = f"; {len(generated.left):,} for a person to decide" if generated.left else ""
    state = "" if changed else " (unchanged)"
    typer.echo(visible(f"{output}{state}: {added}; {read}{decide}; {seconds:.1f} s"), err=True)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
