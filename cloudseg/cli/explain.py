"""`cloudseg explain`: why packets of one end reach another, or what stops them, hop by hop."""

from __future__ import annotations

import sys
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cloudseg.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.reach.names import Named
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reporters.explain_json import Explained
    from cloudseg.traffic import AddressSet, Traffic

    # One class's interfaces, at least one of them, or addresses outside.
    Group = tuple[str, *tuple[str, ...]] | AddressSet

__all__ = ["ExplainFormat", "explain"]

INCOMPLETE = 3
_MOST = 4
_SHOWN = 20


class ExplainFormat(StrEnum):
    """The formats of an explanation."""

    TEXT = "text"
    JSON = "json"


def explain(
    sources: options.Sources = None,
    *,
    from_: Annotated[
        str,
        typer.Option("--from", help="Who opens the connection: an id, a name, tag=value, an address.", metavar="END"),
    ],
    to: Annotated[str, typer.Option("--to", help="Who is to take it: as for --from.", metavar="END")],
    traffic: Annotated[str, typer.Option(help="What it is about: tcp/5432, udp/53, icmp/8, all.", metavar="T")],
    format: Annotated[  # noqa: A002
        ExplainFormat, typer.Option("--format", "-f", help="Format of the answer on stdout.")
    ] = ExplainFormat.TEXT,
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
    """Explain why traffic passes from one end to another, or what stops it: every route, list and rule on the way.

    Ends are named by id (eni-, i-, sg-, subnet-, vpc-), name, tag=value, address or range; `internet` is all of it,
    and svc/NAME stands for the pods of a service.
    What stands for many interfaces is explained for each kind of them, if these are few.

    Exit codes: 0 explained, allowed or blocked; 2 wrong usage, configuration or input; 3 the answer is incomplete
    (gaps).
    """
    from cloudseg.cli.output import list_gaps, print_report
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words
    from cloudseg.cli.reach import read_traffic
    from cloudseg.cli.services import behind_service, with_services
    from cloudseg.cli.sources import read_estate
    from cloudseg.cli.terminal import colored, takes_unicode, width
    from cloudseg.config import load_config
    from cloudseg.errors import InputError
    from cloudseg.reach.names import NameIndex
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reporters import RenderOptions, explain_json, explain_text
    from cloudseg.sources import sources_of

    settings = load_config(config)
    wanted = read_traffic(traffic)
    aws = AwsWords(profile, region, assume_role, external_id, aws_organization)
    azure = AzureWords(subscription, management_group)
    gcp = GcpWords(project, gcp_folder, gcp_organization)
    words = Words(aws, KubernetesWords(context, kubeconfig, cluster), azure, gcp)
    estate = read_estate(sources or (), settings, words, quiet=quiet)
    if not estate.interfaces:
        raise InputError("there are no interfaces in what was read, so there is nothing to explain")
    names = NameIndex(estate)
    named = names.find(from_, "--from"), names.find(to, "--to")
    start, end = (with_services(each, estate, settings) for each in named)
    end, wanted = behind_service(end, wanted)
    document = explain_json.ExplanationDocument(
        generated_at=estate.taken_at,
        sources=sources_of(estate),
        explanations=tuple(_explained(Reachability(estate), start, end, wanted)),
        notes=tuple(dict.fromkeys((*start.notes, *end.notes))),
    )
    reporter = explain_json.REPORTER if format is ExplainFormat.JSON else explain_text.REPORTER
    unicode = takes_unicode(sys.stdout)
    print_report(document, reporter, RenderOptions(width=width(), color=colored(sys.stdout), unicode=unicode))
    if verbose and not quiet:
        list_gaps(document.sources, estate.notes)
    if not document.complete:
        raise typer.Exit(INCOMPLETE)


def _explained(reach: Reachability, start: Named, end: Named, traffic: Traffic) -> Iterator[Explained]:
    """Yield an explanation for each pair of classes that the ends stand for.

    Raises:
        InputError: these are too many, or none.
    """
    from cloudseg.errors import InputError
    from cloudseg.reach.explaining.explain import explain as explained
    from cloudseg.reporters.explain_json import Explained

    sources, targets = _groups(reach, start), _groups(reach, end)
    pairs = [(source, target, ends) for source in sources for target in targets if (ends := _ends(source, target))]
    if not pairs:
        empty = "; ".join(dict.fromkeys(note for named in (start, end) if not named.ends for note in named.notes))
        raise InputError(
            empty or "there is nothing to explain: name two different ends, of which one at least is an interface"
        )
    if len(pairs) > _MOST:
        several = (
            (option, n, g) for option, n, g in (("--from", start, sources), ("--to", end, targets)) if len(g) > 1
        )
        raise InputError("\n".join(_choices(reach, *one) for one in several))
    for source, target, ends in pairs:
        yield Explained(_ids(source), _ids(target), explained(reach, *ends, traffic))


def _groups(reach: Reachability, named: Named) -> list[Group]:
    """Return the interfaces that an end stands for, those of one class together, and the addresses outside."""
    classes: defaultdict[str, list[str]] = defaultdict(list)
    for identifier in named.interfaces:
        classes[reach.class_of(identifier).name].append(identifier)
    groups: list[Group] = [(members[0], *members[1:]) for members in classes.values()]
    return [*groups, named.outside] if named.outside else groups


def _ends(source: Group, target: Group) -> tuple[str | AddressSet, str | AddressSet] | None:
    """Return two ends that stand for groups; None where both are outside, or one and the same interface."""
    from cloudseg.traffic import AddressSet

    if isinstance(source, AddressSet):
        return None if isinstance(target, AddressSet) else (source, target[0])
    if isinstance(target, AddressSet):
        return source[0], target
    return next(((one, other) for one in source for other in target if one != other), None)


def _ids(group: Group) -> tuple[str, ...]:
    return group if isinstance(group, tuple) else ()


def _choices(reach: Reachability, option: str, named: Named, groups: list[Group]) -> str:
    """Return what to name instead of an end that stands for too much."""
    from cloudseg.reach.outside import outside_words
    from cloudseg.reporters.end_words import EndWords

    words = EndWords(reach.estate)
    lines = [f"{option} {named.text} stands for {len(groups)} kinds of ends that differ; name one of each:"]
    for group in groups[:_SHOWN]:
        if isinstance(group, tuple):
            more = f", and {len(group) - 1:,} more like it" if len(group) > 1 else ""
            one, name = reach.estate.interfaces[group[0]], words.name(group[0])
            # An ARM id fills two lines, and a name that is no other's means the same.
            shown = name if one.shown_id != one.own_id and words.label(one.id) == name else one.own_id
            lines.append(f"  {option} {shown}   {one.shown_id if shown == name else name}{more}")
        else:
            lines.append(f"  {option} ADDRESS   one of {outside_words(group)}")
    if len(groups) > _SHOWN:
        lines.append(f"  … and {len(groups) - _SHOWN:,} more")
    return "\n".join(lines)
