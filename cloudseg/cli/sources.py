"""From the SOURCE words of a command line to snapshots and an estate."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.errors import CollectError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.config import Config
    from cloudseg.model import Estate, Gap
    from cloudseg.providers.aws.options import AwsOptions
    from cloudseg.snapshot import Snapshot

__all__ = ["AwsWords", "aws_options", "read_estate", "read_snapshot", "translate"]

INTERRUPTED = 130
_SHOWN = 200
PLANNED = frozenset({"azure", "gcp", "kubernetes"})


class AwsWords(NamedTuple):
    """The options for AWS as they stand on a command line."""

    profiles: Sequence[str] | None = None
    regions: Sequence[str] | None = None
    roles: Sequence[str] | None = None
    external_id: str | None = None
    organization: bool = False


def read_estate(
    sources: Sequence[str], settings: Config, aws: AwsWords, *, quiet: bool, cluster: str | None = None
) -> Estate:
    """Return the model of all sources, or of those that the configuration names where there is none.

    Raises:
        InputError: no source was named, or one is neither a provider nor a snapshot nor manifests.
        CollectError: a provider cannot be read at all.
    """
    options = aws_options(
        settings, aws.profiles, aws.regions, aws.roles, aws.external_id, organization=aws.organization
    )
    return translate(read_snapshot(sources or settings.sources, options, asked=any(aws), quiet=quiet, cluster=cluster))


def read_snapshot(
    sources: Sequence[str], aws: AwsOptions, *, asked: bool, quiet: bool, cluster: str | None = None
) -> Snapshot:
    """Return one snapshot of all sources: APIs are read now, paths are loaded.

    Args:
        sources: the words of the command line, or of the configuration.
        aws: what to read of AWS.
        asked: the command line holds options for AWS, which make no sense without it.
        quiet: show no progress.
        cluster: the name of the cluster that manifests belong to; None where none was given.

    Raises:
        InputError: no source was named, or one is neither a provider nor a snapshot nor manifests.
        CollectError: a provider cannot be read at all.
    """
    from cloudseg.snapshot import merge

    if not sources:
        raise InputError(
            "nothing to read: name a source (`aws`, `demo`, the path of a snapshot or of manifests), or set `sources`"
            " in cloudseg.toml"
        )
    if asked and "aws" not in sources:
        raise InputError(
            "--profile, --region, --assume-role, --external-id and --aws-organization are for the source `aws`;"
            " a snapshot is audited as a whole"
        )
    different = list(dict.fromkeys(sources))
    manifests = [source for source in different if _holds_manifests(source)]
    if cluster is not None and not manifests:
        raise InputError("--cluster names the cluster that manifests belong to, and no source holds manifests")
    # Manifests are read first: what is piped in would be lost to whoever waits for an account.
    read = [_read_manifests(manifests, cluster)] if manifests else []
    snapshots = read + [_one(source, aws, quiet=quiet) for source in different if source not in manifests]
    return snapshots[0] if len(snapshots) == 1 else merge(snapshots)


def _holds_manifests(source: str) -> bool:
    """Tell whether a source is a path of manifests, or standard input: what is there and is no snapshot."""
    if source == "-":
        return True
    if source in {"aws", "demo"} or not _exists(source):
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


def _one(source: str, aws: AwsOptions, *, quiet: bool) -> Snapshot:
    from cloudseg.snapshot import load

    if source == "aws":
        return _collect_aws(aws, quiet=quiet)
    if source == "demo":
        from cloudseg.demo import demo_snapshot_path

        return load(demo_snapshot_path())
    if source in PLANNED and not _exists(source):
        hint = "; name files or folders of manifests" if source == "kubernetes" else ""
        raise InputError(
            f"{source} cannot be read yet; this version reads `aws`, `demo`, snapshots and Kubernetes manifests{hint}"
        )
    if not _exists(source):
        shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}…"
        raise InputError(
            f"there is no {shown!r}: a source is `aws`, `demo`, the path of a snapshot made by `cloudseg collect`, or"
            " of manifests"
        )
    return load(source)


def _exists(source: str) -> bool:
    try:
        return bool(source) and Path(source).exists()
    except OSError:
        # A name that is too long for the file system names nothing in it.
        return False


def _collect_aws(options: AwsOptions, *, quiet: bool) -> Snapshot:
    try:
        from cloudseg.providers.aws.collect import collect
    except ModuleNotFoundError as error:
        raise CollectError(
            f"reading AWS needs the package {error.name}; install it with `pip install 'cloudseg[aws]'`"
        ) from error
    try:
        if quiet or not sys.stderr.isatty():
            return collect(options)
        from cloudseg.cli.progress import progress_bar

        with progress_bar("Reading AWS") as advance:
            return collect(options, progress=advance)
    except KeyboardInterrupt:
        sys.stderr.write("cloudseg: interrupted while reading AWS; nothing was written\n")
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
    from cloudseg.providers import TRANSLATORS

    providers = sorted({part.provider for part in snapshot.parts()} | {scope.provider for scope in snapshot.scopes})
    known = [name for name in providers if name in TRANSLATORS]
    if not known:
        held = ", ".join(providers) or "no answers at all"
        raise InputError(f"the snapshot holds nothing to audit ({held}); this version reads {', '.join(TRANSLATORS)}")
    estate = Estate.merged([TRANSLATORS[name]()(snapshot) for name in known])
    foreign = tuple(_unknown_providers(snapshot, known))
    return replace(estate, gaps=(*estate.gaps, *foreign)) if foreign else estate


def _unknown_providers(snapshot: Snapshot, known: Sequence[str]) -> Iterator[Gap]:
    """Yield a gap for every scope and region of a provider that this version cannot translate."""
    from cloudseg.model import Gap
    from cloudseg.text import amount

    foreign = (part for part in snapshot.parts() if part.provider not in known)
    counts = Counter((part.provider, part.scope, part.region) for part in foreign)
    for scope in snapshot.scopes:
        if scope.provider not in known and not any(place[:2] == (scope.provider, scope.scope) for place in counts):
            counts[scope.provider, scope.scope, "global"] = 0
    for (provider, scope_id, region), count in sorted(counts.items()):
        held = amount(count, "answer") if count else "this scope"
        detail = f"{held} of {provider} left out of the estate; this version reads {', '.join(known)} alone"
        yield Gap(provider, scope_id, region, "snapshot", "", "unsupported", detail)


def _check_role(role: str) -> None:
    """Refuse a role whose ARN names no account, before anything is asked; the name of a role alone is none of it.

    An account's id has 12 digits: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html

    Raises:
        InputError: the account of the ARN has no 12 digits.
    """
    parts = role.split(":", 5)
    if parts[0] == "arn" and (len(parts) != 6 or not re.fullmatch(r"[0-9]{12}", parts[4])):
        raise InputError(f"the role {role!r}: an account has 12 digits; write arn:aws:iam::111122223333:role/NAME")


def aws_options(
    settings: Config,
    profiles: Sequence[str] | None,
    regions: Sequence[str] | None,
    roles: Sequence[str] | None,
    external_id: str | None,
    *,
    organization: bool,
) -> AwsOptions:
    """Return what to read of AWS: the options of the command line, each before its setting in the configuration.

    Raises:
        InputError: an external id without a role, or an ARN with an account that is none.
    """
    from cloudseg.providers.aws.options import AwsOptions

    asked_roles = tuple(roles or settings.aws.assume_role)
    if external_id is not None and not asked_roles and not (organization or settings.aws.organization):
        raise InputError("--external-id belongs to a role: name it with --assume-role, or leave the id out")
    for role in asked_roles:
        _check_role(role)
    return AwsOptions(
        profiles=tuple(profiles or settings.aws.profile),
        regions=tuple(regions or settings.aws.region),
        assume_roles=asked_roles,
        external_id=external_id or settings.aws.external_id,
        organization=organization or settings.aws.organization,
    )
