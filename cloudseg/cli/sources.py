"""From the SOURCE words of a command line to snapshots and an estate."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.cli.packages import package
from cloudseg.cli.provider_words import (
    aws_options,
    azure_options,
    cluster_of_manifests,
    gcp_options,
    kubernetes_options,
)
from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.cli.provider_words import Words
    from cloudseg.config import Config
    from cloudseg.model import Estate, Gap
    from cloudseg.providers.aws.options import AwsOptions
    from cloudseg.providers.azure.options import AzureOptions
    from cloudseg.providers.gcp.options import GcpOptions
    from cloudseg.providers.kubernetes.options import KubernetesOptions
    from cloudseg.snapshot import Snapshot

    Progress = Callable[[str, int, int], None]

__all__ = ["read_estate", "read_snapshot", "translate", "words_for"]

INTERRUPTED = 130
_SHOWN = 200
BUILT_IN = frozenset({"aws", "azure", "gcp", "kubernetes", "demo"})


def read_estate(sources: Sequence[str], settings: Config, words: Words, *, quiet: bool) -> Estate:
    """Return the model of all sources, or of those that the configuration names where there is none.

    Raises:
        InputError: no source was named, or one is neither a provider nor a snapshot nor manifests.
        CollectError: a provider cannot be read at all.
    """
    return translate(read_snapshot(sources, settings, words, quiet=quiet))


def read_snapshot(sources: Sequence[str], settings: Config, words: Words, *, quiet: bool) -> Snapshot:
    """Return one snapshot of all sources: APIs are read now, paths are loaded.

    Args:
        sources: the words of the command line; those of the configuration are read where there are none.
        settings: the configuration.
        words: the options of providers, which make no sense without their provider.
        quiet: show no progress.

    Raises:
        InputError: no source was named, or one is neither a provider nor a snapshot nor manifests.
        CollectError: a provider cannot be read at all.
    """
    from cloudseg.snapshot import merge

    named = list(dict.fromkeys(sources or settings.sources))
    if not named:
        raise InputError(
            "nothing to read: name a source (`aws`, `azure`, `gcp`, `kubernetes`, `demo`, the path of a snapshot or"
            " of manifests), or set `sources` in cloudseg.toml"
        )
    manifests = [source for source in named if _holds_manifests(source)]
    _check_words(named, manifests, words)
    live = _live(settings, words)
    # Manifests are read first: what is piped in would be lost to whoever waits for an account.
    read: list[Snapshot] = []
    if manifests:
        cluster = cluster_of_manifests(settings, words.kubernetes, live="kubernetes" in named)
        read.append(_read_manifests(manifests, cluster))
    read += [_one(source, live, quiet=quiet) for source in named if source not in manifests]
    return read[0] if len(read) == 1 else merge(read)


def _check_words(sources: Sequence[str], manifests: Sequence[str], words: Words) -> None:
    """Refuse options for a provider that is not read.

    Raises:
        InputError: there are some.
    """
    if any(words.aws) and "aws" not in sources:
        raise InputError(
            "--profile, --region, --assume-role, --external-id and --aws-organization are for the source `aws`;"
            " a snapshot is audited as a whole"
        )
    if any(words.azure) and "azure" not in sources:
        raise InputError(
            "--subscription and --management-group are for the source `azure`; a snapshot is audited as a whole"
        )
    if any(words.gcp) and "gcp" not in sources:
        raise InputError(
            "--project, --gcp-folder and --gcp-organization are for the source `gcp`; a snapshot is audited as a whole"
        )
    if "kubernetes" in sources:
        return
    if words.kubernetes.contexts or words.kubernetes.kubeconfig:
        raise InputError("--context and --kubeconfig are for the source `kubernetes`; a snapshot is audited as a whole")
    if words.kubernetes.cluster is not None and not manifests:
        raise InputError(
            "--cluster names the cluster that manifests belong to, or the source `kubernetes`; no source holds either"
        )


def words_for(source: str, sources: Sequence[str], words: Words) -> Words:
    """Return the options that are about one of several sources that are read by themselves.

    What is about none of them stays with all, to be refused.
    """
    from cloudseg.cli.provider_words import AwsWords, AzureWords, GcpWords, KubernetesWords, Words

    azure = words.azure if source == "azure" or "azure" not in sources else AzureWords()
    gcp = words.gcp if source == "gcp" or "gcp" not in sources else GcpWords()
    aws = words.aws if source == "aws" or "aws" not in sources else AwsWords()
    if source == "kubernetes" or "kubernetes" not in sources:
        kubernetes = words.kubernetes
    else:
        kubernetes = KubernetesWords(cluster=words.kubernetes.cluster)
    named = [each for each in sources if each == "kubernetes" or _holds_manifests(each)]
    if named and source not in named:
        kubernetes = kubernetes._replace(cluster=None)
    return Words(aws, kubernetes, azure, gcp)


class _Live(NamedTuple):
    """What to read of providers."""

    aws: AwsOptions
    kubernetes: KubernetesOptions
    azure: AzureOptions
    gcp: GcpOptions


def _live(settings: Config, words: Words) -> _Live:
    return _Live(
        aws_options(settings, words.aws),
        kubernetes_options(settings, words.kubernetes),
        azure_options(settings, words.azure),
        gcp_options(settings, words.gcp),
    )


def _holds_manifests(source: str) -> bool:
    """Tell whether a source is a path of manifests, or standard input: what is there and is no snapshot."""
    if source == "-":
        return True
    if source in BUILT_IN or not _exists(source):
        return False
    from cloudseg.providers.kubernetes.files import is_snapshot, wraps_snapshot

    path = Path(source)
    return not is_snapshot(path) and not wraps_snapshot(path)


def _read_manifests(sources: Sequence[str], cluster: str | None) -> Snapshot:
    """Return what manifests hold, all of them in one cluster.

    Raises:
        InputError: standard input is closed or cannot be read, or a source holds no Kubernetes object.
    """
    from cloudseg.providers.kubernetes.manifests import CLUSTER, read_manifests

    # Python has no stdin at all when the shell closed it.
    stdin = sys.__stdin__
    if "-" in sources and stdin is None:
        raise InputError("there is no standard input to read manifests from; name a file")
    named = [stdin if source == "-" and stdin is not None else Path(source) for source in sources]
    return read_manifests(named, CLUSTER if cluster is None else cluster)


def _one(source: str, live: _Live, *, quiet: bool) -> Snapshot:
    from cloudseg.snapshot import load

    if source == "aws":
        return _collected("AWS", partial(_collect_aws, live.aws), quiet=quiet)
    if source == "azure":
        return _collected("Azure", partial(_collect_azure, live.azure), quiet=quiet)
    if source == "gcp":
        return _collected("Google Cloud", partial(_collect_gcp, live.gcp), quiet=quiet)
    if source == "kubernetes":
        return _collected("Kubernetes", partial(_collect_kubernetes, live.kubernetes), quiet=quiet)
    if source == "demo":
        from cloudseg.demo import demo_snapshot_path

        return load(demo_snapshot_path())
    if not _exists(source):
        shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}…"
        raise InputError(
            f"there is no {shown!r}: a source is `aws`, `azure`, `gcp`, `kubernetes`, `demo`, the path of a snapshot"
            " made by `cloudseg collect`, or of manifests"
        )
    return load(source)


def _exists(source: str) -> bool:
    try:
        return bool(source) and Path(source).exists()
    except OSError:
        # A name that is too long for the file system names nothing in it.
        return False


def _collect_aws(options: AwsOptions, progress: Progress | None) -> Snapshot:
    with package("AWS", "aws"):
        from cloudseg.providers.aws.collect import collect
    return collect(options, progress=progress)


def _collect_azure(options: AzureOptions, progress: Progress | None) -> Snapshot:
    with package("Azure", "azure"):
        from cloudseg.providers.azure.collect import collect
    return collect(options, progress=progress)


def _collect_gcp(options: GcpOptions, progress: Progress | None) -> Snapshot:
    with package("Google Cloud", "gcp"):
        from cloudseg.providers.gcp.collect import collect
    return collect(options, progress=progress)


def _collect_kubernetes(options: KubernetesOptions, progress: Progress | None) -> Snapshot:
    with package("clusters", "kubernetes"):
        from cloudseg.providers.kubernetes.collect import collect
    return collect(options, progress=progress)


def _collected(name: str, collect: Callable[[Progress | None], Snapshot], *, quiet: bool) -> Snapshot:
    """Return what a provider holds, with a progress bar on a terminal."""
    try:
        if quiet or not sys.stderr.isatty():
            return collect(None)
        from cloudseg.cli.progress import progress_bar

        with progress_bar(f"Reading {name}") as advance:
            return collect(advance)
    except KeyboardInterrupt:
        sys.stderr.write(f"cloudseg: interrupted while reading {name}; nothing was written\n")
        sys.stderr.flush()
        # Calls under way may hang for minutes, and Python waits for their threads.
        os._exit(INTERRUPTED)


def translate(snapshot: Snapshot) -> Estate:
    """Return the model of a snapshot, over every provider in it; a provider that is not known leaves gaps.

    Raises:
        InputError: the snapshot holds no answers that this version reads.
    """
    from dataclasses import replace

    from cloudseg.model import Estate
    from cloudseg.model.joining import join_clusters
    from cloudseg.model.tunnels import link_gateways
    from cloudseg.providers import TRANSLATORS

    providers = sorted({part.provider for part in snapshot.parts()} | {scope.provider for scope in snapshot.scopes})
    known = [name for name in providers if name in TRANSLATORS]
    if not known:
        held = ", ".join(providers) or "no answers at all"
        raise InputError(f"the snapshot holds nothing to audit ({held}); this version reads {', '.join(TRANSLATORS)}")
    estate = link_gateways(join_clusters(Estate.merged([TRANSLATORS[name]()(snapshot) for name in known])))
    foreign = tuple(_unknown_providers(snapshot, known))
    return replace(estate, gaps=(*estate.gaps, *foreign)) if foreign else estate


def _unknown_providers(snapshot: Snapshot, known: Sequence[str]) -> Iterator[Gap]:
    """Yield a gap for every scope of a provider that this version cannot translate: a newer one may have read it."""
    from cloudseg.model import Gap
    from cloudseg.providers import TRANSLATORS

    for scope in sorted(snapshot.scopes, key=lambda each: (each.provider, each.scope)):
        if scope.provider not in known:
            detail = f"{scope.provider} is left out of the estate; this version reads {', '.join(TRANSLATORS)}"
            yield Gap(scope.provider, scope.scope, "global", "snapshot", "", "unsupported", detail)
